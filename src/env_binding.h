/* env_binding.h - PufferLib's Ocean environments, unmodified, behind handles and checked arrays
 *
 * It replaces the header of that name in PufferLib 3.0.0. An Ocean binding.c needs no change:
 *
 *     #include "squared.h"
 *     #define Env Squared
 *     #include "../env_binding.h"
 *
 *     static int my_init(Env* env, PyObject* args, PyObject* kwargs) {
 *         env->size = unpack(kwargs, "size");
 *         return 0;
 *     }
 *     static int my_log(PyObject* dict, Log* log) {
 *         assign_to_dict(dict, "score", log->score);
 *         return 0;
 *     }
 *
 * Put this file and the folder bind/ beside it where binding.c looks for PufferLib's header, and build as before: C11, the headers
 * of Python 3.9 or later and of NumPy 1 or 2. The module has PufferLib's functions. PufferLib's Python classes run on it
 * unmodified, with the same results, bit for bit: rand() is seeded at the same moments with the same values, environment i gets
 * row i of each array and finds `seed` among its keyword arguments, and logs are averaged over Log's `n`. MY_SHARED, MY_GET, MY_PUT,
 * MY_METHODS, VecEnv's fields `envs` and `num_envs`, unpack_env(args) and unpack_vecenv(args) mean the same as there.
 *
 * Handles:   env_init(), vec_init() and vectorize() return objects, not integers. A number, a handle of another module or a closed
 *            handle raises an exception. A handle may be closed twice. A handle that is dropped closes itself. vectorize() takes its
 *            Envs over: each belongs to one vector and is closed with it.
 * Ownership: a handle owns its Envs, and holds each array from init to close: bind/buffers.h says what that keeps out.
 *            `truncations` are checked and held; like PufferLib's header, this one does not pass them to Env.
 * Arrays:    any writable, aligned, C-contiguous buffers in native byte order that do not overlap. `rewards` are float32,
 *            `terminals` and `truncations` of one byte; all three are one-dimensional and equally long. `observations` and
 *            `actions` have the type that Env's fields point to, signed or unsigned, and a first dimension that fits: for
 *            vec_init() it is num_envs. This header cannot know how many elements of a row c_step uses, nor which actions it
 *            accepts: that is up to the Python class.
 * Errors:    a function raises an exception that names the argument, what was expected and what came, and changes nothing. An
 *            unpack() that fails ends my_init (or my_shared, my_put) at once, with longjmp, because the rest would use a wrong
 *            value. It may run Python code, as __index__: unpack() first and unpack_env() after it, because that code could
 *            close a handle. Where my_init fails, the Env is freed without c_close, which is not made for a half-built Env: what my_init
 *            had allocated is lost.
 * Threads:   c_reset, c_step and c_render run without the GIL, and must not call Python. A handle in use by one thread raises an
 *            exception in another. Two handles may step at the same time. But rand() has one state for the whole process, and
 *            global variables of a module are shared: use environments with either in one thread, to get the same results again
 *            and, with globals that c_step changes, to be safe. raylib wants all its windows drawn by one thread.
 * Not done:  `shared` of grid, moba and tower_climb remains an integer, which their binding.c makes of a pointer. exit() in a
 *            c_render ends the process.
 *
 * For authors: write #define MY_CLOSE_FREES_ENV 1 before the include if c_close frees the Env itself.
 */
#ifndef ENV_BINDING_H
#define ENV_BINDING_H

#ifndef NPY_NO_DEPRECATED_API
#define NPY_NO_DEPRECATED_API NPY_1_7_API_VERSION
#endif
#include "bind/buffers.h"

#include <numpy/arrayobject.h>
#include <limits.h>
#include <setjmp.h>
#include <stdatomic.h>
#include <stdlib.h>

/* The functions of binding.c. Their results are ignored unless a comment here says what they mean. */
static int my_init(Env* env, PyObject* args, PyObject* kwargs); /* 0, or it failed */
static int my_log(PyObject* dict, Log* log);
#ifdef MY_SHARED
static PyObject* my_shared(PyObject* self, PyObject* args, PyObject* kwargs); /* new reference */
#endif
#ifdef MY_GET
static PyObject* my_get(PyObject* dict, Env* env);
#endif
#ifdef MY_PUT
static int my_put(Env* env, PyObject* args, PyObject* kwargs); /* 0, or it failed */
#endif
#ifndef MY_METHODS
#define MY_METHODS {NULL, NULL, 0, NULL}
#endif

/* Hooks of other headers, and near misses. */
#if defined MY_INIT || defined MY_LOG || defined MY_RESET || defined MY_STEP || defined MY_RENDER || defined MY_CLOSE || \
    defined MY_VEC_INIT || defined MY_VEC_STEP || defined MY_VEC_LOG || defined MY_VEC_CLOSE || defined MY_ACTIONS ||    \
    defined MY_SHARE || defined MY_GETS || defined MY_PUTS || defined MY_SET || defined MY_METHOD || defined MY_CLOSE_FREES
