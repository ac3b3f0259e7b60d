/* fuzz_boids.c - turns bytes into parameters and a sequence of calls, which two flocks run; their results must be the same
 *
 * libFuzzer (`make fuzz`) searches for bytes that reach new code. replay.c runs the ones that it kept, as a test.
 * Both flocks get the same calls. One uses the kernels and the search that the bytes choose, the other plain C and what c_init chose.
 * State, observations, rewards and log must be the same bits. After every step the state must be valid and the log in its ranges. In
 * a small flock the observed company must also agree with distances in world units.
 */
#include "flock.h"

#include "show/boids_pixels.h"

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

enum { MOST_BOIDS = 1100, MOST_CALLS = 64, MOST_PAIRS = 1 << 21, MOST_COMPARED = 96 };

/* The rest of the input; beyond its end it reads as zeros. */
typedef struct Bytes {
    const uint8_t* at;
    size_t left;
} Bytes;

static void take(Bytes* in, void* out, size_t size) {
    const size_t have = size < in->left ? size : in->left;
    memset(out, 0, size);
    if (have) memcpy(out, in->at, have);
    in->at += have;
    in->left -= have;
}

static uint32_t take_below(Bytes* in, uint32_t limit) {
    uint16_t value;
    take(in, &value, sizeof value);
    return value % limit;
}

/* low to high, both included: errors are likely at the ends of a range */
static float take_between(Bytes* in, double low, double high) {
    uint16_t value;
    take(in, &value, sizeof value);
    return (float)(low + (high - low) * value / 65535.0);
}

/* ---- Parameters: mostly valid ones; one input in eight sets one parameter to any value */
static void take_params(Bytes* in, Boids* env) {
    static const uint32_t sizes[] = {8, 40, 300, MOST_BOIDS};
    const uint32_t choices = take_below(in, 1 << 16);
    env->num_boids = 1 + (int32_t)take_below(in, sizes[choices & 3]);
    env->action = choices >> 2 & 1;
    env->observation = choices >> 3 & 1;
    env->stagger = choices >> 4 & 1;
    env->num_neighbors = 1 + (int32_t)take_below(in, 32);
    env->flockmates = 1 + (int32_t)take_below(in, choices >> 5 & 1 ? 1000 : 8);
    env->horizon = 1 + (int32_t)take_below(in, 16);
    env->warmup = (int32_t)take_below(in, (uint32_t)env->horizon);
    env->width = (float)pow(10, take_between(in, 0, 6));
    env->height = choices >> 6 & 1 ? env->width : (float)pow(10, take_between(in, 0, 6));
    const double shorter = env->width < env->height ? env->width : env->height;
    const double longer = env->width < env->height ? env->height : env->width;
    env->view_radius = take_between(in, longer / 1024, shorter / 2);
    env->separation_radius = take_between(in, env->view_radius / 32, env->view_radius);
    env->collision_radius = take_between(in, 0, env->view_radius);
    env->speed = take_between(in, 0, shorter / 4);
    env->max_turn = take_between(in, 0, 180);
    env->gentle_turn = take_between(in, 0, env->max_turn);
    env->cohesion_weight = take_between(in, 0, 10);
    env->alignment_weight = take_between(in, -10, 10);
    env->separation_weight = take_between(in, 0, 10);
    env->num_envs = take_below(in, 8);
    env->index = env->num_envs ? take_below(in, env->num_envs) : 0;
    take(in, &env->rng, sizeof env->rng);
    if (choices >> 7 & 7) return;

#define OFFSET(type, name, value, least, most, unit, doc) {offsetof(Boids, name), sizeof(type)},
    static const struct {
        size_t offset, size;
    } params[] = {BOIDS_PARAMS(OFFSET)};
#undef OFFSET
    const size_t k = take_below(in, sizeof params / sizeof params[0]);
    if (params[k].size == sizeof(bool))
        env->stagger = take_below(in, 2);
    else
        take(in, (char*)env + params[k].offset, params[k].size);
}

/* Where c_init fails, for a parameter or out of memory, nothing stays allocated. */
static bool may_open(Bytes* in, const Flock* flock) {
    Flock refused = *flock;
    const bool valid = boids_check_params(&refused.env) == NULL;
    if (valid && flock->env.num_boids > MOST_BOIDS) return false; /* too slow */
    if (valid) flock_allocations_left = take_below(in, 8);
    const char* error = c_init(&refused.env);
    flock_allocations_left = -1;
    CHECK((error && !strcmp(error, ENV_NO_MEMORY)) == valid); /* where it is valid, memory runs out */
    CHECK_EQ(flock_allocations, 0);
    c_close(&refused.env);
    return valid;
}

