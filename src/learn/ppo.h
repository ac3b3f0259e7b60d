/* ppo.h - a learner for any environment on the contract of env.h, in plain C
 *
 * Proximal policy optimization: Schulman et al., "Proximal Policy Optimization Algorithms", 2017 (arXiv 1707.06347). All agents share
 * one policy. An update takes `rollout` steps of every agent, estimates how much better than expected each action was, and makes the
 * better ones more likely, in small steps. Include it after the header of an environment and env_vec.h:
 *
 *     #include "squared.h"
 *     #include "env_vec.h"
 *     #include "learn/ppo.h"
 *
 *     LearnSettings settings;                                                // LEARN_SETTINGS below
 *     Learner learner;
 *     learn_defaults(&settings);
 *     const char* error = learn_open(&learner, &vec, &settings, 1, 2);      // of an EnvVec with its arrays; seed 1, at most 2 threads
 *     while (!error && learner.agent_steps < 1000000) error = learn_update(&learner);
 *     if (error) puts(error);
 *     learn_act(&learner, &vec, LEARN_DRAW, 0);                             // actions for any EnvVec with the same spaces, step 0
 *     learn_close(&learner);                                                // before env_vec_close
 *
 * A program that draws each step calls learn_step, which makes one step of the rollout. learn_update then makes the steps that are left, if
 * any, and learns from all of them. Nobody else may step the EnvVec in between.
 *
 * Observations of floats are taken as they are, integers divided by the largest of their space. Discrete actions have one output for each
 * choice. A continuous action is normal around its output, with a deviation that is learned. One that leaves the space is moved to its
 * edge for the environment. The output 0 stands for the middle of the space, 1 for its upper end.
 *
 * Ends. A terminal ends an episode: no reward follows. After a truncation the episode would have gone on: the value of its final
 * observation stands for the rewards that would have followed (Pardo et al., "Time Limits in Reinforcement Learning", 2018). Where the
 * header has no final observations, the value of the observation before stands for it.
 *
 * Mirror. Where the header has ENV_MIRROR, an observation and its mirror image are one to the policy: it sees one of the two, always the
 * same, and the action is mirrored back. What is learned turning left is known turning right.
 *
 * Numbers that are not finite are found before they get into the weights. An update that finds one leaves the agent_steps as they were.
 *
 * Ownership: a Learner owns its arrays and borrows the EnvVec. Close it once whatever happened: after an error, twice, or zeroed.
 * Errors:    a function that can fail returns NULL, or a message, which stays valid until the next call. Out of memory: ENV_NO_MEMORY.
 * Threads:   results do not depend on num_threads: what threads add up is added in one order. One thread at a time uses a Learner.
 */
#ifndef LEARN_PPO_H
#define LEARN_PPO_H

#include "learner.h"

/* ---- The rollout ------------------------------------------------------------------------------------------------------------ */

typedef struct LearnStep {
    Learner* learner;
    int32_t t; /* of the rollout; `rollout` for the values of the last observations alone */
} LearnStep;

/* Stores what the step t earned. What would have followed a truncation is the discounted value of the final observation. */
static inline void learn__receive(Learner* learner, const LearnScratch* scratch, int32_t t, int64_t first, int rows) {
    const EnvVec* vec = learner->vec;
    const size_t at = (size_t)t * (size_t)vec->num_agents + (size_t)first;
    const float* rewards = (const float*)vec->arrays[ENV_VEC_REWARDS] + first;
    const uint8_t* terminals = (const uint8_t*)vec->arrays[ENV_VEC_TERMINALS] + first;
    const uint8_t* truncations = (const uint8_t*)vec->arrays[ENV_VEC_TRUNCATIONS] + first;
    float values[LEARN_ROWS];
    bool mirrored[LEARN_ROWS], cut = false;
    for (int i = 0; i < rows; i++) {
        learner->rewards[at + (size_t)i] = rewards[i];
        learner->ends[at + (size_t)i] = terminals[i] | truncations[i] ? 1.0f : 0.0f;
        values[i] = learner->values[at + (size_t)i];
        cut = cut || (truncations[i] && !terminals[i]);
    }
    if (!cut || !learner->settings.bootstrap) return;
    if (vec->final_observations) {
        learn__observe(learner, vec->final_observations, first, rows, scratch->x, mirrored);
        learn__values(learner, scratch, rows, scratch->x, values);
    }
    for (int i = 0; i < rows; i++)
        if (truncations[i] && !terminals[i]) learner->rewards[at + (size_t)i] += learner->settings.gamma * values[i];
}

