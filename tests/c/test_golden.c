/* test_golden.c - the same seed gives the same bits: hashes of state, observations, rewards and log, kept in golden.h
 *
 * They must hold for every compiler, instruction set and level of optimization (tests/c/CMakeLists.txt compiles this file with
 * many), under the sanitizers, and on every machine. When the dynamics change on purpose, CHANGELOG.md says so, and
 *
 *     build/default/test_golden --print > tests/c/golden.h
 *
 * writes them anew. tests/test_golden.py has the number of threads.
 */
#include "flock.h"
#include "runs_here.h"

typedef struct Golden {
    const char* name;
    uint64_t hash;
} Golden;

static const Golden golden[] = {
#define GOLDEN(name, hash) {#name, hash},
#include "golden.h"
#undef GOLDEN
    {NULL, 0},
};

static bool printing;

/* Enough steps to end an episode; every other one is the script's, and the rest are random. */
static void hold(const char* name, Flock flock, int steps) {
    if (!flock_open(&flock)) return;
    uint64_t hash = flock_hash(FLOCK_HASH, &flock.env);
    for (int t = 0; t < steps; t++) {
        flock_step(&flock, t & 1 ? flock_script : flock_random);
        if (t % 10 == 9 || t < 10) hash = flock_hash(hash, &flock.env);
    }
    CHECK(flock.env.log.n > 0);
    flock_close(&flock);
    if (printing) {
        printf("GOLDEN(%s, 0x%016llx)\n", name, (unsigned long long)hash);
        return;
    }
    const Golden* row = golden;
    while (row->name && strcmp(row->name, name) != 0) row++;
    CHECK_TEXT(row->name, name);
    CHECK(row->hash == hash);
    if (row->hash != hash) printf("    %s: 0x%016llx\n", name, (unsigned long long)hash);
}

/* What all of them start from: a few short episodes, so that the log and the restarts count too. */
static Flock short_episodes(void) {
    Flock flock = flock_new();
    flock.env.horizon = 120;
    flock.env.warmup = 10;
    flock.env.num_envs = 3;
    flock.env.index = 1;
    return flock;
}

static void hold_all(void) {
    for (uint64_t seed = 0; seed < 3; seed++) {
        const char* names[] = {"seed_0", "seed_1", "seed_2"};
        Flock flock = short_episodes();
        flock.env.rng = env_seed(seed, 0, 0);
        hold(names[seed], flock, 250);
    }
    Flock flock = short_episodes();
    flock.env.num_boids = 1;
    hold("alone", flock, 250);

    flock = short_episodes();
    flock.env.observation = NEAREST;
    hold("nearest", flock, 250);
    flock.env.num_neighbors = 32;
    flock.env.num_boids = 200;
    hold("nearest_of_many", flock, 100);

    flock = short_episodes();
    flock.env.action = CONTINUOUS;
    hold("continuous", flock, 250);
    flock.env.observation = NEAREST;
    flock.env.max_turn = 180;
    hold("continuous_nearest", flock, 250);

    flock = short_episodes();
    flock.env.width = 4000;
    flock.env.height = 3000;
    flock.env.num_boids = 1000;
    hold("cells", flock, 150);
    flock.env.observation = NEAREST;
    flock.env.action = CONTINUOUS;
    hold("cells_continuous_nearest", flock, 100);
    flock.env.width = flock.env.height = 5000;
    flock.env.num_boids = 4001;
    hold("cells_of_many", flock, 90);

    flock = short_episodes();
    flock.env.width = 20000;
    flock.env.height = 200;
    flock.env.num_boids = 700;
    hold("oblong", flock, 150);
    flock.env.width = 333;
    flock.env.height = 9999;
    flock.env.num_boids = 77;
    hold("oblong_small", flock, 300);

    flock = short_episodes();
    flock.env.width = flock.env.height = 100000;
    flock.env.num_boids = 50;
    hold("sparse", flock, 300);

    flock = short_episodes();
    flock.env.view_radius = 360;
    flock.env.separation_radius = 11.25f;
    flock.env.collision_radius = 360;
    flock.env.num_boids = 256;
    hold("crowded", flock, 100);
}

int main(int argc, char** argv) {
    if (!runs_here()) {
        printf("Left out: this processor lacks the instructions.\n");
        return 77; /* which CTest counts as skipped */
    }
    printing = argc > 1 && !strcmp(argv[1], "--print");
    if (printing)
        printf("/* golden.h - written by test_golden --print, which see */\n");
    else
        printf("test_golden\n");
    hold_all();
    return printing ? check_failures : check_result();
}
