/* binding.c - makes a Python module of an environment written in C.
 *
 *     cc ... -DENV_HEADER='"boids.h"' -DENV_MODULE=_boids src/binding.c
 *
 * The module has one class, VecEnv: num_envs environments over five arrays of the caller's (NumPy arrays or any other buffers).
 *
 *     observations  (num_envs * num_agents, ...)  ┌─ env 0 ─┬─ env 1 ─┬─ env 2 ─┐   each Env points at its own slice:
 *     actions       (num_envs * num_agents, ...)  │ agents  │ agents  │ agents  │   nothing is copied and no array is
 *     rewards, terminals, truncations  (the same) └─────────┴─────────┴─────────┘   an argument of step()
 *
 * What an environment is, this file knows from env.h and the header's own lists, and it names no other field of it.
 *
 * Ownership: a VecEnv owns its Envs, and a hold on each array from construction to close(), so none can move or go away.
 * Errors:    a function returns 0, or -1 with an exception set (a pointer, or NULL), unless its comment says otherwise. All
 *            arguments are checked before anything is touched: a call that fails leaves everything as it was.
 * Threads:   an object is CLOSED, IDLE or BUSY, in one atomic word. Whoever turns IDLE to BUSY has the object to himself, so the
 *            GIL can go while C works, and a second thread gets an exception, with a GIL or without one.
 * State:     the module has none but the addresses that link() is given, and whose turn it is to use them. What the header says
 *            of itself is constant; what Python sees of it lives in the class.
 */
#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <limits.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <string.h>
#include <structmember.h>
#ifndef _WIN32
#include <unistd.h>
#endif

#include ENV_HEADER

#define TEXT_(token) #token
#define TEXT(token) TEXT_(token)
#define JOIN_(a, b) a##b
#define JOIN(a, b) JOIN_(a, b)

enum { MAX_ENVS = 1 << 20, MAX_THREADS = 1024 };

/* ---- What the header says of itself ------------------------------------------------------------------------------------ */

/* `bool` is a macro in C11 and may arrive here expanded. */
typedef enum Kind { KIND_int, KIND_float, KIND_bool, KIND__Bool = KIND_bool, KIND_choice } Kind;
static const char* const KIND_NAMES[] = {"int", "float", "bool", "choice"};

typedef struct Parameter {
    Kind kind;
    const char* name;
    size_t offset; /* in Env */
    double fallback, min, max;
    const char *unit, *doc;
} Parameter;

typedef struct StateField {
    const char* name;
    const char* dtype;
    size_t item_size;
    bool per_agent;
    const char* doc;
} StateField;

typedef struct LogField {
    const char* name;
    size_t offset; /* in Log */
    const char* doc;
} LogField;

#define DTYPE(type)                                                                                                           \
    _Generic((type)0, float: "float32", double: "float64", int8_t: "int8", uint8_t: "uint8", int16_t: "int16",                \
             uint16_t: "uint16", int32_t: "int32", uint32_t: "uint32", int64_t: "int64", uint64_t: "uint64")

