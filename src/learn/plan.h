/* plan.h - looking ahead: every agent tries each of its actions in imagined flights, and takes the one that earns most
 *
 * It needs no learning. It needs an environment whose state can be copied (ENV_STATE), with one discrete action an agent. Include it
 * after the header of an environment and env_vec.h:
 *
 *     PlanSettings settings;                                                        // PLAN_SETTINGS below
 *     Planner planner;
 *     plan_defaults(&settings);
 *     const char* error = plan_open(&planner, &vec.envs[0], &settings, npz, bytes, 1, 2);  // of a policy.npz, or NULL; seed 1, 2 threads
 *     if (!error) error = plan_act(&planner, &vec, 0);                              // the actions of step 0
 *     if (!error) error = env_vec_step(&vec);
 *     plan_close(&planner);
 *
 * A flight begins in a copy of the state. The policy draws all actions, evenly without one, for `horizon` steps. For each agent and each of
 * its k actions there is a variant of the flight: it takes that action first, and goes on by the policy. All variants of a flight draw with
 * equal random numbers, so that what they earn differs by little else than by the action. The action whose rewards have the largest sum,
 * in the mean over `flights`, is taken; of equals, the one that the policy drew.
 *
 *     others = frozen   k variants of all agents at once: each flies alone among the others as the flight without it went (c_imagine).
 *                       (1 + k) x horizon x flights steps of the environment for all its agents. Needs c_imagine.
 *     others = flying   the others answer to it: agents x k x horizon x flights steps
 *     others = team     the same, and the rewards of all agents count
 *
 * The environments that are imagined may differ from the real ones in parameters that leave the state alone, such as what is observed: the
 * policy sees the observations of the imagined ones. So a policy of one observation may plan for agents with another.
 *
 * A terminal ends what an agent earns in a flight; so does a truncation where the header has no c_imagine.
 *
 * Ownership: a Planner owns its arrays and environments. Close it once whatever happened: after an error, twice, or zeroed.
 * Errors:    a function that can fail returns NULL, or a message, which stays valid until the next call. Out of memory: ENV_NO_MEMORY.
 * Threads:   flights are shared out among num_threads threads; results do not depend on it. One thread at a time uses a Planner.
 */
#ifndef LEARN_PLAN_H
#define LEARN_PLAN_H

#include "learner.h"
#include "policy.h"

/* type, name, default, least, most, unit, doc */
#define PLAN_SETTINGS(X)                                                                                                         \
    X(int, horizon, 5, 1, 1000, "steps", "length of an imagined flight")                                                         \
    X(int, flights, 1, 1, 1000, "flights", "imagined for a decision: their mean counts")                                         \
    X(float, gamma, 1, 0, 1, "", "discount of rewards, for each step that they are away")                                        \
    X(choice, others, 0, 0, 2, "frozen|flying|team",                                                                             \
      "the other agents fly as recorded; or answer, which is slow; or answer, and their rewards count too")

typedef struct PlanSettings {
    PLAN_SETTINGS(ENV_FIELD)
} PlanSettings;

enum { PLAN_FROZEN, PLAN_FLYING, PLAN_TEAM };

typedef struct Planner {
    PlanSettings settings;
    uint64_t seed;
    int32_t num_threads;
    int32_t num_agents, num_choices; /* of one environment, and of an agent */
    bool has_policy;
    EnvVec twins;   /* that are imagined: for each thread a recording, and a variant for each choice */
    Learner policy; /* that flies them */
    bool opened;
    int32_t free_sets[ENV_VEC_MAX_THREADS], num_free; /* of twins, by the number of the thread's recording */
    int64_t room;                                     /* environments for which there is memory: */
    float* returns;                                   /* (environments x flights x agents x choices) */
    float* means;    /* (environments x agents x choices) of the last plan_act: the mean sum of rewards after each action */
    int32_t* drawn;  /* (environments x agents) first actions of the first flight */
    uint8_t* ended;  /* (threads x choices x agents) whether an agent's flight has ended */
    int64_t watched; /* the agent, of all, whose flights are kept; -1: none */
    int64_t traced;  /* whose flights were kept by the last plan_act; -1: nobody's */
    char*
        trace; /* (flights x choices x horizon) its items of ENV_STATE at each step of frozen flights; NULL until it is needed */
    size_t item; /* bytes of these, of one agent */
    char message[256];
} Planner;

