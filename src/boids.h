/* boids.h - a flock that learns
 *
 * Reynolds (1987) wrote three rules that tell each bird which way to turn: stay with your flockmates (cohesion), head where they
 * head (alignment), do not touch them (separation). Here nobody tells it. The rules are the reward, the action is which way to
 * turn, and the flock is learned. Every boid is an agent; all share one policy. A Boids is one flock.
 *
 *     #include "boids.h"
 *     #include "env_vec.h"
 *
 *     Boids env = {0};
 *     env_defaults(&env);
 *     env.num_boids = 64;
 *     const char* error = c_init(&env);           // NULL, or what is wrong with which parameter
 *     env_allocate(&env);                         // observations, actions, rewards, terminals, truncations
 *     c_reset(&env);
 *     for (;;) { c_script(&env); c_step(&env); }  // or write env.actions yourself
 *     c_close(&env);
 *     env_free(&env);
 *
 * World. A torus of width x height world units. x to the right, y up, headings counter-clockwise from x. A position is a
 * uint32_t, 2^32 to one side of the world, and a heading a uint16_t, 2^16 to a full turn: wrapping is free and exact.
 *
 * Action, one per boid and step. Speed is constant; a boid only turns.
 *     discrete    int32_t 0 .. 4: hard left, left, straight, right, hard right: by max_turn, gentle_turn, 0 degrees
 *     continuous  float in [-1, 1]: a fraction of max_turn, positive to the left (counter-clockwise)
 *
 * Observation, per boid: the floats of BOIDS_OBSERVATION below, each in [-1, 1], in the boid's own heading frame. With `nearest`, 4
 * floats follow for each of the num_neighbors nearest boids, nearest first (of two as near, the lower index first): offset / R forward
 * and to the left, cosine and sine of its heading; 0 where there are fewer.
 *
 * Integers stand behind them: against exact arithmetic closeness is off by at most .008, and the push by .02.
 *
 * Reward, per boid, clipped to [-1, 1]; a boid without neighbours earns 0:
 *     cohesion_weight x togetherness + alignment_weight x company x heading_cos - separation_weight x closeness
 *
 * Episode. Truncated, never terminated, after horizon steps. The flock restarts from random positions and headings within the same
 * step: the observations are then the first of the new episode, and the rewards the last of the old. A flock of more than
 * BOIDS_SMALL boids is then numbered by place, cell by cell, row after row.
 *
 * Same seed, same bits: with any instruction set, number of threads and search, if compiled with the flags of the CMake target
 * boids_env::env (-ffp-contract=off and -fno-tree-slp-vectorize).
 * Memory: 30 bytes a boid and 8 a cell, beyond the shared buffers. Ownership, errors, threads: see env.h. Who sees whom: sight/sight.h.
 */
#ifndef BOIDS_H
#define BOIDS_H

#include "boids_guest.h"
#include "boids_log.h"
#include "env.h"
#include "sight/sight.h"

#include <math.h>

