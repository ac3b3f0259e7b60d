/* env_page.c - any environment on the contract of env.h, and its learner, as one WebAssembly module, for web/env_page/
 *
 *     python web/build.py env examples/snake/snake.h snake.html        # compiles it with -DENV_HEADER='"snake.h"'
 *
 * Two sets of environments run. The viewer sees the boards. In the school, which nobody sees, many more environments are stepped as fast as
 * the machine can, and the learner learns from them; the boards are then played with what it has learned.
 *
 * JavaScript calls the functions marked PAGE, and reads and writes memory at the addresses that they return. A function that can fail
 * returns NULL, or a message.
 *
 *     page_defaults(); page_set(k, value); page_open(seed, boards);
 *     for (;;) { page_step(LEARNING); page_practise(); draw(page_picture(width, height)); }
 */
#include ENV_HEADER
#include "env_vec.h"
#include "learn/ppo.h"

#ifdef __wasm__
#define PAGE(name) __attribute__((export_name(#name)))
#else
#define PAGE(name)
#endif

enum { RANDOM, SCRIPT, LEARNING };
enum { PUPILS = 256 }; /* agents of the school, where one environment has fewer */

static Env params; /* of the next page_open */
static LearnSettings settings;
static EnvVec boards, school;
static Learner learner; /* in the school */
static uint64_t chance; /* of the random actions */
static int64_t steps;   /* of the boards */
static int player;      /* of the last of them */
static char text[256];

/* ---- Parameters of the environment, and after them the settings of the learner. By index */

