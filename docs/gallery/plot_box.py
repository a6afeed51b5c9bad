r"""
A box of parameters
===================

Not a point but a whole region of parameters at once: a box is cut into cells, and each of them is
proved in ball arithmetic. What is proved holds for every real value of the parameters in it. In a
shell: ``lindfeas certify chain.toml --box system.coupling=0.005:0.02 --box
bath.left.beta=0.8:1.25``.
"""

import tempfile
from pathlib import Path

from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

import lindfeas as lf
from lindfeas.theorems.box import parse_interval, prove_box

PROBLEM = """
title = "Four qubits in a chain, a hot bath on one end and a cold bath on the other"

[system]
model = "xxz_chain"
sites = 4
coupling = 0.01

[[bath]]
name = "left"
sites = [0]
beta = 1.0

[[bath]]
name = "right"
sites = [3]
beta = 10.0
"""

file = Path(tempfile.mkdtemp()) / "chain.toml"
file.write_text(PROBLEM)
box = ["system.coupling=0.005:0.02", "bath.left.beta=0.8:1.25"]
answer = prove_box(lf.read_problem(file), [parse_interval(side) for side in box])
print(f"{answer.verdict}: {answer.proved} cells proved, {answer.undecided} undecided")
print(f"in the whole box, a defect of at least {answer.proof.lower[:9]}")

# %%
# The cells, and the bound on the defect that is proved in each of them. No solver has to be trusted
# here: the checker has rebuilt every cell from its certificate.

proved = [cell for cell in answer.certificate["cells"] if "lower_bound" in cell]
bounds = [float(cell["lower_bound"]["value"]) for cell in proved]
colours = ScalarMappable(Normalize(0.0, max(bounds)), "YlGnBu")
figure = Figure(figsize=(5.0, 3.4), layout="constrained")
axes = figure.subplots()
for cell, bound in zip(proved, bounds, strict=True):
    (left, right), (low, high) = ([float(end) for end in side] for side in cell["box"])
    look = {"facecolor": colours.to_rgba(bound), "edgecolor": "white", "lw": 1.5}
    axes.add_patch(Rectangle((left, low), right - left, high - low, **look))
axes.set(xlim=(0.005, 0.02), ylim=(0.8, 1.25), xlabel="coupling $g$", ylabel=r"$\beta_L$")
figure.colorbar(colours, ax=axes, label=r"proved: defect $\geq$")
figure
