/* boids.c - a flock in a window, in plain C
 *
 *     boids [boids [learned|reynolds]]
 *
 * The policy that ships steers, or Reynolds' rules. Link with raylib, and compile with -DLINKED_RAYLIB: CMakeLists.txt does
 * both where it finds one.
 */
#include "show/boids_window.h"
#include "env_vec.h"
#include "policy.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* A world that gives each boid as much room as it has in a flock of 64 in the default one. */
static void make_room(Boids* env) {
    const float times = sqrtf((float)env->num_boids / 64.0f);
    if (times <= 1.0f) return;
    env->width *= times;
    env->height *= times;
}

/* Flies until the window is closed. NULL, or what went wrong. */
static const char* watch(Boids* env, bool learned) {
    int32_t steps;
    uint64_t draws = env_random(&env->rng); /* a stream of the policy's own */
    c_reset(env);
    while ((steps = c_render(env)) >= 0) {
        for (; steps; steps--) {
            if (!learned || !learned_act(env, &draws)) c_script(env);
            c_step(env);
        }
    }
    return steps == ENV_CLOSED ? NULL : "no window can be opened: is there a display?";
}

int main(int argc, char** argv) {
    Boids env = {0};
    const bool learned = argc < 3 || strcmp(argv[2], "reynolds") != 0;
    env_defaults(&env);
    env.num_boids = argc > 1 ? atoi(argv[1]) : 1000;
    env.horizon = 1000000;
    env.rng = env_seed((uint64_t)time(NULL), 0, 0);
    make_room(&env);
    const char* error = c_init(&env);
    if (!error) {
        error = env_allocate(&env);
        if (!error) error = watch(&env, learned);
        c_close(&env);
        env_free(&env);
    }
    if (error) fprintf(stderr, "boids: %s\n", error);
    return error != NULL;
}
