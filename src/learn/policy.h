/* policy.h - a policy.npz of `boids train` as the policy of a Learner, in plain C
 *
 *     LearnSettings settings;
 *     learn_defaults(&settings);
 *     error = learn_policy_settings(npz, bytes, &settings);                    // the shape of its network
 *     if (!error) error = learn_open(&learner, &vec, &settings, 1, 1);
 *     if (!error) error = learn_read_policy(&learner, npz, bytes);
 *     learn_act(&learner, &vec, LEARN_DRAW, step);
 *
 * The file is in memory, from whoever: nothing in it is trusted. It is a zip of NumPy arrays that are not compressed, as numpy.savez
 * writes it: .ZIP File Format Specification 6.3.9, sections 4.3.7, 4.3.12 and 4.3.16; NumPy Enhancement Proposal 1. The arrays have the
 * names that Learner.policy() gives them. The value function is not in the file and stays as it is.
 *
 * Errors: a function returns NULL, or a message, which stays valid until the next call. After an error the learner is as it was.
 */
#ifndef LEARN_POLICY_H
#define LEARN_POLICY_H

#include "learner.h"

/* An array of float32 in the file. A vector has no rows. */
typedef struct LearnArray {
    const char* data; /* not aligned */
    size_t rows, columns;
} LearnArray;

static inline uint32_t learn__number(const char* at, int bytes) {
    uint32_t number = 0;
    for (int k = 0; k < bytes; k++) number |= (uint32_t)(uint8_t)at[k] << (8 * k);
    return number;
}

/* Reads the header of a .npy: float32, C order, one or two dimensions. Whether it is one, and as long as it says. */
static inline bool learn__read_npy(const char* npy, size_t bytes, LearnArray* array) {
    char text[256];
    if (bytes < 12 || memcmp(npy, "\x93NUMPY", 6) != 0) return false;
    const size_t start = npy[6] == 1 ? 10 : 12, length = learn__number(npy + 8, npy[6] == 1 ? 2 : 4);
    if (length >= sizeof text || length > bytes - start) return false;
    memcpy(text, npy + start, length);
    text[length] = 0;
    const char* shape = strstr(text, "'shape': (");
    if (!shape || !strstr(text, "'descr': '<f4'") || !strstr(text, "'fortran_order': False")) return false;
    unsigned long sizes[2] = {0, 0};
    const int count = sscanf(shape, "'shape': (%7lu, %7lu", &sizes[0], &sizes[1]);
    if (count < 1 || !sizes[0]) return false;
    array->rows = count == 2 ? sizes[0] : 0;
    array->columns = count == 2 ? sizes[1] : sizes[0];
    array->data = npy + start + length;
    const size_t elements = (array->rows ? array->rows : 1) * array->columns;
    return array->columns && elements * sizeof(float) == bytes - start - length;
}

/* Finds an array by its name, by the directory at the end of the zip. NULL, a message, or "" where there is no such array. */
static inline const char* learn__find(const void* npz, size_t bytes, const char* name, LearnArray* array) {
    static const char damaged[] = "policy: expected a policy.npz, which is a zip without compression, got something else";
    const char *const file = (const char*)npz, *end = NULL;
    for (size_t back = 22; back <= bytes && back < 22 + 65536 && !end; back++)
        if (memcmp(file + bytes - back, "PK\5\6", 4) == 0) end = file + bytes - back;
    if (!end) return damaged;
    size_t at = learn__number(end + 16, 4);
    for (uint32_t entries = learn__number(end + 10, 2); entries; entries--) {
        if (at > bytes || bytes - at < 46 || memcmp(file + at, "PK\1\2", 4) != 0) return damaged;
        const char* entry = file + at;
        const size_t name_length = learn__number(entry + 28, 2), local = learn__number(entry + 42, 4);
        const size_t size = learn__number(entry + 20, 4);
        at += 46 + name_length + learn__number(entry + 30, 2) + learn__number(entry + 32, 2);
        if (at > bytes) return damaged;
        if (name_length != strlen(name) + 4 || memcmp(entry + 46, name, name_length - 4) != 0 ||
            memcmp(entry + 46 + name_length - 4, ".npy", 4) != 0)
            continue;
        if (local > bytes || bytes - local < 30 || learn__number(entry + 10, 2) != 0) return damaged;
        const size_t start = local + 30 + learn__number(file + local + 26, 2) + learn__number(file + local + 28, 2);
        if (start > bytes || size > bytes - start || !learn__read_npy(file + start, size, array)) return damaged;
        return NULL;
    }
    return "";
}

static inline float learn__float(const LearnArray* array, size_t k) {
    float number;
    memcpy(&number, array->data + k * sizeof number, sizeof number);
    return number;
}

/* Sets policy_layers, policy_width and mirror to what the file has. */
static inline const char* learn_policy_settings(const void* npz, size_t bytes, LearnSettings* settings) {
    LearnArray array;
    char name[40];
    int layers = 0;
    for (const char* message = NULL; layers <= 8; layers++) {
        snprintf(name, sizeof name, "encoder.%d.weight", 2 * layers);
        message = learn__find(npz, bytes, name, &array);
        if (message && message[0]) return message;
        if (message) break;
        if (array.rows > 4096) return "policy: expected at most 4096 numbers in a layer, got more";
        settings->policy_width = (int)array.rows;
    }
    if (layers > 8) return "policy: expected at most 8 layers, got more";
    settings->policy_layers = layers;
    const char* message = learn__find(npz, bytes, "mirror.observation", &array);
    settings->mirror = !message;
    return message && message[0] ? message : NULL;
}

