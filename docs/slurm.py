"""A sweep on a SLURM cluster: start this on a login node, inside tmux or screen.

    pip install 'lindfeas[dask]' dask-jobqueue
    python slurm.py problem.toml results/problem --interface ib0 --jobs 50 --account my-project

It starts a Dask scheduler here, has SLURM start up to --jobs workers as the queue allows, runs the
sweep, and gives the workers back. When it is stopped, whatever the reason, the same command goes on
where it was.

The folder for the results, the problem file and the matrices beside it must be on a file system
that all nodes see.
"""

import argparse
import subprocess
import sys

from dask_jobqueue import SLURMCluster

parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
parser.add_argument("problem")
parser.add_argument("out")
parser.add_argument("--interface", required=True, help="network that nodes and this host share")
parser.add_argument("--jobs", type=int, default=20)
parser.add_argument("--account")
parser.add_argument("--partition")
parser.add_argument("--memory", default="2GB", help="per worker; 64 levels need less than 1 GB")
arguments, options = parser.parse_known_args()  # the others are for lindfeas sweep

cluster = SLURMCluster(
    account=arguments.account,
    queue=arguments.partition,
    # one point at a time in every worker, as one point uses one thread
    cores=1,
    processes=1,
    memory=arguments.memory,
    walltime="04:00:00",
    # Workers leave in good order before SLURM kills them: a worker that is killed makes Dask
    # suspect the points that it had.
    worker_extra_args=["--lifetime", "230m", "--lifetime-stagger", "5m"],
    # Who can reach the scheduler can run code as you, and it has no password. It listens on this
    # network only; see "TLS" in Dask's documentation if you do not trust everybody there.
    interface=arguments.interface,
    scheduler_options={"interface": arguments.interface, "dashboard": False},
)
with cluster:
    cluster.adapt(minimum_jobs=1, maximum_jobs=arguments.jobs)
    command = ["lindfeas", "sweep", arguments.problem, "--out", arguments.out, *options]
    sweep = subprocess.run([*command, "--dask", cluster.scheduler_address], check=False)
sys.exit(sweep.returncode)
