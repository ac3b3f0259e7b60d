/* page.c - the flock, its learner and its picture as one WebAssembly module, for web/page/
 *
 * JavaScript calls the functions marked PAGE, and reads and writes memory at the addresses that they return. There is one flock. A
 * function that can fail returns NULL, or a message.
 *
 *     page_defaults(); page_set_param(0, 500); page_open(seed); page_learn(seed);
 *     for (;;) { page_step(LEARNING); page_improve(); draw(page_x(), page_y(), page_heading()); }
 *
 * Learning. A flock of up to MOST_LEARNERS boids learns itself, in the steps that are seen. Of a larger one, a flock of SCHOOL boids that is
 * not drawn learns, step by step at the same time, and all fly what it has learned.
 */
#include "boids.h"

/* What a planner imagined for the boid that the viewer selected: see below. */
#define c_futures c_futures
static int32_t c_futures(Boids* env, const EnvFutures* imagined);

#include "env_vec.h"
#include "learn/plan.h"
#include "learn/policy.h"
#include "learn/ppo.h"

/* Colours of headings that differ to the colour-blind too, by lightness and by blue against yellow: amber to the right, azure to the left,
 * pale up, violet down. tests/test_web_page.py measures by how much. */
#define BOIDS_PALETTE {{170.0f, 84.0f, 38.0f}, {170.0f, 6.0f, 66.0f}, {178.0f, -100.0f, 6.0f}}
#include "show/boids_film.h"

#ifdef __wasm__
#define PAGE(name) __attribute__((export_name(#name)))
#else
#define PAGE(name)
#endif

enum { RANDOM, REYNOLDS, LEARNED, LEARNING, PLANNER };
enum { MOST_LEARNERS = 2000, SCHOOL = 1000, ROLLOUT = 16, MINIBATCH = 512, MOST_TWICE = 300 };

static Boids params;    /* of the next page_open */
static EnvVec flock;    /* one environment */
static EnvVec school;   /* another that learns for a large flock, or closed */
static Learner learner; /* in one of the two, or closed */
static Learner pilot;   /* flies weights from elsewhere, and learns nothing; or closed */
static Planner planner; /* looks ahead; or closed */
static uint64_t chance; /* of the random turns */
static BoidsTally last; /* when the numbers were computed */
static int64_t steps;   /* of the flock */
static char text[256];

static Boids* boids(void) { return &flock.envs[0]; }

/* ---- Parameters: the list of boids.h, by index */

PAGE(page_defaults) void page_defaults(void) {
    memset(&params, 0, sizeof params);
    env_defaults(&params);
    params.stagger = false;
    params.horizon = 1000000000; /* nobody wants to see a restart */
}

/* Name k, and NULL after the last. */
PAGE(page_param_name) const char* page_param_name(int k) { return k < ENV_VEC_NUM_PARAMS ? env_vec_params[k].name : NULL; }
PAGE(page_set_param) void page_set_param(int k, double value) { env_vec__set_param(&env_vec_params[k], &params, value); }

/* ---- The flock */

static const char* open_vec(EnvVec* vec, const Boids* like, uint64_t seed) {
    env_vec_close(vec);
    const char* message = env_vec_open(vec, like, 1, seed, 1);
    if (!message) message = env_vec_attach(vec, NULL);
    if (!message) message = env_vec_reset(vec);
    if (!message) return NULL;
    snprintf(text, sizeof text, "%s", message); /* it may lie in vec */
    env_vec_close(vec);
    return text;
}

/* Nobody learns any more. */
PAGE(page_stop_learning) void page_stop_learning(void) {
    learn_close(&learner);
    env_vec_close(&school);
}

/* A new flock with the parameters as they are set, at random places. Nobody learns in it yet, and no weights fly it. */
PAGE(page_open) const char* page_open(uint32_t seed) {
    page_stop_learning();
    learn_close(&pilot);
    plan_close(&planner);
    chance = env_seed(seed, 5, 0);
    steps = 0;
    memset(&last, 0, sizeof last);
    return open_vec(&flock, &params, seed);
}

