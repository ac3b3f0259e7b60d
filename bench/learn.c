/* learn.c - how many agent-steps a second the learner learns from, without Python: environment, rollout and learning
 *
 *     learn WIDTH THREADS AGENT_STEPS
 *
 * prints million agent-steps per second of CPU time (of all threads together) and of the clock, and a hash of the weights, which may not
 * depend on THREADS. Eight flocks of 64 boids, default settings, both networks with two hidden layers of WIDTH.
 */
#include "boids.h"
#include "env_vec.h"
#include "learn/ppo.h"

#include <time.h>

static double seconds(clockid_t clock) {
    struct timespec now;
    clock_gettime(clock, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

int main(int argc, char** argv) {
    const int width = argc == 4 ? atoi(argv[1]) : 0, threads = argc == 4 ? atoi(argv[2]) : 0;
    const int64_t steps = argc == 4 ? atoll(argv[3]) : 0;
    Boids first;
    EnvVec vec;
    Learner learner;
    LearnSettings settings;
    memset(&first, 0, sizeof first);
    env_defaults(&first);
    learn_defaults(&settings);
    settings.policy_width = settings.value_width = width;
    const char* error = steps > 0 ? NULL : "expected WIDTH THREADS AGENT_STEPS";
    if (!error) error = env_vec_open(&vec, &first, 8, 1, threads);
    if (!error) error = env_vec_attach(&vec, NULL);
    if (!error) error = env_vec_reset(&vec);
    if (!error) error = learn_open(&learner, &vec, &settings, 1, threads);
    const double cpu = seconds(CLOCK_PROCESS_CPUTIME_ID), wall = seconds(CLOCK_MONOTONIC);
    while (!error && learner.agent_steps < steps) error = learn_update(&learner);
    if (error) {
        fprintf(stderr, "learn: %s\n", error);
        return 1;
    }
    const double done = 1e-6 * (double)learner.agent_steps;
    printf("%.3f %.3f %016llx\n", done / (seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu), done / (seconds(CLOCK_MONOTONIC) - wall),
           (unsigned long long)env_vec_checksum((const char*)learner.weights, learner.num_weights * sizeof(float)));
    learn_close(&learner);
    env_vec_close(&vec);
    return 0;
}
