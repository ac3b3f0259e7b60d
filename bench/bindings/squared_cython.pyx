# cython: language_level=3
"""squared.h bound with Cython: typed memoryviews check the arrays and hold them."""

from libc.stdint cimport int32_t, uint8_t, uint64_t
from libc.stdlib cimport calloc, free


cdef extern from "squared.h" nogil:
    ctypedef struct Log:
        double score, episode_length, n
    ctypedef struct Squared:
        uint8_t* observations
        int32_t* actions
        float* rewards
        uint8_t* terminals
        uint8_t* truncations
        Log log
        uint64_t rng
        int size
    const char* c_init(Squared* env)
    void c_reset(Squared* env)
    void c_step(Squared* env)
    void c_close(Squared* env)
    uint64_t env_seed(uint64_t seed, uint64_t stream, uint64_t index)


cdef class VecSquared:
    cdef Squared* envs
    cdef Py_ssize_t num_envs
    cdef uint8_t[:, ::1] observations
    cdef int32_t[::1] actions
    cdef float[::1] rewards
    cdef uint8_t[::1] terminals, truncations

    def __cinit__(self, uint8_t[:, ::1] observations not None, int32_t[::1] actions not None, float[::1] rewards not None,
                  uint8_t[::1] terminals not None, uint8_t[::1] truncations not None, Py_ssize_t num_envs=1, int size=11):
        if observations.shape[0] != num_envs or observations.shape[1] != size * size:
            raise ValueError(f"observations must be of shape ({num_envs}, {size * size})")
        if not len(actions) == len(rewards) == len(terminals) == len(truncations) == num_envs:
            raise ValueError(f"actions, rewards, terminals and truncations must be of shape ({num_envs},)")
        self.envs = <Squared*>calloc(num_envs, sizeof(Squared))
        if self.envs == NULL:
            raise MemoryError()
        self.num_envs = num_envs
        self.observations, self.actions, self.rewards = observations, actions, rewards
        self.terminals, self.truncations = terminals, truncations
        for i in range(num_envs):
            env = &self.envs[i]
            env.size = size
            error = c_init(env)
            if error != NULL:
                raise ValueError(error.decode())
            env.observations, env.actions, env.rewards = &observations[i, 0], &actions[i], &rewards[i]
            env.terminals, env.truncations = &terminals[i], &truncations[i]

    cdef int check_open(self) except -1:
        if self.envs == NULL:
            raise RuntimeError("closed")
        return 0

    def reset(self, uint64_t seed=0):
        self.check_open()
        for i in range(self.num_envs):
            self.envs[i].rng = env_seed(0, seed + 1, i)
            c_reset(&self.envs[i])

    def step(self):
        cdef Py_ssize_t i
        self.check_open()
        with nogil:
            for i in range(self.num_envs):
                c_step(&self.envs[i])

    def log(self):
        cdef double score = 0, episode_length = 0, n = 0
        self.check_open()
        for i in range(self.num_envs):
            log = &self.envs[i].log
            score, episode_length, n = score + log.score, episode_length + log.episode_length, n + log.n
            log.score = log.episode_length = log.n = 0
        return {"score": score / n, "episode_length": episode_length / n, "n": n} if n else {}

    def close(self):
        if self.envs != NULL:
            for i in range(self.num_envs):
                c_close(&self.envs[i])
        free(self.envs)
        self.envs = NULL

    def __dealloc__(self):
        self.close()
