/* env_vec.h - many environments over one set of arrays, in plain C
 *
 * Include it after the header of an environment: it runs that header's Env, and knows it by the names of env.h alone. It knows
 * no Python; binding.c makes a Python type of it. It compiles as C11 and as C++17.
 *
 *     #include "squared.h"
 *     #include "env_vec.h"
 *
 *     Env first = {0};
 *     EnvVec vec;
 *     env_defaults(&first);                                           // parameters, which hold for every environment
 *     const char* error = env_vec_open(&vec, &first, 64, 1, 2);       // 64 environments, seed 1, at most 2 threads
 *     if (!error) error = env_vec_attach(&vec, NULL);                 // NULL: it allocates the arrays itself
 *     if (!error) error = env_vec_reset(&vec);
 *     for (int t = 0; t < 100 && !error; t++) {
 *         env_vec_script(&vec);                                       // or write to vec.arrays[ENV_VEC_ACTIONS]
 *         error = env_vec_step(&vec);
 *     }
 *     if (error) puts(error);
 *     env_vec_close(&vec);
 *
 * Memory: five arrays, a row for each agent. Each environment points at its own part of them, and nothing is copied.
 *
 *     arrays[ENV_VEC_OBSERVATIONS]  (num_agents x observation size)  ┌─ env 0 ─┬─ env 1 ─┬─ env 2 ─┐
 *     arrays[ENV_VEC_ACTIONS]       (num_agents x action size)       │ agents  │ agents  │ agents  │
 *     arrays[ENV_VEC_REWARDS]       (num_agents) float               └─────────┴─────────┴─────────┘
 *     arrays[ENV_VEC_TERMINALS]     (num_agents) uint8_t, 0 or 1
 *     arrays[ENV_VEC_TRUNCATIONS]   (num_agents) uint8_t, 0 or 1     num_agents counts the agents of all environments
 *
 * With -DENV_EXACT_BUFFERS each environment works on allocations of its own, of the exact size, and its part is copied in and out.
 * A step past its part is then a step past an allocation, which sanitizers report. It is what the sanitizers' builds use.
 *
 * Ownership: an EnvVec owns its Envs, and the arrays where it allocated them. Arrays of the caller stay in place until
 *            env_vec_close. Close it once whatever happened: after an error, twice, or zeroed, it is harmless.
 * Errors:    a function that can fail returns NULL, or a message; then nothing has changed. The message names an argument or a
 *            parameter, what was expected and what came, and stays valid until the next call. Out of memory: ENV_NO_MEMORY.
 *            Nothing prints or exits.
 * Threads:   one thread at a time uses an EnvVec. It shares out its environments among num_threads threads (see env_threads.h); a
 *            single environment may use them itself. Results do not depend on it.
 *
 * One environment by itself needs no EnvVec. After c_init, env_allocate(env) gives it five arrays of its own, and env_free(env)
 * frees them after c_close.
 */
#ifndef ENV_VEC_H
#define ENV_VEC_H

#include <assert.h>
#include <stdalign.h>
#include <stddef.h>

#include "env.h"
#include "env_threads.h"

enum { ENV_VEC_OBSERVATIONS, ENV_VEC_ACTIONS, ENV_VEC_REWARDS, ENV_VEC_TERMINALS, ENV_VEC_TRUNCATIONS, ENV_VEC_ARRAYS };
enum { ENV_VEC_MAX_ENVS = 1 << 20, ENV_VEC_MAX_THREADS = 1024 };

/* ---- What the header says of itself ------------------------------------------------------------------------------------ */

/* Near misses of the optional functions. A header that defines one of them gets an error here: the name in env.h is another. */
enum {
    c_scripts,
    c_scripted,
    c_policy,
    c_pixel,
    c_draw,
    c_picture,
    c_renders,
    c_window,
    c_restore,
    c_check_states,
    c_imagines,
    c_plan,
    c_change,
    c_changes,
    c_check,
    c_set_parameters,
    c_action_spaces,
    c_observation_spaces
};
#if defined ENV_PARAM || defined ENV_PARAMETERS || defined ENV_LOGS || defined ENV_STATES || defined ENV_SCALAR || \
    defined ENV_VERSION || defined ENV_EXTERNAL || defined ENV_OBSERVATIONS || defined ENV_CHANGABLE ||            \
    defined ENV_CHANGEABLES
#error \
    "env.h: the lists are ENV_PARAMS, ENV_LOG, ENV_OBSERVATION, ENV_CHANGEABLE, ENV_STATE, ENV_SCALARS, ENV_EXTERNALS; the version is ENV_STATE_VERSION"
#endif
#if !defined ENV_STATE && (defined ENV_SCALARS || defined ENV_STATE_VERSION || defined c_imagine)
#error "env.h: ENV_SCALARS, ENV_STATE_VERSION and c_imagine need ENV_STATE"
#endif

/* `bool` is a macro in C11 and may arrive here expanded. */
typedef enum EnvVecKind {
    ENV_VEC_int,
    ENV_VEC_float,
    ENV_VEC_bool,
    ENV_VEC__Bool = ENV_VEC_bool,
    ENV_VEC_choice
} EnvVecKind;

typedef struct EnvVecParam {
    EnvVecKind kind;
    const char* name;
    size_t offset; /* in Env */
    double value, min, max;
    const char *unit, *doc;
} EnvVecParam;

