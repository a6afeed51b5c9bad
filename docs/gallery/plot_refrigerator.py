r"""
The smallest refrigerator
=========================

Three qubits whose energies add up, :math:`E_2 = E_1 + E_3`, exchange :math:`|010\rangle
\leftrightarrow |101\rangle` with strength :math:`g`; a hot bath on the third drives heat from the
cold first one to the second. Each qubit has its own bath, so that a Lindblad equation may act on
all of them: does one have the exact populations?
"""

from functools import reduce

import numpy as np
from matplotlib.figure import Figure

import lindfeas as lf

excited, lower = np.diag([1.0, 0.0]), np.array([[0.0, 0.0], [1.0, 0.0]])


def on(*factors):
    """A product of operators, one per qubit."""
    return reduce(np.kron, factors)


def refrigerator(g):
    """The three qubits; state 0 is the excited one."""
    one = np.eye(2)
    hamiltonian = 1.0 * on(excited, one, one) + 3.0 * on(one, excited, one)
    hamiltonian = hamiltonian + 2.0 * on(one, one, excited)
    swap = on(lower, lower.T, lower)  # |1 0 1> to |0 1 0>
    hamiltonian = hamiltonian + g * (swap + swap.T)
    baths = [
        lf.Bath(name=name, sites=(site,), beta=beta, couplings=(lower,))
        for site, (name, beta) in enumerate([("cold", 1.0), ("room", 0.8), ("hot", 0.2)])
    ]
    system = lf.OpenSystem(hamiltonian=hamiltonian, dimensions=(2, 2, 2), baths=baths)
    return system.with_found_charge()


strengths = [0.01, 0.03, 0.1, 0.3]
answers = [lf.certify(lf.Question(system=refrigerator(g))) for g in strengths]
for g, answer in zip(strengths, answers, strict=True):
    print(f"g = {g}: {answer.verdict}, defect in [{answer.lower:.3g}, {answer.upper:.3g}]")

# %%
# How far the best Lindblad equation stays away, against the strength of the exchange:

figure = Figure(figsize=(4.6, 3.2), layout="constrained")
axes = figure.subplots()
lows = [answer.trace_distance.lower or np.nan for answer in answers]
highs = [answer.trace_distance.upper or np.nan for answer in answers]
axes.fill_between(strengths, 1e-16, lows, color="0.85", lw=0, label="excluded")
axes.loglog(strengths, highs, "o", mfc="none", color="#0072b2", label="best found")
seen = [value for value in [*lows, *highs] if value == value]
axes.set_ylim(min(seen) / 3, max(seen) * 3)
axes.set(xlabel="exchange $g$ (energy)", ylabel="trace distance from the exact state")
axes.legend(frameon=False)
figure
