"""squared.h bound with PufferLib's env_binding.h: the class, without PufferEnv, which brings spaces and makes the arrays."""

import binding


class VecSquared:
    def __init__(self, observations, actions, rewards, terminals, truncations, num_envs=1, size=11):
        arrays = observations, actions, rewards, terminals, truncations
        self.c_envs = binding.vec_init(*arrays, num_envs, 0, size=size, truncations=truncations)

    def reset(self, seed=0):
        binding.vec_seed(self.c_envs, seed)
        binding.vec_reset(self.c_envs, 0)

    def step(self):
        binding.vec_step(self.c_envs)

    def log(self):
        return binding.vec_log(self.c_envs)

    def close(self):
        binding.vec_close(self.c_envs)
