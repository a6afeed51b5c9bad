"""What everyone else needs to know of a ready-made system: its keys, and how it is built."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lindfeas.physics.systems.bath import Bath
from lindfeas.physics.systems.open_system import OpenSystem
from lindfeas.text import Quantity


@dataclass(frozen=True, slots=True)
class Key(Quantity):
    """One key of a problem file's ``[system]``: what tables and pictures call it, and more.

    Parameters
    ----------
    description
        For the JSON Schema.
    default
        None if it must be given.
    is_count
        Whether it is a whole number >= 1, not one number or a list of numbers.
    """

    description: str
    default: float | None = None
    is_count: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelSpec:
    """A ready-made system; the schema, the tables' columns and the pictures' labels come from it.

    Parameters
    ----------
    name
        ``model`` in a problem file.
    title
        What its tables are called in the JSON Schema, such as ``Chain`` of ``ChainSystem``.
    description
        One sentence.
    keys
        The keys of ``[system]`` beside ``model``, in their order.
    operators
        What a bath's ``operator`` may be; the first by default.
    sites
        Values of the keys -> number of sites; refuses what does not fit into memory.
    couple
        (bath, name of an operator) -> the bath with its couplings.
    build
        The system, from the keys and ``baths``.
    """

    name: str
    title: str
    description: str
    keys: Mapping[str, Key]
    operators: Sequence[str]
    sites: Callable[[Mapping[str, Any]], int]
    couple: Callable[[Bath, str], Bath]
    build: Callable[..., OpenSystem]
