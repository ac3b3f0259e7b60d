/* snake.h - many snakes on one board, with food, walls and the corpses of the others
 *
 * width x height cells with a wall around them. Each snake is an agent that observes the cells around its head and chooses one
 * of four directions. The direction back to its own neck counts as straight on. The snakes move one after the other, in the order of
 * their numbers. A snake moves its head first: its tail still occupies its cell then.
 *
 *   food, corpse       the snake eats it: a reward, and it grows by one cell, up to max_length. New food appears elsewhere
 *   wall, any snake    the snake dies: a (negative) reward, and a terminal. Every second cell of its body becomes a corpse
 *   horizon steps      without dying: a truncation, and no corpse
 *
 * After its episode the snake starts again in a random empty cell, one cell long. PufferLib has a similar game.
 *
 *     Snake env = {.width = 40, .height = 40, .num_snakes = 16, .num_food = 64, .vision = 5, .max_length = 128,
 *                  .horizon = 1000, .leave_corpse = true, .reward_food = 1, .reward_corpse = 1, .reward_death = -1};
 *     const char* error = c_init(&env);  // a message, or NULL
 *     env.observations = observations;   // uint8_t [16][11 * 11], and so on: see env.h
 *     c_reset(&env);
 *     c_step(&env);
 *     c_close(&env);
 *
 * An observation is a copy of a part of the grid:
 *
 *     ############
 *     ############   # SNAKE_WALL, `vision` cells thick, so that every observation lies within the grid
 *     ##        ##   . SNAKE_FOOD
 *     ## . ooO  ##   o SNAKE_BODY, O SNAKE_HEAD
 *     ##     x  ##   x SNAKE_CORPSE
 *     ############
 *     ############
 */
#ifndef SNAKE_H
#define SNAKE_H

#include <math.h>
#include <string.h>

#include "env.h"
#include "show/env_window.h"

/* The content of a cell. SNAKE_WALL and all after it are deadly. */
enum { SNAKE_EMPTY, SNAKE_FOOD, SNAKE_CORPSE, SNAKE_WALL, SNAKE_BODY, SNAKE_HEAD, SNAKE_KINDS };
enum { SNAKE_UP, SNAKE_DOWN, SNAKE_LEFT, SNAKE_RIGHT, SNAKE_ACTIONS }; /* direction ^ 1 is the opposite one */

#define ENV_PARAMS(X)                                                                                                       \
    X(int, width, 40, 2, 1024, "cells", "the board from left to right, without the wall")                                   \
    X(int, height, 40, 2, 1024, "cells", "the board from top to bottom, without the wall")                                  \
    X(int, num_snakes, 16, 1, 4096, "snakes", "agents")                                                                     \
    X(int, num_food, 64, 0, 1000000, "cells", "cells with food, fewer where the board has no room")                                 \
    X(int, vision, 5, 1, 15, "cells", "a snake observes a square that reaches so far from its head")                                     \
    X(int, max_length, 128, 2, 4096, "cells", "maximum length of a snake")                                              \
    X(int, horizon, 1000, 1, 1000000, "steps", "length of an episode without death")                               \
    X(bool, leave_corpse, true, false, true, "", "whether dead snakes leave corpses")                                   \
    X(float, reward_food, 1, -1, 1, "", "for eating food")                                                                  \
    X(float, reward_corpse, 1, -1, 1, "", "for eating a corpse")                                                            \
    X(float, reward_death, -1, -1, 1, "", "for running into something")

#define ENV_LOG(X)                                                                                                          \
    X(score, "cells, the length at the end")                                                                                \
    X(perf, "cells eaten per step, 0 to 1")                                                                                 \
    X(died, "share of the episodes that ended in death")                                                                    \
    X(episode_return, "sum of rewards")                                                                                     \
    X(episode_length, "steps")

typedef struct Log {
    double score, perf, died, episode_return, episode_length;
    double n;
} Log;

/* One snake, and its episode so far. Its cells lie in a ring of max_length: the head in slot `head`, its neck before it. */
typedef struct SnakeBody {
    int32_t head, length;
    int32_t heading; /* SNAKE_UP .. SNAKE_RIGHT: its last move; random at first */
    int32_t eaten, steps;
    float episode_return;
} SnakeBody;

