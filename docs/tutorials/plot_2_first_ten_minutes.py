r"""
2. The first ten minutes
========================

A new user's session: a problem in a file, answers on the command line, a table, a picture, a proof.
The lines that begin with a dollar are what you type into a shell; here a few lines of Python type
them.
"""

import os
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

import lindfeas as lf

folder = Path(tempfile.mkdtemp())


def shell(command):
    """Type a command, and show what it prints."""
    print("$", command)
    program, *arguments = shlex.split(command)
    found = Path(sys.executable).with_name(program)
    settings = {**os.environ, "COLUMNS": "90"}
    done = subprocess.run(
        [found, *arguments], cwd=folder, capture_output=True, text=True, env=settings
    )
    print(done.stdout + done.stderr)


# %%
# Minutes 1 to 3: a problem
# -------------------------
#
# A problem is a short text file: which system, which baths, which question.

problem = """
title = "Three qubits between a hot and a cold bath"

[system]
model = "xxz_chain"
sites = 3
field = 0.5
coupling = 0.05

[[bath]]
name = "left"
sites = [0]
beta = 1.0

[[bath]]
name = "right"
sites = [2]
beta = 5.0

[question]
target = "populations"
"""
(folder / "chain.toml").write_text(problem)
shell("lindfeas certify chain.toml")

# %%
# Minutes 4 and 5: what if
# ------------------------
#
# ``--set`` changes any key of the file. At a hundredth of the coupling, and at one temperature:

shell("lindfeas certify chain.toml --set system.coupling=0.0005 --no-prove")

# %%

shell("lindfeas certify chain.toml --set bath.right.beta=1.0 --no-prove")

# %%
# A mistake is one line that says what would be right:

shell("lindfeas certify chain.toml --set bath.right.beta=-1")

# %%
# Minutes 6 to 8: a figure
# ------------------------
#
# A table ``[sweep]`` makes a figure of it.

sweep = """
[sweep]
"system.coupling" = { start = 0.001, stop = 1.0, points = 9, scale = "log" }
"bath.right.beta" = [5.0, 1.0]
"""
(folder / "figure.toml").write_text(problem + sweep)
shell("lindfeas sweep figure.toml --no-prove --no-sharp --workers 2 --out figure")

# %%
# In a shell the picture is ``lindfeas plot figure``. In Python:

figure = lf.plot(folder / "figure")
figure

# %%
# Minutes 9 and 10: a proof
# -------------------------
#
# ``--out`` writes the answer and its certificate; ``verify`` checks the certificate, and prints the
# theorem.

shell("lindfeas certify chain.toml --prove --out answers")

# %%

shell("lindfeas verify answers/chain.certificate.json")
