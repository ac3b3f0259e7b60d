/* boids.h - a flock that learns
 *
 * Reynolds (1987) wrote three rules that tell each bird which way to turn: stay with your flockmates (cohesion), head where they
 * head (alignment), do not touch them (separation). Here nobody tells it. The rules are the reward, the action is which way to
 * turn, and the flock is learned. Every boid is an agent; all share one policy.
 *
 *     #include "boids.h"
 *
 *     Boids env = {0};
 *     boids_defaults(&env);
 *     env.num_boids = 64;
 *     const char* error = c_init(&env);           // NULL, or what is wrong with which parameter
 *     env.observations = malloc(...);             // env.num_agents x c_observation_space(&env).size floats
 *     ... actions, rewards, terminals, truncations ...
 *     c_reset(&env);
 *     for (;;) { c_script(&env); c_step(&env); }  // or write env.actions yourself
 *     c_close(&env);
 *
 * World. A torus of width x height world units. x to the right, y up, headings counter-clockwise from x. A position is a
 * uint32_t, 2^32 to one side of the world, and a heading a uint16_t, 2^16 to a full turn: wrapping is free and exact.
 *
 * Action, one per boid and step. Speed is constant; a boid only turns.
 *     discrete    int32_t 0 .. 4: hard left, left, straight, right, hard right: by max_turn, gentle_turn, 0 degrees
 *     continuous  float in [-1, 1]: a fraction of max_turn, positive to the left (counter-clockwise)
 *
 * Observation, per boid, floats in [-1, 1], in its own heading frame (first forward, then left). n is the number of neighbours,
 * boids within view_radius R; with none, all is 0.
 *     0      1 if n > 0
 *     1      company: min(n / flockmates, 1)
 *     2, 3   mean offset of the neighbours / R
 *     4, 5   mean cosine and sine of their headings
 *     6, 7   push away from those within separation_radius r: -3 x sum of (1 - d^2/r^2) offset/r, each clipped
 *     8      closeness: max(1 - d/r, 0) of the nearest
 *     9      togetherness: company x (1 - |mean offset| / R)
 *     `nearest` adds, for each of the num_neighbors nearest boids, nearest first (of two as near, the lower index first):
 *     4 floats, offset / R, cosine and sine of its heading; 0 where there are fewer
 *
 * Reward, per boid, clipped to [-1, 1]; a boid without neighbours earns 0:
 *     cohesion_weight x togetherness + alignment_weight x company x mean cosine - separation_weight x closeness
 *
 * Episode. Truncated, never terminated, after horizon steps; the flock restarts from random positions and headings within the
 * same step, so that the observations are then the first of the new episode, and the rewards the last of the old. A flock of more
 * than BOIDS_ALL_PAIRS is numbered by place then, cell by cell, row after row.
 *
 * Same seed, same bits: on any instruction set and search path (compile with -ffp-contract=off -fno-tree-slp-vectorize, as
 * CMakeLists.txt does and says why).
 * Memory: 30 bytes a boid, and 8 a cell, beyond the five shared buffers. Ownership, errors, threads: as env.h says.
 */
#ifndef BOIDS_H
#define BOIDS_H

#include "boids_groups.h"
#include "boids_guest.h"
#include "boids_neighbors.h"
#include "env.h"

#include <math.h>
#if defined(_OPENMP)
#include <omp.h>
#endif
#include <stddef.h>
#include <stdio.h>
#include <string.h>

/* type, name, default, least, most, unit, doc */
#define BOIDS_PARAMS(X)                                                                                                         \
    X(int, num_boids, 64, 1, 1048576, "boids", "boids in the flock, each an agent")                                             \
    X(float, width, 1080, 1, 1e6, "world units", "width of the torus")                                                          \
    X(float, height, 720, 1, 1e6, "world units", "height of the torus")                                                         \
    X(float, view_radius, 100, 1e-3, 5e5, "world units", "how far a boid sees: 1/1024 of the longer side to 1/2 of the shorter") \
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
    X(float, alignment_weight, 0.6, 0, 10, "reward", "of heading where they head")                                              \
    X(float, separation_weight, 1.5, 0, 10, "reward", "lost by touching the nearest")                                           \
    X(int, horizon, 400, 1, 1000000000, "steps", "length of an episode")                                                        \
    X(int, warmup, 0, 0, 1000000000, "steps", "first steps of an episode that all but episode_return leave out of the log")     \
    X(bool, stagger, true, 0, 1, "", "environment k of n starts its first episode k/n of the way in, so that they do not restart together")

/* name, doc. Means over boids and the steps after warmup, then over episodes. */
#define BOIDS_LOG(X)                                                                                                            \
    X(episode_return, "sum of rewards over the episode, mean over boids")                                                       \
    X(episode_length, "steps")                                                                                                  \
    X(reward, "per boid and step, in [-1, 1]")                                                                                  \
    X(cohesion, "its term of the reward, in [0, cohesion_weight]")                                                              \
    X(alignment, "its term of the reward, in [-alignment_weight, alignment_weight]")                                            \
    X(separation, "its term of the reward, in [-separation_weight, 0]")                                                         \
    X(polarization, "length of the mean heading of the whole flock, 0 to 1 (Vicsek 1995)")                                      \
    X(local_alignment, "mean cosine between a boid's heading and its neighbours', over boids that have any")                    \
    X(milling, "|mean sine of the bearing to the neighbours' centre|, over boids that have any: 1 when all circle one way (after Couzin 2002)") \
    X(nearest, "distance to the nearest neighbour / separation_radius, over boids that have any")                               \
    X(collisions, "share of boids with another within collision_radius")                                                        \
    X(isolation, "share of boids without neighbours")                                                                           \
    X(groups, "flocks at the end of the episode: sets of boids connected by sight")                                             \
    X(largest_group, "share of boids in the largest of them")                                                                   \
    X(turn, "mean |turn| / max_turn")

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
#define BOIDS__FIELD(name, doc) float name;
    BOIDS_OBSERVATION(BOIDS__FIELD)
