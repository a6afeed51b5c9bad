r"""
A Jaynes-Cummings cavity
========================

:math:`H = \omega_q\,\sigma_+\sigma_- + \omega_c\,a^\dagger a + g\,(\sigma_+ a + \text{h.c.})`, the
qubit coupled to a warm bath and the cavity, cut off at four levels, to a cold one. Every site has a
bath here, so that each may have any jump operators of its own. The same system is asked for its
populations, and for its leading coherences too.
"""

import numpy as np
from matplotlib.figure import Figure

import lindfeas as lf

levels, splitting, cavity, g = 4, 1.0, 1.1, 0.05
a = np.diag(np.sqrt(np.arange(1.0, levels)), k=1)
sigma_minus = np.array([[0.0, 0.0], [1.0, 0.0]])
lower = np.kron(sigma_minus, np.eye(levels))
annihilate = np.kron(np.eye(2), a)
exchange = lower.T @ annihilate
H = splitting * lower.T @ lower + cavity * annihilate.T @ annihilate + g * (exchange + exchange.T)
baths = [
    lf.Bath(name="warm", sites=(0,), beta=1.0, couplings=(sigma_minus,)),
    lf.Bath(name="cold", sites=(1,), beta=3.0, couplings=(a,)),
]
system = lf.OpenSystem(hamiltonian=H, dimensions=(2, levels), baths=baths).with_found_charge()
populations = lf.certify(lf.Question(system=system, rates=lf.Rates.total(2.0)))
both = lf.certify(lf.Question(system=system, target="populations+coherences"))
for asked, answer in (("populations", populations), ("populations and coherences", both)):
    print(f"{asked}: {answer.verdict}, defect in [{answer.lower:.3g}, {answer.upper:.3g}]")

# %%
# The dressed states with their exact populations, and those of the Lindblad equations found: the
# one that was asked for populations only, and the one that had to have the coherences as well.

energies, exact = populations.reference.spectrum.energies, populations.reference.populations
figure = Figure(figsize=(5.4, 3.4), layout="constrained")
axes = figure.subplots()
axes.semilogy(energies, exact, "s", color="0.6", ms=7, label="exact")
for answer, mark, colour, label in (
    (populations, "o", "#0072b2", "asked for populations"),
    (both, "x", "#d55e00", "asked for both"),
):
    best = answer.candidate
    if best is not None and best.populations is not None:
        axes.semilogy(energies, best.populations, mark, mfc="none", color=colour, label=label)
axes.set(xlabel="energy of the dressed state", ylabel="population")
axes.legend(frameon=False)
figure
