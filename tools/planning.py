"""Measures what looking ahead brings: every table and figure of docs/planning.md.

    python tools/planning.py [FOLDER]

Writes docs/planning.json and docs/planning.png, and the tables into docs/planning.md. What it has measured lies in FOLDER
(build/planning), a file for each row; a second run goes on from there, so remove the folder after a change of the C. Scores
are those of `boids score`: flocks that no training has seen, the last 200 of 800 steps, turns drawn. Needs matplotlib.
"""

from __future__ import annotations

import contextlib
import io
import json
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from time import process_time
from typing import Any

import learning_show
import numpy as np
from learning import kept

from boids_env import Flocks, load_policy
from boids_env.learn.config import load, setting_parameters
from boids_env.learn.distil import AGENT_STEPS, FLOCKS, distil
from boids_env.learn.score import EVALUATION_SEED
from boids_env.learn.train import train

ROOT = Path(__file__).resolve().parent.parent
STEPS, LAST, SEEDS = 800, 200, 5  # of a flight that is scored
FEW = 12  # steps for which every candidate is flown in a whole flock, to compare advantages

ROWS = {
    "Reynolds' rules": "reynolds", "the policy, drawn": "learned",
    **{f"horizon {h}": f"planner:horizon={h}" for h in (1, 2, 3, 5, 10, 20)},
    "horizon 5, one flight": "planner:flights=1", "horizon 5, eight flights": "planner:flights=8",
    "no policy, horizon 1": "planner:horizon=1,flights=1,prior=none", "no policy, horizon 5": "planner:prior=none",
}  # fmt: skip
WHOLE = {"whole flocks, own reward": "planner:others=flying", "whole flocks, team reward": "planner:others=team"}
WORLDS = ("wide", "crowd", "company")
IN_WORLDS = ("policy", "horizon 5", "horizon 10")
TAUGHT = {  # planner, observation, agent-steps, width
    "from nothing, horizon 1, into `rules`": ("planner:horizon=1,flights=1,prior=none", "rules", AGENT_STEPS, 32),
    "the policy's horizon 5, into `rules`": ("planner", "rules", 400_000, 32),
    "the policy's horizon 5, into `nearest`": ("planner", "nearest", 400_000, 32),
}


def fly(which: str, parameters: Mapping[str, Any], flocks: int = 8, seeds: int = SEEDS) -> dict[str, Any]:
    """The reward of each seed, and agent-steps a second of processor time, stepping included."""
    rewards, seconds = [], 0.0
    for seed in range(seeds):
        policy = load_policy(which, seed=seed)
        flight = {**policy.interface, **parameters, "horizon": STEPS, "warmup": STEPS - LAST, "stagger": False}
        with Flocks(flocks, seed=EVALUATION_SEED + seed, **flight) as env:
            env.reset()
            start = process_time()
            for _ in range(STEPS):
                policy.act(env)
                env.step()
            seconds += process_time() - start
            rewards.append(env.log()["reward"])
            agent_steps = STEPS * env.vec.num_agents
    return {"rewards": rewards, "speed": seeds * agent_steps / seconds}


def correlation(horizon: int) -> float:
    """Of what each turn brings beyond the mean turn, frozen and in whole flocks, flown apart from equal states."""
    differences: list[list[Any]] = [[], []]
    ways = "frozen", "flying"
    planners: list[Any] = [load_policy(f"planner:horizon={horizon},flights=4,others={others}") for others in ways]
    with Flocks(1, seed=EVALUATION_SEED, horizon=10_000) as env:
        env.reset()
        for step in range(FEW):
            for _ in range(25):  # apart from each other
                load_policy("learned", seed=step).act(env)
                env.step()
            for planner, values in zip(planners, differences, strict=True):
                planner.act(env)
                expected = planner.expected()
                values.append(expected - expected.mean(1, keepdims=True))
    one, other = (np.concatenate(values).ravel() for values in differences)
    return float(np.corrcoef(one, other)[0, 1])


