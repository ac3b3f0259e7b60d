/* probe.c - the learner of spaces.h as a library, whose inner steps tests/test_learn.py calls one by one and compares with torch's */
#include "spaces.h"
#include "env_vec.h"
#include "learn/ppo.h"

static EnvVec vec;
static Learner learner;

/* Opens, with the settings in the order of LEARN_SETTINGS. */
const char* probe_open(int action, int num_envs, int num_threads, const double* settings) {
    Env first;
    LearnSettings chosen;
    int k = 0;
    learn_close(&learner);
    env_vec_close(&vec);
    memset(&first, 0, sizeof first);
    env_defaults(&first);
    first.action = action;
#define TAKE(type, name, ...) chosen.name = (type)settings[k++];
    LEARN_SETTINGS(TAKE)
    const char* error = env_vec_open(&vec, &first, num_envs, 1, 1);
    if (!error) error = env_vec_attach(&vec, NULL);
    if (!error) error = env_vec_reset(&vec);
    return error ? error : learn_open(&learner, &vec, &chosen, 3, num_threads);
}

/* Name k of the settings and its default; NULL after the last. */
const char* probe_setting(int k, double* value) {
    const char* const names[] = {
#define NAME(type, name, ...) #name,
        LEARN_SETTINGS(NAME) NULL};
    const double values[] = {
#define VALUE(type, name, value, ...) value,
        LEARN_SETTINGS(VALUE) 0};
    *value = values[k];
    return names[k];
}

/* Array `name` of the learner. */
void* probe_array(const char* name) {
#define ARRAY(type, field, ...) \
    if (!strcmp(name, #field)) return learner.field;
    LEARN_ARRAYS(ARRAY)
    return NULL;
}

/* Layers of the networks, policy first, as rows of inputs, outputs, columns, row and index of the first weight; then one row of the
 * numbers of all weights, agent-steps of an update, elements of an action, outputs, and the index of the first deviation. Returns the layers. */
int probe_layout(int64_t* rows) {
    int count = 0;
    const LearnNetwork* const networks[] = {&learner.policy, &learner.value};
    for (int n = 0; n < 2; n++)
        for (int k = 0; k < networks[n]->depth; k++, count++) {
            const LearnLayer* layer = &networks[n]->layers[k];
            const int64_t row[] = {layer->inputs, layer->outputs, layer->columns, (int64_t)layer->row,
                                   (int64_t)layer->weights};
            memcpy(rows + 5 * count, row, sizeof row);
        }
    const int64_t last[] = {(int64_t)learner.num_weights, learner.num_batch, learner.num_actions, learner.num_outputs,
                            (int64_t)learner.deviations};
    memcpy(rows + 5 * count, last, sizeof last);
    return count;
}

const char* probe_roll_out(void) {
    const char* error = learn__roll_out(&learner);
    if (!error)
        learn_gae(learner.settings.rollout, (size_t)vec.num_agents, learner.settings.gamma, learner.settings.gae_lambda,
                  learner.rewards, learner.ends, learner.values, learner.advantages);
    for (int32_t i = 0; i < learner.num_batch; i++) learner.order[i] = i;
    return error;
}

/* The gradient of the first minibatch in `order`; what is added to the log. */
void probe_gradient(float* log) {
    LearnLog sums;
    memset(&sums, 0, sizeof sums);
    learn__gradient(&learner, learner.order, &sums);
    memcpy(log, &sums, sizeof sums);
}

void probe_adam(float rate, float shorten) { learn__adam(&learner, rate, shorten); }

const char* probe_update(void) { return learn_update(&learner); }
