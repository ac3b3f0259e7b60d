"""The C sources: includes go one way, from room to room, and what a room must not know does not stand in it."""

import re
from pathlib import Path

import pytest

from builds import ROOT
from test_imports import circle

SRC = ROOT / "src"
# room: the rooms that it may include besides itself
ROOMS = {
    "env": set(),
    "env_vec": {"env"},
    "sight": {"env"},
    "boids": {"env", "sight"},
    "show": {"env", "boids"},
    "bind": {"env", "env_vec"},
    "env_binding": {"bind"},
    "binding": {"bind"},
}
# words of the language that a room must not contain, in code or in a comment
FOREIGN = {
    "sight": r"boids?_|Boids|reward|episode|action",
    "bind": r"boids?_|Boids|view_radius",
    "binding": r"boids?_|Boids|view_radius",
    "env_vec": r"boids?_|Boids|Py[A-Z]\w+|Python\.h",
    "boids": r"Py[A-Z]\w+|printf\(|raylib|immintrin|_mm\d|clock\(",
}


def room(path: Path) -> str:
    folder = path.relative_to(SRC).parts[0]
    stem = path.stem if len(path.relative_to(SRC).parts) == 1 else folder
    return "boids" if stem.startswith("boids") else stem


FILES = sorted(path for path in SRC.rglob("*") if path.suffix in (".h", ".c"))


def includes(path: Path) -> list[Path]:
    names = re.findall(r'^\s*#\s*include "(.+)"', path.read_text(), re.MULTILINE)
    found = [next((base / name for base in (path.parent, SRC) if (base / name).exists()), None) for name in names]
    assert None not in found, f"{path}: an include that is not in src/: {names}"
    return [other.resolve() for other in found if other is not None]


def test_no_circle() -> None:
    graph = {str(path.relative_to(SRC)): {str(other.relative_to(SRC)) for other in includes(path)} for path in FILES}
    assert circle(graph) == []
    assert "sight/sight.h" in graph["boids.h"]


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(SRC)))
def test_includes_go_one_way(path: Path) -> None:
    may = ROOMS[room(path)] | {room(path)}
    assert {room(other) for other in includes(path)} <= may


@pytest.mark.parametrize("path", [path for path in FILES if room(path) in FOREIGN], ids=lambda path: str(path.relative_to(SRC)))
def test_a_room_does_not_know_others(path: Path) -> None:
    found = re.findall(FOREIGN[room(path)], path.read_text())
    assert found == []


def test_the_environment_is_one_sitting() -> None:
    """The files that a newcomer reads whole stay short enough for it."""
    assert len((SRC / "boids.h").read_text().splitlines()) <= 500
    assert len((SRC / "binding.c").read_text().splitlines()) <= 800
