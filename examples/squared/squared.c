/* squared.c - the grid in a window, in plain C: the script plays.
 *
 * Link with raylib, and compile with -DLINKED_RAYLIB: CMakeLists.txt of boids-env does both where it finds one.
 */
#include "squared.h"

#include <stdio.h>
#include <time.h>

enum { SIZE = 11 };

int main(void) {
    uint8_t observations[SIZE * SIZE], terminal = 0, truncation = 0;
    int32_t action = 0, steps = 0;
    float reward = 0;
    Squared env = {.size = SIZE, .rng = env_seed((uint64_t)time(NULL), 0, 0)};
    const char* error = c_init(&env);
    if (!error) {
        env.observations = observations;
        env.actions = &action;
        env.rewards = &reward;
        env.terminals = &terminal;
        env.truncations = &truncation;
        c_reset(&env);
        while ((steps = c_render(&env)) >= 0)
            for (; steps; steps--) {
                c_script(&env);
                c_step(&env);
            }
        c_close(&env);
        if (steps != ENV_CLOSED) error = "no window can be opened: is there a display?";
    }
    if (error) fprintf(stderr, "squared: %s\n", error);
    return error != NULL;
}
