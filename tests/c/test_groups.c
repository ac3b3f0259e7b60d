/* test_groups.c - groups and numbers of neighbours against a loop over all pairs */
#include "flock.h"

enum { MOST = 400 };

/* Whether either of two boids, given by their places in cell order, sees the other. */
static bool connected(const Sight* sight, int32_t one, int32_t other) {
    const SightBody *a = &sight->bodies[one], *b = &sight->bodies[other];
    return sight__distance2(sight, a, b) < sight->view2 || sight__distance2(sight, b, a) < sight->view2;
}

/* Every boid takes the lowest id among itself and those connected to it, until none changes. */
static void group_slowly(const Sight* sight, uint32_t* group) {
    const int32_t n = sight->size;
    for (int32_t i = 0; i < n; i++) group[i] = (uint32_t)i;
    for (bool changed = true; changed;) {
        changed = false;
        for (int32_t k = 0; k < n; k++)
            for (int32_t j = 0; j < n; j++) {
                uint32_t *mine = &group[sight->id[k]], theirs = group[sight->id[j]];
                if (theirs >= *mine || !connected(sight, j, k)) continue;
                *mine = theirs;
                changed = true;
            }
    }
}

static void compare(const Sight* sight) {
    static int32_t forest[MOST], neighbours[MOST], sizes[MOST];
    static uint32_t group[MOST], expected[MOST];
    const int32_t n = sight->size;
    int32_t count, largest, count_alone, largest_alone, groups = 0, most = 0;
    sight_groups(sight, forest, NULL, &count_alone, &largest_alone);
    sight_groups(sight, forest, group, &count, &largest);
    group_slowly(sight, expected);
    memset(sizes, 0, sizeof sizes);
    for (int32_t i = 0; i < n; i++) {
        CHECK_EQ(group[i], expected[i]);
        groups += expected[i] == (uint32_t)i;
        if (++sizes[expected[i]] > most) most = sizes[expected[i]];
    }
    CHECK_EQ(count, groups);
    CHECK_EQ(largest, most);
    CHECK(count_alone == count && largest_alone == largest);

    sight_count(sight, neighbours);
    for (int32_t k = 0; k < n; k++) {
        int32_t seen = 0;
        for (int32_t j = 0; j < n; j++)
            seen += j != k && sight__distance2(sight, &sight->bodies[k], &sight->bodies[j]) < sight->view2;
        CHECK_EQ(neighbours[sight->id[k]], seen);
    }
}

static void test_against_all_pairs(void) {
    static const int32_t boids[] = {1, 2, 60, MOST};
    /* many groups, fewer, and one. At least 1/32 of a side, below which distances of far pairs wrap: a loop over all pairs would err */
    static const float radii[] = {36, 60, 200};
    for (int b = 0; b < 4; b++)
        for (int r = 0; r < 3; r++) {
            Flock flock = flock_new();
            flock.env.num_boids = boids[b];
            flock.env.view_radius = radii[r];
            flock.env.separation_radius = radii[r] / 4;
            if (!flock_open(&flock)) return;
            for (int t = 0; t < 3; t++) {
                compare(&flock.env.sight);
                flock_step(&flock, flock_random);
            }
            flock_close(&flock);
        }
}

int main(void) {
    RUN(test_against_all_pairs);
    return check_result();
}