/* The same boids in a world of another size, or with other parameters, but as many and as before. Who learns goes on; a planner does not. */
PAGE(page_change) const char* page_change(void) {
    plan_close(&planner);
    EnvVec before = flock;
    memset(&flock, 0, sizeof flock);
    Boids like = params;
    like.num_boids = before.envs[0].num_boids;
    const char* message = open_vec(&flock, &like, before.seed);
    const bool final = learner.vec == &flock || pilot.vec == &flock;
    if (!message && final) message = env_vec_attach_final(&flock, NULL);
    if (message) {
        env_vec_close(&flock);
        flock = before;
        return message;
    }
    Boids *to = boids(), *from = &before.envs[0];
    const size_t n = (size_t)to->num_boids;
    memcpy(to->x, from->x, n * sizeof *to->x);
    memcpy(to->y, from->y, n * sizeof *to->y);
    memcpy(to->heading, from->heading, n * sizeof *to->heading);
    to->guest = from->guest;
    to->rng = from->rng;
    to->tick = from->tick;
    to->tally = from->tally;
    env_vec_close(&before);
    c_restored(to);
    if (learner.vec == &flock) learner.stepped = 0; /* the rollout begins anew: two worlds do not mix in it */
    return NULL;
}

/* kind: BOIDS_NOBODY, BOIDS_FRIEND or BOIDS_FOE. x, y: 0 to 1, y up. */
PAGE(page_guest) void page_guest(int kind, float x, float y) {
    const BoidsGuest guest = {kind, x * boids()->width, y * boids()->height};
    boids()->guest = guest;
}

PAGE(page_num_boids) int page_num_boids(void) { return boids()->num_boids; }
PAGE(page_x) const uint32_t* page_x(void) { return boids()->x; }
PAGE(page_y) const uint32_t* page_y(void) { return boids()->y; }
PAGE(page_heading) const uint16_t* page_heading(void) { return boids()->heading; }

/* ---- Who flies */

/* A fresh network that begins to learn. */
PAGE(page_learn) const char* page_learn(uint32_t seed) {
    LearnSettings settings;
    learn_defaults(&settings);
    page_stop_learning();
    const int n = boids()->num_boids;
    EnvVec* vec = &flock;
    if (n > MOST_LEARNERS) {
        Boids like = params;
        const float share = sqrtf((float)SCHOOL / (float)n); /* as many boids to an area */
        like.num_boids = SCHOOL;
        like.width = params.width * share;
        like.height = params.height * share;
        const float shorter = like.width < like.height ? like.width : like.height;
        if (like.view_radius > shorter * 0.5f) like.height = like.width = 2 * like.view_radius;
        like.horizon = 2000;
        const char* message = open_vec(&school, &like, seed);
        if (message) return message;
        vec = &school;
    }
    settings.rollout = ROLLOUT;
    settings.epochs = 1;
    settings.minibatch = (int)vec->num_agents;
    while (settings.minibatch * 2 <= MINIBATCH * 4 / 3 && settings.minibatch < ROLLOUT * (int)vec->num_agents)
        settings.minibatch *= 2;
    settings.annealing = 0;
    return learn_open(&learner, vec, &settings, seed, 1);
}

/* A planner, with the policy of a policy.npz for its imagined flights. */
PAGE(page_plan) const char* page_plan(const void* npz, size_t bytes) {
    PlanSettings settings;
    plan_defaults(&settings);
    settings.flights = boids()->num_boids <= MOST_TWICE ? 2 : 1;
    plan_close(&planner);
    return plan_open(&planner, boids(), &settings, npz, bytes, 1, 1);
}

static void random_turns(void) {
    int32_t* actions = (int32_t*)boids()->actions;
    for (int32_t i = 0; i < boids()->num_boids; i++) actions[i] = (int32_t)((env_random(&chance) >> 32) * 5 >> 32);
}

/* One step. who: RANDOM ... */
PAGE(page_step) const char* page_step(int who) {
    const char* message = NULL;
    steps++;
    if (who == LEARNING) {
        message = learn_step(&learner);
        if (learner.vec == &flock || message) return message;
        learn_act(&learner, &flock, LEARN_DRAW, (uint64_t)steps);
    } else if (who == LEARNED) {
        if (!pilot.vec) return "no network was given";
        learn_act(&pilot, &flock, LEARN_DRAW, (uint64_t)steps);
    } else if (who == PLANNER) {
        message = plan_act(&planner, &flock, (uint64_t)steps);
        if (!message) message = plan_show(&planner, &flock, 0);
        if (message) return message;
    } else if (who == REYNOLDS) {
        env_vec_script(&flock);
    } else {
        random_turns();
    }
    return env_vec_step(&flock);
}

