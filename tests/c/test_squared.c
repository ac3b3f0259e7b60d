/* test_squared.c - the rules of examples/squared/squared.h, one by one */
#include "squared.h"
#include "env_vec.h"

#include "check.h"

static Squared open_env(int size) {
    Squared env = {.size = size, .num_envs = 1, .rng = env_seed(1, 0, 0)};
    CHECK_TEXT(c_init(&env), NULL);
    CHECK_TEXT(env_allocate(&env), NULL);
    c_reset(&env);
    return env;
}

static void close_env(Squared* env) {
    c_close(env);
    env_free(env);
}

static void act(Squared* env, int32_t action) {
    env->actions[0] = action;
    c_step(env);
}

/* Moves the target of the running episode. */
static void put_target(Squared* env, int32_t row, int32_t column) {
    env->observations[env->target] = SQUARED_EMPTY;
    env->target = row * env->size + column;
    env->observations[env->target] = SQUARED_TARGET;
}

static int count(const Squared* env, uint8_t kind) {
    int n = 0;
    for (int k = 0; k < env->size * env->size; k++) n += env->observations[k] == kind;
    return n;
}

static void test_start(void) {
    for (int size = 2; size <= 64; size++) {
        Squared env = open_env(size);
        CHECK_EQ(env.num_agents, 1);
        CHECK_EQ(c_observation_space(&env).size, size * size);
        CHECK_EQ(env.observations[(size / 2) * size + size / 2], SQUARED_AGENT);
        CHECK_EQ(count(&env, SQUARED_AGENT), 1);
        CHECK_EQ(count(&env, SQUARED_TARGET), 1);
        close_env(&env);
    }
}

static void test_moves(void) {
    const int rows[] = {0, -1, 1, 0, 0}, columns[] = {0, 0, 0, -1, 1};
    for (int32_t a = SQUARED_STAY; a < SQUARED_ACTIONS; a++) {
        Squared env = open_env(11);
        put_target(&env, 0, 0);
        act(&env, a);
        CHECK_EQ(env.row, 5 + rows[a]);
        CHECK_EQ(env.column, 5 + columns[a]);
        CHECK_EQ(env.observations[env.row * 11 + env.column], SQUARED_AGENT);
        CHECK_EQ(count(&env, SQUARED_AGENT), 1);
        CHECK_EQ(env.rewards[0], 0);
        CHECK_EQ(env.terminals[0] + env.truncations[0], 0);
        close_env(&env);
    }
}

static void test_the_target_is_one(void) {
    Squared env = open_env(11);
    put_target(&env, 5, 6);
    act(&env, SQUARED_RIGHT);
    CHECK_EQ(env.rewards[0], 1);
    CHECK_EQ(env.terminals[0], 1);
    CHECK_EQ(env.truncations[0], 0);
    CHECK_EQ(env.log.score, 1);
    CHECK_EQ(env.log.episode_length, 1);
    CHECK_EQ(env.log.n, 1);
    CHECK_EQ(env.observations[5 * 11 + 5], SQUARED_AGENT); /* the next episode */
    CHECK_EQ(env.tick, 0);
    close_env(&env);
}

static void test_leaving_is_minus_one(void) {
    for (int32_t a = SQUARED_UP; a < SQUARED_ACTIONS; a++) {
        Squared env = open_env(5);
        put_target(&env, 0, 0);
        act(&env, a);
        act(&env, a);
        CHECK_EQ(env.terminals[0], 0);
        act(&env, a);
        CHECK_EQ(env.rewards[0], -1);
        CHECK_EQ(env.terminals[0], 1);
        CHECK_EQ(env.truncations[0], 0);
        CHECK_EQ(env.log.score, -1);
        CHECK_EQ(env.log.episode_length, 3);
        CHECK_EQ(count(&env, SQUARED_AGENT), 1);
        close_env(&env);
    }
}

static void test_time_is_up(void) {
    Squared env = open_env(4);
    put_target(&env, 0, 0);
    for (int k = 1; k < 12; k++) {
        act(&env, SQUARED_STAY);
        CHECK_EQ(env.terminals[0] + env.truncations[0], 0);
    }
    act(&env, SQUARED_STAY);
    CHECK_EQ(env.truncations[0], 1);
    CHECK_EQ(env.terminals[0], 0);
    CHECK_EQ(env.rewards[0], 0);
    CHECK_EQ(env.log.score, 0);
    CHECK_EQ(env.log.episode_length, 12);
    act(&env, SQUARED_STAY);
    CHECK_EQ(env.truncations[0], 0);
    close_env(&env);
}

static void test_targets_are_everywhere(void) {
    Squared env = open_env(3);
    int seen[9] = {0};
    for (int k = 0; k < 9000; k++) {
        c_reset(&env);
        seen[env.target]++;
    }
    for (int k = 0; k < 9; k++) CHECK(k == 4 ? seen[k] == 0 : seen[k] > 1000 && seen[k] < 1250);
    close_env(&env);
}

static void test_the_script_wins(void) {
    for (int size = 2; size <= 12; size++) {
        Squared env = open_env(size);
        for (int k = 0; k < 1000; k++) {
            c_script(&env);
            c_step(&env);
        }
        CHECK(env.log.n > 1);
        CHECK_EQ(env.log.score, env.log.n);
        close_env(&env);
    }
}

static void test_refuses(void) {
    Squared env = {.size = 1};
    CHECK_TEXT(c_init(&env), "size: expected 2 to 64, got 1");
    env.size = 65;
    CHECK_TEXT(c_init(&env), "size: expected 2 to 64, got 65");
    c_close(&env);
}

static void test_pixels(void) {
    static uint8_t rgb[97 * 131 * 3];
    const int32_t sizes[][2] = {{1, 1}, {1, 97}, {131, 1}, {2, 3}, {97, 131}};
    Squared env = open_env(11);
    for (int k = 0; k < 5; k++) {
        const size_t bytes = (size_t)sizes[k][0] * (size_t)sizes[k][1] * 3;
        memset(rgb, 1, sizeof rgb);
        c_pixels(&env, rgb, sizes[k][0], sizes[k][1]);
        for (size_t b = 0; b < sizeof rgb; b++)
            if (b < bytes ? rgb[b] == 1 : rgb[b] != 1) CHECK(!"every pixel is drawn, and none beyond");
    }
    close_env(&env);
}

static void test_no_window(void) {
    Squared env = open_env(11);
    CHECK_EQ(c_render(&env), ENV_NO_WINDOW);
    c_close(&env);
    close_env(&env);
}

int main(void) {
    RUN(test_start);
    RUN(test_moves);
    RUN(test_the_target_is_one);
    RUN(test_leaving_is_minus_one);
    RUN(test_time_is_up);
    RUN(test_targets_are_everywhere);
    RUN(test_the_script_wins);
    RUN(test_refuses);
    RUN(test_pixels);
    RUN(test_no_window);
    return check_result();
}