#define PARAMETER(type, name, fallback, min, max, unit, doc)                                                                  \
    {KIND_##type, #name, offsetof(Env, name), (double)(fallback), (double)(min), (double)(max), unit, doc},
static const Parameter PARAMETERS[] = {ENV_PARAMS(PARAMETER){0}}; /* a header may have none, and C no empty array */
enum { NUM_PARAMETERS = sizeof PARAMETERS / sizeof PARAMETERS[0] - 1, PARAMETER_BYTES = NUM_PARAMETERS * sizeof(double) };

/* What a header may leave out. The methods are there all the same, and say that it did: see offers(). */
#ifdef ENV_STATE
enum { HAS_STATE = true };
#else
enum { HAS_STATE = false };
#define ENV_STATE(X)
#define ENV_STATE_VERSION 0
static const char* c_check_state(Env* env) { return (void)env, NULL; }
static void c_restored(Env* env) { (void)env; }
#endif
#ifdef c_script
enum { HAS_SCRIPT = true };
#else
enum { HAS_SCRIPT = false };
static void c_script(Env* env) { (void)env; }
#endif
#ifdef c_pixels
enum { HAS_PIXELS = true };
#else
enum { HAS_PIXELS = false };
static void c_pixels(Env* env, uint8_t* rgb, int32_t width, int32_t height) {
    (void)env, (void)rgb, (void)width, (void)height;
}
#endif
#ifdef c_render
enum { HAS_WINDOW = true };
#else
enum { HAS_WINDOW = false };
static int32_t c_render(Env* env) { return (void)env, ENV_NO_WINDOW; }
#endif

/* The state is the header's arrays and the random state. */
#define STATE_FIELD(type, name, doc) {#name, DTYPE(type), sizeof(type), true, doc},
static const StateField STATE[] = {ENV_STATE(STATE_FIELD){"rng", "uint64", sizeof(uint64_t), false, "the random state"}};
enum { NUM_STATE = sizeof STATE / sizeof STATE[0] };

#define STATE_NAME(type, name, doc) #name "|"
static const char STATE_NAMES[] = ENV_STATE(STATE_NAME) "rng";

/* What else a run goes on from: fields of Env, plain numbers. */
typedef struct Scalar {
    size_t offset, bytes; /* in Env */
} Scalar;

#ifndef ENV_SCALARS
#define ENV_SCALARS(X)
#endif
#define SCALAR(name, doc) {offsetof(Env, name), sizeof ((Env*)0)->name},
static const Scalar SCALARS[] = {ENV_SCALARS(SCALAR){offsetof(Env, log), sizeof(Log)}};
enum { NUM_SCALARS = sizeof SCALARS / sizeof SCALARS[0] };

#define LOG_FIELD(name, doc) {#name, offsetof(Log, name), doc},
static const LogField LOG[] = {ENV_LOG(LOG_FIELD){"n", offsetof(Log, n), "episodes finished since the last call of log()"}};
enum { NUM_LOG = sizeof LOG / sizeof LOG[0] };

/* A slip in the header fails here and not at run time. */
#define CHECK_PARAMETER(type, name, ...) _Static_assert(_Generic(((Env*)0)->name, type: 1, default: 0), #name " is no " #type);
ENV_PARAMS(CHECK_PARAMETER)
_Static_assert(NUM_LOG * sizeof(float) == sizeof(Log), "ENV_LOG must list every field of Log but n");
_Static_assert(_Alignof(Env) <= _Alignof(max_align_t), "Env needs more alignment than calloc gives");

/* The functions that an environment calls and nobody linked in: pointers, which link() fills. */
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

/* Borrowed: where field k of the state lies. */
static void* state_of(Env* env, int k) {
#define STATE_POINTER(type, name, doc) env->name,
    void* const fields[NUM_STATE] = {ENV_STATE(STATE_POINTER) & env->rng};
    return fields[k];
}

static size_t state_bytes(const Env* env, int k) {
    return STATE[k].item_size * (STATE[k].per_agent ? (size_t)env->num_agents : 1);
}

/* ---- Values from Python ------------------------------------------------------------------------------------------------ */

/* Raises: what was expected, in printf's way, and what came: its repr, or its type where that fails. */
static void refuse(PyObject* exception, PyObject* value, const char* format, ...) {
    PyObject *expected = NULL, *got = NULL;
    va_list arguments;
    va_start(arguments, format);
    expected = PyUnicode_FromFormatV(format, arguments);
    va_end(arguments);
    if (expected && !(got = PyObject_Repr(value)) && PyErr_ExceptionMatches(PyExc_Exception)) {
        PyErr_Clear(); /* such as that of an int of 5000 digits, which Python refuses to write */
        got = PyType_GetName(Py_TYPE(value));
    }
    if (got) PyErr_Format(exception, "%U, got %.80U", expected, got);
    Py_XDECREF(expected);
    Py_XDECREF(got);
}

/* 1 and 0 for True and False, Python's or NumPy's, whose buffer tells; -1, with no exception set, for all else. */
static int truth_of(PyObject* value) {
    Py_buffer view = {0};
    int result = -1;
    if (PyBool_Check(value)) return value == Py_True;
    if (!PyObject_CheckBuffer(value)) return -1;
    if (PyObject_GetBuffer(value, &view, PyBUF_FORMAT | PyBUF_STRIDES) < 0) {
        PyErr_Clear();
        return -1;
    }
    if (view.ndim == 0 && view.format && strcmp(view.format, "?") == 0) result = *(const uint8_t*)view.buf != 0;
    PyBuffer_Release(&view);
    return result;
}

/* Whether the header offers what a method needs; if not, an exception. */
static bool offers(bool offered, const char* what) {
    if (!offered) PyErr_Format(PyExc_NotImplementedError, "%s defines no %s", ENV_HEADER, what);
    return offered;
}

/* An int, or what stands for one (__index__), in [min, max]; True and False are none. */
static int parse_int(const char* name, PyObject* value, long long min, long long max, const char* unit, long long* out) {
    int overflow = 0;
    PyObject* index = truth_of(value) >= 0 ? NULL : PyNumber_Index(value);
    if (!index) {
        if (PyErr_Occurred() && !PyErr_ExceptionMatches(PyExc_TypeError)) return -1;
        PyErr_Clear(); /* the value's repr is about to run */
        refuse(PyExc_TypeError, value, "%s: expected an int", name);
        return -1;
    }
    *out = PyLong_AsLongLongAndOverflow(index, &overflow);
    Py_DECREF(index);
    if (!overflow && *out >= min && *out <= max) return 0;
    refuse(PyExc_ValueError, value, "%s: expected an int in [%lld, %lld]%s%s", name, min, max, *unit ? " " : "", unit);
    return -1;
}

/* True for a float, an int and NumPy's scalars of both; False for bool, str, arrays. -1 with an exception set. */
static int is_real(PyObject* value) {
    PyObject *numbers = NULL, *real = NULL;
    int result = -1;
    if (PyFloat_Check(value)) return 1;
    if (PyBool_Check(value)) return 0;
    if (!(numbers = PyImport_ImportModule("numbers"))) goto done;
    if (!(real = PyObject_GetAttrString(numbers, "Real"))) goto done;
    result = PyObject_IsInstance(value, real);
done:
    Py_XDECREF(numbers);
    Py_XDECREF(real);
    return result;
}

static int parse_float(const char* name, PyObject* value, double min, double max, const char* unit, float* out) {
    char range[64];
    double number;
    int real = is_real(value);
    if (real < 0) return -1;
    if (!real) {
        refuse(PyExc_TypeError, value, "%s: expected a float", name);
        return -1;
    }
    number = PyFloat_AsDouble(value);
    if (number == -1 && PyErr_Occurred()) {
        if (!PyErr_ExceptionMatches(PyExc_OverflowError)) return -1;
        PyErr_Clear(); /* an int beyond every double is beyond the range too */
        number = Py_HUGE_VAL;
    }
    if (number >= min && number <= max) { /* false for NaN */
        *out = (float)number;
        return 0;
    }
    PyOS_snprintf(range, sizeof range, "[%.9g, %.9g]", min, max);
    refuse(PyExc_ValueError, value, "%s: expected a float in %s%s%s", name, range, *unit ? " " : "", unit);
    return -1;
}

/* New reference: the names in "one|two|three" as a tuple. */
static PyObject* split_names(const char* names) {
    PyObject *text = NULL, *bar = NULL, *list = NULL, *result = NULL;
    if (!(text = PyUnicode_FromString(names)) || !(bar = PyUnicode_FromString("|"))) goto done;
    if (!(list = PyUnicode_Split(text, bar, -1))) goto done;
    result = PySequence_Tuple(list);
done:
    Py_XDECREF(text);
    Py_XDECREF(bar);
    Py_XDECREF(list);
    return result;
}

/* One of the names in "one|two|three", as its index. */
static int parse_choice(const char* name, PyObject* value, const char* names, int* out) {
    PyObject *tuple = NULL, *comma = NULL, *listed = NULL;
    const bool text = PyUnicode_Check(value);
    Py_ssize_t index = -1;
    if (!(tuple = split_names(names))) goto done;
    if (text && (index = PySequence_Index(tuple, value)) < 0) {
        if (!PyErr_ExceptionMatches(PyExc_ValueError)) goto done;
        PyErr_Clear(); /* it is not among them */
    }
    *out = (int)index;
    if (index >= 0 || !(comma = PyUnicode_FromString("', '")) || !(listed = PyUnicode_Join(comma, tuple))) goto done;
    refuse(text ? PyExc_ValueError : PyExc_TypeError, value, "%s: expected one of '%U'", name, listed);
done:
    Py_XDECREF(tuple);
    Py_XDECREF(comma);
    Py_XDECREF(listed);
    return index >= 0 ? 0 : -1;
}

static int parse_parameter(const Parameter* p, PyObject* value, Env* env) {
    void* field = (char*)env + p->offset;
    long long number = 0;
    int truth = 0;
    switch (p->kind) {
        case KIND_int:
            if (parse_int(p->name, value, (long long)p->min, (long long)p->max, p->unit, &number) < 0) return -1;
            *(int*)field = (int)number;
            return 0;
        case KIND_float: return parse_float(p->name, value, p->min, p->max, p->unit, field);
        case KIND_choice: return parse_choice(p->name, value, p->unit, field);
        case KIND_bool: break;
    }
    if ((truth = truth_of(value)) < 0) {
        refuse(PyExc_TypeError, value, "%s: expected True or False", p->name);
        return -1;
    }
    *(bool*)field = truth;
    return 0;
}

/* New reference: a number from the header's list as the Python object that the parameter takes. */
static PyObject* parameter_value(const Parameter* p, double number) {
    PyObject *names = NULL, *result = NULL;
    if (p->kind == KIND_int) return PyLong_FromDouble(number);
    if (p->kind == KIND_float) return PyFloat_FromDouble(number);
    if (p->kind == KIND_bool) return PyBool_FromLong(number != 0);
    if ((names = split_names(p->unit))) result = PySequence_GetItem(names, (Py_ssize_t)number);
    Py_XDECREF(names);
    return result;
}

/* Moves keyword `name` out of the dict into *value, a new reference. 1, or 0 where there is none (and NULL), or -1. */
static int take(PyObject* keywords, const char* name, PyObject** value) {
    PyObject* key = PyUnicode_FromString(name);
    int result = -1;
    *value = NULL;
    if (!key) return -1;
    *value = Py_XNewRef(PyDict_GetItemWithError(keywords, key));
    if (*value)
        result = PyDict_DelItem(keywords, key) < 0 ? -1 : 1;
    else if (!PyErr_Occurred())
        result = 0;
    Py_DECREF(key);
    return result;
}

/* The same for an int that has a default: *out stays as it is where there is no such keyword. */
static int take_int(PyObject* keywords, const char* name, long long min, long long max, long long* out) {
    PyObject* value = NULL;
    int result = take(keywords, name, &value);
    if (result > 0) result = parse_int(name, value, min, max, "", out);
    Py_XDECREF(value);
    return result;
}

/* Moves every parameter out of the dict into env, defaults where there is none; what then is left has no meaning to anyone. */
static int take_parameters(PyObject* keywords, Env* env) {
#define PARAMETER_NAME(type, name, ...) ", " #name
    static const char valid[] = ENV_PARAMS(PARAMETER_NAME) "";
    PyObject *key = NULL, *value = NULL;
    Py_ssize_t position = 0;
    for (int k = 0; k < NUM_PARAMETERS; k++) {
        const Parameter* p = &PARAMETERS[k];
        int result = take(keywords, p->name, &value);
        if (result == 0 && !(value = parameter_value(p, p->fallback))) return -1;
        if (result >= 0) result = parse_parameter(p, value, env);
        Py_CLEAR(value);
        if (result < 0) return -1;
    }
    if (!PyDict_Next(keywords, &position, &key, NULL)) return 0;
    if (NUM_PARAMETERS)
        PyErr_Format(PyExc_TypeError, "unknown parameter %R; valid are %s", key, valid + (NUM_PARAMETERS ? 2 : 0));
    else
        PyErr_Format(PyExc_TypeError, "unknown parameter %R; there are none", key);
    return -1;
}

/* c_init; its message becomes the exception. */
static int init_env(Env* env) {
    const char* message = c_init(env);
    if (!message) return 0;
    if (strcmp(message, ENV_NO_MEMORY) == 0)
        PyErr_NoMemory();
    else
        PyErr_SetString(PyExc_ValueError, message);
    return -1;
}

/* ---- Buffers ----------------------------------------------------------------------------------------------------------- */

#define NOT_CONTIGUOUS "expected a C-contiguous array, got one with gaps or another order"

/* Element types by the letters of env.h, and '?' for a flag: one byte, 0 or 1. */
static const char* dtype_name(char type) {
    switch (type) {
        case 'f': return "float32";
        case 'i': return "int32";
        case 'b': return "int8";
        case 'B': return "uint8";
        default: return "bool";
    }
}

/* The letters of a buffer's format without its byte order; *swapped tells whether that order is foreign to this machine. */
static const char* buffer_format(const Py_buffer* view, bool* swapped) {
    const uint16_t one = 1;
    const bool little = *(const uint8_t*)&one == 1;
    const char* format = view->format ? view->format : "B";
    *swapped = view->itemsize > 1 && (*format == '<' ? !little : *format == '>' || *format == '!' ? little : false);
    return strchr("@=<>!", *format) && *format ? format + 1 : format;
}

static bool has_type(const Py_buffer* view, char type) {
    bool swapped = false;
    const char* format = buffer_format(view, &swapped);
    if (swapped || strlen(format) != 1) return false;
    if (type == 'i') return strchr("il", *format) && view->itemsize == 4;
    if (type == '?') return strchr("?bB", *format) != NULL;
    return *format == type;
}

/* Writes "float32", the type of a buffer's elements in NumPy's words, and returns its length. Cut short where it does not fit. */
static int describe_type(const Py_buffer* view, char* out, size_t size) {
    bool swapped = false;
    const char* format = buffer_format(view, &swapped);
    const bool real = strchr("fdeg", *format), integer = strchr("bhilqn", *format), natural = strchr("BHILQN", *format);
    const char* kind = real ? "float" : integer ? "int" : natural ? "uint" : NULL;
    if (strcmp(format, "?") == 0) return PyOS_snprintf(out, size, "bool");
    if (!kind || strlen(format) != 1) return PyOS_snprintf(out, size, "format '%.32s'", format);
    return PyOS_snprintf(out, size, "%s%s%d", swapped ? "byte-swapped " : "", kind, (int)view->itemsize * 8);
}

/* Writes "float32 (64, 10)": what a buffer holds. Cut short where it does not fit. */
static void describe_buffer(const Py_buffer* view, char* out, size_t size) {
    int used = describe_type(view, out, size);
    if (used < (int)size) used += PyOS_snprintf(out + used, size - (size_t)used, " (");
    for (int k = 0; k < view->ndim && used < (int)size; k++)
        used += PyOS_snprintf(out + used, size - (size_t)used, k ? ", %zd" : "%zd", view->shape[k]);
    if (used < (int)size) PyOS_snprintf(out + used, size - (size_t)used, view->ndim == 1 ? ",)" : ")");
}

/* PyObject_GetBuffer with an exception that says which argument it was, which the exporter cannot know. */
static int get_buffer(const char* name, PyObject* array, Py_buffer* view, int flags) {
    PyObject* type = NULL;
    if (PyObject_GetBuffer(array, view, flags) == 0) return 0;
    if (!PyErr_ExceptionMatches(PyExc_TypeError) && !PyErr_ExceptionMatches(PyExc_ValueError) &&
        !PyErr_ExceptionMatches(PyExc_BufferError))
        return -1;
    PyErr_Clear();
    if (!(type = PyType_GetName(Py_TYPE(array)))) return -1;
    PyErr_Format(PyExc_TypeError, "%s: expected an array of numbers, got %U", name, type);
    Py_DECREF(type);
    return -1;
}

/* Takes a hold on the buffer of `array` that C may write to as it stands; the caller releases it. On failure there is none. */
static int hold_buffer(const char* name, PyObject* array, Py_buffer* view) {
    const char* reason = NULL;
    if (get_buffer(name, array, view, PyBUF_FORMAT | PyBUF_STRIDES) < 0) return -1;
    if (view->readonly)
        reason = "expected a writable array, got a read-only one";
    else if (!PyBuffer_IsContiguous(view, 'C'))
        reason = NOT_CONTIGUOUS;
    else if (view->itemsize > 1 && (uintptr_t)view->buf % (size_t)view->itemsize)
        reason = "expected an array aligned to its element size, got an unaligned one";
    if (!reason) return 0;
    PyErr_Format(PyExc_ValueError, "%s: %s", name, reason);
    PyBuffer_Release(view);
    return -1;
}

/* Whether the view has the type and the shape (agents, ...) with `size` elements per agent; size 0 stands for (agents,). */
static int check_layout(const char* name, const Py_buffer* view, char type, Py_ssize_t agents, Py_ssize_t size) {
    char got[160];
    Py_ssize_t elements = 1;
    for (int k = 1; k < view->ndim; k++) elements *= view->shape[k];
    if (has_type(view, type) && view->ndim >= 1 && view->shape[0] == agents && (size ? elements == size : view->ndim == 1))
        return 0;
    describe_buffer(view, got, sizeof got);
    if (size > 1)
        PyErr_Format(PyExc_ValueError, "%s: expected %s (%zd, %zd), got %s", name, dtype_name(type), agents, size, got);
    else
        PyErr_Format(PyExc_ValueError, "%s: expected %s (%zd,), got %s", name, dtype_name(type), agents, got);
    return -1;
}

/* ---- The object -------------------------------------------------------------------------------------------------------- */

enum { OBSERVATIONS, ACTIONS, REWARDS, TERMINALS, TRUNCATIONS, NUM_BUFFERS };
static const char* const BUFFER_NAMES[] = {"observations", "actions", "rewards", "terminals", "truncations"};

enum { CLOSED, IDLE, BUSY }; /* CLOSED is 0: an object under construction is closed */

typedef struct VecEnv {
    PyObject_HEAD
    atomic_int state;
    bool started;          /* reset() was called */
    Env* envs;             /* (num_envs), NULL when closed */
    EnvSpace action_space; /* the same in every environment */
    Py_ssize_t num_envs, num_agents;
    long long seed, num_threads;
    unsigned long window_thread; /* that called window() first, and alone may */
    bool window_used;
    Py_buffer views[NUM_BUFFERS]; /* held while their obj is not NULL */
} VecEnv;

/* Makes the object the caller's alone until leave(). Who needs a started episode is told to reset first. */
static int enter(VecEnv* self, bool needs_reset) {
    int state = IDLE;
    if (!atomic_compare_exchange_strong_explicit(&self->state, &state, BUSY, memory_order_acquire, memory_order_relaxed)) {
        if (state == BUSY)
            PyErr_SetString(PyExc_RuntimeError, "VecEnv is in use by another thread");
        else
            PyErr_SetString(PyExc_RuntimeError, "VecEnv is closed");
        return -1;
    }
    if (!needs_reset || self->started) return 0;
    atomic_store_explicit(&self->state, IDLE, memory_order_release);
    PyErr_SetString(PyExc_RuntimeError, "call reset() first");
    return -1;
}

static void leave(VecEnv* self) { atomic_store_explicit(&self->state, IDLE, memory_order_release); }

/* The window and the addresses from link() are the process's: the thread that uses either has both to itself, and others wait.
 * The GIL would not do: a linked function that runs Python lets go of it, interpreters have one each, some Pythons have none. */
static atomic_ulong window_owner; /* the thread, or 0 */

/* True where unlock_window() must follow; false in a thread that has it already, inside a linked function that runs Python. */
static bool lock_window(void) {
    const unsigned long me = PyThread_get_thread_ident();
    unsigned long nobody = 0;
    if (atomic_load(&window_owner) == me) return false;
    while (!atomic_compare_exchange_weak(&window_owner, &nobody, me)) {
        nobody = 0;
        Py_BEGIN_ALLOW_THREADS /* for a frame at most, and only where two threads want windows */
        Py_END_ALLOW_THREADS
    }
    return true;
}

static void unlock_window(bool locked) {
    if (locked) atomic_store(&window_owner, 0);
}

/* Environment i's share of a shared array, and its bytes. */
static size_t share_bytes(const VecEnv* self, int k) { return (size_t)(self->views[k].len / self->num_envs); }
static void* share(const VecEnv* self, int k, Py_ssize_t i) {
    return (char*)self->views[k].buf + (size_t)i * share_bytes(self, k);
}

#ifndef ENV_EXACT_BUFFERS

static void* place(const VecEnv* self, int k, Py_ssize_t i) { return share(self, k, i); }
static void displace(void* buffer) { (void)buffer; }
static inline void bring_in(VecEnv* self, Py_ssize_t i) { (void)self, (void)i; }
static inline void bring_out(VecEnv* self, Py_ssize_t i) { (void)self, (void)i; }

#else /* the sanitizers' build: each environment works on buffers of its own, of their exact size, so that a step past its share
         is a step past an allocation, which they see, and not into a neighbour's share, which they do not */

static void* place(const VecEnv* self, int k, Py_ssize_t i) { return (void)i, ENV_CALLOC(1, share_bytes(self, k)); }
static void displace(void* buffer) { ENV_FREE(buffer); }
static void bring_in(VecEnv* self, Py_ssize_t i) {
    const Env* env = &self->envs[i];
    void* const own[] = {env->observations, env->actions, env->rewards, env->terminals, env->truncations};
    for (int k = 0; k < NUM_BUFFERS; k++) memcpy(own[k], share(self, k, i), share_bytes(self, k));
}
static void bring_out(VecEnv* self, Py_ssize_t i) {
    const Env* env = &self->envs[i];
    const void* const own[] = {env->observations, env->actions, env->rewards, env->terminals, env->truncations};
    for (int k = 0; k < NUM_BUFFERS; k++) memcpy(share(self, k, i), own[k], share_bytes(self, k));
}

#endif

static inline void call(VecEnv* self, Env* env, void (*work)(Env*)) {
    bring_in(self, env - self->envs);
    work(env);
    bring_out(self, env - self->envs);
}

/* Points environment i at its buffers; false when out of memory. */
static bool attach(VecEnv* self, Py_ssize_t i) {
    Env* env = &self->envs[i];
    env->observations = place(self, OBSERVATIONS, i);
    env->actions = place(self, ACTIONS, i);
    env->rewards = place(self, REWARDS, i);
    env->terminals = place(self, TERMINALS, i);
    env->truncations = place(self, TRUNCATIONS, i);
    return env->observations && env->actions && env->rewards && env->terminals && env->truncations;
}

static void detach(Env* env) {
    displace(env->observations);
    displace(env->actions);
    displace(env->rewards);
    displace(env->terminals);
    displace(env->truncations);
}

#ifdef _OPENMP
/* libgomp waits for ever in a process that was forked after its threads had started: there, environments take turns. */
static bool threads_are_alive(void) {
#ifdef _WIN32
    return true; /* there is no fork */
#else
    static atomic_long home; /* the process in which threads were first used: a fact of the process, not of the module */
    long pid = (long)getpid(), first = 0;
    return atomic_compare_exchange_strong(&home, &first, pid) || first == pid;
#endif
}
#endif

/* Runs `work` on every environment, in parallel where that was asked for. Needs no GIL, and the result no order. */
static inline void call_all(VecEnv* self, void (*work)(Env*)) {
#ifdef _OPENMP
    if (self->num_threads > 1) {
        const bool alive = threads_are_alive();
        if (self->num_envs > 1 && alive) {
            const int threads = (int)(self->num_threads < self->num_envs ? self->num_threads : self->num_envs);
#pragma omp parallel for num_threads(threads) schedule(static)
            for (Py_ssize_t i = 0; i < self->num_envs; i++) call(self, &self->envs[i], work);
            return;
        }
        self->envs[0].num_threads =
            self->num_envs == 1 && alive ? (int32_t)self->num_threads : 1; /* alone, it may have them */
    }
#endif
    for (Env *env = self->envs, *end = env + self->num_envs; env < end; env++) call(self, env, work);
}

/* Gives back all a VecEnv owns, whole or half built; nobody else may be using it. */
static void teardown(VecEnv* self) {
    const bool locked = self->envs && self->window_used && lock_window();
    for (Py_ssize_t i = 0; self->envs && i < self->num_envs; i++) {
        c_close(&self->envs[i]);
        detach(&self->envs[i]);
    }
    unlock_window(locked);
    ENV_FREE(self->envs);
    self->envs = NULL;
    atomic_store_explicit(&self->state, CLOSED, memory_order_release);
    for (int k = 0; k < NUM_BUFFERS; k++) PyBuffer_Release(&self->views[k]);
}

/* ---- The state as bytes ------------------------------------------------------------------------------------------------ */

/* What state() returns and set_state() takes, little-endian, one after the other with no gaps:
 *
 *     StateHead                          64 bytes
 *     double parameters[NUM_PARAMETERS]  every value in force: an int, a float and the index of a choice are exact in it
 *     for each environment
 *         the fields of ENV_SCALARS, log
 *         the arrays of ENV_STATE, rng
 *         rewards, terminals, truncations
 *     uint64_t checksum                  FNV-1a of every byte before it: a change of any one of them changes it
 *
 * Actions are an input, and c_restored writes the observations: neither is in it. */
enum { STATE_FORMAT = 1 };
static const char STATE_MAGIC[8] = {'e', 'n', 'v', 's', 't', 'a', 't', 'e'};

typedef struct StateHead {
    char magic[8];    /* STATE_MAGIC */
    uint32_t format;  /* STATE_FORMAT */
    uint32_t version; /* ENV_STATE_VERSION */
    uint64_t bytes;   /* in all */
    char module[32];  /* ENV_MODULE, zeros after it */
    uint32_t num_envs, num_parameters;
} StateHead;
_Static_assert(sizeof(StateHead) == 64, "StateHead has gaps");
_Static_assert(sizeof TEXT(ENV_MODULE) <= sizeof((StateHead*)0)->module, "ENV_MODULE is too long a name");

static uint64_t state_checksum(const char* data, size_t bytes) {
    uint64_t sum = 0xCBF29CE484222325u;
    for (size_t k = 0; k < bytes; k++) sum = (sum ^ (uint8_t)data[k]) * 0x100000001B3u;
    return sum;
}

/* Borrowed: part k of what a state holds of environment i, and its size; NULL after the last. */
static void* state_part(VecEnv* self, Py_ssize_t i, int k, size_t* bytes) {
    Env* env = &self->envs[i];
    *bytes = 0;
    if (k < NUM_SCALARS) {
        *bytes = SCALARS[k].bytes;
        return (char*)env + SCALARS[k].offset;
    }
    k -= NUM_SCALARS;
    if (k < NUM_STATE) {
        *bytes = state_bytes(env, k);
        return state_of(env, k);
    }
    k += REWARDS - NUM_STATE;
    if (k > TRUNCATIONS) return NULL;
    *bytes = share_bytes(self, k);
    return share(self, k, i);
}

/* The bytes of one environment: as many for each. */
static size_t state_share(VecEnv* self) {
    size_t bytes = 0, sum = 0;
    for (int k = 0; state_part(self, 0, k, &bytes); k++) sum += bytes;
    return sum;
}

/* All environments, to the bytes at `at`, or from there. */
static void save_envs(VecEnv* self, char* at) {
    size_t bytes = 0;
    const void* part = NULL;
    for (Py_ssize_t i = 0; i < self->num_envs; i++)
        for (int k = 0; (part = state_part(self, i, k, &bytes)); k++, at += bytes) memcpy(at, part, bytes);
}

static void load_envs(VecEnv* self, const char* at) {
    size_t bytes = 0;
    void* part = NULL;
    for (Py_ssize_t i = 0; i < self->num_envs; i++)
        for (int k = 0; (part = state_part(self, i, k, &bytes)); k++, at += bytes) memcpy(part, at, bytes);
}

/* The value in force, as a state has it. */
static double parameter_number(const Parameter* p, const Env* env) {
    const void* field = (const char*)env + p->offset;
    if (p->kind == KIND_float) return (double)*(const float*)field;
    return p->kind == KIND_bool ? *(const bool*)field : *(const int*)field;
}

/* New reference: a parameter's value in a state, as text. */
static PyObject* parameter_text(const Parameter* p, double number) {
    char text[32];
    if (p->kind != KIND_float && number >= p->min && number <= p->max) return parameter_value(p, number);
    PyOS_snprintf(text, sizeof text, "%.9g", number);
    return PyUnicode_FromString(text);
}

/* The exception for a state of other parameters; returns -1. */
static int raise_other_parameter(const Parameter* p, double expected, double got) {
    PyObject *ours = parameter_text(p, expected), *theirs = parameter_text(p, got);
    if (ours && theirs) PyErr_Format(PyExc_ValueError, "data: expected %s %S, got %S", p->name, ours, theirs);
    Py_XDECREF(ours);
    Py_XDECREF(theirs);
    return -1;
}

/* Whether c_step can go on from what a state holds of environment i. */
static int check_env_state(VecEnv* self, Py_ssize_t i, const char* at) {
    const char *flags = at + state_share(self), *message = NULL;
    const size_t num_flags = 2 * share_bytes(self, TERMINALS);
    Env env = self->envs[i]; /* and with the state's scalars: nobody else sees it */
    float log[NUM_LOG];
    for (int k = 0; k < NUM_SCALARS; at += SCALARS[k].bytes, k++)
        memcpy((char*)&env + SCALARS[k].offset, at, SCALARS[k].bytes);
    memcpy(log, &env.log, sizeof log);
    for (int k = 0; k < NUM_LOG && !message; k++)
        if (!(log[k] - log[k] == 0)) message = "log: expected finite sums"; /* true for NaN and infinities */
    if (!message && log[NUM_LOG - 1] < 0) message = "log: expected at least 0 episodes";
    for (size_t k = 1; k <= num_flags && !message; k++)
        if (flags[-(Py_ssize_t)k] & ~1) message = "terminals and truncations: expected 0 or 1";
    if (!message && !(message = c_check_state(&env))) return 0;
    PyErr_Format(PyExc_ValueError, "data: environment %zd: %s", i, message);
    return -1;
}

/* Whether set_state() can take these bytes, whose checksum is `sum`: they are whole, they are ours, and c_step can go on from them. */
static int check_state(VecEnv* self, const char* data, size_t bytes, uint64_t sum) {
    const size_t least = sizeof(StateHead) + PARAMETER_BYTES + sizeof sum, each = state_share(self);
    const size_t expected = least + (size_t)self->num_envs * each;
    StateHead head;
    double parameters[NUM_PARAMETERS + 1];
    uint64_t stored = 0;
    if (bytes < sizeof head.magic || memcmp(data, STATE_MAGIC, sizeof head.magic) != 0) {
        PyErr_SetString(PyExc_ValueError, "data: expected what state() returned, got other bytes");
        return -1;
    }
    if (bytes < sizeof head + sizeof sum) {
        PyErr_Format(PyExc_ValueError, "data: expected at least %zu bytes, got %zu", sizeof head + sizeof sum, bytes);
        return -1;
    }
    memcpy(&head, data, sizeof head);
    memcpy(&stored, data + bytes - sizeof stored, sizeof stored);
    if (head.format != STATE_FORMAT) {
        PyErr_Format(PyExc_ValueError, "data: expected a state of format %d, got format %u", STATE_FORMAT, head.format);
        return -1;
    }
    if (head.bytes != bytes) {
        PyErr_Format(PyExc_ValueError, "data: expected %llu bytes, got %zu", (unsigned long long)head.bytes, bytes);
        return -1;
    }
    if (stored != sum) {
        PyErr_SetString(PyExc_ValueError, "data: damaged: its checksum is another");
        return -1;
    }
    /* whole, then; but who knows whose */
    if (strncmp(head.module, TEXT(ENV_MODULE), sizeof head.module) != 0) {
        head.module[sizeof head.module - 1] = 0;
        PyErr_Format(PyExc_ValueError, "data: expected a state of %s, got one of %.32s", TEXT(ENV_MODULE), head.module);
        return -1;
    }
    if (head.version != ENV_STATE_VERSION || head.num_parameters != NUM_PARAMETERS) {
        PyErr_Format(PyExc_ValueError, "data: expected version %d with %d parameters, got version %u with %u",
                     ENV_STATE_VERSION, NUM_PARAMETERS, head.version, head.num_parameters);
        return -1;
    }
    if (head.num_envs != (uint64_t)self->num_envs) {
        PyErr_Format(PyExc_ValueError, "data: expected num_envs %zd, got %u", self->num_envs, head.num_envs);
        return -1;
    }
    memcpy(parameters, data + sizeof head, bytes < least ? 0 : PARAMETER_BYTES);
    for (int k = 0; k < NUM_PARAMETERS && bytes >= least; k++) {
        const double ours = parameter_number(&PARAMETERS[k], &self->envs[0]);
        if (parameters[k] != ours) return raise_other_parameter(&PARAMETERS[k], ours, parameters[k]);
    }
    if (bytes != expected) {
        PyErr_Format(PyExc_ValueError, "data: expected %zu bytes, got %zu", expected, bytes);
        return -1;
    }
    data += sizeof head + PARAMETER_BYTES;
    for (Py_ssize_t i = 0; i < self->num_envs; i++, data += each)
        if (check_env_state(self, i, data) < 0) return -1;
    return 0;
}

/* ---- Construction ------------------------------------------------------------------------------------------------------ */

/* The five arrays, given by position or by name, into new references. On failure the caller drops those already taken. */
static int take_arrays(PyObject* args, PyObject* keywords, PyObject** arrays) {
    const Py_ssize_t given = PyTuple_Size(args);
    if (given > NUM_BUFFERS) {
        PyErr_Format(PyExc_TypeError, "expected at most %d positional arguments, got %zd", NUM_BUFFERS, given);
        return -1;
    }
    for (int k = 0; k < NUM_BUFFERS; k++) {
        int named = take(keywords, BUFFER_NAMES[k], &arrays[k]);
        if (named < 0) return -1;
        if (named == (k < given)) {
            PyErr_Format(PyExc_TypeError, named ? "%s: given both by position and by name" : "%s: missing", BUFFER_NAMES[k]);
            return -1;
        }
        if (!named) arrays[k] = Py_NewRef(PyTuple_GetItem(args, k));
    }
    return 0;
}

/* Makes num_envs environments from the parameters in the dict. self->num_envs counts those that teardown() must close. */
static int make_envs(VecEnv* self, PyObject* keywords, Py_ssize_t num_envs) {
    if (!(self->envs = ENV_CALLOC((size_t)num_envs, sizeof(Env)))) {
        PyErr_NoMemory();
        return -1;
    }
    if (take_parameters(keywords, &self->envs[0]) < 0) return -1;
    for (Py_ssize_t i = 1; i < num_envs; i++) self->envs[i] = self->envs[0];
    for (Py_ssize_t i = 0; i < num_envs; i++) {
        Env* env = &self->envs[i];
        env->index = (uint32_t)i;
        env->num_envs = (uint32_t)num_envs;
        env->num_threads = num_envs == 1 ? (int32_t)self->num_threads : 1;
        env->rng = env_seed((uint64_t)self->seed, 0, (uint64_t)i);
        if (init_env(env) < 0) return -1;
        self->num_envs++;
        self->num_agents += env->num_agents;
        if (env->num_agents >= 1 && env->num_agents == self->envs[0].num_agents) continue;
        PyErr_Format(PyExc_SystemError, "c_init: num_agents is %d in environment %zd", (int)env->num_agents, i);
        return -1;
    }
    self->action_space = c_action_space(&self->envs[0]);
    if (self->action_space.size >= 1 && self->action_space.type == (self->action_space.choices ? 'i' : 'f')) return 0;
    PyErr_SetString(PyExc_SystemError, "c_action_space: neither choices of type 'i' nor a range of type 'f'");
    return -1;
}

/* Holds the five buffers, checks them against the environments and each other, and points the environments at them. */
static int map_arrays(VecEnv* self, PyObject* const* arrays) {
    const EnvSpace observation = c_observation_space(&self->envs[0]), action = self->action_space;
    const char types[] = {observation.type, action.type, 'f', '?', '?'};
    const Py_ssize_t sizes[] = {observation.size, action.size, 0, 0, 0};
    for (int k = 0; k < NUM_BUFFERS; k++) {
        const Py_buffer* view = &self->views[k];
        if (hold_buffer(BUFFER_NAMES[k], arrays[k], &self->views[k]) < 0) return -1;
        if (check_layout(BUFFER_NAMES[k], view, types[k], self->num_agents, sizes[k]) < 0) return -1;
        for (int j = 0; j < k; j++) {
            const char *a = self->views[j].buf, *b = view->buf;
            if (a < b + view->len && b < a + self->views[j].len) {
                PyErr_Format(PyExc_ValueError, "%s: overlaps %s", BUFFER_NAMES[k], BUFFER_NAMES[j]);
                return -1;
            }
        }
    }
    for (Py_ssize_t i = 0; i < self->num_envs; i++) {
        if (attach(self, i)) continue;
        PyErr_NoMemory();
        return -1;
    }
    return 0;
}

static PyObject* vecenv_new(PyTypeObject* type, PyObject* args, PyObject* kwargs) {
    const allocfunc allocate = (allocfunc)PyType_GetSlot(type, Py_tp_alloc);
    PyObject *result = NULL, *keywords = NULL, *arrays[NUM_BUFFERS] = {NULL};
    long long num_envs = 1;
    VecEnv* self = (VecEnv*)allocate(type, 0); /* zeroed */
    if (!self) goto done;
    self->num_threads = 1;
    if (!(keywords = kwargs ? PyDict_Copy(kwargs) : PyDict_New())) goto done;
    if (take_arrays(args, keywords, arrays) < 0) goto done;
    if (take_int(keywords, "num_envs", 1, MAX_ENVS, &num_envs) < 0) goto done;
    if (take_int(keywords, "seed", 0, LLONG_MAX, &self->seed) < 0) goto done;
    if (take_int(keywords, "num_threads", 1, MAX_THREADS, &self->num_threads) < 0) goto done;
    if (make_envs(self, keywords, (Py_ssize_t)num_envs) < 0) goto done;
    if (map_arrays(self, arrays) < 0) goto done;
    leave(self); /* open, from here on */
    result = Py_NewRef((PyObject*)self);
done:
    for (int k = 0; k < NUM_BUFFERS; k++) Py_XDECREF(arrays[k]);
    Py_XDECREF(keywords);
    Py_XDECREF((PyObject*)self);
    return result;
}

static int vecenv_traverse(PyObject* object, visitproc visit, void* arg) {
    VecEnv* self = (VecEnv*)object;
    Py_VISIT(Py_TYPE(object));
    for (int k = 0; k < NUM_BUFFERS; k++) Py_VISIT(self->views[k].obj);
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

static const char reset_doc[] =
    "reset($self, /, seed=None)\n--\n\n"
    "Start an episode in every environment: writes observations; sets rewards, terminals and truncations to 0.\n\n"
    "With seed None the random streams go on from where they are (the first time: from the constructor's seed). With an int in\n"
    "[0, 2**63) they start anew from (the constructor's seed, this seed, index of the environment).\n\n"
    "Raises: TypeError or ValueError for the seed, RuntimeError when closed or in use by another thread.";
static PyObject* vecenv_reset(PyObject* object, PyObject* args, PyObject* kwargs) {
    static char* names[] = {"seed", NULL};
    VecEnv* self = (VecEnv*)object;
    PyObject* value = Py_None;
    long long seed = 0;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|O:reset", names, &value)) return NULL;
    if (value != Py_None && parse_int("seed", value, 0, LLONG_MAX, "", &seed) < 0) return NULL;
    if (enter(self, false) < 0) return NULL;
    Py_BEGIN_ALLOW_THREADS
    for (Py_ssize_t i = 0; value != Py_None && i < self->num_envs; i++)
        self->envs[i].rng = env_seed((uint64_t)self->seed, (uint64_t)seed + 1, (uint64_t)i);
    for (int k = REWARDS; k <= TRUNCATIONS; k++) memset(self->views[k].buf, 0, (size_t)self->views[k].len);
    call_all(self, c_reset);
    Py_END_ALLOW_THREADS
    self->started = true;
    leave(self);
    Py_RETURN_NONE;
}

/* Whether an element lies outside its space: one comparison or two and no branch, so that a loop of them runs in vector lanes. */
static inline int is_bad_int(int32_t a, int32_t choices) { return (uint32_t)a >= (uint32_t)choices; }
static inline int is_bad_float(float a, float low, float high) { return !((a >= low) & (a <= high)); } /* true for NaN */

/* The first element of the actions that lies outside the action space, or -1: looked for only when there is any. */
static Py_ssize_t find_bad_action(const VecEnv* self) {
    const EnvSpace space = self->action_space;
    const Py_ssize_t agents = self->num_agents, size = space.size;
    const int32_t* ints = self->views[ACTIONS].buf;
    const float* floats = self->views[ACTIONS].buf;
    int bad = 0;
    if (!space.choices)
        for (Py_ssize_t j = 0; j < agents * size; j++) bad |= is_bad_float(floats[j], space.low, space.high);
    else if (size == 1) /* as below, and in vector lanes because of the constant stride */
        for (Py_ssize_t agent = 0; agent < agents; agent++) bad |= is_bad_int(ints[agent], space.choices[0]);
    else
        for (Py_ssize_t k = 0; k < size; k++)
            for (Py_ssize_t agent = 0; agent < agents; agent++) bad |= is_bad_int(ints[agent * size + k], space.choices[k]);
    if (!bad) return -1;
    for (Py_ssize_t j = 0; j < agents * size; j++)
        if (space.choices ? is_bad_int(ints[j], space.choices[j % size]) : is_bad_float(floats[j], space.low, space.high))
            return j;
    return -1;
}

/* The exception for element j of the actions; returns NULL. */
static PyObject* raise_bad_action(const VecEnv* self, Py_ssize_t j) {
    const EnvSpace space = self->action_space;
    const void* actions = self->views[ACTIONS].buf;
    char element[32] = "", what[96];
    if (space.size > 1) PyOS_snprintf(element, sizeof element, ", element %d", (int)(j % space.size));
    if (space.choices)
        PyOS_snprintf(what, sizeof what, "an integer in [0, %d], got %d", (int)space.choices[j % space.size] - 1,
                      (int)((const int32_t*)actions)[j]);
    else
        PyOS_snprintf(what, sizeof what, "a float in [%.9g, %.9g], got %.9g", (double)space.low, (double)space.high,
                      (double)((const float*)actions)[j]);
    return PyErr_Format(PyExc_ValueError, "actions: agent %zd%s: expected %s", j / space.size, element, what);
}

static const char step_doc[] =
    "step($self, /)\n--\n\n"
    "Advance every environment by one step: reads actions; writes observations, rewards, terminals and truncations.\n\n"
    "The GIL is released meanwhile; leave the arrays alone until it returns. Environments whose episode is over restart by themselves.\n\n"
    "Raises: ValueError for an action outside the action space (and nothing has moved), RuntimeError before the first reset(), when\n"
    "closed, or in use by another thread.";
static PyObject* vecenv_step(PyObject* object, PyObject* unused) {
    VecEnv* self = (VecEnv*)object;
    PyObject* result = Py_None;
    Py_ssize_t bad = -1;
    (void)unused;
    if (enter(self, true) < 0) return NULL;
    Py_BEGIN_ALLOW_THREADS
    bad = find_bad_action(self);
    if (bad < 0) call_all(self, c_step);
    Py_END_ALLOW_THREADS
    if (bad >= 0) result = raise_bad_action(self, bad);
    leave(self);
    return Py_XNewRef(result);
}

static const char script_doc[] =
    "script($self, /)\n--\n\n"
    "Fill the actions with those of the environment's own scripted policy, from the last observations.\n\n"
    "Raises: NotImplementedError where the environment has none; RuntimeError before the first reset(), when closed, or in use by\n"
    "another thread.";
static PyObject* vecenv_script(PyObject* object, PyObject* unused) {
    VecEnv* self = (VecEnv*)object;
    (void)unused;
    if (!offers(HAS_SCRIPT, "c_script") || enter(self, true) < 0) return NULL;
    Py_BEGIN_ALLOW_THREADS
    call_all(self, c_script);
    Py_END_ALLOW_THREADS
    leave(self);
    Py_RETURN_NONE;
}

static const char log_doc[] =
    "log($self, /)\n--\n\n"
    "The log fields averaged over the episodes that finished since the last call, and their number `n`; {} where none did.\n\n"
    "Raises: RuntimeError when closed or in use by another thread.";
static PyObject* vecenv_log(PyObject* object, PyObject* unused) {
    VecEnv* self = (VecEnv*)object;
    PyObject *result = NULL, *value = NULL;
    double n = 0;
    (void)unused;
    if (enter(self, false) < 0) return NULL;
    if (!(result = PyDict_New())) goto done;
    for (Py_ssize_t i = 0; i < self->num_envs; i++) n += (double)self->envs[i].log.n;
    for (int k = 0; n > 0 && k < NUM_LOG; k++) {
        double sum = 0;
        for (Py_ssize_t i = 0; i < self->num_envs; i++) sum += (double)*(float*)((char*)&self->envs[i].log + LOG[k].offset);
        value = PyFloat_FromDouble(k == NUM_LOG - 1 ? n : sum / n);
        if (!value || PyDict_SetItemString(result, LOG[k].name, value) < 0) {
            Py_CLEAR(result);
            goto done;
        }
        Py_CLEAR(value);
    }
    for (Py_ssize_t i = 0; i < self->num_envs; i++) memset(&self->envs[i].log, 0, sizeof(Log));
done:
    Py_XDECREF(value);
    leave(self);
    return result;
}

static const char render_doc[] =
    "render($self, /, pixels, env=0)\n--\n\n"
    "Draw one environment into pixels, a writable C-contiguous uint8 (height, width, 3) array: red, green, blue, from the top row down.\n\n"
    "Raises: TypeError or ValueError for an argument, NotImplementedError where the environment draws none, RuntimeError before the\n"
    "first reset(), when closed, or in use by another thread.";
static PyObject* vecenv_render(PyObject* object, PyObject* args, PyObject* kwargs) {
    static char* names[] = {"pixels", "env", NULL};
    VecEnv* self = (VecEnv*)object;
    PyObject *pixels = NULL, *which = NULL, *result = NULL;
    Py_buffer view = {0};
    long long i = 0;
    char got[160];
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O|O:render", names, &pixels, &which)) return NULL;
    if (!offers(HAS_PIXELS, "c_pixels")) return NULL;
    if (which && parse_int("env", which, 0, (long long)self->num_envs - 1, "", &i) < 0) return NULL;
    if (hold_buffer("pixels", pixels, &view) < 0) return NULL;
    if (!has_type(&view, 'B') || view.ndim != 3 || view.shape[2] != 3 || view.len < 3 || view.shape[0] > INT32_MAX ||
        view.shape[1] > INT32_MAX) {
        describe_buffer(&view, got, sizeof got);
        PyErr_Format(PyExc_ValueError, "pixels: expected uint8 (height, width, 3), got %s", got);
        goto done;
    }
    if (enter(self, true) < 0) goto done;
    Py_BEGIN_ALLOW_THREADS
    c_pixels(&self->envs[i], view.buf, (int32_t)view.shape[1], (int32_t)view.shape[0]);
    Py_END_ALLOW_THREADS
    leave(self);
    result = Py_NewRef(Py_None);
done:
    PyBuffer_Release(&view);
    return result;
}

static const char window_doc[] =
    "window($self, /, env=0)\n--\n\n"
    "Draw one frame of one environment in a window, which the first call opens, and take what the viewer does there. A process has\n"
    "one window, and one thread that calls this.\n\n"
    "Returns how many steps the viewer asks for before the next frame, or one of CLOSED, NO_WINDOW and WINDOW_TAKEN.\n\n"
    "Raises: TypeError or ValueError for an argument, NotImplementedError where the environment has no window, RuntimeError before the\n"
    "first reset(), when closed, in use by another thread, or in another thread than the first time.";
static PyObject* vecenv_window(PyObject* object, PyObject* args, PyObject* kwargs) {
    static char* names[] = {"env", NULL};
    VecEnv* self = (VecEnv*)object;
    PyObject* which = NULL;
    long long i = 0;
    int32_t steps = 0;
    const unsigned long thread = PyThread_get_thread_ident();
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|O:window", names, &which)) return NULL;
    if (!offers(HAS_WINDOW, "c_render")) return NULL;
    if (which && parse_int("env", which, 0, (long long)self->num_envs - 1, "", &i) < 0) return NULL;
    if (enter(self, true) < 0) return NULL;
    if (self->window_used && self->window_thread != thread) {
        leave(self);
        PyErr_SetString(PyExc_RuntimeError, "window() belongs to the thread that called it first");
        return NULL;
    }
    self->window_used = true;
    self->window_thread = thread;
    const bool locked = lock_window();
    bring_in(self, (Py_ssize_t)i);
    steps = c_render(&self->envs[i]);
    bring_out(self, (Py_ssize_t)i);
    unlock_window(locked);
    leave(self);
    return PyLong_FromLong(steps);
}

/* What get() and set() share: the named field of environment i, as *pointer and *bytes, to be used between enter() and leave().
 * Returns its index in STATE. */
static int enter_state(VecEnv* self, PyObject* name, PyObject* which, void** pointer, Py_ssize_t* bytes) {
    int k = 0;
    long long i = 0;
    if (parse_choice("name", name, STATE_NAMES, &k) < 0) return -1;
    if (which && parse_int("env", which, 0, (long long)self->num_envs - 1, "", &i) < 0) return -1;
    if (enter(self, true) < 0) return -1;
    *pointer = state_of(&self->envs[i], k);
    *bytes = (Py_ssize_t)state_bytes(&self->envs[i], k);
    return k;
}

static const char get_doc[] =
    "get($self, /, name, env=0)\n--\n\n"
    "A copy, as bytes, of a field of one environment's state: one of state_fields, which tell its type.\n\n"
    "Raises: TypeError or ValueError for an argument, RuntimeError before the first reset(), when closed, or in use by another thread.";
static PyObject* vecenv_get(PyObject* object, PyObject* args, PyObject* kwargs) {
    static char* names[] = {"name", "env", NULL};
    VecEnv* self = (VecEnv*)object;
    PyObject *name = NULL, *which = NULL, *result = NULL;
    void* pointer = NULL;
    Py_ssize_t bytes = 0;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O|O:get", names, &name, &which)) return NULL;
    if (enter_state(self, name, which, &pointer, &bytes) < 0) return NULL;
    result = PyBytes_FromStringAndSize(pointer, bytes);
    leave(self);
    return result;
}

static const char set_doc[] =
    "set($self, /, name, data, env=0)\n--\n\n"
    "Overwrite a field of one environment's state from a contiguous buffer of exactly its size: of its type, or bytes. Observations\n"
    "follow at the next step.\n\n"
    "Raises: TypeError or ValueError for an argument, RuntimeError before the first reset(), when closed, or in use by another thread.";
static PyObject* vecenv_set(PyObject* object, PyObject* args, PyObject* kwargs) {
    static char* names[] = {"name", "data", "env", NULL};
    VecEnv* self = (VecEnv*)object;
    PyObject *name = NULL, *data = NULL, *which = NULL, *result = NULL;
    Py_buffer view = {0};
    void* pointer = NULL;
    Py_ssize_t bytes = 0;
    char type[64];
    int k = 0;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "OO|O:set", names, &name, &data, &which)) return NULL;
    if (get_buffer("data", data, &view, PyBUF_FORMAT | PyBUF_STRIDES) < 0) return NULL;
    if ((k = enter_state(self, name, which, &pointer, &bytes)) < 0) goto done;
    describe_type(&view, type, sizeof type);
    if (!PyBuffer_IsContiguous(&view, 'C')) {
        PyErr_SetString(PyExc_ValueError, "data: " NOT_CONTIGUOUS);
    } else if (view.itemsize > 1 && strcmp(type, STATE[k].dtype) != 0) {
        PyErr_Format(PyExc_ValueError, "data: expected %s or bytes, got %s", STATE[k].dtype, type);
    } else if (view.len != bytes) {
        PyErr_Format(PyExc_ValueError, "data: expected %zd bytes, got %zd", bytes, view.len);
    } else {
        memcpy(pointer, view.buf, (size_t)bytes);
        result = Py_NewRef(Py_None);
    }
    leave(self);
done:
    PyBuffer_Release(&view);
    return result;
}

