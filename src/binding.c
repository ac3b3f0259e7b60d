/* binding.c - makes a Python module of an environment written in C
 *
 *     cc ... -DENV_HEADER='"boids.h"' -DENV_MODULE=_boids src/binding.c
 *
 * The module has the class VecEnv: num_envs environments over five arrays of the caller's (NumPy arrays or any other buffers). The class
 * Learner (bind/learner.h) learns to act in any of them, and the class Planner (bind/planner.h) looks ahead.
 *
 *     observations  (num_envs * num_agents, ...)  ┌─ env 0 ─┬─ env 1 ─┬─ env 2 ─┐   each Env points at its own slice:
 *     actions       (num_envs * num_agents, ...)  │ agents  │ agents  │ agents  │   nothing is copied and no array is
 *     rewards, terminals, truncations  (the same) └─────────┴─────────┴─────────┘   an argument of step()
 *
 * It is the Python type around env_vec.h, which steps the environments and knows no Python:
 *
 *     bind/values.h    numbers and names from Python objects          bind/describe.h  the header's lists as Python objects
 *     bind/buffers.h   arrays, held and checked                       bind/state.h     the methods about the state
 *     bind/object.h    the object, and which thread may use it        bind/learner.h   the class Learner
 *     bind/planner.h   the class Planner                              this file        construction, the other methods, the module
 *
 * It knows an environment by the names in env.h alone.
 *
 * Ownership: a VecEnv owns its Envs, and holds each array from construction to close(). bind/buffers.h says what that keeps out.
 * Errors:    a function returns 0, or -1 with an exception set (a pointer, or NULL), unless its comment says otherwise. All
 *            arguments are checked before anything is touched: a call that fails leaves everything as it was.
 * Threads:   see bind/object.h. The GIL is released while C works.
 * State:     the module has none but the addresses that link() is given, and which thread uses them now. What the header says of
 *            itself is constant; what Python sees of it lives in the class.
 */
#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <limits.h>
#include <stdatomic.h>
#include <stddef.h>
#include <structmember.h>

#include "bind/describe.h"
#include "bind/learner.h"
#include "bind/object.h"
#include "bind/planner.h"
#include "bind/state.h"

#define JOIN_(a, b) a##b
#define JOIN(a, b) JOIN_(a, b)

/* ---- What a header may leave out --------------------------------------------------------------------------------------- */

/* Its methods exist in every module, and raise where the header lacks a function. */
#ifdef c_pixels
enum { HAS_PIXELS = true };
#else
enum { HAS_PIXELS = false };
static void c_pixels(Env* env, uint8_t* rgb, int32_t width, int32_t height) {
    (void)env, (void)rgb, (void)width, (void)height;
}
#endif
#ifdef c_film
enum { HAS_FILM = true };
#else
enum { HAS_FILM = false };
#define c_film c_pixels
#endif
#ifdef c_caption
enum { HAS_CAPTION = true };
#else
enum { HAS_CAPTION = false };
#define c_caption c_pixels
#endif
#ifdef c_render
enum { HAS_WINDOW = true };
#else
enum { HAS_WINDOW = false };
static int32_t c_render(Env* env) { return (void)env, ENV_NO_WINDOW; }
#endif

/* src/show/env_window.h has it; a window of another make shows no annotation. */
#ifndef c_annotate
static void c_annotate(const char* text, const float* curve, size_t count) { (void)text, (void)curve, (void)count; }
#endif

/* The functions that c_render calls and that are not linked in: pointers, which link() fills. */
typedef struct External {
    const char* name;
    void* pointer; /* to a pointer to the function */
} External;

#ifndef ENV_EXTERNALS
#define ENV_EXTERNALS(X)
#endif
#define EXTERNAL(result, name, arguments) {#name, (void*)&name},
static const External EXTERNALS[] = {ENV_EXTERNALS(EXTERNAL){NULL, NULL}};
enum { NUM_EXTERNALS = sizeof EXTERNALS / sizeof EXTERNALS[0] - 1 };
_Static_assert(sizeof(void (*)(void)) == sizeof(uintptr_t), "an address does not fit in an integer");

/* ---- The window's turn ------------------------------------------------------------------------------------------------- */

/* The window and the addresses from link() belong to the process. The thread that uses either has both to itself, and others wait.
 * The GIL would not do: a linked function that runs Python releases it, interpreters have one each, and some Pythons have none. */
static atomic_ulong window_owner; /* the thread, or 0 */

/* True where unlock_window() must follow; false in a thread that has it already, inside a linked function that runs Python. */
static bool lock_window(void) {
    const unsigned long me = PyThread_get_thread_ident();
    unsigned long nobody = 0;
    if (atomic_load(&window_owner) == me) return false;
    while (!atomic_compare_exchange_weak(&window_owner, &nobody, me)) {
        nobody = 0;
        Py_BEGIN_ALLOW_THREADS /* waits for a frame at most, and only where two threads use windows */
        Py_END_ALLOW_THREADS
    }
    return true;
}