typedef struct Snake {
    uint8_t* observations;       /* (num_snakes x (2 * vision + 1)^2) SNAKE_EMPTY .. SNAKE_HEAD, row by row from the top */
    int32_t* actions;            /* (num_snakes) SNAKE_UP .. SNAKE_RIGHT */
    float* rewards;              /* (num_snakes) */
    uint8_t* terminals;          /* (num_snakes) */
    uint8_t* truncations;        /* (num_snakes) */
    uint8_t* final_observations; /* (as the observations) what a snake saw when its episode ended; or NULL */
    Log log;
    int32_t num_agents, num_threads;
    uint32_t index, num_envs;
    uint64_t rng;
    int width, height, num_snakes, num_food, vision, max_length, horizon;
    bool leave_corpse;
    float reward_food, reward_corpse, reward_death;
    uint8_t* grid;              /* (height + 2 * vision) x (width + 2 * vision) */
    int32_t count[SNAKE_KINDS]; /* of the cells of each kind in it */
    SnakeBody* snakes;          /* (num_snakes) */
    int32_t* cells;             /* (num_snakes x max_length) the rings: indices into grid */
    EnvWindow* window;
} Snake;

typedef Snake Env;
ENV_PARAMS_OF(Snake)

static inline void c_close(Snake* env) {
    env_window_close(&env->window);
    ENV_FREE(env->grid);
    ENV_FREE(env->snakes);
    ENV_FREE(env->cells);
    env->grid = NULL;
    env->snakes = NULL;
    env->cells = NULL;
}

/* Cells from one row of the grid to the next. */
static inline int32_t snake__pitch(const Snake* env) { return env->width + 2 * env->vision; }

/* A side of what a snake sees. */
static inline int32_t snake__side(const Snake* env) { return 2 * env->vision + 1; }

static inline const char* c_init(Snake* env) {
    const char* error = env_check(env);
    if (error) return error;
    if (env->num_snakes + env->num_food > env->width * env->height)
        return "num_snakes, num_food: expected no more of them than the board has cells";
    env->num_agents = env->num_snakes;
    env->grid = (uint8_t*)ENV_CALLOC((size_t)snake__pitch(env) * (size_t)(env->height + 2 * env->vision), 1);
    env->snakes = (SnakeBody*)ENV_CALLOC((size_t)env->num_snakes, sizeof(SnakeBody));
    env->cells = (int32_t*)ENV_CALLOC((size_t)env->num_snakes * (size_t)env->max_length, sizeof(int32_t));
    if (env->grid && env->snakes && env->cells) return NULL;
    c_close(env);
    return ENV_NO_MEMORY;
}

static inline EnvSpace c_observation_space(const Snake* env) {
    EnvSpace space = {'B', snake__side(env) * snake__side(env), SNAKE_EMPTY, SNAKE_KINDS - 1, NULL};
    return space;
}

static inline EnvSpace c_action_space(const Snake* env) {
    static const int32_t choices[] = {SNAKE_ACTIONS};
    EnvSpace space = {'i', 1, 0, 0, choices};
    (void)env;
    return space;
}

/* The difference between the grid indices of a cell and the next one in a direction. */
static inline int32_t snake__stride(const Snake* env, int32_t direction) {
    const int32_t along = direction < SNAKE_LEFT ? snake__pitch(env) : 1;
    return direction & 1 ? along : -along;
}

/* The index in the grid of what snake i has k cells behind its head. */
static inline int32_t* snake__cell(const Snake* env, int32_t i, int32_t k) {
    const int32_t slot = env->snakes[i].head - k;
    return &env->cells[(size_t)i * (size_t)env->max_length + (size_t)(slot < 0 ? slot + env->max_length : slot)];
}

/* Sets a cell and keeps the counts right. After c_reset nothing else changes the grid. */
static inline void snake__put(Snake* env, int32_t cell, uint8_t kind) {
    env->count[env->grid[cell]]--;
    env->count[kind]++;
    env->grid[cell] = kind;
}

/* A random empty cell; there must be one. Where 16 draws find none, the first empty cell after the last draw. */
static inline int32_t snake__draw_cell(Snake* env) {
    const int32_t board = env->width * env->height;
    for (int32_t tries = 0, k = 0;; tries++) {
        k = tries < 16 ? (int32_t)((env_random(&env->rng) >> 32) * (uint64_t)board >> 32) : (k + 1) % board;
        const int32_t cell = (k / env->width + env->vision) * snake__pitch(env) + k % env->width + env->vision;
        if (env->grid[cell] == SNAKE_EMPTY) return cell;
    }
}

