/* vecenv.h - a stub of the header of this name in PufferLib 4: what it asks of a binding.c, and what it does with it
 *
 * Written from facts read in PufferLib's repository at commit 8e3e754, and none of its text. A binding.c defines Env, Log,
 * OBS_SIZE, NUM_ATNS, ACT_SIZES, OBS_TENSOR_T, includes this, and then defines my_init(Env*, Dict*), my_log(Log*, Dict*).
 * This calls them and Env's c_reset, c_step, c_render, c_close. The facts, in the order in which they come up below:
 *     1  A tensor is a struct with `data`, which points at what an observation is made of. PrecisionTensor has bfloat16
 *        in the default build and float in the float build, which says -DPRECISION_FLOAT; FloatTensor's is float in both.
 *     2  A Dict holds doubles by name, and has room for `capacity` of them; one for a log has room for 32.
 *     3  Without OBS_SIZE there are declarations alone: the trainer includes it so, and is linked with binding.c.
 *     4  Environments start zeroed, get their number as rng, and are made until there are enough agents. Then they may move.
 *     5  observations, actions, rewards, terminals are slices of four arrays, side by side, zero at first; set once, before
 *        c_reset. All but observations are floats; actions are (num_agents x NUM_ATNS).
 *     6  rewards and terminals are zeroed after the reset, and before each step.
 *     7  Log is floats, n last. They are added up over the environments and divided by the sum of n, which then stands as
 *        "n" beside what my_log wrote. A log clears those of the environments, an eval_log does not. Without an episode
 *        neither writes anything.
 *     8  c_close, then free. Nothing takes an error of my_init: PufferLib's own print it and end the process.
 * Left out: the GPU with its copies of the four arrays, the trainer, num_buffers and the threads, each of which steps some
 * of the environments, and the hooks that a binding.c may define (MY_VEC_INIT and its like). No order of environments is
 * promised: here the last steps first.
 */
#ifndef VECENV_H
#define VECENV_H

#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* 1 */
typedef struct FloatTensor {
    float* data;
} FloatTensor;

#ifdef PRECISION_FLOAT
typedef float precision_t;
#else
typedef uint16_t precision_t;
#endif
typedef struct PrecisionTensor {
    precision_t* data;
} PrecisionTensor;

/* 2 */
typedef struct DictItem {
    const char* key;
    double value;
    void* ptr;
} DictItem;

typedef struct Dict {
    DictItem* items;
    int size, capacity;
} Dict;

static inline Dict* create_dict(int capacity) {
    Dict* dict = (Dict*)calloc(1, sizeof(Dict));
    dict->items = (DictItem*)calloc((size_t)capacity, sizeof(DictItem));
    dict->capacity = capacity;
    return dict;
}

static inline DictItem* dict_get_unsafe(Dict* dict, const char* key) {
    for (int k = 0; k < dict->size; k++)
        if (!strcmp(dict->items[k].key, key)) return &dict->items[k];
    return NULL;
}

static inline DictItem* dict_get(Dict* dict, const char* key) {
    DictItem* item = dict_get_unsafe(dict, key);
    assert(item);
    return item;
}

static inline void dict_set(Dict* dict, const char* key, double value) {
    DictItem* item = dict_get_unsafe(dict, key);
    if (!item) {
        assert(dict->size < dict->capacity);
        item = &dict->items[dict->size++];
        item->key = key;
    }
    item->value = value;
}

/* 3 */
typedef struct StaticVec {
    void* envs;
    int size, total_agents, buffers, agents_per_buffer;
    void* observations;
    float *actions, *rewards, *terminals;
    int obs_size, num_atns;
} StaticVec;

StaticVec* create_static_vec(int total_agents, int num_buffers, int gpu, Dict* vec_kwargs, Dict* env_kwargs);
void static_vec_reset(StaticVec* vec);
void cpu_vec_step(StaticVec* vec);
void static_vec_log(StaticVec* vec, Dict* out);
void static_vec_eval_log(StaticVec* vec, Dict* out);
void static_vec_render(StaticVec* vec, int env);
void static_vec_close(StaticVec* vec);
int get_obs_size(void);
int get_num_atns(void);
int* get_act_sizes(void);
int get_num_act_sizes(void);
const char* get_obs_dtype(void);
size_t get_obs_elem_size(void);

#ifdef OBS_SIZE

void my_init(Env* env, Dict* kwargs);
void my_log(Log* log, Dict* out);

#define VECENV_TEXT_OF(name) #name
#define VECENV_TEXT(name) VECENV_TEXT_OF(name)

static int vecenv_act_sizes[] = ACT_SIZES;

