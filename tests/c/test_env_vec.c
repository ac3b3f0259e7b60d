/* test_env_vec.c - many environments in C: what is refused, what is allocated, threads, episodes, the state as bytes */
#include "module.h"
#include "env_vec.h"

#include "check.h"

#include <math.h>

enum { ENVS = 5, STEPS = 60 };

static Env with_limit(int limit) {
    Env first;
    memset(&first, 0, sizeof first);
    env_defaults(&first);
    first.limit = limit;
    return first;
}

/* Open, with arrays of its own, in an episode. */
static EnvVec started(int64_t num_envs, uint64_t seed, int64_t num_threads) {
    const Env first = with_limit(10);
    EnvVec vec;
    CHECK_TEXT(env_vec_open(&vec, &first, num_envs, seed, num_threads), NULL);
    CHECK_TEXT(env_vec_attach(&vec, NULL), NULL);
    CHECK_TEXT(env_vec_reset(&vec), NULL);
    return vec;
}

/* The same actions for equal rng, all in their space. */
static void act(EnvVec* vec, uint64_t* rng) {
    int32_t* actions = (int32_t*)vec->arrays[ENV_VEC_ACTIONS];
    for (int64_t agent = 0; agent < vec->num_agents; agent++) {
        actions[2 * agent] = (int32_t)(env_random(rng) % 3);
        actions[2 * agent + 1] = (int32_t)(env_random(rng) % 2);
    }
}

/* FNV-1a of what a step wrote. */
static uint64_t seen(const EnvVec* vec, uint64_t hash) {
    for (int k = 0; k < ENV_VEC_ARRAYS; k++) {
        const uint8_t* bytes = (const uint8_t*)vec->arrays[k];
        if (k == ENV_VEC_ACTIONS) continue;
        for (size_t b = 0; b < (size_t)vec->num_envs * vec->part_bytes[k]; b++) hash = (hash ^ bytes[b]) * 0x100000001B3u;
    }
    return hash;
}

static uint64_t go_on(EnvVec* vec, uint64_t seed, int steps) {
    uint64_t hash = seen(vec, 0xCBF29CE484222325u);
    for (int t = 0; t < steps; t++) {
        act(vec, &seed);
        CHECK_TEXT(env_vec_step(vec), NULL);
        hash = seen(vec, hash);
    }
    return hash;
}

static void close_vec(EnvVec* vec) {
    env_vec_close(vec);
    CHECK(!vec->envs);
    CHECK_EQ(counter_allocations_live, 0);
}

/* ---- Parameters */

static void test_defaults(void) {
    Env env;
    memset(&env, 255, sizeof env);
    env_defaults(&env);
    CHECK_EQ(env.limit, 10);
    CHECK_EQ(env.scale, 1);
    CHECK(env.floor);
    CHECK_EQ(env.goal, COUNTER_CLIMB);
    CHECK_TEXT(env_check(&env), NULL);
}

static void test_ranges(void) {
    Env env = with_limit(2);
    CHECK_TEXT(env_check(&env), NULL);
    env.limit = 200;
    CHECK_TEXT(env_check(&env), NULL);
    env.limit = 201;
    CHECK_TEXT(env_check(&env), "limit: expected 2 to 200, got 201");
    env.limit = -2147483647;
    CHECK_TEXT(env_check(&env), "limit: expected 2 to 200, got -2.14748365e+09");
    env.limit = 10;
    env.scale = 10.5f;
    CHECK_TEXT(env_check(&env), "scale: expected 0 to 10, got 10.5");
    env.scale = (float)NAN;
    CHECK(env_check(&env) && strncmp(env_check(&env), "scale: expected 0 to 10, got ", 29) == 0);
    env.scale = 1;
    env.goal = 2;
    CHECK_TEXT(env_check(&env), "goal: expected 0 to 1, got 2");
    env.goal = -1;
    CHECK_TEXT(env_check(&env), "goal: expected 0 to 1, got -1");
    CHECK_TEXT(env_expect("x", 0.1234567891, 0, 0.1), "x: expected 0 to 0.1, got 0.123456789");
}

