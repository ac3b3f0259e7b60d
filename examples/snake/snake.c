/* snake.c - a board of snakes in a window, in plain C: the script steers all of them.
 *
 * Link with raylib, and compile with -DLINKED_RAYLIB: CMakeLists.txt of boids-env does both where it finds one.
 */
#include "snake.h"

#include <stdio.h>
#include <time.h>

enum { SNAKES = 24, VISION = 7, SIDE = 2 * VISION + 1 };

int main(void) {
    static uint8_t observations[SNAKES * SIDE * SIDE], terminals[SNAKES], truncations[SNAKES];
    static int32_t actions[SNAKES];
    static float rewards[SNAKES];
    Snake env = {.width = 64,
                 .height = 40,
                 .num_snakes = SNAKES,
                 .num_food = 96,
                 .vision = VISION,
                 .max_length = 256,
                 .horizon = 100000,
                 .leave_corpse = true,
                 .rng = env_seed((uint64_t)time(NULL), 0, 0)};
    int32_t steps = 0;
    const char* error = c_init(&env);
    if (!error) {
        env.observations = observations;
        env.actions = actions;
        env.rewards = rewards;
        env.terminals = terminals;
        env.truncations = truncations;
        c_reset(&env);
        while ((steps = c_render(&env)) >= 0)
            for (; steps; steps--) {
                c_script(&env);
                c_step(&env);
            }
        c_close(&env);
        if (steps != ENV_CLOSED) error = "no window can be opened: is there a display?";
    }
    if (error) fprintf(stderr, "snake: %s\n", error);
    return error != NULL;
}
