"""Flocks for whoever has NumPy and nothing else."""

from __future__ import annotations

from typing import Any

import numpy as np

from boids_env._boids import MAX_ENVS, layout
from boids_env.core import Core, array_shapes, checked_render_mode, positive


class Flocks(Core):
    """`num_envs` flocks that step together, in arrays of their own.

        with Flocks(num_envs=8, num_boids=64, seed=1) as flocks:
            flocks.reset()
            for _ in range(400):
                flocks.script()    # or write flocks.actions
                flocks.step()
            print(flocks.log())

    Args:
        num_envs: flocks, at least 1.
        seed: 0 to 2**63 - 1, or None for one from the system. The same seed gives the same flocks, on any machine.
        num_threads: threads that step them; changes no bit of what they do.
        render_mode: what `render()` returns: None or "rgb_array" pixels, "ansi" text, "human" the steps that the viewer of
            a window asks for.
        **parameters: of every flock; `VecEnv.parameters` lists them.

    Raises:
        TypeError: a parameter of an unknown name or a wrong type.
        ValueError: a parameter out of its range; another render mode.
        MemoryError: so large a flock does not fit.
    """

    def __init__(
        self,
        num_envs: int = 1,
        seed: int | None = 0,
        num_threads: int = 1,
        *,
        render_mode: str | None = None,
        **parameters: Any,
    ) -> None:
        self.render_mode = checked_render_mode(render_mode)
        num_envs = positive("num_envs", num_envs, MAX_ENVS)
        self.layout = layout(**parameters)
        arrays = {name: np.zeros(shape, dtype) for name, (shape, dtype) in array_shapes(self.layout, num_envs).items()}
        self.observations, self.actions = arrays["observations"], arrays["actions"]
        self.rewards, self.terminals, self.truncations = arrays["rewards"], arrays["terminals"], arrays["truncations"]
        self.num_agents = len(self.rewards)
        self._open(num_envs, seed, num_threads, parameters)
