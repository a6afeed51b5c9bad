r"""
A transmon and a resonator, cut off
===================================

:math:`H = 5\,b^\dagger b - 0.15\,b^{\dagger 2} b^2 + 7\,a^\dagger a + 0.1\,(a^\dagger b +
\text{h.c.})`, with one bath on the resonator. At one temperature the exact steady state is the
Gibbs state. An infinite ladder is cut off at 3 and at 4 levels: what is said should not hang on
the cut.
"""

import numpy as np
from matplotlib.figure import Figure

import lindfeas as lf


def transmon_resonator(levels):
    """The two ladders, each with so many levels; the transmon is site 0."""
    one, lower = np.eye(levels), np.diag(np.sqrt(np.arange(1.0, levels)), k=1)
    b, a = np.kron(lower, one), np.kron(one, lower)
    hamiltonian = 5 * b.T @ b - 0.15 * b.T @ b.T @ b @ b + 7 * a.T @ a + 0.1 * (a.T @ b + b.T @ a)
    bath = lf.Bath(name="line", sites=(1,), beta=0.5, couplings=(lower,))
    charge = (tuple(range(levels)),) * 2
    return lf.OpenSystem(
        hamiltonian=hamiltonian, dimensions=(levels, levels), baths=[bath], charge=charge
    )


answers = {n: lf.certify(lf.Question(system=transmon_resonator(n))) for n in (3, 4)}
for levels, answer in answers.items():
    T = answer.trace_distance
    ends = [f"{end:.3g}" if end is not None else "not known" for end in (T.lower, T.upper)]
    print(f"{levels} levels: {answer.verdict}, T between {ends[0]} and {ends[1]}")

# %%
# The populations that are to be reproduced, and those of the best Lindblad equation found:

figure = Figure(figsize=(7.0, 3.2), layout="constrained")
for axes, (levels, answer) in zip(figure.subplots(1, 2), answers.items(), strict=True):
    energies = answer.reference.spectrum.energies
    axes.semilogy(energies, answer.reference.populations, "s", color="#0072b2", label="exact")
    best = answer.candidate
    if best is not None and best.populations is not None:
        axes.semilogy(
            energies, best.populations, "o", mfc="none", color="#d55e00", label="best found"
        )
    axes.set(title=f"{levels} levels: {answer.verdict}", xlabel="energy", ylabel="population")
    axes.legend(frameon=False)
figure