#error "env_binding.h: the hooks are MY_SHARED, MY_GET, MY_PUT, MY_METHODS and MY_CLOSE_FREES_ENV"
#endif
/* A hook that is defined and not announced gets an error here: it would never be called. */
#ifndef MY_SHARED
enum { my_shared };
#endif
#ifndef MY_GET
enum { my_get };
#endif
#ifndef MY_PUT
enum { my_put };
#endif

#define BIND_TEXT_(token) #token
#define BIND_TEXT(token) BIND_TEXT_(token)

/* Grid and CTowerClimb free the Env in c_close. */
#ifndef MY_CLOSE_FREES_ENV
#define MY_CLOSE_FREES_ENV (strcmp(BIND_TEXT(Env), "Grid") == 0 || strcmp(BIND_TEXT(Env), "CTowerClimb") == 0)
#endif

_Static_assert(sizeof(Log) % sizeof(float) == 0 && _Generic(((Log*)0)->n, float: 1, default: 0),
               "Log must be a struct of floats, and `n` one of them");

#ifdef __GNUC__
#define BIND_MAYBE_UNUSED __attribute__((unused)) /* not every binding.c needs every name */
#else
#define BIND_MAYBE_UNUSED
#endif

/* ---- Values from Python, and to it ------------------------------------------------------------------------------------ */

/* A call of my_init, my_put or my_shared: unpack() knows it by the keyword arguments that the hook was given, and by nothing else.
 * So it jumps within the call of C that it is in, whatever ran meanwhile: an __index__ may run other hooks, or switch to a greenlet,
 * which has another stack, while this one is saved away. That is why this struct is not on the stack. */
typedef struct BindCall {
    jmp_buf failed; /* where unpack() jumps to on an error */
    PyObject* kwargs;
    struct BindCall* next;
} BindCall;

static _Thread_local BindCall* bind_calls; /* those of this thread */

/* Begins a call, which ends with bind_end(). NULL with an exception. */
static BindCall* bind_begin(PyObject* kwargs) {
    BindCall* call = calloc(1, sizeof *call);
    if (!call) return (BindCall*)PyErr_NoMemory();
    call->kwargs = kwargs;
    call->next = bind_calls;
    return bind_calls = call;
}

static void bind_end(BindCall* call) {
    BindCall** at = &bind_calls;
    while (*at != call) at = &(*at)->next;
    *at = call->next;
    free(call);
}

/* my_init or my_put, which a failed unpack() leaves by a jump. A function of its own: no variable of its caller gets lost then. */
static int bind_try(BindCall* call, int (*hook)(Env*, PyObject*, PyObject*), Env* env, PyObject* args) {
    return setjmp(call->failed) == 0 ? hook(env, args, call->kwargs) : 1;
}

/* Runs my_init or my_put. Returns 0, or -1 with an exception. */
static int bind_run(const char* name, int (*hook)(Env*, PyObject*, PyObject*), Env* env, PyObject* kwargs) {
    PyObject* const empty = PyTuple_New(0);
    BindCall* const call = empty ? bind_begin(kwargs) : NULL;
    const int failed = call ? bind_try(call, hook, env, empty) : 1;
    if (call) bind_end(call);
    Py_XDECREF(empty);
    if (failed && !PyErr_Occurred()) PyErr_Format(PyExc_RuntimeError, "%s failed and gave no reason", name);
    return PyErr_Occurred() ? -1 : 0;
}

/* The 32 bits that srand() takes, signed or not. */
static int bind_seed(PyObject* value, int* seed) {
    long long number = 0;
    if (bind_index("seed", value, INT_MIN, UINT_MAX, "", PyExc_ValueError, &number) < 0) return -1;
    *seed = (int)(unsigned)number;
    return 0;
}

/* *number: the value of a keyword argument, an int of 32 bits or a finite float. Returns 0, or -1 with an exception. */
static int bind_number(const char* key, PyObject* value, double* number) {
    long long integer = 0;
    if (PyIndex_Check(value)) {
        if (bind_index(key, value, INT_MIN, INT_MAX, "", PyExc_ValueError, &integer) < 0) return -1;
        *number = (double)integer;
        return 0;
    }
    *number = PyFloat_AsDouble(value);
    if (PyErr_Occurred()) {
        if (!PyErr_ExceptionMatches(PyExc_TypeError)) return -1;
        PyErr_Clear();
        bind_refuse(PyExc_TypeError, value, "%s: expected a number", key);
        return -1;
    }
    if (*number - *number == 0) return 0; /* false for NaN and infinities */
    bind_refuse(PyExc_ValueError, value, "%s: expected a finite number", key);
    return -1;
}

