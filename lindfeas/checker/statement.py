"""The theorem that a proof proves: what is said about its subject."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from flint import fmpq

from lindfeas.checker.exact import decimal, rational
from lindfeas.checker.model import Model, placed
from lindfeas.checker.subject import subject
from lindfeas.checker.verdict import rounded_down

STEADY = (
    "For all of them, all p' >= 0 with sum_k p'_k = 1 and sum_a <k|L'(|a><a|)|k> p'_a = 0 for "
    "every k have sum_k |p_k - p'_k| / 2 >= {distance}. At leading order, such a p' are the "
    "populations of every steady state of L'{exception}."
)

MIXED = ", except where levels of different charge coincide and L' mixes charges"

NORMS = {
    "spectral": "the largest singular value",
    "frobenius": "the Frobenius norm (the root of the sum of all squared absolute entries)",
    "trace": "the trace norm (the sum of all singular values)",
}

Parts = Sequence[Sequence[tuple[fmpq, fmpq]]]
"""Cells of a box: the lowest and the highest value of every parameter."""


def statement(certificate: Mapping[str, Any], model: Model, distance: str | None) -> str:
    """The theorem that an accepted certificate stands for.

    Parameters
    ----------
    certificate
        Accepted.
    model
        Its model.
    distance
        The proved bound on T, or None.
    """
    problem, lower = certificate["problem"], certificate["lower_bound"]["value"]
    first, *others = subject(problem, model)
    parts = [f"Theorem. {first}", *others]
    if rational(lower) > 0:
        parts.append(f"For all of them, {_defect(model)} >= {lower}.")
    else:
        parts.append(f"The claimed lower bound {lower} is trivial and proves nothing.")
    if certificate["upper_bound"]:
        upper = certificate["upper_bound"]["value"]
        parts.append(f"For at least one of them, {_defect(model)} <= {upper}.")
    parts += _consequences(problem, model, lower, distance)
    return "\n".join(parts)


def box_statement(
    certificate: Mapping[str, Any], model: Model, distance: str, proved: Parts | None, share: fmpq
) -> str:
    """The theorem that the certificate of a box stands for.

    Parameters
    ----------
    certificate
        Accepted, with at least one proved cell.
    model
        Its model, somewhere in the box.
    distance
        The proved bound on T.
    proved
        The cells that are proved, or None for the whole box.
    share
        What part of the box's volume they are.
    """
    problem, lower = certificate["problem"], certificate["lower_bound"]
    keys = [side["key"] for side in certificate["box"]]
    for key in keys:
        problem = placed(problem, key, key)
    whole = [(side["low"], side["high"]) for side in certificate["box"]]
    scope = " and all ".join(_intervals(keys, whole))
    if proved is not None:
        scope += (
            f" in the cells that are proved, {rounded_down(share)} of the box's volume, namely "
            f"{_cells(keys, proved)}"
        )
    first, *others = subject(problem, model)
    parts = [f"Theorem. For all {scope}: {first}", *others]
    parts.append(f"For all of them, {_defect(model)} >= {lower}.")
    parts += _consequences(problem, model, lower, distance)
    if proved is not None:
        parts.append("Nothing is proved about the rest of the box.")
    return "\n".join(parts)


def _defect(model: Model) -> str:
    if model.target == "populations":
        return "sum_k |<k|L'(rho0)|k>|"
    return f"{NORMS[model.norm]} of L'(rho0) - L2(rho0)"


def _consequences(
    problem: Mapping[str, Any], model: Model, lower: str, distance: str | None
) -> Iterator[str]:
    """What the bounds on the defect and on T mean."""
    if distance is not None:
        # coherences of coinciding levels are of zeroth order too, and feed the populations
        yield STEADY.format(distance=distance, exception="" if model.sectors == 1 else MIXED)
    if rational(lower) >= model.tolerance:
        yield (
            "The lower bound on the defect is not below the tolerance "
            f"{problem['question']['tolerance']}: the exact steady state is called impossible."
        )


def _cells(keys: Sequence[str], parts: Parts) -> str:
    """Cells of a box, one after the other."""
    exact = ([(decimal(low), decimal(high)) for low, high in part] for part in parts)
    return "; ".join(" and ".join(_intervals(keys, part)) for part in exact)


def _intervals(keys: Sequence[str], ranges: Sequence[tuple[str, str]]) -> Iterator[str]:
    for key, (low, high) in zip(keys, ranges, strict=True):
        yield f"{key} in [{low}, {high}]"
