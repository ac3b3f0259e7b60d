"""docs/apis.md: each block runs where its package is installed."""

import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from builds import ROOT

BLOCKS = re.findall(r"^```python\n(.*?)^```", (ROOT / "docs" / "apis.md").read_text(), re.M | re.S)
PACKAGES = {  # of each block, by a name that it imports
    "boids_env.gymnasium": "gymnasium",
    "boids_env.pettingzoo": "pettingzoo",
    "boids_env.sb3": "stable_baselines3",
    "boids_env.torchrl": "torchrl",
    "pufferlib": "pufferlib",
}


def package(block: str) -> str:
    (of,) = {package for name, package in PACKAGES.items() if re.search(rf"^\s*(from|import) {name}\b", block, re.M)}
    return of


def test_each_api_has_a_block() -> None:
    assert {package(block) for block in BLOCKS} == set(PACKAGES.values())


@pytest.mark.slow
@pytest.mark.parametrize("block", [block for block in BLOCKS if importlib.util.find_spec(package(block))], ids=package)
def test_the_block_runs(block: str, tmp_path: Path) -> None:
    command = [sys.executable, "-W", "ignore", "-c", block]
    one = {**os.environ, "OMP_NUM_THREADS": "1"}  # torch's threads wait for each other on a busy machine
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, env=one, check=False)
    assert done.returncode == 0, done.stderr