/* A bound that no double holds as the float does: the float nearest to it is inside. The range of a choice is that of its names. */
static void test_bounds_of_floats_and_choices(void) {
    const float tenth = 0.1f;
    CHECK_TEXT(env__expect_param("float", "x", (double)tenth, 0, 0.1, 0, (double)(float)0.1, ""), NULL);
    CHECK_TEXT(env__expect_param("float", "x", 1, 0, 0.1, 0, (double)(float)0.1, ""), "x: expected 0 to 0.1, got 1");
    CHECK_TEXT(env__expect_param("choice", "x", 2, 0, 0, 0, 0, "a|b|c"), NULL);
    CHECK_TEXT(env__expect_param("choice", "x", 3, 0, 9, 0, 9, "a|b|c"), "x: expected 0 to 2, got 3");
}

/* ---- Mistakes */

static void test_counts_are_refused(void) {
    const Env first = with_limit(10);
    EnvVec vec;
    CHECK_TEXT(env_vec_open(&vec, &first, 0, 0, 1), "num_envs: expected 1 to 1048576, got 0");
    CHECK_TEXT(env_vec_open(&vec, &first, 1048577, 0, 1), "num_envs: expected 1 to 1048576, got 1048577");
    CHECK_TEXT(env_vec_open(&vec, &first, 1, 0, 0), "num_threads: expected 1 to 1024, got 0");
    CHECK_TEXT(env_vec_open(&vec, &first, 1, 0, 1025), "num_threads: expected 1 to 1024, got 1025");
    close_vec(&vec);
}

static void test_parameters_are_refused(void) {
    Env first = with_limit(1);
    EnvVec vec;
    CHECK_TEXT(env_vec_open(&vec, &first, ENVS, 0, 1), "limit: expected 2 to 200, got 1");
    CHECK(!vec.bad_header);
    close_vec(&vec);
    first = with_limit(3);
    first.goal = COUNTER_MEET;
    CHECK_TEXT(env_vec_open(&vec, &first, ENVS, 0, 1), "goal: to meet takes a limit of 4 at least");
    close_vec(&vec);
}

static void test_order_of_calls(void) {
    const Env first = with_limit(10);
    EnvVec vec;
    memset(&vec, 0, sizeof vec);
    env_vec_close(&vec); /* never opened */
    CHECK_TEXT(env_vec_open(&vec, &first, ENVS, 0, 1), NULL);
    CHECK_TEXT(env_vec_reset(&vec), "call env_vec_attach() first");
    CHECK_TEXT(env_vec_attach(&vec, NULL), NULL);
    CHECK_TEXT(env_vec_step(&vec), "call env_vec_reset() first");
    env_vec_script(&vec); /* does nothing yet */
    CHECK_EQ(((int32_t*)vec.arrays[ENV_VEC_ACTIONS])[0], 0);
    CHECK_TEXT(env_vec_reset(&vec), NULL);
    CHECK_TEXT(env_vec_step(&vec), NULL);
    close_vec(&vec);
    CHECK_EQ(vec.num_envs, ENVS); /* counts stay */
    CHECK_TEXT(env_vec_step(&vec), "call env_vec_reset() first");
    close_vec(&vec);
}

static void test_actions_are_refused(void) {
    EnvVec vec = started(ENVS, 1, 1);
    int32_t* actions = (int32_t*)vec.arrays[ENV_VEC_ACTIONS];
    const uint64_t before = seen(&vec, 0);
    for (int k = 0; k < 4 * ENVS; k++) {
        const int32_t wrong[] = {k % 2 ? 2 : 3, -1, INT32_MAX, INT32_MIN};
        for (int w = 0; w < 4; w++) {
            char expected[100];
            actions[k] = wrong[w];
            snprintf(expected, sizeof expected, "actions: agent %d, element %d: expected an integer in [0, %d], got %d",
                     k / 2, k % 2, k % 2 ? 1 : 2, (int)wrong[w]);
            CHECK_TEXT(env_vec_step(&vec), expected);
            CHECK_EQ(env_vec_bad_action(&vec), k);
        }
        actions[k] = 0;
    }
    CHECK(seen(&vec, 0) == before);
    CHECK_TEXT(env_vec_step(&vec), NULL);
    close_vec(&vec);
}

