/* test.c - examples/pufferlib4/ against a stub of PufferLib 4's contract; CMakeLists.txt links this with a binding.c
 *
 *     pufferlib4_default                the claims
 *     pufferlib4_default speed 1e9      what an [env] of that alone comes to: it must be refused
 */
#include "puffer4.h"
#undef Env
#undef c_reset
#undef c_step
#undef c_render
#undef c_close

#include "vecenv.h"

#include "../check.h"

enum { FLOCKS = 5, BOIDS = 11, STEPS = 70 };

/* What the claims fly, but for some: small flocks, with episodes that end. The sizes in binding.c settle which kind. */
#define HORIZON 16
static Dict* small_flocks(void) {
    Dict* env = create_dict(32);
    dict_set(env, "num_boids", BOIDS);
    dict_set(env, "width", 300);
    dict_set(env, "height", 240);
    dict_set(env, "horizon", HORIZON);
    dict_set(env, "observation", get_obs_size() > 10);
    dict_set(env, "action", get_act_sizes()[0] == 1);
    return env;
}

static void free_dict(Dict* dict) {
    free(dict->items);
    free(dict);
}

static double told(Dict* dict, const char* name) { return dict_get(dict, name)->value; }

static StaticVec* open_vec(Dict* env) {
    StaticVec* vec = create_static_vec(FLOCKS * BOIDS, 1, 0, NULL, env);
    free_dict(env);
    static_vec_reset(vec);
    return vec;
}

static const Boids* flock_of(const StaticVec* vec, int k) { return &((const Puffer4*)vec->envs)[k].boids; }

/* What is left of a number that the trainer kept in its precision: bfloat16 in the default build. */
static float kept(float value) {
#ifndef PRECISION_FLOAT
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    bits &= 0xFFFF0000;
    memcpy(&value, &bits, sizeof value);
#endif
    return value;
}

/* Random actions as the trainer has them: a turn, or what a Gaussian draws, outside of [-1, 1] now and then. */
static void act(StaticVec* vec, uint64_t* rng) {
    for (int i = 0; i < vec->total_agents; i++) {
        const uint32_t bits = (uint32_t)(env_random(rng) >> 40);
        vec->actions[i] = get_act_sizes()[0] == 5 ? kept((float)(bits % 5)) : kept((float)bits / 5592405.0f - 1.5f);
    }
}

/* The same flock without PufferLib, on arrays of its own. */
typedef struct Alone {
    Boids env;
    float observations[BOIDS * 42], rewards[BOIDS];
    union {
        int32_t turn[BOIDS];
        float fraction[BOIDS];
    } actions;
    uint8_t terminals[BOIDS], truncations[BOIDS];
} Alone;

static void open_alone(Alone* alone, const Boids* like, uint64_t number) {
    Boids* env = &alone->env;
    memset(alone, 0, sizeof *alone);
#define COPY(type, name, value, least, most, unit, doc) env->name = like->name;
    BOIDS_PARAMS(COPY)
    env->rng = env_seed(0, 0, number);
    env->index = like->index;
    env->num_envs = like->num_envs;
    CHECK_TEXT(c_init(env), NULL);
    env->observations = alone->observations;
    env->actions = &alone->actions;
    env->rewards = alone->rewards;
    env->terminals = alone->terminals;
    env->truncations = alone->truncations;
    c_reset(env);
}

static void step_alone(Alone* alone, const float* actions) {
    for (int i = 0; i < BOIDS; i++) {
        if (alone->env.action)
            alone->actions.fraction[i] = fmaxf(-1.0f, fminf(actions[i], 1.0f));
        else
            alone->actions.turn[i] = (int32_t)actions[i];
    }
    c_step(&alone->env);
}

/* An observation is a float in either build. */
static void test_types(void) {
    CHECK_EQ(get_obs_elem_size(), sizeof(float));
    CHECK_TEXT(get_obs_dtype(), "FloatTensor");
    CHECK_EQ(get_num_atns(), 1);
    CHECK_EQ(get_num_act_sizes(), 1);
}