#undef BOIDS__FIELD
} BoidsObservation;

typedef struct Log {
#define BOIDS__FIELD(name, doc) float name;
    BOIDS_LOG(BOIDS__FIELD)
#undef BOIDS__FIELD
    float n; /* episodes added up in the fields above */
} Log;

/* Sums over the boids and steps of an episode. Fixed point, 2^16 to 1, so that the order of boids does not matter. */
typedef struct BoidsTally {
    int64_t reward_all;                              /* from the episode's first step */
    int64_t reward, cohesion, alignment, separation; /* these and all below: after warmup */
    int64_t local_alignment, nearest, turn;
    int64_t social, collisions;   /* boids that saw another; that touched another */
    double polarization, milling; /* per step */
    int32_t steps;                /* after warmup */
    int32_t length;               /* all steps */
} BoidsTally;

/* What turns the integers of the neighbours into floats. */
typedef struct BoidsScale {
    float offset, heading, push;   /* to view radii; to 1; to the three times of the observation */
    float separation2, collision2; /* square distances: 1 over the separation radius'; the collision radius' */
    float step_x, step_y;          /* the speed, 2^32 to the width and the height */
} BoidsScale;

typedef struct Boids {
    /* shared with the caller */
    float* observations;  /* (num_boids x observation size) */
    void* actions;        /* (num_boids) int32_t 0 .. 4, or float in [-1, 1] */
    float* rewards;       /* (num_boids) */
    uint8_t* terminals;   /* (num_boids) always 0 */
    uint8_t* truncations; /* (num_boids) 1 when the episode ended with this step */
    Log log;
    int32_t num_threads; /* that c_step may use, if compiled with OpenMP */
    int32_t num_agents;  /* num_boids */
    uint32_t index, num_envs;
    uint64_t rng;

    /* parameters */
#define BOIDS__FIELD(type, name, value, least, most, unit, doc) type name;
    BOIDS_PARAMS(BOIDS__FIELD)
#undef BOIDS__FIELD

    /* inputs of a client that watches, which may set them after c_init */
    BoidsGuest guest;                                           /* whom the flock sees beside itself */
    float script_cohesion, script_alignment, script_separation; /* the weights of c_script */

    struct BoidsClient* client;              /* the window that shows the flock, or NULL: show/boids_window.h */
    void (*close_client)(struct Boids* env); /* what c_close closes it with */

    /* state */
    uint32_t* x;       /* (num_boids) 2^32 to the width */
    uint32_t* y;       /* (num_boids) 2^32 to the height */
    uint16_t* heading; /* (num_boids) 2^16 to a full turn */
    int32_t tick;      /* steps since the episode began */
    BoidsTally tally;  /* of the episode */

    /* derived */
    uint32_t* cs; /* (num_boids) cosine and sine of the heading, / BOIDS_UNIT, in a boids_word */
    BoidsNeighbors neighbors;
    int32_t gentle, hard; /* the turns, 2^16 to a full turn */
    BoidsScale scale;
    char error[160]; /* of c_init and c_check_state */
} Boids;

static inline void boids_defaults(Boids* env) {
#define BOIDS__DEFAULT(type, name, value, least, most, unit, doc) env->name = (type)(value);
    BOIDS_PARAMS(BOIDS__DEFAULT)
#undef BOIDS__DEFAULT
}

static inline int boids_observation_size(const Boids* env) { return env->observation ? 10 + 4 * env->num_neighbors : 10; }

/* What boid i observes: its row. */
static inline const BoidsObservation* boids_observation(const Boids* env, int32_t i) {
    return (const BoidsObservation*)(const void*)(env->observations + (size_t)i * (size_t)boids_observation_size(env));
}

/* Checks the parameters. NULL, or a message that names the parameter, what was expected and what came. */
static inline const char* boids_check_params(Boids* env) {
    const double shorter = env->width < env->height ? env->width : env->height;
    const double longer = env->width < env->height ? env->height : env->width;
#define BOIDS__EXPECT(name, least, most)                                                                                   \
    if (!((double)env->name >= (least) && (double)env->name <= (most))) {                                                  \
        snprintf(env->error, sizeof env->error, #name ": expected %g to %g, got %g", (double)(least), (double)(most),      \
                 (double)env->name);                                                                                       \
        return env->error;                                                                                                 \
    }
#define BOIDS__RANGE(type, name, value, least, most, unit, doc) BOIDS__EXPECT(name, (type)(least), (type)(most))
    BOIDS_PARAMS(BOIDS__RANGE)
    BOIDS__EXPECT(view_radius, longer / 1024, shorter / 2)
    BOIDS__EXPECT(separation_radius, env->view_radius / 32, env->view_radius)
    BOIDS__EXPECT(collision_radius, 0, env->view_radius)
    BOIDS__EXPECT(speed, 0, shorter / 4)
    BOIDS__EXPECT(gentle_turn, 0, env->max_turn)
    BOIDS__EXPECT(warmup, 0, env->horizon - 1)
#undef BOIDS__RANGE
#undef BOIDS__EXPECT
    return NULL;
}

