/* distil.h - a planner teaches a policy
 *
 * The planner of plan.h says for each agent what each of its actions would earn. A policy that is taught to prefer those actions needs no
 * imagined flights any more. Include it after the header of an environment and env_vec.h:
 *
 *     error = learn_open(&learner, &vec, &settings, 1, 1);       // settings.rollout: steps that are kept in all, of every agent
 *     for (int round = 0; round < 6 && !error; round++) {
 *         error = learn_imitate(&learner, &planner, 20, round > 0, 0.003f);
 *         if (!error) error = learn_regress(&learner, 4);
 *     }
 *
 * DAgger: Ross, Gordon, Bagnell, "A Reduction of Imitation Learning and Structured Prediction to No-Regret Online Learning", 2011 (arXiv
 * 1011.0686). In the first round the planner flies, then the student, so that it learns what to do where it gets to; the planner labels
 * every step, and the regression is on the steps of all rounds.
 *
 * A label is A / temperature, with A what each action earns beyond the mean of all. The policy's outputs are fitted to it by least squares, so
 * that the noise of single flights cancels before a softmax makes probabilities of the outputs: the policy is softmax(A / temperature).
 *
 * Errors, threads: see ppo.h. A learner is taught by this or by learn_update, not by both in turn: they keep their steps in the same memory.
 */
#ifndef LEARN_DISTIL_H
#define LEARN_DISTIL_H

#include "plan.h"
#include "ppo.h"

/* The label of one agent: what its actions earn beyond their mean, over the temperature, by the policy's choices. */
static inline void learn__label(const Learner* learner, const float* means, float per_temperature, bool mirrored,
                                float* target) {
    const int32_t choices = learner->num_outputs;
    float sum = 0;
    for (int32_t c = 0; c < choices; c++) sum += means[c];
    for (int32_t c = 0; c < choices; c++)
        target[mirrored ? learner->mirror_action[c].from : c] = (means[c] - sum / (float)choices) * per_temperature;
}

/* Flies so many steps, of which the planner labels every agent-step, and keeps them. student: whether the policy flies, drawn, or the
 * planner. temperature: above 0, in the unit of rewards. */
static inline const char* learn_imitate(Learner* learner, Planner* planner, int32_t steps, bool student, float temperature) {
    EnvVec* vec = learner->vec;
    if (!vec) return "call learn_open() first";
    const char* message = env_expect("steps", steps, 0, (double)(learner->settings.rollout - learner->stepped));
    if (!message) message = env_expect("temperature", (double)temperature, 1e-6, 1e6);
    if (!message) message = plan__check_vec(planner, vec);
    if (message) return message;
    const size_t agents = (size_t)vec->num_agents, row = learner->policy.layers[0].row,
                 choices = (size_t)learner->num_outputs;
    if (!learner->targets) {
        learner->targets = (float*)learn__allocate((size_t)learner->num_batch * choices, sizeof(float));
        if (!learner->targets) return ENV_NO_MEMORY;
    }
    for (const int32_t end = learner->stepped + steps; learner->stepped < end && !message; learner->stepped++) {
        const uint64_t step = (uint64_t)learner->stepped;
        const size_t start = step * agents;
        message = plan_act(planner, vec, step);
        if (message) return message;
        for (size_t first = 0; first < agents; first += LEARN_ROWS) {
            const int rows = learn__block_rows((int64_t)agents, (int64_t)first);
            bool mirrored[LEARN_ROWS];
            learn__observe(learner, vec->arrays[ENV_VEC_OBSERVATIONS], (int64_t)first, rows,
                           learner->observations + (start + first) * row, mirrored);
            for (int i = 0; i < rows; i++)
                learn__label(learner, planner->means + (first + (size_t)i) * choices, 1.0f / temperature, mirrored[i],
                             learner->targets + (start + first + (size_t)i) * choices);
        }
        if (student) learn_act(learner, vec, LEARN_DRAW, step);
        message = env_vec_step(vec);
    }
    return message;
}

/* The agent-steps of a step of the gradient. */
typedef struct LearnLesson {
    Learner* learner;
    const int32_t* order;
    int32_t size;
    float losses[LEARN_PARTS];
} LearnLesson;

/* For each agent-step, with q its label and z the outputs: loss = (z - q)^2 / 2, in the mean over the outputs. scratch->dz: q, and then the
 * derivative. */
