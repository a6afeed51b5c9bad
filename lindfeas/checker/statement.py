"""Step 5: the theorem in words and numbers that leave nothing open.

Lemma: the words determine the problem that was checked. Every name of the later sentences (rho0, p,
|k>, L') is defined by an equation in the earlier ones, and nothing of the problem's title enters.
"""

import hashlib
import json
from typing import Any

from lindfeas.checker.forms import FAMILIES
from lindfeas.checker.model import Model, rational

PRINTED_ENTRIES = 64
"""Entries of H and of all couplings together up to which a theorem prints them."""

DEFECT = "sum_k |<k|L'(rho0)|k>|"
ANY = "any Hermitian H_r on region r, "

CHAIN = """The system is an open chain of {sites} qubits, m = 0 to {last} from the left, with H =
sum_m field_m sigma_z^m + sum_(m < {last}) coupling_m (sigma_x^m sigma_x^(m+1) + sigma_y^m
sigma_y^(m+1) + anisotropy_m sigma_z^m sigma_z^(m+1)), {field}, {coupling}, {anisotropy}. State 0
of a qubit is up: Pauli's sigma_z = |0><0| - |1><1|, sigma_minus = |1><0|."""
MATRICES = """The system has the sites 0 to {last} from the left, with {levels} levels. Basis
states |s_0 s_1 ...>, of the system and of a region, are numbered from 0 with the first site as the
most significant; a region's sites are in the order in which its bath lists them; X[i,j] = <i|X|j>.
{entries}"""
LISTED = """H and the S_l are the matrices whose [row, column, value] the certificate lists in
problem.system.hamiltonian (row <= column, the rest of H being the adjoint) and in
problem.bath[r].couplings, a value being a number or [real part, imaginary part], all other entries
zero; the JSON text [H, [couplings of bath 0, couplings of bath 1, ...]] of these lists, without
spaces, in UTF-8, has the SHA-256 {digest}."""
COUPLED = """The baths are coupled by H_SB = sum_l (S_l (x) B_l^dag + h.c.), every S_l, which is 1
on the sites not named, to a thermal bath of bosons of its own, B_l = sum_k kappa_k b_k, J_l(w) = 2
pi sum_k |kappa_k|^2 delta(w - W_k) for w > 0, J_l(w) = 0 for w <= 0, n_l(w) = 1/(exp(beta (w -
mu)) - 1), which is 0 for beta = Infinity: {baths}."""
CHARGE = """H conserves the charge N = sum_m N_m, m running over the sites, and every S_l shifts it
by a fixed amount: {terms}."""
UNCHARGED = "No charge is used: N = 0."
STEADY_STATE = """{charge} |k> are the joint eigenvectors of H and N, no two of which agree in both
eigenvalues, H|k> = E_k|k>. Let rho0 = sum_k p_k |k><k| be the zeroth-order weak-coupling steady
state: p is the only solution of sum_k p_k = 1 and, for every k, sum_a (w_ka p_a - w_ak p_k) = 0
with w_ka = sum_l [|<k|S_l|a>|^2 J_l(E) (n_l(E) + 1) + |<a|S_l|k>|^2 J_l(-E) n_l(-E)], E = E_a -
E_k, where J_l n_l and J_l (n_l + 1) are 0 for E <= 0; if E = 0 for k != a and an S_l connects |k>
and |a>, their limits for E -> 0 from above are 0, too."""
ANSATZ = """Consider every Lindbladian L'(rho) = {shift}sum_r sum_ij Gamma^r_ij (F_j rho F_i^dag -
{{F_i^dag F_j, rho}}/2), r running over the baths, with {hermitian}positive semidefinite matrices
Gamma^r, and F_i = f_i (x) 1 / sqrt(d/d_r) for each r, where f_1, f_2, ... are any orthonormal
basis (tr f_i^dag f_j = delta_ij) of the traceless operators on region r, the d_r levels of all
sites of bath r, of d = {size} levels in all, 1 acting on the other sites; and {rates}."""
STEADY = """For all of them, all p' >= 0 with sum_k p'_k = 1 and sum_a <k|L'(|a><a|)|k> p'_a = 0
for every k have sum_k |p_k - p'_k| / 2 >= {distance}. At leading order, such a p' are the
populations of every steady state of L'{exception}."""
IMPOSSIBLE = """The lower bound on the defect is not below the tolerance {tolerance}: the exact
steady state is called impossible."""
# coherences of coinciding levels are of zeroth order too, and feed the populations
MIXED = ", except where levels of different charge coincide and L' mixes charges"


def statement(about: list[str], defect: str, problem: Any, model: Model, *bounds: Any) -> str:
    """The theorem that an accepted certificate stands for.

    Parameters
    ----------
    about, defect
        Its subject, paragraph by paragraph, and what the first two bounds are bounds on.
    problem, model
        Of the certificate.
    bounds
        The proved ones on the defect from below and above, and on T = ||p - p'||_1 / 2, as
        decimals; None where there is none.
    """
    lower, upper, distance = bounds
    found = [f"Theorem. {about[0]}", *about[1:]]
    trivial = f"The claimed lower bound {lower} is trivial and proves nothing."
    found.append(f"For all of them, {defect} >= {lower}." if rational(lower) > 0 else trivial)
    if upper is not None:
        found.append(f"For at least one of them, {defect} <= {upper}.")
    if distance is not None:
        exception = "" if len(model.sectors) == 1 else MIXED
        found.append(filled(STEADY, distance=distance, exception=exception))
    if rational(lower) >= model.tolerance:
        found.append(filled(IMPOSSIBLE, tolerance=problem["question"]["tolerance"]))
    return "\n".join(found)


