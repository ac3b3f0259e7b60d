/* state.h - the state of a learner as bytes, to go on from: here, later or elsewhere, to the same bits
 *
 * Include it after ppo.h. learn_get_state writes and learn_set_state reads these bytes, little-endian, one after the other without gaps:
 *
 *     LearnHead                        104 bytes
 *     float weights[W], first_moment[W], second_moment[W]
 *     the state of the EnvVec          env_vec.h says what these bytes are
 *     uint64_t checksum                FNV-1a of all bytes before it
 *
 * The settings are not in it: a learner goes on with its own. Only the networks must have the same shape. Not for headers without
 * ENV_STATE: ENV_VEC_HAS_STATE.
 */
#ifndef LEARN_STATE_H
#define LEARN_STATE_H

#include "ppo.h"

enum { LEARN_STATE_FORMAT = 1 };
static const char learn__magic[8] = {'l', 'e', 'a', 'r', 'n', 'e', 'r', 0};

typedef struct LearnHead {
    char magic[8];
    uint32_t format, inputs, outputs, continuous;
    int32_t policy_layers, policy_width, value_layers, value_width;
    uint64_t bytes; /* of the whole state */
    uint64_t seed;
    int64_t agent_steps, updates;
    double power1, power2;
    uint64_t env_bytes;
    uint64_t unused;
} LearnHead;
static_assert(sizeof(LearnHead) == 104, "LearnHead has gaps");

/* The head of this learner's state. */
static inline LearnHead learn__head(const Learner* learner) {
    const LearnSettings* settings = &learner->settings;
    LearnHead head;
    memset(&head, 0, sizeof head);
    memcpy(head.magic, learn__magic, sizeof head.magic);
    head.format = LEARN_STATE_FORMAT;
    head.inputs = (uint32_t)learner->vec->observation_space.size;
    head.outputs = (uint32_t)learner->num_outputs;
    head.continuous = !learner->vec->action_space.choices;
    head.policy_layers = settings->policy_layers;
    head.policy_width = settings->policy_width;
    head.value_layers = settings->value_layers;
    head.value_width = settings->value_width;
    head.seed = learner->seed;
    head.agent_steps = learner->agent_steps;
    head.updates = learner->updates;
    head.power1 = learner->power1;
    head.power2 = learner->power2;
    head.env_bytes = env_vec_state_bytes(learner->vec);
    head.bytes = sizeof head + 3 * learner->num_weights * sizeof(float) + head.env_bytes + sizeof(uint64_t);
    return head;
}

/* The bytes of the whole state. */
static inline size_t learn_state_bytes(const Learner* learner) { return (size_t)learn__head(learner).bytes; }

/* Writes the state between two updates to learn_state_bytes(learner) bytes. After the first env_vec_reset. */
static inline void learn_get_state(const Learner* learner, void* data) {
    const LearnHead head = learn__head(learner);
    const float* const arrays[] = {learner->weights, learner->first_moment, learner->second_moment};
    const size_t bytes = learner->num_weights * sizeof(float);
    char *const start = (char*)data, *at = start;
    memcpy(at, &head, sizeof head);
    at += sizeof head;
    for (int k = 0; k < 3; k++, at += bytes) memcpy(at, arrays[k], bytes);
    env_vec_get_state(learner->vec, at);
    at += head.env_bytes;
    const uint64_t sum = env_vec_checksum(start, (size_t)(at - start));
    memcpy(at, &sum, sizeof sum);
}

/* Whether learn_set_state takes these bytes: whole, of a learner of this shape, and such that learning can go on from them. */
static inline const char* learn_check_state(Learner* learner, const void* data, size_t bytes) {
    const LearnHead ours = learn__head(learner);
    const char* at = (const char*)data;
    char* const message = learner->message;
    const size_t size = sizeof learner->message;
    LearnHead head;
    uint64_t sum = 0;
    if (bytes < sizeof head.magic || memcmp(at, learn__magic, sizeof head.magic) != 0)
        return "data: expected what a learner's state() returned, got other bytes";
    if (bytes < sizeof head + sizeof sum) {
        snprintf(message, size, "data: expected at least %zu bytes, got %zu", sizeof head + sizeof sum, bytes);
        return message;
    }
    memcpy(&head, at, sizeof head);
    memcpy(&sum, at + bytes - sizeof sum, sizeof sum);
    if (head.format != LEARN_STATE_FORMAT) {
        snprintf(message, size, "data: expected a state of format %d, got format %u", LEARN_STATE_FORMAT,
                 (unsigned)head.format);
        return message;
    }
    if (head.bytes != bytes) {
        snprintf(message, size, "data: expected %llu bytes, got %zu", (unsigned long long)head.bytes, bytes);
        return message;
    }
    if (sum != env_vec_checksum(at, bytes - sizeof sum)) return "data: damaged (checksum mismatch)";
    /* the bytes are whole; they may still be of another learner */
    const struct {
        const char* name;
        int64_t ours, theirs;
    } shapes[] = {{"observations of size", ours.inputs, head.inputs},
                  {"outputs", ours.outputs, head.outputs},
                  {"continuous actions", ours.continuous, head.continuous},
                  {"policy_layers", ours.policy_layers, head.policy_layers},
                  {"policy_width", ours.policy_width, head.policy_width},
                  {"value_layers", ours.value_layers, head.value_layers},
                  {"value_width", ours.value_width, head.value_width},
                  {"an environment's state of bytes", (int64_t)ours.env_bytes, (int64_t)head.env_bytes}};
    for (size_t k = 0; k < sizeof shapes / sizeof shapes[0]; k++) {
        if (shapes[k].ours == shapes[k].theirs) continue;
        snprintf(message, size, "data: expected %s %lld, got %lld", shapes[k].name, (long long)shapes[k].ours,
                 (long long)shapes[k].theirs);
        return message;
    }
    if (head.bytes != ours.bytes) return "data: expected a state of these networks, got another size";
    if (!(head.power1 >= 0 && head.power1 <= 1 && head.power2 >= 0 && head.power2 <= 1 && head.agent_steps >= 0 &&
          head.updates >= 0))
        return "data: expected counts and powers that a learner can have";
    for (size_t k = 0; k < 3 * learner->num_weights; k++) {
        float x;
        memcpy(&x, at + sizeof head + k * sizeof x, sizeof x);
        if (!(x - x == 0) || (k >= 2 * learner->num_weights && x < 0)) /* true for NaN and infinities */
            return "data: expected finite weights and moments";
    }
    return env_vec_check_state(learner->vec, at + sizeof head + 3 * learner->num_weights * sizeof(float),
                               (size_t)head.env_bytes);
}

/* Goes on from a state: sets the learner's and the EnvVec's. Needs no reset before. On failure nothing has changed. */
static inline const char* learn_set_state(Learner* learner, const void* data, size_t bytes) {
    const char* message = learn_check_state(learner, data, bytes);
    if (message) return message;
    float* const arrays[] = {learner->weights, learner->first_moment, learner->second_moment};
    const size_t size = learner->num_weights * sizeof(float);
    const char* at = (const char*)data;
    LearnHead head;
    memcpy(&head, at, sizeof head);
    at += sizeof head;
    for (int k = 0; k < 3; k++, at += size) memcpy(arrays[k], at, size);
    learner->stepped = 0;
    learner->seed = head.seed;
    learner->agent_steps = head.agent_steps;
    learner->updates = head.updates;
    learner->power1 = head.power1;
    learner->power2 = head.power2;
    memset(&learner->log, 0, sizeof learner->log);
    return env_vec_set_state(learner->vec, at, (size_t)head.env_bytes);
}

#endif
