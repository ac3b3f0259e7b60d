/* counter.h - a small environment: two agents that count.
 *
 * It is an example of env.h's contract, and shows that binding.c depends on no environment: its types differ from those of the
 * flock, an action has two elements, and it has every kind of parameter.
 *
 * Each agent has a count in 0 .. limit and observes both counts, its own first. An action has two elements: the direction (0 down,
 * 1 stay, 2 up) and the stride (0 for one, 1 for two). Goal "climb" rewards every count gained, "meet" equal counts. At the limit an
 * agent's episode ends (terminal); below zero it is truncated, unless there is a floor. Then the agent starts again.
 *
 *     Counter env = {.limit = 10, .scale = 1, .floor = true, .goal = COUNTER_CLIMB};
 *     const char* error = c_init(&env);  // a message, or NULL
 *     env.observations = observations;   // uint8_t [2][2], and so on: see env.h
 *     c_reset(&env);
 *     c_step(&env);
 *     c_close(&env);
 */
#ifndef COUNTER_H
#define COUNTER_H

#include <string.h>

#include "env.h"

enum { COUNTER_AGENTS = 2, COUNTER_CLIMB = 0, COUNTER_MEET = 1 };

#define ENV_PARAMS(X)                                                                                                         \
    X(int, limit, 10, 2, 200, "counts", "the count at which an episode ends")                                                 \
    X(float, scale, 1.0, 0.0, 10.0, "per count", "the reward of one count")                                                   \
    X(bool, floor, true, false, true, "", "whether a count stops at zero")                                                    \
    X(choice, goal, COUNTER_CLIMB, COUNTER_CLIMB, COUNTER_MEET, "climb|meet", "what the reward is for")

/* what may change between steps; the limit may not: it is in the observation space */
#define ENV_CHANGEABLE(X) X(scale) X(floor) X(goal)

#define ENV_LOG(X)                                                                                                            \
    X(episode_return, "sum of rewards")                                                                                       \
    X(finished, "share of the episodes that ended at the limit")

#define ENV_STATE(X)                                                                                                          \
    X(int16_t, count, "in 0 .. limit")                                                                                        \
    X(float, episode_return, "sum of rewards of the episode so far")
#define ENV_STATE_VERSION 1

typedef struct Log {
    double episode_return, finished;
    double n;
} Log;

typedef struct Counter {
    uint8_t* observations;       /* (2 x 2) own count, the other's */
    int32_t* actions;            /* (2 x 2) direction 0 .. 2, stride 0 .. 1 */
    float* rewards;              /* (2) */
    uint8_t* terminals;          /* (2) */
    uint8_t* truncations;        /* (2) */
    uint8_t* final_observations; /* (2 x 2) or NULL */
    Log log;
    int32_t num_threads; /* not used: the environment is too small */
    int32_t num_agents;
    uint32_t index, num_envs;
    uint64_t rng;
    int limit;
    float scale;
    bool floor;
    choice goal;
    int16_t* count;        /* (2) */
    float* episode_return; /* (2) of the episode so far */
    float per_point;       /* derived: the reward of a point */
} Counter;

typedef Counter Env;
ENV_PARAMS_OF(Counter)

static inline void c_close(Counter* env) {
    ENV_FREE(env->count);
    ENV_FREE(env->episode_return);
    env->count = NULL;
    env->episode_return = NULL;
}

static inline const char* c_changed(Counter* env) {
    if (env->goal == COUNTER_MEET && env->limit < 4) return "goal: to meet takes a limit of 4 at least";
    env->per_point = env->scale;
    return NULL;
}

static inline const char* c_init(Counter* env) {
    const char* error = env_check(env);
    if (!error) error = c_changed(env);
    if (error) return error;
    env->num_agents = COUNTER_AGENTS;
    env->count = (int16_t*)ENV_CALLOC(COUNTER_AGENTS, sizeof(int16_t));
    env->episode_return = (float*)ENV_CALLOC(COUNTER_AGENTS, sizeof(float));
    if (env->count && env->episode_return) return NULL;
    c_close(env);
    return ENV_NO_MEMORY;
}

