/* boids_sum.h - what the boids of a block see, in vector lanes: boids_lanes.h includes this once for each set of instructions
 *
 * The lanes are the seeing boids, the loop runs over the seen. Its twin in plain C is boids__sum_plain in boids_neighbors.h.
 */

/* Differences along one axis as BOIDS_VIEW counts them. */
TARGET BOIDS_INLINE VECTOR JOIN_NAMES(NAME, _offset)(VECTOR d, int doubles, VECTOR scale) {
    for (int k = 0; k < doubles; k++) d = DOUBLE(d);
    return MULHRS(d, scale);
}

TARGET static void NAME(const BoidsNeighbors* nb, const BoidsBlock* block, BoidsSums* sums) {
    const VECTOR scale_x = SPLAT(nb->x_axis.scale), scale_y = SPLAT(nb->y_axis.scale),
                 offset_scale = SPLAT(nb->offset_scale);
    const VECTOR view2 = SPLAT(BOIDS_VIEW2), separation2 = SPLAT((int16_t)nb->separation2), push_gain = SPLAT(nb->push_gain);
    const VECTOR one = SPLAT(1), zero = SPLAT(0);
    const int doubles_x = nb->x_axis.doubles, doubles_y = nb->y_axis.doubles;
    for (uint32_t lane = 0; lane < block->size; lane += LANES) {
        const VECTOR x = LOAD(block->x + lane), y = LOAD(block->y + lane), self = LOAD(boids__lane_numbers + lane);
        VECTOR nearest2 = SPLAT(-1);
        for (uint32_t r = 0; r < block->num_runs; r++) {
            for (uint32_t from = block->from[r]; from < block->to[r]; from += BOIDS_FLUSH) {
                const uint32_t to = block->to[r] - from < BOIDS_FLUSH ? block->to[r] : from + BOIDS_FLUSH;
                const bool selves = from < block->first + BOIDS_LANES && to > block->first;
                VECTOR count = zero, sx = zero, sy = zero, sc = zero, ss = zero, px = zero, py = zero;
                for (uint32_t j = from; j < to; j++) {
                    const BoidsSeen* other = &nb->seen[j];
                    const VECTOR ux = JOIN_NAMES(NAME, _offset)(SUBTRACT(SPLAT(other->x), x), doubles_x, scale_x);
                    const VECTOR uy = JOIN_NAMES(NAME, _offset)(SUBTRACT(SPLAT(other->y), y), doubles_y, scale_y);
                    VECTOR d2 = ADD(MULHRS(ux, ux), MULHRS(uy, uy));
                    const MASK seen = BELOW(d2, view2);
                    count = ADD_WHERE(seen, count, one);
                    sx = ADD_WHERE(seen, sx, MULHRS(ux, offset_scale));
                    sy = ADD_WHERE(seen, sy, MULHRS(uy, offset_scale));
                    sc = ADD_WHERE(seen, sc, SPLAT(other->c));
                    ss = ADD_WHERE(seen, ss, SPLAT(other->s));
                    const VECTOR w = MULTIPLY(EXCESS(separation2, d2), push_gain);
                    px = ADD(px, MULHRS(w, ux));
                    py = ADD(py, MULHRS(w, uy));
                    if (selves) d2 = FAR_WHERE_EQUAL(d2, self, SPLAT((int16_t)(j - block->first)));
                    nearest2 = LEAST(nearest2, d2);
                }
                WIDEN_ADD(sums->count + lane, count);
                WIDEN_ADD(sums->x + lane, sx);
                WIDEN_ADD(sums->y + lane, sy);
                WIDEN_ADD(sums->c + lane, sc);
                WIDEN_ADD(sums->s + lane, ss);
                WIDEN_ADD(sums->push_x + lane, px);
                WIDEN_ADD(sums->push_y + lane, py);
            }
        }
        STORE_WIDE(sums->nearest2 + lane, nearest2);
    }
}

/* Keeps the `levels` least keys that the lanes see, least first. A sorted list of vectors, and every key sinks into it. */
TARGET BOIDS_INLINE void JOIN_NAMES(NAME, _keys)(const BoidsNeighbors* nb, const BoidsBlock* block, const int levels,
                                                 uint32_t (*keys)[BOIDS_LANES]) {
    const VECTOR scale_x = SPLAT(nb->x_axis.scale), scale_y = SPLAT(nb->y_axis.scale), view2 = SPLAT(BOIDS_VIEW2);
    const int doubles_x = nb->x_axis.doubles, doubles_y = nb->y_axis.doubles;
    for (uint32_t lane = 0; lane < block->size; lane += LANES) {
        const VECTOR x = LOAD(block->x + lane), y = LOAD(block->y + lane), self = LOAD(boids__lane_numbers + lane);
        VECTOR low[BOIDS_MOST_NEAREST + 1], high[BOIDS_MOST_NEAREST + 1]; /* of the lower and the upper half of the lanes */
        for (int k = 0; k < levels; k++) low[k] = high[k] = SPLAT(-1);
        for (uint32_t r = 0; r < block->num_runs; r++) {
            for (uint32_t j = block->from[r]; j < block->to[r]; j++) {
                const BoidsSeen* other = &nb->seen[j];
                const VECTOR ux = JOIN_NAMES(NAME, _offset)(SUBTRACT(SPLAT(other->x), x), doubles_x, scale_x);
                const VECTOR uy = JOIN_NAMES(NAME, _offset)(SUBTRACT(SPLAT(other->y), y), doubles_y, scale_y);
                VECTOR d2 = LEAST(ADD(MULHRS(ux, ux), MULHRS(uy, uy)), view2);
                if (j - block->first < BOIDS_LANES) d2 = FAR_WHERE_EQUAL(d2, self, SPLAT((int16_t)(j - block->first)));
                VECTOR a = KEY(WIDEN_LOW(d2), j), b = KEY(WIDEN_HIGH(d2), j);
                for (int k = 0; k < levels; k++) {
                    const VECTOR above_a = MOST32(low[k], a), above_b = MOST32(high[k], b);
                    low[k] = LEAST32(low[k], a);
                    high[k] = LEAST32(high[k], b);
                    a = above_a;
                    b = above_b;
                }
            }
        }
        for (int k = 0; k < levels; k++) {
            STORE(keys[k] + lane, low[k]);
            STORE(keys[k] + lane + LANES / 2, high[k]);
        }
    }
}

TARGET static void JOIN_NAMES(NAME, _nearest)(const BoidsNeighbors* nb, const BoidsBlock* block, int levels,
                                              uint32_t (*keys)[BOIDS_LANES]) {
    /* with the default num_neighbors, and one more to find ties, the list stays in registers */
    if (levels == 8)
        JOIN_NAMES(NAME, _keys)(nb, block, 8, keys);
    else if (levels == 9)
        JOIN_NAMES(NAME, _keys)(nb, block, 9, keys);
    else
        JOIN_NAMES(NAME, _keys)(nb, block, levels, keys);
}

#undef NAME
#undef TARGET
#undef LANES
#undef VECTOR
#undef MASK
#undef LOAD
#undef SPLAT
#undef ADD
#undef SUBTRACT
#undef DOUBLE
#undef MULHRS
#undef MULTIPLY
#undef LEAST
#undef EXCESS
#undef BELOW
#undef ADD_WHERE
#undef FAR_WHERE_EQUAL
#undef WIDEN_ADD
#undef STORE_WIDE
#undef WIDEN_LOW
#undef WIDEN_HIGH
#undef KEY
#undef LEAST32
#undef MOST32
#undef STORE
