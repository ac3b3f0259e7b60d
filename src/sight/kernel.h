/* kernel.h - what a block sees in a crowd, in vector lanes: lanes.h includes this once for each set of instructions
 *
 * A lane is one body that looks, 32 bits wide. The loop runs over the bodies that it looks at, two at a time: one in the low half of
 * every lane, one in the high half. Two such pairs are a bit of SightCrowd.others or .own; only the few of .own need a mask. The same
 * in plain C: sight__plain and sight__plain_nearest in pairs.h.
 */

/* Adds a pair of bodies to the sums of all lanes. SQUARES: the square distances, from d2, which is all ones where a half does not count. */
#define LOOK_AT(pair, SQUARES)                                                         \
    do {                                                                               \
        const SightPair* two = &crowd->pairs[pair];                                    \
        VECTOR ux = SUBTRACT(TWO(two->x), x), uy = SUBTRACT(TWO(two->y), y);           \
        for (int k = 0; k < doubles_x; k++) ux = DOUBLE(ux);                           \
        for (int k = 0; k < doubles_y; k++) uy = DOUBLE(uy);                           \
        if (scaled_x) ux = MULHRS(ux, scale_x);                                        \
        if (scaled_y) uy = MULHRS(uy, scale_y);                                        \
        VECTOR d2 = ADD(MULHRS(ux, ux), MULHRS(uy, uy));                               \
        d2 = SQUARES;                                                                  \
        const MASK seen = AT_MOST(d2, in_sight);                                       \
        count = COUNT_WHERE(count, seen);                                              \
        sx = ADD_WHERE(sx, seen, ux);                                                  \
        sy = ADD_WHERE(sy, seen, uy);                                                  \
        sc = ADD16_WHERE(sc, seen, TWO(two->c));                                       \
        ss = ADD16_WHERE(ss, seen, TWO(two->s));                                       \
        VECTOR w = LESS(separation2, d2);                                              \
        if (push_shift) w = SHIFT_RIGHT(w, push_shift);                                \
        px = ADD_PRODUCTS(px, w, ux);                                                  \
        py = ADD_PRODUCTS(py, w, uy);                                                  \
        nearest2 = LEAST(nearest2, d2);                                                \
        if (squares) STORE(*row++ + lane, d2);                                         \
    } while (0)

/* Looks at the fours whose bits are set, and adds the 16-bit sums of the headings to the 32-bit ones in time. */
#define LOOK_AT_FOURS(fours, SQUARES)                             \
    while (fours) {                                               \
        for (int flush = 0; flush < SIGHT_FLUSH && fours; flush += 2) { \
            uint32_t pair = 2 * sight__lowest(fours);             \
            fours &= fours - 1;                                   \
            LOOK_AT(pair, SQUARES);                               \
            pair++;                                               \
            LOOK_AT(pair, SQUARES);                               \
        }                                                         \
        sum_c = ADD_PRODUCTS(sum_c, sc, one);                     \
        sum_s = ADD_PRODUCTS(sum_s, ss, one);                     \
        sc = ss = zero;                                           \
    }