/* type, name, default, least, most, unit, doc */
#define BOIDS_PARAMS(X)                                                                                                         \
    X(int, num_boids, 64, 1, 1048576, "boids", "boids in the flock, each an agent")                                             \
    X(float, width, 1080, 1, 1e6, "world units", "width of the torus")                                                          \
    X(float, height, 720, 1, 1e6, "world units", "height of the torus")                                                         \
    X(float, view_radius, 100, 1e-3, 5e5, "world units", "how far a boid sees: 1/2048 of the longer side to 1/2 of the shorter") \
    X(float, separation_radius, 25, 1e-4, 5e5, "world units", "nearer than this is too near: 1/32 to 1 of view_radius")         \
    X(float, collision_radius, 8, 0, 5e5, "world units", "nearer than this counts as a collision in the log; at most view_radius") \
    X(float, speed, 4, 0, 2.5e5, "world units per step", "of every boid; at most 1/4 of the shorter side")                      \
    X(float, gentle_turn, 5, 0, 180, "degrees per step", "what the actions left and right turn by")                             \
    X(float, max_turn, 15, 0, 180, "degrees per step", "what hard left, hard right and the continuous actions -1 and 1 turn by") \
    X(choice, action, 0, 0, 1, "discrete|continuous", "one of five turns, or a fraction of max_turn")                           \
    X(choice, observation, 0, 0, 1, "rules|nearest", "sums over the neighbours, or these and the nearest one by one")           \
    X(int, num_neighbors, 8, 1, 32, "boids", "neighbours that the observation `nearest` lists one by one")                      \
    X(int, flockmates, 6, 1, 1000, "boids", "neighbours at which cohesion and alignment earn in full")                          \
    X(float, cohesion_weight, 0.4, 0, 10, "reward", "of being amid the neighbours")                                             \
    X(float, alignment_weight, 0.6, -10, 10, "reward", "of heading where they head; below 0, of heading elsewhere")              \
    X(float, separation_weight, 1.5, 0, 10, "reward", "lost by touching the nearest")                                           \
    X(int, horizon, 400, 1, 1000000000, "steps", "length of an episode")                                                        \
    X(int, warmup, 0, 0, 1000000000, "steps", "first steps of an episode that all but episode_return leave out of the log")     \
    X(bool, stagger, true, 0, 1, "", "environment k of n starts its first episode k/n of the way in, so that they do not restart together")

/* name, doc. The elements of the observation `rules`, each a float in [-1, 1]. n: neighbours, boids within view_radius R; r:
 * separation_radius. Directions are in the boid's own heading frame. All are 0 where n is 0. */
#define BOIDS_OBSERVATION(X)                                                                                                    \
    X(any, "1 if n > 0")                                                                                                        \
    X(company, "min(n / flockmates, 1)")                                                                                        \
    X(centre_ahead, "mean offset of the neighbours / R, forward")                                                               \
    X(centre_left, "mean offset of the neighbours / R, to the left")                                                            \
    X(heading_cos, "mean cosine of the neighbours' headings")                                                                   \
    X(heading_sin, "mean sine of the neighbours' headings, positive to the left")                                               \
    X(push_ahead, "push away from those within r, forward: -3 x sum of (1 - d^2/r^2) offset/r, clipped")                        \
    X(push_left, "the same, to the left")                                                                                       \
    X(closeness, "max(1 - d/r, 0) of the nearest, at distance d")                                                               \
    X(togetherness, "company x (1 - length of the mean offset / R)")

/* The start of a boid's row of the observations, under names. */
typedef struct BoidsObservation {
    BOIDS_OBSERVATION(ENV_FLOAT)
} BoidsObservation;
enum { BOIDS_RULES = sizeof(BoidsObservation) / sizeof(float), BOIDS_LONGEST_ROW = BOIDS_RULES + 4 * SIGHT_MOST_NEAREST };
enum { BOIDS_SMALL = 192 }; /* flocks up to this size keep their numbers, and have one thread */

typedef struct Boids {
    /* shared with the caller */
    float* observations;       /* (num_boids x observation size) */
    void* actions;             /* (num_boids) int32_t 0 .. 4, or float in [-1, 1] */
    float* rewards;            /* (num_boids) */
    uint8_t* terminals;        /* (num_boids) always 0 */
    uint8_t* truncations;      /* (num_boids) 1 when the episode ended with this step */
    float* final_observations; /* (num_boids x observation size) the last of the old episode; or NULL */
    Log log;
    int32_t num_threads; /* that c_step may use */
    int32_t num_agents;  /* num_boids */
    uint32_t index, num_envs;
    uint64_t rng;

    /* parameters */
    BOIDS_PARAMS(ENV_FIELD)

    /* what a client may set after c_init; none of it is in the state */
    BoidsGuest guest;
    float script_cohesion, script_alignment, script_separation; /* weights of c_script */
    bool scripted;                                              /* set by c_script: its weights steer the flock */
    struct BoidsClient* client;                                 /* the window that shows the flock, or NULL */
    void (*close_client)(struct Boids* env);                    /* what c_close closes it with */

    /* state */
    uint32_t* x;       /* (num_boids) 2^32 to the width */
    uint32_t* y;       /* (num_boids) 2^32 to the height */
    uint16_t* heading; /* (num_boids) 2^16 to a full turn */
    int32_t tick;      /* steps since the episode began */
    BoidsTally tally;

    /* derived */
    uint32_t* cs; /* (num_boids) cosine and sine of the heading, as sight_heading gives them */
    Sight sight;
    int32_t gentle, hard; /* the turns, 2^16 to a full turn */
    float step_x, step_y; /* the speed, 2^32 to the width and the height */
    float push_scale;     /* from the push of `Sight` to that of the observation */
    float collision2;     /* square of the collision radius, in the unit of `Sight` */
} Boids;