/* For my_init and the like: kwargs[key] as a number. Elsewhere than in a hook it returns 1 on an error, with an exception. */
BIND_MAYBE_UNUSED static double unpack(PyObject* kwargs, const char* key) {
    PyObject *name = PyUnicode_FromString(key), *value = NULL;
    double number = 1;
    int found = name ? 0 : -1;
    if (name && kwargs) found = bind_find(kwargs, name, &value);
    if (found == 0) PyErr_Format(PyExc_TypeError, "%s: expected a keyword argument, got none", key);
    if (found > 0 && bind_number(key, value, &number) < 0) found = -1;
    Py_XDECREF(name);
    Py_XDECREF(value);
    if (found > 0) return number;
    for (BindCall* call = bind_calls; call; call = call->next)
        if (call->kwargs == kwargs) longjmp(call->failed, 1);
    return 1;
}

/* For my_log and my_get: dict[key] = value. 0, or 1 with an exception, which vec_log() and env_get() pass on. */
BIND_MAYBE_UNUSED static int assign_to_dict(PyObject* dict, const char* key, float value) {
    PyObject* number = PyErr_Occurred() ? NULL : PyFloat_FromDouble(value);
    const int failed = !number || PyDict_SetItemString(dict, key, number) < 0;
    Py_XDECREF(number);
    return failed;
}

/* ---- Arrays ----------------------------------------------------------------------------------------------------------- */

/* The type of elements that a field of Env points to. char and bool are one byte, and int may be signed or not. */
static const BindType BIND_BYTE = {"int8", "?bB", 1}, BIND_UBYTE = {"uint8", "?bB", 1}, BIND_BOOL = {"bool", "?bB", 1},
                      BIND_SHORT = {"int16", "hH", 2}, BIND_USHORT = {"uint16", "hH", 2}, BIND_INT = {"int32", "iIlL", 4},
                      BIND_UINT = {"uint32", "iIlL", 4}, BIND_FLOAT = {"float32", "f", 4}, BIND_DOUBLE = {"float64", "d", 8},
                      BIND_NUMBERS = {"plain numbers", "?bBhHiIlLqQefd", 0}, BIND_ANY4 = {"int32 or float32", "iIlLf", 4};
#define BIND_TYPE_OF(pointer, other)                                                                                          \
    _Generic((pointer), float*: &BIND_FLOAT, double*: &BIND_DOUBLE, int*: &BIND_INT, unsigned*: &BIND_UINT,                   \
             short*: &BIND_SHORT, unsigned short*: &BIND_USHORT, char*: &BIND_BYTE, signed char*: &BIND_BYTE,                 \
             unsigned char*: &BIND_UBYTE, bool*: &BIND_BOOL, default: other) /* for example void* */
static const BindType* const BIND_TYPES[] = {BIND_TYPE_OF(((Env*)0)->observations, &BIND_NUMBERS),
                                             BIND_TYPE_OF(((Env*)0)->actions, &BIND_ANY4), &BIND_FLOAT, &BIND_BOOL,
                                             &BIND_BOOL};

/* Whether array k has its type, and a shape for `rows` environments. whole: all of it is for one environment, so observations and
 * actions may have several rows for each reward, and may be flat. Returns 0, or -1 with an exception. */
static int bind_check_layout(int k, const Py_buffer* view, Py_ssize_t rows, bool whole) {
    const bool flat = k != BIND_OBSERVATIONS && k != BIND_ACTIONS;
    char shape[48];
    if (bind_has_type(view, BIND_TYPES[k]) && view->len > 0 && (flat ? view->ndim == 1 : view->ndim >= 1) &&
        (view->shape[0] == rows || (whole && !flat && view->shape[0] % rows == 0)))
        return 0;
    PyOS_snprintf(shape, sizeof shape, flat ? "(%zd,)" : "(%zd, ...)", rows);
    return bind_refuse_buffer(BIND_NAMES[k], view, BIND_TYPES[k], shape);
}

/* Holds all five arrays, or none. rows: the environments; 0: one environment with as many agents as there are rewards. */
static int bind_hold_all(PyObject* const* arrays, Py_ssize_t rows, BindArray* held) {
    const bool whole = rows == 0;
    const Py_buffer* const rewards = &held[BIND_REWARDS].view;
    memset(held, 0, BIND_ARRAYS * sizeof *held);
    for (int k = 0; k < BIND_ARRAYS; k++)
        if (bind_hold(BIND_NAMES[k], arrays[k], &held[k]) < 0) goto failed;
    if (whole) rows = rewards->ndim == 1 ? rewards->shape[0] : 0;
    if (rows < 1) rows = 1;
    for (int k = 0; k < BIND_ARRAYS; k++)
        if (bind_check_layout(k, &held[k].view, rows, whole) < 0) goto failed;
    if (bind_check_overlap(held, BIND_ARRAYS) == 0) return 0;
failed:
    bind_release(held, BIND_ARRAYS);
    return -1;
}

/* ---- Handles ---------------------------------------------------------------------------------------------------------- */

