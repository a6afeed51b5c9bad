"""Ready-made systems."""

from lindfeas.physics.models.xxz import xxz_chain

__all__ = ["xxz_chain"]
