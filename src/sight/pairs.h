/* pairs.h - what a block sees in a crowd, in plain C
 *
 * The vector instructions of lanes.h do the same with the same bits. This is what runs where there are none.
 */
#ifndef SIGHT_PAIRS_H
#define SIGHT_PAIRS_H

#include "sight/torus.h"

/* The lowest bit that is set, from 0; of bits that are not all 0. */
SIGHT_INLINE uint32_t sight__lowest(uint64_t bits) {
#if defined(__GNUC__)
    return (uint32_t)__builtin_ctzll(bits);
#else
    uint32_t lowest = 0;
    for (; !(bits & 1); bits >>= 1) lowest++;
    return lowest;
#endif
}

/* Takes the next four that a block looks at: first the lowest of the others, at last the lowest of its own; 0 if there is none. */
SIGHT_INLINE uint32_t sight__take(uint64_t* others, uint64_t* own) {
    uint64_t* from = *others ? others : own;
    if (!*from) return 0;
    const uint32_t four = sight__lowest(*from);
    *from &= *from - 1;
    return four;
}

/* Sums what a block sees in a crowd. Arguments: see SightKernels. */
static void sight__plain(const Sight* sight, const SightBlock* block, const SightCrowd* crowd, SightCrowdSums* sums,
                         uint32_t at, uint32_t (*squares)[SIGHT_LANES]) {
    for (uint32_t l = 0; l < block->size; l++) {
        const SightBody self = sight->eyes[block->first + l];
        int32_t count = 0, x = 0, y = 0, c = 0, s = 0, push_x = 0, push_y = 0;
        uint32_t nearest2 = UINT16_MAX, row = 0;
        for (uint64_t others = crowd->others, own = crowd->own; others | own;) {
            const uint32_t four = 4 * sight__take(&others, &own);
            for (uint32_t j = four; j < four + 4; row += j++ % 2) {
                const SightPair* pair = &crowd->pairs[j / 2];
                const int16_t ux = sight__offset(sight->x_axis, (int16_t)(pair->x[j % 2] - sight_low(self.xy)));
                const int16_t uy = sight__offset(sight->y_axis, (int16_t)(pair->y[j % 2] - sight_high(self.xy)));
                const bool unseen = j >= crowd->size || (int32_t)j - crowd->self == (int32_t)l;
                const uint32_t d2 = unseen ? UINT16_MAX : sight__square(ux, uy);
                if (squares) squares[row][l] = j % 2 ? (squares[row][l] & 0xFFFF) | d2 << 16 : d2;
                if (d2 < nearest2) nearest2 = d2;
                if (d2 < (uint32_t)sight->view2) {
                    count++;
                    x += ux;
                    y += uy;
                    c += pair->c[j % 2];
                    s += pair->s[j % 2];
                }
                if (d2 < (uint32_t)sight->separation2) {
                    const int32_t w = (sight->separation2 - (int32_t)d2) >> sight->push_shift;
                    push_x += w * ux;
                    push_y += w * uy;
                }
            }
        }
        sums->count[at + l] = count;
        sums->nearest2[at + l] = (int32_t)nearest2;
        sums->x[at + l] = x;
        sums->y[at + l] = y;
        sums->c[at + l] = c;
        sums->s[at + l] = s;
        sums->push_x[at + l] = push_x;
        sums->push_y[at + l] = push_y;
    }
}

/* Every key moves down the sorted list to its level. */
static void sight__plain_nearest_of_many(const SightCrowd* crowd, uint32_t (*squares)[SIGHT_LANES], uint32_t first,
                                         uint32_t lanes, int levels, uint32_t (*keys)[SIGHT_LANES]) {
    uint32_t row = 0;
    for (uint64_t others = crowd->others, own = crowd->own; others | own;) {
        const uint32_t four = 4 * sight__take(&others, &own);
        for (uint32_t j = four; j < four + 4; row += j++ % 2) {
            for (uint32_t l = 0; l < lanes; l++) {
                uint32_t key = (j % 2 ? squares[row][l] & 0xFFFF0000 : squares[row][l] << 16) | (first + j);
                for (int k = levels - 1; k >= 0 && key < keys[k][l]; k--) {
                    if (k + 1 < levels) keys[k + 1][l] = keys[k][l];
                    keys[k][l] = key;
                }
            }
        }
    }
}

static void sight__plain_nearest(const SightCrowd* crowd, uint32_t (*squares)[SIGHT_LANES], uint32_t first, uint32_t lanes,
                                 uint32_t (*keys)[SIGHT_LANES]) {
    sight__plain_nearest_of_many(crowd, squares, first, lanes, 9, keys);
}

#endif