enum { BIND_CLOSED, BIND_IDLE, BIND_BUSY }; /* CLOSED is 0: a handle under construction is closed */

typedef struct VecEnv {
    Env** envs;
    int num_envs;
} VecEnv;

/* Either kind of handle: an Env is a vector of one. */
typedef struct BindHandle {
    PyObject_HEAD
    atomic_int state;              /* the thread that turns IDLE to BUSY has the handle to itself, without the GIL too */
    struct BindHandle* owner;      /* of an Env: the vector that took it over (borrowed); its state is that of both */
    VecEnv vec;                    /* envs[i] is NULL until my_init has succeeded */
    struct BindHandle** members;   /* (num_envs) of vectorize(): the handles that own the Envs; a reference to each */
    BindArray arrays[BIND_ARRAYS]; /* of env_init() and vec_init() */
} BindHandle;

static PyTypeObject bind_env_type, bind_vec_type;

/* Gives back all that a handle owns, whole or half built. No other thread may be using it. */
static void bind_close(BindHandle* self) {
    atomic_store(&self->state, BIND_CLOSED);
    for (int i = 0; self->vec.envs && i < self->vec.num_envs; i++) {
        Env* env = self->vec.envs[i];
        if (self->members) {
            BindHandle* member = self->members[i];
            if (!member) continue;
            if (member->owner == self) {
                member->owner = NULL;
                if (env) bind_close(member); /* no env: vectorize() failed, and the member stays open */
            }
            self->members[i] = NULL; /* before Py_DECREF, which may run the garbage collector, which reads it */
            Py_DECREF(member);
        } else if (env) {
            c_close(env);
            if (!MY_CLOSE_FREES_ENV) free(env);
        }
    }
    free(self->vec.envs);
    free(self->members);
    self->vec.envs = NULL;
    self->members = NULL;
    bind_release(self->arrays, BIND_ARRAYS);
}

/* Allocates the pointers of num_envs environments. Returns 0, or -1 with an exception. */
static int bind_make_room(BindHandle* self, int num_envs) {
    self->vec.envs = calloc((size_t)num_envs, sizeof(void*));
    self->vec.num_envs = num_envs;
    if (self->vec.envs) return 0;
    PyErr_NoMemory();
    return -1;
}

static void bind_dealloc(PyObject* object) {
    PyObject_GC_UnTrack(object);
    bind_close((BindHandle*)object);
    PyObject_GC_Del(object);
}

static int bind_traverse(PyObject* object, visitproc visit, void* arg) {
    BindHandle* self = (BindHandle*)object;
    for (int k = 0; k < BIND_ARRAYS; k++) {
        Py_VISIT(self->arrays[k].view.obj);
        Py_VISIT(self->arrays[k].owner.obj);
    }
    for (int i = 0; self->members && i < self->vec.num_envs; i++) Py_VISIT(self->members[i]);
    return 0;
}

static int bind_clear(PyObject* object) {
    bind_close((BindHandle*)object);
    return 0;
}

static PyObject* bind_repr(PyObject* object) {
    BindHandle* self = (BindHandle*)object;
    const char* closed = atomic_load(&self->state) == BIND_CLOSED ? "closed " : "";
    if (Py_TYPE(object) == &bind_env_type) return PyUnicode_FromFormat("<%sEnv of %s>", closed, BIND_TEXT(Env));
    return PyUnicode_FromFormat("<%sVecEnv of %d %s>", closed, self->vec.num_envs, BIND_TEXT(Env));
}

#define BIND_HANDLE_TYPE(name, doc)                                                                          \
    {PyVarObject_HEAD_INIT(NULL, 0).tp_name = name, .tp_doc = doc, .tp_basicsize = sizeof(BindHandle),       \
     .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC, .tp_dealloc = bind_dealloc, .tp_traverse = bind_traverse, \
     .tp_clear = bind_clear, .tp_repr = bind_repr}
/* Static types: unpack_env(args) checks handles, and has no module at hand. */
static PyTypeObject bind_env_type = BIND_HANDLE_TYPE("binding.Env", "One environment, from env_init().");
static PyTypeObject bind_vec_type = BIND_HANDLE_TYPE("binding.VecEnv", "Environments, from vec_init() or vectorize().");

static const char* bind_kind(PyTypeObject* type) { return type == &bind_env_type ? "Env" : "VecEnv"; }

/* Borrowed: a handle of the given type, open or not; NULL with an exception for anything else. */
static BindHandle* bind_handle(PyObject* object, PyTypeObject* type) {
    if (Py_TYPE(object) == type) return (BindHandle*)object;
    PyErr_Format(PyExc_TypeError, "handle: expected %s of this module, got %.80s",
                 type == &bind_env_type ? "an Env from env_init()" : "a VecEnv from vec_init() or vectorize()",
                 Py_TYPE(object)->tp_name);
    return NULL;
}