static const char state_doc[] =
    "state($self, /)\n--\n\n"
    "All that a run goes on from, of every environment, as bytes: a VecEnv with the same parameters and num_envs that gets them by\n"
    "set_state(), and the same actions from then on, goes on to the same bits. Rewards, terminals and truncations are in it,\n"
    "actions are not; neither are num_threads and the constructor's seed, which reset(seed) uses.\n\n"
    "The bytes have a version and a checksum. They take 72 bytes, 8 for each parameter and, for each environment, the arrays of\n"
    "state_fields, 6 bytes an agent, and its scalars and log.\n\n"
    "Raises: NotImplementedError where the environment does not say what its state is; RuntimeError before the first reset(), when\n"
    "closed, or in use by another thread; MemoryError.";
static PyObject* vecenv_state(PyObject* object, PyObject* unused) {
    VecEnv* self = (VecEnv*)object;
    StateHead head = {
        .format = STATE_FORMAT, .version = ENV_STATE_VERSION, .module = TEXT(ENV_MODULE), .num_parameters = NUM_PARAMETERS};
    double parameters[NUM_PARAMETERS + 1];
    PyObject* result = NULL;
    size_t bytes = sizeof head + PARAMETER_BYTES + sizeof(uint64_t);
    (void)unused;
    if (!offers(HAS_STATE, "ENV_STATE") || enter(self, true) < 0) return NULL;
    bytes += (size_t)self->num_envs * state_share(self);
    memcpy(head.magic, STATE_MAGIC, sizeof head.magic);
    head.bytes = bytes;
    head.num_envs = (uint32_t)self->num_envs;
    for (int k = 0; k < NUM_PARAMETERS; k++) parameters[k] = parameter_number(&PARAMETERS[k], &self->envs[0]);
    if ((result = PyBytes_FromStringAndSize(NULL, (Py_ssize_t)bytes))) {
        char* data = PyBytes_AsString(result);
        Py_BEGIN_ALLOW_THREADS
        memcpy(data, &head, sizeof head);
        memcpy(data + sizeof head, parameters, PARAMETER_BYTES);
        save_envs(self, data + sizeof head + PARAMETER_BYTES);
        const uint64_t sum = state_checksum(data, bytes - sizeof sum);
        memcpy(data + bytes - sizeof sum, &sum, sizeof sum);
        Py_END_ALLOW_THREADS
    }
    leave(self);
    return result;
}

