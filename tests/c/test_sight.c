/* test_sight.c - every search path sees the same boids, in worlds of every shape, and they are the right ones */
#include "flock.h"

typedef struct World {
    float width, height, view_radius;
} World;

/* Beside each: the cells it has. Up to 31 an axis all pairs are possible too. */
static const World worlds[] = {
    {1080, 720, 100},         /* 10 x 7 */
    {1, 1, 0.5f},             /* 1 x 1: a boid sees half way round */
    {201, 201, 100},          /* 2 x 2 */
    {301, 301, 100},          /* 3 x 3: neighbours to the left and right meet */
    {401, 501, 100},          /* 4 x 4 */
    {800, 800, 100},          /* 7 x 7: differences that are halves of a unit */
    {1500, 100, 50},          /* 29 x 1 */
    {100, 1500, 50},          /* 1 x 29 */
    {1080, 720, 34},          /* 31 x 21 */
    {1080, 720, 33},          /* 32 x 21: the first of many cells */
    {2000, 100, 50},          /* 39 x 1 */
    {100, 51200, 50},         /* 1 x 1021 */
    {100, 102400, 50},        /* 1 x 2043 */
    {1000000, 1000000, 1000}, /* 998 x 998 with a million boids; with few, fewer and wider */
};
enum { WORLDS = sizeof worlds / sizeof *worlds };

static const int32_t sizes[] = {1, 2, 33, 150, 256, 257, 400};
enum { SIZES = sizeof sizes / sizeof *sizes };

enum { EVERYWHERE, ACROSS_THE_CORNER, ALONG_A_SEAM, ON_FOUR_POINTS, LAYOUTS };

static double random_unit(uint64_t* rng) { return (double)(env_random(rng) >> 11) / 9007199254740992.0; }

/* Puts the boids of `flock` in one of four layouts. */
static void lay_out(Flock* flock, int layout) {
    const Boids* env = &flock->env;
    const double width = (double)env->width, height = (double)env->height, radius = (double)env->view_radius;
    for (int32_t i = 0; i < env->num_boids; i++) {
        const double u = random_unit(&flock->rng), v = random_unit(&flock->rng), w = random_unit(&flock->rng);
        double x = u * width, y = v * height;
        if (layout == ACROSS_THE_CORNER) x = (u - 0.5) * 4 * radius, y = (v - 0.5) * 4 * radius;
        if (layout == ALONG_A_SEAM) y = (v - 0.5) * radius;
        if (layout == ON_FOUR_POINTS) x = i % 2 ? 0 : radius / 2, y = i & 2 ? 0 : radius * 0.9;
        flock_place(flock, i, x, y, w * 360);
    }
}

static Flock flock_of(World world, int32_t num_boids, int observation) {
    Flock flock = flock_new();
    flock.env.width = world.width;
    flock.env.height = world.height;
    flock.env.view_radius = world.view_radius;
    flock.env.separation_radius = world.view_radius / 4;
    flock.env.collision_radius = world.view_radius / 12;
    flock.env.speed = world.view_radius / 25;
    flock.env.num_boids = num_boids;
    flock.env.observation = observation;
    flock.env.horizon = 2;
    return flock;
}

static void name(World world, int32_t num_boids, int layout) {
    printf("    %g x %g, view radius %g, %d boids, layout %d\n", (double)world.width, (double)world.height,
           (double)world.view_radius, (int)num_boids, layout);
}

/* Two steps, the second of which ends an episode and counts the groups. */
static uint64_t hash_of_steps(World world, int32_t num_boids, int layout, int observation, bool use_cells) {
    Flock flock = flock_of(world, num_boids, observation);
    if (!flock_open(&flock)) return 0;
    sight_use_cells(&flock.env.sight, use_cells);
    lay_out(&flock, layout);
    uint64_t hash = FLOCK_HASH;
    for (int t = 0; t < 2; t++) {
        flock_step(&flock, flock_random);
        hash = flock_hash(hash, &flock.env);
    }
    CHECK_EQ(flock.env.log.n, 1);
    flock_close(&flock);
    return hash;
}

static void test_same_bits_on_both_paths(void) {
    int compared = 0;
    for (int w = 0; w < WORLDS; w++) {
        for (int s = 0; s < SIZES; s++) {
            for (int layout = 0; layout < LAYOUTS; layout++) {
                Flock flock = flock_of(worlds[w], sizes[s], 0);
                CHECK_TEXT(c_init(&flock.env), NULL);
                const Sight sight = flock.env.sight;
                c_close(&flock.env);
                if (sight.x_axis.cells >= 32 || sight.y_axis.cells >= 32) continue;
                const int observation = (w + s + layout) % 2;
                const uint64_t pairs = hash_of_steps(worlds[w], sizes[s], layout, observation, false);
                const uint64_t cells = hash_of_steps(worlds[w], sizes[s], layout, observation, true);
                CHECK(pairs == cells);
                if (pairs != cells) name(worlds[w], sizes[s], layout);
                compared++;
            }
        }
    }
    CHECK(compared > 150);
}

