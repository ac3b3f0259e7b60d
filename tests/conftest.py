"""What several test files need: the modules that src/binding.c is compiled into."""

import importlib.machinery
import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parent.parent
BUILD = "cmake --preset default && cmake --build --preset default"
FOLDERS = {"_counter": "tests/counter", "_least": "tests/counter", "_squared": "examples/squared"}  # of their headers


def _build_of(name: str) -> Path:
    """The newest library of that name under build/. Ends the run where there is none, or only one older than its source."""
    suffixes = tuple(importlib.machinery.EXTENSION_SUFFIXES)
    found = [path for path in ROOT.glob(f"build/*/{name}.*") if path.name.removeprefix(name) in suffixes]
    if not found:
        pytest.exit(f"The tests need the module {name}, which is not built: {BUILD}", returncode=1)
    newest = max(found, key=lambda path: path.stat().st_mtime)
    sources = [ROOT / "src/binding.c", ROOT / "src/env.h", *(ROOT / FOLDERS[name]).glob("*.h")]
    if newest.stat().st_mtime < max(path.stat().st_mtime for path in sources):
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
def boids() -> ModuleType:
    """src/boids.h as a module, from the installed package."""
    from boids_env import _boids

    return _boids


@pytest.fixture(params=["counter", "boids"])
def module(request: pytest.FixtureRequest) -> ModuleType:
    """Each of the two in turn."""
    return request.getfixturevalue(request.param)
