"""The rooms of the package as a picture: ``python -m benchmarks.rooms_picture`` draws it anew.

Rooms, floors and grey arrows come from the imports alone (`benchmarks.rooms`): a room stands one
floor above the highest of those that it imports from. An import that follows from others is not
drawn. The way of the data, in colour, is said here, and its types are looked up in the sources.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from graphlib import TopologicalSorter
from html import escape

from benchmarks.commands import ROOT
from benchmarks.rooms import FLOORS, Graph, arrows, sentence

FILE = ROOT / "docs" / "_static" / "rooms.svg"

DATA = (
    ("physics.baths", "Correlation", "physics.systems"),
    ("physics.systems", "Spectrum", "physics.equations"),
    ("physics.equations", "Redfield", "program"),
    ("program", "Program", "solvers"),
    ("solvers", "RawSolution", "answers"),
    ("answers", "Answer", "theorems"),
    ("theorems", "certificate", "checker"),
)
"""(from, what, to): classes of the first room, but for the certificate, which is a document."""

LEFT = ("physics.dynamics", "checker")
RIGHT = ("text", "physics.models", "files", "pictures")
"""Rooms beside the way from the baths to the command line, which is the middle column."""

WIDTH, HEIGHT = 246, 76
ACROSS, UP = 282, 116
LANE = 16
MARGIN = 3 * LANE
LINES = 3
CHARACTERS = 35

INK, GREY, DATA_INK = "#1f2933", "#8a94a0", "#b3400e"
STYLE = f"""
text {{ font-family: Helvetica, Arial, sans-serif; font-size: 12px; fill: {INK}; }}
.name {{ font-weight: bold; font-size: 15px; }}
.data {{ font-size: 13px; font-style: italic; fill: {DATA_INK}; }}
.box {{ fill: #f5f7fa; stroke: #52606d; }}
.import {{ fill: none; stroke: {GREY}; stroke-width: 1.4; marker-end: url(#import); }}
.flow {{ fill: none; stroke: {DATA_INK}; stroke-width: 2.4; marker-end: url(#flow); }}
"""

Spot = tuple[float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """A room's rectangle; y grows downwards."""

    name: str
    column: int
    left: float
    top: float

    @property
    def middle(self) -> float:
        """x of its centre."""
        return self.left + WIDTH / 2

    @property
    def bottom(self) -> float:
        """y of its lower edge."""
        return self.top + HEIGHT

    def meets(self, start: Spot, end: Spot) -> bool:
        """Whether a straight line comes near it."""
        steps = 200
        for step in range(steps + 1):
            x = start[0] + (end[0] - start[0]) * step / steps
            y = start[1] + (end[1] - start[1]) * step / steps
            near_x = self.left - 6 < x < self.left + WIDTH + 6
            if near_x and self.top - 6 < y < self.bottom + 6:
                return True
        return False


def floors(graph: Graph) -> dict[str, int]:
    """One above the highest room that is imported from; the ground floor is 0."""
    found: dict[str, int] = {}
    for name in TopologicalSorter(graph).static_order():
        found[name] = 1 + max((found[target] for target in graph[name]), default=-1)
    return found


def reduced(graph: Graph) -> Graph:
    """Without the arrows that a longer way replaces."""

    def below(name: str) -> set[str]:
        return graph[name].union(*(below(target) for target in graph[name]))

    return {
        name: {t for t in targets if not any(t in below(other) for other in targets - {t})}
        for name, targets in graph.items()
    }


def boxes(graph: Graph) -> dict[str, Box]:
    """Where every room stands."""
    levels = floors(graph)
    top, found = max(levels.values()), {}
    for name, level in levels.items():
        column = 0 if name in LEFT else 2 if name in RIGHT else 1
        left = MARGIN + ACROSS * column
        found[name] = Box(name=name, column=column, left=left, top=20 + UP * (top - level))
    return found


def ways(graph: Graph, places: dict[str, Box]) -> Iterator[tuple[str, str, list[Spot]]]:
    """(from, to, corners) of every arrow that is drawn: straight, or along the outside."""
    used = [0, 0]
    for name in FLOORS:
        for target in sorted(reduced(graph)[name]):
            here, there = places[name], places[target]
            others = [box for box in places.values() if box.name not in (name, target)]
            free = [
                way for way in _straight(here, there) if not any(box.meets(*way) for box in others)
            ]
            yield name, target, list(free[0]) if free else _around(here, there, used)


def _straight(here: Box, there: Box) -> Iterator[tuple[Spot, Spot]]:
    """From the lower edge, or from the side that looks there."""
    across = there.column - here.column
    if not across:
        yield (here.middle - 20, here.bottom), (there.middle - 20, there.top)
        return
    lean = WIDTH * (0.4 if across > 0 else -0.4)
    yield (here.middle + lean, here.bottom), (there.middle - lean, there.top)
    side = here.left + (WIDTH if across > 0 else 0)
    yield (side, here.top + 0.6 * HEIGHT), (there.middle - 1.1 * lean, there.top)


def _around(here: Box, there: Box, used: list[int]) -> list[Spot]:
    """Out to a lane beside all rooms, down, and back in: on the left for the left column."""
    side = 0 if 0 in (here.column, there.column) else 1
    used[side] += 1
    lane = (MARGIN - LANE * used[0], MARGIN + 2 * ACROSS + WIDTH + LANE * used[1])[side]
    out, back = here.top + 0.35 * HEIGHT, there.top + 0.35 * HEIGHT
    edge = WIDTH * side
    return [(here.left + edge, out), (lane, out), (lane, back), (there.left + edge, back)]


def svg(graph: Graph | None = None) -> str:
    """The picture."""
    graph = arrows() if graph is None else graph
    places = boxes(graph)
    width = 2 * MARGIN + 2 * ACROSS + WIDTH
    height = 40 + UP * max(floors(graph).values()) + HEIGHT
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
        f'width="{width}" height="{height}" role="img">',
        "<title>The rooms of lindfeas, who imports from whom, and the way of the data</title>",
        f"<style>{STYLE}</style>",
        "<defs>",
        _tip("import", GREY, 9),
        _tip("flow", DATA_INK, 11),
        "</defs>",
        f'<rect width="{width}" height="{height}" fill="white"/>',
    ]
    routes = list(ways(graph, places))
    lines += [_line("import", corners) for _, _, corners in routes]
    for name, what, target in DATA:
        lines += _flow(places[name], what, places[target], routes)
    for name in FLOORS:
        lines += _room(places[name])
    return "\n".join([*lines, "</svg>"]) + "\n"


def _tip(name: str, colour: str, size: int) -> str:
    return (
        f'<marker id="{name}" viewBox="0 0 10 10" refX="9" refY="5" markerUnits="userSpaceOnUse" '
        f'markerWidth="{size}" markerHeight="{size}" orient="auto">'
        f'<path d="M0 0L10 5L0 10z" fill="{colour}"/></marker>'
    )


def _line(kind: str, corners: list[Spot]) -> str:
    points = " ".join(f"{x:g},{y:g}" for x, y in corners)
    return f'<polyline class="{kind}" points="{points}"/>'


def _flow(
    here: Box, what: str, there: Box, routes: list[tuple[str, str, list[Spot]]]
) -> Iterator[str]:
    """Up through the gap between neighbours, or beside the import that goes the same way."""
    if here.column == there.column and here.top - there.bottom < UP:
        x = here.middle + 20
        yield _line("flow", [(x, here.top), (x, there.bottom)])
        yield _label(x + 8, (here.top + there.bottom) / 2 + 4, what)
        return
    (corners,) = [way for name, target, way in routes if (name, target) == (here.name, there.name)]
    outward = -1 if corners[1][0] < corners[0][0] else 1
    moved = [(x, y + 12) for x, y in corners]
    moved[1:3] = [(corners[1][0] + outward * 9, y) for _, y in moved[1:3]]
    yield _line("flow", moved)
    yield _label(corners[1][0] + 14, moved[0][1] + 18, what)


def _label(x: float, y: float, text: str) -> str:
    return f'<text class="data" x="{x:g}" y="{y:g}">{escape(text)}</text>'


def _room(box: Box) -> Iterator[str]:
    yield (
        f'<rect class="box" x="{box.left:g}" y="{box.top:g}" width="{WIDTH}" height="{HEIGHT}" '
        f'rx="6"/>'
    )
    yield f'<text class="name" x="{box.left + 10:g}" y="{box.top + 20:g}">{box.name}</text>'
    said = textwrap.wrap(sentence(box.name), CHARACTERS, max_lines=LINES, placeholder=" ...")
    for number, line in enumerate(said):
        y = box.top + 37 + 15 * number
        yield f'<text x="{box.left + 10:g}" y="{y:g}">{escape(line)}</text>'


if __name__ == "__main__":
    FILE.write_text(svg(), encoding="utf-8")
    print(f"written: {FILE}")