static inline void learn__step_work(void* context, int32_t from, int32_t to) {
    const LearnStep* step = (const LearnStep*)context;
    Learner* learner = step->learner;
    EnvVec* vec = learner->vec;
    const int32_t t = step->t;
    const size_t row = learner->policy.layers[0].row, a = (size_t)learner->num_actions;
    const LearnScratch scratch = learn__take(learner);
    bool mirrored[LEARN_ROWS];
    for (int32_t block = from; block < to; block++) {
        const int64_t first = (int64_t)block * LEARN_ROWS;
        const int rows = learn__block_rows(vec->num_agents, first);
        const size_t at = (size_t)t * (size_t)vec->num_agents + (size_t)first;
        const bool last = t == learner->settings.rollout;
        if (t > 0) learn__receive(learner, &scratch, t - 1, first, rows);
        float* x = last ? scratch.x : learner->observations + at * row;
        learn__observe(learner, vec->arrays[ENV_VEC_OBSERVATIONS], first, rows, x, mirrored);
        learn__values(learner, &scratch, rows, x, learner->values + at);
        if (last) continue;
        const uint64_t index = (uint64_t)learner->updates * (uint64_t)learner->num_batch + at;
        learn__decide(learner, &scratch, rows, x, env_seed(learner->seed, 2, 0), index * a, LEARN_DRAW);
        learn__write_actions(learner, &scratch, vec->arrays[ENV_VEC_ACTIONS], first, rows, mirrored);
        learn_transpose((int)a, rows, scratch.actions, LEARN_ROWS, learner->actions + at * a, a);
        memcpy(learner->log_p + at, scratch.new_log_p, (size_t)rows * sizeof(float));
    }
    learn__give(learner, &scratch);
}

/* One step of the rollout: the policy acts, and the environments step. It stores what the learner needs of it. */
static inline const char* learn_step(Learner* learner) {
    EnvVec* vec = learner->vec;
    if (!vec) return "call learn_open() first";
    if (!vec->started) return "call env_vec_reset() first";
    if (learner->stepped == learner->settings.rollout) return "call learn_update() first";
    LearnStep step = {learner, learner->stepped};
    env_threads_run(learner->num_threads, learn__blocks(vec->num_agents), learn__step_work, &step);
    const char* message = env_vec_step(vec);
    if (message) return message;
    if (learner->stepped++ == 0) learner->reward_sum = 0;
    for (int64_t i = 0; i < vec->num_agents; i++)
        learner->reward_sum += (double)((const float*)vec->arrays[ENV_VEC_REWARDS])[i];
    return NULL;
}

/* The whole rollout, and the values of its last observations. */
static inline const char* learn__roll_out(Learner* learner) {
    const char* message = NULL;
    while (!message && learner->stepped < learner->settings.rollout) message = learn_step(learner);
    LearnStep last = {learner, learner->stepped};
    if (!message) env_threads_run(learner->num_threads, learn__blocks(learner->vec->num_agents), learn__step_work, &last);
    learner->stepped = 0;
    return message;
}

/* Generalized advantage estimation: Schulman et al., "High-Dimensional Continuous Control Using GAE", 2016 (arXiv 1506.02438), eq. 16.
 *     delta_t = r_t + gamma V(s_t+1) - V(s_t)
 *     A_t     = delta_t + gamma lambda A_t+1            and nothing of t + 1 where the episode ended with step t
 * All are (rollout x agents); values has a row more. */
LEARN_EACH_LEVEL static inline void learn_gae(int32_t rollout, size_t agents, float gamma, float lambda,
                                              const float* rewards, const float* ends, const float* values,
                                              float* advantages) {
    for (int32_t t = rollout - 1; t >= 0; t--) {
        const size_t row = (size_t)t * agents;
        const float *r = rewards + row, *end = ends + row, *v = values + row, *next_v = v + agents;
        float* advantage = advantages + row;
        const float* next = t + 1 < rollout ? advantage + agents : end; /* after the last step: times 0 */
        const float trace = t + 1 < rollout ? gamma * lambda : 0.0f;
        for (size_t i = 0; i < agents; i++) {
            const float goes_on = 1.0f - end[i];
            const float delta = r[i] + gamma * next_v[i] * goes_on - v[i];
            advantage[i] = delta + trace * goes_on * next[i];
        }
    }
}