static const char set_state_doc[] =
    "set_state($self, data, /)\n--\n\n"
    "Go on from what state() returned, here or in another process, in a VecEnv with the same parameters and as many environments.\n"
    "Writes observations, rewards, terminals and truncations as they were then; actions stay. No reset() is needed before.\n\n"
    "Raises: TypeError for anything but bytes; ValueError for bytes that are damaged, of something else, or of another version,\n"
    "num_envs or parameter, and says which, and nothing has changed; NotImplementedError where the environment does not say what its\n"
    "state is; RuntimeError when closed or in use by another thread.";
static PyObject* vecenv_set_state(PyObject* object, PyObject* argument) {
    VecEnv* self = (VecEnv*)object;
    PyObject* result = NULL;
    uint64_t sum = 0;
    if (!offers(HAS_STATE, "ENV_STATE")) return NULL;
    if (!PyBytes_Check(argument)) { /* which nobody can change meanwhile */
        PyErr_Format(PyExc_TypeError, "data: expected bytes, got %.80R", argument);
        return NULL;
    }
    const char* data = PyBytes_AsString(argument);
    const size_t bytes = (size_t)PyBytes_Size(argument);
    if (enter(self, false) < 0) return NULL;
    Py_BEGIN_ALLOW_THREADS
    if (bytes >= sizeof sum) sum = state_checksum(data, bytes - sizeof sum);
    Py_END_ALLOW_THREADS
    if (check_state(self, data, bytes, sum) == 0) {
        Py_BEGIN_ALLOW_THREADS
        load_envs(self, data + sizeof(StateHead) + PARAMETER_BYTES);
        call_all(self, c_restored);
        Py_END_ALLOW_THREADS
        self->started = true;
        result = Py_NewRef(Py_None);
    }
    leave(self);
    return result;
}

