"""PufferLib's Ocean environments on src/env_binding.h: the same results as with PufferLib's header, and no crashes.

Every environment that PufferLib's package carries is compiled twice, unmodified, with either header; its Python class,
also unmodified, then takes the same actions on both. ocean/mistakes.py has a table of mistakes.
ocean/raylib.h replaces raylib. What could crash runs in a process of its own.
"""

import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import needs
from ocean.mistakes import CHECKS, ROWS

HERE = Path(__file__).resolve().parent / "ocean"
HEADER = HERE.parent.parent / "src/env_binding.h"
FLAGS = ["-std=gnu11", "-O1", "-fPIC", "-fwrapv", "-DPLATFORM_DESKTOP"]  # PufferLib's setup.py asks for the last two
SUFFIX = sysconfig.get_config_var("EXT_SUFFIX")  # read once, here: two threads that read it first may get None
SECONDS = 300

pytestmark = pytest.mark.slow

# fmt: off
SAME = [
    "blastar", "boids", "breakout", "cartpole", "checkers", "connect4", "convert", "cpr", "drone", "enduro", "freeway", "go",
    "gpudrive", "grid", "moba", "nmmo3", "pacman", "pong", "rware", "school", "snake", "squared", "target", "template",
    "terraform", "tetris", "tower_climb", "trash_pickup", "tripletriad",
]
# fmt: on
NEITHER = {  # with the reason, as the message has it
    "impulse_wars": "box2d/box2d.h",  # Box2D is not part of the package
    "tactical": "c_close",  # it has none
}
SILENT = ["moba"]  # a game is too long for a test, and nothing is logged before its end


def ocean() -> Path:
    """The folder of PufferLib's environments, found without an import, which would leave a link in this folder."""
    found = importlib.util.find_spec("pufferlib")
    if found is None or not found.submodule_search_locations:
        needs.missing("PufferLib", "python tools/install_pufferlib.py")
    return Path(found.submodule_search_locations[0]) / "ocean"


class Builds:
    """Bindings, compiled when first asked for, in a folder for each header."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.compiler, self.ocean = folder, needs.compiler(), ocean()
        self.built: dict[tuple[str, str], str] = {}
        self.include = folder / "include"
        self.include.mkdir()
        for name in ("raylib.h", "raymath.h", "rlgl.h"):
            shutil.copy(HERE / "raylib.h", self.include / name)
        for header, source in (("ours", HEADER), ("theirs", self.ocean / "env_binding.h")):
            (folder / header).mkdir()
            shutil.copy(source, folder / header / "env_binding.h")
        shutil.copytree(HEADER.parent / "bind", folder / "ours" / "bind")  # as the manual of our header says

    def build(self, *names: str, headers: tuple[str, ...] = ("ours", "theirs"), flags: tuple[str, ...] = ()) -> None:
        wanted = [(header, name) for header in headers for name in names if (header, name) not in self.built]
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            self.built |= zip(wanted, pool.map(lambda key: self._compile(*key, flags), wanted), strict=True)

    def _compile(self, header: str, name: str, flags: tuple[str, ...]) -> str:
        """Compiles a binding. Returns the messages of the compiler."""
        place = self.folder / header / name
        source = HERE / name if (HERE / name).is_dir() else self.ocean / name
        shutil.copytree(source, place, ignore=shutil.ignore_patterns("*.py*", "__pycache__"))
        # tower_climb includes a file of school. -isystem: no warnings about PufferLib's code
        folders = [self.include, np.get_include(), sysconfig.get_paths()["include"], self.ocean / "school"]
        command = [*self.compiler.split(), *FLAGS, *(flags or ["-w"]), *(f"-isystem{folder}" for folder in folders)]
        library = place / f"binding{SUFFIX}"
        command += ["-shared", str(place / "binding.c"), "-o", str(library), "-lm"]
        return subprocess.run(command, capture_output=True, text=True, check=False).stderr

    def trace(self, header: str, names: list[str], seed: int = 3) -> dict[str, Any]:
        return run("ocean.trace", self.folder / header, seed, *names)


def run(script: str, *arguments: Any) -> dict[str, Any]:
    """The output of one of the scripts for each name."""
    command = [sys.executable, "-m", script, *map(str, arguments)]
    environment = os.environ | {"PYTHONPATH": str(HERE.parent)}
    done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False, env=environment)
    assert done.returncode == 0, done.stderr
    return dict(json.loads(line) for line in done.stdout.splitlines())


def selected(request: pytest.FixtureRequest, test: str) -> list[str]:
    """The names for which this run has that test of this file."""
    tests = (item for item in request.session.items if item.path == Path(__file__) and item.name.startswith(f"{test}["))
    return [item.callspec.params["name"] for item in tests]


@pytest.fixture(scope="session")
def builds(tmp_path_factory: pytest.TempPathFactory) -> Builds:
    return Builds(tmp_path_factory.mktemp("ocean"))


@pytest.fixture(scope="session")
def traces(builds: Builds, request: pytest.FixtureRequest) -> dict[str, dict[str, Any]]:
    """The trace of each environment, by header."""
    names = selected(request, "test_same_results")
    builds.build(*names)
    with ThreadPoolExecutor() as pool:
        return dict(
            zip(("ours", "theirs"), pool.map(lambda header: builds.trace(header, names), ("ours", "theirs")), strict=True)
        )


@pytest.fixture(scope="session")
def said(builds: Builds, request: pytest.FixtureRequest) -> dict[str, str]:
    """What went wrong in each row and check of mistakes.py."""
    builds.build("squared", "probe", headers=("ours",))
    return run(
        "ocean.mistakes", builds.folder / "ours", *selected(request, "test_mistake"), *selected(request, "test_promise")
    )


# ---- The same results -----------------------------------------------------------------------------------------------------


def test_every_environment_is_here() -> None:
    assert sorted(path.parent.name for path in ocean().glob("*/binding.c")) == sorted([*SAME, *NEITHER])


@pytest.mark.parametrize("name", SAME)
def test_same_results(name: str, traces: dict[str, dict[str, Any]]) -> None:
    ours, theirs = traces["ours"][name], traces["theirs"][name]
    assert isinstance(theirs, dict), theirs
    assert isinstance(ours, dict), ours
    assert len(set(theirs["steps"])) > 100  # the environment changes
    assert theirs["logs"] or name in SILENT
    differing = [step for step, (a, b) in enumerate(zip(ours["steps"], theirs["steps"], strict=True)) if a != b]
    assert not differing, f"observations, rewards, terminals or truncations differ from step {differing[0]} on"
    assert ours["logs"] == theirs["logs"]


@pytest.mark.parametrize("name", NEITHER)
def test_builds_with_neither(name: str, builds: Builds) -> None:
    builds.build(name)
    for header in ("ours", "theirs"):
        message = builds.built[header, name]
        if not message:  # a missing function is an error only when the library is loaded
            message = builds.trace(header, [name])[name]
        assert NEITHER[name] in message


def test_another_seed_is_told_apart(builds: Builds) -> None:
    names = ["squared", "snake", "pong"]
    builds.build(*names, headers=("ours",))
    one, other = (builds.trace("ours", names, seed) for seed in (3, 4))
    for name in names:
        assert sum(a != b for a, b in zip(one[name]["steps"], other[name]["steps"], strict=True)) > 900
        assert one[name]["logs"] != other[name]["logs"]


# ---- Mistakes and promises ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ROWS)
def test_mistake(name: str, said: dict[str, str]) -> None:
    assert not said[name], said[name]


@pytest.mark.parametrize("name", CHECKS)
def test_promise(name: str, said: dict[str, str]) -> None:
    assert not said[name], said[name]


def test_the_table_bites(builds: Builds) -> None:
    """With PufferLib's own header these rows and checks fail: it crashes, accepts, or raises another message."""
    builds.build("squared", "probe", headers=("theirs",))
    names = ["rewards-float64", "vec_step-closed", "vec_step-int", "render-huge", "missing", "seed-2**32"]
    names += [
        "arguments_are_held_while_python_runs",
        "greenlets_take_turns_in_my_init",
        "the_gil_is_released",
        "closing_twice_is_fine",
        "arrays_are_held_until_close",
        "nothing_leaks",
    ]
    said = run("ocean.mistakes", builds.folder / "theirs", *names)
    assert [name for name in names if not said[name]] == []