#define ENV_PARAMS BOIDS_PARAMS
ENV_PARAMS_OF(Boids)

static inline int boids_observation_size(const Boids* env) {
    return env->observation ? BOIDS_RULES + 4 * env->num_neighbors : BOIDS_RULES;
}

/* What boid i observes: its row. */
static inline const BoidsObservation* boids_observation(const Boids* env, int32_t i) {
    return (const BoidsObservation*)(const void*)(env->observations + (size_t)i * (size_t)boids_observation_size(env));
}

/* --- c_init ---------------------------------------------------------------------------------------------------------------- */

static inline const char* boids_check_params(const Boids* env) {
    const double shorter = env->width < env->height ? env->width : env->height;
    const double longer = env->width < env->height ? env->height : env->width, view = env->view_radius;
    const char* error = env_check(env);
    if (!error) error = env_expect("view_radius", view, longer / 2048, shorter / 2);
    if (!error) error = env_expect("separation_radius", env->separation_radius, view / 32, view);
    if (!error) error = env_expect("collision_radius", env->collision_radius, 0, view);
    if (!error) error = env_expect("speed", env->speed, 0, shorter / 4);
    if (!error) error = env_expect("gentle_turn", env->gentle_turn, 0, env->max_turn);
    if (!error) error = env_expect("warmup", env->warmup, 0, env->horizon - 1);
    return error;
}

/* Parameters have new values: checks them, and computes what follows. */
static inline const char* c_changed(Boids* env) {
    const char* error = boids_check_params(env);
    if (error) return error;
    env->gentle = (int32_t)(env->gentle_turn * (65536.0f / 360.0f) + 0.5f);
    env->hard = (int32_t)(env->max_turn * (65536.0f / 360.0f) + 0.5f);
    env->step_x = (float)(env->speed / (double)env->width * 4294967296.0);
    env->step_y = (float)(env->speed / (double)env->height * 4294967296.0);
    env->push_scale = (float)(-3.0 / env->sight.push);
    const double collision = (double)env->collision_radius / env->view_radius;
    env->collision2 = (float)(sight_square_of_view(&env->sight) * collision * collision);
    return NULL;
}

static inline void c_close(Boids* env) {
    if (env->client) env->close_client(env);
    sight_close(&env->sight);
    ENV_FREE(env->x);
    ENV_FREE(env->y);
    ENV_FREE(env->heading);
    ENV_FREE(env->cs);
    env->x = env->y = env->cs = NULL;
    env->heading = NULL;
}

static inline const char* c_init(Boids* env) {
    const char* error = boids_check_params(env);
    if (error) return error;
    const size_t n = (size_t)env->num_boids;
    error = sight_init(&env->sight, env->num_boids, env->width, env->height, env->view_radius, env->separation_radius,
                       env->num_threads > 1 ? env->num_threads : 1);
    if (error) return error;
    env->x = (uint32_t*)ENV_CALLOC(n, sizeof(uint32_t));
    env->y = (uint32_t*)ENV_CALLOC(n, sizeof(uint32_t));
    env->heading = (uint16_t*)ENV_CALLOC(n, sizeof(uint16_t));
    env->cs = (uint32_t*)ENV_CALLOC(n, sizeof(uint32_t));
    if (!env->x || !env->y || !env->heading || !env->cs) {
        c_close(env);
        return ENV_NO_MEMORY;
    }
    env->num_agents = env->num_boids;
    /* they earn the most reward of a sweep over cohesion 0.03 .. 1 and separation 0.5 .. 16, in the default world */
    env->script_cohesion = 0.15f;
    env->script_alignment = 1.0f;
    env->script_separation = 6.0f;
    return c_changed(env);
}