/* ---- The loss and its gradient ---------------------------------------------------------------------------------------------- */

/* Sums over the agent-steps of a part of a minibatch, for the log. */
typedef struct LearnSums {
    float policy_loss, value_loss, entropy, kl, clipped;
} LearnSums;

typedef struct LearnMinibatch {
    Learner* learner;
    const int32_t* order;      /* (minibatch) its agent-steps */
    float mean, per_deviation; /* of their advantages */
    LearnSums sums[LEARN_PARTS];
} LearnMinibatch;

/* For each agent-step, with A its advantage and r = p(a) / p_old(a) (Schulman et al. 2017, eq. 7 and 9):
 *     loss = -min(r A, clip(r, 1 - clip, 1 + clip) A) + value_weight (V - R)^2 / 2 - entropy H
 * Writes the derivatives by the policy's outputs into scratch->dz, times 1 / minibatch; adds those by the deviations to `by_deviation`. */
LEARN_EACH_LEVEL static inline void learn__policy_loss(const Learner* learner, const LearnScratch* scratch, int rows,
                                                       float* by_deviation, LearnSums* sums) {
    const LearnSettings* settings = &learner->settings;
    const int32_t* choices = learner->vec->action_space.choices;
    const float per_row = 1.0f / (float)settings->minibatch;
    LearnFloats loss_sum = LEARN_ALL(0.0f), entropy_sum = loss_sum, kl_sum = loss_sum, clipped_sum = loss_sum;
    const LearnFloats lanes = {0, 1, 2, 3, 4, 5, 6, 7};
    for (int l = 0; l < rows; l += LEARN_LANES) {
        const LearnFloats one =
            learn_choose((LearnInts)(lanes < LEARN_ALL((float)(rows - l))), LEARN_ALL(1.0f), LEARN_ALL(0.0f));
        LearnFloats log_p_sum = LEARN_ALL(0.0f), entropy = LEARN_ALL(0.0f);
        const float* z = scratch->z + l;
        float *p = scratch->p + l, *log_p = scratch->log_p + l;
        for (int32_t k = 0; k < learner->num_actions; k++) {
            const LearnFloats action = LEARN_LOAD(scratch->actions + k * LEARN_ROWS + l);
            if (choices) {
                const LearnFloats of_this = learn_softmax8(choices[k], z, p, log_p);
                LEARN_STORE(scratch->entropies + k * LEARN_ROWS + l) = of_this;
                log_p_sum += learn_log_p8(choices[k], log_p, action);
                entropy += of_this;
                z += choices[k] * LEARN_ROWS;
                p += choices[k] * LEARN_ROWS;
                log_p += choices[k] * LEARN_ROWS;
            } else {
                const float log_deviation = learner->weights[learner->deviations + (size_t)k];
                log_p_sum += learn_normal_log_p8(LEARN_LOAD(z), log_deviation, action);
                entropy += log_deviation + (LEARN_HALF_LOG_2PI + 0.5f);
                z += LEARN_ROWS;
            }
        }
        const LearnFloats log_ratio = log_p_sum - LEARN_LOAD(scratch->old_log_p + l), ratio = learn_exp8(log_ratio);
        const LearnFloats advantage = LEARN_LOAD(scratch->advantages + l), gain = ratio * advantage;
        const LearnFloats least = LEARN_ALL(1.0f - settings->clip), most = LEARN_ALL(1.0f + settings->clip);
        const LearnFloats clipped = learn_lesser(learn_greater(ratio, least), most), gain_clipped = clipped * advantage;
        const LearnInts is_clipped = (LearnInts)(gain_clipped < gain); /* then the loss does not depend on the policy */
        loss_sum -= one * learn_lesser(gain, gain_clipped);
        entropy_sum += one * entropy;
        kl_sum += one * (ratio - 1.0f - log_ratio);
        clipped_sum += one * learn_choose((LearnInts)(ratio != clipped), LEARN_ALL(1.0f), LEARN_ALL(0.0f));

        const LearnFloats by_log_p = one * learn_choose(is_clipped, LEARN_ALL(0.0f), gain * -per_row);
        const LearnFloats by_entropy = one * (-settings->entropy * per_row);
        float* dz = scratch->dz + l;
        p = scratch->p + l;
        log_p = scratch->log_p + l;
        z = scratch->z + l;
        for (int32_t k = 0; k < learner->num_actions; k++) {
            const LearnFloats action = LEARN_LOAD(scratch->actions + k * LEARN_ROWS + l);
            if (choices) {
                const LearnFloats of_this = LEARN_LOAD(scratch->entropies + k * LEARN_ROWS + l);
                learn_softmax_back8(choices[k], p, log_p, of_this, action, by_log_p, by_entropy, dz);
                p += choices[k] * LEARN_ROWS;
                log_p += choices[k] * LEARN_ROWS;
                dz += choices[k] * LEARN_ROWS;
            } else {
                const float per_deviation = learn_exp(-learner->weights[learner->deviations + (size_t)k]);
                const LearnFloats away = (action - LEARN_LOAD(z)) * per_deviation;
                LEARN_STORE(dz) = by_log_p * away * per_deviation;
                const LearnFloats by = by_log_p * (away * away - 1.0f) + by_entropy;
                for (int lane = 0; lane < LEARN_LANES; lane++) by_deviation[k] += by[lane];
                z += LEARN_ROWS;
                dz += LEARN_ROWS;
            }
        }
    }
    for (int lane = 0; lane < LEARN_LANES; lane++) {
        sums->policy_loss += loss_sum[lane];
        sums->entropy += entropy_sum[lane];
        sums->kl += kl_sum[lane];
        sums->clipped += clipped_sum[lane];
    }
}