/* Learns from the steps, where there are enough of them. */
PAGE(page_improve) const char* page_improve(void) {
    return learner.vec && learner.stepped == learner.settings.rollout ? learn_update(&learner) : NULL;
}

/* ---- Networks: layers of weights (outputs x inputs) and biases (outputs), as torch and policy.npz have them */

/* A network for LEARNED: `hidden` layers of `width`, whose weights page_set_layer brings. */
PAGE(page_open_pilot) const char* page_open_pilot(int hidden, int width, bool mirror) {
    LearnSettings settings;
    learn_defaults(&settings);
    settings.rollout = 1;
    settings.minibatch = boids()->num_boids;
    settings.policy_layers = hidden;
    settings.policy_width = width;
    settings.mirror = mirror;
    learn_close(&pilot);
    return learn_open(&pilot, &flock, &settings, 0, 1);
}
PAGE(page_has_pilot) bool page_has_pilot(void) { return pilot.vec; }

static Learner* network_of(int who) { return who == LEARNING ? &learner : &pilot; }

/* How many layers fly as `who`, and the inputs and outputs of layer k. */
PAGE(page_num_layers) int page_num_layers(int who) { return network_of(who)->vec ? network_of(who)->policy.depth : 0; }
PAGE(page_inputs) int page_inputs(int who, int k) { return network_of(who)->policy.layers[k].inputs; }
PAGE(page_outputs) int page_outputs(int who, int k) { return network_of(who)->policy.layers[k].outputs; }
PAGE(page_has_mirror) bool page_has_mirror(int who) { return network_of(who)->has_mirror; }

/* Copies the weights of layer k, and then its biases, from a learner or to it. */
static void copy_layer(Learner* network, int k, float* numbers, bool to_network) {
    LearnPart part;
    for (int32_t which = 2 * k; which < 2 * k + 2 && learn_policy_array(network, false, which, &part); which++)
        for (size_t r = 0; r < (part.rows ? part.rows : 1); r++)
            for (size_t c = 0; c < part.columns; c++, numbers++) {
                if (to_network)
                    learn_part_set(&part, r, c, *numbers);
                else
                    *numbers = learn_part_get(&part, r, c);
            }
}
PAGE(page_get_layer) void page_get_layer(int who, int k, float* numbers) { copy_layer(network_of(who), k, numbers, false); }
PAGE(page_set_layer) void page_set_layer(int k, float* numbers) { copy_layer(&pilot, k, numbers, true); }

/* Memory for the caller to write to. */
PAGE(page_allocate) void* page_allocate(size_t bytes) { return ENV_CALLOC(bytes, 1); }
PAGE(page_free) void page_free(void* memory) { ENV_FREE(memory); }

/* The mirror, as policy.npz has it: for observations where each element comes from, then its sign; the same for the turns. */
PAGE(page_mirror) const float* page_mirror(void) {
    static float numbers[2 * BOIDS_RULES + 2 * 5];
    for (int k = 0; k < BOIDS_RULES; k++) {
        const EnvMirror mirror = c_mirror_observation(boids(), k);
        numbers[k] = (float)mirror.from;
        numbers[BOIDS_RULES + k] = (float)mirror.sign;
    }
    for (int k = 0; k < 5; k++) {
        const EnvMirror mirror = c_mirror_action(boids(), k);
        numbers[2 * BOIDS_RULES + k] = (float)mirror.from;
        numbers[2 * BOIDS_RULES + 5 + k] = (float)mirror.sign;
    }
    return numbers;
}

/* ---- What is shown beside the flock */

/* name, doc: of the steps since the last call */
#define PAGE_NUMBERS(X)                                             \
    X(reward, "per boid and step")                                    \
    X(alignment, "mean cosine between a boid's heading and its neighbours'") \
    X(polarization, "length of the mean heading")                     \
    X(groups, "sets of boids connected by sight, now")                \
    X(largest, "share of boids in the largest of them")               \
    X(steps, "of the flock so far")                                   \
    X(experience, "agent-steps that were learned from so far")

