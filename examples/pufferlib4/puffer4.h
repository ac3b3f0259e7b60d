/* puffer4.h - a flock as PufferLib 4 keeps an environment: actions and terminals are floats, and there are no truncations
 *
 * PufferLib's order of calls: my_init of binding.c; the struct may move; the four arrays are set; c_reset, c_step, c_render,
 * c_close. It steps many environments at a time, on its own threads, so that a flock takes none. Between steps it reads and
 * clears the log.
 */
#ifndef PUFFER4_H
#define PUFFER4_H

#ifdef PLATFORM_DESKTOP /* PufferLib's build script says so where it links raylib */
#define LINKED_RAYLIB
#endif
#include "show/boids_window.h"

/* PufferLib's log is of floats. */
typedef struct Puffer4Log {
    BOIDS_LOG(ENV_FLOAT)
    float n;
} Puffer4Log;

typedef struct Puffer4 {
    /* PufferLib's */
    float* observations; /* (num_agents x OBS_SIZE) */
    float* actions;      /* (num_agents) 0 .. 4; continuous: whatever a Gaussian draws */
    float* rewards;      /* (num_agents) */
    float* terminals;    /* (num_agents) 0 or 1 */
    Puffer4Log log;
    int num_agents;
    unsigned rng; /* which environment this is: 0, 1, 2 ... */

    Boids boids; /* its actions, terminals and truncations in one block, from actions on */
} Puffer4;

static inline void puffer4_refuse(const char* what, const char* why) {
    fprintf(stderr, "boids: %s: %s\n", what, why);
    exit(1);
}

/* A number that a parameter of any type can hold: one too large for an int, or none at all, becomes one outside of every
 * range. */
static inline double puffer4_number(double value) { return value > -2e9 ? (value < 2e9 ? value : 2e9) : -2e9; }

/* The parameters of env->boids are set. NULL, or what is wrong with them, or with the sizes in binding.c. */
static inline const char* puffer4_init(Puffer4* env, int obs_size, int act_size) {
    Boids* boids = &env->boids;
    boids->rng = env_seed(0, 0, env->rng);
    boids->index = env->rng * 2654435769u; /* 2^32 / the golden ratio: staggers evenly, however many environments come */
    boids->num_envs = UINT32_MAX;
    const char* error = c_init(boids);
    if (error) return error;
    const int observed = c_observation_space(boids).size, choices = boids->action ? 1 : c_action_space(boids).choices[0];
    if (obs_size != observed || act_size != choices) {
        c_close(boids);
        static char text[96]; /* environments are made one after the other */
        snprintf(text, sizeof text, "binding.c: expected OBS_SIZE %d and ACT_SIZES {%d}, got %d and {%d}", observed, choices,
                 obs_size, act_size);
        return text;
    }
    const size_t n = (size_t)boids->num_agents;
    boids->actions = ENV_CALLOC(n, sizeof(float) + 2);
    if (!boids->actions) {
        c_close(boids);
        return ENV_NO_MEMORY;
    }
    boids->terminals = (uint8_t*)boids->actions + n * sizeof(float);
    boids->truncations = boids->terminals + n;
    env->num_agents = boids->num_agents;
    return NULL;
}

static inline void puffer4_reset(Puffer4* env) {
    env->boids.observations = env->observations;
    env->boids.rewards = env->rewards;
    c_reset(&env->boids);
}

static inline void puffer4_step(Puffer4* env) {
    Boids* boids = &env->boids;
    for (int i = 0; i < env->num_agents; i++) {
        const float action = env->actions[i];
        if (boids->action)
            ((float*)boids->actions)[i] = action > -1.0f ? (action < 1.0f ? action : 1.0f) : -1.0f;
        else
            ((int32_t*)boids->actions)[i] = (int32_t)action;
    }
    if (env->log.n == 0) memset(&boids->log, 0, sizeof boids->log); /* PufferLib has cleared it */
    c_step(boids);
#define PUFFER4_COPY(name, ...) env->log.name = (float)boids->log.name;
    BOIDS_LOG(PUFFER4_COPY)
#undef PUFFER4_COPY
    env->log.n = (float)boids->log.n;
    /* An episode that was cut off counts as over, as in PufferLib's own environments: else the trainer would credit the last
     * turns of one flock with the rewards of the next, whose first observations came with this step. */
    for (int i = 0; i < env->num_agents; i++) env->terminals[i] = boids->truncations[i];
}

/* One frame, and more while the viewer asks for no step. Who closes the window ends the process, as in PufferLib's own
 * environments: its `eval` has no other end. */
static inline void puffer4_render(Puffer4* env) {
    int32_t steps = 0;
    while (!steps) steps = c_render(&env->boids);
    if (steps == ENV_CLOSED) exit(0);
}

static inline void puffer4_close(Puffer4* env) {
    c_close(&env->boids);
    ENV_FREE(env->boids.actions);
    env->boids.actions = NULL;
}

/* By these names vecenv.h knows them. boids.h, above, has had its own. */
#undef c_render
#define Env Puffer4
#define Log Puffer4Log
#define c_reset puffer4_reset
#define c_step puffer4_step
#define c_render puffer4_render
#define c_close puffer4_close

#endif
