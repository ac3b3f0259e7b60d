"""What the adapters to other APIs share: environments of any module that keep the last observations of their episodes.

In C an environment whose episode ends starts the next one within the same step. Most APIs want to see the end first. So an
agent whose episode has ended waits here: the adapter shows its last observation until it is asked for the next episode.
"""

from __future__ import annotations

import importlib
import math
import secrets
from typing import Any

import numpy as np
from numpy.typing import NDArray

from boids_env import _boids
from boids_env.env.core import Array, Infos, Module, NumpyEnv, class_of
from boids_env.env.flocks import Flock

Mask = NDArray[np.bool_]


class Agents(NumpyEnv):
    """Environments of one module, and which of their agents wait.

    Raises:
        NotImplementedError: the header has no `ENV_FINAL_OBSERVATIONS`.
    """

    keeps_final = True
    waiting: Mask  # (num_agents) the episode has ended, and the next one has not been asked for
    any_waiting = False
    started = False

    def __init__(self, num_envs: int = 1, **options: Any) -> None:
        super().__init__(num_envs, seed=0, **options)  # the seed comes with reset()
        self.waiting = np.zeros(self.num_agents, np.bool_)
        self._frames_due = 1.0  # steps until the window shows the next frame

    def reset(self, seed: int | None = None, rows: Mask | None = None) -> tuple[Array, Infos]:
        """Starts episodes; agents that wait go on with the one that has begun, unless a seed is given.

        Args:
            seed: as `Flocks.reset` takes it; the first None stands for one from the system.
            rows: (num_agents) which agents; None for all. Of an environment of which none wait: all or none.

        Raises:
            ValueError: a seed; parts of an environment.
        """
        if seed is None and not self.started:
            seed = secrets.randbits(62)
        if rows is None:
            self.vec.reset(seed)
            self.waiting[:] = False
        else:
            self.vec.reset(seed, self.whole(rows & ~self.waiting if seed is None else rows))
            self.waiting[rows] = False
        self.any_waiting = bool(self.waiting.any())
        self.started = True
        return self.observations, []

    def whole(self, rows: Mask) -> Mask:
        """(num_envs) of which environments these are all agents. Raises: ValueError, where there are others besides."""
        by_env = rows.reshape(self.vec.num_envs, -1)
        envs: Mask = by_env.all(1)
        if (by_env.any(1) != envs).any():
            raise ValueError(f"expected all {by_env.shape[1]} agents of an environment or none of them, got some")
        return envs

    def ended(self) -> Mask:
        """(num_agents) whose episode ended with the last step."""
        return self._terminals | self._truncations

    def wait(self, ended: Mask) -> None:
        """These agents wait."""
        self.any_waiting = bool(ended.any())
        self.waiting[:] = ended

    def step_others(self, actions: Any) -> None:
        """A step of the environments that do not wait; the others show their next episode, which has begun."""
        self._take(actions)
        if self.any_waiting:
            self.vec.step_where(~self.whole(self.waiting))
        else:
            self.vec.step()

    def seen(self) -> Array:
        """(num_agents, observation size) a copy: of agents that wait, the last observation."""
        seen = self._observations.copy()
        if self.any_waiting:
            assert self.final_observations is not None
            seen[self.waiting] = self.final_observations[self.waiting]
        return seen

    def show(self) -> None:
        """In the render mode "human" draws what is due, and waits while the viewer pauses. A closed window stays closed.

        Raises:
            UserError: no raylib, or no display.
        """
        if self.render_mode != "human":
            return
        self._frames_due -= 1
        while self._frames_due <= 0:
            steps = super().render()
            self._frames_due = math.inf if steps is None else steps


class FlockAgents(Flock, Agents):
    """The same of flocks, which also have a picture as text."""


def agents(module: Module | None) -> type[Agents]:
    """The class for this module, None for the flock's. Raises: TypeError, where it is no module that src/binding.c made."""
    return FlockAgents if module is None or module is _boids else class_of(module, Agents)


class Remade:
    """A copy, or what comes out of a pickle, is made anew of the same arguments, and in no episode."""

    _arguments: tuple[Module | None, dict[str, Any]]

    def __reduce__(self) -> Any:
        module, options = self._arguments
        return _remake, (type(self), module and module.__name__, options)

    def __deepcopy__(self, _memo: Any) -> Any:
        module, options = self._arguments
        of: Any = type(self)
        return of(module=module, **options)


def _remake(of: Any, module: str | None, options: dict[str, Any]) -> Any:
    return of(module=module and importlib.import_module(module), **options)


def needs(name: str, package: str) -> str:
    """The message where a package is missing."""
    return f"{name} needs {package}, which is not installed: pip install 'boids-env[{name.rpartition('.')[2]}]'"
