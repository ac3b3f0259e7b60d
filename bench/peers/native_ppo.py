"""Our learner in C: one step is one update."""

from __future__ import annotations

import numpy as np
from learning import Environments, Task, save

from boids_env.learn.learner import weights

NAME = "boids-env"
INSTALL = "comes with boids_env: pip install ."
DIFFERS = """
The learner of src/learn, through the class Learner. It bootstraps from the final observations. Each epoch uses every
agent-step once."""


class Learning:
    def __init__(self, task: Task) -> None:
        self.envs, self.field = Environments(task), task["score"]
        self.learner = self.envs.module.Learner(self.envs.vec, seed=task["seed"], **task["settings"])

    def __call__(self, updates: int) -> None:
        for _ in range(updates):
            self.learner.learn(1)

    def save(self, file: str) -> None:
        log = self.learner.log()
        score = log["reward"] if self.field == "reward" else log.get(f"env/{self.field}", np.nan)
        save(file, self.learner.agent_steps, score, weights(self.learner))


make = Learning