static const char close_doc[] =
    "close($self, /)\n--\n\n"
    "Free the environments and let the arrays go. Closing twice is fine.\n\n"
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

static PyObject* vecenv_closed(PyObject* object, void* unused) {
    (void)unused;
    return PyBool_FromLong(atomic_load(&((VecEnv*)object)->state) == CLOSED);
}

/* ---- The module -------------------------------------------------------------------------------------------------------- */

/* New reference: a dict made read-only. Steals `dict`, which may be NULL with an exception set. */
static PyObject* frozen(PyObject* dict) {
    PyObject* result = dict ? PyDictProxy_New(dict) : NULL;
    Py_XDECREF(dict);
    return result;
}

/* dict[name] = value, and then on to the next: false with an exception set. Steals `value`, which may be NULL likewise. */
static bool put(PyObject* dict, const char* name, PyObject* value) {
    bool done = value && PyDict_SetItemString(dict, name, value) == 0;
    Py_XDECREF(value);
    return done;
}

/* New reference: one parameter as {"type", "default", "min", "max", "unit", "doc", "choices"}. */
static PyObject* describe_parameter(const Parameter* p) {
    const bool ranged = p->kind == KIND_int || p->kind == KIND_float, named = p->kind == KIND_choice;
    PyObject* fallback = parameter_value(p, p->fallback);
    PyObject* min = ranged ? parameter_value(p, p->min) : Py_NewRef(Py_None);
    PyObject* max = ranged ? parameter_value(p, p->max) : Py_NewRef(Py_None);
    PyObject* choices = named ? split_names(p->unit) : Py_NewRef(Py_None);
    /* N takes the reference over, and makes the whole fail where it is NULL */
    return frozen(Py_BuildValue("{s:s, s:N, s:N, s:N, s:s, s:s, s:N}", "type", KIND_NAMES[p->kind], "default", fallback,
                                "min", min, "max", max, "unit", named ? "" : p->unit, "doc", p->doc, "choices", choices));
}

