/* learner.h - what a learner is: its settings, its memory, what its networks see and what the environment gets of them
 *
 * ppo.h includes it and has the manual.
 */
#ifndef LEARN_LEARNER_H
#define LEARN_LEARNER_H

#include "env_threads.h"
#include "env_vec.h"
#include "network.h"

/* type, name, default, least, most, unit, doc */
#define LEARN_SETTINGS(X)                                                                                                        \
    X(int, rollout, 16, 1, 65536, "steps", "steps of every agent before an update")                                              \
    X(int, minibatch, 1024, 1, 16777216, "agent-steps", "what a step of the gradient is computed from: a divisor of agents x rollout") \
    X(int, epochs, 2, 1, 100, "", "how often each agent-step is used")                                                           \
    X(float, gamma, 0.95, 0, 1, "", "discount of rewards, for each step that they are away")                                     \
    X(float, gae_lambda, 0.9, 0, 1, "", "trust in rewards rather than in the value function: 0 for one step alone, 1 for all")   \
    X(bool, bootstrap, true, 0, 1, "", "whether the value of the final observation follows a truncation; if not, nothing follows") \
    X(float, clip, 0.2, 1e-3, 10, "", "how far an update may move the probability of an action: by this share")                  \
    X(float, entropy, 0.02, 0, 10, "reward", "paid for each unit of the policy's entropy, which keeps it curious")               \
    X(float, value_weight, 0.5, 0, 100, "", "of the value function's loss beside the policy's")                                  \
    X(float, learning_rate, 0.003, 0, 10, "", "of Adam")                                                                         \
    X(choice, annealing, 1, 0, 2, "none|linear|cosine", "how the learning rate falls to 0")                                      \
    X(int, anneal_steps, 3000000, 1, 2000000000, "agent-steps", "after which it is 0")                                           \
    X(float, gradient_norm, 0.5, 1e-6, 1e6, "", "longer gradients are shortened to this")                                        \
    X(float, beta1, 0.9, 0, 0.999999, "", "of Adam: memory of the gradient")                                                     \
    X(float, beta2, 0.999, 0, 0.999999, "", "of Adam: memory of its square")                                                     \
    X(float, epsilon, 1e-5, 1e-12, 1, "", "of Adam: keeps the steps of tiny gradients small")                                    \
    X(int, policy_layers, 2, 0, 8, "layers", "hidden layers of the policy")                                                      \
    X(int, policy_width, 32, 1, 4096, "", "numbers in each of them")                                                             \
    X(int, value_layers, 2, 0, 8, "layers", "hidden layers of the value function")                                               \
    X(int, value_width, 32, 1, 4096, "", "numbers in each of them")                                                              \
    X(float, deviation, 0.6, 1e-3, 100, "", "of a continuous action at first; the distance from the middle of the space to its end is 1") \
    X(bool, mirror, true, 0, 1, "", "whether the policy treats left and right alike, where the header has ENV_MIRROR")

/* name, doc: of the last update, means over its minibatches where there is no other word */
#define LEARN_LOG(X)                                                                                                             \
    X(reward, "mean reward of an agent-step")                                                                                    \
    X(policy_loss, "what the policy's step makes smaller, without entropy")                                                      \
    X(value_loss, "half the mean square error of the value function")                                                            \
    X(entropy, "of the policy, in nats")                                                                                         \
    X(kl, "how far the policy moved: mean of r - 1 - log r, r the ratio of probabilities")                                       \
    X(clipped, "share of agent-steps with a clipped ratio")                                                                      \
    X(gradient, "length of the gradient before it was shortened")                                                                \
    X(explained, "share of the variance of the returns that the values explain; at most 1")                                      \
    X(learning_rate, "at the end")

typedef struct LearnSettings {
    LEARN_SETTINGS(ENV_FIELD)
} LearnSettings;

typedef struct LearnLog {
    LEARN_LOG(ENV_FLOAT)
} LearnLog;

enum { LEARN_DRAW, LEARN_BEST }; /* actions drawn by their probability, or the most probable */

/* A minibatch is computed in so many parts, whatever the number of threads, and their gradients are added in order. */
enum { LEARN_PARTS = 16 };

enum { LEARN_CACHE_LINE = 64 }; /* bytes */