/* The handle whose state counts: the vector's, for an Env that belongs to one. */
static BindHandle* bind_lock(BindHandle* self) { return self->owner ? self->owner : self; }

/* Makes a handle the caller's alone until bind_leave(). Borrowed; NULL with an exception. Keeps the vector of an Env alive meanwhile:
 * another thread that drops the vector would close the Env. */
static BindHandle* bind_enter(PyObject* object, PyTypeObject* type) {
    BindHandle* self = bind_handle(object, type);
    int state = BIND_IDLE;
    if (!self) return NULL;
    if (atomic_compare_exchange_strong(&bind_lock(self)->state, &state, BIND_BUSY)) {
        Py_INCREF(bind_lock(self));
        return self;
    }
    PyErr_Format(PyExc_RuntimeError, "%s is %s", bind_kind(type),
                 state == BIND_BUSY ? "in use by another thread" : "closed");
    return NULL;
}

static void bind_leave(BindHandle* self) {
    BindHandle* lock = bind_lock(self);
    atomic_store(&lock->state, BIND_IDLE);
    Py_DECREF(lock);
}

/* For MY_METHODS and my_shared: the handle that is the first argument, or NULL with an exception. Its environments stay valid while
 * the caller keeps the GIL and closes nothing. */
static BindHandle* bind_first(PyObject* args, PyTypeObject* type) {
    BindHandle* self = NULL;
    if (PyTuple_Size(args) < 1)
        PyErr_SetString(PyExc_TypeError, "expected a handle as the first argument, got none");
    else if ((self = bind_enter(PyTuple_GetItem(args, 0), type)))
        bind_leave(self);
    return self;
}

BIND_MAYBE_UNUSED static Env* unpack_env(PyObject* args) {
    BindHandle* self = bind_first(args, &bind_env_type);
    return self ? self->vec.envs[0] : NULL;
}

BIND_MAYBE_UNUSED static VecEnv* unpack_vecenv(PyObject* args) {
    BindHandle* self = bind_first(args, &bind_vec_type);
    return self ? &self->vec : NULL;
}

static int bind_expect(const char* function, PyObject* args, Py_ssize_t expected) {
    if (PyTuple_Size(args) == expected) return 0;
    PyErr_Format(PyExc_TypeError, "%s: expected %zd positional arguments, got %zd", function, expected, PyTuple_Size(args));
    return -1;
}

BIND_MAYBE_UNUSED static PyObject* bind_missing(const char* function, const char* macro) {
    PyErr_Format(PyExc_NotImplementedError, "%s: the binding of %s defines no %s", function, BIND_TEXT(Env), macro);
    return NULL;
}

/* ---- Construction ----------------------------------------------------------------------------------------------------- */

/* Points an environment at its share of the arrays: the i-th of num_envs. */
static void bind_point(Env* env, const BindArray* arrays, int i, int num_envs) {
    void* shares[BIND_ARRAYS] = {0};
    for (int k = 0; k < BIND_ARRAYS; k++) shares[k] = (char*)arrays[k].view.buf + i * (arrays[k].view.len / num_envs);
    env->observations = shares[BIND_OBSERVATIONS];
    env->actions = shares[BIND_ACTIONS];
    env->rewards = shares[BIND_REWARDS];
    env->terminals = shares[BIND_TERMINALS];
}

/* Makes environment i of a handle that holds its arrays. Adds the seed to `kwargs`. Returns 0, or -1 with an exception. */
static int bind_make_env(BindHandle* self, int i, int seed, PyObject* kwargs) {
    PyObject* number = PyLong_FromLong(seed);
    Env* env = calloc(1, sizeof(Env));
    if (!env) PyErr_NoMemory();
    if (!env || !number || PyDict_SetItemString(kwargs, "seed", number) < 0) goto failed;
    bind_point(env, self->arrays, i, self->vec.num_envs);
    srand((unsigned)seed);
    if (bind_run("my_init", my_init, env, kwargs) < 0) goto failed;
    Py_DECREF(number);
    self->vec.envs[i] = env;
    return 0;
failed:
    Py_XDECREF(number);
    free(env);
    return -1;
}

/* New reference: a handle of num_envs environments over the five arrays that args start with. */
static PyObject* bind_make(PyTypeObject* type, PyObject* args, int num_envs, int seed, PyObject* kwargs) {
    const bool single = type == &bind_env_type;
    PyObject* arrays[BIND_ARRAYS];
    PyObject* keywords = bind_keywords(kwargs);
    BindHandle* self = NULL;
    if (!keywords || !(self = (BindHandle*)type->tp_alloc(type, 0))) goto failed;
    for (int k = 0; k < BIND_ARRAYS; k++) arrays[k] = PyTuple_GetItem(args, k);
    if (bind_hold_all(arrays, single ? 0 : num_envs, self->arrays) < 0) goto failed;
    if (bind_make_room(self, num_envs) < 0) goto failed;
    for (int i = 0; i < num_envs; i++) {
        /* as PufferLib: every process is assumed to have as many environments. unsigned: the product may wrap around */
        const int env_seed = single ? seed : (int)((unsigned)i + (unsigned)seed * (unsigned)num_envs);
        if (bind_make_env(self, i, env_seed, keywords) < 0) goto failed;
    }
    Py_DECREF(keywords);
    atomic_store(&self->state, BIND_IDLE);
    return (PyObject*)self;
failed:
    Py_XDECREF(keywords);
    Py_XDECREF(self); /* which closes those already made */
    return NULL;
}