TARGET SIGHT_INLINE void SIGHT_JOIN(NAME, _with)(const Sight* sight, const SightBlock* block, const SightCrowd* crowd,
                                                 SightCrowdSums* sums, uint32_t at, uint32_t (*squares)[SIGHT_LANES],
                                                 const int doubles_x, const int doubles_y, const bool scaled_x,
                                                 const bool scaled_y, const int push_shift) {
    const VECTOR scale_x = SPLAT(sight->x_axis.scale), scale_y = SPLAT(sight->y_axis.scale),
                 in_sight = SPLAT((int16_t)(sight->view2 - 1));
    const VECTOR separation2 = SPLAT((int16_t)sight->separation2), one = SPLAT(1), zero = SPLAT(0);
    const uint32_t size = crowd->size;
    for (uint32_t lane = 0; lane < block->size; lane += LANES) {
        const SightBody* first = sight->eyes + block->first + lane;
        const VECTOR xy = EVEN_WORDS(LOAD(first), LOAD(first + LANES / 2));
        const VECTOR x = OR(LOW_HALF(xy), TO_HIGH_HALF(xy)), y = OR(HIGH_HALF(xy), ONLY_HIGH_HALF(xy));
        VECTOR count = zero, sx = zero, sy = zero, px = zero, py = zero, nearest2 = SPLAT(-1);
        VECTOR sum_c = zero, sum_s = zero, sc = zero, ss = zero;
        uint32_t (*row)[SIGHT_LANES] = squares;
        const int16_t* self = sight__selves(crowd->self + (int32_t)lane);
        uint64_t others = crowd->others, own = crowd->own;
        LOOK_AT_FOURS(others, d2);
        LOOK_AT_FOURS(own, OR(d2, OR(LOAD(self - 4 * (int)pair), LOAD(sight__beyond(size, pair)))));
        STORE(sums->count + at + lane, ADD_PRODUCTS(zero, count, one));
        STORE(sums->x + at + lane, sx);
        STORE(sums->y + at + lane, sy);
        STORE(sums->c + at + lane, sum_c);
        STORE(sums->s + at + lane, sum_s);
        STORE(sums->push_x + at + lane, px);
        STORE(sums->push_y + at + lane, py);
        STORE(sums->nearest2 + at + lane, LEAST32(LOW_HALF(nearest2), HIGH_HALF(nearest2)));
    }
}
#undef LOOK_AT
#undef LOOK_AT_FOURS

TARGET static void NAME(const Sight* sight, const SightBlock* block, const SightCrowd* crowd, SightCrowdSums* sums,
                        uint32_t at, uint32_t (*squares)[SIGHT_LANES]) {
    const SightAxis x = sight->x_axis, y = sight->y_axis;
    const int shift = sight->push_shift;
    /* constants for the compiler in nearly all worlds */
#define WITH(doubles_x, doubles_y, scaled_x, scaled_y)                                                                      \
    if (x.doubles == doubles_x && y.doubles == doubles_y && !x.scale == !scaled_x && !y.scale == !scaled_y && !shift) {     \
        if (!squares)                                                                                                       \
            SIGHT_JOIN(NAME, _with)(sight, block, crowd, sums, at, NULL, doubles_x, doubles_y, scaled_x, scaled_y, 0);      \
        else                                                                                                                \
            SIGHT_JOIN(NAME, _with)(sight, block, crowd, sums, at, squares, doubles_x, doubles_y, scaled_x, scaled_y, 0);   \
    } else
    WITH(2, 1, true, false)
    WITH(2, 2, false, true)
    WITH(3, 2, true, false)
    WITH(3, 3, false, true)
    WITH(3, 3, true, false)
    SIGHT_JOIN(NAME, _with)(sight, block, crowd, sums, at, squares, x.doubles, y.doubles, x.scale, y.scale, shift);
#undef WITH
}

#define SORT_TWO(a, b)                      \
    do {                                    \
        const VECTOR lesser = LEAST32(a, b); \
        b = MOST32(a, b);                   \
        a = lesser;                         \
    } while (0)