static inline void plan_defaults(PlanSettings* env) { PLAN_SETTINGS(ENV__DEFAULT) }

/* NULL, or a message about the first setting outside its range. */
static inline const char* plan_check(const PlanSettings* env) {
    const char* message = NULL;
    PLAN_SETTINGS(ENV__CHECK)
    return message;
}

/* ---- Open, close ------------------------------------------------------------------------------------------------------------ */

static inline void plan__free_room(Planner* planner) {
    learn__free(planner->returns);
    learn__free(planner->means);
    learn__free(planner->drawn);
    planner->returns = planner->means = NULL;
    planner->drawn = NULL;
    planner->room = 0;
    planner->traced = -1;
}

/* Frees all that a Planner owns. */
static inline void plan_close(Planner* planner) {
    plan__free_room(planner);
    learn__free(planner->ended);
    learn__free(planner->trace);
    planner->ended = NULL;
    planner->trace = NULL;
    learn_close(&planner->policy);
    env_vec_close(&planner->twins);
    planner->opened = false;
}

/* The policy of a policy.npz in memory, for the twins. */
static inline const char* plan__read_policy(Planner* planner, const void* npz, size_t bytes) {
    LearnSettings settings;
    learn_defaults(&settings);
    const char* message = learn_policy_settings(npz, bytes, &settings);
    if (message) return message;
    settings.rollout = 1;
    settings.minibatch = (int)planner->twins.num_agents;
    settings.value_layers = 0;
    message = learn_open(&planner->policy, &planner->twins, &settings, planner->seed, planner->num_threads);
    return message ? message : learn_read_policy(&planner->policy, npz, bytes);
}

/* Makes a planner for environments with the parameters of `model`. npz: a policy.npz, or NULL for none. On failure it is closed. */
static inline const char* plan_open(Planner* planner, const Env* model, const PlanSettings* settings, const void* npz,
                                    size_t bytes, uint64_t seed, int64_t num_threads) {
    Env first;
    memset(planner, 0, sizeof *planner);
    memset(&first, 0, sizeof first);
    const char* message = plan_check(settings);
    if (!message) message = env_expect("num_threads", (double)num_threads, 1, ENV_VEC_MAX_THREADS);
    if (message) return message;
    if (!ENV_VEC_HAS_STATE) return "a planner needs an environment with ENV_STATE, which this header does not define";
    if (!ENV_VEC_HAS_IMAGINE && settings->others == PLAN_FROZEN)
        return "others: expected flying or team, because this header defines no c_imagine";
    for (int k = 0; k < ENV_VEC_NUM_PARAMS; k++) env_vec__copy_param(&env_vec_params[k], &first, model);
    const EnvSpace action = c_action_space(model);
    if (!action.choices || action.size != 1) return "actions: expected one of several choices an agent, got another space";
    planner->settings = *settings;
    planner->seed = seed;
    planner->num_threads = (int32_t)num_threads;
    planner->num_agents = model->num_agents;
    planner->num_choices = action.choices[0];
    EnvVec* twins = &planner->twins;
    message = env_vec_open(twins, &first, num_threads * (1 + planner->num_choices), seed, num_threads);
    if (!message) message = env_vec_attach(twins, NULL);
    if (!message && npz) message = plan__read_policy(planner, npz, bytes);
    if (!message) {
        const size_t agents = (size_t)twins->num_agents;
        planner->ended = (uint8_t*)learn__allocate(agents, 1);
        if (!planner->ended) message = ENV_NO_MEMORY;
    }
    if (message) {
        if (strcmp(message, ENV_NO_MEMORY) != 0) { /* it may lie in what is closed */
            snprintf(planner->message, sizeof planner->message, "%s", message);
            message = planner->message;
        }
        plan_close(planner);
        return message;
    }
    planner->has_policy = npz != NULL;
    planner->watched = planner->traced = -1;
    for (int k = 0; k < ENV_VEC_NUM_FIELDS; k++)
        planner->item += env_vec_fields[k].per_agent ? env_vec_fields[k].item_bytes : 0;
    planner->opened = true;
    for (int32_t k = 0; k < planner->num_threads; k++)
        planner->free_sets[planner->num_free++] = k * (1 + planner->num_choices);
    return NULL;
}

