/* test_plan.c - looking ahead: imagined steps are what c_step would make of them, and a planner chooses well */
#include "flock.h"

#include "learn/plan.h"

enum { STEPS = 12 };

typedef struct Case {
    const char* name;
    int32_t num_boids;
    float width, height, view_radius, separation_radius;
    int observation;
} Case;

static const Case cases[] = {{"the default world", 64, 1080, 720, 100, 25, RULES},
                             {"with the nearest", 64, 1080, 720, 100, 25, NEAREST},
                             {"a wide view, little separation", 64, 720, 720, 300, 12, NEAREST},
                             {"cells", 400, 1400, 1000, 100, 25, RULES},
                             {"few cells", 300, 420, 520, 100, 25, NEAREST},
                             {"many cells", 500, 3600, 1500, 100, 25, RULES},
                             {"many cells, few boids", 40, 3600, 400, 100, 25, RULES}};
enum { CASES = sizeof cases / sizeof *cases };

static Flock open_case(const Case* test) {
    Flock flock = flock_new();
    flock.env.num_boids = test->num_boids;
    flock.env.width = test->width;
    flock.env.height = test->height;
    flock.env.view_radius = test->view_radius;
    flock.env.separation_radius = test->separation_radius;
    flock.env.observation = test->observation;
    flock.env.horizon = 1000;
    flock_open(&flock);
    return flock;
}

static void copy_state(Boids* to, const Boids* from) {
    const size_t n = (size_t)from->num_boids;
    memcpy(to->x, from->x, n * sizeof *to->x);
    memcpy(to->y, from->y, n * sizeof *to->y);
    memcpy(to->heading, from->heading, n * sizeof *to->heading);
}

/* Each boid alone among the others of a recording, as c_imagine has it for all at once; and naively, one after the other: a whole flock in
 * which all but one are put where the recording has them, and then step. Rewards and observations have the same bits. */
static void test_a_step_alone_is_a_step_among_the_others(void) {
    for (int k = 0; k < CASES; k++) {
        Flock real = open_case(&cases[k]), recording = open_case(&cases[k]), alone = open_case(&cases[k]);
        Flock naive = open_case(&cases[k]), before = open_case(&cases[k]);
        const int32_t n = real.env.num_boids;
        const size_t row = (size_t)boids_observation_size(&real.env) * sizeof(float);
        int differ = 0, moved = 0;
        printf("    %s\n", cases[k].name);
        copy_state(&recording.env, &real.env);
        copy_state(&alone.env, &real.env);
        for (int32_t t = 0; t < STEPS; t++) {
            copy_state(&before.env, &recording.env); /* and a boid of its own, below */
            int32_t *actions = recording.env.actions, *own = alone.env.actions;
            for (int32_t i = 0; i < n; i++) {
                actions[i] = (int32_t)(env_random(&real.rng) % 5);
                own[i] = t < STEPS / 2 ? 0 : (int32_t)(env_random(&real.rng) % 5); /* far from the recording at first */
            }
            Flock ghost = open_case(&cases[k]);
            copy_state(&ghost.env, &alone.env);
            c_imagine(&recording.env, &recording.env, &real.env, t);
            c_imagine(&alone.env, &recording.env, &real.env, t);
            for (int32_t i = t % 3; i < n; i += n > 100 ? 7 : 1) {
                copy_state(&naive.env, &before.env);
                memcpy(naive.env.actions, actions, (size_t)n * sizeof *actions);
                naive.env.x[i] = ghost.env.x[i];
                naive.env.y[i] = ghost.env.y[i];
                naive.env.heading[i] = ghost.env.heading[i];
                ((int32_t*)naive.env.actions)[i] = own[i];
                c_step(&naive.env);
                differ += naive.env.rewards[i] != alone.env.rewards[i];
                differ += memcmp(boids_observation(&naive.env, i), boids_observation(&alone.env, i), row) != 0;
                moved += naive.env.x[i] != recording.env.x[i];
            }
            flock_close(&ghost);
        }
        CHECK_EQ(differ, 0);
        CHECK(moved > 0);
        CHECK_EQ(alone.env.tick, 0); /* nothing of an episode */
        CHECK_EQ(recording.env.tick, 0);
        flock_close(&before);
        flock_close(&naive);
        flock_close(&alone);
        flock_close(&recording);
        flock_close(&real);
    }
}

