/* env.h - the contract between an environment written in C and binding.c
 *
 * An environment is one header. It includes this file, defines what is listed below, and binding.c, compiled once with
 *
 *     cc ... -DENV_HEADER='"squared.h"' -DENV_MODULE=_squared src/binding.c
 *
 * turns it into a Python module. binding.c knows nothing but these names:
 *
 *   Env                      the struct (a typedef is fine), with at least the fields
 *       T*       observations     (num_agents x observation size), T as c_observation_space says
 *       T*       actions          (num_agents x action size), T as c_action_space says (void* is fine)
 *       float*   rewards          (num_agents)
 *       uint8_t* terminals        (num_agents) 0 or 1
 *       uint8_t* truncations      (num_agents) 0 or 1
 *       Log      log              what finished episodes add up to
 *       int32_t  num_agents       set by c_init
 *       int32_t  num_threads      how many threads c_step may use; 0 or 1: none but the caller's. Set before c_init, and any time
 *       uint32_t index, num_envs  which environment this is, and of how many; set before c_init
 *       uint64_t rng              the random state: set before every seeded c_reset, advanced by the environment alone
 *   Log                      a struct of floats, `n` last: the number of episodes added up in the others
 *   ENV_LOG(X)               X(name, doc) for every field of Log but n
 *   ENV_PARAMS(X)            X(type, name, default, min, max, unit, doc) for every parameter: a field of Env of the same name.
 *                            type is int, float, bool or choice; the unit of a choice lists its names: "rules|nearest"
 *
 *   const char* c_init(Env*)             checks the parameters, sets num_agents, allocates. NULL, or a message (it may lie in Env);
 *                                        then nothing is left allocated. ENV_NO_MEMORY is the message of a failed allocation
 *   EnvSpace c_observation_space(const Env*), c_action_space(const Env*)
 *                                        valid after c_init. An action is 'i' with choices, or 'f' in [low, high]
 *   void c_reset(Env*)                   starts an episode and writes observations
 *   void c_step(Env*)                    reads actions; writes observations, rewards, terminals, truncations. Restarts by itself
 *   void c_close(Env*)                   frees what the others allocated, and nothing else; harmless when called twice
 *
 * The rest may be left out; then the methods that need it say so. A function is announced by a line `#define c_script c_script`.
 *
 *   void c_script(Env*)                  writes a scripted policy's actions, from the last observations
 *   void c_pixels(Env*, uint8_t* rgb, int32_t width, int32_t height)  draws into (height x width x 3) pixels, row by row from the top
 *   int32_t c_render(Env*)               draws one frame in a window, which the first call opens, and takes what the viewer does
 *                                        there. How many steps he asks for before the next frame, or one of ENV_CLOSED,
 *                                        ENV_NO_WINDOW and ENV_WINDOW_TAKEN; then no window is open, and the next call may open one.
 *                                        Who has c_pixels may take it from show/env_window.h
 *   ENV_EXTERNALS(X)                     X(result, name, arguments) for every function that c_render needs and that is not linked
 *                                        in: `name` is a pointer to one, whose address arrives at run time
 *
 *   ENV_STATE(X)                         X(type, name, doc) for every per-agent array of the state (none is fine): what state() needs.
 *                                        With it come
 *       ENV_SCALARS(X)                   may be left out: X(name, doc) for every other field of the state, a number or a struct or
 *                                        an array of numbers. With rng and log these two lists are the state: equal states and
 *                                        equal actions go on to the same bits
 *       ENV_STATE_VERSION                an integer, counted up whenever a state of old would go on in another way than it did
 *       const char* c_check_state(Env*)  given a copy of an Env, whose log and fields of ENV_SCALARS come from who knows where: NULL
 *                                        where c_step can go on from them, or a message (it may lie in Env). Changes nothing else
 *       void c_restored(Env*)            the state has been set: computes all that follows from it, and writes observations, the
 *                                        same as before. Leaves rewards, terminals and truncations alone
 *
 * Env starts zeroed. Equal parameters give an equal num_agents and equal spaces, whatever index and rng.
 * Memory: the five buffers belong to the caller, who sets them after c_init, and keeps them alive, apart from each other and
 * unmoved until c_close. binding.c has checked every action against c_action_space before c_step runs. What it writes into the
 * arrays of ENV_STATE may be any bytes: a step from there may make no sense, but stays within memory. The same goes for ENV_SCALARS,
 * once c_check_state has let them pass.
 * Errors: no function prints, exits or asserts on input; c_init alone can fail.
 * Threads: two environments share nothing and may step at the same time; one environment belongs to one thread at a time. A
 * process has one window, and the thread that opened it draws and closes it.
 */
#ifndef ENV_H
#define ENV_H

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

typedef int choice; /* a parameter that is one of several names, kept as the index of the name */

/* One agent's share of the observation or action buffer. */
typedef struct EnvSpace {
    char type;              /* of an element: 'f' float, 'i' int32_t, 'b' int8_t, 'B' uint8_t */
    int32_t size;           /* elements per agent */
    float low, high;        /* every element lies in [low, high]; of no meaning where `choices` is set */
    const int32_t* choices; /* NULL, or for type 'i' the number of choices of each element: 0 .. choices[k] - 1 */
} EnvSpace;

/* What c_render returns in place of a number of steps. */
enum {
    ENV_CLOSED = -1,      /* the viewer closed the window */
    ENV_NO_WINDOW = -2,   /* none can be opened: no display, no memory, or nothing to draw with */
    ENV_WINDOW_TAKEN = -3 /* another environment of this process has it */
};

#define ENV_NO_MEMORY "out of memory"

/* Every allocation of an environment goes through these two, so that a test can make any one of them fail. */
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

/* The start of the stream that belongs to (seed, stream, index): unlike for any two that differ in any of the three. */
static inline uint64_t env_seed(uint64_t seed, uint64_t stream, uint64_t index) {
    uint64_t rng = seed;
    rng = env_random(&rng) ^ stream;
    rng = env_random(&rng) ^ index;
    return env_random(&rng);
}

#endif
