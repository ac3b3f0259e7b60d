"""The flock as PufferLib wants it."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import numpy as np

from boids_env._boids import MAX_ENVS, layout
from boids_env._pufferlib import unchanged
from boids_env.core import Array, Core, Infos, array_shapes, checked_render_mode, positive

with unchanged():
    import gymnasium
    import pufferlib

if TYPE_CHECKING:
    from boids_env._boids import Space


class Boids(Core, pufferlib.PufferEnv):  # type: ignore[misc]  # PufferLib has no types
    """Flocks of boids, every boid an agent: a native `pufferlib.PufferEnv`, alone or under any of PufferLib's backends.

        vecenv = pufferlib.vector.make(Boids, env_kwargs=dict(num_envs=16, num_boids=64), backend="Serial")

    One `Boids` holds `num_envs` flocks of `num_boids` and steps them in one call: faster than as many `Boids` of one.

    Spaces, of one boid:
        observation: `Box(-1, 1, (10,), float32)`, or `(10 + 4 * num_neighbors,)` with observation="nearest".
        action: `Discrete(5)`, 0 hard left to 4 hard right, or `Box(-1, 1, (1,), float32)` with action="continuous".

    Arrays, with n = num_envs * num_boids agents; made here or those of `buf`, written to and never replaced:
        observations    (n, observation size) float32
        actions         (n) int32, or (n, 1) float32
        rewards         (n) float32 in [-1, 1]
        terminals       (n) bool, always False
        truncations     (n) bool, True in the step that ends an episode; the flock restarts within it
        masks           (n) bool, True

    Infos: every `log_interval` steps, if an episode has ended since, a dict of floats (`VecEnv.log_fields`); else none.

    Args:
        num_envs: flocks, at least 1.
        num_boids: boids in each.
        seed: 0 to 2**63 - 1, or None for one from the system. It is mixed into the seed of every reset: the
            vectorizations give every environment a `seed` of its own, but resets whose seeds overlap.
        buf: the arrays by name, as PufferLib's vectorizations pass them; None makes them.
        render_mode: what `render()` returns: None or "rgb_array" (height, width, 3) uint8 pixels, "ansi" text for a
            terminal, "human" the steps that the viewer of a window asks for, or None once it was closed.
        num_threads: threads that step the flocks; changes no bit of what they do.
        log_interval: steps.
        **parameters: of every flock; `VecEnv.parameters` lists them.

    Raises:
        TypeError: a parameter of an unknown name or a wrong type.
        ValueError: a parameter out of its range; another render mode; an array of `buf` that is missing or misshapen.
        MemoryError: so large a flock does not fit.
    """

    def __init__(
        self,
        num_envs: int = 1,
        num_boids: int = 64,
        seed: int | None = 0,
        buf: dict[str, Array] | None = None,
        render_mode: str | None = None,
        num_threads: int = 1,
        log_interval: int = 64,
        **parameters: Any,
    ) -> None:
        num_envs = positive("num_envs", num_envs, MAX_ENVS)
        self._log_interval = positive("log_interval", log_interval)
        self.render_mode = checked_render_mode(render_mode)
        parameters = {"num_boids": num_boids, **parameters}
        self.layout = layout(**parameters)
        self.single_observation_space = _space(self.layout["observation"])
        self.single_action_space = _space(self.layout["action"])
        arrays = array_shapes(self.layout, num_envs)
        self.num_agents = arrays["rewards"][0][0]
        if buf is not None:
            for name, (shape, _) in {**arrays, "masks": arrays["terminals"]}.items():
                if name not in buf:
                    raise ValueError(f"buf: expected an array {name!r} of shape {shape}, got none")
                if np.shape(buf[name]) != shape:
                    raise ValueError(f"buf[{name!r}]: expected shape {shape}, got {np.shape(buf[name])}")
        pufferlib.PufferEnv.__init__(self, buf)
        self._seeds_ahead = 0 if buf is None or seed is None else _seeds_ahead(seed)
        self._open(num_envs, self._ahead(seed), num_threads, parameters)

    def reset(self, seed: int | None = None) -> tuple[Array, Infos]:
        return super().reset(self._ahead(seed))

    reset.__doc__ = Core.reset.__doc__

    def _ahead(self, seed: int | None) -> int | None:
        """The seed for this worker. A seed that is none stays as it is, for the extension to refuse."""
        return seed + self._seeds_ahead if seed is not None and self._seeds_ahead else seed


def _space(side: Space) -> gymnasium.Space[Any]:
    """The observations or the actions of one boid, as Gymnasium describes them."""
    if side["choices"] is None:
        return gymnasium.spaces.Box(side["low"], side["high"], (side["size"],), np.dtype(side["dtype"]).type)
    if side["size"] == 1:
        return gymnasium.spaces.Discrete(side["choices"][0])
    return gymnasium.spaces.MultiDiscrete(list(side["choices"]))


def _seeds_ahead(seed: int) -> int:
    """What to add to the seeds that PufferLib's Ray backend passes; 0 in any other.

    It gives each worker the seeds of the first, at the start and in every reset, and tells none which one it is. So the
    environments number themselves through the cluster's key-value store, first come first served, and take the seeds
    that Serial would have given: the flocks are Serial's, though not in the same order from run to run.
    """
    ray = sys.modules.get("ray")
    if ray is None or not ray.is_initialized() or ray.get_runtime_context().get_actor_id() is None:
        return 0
    from ray.experimental.internal_kv import _internal_kv_put

    job, place = ray.get_runtime_context().get_job_id(), 0
    while _internal_kv_put(f"boids_env/{job}/{place}", b"", overwrite=False):  # True: already there
        place += 1
    return place - seed
