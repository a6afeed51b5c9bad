"""The plan of the package: ten folders, imports that go down only, and where to find what."""

import re
from graphlib import TopologicalSorter
from itertools import pairwise
from pathlib import Path

import pytest

from benchmarks import rooms_picture
from benchmarks.rooms import FACES, FLOORS, PACKAGE, arrows, graph, imports, modules, room

MOST_ENTRIES = 12
"""At the top of the package, beside its faces."""

FOLDERS = {
    "answers",
    "checker",
    "cli",
    "files",
    "physics",
    "pictures",
    "program",
    "solvers",
    "sweeps",
    "theorems",
}

HEAVY = {
    "click": {"cli"},
    "cloudpickle": {"sweeps"},
    "cvxpy": {"solvers"},
    "distributed": {"sweeps"},
    "flint": {"checker", "theorems", "cli"},
    "matplotlib": {"pictures"},
    "mosek": {"solvers"},
    "pandas": {"files", "pictures"},
    "polars": {"files"},
    "pyarrow": {"files"},
    "pydantic": {"files"},
    "qutip": {"physics.equations"},
    "rich": {"text", "cli", "sweeps"},
    "xarray": {"files"},
}
"""Packages that only these rooms may import."""

GRAPH = graph()
ARROWS = arrows()

PAGE = PACKAGE.parent / "docs" / "internals.md"
QUESTIONS = re.findall(r"^\| ([^|]+\?) \| `([^`]+)` \| `([^`]+)` \|$", PAGE.read_text(), re.M)


def test_few_entries_stand_at_the_top() -> None:
    found = {
        path.stem for path in PACKAGE.iterdir() if path.name not in ("__pycache__", "py.typed")
    }
    rooms = found - {"__init__", *FACES}
    assert rooms == FOLDERS | {"errors", "text"} and len(rooms) <= MOST_ENTRIES


def test_tests_stand_in_folders_of_the_same_names() -> None:
    here = Path(__file__).parent
    for test in here.glob("*/**/test_*.py"):
        assert test.relative_to(here).parts[0] in FOLDERS, test


def test_no_test_imports_a_test() -> None:
    """What two test files share is in a module of ``tests/`` that holds no tests."""
    here = Path(__file__).parent
    for file in here.rglob("*.py"):
        for target in imports(file.read_text(encoding="utf-8")):
            names = target.split(".")
            assert not any(name.startswith("test_") for name in names if names[0] == "tests"), (
                f"{file.relative_to(here)} imports {target}"
            )


def test_no_test_measures_time_or_memory() -> None:
    """Both depend on the machine and on what else it does: they are benchmarks."""
    clocks = re.compile(r"\b(perf_counter|process_time|tracemalloc|getrusage|ru_maxrss)\b")
    for file in Path(__file__).parent.rglob("test_*.py"):
        if file != Path(__file__):
            assert not clocks.search(file.read_text(encoding="utf-8")), file


@pytest.mark.parametrize("module", sorted(GRAPH))
def test_every_module_has_a_room(module: str) -> None:
    folder_of_rooms = module == "physics" and not GRAPH[module]
    assert room(module) or module in FACES or folder_of_rooms


@pytest.mark.parametrize("module", sorted(set(GRAPH) - set(FACES) - {"physics"}))
def test_imports_go_down_only(module: str) -> None:
    here = FLOORS.index(str(room(module)))
    for target in GRAPH[module]:
        assert target not in FACES, f"{module} imports the face lindfeas.{target}"
        assert FLOORS.index(str(room(target))) <= here, f"{module} imports {target}, above it"


def test_no_circle() -> None:
    assert set(TopologicalSorter(GRAPH).static_order()) == set(GRAPH)


def test_no_circle_of_rooms() -> None:
    assert set(TopologicalSorter(ARROWS).static_order()) == set(FLOORS)


def test_the_checker_sees_nothing_but_errors() -> None:
    assert ARROWS["checker"] == {"errors"}