/* One part of a minibatch, through the networks and back: its gradient. */
static inline void learn__part(LearnMinibatch* batch, const LearnScratch* scratch, int32_t part) {
    Learner* learner = batch->learner;
    const LearnNetwork *policy = &learner->policy, *value = &learner->value;
    const size_t row = policy->layers[0].row, policy_row = learn_last(policy)->output_row,
                 value_row = learn_last(value)->output_row, a = (size_t)learner->num_actions;
    const int64_t size = learner->settings.minibatch;
    const int32_t end = (int32_t)(size * (part + 1) / LEARN_PARTS);
    const float per_value = learner->settings.value_weight / (float)size;
    float* gradient = learner->part_gradients + (size_t)part * learner->num_weights;
    LearnSums* sums = &batch->sums[part];
    memset(gradient, 0, learner->num_weights * sizeof(float));
    memset(sums, 0, sizeof *sums);
    for (int32_t first = (int32_t)(size * part / LEARN_PARTS); first < end; first += LEARN_ROWS) {
        const int rows = learn__block_rows(end, first);
        for (int i = 0; i < rows; i++) {
            const size_t at = (size_t)batch->order[first + i];
            memcpy(scratch->x + (size_t)i * row, learner->observations + at * row, row * sizeof(float));
            for (size_t k = 0; k < a; k++) scratch->actions[k * LEARN_ROWS + (size_t)i] = learner->actions[at * a + k];
            scratch->old_log_p[i] = learner->log_p[at];
            scratch->advantages[i] = (learner->advantages[at] - batch->mean) * batch->per_deviation;
            scratch->returns[i] = learner->advantages[at] + learner->values[at];
        }
        learn__outputs(learner, scratch, rows, scratch->x);
        learn__policy_loss(learner, scratch, rows, gradient + learner->deviations, sums);
        learn_transpose(learner->num_outputs, rows, scratch->dz, LEARN_ROWS, scratch->policy_dy, policy_row);
        learn_backward(policy, learner->transposed, rows, scratch->x, scratch->outputs, scratch->policy_dy, scratch->spare,
                       gradient);
        const float* v = learn_forward(value, learner->weights, rows, scratch->x, scratch->outputs);
        for (int i = 0; i < rows; i++) {
            const float error = v[(size_t)i * value_row] - scratch->returns[i];
            sums->value_loss += 0.5f * error * error;
            scratch->value_dy[(size_t)i * value_row] = per_value * error;
        }
        learn_backward(value, learner->transposed, rows, scratch->x, scratch->outputs, scratch->value_dy, scratch->spare,
                       gradient);
    }
}

