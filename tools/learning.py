"""Measures what the learner learns: every table and figure of docs/learning.md.

    python tools/learning.py [FOLDER]

Writes docs/learning.json and docs/learning-*.png, and prints the tables. It takes about a quarter of an hour of one core.
What it has measured lies in FOLDER (build/learning), a file for each training; a second run goes on from there, so remove
the folder after a change of the C. Scores are those of `boids score`: flocks that no training has seen, the last 200 of 800
steps, turns drawn. Needs matplotlib.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from time import process_time
from typing import Any

import learning_show
import numpy as np

from boids_env import Flocks, VecEnv
from boids_env._boids import Learner
from boids_env.learn.score import EVALUATION_SEED, score, summarize

ROOT = Path(__file__).resolve().parent.parent
STEPS, LAST, FLOCKS = 800, 200, 8  # of a flight that is scored

# of the learner, and of the flocks it learns in: dense as the default world, with room for groups that must find each other
RECIPE: dict[str, Any] = {
    "rollout": 16, "minibatch": 2048, "epochs": 2, "gamma": 0.9, "gae_lambda": 0.9, "entropy": 0.03,
    "learning_rate": 0.003, "annealing": "linear", "policy_width": 32, "value_width": 32,
    "num_envs": 2, "num_boids": 256, "width": 2160, "height": 1440, "horizon": 2000,
}  # fmt: skip
SMALL = {"num_envs": 8, "num_boids": 64, "width": 1080, "height": 720}  # as many boids, in the world that is scored
PHASE = {"num_boids": 64, "width": 720, "height": 720, "view_radius": 300, "separation_radius": 12, "collision_radius": 4,
         "flockmates": 63, "cohesion_weight": 1}  # fmt: skip
MILL = PHASE | {"alignment_weight": -0.3}
NEAREST = {"observation": "nearest"}
IN_PHASE = {"num_envs": 8, "horizon": 1000, "gamma": 0.95, "entropy": 0.01}
WEIGHTS = {"school": 0.3, "mill": -0.3, "swarm": -10}  # of alignment: all in which the named settings differ


@dataclass(frozen=True, eq=False)  # so that two are one if they are the same object, and may be a key
class Case:
    """A training.

    Args:
        world: parameters of the flocks that it learns in and is scored in, where they are not the default.
        train: what differs from RECIPE and `world` in training alone.
    """

    name: str
    world: dict[str, Any] = field(default_factory=dict)
    train: dict[str, Any] = field(default_factory=dict)
    agent_steps: int = 3_000_000

    def learner(self, seed: int) -> Learner:
        """One that has learned nothing yet."""
        values = RECIPE | self.world | self.train
        parameters = {name: value for name, value in values.items() if name in VecEnv.parameters}
        settings = {name: value for name, value in values.items() if name in Learner.settings}
        flocks = Flocks(values["num_envs"], seed=seed, **parameters)
        flocks.reset()
        return Learner(flocks.vec, seed=seed, anneal_steps=self.agent_steps, **settings)


def sized(area: float) -> dict[str, float]:
    """The sides of a world as large as so many default worlds."""
    return {"width": 1080 * area**0.5, "height": 720 * area**0.5}


def both(**width: int) -> dict[str, int]:
    """The same size for the policy and for the value function."""
    return {f"{network}_{name}": value for name, value in width.items() for network in ("policy", "value")}


MAIN = Case("32 x 32, 8 M", agent_steps=8_000_000)
FAST = Case("16 x 16, 1 M", {}, {**both(width=16), "minibatch": 1024, "horizon": 1000}, 1_000_000)
FAR = Case("view radius 150", {"view_radius": 150}, agent_steps=8_000_000)
ABLATIONS = {
    "": [Case("the recipe, 3 M agent-steps")],
    "symmetry": [Case("no mirror", {}, {"mirror": False})],
    "reward": [Case(f"no {term}", {}, {f"{term}_weight": 0}) for term in ("cohesion", "alignment", "separation")],
    "flocks in training": [
        Case("8 flocks of 64", {}, SMALL),
        Case("the same, episodes of 400 steps", {}, {**SMALL, "horizon": 400}),
        Case("the same, and a truncation is an end", {}, {**SMALL, "horizon": 400, "bootstrap": False}),
        Case("episodes of 1,000 steps", {}, {"horizon": 1000}),
        Case("episodes of 4,000 steps", {}, {"horizon": 4000}),
    ],
    "discount": [Case(f"gamma {gamma}", {}, {"gamma": gamma}) for gamma in (0.8, 0.95, 0.99)],
    "network": [
        Case("no hidden layer", {}, both(layers=0)),
        Case("one layer of 8", {}, both(layers=1, width=8)),
        Case("one layer of 32", {}, both(layers=1)),
        Case("16 x 16", {}, both(width=16)),
        Case("64 x 64", {}, both(width=64)),
        Case("32 x 32 x 32", {}, both(layers=3)),
    ],
    "optimization": [
        Case("1 epoch", {}, {"epochs": 1}),
        Case("4 epochs", {}, {"epochs": 4}),
        Case("minibatch 512", {}, {"minibatch": 512}),
        Case("minibatch 8192", {}, {"minibatch": 8192}),
        Case("no annealing", {}, {"annealing": "none"}),
        Case("cosine annealing", {}, {"annealing": "cosine"}),
        Case("no entropy", {}, {"entropy": 0}),
        Case("entropy .01", {}, {"entropy": 0.01}),
    ],
    "what it sees and does": [
        Case("observation `nearest`", NEAREST),
        Case("continuous turns", {"action": "continuous"}),
        Case("continuous turns, `nearest`", {"action": "continuous", **NEAREST}),
    ],
    "other worlds": [
        *(Case(f"view radius {view}", {"view_radius": view}) for view in (75, 150, 200)),
        Case("half the density", {"num_boids": 32}, {"num_boids": 128, "num_envs": 4}),
        Case("twice the density", {"num_boids": 128}, {"num_boids": 512, "num_envs": 1}),
    ],
}  # fmt: skip
PHASES = [
    *(Case(name, PHASE | NEAREST | {"alignment_weight": weight}, IN_PHASE, 6_000_000) for name, weight in WEIGHTS.items()),
    Case("mill without a mirror", MILL, IN_PHASE | {"mirror": False}, 4_000_000),
    Case("mill, `rules`", MILL, IN_PHASE, 4_000_000),
    Case("no alignment", PHASE | {"alignment_weight": 0}, IN_PHASE, 2_000_000),
]
SIZES = (16, 64, 256, 1000, 4000, 16_000, 100_000)
DENSITIES = (0.5, 1.0, 2.0)  # of the default world's
VIEWS = (30, 40, 50, 60, 75, 100, 125, 150, 200, 250)
CHANGES = [{"speed": 2}, {"speed": 8}, {"max_turn": 7.5, "gentle_turn": 2.5}, {"max_turn": 30, "gentle_turn": 10},
           {"separation_radius": 12, "collision_radius": 4}, {"separation_radius": 50}]  # fmt: skip


def fly(learner: Learner, world: Mapping[str, Any], seeds: int = 5, num_envs: int = FLOCKS) -> dict[str, float]:
    """The log of a policy in flocks with these parameters, and how many of them circle counter-clockwise."""
    logs, left = [], 0
    centre_left = list(VecEnv.observation_fields).index("centre_left")
    for seed in range(seeds):
        flight = {**world, "horizon": STEPS, "warmup": STEPS - LAST, "stagger": False}
        with Flocks(num_envs, seed=EVALUATION_SEED + seed, **flight) as flocks:
            flocks.reset()
            for t in range(STEPS):
                if t == STEPS - 1:
                    left += int((flocks.observations[:, centre_left].reshape(num_envs, -1).mean(1) > 0).sum())
                learner.act(flocks.vec, step=t)
                flocks.step()
            logs.append(flocks.log())
    return {name: float(np.mean([log[name] for log in logs])) for name in logs[0]} | {"left": left / seeds / num_envs}


def learn(learner: Learner, agent_steps: int) -> float:
    """Learns up to so many agent-steps. Returns the seconds of CPU time."""
    start = process_time()
    learner.learn(max(0, agent_steps - learner.agent_steps))
    return process_time() - start


@cache
def trained(case: Case) -> Learner:
    """The learner of seed 1 when it is done; kept, because it is scored in many worlds."""
    learner = case.learner(1)
    learn(learner, case.agent_steps)
    return learner


def kept(folder: Path, name: str, about: Any, measure: Callable[..., Any], *args: Any) -> Any:
    """What `measure(*args)` returns; from a file if it was measured before. about: all that it depends on."""
    key = hashlib.sha256(json.dumps([name, about], sort_keys=True).encode()).hexdigest()[:12]
    path = folder / f"{''.join(c if c.isalnum() else '-' for c in name)}-{key}.json"
    if not path.exists():
        print(f"▸ {name}", file=sys.stderr)
        partial = path.with_suffix(".partial")
        partial.write_text(json.dumps(measure(*args)))
        partial.replace(path)
    return json.loads(path.read_text())


def training(folder: Path, case: Case, seed: int, curve: bool = False) -> dict[str, Any]:
    """Trains, and scores: the log of `fly`, with `seconds` of CPU time; `curve`: the same of some moments on the way."""

    def measure() -> dict[str, Any]:
        learner, seconds, points = case.learner(seed), 0.0, []
        for steps in np.geomspace(16_384, case.agent_steps, 24) if curve else [case.agent_steps]:
            seconds += learn(learner, round(steps))
            flown = fly(learner, case.world, 5 if learner.agent_steps >= case.agent_steps else 1)
            points.append(flown | {"seconds": seconds, "steps": learner.agent_steps})
        return points[-1] | ({"curve": points} if curve else {})

    return kept(folder, f"{case.name}, seed {seed}", [RECIPE, case.world, case.train, case.agent_steps, curve], measure)


def flight(case: Case) -> list[list[list[float]]]:
    """(steps, 2, boids) positions at the end of a flight, in units of the world's sides, for the picture of a phase."""
    learner, frames = trained(case), []
    with Flocks(1, seed=EVALUATION_SEED, **case.world, horizon=10 * STEPS) as flocks:
        flocks.reset()
        for t in range(STEPS):
            learner.act(flocks.vec, step=t)
            flocks.step()
            places = [np.frombuffer(flocks.vec.get(axis), np.uint32) / 2**32 for axis in "xy"]
            frames.append(np.round(places, 4).tolist())
    return frames[-20:]