def test_handles_that_outlive_the_program(builds: Builds) -> None:
    builds.build("squared", "probe", headers=("ours",))
    program = (
        "import sys; from ocean.mistakes import *; its = Class(Path(sys.argv[1])); sys.its = its; its.use(); its.me = its"
    )
    command = [sys.executable, "-c", program, str(builds.folder / "ours")]
    done = subprocess.run(command, cwd=HERE.parent, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


# ---- The header -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["probe", "squared", "gpudrive", "grid"])
def test_no_warnings(name: str, builds: Builds, tmp_path: Path) -> None:
    other = Builds(tmp_path)
    other.build(name, headers=("ours",), flags=("-Wall", "-Wextra"))
    message = other.built["ours", name]
    ours = re.compile(r"(env_binding|bind/\w+)\.h:.*warning:")
    assert not [line for line in message.splitlines() if ours.search(line)], message


SLIPS = {
    "MY_GETS": ("#define MY_GET\n", "#define MY_GETS\n", "the hooks are MY_SHARED, MY_GET, MY_PUT, MY_METHODS"),
    "MY_SHARE": ("#define MY_SHARED\n", "#define MY_SHARE\n", "the hooks are MY_SHARED, MY_GET, MY_PUT, MY_METHODS"),
    "MY_VEC_INIT": ("#define MY_PUT\n", "#define MY_PUT\n#define MY_VEC_INIT\n", "the hooks are MY_SHARED"),
    "my_get": ("#define MY_GET\n", "", "my_get. redeclared"),
    "my_put": ("#define MY_PUT\n", "", "my_put. redeclared"),
    "my_shared": ("#define MY_SHARED\n", "", "my_shared. redeclared"),
    "log": ("float score, n;", "double score, n;", "Log must be a struct of floats"),
}


@pytest.mark.parametrize("name", SLIPS)
def test_a_slip_in_a_binding_does_not_compile(name: str, tmp_path: Path) -> None:
    old, new, message = SLIPS[name]
    text = (HERE / "probe" / "binding.c").read_text()
    assert old in text
    (tmp_path / "env_binding.h").write_bytes(HEADER.read_bytes())
    (tmp_path / "probe").mkdir()
    (tmp_path / "probe" / "binding.c").write_text(text.replace(old, new))
    folders = [np.get_include(), sysconfig.get_paths()["include"], HEADER.parent]
    command = [*needs.compiler().split(), *FLAGS, "-fsyntax-only", *(f"-I{folder}" for folder in folders)]
    done = subprocess.run([*command, str(tmp_path / "probe" / "binding.c")], capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert re.search(message, done.stderr), done.stderr
