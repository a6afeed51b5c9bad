"""`lindfeas.physics.models` under its short name."""

from lindfeas.physics.models import xxz_chain

__all__ = ["xxz_chain"]
