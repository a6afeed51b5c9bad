"""`lindfeas.checker` under the name that stays: ``from lindfeas.proof import verify``."""

from lindfeas.checker import Proof, verify

__all__ = ["Proof", "verify"]
