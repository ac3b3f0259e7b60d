/* snake.c - a board of snakes in a window, in plain C: the script steers all of them.
 *
 * Link with raylib, and compile with -DLINKED_RAYLIB: CMakeLists.txt of boids-env does both where it finds one.
 */
#include "snake.h"
#include "env_vec.h"

#include <stdio.h>
#include <time.h>

int main(void) {
    int32_t steps = 0;
    Snake env = {.rng = env_seed((uint64_t)time(NULL), 0, 0)};
    env_defaults(&env);
    env.width = 64;
    env.num_snakes = 24;
    env.num_food = 96;
    env.vision = 7;
    env.max_length = 256;
    env.horizon = 100000;
    const char* error = c_init(&env);
    if (!error) {
        error = env_allocate(&env);
        if (!error) {
            c_reset(&env);
            while ((steps = c_render(&env)) >= 0)
                for (; steps; steps--) {
                    c_script(&env);
                    c_step(&env);
                }
            if (steps != ENV_CLOSED) error = "no window can be opened: is there a display?";
        }
        c_close(&env);
        env_free(&env);
    }
    if (error) fprintf(stderr, "snake: %s\n", error);
    return error != NULL;
}
