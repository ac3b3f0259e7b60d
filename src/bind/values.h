/* values.h - numbers and names from Python objects, with one form of message for all that is refused
 *
 * binding.c and env_binding.h include it. It needs Python 3.9, or the limited API of 3.11.
 *
 * A function returns 0, or -1 with an exception set, unless its comment says otherwise. The message is "name: expected ..., got
 * ...", where what came is the repr of the value.
 */
#ifndef BIND_VALUES_H
#define BIND_VALUES_H

#include <Python.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* New reference: the name of an object's type. */
static inline PyObject* bind_type_name(PyObject* value) {
    return PyObject_GetAttrString((PyObject*)Py_TYPE(value), "__name__");
}

/* Sets the exception. `format` and what follows it, as for printf, say what was expected. */
static inline void bind_refuse(PyObject* exception, PyObject* value, const char* format, ...) {
    PyObject *expected = NULL, *got = NULL;
    va_list arguments;
    va_start(arguments, format);
    expected = PyUnicode_FromFormatV(format, arguments);
    va_end(arguments);
    if (expected && !(got = PyObject_Repr(value)) && PyErr_ExceptionMatches(PyExc_Exception)) {
        PyErr_Clear(); /* for example of an int of 5000 digits, whose repr Python refuses */
        got = bind_type_name(value);
    }
    if (got) PyErr_Format(exception, "%U, got %.80U", expected, got);
    Py_XDECREF(expected);
    Py_XDECREF(got);
}

