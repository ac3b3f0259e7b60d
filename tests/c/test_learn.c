/* test_learn.c - the learner over small environments: what is refused, memory, advantages, threads, the state, final observations */
#include "module.h"
#include "env_vec.h"
#include "learn/ppo.h"
#include "learn/state.h"

#include "check.h"

enum { ENVS = 8 };

/* An EnvVec of Counter, in an episode. */
static EnvVec counters(int64_t num_envs) {
    Env first;
    EnvVec vec;
    memset(&first, 0, sizeof first);
    env_defaults(&first);
    first.floor = false; /* so that there are truncations too */
    CHECK_TEXT(env_vec_open(&vec, &first, num_envs, 1, 1), NULL);
    CHECK_TEXT(env_vec_attach(&vec, NULL), NULL);
    CHECK_TEXT(env_vec_reset(&vec), NULL);
    return vec;
}

static LearnSettings small_settings(void) {
    LearnSettings settings;
    learn_defaults(&settings);
    settings.rollout = 8;
    settings.minibatch = 64;
    settings.policy_width = settings.value_width = 11;
    return settings;
}

static void test_settings_are_checked(void) {
    EnvVec vec = counters(ENVS);
    Learner learner;
    LearnSettings settings = small_settings();
    const long before = counter_allocations_live;
    settings.minibatch = 48;
    CHECK_TEXT(learn_open(&learner, &vec, &settings, 1, 1),
               "minibatch: expected a divisor of 128 (16 agents x rollout 8), got 48");
    settings = small_settings();
    settings.gamma = NAN;
    CHECK(strstr(learn_open(&learner, &vec, &settings, 1, 1), "gamma: expected 0 to 1, got"));
    settings = small_settings();
    settings.policy_layers = 9;
    CHECK_TEXT(learn_open(&learner, &vec, &settings, 1, 1), "policy_layers: expected 0 to 8, got 9");
    settings = small_settings();
    CHECK_TEXT(learn_open(&learner, &vec, &settings, 1, 0), "num_threads: expected 1 to 1024, got 0");
    settings.rollout = 65536;
    vec.num_agents = 1 << 20;
    CHECK_TEXT(learn_open(&learner, &vec, &settings, 1, 1), "rollout: expected 1 to 2047, got 65536");
    vec.num_agents = 2 * ENVS;
    vec.attached = false;
    settings = small_settings();
    CHECK_TEXT(learn_open(&learner, &vec, &settings, 1, 1), "call env_vec_attach() first");
    vec.attached = true;
    CHECK_EQ(counter_allocations_live, before);
    learn_close(&learner);
    CHECK_TEXT(learn_update(&learner), "call learn_open() first");
    CHECK_TEXT(learn_open(&learner, &vec, &settings, 1, 1), NULL);
    vec.started = false;
    CHECK_TEXT(learn_update(&learner), "call env_vec_reset() first");
    vec.started = true;
    CHECK_TEXT(learn_update(&learner), NULL);
    learn_close(&learner);
    learn_close(&learner);
    env_vec_close(&vec);
    CHECK_EQ(counter_allocations_live, 0);
}

/* Whichever allocation fails: the same message, and nothing stays allocated. */
static void test_no_memory(void) {
    EnvVec vec = counters(ENVS);
    const LearnSettings settings = small_settings();
    const long before = counter_allocations_live;
    const char* message = ENV_NO_MEMORY;
    long left = 0;
    for (; message; left++) {
        Learner learner;
        counter_allocations_left = left;
        message = learn_open(&learner, &vec, &settings, 1, 1);
        counter_allocations_left = -1;
        if (!message) learn_close(&learner);
        if (message) CHECK_TEXT(message, ENV_NO_MEMORY);
        if (message) CHECK_EQ(counter_allocations_live, before);
    }
    CHECK(left > 10);
    env_vec_close(&vec); /* with the final observations, which the learner turned on */
    CHECK_EQ(counter_allocations_live, 0);
}