/* Adds to the class what the header says of itself: parameters, log_fields and state_fields. */
static int add_class_data(PyObject* type) {
    static const char* const names[] = {"parameters", "log_fields", "state_fields"};
    PyObject *dicts[] = {PyDict_New(), PyDict_New(), PyDict_New()}, *view = NULL;
    bool good = dicts[0] && dicts[1] && dicts[2];
    for (int k = 0; good && k < NUM_PARAMETERS; k++)
        good = put(dicts[0], PARAMETERS[k].name, describe_parameter(&PARAMETERS[k]));
    for (int k = 0; good && k < NUM_LOG; k++) good = put(dicts[1], LOG[k].name, PyUnicode_FromString(LOG[k].doc));
    for (int k = 0; good && k < NUM_STATE; k++)
        good = put(dicts[2], STATE[k].name, frozen(Py_BuildValue("{s:s,s:s}", "type", STATE[k].dtype, "doc", STATE[k].doc)));
    for (int k = 0; k < 3; k++) {
        view = good ? PyDictProxy_New(dicts[k]) : NULL;
        good = view && PyObject_SetAttrString(type, names[k], view) == 0;
        Py_XDECREF(view);
        Py_XDECREF(dicts[k]);
    }
    return good ? 0 : -1;
}

/* New reference: one agent's share of a buffer as {"dtype", "size", "low", "high", "choices"}. */
static PyObject* describe_space(EnvSpace space) {
    PyObject* choices = space.choices ? PyTuple_New(space.size) : Py_NewRef(Py_None);
    for (int32_t k = 0; choices && space.choices && k < space.size; k++) {
        PyObject* number = PyLong_FromLong(space.choices[k]);
        if (!number || PyTuple_SetItem(choices, k, number) < 0) Py_CLEAR(choices); /* SetItem steals the number */
        space.low = 0;
        if (!k || space.high < (float)(space.choices[k] - 1)) space.high = (float)(space.choices[k] - 1);
    }
    if (!choices) return NULL;
    return Py_BuildValue("{s:s,s:i,s:d,s:d,s:N}", "dtype", dtype_name(space.type), "size", (int)space.size, "low",
                         (double)space.low, "high", (double)space.high, "choices", choices);
}

