"""The rooms of the package, and who imports whom: read from the sources, nothing is imported.

An import is any import: at the top, inside a function, for type checkers only, of the package
itself, or by name through ``importlib``.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from benchmarks.commands import ROOT

PACKAGE = ROOT / "lindfeas"

FLOORS = (
    "errors",
    "text",
    "physics.baths",
    "physics.systems",
    "physics.equations",
    "physics.dynamics",
    "physics.models",
    "program",
    "solvers",
    "files",
    "checker",
    "answers",
    "theorems",
    "sweeps",
    "pictures",
    "cli",
)
"""Every room imports from rooms that are listed before it only."""

FACES = ("", "__main__", "models", "plot", "proof")
"""Names that users import: they are on top of everything, and nothing imports them."""

Graph = dict[str, set[str]]


def modules(package: Path = PACKAGE) -> dict[str, Path]:
    """Every module's name without ``lindfeas.``, and its file; the package itself is ``""``."""
    found = {}
    for file in sorted(package.rglob("*.py")):
        parts = file.relative_to(package).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = file
    return found


def imports(source: str) -> Iterator[str]:
    """The full name of everything that a source imports."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            if node.level:
                raise ValueError("imports must be absolute")
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith("import_module"):
            yield from (
                str(part.value)
                for argument in node.args
                for part in ast.walk(argument)
                if isinstance(part, ast.Constant)
            )


def graph(package: Path = PACKAGE) -> Graph:
    """Which modules of the package each module imports."""
    files = modules(package)
    return {
        name: {
            _module(target, files)
            for target in imports(file.read_text(encoding="utf-8"))
            if target.split(".")[0] == "lindfeas"
        }
        - {name}
        for name, file in files.items()
    }


def _module(target: str, files: dict[str, Path]) -> str:
    """The module that holds ``target``: itself, or the longest beginning of it that is one."""
    parts = target.split(".")[1:]
    while ".".join(parts) not in files:
        parts = parts[:-1]
    return ".".join(parts)


def room(module: str) -> str | None:
    """The room that a module stands in; None for a face, or a folder of rooms."""
    return next(
        (name for name in FLOORS if module == name or module.startswith(f"{name}.")),
        None,
    )


def arrows() -> Graph:
    """Which rooms each room imports from."""
    found: Graph = {name: set() for name in FLOORS}
    for module, targets in graph().items():
        here = room(module)
        if here is not None:
            found[here] |= {there for target in targets if (there := room(target))} - {here}
    return found


def sentence(name: str) -> str:
    """The first sentence of what a room says of itself."""
    text = ast.get_docstring(ast.parse(modules()[name].read_text(encoding="utf-8"))) or ""
    return text.split("\n\n")[0].replace("\n", " ")


def table() -> Iterator[str]:
    """The rooms from the ground up, as a table."""
    yield "| room | what it holds | imports from |"
    yield "|---|---|---|"
    for name, targets in arrows().items():
        where = ", ".join(f"`{target}`" for target in FLOORS if target in targets) or "nothing"
        yield f"| `{name}` | {sentence(name)} | {where} |"
