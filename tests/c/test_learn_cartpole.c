/* test_learn_cartpole.c - the learner on examples/cartpole/cartpole.h: it learns to balance, and a truncation is no end to it */
#include "cartpole.h"
#include "env_vec.h"
#include "learn/ppo.h"

#include "check.h"

enum { POLES = 64, ROLLOUT = 6 };

/* A learner over poles in their first episode. */
static void start(EnvVec* vec, Learner* learner, int horizon, const LearnSettings* settings) {
    CartPole first = {.horizon = horizon};
    memset(learner, 0, sizeof *learner);
    CHECK_TEXT(env_vec_open(vec, &first, POLES, 3, 1), NULL);
    CHECK_TEXT(env_vec_attach(vec, NULL), NULL);
    CHECK_TEXT(env_vec_reset(vec), NULL);
    CHECK_TEXT(learn_open(learner, vec, settings, 5, 1), NULL);
}

static void finish(EnvVec* vec, Learner* learner) {
    learn_close(learner);
    env_vec_close(vec);
}

/* Poles that are cut off at the end of the rollout teach, to the bit, what poles teach that go on: what would have followed is the value of
 * the observation after the last step. Where it is left out, or is taken from the next episode, something else is learned. */
static void test_a_truncation_is_no_end(void) {
    enum { SHORT, LONG, WITHOUT, NUM };
    LearnSettings settings;
    uint64_t hashes[NUM];
    learn_defaults(&settings);
    settings.rollout = ROLLOUT;
    settings.minibatch = POLES * ROLLOUT / 2;
    for (int k = 0; k < NUM; k++) {
        EnvVec vec;
        Learner learner;
        start(&vec, &learner, k == LONG ? 500 : ROLLOUT, &settings);
        float* final_observations = (float*)vec.final_observations;
        if (k == WITHOUT) vec.final_observations = NULL;
        CHECK_TEXT(learn_update(&learner), NULL);
        int ends = 0;
        for (int i = 0; i < POLES * ROLLOUT; i++) ends += learner.ends[i] > 0;
        CHECK_EQ(ends, k == LONG ? 0 : POLES); /* none has fallen */
        if (k ==
            SHORT) /* and the return after a truncation is the reward and gamma times the value of the final observation */
            for (int i = 0; i < POLES; i++) {
                const int at = (ROLLOUT - 1) * POLES + i;
                CHECK(final_observations[4 * i + 1] != ((float*)vec.arrays[ENV_VEC_OBSERVATIONS])[4 * i + 1]);
                CHECK_NEAR(learner.advantages[at] + learner.values[at], learner.rewards[at], 1e-5);
                CHECK(learner.rewards[at] != 1.0f);
            }
        hashes[k] = env_vec_checksum((const char*)learner.weights, learner.num_weights * sizeof(float));
        vec.final_observations = final_observations;
        finish(&vec, &learner);
    }
    CHECK(hashes[SHORT] == hashes[LONG]);
    CHECK(hashes[SHORT] != hashes[WITHOUT]);
}

static void test_it_learns_to_balance(void) {
    EnvVec vec;
    Learner learner;
    LearnSettings settings;
    double means[ENV_VEC_NUM_LOG];
    learn_defaults(&settings);
    settings.rollout = 32;
    settings.minibatch = 256;
    settings.epochs = 4;
    settings.gamma = 0.98f;
    settings.entropy = 0;
    settings.anneal_steps = 200000;
    start(&vec, &learner, 500, &settings);
    while (learner.agent_steps < 2048) CHECK_TEXT(learn_update(&learner), NULL);
    CHECK(env_vec_log(&vec, means) > 0);
    CHECK(means[0] < 40); /* steps of an episode at first */
    while (learner.agent_steps < 100000) CHECK_TEXT(learn_update(&learner), NULL);
    env_vec_clear_log(&vec);
    while (learner.agent_steps < 140000) CHECK_TEXT(learn_update(&learner), NULL);
    CHECK(env_vec_log(&vec, means) > 0);
    CHECK(means[0] > 300);
    printf("steps of an episode: %.0f\n", means[0]);
    finish(&vec, &learner);
}

int main(void) {
    RUN(test_a_truncation_is_no_end);
    RUN(test_it_learns_to_balance);
    return check_result();
}