static const char layout_doc[] =
    "layout(**parameters)\n--\n\n"
    "The arrays that one environment with these parameters needs: {'num_agents': int, 'observation': space, 'action': space}.\n\n"
    "A space is one agent's share: {'dtype': NumPy's name, 'size': elements, 'low': float, 'high': float, 'choices': None, or how many\n"
    "values each element has}.\n\n"
    "Raises: TypeError or ValueError for a parameter, MemoryError.";
static PyObject* module_layout(PyObject* module, PyObject* args, PyObject* kwargs) {
    PyObject *result = NULL, *keywords = NULL;
    Env* env = NULL;
    (void)module;
    if (PyTuple_Size(args) > 0) {
        PyErr_SetString(PyExc_TypeError, "layout() takes keyword arguments only");
        return NULL;
    }
    if (!(keywords = kwargs ? PyDict_Copy(kwargs) : PyDict_New())) goto done;
    if (!(env = ENV_CALLOC(1, sizeof(Env)))) {
        PyErr_NoMemory();
        goto done;
    }
    env->num_envs = 1;
    if (take_parameters(keywords, env) < 0 || init_env(env) < 0) goto done;
    result = Py_BuildValue("{s:i,s:N,s:N}", "num_agents", (int)env->num_agents, "observation",
                           describe_space(c_observation_space(env)), "action", describe_space(c_action_space(env)));
    c_close(env);
done:
    ENV_FREE(env);
    Py_XDECREF(keywords);
    return result;
}

