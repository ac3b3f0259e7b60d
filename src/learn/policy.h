/* policy.h - the arrays of a policy, and the policy.npz of `boids train` that holds them, in plain C
 *
 * learn_policy_array lists what a Learner has learned as arrays with names. Python's Learner.policy() and the page in the browser hand these
 * arrays out. A file of them can be read into a Learner:
 *
 *     LearnSettings settings;
 *     learn_defaults(&settings);
 *     error = learn_policy_settings(npz, bytes, &settings);                    // the shape of its network
 *     if (!error) error = learn_open(&learner, &vec, &settings, 1, 1);
 *     if (!error) error = learn_read_policy(&learner, npz, bytes);
 *     learn_act(&learner, &vec, LEARN_DRAW, step);
 *
 * The file is in memory, from whoever: nothing in it is trusted. It is a zip of NumPy arrays that are not compressed, as numpy.savez
 * writes it: .ZIP File Format Specification 6.3.9, sections 4.3.7, 4.3.12 and 4.3.16; NumPy Enhancement Proposal 1. A value function in the
 * file is not read: the learner's stays as it is.
 *
 * Errors: a function returns NULL, or a message, which stays valid until the next call. After an error the learner is as it was.
 */
#ifndef LEARN_POLICY_H
#define LEARN_POLICY_H

#include "learner.h"

/* ---- The arrays of a policy ------------------------------------------------------------------------------------------------- */

/* One array: (rows x columns) numbers, or (columns) where rows is 0. A number is that of the learner, times `scale`, plus `shift`: observations
 * are taken as the environment writes them, and floats of an action are in the units of its space. */
typedef struct LearnPart {
    char name[40]; /* as torch names it */
    size_t rows, columns;
    float* first; /* number (r, c) of the learner is first[r * next_row + c * next_column] */
    size_t next_row, next_column;
    float scale, shift;
    const EnvMirror* mirror; /* in place of `first`: row 0 is where elements come from, row 1 their signs */
} LearnPart;

/* Weights and biases of a network, two parts for each layer: `tower`.0.weight (outputs x inputs), `tower`.0.bias, `tower`.2.weight and so on;
 * the last layer is `head`.weight and `head`.bias. */
static inline void learn__layer_part(const Learner* learner, const LearnNetwork* network, int32_t k, const char* tower,
                                     const char* head, float scale, float shift, LearnPart* part) {
    const LearnLayer* layer = &network->layers[k / 2];
    const bool last = k / 2 + 1 == network->depth, bias = k % 2;
    const size_t inputs = (size_t)layer->inputs, columns = (size_t)layer->columns;
    if (last)
        snprintf(part->name, sizeof part->name, "%s.%s", head, bias ? "bias" : "weight");
    else
        snprintf(part->name, sizeof part->name, "%s.%d.%s", tower, (int)(2 * (k / 2)), bias ? "bias" : "weight");
    part->rows = bias ? 0 : (size_t)layer->outputs;
    part->columns = bias ? (size_t)layer->outputs : inputs;
    part->first = learner->weights + layer->weights + (bias ? inputs * columns : 0);
    part->next_row = 1;
    part->next_column = bias ? 1 : columns;
    part->scale = (k < 2 && !bias ? learner->input_scale : 1.0f) * (last ? scale : 1.0f);
    part->shift = last && bias ? shift : 0.0f;
}

/* Array k of the policy, or of its value function. False after the last of the two. */
static inline bool learn_policy_array(const Learner* learner, bool value, int32_t k, LearnPart* part) {
    const EnvSpace space = learner->vec->action_space;
    const float half = (space.high - space.low) * 0.5f;
    const bool bounded = !space.choices && half < INFINITY;
    const float scale = bounded ? half : 1.0f, shift = bounded ? (space.high + space.low) * 0.5f : 0.0f;
    const LearnNetwork* network = value ? &learner->value : &learner->policy;
    memset(part, 0, sizeof *part);
    if (k < 2 * network->depth) {
        if (value)
            learn__layer_part(learner, network, k, "critic", "value", 1, 0, part);
        else
            learn__layer_part(learner, network, k, "encoder", space.choices ? "decoder" : "decoder_mean", scale, shift,
                              part);
        return true;
    }
    k -= 2 * network->depth;
    if (!value && !space.choices && k-- == 0) {
        snprintf(part->name, sizeof part->name, "decoder_logstd");
        part->rows = part->next_column = 1;
        part->columns = (size_t)space.size;
        part->first = learner->weights + learner->deviations;
        part->scale = 1;
        part->shift = learn_log(scale);
        return true;
    }
    if (value || !learner->has_mirror || k > 1) return false;
    snprintf(part->name, sizeof part->name, k ? "mirror.action" : "mirror.observation");
    part->rows = 2;
    part->columns = (size_t)(k ? learner->num_outputs : learner->policy.layers[0].inputs);
    part->mirror = k ? learner->mirror_action : learner->mirror_observation;
    return true;
}