typedef struct Numbers {
    PAGE_NUMBERS(ENV_DOUBLE)
} Numbers;

/* Name k of the numbers, and NULL after the last. */
PAGE(page_number_name) const char* page_number_name(int k) {
#define PAGE__NAME(name, doc) #name,
    static const char* const names[] = {PAGE_NUMBERS(PAGE__NAME) NULL};
#undef PAGE__NAME
    return names[k];
}

PAGE(page_numbers) const Numbers* page_numbers(void) {
    static Numbers numbers;
    const BoidsTally now = boids()->tally;
    const double made = now.steps - last.steps, social = now.social - last.social;
    if (made > 0) {
        numbers.reward = (now.reward - last.reward) / 65536 / made / boids()->num_boids;
        numbers.alignment = social > 0 ? (now.local_alignment - last.local_alignment) / 65536 / social : 0;
        numbers.polarization = (now.polarization - last.polarization) / made;
        last = now;
    }
    numbers.steps = (double)steps;
    numbers.experience =
        learner.vec ? (double)learner.agent_steps + (double)learner.stepped * (double)learner.vec->num_agents : 0;
    return &numbers;
}

/* Counts the groups anew: not in each step. */
PAGE(page_count_groups) void page_count_groups(void) {
    int32_t groups, largest;
    sight_groups(&boids()->sight, sight_scratch(&boids()->sight), NULL, &groups, &largest);
    Numbers* numbers = (Numbers*)page_numbers();
    numbers->groups = groups;
    numbers->largest = (double)largest / boids()->num_boids;
}

/* Name k of the elements of an observation, and NULL after the last. */
PAGE(page_observation_name) const char* page_observation_name(int k) {
#define PAGE__NAME(name, doc) #name,
    static const char* const names[] = {BOIDS_OBSERVATION(PAGE__NAME) NULL};
#undef PAGE__NAME
    return names[k];
}

/* What boid i sees, earned, does and would do. probabilities: of hard left, left, straight, right, hard right, where a network flies. */
typedef struct Inside {
    float observation[BOIDS_RULES], reward, action, has_network, probabilities[5], value;
} Inside;

PAGE(page_inspect) const Inside* page_inspect(int who, int32_t i) {
    static Inside inside;
    Learner* network = who == LEARNING || who == LEARNED ? network_of(who) : NULL;
    memcpy(inside.observation, boids_observation(boids(), i), sizeof inside.observation);
    inside.reward = boids()->rewards[i];
    inside.action = (float)((const int32_t*)boids()->actions)[i];
    inside.has_network = network && network->vec;
    if (inside.has_network == 0) return &inside;
    const LearnScratch scratch = learn__take(network);
    bool mirrored;
    learn__observe(network, boids()->observations, i, 1, scratch.x, &mirrored);
    learn__values(network, &scratch, 1, scratch.x, &inside.value);
    learn__outputs(network, &scratch, 1, scratch.x);
    learn_softmax8(5, scratch.z, scratch.p, scratch.log_p);
    for (int a = 0; a < 5; a++)
        inside.probabilities[a] = scratch.p[(mirrored ? network->mirror_action[a].from : a) * LEARN_ROWS];
    learn__give(network, &scratch);
    return &inside;
}

enum { MOST_PATHS = 10, MOST_AHEAD = 5 };

/* What the planner imagined for the boid of page_watch, in its last decision. known: 1 or 0. x, y, heading: of the boid then, as fractions of
 * the world and of a full turn. earned: the mean sum of rewards after each turn, from hard left to hard right. at: (paths x steps x 2)
 * where it is after each step of each path, ahead and to the left, in world units; path p begins with turn p % 5. */
typedef struct Futures {
    float known, paths, steps, x, y, heading, earned[5], at[MOST_PATHS * MOST_AHEAD * 2];
} Futures;
static Futures futures;
static int32_t watched = -1;

/* boid: -1 for none */
PAGE(page_watch) void page_watch(int32_t boid) { watched = boid; }
PAGE(page_futures) const Futures* page_futures(void) { return &futures; }

