/* squared.h bound with PufferLib 3.0.0's env_binding.h, as an Ocean binding.c. */
#include <Python.h>

#include "show/env_window.h" /* and with it all else that squared.h includes */

#define double float /* in squared.h alone: PufferLib wants a Log of floats */
#include "squared.h"
#undef double

#define Env Squared
#define MY_METHODS {"vec_seed", vec_seed, METH_VARARGS, "Seed each Env's own random state; vec_reset seeds rand() alone"}
static PyObject* vec_seed(PyObject* self, PyObject* args);
#include "env_binding.h"

static PyObject* vec_seed(PyObject* self, PyObject* args) {
    VecEnv* vec = unpack_vecenv(args);
    if (!vec) return NULL;
    const uint64_t seed = PyLong_AsUnsignedLongLong(PyTuple_GetItem(args, 1));
    if (PyErr_Occurred()) return NULL;
    for (int i = 0; i < vec->num_envs; i++) vec->envs[i]->rng = env_seed(0, seed + 1, (uint64_t)i);
    Py_RETURN_NONE;
}

static int my_init(Env* env, PyObject* args, PyObject* kwargs) {
    PyObject* truncations = PyDict_GetItemString(kwargs, "truncations"); /* which the header checks and does not hand on */
    env->size = (int)unpack(kwargs, "size");
    env->index = (uint32_t)unpack(kwargs, "seed"); /* vec_init's seed is 0: what is left is the index */
    env->truncations = (uint8_t*)PyArray_DATA((PyArrayObject*)truncations) + env->index;
    const char* error = c_init(env);
    if (error) PyErr_SetString(PyExc_ValueError, error);
    return error ? -1 : 0;
}

static int my_log(PyObject* dict, Log* log) {
    assign_to_dict(dict, "score", log->score);
    assign_to_dict(dict, "episode_length", log->episode_length);
    return 0;
}
