"""How fast a flock steps from Python, beside PufferLib's own boids.

    python bench/speed.py                      # ours, and PufferLib's where it is installed
    python bench/speed.py --num-boids 64 --runs 15 --json speed.json

Both are stepped through their Python `step` with fresh actions, 4096 agents or one flock, on one thread, in turn: A B A B. A
figure is the median over the runs of agent-steps per second of CPU time, so that what else the machine does counts little.
"""

from __future__ import annotations

import argparse
import json
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from boids_env import Flocks

sys.path.insert(0, str(Path(__file__).parent))
SECONDS = 0.3  # of one run


def ours(num_envs: int, num_boids: int, **parameters: Any) -> tuple[Any, np.ndarray]:
    env = Flocks(num_envs=num_envs, num_boids=num_boids, **parameters)
    env.reset(0)
    return env, np.random.default_rng(0).integers(0, 5, (64, num_envs * num_boids)).astype(np.int32)


def stepper(env: Any, actions: np.ndarray) -> Callable[[], float]:
    """A run of about SECONDS that returns million agent-steps per CPU second."""

    def run(steps: int) -> float:
        start = time.process_time()
        for k in range(steps):
            env.step(actions[k % len(actions)])
        return steps * actions.shape[1] / (time.process_time() - start) / 1e6

    rate = run(8)
    steps = max(4, int(SECONDS * rate * 1e6 / actions.shape[1]))
    return lambda: run(steps)


def machine() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    names = [line.split(":")[1].strip() for line in lines if line.startswith("model name")]
    vector = next((name for name in ("avx512bw", "avx2", "ssse3") if any(f" {name}" in line for line in lines)), "scalar")
    name = names[0] if names else platform.processor()
    return f"{name} ({vector}), {platform.system()}, Python {platform.python_version()}"


def commit() -> str:
    command = ["git", "describe", "--always", "--dirty"]
    told = subprocess.run(command, capture_output=True, text=True, cwd=Path(__file__).parent)
    return told.stdout.strip() or "unknown"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--num-boids", type=int, nargs="+", default=[8, 64, 256, 1024], help="flock sizes (8 64 256 1024)")
    parser.add_argument("--runs", type=int, default=9, help="runs of each, in turn (9)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every run there too")
    options = parser.parse_args()

    makers: dict[str, Callable[[int, int], tuple[Any, np.ndarray]]] = {
        "rules": ours,
        "nearest": lambda num_envs, num_boids: ours(num_envs, num_boids, observation="nearest"),
    }
    try:
        from peers import pufferlib_boids

        pufferlib_boids.build()
        makers["PufferLib 3.0.0 boids"] = pufferlib_boids.make
    except ImportError as error:
        print(f"without PufferLib's boids: {error}", file=sys.stderr)

    print(f"{machine()}, commit {commit()}")
    print(f"million agent-steps per CPU second, one thread, median of {options.runs} (least - most)")
    results: dict[str, dict[str, list[float]]] = {}
    for num_boids in options.num_boids:
        num_envs = max(1, 4096 // num_boids)
        steppers = {name: stepper(*make(num_envs, num_boids)) for name, make in makers.items()}
        runs: dict[str, list[float]] = {name: [] for name in steppers}
        for _ in range(options.runs):
            for name, run in steppers.items():
                runs[name].append(run())
        results[str(num_boids)] = runs
        for name, rates in runs.items():
            spread = f"({min(rates):.2f} - {max(rates):.2f})"
            print(f"{num_boids:6} boids  {name:22} {statistics.median(rates):8.2f}  {spread}", flush=True)
        if "PufferLib 3.0.0 boids" in runs:
            ratios = [a / b for a, b in zip(runs["rules"], runs["PufferLib 3.0.0 boids"], strict=True)]
            print(f"{num_boids:6} boids  rules / PufferLib's    {statistics.median(ratios):7.1f}x")
    if options.json:
        options.json.write_text(json.dumps({"machine": machine(), "commit": commit(), "runs": results}, indent=1))


if __name__ == "__main__":
    main()
