/* buffers.h - NumPy arrays, and any other buffers, that C reads and writes in place
 *
 * binding.c and env_binding.h include it. It needs Python 3.9, or the limited API of 3.11. NumPy is not needed: an array is what has
 * the buffer protocol.
 *
 * A held buffer: its owner is asked not to resize or free it until bind_release. bytearray, array.array, mmap, memoryview and NumPy's
 * own checks obey. So the owner of a NumPy array's memory is held too: SharedMemory.close() then raises an exception. Four ways remain
 * for Python code to take memory away under C: ndarray.resize(refcheck=False), ndarray.__setstate__, ctypes.resize(), and owners
 * without the buffer protocol, such as a torch.Tensor. bind_check_held finds the first three.
 *
 * A function returns 0, or -1 with an exception set, unless its comment says otherwise.
 */
#ifndef BIND_BUFFERS_H
#define BIND_BUFFERS_H

#include "values.h"

/* The five arrays of an environment, in the order of every constructor; and one that may be left out. */
enum { BIND_OBSERVATIONS, BIND_ACTIONS, BIND_REWARDS, BIND_TERMINALS, BIND_TRUNCATIONS, BIND_ARRAYS };
enum { BIND_FINAL_OBSERVATIONS = BIND_ARRAYS, BIND_MOST_ARRAYS };
static const char* const BIND_NAMES[] = {"observations", "actions",     "rewards",
                                         "terminals",    "truncations", "final_observations"};

/* An array that is held. */
typedef struct BindArray {
    Py_buffer view;  /* held where obj is not NULL */
    Py_buffer owner; /* the same, of the object at the end of NumPy's chain of `base`; only where it is another */
} BindArray;

/* A type of elements. */
typedef struct BindType {
    const char* name;     /* as NumPy calls it */
    const char* formats;  /* the letters of the buffer protocol that are accepted for it */
    Py_ssize_t item_size; /* in bytes; 0 for any */
} BindType;

/* The letters of a buffer's format without its byte order. *swapped: that order is not this machine's. */
static inline const char* bind_format(const Py_buffer* view, bool* swapped) {
    const uint16_t one = 1;
    const bool little = *(const uint8_t*)&one == 1;
    const char* format = view->format ? view->format : "B";
    *swapped = view->itemsize > 1 && (*format == '<' ? !little : *format == '>' || *format == '!' ? little : false);
    return strchr("@=<>!", *format) && *format ? format + 1 : format;
}

static inline bool bind_has_type(const Py_buffer* view, const BindType* type) {
    bool swapped = false;
    const char* format = bind_format(view, &swapped);
    if (swapped || strlen(format) != 1 || !strchr(type->formats, *format)) return false;
    return !type->item_size || view->itemsize == type->item_size;
}

/* Writes the type of a buffer's elements in NumPy's words, such as "float32", and returns its length. Cut where it does not fit. */
static inline int bind_describe_type(const Py_buffer* view, char* out, size_t size) {
    bool swapped = false;
    const char* format = bind_format(view, &swapped);
    const bool real = strchr("efdg", *format), integer = strchr("bhilqn", *format), natural = strchr("BHILQN", *format);
    const char* kind = real ? "float" : integer ? "int" : natural ? "uint" : NULL;
    if (strcmp(format, "?") == 0) return PyOS_snprintf(out, size, "bool");
    if (!kind || strlen(format) != 1) return PyOS_snprintf(out, size, "format '%.32s'", format);
    return PyOS_snprintf(out, size, "%s%s%d", swapped ? "byte-swapped " : "", kind, (int)view->itemsize * 8);
}

/* ValueError for a buffer of another type or shape: "name: expected float32 (64,), got float64 (64, 10)". Returns -1. */
static inline int bind_refuse_buffer(const char* name, const Py_buffer* view, const BindType* type, const char* shape) {
    char got[160];
    const size_t size = sizeof got;
    int used = bind_describe_type(view, got, size);
    if (used < (int)size) used += PyOS_snprintf(got + used, size - (size_t)used, " (");
    for (int k = 0; k < view->ndim && used < (int)size; k++)
        used += PyOS_snprintf(got + used, size - (size_t)used, k ? ", %zd" : "%zd", view->shape[k]);
    if (used < (int)size) PyOS_snprintf(got + used, size - (size_t)used, view->ndim == 1 ? ",)" : ")");
    PyErr_Format(PyExc_ValueError, "%s: expected %s %s, got %s", name, type->name, shape, got);
    return -1;
}

/* PyObject_GetBuffer, with an exception that names the argument. */
static inline int bind_get_buffer(const char* name, PyObject* array, Py_buffer* view) {
    PyObject* type = NULL;
    if (PyObject_GetBuffer(array, view, PyBUF_FORMAT | PyBUF_STRIDES) == 0) return 0;
    view->obj = NULL; /* which some objects leave set */
    if (!PyErr_ExceptionMatches(PyExc_TypeError) && !PyErr_ExceptionMatches(PyExc_ValueError) &&
        !PyErr_ExceptionMatches(PyExc_BufferError))
        return -1;
    PyErr_Clear();
    if (!(type = bind_type_name(array))) return -1;
    PyErr_Format(PyExc_TypeError, "%s: expected an array of numbers, got %U", name, type);
    Py_DECREF(type);
    return -1;
}

