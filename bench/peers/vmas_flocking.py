"""VMAS, vectorized multi-agent environments on torch: its scenario `flocking`."""

from __future__ import annotations

from collections.abc import Callable

NAME = "VMAS flocking"
INSTALL = "pip install vmas torch"
DIFFERS = """
Another world: every agent gathers around a moving target, pushed by a two-dimensional force; collisions are simulated with
five substeps; an observation is its own position and velocity, the target and twelve lidar rays (18 floats). All pairs are
visited in a Python loop, each for all environments at once. Obstacles are left out. Actions are drawn before."""
SIZES = 8, 64


def make(num_envs: int, num_boids: int, width: float, height: float) -> Callable[[int], None]:
    """So many flocks, and what takes so many steps with them."""
    import torch
    import vmas

    torch.set_num_threads(1)
    torch.manual_seed(0)
    settings = {"n_agents": num_boids, "n_obstacles": 0, "min_dist_between_entities": 0.0}
    env = vmas.make_env(scenario="flocking", num_envs=num_envs, device="cpu", continuous_actions=True, seed=0, **settings)
    env.reset()
    actions = torch.rand(4, num_boids, num_envs, 2) * 2 - 1

    def run(steps: int) -> None:
        for k in range(steps):
            env.step(list(actions[k % len(actions)]))

    return run
