/* describe.h - the lists of a header as Python objects, and its parameters from Python objects
 *
 * binding.c includes it. A function returns 0, or -1 with an exception set (a new reference, or NULL), unless its comment says
 * otherwise.
 */
#ifndef BIND_DESCRIBE_H
#define BIND_DESCRIBE_H

#include "object.h"

static const char* const PARAM_KINDS[] = {"int", "float", "bool", "choice"}; /* by EnvVecKind */

/* NumPy's name for the type of each field of env_vec_fields. */
#define DTYPE(type)                                                                                                           \
    _Generic((type)0, float: "float32", double: "float64", int8_t: "int8", uint8_t: "uint8", int16_t: "int16",                \
             uint16_t: "uint16", int32_t: "int32", uint32_t: "uint32", int64_t: "int64", uint64_t: "uint64")
#define FIELD_DTYPE(type, name, doc) DTYPE(type),
static const char* const FIELD_DTYPES[] = {ENV_STATE(FIELD_DTYPE) DTYPE(uint64_t)};

/* The names of env_vec_fields, as bind_choice takes them. */
#define FIELD_NAME(type, name, doc) #name "|"
static const char FIELD_NAMES[] = ENV_STATE(FIELD_NAME) "rng";

/* The elements of the observation that have names. */
typedef struct Element {
    const char *name, *doc;
} Element;

#ifndef ENV_OBSERVATION
#define ENV_OBSERVATION(X)
#endif
#define ELEMENT(name, doc) {#name, doc},
static const Element ELEMENTS[] = {ENV_OBSERVATION(ELEMENT){NULL, NULL}}; /* C has no empty array */
enum { NUM_ELEMENTS = sizeof ELEMENTS / sizeof ELEMENTS[0] - 1 };

/* The element type of an EnvSpace by its letter; '?' is a flag: one byte, 0 or 1. */
static inline const BindType* space_type(char letter) {
    static const BindType types[] = {
        {"float32", "f", 4}, {"int32", "il", 4}, {"int8", "b", 1}, {"uint8", "B", 1}, {"bool", "?bB", 1}};
    return &types[strchr("fibB?", letter) - "fibB?"];
}

/* ---- Parameters -------------------------------------------------------------------------------------------------------- */

/* Writes a value into the field of `target` that the parameter stands for. */
static inline int parse_param(const EnvVecParam* p, PyObject* value, void* target) {
    void* field = (char*)target + p->offset;
    long long number = 0;
    int truth = 0;
    switch (p->kind) {
        case ENV_VEC_int:
            if (bind_int(p->name, value, (long long)p->min, (long long)p->max, p->unit, &number) < 0) return -1;
            *(int*)field = (int)number;
            return 0;
        case ENV_VEC_float: return bind_float(p->name, value, p->min, p->max, p->unit, field);
        case ENV_VEC_choice: return bind_choice(p->name, value, p->unit, field);
        case ENV_VEC_bool: break;
    }
    if ((truth = bind_truth(value)) < 0) {
        bind_refuse(PyExc_TypeError, value, "%s: expected True or False", p->name);
        return -1;
    }
    *(bool*)field = truth;
    return 0;
}

/* A number from the header's list as the Python object that the parameter takes. */
static inline PyObject* param_value(const EnvVecParam* p, double number) {
    PyObject *names = NULL, *result = NULL;
    if (p->kind == ENV_VEC_int) return PyLong_FromDouble(number);
    if (p->kind == ENV_VEC_float) return PyFloat_FromDouble(number);
    if (p->kind == ENV_VEC_bool) return PyBool_FromLong(number != 0);
    if ((names = bind_names(p->unit))) result = PySequence_GetItem(names, (Py_ssize_t)number);
    Py_XDECREF(names);
    return result;
}

/* Moves the parameters of a list from the dict into `target`, and the default where the dict has none. A key that is left is refused. `what`
 * they are, and `valid`: ", name, name". */
