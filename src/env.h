/* env.h - the contract between an environment written in C and the code that runs it
 *
 * An environment is one header. It includes this file and defines the names listed below. binding.c, compiled once with
 *
 *     cc ... -DENV_HEADER='"squared.h"' -DENV_MODULE=_squared src/binding.c
 *
 * makes a Python module of it. env_vec.h runs many environments in C, without Python. Both know an environment by these names
 * alone:
 *
 *   Env                      the struct, or a typedef of it. It has at least these fields:
 *       T*       observations     (num_agents x observation size), T as c_observation_space says
 *       T*       actions          (num_agents x action size), T as c_action_space says, or void*
 *       float*   rewards          (num_agents)
 *       uint8_t* terminals        (num_agents) 0 or 1
 *       uint8_t* truncations      (num_agents) 0 or 1
 *       Log      log              sums over finished episodes
 *       int32_t  num_agents       set by c_init
 *       int32_t  num_threads      upper bound of the threads that c_step may use. 0 and 1: only the calling thread. Set before c_init;
 *                                 it may change between steps
 *       uint32_t index, num_envs  this is environment `index` of `num_envs`. Set before c_init
 *       uint64_t rng              random state. Set before every seeded c_reset; after that only the environment changes it
 *   Log                      a struct of doubles. The last one is `n`: the number of episodes that the other fields add up
 *   ENV_LOG(X)               X(name, doc) for every field of Log but n
 *   ENV_PARAMS(X)            X(type, name, default, min, max, unit, doc) for every parameter. Env has a field of that type and name.
 *                            type is int, float, bool or choice. The unit of a choice lists its names, "rules|nearest"; its default
 *                            is the index of a name
 *
 *   const char* c_init(Env*)             checks the parameters, sets num_agents, allocates. Returns NULL, or a message, which may lie
 *                                        in Env; then nothing stays allocated. A failed allocation returns ENV_NO_MEMORY
 *   EnvSpace c_observation_space(const Env*), c_action_space(const Env*)
 *                                        called after c_init. An action has type 'i' and choices, or type 'f' and a range
 *   void c_reset(Env*)                   starts an episode and writes observations
 *   void c_step(Env*)                    reads actions; writes observations, rewards, terminals, truncations. Starts the next episode
 *                                        by itself
 *   void c_close(Env*)                   frees what the other functions allocated, and nothing else. May be called twice
 *
 * ENV_PARAMS_OF(Type), written once after ENV_PARAMS and the struct, defines two functions from that list:
 *
 *   void env_defaults(Type*)             sets every parameter to its default
 *   const char* env_check(const Type*)   NULL, or a message about the first parameter outside its range: c_init returns it
 *
 * The following is optional. Each function is announced by a line like `#define c_script c_script`. Where it is missing, the methods
 * that need it raise an exception that says so.
 *
 *   void c_script(Env*)                  writes the actions of a scripted policy, computed from the last observations
 *   void c_pixels(Env*, uint8_t* rgb, int32_t width, int32_t height)  draws into (height x width x 3) pixels, row by row from the top
 *   void c_film(Env*, uint8_t* rgb, int32_t width, int32_t height)    the same for a film, once a step: rgb holds the frame before, of
 *                                        which something may remain, or zeros before the first one
 *   void c_caption(Env*, uint8_t* rgb, int32_t width, int32_t height) writes a line of text into a picture, such as the step
 *   int32_t c_render(Env*)               draws one frame in a window and reads the viewer's keys. The first call opens the window.
 *                                        Returns how many steps to make before the next frame, or ENV_CLOSED, ENV_NO_WINDOW or
 *                                        ENV_WINDOW_TAKEN. After one of these no window is open, and a later call may open one.
 *                                        show/env_window.h has one for environments with c_pixels
 *   ENV_EXTERNALS(X)                     X(result, name, arguments) for every function that c_render calls and that is not linked in.
 *                                        `name` is a pointer to that function; its address is set at run time
 *   int32_t c_futures(Env*, const EnvFutures*)  shows what a planner imagined for one agent, in every further frame of the window; NULL: nothing
 *                                        is known any more. It copies what it keeps. Returns the agent that the viewer has selected, or -1
 *   ENV_OBSERVATION(X)                   X(name, doc) for the first elements of an agent's observation, in their order
 *   ENV_CHANGEABLE(X)                    X(name) for every parameter that may change between steps. With it comes
 *       const char* c_changed(Env*)      called where some of them have new values, each in its range. Computes again all that follows
 *                                        from them, so that equal values and equal states lead to the same bits, whenever the values
 *                                        were set. Returns NULL, or a message, which may lie in Env. It gets a copy of an Env first:
 *                                        it must not touch the memory that Env points to
 *
 *   ENV_FINAL_OBSERVATIONS               says that Env has the field
 *       T*       final_observations  (num_agents x observation size) NULL, or where c_step writes the last observation of every agent whose
 *                                episode ends with this step, before the next episode begins. Other rows stay as they are
 *
 *   ENV_MIRROR                           says that left and right are alike: that the mirror image of every situation is one too, and earns
 *                                        the same. A policy may then treat both alike. With it come
 *       EnvMirror c_mirror_observation(const Env*, int32_t k)  element k of an observation in the mirror
 *       EnvMirror c_mirror_action(const Env*, int32_t k)       element k of a continuous action in the mirror; of a discrete one, what
 *                                        becomes of choice k, where the choices of all elements are numbered one after the other
 *
 *   void c_imagine(Env* env, Env* others, const Env* real, int32_t t)  step t, from 0, of an imagined flight, which a planner compares with
 *                                        others (learn/plan.h). env and others are Envs of their own with the parameters of `real`. Before
 *                                        step 0 the planner copied its ENV_STATE and ENV_SCALARS to them. Needs ENV_STATE.
 *                                        It reads actions, and writes observations, rewards and terminals as c_step does. No episode is cut
 *                                        off, none starts, and log and real stay as they are.
 *       env == others                    all agents step. That is a recording.
 *       env != others                    `others` has made its step t. Each agent k of env steps alone: all the others are where `others`
 *                                        has them, and the agent k of `others` is not there
 *
 *   ENV_STATE(X)                         X(type, name, doc) for every per-agent array of the state. The list may be empty. state() needs
 *                                        it. With it come
 *       ENV_SCALARS(X)                   optional: X(name, doc) for every other field of the state: a number, a struct of numbers or an
 *                                        array of numbers. These two lists, rng and log are the whole state: from equal states, equal
 *                                        actions lead to the same bits
 *       ENV_STATE_VERSION                an integer. Raise it when an old state would lead to other results than before
 *       const char* c_check_state(Env*)  gets a copy of an Env whose log and ENV_SCALARS come from untrusted bytes. Returns NULL where
 *                                        c_step can go on from them, or a message, which may lie in Env. Changes nothing else
 *       void c_restored(Env*)            called after the state was set: computes what follows from it, and writes the observations
 *                                        that belong to it. Leaves rewards, terminals and truncations alone
 *
 * Env starts zeroed. Equal parameters give equal num_agents and equal spaces, whatever index and rng are.
 * Memory: the five buffers belong to the caller, who sets them after c_init and keeps them alive, in place and without overlap
 * until c_close. The caller checks every action against c_action_space before c_step runs. The arrays of ENV_STATE may be set to any
 * bytes: a step from there may make no sense, but must stay within memory. The same holds for ENV_SCALARS that c_check_state accepted.
 * Errors: no function prints, exits or asserts on input. Only c_init, c_changed and c_check_state can fail.
 * Threads: two environments share nothing, and may step at the same time. One environment is used by one thread at a time. A
 * process has one window; the thread that opened it draws in it and closes it.
 */