def measure_all(folder: Path) -> dict[str, Any]:
    """Everything, by table."""

    def of_main(name: str, worlds: Mapping[str, dict[str, Any]], seeds: int = 5) -> dict[str, dict[str, float]]:
        """The policy of seed 1, in these worlds."""

        def measure(world: dict[str, Any]) -> dict[str, float]:
            many = max(1, min(8 * FLOCKS // seeds, 16_384 // world.get("num_boids", 64)))
            return fly(trained(MAIN), world, seeds, many)

        about = [RECIPE, MAIN.agent_steps, seeds]
        return {key: kept(folder, f"{name} {key}", [*about, world], measure, world) for key, world in worlds.items()}

    def baselines(world: dict[str, Any]) -> dict[str, dict[str, float]]:
        board = summarize(score(["random", "reynolds"], parameters=world))
        return {policy: {name: value["mean"] for name, value in row.items()} for policy, row in board.items()}

    def runs(cases: Sequence[Case], seeds: int, curve: bool = False) -> dict[str, list[dict[str, Any]]]:
        return {case.name: [training(folder, case, seed, curve) for seed in range(1, seeds + 1)] for case in cases}

    views = {str(view): {"view_radius": view} for view in VIEWS}
    return {
        "baselines": {
            view: kept(folder, f"baselines at {view}", views[view], baselines, views[view]) for view in ("100", "150")
        },
        "seeds": runs([MAIN, FAST], 8, curve=True) | runs([FAR], 8),
        "ablations": {group: runs(cases, 3) for group, cases in ABLATIONS.items()},
        "phases": runs(PHASES, 4),
        "sizes": {
            str(density): of_main(f"density {density}, boids", {
                str(n): {"num_boids": n, **sized(n / 64 / density)} for n in SIZES
            }, seeds=1)
            for density in DENSITIES
        },
        "views": {
            "learned at 100": of_main("view radius", views),
            "learned there": {
                view: training(folder, Case(f"learned at view radius {view}", world), 1) for view, world in views.items()
            },
        },
        "changes": of_main("with", {", ".join(f"{name} {value}" for name, value in c.items()): c for c in CHANGES}),
    }  # fmt: skip


UNUSED = set(VecEnv.log_fields) - {*learning_show.COLUMNS, "milling"}


def short(value: Any) -> Any:
    """A content with the figures that the tables and the charts show, to five places."""
    if isinstance(value, dict):
        return {key: short(item) for key, item in value.items() if key not in UNUSED}
    if isinstance(value, list):
        return [short(item) for item in value]
    return round(value, 5)


def main() -> None:
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "build/learning"
    folder.mkdir(parents=True, exist_ok=True)
    content = measure_all(folder)
    (ROOT / "docs/learning.json").write_text(json.dumps({"recipe": RECIPE, **short(content)}, indent=1) + "\n")
    learning_show.tables(content)
    flights = {
        case.name: kept(folder, f"flight, {case.name}", [RECIPE, case.world, case.train], flight, case)
        for case in PHASES[:3]
    }
    learning_show.figures(content, flights, ROOT / "docs")


if __name__ == "__main__":
    main()
