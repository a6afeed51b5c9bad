r"""
A sweep
=======

A figure is a problem file with a ``[sweep]`` table: the command ``lindfeas sweep`` answers every
point of its grid in parallel and writes one table, ``lindfeas plot`` draws it. Here through
Python's ``subprocess``; in a shell the two commands are typed as they are.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

import lindfeas as lf

PROBLEM = """
title = "Three qubits, a hot and a cold bath"

[system]
model = "xxz_chain"
sites = 3

[[bath]]
name = "left"
sites = [0]
beta = 1.0

[[bath]]
name = "right"
sites = [2]
beta = 10.0

[ansatz]
rates = { rule = "each", value = 1.0 }

[question]
target = "populations"
tolerance = 1e-6

[sweep]
"system.coupling" = { start = 0.001, stop = 1.0, points = 7, scale = "log" }
"bath.right.beta" = [10.0, 1.0]
"""

folder = Path(tempfile.mkdtemp())
(folder / "chain.toml").write_text(PROBLEM)
command = "sweep chain.toml --no-prove --no-sharp --workers 2 --out chain"
program = Path(sys.executable).with_name("lindfeas")
done = subprocess.run(
    [program, *command.split()], cwd=folder, capture_output=True, text=True, check=True
)
print("$ lindfeas", command)
print(done.stdout)

# %%
# The picture, and the table as a pandas frame:

figure = lf.plot(folder / "chain")
figure

# %%

frame = lf.read_table(folder / "chain").to_pandas()
frame[["system.coupling", "bath.right.beta", "verdict", "lower", "upper"]].head()