#define PAGE_SETTING(type, name, value, min, max, unit, doc) \
    {ENV_VEC_##type, #name, offsetof(LearnSettings, name), (double)(value), (double)(min), (double)(max), unit, doc},
static const EnvVecParam page_settings[] = {LEARN_SETTINGS(PAGE_SETTING)};
enum { PAGE_SETTINGS = sizeof page_settings / sizeof page_settings[0] };

static const EnvVecParam* param_of(int k) {
    return k < ENV_VEC_NUM_PARAMS ? &env_vec_params[k] : &page_settings[k - ENV_VEC_NUM_PARAMS];
}

PAGE(page_defaults) void page_defaults(void) {
    memset(&params, 0, sizeof params);
    env_defaults(&params);
    learn_defaults(&settings);
    settings.annealing = 0; /* it learns for as long as somebody watches */
    settings.rollout = 32;
    settings.epochs = 4; /* the steps of most games cost more than boids', so each is used more often */
}

/* How many parameters the environment has, and how many settings the learner. */
PAGE(page_num_params) int page_num_params(void) { return ENV_VEC_NUM_PARAMS; }
PAGE(page_num_settings) int page_num_settings(void) { return PAGE_SETTINGS; }
PAGE(page_name) const char* page_name(int k) { return param_of(k)->name; }
PAGE(page_doc) const char* page_doc(int k) { return param_of(k)->doc; }
PAGE(page_unit) const char* page_unit(int k) { return param_of(k)->unit; }
PAGE(page_kind) int page_kind(int k) { return (int)param_of(k)->kind; }
PAGE(page_min) double page_min(int k) { return param_of(k)->min; }
PAGE(page_max) double page_max(int k) { return param_of(k)->max; }

static void* struct_of(int k) { return k < ENV_VEC_NUM_PARAMS ? (void*)&params : (void*)&settings; }
PAGE(page_get) double page_get(int k) { return env_vec__param(param_of(k), struct_of(k)); }
PAGE(page_set) void page_set(int k, double value) { env_vec__set_param(param_of(k), struct_of(k), value); }

/* ---- Boards, school, learner */

static const char* open_vec(EnvVec* vec, int64_t num_envs, uint64_t seed) {
    const char* message = env_vec_open(vec, &params, num_envs, seed, 1);
    if (!message) message = env_vec_attach(vec, NULL);
    if (!message && ENV_VEC_HAS_FINAL) message = env_vec_attach_final(vec, NULL);
    if (!message) message = env_vec_reset(vec);
    return message;
}

/* Keeps a message where closing what it may lie in does not reach. */
static const char* keep(const char* message) {
    if (message && message != text) snprintf(text, sizeof text, "%s", message);
    return message ? text : NULL;
}

static const char* open_all(uint32_t seed, int num_boards) {
    const char* message = open_vec(&boards, num_boards, seed);
    if (message) return message;
    const int64_t agents = boards.num_agents / boards.num_envs;
    message = open_vec(&school, (PUPILS + agents - 1) / agents, env_seed(seed, 1, 0));
    if (message) return message;
    LearnSettings fitting = settings;
    const int64_t batch = school.num_agents * settings.rollout;
    if (fitting.minibatch > batch) fitting.minibatch = (int)batch;
    while (fitting.minibatch > 1 && batch % fitting.minibatch) fitting.minibatch--;
    return learn_open(&learner, &school, &fitting, seed, 1);
}

static void close_all(void) {
    learn_close(&learner);
    env_vec_close(&school);
    env_vec_close(&boards);
}

/* New boards and a fresh network, with the parameters and settings as they are set. On failure nothing is open. */
PAGE(page_open) const char* page_open(uint32_t seed, int num_boards) {
    close_all();
    chance = env_seed(seed, 5, 0);
    steps = 0;
    const char* message = keep(open_all(seed, num_boards));
    if (message) close_all();
    return message;
}

PAGE(page_has_script) bool page_has_script(void) { return ENV_VEC_HAS_SCRIPT; }
PAGE(page_num_agents) int page_num_agents(void) { return (int)boards.num_agents; }

static double uniform(void) { return (double)(env_random(&chance) >> 11) / 9007199254740992.0; }

static void act_at_random(void) {
    const EnvSpace space = c_action_space(&boards.envs[0]);
    int32_t* integers = (int32_t*)boards.arrays[ENV_VEC_ACTIONS];
    float* floats = (float*)boards.arrays[ENV_VEC_ACTIONS];
    for (int64_t i = 0; i < boards.num_agents; i++)
        for (int32_t k = 0; k < space.size; k++, integers++, floats++)
            if (space.choices)
                *integers = (int32_t)(uniform() * space.choices[k]);
            else
                *floats = (float)((double)space.low + uniform() * ((double)space.high - (double)space.low));
}

/* One step of the boards. who: RANDOM, SCRIPT, LEARNING */
PAGE(page_step) const char* page_step(int who) {
    if (!boards.started) return "nothing is open";
    if (who != player) env_vec_clear_log(&boards); /* what it says was the other's */
    player = who;
    if (who == LEARNING)
        learn_act(&learner, &boards, LEARN_DRAW, (uint64_t)steps);
    else if (who == SCRIPT)
        env_vec_script(&boards);
    else
        act_at_random();
    steps++;
    return env_vec_step(&boards);
}

/* One step of the school; where its rollout is complete, the learner learns from it. */
PAGE(page_practise) const char* page_practise(void) {
    if (!learner.vec) return "nothing is open";
    const char* message = learn_step(&learner);
    if (!message && learner.stepped == learner.settings.rollout) message = learn_update(&learner);
    return message;
}

/* ---- What is shown beside the boards */

/* Field k of the log, and NULL after the last. */
PAGE(page_log_name) const char* page_log_name(int k) { return k < ENV_VEC_NUM_LOG ? env_vec_log_fields[k].name : NULL; }
PAGE(page_log_doc) const char* page_log_doc(int k) { return env_vec_log_fields[k].doc; }

/* Means over the episodes that ended since the last call, in the order of the log; the last is their number. who: LEARNING reads the
 * school, the others the boards. After them: the mean reward of an agent-step in the school's last update, and its agent-steps so far. */
PAGE(page_numbers) const double* page_numbers(int who) {
    static double numbers[ENV_VEC_NUM_LOG + 2];
    EnvVec* vec = who == LEARNING ? &school : &boards;
    numbers[ENV_VEC_NUM_LOG - 1] = 0;
    env_vec_log(vec, numbers);
    env_vec_clear_log(vec);
    numbers[ENV_VEC_NUM_LOG] = (double)learner.log.reward;
    numbers[ENV_VEC_NUM_LOG + 1] = (double)learner.agent_steps;
    return numbers;
}

/* FNV-1a of the boards' observations and of what is learned, for the tests. */
PAGE(page_hash) uint64_t page_hash(void) {
    const size_t row = env_vec_row_bytes(&boards.observation_space);
    uint64_t hash = env_vec_checksum((const char*)boards.arrays[ENV_VEC_OBSERVATIONS], (size_t)boards.num_agents * row);
    return hash ^ env_vec_checksum((const char*)learner.weights, learner.num_weights * sizeof(float)) * 7;
}

/* ---- Pictures: all boards beside each other */

static uint8_t *rgb, *rgba; /* of one board, of all */
static size_t rgb_bytes, rgba_bytes;

static bool make_room(uint8_t** memory, size_t* bytes, size_t wanted) {
    if (*bytes >= wanted) return true;
    ENV_FREE(*memory);
    *memory = (uint8_t*)ENV_CALLOC(wanted, 1);
    *bytes = *memory ? wanted : 0;
    return *memory;
}

#ifndef c_pixels
/* Where the header draws nothing: an agent a row, an element of its observation a column, from dark to light. */
static void c_pixels(Env* env, uint8_t* to, int32_t width, int32_t height) {
    const EnvSpace space = c_observation_space(env);
    const char type = space.type;
    const void* all = env->observations;
    for (int32_t y = 0; y < height; y++)
        for (int32_t x = 0; x < width; x++, to += 3) {
            const size_t k = (size_t)((int64_t)y * env->num_agents / height) * (size_t)space.size +
                             (size_t)((int64_t)x * space.size / width);
            const float value = type == 'f'   ? ((const float*)all)[k]
                                : type == 'i' ? (float)((const int32_t*)all)[k]
                                : type == 'b' ? (float)((const int8_t*)all)[k]
                                              : (float)((const uint8_t*)all)[k];
            const float most = fabsf(space.high) > fabsf(space.low) ? fabsf(space.high) : fabsf(space.low);
            /* an unbounded element is pressed into -1 to 1 */
            const float share = most > 0 && most < 1e6f ? value / most : value / (1 + fabsf(value));
            const float light = share < -1 ? 1 : share > 1 ? 1 : fabsf(share);
            to[0] = (uint8_t)(10 + light * (value < 0 ? 110 : 245));
            to[1] = (uint8_t)(24 + light * (value < 0 ? 186 : 98));
            to[2] = (uint8_t)(40 + light * (value < 0 ? 215 : 49));
        }
}
#endif

/* All boards in a grid. Returns (height x width x 4), from the top row; NULL: out of memory, or nothing is open. */
PAGE(page_picture) const uint8_t* page_picture(int32_t width, int32_t height) {
    const int32_t count = (int32_t)boards.num_envs;
    if (!count || width < 1 || height < 1) return NULL;
    int32_t columns = 1; /* so many that the boards are nearest to squares */
    for (int32_t c = 1, best = 0; c <= count; c++) {
        const int32_t rows = (count + c - 1) / c, side = width / c < height / rows ? width / c : height / rows;
        if (side <= best) continue;
        best = side;
        columns = c;
    }
    const int32_t rows = (count + columns - 1) / columns, gap = count > 1 ? 6 : 0;
    const int32_t w = width / columns - gap, h = height / rows - gap;
    if (w < 1 || h < 1 || !make_room(&rgba, &rgba_bytes, 4 * (size_t)width * (size_t)height) ||
        !make_room(&rgb, &rgb_bytes, 3 * (size_t)w * (size_t)h))
        return NULL;
    for (size_t k = 0; k < (size_t)width * (size_t)height; k++) {
        static const uint8_t ground[4] = {2, 8, 14, 255};
        memcpy(rgba + 4 * k, ground, 4);
    }
    for (int32_t i = 0; i < count; i++) {
        memset(rgb, 0, 3 * (size_t)w * (size_t)h);
        c_pixels(&boards.envs[i], rgb, w, h);
        const int32_t left = i % columns * (width / columns) + gap / 2, top = i / columns * (height / rows) + gap / 2;
        for (int32_t y = 0; y < h; y++)
            for (int32_t x = 0; x < w; x++)
                memcpy(rgba + 4 * ((size_t)(top + y) * (size_t)width + (size_t)(left + x)),
                       rgb + 3 * ((size_t)y * (size_t)w + (size_t)x), 3);
    }
    return rgba;
}
