"""What editors, type checkers and `help` know of the flock: its parameters by name, with their docs."""

import inspect
import subprocess
import sys
from pathlib import Path
from typing import get_args, get_type_hints

import pytest

import needs
from boids_env import Boids, FlockParameters, Flocks, VecEnv
from boids_env.env.describe import sentence
from builds import ROOT


def test_the_types_are_of_this_header(tmp_path: Path) -> None:
    subprocess.run([sys.executable, ROOT / "tools/parameter_types.py", tmp_path / "parameters.py"], check=True)
    written = (ROOT / "python/boids_env/env/parameters.py").read_text(encoding="utf-8")
    assert (tmp_path / "parameters.py").read_text(encoding="utf-8") == written, "python tools/parameter_types.py"


def test_each_parameter_has_its_type() -> None:
    types = get_type_hints(FlockParameters)
    assert types.keys() == VecEnv.parameters.keys()
    assert FlockParameters.__optional_keys__ == frozenset(types)
    for name, what in VecEnv.parameters.items():
        assert get_args(types[name]) == what["choices"] if what["choices"] else types[name].__name__ == what["type"]


@pytest.mark.parametrize("flock", [Flocks, Boids])
def test_the_signature_names_each_parameter(flock: type) -> None:
    """A prompt completes what it says."""
    signature = inspect.signature(flock)
    assert list(signature.parameters)[:3] == ["num_envs", "seed", "num_threads"]
    assert "parameters" not in signature.parameters
    for name, what in VecEnv.parameters.items():
        assert signature.parameters[name].default == what["default"]
        assert signature.parameters[name].kind is inspect.Parameter.KEYWORD_ONLY


@pytest.mark.parametrize("flock", [Flocks, Boids])
def test_help_lists_parameters_observation_and_reward(flock: type) -> None:
    text = inspect.getdoc(flock) or ""
    for name, what in VecEnv.parameters.items():
        assert f"\n    {name}: {sentence(what)}\n" in text
    for name, doc in VecEnv.observation_fields.items():
        assert f" {name}: {doc}\n" in text
    assert "\n    cohesion_weight x togetherness + alignment_weight x company x mean cosine - separation" in text


RIGHT = """
import numpy as np
from boids_env import Boids, FlockParameters, Flocks, VecEnv

world = FlockParameters(num_boids=3, width=100)
flocks = Flocks(2, seed=None, render_mode="ansi", **world)
other = Flocks(action="continuous", stagger=True, view_radius=90, speed=3.5)
boids = Boids(num_boids=3, log_interval=5)
array = np.zeros(1)
vec = VecEnv(array, array, array, array, array, num_envs=2, num_boids=3)
"""
WRONG = {
    "Flocks(num_boid=3)": 'Unexpected keyword argument "num_boid" for "Flocks"; did you mean "num_boids"?',
    "Boids(num_boid=3)": 'Unexpected keyword argument "num_boid" for "Boids"; did you mean "num_boids"?',
    "Flocks(num_boids=2.5)": 'Argument "num_boids" to "Flocks" has incompatible type "float"; expected "int"',
    'Flocks(action="left")': "has incompatible type \"Literal['left']\"; expected \"Literal['discrete', 'continuous']\"",
    'Flocks(render_mode="canvas")': "has incompatible type \"Literal['canvas']\"",
    "VecEnv(array, array, array, array, array, wings=2)": 'Unexpected keyword argument "wings" for "VecEnv"',
}


@pytest.mark.slow
def test_a_type_checker_finds_what_is_misspelt(tmp_path: Path) -> None:
    needs.package("mypy", "pip install mypy")
    (tmp_path / "user.py").write_text(RIGHT + "\n".join(WRONG))
    command = [sys.executable, "-m", "mypy", "--strict", "--ignore-missing-imports", "--cache-dir", str(tmp_path), "user.py"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=False)
    errors = [line for line in done.stdout.splitlines() if ": error: " in line]
    first = RIGHT.count("\n") + 1
    assert [int(error.split(":")[1]) for error in errors] == list(range(first, first + len(WRONG))), done.stdout
    for error, message in zip(errors, WRONG.values(), strict=True):
        assert message in error
