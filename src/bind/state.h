/* state.h - the methods of VecEnv that read and write the state: get, set, state, set_state
 *
 * binding.c includes it. env_vec.h says what the bytes are.
 */
#ifndef BIND_STATE_H
#define BIND_STATE_H

#include "describe.h"

/* What get() and set() share: the named field of environment i, as *pointer and *bytes, to be used between enter() and leave().
 * Returns its index in env_vec_fields, or -1 with an exception. */
static inline int enter_field(VecEnv* self, PyObject* name, PyObject* which, void** pointer, size_t* bytes) {
    int k = 0;
    long long i = 0;
    if (bind_choice("name", name, FIELD_NAMES, &k) < 0) return -1;
    if (take_index(self, which, &i) < 0 || enter(self, true) < 0) return -1;
    *pointer = env_vec_field(&self->vec.envs[i], k, bytes);
    return k;
}

static const char get_doc[] =
    "get($self, /, name, env=0)\n--\n\n"
    "A copy, as bytes, of a field of one environment's state. name: one of state_fields, which tell its type.\n\n"
    "Raises: TypeError or ValueError for an argument, RuntimeError before the first reset(), when closed, or in use by another thread.";
static inline PyObject* vecenv_get(PyObject* object, PyObject* args, PyObject* kwargs) {
    enum { NAME, WHICH, COUNT };
    static const char* const names[] = {"name", "env"};
    VecEnv* self = (VecEnv*)object;
    PyObject *values[COUNT] = {NULL}, *result = NULL;
    void* pointer = NULL;
    size_t bytes = 0;
    if (bind_arguments("get", args, kwargs, names, COUNT, 1, values) < 0) goto done;
    if (enter_field(self, values[NAME], values[WHICH], &pointer, &bytes) < 0) goto done;
    result = PyBytes_FromStringAndSize(pointer, (Py_ssize_t)bytes);
    leave(self);
done:
    bind_drop(values, COUNT);
    return result;
}

static const char set_doc[] =
    "set($self, /, name, data, env=0)\n--\n\n"
    "Overwrite a field of one environment's state. data: a contiguous buffer of exactly its size, of its type or of bytes.\n"
    "Observations follow at the next step.\n\n"
    "Raises: TypeError or ValueError for an argument, RuntimeError before the first reset(), when closed, or in use by another thread.";
static inline PyObject* vecenv_set(PyObject* object, PyObject* args, PyObject* kwargs) {
    enum { NAME, DATA, WHICH, COUNT };
    static const char* const names[] = {"name", "data", "env"};
    VecEnv* self = (VecEnv*)object;
    PyObject *values[COUNT] = {NULL}, *result = NULL;
    Py_buffer view = {0};
    void* pointer = NULL;
    size_t bytes = 0;
    char type[64];
    int k = 0;
    if (bind_arguments("set", args, kwargs, names, COUNT, 2, values) < 0) goto done;
    if (bind_get_buffer("data", values[DATA], &view) < 0) goto done;
    if ((k = enter_field(self, values[NAME], values[WHICH], &pointer, &bytes)) < 0) goto done;
    bind_describe_type(&view, type, sizeof type);
    if (bind_check_contiguous("data", &view) < 0) {
        /* it has set the exception */
    } else if (view.itemsize > 1 && strcmp(type, FIELD_DTYPES[k]) != 0) {
        PyErr_Format(PyExc_ValueError, "data: expected %s or bytes, got %s", FIELD_DTYPES[k], type);
    } else if ((size_t)view.len != bytes) {
        PyErr_Format(PyExc_ValueError, "data: expected %zu bytes, got %zd", bytes, view.len);
    } else {
        memcpy(pointer, view.buf, bytes);
        result = Py_NewRef(Py_None);
    }
    leave(self);
done:
    PyBuffer_Release(&view);
    bind_drop(values, COUNT);
    return result;
}

static const char state_doc[] =
    "state($self, /)\n--\n\n"
    "The state of every environment, as bytes. A VecEnv with the same parameters and num_envs that gets them by set_state() goes on\n"
    "to the same bits, given the same actions. Rewards, terminals and truncations are in it. Actions are not; neither are num_threads\n"
    "and the constructor's seed, which reset(seed) uses.\n\n"
    "Parameters that set_parameters() changed count with their new values. The bytes have a version and a checksum. They take 72\n"
    "bytes, 8 for each parameter and, for each environment, the arrays of state_fields, 6 bytes an agent, and its scalars and log.\n\n"
    "Raises: NotImplementedError where the environment does not say what its state is; RuntimeError before the first reset(), when\n"
    "closed, in use by another thread, or over an array that was resized; MemoryError.";
static inline PyObject* vecenv_state(PyObject* object, PyObject* unused) {
    VecEnv* self = (VecEnv*)object;
    PyObject* result = NULL;
    (void)unused;
    if (!offers(ENV_VEC_HAS_STATE, "ENV_STATE") || enter_arrays(self, true) < 0) return NULL;
    if ((result = PyBytes_FromStringAndSize(NULL, (Py_ssize_t)env_vec_state_bytes(&self->vec)))) {
        char* data = PyBytes_AsString(result);
        Py_BEGIN_ALLOW_THREADS
        env_vec_get_state(&self->vec, data);
        Py_END_ALLOW_THREADS
    }
    leave(self);
    return result;
}

static const char set_state_doc[] =
    "set_state($self, data, /)\n--\n\n"
    "Go on from what state() returned, here or in another process, in a VecEnv with the same parameters and num_envs.\n"
    "Writes observations, rewards, terminals and truncations as they were then; actions stay. No reset() is needed before.\n\n"
    "Raises: TypeError for anything but bytes; ValueError, which says what is wrong, for bytes that are damaged, of another module,\n"
    "version, num_envs or parameter, and then nothing has changed; NotImplementedError where the environment does not say what its\n"
    "state is; RuntimeError when closed, in use by another thread, or over an array that was resized.";
static inline PyObject* vecenv_set_state(PyObject* object, PyObject* argument) {
    VecEnv* self = (VecEnv*)object;
    const char *message = NULL, *data = NULL;
    size_t bytes = 0;
    if (!offers(ENV_VEC_HAS_STATE, "ENV_STATE") || take_bytes("data", argument, &data, &bytes) < 0 ||
        enter_arrays(self, false) < 0)
        return NULL;
    Py_BEGIN_ALLOW_THREADS
    message = env_vec_set_state(&self->vec, data, bytes);
    Py_END_ALLOW_THREADS
    if (message) PyErr_SetString(PyExc_ValueError, message); /* before leave(): the text may lie in the object */
    leave(self);
    return message ? NULL : Py_NewRef(Py_None);
}

#endif
