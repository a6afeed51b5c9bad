"""Changed certificates: whatever the checker still accepts must be true.

Small certificates of points and boxes, chains and matrix problems, populations and coherences are
made on the fly. Every mutant changes what is stated (the problem, or a claim), nearly always, and
often what supports it (multipliers, candidates, eigenvalues, cells, shifts), and gets the checksum
that an attacker would compute. Accepted mutants are judged by `certificate_reference`, which knows
nothing but their text.
"""

from __future__ import annotations

import copy
import json
import random
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal, localcontext
from fractions import Fraction
from typing import Any

from lindfeas.checker import verify
from lindfeas.checker.format import checksum
from tests.bath_integrals import UndefinedError
from tests.certificate_originals import ACCEPTED, ORIGINALS
from tests.certificate_reference import false_claims
from tests.mutations import get, is_number, leaves

IGNORED = ("title", "versions", "sha256", "kind", "schema_version")
"""Keys that say nothing about the theorem."""

CLAIMS = (
    ("lower_bound", "value"),
    ("upper_bound", "value"),
    ("trace_distance", "norm1_lower"),
    ("lower_bound",),
)
"""Where a point's certificate, and a box's, state their bounds."""

STATED = 0.98
"""Share of the mutants in which something stated is changed on purpose."""

WORDS = {
    "family": ("ohmic", "ohmic_exponential", "drude_lorentz"),
    "operator": ("sigma_minus", "sigma_x", "sigma_z"),
    "rule": ("each", "total", "range"),
    "target": ("populations", "populations+coherences"),
    "norm": ("spectral", "frobenius", "trace"),
}

Path = tuple[str | int, ...]


@dataclass(slots=True)
class Findings:
    """What came out of a number of mutants."""

    mutants: int = 0
    changed: int = 0
    statuses: Counter[str] = field(default_factory=Counter)
    accepted: Counter[str] = field(default_factory=Counter)
    false: list[dict[str, Any]] = field(default_factory=list)
    exceptions: list[dict[str, Any]] = field(default_factory=list)

    @property
    def changed_share(self) -> float:
        """Mutants that state something else, of all."""
        return self.changed / max(1, self.mutants)

    @property
    def accepted_share(self) -> float:
        """Accepted mutants, of all."""
        return sum(self.accepted.values()) / max(1, self.mutants)

    def add(self, other: Findings) -> None:
        """Take in what another process found."""
        self.mutants += other.mutants
        self.changed += other.changed
        self.statuses += other.statuses
        self.accepted += other.accepted
        self.false += other.false
        self.exceptions += other.exceptions


def fuzz(numbers: range) -> Findings:
    """One mutant for every number: verified, and judged if it was accepted."""
    found = Findings()
    for number in numbers:
        name, original, mutant, changes = mutant_of(number)
        found.mutants += 1
        found.changed += statement(mutant) != statement(original)
        about = {"number": number, "original": name, "changes": changes}
        try:
            status = verify(mutant).status
        except Exception:
            found.exceptions.append({**about, "error": traceback.format_exc()[-600:]})
            continue
        found.statuses[status] += 1
        if status in ACCEPTED:
            found.accepted[name] += 1
            reasons = judged(mutant)
            if reasons:
                found.false.append({**about, "reasons": reasons})
    return found


def judged(certificate: dict[str, Any]) -> list[str]:
    """Why an accepted certificate should not have been accepted; empty if it is true."""
    try:
        return false_claims(certificate)
    except UndefinedError as error:
        return [f"undefined: {error}"]


def mutant_of(number: int) -> tuple[str, dict[str, Any], dict[str, Any], list[str]]:
    """(name of the original, original, mutant with its checksum, what was changed)."""
    rng = random.Random(number)
    names = list(ORIGINALS)
    name = names[number % len(names)]
    original = ORIGINALS[name]()
    mutant = copy.deepcopy(original)
    changes = []
    start = rng.random()
    if start < 0.2:
        changes.append(_strengthened(mutant, rng))
    elif start < 0.6:
        changes.append(_weakened(mutant, rng))
    if start >= 0.2 and rng.random() < STATED:
        changes.append(_changed(mutant, rng, stated=True))
    if rng.random() < 0.5 or not changes:
        changes.append(_changed(mutant, rng, stated=False))
    mutant["sha256"] = checksum(mutant)
    return name, original, mutant, changes


def statement(certificate: dict[str, Any]) -> str:
    """All that is stated, in a form in which equal numbers are equal."""
    stated = {
        "problem": {k: v for k, v in certificate["problem"].items() if k not in IGNORED},
        "box": certificate.get("box"),
        "parts": [
            cell.get("box", cell.get("split")) if "lower_bound" in cell else None
            for cell in certificate.get("cells", ())
        ],
        "claims": [
            get_or_none(certificate, path)
            for path in CLAIMS
            if not isinstance(get_or_none(certificate, path), dict)
        ],
    }
    return json.dumps(_plain(stated), sort_keys=True)


def get_or_none(certificate: dict[str, Any], path: Path) -> Any:
    """What stands at a path, if anything."""
    node: Any = certificate
    for key in path:
        if not isinstance(node, dict) or key not in node:
            return None
        node = node[key]
    return node


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return str(Fraction(value)) if is_number(value) else value


def _weakened(certificate: dict[str, Any], rng: random.Random) -> str:
    """Every claim a little weaker, so that what else is changed may be true."""
    size = Decimal(10) ** -rng.choice([1, 2, 3, 6, 9, 12])
    for path in CLAIMS:
        value = get_or_none(certificate, path)
        if is_number(value):
            weaker = 1 + size if path[0] == "upper_bound" else 1 - size
            _put(certificate, path, _times(value, weaker))
    return f"claims weaker by {size}"