/* ---- Memory */

static void test_without_memory(void) {
    const Env first = with_limit(10);
    long left = 0;
    for (;; left++) {
        EnvVec vec;
        counter_allocations_left = left;
        const char* error = env_vec_open(&vec, &first, 3, 0, 1);
        if (!error) error = env_vec_attach(&vec, NULL);
        counter_allocations_left = -1;
        close_vec(&vec);
        if (!error) break;
        CHECK_TEXT(error, ENV_NO_MEMORY);
    }
    CHECK(left >= 1 + 3 * 2 + ENV_VEC_ARRAYS); /* it failed at each of them */
}

static void test_one_without_memory(void) {
    Env env = with_limit(10);
    CHECK_TEXT(c_init(&env), NULL);
    for (counter_allocations_left = 0; counter_allocations_left < ENV_VEC_ARRAYS;) {
        const long left = counter_allocations_left;
        CHECK_TEXT(env_allocate(&env), ENV_NO_MEMORY);
        CHECK(!env.observations && !env.truncations);
        CHECK_EQ(counter_allocations_live, 2); /* those of c_init */
        counter_allocations_left = left + 1;
    }
    CHECK_TEXT(env_allocate(&env), NULL);
    counter_allocations_left = -1;
    c_close(&env);
    env_free(&env);
    env_free(&env);
    CHECK_EQ(counter_allocations_live, 0);
}

static void test_arrays_of_the_caller(void) {
    static uint8_t observations[2 * ENVS][2], terminals[2 * ENVS], truncations[2 * ENVS];
    static int32_t actions[2 * ENVS][2];
    static float rewards[2 * ENVS];
    void* const arrays[ENV_VEC_ARRAYS] = {observations, actions, rewards, terminals, truncations};
    const Env first = with_limit(10);
    EnvVec vec, other = started(ENVS, 3, 1);
    CHECK_TEXT(env_vec_open(&vec, &first, ENVS, 3, 1), NULL);
    for (int k = 0; k < ENV_VEC_ARRAYS; k++)
        CHECK_EQ(vec.part_bytes[k], k == ENV_VEC_ACTIONS ? 16 : k == ENV_VEC_REWARDS ? 8 : k ? 2 : 4);
    CHECK_TEXT(env_vec_attach(&vec, arrays), NULL);
    memset(rewards, 255, sizeof rewards);
    memset(terminals, 255, sizeof terminals);
    CHECK_TEXT(env_vec_reset(&vec), NULL);
    CHECK_EQ(rewards[2 * ENVS - 1], 0);
    CHECK_EQ(terminals[2 * ENVS - 1], 0);
    CHECK(go_on(&vec, 8, STEPS) == go_on(&other, 8, STEPS));
    CHECK(env_vec_part(&vec, ENV_VEC_OBSERVATIONS, 2) == observations[4]);
    env_vec_close(&other);
    close_vec(&vec);
}

/* ---- Some environments alone */