static void unlock_window(bool locked) {
    if (locked) atomic_store(&window_owner, 0);
}

/* ---- Construction ------------------------------------------------------------------------------------------------------ */

/* Gives back all that a VecEnv owns, whole or half built. No other thread may be using it. */
static void teardown(VecEnv* self) {
    const bool locked = self->vec.envs && self->window_used && lock_window(); /* c_close may close the window */
    env_vec_close(&self->vec);
    unlock_window(locked);
    atomic_store_explicit(&self->state, CLOSED, memory_order_release);
    bind_release(self->arrays, BIND_MOST_ARRAYS);
}

/* Makes an exception of a message of env_vec_begin or env_vec_finish. 0 without a message. */
static int check_opened(const EnvVec* vec, const char* message) {
    if (!message) return 0;
    if (strcmp(message, ENV_NO_MEMORY) == 0)
        PyErr_NoMemory();
    else
        PyErr_SetString(vec->bad_header ? PyExc_SystemError : PyExc_ValueError, message);
    return -1;
}

/* Whether array k has the type and the shape (agents, ...) with `size` elements per agent; size 0 stands for (agents,). */
static int check_layout(int k, const Py_buffer* view, const BindType* type, int64_t agents, int64_t size) {
    char shape[64];
    int64_t elements = 1;
    for (int d = 1; d < view->ndim; d++) elements *= view->shape[d];
    if (bind_has_type(view, type) && view->ndim >= 1 && view->shape[0] == agents &&
        (size ? elements == size : view->ndim == 1))
        return 0;
    if (size > 1)
        PyOS_snprintf(shape, sizeof shape, "(%lld, %lld)", (long long)agents, (long long)size);
    else
        PyOS_snprintf(shape, sizeof shape, "(%lld,)", (long long)agents);
    return bind_refuse_buffer(BIND_NAMES[k], view, type, shape);
}

/* Holds the arrays, and checks them against the spaces and each other. */
static int hold_arrays(VecEnv* self, PyObject* const* arrays) {
    const EnvSpace observation = self->vec.observation_space, action = self->vec.action_space;
    const char types[] = {observation.type, action.type, 'f', '?', '?', observation.type};
    const int32_t sizes[] = {observation.size, action.size, 0, 0, 0, observation.size};
    for (int k = 0; k < BIND_MOST_ARRAYS; k++) {
        if (!arrays[k]) continue; /* the optional one */
        if (bind_hold(BIND_NAMES[k], arrays[k], &self->arrays[k]) < 0) return -1;
        if (check_layout(k, &self->arrays[k].view, space_type(types[k]), self->vec.num_agents, sizes[k]) < 0) return -1;
    }
    return bind_check_overlap(self->arrays, BIND_MOST_ARRAYS);
}

/* Makes the environments. The arrays are checked after the first of them: a mistake in one of them costs no time and no memory. */
static int build(VecEnv* self, const Env* first, PyObject* const* arrays, long long num_envs, long long seed,
                 long long threads) {
    void* memory[BIND_MOST_ARRAYS];
    if (check_opened(&self->vec, env_vec_begin(&self->vec, first, num_envs, (uint64_t)seed, threads)) < 0) return -1;
    if (hold_arrays(self, arrays) < 0) return -1;
    if (check_opened(&self->vec, env_vec_finish(&self->vec, first)) < 0) return -1;
    for (int k = 0; k < BIND_MOST_ARRAYS; k++) memory[k] = self->arrays[k].view.buf;
    if (check_opened(&self->vec, env_vec_attach(&self->vec, memory)) < 0) return -1;
    if (!arrays[BIND_FINAL_OBSERVATIONS]) return 0;
    return check_opened(&self->vec, env_vec_attach_final(&self->vec, memory[BIND_FINAL_OBSERVATIONS]));
}

static PyObject* vecenv_new(PyTypeObject* type, PyObject* args, PyObject* kwargs) {
    const allocfunc allocate = (allocfunc)PyType_GetSlot(type, Py_tp_alloc);
    PyObject *result = NULL, *keywords = NULL, *arrays[BIND_MOST_ARRAYS] = {NULL},
             ** final = &arrays[BIND_FINAL_OBSERVATIONS];
    long long num_envs = 1, seed = 0, num_threads = 1;
    Env first = {0};
    VecEnv* self = (VecEnv*)allocate(type, 0); /* zeroed */
    if (!self) goto done;
    if (!(keywords = bind_keywords(kwargs))) goto done;
    if (bind_take_arguments("VecEnv", args, keywords, BIND_NAMES, BIND_ARRAYS, BIND_ARRAYS, arrays) < 0) goto done;
    if (bind_take(keywords, BIND_NAMES[BIND_FINAL_OBSERVATIONS], final) < 0) goto done;
    if (*final == Py_None) Py_CLEAR(*final);
    if (*final && !offers(ENV_VEC_HAS_FINAL, "ENV_FINAL_OBSERVATIONS")) goto done;
    if (bind_take_int(keywords, "num_envs", 1, ENV_VEC_MAX_ENVS, &num_envs) < 0) goto done;
    if (bind_take_int(keywords, "seed", 0, LLONG_MAX, &seed) < 0) goto done;
    if (bind_take_int(keywords, "num_threads", 1, ENV_VEC_MAX_THREADS, &num_threads) < 0) goto done;
    if (take_params(keywords, &first) < 0) goto done;
    if (build(self, &first, arrays, num_envs, seed, num_threads) < 0) goto done;
    leave(self); /* open, from here on */
    result = Py_NewRef((PyObject*)self);
done:
    bind_drop(arrays, BIND_MOST_ARRAYS);
    Py_XDECREF(keywords);
    Py_XDECREF((PyObject*)self);
    return result;
}

