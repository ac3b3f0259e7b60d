/* test_counter.c - a small environment keeps to env.h's contract, and its c_init frees everything where an allocation fails */
#include "module.h"
#include "env_vec.h"

#include "check.h"

static Env make(int limit) {
    Env env = {
        .limit = limit, .scale = 0.5f, .floor = false, .goal = COUNTER_CLIMB, .num_envs = 1, .rng = env_seed(1, 0, 0)};
    return env;
}

/* c_init, then the arrays, then the first episode */
static void open_env(Env* env) {
    CHECK_TEXT(c_init(env), NULL);
    CHECK_TEXT(env_allocate(env), NULL);
    c_reset(env);
}

static void close_env(Env* env) {
    c_close(env);
    env_free(env);
    CHECK_EQ(counter_allocations_live, 0);
}

static void act(Env* env, int direction, int stride) {
    for (int i = 0; i < 2; i++) {
        env->actions[2 * i] = direction;
        env->actions[2 * i + 1] = stride;
    }
    c_step(env);
}

static void test_steps(void) {
    Env env = make(100);
    open_env(&env);
    env.count[0] = 10;
    env.count[1] = 20;
    act(&env, 2, 1);
    CHECK_EQ(env.observations[0], 12);
    CHECK_EQ(env.observations[1], 22);
    CHECK_EQ(env.observations[2], 22);
    CHECK_EQ(env.rewards[0], 1);
    CHECK_EQ(env.terminals[0] + env.truncations[0], 0);
    close_env(&env);
}

static void test_ends(void) {
    Env env = make(100);
    open_env(&env);
    env.count[0] = 99;
    env.count[1] = 50;
    act(&env, 2, 1);
    CHECK_EQ(env.terminals[0], 1);
    CHECK_EQ(env.terminals[1], 0);
    env.count[0] = 50;
    env.count[1] = 0;
    act(&env, 0, 0);
    CHECK_EQ(env.truncations[0], 0);
    CHECK_EQ(env.truncations[1], 1);
    CHECK_EQ(env.log.n, 2);
    CHECK_EQ(env.log.finished, 1);
    close_env(&env);
}

static void test_refuses(void) {
    Env env = make(1);
    CHECK_TEXT(c_init(&env), "limit: expected 2 to 200, got 1");
    CHECK_EQ(counter_allocations_live, 0);
}

static void test_without_memory(void) {
    for (counter_allocations_left = 0;;) {
        const long left = counter_allocations_left;
        Env env = make(10);
        const char* error = c_init(&env);
        if (!error) c_close(&env);
        CHECK_EQ(counter_allocations_live, 0);
        if (!error) break;
        CHECK_TEXT(error, ENV_NO_MEMORY);
        counter_allocations_left = left + 1;
    }
    CHECK_EQ(counter_allocations_left, 0); /* it took just as many as were left */
    counter_allocations_left = -1;
}

static void test_closes_twice(void) {
    Env env = make(10);
    open_env(&env);
    c_close(&env);
    close_env(&env);
}

static void test_streams_differ(void) {
    uint64_t seen[27];
    int n = 0;
    for (uint64_t seed = 0; seed < 3; seed++)
        for (uint64_t stream = 0; stream < 3; stream++)
            for (uint64_t index = 0; index < 3; index++) {
                seen[n] = env_seed(seed, stream, index);
                for (int i = 0; i < n; i++) CHECK(seen[i] != seen[n]);
                n++;
            }
}

int main(void) {
    RUN(test_steps);
    RUN(test_ends);
    RUN(test_refuses);
    RUN(test_without_memory);
    RUN(test_closes_twice);
    RUN(test_streams_differ);
    return check_result();
}
