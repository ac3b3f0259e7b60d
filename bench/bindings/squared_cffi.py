"""squared.h bound with cffi, API mode: the class. from_buffer() holds the arrays, ffi.new() the environments."""

import numpy as np
from _squared_cffi import ffi, lib


def pointer(name, array, dtype, ctype, shape):
    if array.dtype != dtype or array.shape != shape:
        raise ValueError(f"{name} must be {np.dtype(dtype)} of shape {shape}")
    return ffi.from_buffer(ctype, array, require_writable=True)


class VecSquared:
    def __init__(self, observations, actions, rewards, terminals, truncations, num_envs=1, size=11):
        self._arrays = (
            pointer("observations", observations, np.uint8, "uint8_t[]", (num_envs, size * size)),
            pointer("actions", actions, np.int32, "int32_t[]", (num_envs,)),
            pointer("rewards", rewards, np.float32, "float[]", (num_envs,)),
            pointer("terminals", terminals, np.uint8, "uint8_t[]", (num_envs,)),
            pointer("truncations", truncations, np.uint8, "uint8_t[]", (num_envs,)),
        )
        self._num_envs = num_envs
        self._envs = ffi.new("Squared[]", num_envs)
        for i in range(num_envs):
            env = ffi.addressof(self._envs, i)
            env.size = size
            error = lib.c_init(env)
            if error:
                raise ValueError(ffi.string(error).decode())
            env.observations = self._arrays[0] + i * size * size
            env.actions, env.rewards, env.terminals, env.truncations = (array + i for array in self._arrays[1:])

    def reset(self, seed=0):
        lib.reset_all(self._envs, self._num_envs, seed)

    def step(self):
        lib.step_all(self._envs, self._num_envs)

    def log(self):
        logs = [env.log for env in self._envs]
        n = sum(log.n for log in logs)
        means = {name: sum(getattr(log, name) for log in logs) / n for name in ("score", "episode_length")} if n else {}
        for log in logs:
            log.score = log.episode_length = log.n = 0
        return {**means, "n": n} if n else {}

    def close(self):
        for env in self._envs or ():
            lib.c_close(ffi.addressof(env))
        self._envs = None  # which reset() and step() then refuse