#ifndef ENV_H
#define ENV_H

/* With -std=c11 the system headers hide what env_threads.h needs, unless they are asked for POSIX before the first of them. */
#if defined(__STRICT_ANSI__) && !defined(_POSIX_C_SOURCE)
#define _POSIX_C_SOURCE 200809L
#endif

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifdef __cplusplus
#define ENV_THREAD_LOCAL thread_local
#else
#define ENV_THREAD_LOCAL _Thread_local
#endif

typedef int choice; /* a parameter that is one of several names: the index of the name */

/* One agent's share of the observation or action buffer. */
typedef struct EnvSpace {
    char type;              /* of an element: 'f' float, 'i' int32_t, 'b' int8_t, 'B' uint8_t */
    int32_t size;           /* elements per agent */
    float low, high;        /* every element lies in [low, high]; unused where `choices` is set */
    const int32_t* choices; /* NULL, or for type 'i' the number of choices of each element: 0 .. choices[k] - 1 */
} EnvSpace;

/* An element in the mirror: element `from` times `sign`. The mirror image of a mirror image is the original. The sign of a choice is 1. */
typedef struct EnvMirror {
    int32_t from, sign;
} EnvMirror;

/* What a planner imagined for one agent: `flights` times each choice first. */
typedef struct EnvFutures {
    int32_t agent, flights, choices, steps;
    const char*
        items; /* (flights x choices x steps) of the agent: its items of ENV_STATE, one after the other without gaps */
    const float* expected; /* (choices) the mean sum of rewards */
} EnvFutures;