static inline void snake__start(Snake* env, int32_t i) {
    SnakeBody* snake = &env->snakes[i];
    memset(snake, 0, sizeof *snake);
    snake->length = 1;
    snake->heading = (int32_t)(env_random(&env->rng) % SNAKE_ACTIONS);
    *snake__cell(env, i, 0) = snake__draw_cell(env);
    snake__put(env, *snake__cell(env, i, 0), SNAKE_HEAD);
}

/* Removes a snake from the board, logs its episode and starts the next. There is an empty cell then: that of its head. */
static inline void snake__end(Snake* env, int32_t i, bool died) {
    const SnakeBody* snake = &env->snakes[i];
    for (int32_t k = 0; k < snake->length; k++)
        snake__put(env, *snake__cell(env, i, k), died && env->leave_corpse && k % 2 ? SNAKE_CORPSE : SNAKE_EMPTY);
    env->log.score += snake->length;
    env->log.perf += (double)snake->eaten / snake->steps;
    env->log.died += died;
    env->log.episode_return += snake->episode_return;
    env->log.episode_length += snake->steps;
    env->log.n += 1;
    snake__start(env, i);
}

static inline void snake__feed(Snake* env) {
    while (env->count[SNAKE_FOOD] < env->num_food && env->count[SNAKE_EMPTY])
        snake__put(env, snake__draw_cell(env), SNAKE_FOOD);
}

/* Writes what snake i observes into its row of `observations`. */
static inline void snake__observe_one(const Snake* env, int32_t i, uint8_t* observations) {
    const int32_t side = snake__side(env), pitch = snake__pitch(env), corner = env->vision * (pitch + 1);
    const uint8_t* from = env->grid + *snake__cell(env, i, 0) - corner;
    uint8_t* row = observations + (size_t)i * (size_t)(side * side);
    for (int32_t r = 0; r < side; r++, row += side, from += pitch) memcpy(row, from, (size_t)side);
}

static inline void snake__observe(Snake* env) {
    for (int32_t i = 0; i < env->num_snakes; i++) snake__observe_one(env, i, env->observations);
}

static inline void c_reset(Snake* env) {
    const int32_t pitch = snake__pitch(env);
    memset(env->grid, SNAKE_WALL, (size_t)pitch * (size_t)(env->height + 2 * env->vision));
    for (int32_t y = 0; y < env->height; y++)
        memset(env->grid + (y + env->vision) * pitch + env->vision, SNAKE_EMPTY, (size_t)env->width);
    memset(env->count, 0, sizeof env->count);
    env->count[SNAKE_EMPTY] = env->width * env->height;
    for (int32_t i = 0; i < env->num_snakes; i++) snake__start(env, i);
    snake__feed(env);
    snake__observe(env);
}

static inline void snake__move(Snake* env, int32_t i) {
    SnakeBody* snake = &env->snakes[i];
    const int32_t head = *snake__cell(env, i, 0), tail = *snake__cell(env, i, snake->length - 1);
    if (snake->length == 1 || env->actions[i] != (snake->heading ^ 1)) snake->heading = env->actions[i];
    const int32_t next = head + snake__stride(env, snake->heading);
    const uint8_t found = env->grid[next];
    const bool died = found >= SNAKE_WALL, eats = found == SNAKE_FOOD || found == SNAKE_CORPSE;
    env->rewards[i] = died                    ? env->reward_death
                      : found == SNAKE_FOOD   ? env->reward_food
                      : found == SNAKE_CORPSE ? env->reward_corpse
                                              : 0.0f;
    snake->episode_return += env->rewards[i];
    snake->eaten += eats;
    snake->steps++;
    env->terminals[i] = died;
    env->truncations[i] = !died && snake->steps == env->horizon;
    if (!died) {
        snake__put(env, head, SNAKE_BODY);
        if (eats && snake->length < env->max_length)
            snake->length++;
        else
            snake__put(env, tail, SNAKE_EMPTY);
        snake->head = snake->head + 1 < env->max_length ? snake->head + 1 : 0;
        *snake__cell(env, i, 0) = next;
        snake__put(env, next, SNAKE_HEAD);
    }
    if (!died && !env->truncations[i]) return;
    if (env->final_observations) snake__observe_one(env, i, env->final_observations);
    snake__end(env, i, died);
}
#define ENV_FINAL_OBSERVATIONS

static inline void c_step(Snake* env) {
    for (int32_t i = 0; i < env->num_snakes; i++) snake__move(env, i);
    snake__feed(env);
    snake__observe(env);
}