/* type, name, elements, shape and doc of every array. N: agents, B: N x rollout, A: elements of an action, W: weights */
#define LEARN_ARRAYS(X)                                                                                                          \
    X(float, weights, w, "(W) of the policy, of the value function, and the logarithms of deviations")                           \
    X(float, first_moment, w, "(W) of Adam")                                                                                     \
    X(float, second_moment, w, "(W) of Adam")                                                                                    \
    X(float, gradient, w, "(W) of a minibatch")                                                                                  \
    X(float, part_gradients, LEARN_PARTS * w, "(LEARN_PARTS x W)")                                                               \
    X(float, transposed, learner->num_transposed, "the weights of each layer, transposed")                                       \
    X(float, observations, b * learner->policy.layers[0].row, "(rollout x N x row) as the networks see them")                    \
    X(float, actions, b * a, "(rollout x N x A) choices, or outputs with their noise; as the networks see them")                 \
    X(float, log_p, b, "(rollout x N) logarithm of the probability with which they were drawn")                                  \
    X(float, values, b + n, "(rollout + 1 x N)")                                                                                 \
    X(float, rewards, b, "(rollout x N) and what follows a truncation")                                                          \
    X(float, ends, b, "(rollout x N) 1 where the episode ended with this step")                                                  \
    X(float, advantages, b, "(rollout x N)")                                                                                     \
    X(int32_t, order, b, "(rollout x N) agent-steps in the order of the minibatches")                                            \
    X(float, scratch, (size_t)learner->num_threads * learner->scratch_floats, "of each thread")                                  \
    X(EnvMirror, mirror_observation, o, "(observation size) only where there is a mirror")                                       \
    X(int32_t, turned, o, "(num_turned) elements of an observation that are others in the mirror")                              \
    X(EnvMirror, mirror_action, z, "(outputs of the policy) the same")

typedef struct Learner {
    EnvVec* vec;
    LearnSettings settings;
    int32_t num_threads;
    int32_t num_actions; /* elements of an action */
    int32_t num_outputs; /* of the policy */
    int32_t num_batch;   /* agent-steps of an update */
    LearnNetwork policy, value;
    size_t num_weights, num_transposed, deviations; /* deviations: index of the first among the weights */
    size_t scratch_floats;
    int32_t free_scratch[ENV_VEC_MAX_THREADS], num_free; /* which are not in use */
    bool has_mirror;
    int32_t num_turned;
    bool bad_header;   /* learn_open failed because the header breaks the contract, and not because of an argument */
    float input_scale; /* of observations */
    LearnLog log;
    int32_t stepped;   /* steps of the rollout that were made */
    double reward_sum; /* of these */
    float* targets;    /* (rollout x N x outputs of the policy) or NULL: see distil.h */

    /* with the weights, Adam's moments and the EnvVec, this is the state */
    uint64_t seed;
    int64_t agent_steps, updates;
    double power1, power2; /* beta1 and beta2 to the number of Adam's steps */

#define LEARN__ARRAY(type, name, ...) type* name;
    LEARN_ARRAYS(LEARN__ARRAY)
#undef LEARN__ARRAY
    char message[256];
} Learner;

static inline void learn_defaults(LearnSettings* env) { LEARN_SETTINGS(ENV__DEFAULT) }

/* NULL, or a message about the first setting outside its range. */
static inline const char* learn_check(const LearnSettings* env) {
    const char* message = NULL;
    LEARN_SETTINGS(ENV__CHECK)
    return message;
}

/* ---- Open, close ---------------------------------------------------------------------------------------------------------- */

/* Zeroed memory that starts with a cache line, so that no vector lies in two. The byte before it says how far into the block it is. */
static inline void* learn__allocate(size_t count, size_t size) {
    if (count > (SIZE_MAX - LEARN_CACHE_LINE) / size) return NULL;
    unsigned char* block = (unsigned char*)ENV_CALLOC(count * size + LEARN_CACHE_LINE, 1);
    if (!block) return NULL;
    const size_t skipped = LEARN_CACHE_LINE - (uintptr_t)block % LEARN_CACHE_LINE; /* 1 at least */
    block[skipped - 1] = (unsigned char)skipped;
    return block + skipped;
}
static inline void learn__free(void* start) {
    if (start) ENV_FREE((unsigned char*)start - ((unsigned char*)start)[-1]);
}

/* Frees all that a Learner owns. */
static inline void learn_close(Learner* learner) {
#define LEARN__FREE(type, name, ...)  \
    learn__free(learner->name);       \
    learner->name = NULL;
    LEARN_ARRAYS(LEARN__FREE)
    LEARN__FREE(float, targets)
#undef LEARN__FREE
    learner->vec = NULL;
}