/* What c_render returns instead of a number of steps. */
enum {
    ENV_CLOSED = -1,      /* the viewer closed the window */
    ENV_NO_WINDOW = -2,   /* no window can be opened: no display, no memory, or no raylib */
    ENV_WINDOW_TAKEN = -3 /* another environment of this process has the window */
};

#define ENV_NO_MEMORY "out of memory"

/* Every allocation goes through these two, so that a test can make any of them fail. */
#ifndef ENV_CALLOC
#define ENV_CALLOC(count, size) calloc(count, size)
#define ENV_FREE(pointer) free(pointer)
#endif

/* The next 64 random bits of a stream. splitmix64: Steele, Lea, Flood, "Fast splittable pseudorandom number generators", 2014. */
static inline uint64_t env_random(uint64_t* rng) {
    uint64_t z = (*rng += 0x9E3779B97F4A7C15u);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
}

/* The first state of the stream that belongs to (seed, stream, index). Another seed, stream or index gives another state. */
static inline uint64_t env_seed(uint64_t seed, uint64_t stream, uint64_t index) {
    uint64_t rng = seed;
    rng = env_random(&rng) ^ stream;
    rng = env_random(&rng) ^ index;
    return env_random(&rng);
}

/* Whether least <= value <= most: NULL, or "name: expected LEAST to MOST, got VALUE". NaN fails. The text stays valid until the
 * next message on this thread. */
static inline const char* env_expect(const char* name, double value, double least, double most) {
    static ENV_THREAD_LOCAL char text[160];
    if (value >= least && value <= most) return NULL; /* false for NaN */
    snprintf(text, sizeof text, "%s: expected %.9g to %.9g, got %.9g", name, least, most, value);
    return text;
}

/* The same for a parameter of ENV_PARAMS. first, last: the bounds as the type rounds them, which it may reach. A choice is an index of
 * the names in its unit, whatever range the list gives it. */
static inline const char* env__expect_param(const char* type, const char* name, double value, double least, double most,
                                            double first, double last, const char* unit) {
    if (strcmp(type, "choice") == 0) {
        least = first = 0;
        for (most = 0; *unit; unit++) most += *unit == '|';
        last = most;
    }
    return value >= first && value <= last ? NULL : env_expect(name, value, least, most);
}

/* For lists: a field of a struct, one of type float, and one of type double. */
#define ENV_FIELD(type, name, ...) type name;
#define ENV_FLOAT(name, ...) float name;
#define ENV_DOUBLE(name, ...) double name;

/* See above. */
#define ENV__DEFAULT(type, name, value, least, most, unit, doc) env->name = (type)(value);
#define ENV__CHECK(type, name, value, least, most, unit, doc)                                                                 \
    if (!message)                                                                                                             \
        message = env__expect_param(#type, #name, (double)env->name, (double)(least), (double)(most), (double)(type)(least),  \
                                    (double)(type)(most), unit);
#define ENV_PARAMS_OF(Type)                                                                                                   \
    static inline void env_defaults(Type* env) {                                                                              \
        ENV_PARAMS(ENV__DEFAULT)                                                                                              \
        (void)env;                                                                                                            \
    }                                                                                                                         \
    static inline const char* env_check(const Type* env) {                                                                    \
        const char* message = NULL;                                                                                           \
        ENV_PARAMS(ENV__CHECK)                                                                                                \
        (void)env;                                                                                                            \
        return message;                                                                                                       \
    }

#endif