/* ---- A flight --------------------------------------------------------------------------------------------------------------- */

/* What a decision for an EnvVec works on: unit u is flight u % flights of environment u / flights. */
typedef struct PlanWork {
    Planner* planner;
    EnvVec* vec;
    uint64_t step;
    bool same_observations; /* in the real environments and in those that are imagined */
} PlanWork;

/* One unit of it. */
typedef struct PlanFlight {
    Planner* planner;
    char* trace;              /* (choices x horizon) items of `watched`, or NULL */
    int32_t watched;          /* an agent of this environment */
    Env *real, *recording;    /* behind the recording come the variants */
    const void* observations; /* of `real`, or NULL: computed anew */
    uint64_t stream;          /* of random numbers */
    float* returns;           /* (agents x choices) */
    int32_t* drawn;           /* (agents) or NULL */
    uint8_t* ended;           /* (choices x agents) */
} PlanFlight;

/* Makes a twin go on where the real environment is. whole: for c_step, or with observations. */
static inline void plan__copy(const PlanFlight* flight, Env* twin, bool whole) {
    Env* real = flight->real;
    size_t bytes = 0;
    for (int k = 0; k < ENV_VEC_NUM_SCALARS; k++)
        memcpy((char*)twin + env_vec_scalars[k].offset, (const char*)real + env_vec_scalars[k].offset,
               env_vec_scalars[k].bytes);
    for (int k = 0; k < ENV_VEC_NUM_FIELDS; k++) {
        const void* from = env_vec_field(real, k, &bytes);
        memcpy(env_vec_field(twin, k, &bytes), from, bytes);
    }
    twin->rng = flight->stream; /* what is random in the environment is not known beforehand */
    if (!whole) return;
    const EnvSpace* observation = &flight->planner->twins.observation_space;
    if (!ENV_VEC_HAS_IMAGINE || !flight->observations) c_restored(twin);
    if (flight->observations) {
        bytes = (size_t)flight->planner->num_agents * env_vec_row_bytes(observation);
        memcpy(twin->observations, flight->observations, bytes);
    }
}

/* The policy draws the actions of step t for all agents of a twin. */
static inline void plan__draw(const PlanFlight* flight, Env* twin, int32_t t) {
    Planner* planner = flight->planner;
    const uint64_t stream = env_seed(flight->stream, 1, (uint64_t)t);
    const int32_t agents = planner->num_agents;
    int32_t* actions = (int32_t*)twin->actions;
    if (!planner->has_policy) {
        for (int32_t i = 0; i < agents; i++)
            actions[i] = (int32_t)(learn_uniform(stream, (uint64_t)i) * (float)planner->num_choices);
        return;
    }
    const LearnScratch scratch = learn__take(&planner->policy);
    bool mirrored[LEARN_ROWS];
    for (int32_t first = 0; first < agents; first += LEARN_ROWS) {
        const int rows = learn__block_rows(agents, first);
        learn__observe(&planner->policy, twin->observations, first, rows, scratch.x, mirrored);
        learn__decide(&planner->policy, &scratch, rows, scratch.x, stream, (uint64_t)first, LEARN_DRAW);
        learn__write_actions(&planner->policy, &scratch, actions, first, rows, mirrored);
    }
    learn__give(&planner->policy, &scratch);
}

