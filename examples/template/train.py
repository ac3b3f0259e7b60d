"""Trains Catch with the learner of its own module, with NumPy alone: `python train.py [seed]`. Writes catch.npz."""

import sys
import time

import _catch
import numpy as np

from boids_env import load_policy, numpy_env
from boids_env.learn.learner import weights

STEPS = 100_000
BOARDS = 128
Catch = numpy_env(_catch)


def evaluate(policy, seed):
    """The share of balls caught in 1,000 steps, on boards that training has not used."""
    with Catch(BOARDS, seed=1_000_000 + seed) as env:
        env.reset()
        for _ in range(1000):
            policy.act(env)
            env.step()
        return env.log()["caught"]


seed = int(sys.argv[1]) if sys.argv[1:] else 1
env = Catch(BOARDS, seed=seed)
env.reset()
learner = _catch.Learner(env.vec, seed=seed, anneal_steps=STEPS)  # _catch.Learner.settings has the others
began = time.perf_counter()
while learner.agent_steps < STEPS:
    learner.learn(STEPS // 8)
    seconds, caught = time.perf_counter() - began, learner.log()["env/caught"]
    print(f"{seconds:5.2f} s  {learner.agent_steps:6} steps  caught {caught:.3f}", flush=True)
np.savez("catch.npz", **weights(learner))
learned, by_chance = evaluate(load_policy("catch.npz", argmax=True), seed), evaluate(load_policy("random"), seed)
print(f"caught: learned {learned:.3f}, random {by_chance:.3f}")