static inline EnvSpace c_observation_space(const Boids* env) {
    const EnvSpace space = {'f', boids_observation_size(env), -1.0f, 1.0f, NULL};
    return space;
}

static inline EnvSpace c_action_space(const Boids* env) {
    static const int32_t turns[] = {5};
    const EnvSpace discrete = {'i', 1, 0.0f, 4.0f, turns}, continuous = {'f', 1, -1.0f, 1.0f, NULL};
    return env->action ? continuous : discrete;
}

/* --- c_step: turn, move, feel, and add up ------------------------------------------------------------------------------------ */

/* Turns the boids [from, to) as their actions say. Returns the sum of |turn|, 2^16 to a full turn. */
SIGHT_EACH_LEVEL static inline int64_t boids__turn(Boids* env, uint32_t from, uint32_t to) {
    const int32_t hard = env->hard, gentle = env->gentle;
    uint16_t* heading = env->heading;
    int64_t turned = 0;
    if (env->action) {
        const float* fraction = (const float*)env->actions;
        for (uint32_t i = from; i < to; i++) {
            const float a = fraction[i] * (float)hard;
            const int32_t turn = (int32_t)(a + (a < 0 ? -0.5f : 0.5f));
            heading[i] = (uint16_t)(heading[i] + turn);
            turned += turn < 0 ? -turn : turn;
        }
    } else {
        /* arithmetic and no table: it vectorizes, and an action out of range flies straight */
        const int32_t* action = (const int32_t*)env->actions;
        for (uint32_t i = from; i < to; i++) {
            const int32_t a = action[i];
            const int32_t hard_one = (a == 0) | (a == 4), gentle_one = (a == 1) | (a == 3);
            const int32_t turn = hard_one * hard + gentle_one * gentle;
            heading[i] = (uint16_t)(heading[i] + (a < 2 ? turn : -turn));
            turned += turn;
        }
    }
    return turned;
}

/* Moves the boids [from, to) one step ahead. */
SIGHT_EACH_LEVEL static inline void boids__move(Boids* env, uint32_t from, uint32_t to) {
    const float step_x = env->step_x, step_y = env->step_y;
    const uint16_t* heading = env->heading;
    uint32_t *x = env->x, *y = env->y, *cs = env->cs;
    for (uint32_t i = from; i < to; i++) {
        const float c = sight_cos(heading[i]), s = sight_sin(heading[i]);
        x[i] += (uint32_t)(int32_t)(c * step_x);
        y[i] += (uint32_t)(int32_t)(s * step_y);
        cs[i] = sight_heading(c, s);
    }
}

/* What the boids of a batch feel and earn: a boid is a lane l of each field. */
typedef struct BoidsFelt {
#define BOIDS__FIELD(name, ...) float name[SIGHT_BATCH];
    BOIDS_OBSERVATION(BOIDS__FIELD) /* first, so that they are the columns of sight_write */
#undef BOIDS__FIELD
    float earned[SIGHT_BATCH];
} BoidsFelt;

