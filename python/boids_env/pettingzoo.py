"""A flock, or an environment of any module, for PettingZoo: every boid an agent, `boid_0` to `boid_63`.

    import boids_env.pettingzoo

    env = boids_env.pettingzoo.parallel_env(num_boids=64)
    observations, infos = env.reset(seed=1)
    while env.agents:
        actions = {agent: env.action_space(agent).sample() for agent in env.agents}
        observations, rewards, terminations, truncations, infos = env.step(actions)

It needs PettingZoo: pip install 'boids-env[pettingzoo]'.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from boids_env.env.adapter import Agents, Remade, agents, needs
from boids_env.env.core import Array, Module
from boids_env.errors import UserError

try:
    import gymnasium
    import pettingzoo
    from pettingzoo.utils import AssertOutOfBoundsWrapper, OrderEnforcingWrapper, parallel_to_aec
    from pettingzoo.utils.env_logger import EnvLogger
except ModuleNotFoundError as error:
    if error.name is None or error.name.partition(".")[0] not in ("gymnasium", "pettingzoo"):
        raise
    raise ImportError(needs(__name__, "PettingZoo")) from None

from boids_env.env.spaces import space

__all__ = ["ParallelEnv", "env", "parallel_env"]


class ParallelEnv(Remade, pettingzoo.ParallelEnv):  # type: ignore[misc]  # PettingZoo has no types
    """One environment, in which all agents act at the same time: `parallel_env` has the arguments.

    An agent whose episode ends gets its last observation and leaves `agents`; `reset` brings all back. Where agents end on
    their own, the environment starts such an agent anew at once: until `reset` it stays among the others, with the action 0.
    """

    metadata: dict[str, Any] = {  # noqa: RUF012  PettingZoo's is one of the class too
        "name": "boids_v0",
        "is_parallelizable": True,
        "render_fps": 30,
    }

    def __init__(
        self, module: Module | None = None, *, render_mode: str | None = None, num_threads: int = 1, **parameters: Any
    ) -> None:
        options = {"render_mode": render_mode, "num_threads": num_threads, **parameters}
        self._arguments = module, options
        kind = agents(module)
        self.envs: Agents = kind(1, **options)
        self.render_mode = self.envs.render_mode
        self.metadata = {**type(self).metadata, "render_modes": [mode for mode in kind.render_modes if mode]}
        self.possible_agents = [f"{kind.words[1]}_{i}" for i in range(self.envs.num_agents)]
        self.agents: list[str] = []
        self._observation_space = space(self.envs.layout["observation"])
        self._action_spaces: dict[str, gymnasium.Space[Any]] = {}
        # of agents that are gone; in a range without 0 the end that is nearer
        side = self.envs.layout["action"]
        self._actions = np.zeros_like(self.envs.actions)
        if side["choices"] is None:
            self._actions[:] = min(max(0.0, side["low"]), side["high"])

    def observation_space(self, agent: str) -> gymnasium.Space[Any]:
        """Of one agent; the same for all. Raises: KeyError."""
        self._row(agent)
        return self._observation_space

    def action_space(self, agent: str) -> gymnasium.Space[Any]:
        """Of one agent, with a random stream of its own. Raises: KeyError."""
        if agent not in self._action_spaces:
            self._row(agent)
            self._action_spaces[agent] = space(self.envs.layout["action"])
        return self._action_spaces[agent]

    def reset(
        self, seed: int | None = None, options: Mapping[str, Any] | None = None
    ) -> tuple[dict[str, Array], dict[str, dict[str, Any]]]:
        """Starts an episode with all agents. seed: as `Flocks.reset` takes it; None goes on with the random stream."""
        self.envs.reset(seed)
        self.agents = self.possible_agents[:]
        self._gone = np.zeros(self.envs.num_agents, np.bool_)
        self._show()
        return dict(zip(self.agents, self.envs.seen(), strict=True)), {agent: {} for agent in self.agents}

    def step(
        self, actions: Mapping[str, Any]
    ) -> tuple[dict[str, Array], dict[str, float], dict[str, bool], dict[str, bool], dict[str, dict[str, Any]]]:
        """A step.

        Args:
            actions: of every agent in `agents`.

        Raises:
            AssertionError: before reset(); an action that is missing or outside its space. Nothing has been stepped.
        """
        if not self.agents:
            EnvLogger.error_step_before_reset()
        self._take(actions)
        self.envs.step()
        ended, names, here = self.envs.ended(), self.agents, ~self._gone
        seen = self.envs.observations.copy()
        if ended.any():
            assert self.envs.final_observations is not None
            seen[ended] = self.envs.final_observations[ended]
            self._gone |= ended
            self.agents = [name for name, gone in zip(self.possible_agents, self._gone, strict=True) if not gone]
        self._show()
        rows = seen, self.envs.rewards, self.envs.terminals, self.envs.truncations
        observations, rewards, terminals, truncations = (row[here] for row in rows)
        return (
            dict(zip(names, observations, strict=True)),
            dict(zip(names, rewards.tolist(), strict=True)),
            dict(zip(names, terminals.tolist(), strict=True)),
            dict(zip(names, truncations.tolist(), strict=True)),
            {name: {} for name in names},
        )

    def render(self) -> Any:
        """(height, width, 3) uint8 pixels, or text; None in mode "human", in which step() draws. Raises: AssertionError."""
        if not self.envs.started:
            EnvLogger.error_render_before_reset()
        if self.render_mode is None:
            EnvLogger.warn_render()  # as PettingZoo's own environments do
        return self.envs.render() if self.render_mode in ("rgb_array", "ansi") else None

    def close(self) -> None:
        """Frees the environment. Closing twice is fine."""
        self.envs.close()

    def log(self) -> dict[str, float]:
        """As `Flocks.log`: means over the episodes that have ended since the last call."""
        return self.envs.log()

    def _row(self, agent: str) -> int:
        _, _, number = agent.rpartition("_")
        if not number.isdecimal() or int(number) >= len(self.possible_agents) or self.possible_agents[int(number)] != agent:
            raise KeyError(f"agent: expected {self.possible_agents[0]} to {self.possible_agents[-1]}, got {agent!r}")
        return int(number)

    def _take(self, actions: Mapping[str, Any]) -> None:
        """Writes the actions of who is there. Raises: AssertionError."""
        if not isinstance(actions, Mapping) or not actions.keys() >= set(self.agents):
            missing = [agent for agent in self.agents if agent not in actions] if isinstance(actions, Mapping) else []
            what = f"none for {missing[0]}" if missing else type(actions).__name__
            raise AssertionError(f"actions: expected a dict with an action of each of {len(self.agents)} agents, got {what}")
        try:
            given = np.array([actions[agent] for agent in self.agents])
            wanted = len(self.agents), *self.envs.actions.shape[1:]
            if given.shape != wanted:
                raise ValueError(f"actions: expected shape {wanted[1:]} of each agent, got {given.shape[1:]}")
            every = self._actions.astype(given.dtype) if given.dtype != self._actions.dtype else self._actions.copy()
            every[~self._gone] = given
            self.envs._take(every)
            self._check()
        except (ValueError, TypeError) as error:
            raise AssertionError(str(error)) from None

    def _check(self) -> None:
        """Raises: ValueError for an action outside its space, with the agent's name."""
        side, taken = self.envs.layout["action"], self.envs.actions
        good = (
            (taken >= 0) & (taken < np.array(side["choices"]))
            if side["choices"]
            else (taken >= side["low"]) & (taken <= side["high"])
        )
        if not good.all():
            bad = int(np.argmin(good.reshape(len(taken), -1).all(1)))
            name = self.possible_agents[bad]
            raise ValueError(f"actions: {name}: expected an action in {self.action_space(name)}, got {taken[bad]}")

    def _show(self) -> None:
        try:
            self.envs.show()
        except UserError as error:
            raise gymnasium.error.DependencyNotInstalled(str(error)) from None