static inline void learn__part_work(void* context, int32_t from, int32_t to) {
    LearnMinibatch* batch = (LearnMinibatch*)context;
    const LearnScratch scratch = learn__take(batch->learner);
    for (int32_t part = from; part < to; part++) learn__part(batch, &scratch, part);
    learn__give(batch->learner, &scratch);
}

/* The gradient of the minibatch with these agent-steps. Adds the means of its sums to `log`. */
static inline void learn__gradient(Learner* learner, const int32_t* order, LearnLog* log) {
    const int32_t size = learner->settings.minibatch;
    const float per_row = 1.0f / (float)size;
    LearnMinibatch batch;
    memset(&batch, 0, sizeof batch);
    batch.learner = learner;
    batch.order = order;
    /* advantages are used with mean 0 and deviation 1, so that the size of rewards does not matter */
    double sum = 0, squares = 0;
    for (int32_t i = 0; i < size; i++) {
        const double advantage = (double)learner->advantages[order[i]];
        sum += advantage;
        squares += advantage * advantage;
    }
    const double mean = sum / size, variance = squares / size - mean * mean;
    batch.mean = (float)mean;
    batch.per_deviation = (float)(1.0 / (sqrt(variance > 0 ? variance : 0) + 1e-8));

    learn_transpose_weights(&learner->policy, learner->weights, learner->transposed);
    learn_transpose_weights(&learner->value, learner->weights, learner->transposed);
    env_threads_run(learner->num_threads, LEARN_PARTS, learn__part_work, &batch);
    memset(learner->gradient, 0, learner->num_weights * sizeof(float));
    for (int32_t part = 0; part < LEARN_PARTS; part++) {
        const LearnSums* sums = &batch.sums[part];
        learn_add(learner->num_weights, learner->part_gradients + (size_t)part * learner->num_weights, learner->gradient);
        log->policy_loss += sums->policy_loss * per_row;
        log->value_loss += sums->value_loss * per_row;
        log->entropy += sums->entropy * per_row;
        log->kl += sums->kl * per_row;
        log->clipped += sums->clipped * per_row;
    }
}

/* ---- The step of the weights ------------------------------------------------------------------------------------------------ */

/* Adam: Kingma, Ba, "Adam: A Method for Stochastic Optimization", 2015 (arXiv 1412.6980), algorithm 1, with g = shorten x gradient.
 *     m = beta1 m + (1 - beta1) g          v = beta2 v + (1 - beta2) g^2
 *     w = w - rate m' / (sqrt(v') + epsilon)    m' = m / (1 - beta1^t), v' = v / (1 - beta2^t): without their bias to 0 */
LEARN_EACH_LEVEL static inline void learn__adam(Learner* learner, float rate, float shorten) {
    const float beta1 = learner->settings.beta1, beta2 = learner->settings.beta2, epsilon = learner->settings.epsilon;
    learner->power1 *= (double)beta1;
    learner->power2 *= (double)beta2;
    const float of_m = (float)(1.0 / (1.0 - learner->power1)), of_v = (float)(1.0 / (1.0 - learner->power2));
    float *w = learner->weights, *m = learner->first_moment, *v = learner->second_moment;
    const float* gradient = learner->gradient;
    for (size_t k = 0; k < learner->num_weights; k++) {
        const float g = shorten * gradient[k];
        m[k] = beta1 * m[k] + (1.0f - beta1) * g;
        v[k] = beta2 * v[k] + (1.0f - beta2) * (g * g);
        w[k] -= rate * (m[k] * of_m) / (sqrtf(v[k] * of_v) + epsilon);
    }
}

/* The learning rate of now. */
static inline float learn_rate(const Learner* learner) {
    enum { NONE, LINEAR, COSINE };
    const LearnSettings* settings = &learner->settings;
    double done = (double)learner->agent_steps / settings->anneal_steps, left = 1;
    if (done > 1) done = 1;
    if (settings->annealing == LINEAR) left = 1 - done;
    if (settings->annealing == COSINE) { /* (1 + cos(pi done)) / 2 by the series of the cosine, the same bits everywhere */
        const double angle = 3.14159265358979323846 * done;
        double term = 1, cosine = 1;
        for (int k = 1; k < 16; k++) cosine += term *= -angle * angle / (2 * k * (2 * k - 1));
        left = (1 + cosine) / 2;
    }
    return (float)(settings->learning_rate * (left > 0 ? left : 0));
}