static inline int bind_check_contiguous(const char* name, const Py_buffer* view) {
    if (PyBuffer_IsContiguous(view, 'C')) return 0;
    PyErr_Format(PyExc_ValueError, "%s: expected a C-contiguous array, got one with gaps or another order", name);
    return -1;
}

/* Releases what is held; harmless where nothing is. */
static inline void bind_release(BindArray* arrays, int count) {
    for (int k = 0; k < count; k++) {
        PyBuffer_Release(&arrays[k].view); /* does nothing where obj is NULL */
        PyBuffer_Release(&arrays[k].owner);
    }
}

/* Clears an exception that means no more than that something cannot be done. What is left says that memory ran out, or is no
 * Exception, such as KeyboardInterrupt. Returns 0, or -1 where an exception is left. */
static inline int bind_forgive(void) {
    if (PyErr_ExceptionMatches(PyExc_Exception) && !PyErr_ExceptionMatches(PyExc_MemoryError)) PyErr_Clear();
    return PyErr_Occurred() ? -1 : 0;
}

/* Holds the object that owns the memory of a NumPy array which is a view. Holds nothing where there is none with a buffer. */
static inline int bind_hold_owner(PyObject* array, const Py_buffer* view, Py_buffer* owner) {
    PyObject *at = array, *base = NULL;
    int result = 0;
    Py_INCREF(at);
    while ((base = PyObject_GetAttrString(at, "base")) && base != Py_None && PyObject_CheckBuffer(base)) {
        Py_DECREF(at);
        at = base;
    }
    Py_XDECREF(base);
    if (!base) result = bind_forgive(); /* no `base`: it is no NumPy array */
    if (result == 0 && at != array && PyObject_GetBuffer(at, owner, PyBUF_STRIDED_RO) < 0) {
        owner->obj = NULL;
        result = bind_forgive(); /* what cannot be held need not be */
    }
    Py_DECREF(at);
    if (result < 0) return -1;
    const uintptr_t start = (uintptr_t)view->buf, first = owner->obj ? (uintptr_t)owner->buf : 0;
    if (owner->obj && (start < first || start + (size_t)view->len > first + (size_t)owner->len))
        PyBuffer_Release(owner); /* the memory is another's */
    return 0;
}

/* Holds a buffer that C can write to as it is; the caller releases it. On failure nothing is held. */
static inline int bind_hold(const char* name, PyObject* array, BindArray* held) {
    const char* wrong = NULL;
    Py_buffer* view = &held->view;
    memset(held, 0, sizeof *held);
    if (bind_get_buffer(name, array, view) < 0) return -1;
    if (view->readonly)
        wrong = "expected a writable array, got a read-only one";
    else if (bind_check_contiguous(name, view) < 0)
        goto failed;
    else if (view->itemsize > 1 && (uintptr_t)view->buf % (size_t)view->itemsize)
        wrong = "expected an array aligned to its element size, got an unaligned one";
    if (!wrong && bind_hold_owner(array, view, &held->owner) == 0) return 0;
    if (wrong) PyErr_Format(PyExc_ValueError, "%s: %s", name, wrong);
failed:
    bind_release(held, 1);
    return -1;
}

/* Whether a held buffer still has the memory that it had: 1 or 0; -1 with an exception. */
static inline int bind_is_unchanged(const Py_buffer* held) {
    Py_buffer now = {0};
    if (!held->obj) return 1;
    if (PyObject_GetBuffer(held->obj, &now, PyBUF_STRIDED_RO) < 0) return bind_forgive();
    const bool same = now.buf == held->buf && now.len == held->len;
    PyBuffer_Release(&now);
    return same;
}

/* Whether the first `count` arrays still have the memory that they had when they were held. It takes half a microsecond. */
static inline int bind_check_held(const BindArray* arrays, int count) {
    for (int k = 0; k < count; k++) {
        int unchanged = bind_is_unchanged(&arrays[k].view);
        if (unchanged > 0) unchanged = bind_is_unchanged(&arrays[k].owner);
        if (unchanged > 0) continue;
        if (unchanged == 0)
            PyErr_Format(PyExc_RuntimeError,
                         "%s: expected the memory that it had at first, got other memory: it was resized or replaced",
                         BIND_NAMES[k]);
        return -1;
    }
    return 0;
}

/* Whether the first `count` arrays are apart from each other. One that is not held is apart. */
static inline int bind_check_overlap(const BindArray* arrays, int count) {
    for (int k = 1; k < count; k++)
        for (int j = 0; j < k; j++) {
            const Py_buffer *one = &arrays[j].view, *other = &arrays[k].view;
            const uintptr_t a = (uintptr_t)one->buf, b = (uintptr_t)other->buf;
            if (a >= b + (size_t)other->len || b >= a + (size_t)one->len) continue;
            PyErr_Format(PyExc_ValueError, "%s: overlaps %s", BIND_NAMES[k], BIND_NAMES[j]);
            return -1;
        }
    return 0;
}

#endif
