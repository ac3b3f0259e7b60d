/* planted.c - the defects of planted.h without Python: `planted DEFECT` steps two environments on arrays of their exact size.
 * CTest runs it once for each defect, under the sanitizers and valgrind, and expects a report of it (CMakeLists.txt). */
#include "planted.h"
#include "env_vec.h"

/* The index of `word` among the names of a choice, "one|two|three", or -1. */
static int find_name(const char* names, const char* word) {
    const size_t length = strlen(word);
    int k = 0;
    for (const char* at = names; at; at = strchr(at, '|') ? strchr(at, '|') + 1 : NULL, k++)
        if (strncmp(at, word, length) == 0 && (at[length] == '|' || at[length] == 0)) return k;
    return -1;
}

int main(int argc, char** argv) {
    const char* names = env_vec_params[1].unit;
    const int defect = argc == 2 ? find_name(names, argv[1]) : -1;
    if (defect < 0) {
        fprintf(stderr, "usage: planted %s\n", names);
        return 2;
    }
    for (uint32_t index = 0; index < 2; index++) {
        Env env = {.agents = 4, .defect = defect, .index = index, .num_envs = 2};
        if (c_init(&env)) return 2;
        if (env_allocate(&env)) return 2;
        c_reset(&env);
        c_script(&env);
        c_step(&env);
        c_close(&env);
        env_free(&env);
    }
    puts("stepped");
    return 0;
}