/* Finds an array of this shape whose numbers are finite. */
static inline const char* learn__expect(Learner* learner, const void* npz, size_t bytes, const char* name, size_t rows,
                                        size_t columns, LearnArray* array) {
    const char* message = learn__find(npz, bytes, name, array);
    if (message && message[0]) return message;
    if (message || array->rows != rows || array->columns != columns) {
        snprintf(learner->message, sizeof learner->message, "policy: %s: expected %zu x %zu floats, got %zu x %zu", name,
                 rows, columns, message ? (size_t)0 : array->rows, message ? (size_t)0 : array->columns);
        return learner->message;
    }
    for (size_t k = 0; k < (rows ? rows : 1) * columns; k++) {
        const float number = learn__float(array, k);
        if (number - number == 0) continue;
        snprintf(learner->message, sizeof learner->message, "policy: %s: expected finite numbers, got another one", name);
        return learner->message;
    }
    return NULL;
}

/* Whether the file's mirror is that of the header. */
static inline const char* learn__expect_mirror(Learner* learner, const void* npz, size_t bytes, const char* name,
                                               const EnvMirror* mirror, size_t size) {
    LearnArray array;
    const char* message = learn__expect(learner, npz, bytes, name, 2, size, &array);
    for (size_t k = 0; !message && k < size; k++)
        if (learn__float(&array, k) != (float)mirror[k].from || learn__float(&array, size + k) != (float)mirror[k].sign)
            message = "policy: expected the mirror of this environment, got another one";
    return message;
}

/* "encoder.2.weight", or with a head "decoder.weight". */
static inline void learn__layer_name(char name[40], const char* head, int32_t layer, const char* what) {
    if (head)
        snprintf(name, 40, "%s.%s", head, what);
    else
        snprintf(name, 40, "encoder.%d.%s", (int)(2 * layer), what);
}

/* Takes the policy of the file in place of the learner's. `check`: changes nothing yet. */
static inline const char* learn__take_policy(Learner* learner, const void* npz, size_t bytes, bool check) {
    const EnvSpace space = learner->vec->action_space;
    const char *head = space.choices ? "decoder" : "decoder_mean", *message = NULL;
    const float half = (space.high - space.low) * 0.5f;
    const bool bounded = !space.choices && half < INFINITY;
    const float scale = bounded ? half : 1.0f, shift = bounded ? (space.high + space.low) * 0.5f : 0.0f;
    for (int32_t k = 0; k < learner->policy.depth; k++) {
        const LearnLayer* layer = &learner->policy.layers[k];
        const bool last = k + 1 == learner->policy.depth;
        const float by = (k == 0 ? learner->input_scale : 1.0f) * (last ? scale : 1.0f);
        const size_t inputs = (size_t)layer->inputs, outputs = (size_t)layer->outputs;
        float* weights = learner->weights + layer->weights;
        LearnArray weight, bias;
        char name[40];
        learn__layer_name(name, last ? head : NULL, k, "weight");
        message = learn__expect(learner, npz, bytes, name, outputs, inputs, &weight);
        if (message) return message;
        learn__layer_name(name, last ? head : NULL, k, "bias");
        message = learn__expect(learner, npz, bytes, name, 0, outputs, &bias);
        if (message) return message;
        if (check) continue;
        for (size_t j = 0; j < outputs; j++) {
            for (size_t i = 0; i < inputs; i++)
                weights[i * (size_t)layer->columns + j] = learn__float(&weight, j * inputs + i) / by;
            weights[inputs * (size_t)layer->columns + j] =
                last ? (learn__float(&bias, j) - shift) / scale : learn__float(&bias, j);
        }
    }
    LearnArray logs;
    const size_t a = (size_t)space.size;
    message = space.choices ? NULL : learn__expect(learner, npz, bytes, "decoder_logstd", 1, a, &logs);
    for (size_t k = 0; !message && !check && !space.choices && k < a; k++)
        learner->weights[learner->deviations + k] = learn__float(&logs, k) - learn_log(scale);
    return message;
}

/* Replaces the learner's policy by that of the file, whose network must have the learner's shape. */
static inline const char* learn_read_policy(Learner* learner, const void* npz, size_t bytes) {
    LearnArray array;
    if (!learner->vec) return "call learn_open() first";
    const char* message = learn__find(npz, bytes, "mirror.observation", &array);
    const bool mirrored = !message;
    if (message && message[0]) return message;
    if (mirrored != learner->has_mirror) return "policy: expected the mirror setting of the learner, got the other one";
    message = NULL;
    if (mirrored) {
        message = learn__expect_mirror(learner, npz, bytes, "mirror.observation", learner->mirror_observation,
                                       (size_t)learner->policy.layers[0].inputs);
        if (!message)
            message = learn__expect_mirror(learner, npz, bytes, "mirror.action", learner->mirror_action,
                                           (size_t)learner->num_outputs);
    }
    if (!message) message = learn__take_policy(learner, npz, bytes, true);
    return message ? message : learn__take_policy(learner, npz, bytes, false);
}

#endif
