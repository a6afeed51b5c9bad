"""Proofs over a box: what the checker encloses, what it accepts, and what it refuses."""

from __future__ import annotations

import itertools
import json
import math
import random
import subprocess
import sys
from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest
from flint import acb_mat, arb, ctx, fmpq
from referencing import Registry, Resource

import lindfeas as lf
from lindfeas.checker import boxes, cells, verify
from lindfeas.checker import model as model_module
from lindfeas.checker.balls import smallest_eigenvalue
from lindfeas.checker.bounds import Enclosed, enclosed
from lindfeas.checker.format import Rejected, Unsettled
from lindfeas.checker.schema import box_schema, certificate_schema
from lindfeas.checker.steady_state import levels
from lindfeas.checker.taylor import Taylor, constant, power_series, solution, unit
from lindfeas.files.problem_file import ProblemFile, problem_from_document
from lindfeas.physics.equations.operator_basis import regions_of
from lindfeas.physics.equations.redfield import redfield_equation
from lindfeas.program.target import populations
from lindfeas.theorems.certificate import read_certificate, write_certificate
from lindfeas.theorems.exact_problem import problem_document
from tests.documents import CROSSING
from tests.mutations import JUNK, changed, containers, get, is_number, leaves, scaled, without
from tests.shipped import CHAIN, PROBLEMS, SPLIT, document, leaf_numbers, proved, question_of
from tests.systems import assembled

COUPLING, BETA = "system.coupling", "bath.left.beta"
WIDE = (f"{COUPLING}=0.0095:0.0105", f"{BETA}=0.95:1.05")


@pytest.fixture(autouse=True)
def precise() -> Iterator[None]:
    with ctx.workprec(128):
        yield


def test_a_box_of_ten_percent_each_way_is_proved() -> None:
    content = proved(*WIDE)
    proof = verify(content)
    assert proof.status == "accepted", proof.reason
    assert proof.proved
    assert proof.bits == 128
    assert proof.lower == content["lower_bound"]
    for part in (f"{COUPLING} in [0.0095, 0.0105]", f"{BETA} in [0.95, 1.05]", "impossible"):
        assert part in proof.statement
    assert float(proof.trace_distance or 0) > 0


def test_a_box_of_several_cells_is_proved() -> None:
    content = proved(*SPLIT)
    proof = verify(content)
    assert proof.status == "accepted"
    assert len(content["cells"]) > 2
    least = min(
        float(cell["lower_bound"]["value"]) for cell in content["cells"] if "split" not in cell
    )
    assert float(proof.lower or 0) == least


