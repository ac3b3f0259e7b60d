/* groups.h - sets of bodies connected by sight, and how many each body sees. Once an episode or a few times a second, not each step. */
#ifndef SIGHT_GROUPS_H
#define SIGHT_GROUPS_H

#include "sight/cells.h"

/* The root of a body's group, halving the path to it. A root holds minus the size of its group, any other body its parent. */
static inline int32_t sight__root(int32_t* forest, int32_t k) {
    while (forest[k] >= 0) {
        if (forest[forest[k]] >= 0) forest[k] = forest[forest[k]];
        k = forest[k];
    }
    return k;
}

/* Joins the groups of two bodies: union by size. Whether they were two. */
static inline bool sight__join(int32_t* forest, int32_t j, int32_t k) {
    const int32_t a = sight__root(forest, j), b = sight__root(forest, k);
    if (a == b) return false;
    const int32_t more = forest[a] <= forest[b] ? a : b, less = more == a ? b : a;
    forest[more] += forest[less];
    forest[less] = more;
    return true;
}

/* Counts the groups, and the bodies of the largest. forest: (size) memory of the caller. group: (size) NULL, or where each body gets the
 * lowest id in its group. */
static inline void sight_groups(const Sight* sight, int32_t* forest, uint32_t* group, int32_t* groups, int32_t* largest) {
    const uint32_t n = (uint32_t)sight->size;
    for (uint32_t k = 0; k < n; k++) forest[k] = -1;
    *groups = sight->size;
    *largest = 1;
    SightBlock block;
    memset(&block, 0, sizeof block);
    while (sight__next_block(sight, &block)) {
        for (uint32_t k = block.first; k < block.first + block.size; k++) {
            for (uint32_t r = 0; r < block.num_runs; r++) {
                for (uint32_t j = block.from[r]; j < block.to[r] && j < k; j++) {
                    /* either way: at the rim, rounding may let only one of the two see the other */
                    const SightBody *one = &sight->bodies[j], *two = &sight->bodies[k];
                    if (sight__distance2(sight, one, two) >= sight->view2 &&
                        sight__distance2(sight, two, one) >= sight->view2)
                        continue;
                    *groups -= sight__join(forest, (int32_t)j, (int32_t)k);
                }
            }
        }
    }
    for (uint32_t k = 0; k < n; k++)
        if (-forest[k] > *largest) *largest = -forest[k];
    if (!group) return;
    /* the roots' bodies first collect the lowest id of their group */
    for (uint32_t k = 0; k < n; k++) group[sight->id[k]] = UINT32_MAX;
    for (uint32_t k = 0; k < n; k++) {
        uint32_t* lowest = &group[sight->id[sight__root(forest, (int32_t)k)]];
        if (sight->id[k] < *lowest) *lowest = sight->id[k];
    }
    for (uint32_t k = 0; k < n; k++) {
        const int32_t root = sight__root(forest, (int32_t)k);
        if (root != (int32_t)k) group[sight->id[k]] = group[sight->id[root]];
    }
}

#endif
