"""The flock as a `pufferlib.PufferEnv`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, Unpack

from boids_env.env.core import Array
from boids_env.env.flocks import Flock, documented
from boids_env.env.parameters import FlockParameters
from boids_env.env.puffer import PufferCore


@documented
class Boids(Flock, PufferCore):
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
        seed: 0 to 2**63 - 1, or None for one from the system. It is mixed into the seed of every reset: PufferLib's
            backends give every environment a `seed` of its own, but resets whose seeds overlap.
        num_threads: threads that step the flocks. The results do not depend on it.
        render_mode: what `render()` returns: None or "rgb_array" (height, width, 3) uint8 pixels, "ansi" text for a
            terminal, "human" the steps that the viewer of a window asks for, or None once it was closed.
        log_interval: steps.
        buf: the arrays by name, as PufferLib's backends pass them; None makes them.
        **parameters: of every flock: see below.

    Raises:
        TypeError: a parameter of an unknown name or a wrong type.
        ValueError: a parameter out of its range; another render mode; an array of `buf` that is missing or of a wrong shape.
        MemoryError: there is not enough memory.
    """

    if TYPE_CHECKING:

        def __init__(
            self,
            num_envs: int = 1,
            *,
            seed: int | None = 0,
            num_threads: int = 1,
            render_mode: Literal["rgb_array", "ansi", "human"] | None = None,
            log_interval: int = 64,
            buf: dict[str, Array] | None = None,
            **parameters: Unpack[FlockParameters],
        ) -> None: ...
