"""The command line: one module per command.

Only click is imported here; everything heavy is imported by the command that needs it.
"""

from lindfeas.cli import certify, compare, paper, plot, solvers, sweep, verify
from lindfeas.cli.group import main

__all__ = ["certify", "compare", "main", "paper", "plot", "solvers", "sweep", "verify"]