static int vecenv_traverse(PyObject* object, visitproc visit, void* arg) {
    VecEnv* self = (VecEnv*)object;
    Py_VISIT(Py_TYPE(object));
    for (int k = 0; k < BIND_MOST_ARRAYS; k++) {
        Py_VISIT(self->arrays[k].view.obj);
        Py_VISIT(self->arrays[k].owner.obj);
    }
    return 0;
}

static int vecenv_clear(PyObject* object) {
    teardown((VecEnv*)object);
    return 0;
}

static void vecenv_dealloc(PyObject* object) {
    PyTypeObject* type = Py_TYPE(object);
    PyObject_GC_UnTrack(object);
    teardown((VecEnv*)object);
    ((freefunc)PyType_GetSlot(type, Py_tp_free))(object);
    Py_DECREF(type); /* an instance of a heap type owns a reference to it */
}

/* ---- Methods ----------------------------------------------------------------------------------------------------------- */

/* *where: a copy of a mask of environments, which may be one of the arrays that are written to. NULL for NULL and None. PyMem_Free
 * frees it. */
static int take_mask(const VecEnv* self, PyObject* value, uint8_t** where) {
    char shape[32];
    Py_buffer view;
    const BindType* type = space_type('?');
    int result = -1;
    *where = NULL;
    if (!value || value == Py_None) return 0;
    if (bind_get_buffer("mask", value, &view) < 0) return -1;
    PyOS_snprintf(shape, sizeof shape, "(%lld,)", (long long)self->vec.num_envs);
    if (!bind_has_type(&view, type) || view.ndim != 1 || view.shape[0] != self->vec.num_envs) {
        bind_refuse_buffer("mask", &view, type, shape);
        goto done;
    }
    if (bind_check_contiguous("mask", &view) < 0) goto done;
    if (!(*where = PyMem_Malloc((size_t)view.len))) {
        PyErr_NoMemory();
        goto done;
    }
    memcpy(*where, view.buf, (size_t)view.len);
    result = 0;
done:
    PyBuffer_Release(&view);
    return result;
}

static const char reset_doc[] =
    "reset($self, /, seed=None, mask=None)\n--\n\n"
    "Start an episode: writes observations; sets rewards, terminals and truncations to 0.\n\n"
    "mask: None for every environment; or a bool array, True for those that start one. The others stay as they are.\n\n"
    "With seed None the random streams continue; the first time they start from the constructor's seed. With an int in [0, 2**63)\n"
    "they start again from (the constructor's seed, this seed, index of the environment).\n\n"
    "Raises: TypeError or ValueError for an argument; RuntimeError when closed, in use by another thread, over an array that was\n"
    "resized, or with a mask before the first reset().";
static PyObject* vecenv_reset(PyObject* object, PyObject* args, PyObject* kwargs) {
    enum { SEED, MASK, COUNT };
    static const char* const names[] = {"seed", "mask"};
    VecEnv* self = (VecEnv*)object;
    PyObject *values[COUNT] = {NULL}, *result = NULL;
    uint8_t* where = NULL;
    long long seed = -1;
    if (bind_arguments("reset", args, kwargs, names, COUNT, 0, values) < 0) goto done;
    if (values[SEED] && values[SEED] != Py_None && bind_int("seed", values[SEED], 0, LLONG_MAX, "", &seed) < 0) goto done;
    if (take_mask(self, values[MASK], &where) < 0 || enter_arrays(self, where != NULL) < 0) goto done;
    Py_BEGIN_ALLOW_THREADS
    if (seed >= 0) env_vec_seed_where(&self->vec, where, (uint64_t)seed);
    env_vec_reset_where(&self->vec, where);
    Py_END_ALLOW_THREADS
    result = Py_NewRef(Py_None);
    leave(self);
done:
    PyMem_Free(where);
    bind_drop(values, COUNT);
    return result;
}

static const char step_doc[] =
    "step($self, /)\n--\n\n"
    "Advance every environment by one step: reads actions; writes observations, rewards, terminals and truncations.\n\n"
    "The GIL is released meanwhile; do not touch the arrays until it returns. An environment whose episode is over starts the next one.\n\n"
    "Raises: ValueError for an action outside the action space, and nothing has changed; RuntimeError before the first reset(), when\n"
    "closed, or in use by another thread.";
