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

/* The type of observations: -DSPACES_FLOAT, which is the default, -DSPACES_INT, -DSPACES_SIGNED or -DSPACES_BYTE. With the letter and the
 * range of their space, and an element made of a number from 0 to 99. */
#if defined(SPACES_INT)
typedef int32_t SpacesElement;
enum { SPACES_LETTER = 'i', SPACES_LOW = -50, SPACES_HIGH = 49 };
#define SPACES_ELEMENT(number) ((number)-50)
#elif defined(SPACES_SIGNED)
typedef int8_t SpacesElement;
enum { SPACES_LETTER = 'b', SPACES_LOW = -50, SPACES_HIGH = 49 };
#define SPACES_ELEMENT(number) ((number)-50)
#elif defined(SPACES_BYTE)
typedef uint8_t SpacesElement;
enum { SPACES_LETTER = 'B', SPACES_LOW = 0, SPACES_HIGH = 99 };
#define SPACES_ELEMENT(number) (number)
#else
#define SPACES_FLOAT
typedef float SpacesElement;
enum { SPACES_LETTER = 'f', SPACES_LOW = -1, SPACES_HIGH = 1 };
#define SPACES_ELEMENT(number) ((float)((number)-50) / 50.0f)
#endif

enum { SPACES_ONE, SPACES_SEVERAL, SPACES_CONTINUOUS };

#define ENV_PARAMS(X)                                                                       \
    X(int, size, 7, 1, 64, "", "elements of an observation")                                \
    X(int, agents, 3, 1, 64, "", "agents")                                                  \
    X(int, broken, 0, 0, 2, "", "1: c_mirror_observation is no mirror, 2: c_mirror_action")   \
    X(choice, action, 0, 0, 2, "one|several|continuous", "five choices; 3, 2 and 4; or two floats in [-2, 2]")

#define ENV_LOG(X)

typedef struct Log {
    double n;
} Log;

typedef struct Spaces {
    SpacesElement* observations;
    void* actions;
    float* rewards;
    uint8_t *terminals, *truncations;
    SpacesElement* final_observations;
    Log log;
    int32_t num_agents, num_threads;
    uint32_t index, num_envs;
    uint64_t rng;
    int size, agents, broken;
    choice action;
} Spaces;

typedef Spaces Env;
ENV_PARAMS_OF(Spaces)

static inline const char* c_init(Spaces* env) {
    env->num_agents = env->agents;
    return env_check(env);
}

static inline EnvSpace c_observation_space(const Spaces* env) {
    const EnvSpace space = {SPACES_LETTER, env->size, SPACES_LOW, SPACES_HIGH, NULL};
    return space;
}

static inline EnvSpace c_action_space(const Spaces* env) {
    static const int32_t one[] = {5}, several[] = {3, 2, 4};
    EnvSpace space = {'i', 1, 0, 0, one}, many = {'i', 3, 0, 0, several}, continuous = {'f', 2, -2, 2, NULL};
    return env->action == SPACES_ONE ? space : env->action == SPACES_SEVERAL ? many : continuous;
}

/* Writes a random observation of agent i. */
static inline void spaces__observe(Spaces* env, SpacesElement* observations, int32_t i) {
    for (int32_t k = 0; k < env->size; k++)
        observations[i * env->size + k] = (SpacesElement)SPACES_ELEMENT((int32_t)(env_random(&env->rng) % 100));
}

static inline void c_reset(Spaces* env) {
    for (int32_t i = 0; i < env->agents; i++) spaces__observe(env, env->observations, i);
}

static inline void c_step(Spaces* env) {
    const EnvSpace space = c_action_space(env);
    for (int32_t i = 0; i < env->agents; i++) {
        const float middle = (float)(SPACES_LOW + SPACES_HIGH) / 2, half = (float)(SPACES_HIGH - SPACES_LOW) / 2;
        const float first = ((float)env->observations[i * env->size] - middle) / half; /* in [-1, 1] */
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
        env->log.n += end < 2;
        if (end < 2 && env->final_observations) spaces__observe(env, env->final_observations, i);
        spaces__observe(env, env->observations, i);
    }
}

static inline void c_close(Spaces* env) { (void)env; }

#define ENV_FINAL_OBSERVATIONS
#define ENV_MIRROR

static inline EnvMirror c_mirror_observation(const Spaces* env, int32_t k) {
    const EnvMirror mirror = {env->broken == 1 ? 0 : env->size - 1 - k, SPACES_LOW == 0 ? 1 : -1};
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