def test_the_checker_of_boxes_runs_without_any_numerical_package(tmp_path: Path) -> None:
    path = write_certificate(tmp_path / "box.json", proved(*WIDE))
    code = f"""
import sys
class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("cvxpy", "numpy", "scipy", "pydantic", "clarabel", "scs"):
            raise ImportError(name)
sys.meta_path.insert(0, Refuse())
from lindfeas.checker.format import read_certificate
from lindfeas.proof import verify
assert verify(read_certificate({str(path)!r})).proved
print(*sorted(name for name in sys.modules if name.startswith("lindfeas.")))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = [name for name in done.stdout.split() if not name.startswith("lindfeas.checker")]
    assert set(loaded) == {"lindfeas.errors", "lindfeas.proof"}


# Taylor models hold the values at every point.


KEYS = {
    "isotropic": (COUPLING, BETA),
    "mixing levels": ("system.anisotropy", "bath.right.mu"),
    "all in H": ("system.field", COUPLING, "system.anisotropy"),
}
CENTRES = {
    COUPLING: "0.01",
    BETA: "1",
    "system.anisotropy": "0.9",
    "bath.right.mu": "-0.2",
    "system.field": "0.5",
}


def some_cell(keys: tuple[str, ...], width: Fraction, order: int) -> tuple[cells.Cell, Any]:
    """A cell around the shipped chain with these relative half widths, and its model at t."""
    problem = document(CHAIN)
    centres = [Fraction(CENTRES[key]) for key in keys]
    ranges = tuple((exact(c - abs(c) * width), exact(c + abs(c) * width)) for c in centres)

    def at(t: tuple[Fraction, ...]) -> model_module.Model:
        point = problem
        for key, c, step in zip(keys, centres, t, strict=True):
            point = boxes.placed(point, key, str(c + abs(c) * width * step))
        return model_module.model(point)

    return boxes.cell(problem, keys, ranges, order), at


def exact(value: Fraction) -> fmpq:
    return fmpq(value.numerator, value.denominator)


def value_at(taylor: Taylor, t: tuple[Fraction, ...]) -> Any:
    """Everything that the Taylor model allows at t."""
    total = taylor.rest
    for exponents, term in taylor.terms.items():
        power = exact(Fraction(1))
        for step, exponent in zip(t, exponents, strict=True):
            power *= exact(step) ** exponent
        total = total + term * arb(power)
    return total


def points(count: int, variables: int) -> list[tuple[Fraction, ...]]:
    draw = random.Random(2)
    corners = list(itertools.product((Fraction(-1), Fraction(1)), repeat=variables))
    inside = [
        tuple(Fraction(draw.randint(-1000, 1000), 1000) for _ in range(variables))
        for _ in range(count)
    ]
    return [*corners, *inside]


def multipliers(count: int) -> list[list[fmpq]]:
    draw = random.Random(3)
    return [[fmpq(draw.randint(-9, 9), 10) for _ in range(16)] for _ in range(count)]


@pytest.mark.parametrize("order", [1, 3])
@pytest.mark.parametrize("kind", KEYS)
def test_a_taylor_model_holds_the_exact_values_everywhere_in_its_cell(
    kind: str, order: int
) -> None:
    keys = KEYS[kind]
    cell, at = some_cell(keys, Fraction(1, 100), order)
    over = cells.cell_setting(cell)
    y = multipliers(2 ** len(keys))
    matrices = list(cells.dual_matrices(over, y))
    weights = [cell.scalar(values) for values in zip(*y, strict=True)]
    for t in points(4, len(keys)):
        here = enclosed(at(t))
        energies = [e for sector in here.levels.sectors for e in sector.energies]
        enclosures = [e for sector in over.sectors for e in sector.energies]
        for taylor, energy in zip(enclosures, energies, strict=True):
            assert value_at(taylor, t).overlaps(energy)
        for taylor, population in zip(over.populations, here.populations, strict=True):
            assert value_at(taylor, t).overlaps(population)
        own = [value_at(weight, t) for weight in weights]
        for taylor, matrix in zip(matrices, dual_matrices_at(here, own), strict=True):
            assert value_at(taylor, t).overlaps(matrix)


def dual_matrices_at(here: Enclosed, y: list[arb]) -> Iterator[acb_mat]:
    products = [a * b for a, b in zip(y, here.populations, strict=True)]
    weight, product = here.levels.weighted(y), here.levels.weighted(products)
    for part in here.regions:
        yield part.dual_matrix(weight, here.state, product)


def test_eigenvectors_over_a_cell_hold_the_exact_ones_up_to_their_size() -> None:
    """At a low order X is poor, so that only the bounds on what it leaves out save the day."""
    keys = KEYS["all in H"]
    cell, at = some_cell(keys, Fraction(1, 50), 1)
    over = cells.cell_setting(cell)
    for t in points(6, len(keys)):
        for taylor, exact_sector in zip(over.sectors, levels(at(t)).sectors, strict=True):
            right, left = value_at(taylor.right, t), value_at(taylor.left, t)
            for level in range(right.nrows()):
                column = [right[row, level] for row in range(right.nrows())]
                row = [left[level, column] for column in range(left.ncols())]
                assert parallel(column, [own[level] for own in exact_sector.right.tolist()])
                assert parallel(row, exact_sector.left.tolist()[level])


def parallel(balls: list[Any], vector: list[Any]) -> bool:
    """Whether the balls hold a multiple of the vector."""
    sizes = [a / b for a, b in zip(balls, vector, strict=True) if not b.contains(0)]
    return all(one.overlaps(other) for one, other in itertools.combinations(sizes, 2))


def test_a_transition_whose_energy_changes_its_sign_is_enclosed() -> None:
    """The singlet of energy -3g crosses g - 2 field at field = 2g; beyond, it decays no more."""
    problem = problem_from_document(CROSSING)
    content = problem_document(problem, problem.question)
    low, high = Fraction("0.48"), Fraction("0.52")
    over = cells.cell_setting(
        boxes.cell(content, ["system.field"], ((exact(low), exact(high)),), 4)
    )
    for t in (Fraction(n, 10) for n in range(-10, 11)):
        field = str((low + high) / 2 + (high - low) / 2 * t)
        here = enclosed(model_module.model(boxes.placed(content, "system.field", field)))
        for taylor, population in zip(over.populations, here.populations, strict=True):
            assert value_at(taylor, (t,)).overlaps(population)


@pytest.mark.parametrize("kind", KEYS)
def test_the_linear_terms_are_the_derivatives(kind: str) -> None:
    """Central differences over a cell of relative half width 1e-8 agree to second order."""
    keys = KEYS[kind]
    cell, at = some_cell(keys, Fraction(1, 10**8), 2)
    over = cells.cell_setting(cell)
    for axis in range(len(keys)):
        forward, backward = (
            enclosed(at(tuple(Fraction(sign * (n == axis)) for n in range(len(keys)))))
            for sign in (1, -1)
        )
        unit_exponents = tuple(int(n == axis) for n in range(len(keys)))
        for level, taylor in enumerate(over.populations):
            difference = (forward.populations[level] - backward.populations[level]) / 2
            slope = taylor.terms.get(unit_exponents, arb(0))
            assert abs(slope - difference) < arb("1e-21")
        moved = max(
            float(abs(taylor.terms.get(unit_exponents, arb(0)))) for taylor in over.populations
        )
        assert moved > 1e-15


def test_a_higher_order_encloses_more_tightly() -> None:
    widths = []
    for order in (1, 2, 4):
        over = cells.cell_setting(some_cell(KEYS["mixing levels"], Fraction(1, 50), order)[0])
        widths.append(max(float(taylor.rest.rad()) for taylor in over.populations))
    assert widths[0] > 5 * widths[1] > 25 * widths[2]


def test_the_hamiltonian_of_a_cell_is_exact() -> None:
    """Coupling times anisotropy is bilinear: the middle is the mean of the corners."""
    cell, _ = some_cell(KEYS["all in H"], Fraction(1, 3), 1)
    terms = cell.hamiltonian()
    middle = {place: value for place, value in terms[0, 0, 0].items() if value[0] != 0}
    assert middle == {p: v for p, v in cell.centre.hamiltonian.items() if v[0] != 0}
    assert any(value[0] != 0 for value in terms[0, 1, 1].values())


def test_products_and_functions_of_taylor_models_hold_their_values() -> None:
    x = Taylor(order=2, terms={(0, 0): arb(2), (1, 0): arb("0.3")}, rest=arb(0, "1e-3"))
    y = Taylor(order=2, terms={(0, 0): arb(1), (0, 1): arb("0.5"), (1, 1): arb("0.1")}, rest=arb(0))
    product = (x * y * y).applied(power_series(lambda series: (-series).exp())) - constant(
        x, arb(1)
    )
    for t in points(20, 2):
        a, b = value_at(x, t).mid(), value_at(y, t)
        assert value_at(product, t).contains((-(a * b * b)).exp() - 1)
    assert product.range().contains(value_at(product, (Fraction(1), Fraction(-1))).mid())


def test_the_range_of_powers_holds_all_their_values() -> None:
    t = Taylor(order=1, terms={(0,): arb(0), (1,): arb(1)}, rest=arb(0))
    square = Taylor(order=2, terms={(0,): arb(0), (2,): arb(1)}, rest=arb(0))
    for even in (t * t, square):
        assert all(even.range().contains(arb(value)) for value in (0, 0.25, 1))
    assert all((t * t * t).range().contains(arb(value)) for value in (-1, 0, 1))


def test_a_rest_that_leaves_zero_out_is_a_part_of_the_value() -> None:
    one = Taylor(order=1, terms={(0,): arb(0)}, rest=arb(1))
    assert one.applied(power_series(lambda x: x.exp())).range().contains(arb(1).exp())


def test_a_singular_matrix_somewhere_in_a_cell_is_not_inverted() -> None:
    regular = Taylor(
        order=2,
        terms={(0,): acb_mat([[1, 0], [0, 1]]), (1,): acb_mat([[0, 0], [0, arb("0.5")]])},
        rest=acb_mat(2, 2),
    )
    inverse = solution(regular, unit(2, 1, 2))
    assert value_at(inverse, (Fraction(1, 2),))[1, 1].real.contains(arb("0.8"))
    singular = regular + regular.map(lambda matrix: matrix * 0).widened(
        acb_mat([[0, 0], [0, arb(0, "0.6")]])
    )
    with pytest.raises(Unsettled):
        solution(singular, unit(2, 1, 2))


# No accepted bound is above the true value at any point of its cell.


def random_box(draw: random.Random) -> tuple[ProblemFile, dict[str, tuple[Decimal, Decimal]]]:
    """Two or three qubits, weakly to strongly coupled, cold to hot, and intervals around them."""

    def some(low: float, high: float) -> Decimal:
        return Decimal(str(round(low * (high / low) ** draw.random(), 4)))

    def bath(name: str, site: int) -> dict[str, Any]:
        density = {"family": draw.choice(("ohmic", "ohmic_exponential")), "cutoff": some(0.5, 20)}
        exponent = Decimal(draw.choice(("1", "1", "2", "0.7")))
        mu = Decimal(draw.choice(("0", "0", "-0.2")))
        return {
            "name": name,
            "sites": [site],
            "operator": draw.choice(("sigma_minus", "sigma_minus", "sigma_x", "sigma_z")),
            "beta": some(0.05, 8),
            "mu": mu,
            "spectral_density": {**density, "exponent": exponent},
        }

    sites = draw.choice((2, 2, 3))
    system = {"field": some(0.02, 2), "coupling": some(0.02, 2) * draw.choice((1, -1))}
    system["anisotropy"] = Decimal(draw.choice(("0", "1", "-1.3")))
    baths = [bath("left", 0), bath("right", sites - 1)]
    centres = {f"system.{key}": value for key, value in system.items()}
    for own in baths:
        centres |= {f"bath.{own['name']}.{key}": own[key] for key in ("beta", "mu")}
    width, sides = some(0.003, 0.7), {}
    for key in draw.sample(sorted(centres), draw.choice((1, 2, 2, 3))):
        half = width * max(abs(centres[key]), Decimal("0.1"))
        low, high = centres[key] - half, centres[key] + half
        low = max(low, Decimal("0.01")) if key.endswith("beta") else low
        sides[key] = (low, min(high, Decimal(0)) if key.endswith("mu") else high)
    document = {
        "title": "random",
        "system": {"model": "xxz_chain", "sites": sites, **system},
        "bath": baths,
        "ansatz": {"rates": {"rule": "each", "value": Decimal(1)}},
        "question": {"target": "populations", "tolerance": Decimal("1e-6")},
    }
    return problem_from_document(document), sides


def claimable(
    problem: ProblemFile,
    sides: dict[str, tuple[Decimal, Decimal]],
    order: int,
    corners: list[list[fmpq]],
) -> list[float]:
    """The largest lambda_min(A(y)) over the cell that the checker accepts, region by region."""
    ranges = tuple((exact(Fraction(low)), exact(Fraction(high))) for low, high in sides.values())
    content = problem_document(problem, problem.question)
    at = cells.cell_setting(boxes.cell(content, list(sides), ranges, order))
    return [
        min(
            float(smallest_eigenvalue(block))
            for corner in cells.corner_matrices(matrix)
            for _, block in part.blocks(corner)
        )
        for part, matrix in zip(at.regions, cells.dual_matrices(at, corners), strict=True)
    ]


def true_eigenvalues(problem: ProblemFile, y: Any) -> list[float]:
    """lambda_min(A(y)) at a point, by the code in double precision, which shares none with this."""
    question = problem.question
    reference = redfield_equation(question.system)
    ansatz = regions_of(question.system, reference.spectrum)
    program = assembled(populations(reference), reference, ansatz, question.rates)
    return [
        min(np.linalg.eigvalsh(program.blocks[n].combine(y))[0] for n in program.of_region(region))
        for region in range(len(program.regions))
    ]


def test_no_bound_is_above_the_true_value_anywhere_in_its_cell() -> None:
    draw = random.Random(7)
    accepted, excess = 0, []
    for _ in range(100):
        problem, sides = random_box(draw)
        size, count = problem.question.system.dimension, 2 ** len(sides)
        y = np.array([[draw.randint(-10, 10) for _ in range(size)] for _ in range(count)])
        listed = [[fmpq(int(value), 10) for value in row] for row in y]
        try:
            bounds = claimable(problem, sides, draw.choice((1, 2, 4, 5)), listed)
        except (Unsettled, ArithmeticError, ValueError):
            continue
        accepted += 1
        values = []
        for t in points(4, len(sides)):
            share = [Fraction(1 + step) / 2 for step in t]
            point = {
                key: low + (high - low) * Decimal(x.numerator) / Decimal(x.denominator)
                for (key, (low, high)), x in zip(sides.items(), share, strict=True)
            }
            weights = [
                math.prod(x if up else 1 - x for x, up in zip(share, corner, strict=True))
                for corner in itertools.product((0, 1), repeat=len(sides))
            ]
            mixed = np.array(weights, dtype=float) @ y / 10
            values.append(true_eigenvalues(problem.at(point), mixed))
        gaps = np.array(bounds) - np.min(values, axis=0)
        excess.append(gaps.max())
    assert accepted > 40
    # and it comes close, where a corner is the worst point
    assert -1e-8 < max(excess) < 1e-12


# What is false, malformed or hostile.


def test_cells_that_do_not_tile_the_box_are_rejected() -> None:
    original = proved(*SPLIT)
    listed = original["cells"]
    first, second = leaf_numbers(original)[:2]
    low = listed[first]["box"][0][0]
    wrong = {
        "a cell removed": [cell for n, cell in enumerate(listed) if n != first],
        "a cell twice": [*listed, listed[first]],
        "two cells swapped": swapped(listed, first, second),
        "a cell repeated in another's place": swapped(listed, first, first, listed[second]),
        "a split removed": listed[1:],
        "one cell only": [listed[first]],
        "a split along nothing": [{"split": "bath.left.beta"}, *listed[1:]],
        "splits without cells": [{"split": "system.field"}] * 3,
        "endless splits": [{"split": "system.field"}] * 90000,
    }
    for label, content in wrong.items():
        proof = verify(changed(original, ("cells",), content))
        assert proof.status == "rejected", label
    for number, value in ((0, "0.34"), (1, "0.66")):
        wider = ("box", 0, "low" if number == 0 else "high")
        assert verify(changed(original, wider, value)).status == "rejected"
    grown = changed(original, ("cells", first, "box", 0, 0), scaled(low, "0.999"))
    assert verify(grown).status == "rejected"


def swapped(cells_: list[Any], one: int, other: int, instead: Any = None) -> list[Any]:
    found = list(cells_)
    found[one], found[other] = found[other], found[one]
    if instead is not None:
        found[one] = instead
    return found


def test_a_wider_cell_is_not_proved_by_the_same_numbers() -> None:
    original = proved(*WIDE)
    wider = changed(original, ("box", 1, "high"), "1.4")
    wider = changed(wider, ("cells", 0, "box", 1, 1), "1.4")
    proof = verify(wider)
    assert proof.status in ("rejected", "undecided")
    assert not proof.proved


def test_raised_bounds_are_not_proved() -> None:
    original = proved(*WIDE)
    bound = ("cells", 0, "lower_bound")
    value = get(original, (*bound, "value"))
    higher = scaled(value, "1.000000001")
    assert verify(changed(original, ("lower_bound",), higher)).status == "rejected"
    both = changed(changed(original, ("lower_bound",), higher), (*bound, "value"), higher)
    assert verify(both).status == "rejected"
    for name in ("left", "right"):
        path = (*bound, "smallest_eigenvalues", name)
        both = changed(both, path, scaled(get(original, path), "1.00001"))
    proof = verify(both)
    assert proof.status != "accepted"
    assert not proof.proved
    for name in ("left", "right"):
        path = (*bound, "smallest_eigenvalues", name)
        both = changed(both, path, "0.01")
    assert verify(both).status == "rejected"


def test_multipliers_must_be_feasible() -> None:
    original = proved(*WIDE)
    path = ("cells", 0, "lower_bound", "multipliers")
    for value in ("1.000000001", "-2"):
        proof = verify(changed(original, (*path, 3, 7), value))
        assert proof.status == "rejected"
        assert "[-1, 1]" in (proof.reason or "")
    for shape in (get(original, path)[:2], [*get(original, path), ["0"] * 16], [["0"]] * 4):
        assert verify(changed(original, path, shape)).status == "rejected"
    flipped = changed(original, (*path, 0, 0), "-0.5")
    assert verify(flipped).status != "accepted"


def test_a_box_is_only_proved_where_it_makes_sense() -> None:
    original = proved(*WIDE)
    wrong = [
        changed(original, ("box", 0, "key"), "system.sites"),
        changed(original, ("box", 0, "key"), "bath.middle.beta"),
        changed(original, ("box", 0, "key"), BETA),
        changed(original, ("box", 0, "key"), ""),
        changed(original, ("box", 1, "low"), "2"),
        changed(changed(original, ("box", 1, "low"), "-1"), ("cells", 0, "box", 1, 0), "-1"),
        changed(original, ("problem", "question", "target"), "populations+coherences"),
        changed(original, ("problem", "system", "sites"), 8),
        changed(original, ("order",), 9),
        changed(original, ("lower_bound",), None),
        changed(original, ("lower_bound",), "0"),
        changed(original, ("cells",), [{"box": original["cells"][0]["box"], "open": "not tried"}]),
        changed(original, ("cells",), []),
        changed(original, ("kind",), "boxes"),
        without(original, ("kind",)),
    ]
    for number, content in enumerate(wrong):
        assert verify(content).status == "rejected", number


def test_an_endless_computation_is_refused() -> None:
    original = proved(*WIDE)
    sides = [
        {"key": key, "low": "0.1", "high": "0.2"}
        for key in ("system.field", COUPLING, BETA, "bath.right.beta")
    ]
    content = changed(changed(original, ("order",), 8), ("box",), sides)
    assert "too many terms" in (verify(content).reason or "")


def test_cells_left_open_are_no_part_of_the_theorem() -> None:
    original = proved(*SPLIT)
    first = leaf_numbers(original)[0]
    opened = {"box": original["cells"][first]["box"], "open": "not tried"}
    proof = verify(changed(original, ("cells", first), opened))
    assert proof.status == "accepted in part"
    assert "in the cells that are proved" in proof.statement
    assert "Nothing is proved about the rest of the box" in proof.statement
    assert "left open" in (proof.reason or "")


def test_a_system_without_a_hamiltonian_is_no_crash() -> None:
    original = proved(*WIDE)
    bath = {**original["problem"]["bath"][0], "couplings": [[[1, 0, "1"]]]}
    del bath["operator"]
    system = {"dimensions": [2], "charge": [[0, 1]], "hamiltonian": []}
    content = changed(original, ("problem", "system"), system)
    content = changed(content, ("problem", "bath"), [bath])
    content = changed(content, ("box",), [{"key": BETA, "low": "1", "high": "2"}])
    bound = {
        "value": "1e-9",
        "multipliers": [["1", "-1"]] * 2,
        "smallest_eigenvalues": {"left": "1e-9"},
    }
    content = changed(content, ("cells",), [{"box": [["1", "2"]], "lower_bound": bound}])
    content = changed(content, ("lower_bound",), "1e-9")
    assert verify(content).status == "undecided"


def test_levels_that_cross_inside_a_cell_prove_nothing() -> None:
    """At zero coupling all levels of a sector meet; at t = 0, and elsewhere in the cell."""
    for low, high in (("-0.001", "0.001"), ("-0.001", "0.003")):
        content = changed(proved(*WIDE), ("box", 0, "low"), low)
        content = changed(content, ("box", 0, "high"), high)
        content = changed(content, ("cells", 0, "box", 0), [low, high])
        proof = verify(content)
        assert proof.status in ("rejected", "undecided")
        assert not proof.proved


def test_levels_that_meet_in_a_cell_are_told_apart_nowhere() -> None:
    ranges = ((fmpq(-1, 1000), fmpq(3, 1000)),)
    with pytest.raises(Unsettled, match="the levels of charge sector 1 over a cell"):
        cells.cell_setting(boxes.cell(document(CHAIN), [COUPLING], ranges, 4))


MIDDLE = {("problem", "system", "coupling"): "0.01", ("problem", "bath", 0, "beta"): "1"}
"""The parameters of the wide box: what the problem itself says of them does not count."""


def test_junk_in_a_box_is_rejected_without_an_exception() -> None:
    original = proved(*WIDE)
    paths = [path for path in (*leaves(original), *containers(original)) if path != ("sha256",)]
    shown = [path for path in paths if "multipliers" not in path or path[-1] == 3]
    kept = []
    for number, path in enumerate(shown):
        for value in (JUNK[number % len(JUNK)], JUNK[(7 * number + 3) % len(JUNK)]):
            content = changed(original, path, value)
            if value != get(original, path) and accepted(content):
                kept.append(path)
        part_of_versions = path[0] == "versions" and len(path) == 2
        assert verify(without(original, path)).proved == part_of_versions, path
    assert len(shown) > 75
    assert {"problem", "versions"} == {path[0] for path in kept}


@pytest.mark.parametrize("text", ["1e999", "1e-999", "9" * 400, "0." + "3" * 1000])
def test_extreme_numbers_prove_nothing_false(text: str) -> None:
    original = proved(*WIDE)
    paths = [path for path in leaves(original) if is_number(get(original, path))]
    inside = [path for path in paths if "multipliers" in path]
    kept = {
        path for path in paths if path not in inside and accepted(changed(original, path, text))
    }
    assert {("problem", "system", "coupling"), ("problem", "bath", 0, "beta")} <= kept
    assert not accepted(changed(original, inside[3], text))


def accepted(content: dict[str, Any]) -> bool:
    """Whether the checker takes a certificate for a proof; if so, it must be one."""
    proof = verify(content)
    assert isinstance(proof.statement, str)
    assert proof.proved == (proof.status == "accepted")
    if proof.proved:
        assert float(proof.lower or 0) <= optimum(json.dumps(content["problem"])), content[
            "problem"
        ]
    return proof.proved


@cache
def optimum(problem: str) -> float:
    """An upper bound on the optimum at the middle of the box, from doubles and solvers alone."""
    content = {"problem": json.loads(problem)}
    for path in leaves(content):
        if is_number(value := get(content, path)):
            content = changed(content, path, tame(Decimal(value)))
    for path, value in MIDDLE.items():
        content = changed(content, path, value)
    return float(lf.certify(question_of(content["problem"]), sharp=False, check=False).upper)


def tame(value: Decimal) -> str:
    """A number in place of one that doubles do not hold, with the same limit in every formula."""
    size = min(max(abs(value), Decimal("1e-9")), Decimal("1e6")) if value else value
    return str(size.copy_sign(value))


def test_the_published_schema_describes_a_box_certificate() -> None:
    shared = Resource.from_contents(certificate_schema())
    registry: Registry[Any] = Registry().with_resource("certificate.schema.json", shared)
    validator = jsonschema.Draft202012Validator(box_schema(), registry=registry)
    validator.check_schema(box_schema())
    for content in (proved(*WIDE), proved(*SPLIT)):
        validator.validate(content)
        assert not validator.is_valid({**content, "order": 99})
        assert not validator.is_valid({**content, "further": 1})


def test_a_key_that_is_no_parameter_is_refused() -> None:
    problem = document(CHAIN)
    for key in ("system.sites", "bath.left.name", "bath.left", "question.tolerance", "x", ""):
        with pytest.raises(Rejected, match="parameter"):
            boxes.placed(problem, key, "1")
    with pytest.raises(Rejected, match="parameter"):
        boxes.placed(document("qutrit-qubit"), COUPLING, "1")


def test_the_shipped_certificate_of_a_box_is_proved() -> None:
    path = PROBLEMS.parent / "results" / f"{CHAIN}-box.certificate.json"
    proof = verify(read_certificate(path))
    assert proof.status == "accepted", proof.reason
    assert float(proof.lower or 0) > 8e-4
