/* test_threads.c - env_threads.h: every unit once, whoever does it; and the same bits from flocks on several threads
 *
 *     test_threads race       adds to one number without the lock: what TSan must report
 */
#include "flock.h"

#include "env_vec.h"

#if !defined(_WIN32)
#include <pthread.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#endif

enum { UNITS = 1000 };

typedef struct Tally {
    int32_t times[UNITS]; /* that each unit was done */
    int64_t sum;
    bool locked;
} Tally;

static void tally(void* context, int32_t from, int32_t to) {
    Tally* t = (Tally*)context;
    int64_t sum = 0;
    for (int32_t k = from; k < to; k++) {
        t->times[k]++;
        sum += k;
    }
    if (t->locked) env_threads_lock();
    t->sum += sum;
    if (t->locked) env_threads_unlock();
}

/* Whether each unit was done once in each round. */
static bool runs_well(int32_t threads, int32_t units, int32_t rounds) {
    Tally t;
    memset(&t, 0, sizeof t);
    t.locked = true;
    for (int32_t k = 0; k < rounds; k++) env_threads_run(threads, units, tally, &t);
    int wrong = 0;
    for (int32_t k = 0; k < UNITS; k++) wrong += t.times[k] != (k < units ? rounds : 0);
    return !wrong && t.sum == (int64_t)rounds * units * (units - 1) / 2;
}

static void run(int32_t threads, int32_t units, int32_t rounds) { CHECK(runs_well(threads, units, rounds)); }

static void test_every_unit_once(void) {
    for (int32_t threads = 1; threads <= 5; threads++) {
        run(threads, 0, 3);
        run(threads, 1, 3);
        run(threads, 3, 100);
        run(threads, UNITS, 300);
    }
    run(ENV_MOST_THREADS + 100, UNITS, 2);
}

/* A run from within a run happens on its own thread alone. */
static void inner(void* good, int32_t from, int32_t to) {
    for (int32_t k = from; k < to; k++) ((bool*)good)[k] = runs_well(3, 10, 1);
}
static void test_a_run_within_a_run(void) {
    bool good[8] = {false};
    env_threads_run(3, 8, inner, good);
    for (int k = 0; k < 8; k++) CHECK(good[k]);
}

static void test_new_threads_after_the_end(void) {
    for (int k = 0; k < 20; k++) {
        run(3, UNITS, 2);
        env_threads_end();
    }
    env_threads_end();
}

#if !defined(_WIN32)
/* Several threads of the program run at the same time: one has the pool, the others work alone. */
static void* runs(void* good) {
    *(bool*)good = runs_well(3, UNITS, 200);
    return NULL;
}
static void test_runs_at_the_same_time(void) {
    pthread_t threads[3];
    bool good[3] = {false};
    for (int k = 0; k < 3; k++) CHECK_EQ(pthread_create(&threads[k], NULL, runs, &good[k]), 0);
    for (int k = 0; k < 3; k++) CHECK_EQ(pthread_join(threads[k], NULL), 0);
    for (int k = 0; k < 3; k++) CHECK(good[k]);
}

#if !defined(__SANITIZE_THREAD__) && !defined(__SANITIZE_ADDRESS__) /* TSan refuses threads in a child, ASan little memory */
/* A forked child has none of the parent's threads, and starts its own. */
static void test_a_forked_child(void) {
    run(3, UNITS, 10);
    fflush(stdout);
    const pid_t child = fork();
    if (child == 0) {
        run(3, UNITS, 10);
        _exit(check_failures != 0);
    }
    int status = -1;
    CHECK_EQ(waitpid(child, &status, 0), child);
    CHECK_EQ(status, 0);
    run(3, UNITS, 10);
}

/* Where the system has no memory for a thread's stack there are fewer threads, and the same result. */
static void test_threads_are_refused(void) {
    env_threads_end();
    fflush(stdout);
    const pid_t child = fork();
    if (child == 0) {
        struct rlimit none = {64 << 20, 64 << 20};
        if (setrlimit(RLIMIT_AS, &none)) _exit(2);
        run(64, UNITS, 10);
        _exit(check_failures ? 1 : atomic_load(&env__pool.threads) < 63 ? 0 : 3);
    }
    int status = -1;
    CHECK_EQ(waitpid(child, &status, 0), child);
    CHECK_EQ(WEXITSTATUS(status), 0);
}
#endif
#endif

/* ---- Flocks */

static Flock flock_of(int32_t num_boids, uint64_t seed, int32_t threads, int observation) {
    Flock flock = flock_new();
    flock.env.num_boids = num_boids;
    flock.env.num_threads = threads;
    flock.env.width = flock.env.height = 3000;
    flock.env.observation = observation;
    flock.env.horizon = 25;
    flock.env.rng = env_seed(seed, 0, 0);
    return flock;
}

static void test_one_flock_on_several_threads(void) {
    for (int32_t threads = 2; threads <= 5; threads++) {
        for (int observation = RULES; observation <= NEAREST; observation++) {
            Flock alone = flock_of(2000, 1, 1, observation), shared = flock_of(2000, 1, threads, observation);
            if (!flock_open(&alone) || !flock_open(&shared)) return;
            for (int t = 0; t < 30; t++) {
                flock_step(&alone, flock_random);
                flock_step(&shared, flock_random);
                CHECK(flock_hash(FLOCK_HASH, &alone.env) == flock_hash(FLOCK_HASH, &shared.env));
            }
            flock_close(&alone);
            flock_close(&shared);
        }
    }
}

int main(int argc, char** argv) {
    if (argc > 1 && strcmp(argv[1], "race") == 0) {
        static Tally t; /* not locked */
        for (int k = 0; k < 1000; k++) env_threads_run(2, UNITS, tally, &t);
        return 0;
    }
    RUN(test_every_unit_once);
    RUN(test_a_run_within_a_run);
    RUN(test_new_threads_after_the_end);
#if !defined(_WIN32)
    RUN(test_runs_at_the_same_time);
#if !defined(__SANITIZE_THREAD__) && !defined(__SANITIZE_ADDRESS__)
    RUN(test_a_forked_child);
    RUN(test_threads_are_refused);
#endif
#endif
    RUN(test_one_flock_on_several_threads);
    return check_result();
}
