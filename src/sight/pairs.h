/* pairs.h - what a block sees in a crowd, in plain C
 *
 * The vector instructions of lanes.h do the same with the same bits. This is what runs where there are none.
 */
#ifndef SIGHT_PAIRS_H
#define SIGHT_PAIRS_H

#include "sight/torus.h"

/* Sums what a block sees in a crowd. Arguments: see SightKernels. */
static void sight__plain(const Sight* sight, const SightBlock* block, const SightCrowd* crowd, SightCrowdSums* sums,
                         uint32_t (*squares)[SIGHT_LANES]) {
    memset(sums, 0, sizeof *sums);
    for (int l = 0; l < SIGHT_LANES; l++) {
        const SightBody self = sight->eyes[block->first + (uint32_t)l];
        uint32_t nearest2 = UINT16_MAX;
        for (uint32_t j = 0; j < crowd->size; j++) {
            const SightPair* pair = &crowd->pairs[j / 2];
            const int16_t ux = sight__offset(sight->x_axis, (int16_t)(pair->x[j % 2] - sight_low(self.xy)));
            const int16_t uy = sight__offset(sight->y_axis, (int16_t)(pair->y[j % 2] - sight_high(self.xy)));
            const bool itself = (int32_t)j - crowd->self == l;
            const uint32_t d2 = itself ? UINT16_MAX : sight__square(ux, uy);
            if (squares) squares[j / 2][l] = j % 2 ? (squares[j / 2][l] & 0xFFFF) | d2 << 16 : d2 | 0xFFFF0000;
            if (d2 < nearest2) nearest2 = d2;
            if (d2 < (uint32_t)sight->view2) {
                sums->count[l]++;
                sums->x[l] += ux;
                sums->y[l] += uy;
                sums->c[l] += pair->c[j % 2];
                sums->s[l] += pair->s[j % 2];
            }
            if (d2 < (uint32_t)sight->separation2) {
                const int32_t w = (sight->separation2 - (int32_t)d2) >> sight->push_shift;
                sums->push_x[l] += w * ux;
                sums->push_y[l] += w * uy;
            }
        }
        sums->nearest2[l] = (int32_t)nearest2;
    }
}

/* Every key moves down the sorted list to its level. */
static void sight__plain_nearest_of_many(const SightCrowd* crowd, uint32_t (*squares)[SIGHT_LANES], uint32_t first,
                                         int levels, uint32_t (*keys)[SIGHT_LANES]) {
    for (uint32_t j = 0; j < crowd->size; j++) {
        for (int l = 0; l < SIGHT_LANES; l++) {
            uint32_t key = (j % 2 ? squares[j / 2][l] & 0xFFFF0000 : squares[j / 2][l] << 16) | (first + j);
            for (int k = levels - 1; k >= 0 && key < keys[k][l]; k--) {
                if (k + 1 < levels) keys[k + 1][l] = keys[k][l];
                keys[k][l] = key;
            }
        }
    }
}

static void sight__plain_nearest(const SightCrowd* crowd, uint32_t (*squares)[SIGHT_LANES], uint32_t first,
                                 uint32_t (*keys)[SIGHT_LANES]) {
    sight__plain_nearest_of_many(crowd, squares, first, 9, keys);
}

#endif