static double wrapped(double d, double side) { return d - side * floor(d / side + 0.5); }

/* The number of neighbours against a count in double precision. Pairs at the rim, within what 16 bits can tell, go either way. */
static void test_counts(void) {
    long rim = 0, all = 0;
    for (int w = 0; w < WORLDS; w++) {
        for (int layout = 0; layout < ON_FOUR_POINTS; layout++) {
            const int32_t n = 300;
            Flock flock = flock_of(worlds[w], n, RULES);
            flock.env.flockmates = 1000;
            if (!flock_open(&flock)) return;
            const Boids* env = &flock.env;
            const double width = (double)env->width, height = (double)env->height, radius = (double)env->view_radius;
            for (int use_cells = env->sight.x_axis.cells >= 32 || env->sight.y_axis.cells >= 32; use_cells < 2;
                 use_cells++) {
                sight_use_cells(&flock.env.sight, use_cells);
                lay_out(&flock, layout);
                flock_step(&flock, flock_random);
                const double tick_x = ldexp(width, env->sight.x_axis.shift - 32) / radius;
                const double tick_y = ldexp(height, env->sight.y_axis.shift - 32) / radius;
                const double blur = hypot(tick_x, tick_y) + 3e-4;
                CHECK(blur < 0.02);
                for (int32_t i = 0; i < n; i++) {
                    int32_t least = 0, most = 0;
                    for (int32_t j = 0; j < n; j++) {
                        const double dx =
                            wrapped(env->x[j] / 4294967296.0 * width - env->x[i] / 4294967296.0 * width, width);
                        const double dy =
                            wrapped(env->y[j] / 4294967296.0 * height - env->y[i] / 4294967296.0 * height, height);
                        const double d = sqrt(dx * dx + dy * dy) / radius;
                        least += j != i && d < 1 - blur;
                        most += j != i && d < 1 + blur;
                    }
                    const double seen = (double)env->observations[10 * i + 1] * 1000;
                    CHECK(seen > least - 0.01 && seen < most + 0.01);
                    all += least;
                    rim += most - least;
                }
            }
            flock_close(&flock);
        }
    }
    CHECK(all > 50000);
    CHECK(rim < all / 100);
}

/* A block looks at every four in which one of its boids sees another, whatever order the boids are in: that of another episode, or one
 * that is seven steps old. It leaves out many. */
static void test_arcs(void) {
    long looked_at = 0, left_out = 0;
    for (int w = 0; w < WORLDS; w++) {
        for (int layout = 0; layout < LAYOUTS; layout++) {
            for (int32_t n = 33; n <= 256; n += 97 - n % 2) {
                Flock flock = flock_of(worlds[w], n, RULES);
                flock.env.horizon = 12;
                flock.env.speed = (worlds[w].width < worlds[w].height ? worlds[w].width : worlds[w].height) / 4;
                if (!flock_open(&flock)) return;
                const Sight* sight = &flock.env.sight;
                lay_out(&flock, layout);
                for (int t = 0; t < 20 && sight->ordered; t++) {
                    flock_step(&flock, flock_random);
                    for (uint32_t first = 0; first < (uint32_t)n; first += 8) {
                        const uint32_t size = (uint32_t)n - first < 8 ? (uint32_t)n - first : 8;
                        const uint64_t fours = sight__fours_in_reach(sight, first, size);
                        bool missed = false;
                        for (uint32_t j = 0; j < (uint32_t)n; j++) {
                            const bool within = fours >> j / 4 & 1;
                            looked_at += within;
                            left_out += !within;
                            for (uint32_t i = first; i < first + size && !within; i++)
                                missed |= sight__distance2(sight, &sight->bodies[i], &sight->bodies[j]) < sight->view2;
                        }
                        CHECK(!missed);
                        if (missed) name(worlds[w], n, layout);
                    }
                }
                flock_close(&flock);
            }
        }
    }
    CHECK(looked_at > 100000);
    CHECK(left_out > 100000);
}