/* Goes to the nearest food or corpse that it observes. Avoids deadly cells, and dead ends where there is another way. */
#define c_script c_script
static inline void c_script(Snake* env) {
    const int32_t pitch = snake__pitch(env);
    for (int32_t i = 0; i < env->num_snakes; i++) {
        const int32_t head = *snake__cell(env, i, 0), heading = env->snakes[i].heading;
        int32_t nearest = 4 * env->vision, right = 0, down = 0, least = INT32_MAX;
        for (int32_t y = -env->vision; y <= env->vision; y++)
            for (int32_t x = -env->vision; x <= env->vision; x++) {
                const uint8_t kind = env->grid[head + y * pitch + x];
                if ((kind != SNAKE_FOOD && kind != SNAKE_CORPSE) || abs(x) + abs(y) >= nearest) continue;
                nearest = abs(x) + abs(y);
                right = x;
                down = y;
            }
        env->actions[i] = heading;
        for (int32_t direction = 0; direction < SNAKE_ACTIONS; direction++) {
            const int32_t next = head + snake__stride(env, direction);
            if (env->grid[next] >= SNAKE_WALL) continue;
            int32_t ways = 0;
            for (int32_t on = 0; on < SNAKE_ACTIONS; on++) ways += env->grid[next + snake__stride(env, on)] < SNAKE_WALL;
            const int32_t x = (direction == SNAKE_RIGHT) - (direction == SNAKE_LEFT);
            const int32_t y = (direction == SNAKE_DOWN) - (direction == SNAKE_UP);
            /* without food in the observation it goes straight on */
            int32_t cost = (ways ? 0 : 1000) + (direction != heading);
            if (nearest < 4 * env->vision) cost += 2 * (abs(right - x) + abs(down - y));
            if (cost >= least) continue;
            least = cost;
            env->actions[i] = direction;
        }
    }
}

/* ---- Pictures -------------------------------------------------------------------------------------------------------- */

typedef struct SnakeCanvas {
    uint8_t* rgb; /* (height x width x 3) */
    int32_t width, height;
    float scale, left, top; /* of the board: pixels to a cell, and where it begins */
} SnakeCanvas;

/* A line with round ends from one point of the board to another, in cells. fade: the part of the radius that is soft. */
static inline void snake__stroke(const SnakeCanvas* c, const float from[2], const float to[2], float radius, float fade,
                                 const float colour[3], float opacity) {
    const float ax = c->left + from[0] * c->scale, ay = c->top + from[1] * c->scale;
    const float dx = (to[0] - from[0]) * c->scale, dy = (to[1] - from[1]) * c->scale, length2 = dx * dx + dy * dy;
    const float edge = fmaxf(1, fade * radius * c->scale); /* at least one pixel, for smooth edges */
    const float reach = radius * c->scale + 0.5f;
    const int32_t x0 = (int32_t)fmaxf(0, fminf(ax, ax + dx) - reach), y0 = (int32_t)fmaxf(0, fminf(ay, ay + dy) - reach);
    const int32_t x1 = (int32_t)fminf((float)(c->width - 1), fmaxf(ax, ax + dx) + reach);
    const int32_t y1 = (int32_t)fminf((float)(c->height - 1), fmaxf(ay, ay + dy) + reach);
    for (int32_t y = y0; y <= y1; y++)
        for (int32_t x = x0; x <= x1; x++) {
            const float px = (float)x + 0.5f - ax, py = (float)y + 0.5f - ay;
            const float along = length2 > 0 ? fmaxf(0, fminf(1, (px * dx + py * dy) / length2)) : 0;
            const float rx = px - along * dx, ry = py - along * dy, distance = sqrtf(rx * rx + ry * ry);
            const float within = fminf(1, (reach - distance) / edge);
            if (within <= 0) continue;
            const float cover = opacity * (fade > 0 ? within * within : within);
            uint8_t* pixel = c->rgb + 3 * ((size_t)y * (size_t)c->width + (size_t)x);
            for (int k = 0; k < 3; k++) pixel[k] = (uint8_t)((float)pixel[k] + cover * (colour[k] - (float)pixel[k]) + 0.5f);
        }
}

static inline void snake__dot(const SnakeCanvas* c, float x, float y, float radius, float fade, const float colour[3],
                              float opacity) {
    const float at[2] = {x, y};
    snake__stroke(c, at, at, radius, fade, colour, opacity);
}

/* The middle of a cell of the grid, on the board. */
static inline void snake__middle(const Snake* env, int32_t cell, float at[2]) {
    at[0] = (float)(cell % snake__pitch(env) - env->vision) + 0.5f;
    at[1] = (float)(cell / snake__pitch(env) - env->vision) + 0.5f;
}