static inline void c_close(Boids* env);

static inline const char* c_init(Boids* env) {
    const char* error = boids_check_params(env);
    if (error) return error;
    const size_t n = (size_t)env->num_boids;
    error = boids_neighbors_init(&env->neighbors, env->num_boids, env->width, env->height, env->view_radius,
                                 env->separation_radius, env->num_threads > 1 ? env->num_threads : 1);
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
    env->gentle = (int32_t)(env->gentle_turn * (65536.0f / 360.0f) + 0.5f);
    env->hard = (int32_t)(env->max_turn * (65536.0f / 360.0f) + 0.5f);
    const double separation = (double)env->separation_radius / env->view_radius;
    const double collision = (double)env->collision_radius / env->view_radius;
    const double view2 = env->neighbors.view * env->neighbors.view / 32768.0;
    env->scale.offset = (float)(1.0 / env->neighbors.view);
    env->scale.heading = 1.0f / BOIDS_UNIT;
    env->scale.push = (float)(-3.0 / env->neighbors.push);
    env->scale.separation2 = (float)(1.0 / (view2 * separation * separation));
    env->scale.collision2 = (float)(view2 * collision * collision);
    env->scale.step_x = (float)(env->speed / (double)env->width * 4294967296.0);
    env->scale.step_y = (float)(env->speed / (double)env->height * 4294967296.0);
    return NULL;
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

/* --- one step: turn, move, neighbours, reward, observe ------------------------------------------------------------------- */

/* Turns the boids [from, to) as their actions say. Returns the sum of |turn|, 2^16 to a full turn. */
BOIDS_CLONES static inline int64_t boids__turn(Boids* env, uint32_t from, uint32_t to) {
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
        /* arithmetic and no table: it vectorizes, and a wild action in C flies straight */
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

/* Moves them one step ahead. */
BOIDS_CLONES static inline void boids__move(Boids* env, uint32_t from, uint32_t to) {
    const float step_x = env->scale.step_x, step_y = env->scale.step_y;
    const uint16_t* heading = env->heading;
    uint32_t *x = env->x, *y = env->y;
    uint32_t* cs = env->cs;
    for (uint32_t i = from; i < to; i++) {
        const float c = boids_cos(heading[i]), s = boids_sin(heading[i]);
        x[i] += (uint32_t)(int32_t)(c * step_x);
        y[i] += (uint32_t)(int32_t)(s * step_y);
        cs[i] = boids_word(boids_heading_unit(c), boids_heading_unit(s));
    }
}

/* The lanes of a block as floats. */
typedef struct BoidsSenses {
    float rules[10][BOIDS_LANES];
    float reward[BOIDS_LANES];
} BoidsSenses;

/* What is added up over the boids of a step: as in BoidsTally. */
typedef struct BoidsLog {
    int32_t reward[BOIDS_LANES], cohesion[BOIDS_LANES], alignment[BOIDS_LANES], separation[BOIDS_LANES]; /* fixed point */
    int32_t local_alignment[BOIDS_LANES], nearest[BOIDS_LANES], bearing[BOIDS_LANES];                    /* fixed point */
    int32_t social[BOIDS_LANES], collisions[BOIDS_LANES];
    int32_t heading_c[BOIDS_LANES], heading_s[BOIDS_LANES]; /* / BOIDS_UNIT */
} BoidsLog;

/* v into [-1, 1]: its sign, and the lesser of its magnitude and 1. Floats compare as their bits do, and integers have a minimum
 * that compilers find. */
BOIDS_INLINE float boids__clip(float v) {
    uint32_t bits, magnitude;
    memcpy(&bits, &v, sizeof bits);
    magnitude = bits & 0x7FFFFFFF;
    magnitude = magnitude < 0x3F800000 ? magnitude : 0x3F800000;
    bits = (bits & 0x80000000) | magnitude;
    memcpy(&v, &bits, sizeof v);
    return v;
}

BOIDS_INLINE int32_t boids__fixed(float v) { return (int32_t)(v * 65536.0f); }

/* From the sums of a block to senses, and to the log. */
BOIDS_INLINE void boids__sense(const Boids* env, const BoidsBlock* block, const BoidsSums* sums, BoidsSenses* senses,
                               BoidsLog* log) {
    const int32_t size = (int32_t)block->size;
    const BoidsSeen* seen = env->neighbors.seen + block->first;
    int32_t own_c[BOIDS_LANES], own_s[BOIDS_LANES];
    for (uint32_t l = 0; l < BOIDS_LANES; l++) {
        own_c[l] = (int32_t)(seen[l].cs << 16) >> 16;
        own_s[l] = (int32_t)seen[l].cs >> 16;
    }
    const BoidsScale scale = env->scale;
    const float company_of_one = 1.0f / (float)env->flockmates;
    const float cohesion_weight = env->cohesion_weight, alignment_weight = env->alignment_weight;
    const float separation_weight = env->separation_weight;
    for (int l = 0; l < BOIDS_LANES; l++) {
        const float c = (float)own_c[l] * scale.heading, s = (float)own_s[l] * scale.heading;
        const int32_t n = sums->count[l];
        const float has = n > 0 ? 1.0f : 0.0f;
        const float per_n = has / (float)(n > 0 ? n : 1);
        float company = (float)n * company_of_one;
        company = company > 1.0f ? 1.0f : company;

        /* into the heading frame, once a boid and not once a pair */
        const float mx = sums->x[l] * (scale.offset * per_n), my = sums->y[l] * (scale.offset * per_n);
        const float hx = sums->c[l] * (scale.heading * per_n), hy = sums->s[l] * (scale.heading * per_n);
        const float px = sums->push_x[l] * scale.push, py = sums->push_y[l] * scale.push;
        const float ahead = mx * c + my * s, aside = my * c - mx * s;
        const float mean_cos = boids__clip(hx * c + hy * s);
        const float mean_sin = boids__clip(hy * c - hx * s);
        const float away = sqrtf(mx * mx + my * my);
        const float near = sqrtf((float)sums->nearest2[l] * scale.separation2);
        const float closeness = near < 1.0f ? 1.0f - near : 0.0f;
        const float togetherness = company * (away < 1.0f ? 1.0f - away : 0.0f);

        senses->rules[0][l] = has;
        senses->rules[1][l] = company;
        senses->rules[2][l] = boids__clip(ahead);
        senses->rules[3][l] = boids__clip(aside);
        senses->rules[4][l] = mean_cos;
        senses->rules[5][l] = mean_sin;
        senses->rules[6][l] = boids__clip(px * c + py * s);
        senses->rules[7][l] = boids__clip(py * c - px * s);
        senses->rules[8][l] = closeness;
        senses->rules[9][l] = togetherness;

        const float cohesion = cohesion_weight * togetherness;
        const float alignment = alignment_weight * company * mean_cos;
        const float separation = separation_weight * closeness;
        const float reward = boids__clip(cohesion + alignment - separation);
        senses->reward[l] = reward;
        log->reward[l] = boids__fixed(reward);
        log->cohesion[l] = boids__fixed(cohesion);
        log->alignment[l] = boids__fixed(alignment);
        log->separation[l] = boids__fixed(separation);
        log->local_alignment[l] = boids__fixed(mean_cos);
        log->nearest[l] = boids__fixed(has * near);
        log->bearing[l] = boids__fixed(away > 0.0f ? aside / away : 0.0f);
        log->social[l] = n > 0;
        log->collisions[l] = (float)sums->nearest2[l] < scale.collision2;
        log->heading_c[l] = l < size ? own_c[l] : 0;
        log->heading_s[l] = l < size ? own_s[l] : 0;
    }
}

/* Writes four lanes' worth of numbers to four boids' rows: lanes become rows. */
BOIDS_INLINE void boids__write_four(float* const* row, int at, const float* a, const float* b, const float* c,
                                    const float* d) {
#if defined(__GNUC__)
    typedef float Four __attribute__((vector_size(16), aligned(4)));
    const Four va = *(const Four*)a, vb = *(const Four*)b, vc = *(const Four*)c, vd = *(const Four*)d;
    const Four ab = __builtin_shufflevector(va, vb, 0, 4, 1, 5), cd = __builtin_shufflevector(vc, vd, 0, 4, 1, 5);
    const Four ab2 = __builtin_shufflevector(va, vb, 2, 6, 3, 7), cd2 = __builtin_shufflevector(vc, vd, 2, 6, 3, 7);
    *(Four*)(row[0] + at) = __builtin_shufflevector(ab, cd, 0, 1, 4, 5);
    *(Four*)(row[1] + at) = __builtin_shufflevector(ab, cd, 2, 3, 6, 7);
    *(Four*)(row[2] + at) = __builtin_shufflevector(ab2, cd2, 0, 1, 4, 5);
    *(Four*)(row[3] + at) = __builtin_shufflevector(ab2, cd2, 2, 3, 6, 7);
#else
    for (int k = 0; k < 4; k++) {
        row[k][at] = a[k];
        row[k][at + 1] = b[k];
        row[k][at + 2] = c[k];
        row[k][at + 3] = d[k];
    }
#endif
}

/* The same of two numbers. */
BOIDS_INLINE void boids__write_two(float* const* row, int at, const float* a, const float* b) {
#if defined(__GNUC__)
    typedef float Four __attribute__((vector_size(16), aligned(4)));
    typedef double Two __attribute__((vector_size(16))); /* of pairs */
    const Four va = *(const Four*)a, vb = *(const Four*)b;
    const Two first = (Two)__builtin_shufflevector(va, vb, 0, 4, 1, 5),
              last = (Two)__builtin_shufflevector(va, vb, 2, 6, 3, 7);
    const double pairs[4] = {first[0], first[1], last[0], last[1]};
    for (int k = 0; k < 4; k++) memcpy(row[k] + at, &pairs[k], sizeof pairs[k]);
#else
    for (int k = 0; k < 4; k++) {
        row[k][at] = a[k];
        row[k][at + 1] = b[k];
    }
#endif
}

/* Writes the num_neighbors nearest of each boid of a block, nearest first, behind the rules: 4 floats each, zeros where there are
 * fewer. places: of them; row: of every lane, those beyond the block's size sharing a row that nobody reads. */
BOIDS_INLINE void boids__write_nearest(const Boids* env, const BoidsBlock* block, uint32_t (*places)[BOIDS_LANES],
                                       float* const* row) {
    const BoidsNeighbors* nb = &env->neighbors;
    const BoidsSeen* seen = nb->seen;
    const float unit = env->scale.heading, view = env->scale.offset;
    /* boids__offset without saturation: they are in sight */
    const int32_t gain_x = 1 << nb->x_axis.doubles, gain_y = 1 << nb->y_axis.doubles;
    const int32_t scale_x = nb->x_axis.scale ? nb->x_axis.scale : 32768, scale_y = nb->y_axis.scale;
    const uint32_t first = block->first, size = block->size;
    float own_c[BOIDS_LANES], own_s[BOIDS_LANES];
    uint32_t own[BOIDS_LANES];
    for (uint32_t l = 0; l < BOIDS_LANES; l++) {
        own[l] = seen[first + l].xy;
        own_c[l] = (float)boids_low(seen[first + l].cs) * unit;
        own_s[l] = (float)boids_high(seen[first + l].cs) * unit;
    }
    uint64_t others[BOIDS_MOST_NEAREST][BOIDS_LANES]; /* a BoidsSeen each */
    for (int k = 0; k < env->num_neighbors; k++) {    /* all of them first: a vector just written in words is slow to read */
        BOIDS_UNROLL(16)
        for (uint32_t l = 0; l < BOIDS_LANES; l++) memcpy(&others[k][l], &seen[places[k][l]], sizeof(BoidsSeen));
    }
    for (int k = 0; k < env->num_neighbors; k++) {
        float ahead[BOIDS_LANES], aside[BOIDS_LANES], cosine[BOIDS_LANES], sine[BOIDS_LANES];
        for (uint32_t l = 0; l < BOIDS_LANES; l++) {
            const BoidsSeen other = {(uint32_t)others[k][l], (uint32_t)(others[k][l] >> 32)};
            const int32_t tx = ((int32_t)((other.xy - own[l]) << 16) >> 16) * gain_x;
            const int32_t ty = ((int32_t)(((other.xy >> 16) - (own[l] >> 16)) << 16) >> 16) * gain_y;
            const int32_t ux = (((tx * scale_x) >> 14) + 1) >> 1, uy = (((ty * scale_y) >> 14) + 1) >> 1;
            const uint32_t heading = places[k][l] == first + l ? 0 : other.cs; /* nobody, where a boid's own place stands */
            const float dx = (float)ux * view, dy = (float)uy * view;
            const float hx = (float)boids_low(heading) * unit, hy = (float)boids_high(heading) * unit;
            ahead[l] = boids__clip(dx * own_c[l] + dy * own_s[l]);
            aside[l] = boids__clip(dy * own_c[l] - dx * own_s[l]);
            cosine[l] = boids__clip(hx * own_c[l] + hy * own_s[l]);
            sine[l] = boids__clip(hy * own_c[l] - hx * own_s[l]);
        }
        for (uint32_t l = 0; l < size; l += 4)
            boids__write_four(row + l, 10 + 4 * k, ahead + l, aside + l, cosine + l, sine + l);
    }
}

/* Writes the ten numbers of `rules` of each boid of a block. row: as above. */
BOIDS_INLINE void boids__write_rules(float* const* row, const BoidsSenses* senses) {
    const float (*rules)[BOIDS_LANES] = senses->rules;
    for (uint32_t l = 0; l < BOIDS_LANES; l += 4) {
        boids__write_four(row + l, 0, &rules[0][l], &rules[1][l], &rules[2][l], &rules[3][l]);
        boids__write_four(row + l, 4, &rules[4][l], &rules[5][l], &rules[6][l], &rules[7][l]);
        boids__write_two(row + l, 8, &rules[8][l], &rules[9][l]);
    }
}

/* Asks for the memory that a block will write to: in a large flock its rows are far apart. */
BOIDS_INLINE void boids__fetch_rows(const Boids* env, uint32_t first, int size) {
#if defined(__GNUC__)
    for (uint32_t k = first; k < first + BOIDS_LANES; k++) {
        const size_t id = env->neighbors.id[k];
        for (int at = 0; at < size; at += 16) __builtin_prefetch(env->observations + id * (size_t)size + at, 1);
        __builtin_prefetch(env->rewards + id, 1);
    }
#else
    (void)env, (void)first, (void)size;
#endif
}

#define BOIDS_GROUP 4 /* blocks at a time */

/* Sums over the boids of one step, of all or a part of them; as in BoidsTally. */
typedef struct BoidsTotals {
    int64_t reward, cohesion, alignment, separation, local_alignment, nearest, bearing, social, collisions;
    int64_t heading_c, heading_s, turned;
} BoidsTotals;

/* Adds the logs of up to BOIDS_GROUP blocks to the totals, whose fields are in the same order. 32 bits hold the sum of 64 lanes: the
 * largest term is a distance of 32 separation radii. */
BOIDS_INLINE void boids__add_up(const BoidsLog* logs, int count, BoidsTotals* totals) {
    for (size_t k = 0; k < sizeof *logs / sizeof logs->reward; k++) {
        int32_t lanes[BOIDS_LANES] = {0}, sum = 0;
        for (int b = 0; b < count; b++)
            for (int l = 0; l < BOIDS_LANES; l++) lanes[l] += ((const int32_t*)(logs + b))[k * BOIDS_LANES + (size_t)l];
        for (int l = 0; l < BOIDS_LANES; l++) sum += lanes[l];
        ((int64_t*)totals)[k] += sum;
    }
}

/* Writes the observations and the rewards of the boids in the rows of cells [from, to). BOIDS_GROUP blocks look, then think, then
 * write, so that the processor has several of each to do at a time. */
BOIDS_INLINE void boids__observe_rows(Boids* env, uint32_t from, uint32_t to, BoidsTotals* totals, float* rewards,
                                      const bool scattered) {
    const BoidsNeighbors* nb = &env->neighbors;
    const int size = boids_observation_size(env), nearest = env->observation ? env->num_neighbors : 0;
    BoidsCrowd crowd;
    BoidsBlock blocks[BOIDS_GROUP];
    BoidsSums sums[BOIDS_GROUP];
    BoidsSenses senses[BOIDS_GROUP];
    uint32_t places[BOIDS_GROUP][BOIDS_MOST_NEAREST][BOIDS_LANES];
    BoidsLog logs[BOIDS_GROUP];
    crowd.size = 0;
    blocks->first = nb->start[(size_t)from * nb->columns];
    blocks->size = 0;
    blocks->row = from;
    blocks->column = 0;
    for (int count = BOIDS_GROUP; count == BOIDS_GROUP;) {
        for (count = 0; count < BOIDS_GROUP; count++) {
            BoidsBlock* block = &blocks[count];
            if (count) memcpy(block, block - 1, offsetof(BoidsBlock, num_runs));
            if (!boids_block_next(nb, block) || block->row >= to) break;
            boids_see(nb, block, &crowd, &sums[count], nearest, places[count]);
            if (env->guest.kind)
                boids_see_guest(&env->guest, nb, block, &sums[count], env->width, env->height, env->view_radius,
                                env->flockmates, env->x, env->y);
            if (scattered) boids__fetch_rows(env, block->first, size);
        }
        for (int k = 0; k < count; k++) boids__sense(env, &blocks[k], &sums[k], &senses[k], &logs[k]);
        for (int k = 0; k < count; k++) {
            const BoidsBlock* block = &blocks[k];
            float *row[BOIDS_LANES], nobodys[10 + 4 * BOIDS_MOST_NEAREST];
            for (uint32_t l = 0; l < BOIDS_LANES; l++) {
                const uint32_t id = scattered ? nb->id[block->first + l] : block->first + l;
                row[l] = env->observations + (size_t)id * (size_t)size;
            }
            for (uint32_t l = block->size; l < BOIDS_LANES; l++) row[l] = nobodys;
            boids__write_rules(row, &senses[k]);
            if (nearest) boids__write_nearest(env, block, places[k], row);
            if (rewards && scattered)
                for (uint32_t l = 0; l < block->size; l++) rewards[nb->id[block->first + l]] = senses[k].reward[l];
            else if (rewards)
                memcpy(rewards + block->first, senses[k].reward, block->size * sizeof *rewards);
        }
        if (count) blocks[0] = blocks[count - 1];
        boids__add_up(logs, count, totals);
    }
}

/* The same; rewards is env->rewards, or NULL to leave them as they are. */
BOIDS_CLONES static inline void boids__observe(Boids* env, uint32_t from, uint32_t to, BoidsTotals* totals, float* rewards) {
    if (env->neighbors.columns * env->neighbors.rows > 1)
        boids__observe_rows(env, from, to, totals, rewards, true);
    else
        boids__observe_rows(env, from, to, totals, rewards, false);
}

/* Part `part` of `parts` of a step; all of them run at a time. */
static inline void boids__step_part(Boids* env, int32_t part, int32_t parts, BoidsTotals* totals) {
    BoidsNeighbors* nb = &env->neighbors;
    const uint32_t n = (uint32_t)env->num_boids, from = boids_part(n, part, parts), to = boids_part(n, part + 1, parts);
    totals->turned += boids__turn(env, from, to);
    boids__move(env, from, to);
    boids_neighbors_update(nb, env->x, env->y, env->cs, part, parts); /* cells reads only what this part moved */
    boids__observe(env, boids_part_row(nb, part, parts), boids_part_row(nb, part + 1, parts), totals, env->rewards);
}

/* Adds a step to the tally of the episode. */
static inline void boids__tally(Boids* env, const BoidsTotals* t) {
    BoidsTally* tally = &env->tally;
    tally->length++;
    tally->reward_all += t->reward;
    if (env->tick <= env->warmup) return;
    tally->steps++;
    tally->reward += t->reward;
    tally->cohesion += t->cohesion;
    tally->alignment += t->alignment;
    tally->separation += t->separation;
    tally->local_alignment += t->local_alignment;
    tally->nearest += t->nearest;
    tally->social += t->social;
    tally->collisions += t->collisions;
    tally->turn += t->turned;
    tally->polarization +=
        sqrt((double)(t->heading_c * t->heading_c + t->heading_s * t->heading_s)) / BOIDS_UNIT / env->num_boids;
    tally->milling += t->social ? fabs((double)t->bearing) / 65536.0 / (double)t->social : 0.0;
}

/* Adds the episode that has just ended to the log. */
static inline void boids__log_episode(Boids* env) {
    const BoidsTally* t = &env->tally;
    Log* log = &env->log;
    const double n = env->num_boids, fixed = 65536.0;
    const double boid_steps = n * (t->steps ? t->steps : 1), social_steps = (double)(t->social ? t->social : 1);
    int32_t groups, largest;
    int32_t* forest = (int32_t*)env->neighbors.cell; /* memory that the next update fills again */
    sight_groups(&env->neighbors, forest, NULL, &groups, &largest);
    log->episode_return += (float)((double)t->reward_all / fixed / n);
    log->episode_length += (float)t->length;
    log->reward += (float)((double)t->reward / fixed / boid_steps);
    log->cohesion += (float)((double)t->cohesion / fixed / boid_steps);
    log->alignment += (float)((double)t->alignment / fixed / boid_steps);
    log->separation -= (float)((double)t->separation / fixed / boid_steps);
    log->polarization += (float)(t->polarization / (t->steps ? t->steps : 1));
    log->local_alignment += (float)((double)t->local_alignment / fixed / social_steps);
    log->milling += (float)(t->milling / (t->steps ? t->steps : 1));
    log->nearest += (float)((double)t->nearest / fixed / social_steps);
    log->collisions += (float)((double)t->collisions / boid_steps);
    log->isolation += (float)(((double)t->steps * n - (double)t->social) / boid_steps);
    log->groups += (float)groups;
    log->largest_group += (float)(largest / n);
    log->turn += (float)((double)t->turn / (env->hard ? env->hard : 1) / boid_steps);
    log->n += 1.0f;
}

/* --- the contract of env.h ------------------------------------------------------------------------------------------------ */

/* Numbers the boids of a large flock by place, cell by cell, so that those who see each other are near in memory too. The memory of
 * the observations, which are about to be written, is borrowed for it. */
static inline void boids__number_by_place(Boids* env) {
    BoidsNeighbors* nb = &env->neighbors;
    const size_t n = (size_t)env->num_boids;
    const bool cells = nb->columns * nb->rows > 1;
    boids_neighbors_use_cells(nb, true);
    if (nb->columns * nb->rows > 1) {
        boids_neighbors_update(nb, env->x, env->y, env->cs, 0, 1);
        uint32_t* copy = (uint32_t*)(void*)env->observations;
        memcpy(copy, env->x, n * sizeof *copy);
        for (size_t k = 0; k < n; k++) env->x[k] = copy[nb->id[k]];
        memcpy(copy, env->y, n * sizeof *copy);
        for (size_t k = 0; k < n; k++) env->y[k] = copy[nb->id[k]];
        memcpy(copy, env->heading, n * sizeof *env->heading);
        for (size_t k = 0; k < n; k++) env->heading[k] = ((const uint16_t*)copy)[nb->id[k]];
    }
    boids_neighbors_use_cells(nb, cells);
}

/* From positions and headings to all that follows from them, the observations included. */
static inline void boids__look(Boids* env) {
    for (int32_t i = 0; i < env->num_boids; i++)
        env->cs[i] =
            boids_word(boids_heading_unit(boids_cos(env->heading[i])), boids_heading_unit(boids_sin(env->heading[i])));
    boids_neighbors_update(&env->neighbors, env->x, env->y, env->cs, 0, 1);
    BoidsTotals none;
    memset(&none, 0, sizeof none);
    boids__observe(env, 0, env->neighbors.rows, &none, NULL);
}

/* A new episode, `tick` steps in: random positions and headings. */
static inline void boids__begin(Boids* env, int32_t tick) {
    for (int32_t i = 0; i < env->num_boids; i++) {
        const uint64_t place = env_random(&env->rng);
        env->x[i] = (uint32_t)place;
        env->y[i] = (uint32_t)(place >> 32);
        env->heading[i] = (uint16_t)env_random(&env->rng);
    }
    if (env->num_boids > BOIDS_ALL_PAIRS) boids__number_by_place(env);
    env->tick = tick;
    memset(&env->tally, 0, sizeof env->tally);
    boids__look(env);
}

static inline void c_reset(Boids* env) {
    const bool first = !env->stagger || !env->num_envs;
    boids__begin(env, first ? 0 : (int32_t)((int64_t)env->horizon * env->index / env->num_envs));
}

static inline void c_step(Boids* env) {
    BoidsTotals totals;
    memset(&totals, 0, sizeof totals);
#if defined(_OPENMP)
    const int32_t threads = env->num_threads < env->neighbors.threads ? env->num_threads : env->neighbors.threads;
    if (threads > 1 && env->neighbors.rows > 1) {
#pragma omp parallel num_threads(threads)
        {
            BoidsTotals mine;
            memset(&mine, 0, sizeof mine);
            boids__step_part(env, omp_get_thread_num(), omp_get_num_threads(), &mine);
#pragma omp critical
            for (size_t k = 0; k < sizeof mine / sizeof(int64_t); k++) ((int64_t*)&totals)[k] += ((int64_t*)&mine)[k];
        }
    } else
#endif
        boids__step_part(env, 0, 1, &totals);
    env->tick++;
    boids__tally(env, &totals);

    const bool ended = env->tick >= env->horizon;
    memset(env->terminals, 0, (size_t)env->num_boids);
    memset(env->truncations, ended, (size_t)env->num_boids);
    if (!ended) return;
    boids__log_episode(env);
    boids__begin(env, 0);
}

/* A state goes on to the same bits as long as there is no guest, who is no part of it. */
static inline void c_restored(Boids* env) { boids__look(env); }

/* Refuses a tick outside the episode, and sums that no run could have left behind: those might overflow. */
static inline const char* c_check_state(Boids* env) {
    const BoidsTally* t = &env->tally;
    if (env->tick < 0 || env->tick >= env->horizon) {
        snprintf(env->error, sizeof env->error, "tick: expected 0 to %d, got %d", env->horizon - 1, env->tick);
        return env->error;
    }
    if (t->length < 0 || t->length > env->tick) {
        snprintf(env->error, sizeof env->error, "tally.length: expected 0 to %d, got %d", env->tick, t->length);
        return env->error;
    }
    if (t->steps < 0 || t->steps > t->length) {
        snprintf(env->error, sizeof env->error, "tally.steps: expected 0 to %d, got %d", t->length, t->steps);
        return env->error;
    }
    const double most = 16777216.0 * t->length * env->num_boids; /* 2^8 a boid and step, 2^16 to 1 */
#define BOIDS__EXPECT(name, least, most)                                                                                       \
    if (!((double)t->name >= (least) && (double)t->name <= (most))) { /* true for NaN */                                       \
        snprintf(env->error, sizeof env->error, "tally." #name ": expected %g to %g, got %g", (double)(least), (double)(most), \
                 (double)t->name);                                                                                             \
        return env->error;                                                                                                     \
    }
    BOIDS__EXPECT(reward_all, -most, most)
    BOIDS__EXPECT(reward, -most, most)
    BOIDS__EXPECT(cohesion, -most, most)
    BOIDS__EXPECT(alignment, -most, most)
    BOIDS__EXPECT(separation, -most, most)
    BOIDS__EXPECT(local_alignment, -most, most)
    BOIDS__EXPECT(nearest, 0, most)
    BOIDS__EXPECT(turn, 0, most)
    BOIDS__EXPECT(social, 0, most)
    BOIDS__EXPECT(collisions, 0, most)
    BOIDS__EXPECT(polarization, 0, 2.0 * t->steps) /* 1 a step, but for rounding */
    BOIDS__EXPECT(milling, 0, 2.0 * t->steps)
#undef BOIDS__EXPECT
    return NULL;
}

/* Reynolds' flock as a source of actions, the baseline of every learned policy: each boid heads for the weighted sum of its
 * rules, as its observation gives them, with the turn that comes nearest. Alone, it flies straight. */
static inline void boids_reynolds(Boids* env, float cohesion, float alignment, float separation) {
    /* the angles at which the next harder turn comes nearer; the largest turn, or 80 degrees, up to which tangents tell angles */
    const int32_t soft = env->gentle / 2, firm = (env->gentle + env->hard) / 2, most = env->hard < 14563 ? env->hard : 14563;
    const float soft_c = boids_cos(soft), soft_s = boids_sin(soft), firm_c = boids_cos(firm), firm_s = boids_sin(firm);
    const float most_c = boids_cos(most), most_s = boids_sin(most);
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

#define c_script c_script
static inline void c_script(Boids* env) {
    boids_reynolds(env, env->script_cohesion, env->script_alignment, env->script_separation);
}

static inline void c_close(Boids* env) {
    if (env->client) env->close_client(env);
    boids_neighbors_close(&env->neighbors);
    ENV_FREE(env->x);
    ENV_FREE(env->y);
    ENV_FREE(env->heading);
    ENV_FREE(env->cs);
    env->x = env->y = env->cs = NULL;
    env->heading = NULL;
}

/* Checks every invariant of the state, in time linear in the number of boids: NULL, or what is broken. For tests and debugging. */
static inline const char* boids_validate(const Boids* env) {
    const BoidsNeighbors* nb = &env->neighbors;
    const uint32_t n = (uint32_t)env->num_boids, cells = nb->columns * nb->rows;
    if (nb->start[0] != 0 || nb->start[cells] != n) return "cells do not hold every boid once";
    for (uint32_t k = 0; k < cells; k++)
        if (nb->start[k] > nb->start[k + 1]) return "cells are out of order";
    uint64_t ids = 0;
    for (uint32_t k = 0; k < n; k++) {
        const uint32_t i = nb->id[k];
        if (i >= n) return "an id in cell order is no boid";
        ids += i;
        if (boids_low(nb->seen[k].xy) != (int16_t)(env->x[i] >> nb->x_axis.shift))
            return "a position in cell order is stale";
        if (boids_high(nb->seen[k].xy) != (int16_t)(env->y[i] >> nb->y_axis.shift))
            return "a position in cell order is stale";
    }
    if (ids != (uint64_t)n * (n - 1) / 2) return "a boid is missing in cell order";
    if (env->tick < 0 || env->tick >= env->horizon) return "tick is outside the episode";
    const size_t floats = (size_t)n * (size_t)boids_observation_size(env);
    for (size_t k = 0; k < floats; k++)
        if (!(env->observations[k] >= -1.0f && env->observations[k] <= 1.0f)) return "an observation is outside [-1, 1]";
    for (uint32_t i = 0; i < n; i++)
        if (!(env->rewards[i] >= -1.0f && env->rewards[i] <= 1.0f)) return "a reward is outside [-1, 1]";
    return NULL;
}

/* type, name, doc */
#define BOIDS_STATE(X)                                                   \
    X(uint32_t, x, "position, 2^32 to the width")                        \
    X(uint32_t, y, "position, 2^32 to the height, up")                   \
    X(uint16_t, heading, "2^16 to a full turn, counter-clockwise from x")

/* name, doc */
#define BOIDS_SCALARS(X)                        \
    X(tick, "steps since the episode began")    \
    X(tally, "what the episode adds up to")

typedef Boids Env;
#define ENV_PARAMS BOIDS_PARAMS
#define ENV_LOG BOIDS_LOG
#define ENV_OBSERVATION BOIDS_OBSERVATION
#define ENV_STATE BOIDS_STATE
#define ENV_SCALARS BOIDS_SCALARS
#define ENV_STATE_VERSION 1

#endif
