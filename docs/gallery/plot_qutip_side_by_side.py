r"""
QuTiP side by side
==================

One system, two qubits between two baths, in three equations: QuTiP's Bloch-Redfield equation, the
local Lindblad equation of the textbooks, and the Lindblad equation that lindfeas found. All three
are solved by QuTiP, and compared with the state that lindfeas computes to leading order.
"""

import numpy as np
import qutip
from matplotlib.figure import Figure

import lindfeas as lf

one, sz, sm = qutip.qeye(2), qutip.sigmaz(), qutip.sigmam()
lowers = [qutip.tensor(sm, one), qutip.tensor(one, sm)]
exchange = lowers[0].dag() * lowers[1]
H = 0.5 * qutip.tensor(sz, one) + 0.6 * qutip.tensor(one, sz) + 0.1 * (exchange + exchange.dag())
betas = (1.0, 4.0)
baths = [
    lf.Bath(name=name, sites=(site,), beta=beta, couplings=(sm,))
    for site, (name, beta) in enumerate(zip(("hot", "cold"), betas, strict=True))
]
system = lf.OpenSystem(hamiltonian=H, dimensions=(2, 2), baths=baths).with_found_charge()
answer = lf.certify(lf.Question(system=system))
print(answer.verdict)

# %%
# QuTiP's Bloch-Redfield equation takes Hermitian couplings; with :math:`S + S^\dagger`, the
# spectral density of :math:`\sigma_x` and a secular approximation the rates are the same. The local
# Lindblad equation takes the rates of a lone qubit.

epsilon, cutoff = 0.02, 10.0
levels = answer.reference.spectrum.vectors


def spectrum(beta):
    """J(w) (n(w) + 1) for w > 0, J(-w) n(-w) for w < 0, of one bath."""

    def emission(w):
        density, occupation = abs(w) * np.exp(-((w / cutoff) ** 2)), 1 / np.expm1(beta * abs(w))
        return density * (occupation + (w > 0))

    return lambda w: emission(w) if w else 1 / beta


def populations(steady):
    """Of a QuTiP state, in the eigenbasis and the order of lindfeas."""
    return np.diag(levels.conj().T @ steady.full() @ levels).real


pairs = [
    [epsilon * (lower + lower.dag()), spectrum(beta)]
    for lower, beta in zip(lowers, betas, strict=True)
]
tensor = qutip.bloch_redfield_tensor(H, pairs, sec_cutoff=0.01, fock_basis=True)
redfield = qutip.steadystate(tensor)

jumps = []
for lower, beta, splitting in zip(lowers, betas, (1.0, 1.2), strict=True):
    jumps.append(epsilon * np.sqrt(spectrum(beta)(splitting)) * lower)
    jumps.append(epsilon * np.sqrt(spectrum(beta)(-splitting)) * lower.dag())
local = qutip.steadystate(H, jumps)

shift, collapse = answer.candidate.qobj()
found = qutip.steadystate(H + epsilon**2 * shift, [epsilon * jump for jump in collapse])

# %%
# The local equation has the wrong populations, although it respects the local conservation laws;
# the one that lindfeas found respects them too.

exact = answer.reference.populations
states = {"Bloch-Redfield": redfield, "local Lindblad": local, "found by lindfeas": found}
figure = Figure(figsize=(6.0, 3.4), layout="constrained")
axes = figure.subplots()
places = np.arange(len(exact))
axes.bar(places, exact, 0.8, color="0.85", label="exact, leading order")
for (name, steady), mark, colour in zip(
    states.items(), "sxo", ("#009e73", "#d55e00", "#0072b2"), strict=True
):
    found_here = populations(steady)
    distance = abs(found_here - exact).sum() / 2
    print(f"{name}: T = {distance:.2e}")
    axes.plot(
        places, found_here, mark, mfc="none", color=colour, label=f"{name}, T = {distance:.1e}"
    )
axes.set(xlabel="level, by charge and energy", ylabel="population", xticks=places)
axes.legend(frameon=False)
figure