def _strengthened(certificate: dict[str, Any], rng: random.Random) -> str:
    """Every claim stronger, together with the eigenvalues that are said to support it."""
    size = Decimal(rng.choice(["2", "0.5", "1e-2", "1e-4", "1e-8", "1e-12"]))
    for path in list(leaves(certificate)):
        supporting = "smallest_eigenvalues" in path or path[-2:] == ("lower_bound", "value")
        value = get(certificate, path)
        if is_number(value) and (supporting or path in CLAIMS):
            up = (path[0] == "upper_bound") == (Decimal(value) < 0)
            _put(certificate, path, _times(value, 1 + size if up else 1 / (1 + size)))
    return f"claims stronger by {size}"


def _changed(certificate: dict[str, Any], rng: random.Random, *, stated: bool) -> str:
    """One random change, of what is stated or of what supports it."""
    places = [path for path in _places(certificate) if _is_stated(path) == stated]
    tops: dict[Any, list[Path]] = {}
    for path in places:
        tops.setdefault(path[:2] if stated else path[0], []).append(path)
    # first the part of the certificate, so that long lists of numbers do not outweigh all else
    path = rng.choice(tops[rng.choice(sorted(tops, key=str))])
    value = get(certificate, path)
    changes = _changes(value, str(path[-1]))
    changed = value
    for _ in range(10):
        label, change = rng.choice(changes)
        changed = change(copy.deepcopy(value), rng)
        if _plain(changed) != _plain(value):
            break
    _put(certificate, path, changed)
    return f"{'.'.join(map(str, path))}: {label}"


def _places(certificate: dict[str, Any]) -> Iterator[Path]:
    """Leaves and their containers, but for what says nothing."""
    seen = set()
    for leaf in leaves(certificate):
        if any(key in IGNORED for key in leaf):
            continue
        for depth in range(1, len(leaf) + 1):
            path = leaf[:depth]
            if path not in seen and path not in (("problem",), ("lower_bound",)):
                seen.add(path)
                yield path
        if leaf == ("lower_bound",):
            yield leaf


def _is_stated(path: Path) -> bool:
    return path[0] in ("problem", "box") or path in CLAIMS


def _put(certificate: dict[str, Any], path: Path, value: Any) -> None:
    get(certificate, path[:-1])[path[-1]] = value


Change = Callable[[Any, random.Random], Any]


def _changes(value: Any, key: str) -> list[tuple[str, Change]]:
    """What can be done to a value."""
    if is_number(value):
        return [
            ("nudged", _nudged),
            ("nudged", _nudged),
            ("sign", lambda text, rng: text[1:] if text.startswith("-") else f"-{text}"),
            ("exponent", lambda text, rng: _times(text, Decimal(rng.choice(["10", "0.1"])))),
            ("double", lambda text, rng: _times(text, Decimal(rng.choice(["2", "0.5"])))),
            ("zero", lambda text, rng: "0"),
        ]
    if isinstance(value, bool):
        return [("flipped", lambda flag, rng: not flag)]
    if isinstance(value, int):
        return [("integer", lambda number, rng: number + rng.choice([-1, 1, 2]))]
    if isinstance(value, str):
        words = WORDS.get(key, (value + "x", value[:-1], value[::-1], "Infinity", "hot", "cold"))
        return [("word", lambda text, rng: rng.choice(words))]
    if isinstance(value, list) and value:
        return [
            ("entry left out", _without_entry),
            ("entry doubled", _doubled_entry),
            ("entries exchanged", _exchanged),
            ("reversed", lambda listed, rng: listed[::-1]),
        ]
    if isinstance(value, dict) and value:
        return [
            ("key left out", _without_key),
            ("values exchanged", _values_exchanged),
            ("key renamed", _renamed),
        ]
    return [("null", lambda nothing, rng: rng.choice(["1", [], {}, None]))]


def _times(text: str, factor: Decimal) -> str:
    with localcontext() as context:
        context.prec = 400
        return f"{Decimal(text) * factor:f}"[:380]


def _nudged(text: str, rng: random.Random) -> str:
    size = Decimal(10) ** -rng.choice([1, 2, 3, 4, 6, 9, 12, 12]) * rng.choice([-1, 1])
    return str(size) if Decimal(text) == 0 else _times(text, 1 + size)


def _without_entry(listed: list[Any], rng: random.Random) -> list[Any]:
    del listed[rng.randrange(len(listed))]
    return listed


def _doubled_entry(listed: list[Any], rng: random.Random) -> list[Any]:
    place = rng.randrange(len(listed))
    return [*listed[: place + 1], copy.deepcopy(listed[place]), *listed[place + 1 :]]


def _exchanged(listed: list[Any], rng: random.Random) -> list[Any]:
    a, b = rng.randrange(len(listed)), rng.randrange(len(listed))
    listed[a], listed[b] = listed[b], listed[a]
    return listed


def _without_key(table: dict[str, Any], rng: random.Random) -> dict[str, Any]:
    del table[rng.choice(sorted(table))]
    return table


def _values_exchanged(table: dict[str, Any], rng: random.Random) -> dict[str, Any]:
    a, b = rng.choice(sorted(table)), rng.choice(sorted(table))
    table[a], table[b] = table[b], table[a]
    return table


def _renamed(table: dict[str, Any], rng: random.Random) -> dict[str, Any]:
    old = rng.choice(sorted(table))
    new = rng.choice([f"{old}x", "hot", "cold"])
    return {new if key == old else key: value for key, value in table.items()}