/* What one thread works in: pointers into its share of `scratch`. R: LEARN_ROWS */
typedef struct LearnScratch {
    int32_t number;
    float* x;                                            /* (R x row) observations */
    float* outputs;                                      /* of all layers */
    float* spare[2];                                     /* (R x widest row) */
    float *policy_dy, *value_dy;                         /* (R x row of the last outputs) */
    float *z, *p, *log_p, *dz;                           /* (outputs x R) of the policy */
    float *actions, *noise, *entropies;                  /* (A x R) */
    float *old_log_p, *advantages, *returns, *new_log_p; /* (R) */
} LearnScratch;

/* Cuts a thread's share into arrays. Returns its floats. */
static inline size_t learn__cut(const Learner* learner, float* from, LearnScratch* scratch) {
    const LearnNetwork *policy = &learner->policy, *value = &learner->value;
    const size_t outputs = policy->num_outputs > value->num_outputs ? policy->num_outputs : value->num_outputs;
    const size_t widest = policy->widest > value->widest ? policy->widest : value->widest;
    const size_t z = LEARN_ROWS * (size_t)learner->num_outputs, a = LEARN_ROWS * (size_t)learner->num_actions;
    const struct {
        float** array;
        size_t floats;
    } cuts[] = {{&scratch->x, LEARN_ROWS * policy->layers[0].row},
                {&scratch->outputs, outputs},
                {&scratch->spare[0], widest},
                {&scratch->spare[1], widest},
                {&scratch->policy_dy, LEARN_ROWS * learn_last(policy)->output_row},
                {&scratch->value_dy, LEARN_ROWS * learn_last(value)->output_row},
                {&scratch->z, z},
                {&scratch->p, z},
                {&scratch->log_p, z},
                {&scratch->dz, z},
                {&scratch->actions, a},
                {&scratch->noise, a},
                {&scratch->entropies, a},
                {&scratch->old_log_p, LEARN_ROWS},
                {&scratch->advantages, LEARN_ROWS},
                {&scratch->returns, LEARN_ROWS},
                {&scratch->new_log_p, LEARN_ROWS}};
    size_t sum = 0;
    for (size_t k = 0; k < sizeof cuts / sizeof cuts[0]; k++) {
        *cuts[k].array = from ? from + sum : NULL;
        sum += cuts[k].floats;
    }
    return sum;
}

/* The scratch of one thread, which nobody else has until learn__give. There are as many as threads. */
static inline LearnScratch learn__take(Learner* learner) {
    LearnScratch scratch;
    env_threads_lock();
    scratch.number = learner->free_scratch[--learner->num_free];
    env_threads_unlock();
    learn__cut(learner, learner->scratch + (size_t)scratch.number * learner->scratch_floats, &scratch);
    return scratch;
}
static inline void learn__give(Learner* learner, const LearnScratch* scratch) {
    env_threads_lock();
    learner->free_scratch[learner->num_free++] = scratch->number;
    env_threads_unlock();
}

/* Whether the mirror of elements [first, end) stays among them and undoes itself. Choices have no signs. */
static inline bool learn__is_mirror(const EnvMirror* mirror, int32_t first, int32_t end, bool has_signs) {
    for (int32_t k = first; k < end; k++) {
        const int32_t from = mirror[k].from, sign = mirror[k].sign;
        if (from < first || from >= end || mirror[from].from != k || mirror[from].sign != sign) return false;
        if (sign != 1 && !(has_signs && sign == -1)) return false;
    }
    return true;
}

/* Asks the header for its mirror. NULL, or a message that it is none. */
static inline const char* learn__take_mirror(Learner* learner, const EnvVec* vec) {
    const int32_t size = vec->observation_space.size, *choices = vec->action_space.choices;
    EnvMirror *observation = learner->mirror_observation, *action = learner->mirror_action;
    for (int32_t k = 0; k < size; k++) {
        observation[k] = c_mirror_observation(&vec->envs[0], k);
        if (observation[k].from != k || observation[k].sign != 1) learner->turned[learner->num_turned++] = k;
    }
    for (int32_t k = 0; k < learner->num_outputs; k++) action[k] = c_mirror_action(&vec->envs[0], k);
    if (!learn__is_mirror(observation, 0, size, true)) return "c_mirror_observation: done twice, it must change nothing";
    bool good = choices || learn__is_mirror(action, 0, learner->num_outputs, true);
    for (int32_t k = 0, first = 0; choices && k < learner->num_actions; first += choices[k++])
        good = good && learn__is_mirror(action, first, first + choices[k], false);
    return good ? NULL : "c_mirror_action: done twice, it must change nothing; a choice becomes one of the same element";
}