static PyObject* vecenv_step(PyObject* object, PyObject* unused) {
    VecEnv* self = (VecEnv*)object;
    const char* message = NULL;
    (void)unused;
    if (enter(self, true) < 0) return NULL;
    Py_BEGIN_ALLOW_THREADS
    message = env_vec_step(&self->vec);
    Py_END_ALLOW_THREADS
    if (message) PyErr_SetString(PyExc_ValueError, message); /* before leave(): the text lies in the object */
    leave(self);
    return message ? NULL : Py_NewRef(Py_None);
}

static const char step_where_doc[] =
    "step_where($self, mask, /)\n--\n\n"
    "The same for some environments alone.\n\n"
    "mask: a bool array, True for those that step. The others get rewards, terminals and truncations of 0; their observations stay.\n"
    "Actions of all agents are checked.\n\n"
    "Raises: as step(); TypeError or ValueError for the mask.";
static PyObject* vecenv_step_where(PyObject* object, PyObject* mask) {
    VecEnv* self = (VecEnv*)object;
    PyObject* result = NULL;
    uint8_t* where = NULL;
    const char* message = NULL;
    if (take_mask(self, mask, &where) < 0 || enter(self, true) < 0) goto done;
    Py_BEGIN_ALLOW_THREADS
    message = env_vec_step_where(&self->vec, where);
    Py_END_ALLOW_THREADS
    if (message) PyErr_SetString(PyExc_ValueError, message);
    if (!message) result = Py_NewRef(Py_None);
    leave(self);
done:
    PyMem_Free(where);
    return result;
}

static const char script_doc[] =
    "script($self, /)\n--\n\n"
    "Write the actions of the environment's scripted policy, computed from the last observations.\n\n"
    "Raises: NotImplementedError where the environment has none; RuntimeError before the first reset(), when closed, or in use by\n"
    "another thread.";
static PyObject* vecenv_script(PyObject* object, PyObject* unused) {
    VecEnv* self = (VecEnv*)object;
    (void)unused;
    if (!offers(ENV_VEC_HAS_SCRIPT, "c_script") || enter(self, true) < 0) return NULL;
    Py_BEGIN_ALLOW_THREADS
    env_vec_script(&self->vec);
    Py_END_ALLOW_THREADS
    leave(self);
    Py_RETURN_NONE;
}

static const char log_doc[] =
    "log($self, /)\n--\n\n"
    "The log fields, averaged over the episodes that finished since the last call, and their number `n`; {} if none finished.\n\n"
    "Raises: RuntimeError when closed or in use by another thread.";
static PyObject* vecenv_log(PyObject* object, PyObject* unused) {
    VecEnv* self = (VecEnv*)object;
    PyObject* result = NULL;
    double means[ENV_VEC_NUM_LOG] = {0};
    bool good = false;
    (void)unused;
    if (enter(self, false) < 0) return NULL;
    good = (result = PyDict_New()) != NULL;
    if (good && env_vec_log(&self->vec, means) > 0)
        for (int k = 0; good && k < ENV_VEC_NUM_LOG; k++)
            good = put(result, env_vec_log_fields[k].name, PyFloat_FromDouble(means[k]));
    if (good)
        env_vec_clear_log(&self->vec);
    else
        Py_CLEAR(result);
    leave(self);
    return result;
}

static const char render_doc[] =
    "render($self, /, pixels, env=0, *, layer='picture')\n--\n\n"
    "Draw one environment into pixels, a writable C-contiguous uint8 (height, width, 3) array: red, green, blue, from the top row down.\n\n"
    "layer: 'picture'; 'film', once a step, over the frame before (zeros before the first one), of which trails remain; or 'caption',\n"
    "a line of text into a picture.\n\n"
    "Raises: TypeError or ValueError for an argument, NotImplementedError where the environment has no picture, RuntimeError before the\n"
    "first reset(), when closed, or in use by another thread.";