static inline int take_listed(PyObject* keywords, const EnvVecParam* params, int count, const char* what, const char* valid,
                              void* target) {
    PyObject *key = NULL, *value = NULL;
    for (int k = 0; k < count; k++) {
        const EnvVecParam* p = &params[k];
        int result = bind_take(keywords, p->name, &value);
        if (result == 0 && !(value = param_value(p, p->value))) return -1;
        if (result >= 0) result = parse_param(p, value, target);
        Py_CLEAR(value);
        if (result < 0) return -1;
    }
    if (!(key = bind_any_key(keywords))) return 0;
    if (count)
        PyErr_Format(PyExc_TypeError, "unknown %s %R; valid are %s", what, key, valid + 2);
    else
        PyErr_Format(PyExc_TypeError, "unknown %s %R; there are none", what, key);
    Py_DECREF(key);
    return -1;
}

/* The parameters of the environment. */
#define PARAM_NAME(type, name, ...) ", " #name
static inline int take_params(PyObject* keywords, Env* env) {
    return take_listed(keywords, env_vec_params, ENV_VEC_NUM_PARAMS, "parameter", ENV_PARAMS(PARAM_NAME) "", env);
}

/* Moves the parameters of ENV_CHANGEABLE that the dict has into env. A key that is left is refused. */
static inline int take_changes(PyObject* keywords, Env* env) {
#define CHANGEABLE_NAME(name) ", " #name
    static const char valid[] = ENV_CHANGEABLE(CHANGEABLE_NAME) "";
    PyObject *key = NULL, *value = NULL;
    for (int k = 0; k < ENV_VEC_NUM_PARAMS; k++) {
        int result = env_vec_is_changeable(k) ? bind_take(keywords, env_vec_params[k].name, &value) : 0;
        if (result > 0) result = parse_param(&env_vec_params[k], value, env);
        Py_CLEAR(value);
        if (result < 0) return -1;
    }
    if (!(key = bind_any_key(keywords))) return 0;
    PyErr_Format(PyExc_TypeError, "%S: expected a parameter that may change: %s", key, valid + (sizeof valid > 1 ? 2 : 0));
    Py_DECREF(key);
    return -1;
}

/* ---- Descriptions ------------------------------------------------------------------------------------------------------ */

/* A dict made read-only. Steals `dict`, which may be NULL with an exception set. */
static inline PyObject* frozen(PyObject* dict) {
    PyObject* result = dict ? PyDictProxy_New(dict) : NULL;
    Py_XDECREF(dict);
    return result;
}

/* dict[name] = value. False with an exception set. Steals `value`, which may be NULL with an exception set. */
static inline bool put(PyObject* dict, const char* name, PyObject* value) {
    bool done = value && PyDict_SetItemString(dict, name, value) == 0;
    Py_XDECREF(value);
    return done;
}

/* A parameter as {"type", "default", "min", "max", "unit", "doc", "choices", "changeable"}. */
static inline PyObject* describe_param(const EnvVecParam* p, bool changeable) {
    const bool ranged = p->kind == ENV_VEC_int || p->kind == ENV_VEC_float, named = p->kind == ENV_VEC_choice;
    PyObject* value = param_value(p, p->value);
    PyObject* min = ranged ? param_value(p, p->min) : Py_NewRef(Py_None);
    PyObject* max = ranged ? param_value(p, p->max) : Py_NewRef(Py_None);
    PyObject* choices = named ? bind_names(p->unit) : Py_NewRef(Py_None);
    /* N steals a reference, and fails where it is NULL */
    return frozen(Py_BuildValue("{s:s, s:N, s:N, s:N, s:s, s:s, s:N, s:O}", "type", PARAM_KINDS[p->kind], "default", value,
                                "min", min, "max", max, "unit", named ? "" : p->unit, "doc", p->doc, "choices", choices,
                                "changeable", changeable ? Py_True : Py_False));
}