static PyObject* bind_env_init(PyObject* module, PyObject* args, PyObject* kwargs) {
    int seed = 0;
    (void)module;
    if (bind_expect("env_init", args, 6) < 0 || bind_seed(PyTuple_GetItem(args, 5), &seed) < 0) return NULL;
    return bind_make(&bind_env_type, args, 1, seed, kwargs);
}

static PyObject* bind_vec_init(PyObject* module, PyObject* args, PyObject* kwargs) {
    long long num_envs = 0;
    int seed = 0;
    (void)module;
    if (bind_expect("vec_init", args, 7) < 0) return NULL;
    if (bind_index("num_envs", PyTuple_GetItem(args, 5), 1, INT_MAX, "", PyExc_ValueError, &num_envs) < 0) return NULL;
    if (bind_seed(PyTuple_GetItem(args, 6), &seed) < 0) return NULL;
    return bind_make(&bind_vec_type, args, (int)num_envs, seed, kwargs);
}

static PyObject* bind_vectorize(PyObject* module, PyObject* args) {
    const Py_ssize_t num_envs = PyTuple_Size(args);
    BindHandle *self = NULL, *member = NULL;
    (void)module;
    if (num_envs < 1 || num_envs > INT_MAX) {
        PyErr_Format(PyExc_TypeError, "vectorize: expected one Env or more, each an argument, got %zd", num_envs);
        return NULL;
    }
    if (!(self = (BindHandle*)bind_vec_type.tp_alloc(&bind_vec_type, 0))) return NULL;
    if (bind_make_room(self, (int)num_envs) < 0) goto failed;
    if (!(self->members = calloc((size_t)num_envs, sizeof(void*)))) {
        PyErr_NoMemory();
        goto failed;
    }
    atomic_store(&self->state, BIND_IDLE); /* so that an Env that comes twice is reported as taken and not as closed */
    for (int i = 0; i < num_envs; i++) {
        if (!(member = bind_enter(PyTuple_GetItem(args, i), &bind_env_type))) goto failed;
        bind_leave(member);
        if (member->owner) {
            PyErr_Format(PyExc_ValueError, "vectorize: expected Envs of their own, got one, argument %d, that %s", i,
                         member->owner == self ? "came before" : "another VecEnv has");
            goto failed;
        }
        Py_INCREF(member);
        member->owner = self;
        self->members[i] = member;
    }
    for (int i = 0; i < num_envs; i++) self->vec.envs[i] = self->members[i]->vec.envs[0];
    return (PyObject*)self;
failed:
    Py_DECREF(self);
    return NULL;
}

/* ---- Use -------------------------------------------------------------------------------------------------------------- */

static PyObject* bind_reset(PyObject* args, PyTypeObject* type, const char* function) {
    BindHandle* self = NULL;
    int seed = 0;
    if (bind_expect(function, args, 2) < 0 || bind_seed(PyTuple_GetItem(args, 1), &seed) < 0) return NULL;
    if (!(self = bind_enter(PyTuple_GetItem(args, 0), type))) return NULL;
    const unsigned first = (unsigned)seed * (unsigned)self->vec.num_envs;
    Py_BEGIN_ALLOW_THREADS
    for (int i = 0; i < self->vec.num_envs; i++) {
        if (type == &bind_vec_type) srand((unsigned)i + first); /* PufferLib's env_reset ignores its seed */
        c_reset(self->vec.envs[i]);
    }
    Py_END_ALLOW_THREADS
    bind_leave(self);
    Py_RETURN_NONE;
}

static PyObject* bind_step(PyObject* handle, PyTypeObject* type) {
    BindHandle* self = bind_enter(handle, type);
    if (!self) return NULL;
    Py_BEGIN_ALLOW_THREADS
    for (int i = 0; i < self->vec.num_envs; i++) c_step(self->vec.envs[i]);
    Py_END_ALLOW_THREADS
    bind_leave(self);
    Py_RETURN_NONE;
}

static PyObject* bind_render(PyObject* handle, PyTypeObject* type, PyObject* index) {
    long long i = 0;
    BindHandle* self = bind_enter(handle, type);
    if (!self) return NULL;
    if (index && bind_index("env_id", index, 0, self->vec.num_envs - 1, "", PyExc_IndexError, &i) < 0) {
        bind_leave(self);
        return NULL;
    }
    Py_BEGIN_ALLOW_THREADS
    c_render(self->vec.envs[i]);
    Py_END_ALLOW_THREADS
    bind_leave(self);
    Py_RETURN_NONE;
}