static PyObject* vecenv_render(PyObject* object, PyObject* args, PyObject* kwargs) {
    enum { PIXELS, WHICH, LAYER, COUNT, POSITIONAL = LAYER };
    enum { PICTURE, FILM, CAPTION };
    static const char* const names[] = {"pixels", "env", "layer"};
    VecEnv* self = (VecEnv*)object;
    PyObject *values[COUNT] = {NULL}, *result = NULL;
    BindArray held = {0};
    const Py_buffer* view = &held.view;
    long long i = 0;
    int layer = PICTURE;
    const BindType* uint8 = space_type('B');
    if (PyTuple_Size(args) > POSITIONAL) {
        PyErr_Format(PyExc_TypeError, "render() takes at most %d positional arguments, got %zd", POSITIONAL,
                     PyTuple_Size(args));
        goto done;
    }
    if (bind_arguments("render", args, kwargs, names, COUNT, 1, values) < 0) goto done;
    if (values[LAYER] && bind_choice("layer", values[LAYER], "picture|film|caption", &layer) < 0) goto done;
    if (!(layer == FILM      ? offers(HAS_FILM, "c_film")
          : layer == CAPTION ? offers(HAS_CAPTION, "c_caption")
                             : offers(HAS_PIXELS, "c_pixels")))
        goto done;
    if (take_index(self, values[WHICH], &i) < 0 || bind_hold("pixels", values[PIXELS], &held) < 0) goto done;
    if (!bind_has_type(view, uint8) || view->ndim != 3 || view->shape[2] != 3 || view->len < 3 ||
        view->shape[0] > INT32_MAX || view->shape[1] > INT32_MAX) {
        bind_refuse_buffer("pixels", view, uint8, "(height, width, 3)");
        goto done;
    }
    if (enter_arrays(self, true) < 0) goto done;
    Env* const env = &self->vec.envs[i];
    const int32_t width = (int32_t)view->shape[1], height = (int32_t)view->shape[0];
    Py_BEGIN_ALLOW_THREADS
    if (layer == FILM)
        c_film(env, view->buf, width, height);
    else if (layer == CAPTION)
        c_caption(env, view->buf, width, height);
    else
        c_pixels(env, view->buf, width, height);
    Py_END_ALLOW_THREADS
    result = Py_NewRef(Py_None);
    leave(self);
done:
    bind_release(&held, 1);
    bind_drop(values, COUNT);
    return result;
}

static const char window_doc[] =
    "window($self, /, env=0)\n--\n\n"
    "Draw one frame of one environment in a window, which the first call opens, and read the viewer's keys. A process has one\n"
    "window, and one thread calls this.\n\n"
    "Returns how many steps to make before the next frame, or one of CLOSED, NO_WINDOW and WINDOW_TAKEN.\n\n"
    "Raises: TypeError or ValueError for an argument, NotImplementedError where the environment has no window, RuntimeError before the\n"
    "first reset(), when closed, in use by another thread, or in another thread than the first time.";
static PyObject* vecenv_window(PyObject* object, PyObject* args, PyObject* kwargs) {
    static const char* const names[] = {"env"};
    VecEnv* self = (VecEnv*)object;
    PyObject *which = NULL, *result = NULL;
    long long i = 0;
    const unsigned long thread = PyThread_get_thread_ident();
    if (bind_arguments("window", args, kwargs, names, 1, 0, &which) < 0) goto done;
    if (!offers(HAS_WINDOW, "c_render")) goto done;
    if (take_index(self, which, &i) < 0 || enter_arrays(self, true) < 0) goto done;
    if (self->window_used && self->window_thread != thread) {
        PyErr_SetString(PyExc_RuntimeError, "window() belongs to the thread that called it first");
    } else {
        self->window_used = true;
        self->window_thread = thread;
        const bool locked = lock_window();
        env_vec_bring_in(&self->vec, &self->vec.envs[i]);
        const int32_t steps = c_render(&self->vec.envs[i]);
        env_vec_bring_out(&self->vec, &self->vec.envs[i]);
        unlock_window(locked);
        result = PyLong_FromLong(steps);
    }
    leave(self);
done:
    bind_drop(&which, 1);
    return result;
}

static const char annotate_doc[] =
    "annotate($self, /, text, curve=b'')\n--\n\n"
    "Show a line of text in the lower left corner of the window from the next frame on, and above it a curve: the bytes of float32\n"
    "values from 0 to 1. Without a text nothing is shown.\n\n"
    "Raises: TypeError for an argument, NotImplementedError where the environment has no window.";
static PyObject* vecenv_annotate(PyObject* object, PyObject* args, PyObject* kwargs) {
    enum { TEXT, CURVE, COUNT };
    static const char* const names[] = {"text", "curve"};
    PyObject *values[COUNT] = {NULL}, *result = NULL;
    const char *text = NULL, *curve = "";
    size_t bytes = 0;
    (void)object;
    if (bind_arguments("annotate", args, kwargs, names, COUNT, 1, values) < 0) goto done;
    if (!offers(HAS_WINDOW, "c_render")) goto done;
    if (!PyUnicode_Check(values[TEXT])) {
        bind_refuse(PyExc_TypeError, values[TEXT], "text: expected a str");
        goto done;
    }
    if (!(text = PyUnicode_AsUTF8AndSize(values[TEXT], NULL))) goto done;
    if (values[CURVE] && take_bytes("curve", values[CURVE], &curve, &bytes) < 0) goto done;
    const bool locked = lock_window();
    c_annotate(text, (const float*)(const void*)curve, bytes / sizeof(float)); /* the memory of bytes objects is aligned */
    unlock_window(locked);
    result = Py_NewRef(Py_None);
done:
    bind_drop(values, COUNT);
    return result;
}

static const char set_parameters_doc[] =
    "set_parameters($self, /, **changes)\n--\n\n"
    "Change parameters of every environment, those whose entry in `parameters` says that they are changeable. They are checked as by\n"
    "the constructor. The episodes go on, to the same bits as in a VecEnv made with these values and given the same state.\n"
    "Observations follow at once where the environment says what its state is, else at the next step.\n\n"
    "Raises: TypeError for another parameter, TypeError or ValueError for a value, and nothing has changed; NotImplementedError where\n"
    "nothing is changeable; RuntimeError when closed or in use by another thread, or over an array that was resized.";
