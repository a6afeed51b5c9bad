"""Every check of a proof about populations is needed: a certificate that only it refuses."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lindfeas.checker import bounds, format, model, steady_state, verification, verify
from tests.mutations import changed, get
from tests.shipped import written

MODULES = (model, steady_state, bounds, verification)
"""Those that reject what they read through `lindfeas.checker.format.require`."""

Path_ = tuple[str | int, ...]

SYSTEM: Path_ = ("problem", "system")
BATH: Path_ = ("problem", "bath", 0)
CANDIDATE: Path_ = ("upper_bound", "candidate", "left", "kossakowski")


def plain(name: str) -> dict[str, Any]:
    return changed(written(name), ("trace_distance",), None)


def chain(*changes: tuple[Path_, Any]) -> dict[str, Any]:
    return with_changes("xxz-1+2+1", changes)


def matrices(*changes: tuple[Path_, Any]) -> dict[str, Any]:
    return with_changes("qutrit-qubit", changes)


def with_changes(name: str, changes: tuple[tuple[Path_, Any], ...]) -> dict[str, Any]:
    content = plain(name)
    for path, value in changes:
        content = changed(content, path, value)
    return content


def entries(*listed: list[Any]) -> dict[str, Any]:
    return matrices(((*SYSTEM, "hamiltonian"), list(listed)))


def without_a_charge() -> dict[str, Any]:
    """Eight qubits in one sector."""
    content = chain(((*SYSTEM, "sites"), 8), (("lower_bound", "multiplier"), ["0.5"] * 256))
    for number, site in ((0, 0), (1, 7)):
        bath = {**content["problem"]["bath"][number], "operator": "sigma_x", "sites": [site]}
        content = changed(content, ("problem", "bath", number), bath)
    return content


def mixed_coupling() -> dict[str, Any]:
    listed = get(plain("qutrit-qubit"), (*BATH, "couplings"))
    return matrices(((*BATH, "couplings", 0), [*listed[0], [0, 0, "1"]]))


def refused() -> Iterator[tuple[str, dict[str, Any]]]:
    """(what the reason says, certificate)."""
    original = plain("xxz-1+2+1")
    blocks = get(original, CANDIDATE)
    eigenvalues = dict.fromkeys(("left", "right"), "0.5")
    yield "levels, beyond 256", matrices(((*SYSTEM, "dimensions"), [256, 2]))
    yield "site that does not exist", chain(((*BATH, "sites"), [9]))
    yield "overlap", chain(((*BATH, "sites"), [3]))
    yield "same name", chain(((*BATH, "name"), "right"))
    yield "another shape", matrices(((*SYSTEM, "charge"), [[0, 1], [0, 1]]))
    yield "conserve the charge", entries([0, 0, "1"], [0, 5, "1"])
    yield "tolerance is not positive", chain((("problem", "question", "tolerance"), "0"))
    yield "3 values for 4", chain(((*SYSTEM, "field"), ["1", "2", "3"]))
    yield "below the diagonal", entries([1, 0, "1"])
    yield "complex one on it", entries([0, 0, ["1", "1"]])
    yield "must list [row", entries(["1", 0, "1"])
    yield "outside the matrix", entries([0, 6, "1"])
    yield "twice", entries([0, 0, "1"], [0, 0, "1"])
    yield "beta is not positive", chain(((*BATH, "beta"), "0"))
    yield "mu is positive", chain(((*BATH, "mu"), "0.1"))
    for key in ("exponent", "cutoff"):
        yield "bad density", chain(((*BATH, "spectral_density", key), "0"))
    yield "bad density", chain(((*BATH, "spectral_density", "strength"), "-1"))
    yield (
        "32 levels, beyond 16",
        chain(((*SYSTEM, "sites"), 8), ((*BATH, "sites"), [0, 1, 4, 5, 6])),
    )
    yield "shifts the charge by", mixed_coupling()
    yield "allows no rates", chain((("problem", "ansatz", "rates", "value"), "0"))
    nothing = [{**block, "factors": []} for block in blocks]
    yield "cannot meet the rate rule", chain((CANDIDATE, nothing))
    yield "beyond this checker's 120 s", without_a_charge()
    yield "exactly degenerate", chain(((*SYSTEM, "coupling"), "0"))
    yield "outside [-1, 1]", chain((("lower_bound", "multiplier", 3), "1.000001"))
    yield "more than the claimed eigenvalues", chain((("lower_bound", "value"), "0.9"))
    yield "below the claimed one", chain((("lower_bound", "smallest_eigenvalues"), eigenvalues))
    yield "not in the basis", chain(((*CANDIDATE, 0, "basis", 0), "q"))
    two = [["1"]] * (len(blocks[0]["basis"]) + 1)
    yield "too many factors", chain(((*CANDIDATE, 0, "factors"), two))
    yield "of another length", chain(((*CANDIDATE, 0, "factors"), [["1", "1"]]))
    one = {"left": "-1"}
    yield "must have the regions", chain((("lower_bound", "smallest_eigenvalues"), one))
    yield "defect is more than claimed", chain((("upper_bound", "value"), "0.0001"))
    yield "but needs 16", chain((("lower_bound", "multiplier"), ["0"] * 15))
    alone = (("lower_bound", "value"), "0"), (("upper_bound",), None)
    yield "not positive proves nothing", chain(*alone)


def places() -> set[tuple[str, int]]:
    """Where the modules call `require`."""
    found = set()
    for module in MODULES:
        file = Path(str(module.__file__))
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "require":
                found.add((file.stem, node.lineno))
    return found


def test_every_check_refuses_a_certificate(monkeypatch: pytest.MonkeyPatch) -> None:
    """The last of these checks to fail is the one that a case is about; each has its case."""
    failed: set[tuple[str, int]] = set()

    def spy(condition: bool, otherwise: str) -> None:
        if not condition:
            frame = sys._getframe(1)
            failed.add((Path(frame.f_code.co_filename).stem, frame.f_lineno))
        format.require(condition, otherwise)

    for module in MODULES:
        monkeypatch.setattr(module, "require", spy)
    for reason, content in refused():
        proof = verify(content)
        assert proof.status == "rejected", reason
        assert reason in (proof.reason or ""), proof.reason
    # the work of a box is refused by the same function, the defect's bound by one for all questions
    assert failed == places()


def test_the_original_of_all_these_is_accepted() -> None:
    for name in ("xxz-1+2+1", "qutrit-qubit"):
        assert verify(plain(name)).status == "accepted"


def test_two_routes_to_the_levels_must_agree(monkeypatch: pytest.MonkeyPatch) -> None:
    found = steady_state._eigensystem

    def wrong(block: Any, charge: int) -> Any:
        energies, vectors = found(block, charge)
        return [energy + 1 for energy in energies], vectors

    monkeypatch.setattr(steady_state, "_eigensystem", wrong)
    assert "contradict" in (verify(plain("xxz-1+2+1")).reason or "")


def test_a_matrix_that_is_not_regular_settles_nothing() -> None:
    from flint import arb_mat

    from lindfeas.checker.format import Unsettled

    with pytest.raises(Unsettled, match="whether it is"):
        steady_state._solved(arb_mat([[0]]), arb_mat([[1]]), "whether it is")


def test_an_excess_that_may_be_zero_settles_nothing() -> None:
    from flint import arb

    from lindfeas.checker.format import Unsettled

    bounds.require_at_most(arb(0), "too much")
    with pytest.raises(Unsettled, match="whether too much"):
        bounds.require_at_most(arb(0, 1), "too much")
