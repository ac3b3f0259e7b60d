"""Four boards, moved by chance, with NumPy alone."""

import _catch
import numpy as np

observations = np.zeros((4, 10 * 5), np.uint8)
actions, rewards = np.zeros(4, np.int32), np.zeros(4, np.float32)
terminals, truncations = np.zeros(4, bool), np.zeros(4, bool)
random = np.random.default_rng(1)
with _catch.VecEnv(observations, actions, rewards, terminals, truncations, num_envs=4, seed=1) as env:
    env.reset()
    for _ in range(902):
        actions[:] = random.integers(0, 3, 4)  # the arrays are the interface: step() has no arguments
        env.step()
    print(observations[0].reshape(10, 5))
    print(env.log())
