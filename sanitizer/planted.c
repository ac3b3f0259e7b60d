/* planted.c - the same defects with no Python in the way: `planted DEFECT` steps two environments on buffers of their exact size.
 * CTest runs it once for each defect, under the sanitizers and valgrind, and wants to see it reported (CMakeLists.txt). */
#include "planted.h"

#include <stdio.h>

#define DEFECTS_(type, name, value, least, most, unit, doc) unit,
static const char* const UNITS[] = {ENV_PARAMS(DEFECTS_)};

/* The index of `word` in UNITS[1], "one|two|three", or -1. */
static int find_defect(const char* word) {
    const size_t length = strlen(word);
    int k = 0;
    for (const char* at = UNITS[1]; at; at = strchr(at, '|') ? strchr(at, '|') + 1 : NULL, k++)
        if (strncmp(at, word, length) == 0 && (at[length] == '|' || at[length] == 0)) return k;
    return -1;
}

int main(int argc, char** argv) {
    const int defect = argc == 2 ? find_defect(argv[1]) : -1;
    if (defect < 0) {
        fprintf(stderr, "usage: planted %s\n", UNITS[1]);
        return 2;
    }
    for (uint32_t index = 0; index < 2; index++) {
        Env env = {.agents = 4, .defect = defect, .index = index, .num_envs = 2};
        if (c_init(&env)) return 2;
        env.observations = calloc(4, sizeof(float));
        env.actions = calloc(4, sizeof(int32_t));
        env.rewards = calloc(4, sizeof(float));
        if (!env.observations || !env.actions || !env.rewards) return 2;
        c_reset(&env);
        c_script(&env);
        c_step(&env);
        c_close(&env);
        free(env.observations);
        free(env.actions);
        free(env.rewards);
    }
    puts("stepped");
    return 0;
}