/* A_t as a sum over all later steps of the episode, as eq. 16 has it. */
static void test_advantages_are_those_of_a_naive_sum(void) {
    enum { STEPS = 23, AGENTS = 5 };
    float rewards[STEPS * AGENTS], ends[STEPS * AGENTS], values[(STEPS + 1) * AGENTS], advantages[STEPS * AGENTS];
    uint64_t rng = 3;
    const double gamma = 0.9, lambda = 0.8;
    for (int k = 0; k < (STEPS + 1) * AGENTS; k++) values[k] = learn_normal(env_random(&rng), 0);
    for (int k = 0; k < STEPS * AGENTS; k++) {
        rewards[k] = learn_normal(env_random(&rng), 0);
        ends[k] = env_random(&rng) % 5 == 0;
    }
    learn_gae(STEPS, AGENTS, (float)gamma, (float)lambda, rewards, ends, values, advantages);
    for (int i = 0; i < AGENTS; i++)
        for (int t = 0; t < STEPS; t++) {
            double sum = 0, weight = 1;
            for (int s = t; s < STEPS; s++, weight *= gamma * lambda) {
                const int k = s * AGENTS + i;
                const bool end = ends[k] > 0;
                sum += weight * ((double)rewards[k] + (end ? 0 : gamma * (double)values[k + AGENTS]) - (double)values[k]);
                if (end) break;
            }
            CHECK_NEAR(advantages[t * AGENTS + i], sum, 2e-6);
        }
}

static uint64_t hash_weights(const Learner* learner) {
    return env_vec_checksum((const char*)learner->weights, learner->num_weights * sizeof(float));
}

static void test_threads_change_no_bit(void) {
    uint64_t hashes[4];
    for (int threads = 1; threads <= 4; threads++) {
        EnvVec vec = counters(100);
        LearnSettings settings = small_settings();
        Learner learner;
        settings.minibatch = 200;
        CHECK_TEXT(learn_open(&learner, &vec, &settings, 5, threads), NULL);
        for (int k = 0; k < 3; k++) CHECK_TEXT(learn_update(&learner), NULL);
        hashes[threads - 1] = hash_weights(&learner);
        CHECK(hashes[threads - 1] == hashes[0]);
        CHECK_EQ(learner.num_free, threads);
        learn_close(&learner);
        env_vec_close(&vec);
    }
}

static void test_state_goes_on_to_the_same_bits(void) {
    EnvVec vec = counters(ENVS), other = counters(ENVS);
    LearnSettings settings = small_settings();
    Learner learner, second;
    CHECK_TEXT(learn_open(&learner, &vec, &settings, 5, 1), NULL);
    CHECK_TEXT(learn_open(&second, &other, &settings, 6, 2), NULL);
    CHECK(hash_weights(&learner) != hash_weights(&second));
    CHECK_TEXT(learn_update(&learner), NULL);
    const size_t bytes = learn_state_bytes(&learner);
    char* state = (char*)malloc(bytes);
    learn_get_state(&learner, state);
    CHECK_TEXT(learn_set_state(&second, state, bytes), NULL);
    for (int k = 0; k < 3; k++) {
        CHECK_TEXT(learn_update(&learner), NULL);
        CHECK_TEXT(learn_update(&second), NULL);
    }
    CHECK(hash_weights(&learner) == hash_weights(&second));
    CHECK_EQ(second.agent_steps, 4 * 128);
    const uint64_t before = hash_weights(&second);
    CHECK_TEXT(learn_set_state(&second, state, 3), "data: expected what a learner's state() returned, got other bytes");
    CHECK_TEXT(learn_set_state(&second, state, 20), "data: expected at least 112 bytes, got 20");
    CHECK(strstr(learn_set_state(&second, state, bytes - 1), "bytes, got"));
    for (size_t k = 12; k < bytes; k += 7) {
        state[k] ^= 16;
        CHECK(learn_set_state(&second, state, bytes) != NULL);
        state[k] ^= 16;
    }
    settings.value_width = 12;
    Learner wider;
    CHECK_TEXT(learn_open(&wider, &vec, &settings, 5, 1), NULL);
    CHECK_TEXT(learn_set_state(&wider, state, bytes), "data: expected value_width 12, got 11");
    learn_close(&wider);
    CHECK(hash_weights(&second) == before);
    /* a NaN that the checksum covers */
    LearnHead head;
    const float nan = NAN;
    memcpy(&head, state, sizeof head);
    memcpy(state + sizeof head + 40, &nan, sizeof nan);
    const uint64_t sum = env_vec_checksum(state, bytes - sizeof sum);
    memcpy(state + bytes - sizeof sum, &sum, sizeof sum);
    CHECK_TEXT(learn_set_state(&second, state, bytes), "data: expected finite weights and moments");
    free(state);
    learn_close(&learner);
    learn_close(&second);
    env_vec_close(&vec);
    env_vec_close(&other);
}

