/* learn.c - boids learn to flock, in plain C: prints the learning curve, and how the flock flies
 *
 *     cc -O3 -ffp-contract=off -Isrc examples/learn.c -o learn -lm -lpthread && ./learn [AGENT_STEPS]
 *
 * With another header instead of boids.h it learns in another environment; only what it prints of the log is the flock's.
 */
#include "boids.h"
#include "env_vec.h"
#include "learn/ppo.h"

int main(int argc, char** argv) {
    const int64_t steps = argc > 1 ? atoll(argv[1]) : 1000000;
    Boids first = {0};
    EnvVec vec = {0};
    Learner learner = {0};
    LearnSettings settings;
    env_defaults(&first);
    learn_defaults(&settings);
    settings.anneal_steps = (int)steps;
    const char* error = env_vec_open(&vec, &first, 8, 1, 1); /* eight flocks, seed 1, one thread */
    if (!error) error = env_vec_attach(&vec, NULL);
    if (!error) error = env_vec_reset(&vec);
    if (!error) error = learn_open(&learner, &vec, &settings, 1, 1);
    if (!error) puts("agent-steps    reward");
    for (int64_t next = 0; !error && learner.agent_steps < steps;) {
        error = learn_update(&learner);
        if (error || learner.agent_steps < next) continue;
        const int length = (int)(50 * learner.log.reward);
        printf("%11lld    %6.3f  %.*s\n", (long long)learner.agent_steps, (double)learner.log.reward,
               length > 0 ? length : 0, "##################################################");
        next += steps / 20;
    }
    if (!error) {
        double means[ENV_VEC_NUM_LOG] = {0};
        env_vec_clear_log(&vec);
        for (int t = 0; t < 400 && !error; t++) { /* the policy flies, and learns no more */
            learn_act(&learner, &vec, LEARN_DRAW, (uint64_t)t);
            error = env_vec_step(&vec);
        }
        env_vec_log(&vec, means);
        for (int k = 0; k < ENV_VEC_NUM_LOG; k++)
            printf("%16s %7.3f  %s\n", env_vec_log_fields[k].name, means[k], env_vec_log_fields[k].doc);
    }
    if (error) puts(error);
    learn_close(&learner);
    env_vec_close(&vec);
    return error != NULL;
}