/* What environments with where[i] would do among all, they do alone; the others keep every byte. */
static void test_some_alone(void) {
    static const uint8_t where[ENVS] = {1, 0, 0, 1, 1}, others[ENVS] = {0, 1, 1, 0, 0};
    for (int64_t threads = 1; threads <= 3; threads += 2) {
        EnvVec some = started(ENVS, 1, threads), all = started(ENVS, 1, 1);
        uint64_t rng = 7, same = 7;
        for (int t = 0; t < STEPS; t++) {
            act(&some, &rng);
            act(&all, &same);
            CHECK_TEXT(env_vec_step_where(&some, where), NULL);
            for (int i = 0; i < ENVS; i++) CHECK(where[i] || ((float*)env_vec_part(&some, ENV_VEC_REWARDS, i))[0] == 0);
            CHECK_TEXT(env_vec_step_where(&some, others), NULL);
            CHECK_TEXT(env_vec_step(&all), NULL);
            CHECK(memcmp(some.arrays[ENV_VEC_OBSERVATIONS], all.arrays[ENV_VEC_OBSERVATIONS],
                         ENVS * all.part_bytes[ENV_VEC_OBSERVATIONS]) == 0);
        }
        CHECK_TEXT(env_vec_step(&some), NULL);
        CHECK_TEXT(env_vec_step(&all), NULL);
        CHECK(seen(&some, 0) == seen(&all, 0));
        const uint64_t kept = all.envs[1].rng;
        env_vec_seed_where(&some, where, 3);
        env_vec_seed(&all, 3);
        CHECK_TEXT(env_vec_reset_where(&some, where), NULL);
        CHECK_TEXT(env_vec_reset(&all), NULL);
        for (int i = 0; i < ENVS; i++) {
            const bool equal =
                memcmp(env_vec_part(&some, ENV_VEC_OBSERVATIONS, i), env_vec_part(&all, ENV_VEC_OBSERVATIONS, i),
                       all.part_bytes[ENV_VEC_OBSERVATIONS]) == 0 &&
                some.envs[i].rng == all.envs[i].rng;
            CHECK_EQ(equal, where[i]);
        }
        CHECK(some.envs[1].rng == kept);
        env_vec_close(&some);
        close_vec(&all);
    }
}

static void test_some_alone_are_refused(void) {
    static const uint8_t where[ENVS] = {1, 0, 0, 0, 0};
    const Env first = with_limit(10);
    EnvVec vec;
    CHECK_TEXT(env_vec_open(&vec, &first, ENVS, 0, 1), NULL);
    CHECK_TEXT(env_vec_attach(&vec, NULL), NULL);
    CHECK_TEXT(env_vec_reset_where(&vec, where), "call env_vec_reset() first");
    CHECK_TEXT(env_vec_step_where(&vec, where), "call env_vec_reset() first");
    CHECK_TEXT(env_vec_reset(&vec), NULL);
    const uint64_t before = seen(&vec, 0);
    ((int32_t*)vec.arrays[ENV_VEC_ACTIONS])[2 * (2 * ENVS - 1)] = 3; /* of one that would not step */
    CHECK_TEXT(env_vec_step_where(&vec, where), "actions: agent 9, element 0: expected an integer in [0, 2], got 3");
    CHECK(seen(&vec, 0) == before);
    close_vec(&vec);
}

/* ---- Episodes */

static void test_threads_change_nothing(void) {
    for (int64_t envs = 1; envs <= ENVS; envs += 2) {
        EnvVec one = started(envs, 7, 1);
        const uint64_t expected = go_on(&one, 2, STEPS);
        for (int64_t threads = 2; threads <= 8; threads *= 2) {
            EnvVec many = started(envs, 7, threads);
            CHECK(go_on(&many, 2, STEPS) == expected);
            if (envs == 1) CHECK(many.envs[0].num_threads == threads || many.envs[0].num_threads == 1);
            env_vec_close(&many);
        }
        close_vec(&one);
    }
}

static void test_seeds(void) {
    EnvVec a = started(ENVS, 7, 1), b = started(ENVS, 8, 1);
    CHECK(go_on(&a, 2, 5) != go_on(&b, 2, 5));
    for (int64_t i = 0; i < ENVS; i++)
        for (int64_t j = 0; j < i; j++) CHECK(a.envs[i].rng != a.envs[j].rng);
    env_vec_seed(&a, 4);
    CHECK_TEXT(env_vec_reset(&a), NULL);
    const uint64_t first = go_on(&a, 2, 5);
    env_vec_seed(&a, 4);
    CHECK_TEXT(env_vec_reset(&a), NULL);
    CHECK(go_on(&a, 2, 5) == first);
    CHECK_TEXT(env_vec_reset(&a), NULL); /* without a seed the streams go on */
    CHECK(go_on(&a, 2, 5) != first);
    env_vec_close(&a);
    close_vec(&b);
}

