"""The checker: proofs of certified bounds in ball arithmetic, from a certificate alone.

It rebuilds the whole problem from the certificate's decimal strings with python-flint and trusts
no number that a solver or floating-point code has computed. Read it in this order: `exact` and
`model` (what the problem is), `levels`, `baths` and `reference` (its exact steady state),
`principal_values` and `redfield` (what else a Lindbladian must reproduce, with coherences),
`ansatz` and `local_hamiltonians` (the allowed Lindbladians), `balls` (positivity and norms),
`claims` (the theorems), `verification` and `statement`.
"""

from lindfeas.proof.verification import Proof, verify

__all__ = ["Proof", "verify"]