/* Observations, rewards and ends of episodes, bit for bit; and the log of them all. */
static void test_same_bits(void) {
    static Alone alone[FLOCKS];
    uint64_t rng = 3;
    int ended = 0, ends_apart = 0;
    StaticVec* vec = open_vec(small_flocks());
    const size_t floats = (size_t)(BOIDS * get_obs_size());
    CHECK_EQ(vec->size, FLOCKS);
    for (int k = 0; k < FLOCKS; k++) open_alone(&alone[k], flock_of(vec, k), (uint64_t)k);
    for (int t = 0; t <= STEPS; t++) {
        int ends = 0;
        for (int k = 0; k < FLOCKS; k++) {
            const float* observations = (const float*)vec->observations + (size_t)k * floats;
            CHECK(!memcmp(observations, alone[k].observations, floats * sizeof(float)));
            CHECK(!memcmp(vec->rewards + k * BOIDS, alone[k].rewards, sizeof alone[k].rewards));
            for (int i = 0; i < BOIDS; i++) CHECK_EQ(vec->terminals[k * BOIDS + i], alone[k].truncations[i]);
            ends += alone[k].truncations[0];
        }
        ended += ends;
        ends_apart += ends > 0 && ends < FLOCKS;
        if (t == STEPS) break;
        act(vec, &rng);
        cpu_vec_step(vec);
        for (int k = 0; k < FLOCKS; k++) step_alone(&alone[k], vec->actions + k * BOIDS);
    }
    CHECK(ended >= FLOCKS * (STEPS / HORIZON));
    CHECK(ends_apart > 0); /* staggered */
    Dict* log = create_dict(32);
    static_vec_log(vec, log);
    CHECK_EQ(told(log, "n"), ended);
#define SAME(name, doc)                                                                       \
    do {                                                                                      \
        float sum = 0;                                                                        \
        for (int k = 0; k < FLOCKS; k++) sum += (float)alone[k].env.log.name;                 \
        CHECK_EQ(told(log, #name), sum / (float)ended);                            \
    } while (0);
    BOIDS_LOG(SAME)
    CHECK_EQ(told(log, "score"), told(log, "reward"));
    free_dict(log);
    for (int k = 0; k < FLOCKS; k++) c_close(&alone[k].env);
    static_vec_close(vec);
}

/* A log is told once, an eval_log again and again, and neither before an episode ended. */
static void test_log(void) {
    StaticVec* vec = open_vec(small_flocks());
    Dict *first = create_dict(32), *second = create_dict(32), *third = create_dict(32), *none = create_dict(32);
    static_vec_log(vec, none);
    CHECK_EQ(none->size, 0);
    for (int t = 0; t < HORIZON; t++) cpu_vec_step(vec);
    static_vec_eval_log(vec, first);
    static_vec_eval_log(vec, second);
    CHECK_EQ(told(first, "n"), FLOCKS);
    CHECK_EQ(told(second, "n"), FLOCKS);
    static_vec_log(vec, second);
    static_vec_log(vec, none);
    CHECK_EQ(none->size, 0);
    for (int t = 0; t < HORIZON; t++) cpu_vec_step(vec);
    static_vec_log(vec, third);
    CHECK_EQ(told(third, "n"), FLOCKS); /* of these episodes alone, whole ones by now */
    CHECK_EQ(told(third, "episode_length"), HORIZON);
    CHECK(told(first, "episode_length") < HORIZON);
    free_dict(first);
    free_dict(second);
    free_dict(third);
    free_dict(none);
    static_vec_close(vec);
}

/* Each parameter that [env] names arrives: here all of them, none with its default but those that are bound to the sizes. */
static void test_parameters(void) {
    Dict* env = create_dict(32);
    int given = 0;
#define OTHER_int(value) ((value) ? (value)-1 : 1)
#define OTHER_bool(value) (!(value))
#define OTHER_float(value) ((value)*0.75)
#define OTHER_choice(value) (value)
#define GIVE(type, name, value, least, most, unit, doc) \
    dict_set(env, #name, OTHER_##type(value));          \
    given += OTHER_##type(value) != (value);
    BOIDS_PARAMS(GIVE)
    if (get_obs_size() > 10) dict_set(env, "num_neighbors", 8);
    dict_set(env, "observation", get_obs_size() > 10);
    dict_set(env, "action", get_act_sizes()[0] == 1);
    StaticVec* vec = create_static_vec((int)told(env, "num_boids"), 1, 0, NULL, env);
#define ARRIVED(type, name, value, least, most, unit, doc) \
    CHECK_EQ(flock_of(vec, 0)->name, (type)told(env, #name));
    BOIDS_PARAMS(ARRIVED)
    CHECK_EQ(given, env->size - 2); /* all but the two choices */
    CHECK_EQ(vec->size, 1);
    free_dict(env);
    static_vec_close(vec);
}

/* flock.ini lists every parameter with its default, so that each can be given on the command line, and nothing else. */
static void test_ini(void) {
    FILE* file = fopen(PUFFERLIB4_FOLDER "/flock.ini", "r");
    char line[256], section[64] = "", name[64];
    double number;
    int listed = 0, params = 0;
    Boids read, defaults;
    memset(&read, 0xFF, sizeof read);
    memset(&defaults, 0, sizeof defaults);
    env_defaults(&defaults);
    CHECK(file != NULL);
    while (file && fgets(line, sizeof line, file)) {
        sscanf(line, "[%63[^]]]", section);
        if (strcmp(section, "env") != 0 || sscanf(line, "%63[a-z_] = %lf", name, &number) != 2) continue;
        listed++;
#define READ(type, param, value, least, most, unit, doc) \
    if (!strcmp(name, #param)) read.param = (type)number;
        BOIDS_PARAMS(READ)
    }
    if (file) fclose(file);
#define LISTED(type, name, value, least, most, unit, doc) \
    params++;                                             \
    CHECK_EQ(read.name, defaults.name);
    BOIDS_PARAMS(LISTED)
    CHECK_EQ(listed, params);
}

/* The number of an environment is all that tells one from the next, and it tells the same every time. */
static void test_seeds(void) {
    StaticVec *one = open_vec(small_flocks()), *other = open_vec(small_flocks());
    const size_t bytes = sizeof *one->rewards * (size_t)(BOIDS * get_obs_size());
    CHECK(!memcmp(one->observations, other->observations, bytes * FLOCKS));
    for (int k = 1; k < FLOCKS; k++)
        CHECK(memcmp(one->observations, (char*)one->observations + (size_t)k * bytes, bytes) != 0);
    static_vec_close(one);
    static_vec_close(other);
}

/* Without raylib a frame is no frame, and returns. */
static void test_render(void) {
    StaticVec* vec = open_vec(small_flocks());
    static_vec_render(vec, 0);
    CHECK(flock_of(vec, 0)->client == NULL);
    static_vec_close(vec);
}

/* As promised, and in the form in which PufferLib's build script looks for the type. */
static void test_binding(void) {
    FILE* file = fopen(PUFFERLIB4_FOLDER "/binding.c", "r");
    char line[256], type[64] = "";
    int lines = 0;
    CHECK(file != NULL);
    for (; file && fgets(line, sizeof line, file); lines++) sscanf(line, "#define OBS_TENSOR_T %63s", type);
    if (file) fclose(file);
    CHECK(lines > 0 && lines <= 30);
    CHECK_TEXT(type, "FloatTensor");
}

static int try_parameter(const char* name, const char* value) {
    Dict* env = small_flocks();
    dict_set(env, name, strtod(value, NULL));
    static_vec_close(open_vec(env));
    printf("accepted\n");
    return 0;
}

int main(int argc, char** argv) {
    if (argc == 3) return try_parameter(argv[1], argv[2]);
    RUN(test_types);
    if (check_failures) return check_result(); /* the rest would read and write past the arrays */
    RUN(test_same_bits);
    RUN(test_log);
    RUN(test_parameters);
    RUN(test_ini);
    RUN(test_seeds);
    RUN(test_render);
    RUN(test_binding);
    return check_result();
}
