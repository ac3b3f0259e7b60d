/* planner.h - the class Planner: looking ahead in imagined flights, over learn/plan.h; and the methods of Learner that a planner teaches with
 *
 * binding.c includes it. A Planner keeps what it needs of the VecEnv that it was made from, and holds no VecEnv. One thread at a time uses it.
 */
#ifndef BIND_PLANNER_H
#define BIND_PLANNER_H

#include "learner.h"

#include "../learn/distil.h"

typedef struct PlannerObject {
    PyObject_HEAD
    atomic_int busy;
    int64_t agents; /* for which the last act() planned */
    Planner planner;
} PlannerObject;

#define PLANNER_SETTING(type, name, value, min, max, unit, doc)                                                               \
    {ENV_VEC_##type, #name, offsetof(PlanSettings, name), (double)(value), (double)(min), (double)(max), unit, doc},
static const EnvVecParam PLANNER_SETTINGS[] = {PLAN_SETTINGS(PLANNER_SETTING)};
enum { NUM_PLANNER_SETTINGS = sizeof PLANNER_SETTINGS / sizeof PLANNER_SETTINGS[0] };

/* Adds the class attribute settings, a read-only dict. */
static inline int add_planner_data(PyObject* type) {
    PyObject* settings = PyDict_New();
    bool good = settings != NULL;
    for (int k = 0; good && k < NUM_PLANNER_SETTINGS; k++)
        good = put(settings, PLANNER_SETTINGS[k].name, describe_param(&PLANNER_SETTINGS[k], false));
    good = good && add_dict(type, "settings", Py_NewRef(settings));
    Py_XDECREF(settings);
    return good ? 0 : -1;
}

/* Makes the planner the caller's alone until release_planner(). 0, or -1 with an exception. */
static inline int take_planner(PlannerObject* self) {
    int idle = 0;
    if (atomic_compare_exchange_strong(&self->busy, &idle, 1)) return 0;
    PyErr_SetString(PyExc_RuntimeError, "Planner is in use by another thread");
    return -1;
}
static inline void release_planner(PlannerObject* self) { atomic_store(&self->busy, 0); }

/* Makes an exception of a message; what is not the memory's fault is the argument's. */
static inline PyObject* planner_result(const char* message) {
    if (!message) return Py_NewRef(Py_None);
    if (strcmp(message, ENV_NO_MEMORY) == 0) return PyErr_NoMemory();
    PyErr_SetString(PyExc_ValueError, message);
    return NULL;
}

static inline PyObject* planner_new(PyTypeObject* type, PyObject* args, PyObject* kwargs) {
    const allocfunc allocate = (allocfunc)PyType_GetSlot(type, Py_tp_alloc);
    PyObject *result = NULL, *keywords = NULL, *value = NULL, *policy = NULL;
    PlannerObject* self = NULL;
    VecEnv* vec = NULL;
    const char* npz = NULL;
    size_t bytes = 0;
    long long seed = 0, num_threads = 1;
    PlanSettings settings;
    if (!PyArg_ParseTuple(args, "O:Planner", &value) || !(vec = take_vecenv("vec", value))) return NULL;
    if (!offers(ENV_VEC_HAS_STATE, "ENV_STATE") || !(keywords = bind_keywords(kwargs))) goto done;
    if (bind_take(keywords, "policy", &policy) < 0) goto done;
    if (policy && policy != Py_None && take_bytes("policy", policy, &npz, &bytes) < 0) goto done;
    if (bind_take_int(keywords, "seed", 0, LLONG_MAX, &seed) < 0) goto done;
    if (bind_take_int(keywords, "num_threads", 1, ENV_VEC_MAX_THREADS, &num_threads) < 0) goto done;
    if (take_listed(keywords, PLANNER_SETTINGS, NUM_PLANNER_SETTINGS, "setting", PLAN_SETTINGS(PARAM_NAME) "", &settings) <
        0)
        goto done;
    if (!(self = (PlannerObject*)allocate(type, 0)) || enter(vec, false) < 0) goto done; /* zeroed */
    if ((result = planner_result(
             plan_open(&self->planner, &vec->vec.envs[0], &settings, npz, bytes, (uint64_t)seed, num_threads)))) {
        Py_DECREF(result);
        result = Py_NewRef((PyObject*)self);
    }
    leave(vec);
done:
    Py_XDECREF(policy);
    Py_XDECREF((PyObject*)self);
    Py_XDECREF(keywords);
    return result;
}

static inline int planner_traverse(PyObject* object, visitproc visit, void* arg) {
    Py_VISIT(Py_TYPE(object));
    return 0;
}

static inline void planner_dealloc(PyObject* object) {
    PyTypeObject* type = Py_TYPE(object);
    PyObject_GC_UnTrack(object);
    plan_close(&((PlannerObject*)object)->planner);
    ((freefunc)PyType_GetSlot(type, Py_tp_free))(object);
    Py_DECREF(type);
}

/* ---- Methods of Planner ---------------------------------------------------------------------------------------------------- */

static const char plan_act_doc[] =
    "act($self, /, vec, step=0)\n--\n\n"
    "Write for each agent of a VecEnv the action that earns most in imagined flights from its state. Nothing else of the VecEnv changes. Its\n"
    "environments are like the one that the planner was made from. step: of the flight; equal steps draw with equal random numbers.\n\n"
    "Raises: TypeError or ValueError for an argument; RuntimeError before the first reset() of that VecEnv, when it is closed, in use by\n"
    "another thread, or over an array that was resized, and when the planner is in use by another thread; MemoryError.";
static inline PyObject* planner_act(PyObject* object, PyObject* args, PyObject* kwargs) {
    enum { VEC, STEP, COUNT };
    static const char* const names[] = {"vec", "step"};
    PlannerObject* self = (PlannerObject*)object;
    PyObject *values[COUNT] = {NULL}, *result = NULL;
    VecEnv* vec = NULL;
    const char* message = NULL;
    long long step = 0;
    if (bind_arguments("act", args, kwargs, names, COUNT, 1, values) < 0) goto done;
    if (!(vec = take_vecenv("vec", values[VEC]))) goto done;
    if (values[STEP] && bind_int("step", values[STEP], 0, LLONG_MAX, "", &step) < 0) goto done;
    if (take_planner(self) < 0) goto done;
    if (enter_arrays(vec, true) == 0) {
        Py_BEGIN_ALLOW_THREADS
        message = plan_act(&self->planner, &vec->vec, (uint64_t)step);
        Py_END_ALLOW_THREADS
        if (!message) self->agents = vec->vec.num_agents;
        result = planner_result(message);
        leave(vec);
    }
    release_planner(self);
done:
    bind_drop(values, COUNT);
    return result;
}

static const char show_doc[] =
    "show($self, /, vec, env=0)\n--\n\n"
    "Have the window of an environment show, in its further frames, what the last act() imagined for the agent that the viewer has selected.\n"
    "Call it after each act(). It does nothing where the environment has no window of this kind.\n\n"
    "Raises: TypeError or ValueError for an argument; RuntimeError before the first reset() of that VecEnv, when it is closed or in use by\n"
    "another thread, and when the planner is in use by another thread; MemoryError.";
static inline PyObject* planner_show(PyObject* object, PyObject* args, PyObject* kwargs) {
    enum { VEC, WHICH, COUNT };
    static const char* const names[] = {"vec", "env"};
    PlannerObject* self = (PlannerObject*)object;
    PyObject *values[COUNT] = {NULL}, *result = NULL;
    VecEnv* vec = NULL;
    long long i = 0;
    if (bind_arguments("show", args, kwargs, names, COUNT, 1, values) < 0) goto done;
    if (!(vec = take_vecenv("vec", values[VEC])) || take_index(vec, values[WHICH], &i) < 0) goto done;
    if (take_planner(self) < 0) goto done;
    if (enter(vec, true) == 0) {
        result = planner_result(plan_show(&self->planner, &vec->vec, i));
        leave(vec);
    }
    release_planner(self);
done:
    bind_drop(values, COUNT);
    return result;
}

static const char expected_doc[] =
    "expected($self, /)\n--\n\n"
    "What each action was expected to earn in the last act(): the mean sum of rewards, (num_agents, choices) of float32 as bytes.\n\n"
    "Raises: RuntimeError when the planner is in use by another thread.";
static inline PyObject* planner_expected(PyObject* object, PyObject* unused) {
    PlannerObject* self = (PlannerObject*)object;
    PyObject* result = NULL;
    (void)unused;
    if (take_planner(self) < 0) return NULL;
    result =
        PyBytes_FromStringAndSize((const char*)self->planner.means,
                                  (Py_ssize_t)((size_t)self->agents * (size_t)self->planner.num_choices * sizeof(float)));
    release_planner(self);
    return result;
}

static const char planner_doc[] =
    "Planner(vec, /, *, policy=None, seed=0, num_threads=1, **settings)\n--\n\n"
    "Looks ahead for all agents of environments like those of a VecEnv: every action of an agent is tried in imagined flights, which begin in\n"
    "copies of the state. It sees the whole state, and needs the environment's own code.\n\n"
    "policy: the bytes of a policy.npz, which flies what is imagined; None draws all actions evenly. num_threads: that plan; results do not\n"
    "depend on it. settings: see Planner.settings.\n\n"
    "Raises: TypeError or ValueError for an argument; NotImplementedError where the environment does not say what its state is; MemoryError;\n"
    "RuntimeError when the VecEnv is closed or in use by another thread.";

static PyMethodDef planner_methods[] = {
    {"act", (PyCFunction)(void (*)(void))planner_act, METH_VARARGS | METH_KEYWORDS, plan_act_doc},
    {"show", (PyCFunction)(void (*)(void))planner_show, METH_VARARGS | METH_KEYWORDS, show_doc},
    {"expected", planner_expected, METH_NOARGS, expected_doc},
    {0},
};

static PyMemberDef planner_members[] = {
    {"num_threads", T_INT, offsetof(PlannerObject, planner.num_threads), READONLY, "The most threads that plan at a time."},
    {0},
};

static PyType_Slot planner_slots[] = {
    {Py_tp_doc, (void*)planner_doc},
    {Py_tp_new, planner_new},
    {Py_tp_dealloc, planner_dealloc},
    {Py_tp_traverse, planner_traverse},
    {Py_tp_methods, planner_methods},
    {Py_tp_members, planner_members},
    {0, NULL},
};

static PyType_Spec planner_spec = {
    .name = BIND_TEXT(ENV_MODULE) ".Planner",
    .basicsize = sizeof(PlannerObject),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .slots = planner_slots,
};

/* The argument as a Planner of this module, or NULL with an exception. */
static inline PlannerObject* take_planner_object(const char* name, PyObject* value) {
    if ((destructor)PyType_GetSlot(Py_TYPE(value), Py_tp_dealloc) == planner_dealloc) return (PlannerObject*)value;
    bind_refuse(PyExc_TypeError, value, "%s: expected a Planner of this module", name);
    return NULL;
}

/* ---- Methods of Learner ---------------------------------------------------------------------------------------------------- */

static inline PyObject* learner_imitate(PyObject* object, PyObject* args, PyObject* kwargs) {
    enum { PLANNER, STEPS, STUDENT, TEMPERATURE, COUNT };
    static const char* const names[] = {"planner", "steps", "student", "temperature"};
    LearnerObject* self = (LearnerObject*)object;
    PlannerObject* planner = NULL;
    PyObject *values[COUNT] = {NULL}, *result = NULL;
    const char* message = NULL;
    long long steps = 0;
    float temperature = 0.003f;
    int student = 1;
    if (bind_arguments("imitate", args, kwargs, names, COUNT, 2, values) < 0) goto done;
    if (!(planner = take_planner_object("planner", values[PLANNER]))) goto done;
    if (bind_int("steps", values[STEPS], 0, INT32_MAX, "", &steps) < 0) goto done;
    if (values[STUDENT] && (student = bind_truth(values[STUDENT])) < 0) {
        bind_refuse(PyExc_TypeError, values[STUDENT], "student: expected True or False");
        goto done;
    }
    if (values[TEMPERATURE] && bind_float("temperature", values[TEMPERATURE], 1e-6, 1e6, "reward", &temperature) < 0)
        goto done;
    if (take_planner(planner) < 0) goto done;
    if (enter_arrays(self->vec, true) == 0) {
        Py_BEGIN_ALLOW_THREADS
        message = learn_imitate(&self->learner, &planner->planner, (int32_t)steps, student, temperature);
        Py_END_ALLOW_THREADS
        planner->agents = 0; /* expected() is of act() */
        result = planner_result(message);
        leave(self->vec);
    }
    release_planner(planner);
done:
    bind_drop(values, COUNT);
    return result;
}

static inline PyObject* learner_regress(PyObject* object, PyObject* argument) {
    LearnerObject* self = (LearnerObject*)object;
    const char* message = NULL;
    long long epochs = 0;
    if (bind_int("epochs", argument, 1, 100000, "", &epochs) < 0 || enter_arrays(self->vec, true) < 0) return NULL;
    Py_BEGIN_ALLOW_THREADS
    message = learn_regress(&self->learner, (int32_t)epochs);
    Py_END_ALLOW_THREADS
    if (message) PyErr_SetString(PyExc_RuntimeError, message); /* before leave(): the text lies in the object */
    leave(self->vec);
    return message ? NULL : PyFloat_FromDouble((double)self->learner.log.policy_loss);
}

#endif
