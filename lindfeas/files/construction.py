"""From the checked tables of a problem file to a `Question`."""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lindfeas.errors import InputError
from lindfeas.files import schema
from lindfeas.files.decimals import with_decimals
from lindfeas.physics.baths.families import FAMILIES
from lindfeas.physics.baths.spectral_density import SpectralDensity
from lindfeas.physics.equations.jumps import Jumps, jumps_of
from lindfeas.physics.systems.bath import Bath
from lindfeas.physics.systems.open_system import OpenSystem
from lindfeas.program.question import DEFAULT_NORM, Question
from lindfeas.program.rates import Rates


def question(problem: schema.ModelProblem | schema.MatrixProblem, base: Path) -> Question:
    """The question that a checked problem asks; paths in it start at ``base``.

    Raises
    ------
    InputError
        If the parts do not fit together, or a file of matrices cannot be used.
    """
    _check_names(problem)
    if isinstance(problem, schema.MatrixProblem):
        system = _matrix_system(problem, base)
    else:
        system = _ready_made(problem)
    limit = problem.ansatz.hamiltonian_limit
    target, within = problem.question.target, problem.question.distance_tolerance
    return Question(
        system=system,
        rates=_rates(problem.ansatz.rates),
        lamb_shift=problem.ansatz.lamb_shift,
        hamiltonian_limit=None if limit is None else float(limit),
        target=target,
        # a file may keep a norm for the coherences that --set or a sweep asks for
        norm=DEFAULT_NORM if target == "populations" else problem.question.norm,
        criterion=problem.question.criterion,
        distance_tolerance=None if within is None else float(within),  # type: ignore[arg-type]
        coherence_tolerance=float(problem.question.coherence_tolerance),
        tolerance=float(problem.question.tolerance),
    )


def _check_names(problem: schema.ModelProblem | schema.MatrixProblem) -> None:
    names = [bath.name for bath in problem.bath]
    for name in names:
        if names.count(name) > 1:
            raise InputError(
                f"must be unique, but {names.count(name)} baths are called {name!r}",
                f"bath.{name}.name",
            )


def _rates(rates: schema.EachRates | schema.TotalRates | schema.RangeRates) -> Rates:
    if isinstance(rates, schema.RangeRates):
        return Rates.range(min=with_decimals(rates.min, float), max=with_decimals(rates.max, float))
    if isinstance(rates, schema.TotalRates):
        return Rates.total(float(rates.value))
    return Rates.each(with_decimals(rates.value, float))


def _ready_made(problem: schema.ModelProblem) -> OpenSystem:
    spec = problem.spec
    keys = with_decimals(problem.system.model_dump(exclude={"model"}), float)
    sites = spec.sites(keys)
    baths = [
        spec.couple(_bath(bath, sites, len(bath.sites)), bath.operator) for bath in problem.bath
    ]
    return spec.build(**keys, baths=baths)


def _bath(bath: schema.BathTable, sites: int, couplings: int) -> Bath:
    for site in bath.sites:
        if site >= sites:
            raise InputError(
                f"must be site numbers from 0 to {sites - 1}, but holds {site}",
                f"bath.{bath.name}.sites",
            )
    return Bath(
        name=bath.name,
        sites=tuple(bath.sites),
        beta=float(bath.beta),
        mu=float(bath.mu),
        spectral_density=_densities(bath, couplings),
    )


def _densities(
    bath: schema.BathTable, couplings: int
) -> SpectralDensity | tuple[SpectralDensity, ...]:
    where = f"bath.{bath.name}.spectral_density"
    values = bath.spectral_density.model_dump()
    family, strength = FAMILIES[values.pop("family")], values.pop("strength")
    shape = {key: float(value) for key, value in values.items()}
    if isinstance(strength, list) and len(strength) != couplings:
        raise InputError(
            f"must be one number, or one per coupling ({couplings}), but has {len(strength)}",
            f"{where}.strength",
        )
    try:
        if isinstance(strength, list):
            return tuple(family(strength=float(value), **shape) for value in strength)
        return family(strength=float(strength), **shape)
    except InputError as error:
        raise error.under(where) from None


