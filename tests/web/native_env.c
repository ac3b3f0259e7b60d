/* native_env.c - web/env_page.c compiled for this machine: native_env SEED BOARDS PRACTICE STEPS [name value] ... prints the hash */
#include "../../web/env_page.c"

#include <stdlib.h>

int main(int argc, char** argv) {
    page_defaults();
    for (int k = 5; k + 1 < argc; k += 2)
        for (int p = 0; p < page_num_params() + page_num_settings(); p++)
            if (!strcmp(page_name(p), argv[k])) page_set(p, atof(argv[k + 1]));
    const char* message = page_open((uint32_t)atoi(argv[1]), atoi(argv[2]));
    for (int t = 0; t < atoi(argv[3]) && !message; t++) message = page_practise();
    for (int t = 0; t < atoi(argv[4]) && !message; t++) message = page_step(LEARNING);
    if (message)
        puts(message);
    else
        printf("%016llx\n", (unsigned long long)page_hash());
    return message != NULL;
}
