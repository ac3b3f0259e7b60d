/* second.c - the other of two files that include the header: see first.c */
#include "show/boids_window.h"
#include "env_vec.h"
#include "learn/ppo.h"
#include "learn/policy.h"
#include "learn/state.h"

uint64_t steps_in_second(Boids* env);

uint64_t steps_in_second(Boids* env) {
    for (int t = 0; t < 50; t++) {
        c_script(env);
        c_step(env);
    }
    return (uint64_t)env->x[0] << 32 | env->y[0];
}