/* A colour from green over blue to pink; consecutive snakes differ clearly. Food has the warm colours. */
static inline void snake__colour(int32_t i, float rgb[3]) {
    const float hue = 6 * (0.27f + 0.64f * fmodf(0.55f + 0.618034f * (float)i, 1));
    for (int k = 0; k < 3; k++) {
        const float turn = fmodf((float)(5 - 2 * k) + hue, 6);
        rgb[k] = 255 * (1 - 0.6f * fmaxf(0, fminf(1, fminf(turn, 4 - turn))));
    }
}

/* The body gets darker towards the tail. The head has eyes. */
static inline void snake__draw(const Snake* env, const SnakeCanvas* c, int32_t i) {
    static const float dark[3] = {6, 18, 36};
    const SnakeBody* snake = &env->snakes[i];
    float own[3], colour[3], at[2], next[2];
    snake__colour(i, own);
    for (int32_t k = snake->length - 1; k > 0; k--) {
        const float bright = 0.9f - 0.5f * (float)k / (float)snake->length;
        for (int n = 0; n < 3; n++) colour[n] = bright * own[n];
        snake__middle(env, *snake__cell(env, i, k), at);
        snake__middle(env, *snake__cell(env, i, k - 1), next);
        snake__stroke(c, at, next, 0.33f, 0, colour, 1);
    }
    const float x = (float)((snake->heading == SNAKE_RIGHT) - (snake->heading == SNAKE_LEFT));
    const float y = (float)((snake->heading == SNAKE_DOWN) - (snake->heading == SNAKE_UP));
    snake__middle(env, *snake__cell(env, i, 0), at);
    snake__dot(c, at[0], at[1], 0.46f, 0, own, 1);
    for (int side = -1; side <= 1; side += 2)
        snake__dot(c, at[0] + 0.15f * x + 0.19f * y * (float)side, at[1] + 0.15f * y + 0.19f * x * (float)side, 0.1f, 0,
                   dark, 1);
}

#define c_pixels c_pixels
static inline void c_pixels(Snake* env, uint8_t* rgb, int32_t width, int32_t height) {
    static const uint8_t wall[3] = {6, 18, 36}, floor[2][3] = {{13, 33, 55}, {15, 37, 61}};
    static const float food[3] = {255, 122, 89}, spark[3] = {255, 214, 170}, corpse[3] = {88, 106, 128};
    const float scale = fminf((float)width / (float)env->width, (float)height / (float)env->height);
    const float left = ((float)width - scale * (float)env->width) / 2,
                top = ((float)height - scale * (float)env->height) / 2;
    const SnakeCanvas canvas = {rgb, width, height, scale, left, top};
    for (int32_t y = 0; y < height; y++)
        for (int32_t x = 0; x < width; x++) {
            const float u = ((float)x + 0.5f - left) / scale, v = ((float)y + 0.5f - top) / scale;
            const bool inside = u >= 0 && v >= 0 && u < (float)env->width && v < (float)env->height;
            memcpy(rgb + 3 * ((size_t)y * (size_t)width + (size_t)x), inside ? floor[((int)u + (int)v) % 2] : wall, 3);
        }
    for (int32_t y = 0; y < env->height; y++)
        for (int32_t x = 0; x < env->width; x++) {
            const uint8_t kind = env->grid[(y + env->vision) * snake__pitch(env) + x + env->vision];
            const float u = (float)x + 0.5f, v = (float)y + 0.5f;
            if (kind == SNAKE_CORPSE) snake__dot(&canvas, u, v, 0.24f, 0, corpse, 0.8f);
            if (kind != SNAKE_FOOD) continue;
            snake__dot(&canvas, u, v, 1.1f, 1, food, 0.5f);
            snake__dot(&canvas, u, v, 0.28f, 0, food, 1);
            snake__dot(&canvas, u, v, 0.2f, 1, spark, 1);
        }
    for (int32_t i = 0; i < env->num_snakes; i++) snake__draw(env, &canvas, i);
}

#define c_render c_render
static inline int32_t c_render(Snake* env) {
    const int32_t longer = env->width > env->height ? env->width : env->height, scale = longer < 720 ? 720 / longer : 1;
    const int32_t refused = env_window_begin(&env->window, "snake", scale * env->width, scale * env->height);
    if (refused) return refused;
    c_pixels(env, env->window->rgb, env->window->width, env->window->height);
    return env_window_end(env->window);
}

#endif
