/* planted.h - an environment with a defect on request, to prove that the sanitizers' runs fail for it
 *
 * The sanitizers' build, and no other, makes the module _planted of it, with the binding.c and the flags of every environment.
 * With defect "none" it has no defect: where that passes and another fails, the defect is the reason. See tests/test_sanitizer.py.
 *
 * Each agent observes how many of its actions were 1, and gets a reward of 1 for each.
 */
#ifndef PLANTED_H
#define PLANTED_H

#include "env.h"

#include <limits.h>
#include <string.h>

/* type, name, default, least, most, unit, doc */
#define ENV_PARAMS(X)                                                      \
    X(int, agents, 4, 1, 1000, "agents", "agents in each environment")     \
    X(choice, defect, 0, 0, 5, "none|write|read|freed|leak|undefined", "what c_step does wrong")

enum { PLANTED_NONE, PLANTED_WRITE, PLANTED_READ, PLANTED_FREED, PLANTED_LEAK, PLANTED_UNDEFINED };

#define ENV_LOG(X) X(steps, "steps of an episode")
#define ENV_STATE(X) X(float, told, "how often each agent was told 1")
#define ENV_STATE_VERSION 1

typedef struct Log {
    double steps, n;
} Log;

typedef struct Env {
    float* observations;  /* (agents) */
    int32_t* actions;     /* (agents) 0 or 1 */
    float* rewards;       /* (agents) */
    uint8_t* terminals;   /* (agents) */
    uint8_t* truncations; /* (agents) */
    Log log;
    int32_t num_threads; /* of no use to so small an environment */
    int32_t num_agents;
    uint32_t index, num_envs;
    uint64_t rng;

    int agents;
    choice defect;
    float* told;         /* (agents) */
    volatile int sum;    /* volatile, here and below: so that no optimizer removes the defect */
    char* volatile kept; /* (16) */
} Env;
ENV_PARAMS_OF(Env)

static inline void c_close(Env* env) {
    ENV_FREE(env->told);
    ENV_FREE(env->kept);
    env->told = NULL;
    env->kept = NULL;
}

static inline const char* c_init(Env* env) {
    const char* error = env_check(env);
    if (error) return error;
    env->num_agents = env->agents;
    env->told = ENV_CALLOC((size_t)env->agents, sizeof(float));
    env->kept = ENV_CALLOC(16, 1);
    if (env->told && env->kept) return NULL;
    c_close(env);
    return ENV_NO_MEMORY;
}

static inline EnvSpace c_observation_space(const Env* env) {
    (void)env;
    return (EnvSpace){.type = 'f', .size = 1, .low = 0, .high = 1e6f};
}

static inline EnvSpace c_action_space(const Env* env) {
    static const int32_t choices[] = {2};
    (void)env;
    return (EnvSpace){.type = 'i', .size = 1, .choices = choices};
}

static inline void c_restored(Env* env) { memcpy(env->observations, env->told, (size_t)env->num_agents * sizeof(float)); }

static inline const char* c_check_state(Env* env) {
    (void)env;
    return NULL;
}

static inline void c_reset(Env* env) {
    memset(env->told, 0, (size_t)env->num_agents * sizeof(float));
    c_restored(env);
}

static inline void c_step(Env* env) {
    for (int i = 0; i < env->num_agents; i++) {
        env->rewards[i] = (float)env->actions[i];
        env->told[i] += env->rewards[i];
    }
    c_restored(env);
    if (env->defect == PLANTED_WRITE) env->observations[env->num_agents] = 7; /* one past this environment's share */
    if (env->defect == PLANTED_READ) env->sum = env->actions[env->num_agents];
    if (env->defect == PLANTED_FREED) ENV_FREE(env->kept), env->kept[0] = 7;
    if (env->defect == PLANTED_LEAK) env->kept = ENV_CALLOC(16, 1); /* and nobody has the old one now */
    if (env->defect == PLANTED_UNDEFINED) env->sum = INT_MAX, env->sum = env->sum + 1;
}

#define c_script c_script
static inline void c_script(Env* env) {
    for (int i = 0; i < env->num_agents; i++) env->actions[i] = 1;
}

#define c_pixels c_pixels
static inline void c_pixels(Env* env, uint8_t* rgb, int32_t width, int32_t height) {
    (void)env;
    memset(rgb, 0, (size_t)width * (size_t)height * 3);
}

#define c_render c_render
static inline int32_t c_render(Env* env) {
    (void)env;
    return ENV_NO_WINDOW;
}

#endif
