/* An Ocean environment for the tests. It uses all that a binding.c can use, reports what it is called with, and fails on request. It is
 * written like PufferLib's binding.c files, and compiles with their header too. */
#include <Python.h>
#include <stdlib.h>
#include <time.h>

typedef struct Log {
    float score, n;
} Log;

typedef struct Probe {
    float* observations;
    int* actions;
    float* rewards;
    unsigned char* terminals;
    Log log;
    int number, milliseconds;
    char* memory;
    char bulk[4096]; /* so that a leak is large enough to see */
} Probe;

static int probe_live; /* environments that my_init made and c_close has not freed */

void c_reset(Probe* env) { env->observations[0] = (float)env->number; }

void c_step(Probe* env) {
    nanosleep(&(struct timespec){.tv_nsec = env->milliseconds * 1000000L}, NULL);
    env->observations[0] += (float)env->actions[0];
    env->log.score += (float)env->number;
    env->log.n += 1;
}

void c_render(Probe* env) { env->observations[0] = -1; }

void c_close(Probe* env) {
    free(env->memory);
    probe_live--;
}

#define Env Probe
#define MY_SHARED
#define MY_GET
#define MY_PUT
#define MY_METHODS                                                            \
    {"total", total, METH_VARARGS, "The sum of a vector's numbers."}, {       \
        "number", number, METH_VARARGS, "The number of an environment."       \
    }
static PyObject *total(PyObject* self, PyObject* args), *number(PyObject* self, PyObject* args);
#include "../env_binding.h"

static int my_init(Env* env, PyObject* args, PyObject* kwargs) {
    (void)args;
    env->number = (int)unpack(kwargs, "number");
    env->milliseconds = (int)unpack(kwargs, "milliseconds");
    if (env->number == 13) {
        PyErr_SetString(PyExc_ValueError, "not 13");
        return 1;
    }
    if (env->number == 14) return 1; /* without an exception */
    env->memory = calloc(4096, 1);
    probe_live++;
    return 0;
}

static int my_log(PyObject* dict, Log* log) {
    if (log->score == 99) PyErr_SetString(PyExc_ArithmeticError, "not 99");
    assign_to_dict(dict, "score", log->score);
    return 0;
}

static PyObject* my_get(PyObject* dict, Env* env) {
    if (env->number == 98) PyErr_SetString(PyExc_ArithmeticError, "not 98");
    assign_to_dict(dict, "number", (float)env->number);
    return dict;
}

static int my_put(Env* env, PyObject* args, PyObject* kwargs) {
    (void)args;
    const int number = (int)unpack(kwargs, "number");
    if (number == 14) return 1;
    env->number = number;
    return 0;
}

static PyObject* my_shared(PyObject* self, PyObject* args, PyObject* kwargs) {
    (void)self, (void)args;
    if (kwargs && PyDict_Size(kwargs)) return PyFloat_FromDouble(unpack(kwargs, "number"));
    return PyLong_FromLong(probe_live);
}

static PyObject* total(PyObject* self, PyObject* args) {
    VecEnv* vec = unpack_vecenv(args);
    long sum = 0;
    (void)self;
    if (!vec) return NULL;
    for (int i = 0; i < vec->num_envs; i++) sum += vec->envs[i]->number;
    return PyLong_FromLong(sum);
}

static PyObject* number(PyObject* self, PyObject* args) {
    Env* env = unpack_env(args);
    (void)self;
    return env ? PyLong_FromLong(env->number) : NULL;
}