/* The counters are to climb: with two discrete actions of three and two choices. */
static void test_it_learns_to_climb(void) {
    EnvVec vec = counters(32);
    LearnSettings settings = small_settings();
    Learner learner;
    double before = 0;
    settings.learning_rate = 0.01f;
    CHECK_TEXT(learn_open(&learner, &vec, &settings, 1, 1), NULL);
    for (int k = 0; k < 30; k++) {
        CHECK_TEXT(learn_update(&learner), NULL);
        if (k == 0) before = (double)learner.log.reward;
        CHECK(learner.log.entropy >= 0 && learner.log.entropy < 1.8f); /* log 6 = 1.79 */
    }
    CHECK(before < 0.2);
    CHECK(learner.log.reward > 1.2f); /* at most 2 */
    learn_act(&learner, &vec, LEARN_BEST, 0);
    for (int64_t i = 0; i < vec.num_agents; i++) CHECK_EQ(((int32_t*)vec.arrays[ENV_VEC_ACTIONS])[2 * i], 2); /* up */
    learn_close(&learner);
    env_vec_close(&vec);
}

/* Who makes the rollout step by step gets the same bits, also where learn_update makes the rest of it. */
static void test_steps_one_at_a_time_change_no_bit(void) {
    uint64_t hashes[3];
    for (int steps = 0; steps <= 8; steps += 4) {
        EnvVec vec = counters(ENVS);
        const LearnSettings settings = small_settings();
        Learner learner;
        CHECK_TEXT(learn_open(&learner, &vec, &settings, 5, 1), NULL);
        for (int k = 0; k < 3; k++) {
            for (int t = 0; t < steps; t++) CHECK_TEXT(learn_step(&learner), NULL);
            if (steps == 8) CHECK_TEXT(learn_step(&learner), "call learn_update() first");
            CHECK_TEXT(learn_update(&learner), NULL);
        }
        CHECK(learner.agent_steps == 3 * learner.num_batch && isfinite(learner.log.reward));
        hashes[steps / 4] = hash_weights(&learner);
        CHECK(hashes[steps / 4] == hashes[0]);
        learn_close(&learner);
        CHECK_TEXT(learn_step(&learner), "call learn_open() first");
        env_vec_close(&vec);
    }
}

/* A reward that is no number is found before it gets into the weights. */
static void test_nan_is_found(void) {
    EnvVec vec = counters(ENVS);
    LearnSettings settings = small_settings();
    Learner learner;
    CHECK_TEXT(learn_open(&learner, &vec, &settings, 1, 1), NULL);
    const uint64_t before = hash_weights(&learner);
    for (int64_t i = 0; i < vec.num_envs; i++) vec.envs[i].per_point = NAN;
    CHECK(strstr(learn_update(&learner), "returns: expected finite numbers, got"));
    CHECK(hash_weights(&learner) == before);
    CHECK_EQ(learner.agent_steps, 0);
    for (int64_t i = 0; i < vec.num_envs; i++) vec.envs[i].per_point = 1;
    CHECK_TEXT(learn_update(&learner), NULL);
    learner.weights[3] = INFINITY;
    CHECK(strstr(learn_update(&learner), ": expected finite numbers, got"));
    learn_close(&learner);
    env_vec_close(&vec);
}