static void test_script_and_log(void) {
    EnvVec vec = started(ENVS, 7, 1);
    double means[ENV_VEC_NUM_LOG] = {-1, -1, -1};
    CHECK_EQ(env_vec_log(&vec, means), 0);
    CHECK_EQ(means[0], -1); /* left alone */
    double returns = 0, episodes = 0;
    for (int t = 0; t < STEPS; t++) {
        env_vec_script(&vec);
        CHECK_TEXT(env_vec_step(&vec), NULL);
    }
    for (int i = 0; i < ENVS; i++) {
        returns += vec.envs[i].log.episode_return;
        episodes += vec.envs[i].log.n;
    }
    CHECK(episodes > 10);
    CHECK_EQ(env_vec_log(&vec, means), episodes);
    CHECK_EQ(env_vec_log(&vec, means), episodes); /* until it is cleared */
    CHECK_EQ(means[0], returns / episodes);
    CHECK_EQ(means[1], 1); /* the script always reaches the limit */
    CHECK_EQ(means[2], episodes);
    env_vec_clear_log(&vec);
    CHECK_EQ(env_vec_log(&vec, means), 0);
    close_vec(&vec);
}

/* A float stops counting at 2^24. */
static void test_log_of_many_episodes(void) {
    EnvVec vec = started(1, 7, 1);
    double means[ENV_VEC_NUM_LOG];
    vec.envs[0].log.n = vec.envs[0].log.finished = 16777216;
    for (int t = 0; t < STEPS; t++) {
        env_vec_script(&vec);
        CHECK_TEXT(env_vec_step(&vec), NULL);
    }
    CHECK(env_vec_log(&vec, means) > 16777220);
    CHECK_EQ(means[1], 1);
    close_vec(&vec);
}

/* ---- Parameters that change */

static void test_what_may_change(void) {
    static const bool expected[] = {false, true, true, true};
    CHECK_EQ(ENV_VEC_NUM_PARAMS, 4);
    for (int k = 0; k < ENV_VEC_NUM_PARAMS; k++) CHECK_EQ(env_vec_is_changeable(k), expected[k]);
}

/* To the same bits as environments made with these values and given the same state. */
static void test_changes(void) {
    EnvVec a = started(ENVS, 7, 1), b;
    Env values = a.envs[0];
    char state[72 + 8 * 4 + ENVS * 56];
    go_on(&a, 2, 13);
    values.scale = 2.5f;
    values.goal = COUNTER_MEET;
    values.limit = 77; /* stays as it was */
    CHECK_TEXT(env_vec_change(&a, &values), NULL);
    for (int i = 0; i < ENVS; i++)
        CHECK(a.envs[i].per_point == 2.5f && a.envs[i].goal == COUNTER_MEET && a.envs[i].limit == 10);
    CHECK_EQ(env_vec_state_bytes(&a), sizeof state);
    env_vec_get_state(&a, state);
    Env first = with_limit(10);
    first.scale = 2.5f;
    first.goal = COUNTER_MEET;
    first.floor = a.envs[0].floor;
    CHECK_TEXT(env_vec_open(&b, &first, ENVS, 8, 1), NULL);
    CHECK_TEXT(env_vec_attach(&b, NULL), NULL);
    CHECK_TEXT(env_vec_set_state(&b, state, sizeof state), NULL);
    CHECK(go_on(&a, 3, STEPS) == go_on(&b, 3, STEPS));
    env_vec_close(&a);
    close_vec(&b);
}