static inline void plan__keep_drawn(const PlanFlight* flight) {
    if (flight->drawn)
        memcpy(flight->drawn, flight->recording->actions, (size_t)flight->planner->num_agents * sizeof(int32_t));
}

/* Keeps where the watched agent is after step t of a variant. */
static inline void plan__keep_trace(const PlanFlight* flight, Env* variant, int32_t choice, int32_t t) {
    const Planner* planner = flight->planner;
    char* at = flight->trace + (size_t)(choice * planner->settings.horizon + t) * planner->item;
    size_t bytes = 0;
    for (int k = 0; k < ENV_VEC_NUM_FIELDS; k++) {
        const char* items = (const char*)env_vec_field(variant, k, &bytes);
        const size_t item = env_vec_fields[k].item_bytes;
        if (!env_vec_fields[k].per_agent) continue;
        memcpy(at, items + (size_t)flight->watched * item, item);
        at += item;
    }
}

/* A recording, and beside it a variant of all agents for each choice. */
static inline void plan__fly_frozen(const PlanFlight* flight) {
    const Planner* planner = flight->planner;
    const int32_t agents = planner->num_agents, choices = planner->num_choices;
    float discount = 1;
    Env *recording = flight->recording, *variants = recording + 1;
    plan__copy(flight, recording, true);
    for (int32_t c = 0; c < choices; c++) plan__copy(flight, &variants[c], false);
    memset(flight->ended, 0, (size_t)choices * (size_t)agents);
    for (int32_t t = 0; t < planner->settings.horizon; t++, discount *= planner->settings.gamma) {
        plan__draw(flight, recording, t);
        if (t == 0) plan__keep_drawn(flight);
        c_imagine(recording, recording, flight->real, t);
        for (int32_t c = 0; c < choices; c++) {
            Env* variant = &variants[c];
            uint8_t* ended = flight->ended + (size_t)c * (size_t)agents;
            float* returns = flight->returns + c;
            if (t > 0)
                plan__draw(flight, variant, t);
            else
                for (int32_t i = 0; i < agents; i++) ((int32_t*)variant->actions)[i] = c;
            c_imagine(variant, recording, flight->real, t);
            if (flight->trace) plan__keep_trace(flight, variant, c, t);
            for (int32_t i = 0; i < agents; i++, returns += choices) {
                const float earned = ended[i] ? 0.0f : discount * variant->rewards[i];
                *returns = t > 0 ? *returns + earned : earned;
                ended[i] |= variant->terminals[i];
            }
        }
    }
}

/* A variant of one agent, in which the others fly too. Returns what it earns. */
static inline float plan__fly_variant(const PlanFlight* flight, int32_t agent, int32_t choice) {
    const Planner* planner = flight->planner;
    const bool team = planner->settings.others == PLAN_TEAM;
    const int32_t agents = planner->num_agents;
    float discount = 1, sum = 0;
    Env* twin = flight->recording;
    plan__copy(flight, twin, true);
    memset(flight->ended, 0, (size_t)agents);
    for (int32_t t = 0; t < planner->settings.horizon; t++, discount *= planner->settings.gamma) {
        plan__draw(flight, twin, t);
        if (t == 0) {
            if (agent == 0 && choice == 0) plan__keep_drawn(flight);
            ((int32_t*)twin->actions)[agent] = choice;
        }
        if (ENV_VEC_HAS_IMAGINE)
            c_imagine(twin, twin, flight->real, t);
        else
            c_step(twin);
        for (int32_t i = team ? 0 : agent; i < (team ? agents : agent + 1); i++) {
            if (!flight->ended[i]) sum += discount * twin->rewards[i];
            flight->ended[i] |= twin->terminals[i] | (!ENV_VEC_HAS_IMAGINE && twin->truncations[i]);
        }
    }
    return sum;
}

