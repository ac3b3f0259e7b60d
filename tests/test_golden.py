"""The same seed gives the same flock, whatever the number of threads and of flocks. tests/c/golden.h has the bits."""

import hashlib

import numpy as np
import pytest

STEPS = 60


def play(boids, num_envs, num_threads, steps=STEPS, **parameters):
    """A hash for each environment, of all that it wrote and of its state, after random and scripted steps."""
    layout = boids.layout(**parameters)
    n = layout["num_agents"]
    observations = np.zeros((num_envs * n, layout["observation"]["size"]), np.float32)
    actions = np.zeros(num_envs * n, layout["action"]["dtype"])
    rewards = np.zeros(num_envs * n, np.float32)
    ends = np.zeros((2, num_envs * n), np.uint8)
    ours = {"num_envs": num_envs, "num_threads": num_threads, "seed": 3}
    env = boids.VecEnv(observations, actions, rewards, *ends, **ours, **parameters)
    env.reset(seed=1)
    random = [np.random.default_rng([11, i]) for i in range(num_envs)]
    hashes = [hashlib.sha256() for _ in range(num_envs)]
    for t in range(steps):
        if t % 2:
            env.script()
        else:
            for i, own in enumerate(np.split(actions, num_envs)):
                own[:] = random[i].integers(0, 5, n) if actions.dtype == np.int32 else random[i].uniform(-1, 1, n)
        env.step()
        for i, digest in enumerate(hashes):
            for array in (observations, rewards, *ends):
                digest.update(np.split(array, num_envs)[i].tobytes())
    for i, digest in enumerate(hashes):
        for name in env.state_fields:
            digest.update(env.get(name, i))
    log = env.log()
    env.close()
    return [digest.hexdigest() for digest in hashes], log


@pytest.mark.parametrize(
    "parameters",
    [
        {"num_boids": 33},
        {"num_boids": 20, "observation": "nearest", "action": "continuous"},
        {"num_boids": 300, "width": 3000, "observation": "nearest"},
    ],
    ids=["rules", "nearest", "cells"],
)
def test_threads(boids, parameters):
    """One thread, two or three: the same bits in every environment, and the same log."""
    parameters = {"horizon": 25, **parameters}
    one = play(boids, 5, 1, **parameters)
    assert len(set(one[0])) == 5
    assert one[1]["n"] > 5
    for num_threads in (2, 3):
        assert play(boids, 5, num_threads, **parameters) == one


@pytest.mark.parametrize("observation", ["rules", "nearest"])
def test_threads_of_one_flock(boids, observation):
    """A flock that is alone shares itself out among the threads, row by row of cells: the same bits, and the same log."""
    parameters = {"num_boids": 3000, "width": 4000, "height": 2500, "horizon": 7, "observation": observation}
    one = play(boids, 1, 1, **parameters)
    for num_threads in (2, 3, 8):
        assert play(boids, 1, num_threads, **parameters) == one


def test_company_changes_nothing(boids):
    """An environment is the same whether it is one of two or one of five, where starts are not staggered."""
    parameters = {"num_boids": 33, "horizon": 25, "stagger": False}
    many, _ = play(boids, 5, 2, **parameters)
    assert play(boids, 2, 1, **parameters)[0] == many[:2]
    assert play(boids, 1, 1, **parameters)[0] == many[:1]