@pytest.mark.parametrize("module", sorted(set(GRAPH) - set(FACES)))
def test_heavy_packages_stay_where_they_belong(module: str) -> None:
    for target in imports(modules()[module].read_text()):
        package = target.split(".")[0]
        assert room(module) in HEAVY.get(package, {room(module)}), f"{module} imports {package}"


@pytest.mark.parametrize(
    "source",
    [
        "import lindfeas.sweeps.sweep",
        "from lindfeas.sweeps import sweep",
        "from lindfeas.sweeps.sweep import run",
        "if TYPE_CHECKING:\n    from lindfeas.sweeps.sweep import run",
        "def late():\n    from lindfeas.sweeps.sweep import run",
        'importlib.import_module("lindfeas.sweeps.sweep")',
    ],
)
def test_every_kind_of_import_is_seen(source: str, tmp_path: Path) -> None:
    (tmp_path / "sweeps").mkdir()
    for name in ("__init__", "sweeps/__init__", "sweeps/sweep"):
        (tmp_path / f"{name}.py").touch()
    (tmp_path / "one.py").write_text(source)
    assert graph(tmp_path)["one"] == {"sweeps.sweep"}


def test_an_import_of_the_package_itself_is_seen(tmp_path: Path) -> None:
    (tmp_path / "__init__.py").touch()
    for number, source in enumerate(("import lindfeas", "from lindfeas import Question")):
        (tmp_path / f"m{number}.py").write_text(source)
        assert graph(tmp_path)[f"m{number}"] == {""}


# The picture of the rooms.


def test_the_picture_is_that_of_the_imports() -> None:
    """Where it is not, `python -m benchmarks.rooms_picture` draws it anew."""
    assert rooms_picture.FILE.read_text(encoding="utf-8") == rooms_picture.svg()
    assert f"]({rooms_picture.FILE.relative_to(PAGE.parent).as_posix()})" in PAGE.read_text()


def test_the_picture_leaves_out_only_what_follows() -> None:
    drawn = rooms_picture.reduced(ARROWS)

    def below(name: str) -> set[str]:
        return drawn[name].union(*(below(target) for target in drawn[name]))

    for name, targets in ARROWS.items():
        assert targets <= below(name)
        for target in drawn[name]:
            assert not any(target in below(other) for other in drawn[name] - {target})


def test_a_new_import_changes_the_picture() -> None:
    further = {name: set(targets) for name, targets in ARROWS.items()}
    further["checker"].add("physics.baths")
    assert rooms_picture.svg(further) != rooms_picture.svg(ARROWS)
    assert rooms_picture.floors(further)["checker"] == 2


def test_no_room_of_the_picture_hides_another_or_an_arrow() -> None:
    places = rooms_picture.boxes(ARROWS)
    assert set(places) == set(FLOORS)
    assert len({(box.left, box.top) for box in places.values()}) == len(places)
    for name, target, corners in rooms_picture.ways(ARROWS, places):
        for here, there in pairwise(corners):
            others = [box for box in places.values() if box.name not in (name, target)]
            assert not any(box.meets(here, there) for box in others), (name, target)


@pytest.mark.parametrize(("here", "what", "there"), rooms_picture.DATA)
def test_what_the_picture_hands_over_is_a_type_of_its_room(
    here: str, what: str, there: str
) -> None:
    assert here in ARROWS[there] or there in ARROWS[here]
    folder = PACKAGE / here.replace(".", "/")
    sources = "".join(file.read_text() for file in sorted(folder.rglob("*.py")))
    assert re.search(rf"^(class {what}\b|def {what}\()", sources, re.M)


def test_there_are_at_least_twelve_questions() -> None:
    assert len(QUESTIONS) >= 12


@pytest.mark.parametrize(("question", "path", "name"), QUESTIONS)
def test_what_a_reader_looks_for_is_where_the_page_says(
    question: str, path: str, name: str
) -> None:
    source = (PACKAGE / path).read_text()
    found = re.search(rf"^\s*(def|class) {name}\b|^\s*{name}( =|:)", source, re.M)
    assert found, f"{question} lindfeas/{path} does not define {name}"