static int32_t c_futures(Boids* env, const EnvFutures* imagined) {
    enum { ITEM = 4 + 4 + 2 }; /* bytes of x, y and heading */
    memset(&futures, 0, sizeof futures);
    if (!imagined || imagined->agent != watched || imagined->choices != 5 || imagined->steps > MOST_AHEAD) return watched;
    const int32_t i = watched, paths = imagined->flights * 5 < MOST_PATHS ? imagined->flights * 5 : MOST_PATHS;
    const float c = sight_cos(env->heading[i]), s = sight_sin(env->heading[i]), unit = 1 / 4294967296.0f;
    futures.known = 1;
    futures.paths = (float)paths;
    futures.steps = (float)imagined->steps;
    futures.x = (float)env->x[i] * unit;
    futures.y = (float)env->y[i] * unit;
    futures.heading = (float)env->heading[i] / 65536;
    memcpy(futures.earned, imagined->expected, sizeof futures.earned);
    for (int32_t k = 0; k < paths * imagined->steps; k++) {
        uint32_t to[2];
        memcpy(to, imagined->items + (size_t)k * ITEM, sizeof to);
        const float x = (float)(int32_t)(to[0] - env->x[i]) * unit * env->width;
        const float y = (float)(int32_t)(to[1] - env->y[i]) * unit * env->height;
        futures.at[2 * k] = c * x + s * y;
        futures.at[2 * k + 1] = c * y - s * x;
    }
    return watched;
}

/* The boid nearest to a place: x, y from 0 to 1, y up. */
PAGE(page_nearest) int32_t page_nearest(double x, double y) {
    const uint32_t at_x = (uint32_t)(int64_t)(x * 4294967296.0), at_y = (uint32_t)(int64_t)(y * 4294967296.0);
    int32_t nearest = 0;
    double nearest2 = INFINITY;
    for (int32_t i = 0; i < boids()->num_boids; i++) {
        const double dx = (double)(int32_t)(boids()->x[i] - at_x) * (double)boids()->width;
        const double dy = (double)(int32_t)(boids()->y[i] - at_y) * (double)boids()->height;
        if (dx * dx + dy * dy >= nearest2) continue;
        nearest2 = dx * dx + dy * dy;
        nearest = i;
    }
    return nearest;
}

/* FNV-1a of the flock's state and of what is learned, for the tests. */
PAGE(page_hash) uint64_t page_hash(void) {
    const size_t n = (size_t)boids()->num_boids;
    uint64_t hash = env_vec_checksum((const char*)boids()->x, n * sizeof *boids()->x);
    hash ^= env_vec_checksum((const char*)boids()->y, n * sizeof *boids()->y) * 3;
    hash ^= env_vec_checksum((const char*)boids()->heading, n * sizeof *boids()->heading) * 5;
    if (learner.vec) hash ^= env_vec_checksum((const char*)learner.weights, learner.num_weights * sizeof(float)) * 7;
    return hash;
}

/* ---- Pictures, where the browser has no WebGL2. The flock that is seen is written to page_x and so on, and takes no steps */

static uint8_t *rgb, *rgba;
static size_t pixels;

/* The factors of BOIDS_PALETTE. */
PAGE(page_palette) const float* page_palette(void) {
    static const float palette[3][3] = BOIDS_PALETTE;
    return palette[0];
}

/* Wipes the trails away. */
PAGE(page_wipe) void page_wipe(void) {
    if (pixels) memset(rgb, 0, 3 * pixels);
}

/* Draws the flock over the picture before, of which trails remain, or afresh. Returns (height x width x 4), from the top row; NULL: out of
 * memory. */
PAGE(page_picture) const uint8_t* page_picture(int32_t width, int32_t height, bool trails) {
    const size_t size = (size_t)width * (size_t)height;
    if (size != pixels) {
        ENV_FREE(rgb);
        ENV_FREE(rgba);
        rgb = (uint8_t*)ENV_CALLOC(size, 3);
        rgba = (uint8_t*)ENV_CALLOC(size, 4);
        pixels = rgb && rgba ? size : 0;
        if (!pixels) return NULL;
    }
    if (trails)
        c_film(boids(), rgb, width, height);
    else
        c_pixels(boids(), rgb, width, height);
    for (size_t k = 0; k < size; k++) {
        memcpy(rgba + 4 * k, rgb + 3 * k, 3);
        rgba[4 * k + 3] = 255;
    }
    return rgba;
}
