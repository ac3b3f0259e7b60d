/* test_bad_header.c - env_vec_open refuses a header that breaks the contract of env.h */
#include "env.h"

#include "check.h"

static int32_t agents[3], choices[] = {2};
static EnvSpace observation, action;

#define ENV_PARAMS(X)
#define ENV_LOG(X)

typedef struct Log {
    double n;
} Log;

typedef struct Env {
    float *observations, *rewards;
    void* actions;
    uint8_t *terminals, *truncations;
    Log log;
    int32_t num_agents, num_threads;
    uint32_t index, num_envs;
    uint64_t rng;
} Env;

static int opened;

static inline const char* c_init(Env* env) {
    env->num_agents = agents[env->index];
    opened++;
    return NULL;
}
static inline EnvSpace c_observation_space(const Env* env) { return (void)env, observation; }
static inline EnvSpace c_action_space(const Env* env) { return (void)env, action; }
static inline void c_reset(Env* env) { env->observations[0] = 0; }
static inline void c_step(Env* env) { env->rewards[0] = 0; }
static inline void c_close(Env* env) { (void)env, opened--; }

#include "env_vec.h"

static void sound(void) {
    for (int i = 0; i < 3; i++) agents[i] = 2;
    observation = action = (EnvSpace){'f', 1, -1, 1, NULL};
}

/* The message, and whether it is about the header. */
static void check(const char* expected) {
    const Env first = {0};
    EnvVec vec;
    CHECK_TEXT(env_vec_open(&vec, &first, 3, 0, 1), expected);
    CHECK(vec.bad_header == (expected != NULL));
    env_vec_close(&vec);
    CHECK_EQ(opened, 0);
    sound();
}

static void test_agents(void) {
    sound();
    check(NULL);
    agents[0] = 0;
    check("c_init: num_agents is 0 in environment 0");
    agents[2] = 3;
    check("c_init: num_agents is 3 in environment 2");
}

static void test_spaces(void) {
    const char* wrong = "c_action_space: neither choices of type 'i' nor a range of type 'f'";
    action.choices = choices;
    check(wrong);
    action.type = 'i';
    check(wrong);
    action.size = 0;
    check(wrong);
    action = (EnvSpace){'i', 1, 0, 0, choices};
    check(NULL);
    wrong = "c_observation_space: expected type 'f', 'i', 'b' or 'B' and at least one element";
    observation.type = 'd';
    check(wrong);
    observation.type = 0;
    check(wrong);
    observation.size = 0;
    check(wrong);
    for (const char* type = "ibB"; *type; type++) {
        char expected[96];
        snprintf(expected, sizeof expected,
                 "c_observation_space: expected type 'f', because observations of Env is float*, got '%c'", *type);
        observation.type = *type;
        check(expected);
    }
}

int main(void) {
    RUN(test_agents);
    RUN(test_spaces);
    return check_result();
}