def _matrix_system(problem: schema.MatrixProblem, base: Path) -> OpenSystem:
    hamiltonian, couplings = _load_matrices(base / problem.system.matrices)
    charge = problem.system.charge
    given = charge if isinstance(charge, str) else tuple(tuple(local) for local in charge)
    return OpenSystem(
        hamiltonian=hamiltonian,
        dimensions=tuple(problem.system.dimensions),
        charge=None if given == "none" else given,  # type: ignore[arg-type]
        baths=tuple(
            _matrix_bath(bath, len(problem.system.dimensions), couplings) for bath in problem.bath
        ),
    )


def _matrix_bath(bath: schema.MatrixBath, sites: int, couplings: NDArray[Any]) -> Bath:
    for number in bath.couplings:
        if number >= len(couplings):
            raise InputError(
                f"must be indices from 0 to {len(couplings) - 1} into the file's couplings, but "
                f"holds {number}",
                f"bath.{bath.name}.couplings",
            )
    return replace(
        _bath(bath, sites, len(bath.couplings)),
        couplings=tuple(couplings[number] for number in bath.couplings),
    )


def candidate(
    problem: schema.ModelProblem | schema.MatrixProblem, system: OpenSystem, base: Path
) -> Jumps | None:
    """The Lindbladian of ``[candidate]``, or None.

    Raises
    ------
    InputError
        If its file cannot be used, or does not fit the system.
    """
    if problem.candidate is None:
        return None
    file, where = base / problem.candidate.file, "candidate.file"
    arrays = _arrays(file, where, ("jump_operators", "rates", "hamiltonian"))
    if "jump_operators" not in arrays:
        raise InputError(
            f"must hold the array jump_operators, but {file} holds only "
            f"{', '.join(arrays) or 'nothing'}",
            where,
        )
    if arrays["jump_operators"].ndim != 3:
        raise InputError(
            f"must hold an array jump_operators with 3 axes, but it has shape "
            f"{arrays['jump_operators'].shape}",
            where,
        )
    return jumps_of(
        system, arrays["jump_operators"], arrays.get("rates"), arrays.get("hamiltonian")
    )


def _load_matrices(file: Path) -> tuple[NDArray[Any], NDArray[Any]]:
    """H and the couplings; nothing in the file is executed."""
    where = "system.matrices"
    arrays = _arrays(file, where, ("H", "couplings"))
    for name, axes in (("H", 2), ("couplings", 3)):
        if name not in arrays:
            raise InputError(
                f"must hold the arrays H and couplings, but {file} holds only "
                f"{', '.join(arrays) or 'nothing'}",
                where,
            )
        array = arrays[name]
        if array.ndim != axes or array.dtype.kind not in "biufc":
            raise InputError(
                f"must hold an array {name} of numbers with {axes} axes, but it has shape "
                f"{array.shape} and type {array.dtype}",
                where,
            )
    return arrays["H"], arrays["couplings"]


def _arrays(file: Path, where: str, names: Sequence[str]) -> dict[str, NDArray[Any]]:
    try:
        with file.open("rb") as stream, np.load(stream, allow_pickle=False) as loaded:
            return {name: loaded[name] for name in names if name in loaded}
    except OSError as error:
        reason = error.strerror or "it is no npz file"
    except (AttributeError, EOFError, TypeError, ValueError, zipfile.BadZipFile) as error:
        # an npy file loads as an array, which is no context manager
        pickled = "pickle" in str(error) and zipfile.is_zipfile(file)
        reason = "it holds pickled objects" if pickled else "it is no npz file"
    raise InputError(f"must be an npz file of numbers, but {file}: {reason}", where)