/* Number (r, c) of an array; r is 0 in a vector. */
static inline float learn_part_get(const LearnPart* part, size_t r, size_t c) {
    if (part->mirror) return (float)(r ? part->mirror[c].sign : part->mirror[c].from);
    return part->first[r * part->next_row + c * part->next_column] * part->scale + part->shift;
}

/* Sets it in the learner. The mirror is the header's, and stays. */
static inline void learn_part_set(const LearnPart* part, size_t r, size_t c, float number) {
    if (!part->mirror) part->first[r * part->next_row + c * part->next_column] = (number - part->shift) / part->scale;
}

/* ---- Reading a file --------------------------------------------------------------------------------------------------------- */

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

/* The number of up to seven digits at *at, which then is behind it. 0 where there is none. */
static inline size_t learn__digits(const char** at) {
    size_t number = 0;
    for (int k = 0; k < 7 && **at >= '0' && **at <= '9'; k++, ++*at) number = 10 * number + (size_t)(**at - '0');
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
    shape += strlen("'shape': (");
    array->rows = 0;
    array->columns = learn__digits(&shape);
    if (strncmp(shape, ", ", 2) == 0) { /* and not "(5,)" */
        shape += 2;
        array->rows = array->columns;
        array->columns = learn__digits(&shape);
        if (!array->rows) return false;
    }
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

/* Finds the array of the file that goes with an array of the learner: of the same shape, finite, and of the same mirror. */
static inline const char* learn__find_part(Learner* learner, const void* npz, size_t bytes, const LearnPart* part,
                                           LearnArray* array) {
    const char* message = learn__find(npz, bytes, part->name, array);
    const size_t rows = part->rows ? part->rows : 1;
    if (message && message[0]) return message;
    if (message || array->rows != part->rows || array->columns != part->columns) {
        snprintf(learner->message, sizeof learner->message, "policy: %s: expected %d x %d floats, got %d x %d", part->name,
                 (int)part->rows, (int)part->columns, message ? 0 : (int)array->rows, message ? 0 : (int)array->columns);
        return learner->message;
    }
    for (size_t r = 0; r < rows; r++)
        for (size_t c = 0; c < part->columns; c++) {
            const float number = learn__float(array, r * part->columns + c);
            if (part->mirror && number != learn_part_get(part, r, c))
                return "policy: expected the mirror of this environment, got another one";
            if (number - number == 0) continue;
            snprintf(learner->message, sizeof learner->message, "policy: %s: expected finite numbers, got another one",
                     part->name);
            return learner->message;
        }
    return NULL;
}

/* Replaces the learner's policy by that of the file, whose network must have the learner's shape. */
static inline const char* learn_read_policy(Learner* learner, const void* npz, size_t bytes) {
    LearnArray array;
    LearnPart part;
    if (!learner->vec) return "call learn_open() first";
    const char* message = learn__find(npz, bytes, "mirror.observation", &array);
    if (message && message[0]) return message;
    if (!message != learner->has_mirror) return "policy: expected the mirror setting of the learner, got the other one";
    for (int32_t k = 0; learn_policy_array(learner, false, k, &part); k++)
        if ((message = learn__find_part(learner, npz, bytes, &part, &array))) return message;
    for (int32_t k = 0; learn_policy_array(learner, false, k, &part); k++) {
        message = learn__find_part(learner, npz, bytes, &part, &array);
        for (size_t r = 0; !message && r < (part.rows ? part.rows : 1); r++)
            for (size_t c = 0; c < part.columns; c++)
                learn_part_set(&part, r, c, learn__float(&array, r * part.columns + c));
    }
    return message;
}

#endif
