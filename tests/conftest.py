"""What several test files need: the modules that src/binding.c is compiled into, and a display."""

import ctypes.util
import gc
import importlib.machinery
import importlib.util
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from types import ModuleType

import pytest

import needs
from builds import ARTEFACTS, newest

# A shell starts background jobs with SIGINT ignored, and their children inherit that. The tests of Ctrl-C need it.
signal.signal(signal.SIGINT, signal.default_int_handler)

HEADERS = {
    "_counter": "tests/counter/module.h",
    "_least": "tests/counter/least.h",
    "_squared": "examples/squared/squared.h",
    "_snake": "examples/snake/snake.h",
    "_cartpole": "examples/cartpole/cartpole.h",
}


def _load(name: str) -> ModuleType:
    """A module of the build. The sanitizers' run has a build of its own on the path."""
    spec = importlib.util.find_spec(name)
    if spec is None:
        path = newest(name, importlib.machinery.EXTENSION_SUFFIXES, "src/binding.c", HEADERS[name])
        spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    sys.modules.setdefault(name, module)
    return module


@pytest.fixture(scope="session", autouse=True)
def _frozen() -> Iterator[None]:
    """gc.collect(), which many tests call, leaves out what they have imported. With torch that is half a second a call."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


@pytest.fixture(scope="session")
def counter() -> ModuleType:
    """tests/counter/counter.h as a module: an environment that is not boids, to test that the binding knows none."""
    return _load("_counter")


@pytest.fixture(scope="session")
def least() -> ModuleType:
    """tests/counter/least.h as a module: the least that env.h asks for."""
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
def cartpole() -> ModuleType:
    """examples/cartpole/cartpole.h as a module."""
    return _load("_cartpole")


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
    packages = "apt-get install xvfb xdotool libgl1 libgl1-mesa-dri"
    needs.program("Xvfb", packages)
    needs.program("xdotool", packages)
    if ctypes.util.find_library("GL") is None:
        needs.missing("libGL", packages)
    needs.package("raylib", "pip install raylib")
    needs.package("PIL", "pip install pillow")
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
