"""What a Lindbladian does to every level, against the definition and against other programs."""

from __future__ import annotations

import numpy as np
import pytest

from lindfeas.answers.candidate import lindbladian_of
from lindfeas.program.bounds import repair_point
from lindfeas.program.level_action import LevelAction, level_action
from lindfeas.program.program import Point
from tests.coherent import coherent_setting
from tests.systems import full_action

SYSTEMS = ("1+0+2, g = 0.1", "1+1+1", "trimer", "oscillator")


def _action(name: str) -> LevelAction:
    setting = coherent_setting(name)
    program = setting.program
    return level_action(setting.reference, setting.ansatz.regions, program.layout, program.shifts)


@pytest.mark.parametrize("name", SYSTEMS)
def test_the_sum_over_levels_is_the_program_of_the_steady_state(name: str) -> None:
    setting, action = coherent_setting(name), _action(name)
    p = setting.reference.populations
    for own, block in zip(action.blocks, setting.program.blocks, strict=True):
        assert own.of_state(p) == pytest.approx(block.rows, abs=1e-15)
    columns = np.einsum("g,mgk->mk", p, action.shifts)
    assert columns == pytest.approx(setting.program.shifts.columns, abs=1e-15)


@pytest.mark.parametrize("name", SYSTEMS)
def test_every_level_is_acted_on_as_the_definition_says(name: str) -> None:
    setting, action = coherent_setting(name), _action(name)
    program, generator = setting.program, np.random.default_rng(3)
    gammas = []
    for block in action.blocks:
        normal = generator.normal(size=(block.size,) * 2)
        gamma = normal @ normal.T
        if block.is_complex:
            turned = normal + 1j * generator.normal(size=normal.shape)
            gamma = turned @ turned.conj().T
        gammas.append(gamma)
    point = Point(gammas=gammas, shift=generator.normal(size=program.shifts.count))
    point = repair_point(program, point)
    found = action.of_point(point.gammas, point.shift)
    candidate, sectors = lindbladian_of(setting, point), setting.reference.spectrum.sectors
    size = setting.reference.spectrum.dimension
    for level in range(size):
        state = np.zeros((size, size))
        state[level, level] = 1.0
        dense = full_action(candidate, setting.reference, state)
        blocks = [dense[sector.levels, sector.levels] for sector in sectors]
        known = program.layout.coordinates(blocks)
        assert found[:, level] == pytest.approx(known, abs=1e-12 * np.abs(known).max())


@pytest.mark.parametrize("name", SYSTEMS)
def test_gaps_make_the_commutator_with_h(name: str) -> None:
    """||[H_S, Y]||_F = ||gaps y||_2 for a random Y."""
    setting, action = coherent_setting(name), _action(name)
    y = np.random.default_rng(4).normal(size=len(action.gaps))
    total = 0.0
    spectrum = setting.reference.spectrum
    for sector, block in zip(spectrum.sectors, action.layout.blocks(y), strict=True):
        energies = spectrum.energies[sector.levels]
        total += float(np.linalg.norm((energies[:, None] - energies) * block)) ** 2
    assert np.linalg.norm(action.gaps * y) == pytest.approx(total**0.5, rel=1e-12)
    assert not action.gaps[action.layout.diagonal].any()
    assert np.all(action.gaps[action.is_off_diagonal] > 0)
    assert np.all(action.gap_errors[action.is_off_diagonal] > 0)
