"""What the learners of bench/learners.py share: a task, and the environments that it names. It needs NumPy and boids_env.

A task is a dict: `module`, `num_envs`, `parameters` of the environments; `settings` by the names of our Learner;
`score`, a field of the log, or "reward" for the mean of an agent-step; `seed`.
"""

from __future__ import annotations

import importlib
import math
from typing import Any

import numpy as np

from boids_env.env.core import array_shapes

Task = dict[str, Any]


class Environments:
    """The environments of a task at their start, over arrays that every learner gets: the final observations too."""

    def __init__(self, task: Task) -> None:
        self.module = importlib.import_module(task["module"])
        self.layout = self.module.layout(**task["parameters"])
        shapes = array_shapes(self.layout, task["num_envs"])
        arrays = {name: np.zeros(shape, dtype) for name, (shape, dtype) in shapes.items()}
        arrays["final_observations"] = np.zeros_like(arrays["observations"])
        self.observations, self.actions, self.rewards = arrays["observations"], arrays["actions"], arrays["rewards"]
        self.terminals, self.truncations = arrays["terminals"], arrays["truncations"]
        self.final_observations = arrays["final_observations"]
        self.num_agents = len(self.rewards)
        self.vec = self.module.VecEnv(**arrays, num_envs=task["num_envs"], seed=task["seed"], **task["parameters"])
        self.vec.reset()


def rate(settings: dict[str, Any], agent_steps: int) -> float:
    """The learning rate: a cosine that falls to 0."""
    done = min(1.0, agent_steps / settings["anneal_steps"])
    return float(settings["learning_rate"] * (1 + math.cos(math.pi * done)) / 2)


def save(file: str, agent_steps: int, score: float, weights: dict[str, Any]) -> None:
    """How far a learner is, its last score, and its policy by the names of `boids_env.learn.network.Policy`."""
    np.savez(file, agent_steps=agent_steps, score=score, **weights)