static const char link_doc[] =
    "link($module, addresses, /)\n--\n\n"
    "Give window() the functions that it calls, as addresses in this process: a dict with every name of `externals` and no other.\n"
    "Nobody can tell whether an address is right: a wrong one ends the process.\n\n"
    "Raises: TypeError or ValueError for an argument; then no address has changed.";
static PyObject* module_link(PyObject* module, PyObject* addresses) {
    uintptr_t taken[NUM_EXTERNALS + 1] = {0};
    PyObject *left = NULL, *key = NULL, *value = NULL, *result = NULL;
    Py_ssize_t position = 0;
    bool locked = false;
    (void)module;
    if (!PyDict_Check(addresses)) {
        refuse(PyExc_TypeError, addresses, "addresses: expected a dict of names and addresses");
        return NULL;
    }
    if (!(left = PyDict_Copy(addresses))) return NULL;
    while (PyDict_Next(left, &position, &key, NULL)) {
        if (PyUnicode_Check(key)) continue;
        refuse(PyExc_TypeError, key, "addresses: expected names");
        goto done;
    }
    for (int k = 0; k < NUM_EXTERNALS; k++) {
        long long address = 0;
        const int found = take(left, EXTERNALS[k].name, &value);
        if (found == 0) PyErr_Format(PyExc_ValueError, "addresses: expected the address of %s, got none", EXTERNALS[k].name);
        if (found <= 0 || parse_int(EXTERNALS[k].name, value, 1, INTPTR_MAX, "", &address) < 0) goto done;
        Py_CLEAR(value);
        taken[k] = (uintptr_t)address;
    }
    position = 0;
    if (PyDict_Next(left, &position, &key, NULL)) {
        refuse(PyExc_ValueError, key, "addresses: expected the names of externals alone");
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
    "VecEnv(observations, actions, rewards, terminals, truncations, *, num_envs=1, seed=0, num_threads=1, **parameters)\n--\n\n"
    "num_envs environments over one set of arrays, which C reads and writes in place; n = num_envs * num_agents.\n\n"
    "  observations  (n, ...)  layout()['observation']: its type, and its size in all\n"
    "  actions       (n, ...)  layout()['action']; (n,) will do where the size is 1\n"
    "  rewards       (n,)      float32\n"
    "  terminals     (n,)      bool, int8 or uint8\n"
    "  truncations   (n,)      bool, int8 or uint8\n\n"
    "Each a writable C-contiguous buffer that overlaps no other. They are held, so that none can be resized or freed, until close().\n"
    "num_threads > 1 shares the environments out among threads, or gives them to a single one; results do not depend on it. parameters: see VecEnv.parameters.\n\n"
    "Raises: TypeError or ValueError for an argument, in the words `name: expected ..., got ...`; MemoryError. A constructor that\n"
    "fails holds nothing.";

static PyMethodDef vecenv_methods[] = {
    {"reset", (PyCFunction)(void (*)(void))vecenv_reset, METH_VARARGS | METH_KEYWORDS, reset_doc},
    {"step", vecenv_step, METH_NOARGS, step_doc},
    {"script", vecenv_script, METH_NOARGS, script_doc},
    {"log", vecenv_log, METH_NOARGS, log_doc},
    {"render", (PyCFunction)(void (*)(void))vecenv_render, METH_VARARGS | METH_KEYWORDS, render_doc},
    {"window", (PyCFunction)(void (*)(void))vecenv_window, METH_VARARGS | METH_KEYWORDS, window_doc},
    {"get", (PyCFunction)(void (*)(void))vecenv_get, METH_VARARGS | METH_KEYWORDS, get_doc},
    {"set", (PyCFunction)(void (*)(void))vecenv_set, METH_VARARGS | METH_KEYWORDS, set_doc},
    {"state", vecenv_state, METH_NOARGS, state_doc},
    {"set_state", vecenv_set_state, METH_O, set_state_doc},
    {"close", vecenv_close, METH_NOARGS, close_doc},
    {"__enter__", vecenv_enter, METH_NOARGS, NULL},
    {"__exit__", vecenv_exit, METH_VARARGS, NULL},
    {0},
};

static PyMemberDef vecenv_members[] = {
    {"num_envs", T_PYSSIZET, offsetof(VecEnv, num_envs), READONLY, "Environments."},
    {"num_agents", T_PYSSIZET, offsetof(VecEnv, num_agents), READONLY,
     "Agents of all environments: the arrays' first dimension."},
    {"num_threads", T_LONGLONG, offsetof(VecEnv, num_threads), READONLY, "The most threads that step at a time."},
    {"seed", T_LONGLONG, offsetof(VecEnv, seed), READONLY, "The constructor's seed."},
    {0},
};

static PyGetSetDef vecenv_getset[] = {{"closed", vecenv_closed, NULL, "Whether close() was called.", NULL}, {0}};

static PyType_Slot vecenv_slots[] = {
    {Py_tp_doc, (void*)vecenv_doc},    {Py_tp_new, vecenv_new},       {Py_tp_dealloc, vecenv_dealloc},
    {Py_tp_traverse, vecenv_traverse}, {Py_tp_clear, vecenv_clear},   {Py_tp_methods, vecenv_methods},
    {Py_tp_members, vecenv_members},   {Py_tp_getset, vecenv_getset}, {0, NULL},
};

static PyType_Spec vecenv_spec = {
    .name = TEXT(ENV_MODULE) ".VecEnv",
    .basicsize = sizeof(VecEnv),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC,
    .slots = vecenv_slots,
};

static int module_exec(PyObject* module) {
    PyObject *name = NULL, *externals = NULL;
    PyObject* type = PyType_FromModuleAndSpec(module, &vecenv_spec, NULL);
    int result = -1;
    if (!type || add_class_data(type) < 0) goto done;
    /* where it was really imported from: boids_env._boids */
    if (!(name = PyModule_GetNameObject(module)) || PyObject_SetAttrString(type, "__module__", name) < 0) goto done;
    if (PyModule_AddType(module, (PyTypeObject*)type) < 0) goto done;
    if (!(externals = PyTuple_New(NUM_EXTERNALS))) goto done;
    for (int k = 0; k < NUM_EXTERNALS; k++) {
        PyObject* text = PyUnicode_FromString(EXTERNALS[k].name);
        if (!text || PyTuple_SetItem(externals, k, text) < 0) goto done; /* SetItem steals the text */
    }
    if (PyModule_AddObjectRef(module, "externals", externals) < 0) goto done;
    if (PyModule_AddIntConstant(module, "MAX_ENVS", MAX_ENVS) < 0) goto done;
    if (PyModule_AddIntConstant(module, "CLOSED", ENV_CLOSED) < 0) goto done;
    if (PyModule_AddIntConstant(module, "NO_WINDOW", ENV_NO_WINDOW) < 0) goto done;
    result = PyModule_AddIntConstant(module, "WINDOW_TAKEN", ENV_WINDOW_TAKEN);
done:
    Py_XDECREF(externals);
    Py_XDECREF(name);
    Py_XDECREF(type);
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
    .m_name = TEXT(ENV_MODULE),
    .m_doc = "The environment of " ENV_HEADER ": many at a time, over shared arrays.",
    .m_methods = module_methods,
    .m_slots = module_slots,
};

PyMODINIT_FUNC JOIN(PyInit_, ENV_MODULE)(void) { return PyModuleDef_Init(&module_definition); }