def parallel_env(
    module: Module | None = None, *, render_mode: str | None = None, num_threads: int = 1, **parameters: Any
) -> ParallelEnv:
    """One flock, or environment of another module, in which all agents act at the same time.

    Args:
        module: an extension module that src/binding.c made; None for the flock's.
        render_mode: None, "rgb_array" or "ansi": what render() returns. "human": step() draws in a window.
        num_threads: threads that step a large flock.
        **parameters: of the flock; `VecEnv.parameters` of the module lists them. `horizon` is what PettingZoo's own
            environments call max_cycles.

    Raises:
        TypeError: a parameter of an unknown name or a wrong type; no such module.
        ValueError: a parameter out of its range; another render mode.
    """
    return ParallelEnv(module, render_mode=render_mode, num_threads=num_threads, **parameters)


def env(
    module: Module | None = None, *, render_mode: str | None = None, num_threads: int = 1, **parameters: Any
) -> pettingzoo.AECEnv[Any, Any, Any]:
    """The same with one agent acting after the other, in PettingZoo's wrappers, which raise its errors."""
    of = parallel_to_aec(parallel_env(module, render_mode=render_mode, num_threads=num_threads, **parameters))
    if of.action_space(of.possible_agents[0]).__class__ is gymnasium.spaces.Discrete:
        of = AssertOutOfBoundsWrapper(of)
    return OrderEnforcingWrapper(of)