/* Makes a learner for an EnvVec that has its arrays. On failure the learner is closed. */
static inline const char* learn_open(Learner* learner, EnvVec* vec, const LearnSettings* settings, uint64_t seed,
                                     int64_t num_threads) {
    const EnvSpace observation = vec->observation_space, action = vec->action_space;
    memset(learner, 0, sizeof *learner);
    const char* message = learn_check(settings);
    if (!message) message = env_expect("num_threads", (double)num_threads, 1, ENV_VEC_MAX_THREADS);
    if (message) return message;
    if (!vec->attached) return "call env_vec_attach() first";
    const double batch = (double)vec->num_agents * settings->rollout;
    if (!(batch <= INT32_MAX)) return env_expect("rollout", settings->rollout, 1, (double)(INT32_MAX / vec->num_agents));
    learner->num_batch = (int32_t)batch;
    if (learner->num_batch % settings->minibatch != 0) {
        snprintf(learner->message, sizeof learner->message,
                 "minibatch: expected a divisor of %d (%lld agents x rollout %d), got %d", (int)learner->num_batch,
                 (long long)vec->num_agents, settings->rollout, settings->minibatch);
        return learner->message;
    }
    learner->settings = *settings;
    learner->num_threads = (int32_t)num_threads;
    learner->num_actions = action.size;
    learner->num_outputs = env_vec_num_outputs(&action);
    const float low = fabsf(observation.low), high = fabsf(observation.high), largest = low > high ? low : high;
    learner->input_scale = observation.type != 'f' && !observation.choices && largest > 0 ? 1.0f / largest : 1.0f;
    learner->has_mirror = ENV_VEC_HAS_MIRROR && settings->mirror;

    /* the layout of the networks, and from it the sizes of the arrays */
    learner->policy = learn_network(observation.size, settings->policy_layers, settings->policy_width, learner->num_outputs,
                                    &learner->num_weights, &learner->num_transposed);
    learner->value = learn_network(observation.size, settings->value_layers, settings->value_width, 1, &learner->num_weights,
                                   &learner->num_transposed);
    learner->deviations = learner->num_weights;
    if (!action.choices) learner->num_weights += learn_padded((size_t)action.size);
    LearnScratch unused;
    learner->scratch_floats = learn__cut(learner, NULL, &unused);
    for (int32_t k = 0; k < learner->num_threads; k++) learner->free_scratch[learner->num_free++] = k;

    const size_t w = learner->num_weights, n = (size_t)vec->num_agents, b = (size_t)learner->num_batch;
    const size_t a = (size_t)learner->num_actions, o = (size_t)observation.size, z = (size_t)learner->num_outputs;
    bool whole = true;
#define LEARN__ALLOCATE(type, name, elements, ...)                            \
    learner->name = (type*)learn__allocate((elements) + 1, sizeof(type)); \
    whole = whole && learner->name;
    LEARN_ARRAYS(LEARN__ALLOCATE)
#undef LEARN__ALLOCATE
    if (!whole || (ENV_VEC_HAS_FINAL && !vec->final_observations && env_vec_attach_final(vec, NULL))) {
        learn_close(learner);
        return ENV_NO_MEMORY;
    }
    message = learner->has_mirror ? learn__take_mirror(learner, vec) : NULL;
    if (message) {
        learn_close(learner);
        learner->bad_header = true;
        return message;
    }

    /* the policy begins near indifference: with a small last layer every action is about as probable */
    learner->vec = vec;
    learner->seed = seed;
    learner->power1 = learner->power2 = 1;
    learn_draw_weights(&learner->policy, 0.01f, env_seed(seed, 1, 0), learner->weights);
    learn_draw_weights(&learner->value, 1.0f, env_seed(seed, 1, 0), learner->weights);
    for (int32_t k = 0; !action.choices && k < action.size; k++)
        learner->weights[learner->deviations + (size_t)k] = learn_log(settings->deviation);
    return NULL;
}

/* ---- What the networks see, and what the environment gets -------------------------------------------------------------------- */

/* Element k of a row of observations. */
static inline float learn__element(char type, const void* row, int32_t k) {
    switch (type) {
        case 'f': return ((const float*)row)[k];
        case 'i': return (float)((const int32_t*)row)[k];
        case 'b': return (float)((const int8_t*)row)[k];
        default: return (float)((const uint8_t*)row)[k];
    }
}