int get_obs_size(void) { return OBS_SIZE; }
int get_num_atns(void) { return NUM_ATNS; }
int* get_act_sizes(void) { return vecenv_act_sizes; }
int get_num_act_sizes(void) { return (int)(sizeof vecenv_act_sizes / sizeof *vecenv_act_sizes); }
const char* get_obs_dtype(void) { return VECENV_TEXT(OBS_TENSOR_T); }
size_t get_obs_elem_size(void) { return sizeof *((OBS_TENSOR_T*)NULL)->data; }

/* 4: to another address, and what they leave behind is none of theirs. */
static Env* vecenv_moved(Env* envs, int count) {
    Env* moved = (Env*)malloc((size_t)count * sizeof(Env));
    memcpy(moved, envs, (size_t)count * sizeof(Env));
    memset(envs, 0xA5, (size_t)count * sizeof(Env));
    free(envs);
    return moved;
}

StaticVec* create_static_vec(int total_agents, int num_buffers, int gpu, Dict* vec_kwargs, Dict* env_kwargs) {
    StaticVec* vec = (StaticVec*)calloc(1, sizeof(StaticVec));
    Env* envs = (Env*)calloc((size_t)total_agents, sizeof(Env));
    const size_t n = (size_t)total_agents;
    (void)gpu, (void)vec_kwargs; /* its numbers are the other arguments too */
    int agents = 0;
    for (; agents < total_agents; vec->size++) {
        envs[vec->size].rng = (unsigned)vec->size;
        my_init(&envs[vec->size], env_kwargs);
        agents += envs[vec->size].num_agents;
    }
    assert(agents == total_agents); /* else PufferLib writes past the arrays; a later version asserts as well */
    envs = vecenv_moved(envs, vec->size);
    vec->envs = envs;
    vec->total_agents = total_agents;
    vec->buffers = num_buffers;
    vec->agents_per_buffer = total_agents / num_buffers;
    vec->obs_size = OBS_SIZE;
    vec->num_atns = NUM_ATNS;

    /* 5 */
    vec->observations = calloc(n * OBS_SIZE, get_obs_elem_size());
    vec->actions = (float*)calloc(n * NUM_ATNS, sizeof(float));
    vec->rewards = (float*)calloc(n, sizeof(float));
    vec->terminals = (float*)calloc(n, sizeof(float));
    size_t slot = 0;
    for (int k = 0; k < vec->size; slot += (size_t)envs[k++].num_agents) {
        envs[k].observations = (void*)((char*)vec->observations + slot * OBS_SIZE * get_obs_elem_size());
        envs[k].actions = vec->actions + slot * NUM_ATNS;
        envs[k].rewards = vec->rewards + slot;
        envs[k].terminals = vec->terminals + slot;
    }
    return vec;
}

/* 6 */
static void vecenv_zero(StaticVec* vec) {
    memset(vec->rewards, 0, (size_t)vec->total_agents * sizeof(float));
    memset(vec->terminals, 0, (size_t)vec->total_agents * sizeof(float));
}

void static_vec_reset(StaticVec* vec) {
    for (int k = 0; k < vec->size; k++) c_reset((Env*)vec->envs + k);
    vecenv_zero(vec);
}

void cpu_vec_step(StaticVec* vec) {
    vecenv_zero(vec);
    for (int k = vec->size; k--;) c_step((Env*)vec->envs + k);
}

void static_vec_render(StaticVec* vec, int env) { c_render((Env*)vec->envs + env); }

/* 7 */
void static_vec_eval_log(StaticVec* vec, Dict* out) {
    Log log;
    float* sums = (float*)(void*)&log;
    const size_t fields = sizeof(Log) / sizeof(float);
    memset(&log, 0, sizeof log);
    for (int k = 0; k < vec->size; k++)
        for (size_t j = 0; j < fields; j++) sums[j] += ((const float*)(const void*)&((Env*)vec->envs)[k].log)[j];
    const float n = sums[fields - 1];
    if (n == 0) return;
    for (size_t j = 0; j < fields; j++) sums[j] /= n;
    my_log(&log, out);
    dict_set(out, "n", n);
}

void static_vec_log(StaticVec* vec, Dict* out) {
    static_vec_eval_log(vec, out);
    for (int k = 0; k < vec->size; k++) memset(&((Env*)vec->envs)[k].log, 0, sizeof(Log));
}

/* 8 */
void static_vec_close(StaticVec* vec) {
    for (int k = 0; k < vec->size; k++) c_close((Env*)vec->envs + k);
    free(vec->envs);
    free(vec->observations);
    free(vec->actions);
    free(vec->rewards);
    free(vec->terminals);
    free(vec);
}

#endif
#endif