/* 1 for True and 0 for False, Python's or NumPy's (which has a buffer); -1 without an exception for everything else. */
static inline int bind_truth(PyObject* value) {
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

/* An int, or an object with __index__, in [min, max]. The exception for an int outside of it is `out_of_range`. */
static inline int bind_index(const char* name, PyObject* value, long long min, long long max, const char* unit,
                             PyObject* out_of_range, long long* out) {
    int overflow = 0;
    PyObject* index = PyNumber_Index(value);
    if (!index) {
        if (!PyErr_ExceptionMatches(PyExc_TypeError)) return -1;
        PyErr_Clear();
        bind_refuse(PyExc_TypeError, value, "%s: expected an int", name);
        return -1;
    }
    *out = PyLong_AsLongLongAndOverflow(index, &overflow);
    Py_DECREF(index);
    if (!overflow && *out >= min && *out <= max) return 0;
    bind_refuse(out_of_range, value, "%s: expected an int in [%lld, %lld]%s%s", name, min, max, *unit ? " " : "", unit);
    return -1;
}

/* The same, and ValueError out of range. True and False are no ints. */
static inline int bind_int(const char* name, PyObject* value, long long min, long long max, const char* unit,
                           long long* out) {
    if (bind_truth(value) < 0) return bind_index(name, value, min, max, unit, PyExc_ValueError, out);
    bind_refuse(PyExc_TypeError, value, "%s: expected an int", name);
    return -1;
}

/* 1 for a float, an int and NumPy's scalars of both; 0 for bool, str, arrays; -1 with an exception set. */
static inline int bind_is_real(PyObject* value) {
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

/* A float in [min, max], or an int. NaN is refused. */
static inline int bind_float(const char* name, PyObject* value, double min, double max, const char* unit, float* out) {
    char range[64];
    double number;
    const int real = bind_is_real(value);
    if (real < 0) return -1;
    if (!real) {
        bind_refuse(PyExc_TypeError, value, "%s: expected a float", name);
        return -1;
    }
    number = PyFloat_AsDouble(value);
    if (number == -1 && PyErr_Occurred()) {
        if (!PyErr_ExceptionMatches(PyExc_OverflowError)) return -1;
        PyErr_Clear(); /* an int beyond every double is out of range too */
        number = Py_HUGE_VAL;
    }
    if (number >= min && number <= max) { /* false for NaN */
        *out = (float)number;
        return 0;
    }
    PyOS_snprintf(range, sizeof range, "[%.9g, %.9g]", min, max);
    bind_refuse(PyExc_ValueError, value, "%s: expected a float in %s%s%s", name, range, *unit ? " " : "", unit);
    return -1;
}

/* New reference: the names in "one|two|three" as a tuple. */
static inline PyObject* bind_names(const char* names) {
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
static inline int bind_choice(const char* name, PyObject* value, const char* names, int* out) {
    PyObject *tuple = NULL, *comma = NULL, *listed = NULL;
    const bool text = PyUnicode_Check(value);
    Py_ssize_t index = -1;
    if (!(tuple = bind_names(names))) goto done;
    if (text && (index = PySequence_Index(tuple, value)) < 0) {
        if (!PyErr_ExceptionMatches(PyExc_ValueError)) goto done;
        PyErr_Clear(); /* the ValueError says that it is none of the names */
    }
    *out = (int)index;
    if (index >= 0 || !(comma = PyUnicode_FromString("', '")) || !(listed = PyUnicode_Join(comma, tuple))) goto done;
    bind_refuse(text ? PyExc_ValueError : PyExc_TypeError, value, "%s: expected one of '%U'", name, listed);
done:
    Py_XDECREF(tuple);
    Py_XDECREF(comma);
    Py_XDECREF(listed);
    return index >= 0 ? 0 : -1;
}

/* *value: dict[name], a new reference. Returns 1; 0 and NULL where there is none; -1 with an exception. */
static inline int bind_find(PyObject* dict, PyObject* name, PyObject** value) {
    *value = PyDict_GetItemWithError(dict, name);
    Py_XINCREF(*value);
    return *value ? 1 : PyErr_Occurred() ? -1 : 0;
}

/* The same, and removes it from the dict. */
static inline int bind_take(PyObject* keywords, const char* name, PyObject** value) {
    PyObject* key = PyUnicode_FromString(name);
    int result = -1;
    *value = NULL;
    if (!key) return -1;
    result = bind_find(keywords, key, value);
    if (result > 0 && PyDict_DelItem(keywords, key) < 0) result = -1;
    Py_DECREF(key);
    return result;
}

/* A key of a dict that is not empty, as a new reference; NULL where it is empty. */
static inline PyObject* bind_any_key(PyObject* dict) {
    PyObject* key = NULL;
    Py_ssize_t position = 0;
    PyDict_Next(dict, &position, &key, NULL);
    Py_XINCREF(key);
    return key;
}

/* A dict of the caller's own, which nobody else changes, of keyword arguments; `kwargs` may be NULL. New reference. */
static inline PyObject* bind_keywords(PyObject* kwargs) { return kwargs ? PyDict_Copy(kwargs) : PyDict_New(); }

/* Moves the arguments `names` of a function, given by position or by name, into values[], as new references: Python that runs
 * later, in an __index__ for example, may empty the dict that they came in. The first `required` must be there; a value that is not
 * given is NULL. Keywords of other names stay. The caller drops the values, also after a failure. */
static inline int bind_take_arguments(const char* function, PyObject* args, PyObject* keywords, const char* const* names,
                                      int count, int required, PyObject** values) {
    const Py_ssize_t given = PyTuple_Size(args);
    if (given > count) {
        PyErr_Format(PyExc_TypeError, "%s() takes at most %d positional arguments, got %zd", function, count, given);
        return -1;
    }
    for (int k = 0; k < count; k++) {
        const int named = bind_take(keywords, names[k], &values[k]);
        if (named < 0) return -1;
        if (named ? k < given : k >= given && k < required) {
            PyErr_Format(PyExc_TypeError, named ? "%s: given both by position and by name" : "%s: missing", names[k]);
            return -1;
        }
        if (k < given) values[k] = PyTuple_GetItem(args, k);
        if (k < given) Py_XINCREF(values[k]);
    }
    return 0;
}

/* The same for a function that takes no others. */
static inline int bind_arguments(const char* function, PyObject* args, PyObject* kwargs, const char* const* names, int count,
                                 int required, PyObject** values) {
    PyObject *keywords = bind_keywords(kwargs), *key = NULL;
    int result = -1;
    if (!keywords || bind_take_arguments(function, args, keywords, names, count, required, values) < 0) goto done;
    if ((key = bind_any_key(keywords)))
        PyErr_Format(PyExc_TypeError, "%s() takes no argument %R", function, key);
    else
        result = 0;
done:
    Py_XDECREF(key);
    Py_XDECREF(keywords);
    return result;
}

/* Drops what bind_arguments took. */
static inline void bind_drop(PyObject** values, int count) {
    for (int k = 0; k < count; k++) Py_CLEAR(values[k]);
}

/* The same for an int with a default: *out stays as it is where there is no such keyword. */
static inline int bind_take_int(PyObject* keywords, const char* name, long long min, long long max, long long* out) {
    PyObject* value = NULL;
    int result = bind_take(keywords, name, &value);
    if (result > 0) result = bind_int(name, value, min, max, "", out);
    Py_XDECREF(value);
    return result;
}

#endif