/* All together, an imagined step is a step. */
static void test_a_recording_is_the_flock_itself(void) {
    for (int k = 0; k < CASES; k++) {
        Flock real = open_case(&cases[k]), recording = open_case(&cases[k]);
        copy_state(&recording.env, &real.env);
        for (int32_t t = 0; t < STEPS; t++) {
            flock_random(&real);
            memcpy(recording.env.actions, real.env.actions, (size_t)real.env.num_boids * sizeof(int32_t));
            c_step(&real.env);
            c_imagine(&recording.env, &recording.env, &real.env, t);
            CHECK(memcmp(recording.env.rewards, real.env.rewards, (size_t)real.env.num_boids * sizeof(float)) == 0);
            CHECK(memcmp(recording.env.x, real.env.x, (size_t)real.env.num_boids * sizeof(uint32_t)) == 0);
        }
        flock_close(&recording);
        flock_close(&real);
    }
}

/* ---- Decisions -------------------------------------------------------------------------------------------------------------- */

static void open_vec(EnvVec* vec, int32_t num_boids, int num_envs, int threads) {
    Env first;
    memset(&first, 0, sizeof first);
    env_defaults(&first);
    first.num_boids = num_boids;
    first.horizon = 60;
    first.stagger = false;
    CHECK_TEXT(env_vec_open(vec, &first, num_envs, 3, threads), NULL);
    CHECK_TEXT(env_vec_attach(vec, NULL), NULL);
    CHECK_TEXT(env_vec_reset(vec), NULL);
}

/* The sum of all rewards of a flight of `steps`, and a hash of the actions and of what the planner expected. */
static double fly(EnvVec* vec, const PlanSettings* settings, int threads, int steps, uint64_t* hash) {
    Planner planner;
    double sum = 0;
    *hash = 0;
    CHECK_TEXT(plan_open(&planner, &vec->envs[0], settings, NULL, 0, 5, threads), NULL);
    for (int t = 0; t < steps; t++) {
        CHECK_TEXT(plan_act(&planner, vec, (uint64_t)t), NULL);
        *hash = *hash * 31 + env_vec_checksum((const char*)vec->arrays[ENV_VEC_ACTIONS], (size_t)vec->num_agents * 4);
        *hash = *hash * 31 + env_vec_checksum((const char*)planner.means, (size_t)vec->num_agents * 5 * 4);
        CHECK_TEXT(env_vec_step(vec), NULL);
        for (int64_t i = 0; i < vec->num_agents; i++) sum += (double)((const float*)vec->arrays[ENV_VEC_REWARDS])[i];
    }
    plan_close(&planner);
    return sum / (double)vec->num_agents / steps;
}

static void test_the_same_bits_on_any_number_of_threads(void) {
    uint64_t hashes[3];
    for (int others = PLAN_FROZEN; others <= PLAN_TEAM; others++) {
        for (int k = 0; k < 3; k++) {
            EnvVec vec;
            PlanSettings settings;
            plan_defaults(&settings);
            settings.flights = 3;
            settings.others = others;
            open_vec(&vec, 12, k == 2 ? 4 : 4, 1 + k);
            fly(&vec, &settings, 1 + k, 3, &hashes[k]);
            env_vec_close(&vec);
        }
        CHECK(hashes[0] == hashes[1]);
        CHECK(hashes[0] == hashes[2]);
    }
}

/* It plans without a policy, through the end of an episode, and earns far more than random turns. */
static void test_looking_ahead_pays(void) {
    EnvVec vec;
    PlanSettings settings;
    uint64_t hash;
    plan_defaults(&settings);
    settings.horizon = 1;
    open_vec(&vec, 64, 2, 1);
    CHECK(fly(&vec, &settings, 1, 200, &hash) > 0.4);
    env_vec_close(&vec);
}

/* Nothing of the real flock changes but its actions. */
static void test_it_only_writes_actions(void) {
    EnvVec vec;
    Planner planner;
    PlanSettings settings;
    plan_defaults(&settings);
    open_vec(&vec, 20, 2, 1);
    const size_t bytes = env_vec_state_bytes(&vec);
    char *before = (char*)malloc(bytes), *after = (char*)malloc(bytes);
    CHECK_TEXT(plan_open(&planner, &vec.envs[0], &settings, NULL, 0, 5, 1), NULL);
    for (int t = 0; t < 3; t++) {
        env_vec_get_state(&vec, before);
        CHECK_TEXT(plan_act(&planner, &vec, (uint64_t)t), NULL);
        env_vec_get_state(&vec, after);
        CHECK(memcmp(before, after, bytes) == 0);
        CHECK_TEXT(env_vec_step(&vec), NULL);
    }
    free(before);
    free(after);
    plan_close(&planner);
    plan_close(&planner);
    env_vec_close(&vec);
}