/* What one boid, which sees this, feels and earns, and what it adds to the log. */
SIGHT_INLINE void boids__feel(const Boids* env, const Sighting sees, BoidsFelt* felt, size_t l, BoidsTerms* terms) {
    const float unit = 1.0f / SIGHT_UNIT, view = env->sight.to_views;
    const float c = (float)sees.own_c * unit, s = (float)sees.own_s * unit;
    const float any = sees.count > 0 ? 1.0f : 0.0f, per_n = any / (float)(sees.count > 0 ? sees.count : 1);
    float company = (float)sees.count * (1.0f / (float)env->flockmates);
    company = company > 1.0f ? 1.0f : company;

    /* means, from the world's frame into the boid's */
    const float mx = sees.x * (view * per_n), my = sees.y * (view * per_n);
    const float hx = sees.c * (unit * per_n), hy = sees.s * (unit * per_n);
    const float px = sees.push_x * env->push_scale, py = sees.push_y * env->push_scale;
    const float ahead = mx * c + my * s, aside = my * c - mx * s;
    const float heading_cos = sight_clip(hx * c + hy * s), heading_sin = sight_clip(hy * c - hx * s);
    const float away = sqrtf(mx * mx + my * my);                          /* in view radii */
    const float near = sqrtf(sees.nearest2 * env->sight.to_separations2); /* in separation radii */
    const float closeness = near < 1.0f ? 1.0f - near : 0.0f;
    const float togetherness = company * (away < 1.0f ? 1.0f - away : 0.0f);

    felt->any[l] = any;
    felt->company[l] = company;
    felt->centre_ahead[l] = sight_clip(ahead);
    felt->centre_left[l] = sight_clip(aside);
    felt->heading_cos[l] = heading_cos;
    felt->heading_sin[l] = heading_sin;
    felt->push_ahead[l] = sight_clip(px * c + py * s);
    felt->push_left[l] = sight_clip(py * c - px * s);
    felt->closeness[l] = closeness;
    felt->togetherness[l] = togetherness;

    const float cohesion = env->cohesion_weight * togetherness;
    const float alignment = env->alignment_weight * company * heading_cos;
    const float separation = env->separation_weight * closeness;
    const float reward = sight_clip(cohesion + alignment - separation);
    felt->earned[l] = reward;
    terms->reward += boids_fixed(reward);
    terms->cohesion += boids_fixed(cohesion);
    terms->alignment += boids_fixed(alignment);
    terms->separation += boids_fixed(separation);
    terms->local_alignment += boids_fixed(heading_cos);
    terms->nearest += boids_fixed(any * near);
    terms->bearing += boids_fixed(away > 0.0f ? aside / away : 0.0f);
    terms->social += sees.count > 0;
    terms->collisions += sees.nearest2 < env->collision2;
    terms->heading_c += sees.own_c;
    terms->heading_s += sees.own_s;
}

/* The four floats of one of the nearest boids, for the boid in lane l whose own heading is own_c, own_s. */
SIGHT_INLINE void boids__feel_near(const Boids* env, const SightNeighbour near, int32_t own_c, int32_t own_s,
                                   float (*felt)[SIGHT_LANES], size_t l) {
    const float unit = 1.0f / SIGHT_UNIT, view = env->sight.to_views, c = (float)own_c * unit, s = (float)own_s * unit;
    const float dx = (float)near.x * view, dy = (float)near.y * view;
    const float hx = (float)near.c * unit, hy = (float)near.s * unit;
    felt[0][l] = sight_clip(dx * c + dy * s);
    felt[1][l] = sight_clip(dy * c - dx * s);
    felt[2][l] = sight_clip(hx * c + hy * s);
    felt[3][l] = sight_clip(hy * c - hx * s);
}

/* A step, to share among threads. */
typedef struct BoidsStep {
    Boids* env;
    float* rewards; /* env->rewards, or NULL: leave them alone */
    int32_t threads;
    BoidsSums sums;
} BoidsStep;

/* Turns and moves the boids [from, to). */
static void boids__fly(void* shared, int32_t from, int32_t to) {
    BoidsStep* step = (BoidsStep*)shared;
    BoidsSums sums;
    memset(&sums, 0, sizeof sums);
    sums.turn = boids__turn(step->env, (uint32_t)from, (uint32_t)to);
    boids__move(step->env, (uint32_t)from, (uint32_t)to);
    if (step->threads > 1) env_threads_lock();
    boids_sums_add(&step->sums, &sums);
    if (step->threads > 1) env_threads_unlock();
}

