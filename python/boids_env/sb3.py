"""Flocks, or the environments of any module, for Stable-Baselines3.

    from stable_baselines3 import PPO
    from boids_env.sb3 import VecEnv

    PPO("MlpPolicy", VecEnv(num_envs=8, num_boids=64), n_steps=16).learn(500_000)    # 512 agents, one policy

It needs Stable-Baselines3: pip install 'boids-env[sb3]'.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

import numpy as np

from boids_env.env.adapter import Agents, Remade, agents, needs
from boids_env.env.core import Array, Module

try:
    from stable_baselines3.common import vec_env
except ModuleNotFoundError as error:
    if error.name is None or error.name.partition(".")[0] != "stable_baselines3":
        raise
    raise ImportError(needs(__name__, "Stable-Baselines3")) from None

from boids_env.env.spaces import space

__all__ = ["VecEnv"]

NOTHING: Mapping[str, Any] = MappingProxyType({})  # the info of a step in which no episode ended


class VecEnv(Remade, vec_env.VecEnv):  # type: ignore[misc]  # its types need torch
    """`num_envs` flocks, or environments of another module. An environment of Stable-Baselines3 is an agent.

    Agent i of flock k is environment `k * num_boids + i`; `self.num_envs` counts agents. The step that ends an episode
    starts the next one; `infos[i]` then has its "terminal_observation" and "TimeLimit.truncated".

    Args:
        num_envs: flocks.
        module: an extension module that src/binding.c made; None for the flock's.
        num_threads: threads that step the flocks. The results do not depend on it.
        render_mode: None; "rgb_array": render() returns the flocks side by side; "human": it draws one in a window.
        **parameters: of every flock; `VecEnv.parameters` of the module lists them. The first episodes of a vector of flocks
            have different lengths, unless stagger=False.

    Raises:
        TypeError: a parameter of an unknown name or a wrong type; no such module.
        ValueError: a parameter out of its range; another render mode.
    """

    def __init__(
        self,
        num_envs: int = 1,
        module: Module | None = None,
        *,
        num_threads: int = 1,
        render_mode: str | None = None,
        **parameters: Any,
    ) -> None:
        options = {"num_envs": num_envs, "num_threads": num_threads, "render_mode": render_mode, **parameters}
        self._arguments = module, options
        self.envs: Agents = agents(module)(**options)
        self.render_mode = self.envs.render_mode
        spaces = (space(self.envs.layout[side]) for side in ("observation", "action"))
        super().__init__(self.envs.num_agents, *spaces)

    def reset(self) -> Array:
        """The first observations. The streams go on, or start anew from the seed that `seed()` was given."""
        self.envs.reset(self._seeds[0])
        self._reset_seeds()
        return self.envs.observations.copy()

    def step_async(self, actions: Any) -> None:
        """Takes the actions. Raises: TypeError, ValueError, where they have another shape or type."""
        self.envs._take(actions)

    def step_wait(self) -> tuple[Array, Array, Array, Sequence[Mapping[str, Any]]]:
        """Steps.

        Raises:
            ValueError: an action outside its space; nothing has been stepped.
            RuntimeError: before reset(), or after close().
        """
        envs = self.envs
        envs.vec.step()
        ended = envs.ended()
        infos: list[Mapping[str, Any]] = [NOTHING] * self.num_envs
        if ended.any():
            assert envs.final_observations is not None
            rows = np.flatnonzero(ended)
            for i, observation in zip(rows, envs.final_observations[rows], strict=True):
                cut = bool(envs.truncations[i] and not envs.terminals[i])
                infos[i] = {"terminal_observation": observation, "TimeLimit.truncated": cut}
        return envs.observations.copy(), envs.rewards.copy(), ended, infos

    def render(self, mode: str | None = None) -> Any:
        """As the base class; in the mode "human" draws the first flock in a window. Raises: UserError without a display."""
        if self.render_mode == "human":
            return self.envs.show()
        return super().render(mode)

    def get_images(self) -> list[Array]:
        """A picture of each flock."""
        return [self.envs.pixels(env=k) for k in range(self.envs.vec.num_envs)]

    def close(self) -> None:
        """Frees the flocks. Closing twice is fine."""
        self.envs.close()

    def log(self) -> dict[str, float]:
        """As `Flocks.log`: means over the episodes that have ended since the last call."""
        return self.envs.log()

    # the agents are of one object: its attributes and methods are those of each of them

    def get_attr(self, attr_name: str, indices: Any = None) -> list[Any]:
        return [getattr(self, attr_name)] * len(self._get_indices(indices))

    def set_attr(self, attr_name: str, value: Any, indices: Any = None) -> None:
        setattr(self, attr_name, value)

    def env_method(self, method_name: str, *args: Any, indices: Any = None, **kwargs: Any) -> list[Any]:
        return [getattr(self, method_name)(*args, **kwargs)] * len(self._get_indices(indices))

    def env_is_wrapped(self, wrapper_class: Any, indices: Any = None) -> list[bool]:
        return [False] * len(self._get_indices(indices))