/* Keeps the nine least keys that the lanes see. Eight at a time are sorted, and merged with the eight least so far. */
TARGET static void SIGHT_JOIN(NAME, _nearest)(const SightCrowd* crowd, uint32_t (*squares)[SIGHT_LANES], uint32_t first,
                                              uint32_t lanes, uint32_t (*keys)[SIGHT_LANES]) {
    const VECTOR one = SPLAT32(1), two = SPLAT32(2);
    for (uint32_t lane = 0; lane < lanes; lane += LANES) {
        VECTOR least[8], ninth = LOAD(keys[8] + lane);
        for (int k = 0; k < 8; k++) least[k] = LOAD(keys[k] + lane);
        uint64_t others = crowd->others, own = crowd->own;
        for (uint32_t row = 0; others | own;) {
            VECTOR a[8];
            for (int k = 0; k < 8; k += 4, row += 2) {
                const VECTOR place = SPLAT32(first + 4 * sight__take(&others, &own)), next = ADD32(place, two);
                const VECTOR d2 = LOAD(squares[row] + lane), next2 = LOAD(squares[row + 1] + lane);
                a[k] = OR(TO_HIGH_HALF(d2), place);
                a[k + 1] = OR(ONLY_HIGH_HALF(d2), ADD32(place, one));
                a[k + 2] = OR(TO_HIGH_HALF(next2), next);
                a[k + 3] = OR(ONLY_HIGH_HALF(next2), ADD32(next, one));
            }
            /* Knuth, The Art of Computer Programming 3, 5.3.4: eight numbers sorted in 19 exchanges (Batcher) */
            SORT_TWO(a[0], a[1]);
            SORT_TWO(a[2], a[3]);
            SORT_TWO(a[4], a[5]);
            SORT_TWO(a[6], a[7]);
            SORT_TWO(a[0], a[2]);
            SORT_TWO(a[1], a[3]);
            SORT_TWO(a[4], a[6]);
            SORT_TWO(a[5], a[7]);
            SORT_TWO(a[1], a[2]);
            SORT_TWO(a[5], a[6]);
            SORT_TWO(a[0], a[4]);
            SORT_TWO(a[1], a[5]);
            SORT_TWO(a[2], a[6]);
            SORT_TWO(a[3], a[7]);
            SORT_TWO(a[2], a[4]);
            SORT_TWO(a[3], a[5]);
            SORT_TWO(a[1], a[2]);
            SORT_TWO(a[3], a[4]);
            SORT_TWO(a[5], a[6]);
            /* the lesser of each and its opposite are the eight least of both, rising and then falling */
            for (int k = 0; k < 8; k++) {
                ninth = LEAST32(ninth, MOST32(least[k], a[7 - k]));
                least[k] = LEAST32(least[k], a[7 - k]);
            }
            for (int k = 0; k < 4; k++) SORT_TWO(least[k], least[k + 4]);
            for (int k = 0; k < 8; k += 4) {
                SORT_TWO(least[k], least[k + 2]);
                SORT_TWO(least[k + 1], least[k + 3]);
            }
            for (int k = 0; k < 8; k += 2) SORT_TWO(least[k], least[k + 1]);
        }
        for (int k = 0; k < 8; k++) STORE(keys[k] + lane, least[k]);
        STORE(keys[8] + lane, ninth);
    }
}
#undef SORT_TWO

/* The same for any number of levels: a sorted list, and every key sinks into it. */
TARGET static void SIGHT_JOIN(NAME, _nearest_of_many)(const SightCrowd* crowd, uint32_t (*squares)[SIGHT_LANES],
                                                      uint32_t first, uint32_t lanes, int levels,
                                                      uint32_t (*keys)[SIGHT_LANES]) {
    for (uint32_t lane = 0; lane < lanes; lane += LANES) {
        uint64_t others = crowd->others, own = crowd->own;
        VECTOR place = SPLAT32(0);
        for (uint32_t row = 0; row % 2 || (others | own); row++) {
            const VECTOR d2 = LOAD(squares[row] + lane);
            if (row % 2 == 0) place = SPLAT32(first + 4 * sight__take(&others, &own));
            VECTOR a = OR(TO_HIGH_HALF(d2), place), b = OR(ONLY_HIGH_HALF(d2), ADD32(place, SPLAT32(1)));
            place = ADD32(place, SPLAT32(2));
            for (int k = 0; k < levels; k++) {
                const VECTOR key = LOAD(keys[k] + lane), more = MOST32(key, a), less = LEAST32(key, a);
                STORE(keys[k] + lane, LEAST32(less, b));
                b = MOST32(less, b);
                a = more;
            }
        }
    }
}

#undef NAME
#undef TARGET
#undef LANES
#undef VECTOR
#undef MASK
#undef LOAD
#undef STORE
#undef TWO
#undef EVEN_WORDS
#undef SPLAT
#undef SPLAT32
#undef ADD
#undef ADD32
#undef SUBTRACT
#undef LESS
#undef DOUBLE
#undef MULHRS
#undef OR
#undef LEAST
#undef LEAST32
#undef MOST32
#undef SHIFT_RIGHT
#undef AT_MOST
#undef COUNT_WHERE
#undef ADD_WHERE
#undef ADD16_WHERE
#undef ADD_PRODUCTS
#undef LOW_HALF
#undef HIGH_HALF
#undef TO_HIGH_HALF
#undef ONLY_HIGH_HALF
