r"""
A cluster
=========

The same sweep on a Dask cluster: here with two workers on this machine, in an afternoon with two
hundred on a cluster. Only ``--dask ADDRESS`` is new; on SLURM the address comes from
``dask-jobqueue`` (see the how-to guide on sweeps). A sweep that is killed goes on where it was.
"""

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import lindfeas as lf

PROBLEM = """
title = "Three qubits between baths"

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

[question]
target = "populations"

[sweep]
"system.coupling" = { start = 0.01, stop = 1.0, points = 7, scale = "log" }
"bath.left.beta" = [1.0, 10.0]
"""

folder = Path(tempfile.mkdtemp())
(folder / "chain.toml").write_text(PROBLEM)
python, program = sys.executable, Path(sys.executable).with_name("lindfeas")
here = ["--scheduler-file", str(folder / "scheduler.json")]

# %%
# On a real cluster these are two commands on two machines, ``dask scheduler`` and ``dask worker``:

scheduler = [python, "-m", "distributed.cli.dask_scheduler", *here, "--host", "127.0.0.1"]
worker = [python, "-m", "distributed.cli.dask_worker", *here, "--nworkers", "2", "--nthreads", "1"]
quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
running = [subprocess.Popen([*scheduler, "--port", "0", "--no-dashboard"], **quiet)]
running.append(subprocess.Popen([*worker, "--no-dashboard"], **quiet))
while not (folder / "scheduler.json").exists() and running[0].poll() is None:
    time.sleep(0.1)
address = json.loads((folder / "scheduler.json").read_text())["address"]

# %%
# The sweep itself knows the address, and nothing else:

command = ["sweep", "chain.toml", "--no-prove", "--no-sharp", "--out", "chain", "--dask", address]
done = subprocess.run([program, *command], cwd=folder, capture_output=True, text=True)
for process in reversed(running):
    process.terminate()
    process.wait()
print(done.stderr[-400:] if done.returncode else done.stdout)

# %%

figure = lf.plot(folder / "chain")
figure
