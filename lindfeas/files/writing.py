"""From a `Question` to a problem file: TOML, and the system's matrices beside it."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lindfeas.errors import InputError, require
from lindfeas.files.atomic import replace_file
from lindfeas.files.problem_file import file_path
from lindfeas.physics.baths.families import FAMILIES
from lindfeas.physics.systems.bath import Bath
from lindfeas.physics.systems.open_system import FIND, OpenSystem
from lindfeas.program.question import Question, asked_about


def write_problem(
    question: Question | OpenSystem, path: str | os.PathLike[str], *, title: str = ""
) -> Path:
    """Write a question down as a problem file; `read_problem` gives the same question back.

    The system is written as matrices, in a file of the same name that ends in ``.npz``. Both files
    are written whole or not at all; older ones are replaced.

    Parameters
    ----------
    question
        The question, or a system for the default one.
    path
        The TOML file, which ends in ``.toml``.
    title
        The problem's title.

    Returns
    -------
    The path of the TOML file.

    Raises
    ------
    InputError
        If the question has a `Target` or a spectral density that problem files cannot hold, or the
        files cannot be written.

    Examples
    --------
    >>> import numpy as np
    >>> import lindfeas as lf
    >>> from tempfile import mkdtemp
    >>> lower = np.array([[0.0, 0.0], [1.0, 0.0]])
    >>> bath = lf.Bath(name="bath", sites=(0,), beta=1.0, couplings=(lower,))
    >>> qubit = lf.OpenSystem(np.diag([0.5, -0.5]), dimensions=(2,), baths=[bath])
    >>> file = lf.write_problem(qubit, mkdtemp() + "/qubit.toml")
    >>> lf.read_problem(file).question.system.charge == qubit.charge
    True
    """
    asked = asked_about(question)
    require(title, str, "title", "give a line of text")
    if not isinstance(asked.target, str):
        raise InputError(
            "must be 'populations' or 'populations+coherences' in a problem file, but is a Target",
            "question.target",
        )
    file = file_path(path)
    if file.suffix != ".toml":
        raise InputError(f"must end in .toml, but is {file.name!r}", "path")
    matrices = file.with_suffix(".npz")
    couplings, baths = _baths(asked.system)
    text = "\n".join(_document(asked, title, matrices.name, baths)) + "\n"
    content = io.BytesIO()
    np.savez(content, H=asked.system.hamiltonian.toarray(), couplings=couplings)
    replace_file(matrices, content.getvalue(), kind="file")
    return replace_file(file, text.encode(), kind="file")


def _document(
    question: Question, title: str, matrices: str, baths: list[dict[str, Any]]
) -> Iterator[str]:
    system = question.system
    if title:
        yield from (f"title = {_toml(title)}", "")
    charge: Any = FIND if system.charge_is_found else system.charge or "none"
    dimensions = list(system.dimensions)
    yield from _table(
        "[system]", {"matrices": matrices, "dimensions": dimensions, "charge": charge}
    )
    for bath in baths:
        yield from _table("[[bath]]", bath)
    rates = question.rates
    keys = ("min", "max") if rates.rule == "range" else ("value",)
    rule = {"rule": rates.rule, **{key: getattr(rates, key) for key in keys}}
    ansatz = {"rates": rule, "lamb_shift": question.lamb_shift}
    if question.hamiltonian_limit is not None:
        ansatz["hamiltonian_limit"] = question.hamiltonian_limit
    yield from _table("[ansatz]", ansatz)
    yield from _table(
        "[question]",
        {"target": question.target, "norm": question.norm, "tolerance": question.tolerance},
    )


def _table(header: str, content: dict[str, Any]) -> Iterator[str]:
    yield header
    yield from (f"{key} = {_toml(value)}" for key, value in content.items())
    yield ""


def _toml(value: Any) -> str:
    """A value as TOML; doubles as the shortest decimals that give them back."""
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {_toml(item)}" for key, item in value.items()) + " }"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_toml, value)) + "]"
    return repr(value)


def _baths(system: OpenSystem) -> tuple[NDArray[Any], list[dict[str, Any]]]:
    """The couplings in one array, and the tables of the baths that refer to it.

    Couplings stand on their regions where all are of one size, else on the whole system. A region
    that is the whole system lists its sites in ascending order, so that there is no doubt.
    """
    on_regions = len({system.region_dimension(bath) for bath in system.baths}) == 1
    on_regions &= all(
        system.region_dimension(bath) < system.dimension or list(bath.sites) == sorted(bath.sites)
        for bath in system.baths
    )
    couplings: list[NDArray[Any]] = []
    tables = []
    for bath in system.baths:
        whole = system.region_dimension(bath) == system.dimension
        start = len(couplings)
        for operator in bath.couplings or ():
            full = system.embed(operator, bath.sites).toarray()
            couplings.append(np.asarray(operator) if on_regions else full)
        tables.append(
            {
                "name": bath.name,
                "sites": sorted(bath.sites) if whole else list(bath.sites),
                "couplings": list(range(start, len(couplings))),
                "beta": bath.beta,
                "mu": bath.mu,
                "spectral_density": _density(bath),
            }
        )
    return np.stack(couplings), tables


def _density(bath: Bath) -> dict[str, Any]:
    densities = [bath.density_of(number) for number in range(len(bath.couplings or ()))]
    names: dict[type, str] = {family: name for name, family in FAMILIES.items()}
    shapes = {(type(one), *(getattr(one, key) for key in _keys(one))) for one in densities}
    if type(densities[0]) not in names or len(shapes) > 1:
        raise InputError(
            f"must be of one family, {', '.join(FAMILIES)}, with one shape for all couplings, to "
            "be written into a problem file",
            f"bath.{bath.name}.spectral_density",
        )
    first = densities[0]
    strengths = [getattr(one, "strength") for one in densities]  # noqa: B009
    strength = strengths[0] if len(set(strengths)) == 1 else strengths
    shape = {key: getattr(first, key) for key in _keys(first)}
    return {"family": names[type(first)], "strength": strength, **shape}


def _keys(density: Any) -> list[str]:
    """What says the shape of a density of a family."""
    if type(density) not in FAMILIES.values():
        return []
    return [one.name for one in fields(density) if one.name != "strength"]
