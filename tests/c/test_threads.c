/* test_threads.c - flocks on threads of their own, and the parts of one flock: no race, and the same bits as on one thread
 *
 * OpenMP's own runtime is a riddle to TSan, so the threads here are POSIX's, which meet where the header says SIGHT_BARRIER.
 *
 *     test_threads race       lets the parts run without meeting: what TSan must report
 */
#define _POSIX_C_SOURCE 200809L /* barriers */

#include <pthread.h>
#include <stdbool.h>

enum { THREADS = 2, STEPS = 20 };
static pthread_barrier_t meeting;
static bool racing;
#define SIGHT_BARRIER(parts) \
    if ((parts) > 1 && !racing) pthread_barrier_wait(&meeting);

#include "flock.h"

static Flock flock_of(int32_t num_boids, uint64_t seed, int32_t threads) {
    Flock flock = flock_new();
    flock.env.num_boids = num_boids;
    flock.env.num_threads = threads;
    flock.env.width = flock.env.height = 3000;
    flock.env.observation = NEAREST;
    flock.env.horizon = 1000;
    flock.env.rng = env_seed(seed, 0, 0);
    return flock;
}

static void* fly(void* flock) {
    for (int t = 0; t < STEPS; t++) {
        flock_script((Flock*)flock);
        c_step(&((Flock*)flock)->env);
    }
    return NULL;
}

static void test_flocks_apart(void) {
    Flock alone[THREADS], together[THREADS];
    pthread_t threads[THREADS];
    for (int k = 0; k < THREADS; k++) {
        alone[k] = flock_of(500, (uint64_t)k, 1);
        together[k] = flock_of(500, (uint64_t)k, 1);
        if (!flock_open(&alone[k]) || !flock_open(&together[k])) return;
    }
    for (int k = 0; k < THREADS; k++) CHECK_EQ(pthread_create(&threads[k], NULL, fly, &together[k]), 0);
    for (int k = 0; k < THREADS; k++) fly(&alone[k]);
    for (int k = 0; k < THREADS; k++) CHECK_EQ(pthread_join(threads[k], NULL), 0);
    for (int k = 0; k < THREADS; k++) {
        CHECK(flock_hash(FLOCK_HASH, &alone[k].env) == flock_hash(FLOCK_HASH, &together[k].env));
        flock_close(&alone[k]);
        flock_close(&together[k]);
    }
}

typedef struct Part {
    Flock* flock;
    int32_t number;
    BoidsSums sums;
} Part;

static void* step_parts(void* part) {
    Part* mine = (Part*)part;
    for (int t = 0; t < STEPS; t++) {
        boids__step_part(&mine->flock->env, mine->number, THREADS, &mine->sums);
        if (!racing) pthread_barrier_wait(&meeting); /* where OpenMP's parallel region ends */
    }
    return NULL;
}

static void test_parts_of_one(void) {
    Flock alone = flock_of(2000, 1, 1), shared = flock_of(2000, 1, THREADS);
    if (!flock_open(&alone) || !flock_open(&shared)) return;
    pthread_barrier_init(&meeting, NULL, THREADS);
    pthread_t threads[THREADS];
    Part parts[THREADS];
    memset(parts, 0, sizeof parts);
    flock_random(&alone);
    flock_random(&shared);
    for (int32_t k = 0; k < THREADS; k++) {
        parts[k].flock = &shared;
        parts[k].number = k;
        CHECK_EQ(pthread_create(&threads[k], NULL, step_parts, &parts[k]), 0);
    }
    for (int t = 0; t < STEPS; t++) c_step(&alone.env);
    for (int k = 0; k < THREADS; k++) CHECK_EQ(pthread_join(threads[k], NULL), 0);
    const size_t size = 2000 * (size_t)boids_observation_size(&alone.env) * sizeof(float);
    CHECK(memcmp(alone.env.observations, shared.env.observations, size) == 0);
    CHECK(memcmp(alone.env.rewards, shared.env.rewards, 2000 * sizeof(float)) == 0);
    CHECK_EQ(alone.env.tally.reward_all, parts[0].sums.reward + parts[1].sums.reward);
    pthread_barrier_destroy(&meeting);
    flock_close(&alone);
    flock_close(&shared);
}

int main(int argc, char** argv) {
    racing = argc > 1 && strcmp(argv[1], "race") == 0;
    if (!racing) RUN(test_flocks_apart);
    RUN(test_parts_of_one);
    return check_result();
}