/* Writes observations of agents [first, first + rows) as the networks see them: floats, of the two mirror images the one with the larger
 * first element in which they differ, and a 1. mirrored: whether that was the other one. */
static inline void learn__observe(const Learner* learner, const void* array, int64_t first, int rows, float* x,
                                  bool* mirrored) {
    const EnvSpace space = learner->vec->observation_space;
    const size_t stride = learner->policy.layers[0].row, bytes = env_vec_row_bytes(&space);
    const int32_t size = space.size;
    for (int i = 0; i < rows; i++, x += stride) {
        const void* row = (const char*)array + (size_t)(first + i) * bytes;
        if (space.type == 'f')
            for (int32_t k = 0; k < size; k++) x[k] = ((const float*)row)[k];
        else
            for (int32_t k = 0; k < size; k++) x[k] = learn__element(space.type, row, k) * learner->input_scale;
        x[size] = 1;
        mirrored[i] = false;
        if (!learner->has_mirror) continue;
        const EnvMirror* mirror = learner->mirror_observation;
        const int32_t *turned = learner->turned, num_turned = learner->num_turned;
        int32_t t = 0;
        while (t < num_turned && x[turned[t]] == x[mirror[turned[t]].from] * (float)mirror[turned[t]].sign) t++;
        if (t == num_turned || !(x[turned[t]] < x[mirror[turned[t]].from] * (float)mirror[turned[t]].sign)) continue;
        mirrored[i] = true;
        for (t = 0; t < num_turned; t++) {
            const int32_t k = turned[t], from = mirror[k].from;
            if (from < k) continue;
            const float here = x[k], there = x[from]; /* the two change places */
            x[k] = there * (float)mirror[k].sign;
            x[from] = from == k ? x[k] : here * (float)mirror[from].sign;
        }
    }
}

/* The values of rows x. */
static inline void learn__values(const Learner* learner, const LearnScratch* scratch, int rows, const float* x,
                                 float* values) {
    const float* y = learn_forward(&learner->value, learner->weights, rows, x, scratch->outputs);
    for (int i = 0; i < rows; i++) values[i] = y[(size_t)i * learn_last(&learner->value)->output_row];
}

/* The outputs of the policy for rows x, as scratch->z. */
static inline void learn__outputs(const Learner* learner, const LearnScratch* scratch, int rows, const float* x) {
    const float* y = learn_forward(&learner->policy, learner->weights, rows, x, scratch->outputs);
    learn_transpose(rows, learner->num_outputs, y, learn_last(&learner->policy)->output_row, scratch->z, LEARN_ROWS);
}

/* Draws actions for the outputs in scratch->z, or takes the best, with the numbers in scratch->noise. Their log p: scratch->new_log_p. */
LEARN_EACH_LEVEL static inline void learn__choose_actions(const Learner* learner, const LearnScratch* scratch, int how) {
    const int32_t* choices = learner->vec->action_space.choices;
    for (int l = 0; l < LEARN_ROWS; l += LEARN_LANES) {
        const float* z = scratch->z + l;
        LearnFloats sum = LEARN_ALL(0.0f);
        for (int32_t k = 0; k < learner->num_actions; k++) {
            const LearnFloats noise = LEARN_LOAD(scratch->noise + k * LEARN_ROWS + l);
            LearnFloats action;
            if (choices) {
                learn_softmax8(choices[k], z, scratch->p + l, scratch->log_p + l);
                action = how == LEARN_BEST ? learn_best8(choices[k], z) : learn_draw8(choices[k], scratch->p + l, noise);
                sum += learn_log_p8(choices[k], scratch->log_p + l, action);
                z += choices[k] * LEARN_ROWS;
            } else {
                const float log_deviation = learner->weights[learner->deviations + (size_t)k];
                action = LEARN_LOAD(z);
                if (how == LEARN_DRAW) action += learn_exp(log_deviation) * noise;
                sum += learn_normal_log_p8(LEARN_LOAD(z), log_deviation, action);
                z += LEARN_ROWS;
            }
            LEARN_STORE(scratch->actions + k * LEARN_ROWS + l) = action;
        }
        LEARN_STORE(scratch->new_log_p + l) = sum;
    }
}

