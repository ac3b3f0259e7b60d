"""Boids in esquilax, agent-based models on JAX: its `spatial` transform gathers the neighbours."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

NAME = "esquilax (JAX)"
INSTALL = "pip install esquilax jax"
DIFFERS = """
Our world, five turns, ten numbers and reward, in 32-bit floats; no episodes and no log. All steps of a run are one compiled
loop that draws its actions itself and hands nothing to Python, which spares it what a step from Python costs."""
SIZES = 8, 262_144

VIEW, SEPARATION, SPEED, FLOCKMATES = 100.0, 25.0, 4.0, 6.0
TURNS = (15.0, 5.0, 0.0, -5.0, -15.0)  # degrees


def make(num_envs: int, num_boids: int, width: float, height: float) -> Callable[[int], None]:
    """So many flocks, and what takes so many steps with them."""
    import esquilax
    import jax
    import jax.numpy as jnp

    # its cells must be square and fill the world, so the world is rounded up to whole view radii
    columns, rows = (max(3, round(side / VIEW)) for side in (width, height))
    world = jnp.array([columns * VIEW, rows * VIEW])
    turns = jnp.radians(jnp.array(TURNS))

    def see(_: Any, one: Any, other: Any) -> Any:
        d = other[:2] - one[:2]
        d = d - world * jnp.round(d / world)
        d2 = d @ d
        push = jnp.maximum(SEPARATION**2 - d2, 0.0) * d
        return jnp.concatenate([jnp.ones(1), d, other[2:], push]), d2

    gather = esquilax.transforms.spatial(
        see,
        reduction=esquilax.reductions.Reduction(fn=(jnp.add, jnp.minimum), id=(jnp.zeros(7), jnp.inf)),
        i_range=VIEW,
        n_bins=(columns, rows),
        dims=(columns * VIEW, rows * VIEW),
    )

    def step(position: Any, heading: Any, action: Any) -> Any:
        heading = heading + turns[action]
        ahead = jnp.stack([jnp.cos(heading), jnp.sin(heading)], 1)
        position = (position + SPEED * ahead) % world
        boids = jnp.concatenate([position, ahead], 1)
        sums, nearest2 = gather(None, boids, boids, pos=position)

        n = sums[:, 0]
        per_n = (n > 0) / jnp.maximum(n, 1.0)
        into = jnp.stack([ahead, jnp.stack([-ahead[:, 1], ahead[:, 0]], 1)], 1)  # the heading frame
        offset, company_heading, push = (
            jnp.einsum("nij,nj->ni", into, sums[:, k : k + 2] * scale)
            for k, scale in ((1, per_n[:, None] / VIEW), (3, per_n[:, None]), (5, -3.0 / SEPARATION**3))
        )
        company = jnp.minimum(n / FLOCKMATES, 1.0)
        closeness = jnp.maximum(1.0 - jnp.sqrt(nearest2) / SEPARATION, 0.0)
        togetherness = company * jnp.maximum(1.0 - jnp.linalg.norm(offset, axis=1), 0.0)
        reward = jnp.clip(0.4 * togetherness + 0.6 * company * company_heading[:, 0] - 1.5 * closeness, -1.0, 1.0)
        rules = [(n > 0)[:, None], company[:, None], offset, company_heading, jnp.clip(push, -1.0, 1.0)]
        return position, heading, jnp.concatenate([*rules, closeness[:, None], togetherness[:, None]], 1), reward

    every = jax.vmap(step) if num_envs > 1 else lambda *state: tuple(a[None] for a in step(*(a[0] for a in state)))

    @jax.jit
    def steps_of(state: Any, steps: Any) -> Any:
        def one(_: Any, state: Any) -> Any:
            position, heading, key, _, _ = state
            key, used = jax.random.split(key)
            action = jax.random.randint(used, (num_envs, num_boids), 0, len(TURNS))
            position, heading, observations, rewards = every(position, heading, action)
            return position, heading, key, observations, rewards

        return jax.lax.fori_loop(0, steps, one, state)

    keys = jax.random.split(jax.random.PRNGKey(0), 3)
    position = jax.random.uniform(keys[0], (num_envs, num_boids, 2)) * world
    heading = jax.random.uniform(keys[1], (num_envs, num_boids)) * 2 * jnp.pi
    empty = jnp.zeros((num_envs, num_boids, 10)), jnp.zeros((num_envs, num_boids))
    state = position, heading, keys[2], *empty

    def run(steps: int) -> None:
        nonlocal state
        state = jax.block_until_ready(steps_of(state, steps))

    return run
