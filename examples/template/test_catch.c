/* test_catch.c - catch.h without Python */
#include <stdio.h>

#include "catch.h"
#include "env_vec.h"

#define CHECK(condition) failures += !(condition) && printf("%s:%d: %s\n", __FILE__, __LINE__, #condition)

int main(void) {
    int failures = 0;
    Env env = {.rows = 6, .columns = 4, .rng = 1};
    CHECK(c_init(&env) == NULL && env_allocate(&env) == NULL);
    c_reset(&env);
    /* in turn: a paddle that follows the ball, and one that only ever goes to the right */
    for (int game = 0; game < 2000; game++) {
        const int32_t column = env.column;
        const bool caught = game % 2 == 0 || column == 3;
        for (int step = 1; step <= 5; step++) {
            env.actions[0] = game % 2 || column > env.paddle ? CATCH_RIGHT : column < env.paddle ? CATCH_LEFT : CATCH_STAY;
            c_step(&env);
            CHECK(env.terminals[0] == (step == 5) && env.rewards[0] == (step < 5 ? 0.0f : caught ? 1.0f : -1.0f));
        }
    }
    CHECK(env.log.n == 2000 && env.log.caught > 1150 && env.log.caught < 1350);
    c_close(&env);
    env_free(&env);
    Env wide = {.rows = 3, .columns = 7};
    CHECK(c_init(&wide) != NULL);
    printf("%d failures\n", failures);
    return failures != 0;
}