static PyObject* vecenv_set_parameters(PyObject* object, PyObject* args, PyObject* kwargs) {
    VecEnv* self = (VecEnv*)object;
    PyObject *keywords = NULL, *result = NULL;
    const char* message = NULL;
    Env values;
    if (!offers(ENV_VEC_HAS_CHANGEABLE, "ENV_CHANGEABLE")) return NULL;
    if (!(keywords = bind_keywords(kwargs))) return NULL;
    if (bind_take_arguments("set_parameters", args, keywords, NULL, 0, 0, NULL) < 0 || enter(self, false) < 0) goto done;
    values = self->vec.envs[0];
    if (take_changes(keywords, &values) == 0 && bind_check_held(self->arrays, BIND_MOST_ARRAYS) == 0) {
        Py_BEGIN_ALLOW_THREADS
        message = env_vec_change(&self->vec, &values);
        Py_END_ALLOW_THREADS
        if (message) PyErr_SetString(PyExc_ValueError, message);
        if (!message) result = Py_NewRef(Py_None);
    }
    leave(self);
done:
    Py_DECREF(keywords);
    return result;
}

static const char close_doc[] =
    "close($self, /)\n--\n\n"
    "Free the environments and release the arrays. May be called twice.\n\n"
    "Raises: RuntimeError when in use by another thread.";
static PyObject* vecenv_close(PyObject* object, PyObject* unused) {
    VecEnv* self = (VecEnv*)object;
    (void)unused;
    if (enter(self, false) == 0) {
        teardown(self);
    } else {
        if (atomic_load(&self->state) != CLOSED) return NULL;
        PyErr_Clear();
    }
    Py_RETURN_NONE;
}

static PyObject* vecenv_enter(PyObject* object, PyObject* unused) {
    (void)unused;
    if (enter((VecEnv*)object, false) < 0) return NULL;
    leave((VecEnv*)object);
    return Py_NewRef(object);
}

static PyObject* vecenv_exit(PyObject* object, PyObject* unused) { return vecenv_close(object, unused); }

static PyObject* vecenv_repr(PyObject* object) {
    const VecEnv* self = (VecEnv*)object;
    const char* closed = atomic_load(&((VecEnv*)object)->state) == CLOSED ? ", closed" : "";
    return PyUnicode_FromFormat("<VecEnv of %s: %lld environments, %lld agents%s>", BIND_TEXT(ENV_MODULE),
                                (long long)self->vec.num_envs, (long long)self->vec.num_agents, closed);
}

static PyObject* vecenv_closed(PyObject* object, void* unused) {
    (void)unused;
    return PyBool_FromLong(atomic_load(&((VecEnv*)object)->state) == CLOSED);
}

/* ---- The module -------------------------------------------------------------------------------------------------------- */
static const char layout_doc[] =
    "layout(**parameters)\n--\n\n"
    "The arrays that one environment with these parameters needs: {'num_agents': int, 'observation': space, 'action': space}.\n\n"
    "A space is one agent's share: {'dtype': NumPy's name, 'size': elements, 'low': float, 'high': float, 'choices': None, or how many\n"
    "values each element has, 'mirror': None, or what ENV_MIRROR says of each element or choice: ((from, sign), ...)}.\n\n"
    "Raises: TypeError or ValueError for a parameter, MemoryError.";
static PyObject* module_layout(PyObject* module, PyObject* args, PyObject* kwargs) {
    PyObject *result = NULL, *keywords = NULL;
    Env first = {0};
    EnvVec vec = {0};
    (void)module;
    if (PyTuple_Size(args) > 0) {
        PyErr_SetString(PyExc_TypeError, "layout() takes keyword arguments only");
        return NULL;
    }
    if (!(keywords = bind_keywords(kwargs))) goto done;
    if (take_params(keywords, &first) < 0 || check_opened(&vec, env_vec_open(&vec, &first, 1, 0, 1)) < 0) goto done;
    const EnvSpace observation = vec.observation_space, action = vec.action_space;
    result = Py_BuildValue(
        "{s:i,s:N,s:N}", "num_agents", (int)vec.num_agents, "observation",
        describe_space(observation, describe_mirror(&vec.envs[0], c_mirror_observation, observation.size)), "action",
        describe_space(action, describe_mirror(&vec.envs[0], c_mirror_action, env_vec_num_outputs(&action))));
done:
    env_vec_close(&vec);
    Py_XDECREF(keywords);
    return result;
}

static const char link_doc[] =
    "link($module, addresses, /)\n--\n\n"
    "Give window() the functions that it calls, as addresses in this process: a dict with every name of `externals` and no other.\n"
    "The addresses cannot be checked: a wrong one ends the process.\n\n"
    "Raises: TypeError or ValueError for an argument; then no address has changed.";