/* Bodies where 16-bit arithmetic wraps: at both ends of the axis, half way round, and all over the world. */
static void test_arcs_wrap(void) {
    const uint32_t places[] = {0, 1, 2, 32766, 32767, 32768, 32769, 65534, 65535, 20000, 40000, 60000};
    enum { PLACES = sizeof places / sizeof *places, BODIES = 64 };
    uint32_t x[BODIES], y[BODIES] = {0}, heading[BODIES] = {0};
    uint64_t rng = 3;
    for (int world = 0; world < 4; world++) {
        const double radius[] = {0.19, 0.1, 0.05, 0.034}; /* of the width: 5 to 29 columns */
        Sight sight;
        memset(&sight, 0, sizeof sight);
        CHECK_TEXT(sight_init(&sight, BODIES, 1, 0.5, radius[world], radius[world] / 4, 1), NULL);
        CHECK(sight.ordered);
        for (int trial = 0; trial < 2000; trial++) {
            for (int i = 0; i < BODIES; i++) x[i] = places[env_random(&rng) % (uint64_t)(trial % PLACES + 1)] << 16;
            sight_update(&sight, x, y, heading, 1);
            bool missed = false;
            for (uint32_t i = 0; i < BODIES; i++)
                for (uint32_t j = 0; j < BODIES; j++)
                    missed |= !(sight__fours_in_reach(&sight, i / 8 * 8, 8) >> j / 4 & 1) &&
                              sight__distance2(&sight, &sight.bodies[i], &sight.bodies[j]) < sight.view2;
            CHECK(!missed);
        }
        sight_close(&sight);
    }
}

/* Each boid is in one block; a block's runs do not overlap, and one of them holds the block. No pair is half a window apart. */
static void test_blocks(void) {
    for (int w = 0; w < WORLDS; w++) {
        for (int s = 0; s < SIZES; s++) {
            for (int layout = 0; layout < LAYOUTS; layout++) {
                Flock flock = flock_of(worlds[w], sizes[s], RULES);
                if (!flock_open(&flock)) return;
                sight_use_cells(&flock.env.sight, true);
                const Sight* sight = &flock.env.sight;
                if (sight->columns >= 32)
                    CHECK((sight->span + 1) * ldexp(1, 32 - sight->x_axis.shift) / sight->columns <= 32768);
                lay_out(&flock, layout);
                flock_step(&flock, flock_straight);
                uint32_t boids = 0;
                SightBlock block;
                memset(&block, 0, sizeof block);
                bool apart = true, inside = true;
                while (sight__next_block(&flock.env.sight, SIGHT_LANES, &block)) {
                    int around = 0;
                    for (uint32_t a = 0; a < block.num_runs; a++) {
                        around += block.from[a] <= block.first && block.first + block.size <= block.to[a];
                        for (uint32_t b = 0; b < a; b++)
                            apart &= block.to[a] <= block.from[b] || block.to[b] <= block.from[a];
                    }
                    inside &= around == 1 && block.first == boids && block.size > 0 && block.size <= SIGHT_LANES;
                    boids += block.size;
                }
                CHECK_EQ(boids, sizes[s]);
                CHECK(apart);
                CHECK(inside);
                if (!apart || !inside) name(worlds[w], sizes[s], layout);
                flock_close(&flock);
            }
        }
    }
}

/* An offset at which the first of two bodies sees the second, unseen. */
static bool find_rim(const Sight* sight, uint32_t* dx, uint32_t* dy) {
    const SightBody one = {0, 0};
    for (uint32_t x = 1; x < 3000; x += 2) {
        for (uint32_t y = 32001; y < 32768;
             y += 2) { /* the view radius is 32604; odd differences are rounded when they are halved */
            const SightBody two = {sight_word(-(int32_t)x, -(int32_t)y), 0};
            if (sight__distance2(sight, &one, &two) >= sight->view2 || sight__distance2(sight, &two, &one) < sight->view2)
                continue;
            *dx = 0 - (x << 16);
            *dy = 0 - (y << 16);
            return true;
        }
    }
    return false;
}

/* At the rim, rounding may let boid a see b and not b see a. They are a group on either path and whichever comes first. */
static void test_groups_at_the_rim(void) {
    for (int k = 0; k < 4; k++) {
        Flock flock = flock_of((World){201, 201, 100}, 2, RULES);
        flock.env.horizon = 1;
        flock.env.speed = 0;
        if (!flock_open(&flock)) return;
        sight_use_cells(&flock.env.sight, k & 1);
        const int32_t a = k >> 1, b = 1 - a;
        uint32_t dx = 0, dy = 0;
        CHECK(find_rim(&flock.env.sight, &dx, &dy));
        flock.env.x[a] = flock.env.y[a] = 1u << 16;
        flock.env.x[b] = flock.env.x[a] + dx;
        flock.env.y[b] = flock.env.y[a] + dy;
        flock_step(&flock, flock_straight);
        CHECK_EQ(flock.env.log.isolation, 0.5); /* one sees the other, unseen */
        CHECK_EQ(flock.env.log.groups, 1);
        flock_close(&flock);
    }
}

