"""Boids in NVIDIA Warp on the CPU: a kernel of our own over its hash grid."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

import numpy as np

NAME = "NVIDIA Warp (CPU)"
INSTALL = "pip install warp-lang numpy"
DIFFERS = """
Our world, five turns, ten numbers and reward, in 32-bit floats; no episodes and no log. Its hash grid is three-dimensional
and wraps around no torus, so that the boids at the rim see half of it. Actions are drawn before and lie on the device."""
SIZES = 4096, 1_000_000  # it steps one flock

VIEW = 100.0


def make(num_envs: int, num_boids: int, width: float, height: float) -> Callable[[int], None]:
    """One flock, and what takes so many steps with it."""
    import warp as wp

    if num_envs != 1:
        raise ValueError("one flock")
    wp.config.quiet = True
    wp.init()
    module = importlib.import_module("warp_kernel")
    rng = np.random.default_rng(0)
    places = np.zeros((num_boids, 3), np.float32)
    places[:, :2] = rng.random((num_boids, 2)) * (width, height)
    position = wp.array(places, dtype=wp.vec3, device="cpu")
    heading = wp.array(rng.random(num_boids).astype(np.float32) * 6.2831853, dtype=float, device="cpu")
    ahead = wp.zeros(num_boids, dtype=wp.vec2, device="cpu")
    actions = [wp.array(rng.integers(0, 5, num_boids, np.int32), dtype=int, device="cpu") for _ in range(4)]
    observations = wp.zeros((num_boids, 10), dtype=float, device="cpu")
    rewards = wp.zeros(num_boids, dtype=float, device="cpu")
    cells = [max(1, int(side / VIEW)) for side in (width, height)]
    grid = wp.HashGrid(*cells, 1, device="cpu")

    def run(steps: int) -> None:
        for k in range(steps):
            turn: Any = [position, heading, ahead, actions[k % len(actions)], width, height]
            wp.launch(module.move, num_boids, turn, device="cpu")
            grid.build(position, VIEW)
            wp.launch(module.observe, num_boids, [grid.id, position, ahead, observations, rewards], device="cpu")

    return run