/* ---- Kernels */
#if defined(FUZZ_PLANTED)
/* A planted error: it looks at one body too many. */
static void planted_sum(const Sight* sight, const SightBlock* block, const SightCrowd* crowd, SightCrowdSums* sums,
                        uint32_t at, uint32_t (*squares)[SIGHT_LANES]) {
    SightCrowd more = *crowd;
    more.size += more.size % 2;
    sight__plain(sight, block, &more, sums, at, squares);
}
#endif

#define KERNELS(name) {8, name, name##_nearest, name##_nearest_of_many}
static const SightKernels plain = KERNELS(sight__plain);

static SightKernels take_kernels(Bytes* in) {
    SightKernels kernels[4] = {KERNELS(sight__plain), sight__fastest_kernels()};
    uint32_t count = 2;
#if defined(FUZZ_PLANTED)
    kernels[1].sum = planted_sum;
#elif defined(__x86_64__) && !defined(SIGHT_ONE_TARGET)
    const SightKernels avx2 = KERNELS(sight__avx2), sse4 = KERNELS(sight__sse4);
    if (SIGHT_HAS("avx2")) kernels[count++] = avx2;
    if (SIGHT_HAS("sse4.1")) kernels[count++] = sse4;
#endif
    return kernels[take_below(in, count)];
}

/* ---- What must hold after a step */
static bool is_between(double value, double low, double high) { return value >= low - 1e-3 && value <= high + 1e-3; }

static void check_log(const Boids* env) {
    const Log* log = &env->log;
    const double n = (double)log->n;
#define FINITE(name, doc) CHECK(isfinite(log->name));
    BOIDS_LOG(FINITE)
#undef FINITE
    if (n == 0) return;
    CHECK(is_between(log->episode_length / n, 1, env->horizon));
    CHECK(is_between(log->reward / n, -1, 1));
    CHECK(is_between(log->cohesion / n, 0, (double)env->cohesion_weight));
    CHECK(is_between(log->alignment / n, -fabs((double)env->alignment_weight), fabs((double)env->alignment_weight)));
    CHECK(is_between(log->separation / n, -(double)env->separation_weight, 0));
    CHECK(is_between(log->polarization / n, 0, 1));
    CHECK(is_between(log->local_alignment / n, -1, 1));
    CHECK(is_between(log->milling / n, 0, 1));
    CHECK(log->nearest >= 0);
    CHECK(is_between(log->collisions / n, 0, 1));
    CHECK(is_between(log->isolation / n, 0, 1));
    CHECK(is_between(log->groups / n, 1, env->num_boids));
    CHECK(is_between(log->largest_group / n, 1.0 / env->num_boids, 1));
    CHECK(is_between(log->turn / n, 0, 1));
}

/* The distance from one position to another on the torus, signed. */
static double apart(uint32_t a, uint32_t b, float side) { return (int32_t)(b - a) / 4294967296.0 * (double)side; }

/* Compares company with distances in world units, in double. A boid at the edge of the view may count or not, because of rounding. */
static void check_company(const Boids* env) {
    const Sight* sight = &env->sight;
    const double unit_x = (double)env->width / (4294967296u >> sight->x_axis.shift);
    const double unit_y = (double)env->height / (4294967296u >> sight->y_axis.shift);
    const double rim = 2 * (unit_x + unit_y) + 2e-3 * (double)env->view_radius;
    for (int32_t i = 0; i < env->num_boids; i++) {
        int32_t least = 0, most = 0;
        for (int32_t j = 0; j < env->num_boids; j++) {
            const double distance = hypot(apart(env->x[i], env->x[j], env->width), apart(env->y[i], env->y[j], env->height));
            least += j != i && distance < (double)env->view_radius - rim;
            most += j != i && distance < (double)env->view_radius + rim;
        }
        const double count = (double)env->observations[i * boids_observation_size(env) + 1] * env->flockmates;
        CHECK(count > (least < env->flockmates ? least : env->flockmates) - 0.01 && count < most + 0.01);
    }
}

static void check_same(const Boids* a, const Boids* b) {
    const size_t n = (size_t)a->num_boids;
    CHECK(!memcmp(a->x, b->x, n * sizeof *a->x));
    CHECK(!memcmp(a->y, b->y, n * sizeof *a->y));
    CHECK(!memcmp(a->heading, b->heading, n * sizeof *a->heading));
    CHECK(!memcmp(a->observations, b->observations, n * (size_t)boids_observation_size(a) * sizeof(float)));
    CHECK(!memcmp(a->rewards, b->rewards, n * sizeof(float)));
    CHECK(!memcmp(a->truncations, b->truncations, n));
    CHECK(!memcmp(&a->log, &b->log, sizeof a->log));
    CHECK_EQ(a->rng, b->rng);
    CHECK_EQ(a->tick, b->tick);
}

