/* test_cartpole.c - the rules of examples/cartpole/cartpole.h, one by one; tests/test_examples.py has its equations in NumPy */
#include "cartpole.h"
#include "env_vec.h"

#include "check.h"

static CartPole open_env(int horizon) {
    CartPole env = {.horizon = horizon, .num_envs = 1, .rng = env_seed(1, 0, 0)};
    CHECK_TEXT(c_init(&env), NULL);
    CHECK_TEXT(env_allocate(&env), NULL);
    env.final_observations = (float*)calloc(4, sizeof(float));
    c_reset(&env);
    return env;
}

static void close_env(CartPole* env) {
    free(env->final_observations);
    env->final_observations = NULL;
    c_close(env);
    env_free(env);
}

static void put(CartPole* env, float position, float speed, float angle, float spin) {
    const float pole[4] = {position, speed, angle, spin};
    memcpy(env->pole, pole, sizeof pole);
}

static void act(CartPole* env, int32_t action) {
    env->actions[0] = action;
    c_step(env);
}

static void test_start(void) {
    CartPole env = open_env(500);
    double sums[4] = {0}, least = 1, most = -1;
    CHECK_EQ(env.num_agents, 1);
    CHECK_EQ(c_observation_space(&env).size, 4);
    for (int n = 0; n < 10000; n++) {
        c_reset(&env);
        CHECK_EQ(env.tick, 0);
        CHECK(memcmp(env.observations, env.pole, sizeof env.pole) == 0);
        for (int k = 0; k < 4; k++) {
            sums[k] += (double)env.pole[k];
            least = fmin(least, (double)env.pole[k]);
            most = fmax(most, (double)env.pole[k]);
        }
    }
    CHECK(least >= -0.05 && least < -0.0499);
    CHECK(most <= 0.05 && most > 0.0499);
    for (int k = 0; k < 4; k++) CHECK_NEAR(sums[k] / 10000, 0, 0.0012); /* four deviations of the mean */
    close_env(&env);
}

/* A push moves the cart to its side and tips the pole to the other; a pole that leans falls further. */
static void test_directions(void) {
    CartPole env = open_env(500);
    put(&env, 0, 0, 0, 0);
    act(&env, CARTPOLE_RIGHT);
    CHECK_NEAR(env.pole[1], 0.02 * 10 / 1.1 * (1 + 0.05 / 1.1 / (0.5 * (4.0 / 3 - 0.1 / 1.1))), 1e-6);
    CHECK_NEAR(env.pole[3], -0.02 * 10 / 1.1 / (0.5 * (4.0 / 3 - 0.1 / 1.1)), 1e-6);
    CHECK_EQ(env.pole[0], 0); /* Euler: with the speed before */
    CHECK_EQ(env.pole[2], 0);
    put(&env, 0, 1, 0.1f, -1);
    act(&env, CARTPOLE_LEFT);
    CHECK_NEAR(env.pole[0], 0.02, 1e-7);
    CHECK_NEAR(env.pole[2], 0.08, 1e-7);
    CHECK_EQ(env.rewards[0], 1);
    CHECK_EQ(env.terminals[0] + env.truncations[0], 0);
    close_env(&env);
}

static void test_it_falls(void) {
    const float poles[][4] = {
        {2.39f, 1, 0, 0}, {-2.39f, -1, 0, 0}, {0, 0, 0.209f, 0.1f}, {0, 0, -0.209f, -0.1f}, {NAN, 0, 0, 0}};
    for (int k = 0; k < 5; k++) {
        CartPole env = open_env(500);
        memcpy(env.pole, poles[k], sizeof env.pole);
        act(&env, CARTPOLE_LEFT);
        CHECK_EQ(env.terminals[0], 1);
        CHECK_EQ(env.truncations[0], 0);
        CHECK_EQ(env.rewards[0], 1);
        CHECK_EQ(env.log.episode_length, 1);
        CHECK_EQ(env.log.n, 1);
        CHECK(!(fabsf(env.final_observations[0]) <= 2.4f && fabsf(env.final_observations[2]) <= 0.20943951f));
        CHECK(fabsf(env.observations[0]) <= 0.05f && fabsf(env.observations[2]) <= 0.05f); /* the next episode */
        CHECK_EQ(env.tick, 0);
        close_env(&env);
    }
    CartPole env = open_env(500);
    put(&env, 2.39f, 0.4f, 0.2f, 0.4f);
    act(&env, CARTPOLE_LEFT);
    CHECK_EQ(env.terminals[0], 0); /* 2.398 and 0.208 */
    close_env(&env);
}

/* Time is up for one that stands; one that falls with the last step has fallen. */
static void test_time_is_up(void) {
    CartPole env = open_env(3);
    for (int k = 1; k <= 3; k++) {
        act(&env, k % 2);
        CHECK_EQ(env.terminals[0], 0);
        CHECK_EQ(env.truncations[0], k == 3);
    }
    CHECK_EQ(env.log.episode_length, 3);
    CHECK(env.final_observations[1] != env.observations[1]);
    act(&env, CARTPOLE_LEFT);
    act(&env, CARTPOLE_LEFT);
    CHECK_EQ(env.truncations[0], 0);
    put(&env, 0, 0, 0.209f, 1);
    act(&env, CARTPOLE_LEFT);
    CHECK_EQ(env.terminals[0], 1);
    CHECK_EQ(env.truncations[0], 0);
    close_env(&env);
}

/* A cart and its mirror image stay so, bit for bit. */
static void test_mirror(void) {
    CartPole env = open_env(500), image = open_env(500);
    for (int k = 0; k < 4; k++) {
        CHECK_EQ(c_mirror_observation(&env, k).from, k);
        image.pole[k] = env.pole[k] * (float)c_mirror_observation(&env, k).sign;
    }
    for (int t = 0; t < 8; t++) {
        const int32_t action = t / 2 % 2;
        act(&env, action);
        act(&image, c_mirror_action(&env, action).from);
        for (int k = 0; k < 4; k++) CHECK(image.observations[k] == -env.observations[k]);
    }
    CHECK_EQ(env.log.n, 0);
    close_env(&env);
    close_env(&image);
}

static void test_state(void) {
    CartPole env = open_env(500);
    act(&env, CARTPOLE_LEFT);
    CHECK_TEXT(c_check_state(&env), NULL);
    env.tick = 500;
    CHECK_TEXT(c_check_state(&env), "tick: expected 0 to 499, got 500");
    env.tick = 499;
    env.pole[2] = NAN;
    CHECK_TEXT(c_check_state(&env), "pole: expected one that is up");
    close_env(&env);
}

static void test_refuses(void) {
    CartPole env = {.horizon = 0};
    CHECK_TEXT(c_init(&env), "horizon: expected 1 to 1e+09, got 0");
}

int main(void) {
    RUN(test_start);
    RUN(test_directions);
    RUN(test_it_falls);
    RUN(test_time_is_up);
    RUN(test_mirror);
    RUN(test_state);
    RUN(test_refuses);
    return check_result();
}
