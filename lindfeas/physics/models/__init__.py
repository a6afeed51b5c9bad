"""Ready-made systems."""

from lindfeas.physics.models.model_spec import ModelSpec
from lindfeas.physics.models.xxz import XXZ_CHAIN, xxz_chain

MODELS: dict[str, ModelSpec] = {spec.name: spec for spec in (XXZ_CHAIN,)}
"""By the names that problem files give them."""

__all__ = ["MODELS", "xxz_chain"]
