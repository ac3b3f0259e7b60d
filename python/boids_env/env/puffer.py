"""Any environment as a `pufferlib.PufferEnv`."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np

from boids_env.env.core import Array, Core, Infos, Module, array_shapes, class_of
from boids_env.env.pufferlib_import import unchanged
from boids_env.errors import positive

with unchanged():
    import pufferlib

    from boids_env.env.spaces import space


class PufferCore(Core, pufferlib.PufferEnv):  # type: ignore[misc]  # PufferLib has no types
    """`num_envs` environments of one module: a native `pufferlib.PufferEnv`, alone or under any of PufferLib's backends.

    Arrays, of n agents; made here or those of `buf`, written to and never replaced:
        observations    (n, observation size), in `single_observation_space`, a Box
        actions         (n) int32 where an action is one choice, a Discrete; else (n, action size): MultiDiscrete or Box
        rewards         (n) float32
        terminals       (n) bool
        truncations     (n) bool
        masks           (n) bool, True

    Infos: every `log_interval` steps, if an episode has ended since, a dict of floats (`VecEnv.log_fields`); else none.

    Args:
        num_envs: environments, at least 1. One object of many is faster than many objects of one.
        seed: 0 to 2**63 - 1, or None for one from the system. It is mixed into the seed of every reset: PufferLib's
            backends give every environment a `seed` of its own, but resets whose seeds overlap.
        num_threads: threads that step the environments. The results do not depend on it.
        render_mode: what `render()` returns: None or "rgb_array" (height, width, 3) uint8 pixels, "human" the steps that
            the viewer of a window asks for, or None once it was closed.
        log_interval: steps.
        buf: the arrays by name, as PufferLib's backends pass them; None makes them.
        **parameters: of every environment; `VecEnv.parameters` of the module lists them.

    Raises:
        TypeError: a parameter of an unknown name or a wrong type.
        ValueError: a parameter out of its range; another render mode; an array of `buf` that is missing or of a wrong shape.
        MemoryError: there is not enough memory.
    """

    def __init__(
        self,
        num_envs: int = 1,
        *,
        seed: int | None = 0,
        num_threads: int = 1,
        render_mode: str | None = None,
        log_interval: int = 64,
        buf: dict[str, Array] | None = None,
        **parameters: Any,
    ) -> None:
        num_envs = positive("num_envs", num_envs, self.module.MAX_ENVS)
        self._log_interval = positive("log_interval", log_interval)
        self.render_mode = self._check_render_mode(render_mode)
        self.layout = self.module.layout(**parameters)
        self.single_observation_space = space(self.layout["observation"])
        self.single_action_space = space(self.layout["action"])
        arrays = array_shapes(self.layout, num_envs)
        self.num_agents = arrays["rewards"][0][0]
        if buf is not None:
            for name, (shape, _) in {**arrays, "masks": arrays["terminals"]}.items():
                if name not in buf:
                    raise ValueError(f"buf: expected an array {name!r} of shape {shape}, got none")
                if np.shape(buf[name]) != shape:
                    raise ValueError(f"buf[{name!r}]: expected shape {shape}, got {np.shape(buf[name])}")
        pufferlib.PufferEnv.__init__(self, buf)
        self._seed_offset = 0 if buf is None or seed is None else _seed_offset(seed)
        self._open(num_envs, self._own_seed(seed), num_threads, parameters)

    def reset(self, seed: int | None = None) -> tuple[Array, Infos]:
        return super().reset(self._own_seed(seed))

    reset.__doc__ = Core.reset.__doc__

    def _own_seed(self, seed: int | None) -> int | None:
        """The seed for this worker. Anything that is no seed stays as it is, for the extension to refuse."""
        return seed + self._seed_offset if seed is not None and self._seed_offset else seed


def puffer_env(module: Module) -> type[PufferCore]:
    """A `pufferlib.PufferEnv` class of any environment's module: `Squared = puffer_env(_squared)`.

    Spaces come from the module, infos from its log, pictures and windows from its header. `PufferCore` has the arguments.

    Raises:
        TypeError: not a module that src/binding.c made.
        ValueError: a parameter of it has the name of an argument of `PufferCore`.
    """
    return class_of(module, PufferCore)


def _seed_offset(seed: int) -> int:
    """What to add to the seeds that PufferLib's Ray backend passes; 0 in any other.

    Ray's workers all get the seeds of the first, at the start and in every reset, and none knows its number. So the
    environments number themselves through the cluster's key-value store, first come first served, and use the seeds that
    Serial would have given: the environments are Serial's, but not in the same order from run to run.
    """
    ray = sys.modules.get("ray")
    if ray is None or not ray.is_initialized() or ray.get_runtime_context().get_actor_id() is None:
        return 0
    from ray.experimental.internal_kv import _internal_kv_put

    job, place = ray.get_runtime_context().get_job_id(), 0
    while _internal_kv_put(f"boids_env/{job}/{place}", b"", overwrite=False):  # True: already there
        place += 1
    return place - seed