static void test_changes_are_refused(void) {
    const Env first = with_limit(3);
    EnvVec vec;
    CHECK_TEXT(env_vec_open(&vec, &first, ENVS, 0, 1), NULL);
    Env values = vec.envs[0];
    values.scale = 9;
    values.goal = COUNTER_MEET;
    CHECK_TEXT(env_vec_change(&vec, &values), "goal: to meet takes a limit of 4 at least");
    for (int i = 0; i < ENVS; i++)
        CHECK(vec.envs[i].scale == first.scale && vec.envs[i].per_point == first.scale && vec.envs[i].goal == first.goal);
    close_vec(&vec);
}

/* ---- In two halves */

static void test_begin_makes_one(void) {
    const Env first = with_limit(10);
    EnvVec vec;
    CHECK_TEXT(env_vec_begin(&vec, &first, ENV_VEC_MAX_ENVS, 3, 1), NULL);
    CHECK_EQ(counter_allocations_live, 1 + 2); /* the Envs, and what c_init of one allocates */
    CHECK_EQ(vec.num_agents, 2 * ENV_VEC_MAX_ENVS);
    CHECK_EQ(vec.part_bytes[ENV_VEC_ACTIONS], 16);
    close_vec(&vec);
    CHECK_TEXT(env_vec_begin(&vec, &first, ENVS, 3, 1), NULL);
    CHECK_TEXT(env_vec_finish(&vec, &first), NULL);
    CHECK_EQ(counter_allocations_live, 1 + 2 * ENVS);
    close_vec(&vec);
}

/* ---- The state */

enum { STATE_BYTES = 72 + 8 * 4 + ENVS * (24 + 4 + 8 + 8 + 12) };

static void test_state_round_trip(void) {
    EnvVec a = started(ENVS, 7, 1), b = started(ENVS, 8, 2);
    char state[STATE_BYTES], again[STATE_BYTES];
    go_on(&a, 2, 13);
    CHECK_EQ(env_vec_state_bytes(&a), STATE_BYTES);
    env_vec_get_state(&a, state);
    const uint64_t expected = go_on(&a, 3, STEPS);
    CHECK_TEXT(env_vec_check_state(&b, state, sizeof state), NULL);
    CHECK_TEXT(env_vec_set_state(&b, state, sizeof state), NULL);
    env_vec_get_state(&b, again);
    CHECK(memcmp(state, again, sizeof state) == 0);
    CHECK(go_on(&b, 3, STEPS) == expected);
    env_vec_close(&a);
    close_vec(&b);
}

/* The same text as the checksum is over: what lies at `offset` is replaced, and no checksum shows it. */
static void forge(char* state, size_t offset, const void* bytes, size_t size) {
    memcpy(state + offset, bytes, size);
    const uint64_t sum = env_vec_checksum(state, STATE_BYTES - sizeof sum);
    memcpy(state + STATE_BYTES - sizeof sum, &sum, sizeof sum);
}

