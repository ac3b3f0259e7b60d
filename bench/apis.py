"""How fast flocks step through each API, and how fast each trainer learns on them, beside the learner in C.

    python tools/test_apis.py --install    # the Pythons that have them, under build/apis
    python bench/apis.py                   # measures, prints, writes docs/apis.json

All on one core with one thread, by processor time, in turn: A B A B. A figure is the median of the rounds. The trainers are
the examples of examples/trainers, on 8 flocks of 64 with equal settings; what they print is measured from the first step to
the last update, and the reward is that of the first and the last rollout.
"""

from __future__ import annotations

import argparse
import re
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
from speed import Peer

from boids_env import Flocks, _boids, bench

ROOT = Path(__file__).resolve().parent.parent
PYTHONS = {"": sys.executable} | {name: str(ROOT / "build/apis" / name / "bin/python") for name in ("current", "rllib")}
# name: title, the set of packages ("" is this Python's), agents
APIS = {
    "flocks": ("`Flocks`, NumPy alone", "", 4096),
    "pufferlib": ("`Boids`, PufferLib 3", "", 4096),
    "gymnasium": ("Gymnasium `VectorEnv`", "current", 4096),
    "gymnasium_next_step": ("the same, NEXT_STEP", "current", 4096),
    "gymnasium_shared": ("the same, `copy=False`", "current", 4096),
    "sb3": ("Stable-Baselines3 `VecEnv`", "current", 4096),
    "torchrl": ("TorchRL `Env`", "current", 4096),
    "pettingzoo": ("PettingZoo `parallel_env`, one flock", "current", 64),
}
# name: title, the set, agent-steps
TRAINERS = {
    "native": ("the learner in C, as `boids train`", "", 300_000),
    "pufferlib_ppo": ("PufferLib 3, PuffeRL", "", 100_000),
    "cleanrl_ppo": ("one file, as CleanRL", "current", 100_000),
    "sb3_ppo": ("Stable-Baselines3", "current", 100_000),
    "torchrl_ppo": ("TorchRL", "current", 100_000),
    "skrl_ppo": ("skrl", "current", 100_000),
    "rllib_ppo": ("RLlib", "rllib", 30_000),
}


def native(agent_steps: int) -> tuple[float, float, float]:
    """What an example prints, of the learner in C with their settings."""
    with Flocks(8, num_boids=64, seed=1) as flocks:
        flocks.reset()
        learner = _boids.Learner(
            flocks.vec, seed=1, rollout=16, minibatch=1024, epochs=2, learning_rate=3e-3, gamma=0.95, gae_lambda=0.9,
            entropy=0.02, annealing="linear", anneal_steps=agent_steps, policy_width=32, value_width=32, mirror=False,
        )  # fmt: skip
        curve, began = [], time.process_time()
        while learner.agent_steps < agent_steps:
            learner.learn(1)
            curve.append(learner.log()["reward"])
        return curve[0], curve[-1], learner.agent_steps / (time.process_time() - began) / 1e3


def train(name: str) -> tuple[float, float, float]:
    """Reward at first, reward at last, thousand agent-steps per CPU second."""
    _, where, agent_steps = TRAINERS[name]
    if name == "native":
        return native(agent_steps)
    command = [PYTHONS[where], ROOT / "examples" / "trainers" / f"{name}.py", "--agent-steps", agent_steps]
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=True, cwd=ROOT / "build")
    first, last, speed = map(float, re.findall(r"-?[.\d]+", done.stdout.splitlines()[-1]))
    return first, last, speed


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7, help="of the steps (7)")
    parser.add_argument("--seconds", type=float, default=0.3, help="of a run (0.3)")
    parser.add_argument("--trainings", type=int, default=3, help="of each trainer (3)")
    parser.add_argument(
        "--trainers", nargs="*", choices=TRAINERS, default=list(TRAINERS), metavar="NAME", help=", ".join(TRAINERS)
    )
    parser.add_argument("--python", nargs="+", default=[], metavar="SET=PATH", help="the Python that has a set of packages")
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "apis.json", help="docs/apis.json")
    options = parser.parse_args()
    PYTHONS.update(text.split("=", 1) for text in options.python)

    said = bench.about("python bench/apis.py", ROOT)
    peers = {name: Peer("api_steps", PYTHONS[where], [name]) for name, (_, where, _) in APIS.items()}
    times = bench.paired(peers, options.rounds, options.seconds)
    steps = {name: [APIS[name][2] / t.cpu / 1e6 for t in of_run] for name, of_run in times.items()}
    for peer in peers.values():
        peer.close()
    trained: dict[str, list[Any]] = {name: [] for name in options.trainers}
    for _ in range(options.trainings):
        for name in options.trainers:
            trained[name].append(train(name))
            print(name, trained[name][-1], file=sys.stderr, flush=True)

    print(bench.headline(said))
    print("\n| API | million agent-steps per CPU second | `Flocks` takes so much of its time |\n|---|---|---|")
    for name, (title, _, _) in APIS.items():
        share = statistics.median(a / b for a, b in zip(steps[name], steps["flocks"], strict=True))
        print(f"| {title} | {statistics.median(steps[name]):.3g} | {100 * share:.0f} % |")
    print("\n| trainer | thousand agent-steps per CPU second | agent-steps | reward |\n|---|---|---|---|")
    for name, runs in trained.items():
        first, last, speed = np.median(runs, axis=0)
        print(f"| {TRAINERS[name][0]} | {speed:,.3g} | {TRAINERS[name][2]:,} | {first:.2f} to {last:.2f} |")
    bench.write_json(options.out, about=said, steps=steps, trainers=trained)


if __name__ == "__main__":
    main()
