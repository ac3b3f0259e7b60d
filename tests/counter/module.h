/* module.h - counter.h with an allocator that counts live allocations and fails on request, for the tests of binding.c.
 *
 * Both variables are read and written from Python by their names (ctypes.c_long.in_dll). They are atomic, because
 * several threads may allocate at the same time.
 */
#ifndef COUNTER_MODULE_H
#define COUNTER_MODULE_H

#include <stdatomic.h>
#include <stdlib.h>

#ifdef _WIN32
#define COUNTER_EXPORT __declspec(dllexport)
#else
#define COUNTER_EXPORT __attribute__((visibility("default")))
#endif

COUNTER_EXPORT atomic_long counter_allocations_live = 0;
COUNTER_EXPORT atomic_long counter_allocations_left = -1; /* how many more succeed; negative for all */

static inline void* counter_calloc(size_t count, size_t size) {
    if (counter_allocations_left == 0) return NULL;
    if (counter_allocations_left > 0) counter_allocations_left--;
    void* pointer = calloc(count, size);
    if (pointer) counter_allocations_live++;
    return pointer;
}

static inline void counter_free(void* pointer) {
    if (pointer) counter_allocations_live--;
    free(pointer);
}

#define ENV_CALLOC(count, size) counter_calloc(count, size)
#define ENV_FREE(pointer) counter_free(pointer)

#include "counter.h"

#endif
