/* squared.h bound with ctypes: a plain shared library, as a header of inline functions has none. */
#include "squared.h"

typedef struct Vec {
    int num_envs;
    Squared envs[];
} Vec;

Vec* squared_make(uint8_t* observations, int32_t* actions, float* rewards, uint8_t* terminals, uint8_t* truncations,
                  int num_envs, int size, const char** error) {
    Vec* vec = calloc(1, sizeof(Vec) + (size_t)num_envs * sizeof(Squared));
    if (!vec) {
        *error = ENV_NO_MEMORY;
        return NULL;
    }
    vec->num_envs = num_envs;
    for (int i = 0; i < num_envs; i++) {
        Squared* env = &vec->envs[i];
        env->size = size;
        if ((*error = c_init(env))) {
            free(vec);
            return NULL;
        }
        env->observations = observations + i * size * size;
        env->actions = actions + i;
        env->rewards = rewards + i;
        env->terminals = terminals + i;
        env->truncations = truncations + i;
    }
    return vec;
}

void squared_reset(Vec* vec, uint64_t seed) {
    for (int i = 0; i < vec->num_envs; i++) {
        vec->envs[i].rng = env_seed(0, seed + 1, (uint64_t)i);
        c_reset(&vec->envs[i]);
    }
}

void squared_step(Vec* vec) {
    for (int i = 0; i < vec->num_envs; i++) c_step(&vec->envs[i]);
}

void squared_log(Vec* vec, double* sums) {
    for (int i = 0; i < vec->num_envs; i++) {
        const Log log = vec->envs[i].log;
        sums[0] += log.score, sums[1] += log.episode_length, sums[2] += log.n;
        vec->envs[i].log = (Log){0};
    }
}

void squared_close(Vec* vec) {
    for (int i = 0; i < vec->num_envs; i++) c_close(&vec->envs[i]);
    free(vec);
}
