/* What no binding can be faster than: the environments stepped in a loop of C. Prints CPU nanoseconds of so many rounds. */
#include <stdio.h>
#include <time.h>

#include "squared.h"

enum { SIZE = 11 };

int main(int argc, char** argv) {
    const size_t num_envs = argc > 1 ? (size_t)atol(argv[1]) : 1, rounds = argc > 2 ? (size_t)atol(argv[2]) : 1;
    Squared* envs = calloc(num_envs, sizeof(Squared));
    uint8_t* observations = calloc(num_envs, SIZE * SIZE);
    int32_t* actions = calloc(num_envs, sizeof(int32_t));
    float* rewards = calloc(num_envs, sizeof(float));
    uint8_t *terminals = calloc(num_envs, 1), *truncations = calloc(num_envs, 1);
    for (size_t i = 0; i < num_envs; i++) {
        envs[i] = (Squared){.size = SIZE, .rng = env_seed(0, 1, i)};
        if (c_init(&envs[i])) return 1;
        envs[i].observations = observations + i * SIZE * SIZE;
        envs[i].actions = &actions[i];
        envs[i].rewards = &rewards[i];
        envs[i].terminals = &terminals[i];
        envs[i].truncations = &truncations[i];
        actions[i] = (int32_t)(i % SQUARED_ACTIONS);
        c_reset(&envs[i]);
    }
    struct timespec start, end;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &start);
    for (size_t k = 0; k < rounds; k++)
        for (size_t i = 0; i < num_envs; i++) c_step(&envs[i]);
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &end);
    printf("%.0f\n", (double)(end.tv_sec - start.tv_sec) * 1e9 + (double)(end.tv_nsec - start.tv_nsec));
    return 0;
}