static inline EnvSpace c_observation_space(const Counter* env) {
    EnvSpace space = {'B', 2, 0, (float)env->limit, NULL};
    return space;
}

static inline EnvSpace c_action_space(const Counter* env) {
    static const int32_t choices[] = {3, 2};
    EnvSpace space = {'i', 2, 0, 0, choices};
    (void)env;
    return space;
}

/* What agent i observes, into its row of `observations`. A count below zero, which only a final observation has, is observed as zero. */
static inline void counter_observe_one(const Counter* env, int i, uint8_t* observations) {
    observations[2 * i] = (uint8_t)(env->count[i] < 0 ? 0 : env->count[i]);
    observations[2 * i + 1] = (uint8_t)(env->count[1 - i] < 0 ? 0 : env->count[1 - i]);
}

static inline void counter_observe(Counter* env) {
    for (int i = 0; i < COUNTER_AGENTS; i++) counter_observe_one(env, i, env->observations);
}

/* Somewhere strictly between zero and the limit. */
static inline void counter_start(Counter* env, int i) {
    env->count[i] = (int16_t)(1 + env_random(&env->rng) % (uint64_t)(env->limit - 1));
    env->episode_return[i] = 0;
}

static inline void c_reset(Counter* env) {
    for (int i = 0; i < COUNTER_AGENTS; i++) counter_start(env, i);
    counter_observe(env);
}

static inline void c_step(Counter* env) {
    int16_t before[COUNTER_AGENTS];
    memcpy(before, env->count, sizeof before);
    for (int i = 0; i < COUNTER_AGENTS; i++) {
        int32_t count = env->count[i] + (env->actions[2 * i] - 1) * (env->actions[2 * i + 1] + 1);
        if (count > env->limit) count = env->limit;
        if (count < 0 && env->floor) count = 0;
        env->count[i] = (int16_t)count;
    }
    for (int i = 0; i < COUNTER_AGENTS; i++) {
        const int32_t gap = env->count[i] - env->count[1 - i];
        const int32_t points = env->goal == COUNTER_CLIMB ? env->count[i] - before[i] : gap ? 0 : 1;
        env->rewards[i] = env->per_point * (float)points;
        env->episode_return[i] += env->rewards[i];
    }
    for (int i = 0; i < COUNTER_AGENTS; i++) {
        env->terminals[i] = env->count[i] == env->limit;
        env->truncations[i] = env->count[i] < 0;
        if (!env->terminals[i] && !env->truncations[i]) continue;
        if (env->final_observations) counter_observe_one(env, i, env->final_observations);
        env->log.episode_return += (double)env->episode_return[i];
        env->log.finished += env->terminals[i];
        env->log.n += 1;
        counter_start(env, i);
    }
    counter_observe(env);
}

#define ENV_FINAL_OBSERVATIONS

/* The state has no scalars to check. */
static inline const char* c_check_state(Counter* env) {
    (void)env;
    return NULL;
}

static inline void c_restored(Counter* env) { counter_observe(env); }

/* Climbs in single strides. */
#define c_script c_script
static inline void c_script(Counter* env) {
    for (int i = 0; i < COUNTER_AGENTS; i++) {
        env->actions[2 * i] = 2;
        env->actions[2 * i + 1] = 0;
    }
}

/* A white bar for each agent, side by side, on black: as high as its count. */
#define c_pixels c_pixels
static inline void c_pixels(Counter* env, uint8_t* rgb, int32_t width, int32_t height) {
    for (int32_t y = 0; y < height; y++)
        for (int32_t x = 0; x < width; x++) {
            const int32_t count = env->count[(int64_t)x * COUNTER_AGENTS / width];
            const bool lit = (int64_t)(height - y) * env->limit <= (int64_t)count * height;
            memset(rgb + 3 * ((size_t)y * (size_t)width + (size_t)x), lit ? 255 : 0, 3);
        }
}

/* It has no window. */
#define c_render c_render
static inline int32_t c_render(Counter* env) {
    (void)env;
    return ENV_NO_WINDOW;
}

#endif