/* Writes the observations and rewards of the boids in the rows of cells [from, to), and adds to the sums. */
SIGHT_EACH_LEVEL static void boids__observe(void* shared, int32_t from, int32_t to) {
    BoidsStep* step = (BoidsStep*)shared;
    Boids* env = step->env;
    const Sight* sight = &env->sight;
    const int size = boids_observation_size(env), nearest = env->observation ? env->num_neighbors : 0;
    float unused[BOIDS_LONGEST_ROW], *row[SIGHT_LANES], near[4][SIGHT_LANES];
    BoidsSums sums;
    SightBatch batch;
    BoidsFelt felt;
    memset(&sums, 0, sizeof sums);
    for (sight_first(sight, (uint32_t)from, (uint32_t)to, nearest, &batch); sight_next(&batch);) {
        const size_t groups = (batch.size + SIGHT_LANES - 1) / SIGHT_LANES;
        if (env->guest.kind != BOIDS_NOBODY)
            boids_see_guest(&env->guest, &batch, env->width, env->height, env->view_radius, env->flockmates, env->x, env->y);
        sight_prefetch(&batch, env->observations, size);
        BoidsTerms terms;
        memset(&terms, 0, sizeof terms);
        for (size_t l = 0; l < groups * SIGHT_LANES; l++) boids__feel(env, sight_of(&batch, l), &felt, l, &terms);
        boids_sums_add_terms(&sums, &terms);
        if (step->rewards) sight_write_one(&batch, step->rewards, felt.earned);
        for (size_t first = 0; first < batch.size; first += SIGHT_LANES) {
            sight_rows(&batch, first, env->observations, size, unused, row);
            sight_write(row, 0, felt.any + first, SIGHT_BATCH, BOIDS_RULES);
            for (int k = 0; k < nearest; k++) {
                for (size_t l = 0; l < SIGHT_LANES; l++)
                    boids__feel_near(env, sight_nearest(&batch, k, first + l), batch.sums.own_c[first + l],
                                     batch.sums.own_s[first + l], near, l);
                sight_write(row, BOIDS_RULES + 4 * k, near[0], SIGHT_LANES, 4);
            }
        }
    }
    if (step->threads > 1) env_threads_lock();
    boids_sums_add(&step->sums, &sums);
    if (step->threads > 1) env_threads_unlock();
}

/* --- c_reset and c_step ------------------------------------------------------------------------------------------------------ */

/* Observations from positions and headings. Given a state, c_step goes on to the same bits as long as no client sets a guest. */
static inline void c_restored(Boids* env) {
    BoidsStep step;
    memset(&step, 0, sizeof step);
    step.env = env;
    for (int32_t i = 0; i < env->num_boids; i++)
        env->cs[i] = sight_heading(sight_cos(env->heading[i]), sight_sin(env->heading[i]));
    sight_update(&env->sight, env->x, env->y, env->cs, 1);
    boids__observe(&step, 0, (int32_t)env->sight.rows);
}

/* A new episode, `tick` steps in: random positions and headings. */
static inline void boids__begin(Boids* env, int32_t tick) {
    for (int32_t i = 0; i < env->num_boids; i++) {
        const uint64_t place = env_random(&env->rng);
        env->x[i] = (uint32_t)place;
        env->y[i] = (uint32_t)(place >> 32);
        env->heading[i] = (uint16_t)env_random(&env->rng);
    }
    if (env->num_boids > BOIDS_SMALL) /* the observations are written next: until then they are scratch */
        sight_number_by_place(&env->sight, env->x, env->y, env->heading, env->cs, (uint32_t*)(void*)env->observations);
    env->tick = tick;
    memset(&env->tally, 0, sizeof env->tally);
    c_restored(env);
}

static inline void c_reset(Boids* env) {
    boids__begin(env, !env->stagger || !env->num_envs ? 0 : (int32_t)((int64_t)env->horizon * env->index / env->num_envs));
}

