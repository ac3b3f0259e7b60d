/* steps.c - steps flocks without Python: what tests/test_instructions.py counts and bench/speed.py times
 *
 *     steps NUM_ENVS NUM_BOIDS rules|nearest STEPS [NEIGHBOURS]
 *
 * prints nanoseconds of CPU time per agent-step, and the compiler it was built with. The world of a large flock is so large that a
 * boid has NEIGHBOURS neighbours on average, 20 if not given; at the default density it has 2.6. tests/c/CMakeLists.txt builds this once for each instruction set. Every boid repeats one random
 * turn, so that actions cost no time.
 */
#include "boids.h"
#include "env_vec.h"

#include <time.h>

#if defined(__clang__)
#define COMPILER "clang", __clang_major__
#elif defined(__GNUC__)
#define COMPILER "gcc", __GNUC__
#else
#define COMPILER "unknown", 0
#endif

static int fail(const char* why) {
    fprintf(stderr, "steps: %s\n", why);
    return 1;
}

int main(int argc, char** argv) {
    const bool right = argc == 5 || argc == 6;
    const int num_envs = right ? atoi(argv[1]) : 0, num_boids = right ? atoi(argv[2]) : 0;
    const long steps = right ? atol(argv[4]) : 0;
    const float neighbours = argc == 6 ? (float)atof(argv[5]) : 20;
    if (num_envs < 1 || steps < 1 || !(neighbours > 0))
        return fail("expected NUM_ENVS NUM_BOIDS rules|nearest STEPS [NEIGHBOURS]");
    Boids* envs = (Boids*)calloc((size_t)num_envs, sizeof(Boids));
    if (!envs) return fail(ENV_NO_MEMORY);
    for (int k = 0; k < num_envs; k++) {
        Boids* env = &envs[k];
        env_defaults(env);
        env->num_boids = num_boids;
        env->observation = strcmp(argv[3], "nearest") == 0;
        env->horizon = 1000000000; /* no episode ends */
        const float side = env->view_radius * sqrtf((float)num_boids * 3.1415927f / neighbours);
        if (side * side > env->width * env->height) env->width = env->height = side;
        env->index = (uint32_t)k;
        env->num_envs = (uint32_t)num_envs;
        env->stagger = false;
        env->rng = env_seed(1, 0, env->index);
        const char* error = c_init(env);
        if (error) return fail(error);
        if (env_allocate(env)) return fail(ENV_NO_MEMORY);
        uint64_t rng = env_seed(2, 0, env->index);
        for (int32_t i = 0; i < env->num_agents; i++) ((int32_t*)env->actions)[i] = (int32_t)(env_random(&rng) % 5);
        c_reset(env);
    }
    const clock_t start = clock();
    for (long t = 0; t < steps; t++) {
        for (int k = 0; k < num_envs; k++) c_step(&envs[k]);
    }
    const double seconds = (double)(clock() - start) / CLOCKS_PER_SEC;
    printf("%.3f %s-%d\n", seconds * 1e9 / ((double)steps * num_envs * num_boids), COMPILER);
    for (int k = 0; k < num_envs; k++) {
        c_close(&envs[k]);
        env_free(&envs[k]);
    }
    free(envs);
    return 0;
}
