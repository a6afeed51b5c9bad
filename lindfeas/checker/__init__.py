"""The checker: proofs of certified bounds in ball arithmetic, from a certificate alone.

It rebuilds the whole problem from the certificate's decimal strings with python-flint and trusts
no number that a solver or floating-point code has computed. Read it in this order: `exact` and
`model` (what the problem is), `levels`, `baths` and `reference` (its exact steady state),
`principal_values` and `redfield` (what else a Lindbladian must reproduce, with coherences),
`ansatz` and `local_hamiltonians` (the allowed Lindbladians), `balls` (positivity and norms),
`claims` (the theorems), `verification` and `statement`. A proof over a box of parameters takes
`taylor` (arithmetic of functions of the parameters), `cell_levels` and `cells` (the same steady
state and bounds over a whole cell) and `boxes` (its claims).
"""

from lindfeas.checker.verification import Proof, verify

__all__ = ["Proof", "verify"]
