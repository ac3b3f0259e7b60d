/* learner.h - the class Learner: a policy that learns in a VecEnv, over learn/ppo.h
 *
 * binding.c includes it. A Learner holds its VecEnv. Each method takes the VecEnv for itself while it runs, as the methods of VecEnv do
 * (bind/object.h): that protects the learner too.
 */
#ifndef BIND_LEARNER_H
#define BIND_LEARNER_H

#include "describe.h"

#include "../learn/policy.h"
#include "../learn/ppo.h"
#include "../learn/state.h"

typedef struct LearnerObject {
    PyObject_HEAD
    VecEnv* vec; /* a reference */
    Learner learner;
} LearnerObject;

#define LEARNER_SETTING(type, name, value, min, max, unit, doc)                                                               \
    {ENV_VEC_##type, #name, offsetof(LearnSettings, name), (double)(value), (double)(min), (double)(max), unit, doc},
static const EnvVecParam LEARNER_SETTINGS[] = {LEARN_SETTINGS(LEARNER_SETTING)};
enum { NUM_LEARNER_SETTINGS = sizeof LEARNER_SETTINGS / sizeof LEARNER_SETTINGS[0] };

#define LEARNER_LOG(name, doc) {#name, doc},
static const Element LEARNER_LOG_FIELDS[] = {LEARN_LOG(LEARNER_LOG)};
enum { NUM_LEARNER_LOG = sizeof LEARNER_LOG_FIELDS / sizeof LEARNER_LOG_FIELDS[0] };
_Static_assert(sizeof(LearnLog) == NUM_LEARNER_LOG * sizeof(float), "a LearnLog is floats alone");

/* Adds the class attributes settings and log_fields, as read-only dicts. */
static inline int add_learner_data(PyObject* type) {
    PyObject *log = PyDict_New(), *settings = PyDict_New();
    bool good = log && settings;
    for (int k = 0; good && k < NUM_LEARNER_LOG; k++)
        good = put(log, LEARNER_LOG_FIELDS[k].name, PyUnicode_FromString(LEARNER_LOG_FIELDS[k].doc));
    for (int k = 0; good && k < NUM_LEARNER_SETTINGS; k++)
        good = put(settings, LEARNER_SETTINGS[k].name, describe_param(&LEARNER_SETTINGS[k], false));
    good = good && add_dict(type, "log_fields", Py_NewRef(log)) && add_dict(type, "settings", Py_NewRef(settings));
    Py_XDECREF(log);
    Py_XDECREF(settings);
    return good ? 0 : -1;
}

/* ---- Construction ------------------------------------------------------------------------------------------------------- */

static void vecenv_dealloc(PyObject* object);

/* The argument as a VecEnv of this module, or NULL with an exception: one of its types is deallocated by vecenv_dealloc. */
static inline VecEnv* take_vecenv(const char* name, PyObject* value) {
    for (PyTypeObject* type = Py_TYPE(value); type; type = (PyTypeObject*)PyType_GetSlot(type, Py_tp_base))
        if ((destructor)PyType_GetSlot(type, Py_tp_dealloc) == vecenv_dealloc) return (VecEnv*)value;
    bind_refuse(PyExc_TypeError, value, "%s: expected a VecEnv of this module", name);
    return NULL;
}

static inline PyObject* learner_new(PyTypeObject* type, PyObject* args, PyObject* kwargs) {
    const allocfunc allocate = (allocfunc)PyType_GetSlot(type, Py_tp_alloc);
    PyObject *result = NULL, *keywords = NULL, *value = NULL;
    LearnerObject* self = NULL;
    VecEnv* vec = NULL;
    const char* message = NULL;
    long long seed = 0, num_threads = 1;
    LearnSettings settings;
    if (!PyArg_ParseTuple(args, "O:Learner", &value) || !(vec = take_vecenv("vec", value))) return NULL;
    if (!(keywords = kwargs ? PyDict_Copy(kwargs) : PyDict_New())) goto done;
    if (bind_take_int(keywords, "seed", 0, LLONG_MAX, &seed) < 0) goto done;
    if (bind_take_int(keywords, "num_threads", 1, ENV_VEC_MAX_THREADS, &num_threads) < 0) goto done;
    if (take_listed(keywords, LEARNER_SETTINGS, NUM_LEARNER_SETTINGS, "setting", LEARN_SETTINGS(PARAM_NAME) "", &settings) <
        0)
        goto done;
    if (!(self = (LearnerObject*)allocate(type, 0)) || enter(vec, false) < 0) goto done; /* zeroed */
    message = learn_open(&self->learner, &vec->vec, &settings, (uint64_t)seed, num_threads);
    if (!message) {
        self->vec = (VecEnv*)Py_NewRef((PyObject*)vec);
        result = Py_NewRef((PyObject*)self);
    } else if (strcmp(message, ENV_NO_MEMORY) == 0) {
        PyErr_NoMemory();
    } else {
        /* before leave(): the text may lie in the object */
        PyErr_SetString(self->learner.bad_header ? PyExc_SystemError : PyExc_ValueError, message);
    }
    leave(vec);
done:
    Py_XDECREF((PyObject*)self);
    Py_XDECREF(keywords);
    return result;
}

static inline int learner_traverse(PyObject* object, visitproc visit, void* arg) {
    Py_VISIT(Py_TYPE(object));
    Py_VISIT((PyObject*)((LearnerObject*)object)->vec);
    return 0;
}

/* Nobody uses the object any more. A cycle through the VecEnv needs no breaking here: VecEnv itself has a tp_clear. */
static inline void learner_dealloc(PyObject* object) {
    LearnerObject* self = (LearnerObject*)object;
    PyTypeObject* type = Py_TYPE(object);
    PyObject_GC_UnTrack(object);
    learn_close(&self->learner);
    Py_XDECREF((PyObject*)self->vec);
    ((freefunc)PyType_GetSlot(type, Py_tp_free))(object);
    Py_DECREF(type);
}

/* ---- Methods ----------------------------------------------------------------------------------------------------------- */

static const char learn_doc[] =
    "learn($self, agent_steps, /)\n--\n\n"
    "Learn for at least so many further agent-steps: whole updates of rollout * num_agents.\n\n"
    "The GIL is released meanwhile; do not touch the arrays until it returns. Ctrl-C and other signals are seen between updates.\n\n"
    "Raises: TypeError or ValueError for the argument; FloatingPointError where rewards, observations or the learning rate lead to\n"
    "numbers that are not finite; RuntimeError before the VecEnv's first reset(), when it is closed, in use by another thread, or over an\n"
    "array that was resized.";
static inline PyObject* learner_learn(PyObject* object, PyObject* argument) {
    LearnerObject* self = (LearnerObject*)object;
    Learner* learner = &self->learner;
    const char* message = NULL;
    long long steps = 0;
    if (bind_int("agent_steps", argument, 0, LLONG_MAX / 2, "", &steps) < 0 || enter_arrays(self->vec, true) < 0)
        return NULL;
    bool interrupted = false;
    for (const int64_t from = learner->agent_steps; !message && !interrupted && learner->agent_steps - from < steps;) {
        Py_BEGIN_ALLOW_THREADS
        message = learn_update(learner);
        Py_END_ALLOW_THREADS
        interrupted = PyErr_CheckSignals() < 0 || bind_check_held(self->vec->arrays, BIND_MOST_ARRAYS) < 0;
    }
    if (message && !interrupted)
        PyErr_SetString(PyExc_FloatingPointError, message); /* before leave(): the text lies in the object */
    leave(self->vec);
    return message || interrupted ? NULL : Py_NewRef(Py_None);
}

static const char learner_log_doc[] =
    "log($self, /)\n--\n\n"
    "The fields of log_fields, of the last update; and as `env/NAME` what the VecEnv's log() returns.\n\n"
    "Raises: RuntimeError when the VecEnv is closed or in use by another thread.";
static inline PyObject* learner_log(PyObject* object, PyObject* unused) {
    LearnerObject* self = (LearnerObject*)object;
    PyObject* result = NULL;
    double means[ENV_VEC_NUM_LOG] = {0};
    float log[NUM_LEARNER_LOG];
    char name[160];
    bool good = false;
    (void)unused;
    if (enter(self->vec, false) < 0) return NULL;
    memcpy(log, &self->learner.log, sizeof log);
    good = (result = PyDict_New()) != NULL;
    for (int k = 0; good && k < NUM_LEARNER_LOG; k++)
        good = put(result, LEARNER_LOG_FIELDS[k].name, PyFloat_FromDouble((double)log[k]));
    if (good && env_vec_log(&self->vec->vec, means) > 0)
        for (int k = 0; good && k < ENV_VEC_NUM_LOG; k++) {
            PyOS_snprintf(name, sizeof name, "env/%s", env_vec_log_fields[k].name);
            good = put(result, name, PyFloat_FromDouble(means[k]));
        }
    if (good)
        env_vec_clear_log(&self->vec->vec);
    else
        Py_CLEAR(result);
    leave(self->vec);
    return result;
}

/* result[name] = (shape, bytes) of an array of the policy. */
static inline bool put_part(PyObject* result, const LearnPart* part) {
    const Py_ssize_t rows = (Py_ssize_t)part->rows, columns = (Py_ssize_t)part->columns;
    PyObject* shape = rows ? Py_BuildValue("(nn)", rows, columns) : Py_BuildValue("(n)", columns);
    PyObject* bytes = PyBytes_FromStringAndSize(NULL, (rows ? rows : 1) * columns * (Py_ssize_t)sizeof(float));
    char* at = bytes ? PyBytes_AsString(bytes) : NULL;
    for (size_t r = 0; at && r < (part->rows ? part->rows : 1); r++)
        for (size_t c = 0; c < part->columns; c++, at += sizeof(float)) {
            const float number = learn_part_get(part, r, c);
            memcpy(at, &number, sizeof number);
        }
    return put(result, part->name,
               Py_BuildValue("(NN)", shape, bytes)); /* N steals a reference, and fails where it is NULL */
}

static const char policy_doc[] =
    "policy($self, /)\n--\n\n"
    "The weights, as {name: (shape, bytes)} of float32: numpy.frombuffer(bytes, numpy.float32).reshape(shape).\n\n"
    "The names are those of torch's modules: encoder.0.weight (outputs, inputs), encoder.0.bias, encoder.2.weight and so on, each followed by\n"
    "tanh; then decoder.weight and decoder.bias, a score for each choice; or decoder_mean.* and decoder_logstd (1, n), which are in the\n"
    "units of the action space. The value function: critic.0.weight and so on, then value.weight and value.bias. They take observations as\n"
    "the environment writes them.\n\n"
    "With a mirror also mirror.observation and mirror.action, (2, n): element k of the mirror image is element [0, k] times [1, k]; an action's\n"
    "elements are the policy's outputs. The policy takes of an observation and its mirror image the one with the larger first element in\n"
    "which they differ; where that was the mirror image, choice c of its answer stands for choice [0, c], and a float is mirrored back.\n\n"
    "Raises: RuntimeError when the VecEnv is closed or in use by another thread.";
static inline PyObject* learner_policy(PyObject* object, PyObject* unused) {
    LearnerObject* self = (LearnerObject*)object;
    const Learner* learner = &self->learner;
    PyObject* result = NULL;
    LearnPart part;
    bool good = false;
    (void)unused;
    if (enter(self->vec, false) < 0) return NULL;
    good = (result = PyDict_New()) != NULL;
    for (int value = 0; value < 2; value++)
        for (int32_t k = 0; good && learn_policy_array(learner, value, k, &part); k++) good = put_part(result, &part);
    if (!good) Py_CLEAR(result);
    leave(self->vec);
    return result;
}

static const char act_doc[] =
    "act($self, /, vec, step=0, best=False)\n--\n\n"
    "Write the policy's actions for the observations of a VecEnv with the same spaces: the learner's own, or another. They are drawn by their\n"
    "probability, or the most probable. step: of the flight; equal steps draw with equal random numbers.\n\n"
    "Raises: TypeError or ValueError for an argument; RuntimeError before the first reset() of that VecEnv, when one of the two is closed, in\n"
    "use by another thread, or over an array that was resized.";
static inline PyObject* learner_act(PyObject* object, PyObject* args, PyObject* kwargs) {
    enum { VEC, STEP, BEST, COUNT };
    static const char* const names[] = {"vec", "step", "best"};
    LearnerObject* self = (LearnerObject*)object;
    PyObject *values[COUNT] = {NULL}, *result = NULL;
    VecEnv* vec = NULL;
    long long step = 0;
    int best = 0;
    if (bind_arguments("act", args, kwargs, names, COUNT, 1, values) < 0) goto done;
    if (!(vec = take_vecenv("vec", values[VEC]))) goto done;
    if (values[STEP] && bind_int("step", values[STEP], 0, LLONG_MAX, "", &step) < 0) goto done;
    if (values[BEST] && (best = bind_truth(values[BEST])) < 0) {
        bind_refuse(PyExc_TypeError, values[BEST], "best: expected True or False");
        goto done;
    }
    if (enter(self->vec, false) < 0) goto done;
    if (vec == self->vec || enter(vec, true) == 0) {
        if (!vec->vec.started) {
            PyErr_SetString(PyExc_RuntimeError, "call reset() first");
        } else if (!learn_fits(&self->learner, &vec->vec)) {
            PyErr_SetString(PyExc_ValueError, "vec: expected the spaces that the learner learns in, got others");
        } else if (bind_check_held(vec->arrays, BIND_MOST_ARRAYS) == 0) {
            Py_BEGIN_ALLOW_THREADS
            learn_act(&self->learner, &vec->vec, best ? LEARN_BEST : LEARN_DRAW, (uint64_t)step);
            Py_END_ALLOW_THREADS
            result = Py_NewRef(Py_None);
        }
        if (vec != self->vec) leave(vec);
    }
    leave(self->vec);
done:
    bind_drop(values, COUNT);
    return result;
}

static const char learner_state_doc[] =
    "state($self, /)\n--\n\n"
    "The state of the learner and of its VecEnv, as bytes. A Learner with the same settings over a VecEnv with the same parameters and num_envs\n"
    "that gets them by set_state() goes on to the same bits. The settings are not in it.\n\n"
    "Raises: NotImplementedError where the environment does not say what its state is; RuntimeError before the VecEnv's first reset(), when\n"
    "it is closed, in use by another thread, or over an array that was resized; MemoryError.";
static inline PyObject* learner_state(PyObject* object, PyObject* unused) {
    LearnerObject* self = (LearnerObject*)object;
    PyObject* result = NULL;
    (void)unused;
    if (!offers(ENV_VEC_HAS_STATE, "ENV_STATE") || enter_arrays(self->vec, true) < 0) return NULL;
    if ((result = PyBytes_FromStringAndSize(NULL, (Py_ssize_t)learn_state_bytes(&self->learner)))) {
        char* data = PyBytes_AsString(result);
        Py_BEGIN_ALLOW_THREADS
        learn_get_state(&self->learner, data);
        Py_END_ALLOW_THREADS
    }
    leave(self->vec);
    return result;
}

static const char learner_set_state_doc[] =
    "set_state($self, data, /)\n--\n\n"
    "Go on from what state() returned, here or in another process: sets the learner and its VecEnv. No reset() is needed before.\n\n"
    "Raises: TypeError for anything but bytes; ValueError, which says what is wrong, for bytes that are damaged or of another environment or\n"
    "network, and then nothing has changed; NotImplementedError where the environment does not say what its state is; RuntimeError when\n"
    "the VecEnv is closed, in use by another thread, or over an array that was resized.";
static inline PyObject* learner_set_state(PyObject* object, PyObject* argument) {
    LearnerObject* self = (LearnerObject*)object;
    const char *message = NULL, *data = NULL;
    size_t bytes = 0;
    if (!offers(ENV_VEC_HAS_STATE, "ENV_STATE") || take_bytes("data", argument, &data, &bytes) < 0 ||
        enter_arrays(self->vec, false) < 0)
        return NULL;
    Py_BEGIN_ALLOW_THREADS
    message = learn_set_state(&self->learner, data, bytes);
    Py_END_ALLOW_THREADS
    if (message) PyErr_SetString(PyExc_ValueError, message); /* before leave(): the text may lie in the object */
    leave(self->vec);
    return message ? NULL : Py_NewRef(Py_None);
}

static const char learner_doc[] =
    "Learner(vec, /, *, seed=0, num_threads=1, **settings)\n--\n\n"
    "A policy for all agents of a VecEnv that learns by proximal policy optimization. It turns the VecEnv's final observations on where the\n"
    "environment has them and the VecEnv was made without. While a method runs, the VecEnv is in use.\n\n"
    "num_threads: that compute; results do not depend on it. The VecEnv steps with its own. settings: see Learner.settings.\n\n"
    "Raises: TypeError or ValueError for an argument, in the words `name: expected ..., got ...`; MemoryError; RuntimeError when the VecEnv is\n"
    "closed or in use by another thread.";

/* bind/planner.h has these two. */
static PyObject* learner_imitate(PyObject* object, PyObject* args, PyObject* kwargs);
static PyObject* learner_regress(PyObject* object, PyObject* argument);

static const char imitate_doc[] =
    "imitate($self, /, planner, steps, student=True, temperature=0.003)\n--\n\n"
    "Fly so many steps in the VecEnv, whose agent-steps the planner labels, and keep them. student: the policy flies, drawn, and not the\n"
    "planner. A label is what each action is expected to earn beyond their mean, over the temperature. The setting `rollout` is how many\n"
    "steps can be kept in all.\n\n"
    "Raises: TypeError or ValueError for an argument; RuntimeError before the VecEnv's first reset(), when it is closed, in use by another\n"
    "thread, or over an array that was resized, and when the planner is in use by another thread; MemoryError.";
static const char regress_doc[] =
    "regress($self, epochs, /)\n--\n\n"
    "Make the policy like the labels of all steps that imitate() kept, in so many epochs. Returns half the mean square error of the last one.\n\n"
    "Raises: TypeError or ValueError for the argument; RuntimeError before the first imitate(), when the VecEnv is closed, in use by another\n"
    "thread, or over an array that was resized, and for numbers that are not finite.";

static PyMethodDef learner_methods[] = {
    {"learn", learner_learn, METH_O, learn_doc},
    {"log", learner_log, METH_NOARGS, learner_log_doc},
    {"policy", learner_policy, METH_NOARGS, policy_doc},
    {"act", (PyCFunction)(void (*)(void))learner_act, METH_VARARGS | METH_KEYWORDS, act_doc},
    {"imitate", (PyCFunction)(void (*)(void))learner_imitate, METH_VARARGS | METH_KEYWORDS, imitate_doc},
    {"regress", learner_regress, METH_O, regress_doc},
    {"state", learner_state, METH_NOARGS, learner_state_doc},
    {"set_state", learner_set_state, METH_O, learner_set_state_doc},
    {0},
};

static PyMemberDef learner_members[] = {
    {"vec", T_OBJECT_EX, offsetof(LearnerObject, vec), READONLY, "The VecEnv."},
    {"agent_steps", T_LONGLONG, offsetof(LearnerObject, learner.agent_steps), READONLY, "Agent-steps learned from so far."},
    {"updates", T_LONGLONG, offsetof(LearnerObject, learner.updates), READONLY, "Updates so far."},
    {"num_threads", T_INT, offsetof(LearnerObject, learner.num_threads), READONLY,
     "The most threads that compute at a time."},
    {0},
};

static PyType_Slot learner_slots[] = {
    {Py_tp_doc, (void*)learner_doc},
    {Py_tp_new, learner_new},
    {Py_tp_dealloc, learner_dealloc},
    {Py_tp_traverse, learner_traverse},
    {Py_tp_methods, learner_methods},
    {Py_tp_members, learner_members},
    {0, NULL},
};

static PyType_Spec learner_spec = {
    .name = BIND_TEXT(ENV_MODULE) ".Learner",
    .basicsize = sizeof(LearnerObject),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .slots = learner_slots,
};

#endif