static PyObject* module_link(PyObject* module, PyObject* addresses) {
    uintptr_t taken[NUM_EXTERNALS + 1] = {0};
    PyObject *left = NULL, *key = NULL, *value = NULL, *result = NULL;
    Py_ssize_t position = 0;
    bool locked = false;
    (void)module;
    if (!PyDict_Check(addresses)) {
        bind_refuse(PyExc_TypeError, addresses, "addresses: expected a dict of names and addresses");
        return NULL;
    }
    if (!(left = PyDict_Copy(addresses))) return NULL;
    while (PyDict_Next(left, &position, &key, NULL)) {
        if (PyUnicode_Check(key)) continue;
        Py_INCREF(key); /* until its repr is made */
        bind_refuse(PyExc_TypeError, key, "addresses: expected names");
        Py_DECREF(key);
        goto done;
    }
    for (int k = 0; k < NUM_EXTERNALS; k++) {
        long long address = 0;
        const int found = bind_take(left, EXTERNALS[k].name, &value);
        if (found == 0) PyErr_Format(PyExc_ValueError, "addresses: expected the address of %s, got none", EXTERNALS[k].name);
        if (found <= 0 || bind_int(EXTERNALS[k].name, value, 1, INTPTR_MAX, "", &address) < 0) goto done;
        Py_CLEAR(value);
        taken[k] = (uintptr_t)address;
    }
    if ((key = bind_any_key(left))) {
        bind_refuse(PyExc_ValueError, key, "addresses: expected the names of externals alone");
        Py_DECREF(key);
        goto done;
    }
    locked = lock_window();
    for (int k = 0; k < NUM_EXTERNALS; k++) memcpy(EXTERNALS[k].pointer, &taken[k], sizeof taken[k]);
    unlock_window(locked);
    result = Py_NewRef(Py_None);
done:
    Py_XDECREF(value);
    Py_XDECREF(left);
    return result;
}

static const char vecenv_doc[] =
    "VecEnv(observations, actions, rewards, terminals, truncations, *, final_observations=None, num_envs=1, seed=0, num_threads=1, "
    "**parameters)\n--\n\n"
    "num_envs environments over one set of arrays, which C reads and writes in place; n = num_envs * num_agents.\n\n"
    "  observations  (n, ...)  layout()['observation']: of its type, with its size in each row\n"
    "  actions       (n, ...)  layout()['action']: the same; (n,) is accepted where the size is 1\n"
    "  rewards       (n,)      float32\n"
    "  terminals     (n,)      bool, int8 or uint8\n"
    "  truncations   (n,)      bool, int8 or uint8\n"
    "  final_observations      like observations, or None: where step() writes the last observation of every agent whose episode ended;\n"
    "                          other rows stay as they are\n\n"
    "Each is a writable C-contiguous buffer that overlaps no other. They are held until close(), and with them what owns the memory of\n"
    "a NumPy array: a bytearray cannot be resized meanwhile, a SharedMemory cannot be closed. Nothing holds an array against\n"
    "ndarray.resize(refcheck=False), ndarray.__setstate__() and ctypes.resize(). reset(), render(), window(), set_parameters(), state()\n"
    "and set_state() look for these, and raise RuntimeError; step() and script() do not, and would use memory that is no longer there.\n"
    "num_threads > 1 distributes the environments over threads; a single environment uses the threads itself. Results do not depend\n"
    "on it. parameters: see VecEnv.parameters.\n\n"
    "Raises: TypeError or ValueError for an argument, in the words `name: expected ..., got ...`; MemoryError. A constructor that\n"
    "fails holds nothing.";

static PyMethodDef vecenv_methods[] = {
    {"reset", (PyCFunction)(void (*)(void))vecenv_reset, METH_VARARGS | METH_KEYWORDS, reset_doc},
    {"step", vecenv_step, METH_NOARGS, step_doc},
    {"step_where", vecenv_step_where, METH_O, step_where_doc},
    {"script", vecenv_script, METH_NOARGS, script_doc},
    {"log", vecenv_log, METH_NOARGS, log_doc},
    {"render", (PyCFunction)(void (*)(void))vecenv_render, METH_VARARGS | METH_KEYWORDS, render_doc},
    {"window", (PyCFunction)(void (*)(void))vecenv_window, METH_VARARGS | METH_KEYWORDS, window_doc},
    {"annotate", (PyCFunction)(void (*)(void))vecenv_annotate, METH_VARARGS | METH_KEYWORDS, annotate_doc},
    {"get", (PyCFunction)(void (*)(void))vecenv_get, METH_VARARGS | METH_KEYWORDS, get_doc},
    {"set", (PyCFunction)(void (*)(void))vecenv_set, METH_VARARGS | METH_KEYWORDS, set_doc},
    {"set_parameters", (PyCFunction)(void (*)(void))vecenv_set_parameters, METH_VARARGS | METH_KEYWORDS, set_parameters_doc},
    {"state", vecenv_state, METH_NOARGS, state_doc},
    {"set_state", vecenv_set_state, METH_O, set_state_doc},
    {"close", vecenv_close, METH_NOARGS, close_doc},
    {"__enter__", vecenv_enter, METH_NOARGS, NULL},
    {"__exit__", vecenv_exit, METH_VARARGS, NULL},
    {0},
};