/* Puts the first `count` agent-steps in a random order: Fisher and Yates, Durstenfeld 1964. */
static inline void learn__shuffle(Learner* learner, int32_t count, uint64_t stream) {
    for (int32_t i = 0; i < count; i++) learner->order[i] = i;
    for (int32_t i = count - 1; i > 0; i--) {
        const int32_t j = (int32_t)(((env_random(&stream) >> 32) * (uint64_t)(i + 1)) >> 32), kept = learner->order[i];
        learner->order[i] = learner->order[j];
        learner->order[j] = kept;
    }
}

/* Whether a number that everything else goes into is finite: NULL, or a message. */
static inline const char* learn__check_finite(Learner* learner, const char* what, double number) {
    if (number - number == 0) return NULL; /* false for NaN and infinities */
    snprintf(learner->message, sizeof learner->message,
             "%s: expected finite numbers, got %g: a reward or an observation is not finite, or learning_rate is too large",
             what, number);
    return learner->message;
}

/* Share of the variance of the returns that the values explain, and the mean reward, into the log. Fails where one is not finite. */
static inline const char* learn__explain(Learner* learner, LearnLog* log) {
    double sum = 0, squares = 0, errors = 0, error_squares = 0;
    const double n = learner->num_batch;
    for (int32_t i = 0; i < learner->num_batch; i++) {
        const double error = (double)learner->advantages[i], value = error + (double)learner->values[i];
        sum += value;
        squares += value * value;
        errors += error;
        error_squares += error * error;
    }
    const double variance = squares - sum * sum / n, left = error_squares - errors * errors / n;
    log->explained = variance > 0 ? (float)(1 - left / variance) : 0.0f;
    log->reward = (float)(learner->reward_sum / n);
    return learn__check_finite(learner, "returns", squares + error_squares);
}

/* One update: a rollout, or what is left of it after learn_step, and `epochs` times all its minibatches. */
static inline const char* learn_update(Learner* learner) {
    if (!learner->vec) return "call learn_open() first";
    if (!learner->vec->started) return "call env_vec_reset() first";
    const LearnSettings* settings = &learner->settings;
    const int32_t minibatches = learner->num_batch / settings->minibatch;
    const float per_minibatch = 1.0f / (float)(minibatches * settings->epochs);
    LearnLog log;
    memset(&log, 0, sizeof log);
    const char* message = learn__roll_out(learner);
    if (message) return message;
    learn_gae(settings->rollout, (size_t)learner->vec->num_agents, settings->gamma, settings->gae_lambda, learner->rewards,
              learner->ends, learner->values, learner->advantages);
    message = learn__explain(learner, &log);
    if (message) return message;
    log.learning_rate = learn_rate(learner);
    for (int32_t epoch = 0; epoch < settings->epochs; epoch++) {
        learn__shuffle(learner, learner->num_batch,
                       env_seed(learner->seed, 3, (uint64_t)(learner->updates * settings->epochs + epoch)));
        for (int32_t k = 0; k < minibatches; k++) {
            learn__gradient(learner, learner->order + (size_t)k * (size_t)settings->minibatch, &log);
            const float length = sqrtf(learn_sum_of_squares(learner->num_weights, learner->gradient));
            message = learn__check_finite(learner, "gradient", (double)length);
            if (message) return message;
            const float shorten = length > settings->gradient_norm ? settings->gradient_norm / length : 1.0f;
            learn__adam(learner, log.learning_rate, shorten);
            log.gradient += length;
        }
    }
    log.policy_loss *= per_minibatch;
    log.value_loss *= per_minibatch;
    log.entropy *= per_minibatch;
    log.kl *= per_minibatch;
    log.clipped *= per_minibatch;
    log.gradient *= per_minibatch;
    learner->log = log;
    learner->agent_steps += learner->num_batch;
    learner->updates++;
    return NULL;
}

#endif
