/* native.c - web/page.c compiled for this machine: native SEED STEPS [name value] ... prints the hash of a flock that learns */
#include "../../web/page.c"

#include <stdlib.h>

int main(int argc, char** argv) {
    page_defaults();
    for (int k = 3; k + 1 < argc; k += 2)
        for (int p = 0; page_param_name(p); p++)
            if (!strcmp(page_param_name(p), argv[k])) page_set_param(p, atof(argv[k + 1]));
    const uint32_t seed = (uint32_t)atoi(argv[1]);
    const char* message = page_open(seed);
    if (!message) message = page_learn(seed);
    for (int t = 0; t < atoi(argv[2]) && !message; t++) {
        message = page_step(LEARNING);
        if (!message) message = page_improve();
    }
    if (message)
        puts(message);
    else
        printf("%016llx\n", (unsigned long long)page_hash());
    return message != NULL;
}