/* Crowds: the 16-bit sums are emptied before they can overflow, however many there are and wherever they fly. */
static void test_crowd(void) {
    for (int far = 0; far < 2; far++) {
        const float separations[] = {100.0f / 32, 10, 50, 58, 100};
        for (int s = 0; s < 5; s++) {
            Flock flock = flock_of((World){1080, 720, 100}, 2000, RULES);
            const double r = (double)separations[s];
            flock.env.separation_radius = separations[s];
            flock.env.speed = 0;
            if (!flock_open(&flock)) return;
            /* all but boid 0 where a neighbour pulls or pushes hardest: at the rim, or at r / sqrt(3) */
            const double d = far ? 99.5 : r / sqrt(3);
            for (int32_t i = 0; i < 2000; i++) flock_place(&flock, i, i ? 500 + d : 500, 300, i ? 0 : 180);
            flock_step(&flock, flock_straight);
            const float* row = flock.env.observations;
            CHECK_NEAR(row[2], -d / 100, 1e-3);
            CHECK_NEAR(row[3], 0, 1e-3);
            CHECK_NEAR(row[4], -1, 1e-3);
            const bool pushed = d < r;
            CHECK_NEAR(row[6], pushed ? 1 : 0, 1e-3);
            CHECK_NEAR(row[8], pushed ? 1 - d / r : 0,
                       s ? 0.02 : 0.15); /* distances are coarse at 1/32 of the view radius */
            flock_close(&flock);
        }
    }
}

/* The example of sight.h: a swarm of its own, which is no flock. Neighbours, groups and the nearest against all pairs in doubles. */
static void test_another_swarm(void) {
    enum { SIZE = 300, NEAREST_OF_THEM = 3 };
    uint32_t x[SIZE], y[SIZE], heading[SIZE], group[SIZE];
    int32_t neighbours[SIZE], forest[SIZE], groups, largest;
    const double side = 10, radius = 1;
    uint64_t rng = 5;
    for (int i = 0; i < SIZE; i++) {
        x[i] = (uint32_t)env_random(&rng);
        y[i] = (uint32_t)env_random(&rng);
        heading[i] = sight_heading(1, 0);
    }
    Sight sight;
    memset(&sight, 0, sizeof sight);
    CHECK_TEXT(sight_init(&sight, SIZE, side, side, radius, radius / 4, 1), NULL);
    sight_update(&sight, x, y, heading, 1);
    static SightBatch batch;
    int32_t bodies = 0;
    for (sight_first(&sight, 0, sight.rows, NEAREST_OF_THEM, &batch); sight_next(&batch);) {
        for (uint32_t l = 0; l < batch.size; l++) {
            const uint32_t i = sight_id(&batch, l);
            const Sighting sees = sight_of(&batch, l);
            const SightNeighbour nearest = sight_nearest(&batch, 0, l);
            neighbours[i] = sees.count;
            CHECK_EQ(sees.own_c, SIGHT_UNIT);
            CHECK_NEAR((double)sees.c, sees.count * SIGHT_UNIT, 0);
            if (sees.count)
                CHECK_NEAR(hypot(nearest.x, nearest.y) / sight.view, sqrt(sees.nearest2 / (double)sight.view2), 0.02);
            bodies++;
        }
    }
    CHECK_EQ(bodies, SIZE);
    int wrong = 0;
    for (int i = 0; i < SIZE; i++) {
        int count = 0;
        for (int j = 0; j < SIZE; j++) {
            const double dx = (int32_t)(x[j] - x[i]) / 4294967296.0 * side,
                         dy = (int32_t)(y[j] - y[i]) / 4294967296.0 * side;
            count += j != i && dx * dx + dy * dy < radius * radius;
        }
        wrong += abs(count - neighbours[i]);
    }
    CHECK(wrong <= 3); /* at the rim */
    sight_groups(&sight, forest, group, &groups, &largest);
    int32_t first = 0, most = 0;
    for (uint32_t i = 0; i < SIZE; i++) {
        int32_t size = 0;
        for (int j = 0; j < SIZE; j++) size += group[j] == i;
        first += group[i] == i; /* the lowest id of a group names it */
        most = size > most ? size : most;
    }
    CHECK_EQ(first, groups);
    CHECK_EQ(most, largest);
    sight_close(&sight);
    sight_close(&sight);
}

int main(void) {
    RUN(test_another_swarm);
    RUN(test_same_bits_on_both_paths);
    RUN(test_counts);
    RUN(test_arcs);
    RUN(test_arcs_wrap);
    RUN(test_blocks);
    RUN(test_groups_at_the_rim);
    RUN(test_crowd);
    return check_result();
}