static void test_state_is_refused(void) {
    static const struct {
        size_t offset, size;
        double value;
        const char* message;
    } rows[] = {
        {0, 1, 0, "data: expected what state() returned, got other bytes"},
        {8, 4, 1, "data: expected a state of format 2, got format 1"},
        {12, 4, 7, "data: expected version 1 with 4 parameters, got version 7 with 4"},
        {24, 1, '?', "data: expected a state of Env, got one of ?nv"},
        {56, 4, 9, "data: expected num_envs 5, got 9"},
        {60, 4, 3, "data: expected version 1 with 4 parameters, got version 1 with 3"},
        {64, 8, 11, "data: expected limit 10, got 11"},
        {64, 8, 10.5, "data: expected limit 10, got 10.5"},
        {72, 8, 0.5, "data: expected scale 1, got 0.5"},
        {80, 8, 0, "data: expected floor True, got False"},
        {88, 8, 1, "data: expected goal climb, got meet"},
        {88, 8, 1e300, "data: expected goal climb, got 1e+300"},
        {STATE_BYTES - 9, 1, 2, "data: environment 4: terminals and truncations: expected 0 or 1"},
    };
    EnvVec vec = started(ENVS, 7, 1);
    char good[STATE_BYTES], state[STATE_BYTES], again[STATE_BYTES];
    env_vec_get_state(&vec, good);
    for (size_t r = 0; r < sizeof rows / sizeof rows[0]; r++) {
        const uint32_t word = rows[r].size < 8 ? (uint32_t)rows[r].value : 0;
        memcpy(state, good, sizeof state);
        forge(state, rows[r].offset, rows[r].size < 8 ? (const void*)&word : &rows[r].value, rows[r].size);
        CHECK_TEXT(env_vec_set_state(&vec, state, sizeof state), rows[r].message);
    }
    const double wrong[] = {NAN, INFINITY, -1};
    for (int w = 0; w < 3; w++) {
        memcpy(state, good, sizeof state);
        forge(state, 96 + 16, &wrong[w], sizeof(double));
        CHECK_TEXT(env_vec_set_state(&vec, state, sizeof state),
                   w < 2 ? "data: environment 0: log: expected finite sums"
                         : "data: environment 0: log: expected at least 0 episodes");
    }
    /* every length and every bit */
    for (size_t length = 0; length < sizeof good; length++) CHECK(env_vec_set_state(&vec, good, length) != NULL);
    for (size_t b = 0; b < sizeof good; b++)
        for (int bit = 0; bit < 8; bit++) {
            memcpy(state, good, sizeof state);
            state[b] = (char)(state[b] ^ 1 << bit);
            CHECK(env_vec_set_state(&vec, state, sizeof state) != NULL);
        }
    memcpy(state, good, sizeof state);
    state[100] = (char)(state[100] ^ 1);
    CHECK_TEXT(env_vec_set_state(&vec, state, sizeof state), "data: damaged (checksum mismatch)");
    CHECK_TEXT(env_vec_set_state(&vec, good, 50), "data: expected at least 72 bytes, got 50");
    /* and nothing of it has changed anything */
    env_vec_get_state(&vec, again);
    CHECK(memcmp(good, again, sizeof good) == 0);
    CHECK_TEXT(env_vec_set_state(&vec, good, sizeof good), NULL);
    close_vec(&vec);
}

static void test_state_before_attach_and_reset(void) {
    const Env first = with_limit(10);
    EnvVec from = started(ENVS, 7, 1), vec;
    char state[STATE_BYTES];
    env_vec_get_state(&from, state);
    CHECK_TEXT(env_vec_open(&vec, &first, ENVS, 0, 1), NULL);
    CHECK_TEXT(env_vec_set_state(&vec, state, sizeof state), "call env_vec_attach() first");
    CHECK_TEXT(env_vec_attach(&vec, NULL), NULL);
    CHECK_TEXT(env_vec_set_state(&vec, state, sizeof state), NULL); /* as good as a reset */
    CHECK(go_on(&vec, 2, STEPS) == go_on(&from, 2, STEPS));
    env_vec_close(&from);
    close_vec(&vec);
}

int main(void) {
    RUN(test_defaults);
    RUN(test_ranges);
    RUN(test_bounds_of_floats_and_choices);
    RUN(test_counts_are_refused);
    RUN(test_parameters_are_refused);
    RUN(test_order_of_calls);
    RUN(test_actions_are_refused);
    RUN(test_without_memory);
    RUN(test_one_without_memory);
    RUN(test_some_alone);
    RUN(test_some_alone_are_refused);
    RUN(test_arrays_of_the_caller);
    RUN(test_threads_change_nothing);
    RUN(test_seeds);
    RUN(test_script_and_log);
    RUN(test_log_of_many_episodes);
    RUN(test_what_may_change);
    RUN(test_changes);
    RUN(test_changes_are_refused);
    RUN(test_begin_makes_one);
    RUN(test_state_round_trip);
    RUN(test_state_is_refused);
    RUN(test_state_before_attach_and_reset);
    return check_result();
}
