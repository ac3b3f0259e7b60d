/* groups.h - which bodies are connected by sight, and how many neighbours each has: a few times a second, not in each step
 *
 *     sight_groups(&sight, forest, group, &count, &largest);
 *     sight_count(&sight, neighbours);
 *
 * sight_count stands in sight.h. Both read the positions of the last sight_update and change nothing but the caller's arrays.
 */
#ifndef SIGHT_GROUPS_H
#define SIGHT_GROUPS_H

#include "sight/cells.h"

/* The root of the tree that contains `place`. It halves the path on the way. A root holds a negative number, any other place the
 * place of its parent. */
static inline uint32_t sight__root(int32_t* forest, uint32_t place) {
    while (forest[place] >= 0) {
        const int32_t parent = forest[place];
        if (forest[parent] >= 0) forest[place] = forest[parent];
        place = (uint32_t)forest[place];
    }
    return place;
}

/* Joins the trees of two places. A root holds minus the number of bodies in its tree. Returns the size of the joined tree, or 0
 * where the two were in one tree before. */
static inline int32_t sight__join(int32_t* forest, uint32_t one, uint32_t other) {
    uint32_t large = sight__root(forest, one), small = sight__root(forest, other);
    if (large == small) return 0;
    if (forest[large] > forest[small]) {
        const uint32_t swapped = large;
        large = small;
        small = swapped;
    }
    forest[large] += forest[small];
    forest[small] = (int32_t)large;
    return -forest[large];
}

/* Finds the groups: two bodies are in one group if a chain of neighbours connects them. Union-find over all pairs of neighbours.
 *
 * forest   (size) memory to work in
 * group    (size) of each body, the lowest id in its group; may be NULL
 * count    the number of groups
 * largest  the number of bodies in the largest group */
static inline void sight_groups(const Sight* sight, int32_t* forest, uint32_t* group, int32_t* count, int32_t* largest) {
    const uint32_t n = (uint32_t)sight->size;
    for (uint32_t k = 0; k < n; k++) forest[k] = -1;
    *count = sight->size;
    *largest = 1;
    SightBlock block;
    memset(&block, 0, sizeof block);
    while (sight__next_block(sight, SIGHT_LANES, &block)) {
        for (uint32_t k = block.first; k < block.first + block.size; k++) {
            for (uint32_t r = 0; r < block.num_runs; r++) {
                for (uint32_t j = block.from[r]; j < block.to[r] && j < k; j++) {
                    /* both directions: at the view radius, rounding may let only one of the two see the other */
                    const SightBody *one = &sight->bodies[j], *two = &sight->bodies[k];
                    if (sight__distance2(sight, one, two) >= sight->view2 &&
                        sight__distance2(sight, two, one) >= sight->view2)
                        continue;
                    const int32_t joined = sight__join(forest, j, k);
                    if (!joined) continue;
                    --*count;
                    if (joined > *largest) *largest = joined;
                }
            }
        }
    }
    if (!group) return;
    /* a root, which held minus a size, now holds -1 - the lowest id of its tree */
    for (uint32_t k = 0; k < n; k++)
        if (forest[k] < 0) forest[k] = INT32_MIN;
    for (uint32_t k = 0; k < n; k++) {
        int32_t* root = &forest[sight__root(forest, k)];
        if (*root < -1 - (int32_t)sight->id[k]) *root = -1 - (int32_t)sight->id[k];
    }
    for (uint32_t k = 0; k < n; k++) group[sight->id[k]] = (uint32_t)(-1 - forest[sight__root(forest, k)]);
}

#endif
