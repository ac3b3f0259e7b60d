/* squared.h with an error planted: an agent that goes up writes one element past its observations. Stands before the real one. */
#ifndef PLANTED_H
#define PLANTED_H

#define c_step sound_step
#include_next "squared.h"
#undef c_step

static inline void c_step(Squared* env) {
    const bool overrun = env->actions[0] == SQUARED_UP;
    sound_step(env);
    if (overrun) env->observations[env->size * env->size] = SQUARED_AGENT;
}

#endif
