"""Steps of 64 flocks of 64 through one API, with fresh actions; of PettingZoo, of one flock of 64."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

FLOCKS, BOIDS = 64, 64
ACTIONS = 8  # arrays of them, in turn


def make(api: str) -> Callable[[int], None]:
    actions = np.random.default_rng(0).integers(0, 5, (ACTIONS, FLOCKS * BOIDS)).astype(np.int32)
    step = globals()[f"_{api}"]({"num_envs": FLOCKS, "num_boids": BOIDS}, actions)

    def run(steps: int) -> None:
        for t in range(steps):
            step(t % ACTIONS)

    return run


Step = Callable[[int], Any]


def _flocks(options: Any, actions: Any) -> Step:
    from boids_env import Flocks

    flocks = Flocks(**options)
    flocks.reset()
    return lambda k: flocks.step(actions[k])


def _pufferlib(options: Any, actions: Any) -> Step:
    from boids_env import Boids

    boids = Boids(**options)
    boids.reset()
    return lambda k: boids.step(actions[k])


def _gymnasium(options: Any, actions: Any, **more: Any) -> Step:
    from boids_env.gymnasium import VectorEnv

    envs = VectorEnv(**options, **more)
    envs.reset(seed=0)
    return lambda k: envs.step(actions[k])


def _gymnasium_shared(options: Any, actions: Any) -> Step:
    return _gymnasium(options, actions, copy=False)


def _gymnasium_next_step(options: Any, actions: Any) -> Step:
    return _gymnasium(options, actions, autoreset_mode="NextStep")


def _sb3(options: Any, actions: Any) -> Step:
    from boids_env.sb3 import VecEnv

    envs = VecEnv(**options)
    envs.reset()
    return lambda k: envs.step(actions[k])


def _torchrl(options: Any, actions: Any) -> Step:
    import torch

    from boids_env.torchrl import Env

    torch.set_num_threads(1)
    env = Env(**options)
    given = torch.as_tensor(actions.astype(np.int64))
    now = [env.reset()]

    def step(k: int) -> None:
        _, now[0] = env.step_and_maybe_reset(now[0].set("action", given[k]))

    return step


def _pettingzoo(options: Any, actions: Any) -> Step:
    from boids_env.pettingzoo import parallel_env

    env = parallel_env(num_boids=options["num_boids"])
    env.reset()
    given = [dict(zip(env.possible_agents, row.tolist(), strict=False)) for row in actions]

    def step(k: int) -> None:
        if not env.agents:
            env.reset()
        env.step(given[k])

    return step
