/* spaces.h - an environment for the tests of the learner: every kind of observation and action, ends of both kinds, and a mirror
 *
 * Observations are random. The reward of a discrete action counts the elements whose choice is the last one if the first element of the
 * observation is above the middle of its range, and else 0. A continuous action should be near the first element. One step in 16 is a
 * terminal, one a truncation. In the mirror, the elements of observations and continuous actions have the other order, and the other sign
 * where there are signs; choices have the other order.
 */
#ifndef SPACES_H
#define SPACES_H

#include <string.h>

#include "env.h"

enum { SPACES_FLOAT, SPACES_INT, SPACES_SIGNED, SPACES_BYTE };
enum { SPACES_ONE, SPACES_SEVERAL, SPACES_CONTINUOUS };

#define ENV_PARAMS(X)                                                                       \
    X(int, size, 7, 1, 64, "", "elements of an observation")                                \
    X(int, agents, 3, 1, 64, "", "agents")                                                  \
    X(int, broken, 0, 0, 2, "", "1: c_mirror_observation is no mirror, 2: c_mirror_action")   \
    X(choice, observation, 0, 0, 3, "float|int|signed|byte", "the type of its elements")    \
    X(choice, action, 0, 0, 2, "one|several|continuous", "five choices; 3, 2 and 4; or two floats in [-2, 2]")

#define ENV_LOG(X)

typedef struct Log {
    float n;
} Log;

typedef struct Spaces {
    void *observations, *actions;
    float* rewards;
    uint8_t *terminals, *truncations;
    void* final_observations;
    Log log;
    int32_t num_agents, num_threads;
    uint32_t index, num_envs;
    uint64_t rng;
    int size, agents, broken;
    choice observation, action;
} Spaces;

typedef Spaces Env;
ENV_PARAMS_OF(Spaces)

static inline const char* c_init(Spaces* env) {
    env->num_agents = env->agents;
    return env_check(env);
}

static inline EnvSpace c_observation_space(const Spaces* env) {
    EnvSpace space = {"fibB"[env->observation], env->size, -50, 49, NULL};
    if (env->observation == SPACES_FLOAT) space.low = -1, space.high = 1;
    if (env->observation == SPACES_BYTE) space.low = 0, space.high = 99;
    return space;
}

static inline EnvSpace c_action_space(const Spaces* env) {
    static const int32_t one[] = {5}, several[] = {3, 2, 4};
    EnvSpace space = {'i', 1, 0, 0, one}, many = {'i', 3, 0, 0, several}, continuous = {'f', 2, -2, 2, NULL};
    return env->action == SPACES_ONE ? space : env->action == SPACES_SEVERAL ? many : continuous;
}

/* Writes a random observation of agent i. Returns its first element, in [-1, 1]. */
static inline float spaces__observe(Spaces* env, void* observations, int32_t i) {
    float first = 0;
    for (int32_t k = 0; k < env->size; k++) {
        const int32_t number = (int32_t)(env_random(&env->rng) % 100), at = i * env->size + k;
        const float x = (float)(number - 50) / 50.0f;
        if (env->observation == SPACES_FLOAT) ((float*)observations)[at] = x;
        if (env->observation == SPACES_INT) ((int32_t*)observations)[at] = number - 50;
        if (env->observation == SPACES_SIGNED) ((int8_t*)observations)[at] = (int8_t)(number - 50);
        if (env->observation == SPACES_BYTE) ((uint8_t*)observations)[at] = (uint8_t)number;
        if (k == 0) first = x;
    }
    return first;
}

/* The first element of what agent i observes, in [-1, 1]. */
static inline float spaces__first(const Spaces* env, int32_t i) {
    const int32_t at = i * env->size;
    if (env->observation == SPACES_FLOAT) return ((const float*)env->observations)[at];
    if (env->observation == SPACES_INT) return (float)((const int32_t*)env->observations)[at] / 50.0f;
    if (env->observation == SPACES_SIGNED) return (float)((const int8_t*)env->observations)[at] / 50.0f;
    return (float)((const uint8_t*)env->observations)[at] / 50.0f - 1.0f;
}

static inline void c_reset(Spaces* env) {
    for (int32_t i = 0; i < env->agents; i++) spaces__observe(env, env->observations, i);
}

static inline void c_step(Spaces* env) {
    const EnvSpace space = c_action_space(env);
    for (int32_t i = 0; i < env->agents; i++) {
        const float first = spaces__first(env, i);
        const uint64_t end = env_random(&env->rng) % 16;
        env->rewards[i] = 0;
        for (int32_t k = 0; k < space.size; k++) {
            const int32_t at = i * space.size + k;
            if (space.choices)
                env->rewards[i] +=
                    ((const int32_t*)env->actions)[at] == (first > 0 ? space.choices[k] - 1 : 0) ? 1.0f : 0.0f;
            else
                env->rewards[i] -= (((const float*)env->actions)[at] - first) * (((const float*)env->actions)[at] - first);
        }
        env->terminals[i] = end == 0;
        env->truncations[i] = end == 1;
        env->log.n += end < 2 ? 1.0f : 0.0f;
        if (end < 2 && env->final_observations) spaces__observe(env, env->final_observations, i);
        spaces__observe(env, env->observations, i);
    }
}

static inline void c_close(Spaces* env) { (void)env; }

#define ENV_FINAL_OBSERVATIONS
#define ENV_MIRROR

static inline EnvMirror c_mirror_observation(const Spaces* env, int32_t k) {
    const EnvMirror mirror = {env->broken == 1 ? 0 : env->size - 1 - k, env->observation == SPACES_BYTE ? 1 : -1};
    return mirror;
}

static inline EnvMirror c_mirror_action(const Spaces* env, int32_t k) {
    const EnvSpace space = c_action_space(env);
    const EnvMirror continuous = {space.size - 1 - k, -1};
    EnvMirror discrete = {k, 1};
    for (int32_t first = 0, e = 0; space.choices && e < space.size; first += space.choices[e++])
        if (k >= first && k < first + space.choices[e]) discrete.from = 2 * first + space.choices[e] - 1 - k;
    if (env->broken == 2 && k == 0) discrete.from = 1;
    return space.choices ? discrete : continuous;
}

#define ENV_STATE(X)
#define ENV_STATE_VERSION 1
static inline const char* c_check_state(Spaces* env) {
    (void)env;
    return NULL;
}
static inline void c_restored(Spaces* env) { c_reset(env); }

#endif
