"""Whatever stands in the place of an argument, what comes out is a `LindfeasError` of one line.

A good call, and in the place of every single argument every thing of a list. What is accepted is
not looked at here; what is refused must be refused on purpose.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from functools import partial
from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp

import lindfeas as lf
from lindfeas.answers.certify import steady_state_check
from lindfeas.answers.redfield_verdict import redfield_verdict
from lindfeas.physics.equations.generator import redfield_generator
from lindfeas.program.target import Requirement, coherences, observables, populations, trajectory
from lindfeas.theorems.box import parse_interval, prove_box


class Unprintable:
    """Something whose text cannot be had."""

    def __repr__(self) -> str:
        raise RuntimeError


SCALARS: list[Any] = [
    *(None, True, False, 0, 1, -1, 3, 2**63, -(2**63), 10**400, -(10**400), 10**5000),
    *(0.0, -0.0, 1.5, -1.5, float("nan"), float("inf"), float("-inf"), 1e308, 1e-320),
    *(1j, complex("nan"), Decimal(1), Decimal("nan"), Fraction(1, 2), object(), Unprintable(), int),
    *("", "a", "0", "x" * 1000, "a\tb", b"", b"ab", np.str_("a"), np.datetime64("2020-01-01")),
    *(np.float64(1), np.float32(1), np.float16(1), np.float64("nan"), np.longdouble("1e4000")),
    *(np.int64(1), np.int64(-1), np.bool_(True), np.complex128(1)),
    *(np.array(1.0), np.array(1), np.array("a"), np.array(None)),
]
LISTS: list[Any] = [
    *((), [], {}, {1: 2}, set(), {0}, range(3), [None], [True], ["a"], [0.5], [10**400]),
    *([Unprintable()], [1, 2], (1, 2), [1, [2]], (0, 0), (0, 1), (1, 0), (-1,), (5,), (0.0,)),
    *((2**63,), ((1, 0),), ((1, 0), (2**63, 0)), ((1, 0), (1.0, 0)), ("ab", "cd"), [[1, 2], [3]]),
    *(np.array([]), np.array([1.0]), np.array([1, 2]), np.array([1.0, np.nan])),
    *((lf.Ohmic(),), (lf.Ohmic(), lf.Ohmic()), [lf.Ohmic(), 1], lf.Ohmic, lf.Ohmic(), lf.Rates()),
]
MATRICES: list[Any] = [
    *([[1, 2], [3, 4]], ((1, 0), (0, 1)), np.array([[1.0]]), np.eye(2), np.eye(3), 1j * np.eye(4)),
    *(np.full((2, 2), np.nan), np.full((4, 4), np.inf), np.array([["a", "b"], ["c", "d"]])),
    *(np.array([[1, None], [2, 3]], dtype=object), np.zeros((2, 2, 2)), np.zeros((0, 0))),
    *(np.zeros((2, 0)), np.zeros((0, 2, 2)), 1e308 * np.eye(4), 1e-320 * np.eye(4)),
    *(sp.eye_array(4), sp.csr_matrix((4, 4)), sp.coo_array(np.eye(4)), sp.coo_array(np.ones(4))),
    *([np.eye(2)], [np.eye(2), np.eye(4)], [np.eye(3)], [np.full((2, 2), np.nan)]),
]
THINGS = [*SCALARS, *LISTS, *MATRICES]

LOWERING = np.array([[0.0, 0.0], [1.0, 0.0]])
PAIR = np.diag([1.0, 0.3, -0.2, -1.1])
BATH = lf.Bath(name="b", sites=(0,), beta=1.0)
COUPLED = lf.Bath(name="b", sites=(0,), beta=1.0, couplings=(LOWERING,))
CHAIN = lf.models.xxz_chain(sites=2, coupling=0.1, baths=[BATH])
REFERENCE = lf.redfield_equation(CHAIN)
QUESTION = lf.Question(system=CHAIN)
MIXED = np.eye(4) / 4
NOTHING = np.zeros((4, 4))
INTERVAL = parse_interval("system.coupling=0.1:0.2")


def system(**coupled: Any) -> lf.OpenSystem:
    """Two qubits, the first of them with a bath."""
    bath = lf.Bath(name="b", sites=(0,), beta=1.0, **coupled)
    return lf.OpenSystem(hamiltonian=PAIR, dimensions=(2, 2), baths=(bath,))


def coupled_chain(coupling: Any) -> lf.OpenSystem:
    bath = lf.Bath(name="b", sites=(0,), beta=1.0, couplings=(coupling,))
    return lf.models.xxz_chain(sites=2, coupling=0.1, baths=[bath])


def ranged(**ends: Any) -> lf.Question:
    rates = lf.Rates.range(**{"min": 1e-4, "max": 1e4, **ends})
    return lf.Question(system=CHAIN, rates=rates)


def comparing(problems: Any, solvers: Any = None, limit: Any = 1.0) -> object:
    return lf.compare(problems, solvers, time_limit=limit)


GOOD: dict[str, tuple[Callable[..., object], dict[str, Any]]] = {
    "Bath": (
        lf.Bath,
        {
            "name": "b",
            "sites": (0,),
            "beta": 1.0,
            "mu": 0.0,
            "couplings": None,
            "spectral_density": lf.Ohmic(),
            "region_order": False,
        },
    ),
    "OpenSystem": (
        lf.OpenSystem,
        {
            "hamiltonian": PAIR,
            "dimensions": (2, 2),
            "baths": (COUPLED,),
            "charge": ((1, 0), (1, 0)),
        },
    ),
    "couplings": (system, {"couplings": (LOWERING,), "spectral_density": lf.Ohmic()}),
    "one coupling": (lambda one: system(couplings=(one,)), {"one": LOWERING}),
    "one coupling of a chain": (coupled_chain, {"coupling": LOWERING}),
    "xxz_chain": (
        lf.models.xxz_chain,
        {"sites": 2, "field": 0.5, "coupling": 0.1, "anisotropy": 1.0, "baths": [BATH]},
    ),
    "embed": (CHAIN.embed, {"operator": LOWERING, "sites": (0,)}),
    "Question": (
        lf.Question,
        {
            "system": CHAIN,
            "rates": lf.Rates(),
            "lamb_shift": True,
            "target": "populations+coherences",
            "norm": "trace",
            "tolerance": 1e-6,
        },
    ),
    "Rates each": (lf.Rates, {"rule": "each", "value": 1.0, "min": 0.0, "max": 1.0}),
    "Rates total": (lf.Rates, {"rule": "total", "value": 1.0}),
    "Rates range": (lf.Rates, {"rule": "range", "min": 0.1, "max": 1.0}),
    "Rates.range": (lf.Rates.range, {"min": 0.1, "max": 1.0}),
    "each in a question": (
        lambda value: lf.Question(system=CHAIN, rates=lf.Rates.each(value)),
        {"value": 1.0},
    ),
    "range in a question": (ranged, {"min": 0.1, "max": 1.0}),
    "Ohmic": (lf.Ohmic, {"strength": 1.0, "exponent": 1.0, "cutoff": 1.0}),
    "OhmicExponential": (lf.OhmicExponential, {"strength": 1.0, "exponent": 1.0, "cutoff": 1.0}),
    "DrudeLorentz": (lf.DrudeLorentz, {"strength": 1.0, "cutoff": 1.0}),
    "CustomDensity": (
        partial(lf.CustomDensity, function=lambda w: w * np.exp(-w)),
        {
            "exponent": 1.0,
            "leading_coefficient": 1.0,
            "scale": 1.0,
            "support": np.inf,
            "breakpoints": (),
        },
    ),
    "what a density returns": (
        lambda returned: lf.CustomDensity(
            function=lambda _: returned, exponent=1.0, leading_coefficient=1.0, scale=1.0
        ),
        {"returned": None},
    ),
    "Requirement": (Requirement, {"state": MIXED, "action": NOTHING, "weight": 1.0}),
    "Target": (
        partial(lf.Target, name="own"),
        {
            "requirements": (Requirement(state=MIXED, action=NOTHING),),
            "projection": "all",
            "norm": "spectral",
        },
    ),
    "trajectory": (
        trajectory,
        {
            "reference": REFERENCE,
            "states": [MIXED],
            "actions": [NOTHING],
            "weights": [1.0],
            "norm": "spectral",
        },
    ),
    "one state": (lambda state: trajectory(REFERENCE, [state], [NOTHING]), {"state": MIXED}),
    "one weight": (
        lambda weight: trajectory(REFERENCE, [MIXED], [NOTHING], weights=[weight]),
        {"weight": 1.0},
    ),
    "observables": (
        observables,
        {"reference": REFERENCE, "operators": [MIXED], "norm": "trace"},
    ),
    "one observable": (lambda one: observables(REFERENCE, [one]), {"one": MIXED}),
    "populations": (populations, {"reference": REFERENCE}),
    "coherences": (coherences, {"reference": REFERENCE, "norm": "trace"}),
    "parse_interval": (parse_interval, {"text": "system.coupling=0.1:0.2"}),
    "prove_box": (prove_box, {"problem": None, "box": [INTERVAL]}),
    "certify": (lf.certify, {"question": None}),
    "prove": (lf.prove, {"answer": None}),
    "steady_state_check": (steady_state_check, {"answer": None}),
    "redfield_verdict": (redfield_verdict, {"question": None}),
    "redfield_generator": (redfield_generator, {"reference": REFERENCE}),
    "redfield_equation": (lf.redfield_equation, {"system": CHAIN}),
    "compare": (comparing, {"problems": {"a": QUESTION}, "solvers": None, "limit": 1.0}),
    "one compared": (lambda one: comparing({"a": one}), {"one": QUESTION}),
    "read_problem": (lf.read_problem, {"path": None, "settings": []}),
    "read_table": (lf.read_table, {"path": None}),
}
ARGUMENTS = [(name, argument) for name, (_, good) in GOOD.items() for argument in good]


@pytest.mark.parametrize(("name", "argument"), ARGUMENTS, ids=lambda part: str(part))
def test_nothing_but_a_lindfeas_error_comes_out(name: str, argument: str) -> None:
    call, good = GOOD[name]
    refused = 0
    for thing in THINGS:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                call(**{**good, argument: thing})
        except lf.LindfeasError as error:
            refused += 1
            text = str(error)
            assert "\n" not in text
            assert len(text) < 1500
            assert len(text.split(": ", 1)) == 2, f"no key is named: {text}"
    assert refused > 0


@pytest.mark.parametrize("name", GOOD)
def test_the_good_calls_are_good(name: str) -> None:
    """Otherwise nothing above would be looked at beyond the first mistake."""
    call, good = GOOD[name]
    if ALONE.isdisjoint(good):
        assert call(**good) is not None


ALONE = {"answer", "question", "problem", "path", "returned"}
"""Arguments that are None in the good call, because a good one takes long or is a file."""


def test_the_tools_own_sparse_matrices_are_taken() -> None:
    dense = CHAIN.embed(np.diag([1.0, -1.0]), (0,)).toarray()
    for matrix in (CHAIN.embed(np.diag([1.0, -1.0]), (0,)), sp.coo_matrix(dense), dense.tolist()):
        own = observables(REFERENCE, [matrix])
        np.testing.assert_array_equal(own.projection, observables(REFERENCE, [dense]).projection)
        states = trajectory(REFERENCE, [matrix], [matrix]).requirements[0]
        np.testing.assert_array_equal(
            states.state, trajectory(REFERENCE, [dense], [dense]).requirements[0].state
        )
    question = lf.Question(
        system=CHAIN,
        target=observables(REFERENCE, [CHAIN.embed(np.diag([1.0, -1.0]), (0,))]),
        rates=lf.Rates.range(0.0, 1e4),
    )
    assert lf.certify(question).verdict == "possible"


def test_qutip_objects_are_taken() -> None:
    qutip = pytest.importorskip("qutip")
    magnetisation = qutip.tensor(qutip.sigmaz(), qutip.qeye(2))
    dense = magnetisation.full()
    np.testing.assert_allclose(
        observables(REFERENCE, [magnetisation]).projection,
        observables(REFERENCE, [dense]).projection,
    )
    state = qutip.ket2dm(qutip.basis([2, 2], [0, 1]))
    found = trajectory(REFERENCE, [state], [magnetisation]).requirements[0]
    expected = trajectory(REFERENCE, [state.full()], [dense]).requirements[0]
    np.testing.assert_allclose(found.state, expected.state)
    np.testing.assert_allclose(found.action, expected.action)
    one = coupled_chain(qutip.sigmam())
    np.testing.assert_array_equal(one.baths[0].couplings[0], LOWERING)  # type: ignore[index]
    assert one.charge == CHAIN.charge
    with pytest.raises(lf.InputError, match="square"):
        observables(REFERENCE, [qutip.basis([2, 2], [0, 1])])


def test_a_tuple_of_two_is_a_matrix_and_nothing_else() -> None:
    """scipy takes a pair for a shape, or for entries with their places."""
    own = lf.OpenSystem(hamiltonian=((1, 0), (0, -1)), dimensions=(2,), baths=(COUPLED,))
    np.testing.assert_array_equal(own.hamiltonian.toarray(), np.diag([1.0, -1.0]))
    with pytest.raises(lf.InputError, match="square matrix"):
        lf.OpenSystem(hamiltonian=(2, 2), dimensions=(2,), baths=(COUPLED,))


def test_baths_and_couplings_may_come_from_anywhere() -> None:
    own = lf.OpenSystem(hamiltonian=PAIR, dimensions=(2, 2), baths=iter([COUPLED]))  # type: ignore[arg-type]
    assert [bath.name for bath in own.baths] == ["b"]
    mixed = system(couplings=(LOWERING, np.kron(LOWERING, np.eye(2))))
    first, second = mixed.couplings()
    np.testing.assert_array_equal(first[2].toarray(), second[2].toarray())