/* Decides for rows x, with the random numbers `index` and following: scratch->actions and scratch->new_log_p. */
static inline void learn__decide(const Learner* learner, const LearnScratch* scratch, int rows, const float* x,
                                 uint64_t stream, uint64_t index, int how) {
    const bool discrete = learner->vec->action_space.choices != NULL;
    learn__outputs(learner, scratch, rows, x);
    for (int i = 0; i < rows; i++)
        for (int32_t k = 0; k < learner->num_actions; k++, index++)
            scratch->noise[k * LEARN_ROWS + i] = discrete ? learn_uniform(stream, index) : learn_normal(stream, index);
    learn__choose_actions(learner, scratch, how);
}

/* Writes actions, as the networks see them, to an environment's array, mirrored back where the observation was. */
static inline void learn__write_actions(const Learner* learner, const LearnScratch* scratch, void* array, int64_t first,
                                        int rows, const bool* mirrored) {
    const EnvSpace space = learner->vec->action_space;
    const float middle = (space.low + space.high) * 0.5f, half = (space.high - space.low) * 0.5f;
    const bool bounded = half < INFINITY;
    for (int i = 0; i < rows; i++) {
        int32_t output = 0;
        for (int32_t k = 0; k < space.size; k++) {
            const float action = scratch->actions[k * LEARN_ROWS + i];
            const size_t row = (size_t)(first + i) * (size_t)space.size;
            if (space.choices) {
                const int32_t choice = output + (int32_t)action;
                ((int32_t*)array)[row + (size_t)k] = (mirrored[i] ? learner->mirror_action[choice].from : choice) - output;
                output += space.choices[k];
                continue;
            }
            const EnvMirror same = {k, 1}, mirror = mirrored[i] ? learner->mirror_action[k] : same;
            float scaled = (bounded ? middle + half * action : action) * (float)mirror.sign;
            if (!(scaled >= space.low)) scaled = space.low;
            if (!(scaled <= space.high)) scaled = space.high;
            ((float*)array)[row + (size_t)mirror.from] = scaled;
        }
    }
}

static inline int32_t learn__blocks(int64_t rows) { return (int32_t)((rows + LEARN_ROWS - 1) / LEARN_ROWS); }
static inline int learn__block_rows(int64_t rows, int64_t first) {
    const int64_t left = rows - first;
    return left < LEARN_ROWS ? (int)left : (int)LEARN_ROWS;
}

typedef struct LearnActing {
    Learner* learner;
    EnvVec* vec;
    uint64_t index;
    int how;
} LearnActing;

static inline void learn__act_work(void* context, int32_t from, int32_t to) {
    const LearnActing* acting = (const LearnActing*)context;
    Learner* learner = acting->learner;
    const LearnScratch scratch = learn__take(learner);
    bool mirrored[LEARN_ROWS];
    for (int32_t block = from; block < to; block++) {
        const int64_t first = (int64_t)block * LEARN_ROWS;
        const int rows = learn__block_rows(acting->vec->num_agents, first);
        learn__observe(learner, acting->vec->arrays[ENV_VEC_OBSERVATIONS], first, rows, scratch.x, mirrored);
        learn__decide(learner, &scratch, rows, scratch.x, env_seed(learner->seed, 4, 0),
                      acting->index + (uint64_t)first * (uint64_t)learner->num_actions, acting->how);
        learn__write_actions(learner, &scratch, acting->vec->arrays[ENV_VEC_ACTIONS], first, rows, mirrored);
    }
    learn__give(learner, &scratch);
}

/* Whether an EnvVec has the spaces that the learner learns in. */
static inline bool learn_fits(const Learner* learner, const EnvVec* vec) {
    const EnvSpace spaces[2][2] = {{learner->vec->observation_space, vec->observation_space},
                                   {learner->vec->action_space, vec->action_space}};
    for (int k = 0; k < 2; k++) {
        const EnvSpace ours = spaces[k][0], theirs = spaces[k][1];
        if (ours.type != theirs.type || ours.size != theirs.size || !ours.choices != !theirs.choices) return false;
        if (!ours.choices && (ours.low != theirs.low || ours.high != theirs.high)) return false;
        for (int32_t c = 0; ours.choices && c < ours.size; c++)
            if (ours.choices[c] != theirs.choices[c]) return false;
    }
    return true;
}

/* Writes the policy's actions for the observations of any EnvVec with the same spaces: learn_fits. step: of its flight; each step draws anew. */
static inline void learn_act(Learner* learner, EnvVec* vec, int how, uint64_t step) {
    LearnActing acting = {learner, vec, step * (uint64_t)vec->num_agents * (uint64_t)learner->num_actions, how};
    env_threads_run(learner->num_threads, learn__blocks(vec->num_agents), learn__act_work, &acting);
}

#endif