/* ---- Calls */
static void take_state(Bytes* in, Flock* flock) {
    Boids* env = &flock->env;
    const uint32_t first = take_below(in, (uint32_t)env->num_boids);
    const uint32_t count = 1 + take_below(in, (uint32_t)env->num_boids - first);
    uint32_t spread = 0; /* with few bits set, all boids share a place, or lie at the ends of the range */
    take(in, &spread, sizeof spread);
    uint32_t x, y;
    take(in, &x, sizeof x);
    take(in, &y, sizeof y);
    for (uint32_t i = first; i < first + count; i++) {
        const uint64_t bits = env_random(&flock->rng);
        env->x[i] = x + ((uint32_t)bits & spread);
        env->y[i] = y + ((uint32_t)(bits >> 32) & spread);
        take(in, &env->heading[i], sizeof env->heading[i]);
    }
}

/* As a discrete action C accepts any int32_t; continuous actions are in [-1, 1]. */
static void take_actions(Bytes* in, Boids* env) {
    for (int32_t i = 0; i < env->num_boids; i++) {
        if (env->action == CONTINUOUS)
            ((float*)env->actions)[i] = take_between(in, -1, 1);
        else
            take(in, (int32_t*)env->actions + i, sizeof(int32_t));
    }
}

static void take_pixels(Bytes* in, const Boids* env) {
    const int32_t width = 1 + (int32_t)take_below(in, 80), height = 1 + (int32_t)take_below(in, 80);
    uint8_t* rgb = (uint8_t*)malloc((size_t)width * (size_t)height * 3); /* of the exact size */
    c_pixels(env, rgb, width, height);
    free(rgb);
}

static void check_script(const Boids* env) {
    for (int32_t i = 0; i < env->num_boids; i++) {
        if (env->action == CONTINUOUS)
            CHECK(fabsf(((const float*)env->actions)[i]) <= 1);
        else
            CHECK(((const uint32_t*)env->actions)[i] < 5);
    }
}

/* One call, chosen by the bytes. Returns whether the neighbours belong to the positions; after a change of state they do not. */
static bool call(Bytes* in, Flock* flock, bool is_plain) {
    Boids* env = &flock->env;
    Sight* sight = &env->sight;
    switch (take_below(in, 11)) {
        case 0:
            take(in, &env->rng, sizeof env->rng);
            c_reset(env);
            return true;
        case 1: take_actions(in, env); break;
        case 2: flock_random(flock); break;
        case 3: flock_straight(flock); break;
        case 4:
            c_script(env);
            check_script(env);
            break;
        case 5: take_state(in, flock); return false;
        case 6:
            env->guest.kind = (int32_t)take_below(in, 3);
            env->guest.x = take_between(in, 0, (double)env->width);
            env->guest.y = take_between(in, 0, (double)env->height);
            return false;
        case 7:
            env->script_cohesion = take_between(in, 0, 1);
            env->script_alignment = take_between(in, 0, 1);
            env->script_separation = take_between(in, 0, 16);
            return false;
        case 8: take_pixels(in, env); return false;
        case 9: {
            const bool use_cells = take_below(in, 2);
            const bool may_choose = sight->x_axis.cells < 32 && sight->y_axis.cells < 32;
            if (!is_plain && may_choose) sight_use_cells(sight, use_cells);
            return false;
        }
        default: {
            const SightKernels kernels = take_kernels(in);
            if (!is_plain) sight->kernels = kernels;
            return false;
        }
    }
    c_step(env);
    return true;
}

static void run(Bytes* in, Flock* flock, Flock* twin) {
    twin->env.sight.kernels = plain;
    const int32_t pairs = flock->env.num_boids * flock->env.num_boids;
    int32_t work = 0; /* limits the time of an input to some milliseconds */
    for (int calls = 0; in->left && calls < MOST_CALLS && work < MOST_PAIRS; calls++) {
        Bytes same = *in;
        call(&same, twin, true);
        if (!call(in, flock, false)) continue;
        work += pairs;
        CHECK_TEXT(boids_validate(&flock->env), NULL);
        check_same(&flock->env, &twin->env);
        check_log(&flock->env);
        if (!flock->env.guest.kind && flock->env.num_boids <= MOST_COMPARED) check_company(&flock->env);
        if (check_failures) return;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    Bytes in = {data, size};
    check_count = 0;
    Flock flock = flock_new();
    take_params(&in, &flock.env);
    if (may_open(&in, &flock) && in.left) {
        Flock twin = flock;
        const bool opened = flock_open(&flock) && flock_open(&twin);
        if (opened) run(&in, &flock, &twin);
        flock_close(&twin);
        flock_close(&flock);
    }
    if (check_failures) exit(check_result()); /* libFuzzer keeps the input of a target that exits */
    return 0;
}
