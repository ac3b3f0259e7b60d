"""squared.h bound with ctypes: the class. NumPy's ndpointer checks type, dimensions and flags."""

import ctypes
from pathlib import Path

import numpy as np
from numpy.ctypeslib import ndpointer

lib = ctypes.CDLL(Path(__file__).with_name("libsquared.so"))
FLAGS = ("C_CONTIGUOUS", "WRITEABLE", "ALIGNED")
TYPES = [ndpointer(np.uint8, 2, flags=FLAGS), ndpointer(np.int32, 1, flags=FLAGS), ndpointer(np.float32, 1, flags=FLAGS)]
TYPES += [ndpointer(np.uint8, 1, flags=FLAGS)] * 2
lib.squared_make.restype = ctypes.c_void_p
lib.squared_make.argtypes = [*TYPES, ctypes.c_int, ctypes.c_int, ctypes.POINTER(ctypes.c_char_p)]
lib.squared_reset.argtypes = [ctypes.c_void_p, ctypes.c_uint64]
lib.squared_step.argtypes = [ctypes.c_void_p]
lib.squared_log.argtypes = [ctypes.c_void_p, ctypes.POINTER(ctypes.c_double)]
lib.squared_close.argtypes = [ctypes.c_void_p]
for function in (lib.squared_reset, lib.squared_step, lib.squared_log, lib.squared_close):
    function.restype = None


class VecSquared:
    _vec = None

    def __init__(self, observations, actions, rewards, terminals, truncations, num_envs=1, size=11):
        self._arrays = observations, actions, rewards, terminals, truncations
        if [np.shape(a) for a in self._arrays] != [(num_envs, size * size)] + [(num_envs,)] * 4:
            raise ValueError("observations must be of shape (num_envs, size * size), the others of (num_envs,)")
        error = ctypes.c_char_p()
        self._vec = lib.squared_make(*self._arrays, num_envs, size, error)
        if not self._vec:
            raise ValueError(error.value.decode())

    def _open(self):
        if not self._vec:
            raise RuntimeError("closed")
        return self._vec

    def reset(self, seed=0):
        lib.squared_reset(self._open(), seed)

    def step(self):
        lib.squared_step(self._open())

    def log(self):
        sums = (ctypes.c_double * 3)()
        lib.squared_log(self._open(), sums)
        score, episode_length, n = sums
        return {"score": score / n, "episode_length": episode_length / n, "n": n} if n else {}

    def close(self):
        if self._vec:
            lib.squared_close(self._vec)
        self._vec = None

    def __del__(self):
        self.close()
