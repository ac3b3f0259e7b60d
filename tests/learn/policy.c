/* policy.c - acts by a policy.npz that src/learn/policy.h reads, for tests/test_policies.py; as a program, reads spoilt files */
#include "boids.h"
#include "env_vec.h"
#include "learn/policy.h"
#include "learn/ppo.h"

/* Writes the best actions of (n x size) observations. `action`: discrete or continuous. NULL, or a message, which a later call replaces. */
const char* best_actions(const char* npz, size_t bytes, int action, const float* observations, int n, void* actions) {
    static char message[256];
    Boids first = {0};
    EnvVec vec = {0};
    Learner learner = {0};
    LearnSettings settings;
    env_defaults(&first);
    learn_defaults(&settings);
    first.num_boids = n;
    first.action = action;
    settings.rollout = settings.minibatch = 1;
    const char* error = env_vec_open(&vec, &first, 1, 1, 1);
    if (!error) error = env_vec_attach(&vec, NULL);
    if (!error) error = env_vec_reset(&vec);
    if (!error) error = learn_policy_settings(npz, bytes, &settings);
    if (!error) error = learn_open(&learner, &vec, &settings, 1, 1);
    if (!error) error = learn_read_policy(&learner, npz, bytes);
    if (!error) {
        memcpy(vec.arrays[ENV_VEC_OBSERVATIONS], observations, (size_t)n * BOIDS_RULES * sizeof(float));
        learn_act(&learner, &vec, LEARN_BEST, 0);
        memcpy(actions, vec.arrays[ENV_VEC_ACTIONS], (size_t)n * 4);
    }
    snprintf(message, sizeof message, "%s", error ? error : "");
    learn_close(&learner);
    env_vec_close(&vec);
    return error ? message : NULL;
}

/* Reads the file cut off at every length, and with bytes changed. Under sanitizers, a read outside of it ends the program. */
int main(int argc, char** argv) {
    static char file[1 << 20];
    static float observations[2 * BOIDS_RULES];
    float actions[2];
    uint64_t random = 1;
    int refused = 0;
    FILE* in = argc > 1 ? fopen(argv[1], "rb") : NULL;
    if (!in) return 2;
    const size_t bytes = fread(file, 1, sizeof file, in);
    fclose(in);
    for (int k = 0; k < 3000; k++) {
        size_t length = k < 1500 ? bytes * (size_t)k / 1500 : bytes;
        char* copy = (char*)malloc(length + 1); /* as long as it says, so that the sanitizer sees what lies beyond */
        memcpy(copy, file, length);
        for (int c = 0; k >= 1500 && c <= k % 4; c++) {
            /* most of them in the directory at the end, where sizes and offsets are */
            const uint64_t at = env_random(&random) % (k % 2 ? bytes : 700);
            copy[k % 2 ? at : bytes - 1 - at] = (char)env_random(&random);
        }
        refused += best_actions(copy, length, 0, observations, 2, actions) != NULL;
        free(copy);
    }
    printf("%d\n", refused);
    return 0;
}
