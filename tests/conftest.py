"""What several test files need: the modules that src/binding.c is compiled into, and a display."""

import ctypes.util
import importlib.machinery
import importlib.util
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

# a shell starts its background jobs deaf to Ctrl-C, which they and all their children would inherit
signal.signal(signal.SIGINT, signal.default_int_handler)

ROOT = Path(__file__).resolve().parent.parent
ARTEFACTS = ROOT / "build" / "artefacts"  # pictures of windows, to look at
BUILD = "cmake --preset default && cmake --build --preset default"
SOURCES = {  # besides src/binding.c and src/env.h
    "_counter": ["tests/counter/counter.h", "tests/counter/module.h"],
    "_least": ["tests/counter/least.h"],
    "_squared": ["examples/squared/squared.h", "src/show/env_window.h", "src/show/raylib_calls.h"],
    "_snake": ["examples/snake/snake.h", "src/show/env_window.h", "src/show/raylib_calls.h"],
}


def _build_of(name: str) -> Path:
    """The newest library of that name under build/. Ends the run where there is none, or only one older than its source."""
    suffixes = tuple(importlib.machinery.EXTENSION_SUFFIXES)
    found = [path for path in ROOT.glob(f"build/*/{name}.*") if path.name.removeprefix(name) in suffixes]
    if not found:
        pytest.exit(f"The tests need the module {name}, which is not built: {BUILD}", returncode=1)
    newest = max(found, key=lambda path: path.stat().st_mtime)
    sources = ["src/binding.c", "src/env.h", *SOURCES[name]]
    if newest.stat().st_mtime < max((ROOT / path).stat().st_mtime for path in sources):
        pytest.exit(f"{newest.relative_to(ROOT)} is older than its source: {BUILD}", returncode=1)
    return newest


def _load(name: str) -> ModuleType:
    """A module of the build. The sanitizers' run has a build of its own on the path."""
    spec = importlib.util.find_spec(name) or importlib.util.spec_from_file_location(name, _build_of(name))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    sys.modules.setdefault(name, module)
    return module


@pytest.fixture(scope="session")
def counter() -> ModuleType:
    """tests/counter/counter.h as a module: the second environment, which proves that the binding is generic."""
    return _load("_counter")


@pytest.fixture(scope="session")
def least() -> ModuleType:
    """tests/counter/least.h as a module: nothing but what env.h demands."""
    return _load("_least")


@pytest.fixture(scope="session")
def squared() -> ModuleType:
    """examples/squared/squared.h as a module."""
    return _load("_squared")


@pytest.fixture(scope="session")
def snake() -> ModuleType:
    """examples/snake/snake.h as a module."""
    return _load("_snake")


@pytest.fixture(scope="session")
def boids() -> ModuleType:
    """src/boids.h as a module, from the installed package."""
    from boids_env import _boids

    return _boids


@pytest.fixture(params=["counter", "boids"])
def module(request: pytest.FixtureRequest) -> ModuleType:
    """Each of the two in turn."""
    return request.getfixturevalue(request.param)


@pytest.fixture(scope="module")
def display(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The environment of a process that has an X server, 1280 x 800."""
    missing = [name for name in ("Xvfb", "xdotool") if shutil.which(name) is None]
    missing += [name for name in ("raylib", "PIL") if importlib.util.find_spec(name) is None]
    missing += ["libGL"] if ctypes.util.find_library("GL") is None else []
    if missing:
        what = f"no {', '.join(missing)}: apt-get install xvfb xdotool libgl1 libgl1-mesa-dri; pip install raylib pillow"
        if os.environ.get("CI"):
            pytest.fail(what)
        pytest.skip(what)
    folder = tmp_path_factory.mktemp("screen")
    ARTEFACTS.mkdir(parents=True, exist_ok=True)
    reading, writing = os.pipe()
    command = ["Xvfb", "-displayfd", str(writing), "-screen", "0", "1280x800x24", "-fbdir", str(folder), "-noreset"]
    server = subprocess.Popen(command, pass_fds=[writing], stderr=subprocess.DEVNULL)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        number = pipe.readline().strip()
    try:
        assert number, "Xvfb did not start"
        yield {
            **{name: value for name, value in os.environ.items() if name != "WAYLAND_DISPLAY"},
            "DISPLAY": f":{number}",
            "SCREEN": str(folder / "Xvfb_screen0"),
            "ARTEFACTS": str(ARTEFACTS),
        }
    finally:
        server.terminate()
        server.wait()
