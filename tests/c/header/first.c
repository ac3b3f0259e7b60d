/* first.c - the headers compile as C11 and as C++17 with warnings as errors, and links from two files; either steps alike */
#include "show/boids_window.h"
#include "env_vec.h"
#include "learn/ppo.h"
#include "learn/policy.h"
#include "learn/state.h"
#include "../validate.h"

#include "../check.h"

uint64_t steps_in_second(Boids* env);

static uint64_t steps_in_first(Boids* env) {
    for (int t = 0; t < 50; t++) {
        c_script(env);
        c_step(env);
    }
    return (uint64_t)env->x[0] << 32 | env->y[0];
}

static uint64_t steps(uint64_t (*in)(Boids* env)) {
    static float observations[64 * 10], rewards[64];
    static int32_t actions[64];
    static uint8_t terminals[64], truncations[64], pixels[40 * 60 * 3];
    Boids env;
    memset(&env, 0, sizeof env);
    env_defaults(&env);
    env.rng = env_seed(1, 2, 3);
    CHECK_TEXT(c_init(&env), NULL);
    env.observations = observations;
    env.actions = actions;
    env.rewards = rewards;
    env.terminals = terminals;
    env.truncations = truncations;
    c_reset(&env);
    const uint64_t place = in(&env);
    c_pixels(&env, pixels, 60, 40);
    CHECK(c_render(&env) == ENV_NO_WINDOW); /* nothing is linked in */
    CHECK_TEXT(boids_validate(&env), NULL);
    c_close(&env);
    return place;
}

static void test_two_files(void) { CHECK(steps(steps_in_first) == steps(steps_in_second)); }

int main(void) {
    RUN(test_two_files);
    return check_result();
}