static PyMemberDef vecenv_members[] = {
    {"num_envs", T_LONGLONG, offsetof(VecEnv, vec.num_envs), READONLY, "Environments."},
    {"num_agents", T_LONGLONG, offsetof(VecEnv, vec.num_agents), READONLY,
     "Agents of all environments: the arrays' first dimension."},
    {"num_threads", T_LONGLONG, offsetof(VecEnv, vec.num_threads), READONLY, "The most threads that step at a time."},
    {"seed", T_ULONGLONG, offsetof(VecEnv, vec.seed), READONLY, "The constructor's seed."},
    {0},
};

static PyGetSetDef vecenv_getset[] = {{"closed", vecenv_closed, NULL, "Whether close() was called.", NULL}, {0}};

static PyType_Slot vecenv_slots[] = {
    {Py_tp_doc, (void*)vecenv_doc},  {Py_tp_new, vecenv_new},
    {Py_tp_dealloc, vecenv_dealloc}, {Py_tp_traverse, vecenv_traverse},
    {Py_tp_clear, vecenv_clear},     {Py_tp_methods, vecenv_methods},
    {Py_tp_members, vecenv_members}, {Py_tp_getset, vecenv_getset},
    {Py_tp_repr, vecenv_repr},       {0, NULL},
};

static PyType_Spec vecenv_spec = {
    .name = BIND_TEXT(ENV_MODULE) ".VecEnv",
    .basicsize = sizeof(VecEnv),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC,
    .slots = vecenv_slots,
};

/* Adds a class to the module, with the class attributes that `add_data` gives it. */
static int add_class(PyObject* module, PyType_Spec* spec, int (*add_data)(PyObject*)) {
    PyObject *name = NULL, *type = PyType_FromModuleAndSpec(module, spec, NULL);
    int result = -1;
    if (!type || add_data(type) < 0) goto done;
    /* where it was really imported from: boids_env._boids */
    if (!(name = PyModule_GetNameObject(module)) || PyObject_SetAttrString(type, "__module__", name) < 0) goto done;
    result = PyModule_AddType(module, (PyTypeObject*)type);
done:
    Py_XDECREF(name);
    Py_XDECREF(type);
    return result;
}

static int module_exec(PyObject* module) {
    PyObject* externals = NULL;
    int result = -1;
    if (add_class(module, &vecenv_spec, add_class_data) < 0) goto done;
    if (add_class(module, &learner_spec, add_learner_data) < 0) goto done;
    if (add_class(module, &planner_spec, add_planner_data) < 0) goto done;
    if (!(externals = PyTuple_New(NUM_EXTERNALS))) goto done;
    for (int k = 0; k < NUM_EXTERNALS; k++) {
        PyObject* text = PyUnicode_FromString(EXTERNALS[k].name);
        if (!text || PyTuple_SetItem(externals, k, text) < 0) goto done; /* SetItem steals the text */
    }
    if (PyModule_AddObjectRef(module, "externals", externals) < 0) goto done;
    if (PyModule_AddIntConstant(module, "MAX_ENVS", ENV_VEC_MAX_ENVS) < 0) goto done;
    if (PyModule_AddIntConstant(module, "CLOSED", ENV_CLOSED) < 0) goto done;
    if (PyModule_AddIntConstant(module, "NO_WINDOW", ENV_NO_WINDOW) < 0) goto done;
    result = PyModule_AddIntConstant(module, "WINDOW_TAKEN", ENV_WINDOW_TAKEN);
done:
    Py_XDECREF(externals);
    return result;
}

static PyMethodDef module_methods[] = {
    {"layout", (PyCFunction)(void (*)(void))module_layout, METH_VARARGS | METH_KEYWORDS, layout_doc},
    {"link", module_link, METH_O, link_doc},
    {0},
};

static PyModuleDef_Slot module_slots[] = {
    {Py_mod_exec, module_exec},
#ifndef Py_LIMITED_API /* an older Python refuses slots that it does not know, and one abi3 binary serves them all */
#ifdef Py_mod_multiple_interpreters
    {Py_mod_multiple_interpreters, Py_MOD_PER_INTERPRETER_GIL_SUPPORTED},
#endif
#ifdef Py_mod_gil
    {Py_mod_gil, Py_MOD_GIL_NOT_USED},
#endif
#endif
    {0, NULL},
};

static PyModuleDef module_definition = {
    PyModuleDef_HEAD_INIT,
    .m_name = BIND_TEXT(ENV_MODULE),
    .m_doc = "The environment of " ENV_HEADER ": many at a time, over shared arrays.",
    .m_methods = module_methods,
    .m_slots = module_slots,
};

PyMODINIT_FUNC JOIN(PyInit_, ENV_MODULE)(void) { return PyModuleDef_Init(&module_definition); }
