"""What a theorem is about, in words and numbers that leave nothing open.

Every name of the later sentences (rho0, p, |k>, L', L2) is defined by an equation here, and nothing
of the problem's title enters.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

from lindfeas.checker.model import Model

PRINTED_ENTRIES = 64
"""Entries of H and of all couplings together up to which a theorem prints them."""

CHAIN = (
    "The system is an open chain of {sites} qubits, m = 0 to {last} from the left, with H = "
    "sum_m field_m sigma_z^m + sum_(m < {last}) coupling_m (sigma_x^m sigma_x^(m+1) + sigma_y^m "
    "sigma_y^(m+1) + anisotropy_m sigma_z^m sigma_z^(m+1)), {field}, {coupling}, {anisotropy}. "
    "State 0 of a qubit is up: Pauli's sigma_z = |0><0| - |1><1|, sigma_minus = |1><0|."
)

MATRICES = (
    "The system has the sites 0 to {last} from the left, with {levels} levels. Basis states |s_0 "
    "s_1 ...>, of the system and of a region, are numbered from 0 with the first site as the "
    "most significant; a region's sites are in the order in which its bath lists them; X[i,j] = "
    "<i|X|j>. {entries}"
)

LISTED = (
    "H and the S_l are the matrices whose [row, column, value] the certificate lists in "
    "problem.system.hamiltonian (row <= column, the rest of H being the adjoint) and in "
    "problem.bath[r].couplings, a value being a number or [real part, imaginary part], all other "
    "entries zero; the JSON text [H, [couplings of bath 0, couplings of bath 1, ...]] of these "
    "lists, without spaces, in UTF-8, has the SHA-256 {digest}."
)

COUPLED = (
    "The baths are coupled by H_SB = sum_l (S_l (x) B_l^dag + h.c.), every S_l, which is 1 on "
    "the sites not named, to a thermal bath of bosons of its own, B_l = sum_k kappa_k b_k, "
    "J_l(w) = 2 pi sum_k |kappa_k|^2 delta(w - W_k) for w > 0, J_l(w) = 0 for w <= 0, n_l(w) = "
    "1/(exp(beta (w - mu)) - 1), which is 0 for beta = Infinity: {baths}."
)

STEADY_STATE = (
    "{charge} |k> are the joint eigenvectors of H and N, no two of which agree in both "
    "eigenvalues, H|k> = E_k|k>. Let rho0 = sum_k p_k |k><k| be the zeroth-order weak-coupling "
    "steady state: p is the only solution of sum_k p_k = 1 and, for every k, sum_a (w_ka p_a - "
    "w_ak p_k) = 0 with w_ka = sum_l [|<k|S_l|a>|^2 J_l(E) (n_l(E) + 1) + |<a|S_l|k>|^2 J_l(-E) "
    "n_l(-E)], E = E_a - E_k, where J_l n_l and J_l (n_l + 1) are 0 for E <= 0; if E = 0 for k "
    "!= a and an S_l connects |k> and |a>, their limits for E -> 0 from above are 0, too."
)

REDFIELD = (
    "Let L2(rho) = - sum_l ([S_l^dag, S_l^D rho] + [rho S_l^C, S_l^dag] + h.c.) with <a|S_l^C|g> "
    "= C_l(E_g - E_a) <a|S_l|g>, <a|S_l^D|g> = D_l(E_g - E_a) <a|S_l|g>, C_l(E) = J_l(E) n_l(E) "
    "/ 2 - (i/(2 pi)) P int_0^inf J_l(w) n_l(w) / (w - E) dw, and D_l(E) the same with n_l + 1 "
    "for n_l. Where E_g = E_a and <a|S_l|g> is not 0, C_l(0) and D_l(0) are their limits for E "
    "-> 0, which exist; but between |a> and itself, if S_l times some phase is Hermitian, C_l(0) "
    "= 0 and D_l(0) is the limit of D_l(E) + C_l(-E)^* for E -> 0 from above, on which alone L2 "
    "depends."
)

ANSATZ = (
    "Consider every Lindbladian L'(rho) = {shift}sum_r sum_ij Gamma^r_ij (F_j rho F_i^dag - "
    "{{F_i^dag F_j, rho}}/2), r running over the baths, with {hermitian}positive semidefinite "
    "matrices Gamma^r, and F_i = f_i (x) 1 / sqrt(d/d_r) for each r, where f_1, f_2, ... are any "
    "orthonormal basis (tr f_i^dag f_j = delta_ij) of the traceless operators on region r, the "
    "d_r levels of all sites of bath r, of d = {size} levels in all, 1 acting on the other "
    "sites; and {rates}."
)

DENSITIES = {
    "ohmic": "J_l(w) = {strength} w^{exponent} exp(-(w/{cutoff})^2)",
    "ohmic_exponential": "J_l(w) = {strength} w^{exponent} exp(-w/{cutoff})",
    "drude_lorentz": "J_l(w) = {strength} w / (1 + (w/{cutoff})^2)",
}


def subject(problem: Mapping[str, Any], model: Model) -> list[str]:
    """What the theorem is about, paragraph by paragraph.

    Parameters
    ----------
    problem
        Of a certificate; a parameter of a box has its own key for a value.
    model
        What the problem describes.
    """
    printed = _number_of_entries(problem) <= PRINTED_ENTRIES
    paragraphs = [
        f"{_system(problem, printed)} Units: hbar = k_B = 1; all numbers are exact.",
        COUPLED.format(baths="; ".join(_bath(bath, printed) for bath in problem["bath"])),
        STEADY_STATE.format(charge=_charge(model.charge)),
    ]
    if model.target != "populations":
        paragraphs.append(REDFIELD)
    return [*paragraphs, _ansatz(problem["ansatz"], model)]


def listed(value: Any) -> str:
    """A value, or several of them in parentheses."""
    return f"({', '.join(map(str, value))})" if isinstance(value, list | tuple) else str(value)


def _number_of_entries(problem: Mapping[str, Any]) -> int:
    """Entries of H and of all couplings that a problem of matrices lists."""
    couplings = [own for bath in problem["bath"] for own in bath.get("couplings", ())]
    return len(problem["system"].get("hamiltonian", ())) + sum(map(len, couplings))


def _system(problem: Mapping[str, Any], printed: bool) -> str:
    system = problem["system"]
    if "model" in system:
        values = {
            key: _valued(f"{key}_m", system[key]) for key in ("field", "coupling", "anisotropy")
        }
        return CHAIN.format(sites=system["sites"], last=system["sites"] - 1, **values)
    listed_where = LISTED.format(digest=_digest(problem))
    whole = f"{_matrix('H', system['hamiltonian'])}, H[j,i] = H[i,j]^*, all other entries zero."
    return MATRICES.format(
        last=len(system["dimensions"]) - 1,
        levels=listed(system["dimensions"]),
        entries=whole if printed else listed_where,
    )


def _digest(problem: Mapping[str, Any]) -> str:
    """The SHA-256 of H and all couplings, as `LISTED` says it."""
    matrices = [problem["system"]["hamiltonian"], [b["couplings"] for b in problem["bath"]]]
    text = json.dumps(matrices, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def _valued(name: str, value: str | list[str]) -> str:
    """One value for all l, or one for each."""
    if isinstance(value, list):
        return f"{name} = {listed(value)} for m = 0, 1, ..."
    return f"{name} = {value} for all m"


def _matrix(name: str, entries: Sequence[Any]) -> str:
    """The listed entries of a matrix."""
    if not entries:
        return f"{name} = 0"
    return ", ".join(
        f"{name}[{row},{column}] = {_complex(value)}" for row, column, value in entries
    )


def _complex(value: str | Sequence[str]) -> str:
    return value if isinstance(value, str) else f"({value[0]}) + ({value[1]}) i"


def _bath(bath: Mapping[str, Any], printed: bool) -> str:
    density = {key: listed(value) for key, value in bath["spectral_density"].items()}
    several = isinstance(bath["spectral_density"]["strength"], list)
    strengths = f", gamma_l = {density['strength']} for its S_l in turn" if several else ""
    density["strength"] = "gamma_l" if several else density["strength"]
    shape = DENSITIES[density.pop("family")].format(**density)
    return (
        f"bath {bath['name']} on the sites {listed(bath['sites'])} with "
        f"{_operators(bath, printed)}, beta = {bath['beta']}, mu = {bath['mu']}, {shape}{strengths}"
    )


def _operators(bath: Mapping[str, Any], printed: bool) -> str:
    """The S_l of a bath."""
    if "operator" in bath:
        return f"S_l = {bath['operator']} of each of them"
    couplings = bath["couplings"]
    if not printed:
        return f"its {len(couplings)} S_l"
    named = [_matrix(f"S_{number}", own) for number, own in enumerate(couplings, start=1)]
    return f"the S_l on its region {', '.join(named)}, all other entries zero"


def _charge(charge: Sequence[Sequence[int]]) -> str:
    """The charge N, as the model counts it."""
    if not any(any(own) for own in charge):
        return "No charge is used: N = 0."
    terms = ", ".join(f"N_{site} = diag{listed(own)}" for site, own in enumerate(charge))
    return (
        "H conserves the charge N = sum_m N_m, m running over the sites, and every S_l shifts it "
        f"by a fixed amount: {terms}."
    )


def _ansatz(ansatz: Mapping[str, Any], model: Model) -> str:
    hermitian = ""
    if model.lamb_shift:
        hermitian = "any Hermitian H_r on region r, "
    if model.hamiltonian_limit is not None:
        hermitian = (
            "Hermitian H_r on region r with tr H_r = 0 and sqrt(tr H_r^2) <= "
            f"{ansatz['hamiltonian_limit']}, "
        )
    return ANSATZ.format(
        shift="sum_r i[rho, H_r (x) 1] + " if model.lamb_shift else "",
        hermitian=hermitian,
        size=model.size,
        rates=_rates(ansatz["rates"]),
    )


def _rates(rates: Mapping[str, Any]) -> str:
    if rates["rule"] == "total":
        return f"sum_r tr Gamma^r = {rates['value']}"
    keys = ("min", "max") if rates["rule"] == "range" else ("value",)
    each = any(isinstance(rates[key], list) for key in keys)
    bounds = [listed(rates[key]) for key in keys]
    rule = " <= tr Gamma^r <= ".join(bounds) if len(bounds) == 2 else f"tr Gamma^r = {bounds[0]}"
    return f"{rule} for every r" + (", a list being for the baths in turn" if each else "")