/* Gives a twin the parameters of the real environment that may have changed. */
static inline void plan__follow_changes(Env* twin, const Env* real) {
    bool same = true;
    for (const int* k = env_vec__changeable; *k != ENV_VEC__NO_INDEX; k++) {
        const EnvVecParam* p = &env_vec_params[*k];
        const double ours = env_vec__param(p, twin), theirs = env_vec__param(p, real);
        same = same && !(ours < theirs || ours > theirs);
        env_vec__copy_param(p, twin, real);
    }
    if (!same) c_changed(twin); /* they are parameters of `real`: it accepts them */
}

static inline void plan__work(void* context, int32_t from, int32_t to) {
    const PlanWork* work = (const PlanWork*)context;
    Planner* planner = work->planner;
    const int32_t flights = planner->settings.flights, choices = planner->num_choices;
    const size_t agents = (size_t)planner->num_agents;
    env_threads_lock();
    const int32_t set = planner->free_sets[--planner->num_free];
    env_threads_unlock();
    for (int32_t unit = from; unit < to; unit++) {
        const int32_t i = unit / flights, g = unit % flights;
        PlanFlight flight;
        flight.planner = planner;
        flight.real = &work->vec->envs[i];
        flight.recording = &planner->twins.envs[set];
        flight.observations = work->same_observations ? env_vec_part(work->vec, ENV_VEC_OBSERVATIONS, i) : NULL;
        flight.stream = env_seed(env_seed(planner->seed, 7, work->step), (uint64_t)i, (uint64_t)g);
        flight.trace = NULL;
        flight.watched = 0;
        if (planner->trace && planner->watched >= 0 && planner->watched / planner->num_agents == i) {
            const size_t part = (size_t)choices * (size_t)planner->settings.horizon * planner->item;
            flight.watched = (int32_t)(planner->watched % planner->num_agents);
            flight.trace = planner->trace + (size_t)g * part;
        }
        flight.returns = planner->returns + (size_t)unit * agents * (size_t)choices;
        flight.drawn = g == 0 ? planner->drawn + (size_t)i * agents : NULL;
        flight.ended = planner->ended + (size_t)set * agents;
        for (int32_t k = 0; k <= choices; k++) plan__follow_changes(&flight.recording[k], flight.real);
        if (planner->settings.others == PLAN_FROZEN) {
            plan__fly_frozen(&flight);
            continue;
        }
        for (int32_t agent = 0; agent < planner->num_agents; agent++)
            for (int32_t c = 0; c < choices; c++)
                flight.returns[(size_t)agent * (size_t)choices + (size_t)c] = plan__fly_variant(&flight, agent, c);
    }
    env_threads_lock();
    planner->free_sets[planner->num_free++] = set;
    env_threads_unlock();
}

/* ---- A decision ------------------------------------------------------------------------------------------------------------- */

/* Whether the planner can plan for an EnvVec: NULL, or a message. */
static inline const char* plan__check_vec(Planner* planner, const EnvVec* vec) {
    if (!planner->opened) return "call plan_open() first";
    if (!vec->started) return "call env_vec_reset() first";
    const EnvSpace action = vec->action_space;
    const int64_t agents = vec->num_agents / vec->num_envs;
    const bool fits = action.choices && action.size == 1 && action.choices[0] == planner->num_choices;
    if (fits && agents == planner->num_agents) return NULL;
    snprintf(planner->message, sizeof planner->message,
             "vec: expected %d agents with %d choices in each environment, got %s", (int)planner->num_agents,
             (int)planner->num_choices, "others");
    return planner->message;
}

/* Memory for so many environments. */
static inline const char* plan__make_room(Planner* planner, int64_t num_envs) {
    if (num_envs <= planner->room) return NULL;
    const size_t rows = (size_t)num_envs * (size_t)planner->num_agents;
    const size_t columns = (size_t)planner->num_choices, flights = (size_t)planner->settings.flights;
    plan__free_room(planner);
    if ((double)num_envs * planner->settings.flights > INT32_MAX) return ENV_NO_MEMORY;
    planner->returns = (float*)learn__allocate(rows * flights, columns * sizeof(float));
    planner->means = (float*)learn__allocate(rows, columns * sizeof(float));
    planner->drawn = (int32_t*)learn__allocate(rows, sizeof(int32_t));
    if (!planner->returns || !planner->means || !planner->drawn) {
        plan__free_room(planner);
        return ENV_NO_MEMORY;
    }
    planner->room = num_envs;
    return NULL;
}

