"""The theorem that a proof proves, in words and numbers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from lindfeas.proof.exact import rational
from lindfeas.proof.model import Model, placed

CHAIN = (
    "the open chain of {sites} qubits with H = sum_l field_l sigma_z^l + sum_l coupling_l "
    "(sigma_x sigma_x + sigma_y sigma_y + anisotropy_l sigma_z sigma_z)^(l,l+1), field {field}, "
    "coupling {coupling}, anisotropy {anisotropy}"
)

ANSATZ = (
    "every Lindbladian L'(rho) = {shift}sum_r sum_ij Gamma^r_ij (F_j rho F_i^dag - {{F_i^dag F_j, "
    "rho}}/2), with {hermitian}Gamma^r >= 0, F_i = f_i (x) 1 / sqrt(d/d_r), {{f_i}} "
    "Hilbert-Schmidt orthonormal and traceless on region r (one per bath, d_r of all d levels), "
    "and {rates}"
)

REDFIELD = (
    " L2(rho) = - sum_l ([S_l^dag, S_l^D rho] + [rho S_l^C, S_l^dag] + h.c.) with S_ag^C = C(E_g - "
    "E_a) S_ag, S_ag^D = D(E_g - E_a) S_ag, C(E) = J n / 2 - (i / 2 pi) P int_0^inf J(w) n(w) / "
    "(w - E) dw, and D(E) the same with n + 1 for n, is the Redfield equation's action."
)

DENSITIES = {
    "ohmic": "J(w) = {strength} w^{exponent} exp(-(w/{cutoff})^2)",
    "ohmic_exponential": "J(w) = {strength} w^{exponent} exp(-w/{cutoff})",
    "drude_lorentz": "J(w) = {strength} w / (1 + (w/{cutoff})^2)",
}

STEADY = (
    "For all of them, all p' >= 0 with sum_k p'_k = 1 and sum_a <k|L'(|a><a|)|k> p'_a = 0 for "
    "every k have sum_k |p_k - p'_k| / 2 >= {distance}. At leading order, such a p' are the "
    "populations of every steady state of L'{exception}."
)

MIXED = ", except where levels of different charge coincide and L' mixes charges"

NORMS = {"spectral": "spectral", "frobenius": "Frobenius", "trace": "trace"}


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
    parts = [f"Theorem. {_subject(problem, model)}"]
    defect = _defect(model)
    if rational(lower) > 0:
        parts.append(f"For all of them, {defect} >= {lower}.")
    else:
        parts.append(f"The claimed lower bound {lower} is trivial and proves nothing.")
    if certificate["upper_bound"]:
        parts.append(f"For one of them, {defect} <= {certificate['upper_bound']['value']}.")
    parts += _consequences(problem, model, lower, distance)
    return " ".join(parts)


def box_statement(
    certificate: Mapping[str, Any], model: Model, distance: str, where: str | None
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
    where
        What part of the box is proved, or None for all of it.
    """
    problem, lower = certificate["problem"], certificate["lower_bound"]
    for side in certificate["box"]:
        problem = placed(problem, side["key"], f"[{side['low']}, {side['high']}]")
    keys = " and all ".join(f"{s['key']} in [{s['low']}, {s['high']}]" for s in certificate["box"])
    scope = "" if where is None else f" in the cells that are proved, {where}"
    parts = [f"Theorem. For all {keys}{scope}: {_subject(problem, model)}"]
    parts.append(f"For all of them, {_defect(model)} >= {lower}.")
    parts += _consequences(problem, model, lower, distance)
    if where is not None:
        parts.append("Nothing is proved about the rest of the box.")
    return " ".join(parts)


def _subject(problem: Mapping[str, Any], model: Model) -> str:
    """What the theorem is about."""
    baths = "; ".join(_bath(bath) for bath in problem["bath"])
    ansatz = ANSATZ.format(
        shift="sum_r i[rho, H_r (x) 1] + " if model.lamb_shift else "",
        hermitian="Hermitian H_r, " if model.lamb_shift else "",
        rates=_rates(problem),
    )
    return (
        "Let rho0 = sum_k p_k |k><k| be the zeroth-order weak-coupling steady state of "
        f"the Redfield equation for {_system(problem['system'])}, and baths with H_SB = sum_l (S_l "
        f"(x) B_l^dag + h.c.), n(w) = 1/(exp(beta (w - mu)) - 1): {baths}. |k> are the "
        f"eigenvectors of H, hbar = k_B = 1.{'' if _is_plain(model) else REDFIELD} "
        f"Consider {ansatz}."
    )


def _is_plain(model: Model) -> bool:
    return model.target == "populations"


def _defect(model: Model) -> str:
    if _is_plain(model):
        return "sum_k |<k|L'(rho0)|k>|"
    return f"the {NORMS[model.norm]} norm of L'(rho0) - L2(rho0)"


def _consequences(
    problem: Mapping[str, Any], model: Model, lower: str, distance: str | None
) -> Iterator[str]:
    """What the bounds on the defect and on T mean."""
    if distance is not None:
        # coherences of coinciding levels are of zeroth order too, and feed the populations
        yield STEADY.format(distance=distance, exception="" if model.sectors == 1 else MIXED)
    if rational(lower) >= model.tolerance:
        tolerance = problem["question"]["tolerance"]
        yield f"At the tolerance {tolerance} the exact steady state is impossible."


def _system(system: Mapping[str, Any]) -> str:
    if "model" not in system:
        return (
            f"the system of sites with {_listed(system['dimensions'])} levels whose Hamiltonian H "
            "and coupling operators the certificate lists"
        )
    return CHAIN.format(**{key: _listed(value) for key, value in system.items()})


def _bath(bath: Mapping[str, Any]) -> str:
    density = {key: _listed(value) for key, value in bath["spectral_density"].items()}
    shape = DENSITIES[density.pop("family")].format(**density)
    operator = f"{bath['operator']} of each site" if "operator" in bath else "each operator listed"
    return (
        f"{bath['name']} on sites {_listed(bath['sites'])}, coupled to {operator} by a copy "
        f"of its own, beta = {bath['beta']}, mu = {bath['mu']}, {shape}"
    )


def _rates(problem: Mapping[str, Any]) -> str:
    rates = {key: _listed(value) for key, value in problem["ansatz"]["rates"].items()}
    if rates["rule"] == "total":
        return f"sum_r tr Gamma^r = {rates['value']}"
    if rates["rule"] == "each":
        return f"tr Gamma^r = {rates['value']} for every r"
    return f"{rates['min']} <= tr Gamma^r <= {rates['max']} for every r"


def _listed(value: Any) -> str:
    return f"({', '.join(map(str, value))})" if isinstance(value, list) else str(value)