static inline void c_step(Boids* env) {
    BoidsStep step;
    memset(&step, 0, sizeof step);
    step.env = env;
    step.rewards = env->rewards;
    step.threads = env->num_boids > BOIDS_SMALL ? env->num_threads : 1;
    env_threads_run(step.threads, env->num_boids, boids__fly, &step);
    sight_update(&env->sight, env->x, env->y, env->cs, step.threads);
    env_threads_run(step.threads, (int32_t)env->sight.rows, boids__observe, &step);
    env->tick++;
    boids_tally_step(&env->tally, &step.sums, env->num_boids, env->tick > env->warmup);
    const bool ended = env->tick >= env->horizon;
    memset(env->terminals, 0, (size_t)env->num_boids);
    memset(env->truncations, ended, (size_t)env->num_boids);
    if (!ended) return;
    int32_t groups, largest;
    sight_groups(&env->sight, sight_scratch(&env->sight), NULL, &groups, &largest);
    boids_log_episode(&env->log, &env->tally, env->num_boids, env->hard, groups, largest);
    const size_t floats = (size_t)env->num_boids * (size_t)boids_observation_size(env);
    if (env->final_observations) memcpy(env->final_observations, env->observations, floats * sizeof(float));
    boids__begin(env, 0);
}

static inline const char* c_check_state(Boids* env) {
    const char* error = env_expect("tick", env->tick, 0, env->horizon - 1);
    return error ? error : boids_check_tally(&env->tally, env->num_boids, env->tick);
}

/* --- c_script ----------------------------------------------------------------------------------------------------------------- */

/* Reynolds' flock as a source of actions, the baseline of every learned policy: each boid heads for the weighted sum of its
 * rules, as its observation gives them, with the turn that comes nearest. Alone, it flies straight. */
#define c_script c_script
static inline void c_script(Boids* env) {
    env->scripted = true;
    const float cohesion = env->script_cohesion, alignment = env->script_alignment, separation = env->script_separation;
    /* the angles beyond which the next harder turn comes nearer; the largest turn, at most 80 degrees: tangents tell angles up to there */
    const int32_t soft = env->gentle / 2, firm = (env->gentle + env->hard) / 2, most = env->hard < 14563 ? env->hard : 14563;
    const float soft_c = sight_cos(soft), soft_s = sight_sin(soft), firm_c = sight_cos(firm), firm_s = sight_sin(firm);
    const float most_c = sight_cos(most), most_s = sight_sin(most);
    const float largest = most < env->hard ? (float)most / (float)env->hard : 1.0f;
    for (int32_t i = 0; i < env->num_boids; i++) {
        const BoidsObservation* see = boids_observation(env, i);
        const float ahead = cohesion * see->centre_ahead + alignment * see->heading_cos + separation * see->push_ahead;
        const float aside = cohesion * see->centre_left + alignment * see->heading_sin + separation * see->push_left;
        const float left = aside < 0 ? -aside : aside; /* as if to the left: the sign comes last */
        if (env->action) {
            float turn = left > 0 ? largest : 0.0f;
            if (left * most_c < ahead * most_s) turn *= (left * most_c) / (ahead * most_s);
            ((float*)env->actions)[i] = aside < 0 ? -turn : turn;
        } else {
            const int32_t turn = left > 0 ? (left * soft_c > ahead * soft_s) + (left * firm_c > ahead * firm_s) : 0;
            ((int32_t*)env->actions)[i] = aside < 0 ? 2 + turn : 2 - turn;
        }
    }
}

/* type, name, doc */
#define ENV_STATE(X)                                                   \
    X(uint32_t, x, "position, 2^32 to the width")                        \
    X(uint32_t, y, "position, 2^32 to the height, up")                   \
    X(uint16_t, heading, "2^16 to a full turn, counter-clockwise from x")

/* name: what may change between steps */
#define ENV_CHANGEABLE(X)                                                                                            \
    X(collision_radius) X(speed) X(gentle_turn) X(max_turn) X(flockmates) X(cohesion_weight) X(alignment_weight) X(separation_weight)
/* name, doc */
#define ENV_SCALARS(X) \
    X(tick, "steps since the episode began") X(tally, "what the episode adds up to")
typedef Boids Env;
#define ENV_LOG BOIDS_LOG
#define ENV_OBSERVATION BOIDS_OBSERVATION
#define ENV_STATE_VERSION 2
#define ENV_FINAL_OBSERVATIONS
#include "boids_imagine.h"
#include "boids_mirror.h"

#endif
