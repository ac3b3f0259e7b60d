"""`boids score`: compares how well policies flock, on the same unseen seeds."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from boids_env._boids import VecEnv
from boids_env.console import progress, table
from boids_env.env.flocks import Flocks
from boids_env.errors import UserError
from boids_env.learn.policies import load_policy

EVALUATION_SEED = 2**62  # the first; training seeds are below it
ROWS = (
    "reward", "cohesion", "alignment", "separation", "polarization", "local_alignment", "largest_group", "nearest",
    "collisions", "isolation",
)  # fmt: skip

Scores = dict[str, dict[str, list[float]]]  # policy: log field: a value for each seed


def score(
    policies: Sequence[str | os.PathLike[str]],
    *,
    seeds: int = 5,
    steps: int = 800,
    last: int = 200,
    num_envs: int = 8,
    argmax: bool = False,
    parameters: Mapping[str, Any] | None = None,
) -> Scores:
    """Steps each policy from the same random starts.

    Args:
        policies: as `boids_env.load_policy` takes them.
        seeds: number of seeds, none of which is used in training.
        steps: flight length in steps.
        last: steps at the end that count.
        num_envs: flocks for each seed; their mean is one value.
        argmax: learned policies take the turn with the highest score, instead of drawing one.
        parameters: of the flocks.

    Raises:
        UserError: no such policy, or one that cannot steer these flocks; numbers that do not fit together.
    """
    for name in ("horizon", "warmup", "stagger"):
        if name in (parameters or {}):
            raise UserError(f"--env.{name}: not possible here, because --steps and --last set it")
    if not 1 <= last <= steps:
        raise UserError(f"--last: expected 1 to {steps} steps, got {last}")
    if min(seeds, num_envs) < 1:
        raise UserError("--seeds, --num-envs: expected at least 1")
    for which in policies:  # a missing file is an error now, and not after the other policies
        load_policy(which)
    scores: Scores = {str(which): {field: [] for field in VecEnv.log_fields} for which in policies}
    flights = [(which, seed) for which in policies for seed in range(seeds)]
    for which, seed in progress(flights, len(flights), "scoring"):
        policy = load_policy(which, argmax=argmax, seed=seed)
        chosen = {**policy.interface, **(parameters or {}), "horizon": steps, "warmup": steps - last, "stagger": False}
        with Flocks(num_envs, seed=EVALUATION_SEED + seed, **chosen) as flocks:
            flocks.reset()
            for _ in range(steps):
                policy.act(flocks)
                flocks.step()
            for field, value in flocks.log().items():
                scores[str(which)][field].append(value)
    return scores


def summarize(scores: Scores) -> dict[str, dict[str, dict[str, Any]]]:
    """The mean, the spread (standard deviation over seeds) and the values, by policy and log field."""
    return {
        policy: {
            field: {"mean": float(np.mean(values)), "spread": float(np.std(values)), "seeds": values}
            for field, values in fields.items()
        }
        for policy, fields in scores.items()
    }


def show(scores: Scores) -> None:
    """Prints the scores, a column for each policy."""
    board = summarize(scores)
    rows = []
    for name in ROWS:
        digits = 5 if name == "collisions" else 3  # they are rare
        figures = (board[policy][name] for policy in board)
        rows.append([name.replace("_", " "), *(f"{f['mean']:.{digits}f} ± {f['spread']:.{digits}f}" for f in figures)])
    table(["", *board], rows)


def write_json(scores: Scores, path: Path, settings: Mapping[str, Any]) -> None:
    """Writes the scores of every log field and the settings."""
    content = {"settings": dict(settings), "scores": summarize(scores)}
    path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
