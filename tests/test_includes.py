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
    "env_threads": {"env"},
    "env_vec": {"env", "env_threads"},
    "learn": {"env", "env_vec", "env_threads"},
    "sight": {"env", "env_threads"},
    "boids": {"env", "sight"},
    "show": {"env", "env_threads", "boids"},
    "bind": {"env", "env_vec", "learn"},
    "env_binding": {"bind"},
    "binding": {"bind"},
}
# names that must not stand in the code of a room; comments may name what it does not know
FOREIGN = {
    "sight": r"[Bb]oids|BOIDS|reward|episode|action",
    "bind": r"[Bb]oids|BOIDS|view_radius",
    "learn": r"[Bb]oids|BOIDS|Py[A-Z]\w+|Python\.h|clock\(",
    "binding": r"[Bb]oids|BOIDS|view_radius",
    "env_vec": r"[Bb]oids|BOIDS|Py[A-Z]\w+|Python\.h",
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


@pytest.mark.parametrize("path", [f for f in FILES if room(f) in FOREIGN], ids=lambda path: str(path.relative_to(SRC)))
def test_a_room_does_not_know_others(path: Path) -> None:
    code = re.sub(r"/\*.*?\*/", "", path.read_text(), flags=re.DOTALL)
    assert re.findall(FOREIGN[room(path)], code) == []


def test_the_environment_is_one_sitting() -> None:
    """The files that a newcomer reads whole stay short enough for it."""
    assert len((SRC / "boids.h").read_text().splitlines()) <= 500
    assert len((SRC / "binding.c").read_text().splitlines()) <= 800