static PyObject* bind_close_handle(PyObject* handle, PyTypeObject* type) {
    BindHandle* self = bind_handle(handle, type);
    if (!self) return NULL;
    if (self->owner) {
        PyErr_SetString(PyExc_RuntimeError, "Env is part of a VecEnv: close that with vec_close()");
        return NULL;
    }
    if (atomic_load(&self->state) == BIND_CLOSED) Py_RETURN_NONE;
    if (!bind_enter(handle, type)) return NULL;
    bind_close(self);
    Py_DECREF(self); /* instead of bind_leave(), which would open it again */
    Py_RETURN_NONE;
}

static PyObject* bind_vec_log(PyObject* module, PyObject* handle) {
    enum { FIELDS = sizeof(Log) / sizeof(float) };
    BindHandle* self = bind_enter(handle, &bind_vec_type);
    PyObject* dict = NULL;
    Log mean = {0};
    float* const sums = (float*)&mean;
    (void)module;
    if (!self) return NULL;
    if (!(dict = PyDict_New())) goto done;
    for (int i = 0; i < self->vec.num_envs; i++) {
        float* const log = (float*)&self->vec.envs[i]->log;
        for (int k = 0; k < FIELDS; k++) {
            sums[k] += log[k];
            log[k] = 0;
        }
    }
    const float n = mean.n;
    if (n == 0) goto done;
    for (int k = 0; k < FIELDS; k++) sums[k] /= n;
    my_log(dict, &mean);
    assign_to_dict(dict, "n", n);
    if (PyErr_Occurred()) Py_CLEAR(dict);
done:
    bind_leave(self);
    return dict;
}

static PyObject* bind_env_get(PyObject* module, PyObject* handle) {
#ifdef MY_GET
    BindHandle* self = bind_enter(handle, &bind_env_type);
    PyObject* dict = self ? PyDict_New() : NULL;
    (void)module;
    if (dict) my_get(dict, self->vec.envs[0]);
    if (self) bind_leave(self);
    if (dict && PyErr_Occurred()) Py_CLEAR(dict);
    return dict;
#else
    (void)module, (void)handle;
    return bind_missing("env_get", "MY_GET");
#endif
}

/* An array under one of the five names is checked and held as in env_init(). */
static PyObject* bind_env_put(PyObject* module, PyObject* args, PyObject* kwargs) {
#ifdef MY_PUT
    PyObject *arrays[BIND_ARRAYS] = {NULL}, *result = NULL, *keywords = NULL;
    BindArray held[BIND_ARRAYS];
    BindHandle* self = NULL;
    (void)module;
    if (bind_expect("env_put", args, 1) < 0) return NULL;
    if (!(self = bind_enter(PyTuple_GetItem(args, 0), &bind_env_type))) return NULL;
    Env* const env = self->vec.envs[0];
    if (!(keywords = bind_keywords(kwargs))) goto done;
    for (int k = 0; k < BIND_ARRAYS; k++) {
        PyObject* const name = PyUnicode_FromString(BIND_NAMES[k]);
        const int found = name ? bind_find(keywords, name, &arrays[k]) : -1;
        Py_XDECREF(name);
        if (found < 0) goto done;
        if (!found) Py_XINCREF(arrays[k] = self->arrays[k].view.obj);
    }
    if (bind_hold_all(arrays, 0, held) < 0) goto done;
    bind_point(env, held, 0, 1);
    if (bind_run("my_put", my_put, env, keywords) < 0) {
        bind_point(env, self->arrays, 0, 1);
        bind_release(held, BIND_ARRAYS);
        goto done;
    }
    bind_release(self->arrays, BIND_ARRAYS);
    memcpy(self->arrays, held, sizeof held);
    result = Py_None;
    Py_INCREF(result);
done:
    bind_leave(self);
    bind_drop(arrays, BIND_ARRAYS);
    Py_XDECREF(keywords);
    return result;
#else
    (void)module, (void)args, (void)kwargs;
    return bind_missing("env_put", "MY_PUT");
#endif
}

#ifdef MY_SHARED
static PyObject* bind_try_shared(BindCall* call, PyObject* module, PyObject* args) {
    return setjmp(call->failed) == 0 ? my_shared(module, args, call->kwargs) : NULL;
}
#endif

static PyObject* bind_shared(PyObject* module, PyObject* args, PyObject* kwargs) {
#ifdef MY_SHARED
    PyObject* const keywords = bind_keywords(kwargs);
    BindCall* const call = keywords ? bind_begin(keywords) : NULL;
    PyObject* const result = call ? bind_try_shared(call, module, args) : NULL;
    if (call) bind_end(call);
    Py_XDECREF(keywords);
    if (result && PyErr_Occurred()) {
        Py_DECREF(result);
        return NULL;
    }
    if (!result && !PyErr_Occurred()) PyErr_SetString(PyExc_RuntimeError, "my_shared failed and gave no reason");
    return result;
#else
    (void)module, (void)args, (void)kwargs;
    return bind_missing("shared", "MY_SHARED");
#endif
}