def in_world(setting: str, seed: int) -> dict[str, float]:
    """The rewards of a policy that was trained in a named setting, and of looking ahead with it, mean over unseen seeds."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "run"
        with contextlib.redirect_stdout(io.StringIO()):
            train(load({"learn.seed": seed}, setting=setting), out)
        names = {"policy": str(out), **{f"horizon {h}": f"planner:{out},horizon={h}" for h in (5, 10)}}
        scores = {name: fly(which, setting_parameters(setting), 3, 2)["rewards"] for name, which in names.items()}
    return {name: float(np.mean(rewards)) for name, rewards in scores.items()}


def taught(planner: str, observation: str, agent_steps: int, width: int, seed: int) -> dict[str, float]:
    """The reward of a policy that a planner taught, and the seconds of processor time that it took."""
    own = {f"env.{name}": value for name, value in FLOCKS.items()} | {"env.observation": observation}
    config = load({**own, "learn.agent_steps": agent_steps, "learn.policy_width": width, "learn.seed": seed})
    with tempfile.TemporaryDirectory() as folder:
        out, start = Path(folder) / "run", process_time()
        with contextlib.redirect_stdout(io.StringIO()):
            distil(planner, config, out)
        seconds = process_time() - start
        return {"reward": float(np.mean(fly(str(out), {})["rewards"])), "seconds": seconds}


def measure_all(folder: Path) -> dict[str, Any]:
    """Everything, by table."""
    rows = {name: kept(folder, name, which, fly, which, {}) for name, which in ROWS.items()}
    rows |= {name: kept(folder, name, which, fly, which, {}, 2, 2) for name, which in WHOLE.items()}
    return {
        "rows": rows,
        "correlation": {
            str(h): kept(folder, f"correlation, horizon {h}", [h, FEW], correlation, h) for h in (1, 2, 3, 5, 10)
        },
        "worlds": {
            name: [kept(folder, f"{name}, seed {seed}", [name, seed], in_world, name, seed) for seed in (1, 2, 3)]
            for name in WORLDS
        },
        "taught": {
            name: [kept(folder, f"{name}, seed {seed}", [*case, seed], taught, *case, seed) for seed in (1, 2, 3, 4)]
            for name, case in TAUGHT.items()
        },
    }  # fmt: skip


def tables(content: Mapping[str, Any]) -> dict[str, str]:
    """Each as markdown, by the name that docs/planning.md has for it."""

    def table(columns: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
        lines = ["", f"| {' | '.join(columns)} |", f"|{'---|' * len(columns)}", *(f"| {' | '.join(row)} |" for row in rows)]
        return "\n".join([*lines, "", ""])

    usual = content["rows"]["the policy, drawn"]["rewards"]
    flown = []
    for name, row in content["rows"].items():
        rewards = row["rewards"]
        over = [a - b for a, b in zip(rewards, usual, strict=False)]
        many = len(rewards) == len(usual) and name != "the policy, drawn"
        flown.append((
            name, f"{np.mean(rewards):.3f}", f"{np.mean(over):+.3f}" if many else "", f"{min(over):+.3f}" if many else "",
            f"{row['speed'] / 1e3:,.3g} k" if row["speed"] < 1e6 else f"{row['speed'] / 1e6:.2g} M",
        ))  # fmt: skip
    worlds = []
    for name, runs in content["worlds"].items():
        means = [float(np.mean([run[key] for run in runs])) for key in IN_WORLDS]
        over = max(means[1:]) - means[0]
        worlds.append((f"*{name}*", *(f"{mean:.3f}" for mean in means), f"{over:+.3f}"))
    teaching = [
        (name, *(f"{value:.3f}" for value in (min(r["reward"] for r in runs), np.mean([r["reward"] for r in runs]))),
         f"{np.mean([r['seconds'] for r in runs]):.1f}")
        for name, runs in content["taught"].items()
    ]  # fmt: skip
    return {
        "flown": table(("who flies", "reward", "over the policy", "on the worst seed", "agent-steps/s, one core"), flown),
        "correlation": table(
            ("horizon", *content["correlation"]), [("correlation", *(f"{c:.2f}" for c in content["correlation"].values()))]
        ),
        "worlds": table(("", *IN_WORLDS, "the best over the policy"), worlds),
        "taught": table(("", "worst of four seeds", "mean", "CPU seconds"), teaching),
    }


def figure(content: Mapping[str, Any], path: Path) -> None:
    """The reward against the horizon, frozen, with what each costs; and the correlation of advantages."""
    figure, (left, right) = learning_show._figure(2, 10, 4)
    rows = content["rows"]
    horizons = [int(name.split()[1]) for name in rows if name.startswith("horizon") and "," not in name]
    rewards = [rows[f"horizon {h}"]["rewards"] for h in horizons]
    for seed in range(SEEDS):
        left.plot(horizons, [r[seed] for r in rewards], "o", color=learning_show.BLUE, markersize=3, alpha=0.5)
    left.plot(horizons, [np.mean(r) for r in rewards], color=learning_show.BLUE, linewidth=2)
    for name, colour in (("the policy, drawn", learning_show.ORANGE), ("Reynolds' rules", learning_show.INK)):
        mean = float(np.mean(rows[name]["rewards"]))
        left.axhline(mean, color=colour, linewidth=1.2, linestyle=(0, (5, 3)))
        left.text(20, mean + 0.0008, name, color=colour, fontsize=9, ha="right", va="bottom")
    left.set(xscale="log")
    left.set_xticks(horizons, [str(h) for h in horizons])
    left.minorticks_off()
    learning_show._title(left, "reward", "steps of an imagined flight")
    shown = {int(h): value for h, value in content["correlation"].items()}
    right.plot(list(shown), list(shown.values()), "o-", color=learning_show.GREEN, linewidth=2, markersize=5)
    right.set(xscale="log", ylim=(0, 1.03))
    right.set_xticks(list(shown), [str(h) for h in shown])
    right.minorticks_off()
    learning_show._title(right, "correlation of advantages, frozen against whole flocks", "steps of an imagined flight")
    figure.savefig(path, dpi=120)


def main() -> None:
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "build/planning"
    folder.mkdir(parents=True, exist_ok=True)
    content = measure_all(folder)
    (ROOT / "docs/planning.json").write_text(json.dumps(content, indent=1) + "\n")
    learning_show.write_tables(tables(content), ROOT / "docs/planning.md")
    figure(content, ROOT / "docs/planning.png")


if __name__ == "__main__":
    main()
