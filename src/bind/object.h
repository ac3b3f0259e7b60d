/* object.h - the Python object around an EnvVec, and who may use it
 *
 * binding.c includes it. An object is CLOSED, IDLE or BUSY, in one atomic word. The thread that turns IDLE to BUSY has the object to
 * itself. So the GIL can be released while C works, and a second thread gets an exception, with a GIL or without one.
 */
#ifndef BIND_OBJECT_H
#define BIND_OBJECT_H

#include "buffers.h"

#include <stdatomic.h>

#define BIND_TEXT_(token) #token
#define BIND_TEXT(token) BIND_TEXT_(token)

#include ENV_HEADER
#define ENV_VEC_NAME BIND_TEXT(ENV_MODULE)
#include "../env_vec.h"

_Static_assert((int)BIND_OBSERVATIONS == (int)ENV_VEC_OBSERVATIONS && (int)BIND_ACTIONS == (int)ENV_VEC_ACTIONS &&
                   (int)BIND_REWARDS == (int)ENV_VEC_REWARDS && (int)BIND_TERMINALS == (int)ENV_VEC_TERMINALS &&
                   (int)BIND_TRUNCATIONS == (int)ENV_VEC_TRUNCATIONS && (int)BIND_ARRAYS == (int)ENV_VEC_ARRAYS,
               "the arrays have one order");

enum { CLOSED, IDLE, BUSY }; /* CLOSED is 0: an object under construction is closed */

typedef struct VecEnv {
    PyObject_HEAD
    atomic_int state;
    EnvVec vec;
    unsigned long window_thread; /* the thread that called window() first, and alone may call it */
    bool window_used;
    BindArray arrays[BIND_MOST_ARRAYS];
} VecEnv;

/* Makes the object the caller's alone until leave(). 0, or -1 with an exception. needs_reset: a first reset() is required. */
static inline int enter(VecEnv* self, bool needs_reset) {
    int state = IDLE;
    if (!atomic_compare_exchange_strong_explicit(&self->state, &state, BUSY, memory_order_acquire, memory_order_relaxed)) {
        if (state == BUSY)
            PyErr_SetString(PyExc_RuntimeError, "VecEnv is in use by another thread");
        else
            PyErr_SetString(PyExc_RuntimeError, "VecEnv is closed");
        return -1;
    }
    if (!needs_reset || self->vec.started) return 0;
    atomic_store_explicit(&self->state, IDLE, memory_order_release);
    PyErr_SetString(PyExc_RuntimeError, "call reset() first");
    return -1;
}

static inline void leave(VecEnv* self) { atomic_store_explicit(&self->state, IDLE, memory_order_release); }

/* enter() for what uses the arrays: it is also an error if one of them was resized. */
static inline int enter_arrays(VecEnv* self, bool needs_reset) {
    if (enter(self, needs_reset) < 0) return -1;
    if (bind_check_held(self->arrays, BIND_MOST_ARRAYS) == 0) return 0;
    leave(self);
    return -1;
}

/* The index of an environment from the argument `env`; NULL stands for 0. 0, or -1 with an exception. */
static inline int take_index(const VecEnv* self, PyObject* value, long long* index) {
    *index = 0;
    return value ? bind_int("env", value, 0, (long long)self->vec.num_envs - 1, "", index) : 0;
}

/* An argument that is bytes, which no other thread can change meanwhile. 0, or -1 with an exception. */
static inline int take_bytes(const char* name, PyObject* value, const char** data, size_t* bytes) {
    if (!PyBytes_Check(value)) {
        PyErr_Format(PyExc_TypeError, "%s: expected bytes, got %.80R", name, value);
        return -1;
    }
    *data = PyBytes_AsString(value);
    *bytes = (size_t)PyBytes_Size(value);
    return 0;
}

/* Whether the header defines what a method needs; if not, an exception. */
static inline bool offers(bool defined, const char* what) {
    if (!defined) PyErr_Format(PyExc_NotImplementedError, "%s defines no %s", ENV_HEADER, what);
    return defined;
}

#endif