/* The last steps of an episode are planned as if it went on. */
static void test_the_end_of_an_episode_is_no_cliff(void) {
    EnvVec vec, longer;
    Planner planner, other;
    PlanSettings settings;
    plan_defaults(&settings);
    open_vec(&vec, 20, 1, 1);
    Env first = vec.envs[0];
    first.horizon = 1000;
    CHECK_TEXT(env_vec_open(&longer, &first, 1, 3, 1), NULL);
    CHECK_TEXT(env_vec_attach(&longer, NULL), NULL);
    CHECK_TEXT(env_vec_reset(&longer), NULL);
    CHECK_TEXT(plan_open(&planner, &vec.envs[0], &settings, NULL, 0, 5, 1), NULL);
    CHECK_TEXT(plan_open(&other, &longer.envs[0], &settings, NULL, 0, 5, 1), NULL);
    for (int t = 0; t < 60; t++) {
        CHECK_TEXT(plan_act(&planner, &vec, (uint64_t)t), NULL);
        CHECK_TEXT(plan_act(&other, &longer, (uint64_t)t), NULL);
        CHECK(memcmp(vec.arrays[ENV_VEC_ACTIONS], longer.arrays[ENV_VEC_ACTIONS], 20 * 4) == 0);
        CHECK_TEXT(env_vec_step(&vec), NULL);
        CHECK_TEXT(env_vec_step(&longer), NULL);
    }
    plan_close(&planner);
    plan_close(&other);
    env_vec_close(&vec);
    env_vec_close(&longer);
}

static void test_mistakes_are_told(void) {
    EnvVec vec, smaller;
    Planner planner;
    PlanSettings settings;
    plan_defaults(&settings);
    open_vec(&vec, 20, 1, 1);
    open_vec(&smaller, 10, 1, 1);
    settings.horizon = 0;
    CHECK_TEXT(plan_open(&planner, &vec.envs[0], &settings, NULL, 0, 5, 1), "horizon: expected 1 to 1000, got 0");
    plan_defaults(&settings);
    CHECK_TEXT(plan_open(&planner, &vec.envs[0], &settings, NULL, 0, 5, 0), "num_threads: expected 1 to 1024, got 0");
    CHECK_TEXT(plan_open(&planner, &vec.envs[0], &settings, "no zip", 6, 5, 1),
               "policy: expected a policy.npz, which is a zip without compression, got something else");
    CHECK_TEXT(plan_act(&planner, &vec, 0), "call plan_open() first");
    CHECK_TEXT(plan_open(&planner, &vec.envs[0], &settings, NULL, 0, 5, 1), NULL);
    CHECK_TEXT(plan_act(&planner, &smaller, 0), "vec: expected 20 agents with 5 choices in each environment, got others");
    CHECK_TEXT(plan_act(&planner, &vec, 0), NULL);
    plan_close(&planner);
    env_vec_close(&vec);
    env_vec_close(&smaller);
    flock_allocations_left = -1;
    CHECK_EQ(flock_allocations, 0);
}

static void test_without_memory_nothing_is_left(void) {
    EnvVec vec;
    PlanSettings settings;
    plan_defaults(&settings);
    open_vec(&vec, 5, 2, 1);
    const long before = flock_allocations;
    for (long left = 0;; left++) {
        Planner planner;
        flock_allocations_left = left;
        const char* message = plan_open(&planner, &vec.envs[0], &settings, NULL, 0, 5, 2);
        if (!message) message = plan_act(&planner, &vec, 0);
        flock_allocations_left = -1;
        plan_close(&planner);
        CHECK_EQ(flock_allocations, before);
        if (!message) break;
        CHECK_TEXT(message, ENV_NO_MEMORY);
    }
    env_vec_close(&vec);
}

int main(void) {
    RUN(test_a_step_alone_is_a_step_among_the_others);
    RUN(test_a_recording_is_the_flock_itself);
    RUN(test_the_same_bits_on_any_number_of_threads);
    RUN(test_looking_ahead_pays);
    RUN(test_it_only_writes_actions);
    RUN(test_the_end_of_an_episode_is_no_cliff);
    RUN(test_mistakes_are_told);
    RUN(test_without_memory_nothing_is_left);
    return check_result();
}
