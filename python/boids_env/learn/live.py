"""A policy that learns while it flies: `boids watch --learn`."""

from __future__ import annotations

from collections.abc import Mapping
from time import perf_counter
from types import TracebackType
from typing import Any, Self

import numpy as np

from boids_env._boids import VecEnv
from boids_env.env.core import Core
from boids_env.env.flocks import Flocks
from boids_env.errors import UserError
from boids_env.learn.config import Config
from boids_env.learn.learner import make_learner
from boids_env.learn.policies import INTERFACE

BARS = "▁▂▃▄▅▆▇█"


class Learning:
    """A fresh network that learns in flocks of its own, and steers others meanwhile.

    Args:
        config: of `boids_env.learn.config.load`: the flocks, and the settings of the learner.

    Raises:
        UserError: settings that do not fit together.
    """

    name = "learning"

    def __init__(self, config: Config) -> None:
        env, self._settings = config["env"], config["learn"]
        parameters = {name: value for name, value in env.items() if name in VecEnv.parameters}
        self._flocks = Flocks(env["num_envs"], seed=self._settings["seed"], num_threads=env["num_threads"], **parameters)
        self._flocks.reset()
        self._learner = make_learner(self._flocks, self._settings)
        self._rewards: list[float] = []  # of each update
        self._step = 0
        self.interface: Mapping[str, Any] = {name: self._flocks.parameters[name] for name in INTERFACE}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._flocks.close()

    def act(self, env: Core) -> None:
        """Draws actions by what has been learned so far."""
        self._learner.act(env.vec, self._step)
        self._step += 1

    def learn(self, seconds: float) -> None:
        """Learns for about so long, unless it has learned for all agent_steps."""
        until = perf_counter() + seconds
        while not self.finished and perf_counter() < until:
            try:
                self._learner.learn(1)  # one update
            except FloatingPointError as error:
                raise UserError(f"learning diverged: {error}") from None
            self._rewards.append(self._learner.log()["reward"])

    @property
    def finished(self) -> bool:
        return self._learner.agent_steps >= int(self._settings["agent_steps"])

    @property
    def text(self) -> str:
        """How far it is, in a few words."""
        reward = f", reward {self._rewards[-1]:.2f}" if self._rewards else ""
        return f"{self._learner.agent_steps / 1e6:.2f} M agent-steps{reward}"

    @property
    def curve(self) -> bytes:
        """The rewards of all updates, from 0 to 1, as `VecEnv.window` takes them."""
        return np.clip(self._rewards, 0, 1).astype(np.float32).tobytes()

    def bars(self, columns: int) -> str:
        """The same as characters, of the whole range of agent_steps; at most so many."""
        done = min(1.0, self._learner.agent_steps / int(self._settings["agent_steps"]))
        count = max(1, round(columns * done)) if self._rewards else 0
        at = np.linspace(0, len(self._rewards) - 1, count).astype(int)
        return "".join(BARS[int(min(0.999, max(0.0, self._rewards[k])) * len(BARS))] for k in at)