/* Sets the class attribute `name` to the dict, read-only. Steals `dict`, which may be NULL with an exception set. */
static inline bool add_dict(PyObject* type, const char* name, PyObject* dict) {
    PyObject* view = frozen(dict);
    const bool good = view && PyObject_SetAttrString(type, name, view) == 0;
    Py_XDECREF(view);
    return good;
}

/* Adds the class attributes parameters, log_fields, state_fields and observation_fields, as read-only dicts. */
static inline int add_class_data(PyObject* type) {
    enum { PARAMS, LOG, FIELDS, OBSERVATION, NUM_DICTS };
    static const char* const names[] = {"parameters", "log_fields", "state_fields", "observation_fields"};
    PyObject* dicts[NUM_DICTS];
    bool good = true;
    for (int k = 0; k < NUM_DICTS; k++) good = (dicts[k] = PyDict_New()) && good;
    for (int k = 0; good && k < ENV_VEC_NUM_PARAMS; k++)
        good = put(dicts[PARAMS], env_vec_params[k].name, describe_param(&env_vec_params[k], env_vec_is_changeable(k)));
    for (int k = 0; good && k < ENV_VEC_NUM_LOG; k++)
        good = put(dicts[LOG], env_vec_log_fields[k].name, PyUnicode_FromString(env_vec_log_fields[k].doc));
    for (int k = 0; good && k < ENV_VEC_NUM_FIELDS; k++)
        good = put(dicts[FIELDS], env_vec_fields[k].name,
                   frozen(Py_BuildValue("{s:s,s:s}", "type", FIELD_DTYPES[k], "doc", env_vec_fields[k].doc)));
    for (int k = 0; good && k < NUM_ELEMENTS; k++)
        good = put(dicts[OBSERVATION], ELEMENTS[k].name, PyUnicode_FromString(ELEMENTS[k].doc));
    for (int k = 0; k < NUM_DICTS; k++) {
        good = good && add_dict(type, names[k], Py_NewRef(dicts[k]));
        Py_XDECREF(dicts[k]);
    }
    return good ? 0 : -1;
}

/* What the mirror makes of each element of an observation, or of each choice or float of an action: ((from, sign), ...). None without
 * ENV_MIRROR. `of`: c_mirror_observation or c_mirror_action. */
static inline PyObject* describe_mirror(const Env* env, EnvMirror (*of)(const Env*, int32_t), int32_t size) {
    PyObject* result = ENV_VEC_HAS_MIRROR ? PyTuple_New(size) : Py_NewRef(Py_None);
    for (int32_t k = 0; result && ENV_VEC_HAS_MIRROR && k < size; k++) {
        const EnvMirror mirror = of(env, k);
        PyObject* pair = Py_BuildValue("(ii)", (int)mirror.from, (int)mirror.sign);
        if (!pair || PyTuple_SetItem(result, k, pair) < 0) Py_CLEAR(result); /* SetItem steals the pair */
    }
    return result;
}

/* One agent's share of an array as {"dtype", "size", "low", "high", "choices", "mirror"}. Steals `mirror`, of describe_mirror. */
static inline PyObject* describe_space(EnvSpace space, PyObject* mirror) {
    PyObject* choices = space.choices ? PyTuple_New(space.size) : Py_NewRef(Py_None);
    for (int32_t k = 0; choices && space.choices && k < space.size; k++) {
        PyObject* number = PyLong_FromLong(space.choices[k]);
        if (!number || PyTuple_SetItem(choices, k, number) < 0) Py_CLEAR(choices); /* SetItem steals the number */
        space.low = 0;
        if (!k || space.high < (float)(space.choices[k] - 1)) space.high = (float)(space.choices[k] - 1);
    }
    /* N steals a reference, and fails where it is NULL */
    return Py_BuildValue("{s:s,s:i,s:d,s:d,s:N,s:N}", "dtype", space_type(space.type)->name, "size", (int)space.size, "low",
                         (double)space.low, "high", (double)space.high, "choices", choices, "mirror", mirror);
}

#endif
