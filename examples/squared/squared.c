/* squared.c - the grid in a window, in plain C: the script plays.
 *
 * Link with raylib, and compile with -DLINKED_RAYLIB: CMakeLists.txt of boids-env does both where it finds one.
 */
#include "squared.h"
#include "env_vec.h"

#include <stdio.h>
#include <time.h>

int main(void) {
    int32_t steps = 0;
    Squared env = {.size = 11, .rng = env_seed((uint64_t)time(NULL), 0, 0)};
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
    if (error) fprintf(stderr, "squared: %s\n", error);
    return error != NULL;
}
