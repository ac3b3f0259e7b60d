/* catch.h - a ball falls, a paddle must be under it: bsuite's Catch, with one agent
 *
 * The board has rows x columns cells. The ball starts anywhere in the top row and falls one row a step; the paddle starts in the
 * middle of the bottom row and stays or goes one column aside. When the ball arrives, the episode ends (terminal). The reward is 1
 * if the paddle is there, and -1 if not.
 */
#ifndef CATCH_H
#define CATCH_H

#include <string.h>

#include "env.h"

enum { CATCH_EMPTY, CATCH_BALL, CATCH_PADDLE };
enum { CATCH_LEFT, CATCH_STAY, CATCH_RIGHT, CATCH_ACTIONS };

#define ENV_PARAMS(X)                                                                                                         \
    X(int, rows, 10, 2, 64, "cells", "the height of the board")                                                               \
    X(int, columns, 5, 1, 64, "cells", "its width")

#define ENV_LOG(X) X(caught, "1 for a ball caught, 0 for one missed")

typedef struct Log {
    double caught;
    double n;
} Log;

typedef struct Catch {
    uint8_t* observations;       /* (rows * columns) CATCH_EMPTY, _BALL or _PADDLE, row by row from the top */
    int32_t* actions;            /* (1) CATCH_LEFT, _STAY or _RIGHT */
    float* rewards;              /* (1) */
    uint8_t* terminals;          /* (1) */
    uint8_t* truncations;        /* (1) */
    uint8_t* final_observations; /* (rows * columns) those of the step that ended the episode; or NULL */
    Log log;
    int32_t num_agents, num_threads;
    uint32_t index, num_envs;
    uint64_t rng;
    int rows, columns;
    int32_t row, column, paddle; /* the ball's, from the top and the left; the paddle's column */
} Catch;

typedef Catch Env;
ENV_PARAMS_OF(Catch)

static inline const char* c_init(Catch* env) {
    const char* error = env_check(env);
    if (error) return error;
    if (env->columns / 2 > env->rows - 1) return "columns: too many for so few rows: some balls could not be reached";
    env->num_agents = 1;
    return NULL;
}

static inline EnvSpace c_observation_space(const Catch* env) {
    EnvSpace space = {'B', env->rows * env->columns, CATCH_EMPTY, CATCH_PADDLE, NULL};
    return space;
}

static inline EnvSpace c_action_space(const Catch* env) {
    static const int32_t choices[] = {CATCH_ACTIONS};
    EnvSpace space = {'i', 1, 0, 0, choices};
    (void)env;
    return space;
}

static inline void catch__observe(Catch* env) {
    memset(env->observations, CATCH_EMPTY, (size_t)(env->rows * env->columns));
    env->observations[env->row * env->columns + env->column] = CATCH_BALL;
    env->observations[(env->rows - 1) * env->columns + env->paddle] = CATCH_PADDLE;
}

static inline void c_reset(Catch* env) {
    env->row = 0;
    env->column = (int32_t)(env_random(&env->rng) % (uint64_t)env->columns);
    env->paddle = env->columns / 2;
    catch__observe(env);
}

static inline void c_step(Catch* env) {
    env->paddle += env->actions[0] - CATCH_STAY;
    if (env->paddle < 0) env->paddle = 0;
    if (env->paddle >= env->columns) env->paddle = env->columns - 1;
    env->row++;
    const bool landed = env->row == env->rows - 1, caught = env->column == env->paddle;
    env->rewards[0] = !landed ? 0.0f : caught ? 1.0f : -1.0f;
    env->terminals[0] = landed;
    catch__observe(env);
    if (!landed) return;
    if (env->final_observations) memcpy(env->final_observations, env->observations, (size_t)(env->rows * env->columns));
    env->log.caught += caught;
    env->log.n += 1;
    c_reset(env);
}
#define ENV_FINAL_OBSERVATIONS

/* In a mirror the columns are in the other order, and so are the actions. */
#define ENV_MIRROR
static inline EnvMirror c_mirror_observation(const Catch* env, int32_t k) {
    EnvMirror mirror = {k / env->columns * env->columns + env->columns - 1 - k % env->columns, 1};
    return mirror;
}
static inline EnvMirror c_mirror_action(const Catch* env, int32_t k) {
    EnvMirror mirror = {CATCH_ACTIONS - 1 - k, 1};
    (void)env;
    return mirror;
}

/* The ball is an orange cell, the paddle a light blue one. */
#define c_pixels c_pixels
static inline void c_pixels(Catch* env, uint8_t* rgb, int32_t width, int32_t height) {
    static const uint8_t ground[3] = {6, 18, 36}, ball[3] = {255, 122, 89}, paddle[3] = {120, 210, 255};
    for (int32_t y = 0; y < height; y++)
        for (int32_t x = 0; x < width; x++, rgb += 3) {
            const int64_t row = (int64_t)y * env->rows / height, column = (int64_t)x * env->columns / width;
            const bool is_ball = row == env->row && column == env->column;
            const bool is_paddle = row == env->rows - 1 && column == env->paddle;
            memcpy(rgb, is_paddle ? paddle : is_ball ? ball : ground, 3);
        }
}

static inline void c_close(Catch* env) { (void)env; }

#endif