static PyObject* bind_env_reset(PyObject* module, PyObject* args) {
    return (void)module, bind_reset(args, &bind_env_type, "env_reset");
}
static PyObject* bind_vec_reset(PyObject* module, PyObject* args) {
    return (void)module, bind_reset(args, &bind_vec_type, "vec_reset");
}
static PyObject* bind_env_step(PyObject* module, PyObject* handle) {
    return (void)module, bind_step(handle, &bind_env_type);
}
static PyObject* bind_vec_step(PyObject* module, PyObject* handle) {
    return (void)module, bind_step(handle, &bind_vec_type);
}
static PyObject* bind_env_render(PyObject* module, PyObject* handle) {
    return (void)module, bind_render(handle, &bind_env_type, NULL);
}
static PyObject* bind_vec_render(PyObject* module, PyObject* args) {
    (void)module;
    if (bind_expect("vec_render", args, 2) < 0) return NULL;
    return bind_render(PyTuple_GetItem(args, 0), &bind_vec_type, PyTuple_GetItem(args, 1));
}
static PyObject* bind_env_close(PyObject* module, PyObject* handle) {
    return (void)module, bind_close_handle(handle, &bind_env_type);
}
static PyObject* bind_vec_close(PyObject* module, PyObject* handle) {
    return (void)module, bind_close_handle(handle, &bind_vec_type);
}

/* ---- The module ------------------------------------------------------------------------------------------------------- */

#define BIND_KEYWORDS(function) (PyCFunction)(void (*)(void)) function, METH_VARARGS | METH_KEYWORDS
#define BIND_ARRAYS_DOC "observations, actions, rewards, terminals, truncations, "

static PyMethodDef bind_methods[] = {
    {"env_init", BIND_KEYWORDS(bind_env_init),
     "env_init(" BIND_ARRAYS_DOC "seed, **parameters): one Env over the whole arrays."},
    {"env_reset", bind_env_reset, METH_VARARGS, "env_reset(env, seed): start an episode. The seed is not used."},
    {"env_step", bind_env_step, METH_O, "env_step(env): one step."},
    {"env_render", bind_env_render, METH_O, "env_render(env): draw."},
    {"env_close", bind_env_close, METH_O, "env_close(env): free it, and release its arrays. May be called twice."},
    {"env_get", bind_env_get, METH_O, "env_get(env): a dict that the binding's my_get fills."},
    {"env_put", BIND_KEYWORDS(bind_env_put),
     "env_put(env, **values): pass values, or other arrays, to the binding's my_put."},
    {"vectorize", bind_vectorize, METH_VARARGS, "vectorize(*envs): a VecEnv that takes these Envs over."},
    {"vec_init", BIND_KEYWORDS(bind_vec_init),
     "vec_init(" BIND_ARRAYS_DOC "num_envs, seed, **parameters): a VecEnv; each environment has one row."},
    {"vec_reset", bind_vec_reset, METH_VARARGS, "vec_reset(vec, seed): start an episode in each."},
    {"vec_step", bind_vec_step, METH_O, "vec_step(vec): one step of each."},
    {"vec_log", bind_vec_log, METH_O, "vec_log(vec): means over the episodes since the last call; {} if there are none."},
    {"vec_render", bind_vec_render, METH_VARARGS, "vec_render(vec, env_id): draw one."},
    {"vec_close", bind_vec_close, METH_O, "vec_close(vec): free all, and release the arrays. May be called twice."},
    {"shared", BIND_KEYWORDS(bind_shared), "shared(...): what the binding's my_shared returns."},
    MY_METHODS,
    {NULL, NULL, 0, NULL},
};

static int bind_exec(PyObject* module) {
    (void)module;
    import_array1(-1);
    return PyType_Ready(&bind_env_type) < 0 || PyType_Ready(&bind_vec_type) < 0 ? -1 : 0;
}

static PyModuleDef_Slot bind_slots[] = {
    {Py_mod_exec, (void*)bind_exec},
#ifdef Py_mod_multiple_interpreters
    {Py_mod_multiple_interpreters, Py_MOD_MULTIPLE_INTERPRETERS_NOT_SUPPORTED}, /* rand() and NumPy are one for all */
#endif
    {0, NULL},
};

static PyModuleDef bind_module = {
    PyModuleDef_HEAD_INIT,
    .m_name = "binding",
    .m_doc = "The environment " BIND_TEXT(Env) ", with the functions of PufferLib's bindings.",
    .m_methods = bind_methods,
    .m_slots = bind_slots,
};

PyMODINIT_FUNC PyInit_binding(void) { return PyModuleDef_Init(&bind_module); }

#endif