/* Means over flights, and the best action of every agent. */
static inline void plan__choose(Planner* planner, const EnvVec* vec) {
    const int32_t flights = planner->settings.flights, choices = planner->num_choices;
    const size_t part = (size_t)planner->num_agents * (size_t)choices;
    int32_t* actions = (int32_t*)vec->arrays[ENV_VEC_ACTIONS];
    for (int64_t i = 0; i < vec->num_envs; i++) {
        float* means = planner->means + (size_t)i * part;
        const float* returns = planner->returns + (size_t)i * part * (size_t)flights;
        for (size_t k = 0; k < part; k++) {
            float sum = 0;
            for (int32_t g = 0; g < flights; g++) sum += returns[(size_t)g * part + k];
            means[k] = sum / (float)flights;
        }
    }
    for (int64_t agent = 0; agent < vec->num_agents; agent++) {
        const float* means = planner->means + (size_t)agent * (size_t)choices;
        int32_t best = planner->drawn[agent];
        for (int32_t c = 0; c < choices; c++)
            if (means[c] > means[best]) best = c;
        actions[agent] = best;
    }
}

/* Writes the best actions for the EnvVec, in which an episode has begun, and leaves everything else of it alone. step: of its flight; each
 * step draws anew. */
static inline const char* plan_act(Planner* planner, EnvVec* vec, uint64_t step) {
    const char* message = plan__check_vec(planner, vec);
    if (!message) message = plan__make_room(planner, vec->num_envs);
    if (message) return message;
    PlanWork work = {planner, vec, step, true};
    for (int k = 0; k < ENV_VEC_NUM_PARAMS; k++) {
        const double ours = env_vec__param(&env_vec_params[k], &planner->twins.envs[0]);
        const double theirs = env_vec__param(&env_vec_params[k], &vec->envs[0]);
        if (!env_vec_is_changeable(k) && (ours < theirs || ours > theirs)) work.same_observations = false;
    }
    env_threads_run(planner->num_threads, (int32_t)vec->num_envs * planner->settings.flights, plan__work, &work);
    plan__choose(planner, vec);
    planner->traced = planner->trace && planner->watched < vec->num_agents ? planner->watched : -1;
    return NULL;
}

/* Has environment i of an EnvVec show, in its window, what the last plan_act imagined for the agent that the viewer selected, from the next
 * plan_act on. Frozen flights alone. */
static inline const char* plan_show(Planner* planner, EnvVec* vec, int64_t i) {
    if (!planner->opened) return "call plan_open() first";
    const int64_t first = i * planner->num_agents, watched = planner->traced - first;
    const bool known = planner->traced >= 0 && watched >= 0 && watched < planner->num_agents;
    const EnvFutures futures = {
        (int32_t)watched,     planner->settings.flights,
        planner->num_choices, planner->settings.horizon,
        planner->trace,       known ? planner->means + (size_t)planner->traced * (size_t)planner->num_choices : NULL};
    const int32_t selected = c_futures(&vec->envs[i], known ? &futures : NULL);
    const bool frozen = planner->settings.others == PLAN_FROZEN;
    planner->watched = frozen && selected >= 0 && selected < planner->num_agents ? first + selected : -1;
    if (planner->watched < 0 || planner->trace) return NULL;
    const size_t count =
        (size_t)planner->settings.flights * (size_t)planner->num_choices * (size_t)planner->settings.horizon;
    planner->trace = (char*)learn__allocate(count, planner->item + 1);
    return planner->trace ? NULL : ENV_NO_MEMORY;
}

#endif
