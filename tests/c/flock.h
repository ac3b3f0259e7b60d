/* flock.h - a flock with its arrays, for the C tests
 *
 *     Flock flock = flock_new();
 *     flock.env.num_boids = 10;                  // any parameter
 *     if (!flock_open(&flock)) return;           // c_init, arrays of the exact size, c_reset; a claim fails if c_init does
 *     flock_step(&flock, flock_random);          // actions, c_step, and a check of every invariant of the state
 *     flock_close(&flock);                       // and where no other flock is open, nothing may be left allocated
 *
 * Everything is allocated through flock_calloc, which counts, and fails when flock_allocations_left is 0.
 */
#ifndef FLOCK_H
#define FLOCK_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

static long flock_allocations_left = -1; /* how many more succeed; negative: all */
static long flock_allocations;           /* allocations not yet freed */
static size_t flock_bytes;               /* their bytes */
static long flock_count;                 /* open flocks */

typedef union FlockBlock {
    size_t bytes;
    max_align_t align;
} FlockBlock;

static inline void* flock_calloc(size_t count, size_t size) {
    if (flock_allocations_left == 0) return NULL;
    flock_allocations_left -= flock_allocations_left > 0;
    FlockBlock* block = (FlockBlock*)calloc(1, sizeof(FlockBlock) + count * size);
    if (!block) return NULL;
    block->bytes = count * size;
    flock_bytes += block->bytes;
    flock_allocations++;
    return block + 1;
}

static inline void flock_free(void* pointer) {
    if (!pointer) return;
    FlockBlock* block = (FlockBlock*)pointer - 1;
    flock_bytes -= block->bytes;
    flock_allocations--;
    free(block);
}

#define ENV_CALLOC(count, size) flock_calloc(count, size)
#define ENV_FREE(pointer) flock_free(pointer)

/* a header of the flock with more hooks than boids.h, which env_vec.h looks for */
#ifdef FLOCK_HEADER
#include FLOCK_HEADER
#else
#include "boids.h"
#endif
#include "env_vec.h"

#include "check.h"
#include "validate.h"

enum { DISCRETE, CONTINUOUS };
enum { RULES, NEAREST };

typedef struct Flock {
    Boids env;
    uint64_t rng; /* of random actions */
} Flock;

static inline Flock flock_new(void) {
    Flock flock;
    memset(&flock, 0, sizeof flock);
    env_defaults(&flock.env);
    flock.env.rng = env_seed(1, 0, 0);
    flock.env.num_envs = 1;
    flock.rng = 2;
    return flock;
}

static inline bool flock_open(Flock* flock) {
    Boids* env = &flock->env;
    const char* error = c_init(env);
    CHECK_TEXT(error, NULL);
    if (error) return false;
    error = env_allocate(env);
    CHECK_TEXT(error, NULL);
    if (error) c_close(env);
    if (error) return false;
    flock_count++;
    /* NaN: an observation that nobody writes is seen by the tests */
    memset(env->observations, 255, (size_t)env->num_agents * (size_t)c_observation_space(env).size * sizeof(float));
    c_reset(env);
    CHECK_TEXT(boids_validate(env), NULL);
    return true;
}

static inline void flock_close(Flock* flock) {
    c_close(&flock->env);
    env_free(&flock->env);
    if (--flock_count) return;
    CHECK_EQ(flock_allocations, 0);
    CHECK_EQ(flock_bytes, 0);
}

/* ---- Actions for all: straight ahead, random, or by the script. */
static inline void flock_straight(Flock* flock) {
    for (int32_t i = 0; i < flock->env.num_boids; i++) {
        if (flock->env.action == CONTINUOUS)
            ((float*)flock->env.actions)[i] = 0;
        else
            ((int32_t*)flock->env.actions)[i] = 2;
    }
}

static inline void flock_random(Flock* flock) {
    for (int32_t i = 0; i < flock->env.num_boids; i++) {
        const uint32_t bits = (uint32_t)(env_random(&flock->rng) >> 40);
        if (flock->env.action == CONTINUOUS)
            ((float*)flock->env.actions)[i] = (float)bits / 8388608.0f - 1.0f;
        else
            ((int32_t*)flock->env.actions)[i] = (int32_t)(bits % 5);
    }
}

static inline void flock_script(Flock* flock) { c_script(&flock->env); }

static inline void flock_step(Flock* flock, void (*act)(Flock*)) {
    act(flock);
    c_step(&flock->env);
    CHECK_TEXT(boids_validate(&flock->env), NULL);
}

/* Puts boid i at x, y (world units, any number of sides away) with a heading in degrees. */
static inline void flock_place(Flock* flock, int32_t i, double x, double y, double degrees) {
    Boids* env = &flock->env;
    env->x[i] = (uint32_t)(int64_t)floor(x / (double)env->width * 4294967296.0 + 0.5);
    env->y[i] = (uint32_t)(int64_t)floor(y / (double)env->height * 4294967296.0 + 0.5);
    env->heading[i] = (uint16_t)(int64_t)floor(degrees / 360 * 65536 + 0.5);
}

/* FNV-1a of some bytes, going on from `hash`; start with FLOCK_HASH. */
#define FLOCK_HASH 0xcbf29ce484222325u
static inline uint64_t flock_hash_bytes(uint64_t hash, const void* bytes, size_t size) {
    const uint8_t* byte = (const uint8_t*)bytes;
    for (size_t k = 0; k < size; k++) hash = (hash ^ byte[k]) * 0x100000001b3u;
    return hash;
}

/* Of the state, the observations, the rewards and the log, rounded to floats. */
static inline uint64_t flock_hash(uint64_t hash, const Boids* env) {
    const size_t n = (size_t)env->num_boids;
    hash = flock_hash_bytes(hash, env->x, n * sizeof *env->x);
    hash = flock_hash_bytes(hash, env->y, n * sizeof *env->y);
    hash = flock_hash_bytes(hash, env->heading, n * sizeof *env->heading);
    hash = flock_hash_bytes(hash, env->observations, n * (size_t)boids_observation_size(env) * sizeof(float));
    hash = flock_hash_bytes(hash, env->rewards, n * sizeof(float));
#define FLOCK__FLOAT(name, ...) (float)env->log.name,
    const float log[] = {BOIDS_LOG(FLOCK__FLOAT)(float) env->log.n};
#undef FLOCK__FLOAT
    return flock_hash_bytes(hash, log, sizeof log);
}

#endif
