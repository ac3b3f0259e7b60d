"""Each example of a trainer, of those whose packages are installed, learns to flock."""

import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from builds import ROOT

# name: the package it needs, agent-steps, the least that the reward of an agent-step must gain
EXAMPLES = {
    "cleanrl_ppo": ("gymnasium", 150_000, 0.3),
    "pufferlib_ppo": ("pufferlib", 150_000, 0.3),
    "sb3_ppo": ("stable_baselines3", 150_000, 0.3),
    "torchrl_ppo": ("torchrl", 150_000, 0.3),
    "skrl_ppo": ("skrl", 150_000, 0.3),
    "rllib_ppo": ("ray.rllib", 60_000, 0.15),
}


def installed(package: str) -> bool:
    """Also true of what the variable APIS names: there it must be."""
    root, _, _ = package.partition(".")
    if root == "ray" and importlib.util.find_spec("dm_tree") is None and importlib.util.find_spec("tree") is None:
        return False  # Ray without RLlib
    return importlib.util.find_spec(root) is not None or root in os.environ.get("APIS", "").split()


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name, (package, _, _) in EXAMPLES.items() if installed(package)])
def test_it_learns(name: str, tmp_path: Path) -> None:
    _, agent_steps, gain = EXAMPLES[name]
    command = [sys.executable, str(ROOT / "examples" / "trainers" / f"{name}.py"), "--agent-steps", str(agent_steps)]
    one = {**os.environ, "OMP_NUM_THREADS": "1"}  # threads of torch wait for each other on a busy machine
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, env=one, check=False)
    assert done.returncode == 0, done.stderr
    said = re.fullmatch(
        r"reward (-?[.\d]+) to (-?[.\d]+), ([.\d]+) k agent-steps per CPU second", done.stdout.splitlines()[-1]
    )
    assert said, done.stdout
    assert float(said[2]) > float(said[1]) + gain
    assert float(said[3]) > 0


def test_each_example_is_tested() -> None:
    assert sorted(EXAMPLES) == sorted(path.stem for path in (ROOT / "examples" / "trainers").glob("*.py"))
