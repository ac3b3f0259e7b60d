"""squared.h bound with cffi, API mode: `python squared_cffi_build.py out.c` writes the C of the extension."""

import sys

from cffi import FFI

ffibuilder = FFI()
ffibuilder.cdef("""
    typedef struct { double score, episode_length, n; ...; } Log;
    typedef struct {
        uint8_t* observations; int32_t* actions; float* rewards; uint8_t* terminals; uint8_t* truncations;
        Log log; uint64_t rng; int size;
        ...;
    } Squared;
    const char* c_init(Squared* env);
    void c_close(Squared* env);
    void reset_all(Squared* envs, size_t num_envs, uint64_t seed);
    void step_all(Squared* envs, size_t num_envs);
""")
ffibuilder.set_source(
    "_squared_cffi",
    """
    #include "squared.h"
    static void reset_all(Squared* envs, size_t num_envs, uint64_t seed) {
        for (size_t i = 0; i < num_envs; i++) {
            envs[i].rng = env_seed(0, seed + 1, i);
            c_reset(&envs[i]);
        }
    }
    static void step_all(Squared* envs, size_t num_envs) {
        for (size_t i = 0; i < num_envs; i++) c_step(&envs[i]);
    }
    """,
)

if __name__ == "__main__":
    ffibuilder.emit_c_code(sys.argv[1])
