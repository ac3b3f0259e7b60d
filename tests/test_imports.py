"""The package's modules: each can be imported alone, none imports in a circle, and what needs no extra imports none."""

import ast
import importlib
from pathlib import Path

import pytest

import boids_env
from interpreter import OPTIONAL, python

PACKAGE = Path(boids_env.__file__).parent
NEED_PUFFERLIB = {"boids_env.env.boids", "boids_env.env.puffer", "boids_env.learn.network", "boids_env.learn.pufferl"}

# the adapters to other APIs, and the package of each
ADAPTERS = {
    "boids_env.env.spaces": "gymnasium",
    "boids_env.gymnasium": "gymnasium",
    "boids_env.pettingzoo": "pettingzoo",
    "boids_env.sb3": "stable_baselines3",
    "boids_env.torchrl": "torchrl",
}
NEED_MORE = NEED_PUFFERLIB | {*ADAPTERS}


def name_of(path: Path) -> str:
    return ".".join(("boids_env", *path.relative_to(PACKAGE).with_suffix("").parts)).removesuffix(".__init__")


MODULES = {name_of(path): path for path in sorted(PACKAGE.rglob("*.py"))}


def imports_of(source: str, known: set[str]) -> set[str]:
    """The modules among `known` that a module names in an import, at its top or in a function, or under TYPE_CHECKING."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "expected absolute imports"
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                found.add(inner if inner in known else str(node.module))
    return found & known


def circle(graph: dict[str, set[str]]) -> list[str]:
    """Modules that import each other in a circle, or none."""
    done: set[str] = set()

    def visit(name: str, path: list[str]) -> list[str]:
        if name in path:
            return [*path[path.index(name) :], name]
        if name not in done:
            for other in sorted(graph[name]):
                if found := visit(other, [*path, name]):
                    return found
            done.add(name)
        return []

    for name in graph:
        if found := visit(name, []):
            return found
    return []


def test_no_circle() -> None:
    known = {*MODULES, "boids_env._boids"}
    graph = {"boids_env._boids": set(), **{name: imports_of(path.read_text(), known) for name, path in MODULES.items()}}
    assert circle(graph) == []
    assert graph["boids_env.show.watch"] >= {"boids_env.env.flocks", "boids_env.show.terminal"}
    assert graph["boids_env"] >= {"boids_env._boids", "boids_env.env.flocks"}


@pytest.mark.parametrize(
    ("sources", "found"),
    [
        ({"a": "import b", "b": "import c", "c": ""}, []),
        ({"a": "import b", "b": "def f():\n    from c import x", "c": "from a import y"}, ["a", "b", "c", "a"]),
        ({"a": "import a"}, ["a", "a"]),
    ],
)
def test_a_circle_is_found(sources: dict[str, str], found: list[str]) -> None:
    assert circle({name: imports_of(source, set(sources)) for name, source in sources.items()}) == found


@pytest.mark.slow
def test_each_module_alone() -> None:
    """In a fresh interpreter each: one that only works after another has been imported fails here."""
    without = {name for name, package in ADAPTERS.items() if importlib.util.find_spec(package) is None}
    names = sorted(set(MODULES) - without - {"boids_env.__main__"})
    code = "import importlib; importlib.import_module({!r})"
    failed = {name: done.stderr for name in names if (done := python(code.format(name))).returncode}
    assert failed == {}


def test_numpy_is_enough_for_all_but_training() -> None:
    names = sorted(set(MODULES) - NEED_MORE - {"boids_env.__main__"})
    done = python(f"import importlib\nfor name in {names}: importlib.import_module(name)", hidden=OPTIONAL)
    assert done.returncode == 0, done.stderr
    for name in NEED_MORE:
        assert importlib.util.find_spec(name) is not None


@pytest.mark.parametrize("name", sorted(set(ADAPTERS) - {"boids_env.env.spaces"}))
def test_an_adapter_says_what_to_install(name: str) -> None:
    done = python(f"import {name}", hidden=(*OPTIONAL, "pettingzoo", "stable_baselines3", "torchrl"))
    extra = name.removeprefix("boids_env.")
    assert done.stderr.strip().splitlines()[-1].startswith(f"ImportError: {name} needs ")
    assert done.stderr.strip().endswith(f", which is not installed: pip install 'boids-env[{extra}]'")


def test_names_of_the_package() -> None:
    """What a prompt completes: all that is public and nothing else."""
    assert dir(boids_env) == sorted([*boids_env.__all__, "Boids", "puffer_env", "__version__"])
    for name in dir(boids_env):
        assert getattr(boids_env, name)
    with pytest.raises(AttributeError, match="no attribute 'boids'"):
        _ = boids_env.boids
