/* test_learn_golden.c - the same seed gives the same weights: hashes after two updates, kept in golden_learn.h, for every kind of space
 *
 * They must hold for every compiler, instruction set, level of optimization and number of threads: tests/c/CMakeLists.txt compiles this
 * file with many. And the mirror image of an observation gets the mirrored action, bit for bit. When the learner changes on purpose,
 *
 *     build/default/test_learn_golden --print
 *
 * prints the new hashes for golden_learn.h; learn_golden_int, _signed and _byte in build/default/tests/c have those of other observations.
 */
#include "spaces.h"
#include "env_vec.h"
#include "learn/ppo.h"

#include "check.h"
#include "runs_here.h"

typedef struct Golden {
    const char* name;
    uint64_t hash;
} Golden;

static const Golden golden[] = {
#define GOLDEN(name, hash) {name, hash},
#include "golden_learn.h"
#undef GOLDEN
    {NULL, 0},
};

static bool printing;
static const char* const observations = SPACES_LETTER == 'f'   ? "float"
                                        : SPACES_LETTER == 'i' ? "int"
                                        : SPACES_LETTER == 'b' ? "signed"
                                                               : "byte";
static const char* const actions[] = {"one", "several", "continuous"};

static bool open_spaces(EnvVec* vec, Learner* learner, int action, int threads) {
    Env first;
    LearnSettings settings;
    memset(&first, 0, sizeof first);
    env_defaults(&first);
    first.action = action;
    learn_defaults(&settings);
    settings.rollout = 7;
    settings.minibatch = 3 * 50 * 7 / 6;
    settings.policy_width = 13;
    settings.value_layers = 1;
    settings.annealing = 2;
    const char* error = env_vec_open(vec, &first, 50, 1, 1);
    if (!error) error = env_vec_attach(vec, NULL);
    if (!error) error = env_vec_reset(vec);
    if (!error) error = learn_open(learner, vec, &settings, 3, threads);
    CHECK_TEXT(error, NULL);
    return !error;
}

static void hold(int action, int threads) {
    EnvVec vec;
    Learner learner;
    char name[64];
    if (!open_spaces(&vec, &learner, action, threads)) return;
    for (int k = 0; k < 2; k++) CHECK_TEXT(learn_update(&learner), NULL);
    const uint64_t hash = env_vec_checksum((const char*)learner.weights, learner.num_weights * sizeof(float));
    learn_close(&learner);
    env_vec_close(&vec);
    snprintf(name, sizeof name, "%s_%s", observations, actions[action]);
    if (printing) {
        printf("GOLDEN(\"%s\", 0x%016llx)\n", name, (unsigned long long)hash);
        return;
    }
    const Golden* row = golden;
    while (row->name && strcmp(row->name, name) != 0) row++;
    CHECK_TEXT(row->name, name);
    CHECK(row->hash == hash);
    if (row->hash != hash) printf("    %s, %d threads: 0x%016llx\n", name, threads, (unsigned long long)hash);
}

/* Replaces every observation by its mirror image. */
static void mirror_all(EnvVec* vec) {
    const EnvSpace space = vec->observation_space;
    SpacesElement* row = (SpacesElement*)vec->arrays[ENV_VEC_OBSERVATIONS];
    SpacesElement old[64];
    for (int64_t i = 0; i < vec->num_agents; i++, row += space.size) {
        memcpy(old, row, (size_t)space.size * sizeof *row);
        for (int32_t k = 0; k < space.size; k++) {
            const EnvMirror mirror = c_mirror_observation(&vec->envs[0], k);
            row[k] = mirror.sign < 0 ? (SpacesElement)-old[mirror.from] : old[mirror.from];
        }
    }
}

static void mirror_is_held(int action) {
    enum { AGENTS = 150 };
    EnvVec vec;
    Learner learner;
    float first[AGENTS * 3];
    int differ = 0;
    if (!open_spaces(&vec, &learner, action, 2)) return;
    CHECK_TEXT(learn_update(&learner), NULL);
    for (int how = LEARN_DRAW; how <= LEARN_BEST; how++) {
        const EnvSpace space = vec.action_space;
        const size_t count = AGENTS * (size_t)space.size;
        learn_act(&learner, &vec, how, 9);
        memcpy(first, vec.arrays[ENV_VEC_ACTIONS], count * sizeof(float));
        mirror_all(&vec);
        learn_act(&learner, &vec, how, 9);
        for (size_t k = 0; k < count; k++) {
            const int32_t element = (int32_t)(k % (size_t)space.size);
            if (space.choices) {
                int32_t before;
                memcpy(&before, &first[k], sizeof before);
                CHECK_EQ(((int32_t*)vec.arrays[ENV_VEC_ACTIONS])[k], space.choices[element] - 1 - before);
                differ += 2 * before != space.choices[element] - 1;
            } else {
                const float now = ((float*)vec.arrays[ENV_VEC_ACTIONS])[k - (size_t)element + (size_t)(1 - element)];
                CHECK(now == -first[k]);
                differ += now != 0;
            }
        }
    }
    CHECK(differ > AGENTS);
    learn_close(&learner);
    env_vec_close(&vec);
}

/* A header whose mirror is none is refused; without the mirror it will do. */
static void broken_mirrors_are_refused(void) {
    for (int broken = 1; broken <= 2; broken++) {
        Env first;
        EnvVec vec;
        Learner learner;
        LearnSettings settings;
        memset(&first, 0, sizeof first);
        env_defaults(&first);
        first.broken = broken;
        learn_defaults(&settings);
        settings.minibatch = 48;
        CHECK_TEXT(env_vec_open(&vec, &first, 1, 1, 1), NULL);
        CHECK_TEXT(env_vec_attach(&vec, NULL), NULL);
        const char* message = learn_open(&learner, &vec, &settings, 3, 1);
        CHECK(message && strstr(message, broken == 1 ? "c_mirror_observation: " : "c_mirror_action: ") == message);
        CHECK(learner.bad_header && !learner.vec);
        settings.mirror = false;
        CHECK_TEXT(learn_open(&learner, &vec, &settings, 3, 1), NULL);
        learn_close(&learner);
        env_vec_close(&vec);
    }
}

int main(int argc, char** argv) {
    if (!runs_here()) {
        printf("Left out: this processor lacks the instructions.\n");
        return 77; /* which CTest counts as skipped */
    }
    printing = argc > 1 && !strcmp(argv[1], "--print");
    for (int action = 0; action < 3; action++) {
        for (int threads = 1; threads <= (printing ? 1 : 3); threads++) hold(action, threads);
        if (!printing) mirror_is_held(action);
    }
    if (!printing) broken_mirrors_are_refused();
    return printing ? check_failures : check_result();
}