LEARN_EACH_LEVEL static inline float learn__lesson_loss(const Learner* learner, const LearnScratch* scratch, int rows,
                                                        float per_row) {
    const float per_output = 1.0f / (float)learner->num_outputs;
    float loss = 0;
    for (int32_t c = 0; c < learner->num_outputs; c++)
        for (int i = 0; i < rows; i++) {
            const int at = c * LEARN_ROWS + i;
            const float error = scratch->z[at] - scratch->dz[at];
            loss += 0.5f * per_output * error * error;
            scratch->dz[at] = per_row * per_output * error;
        }
    return loss;
}

static inline void learn__lesson_work(void* context, int32_t from, int32_t to) {
    LearnLesson* lesson = (LearnLesson*)context;
    Learner* learner = lesson->learner;
    const LearnNetwork* policy = &learner->policy;
    const size_t row = policy->layers[0].row, choices = (size_t)learner->num_outputs;
    const LearnScratch scratch = learn__take(learner);
    for (int32_t part = from; part < to; part++) {
        const int32_t end = (int32_t)((int64_t)lesson->size * (part + 1) / LEARN_PARTS);
        float* gradient = learner->part_gradients + (size_t)part * learner->num_weights;
        memset(gradient, 0, learner->num_weights * sizeof(float));
        lesson->losses[part] = 0;
        for (int32_t first = (int32_t)((int64_t)lesson->size * part / LEARN_PARTS); first < end; first += LEARN_ROWS) {
            const int rows = learn__block_rows(end, first);
            for (int i = 0; i < rows; i++) {
                const size_t at = (size_t)lesson->order[first + i];
                memcpy(scratch.x + (size_t)i * row, learner->observations + at * row, row * sizeof(float));
                for (size_t c = 0; c < choices; c++)
                    scratch.dz[c * LEARN_ROWS + (size_t)i] = learner->targets[at * choices + c];
            }
            learn__outputs(learner, &scratch, rows, scratch.x);
            lesson->losses[part] += learn__lesson_loss(learner, &scratch, rows, 1.0f / (float)lesson->size);
            learn_transpose(learner->num_outputs, rows, scratch.dz, LEARN_ROWS, scratch.policy_dy,
                            learn_last(policy)->output_row);
            learn_backward(policy, learner->transposed, rows, scratch.x, scratch.outputs, scratch.policy_dy, scratch.spare,
                           gradient);
        }
    }
    learn__give(learner, &scratch);
}

/* Makes the policy like the labels of all steps that were kept, in so many epochs; the learning rate falls to 0 meanwhile. log.policy_loss
 * is the mean loss of the last epoch. */
static inline const char* learn_regress(Learner* learner, int32_t epochs) {
    if (!learner->vec) return "call learn_open() first";
    if (!learner->targets || !learner->stepped) return "call learn_imitate() first";
    const LearnSettings* settings = &learner->settings;
    const int32_t count = learner->stepped * (int32_t)learner->vec->num_agents;
    const int32_t size = settings->minibatch < count ? settings->minibatch : count, minibatches = count / size;
    const float per_all = 1.0f / (float)(minibatches * (epochs ? epochs : 1));
    for (int32_t epoch = 0; epoch < epochs; epoch++) {
        learner->log.policy_loss = 0;
        learn__shuffle(learner, count, env_seed(learner->seed, 8, (uint64_t)learner->updates++));
        for (int32_t k = 0; k < minibatches; k++) {
            LearnLesson lesson = {learner, learner->order + (size_t)k * (size_t)size, size, {0}};
            learn_transpose_weights(&learner->policy, learner->weights, learner->transposed);
            env_threads_run(learner->num_threads, LEARN_PARTS, learn__lesson_work, &lesson);
            memset(learner->gradient, 0, learner->num_weights * sizeof(float));
            for (int32_t part = 0; part < LEARN_PARTS; part++) {
                learn_add(learner->num_weights, learner->part_gradients + (size_t)part * learner->num_weights,
                          learner->gradient);
                learner->log.policy_loss += lesson.losses[part] / (float)(size * minibatches);
            }
            const float length = sqrtf(learn_sum_of_squares(learner->num_weights, learner->gradient));
            const char* message = learn__check_finite(learner, "gradient", (double)length);
            if (message) return message;
            const float shorten = length > settings->gradient_norm ? settings->gradient_norm / length : 1.0f;
            learner->log.learning_rate = settings->learning_rate * (1.0f - (float)(epoch * minibatches + k) * per_all);
            learn__adam(learner, learner->log.learning_rate, shorten);
        }
    }
    learner->agent_steps = count;
    return NULL;
}

#endif
