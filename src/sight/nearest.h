/* nearest.h - the nearest neighbours of each body of a block, nearest first; of two as far, the lower id first */
#ifndef SIGHT_NEAREST_H
#define SIGHT_NEAREST_H

#include "sight/cells.h"

/* Merges the square distances of a crowd into the least keys, of which `levels` are kept. */
static inline void sight__sort(const Sight* sight, const SightBlock* block, const SightCrowd* crowd, SightSquares squares,
                               uint32_t first, int levels, uint32_t (*keys)[SIGHT_LANES]) {
    uint32_t rows = 0; /* an even number of fours is sorted */
    for (uint64_t left = crowd->others | crowd->own; left; left &= left - 1) rows += 2;
    if (rows % 4) memset(squares[rows], 255, 2 * sizeof *squares);
    if (levels <= 9)
        sight->kernels.nearest(crowd, squares, first, block->size, keys);
    else
        sight->kernels.nearest_of_many(crowd, squares, first, block->size, levels, keys);
}

/* The places of the nearest of one body, by comparing all that it sees. */
static inline void sight__nearest_exact(const Sight* sight, const SightBlock* block, uint32_t lane, int most, uint32_t at,
                                        uint32_t (*places)[SIGHT_BATCH_LANES]) {
    const uint32_t self = block->first + lane;
    uint64_t best[SIGHT_MOST_NEAREST]; /* square distance, id, place: 16 + 20 + 20 bits */
    for (int k = 0; k < most; k++) best[k] = UINT64_MAX;
    for (uint32_t r = 0; r < block->num_runs; r++) {
        for (uint32_t j = block->from[r]; j < block->to[r]; j++) {
            const uint64_t d2 = sight__distance2(sight, &sight->eyes[self], &sight->bodies[j]);
            const uint64_t key = d2 << 40 | (uint64_t)sight->id[j] << 20 | j;
            if (d2 >= (uint64_t)sight->view2 || j == self || key >= best[most - 1]) continue;
            int at = most - 1;
            for (; at > 0 && best[at - 1] > key; at--) best[at] = best[at - 1];
            best[at] = key;
        }
    }
    for (int k = 0; k < most; k++) places[k][at + lane] = best[k] == UINT64_MAX ? self : (uint32_t)(best[k] & 0xFFFFF);
}

/* The square distance from the body at `place` to the nearest in a run of others, from whole positions; `least` if that is less. */
SIGHT_INLINE float sight__exact_nearest2(const Sight* sight, uint32_t from, uint32_t to, uint32_t place, float least) {
    const uint32_t *id = sight->id, x = sight->eye_x[id[place]], y = sight->eye_y[id[place]];
    for (uint32_t k = from; k < to; k++) {
        const float dx = (float)(int32_t)(sight->x[id[k]] - x) * sight->exact_x;
        const float dy = (float)(int32_t)(sight->y[id[k]] - y) * sight->exact_y;
        const float d2 = k == place ? UINT16_MAX : dx * dx + dy * dy;
        least = d2 < least ? d2 : least;
    }
    return least;
}

/* The push on the body at `place` from those in a run of others, from whole positions. Sums are integers, so that they have no order
 * here either. */
SIGHT_INLINE void sight__exact_push(const Sight* sight, uint32_t from, uint32_t to, uint32_t place, int64_t* push_x,
                                    int64_t* push_y) {
    const uint32_t *id = sight->id, x = sight->eye_x[id[place]], y = sight->eye_y[id[place]];
    const float unit = sqrtf(32768.0f) * (float)sight->separation2 / (float)(1 << sight->push_shift);
    for (uint32_t k = from; k < to; k++) {
        const float dx = (float)(int32_t)(sight->x[id[k]] - x) * sight->exact_x;
        const float dy = (float)(int32_t)(sight->y[id[k]] - y) * sight->exact_y;
        const float share = 1.0f - (dx * dx + dy * dy) * sight->to_separations2;
        const float weight = share > 0.0f && k != place ? share * unit : 0.0f;
        *push_x += (int64_t)(weight * dx);
        *push_y += (int64_t)(weight * dy);
    }
}

/* Both, of lane l of a block whose sums begin at lane `at`. They need what is very near: the body's own cell holds that, unless the
 * body is at an edge of it. */
