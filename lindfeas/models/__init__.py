"""Ready-made systems."""

from lindfeas.models.xxz import xxz_chain

__all__ = ["xxz_chain"]
