/* squared.h - one agent and one target on a square grid: a small environment to train on
 *
 * The agent starts in the middle of size x size cells, the target in any other cell. In each step the agent stays, or moves to one of
 * four neighbouring cells. Reaching the target ends the episode with a reward of 1, leaving the grid ends it with -1 (both terminal).
 * After 3 * size steps the episode is truncated with 0. PufferLib's tutorial has the same game.
 *
 *     Squared env = {.size = 11};        // or env_defaults(&env)
 *     const char* error = c_init(&env);  // a message, or NULL
 *     env.observations = observations;   // uint8_t [11 * 11], and so on: see env.h
 *     c_reset(&env);
 *     c_step(&env);
 *     c_close(&env);
 *
 * It has everything that binding.c needs. Optional parts of env.h that it also has: a picture, a window and a script.
 */
#ifndef SQUARED_H
#define SQUARED_H

#include <string.h>

#include "env.h"
#include "show/env_window.h"

enum { SQUARED_EMPTY, SQUARED_AGENT, SQUARED_TARGET };
enum { SQUARED_STAY, SQUARED_UP, SQUARED_DOWN, SQUARED_LEFT, SQUARED_RIGHT, SQUARED_ACTIONS };

#define ENV_PARAMS(X) X(int, size, 11, 2, 64, "cells", "a side of the grid")

#define ENV_LOG(X)                                                                                                            \
    X(score, "1 for the target, -1 for leaving, 0 for neither in time")                                                       \
    X(episode_length, "steps")

typedef struct Log {
    double score, episode_length;
    double n;
} Log;

typedef struct Squared {
    uint8_t* observations;       /* (size * size) SQUARED_EMPTY, _AGENT or _TARGET, row by row from the top */
    int32_t* actions;            /* (1) SQUARED_STAY .. SQUARED_RIGHT */
    float* rewards;              /* (1) */
    uint8_t* terminals;          /* (1) */
    uint8_t* truncations;        /* (1) */
    uint8_t* final_observations; /* (size * size) those of the step that ended the episode; or NULL */
    Log log;
    int32_t num_agents, num_threads;
    uint32_t index, num_envs;
    uint64_t rng;
    int size;
    int32_t row, column, target; /* of the agent, from the top left corner; target is row * size + column */
    int32_t tick;                /* steps of this episode */
    EnvWindow* window;
} Squared;

typedef Squared Env;
ENV_PARAMS_OF(Squared)

static inline const char* c_init(Squared* env) {
    env->num_agents = 1;
    return env_check(env);
}

static inline EnvSpace c_observation_space(const Squared* env) {
    EnvSpace space = {'B', env->size * env->size, SQUARED_EMPTY, SQUARED_TARGET, NULL};
    return space;
}

static inline EnvSpace c_action_space(const Squared* env) {
    static const int32_t choices[] = {SQUARED_ACTIONS};
    EnvSpace space = {'i', 1, 0, 0, choices};
    (void)env;
    return space;
}

static inline void c_reset(Squared* env) {
    const int32_t cells = env->size * env->size;
    env->row = env->column = env->size / 2;
    env->tick = 0;
    /* in any cell except the agent's */
    const int32_t agent = env->row * env->size + env->column;
    env->target = (int32_t)(env_random(&env->rng) % (uint64_t)(cells - 1));
    if (env->target >= agent) env->target++;
    memset(env->observations, SQUARED_EMPTY, (size_t)cells);
    env->observations[agent] = SQUARED_AGENT;
    env->observations[env->target] = SQUARED_TARGET;
}

static inline void c_step(Squared* env) {
    const int32_t action = env->actions[0];
    env->observations[env->row * env->size + env->column] = SQUARED_EMPTY;
    env->row += (action == SQUARED_DOWN) - (action == SQUARED_UP);
    env->column += (action == SQUARED_RIGHT) - (action == SQUARED_LEFT);
    env->tick++;
    const bool inside = env->row >= 0 && env->row < env->size && env->column >= 0 && env->column < env->size;
    const bool reached = inside && env->row * env->size + env->column == env->target;
    env->rewards[0] = reached ? 1.0f : inside ? 0.0f : -1.0f;
    env->terminals[0] = reached || !inside;
    env->truncations[0] = !env->terminals[0] && env->tick == 3 * env->size;
    if (inside) env->observations[env->row * env->size + env->column] = SQUARED_AGENT;
    if (!env->terminals[0] && !env->truncations[0]) return;
    if (env->final_observations) memcpy(env->final_observations, env->observations, (size_t)(env->size * env->size));
    env->log.score += (double)env->rewards[0];
    env->log.episode_length += env->tick;
    env->log.n += 1;
    c_reset(env);
}

#define ENV_FINAL_OBSERVATIONS

/* In a mirror the columns have the other order, and left and right change places. */
#define ENV_MIRROR
static inline EnvMirror c_mirror_observation(const Squared* env, int32_t k) {
    EnvMirror mirror = {k / env->size * env->size + env->size - 1 - k % env->size, 1};
    return mirror;
}
static inline EnvMirror c_mirror_action(const Squared* env, int32_t k) {
    EnvMirror mirror = {k < SQUARED_LEFT ? k : SQUARED_LEFT + SQUARED_RIGHT - k, 1};
    (void)env;
    return mirror;
}

/* Goes straight to the target, first along the column. */
#define c_script c_script
static inline void c_script(Squared* env) {
    const int32_t rows = env->target / env->size - env->row, columns = env->target % env->size - env->column;
    env->actions[0] = rows > 0 ? SQUARED_DOWN : rows < 0 ? SQUARED_UP : columns > 0 ? SQUARED_RIGHT : SQUARED_LEFT;
}

/* Each cell is a tile: light blue for the agent, orange for the target. */
#define c_pixels c_pixels
static inline void c_pixels(Squared* env, uint8_t* rgb, int32_t width, int32_t height) {
    static const uint8_t ground[3] = {6, 18, 36}, tile[3] = {15, 38, 62}, agent[3] = {120, 210, 255},
                         target[3] = {255, 122, 89};
    const int32_t side = width < height ? width : height; /* of the board, in pixels */
    const int32_t left = (width - side) / 2, top = (height - side) / 2, edge = side / 16;
    for (int32_t y = 0; y < height; y++)
        for (int32_t x = 0; x < width; x++) {
            const uint8_t* colour = ground;
            const int64_t u = (int64_t)(x - left) * env->size,
                          v = (int64_t)(y - top) * env->size; /* a cell is `side` wide */
            if (u >= 0 && v >= 0 && u < (int64_t)side * env->size && v < (int64_t)side * env->size) {
                const int32_t row = (int32_t)(v / side), column = (int32_t)(u / side);
                const bool inside = u % side >= edge && u % side < side - edge && v % side >= edge && v % side < side - edge;
                if (inside) colour = tile;
                if (inside && row * env->size + column == env->target) colour = target;
                if (inside && row == env->row && column == env->column) colour = agent;
            }
            memcpy(rgb + 3 * ((size_t)y * (size_t)width + (size_t)x), colour, 3);
        }
}

#define c_render c_render
static inline int32_t c_render(Squared* env) {
    const int32_t refused = env_window_begin(&env->window, "squared", 720, 720);
    if (refused) return refused;
    c_pixels(env, env->window->rgb, env->window->width, env->window->height);
    return env_window_end(env->window);
}

static inline void c_close(Squared* env) { env_window_close(&env->window); }

#endif