SIGHT_EACH_LEVEL static void sight__exact_lane(const Sight* sight, const SightBlock* block, SightSums* sums, uint32_t at,
                                               uint32_t l) {
    const uint32_t place = block->first + l, id = sight->id[place], edge = sight->exact_edge;
    const uint64_t column = (uint64_t)sight->eye_x[id] * sight->columns,
                   row = (uint64_t)sight->eye_y[id] * sight->rows; /* x 2^32 */
    const uint32_t *from = block->from, *to = block->to;
    uint32_t num_runs = block->num_runs;
    if ((uint32_t)column - edge < 0 - 2 * edge && (uint32_t)row - edge < 0 - 2 * edge) {
        from = sight->start + (row >> 32) * sight->columns + (column >> 32);
        to = from + 1;
        num_runs = 1;
    }
    float least = UINT16_MAX;
    int64_t push_x = 0, push_y = 0;
    for (uint32_t r = 0; r < num_runs; r++) {
        least = sight__exact_nearest2(sight, from[r], to[r], place, least);
        if (sight->exact_push) sight__exact_push(sight, from[r], to[r], place, &push_x, &push_y);
    }
    sums->nearest2[at + l] = least;
    if (!sight->exact_push) return;
    sums->push_x[at + l] = (float)push_x;
    sums->push_y[at + l] = (float)push_y;
}

/* Computes anew what the sums of a block tell too coarsely of very near bodies. */
static inline void sight__exact(const Sight* sight, const SightBlock* block, SightSums* sums, uint32_t at) {
    for (uint32_t l = 0; l < block->size; l++)
        if (sums->nearest2[at + l] <= (float)sight->exact2) sight__exact_lane(sight, block, sums, at, l);
}

/* From keys to places in cell order; a body's own place where it has fewer neighbours. */
SIGHT_INLINE void sight__places(const Sight* sight, const SightBlock* block, int most, uint32_t (*keys)[SIGHT_LANES],
                                uint32_t at, uint32_t (*places)[SIGHT_BATCH_LANES]) {
    const uint32_t none = (uint32_t)sight->view2 << 16, first = block->first, runs = block->num_runs;
    uint32_t begin[6], gap[6]; /* number and place differ by the same in all of a run */
    gap[0] = block->from[0];
    for (uint32_t r = 1, number = 0; r < runs; r++) {
        begin[r] = number += block->to[r - 1] - block->from[r - 1];
        gap[r] = block->from[r] - block->to[r - 1];
    }
    for (int k = 0; k < most; k++) {
        uint32_t key[SIGHT_LANES], place[SIGHT_LANES];
        memcpy(key, keys[k], sizeof key);
        for (uint32_t l = 0; l < SIGHT_LANES; l++) place[l] = (key[l] & 0xFFFF) + gap[0];
        for (uint32_t r = 1; r < runs; r++) {
            const uint32_t first_number = begin[r], further = gap[r];
            for (uint32_t l = 0; l < SIGHT_LANES; l++) place[l] += (key[l] & 0xFFFF) >= first_number ? further : 0;
        }
        for (uint32_t l = 0; l < SIGHT_LANES; l++) place[l] = key[l] < none ? place[l] : first + l;
        memcpy(places[k] + at, place, sizeof place);
    }
    if (!sight->sorted && block->num_seen <= SIGHT_MOST_SORTED)
        return; /* a place is an id then, and of two as far the lower came first */

    uint32_t tied[SIGHT_LANES] = {0};
    for (int k = 0; k < most; k++)
        for (uint32_t l = 0; l < SIGHT_LANES; l++)
            tied[l] |= (keys[k][l] >> 16 == keys[k + 1][l] >> 16) & (keys[k][l] < none);
    for (uint32_t l = 0; l < block->size; l++) {
        if (block->num_seen > SIGHT_MOST_SORTED ||
            (keys[most - 1][l] < none && keys[most - 1][l] >> 16 == keys[most][l] >> 16)) {
            sight__nearest_exact(sight, block, l, most, at, places); /* the last is as far as one left out */
        } else if (tied[l]) {
            for (int k = 1; k < most; k++) {
                const uint32_t lane = at + l, place = places[k][lane];
                int to = k;
                for (; to > 0 && keys[to - 1][l] >> 16 == keys[to][l] >> 16 &&
                       sight->id[places[to - 1][lane]] > sight->id[place];
                     to--)
                    places[to][lane] = places[to - 1][lane];
                places[to][lane] = place;
            }
        }
    }
}

#endif
