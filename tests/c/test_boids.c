/* test_boids.c - the environment: parameters, memory, movement, reward, episodes, log, and the script */
#include "flock.h"

#include <limits.h>

#define RADIANS(degrees) ((degrees) * 3.14159265358979 / 180)

/* ---- Parameters */

static void refuse(Boids* env, const char* name, double least, double most, double got) {
    char expected[160];
    snprintf(expected, sizeof expected, "%s: expected %.9g to %.9g, got %.9g", name, least, most, got);
    CHECK_TEXT(c_init(env), expected);
    CHECK_EQ(flock_allocations, 0);
}

/* At the end of its own range a parameter may still be at odds with another one, and the message then tells another range. */
static void accept_range(Boids* env, const char* name, double least, double most, double got) {
    char refused[160];
    snprintf(refused, sizeof refused, "%s: expected %.9g to %.9g, got %.9g", name, least, most, got);
    const char* error = c_init(env);
    CHECK(!error || strcmp(error, refused) != 0);
    if (error && !strcmp(error, refused)) printf("    %s\n", error);
    c_close(env);
}

#define WITH(check, name, value, least, most)                       \
    do {                                                            \
        Flock flock = flock_new();                                  \
        flock.env.name = value;                                     \
        check(&flock.env, #name, least, most, (double)flock.env.name); \
    } while (0);
#define PARAM_int(name, least, most)                    \
    WITH(refuse, name, (int)(least)-1, least, most)     \
    WITH(refuse, name, (int)(most) + 1, least, most)    \
    WITH(refuse, name, INT_MIN, least, most)            \
    WITH(refuse, name, INT_MAX, least, most)            \
    WITH(accept_range, name, (int)(least), least, most) \
    WITH(accept_range, name, (int)(most), least, most)
#define PARAM_float(name, least, most)                                        \
    WITH(refuse, name, nextafterf((float)(least), -INFINITY), least, most)    \
    WITH(refuse, name, nextafterf((float)(most), INFINITY), least, most)      \
    WITH(refuse, name, -INFINITY, least, most)                                \
    WITH(refuse, name, INFINITY, least, most)                                 \
    WITH(refuse, name, NAN, least, most)                                      \
    WITH(accept_range, name, (float)(least), least, most)                     \
    WITH(accept_range, name, (float)(most), least, most)
#define PARAM_choice PARAM_int
#define PARAM_bool(name, least, most)
#define PARAM(type, name, value, least, most, unit, doc) PARAM_##type(name, least, most)

static void test_ranges(void) { BOIDS_PARAMS(PARAM) }

/* Parameters that bound each other, in a world of 1024 x 512: just within, and just without. A least of 0 is no such bound. */
static void test_ranges_of_two(void) {
#define BETWEEN(name, type, least, most, next)                  \
    for (int k = (least) > 0 ? 0 : 2; k < 4; k++) {             \
        Flock flock = flock_new();                              \
        flock.env.width = 1024;                                 \
        flock.env.height = 512;                                 \
        flock.env.view_radius = 128;                            \
        flock.env.name = (type)(k < 2 ? (least) : (most));      \
        if (k & 1) flock.env.name = next(flock.env.name, k < 2); \
        if (k & 1) {                                            \
            refuse(&flock.env, #name, least, most, (double)flock.env.name); \
        } else {                                                \
            CHECK_TEXT(c_init(&flock.env), NULL);               \
            c_close(&flock.env);                                \
        }                                                       \
    }
#define NEXT_FLOAT(v, down) nextafterf(v, (down) ? -INFINITY : INFINITY)
#define NEXT_INT(v, down) ((v) + ((down) ? -1 : 1))
    BETWEEN(separation_radius, float, 4, 128, NEXT_FLOAT)
    BETWEEN(collision_radius, float, 0, 128, NEXT_FLOAT)
    BETWEEN(speed, float, 0, 128, NEXT_FLOAT)
    BETWEEN(gentle_turn, float, 0, 15, NEXT_FLOAT)
    BETWEEN(warmup, int, 0, 399, NEXT_INT)
    const float least = 0.5f, most = 256; /* of the view radius; the others go with it */
    for (int k = 0; k < 4; k++) {
        Flock flock = flock_new();
        flock.env.width = 1024;
        flock.env.height = 512;
        flock.env.view_radius = k < 2 ? least : most;
        flock.env.separation_radius = flock.env.collision_radius = flock.env.view_radius;
        if (k & 1) {
            flock.env.view_radius = NEXT_FLOAT(flock.env.view_radius, k < 2);
            refuse(&flock.env, "view_radius", least, most, (double)flock.env.view_radius);
        } else {
            CHECK_TEXT(c_init(&flock.env), NULL);
            c_close(&flock.env);
        }
    }
}

static void test_spaces(void) {
    Flock flock = flock_new();
    CHECK_EQ(c_observation_space(&flock.env).size, 10);
    CHECK_EQ(c_observation_space(&flock.env).type, 'f');
    CHECK_EQ(c_action_space(&flock.env).type, 'i');
    CHECK_EQ(c_action_space(&flock.env).choices[0], 5);
    flock.env.observation = NEAREST;
    flock.env.num_neighbors = 3;
    flock.env.action = CONTINUOUS;
    CHECK_EQ(c_observation_space(&flock.env).size, 22);
    CHECK_EQ(c_action_space(&flock.env).type, 'f');
    CHECK_EQ(c_action_space(&flock.env).low, -1);
    CHECK_EQ(c_action_space(&flock.env).high, 1);
    CHECK(!c_action_space(&flock.env).choices);
}

/* ---- Memory */

static void test_without_memory(void) {
    long left = 0;
    for (;; left++) {
        Flock flock = flock_new();
        flock_allocations_left = left;
        const char* error = c_init(&flock.env);
        flock_allocations_left = -1;
        if (!error) {
            CHECK_EQ(flock_allocations, left);
            c_close(&flock.env);
            break;
        }
        CHECK_TEXT(error, ENV_NO_MEMORY);
        CHECK_EQ(flock_allocations, 0);
        c_close(&flock.env);                  /* after a failed c_init: harmless */
        CHECK_TEXT(c_init(&flock.env), NULL); /* and it may be tried again */
        c_close(&flock.env);
        CHECK_EQ(flock_allocations, 0);
    }
    CHECK(left >= 8);
}

/* Nor is memory asked for after c_init, restarts included. */
static void test_steps_without_memory(void) {
    for (int32_t boids = 5; boids <= 1280; boids *= 16) {
        Flock flock = flock_new();
        flock.env.num_boids = boids;
        flock.env.horizon = 2;
        flock.env.observation = NEAREST;
        if (!flock_open(&flock)) return;
        const long before = flock_allocations;
        flock_allocations_left = 0;
        for (int t = 0; t < 3; t++) flock_step(&flock, flock_script);
        flock_allocations_left = -1;
        CHECK_EQ(flock_allocations, before);
        CHECK_EQ(flock.env.log.n, 1);
        flock_close(&flock);
    }
}

static void test_closes_twice(void) {
    Flock never = flock_new();
    c_close(&never.env);
    Flock flock = flock_new();
    if (!flock_open(&flock)) return;
    c_close(&flock.env);
    c_close(&flock.env);
    flock_close(&flock);
    Flock refused = flock_new();
    refused.env.num_boids = 0;
    CHECK(c_init(&refused.env) != NULL);
    c_close(&refused.env);
    CHECK_EQ(flock_allocations, 0);
}

/* The manual at the top of boids.h promises 30, and 8 a cell, of which there are at most 4 a boid, and the
 * lanes beyond the last boid. */
static void test_memory_of_a_million(void) {
    /* in the default world; sparse; with the default world's room for each boid */
    static const float widths[] = {1080, 1024 * 100, 1080 * 125}, heights[] = {720, 1024 * 100, 720 * 125};
    for (int w = 0; w < 3; w++) {
        Flock flock = flock_new();
        flock.env.num_boids = 1000000;
        flock.env.width = widths[w];
        flock.env.height = heights[w];
        CHECK_TEXT(c_init(&flock.env), NULL);
        const size_t n = 1000000, cells = (size_t)flock.env.sight.x_axis.cells * flock.env.sight.y_axis.cells;
        CHECK(flock_bytes <= 30 * n + 8 * cells + 4 + 12 * SIGHT_LANES);
        CHECK(cells <= 4 * n);
        c_close(&flock.env);
        CHECK_EQ(flock_allocations, 0);
    }
}

/* ---- Turning and moving */

static double degrees(uint16_t heading) { return heading * 360.0 / 65536; }
static double world_x(const Boids* env, int32_t i) { return env->x[i] / 4294967296.0 * (double)env->width; }
static double world_y(const Boids* env, int32_t i) { return env->y[i] / 4294967296.0 * (double)env->height; }

static void test_moves(void) {
    Flock flock = flock_new();
    flock.env.num_boids = 6;
    if (!flock_open(&flock)) return;
    flock_place(&flock, 0, 500, 300, 0);
    flock_place(&flock, 1, 500, 300, 90);
    flock_place(&flock, 2, 500, 300, 210);
    flock_place(&flock, 3, 1079, 300, 0);
    flock_place(&flock, 4, 500, 1, 270);
    flock_place(&flock, 5, 1, 719, 135);
    flock_step(&flock, flock_straight);
    const double diagonal = 4 * sqrt(0.5);
    const double x[] = {504, 500, 500 - 4 * sqrt(0.75), 3, 500, 1081 - diagonal};
    const double y[] = {300, 304, 298, 300, 717, diagonal - 1};
    const double heading[] = {0, 90, 210, 0, 270, 135};
    for (int i = 0; i < 6; i++) {
        CHECK_NEAR(world_x(&flock.env, i), x[i], 1e-3);
        CHECK_NEAR(world_y(&flock.env, i), y[i], 1e-3);
        CHECK_NEAR(degrees(flock.env.heading[i]), heading[i], 3e-3);
    }
    flock_close(&flock);
}

static void test_discrete_turns(void) {
    Flock flock = flock_new();
    flock.env.num_boids = 10;
    if (!flock_open(&flock)) return;
    /* in C nobody has checked the actions: a wild one flies straight */
    const int32_t actions[] = {0, 1, 2, 3, 4, -1, 5, INT_MIN, INT_MAX, 1 << 16};
    const double after[] = {25, 15, 10, 5, 355, 10, 10, 10, 10, 10};
    for (int i = 0; i < 10; i++) {
        flock_place(&flock, i, 300, 300, 10);
        ((int32_t*)flock.env.actions)[i] = actions[i];
    }
    c_step(&flock.env);
    for (int i = 0; i < 10; i++) CHECK_NEAR(degrees(flock.env.heading[i]), after[i], 0.01);
    CHECK_TEXT(boids_validate(&flock.env), NULL);
    flock_close(&flock);
}

static void test_continuous_turns(void) {
    Flock flock = flock_new();
    flock.env.num_boids = 6;
    flock.env.action = CONTINUOUS;
    flock.env.max_turn = 40;
    if (!flock_open(&flock)) return;
    const float actions[] = {1, 0.5f, 0, -0.0f, -0.25f, -1};
    const double after[] = {50, 30, 10, 10, 0, 330};
    for (int i = 0; i < 6; i++) {
        flock_place(&flock, i, 300, 300, 10);
        ((float*)flock.env.actions)[i] = actions[i];
    }
    c_step(&flock.env);
    for (int i = 0; i < 6; i++) CHECK_NEAR(remainder(degrees(flock.env.heading[i]) - after[i], 360), 0, 0.01);
    flock_close(&flock);
}

static void test_half_a_turn(void) {
    for (int action = DISCRETE; action <= CONTINUOUS; action++) {
        Flock flock = flock_new();
        flock.env.num_boids = 1;
        flock.env.action = action;
        flock.env.max_turn = 180;
        if (!flock_open(&flock)) return;
        flock_place(&flock, 0, 0, 0, 30);
        if (action == CONTINUOUS)
            ((float*)flock.env.actions)[0] = -1;
        else
            ((int32_t*)flock.env.actions)[0] = 4;
        c_step(&flock.env);
        CHECK_NEAR(degrees(flock.env.heading[0]), 210, 0.01);
        flock_close(&flock);
    }
}

/* ---- Reward and observation of planted flocks */

/* A flock that stays where it is put: a step only looks. */
static Flock planted(int32_t num_boids) {
    Flock flock = flock_new();
    flock.env.num_boids = num_boids;
    flock.env.speed = 0;
    flock.env.horizon = 2;
    return flock;
}

static void test_alone(void) {
    for (int observation = RULES; observation <= NEAREST; observation++) {
        Flock flock = flock_new();
        flock.env.num_boids = 1;
        flock.env.observation = observation;
        flock.env.horizon = 50;
        if (!flock_open(&flock)) return;
        for (int t = 0; t < 50; t++) {
            flock_step(&flock, flock_random);
            for (int f = 0; f < boids_observation_size(&flock.env); f++) CHECK_EQ(flock.env.observations[f], 0);
            CHECK_EQ(flock.env.rewards[0], 0);
        }
        CHECK_EQ(flock.env.log.n, 1);
        CHECK_EQ(flock.env.log.isolation, 1);
        CHECK_EQ(flock.env.log.groups, 1);
        CHECK_EQ(flock.env.log.largest_group, 1);
        CHECK_NEAR(flock.env.log.polarization, 1, 1e-3);
        CHECK_EQ(flock.env.log.episode_return, 0);
        CHECK_EQ(flock.env.log.nearest, 0);
        CHECK_EQ(flock.env.log.collisions, 0);
        flock_close(&flock);
    }
}

/* Boid 0 flies to +x with another 20 ahead and 15 to the left of it, which flies to +y: in the middle of the world and across its
 * seams. Distance 25 is exactly the separation radius, so it is made 50 here. */
static void test_pair(void) {
    const double places[][2] = {{500, 300}, {1070, 300}, {500, 715}, {1079, 719}, {0, 0}, {-1, -1}};
    for (int k = 0; k < 6; k++) {
        Flock flock = planted(2);
        flock.env.separation_radius = 50;
        flock.env.observation = NEAREST;
        flock.env.num_neighbors = 2;
        if (!flock_open(&flock)) return;
        flock_place(&flock, 0, places[k][0], places[k][1], 0);
        flock_place(&flock, 1, places[k][0] + 20, places[k][1] + 15, 90);
        flock_step(&flock, flock_straight);
        const double company = 1.0 / 6, closeness = 0.5, togetherness = company * 0.75;
        const double push = 3 * 0.75; /* 1 - d^2 / r^2 is 3/4, the offset / r is (0.4, 0.3) */
        const double first[] = {1, company, 0.2, 0.15, 0, 1, -push * 0.4, -push * 0.3, closeness, togetherness, 0.2, 0.15,
                                0, 1,       0,   0,    0, 0};
        /* the other sees it behind, to the right of north: its forward is +y, its left -x */
        const double second[] = {1,   company, -0.15, 0.2, 0, -1, push * 0.3, -push * 0.4, closeness, togetherness, -0.15,
                                 0.2, 0,       -1,    0,   0, 0,  0};
        for (int f = 0; f < 18; f++) {
            CHECK_NEAR(flock.env.observations[f], first[f], f == 6 || f == 7 ? 5e-3 : 1e-3);
            CHECK_NEAR(flock.env.observations[18 + f], second[f], f == 6 || f == 7 ? 5e-3 : 1e-3);
        }
        const double reward = 0.4 * togetherness - 1.5 * closeness; /* at right angles: no alignment */
        CHECK_NEAR(flock.env.rewards[0], reward, 2e-3);
        CHECK_NEAR(flock.env.rewards[1], reward, 2e-3);
        flock_close(&flock);
    }
}

/* Seven on one point: no offset, no push, as close as can be, and company in full. */
static void test_coincident(void) {
    Flock flock = planted(7);
    flock.env.observation = NEAREST;
    flock.env.num_neighbors = 8;
    if (!flock_open(&flock)) return;
    for (int i = 0; i < 7; i++) flock_place(&flock, i, 0, 0, 45);
    flock_step(&flock, flock_straight);
    const double rules[] = {1, 1, 0, 0, 1, 0, 0, 0, 1, 1};
    for (int i = 0; i < 7; i++) {
        const float* row = flock.env.observations + 42 * i;
        for (int f = 0; f < 10; f++) CHECK_NEAR(row[f], rules[f], 1e-3);
        for (int f = 0; f < 32; f++) CHECK_NEAR(row[10 + f], f % 4 == 2 && f < 24 ? 1 : 0, 1e-3);
        CHECK_NEAR(flock.env.rewards[i], 0.4 + 0.6 - 1.5, 1e-3);
    }
    flock_close(&flock);
}

/* Of neighbours as near as each other the lower index comes first. */
static void test_ties(void) {
    Flock flock = planted(9);
    flock.env.observation = NEAREST;
    flock.env.num_neighbors = 5;
    if (!flock_open(&flock)) return;
    for (int i = 0; i < 9; i++) flock_place(&flock, i, i == 8 ? 30 : 10, 700, 40 * i);
    flock_step(&flock, flock_straight);
    for (int i = 0; i < 8; i++) {
        for (int f = 0; f < 5; f++) {
            const int j = f < i ? f : f + 1;
            CHECK_NEAR(flock.env.observations[30 * i + 10 + 4 * f + 2], cos((j - i) * RADIANS(40)), 2e-3);
            CHECK_NEAR(flock.env.observations[30 * i + 10 + 4 * f + 3], sin((j - i) * RADIANS(40)), 2e-3);
        }
    }
    flock_close(&flock);
}

static void test_reward_is_clipped(void) {
    Flock flock = planted(2);
    flock.env.alignment_weight = flock.env.cohesion_weight = flock.env.separation_weight = 10;
    flock.env.flockmates = 1;
    if (!flock_open(&flock)) return;
    flock_place(&flock, 0, 500, 300, 0);
    flock_place(&flock, 1, 530, 300, 0);
    flock_step(&flock, flock_straight);
    CHECK_EQ(flock.env.rewards[0], 1);
    flock_place(&flock, 1, 500, 300, 180);
    flock_step(&flock, flock_straight);
    CHECK_EQ(flock.env.rewards[0], -1);
    flock.env.alignment_weight = -10; /* to head the same way costs, and what is left of the reward is clipped too */
    flock.env.separation_weight = 0;
    flock.env.cohesion_weight = 0;
    flock_place(&flock, 1, 530, 300, 0);
    flock_place(&flock, 0, 500, 300, 0);
    flock_step(&flock, flock_straight);
    CHECK_EQ(flock.env.rewards[0], -1);
    flock_place(&flock, 1, 530, 300, 180);
    flock_place(&flock, 0, 500, 300, 0);
    flock_step(&flock, flock_straight);
    CHECK_EQ(flock.env.rewards[0], 1);
    flock_close(&flock);
}

/* ---- Episodes */

static void test_episodes(void) {
    Flock flock = flock_new();
    flock.env.num_boids = 30;
    flock.env.horizon = 5;
    Flock endless = flock;
    endless.env.horizon = 1000;
    if (!flock_open(&flock) || !flock_open(&endless)) return;
    memset(flock.env.terminals, 7, 30);
    memset(flock.env.truncations, 7, 30);
    for (int t = 1; t <= 12; t++) {
        const uint64_t rng = flock.env.rng;
        flock_step(&flock, flock_random);
        flock_step(&endless, flock_random);
        const bool ended = t % 5 == 0;
        for (int i = 0; i < 30; i++) {
            CHECK_EQ(flock.env.terminals[i], 0);
            CHECK_EQ(flock.env.truncations[i], ended);
        }
        CHECK_EQ(flock.env.log.n, t / 5);
        CHECK_EQ(flock.env.tick, t % 5);
        if (t > 5) continue;
        /* the rewards are of the episode that ends, and so are the observations, but for the step that ends it */
        const size_t size = 30 * 10 * sizeof(float);
        CHECK(!memcmp(flock.env.rewards, endless.env.rewards, 30 * sizeof(float)));
        CHECK(!memcmp(flock.env.observations, endless.env.observations, size) == !ended);
        if (!ended) continue;
        Flock next = flock_new();
        next.env.num_boids = 30;
        next.env.rng = rng;
        if (!flock_open(&next)) return;
        CHECK(!memcmp(flock.env.observations, next.env.observations, size));
        CHECK(flock.env.rng == next.env.rng && flock.env.rng != rng);
        flock_close(&next);
    }
    flock_close(&flock);
    flock_close(&endless);
}

static void test_shortest_episode(void) {
    Flock flock = flock_new();
    flock.env.horizon = 1;
    if (!flock_open(&flock)) return;
    for (int t = 1; t <= 3; t++) {
        flock_step(&flock, flock_random);
        CHECK_EQ(flock.env.truncations[0], 1);
        CHECK_EQ(flock.env.log.n, t);
        CHECK_EQ(flock.env.log.episode_length, t);
    }
    flock_close(&flock);
}

/* Environment k of 4 starts k/4 of the way in, and its second episode is a whole one. */
static void test_stagger(void) {
    for (uint32_t k = 0; k < 4; k++) {
        for (int stagger = 0; stagger < 2; stagger++) {
            Flock flock = flock_new();
            flock.env.num_boids = 5;
            flock.env.horizon = 10;
            flock.env.index = k;
            flock.env.num_envs = 4;
            flock.env.stagger = stagger;
            if (!flock_open(&flock)) return;
            const int first = stagger ? 10 - (int)k * 10 / 4 : 10;
            for (int t = 1; t <= first + 10; t++) {
                flock_step(&flock, flock_random);
                CHECK_EQ(flock.env.truncations[0], t == first || t == first + 10);
                if (t == first) CHECK_EQ(flock.env.log.episode_length, first);
            }
            CHECK_EQ(flock.env.log.n, 2);
            CHECK_EQ(flock.env.log.episode_length, first + 10);
            flock_close(&flock);
        }
    }
}

static void test_same_seed_same_flock(void) {
    uint64_t hash[3];
    for (int k = 0; k < 3; k++) {
        Flock flock = flock_new();
        flock.env.rng = env_seed(7, 0, k == 2);
        flock.env.horizon = 20;
        if (!flock_open(&flock)) return;
        if (k == 1) { /* a reset starts afresh */
            for (int t = 0; t < 7; t++) flock_step(&flock, flock_random);
            flock.env.rng = env_seed(7, 0, 0);
            flock.rng = flock_new().rng;
            c_reset(&flock.env);
        }
        for (int t = 0; t < 50; t++) flock_step(&flock, flock_random);
        hash[k] = flock_hash(FLOCK_HASH, &flock.env);
        flock_close(&flock);
    }
    CHECK(hash[0] == hash[1]);
    CHECK(hash[0] != hash[2]);
}

/* What c_restored computes from the state alone is what it was, observations included; all pairs and cells. */
static void test_restored(void) {
    for (int k = 0; k < 4; k++) {
        Flock flock = flock_new();
        Boids* env = &flock.env;
        env->num_boids = k / 2 ? 300 : 40;
        env->width = k / 2 ? 3000 : 1080;
        env->observation = k % 2 ? NEAREST : RULES;
        if (!flock_open(&flock)) return;
        for (int t = 0; t < 20; t++) flock_step(&flock, flock_random);
        const uint64_t hash = flock_hash(FLOCK_HASH, env);
        const size_t n = (size_t)env->num_boids;
        memset(env->cs, 0, n * sizeof *env->cs);
        memset(env->sight.bodies, 0, n * sizeof *env->sight.bodies);
        memset(env->observations, 0, n * (size_t)boids_observation_size(env) * sizeof(float));
        c_restored(env);
        CHECK(flock_hash(FLOCK_HASH, env) == hash);
        CHECK_TEXT(boids_validate(env), NULL);
        flock_close(&flock);
    }
}

/* A true state passes at every step, also with a guest, whose sums are the largest; a wrong one does not. */
static void test_check_state(void) {
    for (int guest = BOIDS_NOBODY; guest <= BOIDS_FOE; guest++) {
        Flock flock = flock_new();
        Boids* env = &flock.env;
        env->horizon = 30;
        env->separation_radius = env->view_radius / 32;
        env->cohesion_weight = env->alignment_weight = env->separation_weight = 10;
        if (!flock_open(&flock)) return;
        env->guest.kind = guest;
        for (int t = 0; t < 70; t++) {
            flock_step(&flock, flock_script);
            CHECK_TEXT(c_check_state(env), NULL);
        }
        env->tick = 30;
        CHECK_TEXT(c_check_state(env), "tick: expected 0 to 29, got 30");
        env->tick = 29;
        env->tally.turn = -1;
        CHECK(c_check_state(env) != NULL);
        flock_close(&flock);
    }
}

/* ---- Log */

/* Means by hand, over boids and steps, against the log; rewards are kept to 1/65536 there. */
static void test_log_of_rewards(void) {
    for (int warmup = 0; warmup < 20; warmup += 7) {
        Flock flock = flock_new();
        flock.env.num_boids = 40;
        flock.env.horizon = 20;
        flock.env.warmup = warmup;
        if (!flock_open(&flock)) return;
        double all = 0, after = 0, cosine = 0, closeness = 0, togetherness = 0, turn = 0;
        for (int t = 0; t < 20; t++) {
            flock_random(&flock);
            for (int i = 0; i < 40 && t >= warmup; i++) {
                const int action = ((int32_t*)flock.env.actions)[i];
                turn += (action == 0 || action == 4 ? 15 : action == 2 ? 0 : 5) / 15.0;
            }
            if (t == 19) flock.env.horizon = 1000; /* so that the last observations are of this episode */
            c_step(&flock.env);
            for (int i = 0; i < 40; i++) {
                const float* row = flock.env.observations + 10 * i;
                all += (double)flock.env.rewards[i];
                if (t < warmup) continue;
                after += (double)flock.env.rewards[i];
                cosine += (double)(row[1] * row[4]);
                closeness += (double)row[8];
                togetherness += (double)row[9];
            }
        }
        int32_t groups, largest;
        sight_groups(&flock.env.sight, sight_scratch(&flock.env.sight), NULL, &groups, &largest);
        boids_log_episode(&flock.env.log, &flock.env.tally, 40, flock.env.hard, groups, largest);
        const double steps = 40 * (20 - warmup);
        CHECK_NEAR(flock.env.log.episode_return, all / 40, 20 * 2e-5);
        CHECK_EQ(flock.env.log.episode_length, 20);
        CHECK_NEAR(flock.env.log.reward, after / steps, 2e-5);
        CHECK_NEAR(flock.env.log.cohesion, 0.4 * togetherness / steps, 2e-5);
        CHECK_NEAR(flock.env.log.alignment, 0.6 * cosine / steps, 2e-5);
        CHECK_NEAR(flock.env.log.separation, -1.5 * closeness / steps, 2e-5);
        CHECK_NEAR(flock.env.log.turn, turn / steps, 1e-3);
        flock_close(&flock);
    }
}

/* Two steps in the places given, and the log of them. */
static Log log_of(Flock* flock, int32_t n, const double (*boids)[3]) {
    for (int t = 0; t < 2; t++) {
        for (int32_t i = 0; i < n; i++) flock_place(flock, i, boids[i][0], boids[i][1], boids[i][2]);
        flock_step(flock, flock_straight);
    }
    CHECK_EQ(flock->env.log.n, 1);
    const Log log = flock->env.log;
    flock_close(flock);
    return log;
}

static void test_log_of_parallels(void) {
    Flock flock = planted(2);
    if (!flock_open(&flock)) return;
    const Log log = log_of(&flock, 2, (const double[][3]){{500, 300, 30}, {550, 300, 30}});
    CHECK_NEAR(log.polarization, 1, 1e-3);
    CHECK_NEAR(log.local_alignment, 1, 1e-3);
    CHECK_NEAR(log.nearest, 2, 5e-3);
    CHECK_NEAR(log.milling, 0, 1e-3);
    CHECK_EQ(log.collisions, 0);
    CHECK_EQ(log.isolation, 0);
    CHECK_EQ(log.groups, 1);
    CHECK_EQ(log.largest_group, 1);
    CHECK_EQ(log.turn, 0);
    CHECK_NEAR(log.cohesion, 0.4 / 6 * 0.5, 1e-3);
    CHECK_NEAR(log.alignment, 0.6 / 6, 1e-3);
    CHECK_EQ(log.separation, 0);
    CHECK_NEAR(log.reward, log.cohesion + log.alignment, 1e-4);
    CHECK_NEAR(log.episode_return, 2 * log.reward, 1e-4);
}

/* Two that circle clockwise around their middle. */
static void test_log_of_opposites(void) {
    Flock flock = planted(2);
    if (!flock_open(&flock)) return;
    const Log log = log_of(&flock, 2, (const double[][3]){{500, 300, 90}, {505, 300, 270}});
    CHECK_NEAR(log.polarization, 0, 1e-3);
    CHECK_NEAR(log.local_alignment, -1, 1e-3);
    CHECK_NEAR(log.milling, 1, 1e-3);
    CHECK_NEAR(log.nearest, 0.2, 5e-3);
    CHECK_EQ(log.collisions, 1);
    CHECK_NEAR(log.separation, -1.5 * 0.8, 1e-2);
}

/* One boid alone, two that touch, three that do not: shares, and means over those that have neighbours. */
static void test_log_of_shares(void) {
    Flock flock = planted(6);
    if (!flock_open(&flock)) return;
    const Log log = log_of(
        &flock, 6,
        (const double[][3]){{100, 100, 0}, {500, 300, 0}, {506, 300, 0}, {800, 600, 180}, {850, 600, 180}, {850, 650, 180}});
    CHECK_NEAR(log.isolation, 1.0 / 6, 1e-6);
    CHECK_NEAR(log.collisions, 2.0 / 6, 1e-6);
    CHECK_NEAR(log.nearest, (2 * 6 + 3 * 50) / 25.0 / 5, 1e-2);
    CHECK_NEAR(log.local_alignment, 1, 1e-3);
    CHECK_NEAR(log.polarization, 0, 1e-3);
    CHECK_EQ(log.groups, 3);
    CHECK_EQ(log.largest_group, 0.5);
}

/* Groups hold together by sight, boid by boid and across the seams; boids at the rim of sight do not. */
static void test_log_of_groups(void) {
    for (int use_cells = 0; use_cells < 2; use_cells++) {
        Flock flock = planted(12);
        if (!flock_open(&flock)) return;
        sight_use_cells(&flock.env.sight, use_cells);
        const Log log = log_of(&flock, 12,
                               (const double[][3]){/* a chain of five along the seam in x */
                                                   {1050, 100, 0},
                                                   {55, 100, 0},
                                                   {145, 100, 0},
                                                   {240, 100, 0},
                                                   {325, 110, 0},
                                                   /* three around a corner, which is one point of the torus */
                                                   {540, 719, 0},
                                                   {545, 1, 0},
                                                   {600, 40, 0},
                                                   /* two pairs, out of each other's sight by a little */
                                                   {300, 400, 0},
                                                   {350, 400, 0},
                                                   {350, 500.5, 0},
                                                   {300, 500.5, 0}});
        CHECK_EQ(log.groups, 4);
        CHECK_NEAR(log.largest_group, 5.0 / 12, 1e-6);
    }
}

/* ---- The script */

static double polarization(const Boids* env) {
    double c = 0, s = 0;
    for (int32_t i = 0; i < env->num_boids; i++) {
        c += (double)sight_cos(env->heading[i]);
        s += (double)sight_sin(env->heading[i]);
    }
    return sqrt(c * c + s * s) / env->num_boids;
}

static void test_script_flocks(void) {
    for (int action = DISCRETE; action <= CONTINUOUS; action++) {
        for (uint64_t seed = 0; seed < 4; seed++) {
            Flock flock = flock_new();
            flock.env.rng = env_seed(seed, 0, 0);
            flock.env.action = action;
            flock.env.horizon = 1000;
            if (!flock_open(&flock)) return;
            CHECK(polarization(&flock.env) < 0.4);
            for (int t = 0; t < 900; t++) flock_step(&flock, flock_script);
            CHECK(polarization(&flock.env) > 0.9);
            if (polarization(&flock.env) <= 0.95)
                printf("    action %d, seed %d: %.3f\n", action, (int)seed, polarization(&flock.env));
            flock_close(&flock);
        }
    }
}

/* Whatever the largest turn, the script's actions lie in the action space. */
static void test_script_keeps_to_the_space(void) {
    const float turns[] = {0, 1, 15, 45, 89, 90, 91, 135, 179, 180};
    for (int k = 0; k < 20; k++) {
        Flock flock = flock_new();
        flock.env.num_boids = 100;
        flock.env.action = k % 2;
        flock.env.max_turn = turns[k / 2];
        flock.env.gentle_turn = flock.env.max_turn / 3;
        if (!flock_open(&flock)) return;
        int32_t bad = 0;
        for (int t = 0; t < 60 && !bad; t++) {
            c_script(&flock.env);
            for (int i = 0; i < 100; i++) {
                const float fraction = ((float*)flock.env.actions)[i];
                const int32_t choice = ((int32_t*)flock.env.actions)[i];
                bad += k % 2 ? !(fraction >= -1 && fraction <= 1) : choice < 0 || choice > 4;
            }
            if (!bad) c_step(&flock.env);
        }
        CHECK_EQ(bad, 0);
        if (bad) printf("    max_turn %g\n", (double)turns[k / 2]);
        flock_close(&flock);
    }
}

/* It turns towards the company, away from the near, and straight on where it is right already. */
static void test_script_turns(void) {
    for (int action = DISCRETE; action <= CONTINUOUS; action++) {
        Flock flock = planted(2);
        flock.env.action = action;
        if (!flock_open(&flock)) return;
        for (int side = -1; side <= 1; side++) {
            for (int near = 0; near < 2; near++) {
                flock_place(&flock, 0, 500, 300, 0);
                flock_place(&flock, 1, 500 + (near ? 5 : 40), 300 + side * (near ? 5 : 40), 0);
                flock.env.tick = 0;
                flock_step(&flock, flock_straight);
                flock.env.script_cohesion = 1;
                flock.env.script_alignment = 0;
                flock.env.script_separation = 4;
                c_script(&flock.env);
                const float turn = action ? ((float*)flock.env.actions)[0] : (float)(2 - ((int32_t*)flock.env.actions)[0]);
                const int left = near ? -side : side;
                CHECK(left > 0 ? turn > 0 : left < 0 ? turn < 0 : turn == 0 || near);
            }
        }
        flock_close(&flock);
    }
}

/* ---- Accuracy: what the manual of boids.h promises, for pairs of any distance in worlds of many kinds */

static double shorter_way(uint32_t from, uint32_t to, float side) {
    return (int32_t)(to - from) / 4294967296.0 * (double)side;
}

/* The largest errors of closeness and push of a flock, against doubles. */
static void compare_with_doubles(const Boids* env, double* closeness, double* push) {
    const double r = (double)env->separation_radius;
    for (int32_t i = 0; i < env->num_boids; i++) {
        double x = 0, y = 0, nearest = r;
        for (int32_t j = 0; j < env->num_boids; j++) {
            const double dx = shorter_way(env->x[i], env->x[j], env->width),
                         dy = shorter_way(env->y[i], env->y[j], env->height);
            const double d = hypot(dx, dy);
            if (j == i || d >= r) continue;
            nearest = d < nearest ? d : nearest;
            x -= 3 * (1 - d * d / (r * r)) * dx / r;
            y -= 3 * (1 - d * d / (r * r)) * dy / r;
        }
        const BoidsObservation* see = boids_observation(env, i);
        const double angle = RADIANS(env->heading[i] * 360.0 / 65536), c = cos(angle), s = sin(angle);
        const double ahead = fmax(fmin(x * c + y * s, 1), -1), left = fmax(fmin(y * c - x * s, 1), -1);
        *closeness = fmax(*closeness, fabs(1 - nearest / r - (double)see->closeness));
        *push = fmax(*push, fmax(fabs(ahead - (double)see->push_ahead), fabs(left - (double)see->push_left)));
    }
}

static void test_accuracy(void) {
    static const struct {
        float width, height, view, separation;
    } worlds[] = {{1080, 720, 100, 25},    {1080, 720, 100, 12},        {1080, 720, 100, 3.125f},
                  {1080, 720, 100, 100},   {1080, 720, 360, 90},        {1500, 100, 50, 12.5f},
                  {10000, 10000, 100, 25}, {10000, 10000, 100, 3.125f}, {1000000, 1000000, 500, 125}};
    double closeness = 0, push = 0;
    for (size_t w = 0; w < sizeof worlds / sizeof *worlds; w++) {
        Flock flock = flock_new();
        flock.env.num_boids = 200;
        flock.env.speed = 0;
        flock.env.horizon = 1000;
        flock.env.width = worlds[w].width;
        flock.env.height = worlds[w].height;
        flock.env.view_radius = worlds[w].view;
        flock.env.separation_radius = worlds[w].separation;
        flock.env.collision_radius = 0;
        if (!flock_open(&flock)) return;
        for (int t = 0; t < 20; t++) { /* in pairs, which are as often very near as at the separation radius */
            for (int32_t i = 0; i < 200; i += 2) {
                const double u = (double)(env_random(&flock.rng) >> 11) / 9007199254740992.0, angle = i * 0.7 + t;
                const double d = 1.1 * u * u * (double)worlds[w].separation;
                const double x = shorter_way(0, (uint32_t)env_random(&flock.rng), worlds[w].width);
                const double y = shorter_way(0, (uint32_t)env_random(&flock.rng), worlds[w].height);
                flock_place(&flock, i, x, y, angle * 50);
                flock_place(&flock, i + 1, x + d * cos(angle), y + d * sin(angle), angle * 20);
            }
            flock_step(&flock, flock_straight);
            compare_with_doubles(&flock.env, &closeness, &push);
        }
        flock_close(&flock);
    }
    printf("    closeness is off by %.4f at most, the push by %.4f\n", closeness, push);
    CHECK(closeness < 0.008);
    CHECK(push < 0.02);
}

/* ---- The guest */

static void test_guest_is_seen(void) {
    for (int kind = BOIDS_FRIEND; kind <= BOIDS_FOE; kind++) {
        Flock flock = flock_new();
        flock.env.num_boids = 2;
        flock.env.speed = 0;
        if (!flock_open(&flock)) return;
        flock_place(&flock, 0, 1079, 360,
                    0); /* it sees the guest 50 ahead, across the seam; the other is out of sight of both */
        flock_place(&flock, 1, 540, 100, 0);
        flock.env.guest.kind = kind;
        flock.env.guest.x = 49;
        flock.env.guest.y = 360;
        flock_step(&flock, flock_straight);
        const float *row = flock.env.observations, *other = row + 10;
        CHECK_NEAR(row[0], 1, 0);
        CHECK_NEAR(row[1], 1, 0);                                 /* a full company */
        CHECK_NEAR(row[2], kind == BOIDS_FRIEND ? 0.5 : 0, 1e-3); /* ahead, or right here */
        CHECK_NEAR(row[4], kind == BOIDS_FRIEND ? 1 : -1, 1e-3);  /* heading for itself, or fleeing */
        CHECK_NEAR(row[6], kind == BOIDS_FRIEND ? 0 : -1, 1e-3);  /* -3 x (1 - 0.5^2) x 0.5, clipped */
        CHECK_NEAR(row[8], kind == BOIDS_FRIEND ? 0 : 0.5, 1e-2); /* half way to it, whatever the separation radius */
        for (int k = 0; k < 10; k++) CHECK_NEAR(other[k], 0, 0);
        flock_close(&flock);
    }
}

/* How many boids have the guest in sight. */
static int around_the_guest(const Boids* env) {
    int around = 0;
    for (int32_t i = 0; i < env->num_boids; i++) {
        const double dx = env->x[i] / 4294967296.0 * (double)env->width - (double)env->guest.x;
        const double dy = env->y[i] / 4294967296.0 * (double)env->height - (double)env->guest.y;
        around += dx * dx + dy * dy < (double)(env->view_radius * env->view_radius);
    }
    return around;
}

static void test_guest_leads_and_scares(void) {
    double around[3] = {0};
    for (int kind = 0; kind < 3; kind++) {
        for (uint64_t seed = 0; seed < 8; seed++) {
            Flock flock = flock_new();
            flock.env.num_boids = 300;
            flock.env.horizon = 1000;
            flock.env.rng = env_seed(seed, 0, 0);
            if (!flock_open(&flock)) return;
            flock.env.guest.x = 540;
            flock.env.guest.y = 360;
            flock.env.guest.kind = kind;
            for (int t = 0; t < 150; t++) {
                flock_step(&flock, flock_script);
                around[kind] += around_the_guest(&flock.env) / (8 * 150.0);
            }
            CHECK_TEXT(boids_validate(&flock.env), NULL);
            flock_close(&flock);
        }
    }
    CHECK(around[1] > 1.5 * around[0]);
    CHECK(around[2] < 0.7 * around[0]);
    printf("    boids around: %.1f, to be near %.1f, too near %.1f\n", around[0], around[1], around[2]);
}

/* ---- The validator finds what is broken */

static void test_validate(void) {
    const char* broken[8];
    for (int k = 0; k < 8; k++) {
        Flock flock = flock_new();
        flock.env.num_boids = 400;
        if (!flock_open(&flock)) return;
        flock_step(&flock, flock_random);
        Boids* env = &flock.env;
        switch (k) {
            case 0: env->observations[7] = 1.0001f; break;
            case 1: env->observations[3999] = NAN; break;
            case 2: env->rewards[399] = -1.5f; break;
            case 3: env->tick = env->horizon; break;
            case 4: env->x[200] += 1u << 31; break;
            case 5: env->sight.id[3] = 400; break;
            case 6: env->sight.start[env->sight.columns * env->sight.rows]--; break;
            case 7: env->sight.start[5] = env->sight.start[7] + 1; break;
        }
        broken[k] = boids_validate(env);
        CHECK(broken[k]);
        flock_close(&flock);
    }
}

int main(void) {
    RUN(test_ranges);
    RUN(test_ranges_of_two);
    RUN(test_spaces);
    RUN(test_without_memory);
    RUN(test_steps_without_memory);
    RUN(test_closes_twice);
    RUN(test_memory_of_a_million);
    RUN(test_moves);
    RUN(test_discrete_turns);
    RUN(test_continuous_turns);
    RUN(test_half_a_turn);
    RUN(test_alone);
    RUN(test_pair);
    RUN(test_coincident);
    RUN(test_ties);
    RUN(test_reward_is_clipped);
    RUN(test_episodes);
    RUN(test_shortest_episode);
    RUN(test_stagger);
    RUN(test_same_seed_same_flock);
    RUN(test_restored);
    RUN(test_check_state);
    RUN(test_log_of_rewards);
    RUN(test_log_of_parallels);
    RUN(test_log_of_opposites);
    RUN(test_log_of_shares);
    RUN(test_log_of_groups);
    RUN(test_script_flocks);
    RUN(test_script_keeps_to_the_space);
    RUN(test_script_turns);
    RUN(test_accuracy);
    RUN(test_guest_is_seen);
    RUN(test_guest_leads_and_scares);
    RUN(test_validate);
    return check_result();
}