/* A header may have no parameters, and C has no empty array. */
#define ENV_VEC__PARAM(type, name, value, min, max, unit, doc)                                                                \
    {ENV_VEC_##type, #name, offsetof(Env, name), (double)(value), (double)(min), (double)(max), unit, doc},
static const EnvVecParam env_vec_params[] = {ENV_PARAMS(ENV_VEC__PARAM){ENV_VEC_int, NULL, 0, 0, 0, 0, NULL, NULL}};
enum { ENV_VEC_NUM_PARAMS = sizeof env_vec_params / sizeof env_vec_params[0] - 1 };

typedef struct EnvVecLogField {
    const char* name;
    size_t offset; /* in Log */
    const char* doc;
} EnvVecLogField;

#define ENV_VEC__LOG(name, doc) {#name, offsetof(Log, name), doc},
static const EnvVecLogField env_vec_log_fields[] = {
    ENV_LOG(ENV_VEC__LOG){"n", offsetof(Log, n), "episodes finished since the last call of log()"}};
enum { ENV_VEC_NUM_LOG = sizeof env_vec_log_fields / sizeof env_vec_log_fields[0] };

/* The optional names. Where a header lacks one, a stand-in that does nothing lets the rest compile. */
#ifdef c_script
enum { ENV_VEC_HAS_SCRIPT = true };
#else
enum { ENV_VEC_HAS_SCRIPT = false };
static inline void c_script(Env* env) { (void)env; }
#endif
#ifdef ENV_FINAL_OBSERVATIONS
enum { ENV_VEC_HAS_FINAL = true };
#define ENV_VEC__FINAL(env) (env)->final_observations
#else
enum { ENV_VEC_HAS_FINAL = false };
#define ENV_VEC__FINAL(env) (env)->observations /* for the compiler; nothing reads or writes it */
#endif
#ifdef ENV_MIRROR
enum { ENV_VEC_HAS_MIRROR = true };
#else
enum { ENV_VEC_HAS_MIRROR = false };
static inline EnvMirror c_mirror_observation(const Env* env, int32_t k) {
    const EnvMirror same = {k, 1};
    (void)env;
    return same;
}
static inline EnvMirror c_mirror_action(const Env* env, int32_t k) { return c_mirror_observation(env, k); }
#endif
#ifdef ENV_STATE
enum { ENV_VEC_HAS_STATE = true };
#else
enum { ENV_VEC_HAS_STATE = false };
#define ENV_STATE(X)
#define ENV_STATE_VERSION 0
static inline const char* c_check_state(Env* env) {
    (void)env;
    return NULL;
}
static inline void c_restored(Env* env) { (void)env; }
#endif
#ifndef c_futures
static inline int32_t c_futures(Env* env, const EnvFutures* futures) { return (void)env, (void)futures, -1; }
#endif
#ifdef c_imagine
enum { ENV_VEC_HAS_IMAGINE = true };
#else
enum { ENV_VEC_HAS_IMAGINE = false };
static inline void c_imagine(Env* env, Env* others, const Env* real, int32_t t) {
    (void)env, (void)others, (void)real, (void)t;
}
#endif
#ifndef ENV_SCALARS
#define ENV_SCALARS(X)
#endif
#ifdef ENV_CHANGEABLE
enum { ENV_VEC_HAS_CHANGEABLE = true };
#else
enum { ENV_VEC_HAS_CHANGEABLE = false };
#define ENV_CHANGEABLE(X)
static inline const char* c_changed(Env* env) {
    (void)env;
    return NULL;
}
#endif

/* The parameters that may change between steps: indices of env_vec_params. A name that is no parameter is an error here. */
#define ENV_VEC__INDEX(type, name, ...) ENV_VEC__INDEX_##name,
enum { ENV_PARAMS(ENV_VEC__INDEX) ENV_VEC__NO_INDEX };
#define ENV_VEC__CHANGEABLE(name) ENV_VEC__INDEX_##name,
static const int env_vec__changeable[] = {ENV_CHANGEABLE(ENV_VEC__CHANGEABLE) ENV_VEC__NO_INDEX};

/* Whether the parameter env_vec_params[k] may change between steps. */
static inline bool env_vec_is_changeable(int k) {
    for (const int* at = env_vec__changeable; *at != ENV_VEC__NO_INDEX; at++)
        if (*at == k) return true;
    return false;
}

/* A named part of the state: the arrays of ENV_STATE, then rng. */
typedef struct EnvVecField {
    const char* name;
    size_t item_bytes;
    bool per_agent; /* an array, one item for each agent */
    const char* doc;
} EnvVecField;

#define ENV_VEC__FIELD(type, name, doc) {#name, sizeof(type), true, doc},
static const EnvVecField env_vec_fields[] = {ENV_STATE(ENV_VEC__FIELD){"rng", sizeof(uint64_t), false, "the random state"}};
enum { ENV_VEC_NUM_FIELDS = sizeof env_vec_fields / sizeof env_vec_fields[0] };

/* The rest of the state: fields of Env without pointers. */
typedef struct EnvVecScalar {
    size_t offset, bytes; /* in Env */
} EnvVecScalar;

#define ENV_VEC__SCALAR(name, doc) {offsetof(Env, name), sizeof(((Env*)0)->name)},
static const EnvVecScalar env_vec_scalars[] = {ENV_SCALARS(ENV_VEC__SCALAR){offsetof(Env, log), sizeof(Log)}};
enum { ENV_VEC_NUM_SCALARS = sizeof env_vec_scalars / sizeof env_vec_scalars[0] };

/* A mistake in the header is an error of the compiler here, and not of a run. */
static_assert(ENV_VEC_NUM_LOG * sizeof(double) == sizeof(Log),
              "Log must be doubles, and ENV_LOG must list all of them but n");
static_assert(alignof(Env) <= alignof(max_align_t), "Env needs more alignment than calloc gives");
#ifndef __cplusplus
#define ENV_VEC__IS(struct_name, type, name) \
    _Static_assert(_Generic(((struct_name*)0)->name, type: 1, default: 0), #name " of " #struct_name " is no " #type);
#define ENV_VEC__CHECK(type, name, ...) ENV_VEC__IS(Env, type, name)
#define ENV_VEC__CHECK_LOG(name, ...) ENV_VEC__IS(Log, double, name)
ENV_PARAMS(ENV_VEC__CHECK)
ENV_LOG(ENV_VEC__CHECK_LOG)
ENV_VEC__IS(Log, double, n)
ENV_VEC__IS(Env, Log, log)
ENV_VEC__IS(Env, float*, rewards)
ENV_VEC__IS(Env, uint8_t*, terminals)
ENV_VEC__IS(Env, uint8_t*, truncations)
ENV_VEC__IS(Env, int32_t, num_agents)
ENV_VEC__IS(Env, int32_t, num_threads)
ENV_VEC__IS(Env, uint32_t, index)
ENV_VEC__IS(Env, uint32_t, num_envs)
ENV_VEC__IS(Env, uint64_t, rng)
#define ENV_VEC__DOES(name, result, ...) \
    _Static_assert(_Generic(&name, result(*)(__VA_ARGS__): 1, default: 0), #name " is no " #result " of " #__VA_ARGS__);
ENV_VEC__DOES(c_init, const char*, Env*)
ENV_VEC__DOES(c_observation_space, EnvSpace, const Env*)
ENV_VEC__DOES(c_action_space, EnvSpace, const Env*)
ENV_VEC__DOES(c_reset, void, Env*)
ENV_VEC__DOES(c_step, void, Env*)
ENV_VEC__DOES(c_close, void, Env*)
ENV_VEC__DOES(c_script, void, Env*)
ENV_VEC__DOES(c_changed, const char*, Env*)
ENV_VEC__DOES(c_check_state, const char*, Env*)
ENV_VEC__DOES(c_restored, void, Env*)
ENV_VEC__DOES(c_futures, int32_t, Env*, const EnvFutures*)
ENV_VEC__DOES(c_imagine, void, Env*, Env*, const Env*, int32_t)
#undef ENV_VEC__DOES
_Static_assert(_Generic(((Env*)0)->observations, float*: 1, int32_t*: 1, int8_t*: 1, uint8_t*: 1, default: 0),
               "observations of Env is no float*, int32_t*, int8_t* or uint8_t*");
_Static_assert(_Generic(((Env*)0)->actions, float*: 1, int32_t*: 1, void*: 1, default: 0),
               "actions of Env is no float*, int32_t* or void*");
#undef ENV_VEC__CHECK_LOG
#undef ENV_VEC__CHECK
#undef ENV_VEC__IS
#endif

/* The type of an EnvSpace that goes with a pointer in Env; 0: any, for void*. */
#ifdef __cplusplus
static inline char env_vec__type_of(const float*) { return 'f'; }
static inline char env_vec__type_of(const int32_t*) { return 'i'; }
static inline char env_vec__type_of(const int8_t*) { return 'b'; }
static inline char env_vec__type_of(const uint8_t*) { return 'B'; }
static inline char env_vec__type_of(const void*) { return 0; }
template <class Other>
char env_vec__type_of(const Other*) = delete;
#else
#define env_vec__type_of(pointer) _Generic((pointer), float*: 'f', int32_t*: 'i', int8_t*: 'b', uint8_t*: 'B', void*: 0)
#endif

/* ---- One environment and its arrays ------------------------------------------------------------------------------------ */

/* The choices of all elements together, or the elements of a space without choices. */
static inline int32_t env_vec_num_outputs(const EnvSpace* space) {
    int32_t sum = space->choices ? 0 : space->size;
    for (int32_t k = 0; space->choices && k < space->size; k++) sum += space->choices[k];
    return sum;
}

/* The bytes of one agent's part of a space. */
static inline size_t env_vec_row_bytes(const EnvSpace* space) {
    return (size_t)space->size * (space->type == 'f' || space->type == 'i' ? 4 : 1);
}

/* The bytes of one agent's row of array k. */
static inline size_t env_vec__row_bytes(const EnvSpace* observation, const EnvSpace* action, int k) {
    const EnvSpace* space = k == ENV_VEC_OBSERVATIONS ? observation : action;
    if (k == ENV_VEC_REWARDS) return sizeof(float);
    if (k > ENV_VEC_REWARDS) return 1;
    return env_vec_row_bytes(space);
}

/* Points an environment at its arrays. memcpy: C++ converts no void* by itself. */
static inline void env_vec__point(Env* env, void* const arrays[ENV_VEC_ARRAYS]) {
    memcpy(&env->observations, &arrays[ENV_VEC_OBSERVATIONS], sizeof(void*));
    memcpy(&env->actions, &arrays[ENV_VEC_ACTIONS], sizeof(void*));
    memcpy(&env->rewards, &arrays[ENV_VEC_REWARDS], sizeof(void*));
    memcpy(&env->terminals, &arrays[ENV_VEC_TERMINALS], sizeof(void*));
    memcpy(&env->truncations, &arrays[ENV_VEC_TRUNCATIONS], sizeof(void*));
}

/* Frees the arrays from env_allocate. */
static inline void env_free(Env* env) {
    void* const none[ENV_VEC_ARRAYS] = {NULL, NULL, NULL, NULL, NULL};
    ENV_FREE(env->observations);
    ENV_FREE(env->actions);
    ENV_FREE(env->rewards);
    ENV_FREE(env->terminals);
    ENV_FREE(env->truncations);
    env_vec__point(env, none);
}

/* After c_init: allocates the five arrays of one environment, zeroed, each of its exact size. NULL, or ENV_NO_MEMORY. */
static inline const char* env_allocate(Env* env) {
    const EnvSpace observation = c_observation_space(env), action = c_action_space(env);
    void* arrays[ENV_VEC_ARRAYS];
    bool whole = true;
    for (int k = 0; k < ENV_VEC_ARRAYS; k++) {
        arrays[k] = ENV_CALLOC((size_t)env->num_agents, env_vec__row_bytes(&observation, &action, k));
        whole = whole && arrays[k];
    }
    env_vec__point(env, arrays);
    if (whole) return NULL;
    env_free(env);
    return ENV_NO_MEMORY;
}

/* ---- Many: open, attach, close ----------------------------------------------------------------------------------------- */

typedef struct EnvVec {
    Env* envs; /* (num_envs), NULL when closed */
    int64_t num_envs, num_agents, num_threads;
    int64_t num_made; /* of them: those that env_vec_close must close */
    uint64_t seed;
    EnvSpace observation_space, action_space; /* the same in every environment */
    void* arrays[ENV_VEC_ARRAYS];             /* see above */
    size_t part_bytes[ENV_VEC_ARRAYS];        /* of each array: what belongs to one environment */
    void* final_observations;                 /* like the observations; NULL: off */
    bool attached;                            /* the environments have their arrays */
    bool owns_arrays, owns_final;
    bool started;    /* the environments are in an episode */
    bool bad_header; /* env_vec_open failed because the header breaks the contract, and not because of an argument */
    char message[320];
} EnvVec;

/* Points an environment at its final observations. Only where the header has them: ENV_VEC_HAS_FINAL. */
static inline void env_vec__point_final(Env* env, void* array) { memcpy(&ENV_VEC__FINAL(env), &array, sizeof array); }

/* Frees all that an EnvVec owns. */
static inline void env_vec_close(EnvVec* vec) {
    for (int64_t i = 0; i < vec->num_made; i++) {
        c_close(&vec->envs[i]);
#ifdef ENV_EXACT_BUFFERS
        if (vec->final_observations) {
            ENV_FREE(ENV_VEC__FINAL(&vec->envs[i]));
            env_vec__point_final(&vec->envs[i], NULL);
        }
#endif
#ifdef ENV_EXACT_BUFFERS
        env_free(&vec->envs[i]);
#endif
    }
    ENV_FREE(vec->envs);
    vec->envs = NULL;
    vec->num_made = 0;
    for (int k = 0; k < ENV_VEC_ARRAYS; k++) {
        if (vec->owns_arrays) ENV_FREE(vec->arrays[k]);
        vec->arrays[k] = NULL;
    }
    if (vec->owns_final) ENV_FREE(vec->final_observations);
    vec->final_observations = NULL;
    vec->attached = vec->owns_arrays = vec->owns_final = vec->started = false;
}

/* A copy of a message that lies in an Env which is about to go, or in a buffer that others write to. */
static inline const char* env_vec__keep(EnvVec* vec, const char* message) {
    if (strcmp(message, ENV_NO_MEMORY) == 0) return ENV_NO_MEMORY;
    const size_t length = strlen(message), most = sizeof vec->message - 1;
    memmove(vec->message, message, length < most ? length : most);
    vec->message[length < most ? length : most] = 0;
    return vec->message;
}

/* Whether a space has the type of what Env points to: 0 stands for any. */
static inline const char* env_vec__check_type(EnvVec* vec, const char* name, char pointed, char type) {
    static const char* const pointers[] = {"float*", "int32_t*", "int8_t*", "uint8_t*"}; /* by the place in "fibB" */
    if (!pointed || pointed == type) return NULL;
    snprintf(vec->message, sizeof vec->message, "c_%s_space: expected type '%c', because %ss of Env is %s, got '%c'", name,
             pointed, name, pointers[strchr("fibB", pointed) - "fibB"], type);
    return vec->message;
}

/* Whether the spaces are ones that env.h allows, and go with Env's pointers. */
static inline const char* env_vec__check_spaces(EnvVec* vec) {
    const EnvSpace action = vec->action_space, observation = vec->observation_space;
    if (action.size < 1 || action.type != (action.choices ? 'i' : 'f'))
        return "c_action_space: neither choices of type 'i' nor a range of type 'f'";
    if (observation.size < 1 || !observation.type || !strchr("fibB", observation.type))
        return "c_observation_space: expected type 'f', 'i', 'b' or 'B' and at least one element";
    const char* message =
        env_vec__check_type(vec, "observation", env_vec__type_of(vec->envs[0].observations), observation.type);
    return message ? message : env_vec__check_type(vec, "action", env_vec__type_of(vec->envs[0].actions), action.type);
}

/* Makes the next environment. */
static inline const char* env_vec__make(EnvVec* vec, const Env* first) {
    const int64_t i = vec->num_made;
    Env* env = &vec->envs[i];
    *env = *first;
    env->index = (uint32_t)i;
    env->num_envs = (uint32_t)vec->num_envs;
    env->num_threads = vec->num_envs == 1 ? (int32_t)vec->num_threads : 1;
    env->rng = env_seed(vec->seed, 0, (uint64_t)i);
    const char* message = c_init(env);
    if (message) return env_vec__keep(vec, message);
    vec->num_made++;
    if (env->num_agents >= 1 && env->num_agents == vec->envs[0].num_agents) return NULL;
    snprintf(vec->message, sizeof vec->message, "c_init: num_agents is %d in environment %lld", (int)env->num_agents,
             (long long)i);
    vec->bad_header = true;
    return vec->message;
}

/* The first half of env_vec_open: makes one environment, from which num_agents, the spaces and part_bytes follow. Arrays can be
 * checked then, before a million environments are made. On failure vec is closed. */
static inline const char* env_vec_begin(EnvVec* vec, const Env* first, int64_t num_envs, uint64_t seed,
                                        int64_t num_threads) {
    memset(vec, 0, sizeof *vec);
    vec->num_threads = num_threads;
    vec->seed = seed;
    const char* message = env_expect("num_envs", (double)num_envs, 1, ENV_VEC_MAX_ENVS);
    if (!message) message = env_expect("num_threads", (double)num_threads, 1, ENV_VEC_MAX_THREADS);
    if (message) return env_vec__keep(vec, message);
    vec->num_envs = num_envs;
    vec->envs = (Env*)ENV_CALLOC((size_t)num_envs, sizeof(Env));
    if (!vec->envs) return ENV_NO_MEMORY;
    message = env_vec__make(vec, first);
    if (!message) {
        vec->observation_space = c_observation_space(&vec->envs[0]);
        vec->action_space = c_action_space(&vec->envs[0]);
        message = env_vec__check_spaces(vec);
        vec->bad_header = message != NULL;
    }
    if (message) {
        env_vec_close(vec);
        return message;
    }
    vec->num_agents = num_envs * vec->envs[0].num_agents;
    for (int k = 0; k < ENV_VEC_ARRAYS; k++)
        vec->part_bytes[k] =
            (size_t)vec->envs[0].num_agents * env_vec__row_bytes(&vec->observation_space, &vec->action_space, k);
    return NULL;
}

/* The second half: makes the other environments. On failure vec is closed. */
static inline const char* env_vec_finish(EnvVec* vec, const Env* first) {
    const char* message = NULL;
    while (vec->num_made < vec->num_envs && !message) message = env_vec__make(vec, first);
    if (message) env_vec_close(vec);
    return message;
}

/* Makes num_envs environments like `first`, in which the parameters are set and everything else is zero. On failure vec is closed. */
static inline const char* env_vec_open(EnvVec* vec, const Env* first, int64_t num_envs, uint64_t seed, int64_t num_threads) {
    const char* message = env_vec_begin(vec, first, num_envs, seed, num_threads);
    return message ? message : env_vec_finish(vec, first);
}

/* Environment i's part of array k. */
static inline void* env_vec_part(const EnvVec* vec, int k, int64_t i) {
    return (char*)vec->arrays[k] + (size_t)i * vec->part_bytes[k];
}

/* Environment i's part of the final observations, where they are on. */
static inline void* env_vec_final_part(const EnvVec* vec, int64_t i) {
    return (char*)vec->final_observations + (size_t)i * vec->part_bytes[ENV_VEC_OBSERVATIONS];
}

/* Gives the environments their arrays, once: the caller's, of num_envs * part_bytes[k] bytes each; or, for NULL, arrays that the
 * EnvVec allocates and owns. Fails only out of memory. */
static inline const char* env_vec_attach(EnvVec* vec, void* const* arrays) {
    vec->owns_arrays = !arrays;
    for (int k = 0; k < ENV_VEC_ARRAYS; k++) {
        vec->arrays[k] = arrays ? arrays[k] : ENV_CALLOC((size_t)vec->num_envs, vec->part_bytes[k]);
        if (!vec->arrays[k]) return ENV_NO_MEMORY;
    }
    for (int64_t i = 0; i < vec->num_envs; i++) {
#ifdef ENV_EXACT_BUFFERS
        const char* message = env_allocate(&vec->envs[i]);
        if (message) return message;
#else
        void* parts[ENV_VEC_ARRAYS];
        for (int k = 0; k < ENV_VEC_ARRAYS; k++) parts[k] = env_vec_part(vec, k, i);
        env_vec__point(&vec->envs[i], parts);
#endif
    }
    vec->attached = true;
    return NULL;
}

/* Turns the final observations on, once: in the caller's array, as large as that of the observations; or, for NULL, in one that the EnvVec
 * allocates and owns. Only where the header has them: ENV_VEC_HAS_FINAL. Fails only out of memory, and then they are off. */
static inline const char* env_vec_attach_final(EnvVec* vec, void* array) {
    const size_t bytes = vec->part_bytes[ENV_VEC_OBSERVATIONS];
    void* const memory = array ? array : ENV_CALLOC((size_t)vec->num_envs, bytes);
    if (!memory) return ENV_NO_MEMORY;
    for (int64_t i = 0; i < vec->num_envs; i++) {
        void* part = (char*)memory + (size_t)i * bytes;
#ifdef ENV_EXACT_BUFFERS
        part = ENV_CALLOC(1, bytes);
        if (!part) {
            for (; i >= 0; i--) {
                ENV_FREE(ENV_VEC__FINAL(&vec->envs[i]));
                env_vec__point_final(&vec->envs[i], NULL);
            }
            if (!array) ENV_FREE(memory);
            return ENV_NO_MEMORY;
        }
#endif
        env_vec__point_final(&vec->envs[i], part);
    }
    vec->final_observations = memory;
    vec->owns_final = !array;
    return NULL;
}

/* ---- Work on all ------------------------------------------------------------------------------------------------------- */

#ifndef ENV_EXACT_BUFFERS

static inline void env_vec_bring_in(EnvVec* vec, const Env* env) { (void)vec, (void)env; }
static inline void env_vec_bring_out(EnvVec* vec, const Env* env) { (void)vec, (void)env; }

#else /* copies an environment's part of the arrays to its own allocations before work, and back after it */

static inline void env_vec_bring_in(EnvVec* vec, const Env* env) {
    void* const own[] = {env->observations, env->actions, env->rewards, env->terminals, env->truncations};
    for (int k = 0; k < ENV_VEC_ARRAYS; k++) memcpy(own[k], env_vec_part(vec, k, env - vec->envs), vec->part_bytes[k]);
    if (vec->final_observations)
        memcpy(ENV_VEC__FINAL(env), env_vec_final_part(vec, env - vec->envs), vec->part_bytes[ENV_VEC_OBSERVATIONS]);
}
static inline void env_vec_bring_out(EnvVec* vec, const Env* env) {
    const void* const own[] = {env->observations, env->actions, env->rewards, env->terminals, env->truncations};
    for (int k = 0; k < ENV_VEC_ARRAYS; k++) memcpy(env_vec_part(vec, k, env - vec->envs), own[k], vec->part_bytes[k]);
    if (vec->final_observations)
        memcpy(env_vec_final_part(vec, env - vec->envs), ENV_VEC__FINAL(env), vec->part_bytes[ENV_VEC_OBSERVATIONS]);
}

#endif

static inline void env_vec__run_one(EnvVec* vec, Env* env, void (*work)(Env*)) {
    env_vec_bring_in(vec, env);
    work(env);
    env_vec_bring_out(vec, env);
}

/* Work on every environment, to share among threads. */
typedef struct EnvVecWork {
    EnvVec* vec;
    const uint8_t* where;
    void (*work)(Env*);
} EnvVecWork;

static inline void env_vec__run_some(void* shared, int32_t from, int32_t to) {
    const EnvVecWork* all = (const EnvVecWork*)shared;
    for (int32_t i = from; i < to; i++)
        if (!all->where || all->where[i]) env_vec__run_one(all->vec, &all->vec->envs[i], all->work);
}

/* Runs `work` on the environments i with where[i], for NULL on every one, by several threads where there are several. The order does
 * not matter. */
static inline void env_vec_run_where(EnvVec* vec, const uint8_t* where, void (*work)(Env*)) {
    EnvVecWork shared = {vec, where, work};
    if (vec->num_threads > 1 && vec->num_envs > 1)
        env_threads_run((int32_t)vec->num_threads, (int32_t)vec->num_envs, env_vec__run_some, &shared);
    else
        env_vec__run_some(&shared, 0, (int32_t)vec->num_envs);
}

static inline void env_vec_run(EnvVec* vec, void (*work)(Env*)) { env_vec_run_where(vec, NULL, work); }

/* ---- Episodes ---------------------------------------------------------------------------------------------------------- */

/* Functions named _where work on the environments i with where[i], and leave the others as they are; NULL stands for all of them. */

/* Starts the random streams anew, from (seed of env_vec_open, this seed, index of the environment). For the next reset. */
static inline void env_vec_seed_where(EnvVec* vec, const uint8_t* where, uint64_t seed) {
    for (int64_t i = 0; i < vec->num_envs; i++)
        if (!where || where[i]) vec->envs[i].rng = env_seed(vec->seed, seed + 1, (uint64_t)i);
}

static inline void env_vec_seed(EnvVec* vec, uint64_t seed) { env_vec_seed_where(vec, NULL, seed); }

/* Sets the rewards, terminals and truncations of environment i to 0. */
static inline void env_vec__clear(EnvVec* vec, int64_t i) {
    for (int k = ENV_VEC_REWARDS; k <= ENV_VEC_TRUNCATIONS; k++) memset(env_vec_part(vec, k, i), 0, vec->part_bytes[k]);
}

/* Starts an episode. Sets rewards, terminals and truncations to 0. Fails before env_vec_attach; for some environments alone, before
 * the first reset of all. */
static inline const char* env_vec_reset_where(EnvVec* vec, const uint8_t* where) {
    if (!vec->attached) return "call env_vec_attach() first";
    if (where && !vec->started) return "call env_vec_reset() first";
    for (int64_t i = 0; i < vec->num_envs; i++)
        if (!where || where[i]) env_vec__clear(vec, i);
    env_vec_run_where(vec, where, c_reset);
    vec->started = true;
    return NULL;
}

static inline const char* env_vec_reset(EnvVec* vec) { return env_vec_reset_where(vec, NULL); }

/* Whether an element is outside its space. No branch: a loop of these becomes vector instructions. */
static inline int env_vec__is_bad_int(int32_t a, int32_t choices) { return (uint32_t)a >= (uint32_t)choices; }
static inline int env_vec__is_bad_float(float a, float low, float high) {
    return !((a >= low) & (a <= high));
} /* true for NaN */

/* The index of the first element of the actions that is outside the action space, or -1. It is looked for only where the first
 * loop found that there is one. */
static inline int64_t env_vec_bad_action(const EnvVec* vec) {
    const EnvSpace space = vec->action_space;
    const int64_t agents = vec->num_agents, size = space.size;
    const int32_t* ints = (const int32_t*)vec->arrays[ENV_VEC_ACTIONS];
    const float* floats = (const float*)vec->arrays[ENV_VEC_ACTIONS];
    int bad = 0;
    if (!space.choices)
        for (int64_t j = 0; j < agents * size; j++) bad |= env_vec__is_bad_float(floats[j], space.low, space.high);
    else if (size == 1) /* the same as below; the constant stride lets the compiler use vector instructions */
        for (int64_t agent = 0; agent < agents; agent++) bad |= env_vec__is_bad_int(ints[agent], space.choices[0]);
    else
        for (int64_t k = 0; k < size; k++)
            for (int64_t agent = 0; agent < agents; agent++)
                bad |= env_vec__is_bad_int(ints[agent * size + k], space.choices[k]);
    if (!bad) return -1;
    for (int64_t j = 0; j < agents * size; j++)
        if (space.choices ? env_vec__is_bad_int(ints[j], space.choices[j % size])
                          : env_vec__is_bad_float(floats[j], space.low, space.high))
            return j;
    return -1;
}

/* The message about element j of the actions. */
static inline const char* env_vec__describe_action(EnvVec* vec, int64_t j) {
    const EnvSpace space = vec->action_space;
    const void* actions = vec->arrays[ENV_VEC_ACTIONS];
    char element[32] = "", what[96];
    if (space.size > 1) snprintf(element, sizeof element, ", element %d", (int)(j % space.size));
    if (space.choices)
        snprintf(what, sizeof what, "an integer in [0, %d], got %d", (int)space.choices[j % space.size] - 1,
                 (int)((const int32_t*)actions)[j]);
    else
        snprintf(what, sizeof what, "a float in [%.9g, %.9g], got %.9g", (double)space.low, (double)space.high,
                 (double)((const float*)actions)[j]);
    snprintf(vec->message, sizeof vec->message, "actions: agent %lld%s: expected %s", (long long)(j / space.size), element,
             what);
    return vec->message;
}

/* One step. Fails for an action outside the action space, whosever it is, and before the first reset. An environment that makes none
 * gets rewards, terminals and truncations of 0; its observations stay. */
static inline const char* env_vec_step_where(EnvVec* vec, const uint8_t* where) {
    if (!vec->started) return "call env_vec_reset() first";
    const int64_t bad = env_vec_bad_action(vec);
    if (bad >= 0) return env_vec__describe_action(vec, bad);
    for (int64_t i = 0; where && i < vec->num_envs; i++)
        if (!where[i]) env_vec__clear(vec, i);
    env_vec_run_where(vec, where, c_step);
    return NULL;
}

static inline const char* env_vec_step(EnvVec* vec) { return env_vec_step_where(vec, NULL); }

/* Writes the actions of the header's scripted policy. Does nothing where the header has none: ENV_VEC_HAS_SCRIPT. */
static inline void env_vec_script(EnvVec* vec) {
    if (vec->started) env_vec_run(vec, c_script);
}

/* The fields of Log over the episodes finished since env_vec_clear_log, in the order of env_vec_log_fields: means, and last their
 * number, which it returns. Leaves `means` alone where no episode finished. */
static inline double env_vec_log(const EnvVec* vec, double means[ENV_VEC_NUM_LOG]) {
    double n = 0;
    for (int64_t i = 0; i < vec->num_envs; i++) n += vec->envs[i].log.n;
    for (int k = 0; n > 0 && k < ENV_VEC_NUM_LOG; k++) {
        double sum = 0;
        for (int64_t i = 0; i < vec->num_envs; i++)
            sum += *(const double*)(const void*)((const char*)&vec->envs[i].log + env_vec_log_fields[k].offset);
        means[k] = k == ENV_VEC_NUM_LOG - 1 ? n : sum / n;
    }
    return n;
}

static inline void env_vec_clear_log(EnvVec* vec) {
    for (int64_t i = 0; i < vec->num_envs; i++) memset(&vec->envs[i].log, 0, sizeof(Log));
}

/* ---- Parameters that change -------------------------------------------------------------------------------------------- */

/* The value of a parameter. of: an Env, or the struct that the list is of. */
static inline double env_vec__param(const EnvVecParam* p, const void* of) {
    const void* field = (const char*)of + p->offset;
    if (p->kind == ENV_VEC_float) return (double)*(const float*)field;
    return p->kind == ENV_VEC_bool ? *(const bool*)field : *(const int*)field;
}

/* Sets it, to a value in its range. */
static inline void env_vec__set_param(const EnvVecParam* p, void* of, double value) {
    void* field = (char*)of + p->offset;
    if (p->kind == ENV_VEC_float)
        *(float*)field = (float)value;
    else if (p->kind == ENV_VEC_bool)
        *(bool*)field = value > 0;
    else
        *(int*)field = (int)value;
}

static inline void env_vec__copy_param(const EnvVecParam* p, Env* to, const Env* from) {
    const size_t bytes = p->kind == ENV_VEC_float ? sizeof(float) : p->kind == ENV_VEC_bool ? sizeof(bool) : sizeof(int);
    memcpy((char*)to + p->offset, (const char*)from + p->offset, bytes);
}

/* *changed: a copy of environment i with the parameters of ENV_CHANGEABLE that `values` has. Returns what c_changed says to it. */
static inline const char* env_vec__change_copy(const EnvVec* vec, int64_t i, const Env* values, Env* changed) {
    *changed = vec->envs[i];
    for (const int* k = env_vec__changeable; *k != ENV_VEC__NO_INDEX; k++)
        env_vec__copy_param(&env_vec_params[*k], changed, values);
    return c_changed(changed);
}

/* Gives every environment the parameters of ENV_CHANGEABLE that `values` has, each in its range. Observations follow them where the
 * header has ENV_STATE, else at the next step. Fails with the message of c_changed; then nothing has changed. */
static inline const char* env_vec_change(EnvVec* vec, const Env* values) {
    Env changed;
    for (int64_t i = 0; i < vec->num_envs; i++) {
        const char* message = env_vec__change_copy(vec, i, values, &changed);
        if (message) return env_vec__keep(vec, message); /* it may lie in the copy */
    }
    for (int64_t i = 0; i < vec->num_envs; i++)
        if (!env_vec__change_copy(vec, i, values, &changed)) vec->envs[i] = changed;
    if (vec->started) env_vec_run(vec, c_restored);
    return NULL;
}

/* ---- The state --------------------------------------------------------------------------------------------------------- */

/* Where field k of env_vec_fields lies in an environment, and its bytes. */
static inline void* env_vec_field(Env* env, int k, size_t* bytes) {
#define ENV_VEC__POINTER(type, name, doc) env->name,
    void* const fields[ENV_VEC_NUM_FIELDS] = {ENV_STATE(ENV_VEC__POINTER) & env->rng};
#undef ENV_VEC__POINTER
    *bytes = env_vec_fields[k].item_bytes * (env_vec_fields[k].per_agent ? (size_t)env->num_agents : 1);
    return fields[k];
}

/* env_vec_get_state writes and env_vec_set_state reads these bytes, little-endian, one after the other without gaps:
 *
 *     EnvVecHead                             64 bytes
 *     double parameters[ENV_VEC_NUM_PARAMS]  their values; an int, a float and the index of a choice are exact in it
 *     for each environment
 *         the fields of ENV_SCALARS, log
 *         the arrays of ENV_STATE, rng
 *         rewards, terminals, truncations
 *     uint64_t checksum                      FNV-1a of all bytes before it. Every change of a single byte changes it
 *
 * Actions are an input, and c_restored writes the observations: neither is in the state. */
enum { ENV_VEC_STATE_FORMAT = 2, ENV_VEC__PARAM_BYTES = ENV_VEC_NUM_PARAMS * sizeof(double) };
static const char env_vec__magic[8] = {'e', 'n', 'v', 's', 't', 'a', 't', 'e'};

/* What the state is a state of. binding.c sets it to the name of the module. */
#ifndef ENV_VEC_NAME
#define ENV_VEC_NAME "Env"
#endif

typedef struct EnvVecHead {
    char magic[8];    /* env_vec__magic */
    uint32_t format;  /* ENV_VEC_STATE_FORMAT */
    uint32_t version; /* ENV_STATE_VERSION */
    uint64_t bytes;   /* of the whole state */
    char name[32];    /* ENV_VEC_NAME, then zeros */
    uint32_t num_envs, num_params;
} EnvVecHead;
static_assert(sizeof(EnvVecHead) == 64, "EnvVecHead has gaps");
static_assert(sizeof ENV_VEC_NAME <= sizeof(((EnvVecHead*)0)->name), "ENV_VEC_NAME is too long");

static inline uint64_t env_vec_checksum(const char* data, size_t bytes) {
    uint64_t sum = 0xCBF29CE484222325u;
    for (size_t k = 0; k < bytes; k++) sum = (sum ^ (uint8_t)data[k]) * 0x100000001B3u;
    return sum;
}

/* Piece k of what a state holds of environment i, and its size; NULL after the last. */
static inline void* env_vec__piece(const EnvVec* vec, int64_t i, int k, size_t* bytes) {
    Env* env = &vec->envs[i];
    *bytes = 0;
    if (k < ENV_VEC_NUM_SCALARS) {
        *bytes = env_vec_scalars[k].bytes;
        return (char*)env + env_vec_scalars[k].offset;
    }
    k -= ENV_VEC_NUM_SCALARS;
    if (k < ENV_VEC_NUM_FIELDS) return env_vec_field(env, k, bytes);
    k += ENV_VEC_REWARDS - ENV_VEC_NUM_FIELDS;
    if (k > ENV_VEC_TRUNCATIONS) return NULL;
    *bytes = vec->part_bytes[k];
    return env_vec_part(vec, k, i);
}

/* The bytes of one environment, the same for each. */
static inline size_t env_vec__env_bytes(const EnvVec* vec) {
    size_t bytes = 0, sum = 0;
    for (int k = 0; env_vec__piece(vec, 0, k, &bytes); k++) sum += bytes;
    return sum;
}

/* The bytes of the whole state. */
static inline size_t env_vec_state_bytes(const EnvVec* vec) {
    return sizeof(EnvVecHead) + ENV_VEC__PARAM_BYTES + (size_t)vec->num_envs * env_vec__env_bytes(vec) + sizeof(uint64_t);
}

/* Writes the state to env_vec_state_bytes(vec) bytes. After the first reset, and where the header has ENV_STATE. */
static inline void env_vec_get_state(const EnvVec* vec, void* data) {
    char *const start = (char*)data, *at = start;
    EnvVecHead head;
    size_t bytes = 0;
    const void* piece = NULL;
    memset(&head, 0, sizeof head);
    memcpy(head.magic, env_vec__magic, sizeof head.magic);
    memcpy(head.name, ENV_VEC_NAME, sizeof ENV_VEC_NAME);
    head.format = ENV_VEC_STATE_FORMAT;
    head.version = ENV_STATE_VERSION;
    head.bytes = env_vec_state_bytes(vec);
    head.num_envs = (uint32_t)vec->num_envs;
    head.num_params = ENV_VEC_NUM_PARAMS;
    memcpy(at, &head, sizeof head);
    at += sizeof head;
    for (int k = 0; k < ENV_VEC_NUM_PARAMS; k++, at += sizeof(double)) {
        const double value = env_vec__param(&env_vec_params[k], &vec->envs[0]);
        memcpy(at, &value, sizeof value);
    }
    for (int64_t i = 0; i < vec->num_envs; i++)
        for (int k = 0; (piece = env_vec__piece(vec, i, k, &bytes)); k++, at += bytes) memcpy(at, piece, bytes);
    const uint64_t sum = env_vec_checksum(start, (size_t)(at - start));
    memcpy(at, &sum, sizeof sum);
}

/* Writes a parameter's value as Python shows it. */
static inline void env_vec__describe_param(const EnvVecParam* p, double value, char* out, size_t size) {
    const bool in_range = value >= p->min && value <= p->max, is_whole = in_range && value == (double)(int64_t)value;
    const char* word = p->unit;
    if (p->kind == ENV_VEC_float || !is_whole) {
        snprintf(out, size, "%.9g", value);
    } else if (p->kind == ENV_VEC_bool) {
        snprintf(out, size, "%s", value != 0 ? "True" : "False");
    } else if (p->kind == ENV_VEC_int) {
        snprintf(out, size, "%lld", (long long)value);
    } else {
        for (int64_t k = (int64_t)value; k > 0 && strchr(word, '|'); k--) word = strchr(word, '|') + 1;
        snprintf(out, size, "%.*s", (int)strcspn(word, "|"), word);
    }
}

/* Whether c_step can go on from what a state holds of environment i, which begins at `at`. */
static inline const char* env_vec__check_env(EnvVec* vec, int64_t i, const char* at) {
    const char *end = at + env_vec__env_bytes(vec), *message = NULL;
    const size_t num_flags = vec->part_bytes[ENV_VEC_TERMINALS] + vec->part_bytes[ENV_VEC_TRUNCATIONS];
    Env env = vec->envs[i]; /* a copy that gets the state's scalars */
    double log[ENV_VEC_NUM_LOG];
    for (int k = 0; k < ENV_VEC_NUM_SCALARS; at += env_vec_scalars[k].bytes, k++)
        memcpy((char*)&env + env_vec_scalars[k].offset, at, env_vec_scalars[k].bytes);
    memcpy(log, &env.log, sizeof log);
    for (int k = 0; k < ENV_VEC_NUM_LOG && !message; k++)
        if (!(log[k] - log[k] == 0)) message = "log: expected finite sums"; /* true for NaN and infinities */
    if (!message && log[ENV_VEC_NUM_LOG - 1] < 0) message = "log: expected at least 0 episodes";
    for (const char* flag = end - num_flags; flag < end && !message; flag++)
        if (*flag & ~1) message = "terminals and truncations: expected 0 or 1";
    if (!message && !(message = c_check_state(&env))) return NULL;
    snprintf(vec->message, sizeof vec->message, "data: environment %lld: %s", (long long)i, message);
    return vec->message;
}

/* Whether env_vec_set_state takes these bytes: whole, of an EnvVec like this one, and such that c_step can go on from them. */
static inline const char* env_vec_check_state(EnvVec* vec, const void* data, size_t bytes) {
    const size_t least = sizeof(EnvVecHead) + ENV_VEC__PARAM_BYTES + sizeof(uint64_t), each = env_vec__env_bytes(vec);
    const char* at = (const char*)data;
    char* const message = vec->message;
    EnvVecHead head;
    uint64_t sum = 0;
    if (bytes < sizeof head.magic || memcmp(at, env_vec__magic, sizeof head.magic) != 0)
        return "data: expected what state() returned, got other bytes";
    if (bytes < sizeof head + sizeof sum) {
        snprintf(message, sizeof vec->message, "data: expected at least %zu bytes, got %zu", sizeof head + sizeof sum,
                 bytes);
        return message;
    }
    memcpy(&head, at, sizeof head);
    memcpy(&sum, at + bytes - sizeof sum, sizeof sum);
    if (head.format != ENV_VEC_STATE_FORMAT) {
        snprintf(message, sizeof vec->message, "data: expected a state of format %d, got format %u", ENV_VEC_STATE_FORMAT,
                 (unsigned)head.format);
        return message;
    }
    if (head.bytes != bytes) {
        snprintf(message, sizeof vec->message, "data: expected %llu bytes, got %zu", (unsigned long long)head.bytes, bytes);
        return message;
    }
    if (sum != env_vec_checksum(at, bytes - sizeof sum)) return "data: damaged (checksum mismatch)";
    /* the bytes are whole; they may still be of another EnvVec */
    if (strncmp(head.name, ENV_VEC_NAME, sizeof head.name) != 0) {
        head.name[sizeof head.name - 1] = 0;
        snprintf(message, sizeof vec->message, "data: expected a state of %s, got one of %s", ENV_VEC_NAME, head.name);
        return message;
    }
    if (head.version != ENV_STATE_VERSION || head.num_params != ENV_VEC_NUM_PARAMS) {
        snprintf(message, sizeof vec->message, "data: expected version %d with %d parameters, got version %u with %u",
                 ENV_STATE_VERSION, ENV_VEC_NUM_PARAMS, (unsigned)head.version, (unsigned)head.num_params);
        return message;
    }
    if (head.num_envs != (uint64_t)vec->num_envs) {
        snprintf(message, sizeof vec->message, "data: expected num_envs %lld, got %u", (long long)vec->num_envs,
                 (unsigned)head.num_envs);
        return message;
    }
    at += sizeof head;
    for (int k = 0; k < ENV_VEC_NUM_PARAMS && bytes >= least; k++, at += sizeof(double)) {
        const EnvVecParam* p = &env_vec_params[k];
        const double ours = env_vec__param(p, &vec->envs[0]);
        double theirs = 0;
        char expected[64], got[64];
        memcpy(&theirs, at, sizeof theirs);
        if (theirs == ours) continue;
        env_vec__describe_param(p, ours, expected, sizeof expected);
        env_vec__describe_param(p, theirs, got, sizeof got);
        snprintf(message, sizeof vec->message, "data: expected %s %s, got %s", p->name, expected, got);
        return message;
    }
    if (bytes != least + (size_t)vec->num_envs * each) {
        snprintf(message, sizeof vec->message, "data: expected %zu bytes, got %zu", least + (size_t)vec->num_envs * each,
                 bytes);
        return message;
    }
    for (int64_t i = 0; i < vec->num_envs; i++, at += each) {
        const char* wrong = env_vec__check_env(vec, i, at);
        if (wrong) return wrong;
    }
    return NULL;
}

/* Goes on from a state that an EnvVec with the same parameters and num_envs wrote. Writes observations, rewards, terminals and
 * truncations as they were then, and leaves actions alone. Needs no reset before. */
static inline const char* env_vec_set_state(EnvVec* vec, const void* data, size_t bytes) {
    if (!vec->attached) return "call env_vec_attach() first";
    const char* message = env_vec_check_state(vec, data, bytes);
    if (message) return message;
    const char* at = (const char*)data + sizeof(EnvVecHead) + ENV_VEC__PARAM_BYTES;
    size_t size = 0;
    void* piece = NULL;
    for (int64_t i = 0; i < vec->num_envs; i++)
        for (int k = 0; (piece = env_vec__piece(vec, i, k, &size)); k++, at += size) memcpy(piece, at, size);
    env_vec_run(vec, c_restored);
    vec->started = true;
    return NULL;
}

#endif