static void test_mathematics(void) {
    double exp_error = 0, log_error = 0, tanh_error = 0, sum = 0, squares = 0;
    for (int k = -80000; k <= 80000; k++) {
        const float x = (float)k * 1e-3f;
        const double e = fabs((double)learn_exp(x) / exp((double)x) - 1), t = fabs((double)learn_tanh(x) - tanh((double)x));
        const double l = fabs((double)learn_log(expf(x)) - log((double)expf(x))) / (1e-3 + fabs((double)x));
        if (e > exp_error) exp_error = e;
        if (t > tanh_error) tanh_error = t;
        if (l > log_error) log_error = l;
        CHECK(learn_tanh(x) == -learn_tanh(-x));
    }
    CHECK(exp_error < 1.5e-7);
    CHECK(log_error < 2e-7);
    CHECK(tanh_error < 4e-7);
    CHECK(learn_tanh(NAN) != learn_tanh(NAN) && learn_exp(NAN) != learn_exp(NAN));
    CHECK(learn_tanh(1e30f) <= 1.0f && learn_tanh(-INFINITY) >= -1.0f);
    for (uint64_t k = 0; k < 100000; k++) {
        const double x = (double)learn_normal(7, k);
        sum += x;
        squares += x * x;
        if (k == 0) continue;
        uint64_t rng = 7; /* number k of a stream is what the stream gives after k others */
        if (k < 20) {
            for (uint64_t j = 0; j < k; j++) env_random(&rng);
            CHECK(learn_random(7, k) == env_random(&rng));
        }
    }
    CHECK_NEAR(sum / 1e5, 0, 0.02);
    CHECK_NEAR(squares / 1e5, 1, 0.02);
}

/* Every size of a product, against the definition: remainders of the tiles too. */
static void test_products(void) {
    float a[20 * 24], b[24 * 24], c[24 * 24];
    uint64_t rng = 1;
    for (int k = 0; k < 20 * 24; k++) a[k] = learn_normal(env_random(&rng), 0);
    for (int k = 0; k < 24 * 24; k++) b[k] = learn_normal(env_random(&rng), 0);
    for (int rows = 1; rows <= 9; rows++)
        for (int columns = 8; columns <= 24; columns += 8)
            for (int depth = 1; depth <= 9; depth += 4)
                for (int add = 0; add < 2; add++)
                    for (int turned = 0; turned < 2; turned++) {
                        const size_t row = turned ? 1 : 24, step = turned ? 24 : 1;
                        for (int k = 0; k < 24 * 24; k++) c[k] = 100;
                        learn_product(rows, columns, depth, a, row, step, b, 24, c, 24, add);
                        for (int i = 0; i < 10; i++)
                            for (int j = 0; j < 24; j++) {
                                float sum = add ? 100.0f : 0.0f;
                                for (int k = 0; k < depth; k++) sum += a[(size_t)i * row + (size_t)k * step] * b[k * 24 + j];
                                CHECK(c[i * 24 + j] ==
                                      (i < rows && j < columns ? sum : 100)); /* in this order: the same bits */
                            }
                    }
}

int main(void) {
    RUN(test_settings_are_checked);
    RUN(test_no_memory);
    RUN(test_advantages_are_those_of_a_naive_sum);
    RUN(test_threads_change_no_bit);
    RUN(test_state_goes_on_to_the_same_bits);
    RUN(test_it_learns_to_climb);
    RUN(test_steps_one_at_a_time_change_no_bit);
    RUN(test_nan_is_found);
    RUN(test_mathematics);
    RUN(test_products);
    return check_result();
}