def subject(problem: Any, model: Model, redfield: Any = (), shifts: str = ANY) -> list[str]:
    """What the theorem is about, paragraph by paragraph.

    Parameters
    ----------
    problem
        Of a certificate; a parameter of a box has its own key for a value.
    model
        What the problem describes.
    redfield, shifts
        What else is to be reproduced, and which H_r are allowed.
    """
    couplings = [own for bath in problem["bath"] for own in bath.get("couplings", ())]
    entries = sum(map(len, couplings), len(problem["system"].get("hamiltonian", ())))
    printed, terms = entries <= PRINTED_ENTRIES, {"size": model.size, "shift": "", "hermitian": ""}
    if model.lamb_shift:
        terms |= {"shift": "sum_r i[rho, H_r (x) 1] + ", "hermitian": shifts}
    charge = ", ".join(f"N_{site} = diag{listed(own)}" for site, own in enumerate(model.charge))
    charged = any(map(any, model.charge))
    return [
        f"{_system(problem, printed)} Units: hbar = k_B = 1; all numbers are exact.",
        filled(COUPLED, baths="; ".join(_bath(bath, printed) for bath in problem["bath"])),
        filled(STEADY_STATE, charge=filled(CHARGE, terms=charge) if charged else UNCHARGED),
        *redfield,
        filled(ANSATZ, rates=_rates(problem["ansatz"]["rates"]), **terms),
    ]


def filled(text: str, **values: Any) -> str:
    """One of the texts above on one line, with its numbers."""
    return " ".join(text.split()).format(**values)


def listed(value: Any) -> str:
    """A value, or several of them in parentheses."""
    return f"({', '.join(map(str, value))})" if isinstance(value, list | tuple) else str(value)


def _system(problem: Any, printed: bool) -> str:
    system = problem["system"]
    if "model" in system:
        values = {key: _valued(key, system[key]) for key in ("field", "coupling", "anisotropy")}
        return filled(CHAIN, sites=system["sites"], last=system["sites"] - 1, **values)
    last, levels = len(system["dimensions"]) - 1, listed(system["dimensions"])
    entries = f"{_matrix('H', system['hamiltonian'])}, H[j,i] = H[i,j]^*, all other entries zero."
    if not printed:
        matrices = [system["hamiltonian"], [bath["couplings"] for bath in problem["bath"]]]
        text = json.dumps(matrices, separators=(",", ":"), ensure_ascii=False)
        entries = filled(LISTED, digest=hashlib.sha256(text.encode()).hexdigest())
    return filled(MATRICES, last=last, levels=levels, entries=entries)


def _valued(key: str, value: Any) -> str:
    """One value for all m, or one for each."""
    each = "m = 0, 1, ..." if isinstance(value, list) else "all m"
    return f"{key}_m = {listed(value)} for {each}"


def _matrix(name: str, entries: list[Any]) -> str:
    """The listed entries of a matrix."""
    numbers = [x if isinstance(x, str) else "({}) + ({}) i".format(*x) for _, _, x in entries]
    places = [f"{name}[{row},{column}]" for row, column, _ in entries]
    return ", ".join(map("{} = {}".format, places, numbers)) or f"{name} = 0"


def _bath(bath: Any, printed: bool) -> str:
    density, several = dict(bath["spectral_density"]), ""
    if isinstance(density["strength"], list):
        several = f", gamma_l = {listed(density['strength'])} for its S_l in turn"
        density["strength"] = "gamma_l"
    shape = FAMILIES[density["family"]][1].format(**density)
    if "operator" in bath:
        operators = f"S_l = {bath['operator']} of each of them"
    elif printed:
        named = [_matrix(f"S_{number}", own) for number, own in enumerate(bath["couplings"], 1)]
        operators = f"the S_l on its region {', '.join(named)}, all other entries zero"
    else:
        operators = f"its {len(bath['couplings'])} S_l"
    thermal = f"beta = {bath['beta']}, mu = {bath['mu']}, {shape}{several}"
    return f"bath {bath['name']} on the sites {listed(bath['sites'])} with {operators}, {thermal}"


def _rates(rates: Any) -> str:
    shown = {key: listed(value) for key, value in rates.items()}
    if rates["rule"] == "total":
        return "sum_r tr Gamma^r = {value}".format(**shown)
    several = any(isinstance(value, list) for value in rates.values())
    rule = "tr Gamma^r = {value}" if "value" in rates else "{min} <= tr Gamma^r <= {max}"
    each = ", a list being for the baths in turn" if several else ""
    return f"{rule.format(**shown)} for every r{each}"
