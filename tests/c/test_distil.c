/* test_distil.c - a planner teaches a policy */
#include "boids.h"
#include "env_vec.h"
#include "learn/distil.h"

#include "check.h"

enum { FLOCKS = 4, BOIDS = 32, KEPT = 60 };

static void start(EnvVec* vec, Learner* learner, Planner* planner, int threads) {
    Env first;
    LearnSettings settings;
    PlanSettings plan;
    memset(&first, 0, sizeof first);
    env_defaults(&first);
    first.num_boids = BOIDS;
    first.width = 720;
    first.height = 480;
    learn_defaults(&settings);
    settings.rollout = KEPT;
    settings.minibatch = FLOCKS * BOIDS;
    settings.learning_rate = 0.01f;
    settings.gradient_norm = 1;
    settings.value_layers = 0;
    plan_defaults(&plan);
    plan.horizon = 1;
    CHECK_TEXT(env_vec_open(vec, &first, FLOCKS, 1, 1), NULL);
    CHECK_TEXT(env_vec_attach(vec, NULL), NULL);
    CHECK_TEXT(env_vec_reset(vec), NULL);
    CHECK_TEXT(learn_open(learner, vec, &settings, 2, threads), NULL);
    CHECK_TEXT(plan_open(planner, &vec->envs[0], &plan, NULL, 0, 3, threads), NULL);
}

static void finish(EnvVec* vec, Learner* learner, Planner* planner) {
    plan_close(planner);
    learn_close(learner);
    env_vec_close(vec);
}

static uint64_t teach(int threads, float* reward) {
    EnvVec vec;
    Learner learner;
    Planner planner;
    double sum = 0;
    start(&vec, &learner, &planner, threads);
    CHECK_TEXT(learn_regress(&learner, 1), "call learn_imitate() first");
    for (int round = 0; round < 3; round++) {
        CHECK_TEXT(learn_imitate(&learner, &planner, KEPT / 3, round > 0, 0.003f), NULL);
        CHECK_TEXT(learn_regress(&learner, 6), NULL);
    }
    CHECK_TEXT(learn_imitate(&learner, &planner, 1, true, 0.003f), "steps: expected 0 to 0, got 1");
    CHECK_EQ(learner.agent_steps, KEPT * FLOCKS * BOIDS);
    for (int t = 0; t < 200; t++) {
        learn_act(&learner, &vec, LEARN_DRAW, (uint64_t)t);
        CHECK_TEXT(env_vec_step(&vec), NULL);
        for (int i = 0; i < FLOCKS * BOIDS && t >= 150; i++) sum += (double)((const float*)vec.arrays[ENV_VEC_REWARDS])[i];
    }
    *reward = (float)(sum / (50 * FLOCKS * BOIDS));
    const uint64_t hash = env_vec_checksum((const char*)learner.weights, learner.num_weights * sizeof(float));
    finish(&vec, &learner, &planner);
    return hash;
}

/* After 7,680 agent-steps, with the same weights on any number of threads. */
static void test_the_policy_flies_as_a_flock(void) {
    float rewards[2];
    const uint64_t one = teach(1, &rewards[0]), three = teach(3, &rewards[1]);
    printf("    reward %.3f\n", (double)rewards[0]);
    CHECK(one == three);
    CHECK(rewards[0] > 0.5f); /* turns at random earn .03 */
}

/* The derivative that the regression uses is that of its loss. */
static void test_the_gradient_is_that_of_the_loss(void) {
    EnvVec vec;
    Learner learner;
    Planner planner;
    LearnScratch scratch;
    start(&vec, &learner, &planner, 1);
    scratch = learn__take(&learner);
    for (int32_t k = 0; k < 5 * LEARN_ROWS; k++) {
        scratch.z[k] = learn_normal(1, (uint64_t)k);
        scratch.p[k] = scratch.dz[k] = learn_normal(2, (uint64_t)k);
    }
    learn__lesson_loss(&learner, &scratch, 7, 1.0f);
    const float derivative = scratch.dz[2 * LEARN_ROWS + 3], step = 1e-2f;
    float losses[2];
    for (int k = 0; k < 2; k++) {
        memcpy(scratch.dz, scratch.p, 5 * LEARN_ROWS * sizeof(float));
        scratch.z[2 * LEARN_ROWS + 3] += k ? 2 * step : -step;
        losses[k] = learn__lesson_loss(&learner, &scratch, 7, 1.0f);
    }
    CHECK_NEAR((losses[1] - losses[0]) / (2 * step), derivative, 1e-3);
    learn__give(&learner, &scratch);
    finish(&vec, &learner, &planner);
}

int main(void) {
    RUN(test_the_policy_flies_as_a_flock);
    RUN(test_the_gradient_is_that_of_the_loss);
    return check_result();
}
