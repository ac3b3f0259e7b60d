/* arcs.h - a small swarm in order along the longer axis, and whom a block can see of it
 *
 * A swarm of up to SIGHT_CROWD bodies has one cell: every block looks at one crowd, which holds all. It need not look at all of it.
 * The bodies are kept roughly in order along the longer axis, so that four of them, or a block, lie on a short arc of it. A block
 * looks at those fours whose arcs come within a view radius of its own. Arcs are computed from the positions in each update, so that
 * the order may be stale, or any other: it decides how many fours a block looks at, and nothing else.
 */
#ifndef SIGHT_ARCS_H
#define SIGHT_ARCS_H

#include "sight/torus.h"

/* A bit for each four of `size` bodies, of which the last may lack some. */
SIGHT_INLINE uint64_t sight__all_fours(uint32_t size) { return size ? UINT64_MAX >> (64 - (size + 3) / 4) : 0; }

enum { SIGHT_MOST_AGE = 8, SIGHT_STRIPES = 128 }; /* updates for which an order is used; what it tells apart */

/* Puts the bodies in order: a counting sort. position: along the longer axis, by body. */
static inline void sight__order(Sight* sight, const uint32_t* position) {
    uint16_t places[SIGHT_STRIPES] = {0}, place = 0;
    for (int32_t i = 0; i < sight->size; i++) places[position[i] / (UINT32_MAX / SIGHT_STRIPES + 1)]++;
    for (int k = 0; k < SIGHT_STRIPES; k++) {
        const uint16_t count = places[k];
        places[k] = place;
        place = (uint16_t)(place + count);
    }
    for (int32_t i = 0; i < sight->size; i++)
        sight->id[places[position[i] / (UINT32_MAX / SIGHT_STRIPES + 1)]++] = (uint32_t)i;
    sight->age = 0;
}

/* The arcs of all fours. The last may have bodies beyond the swarm's last, which are copies of that one. */
SIGHT_INLINE void sight__find_arcs(Sight* sight) {
    const uint32_t size = (uint32_t)sight->size;
    const int32_t along = sight->along;
    uint16_t at[SIGHT_CROWD];
    for (uint32_t k = 0; k < size; k++) at[k] = (uint16_t)(sight->bodies[k].xy >> along);
    for (uint32_t k = size; k % 4; k++) at[k] = at[size - 1];
    for (uint32_t q = 0; q < (size + 3) / 4; q++) {
        const uint16_t first = at[4 * q];
        const int16_t second = (int16_t)(at[4 * q + 1] - first), third = (int16_t)(at[4 * q + 2] - first),
                      fourth = (int16_t)(at[4 * q + 3] - first);
        int16_t least = second < third ? second : third, most = second < third ? third : second;
        least = fourth < least ? fourth : least;
        most = fourth > most ? fourth : most;
        least = least < 0 ? least : 0;
        most = most > 0 ? most : 0;
        sight->arcs.from[q] = (uint16_t)(first + least);
        sight->arcs.length[q] = (uint16_t)(most - least);
    }
}

/* Bit q is set if a body of block [first, first + size) may see one of four q. first is a multiple of 4. */
SIGHT_INLINE uint64_t sight__fours_in_reach(const Sight* sight, uint32_t first, uint32_t size) {
    const SightArcs* arcs = &sight->arcs;
    const uint16_t middle = arcs->from[first / 4];
    int32_t least = 0, most = 0; /* from there, the ends of the block's arc */
    for (uint32_t q = first / 4; q < (first + size + 3) / 4; q++) {
        const int32_t offset = (int16_t)(arcs->from[q] - middle), end = offset + arcs->length[q];
        least = offset < least ? offset : least;
        most = end > most ? end : most;
    }
    const int32_t seen = most - least + 2 * sight->reach;
    const uint16_t from = (uint16_t)(middle + least - sight->reach), length = (uint16_t)(seen < 65535 ? seen : 65535);
    uint64_t fours = 0;
    for (uint32_t group = 0; group < ((uint32_t)sight->size + 3) / 4; group += 16) {
        uint8_t meets[16]; /* two arcs meet where one begins on the other */
        for (uint32_t q = 0; q < 16; q++) {
            const uint16_t other = arcs->from[group + q], other_length = arcs->length[group + q];
            meets[q] = ((uint16_t)(other - from) <= length) | ((uint16_t)(from - other) <= other_length);
        }
        for (uint32_t half = 0; half < 2; half++) { /* eight bytes to eight bits */
            uint64_t bytes;
            memcpy(&bytes, meets + 8 * half, sizeof bytes);
            fours |= bytes * 0x0102040810204080u >> 56 << (group + 8 * half);
        }
    }
    return fours & sight__all_fours((uint32_t)sight->size);
}

#endif
