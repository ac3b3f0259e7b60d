/* validate.h - every invariant of a flock's state, for the tests and the fuzzer */
#ifndef VALIDATE_H
#define VALIDATE_H

#include "boids.h"

/* NULL, or what is broken; in time linear in the number of boids. */
static inline const char* boids_validate(const Boids* env) {
    const Sight* sight = &env->sight;
    const uint32_t n = (uint32_t)env->num_boids, cells = sight->columns * sight->rows;
    if (sight->start[0] != 0 || sight->start[cells] != n) return "cells do not hold every boid once";
    for (uint32_t k = 0; k < cells; k++)
        if (sight->start[k] > sight->start[k + 1]) return "cells are out of order";
    uint64_t ids = 0;
    for (uint32_t k = 0; k < n; k++) {
        const uint32_t i = sight->id[k];
        if (i >= n) return "an id in cell order is no boid";
        ids += i;
        if (sight_low(sight->bodies[k].xy) != (int16_t)(env->x[i] >> sight->x_axis.shift))
            return "a position in cell order is stale";
        if (sight_high(sight->bodies[k].xy) != (int16_t)(env->y[i] >> sight->y_axis.shift))
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

#endif
