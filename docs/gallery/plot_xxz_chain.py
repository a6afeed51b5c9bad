r"""
A chain between two baths
=========================

Four qubits, :math:`H = \sum_l h\,\sigma_z^{(l)} + g \sum_l (\sigma_x\sigma_x + \sigma_y\sigma_y +
\sigma_z\sigma_z)^{(l,l+1)}`, a hot bath on the first and a cold one on the last. Which Lindblad
equation has the populations of its exact steady state?
"""

import numpy as np
from matplotlib.figure import Figure

import lindfeas as lf

baths = [
    lf.Bath(name="left", sites=(0,), beta=1.0),
    lf.Bath(name="right", sites=(3,), beta=10.0),
]
chain = lf.models.xxz_chain(sites=4, field=0.5, coupling=0.1, baths=baths)
answer = lf.certify(lf.Question(system=chain))
print(answer.verdict, f"T >= {answer.trace_distance.lower:.4f}")

# %%
# The exact populations, and those of the nearest Lindblad equation that was found. Half of the sum
# of all differences is the trace distance; below its certified lower end there is no equation.

nearest = answer.candidate
exact = answer.reference.populations
levels = np.arange(len(exact))
figure = Figure(figsize=(6.4, 3.2), layout="constrained")
axes = figure.subplots()
axes.bar(levels - 0.2, exact, 0.4, color="#0072b2", label="exact")
axes.bar(levels + 0.2, nearest.populations, 0.4, color="#d55e00", label="nearest Lindblad equation")
axes.set(xlabel="level, by charge and energy", ylabel="population", xticks=levels)
axes.set_title(
    f"{answer.trace_distance.lower:.3f} <= T <= {answer.trace_distance.upper:.3f} for the best one"
)
axes.legend(frameon=False)
figure
