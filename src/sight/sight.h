/* sight.h - who sees whom on a torus, and what it sees, in time linear in the number of bodies
 *
 * A body has a position and a heading, and sees all others within a view radius. For each body, `Sight` gives sums over its
 * neighbours, which are the bodies that it sees: their number, offsets, headings, a push away from those within a separation radius,
 * the distance to the nearest and, if wanted, the nearest ones one by one. What these mean is the caller's: no file of this folder
 * knows a boid, a reward or an episode.
 *
 *     Sight sight = {0};
 *     sight_init(&sight, size, width, height, view_radius, separation_radius, 1);   // NULL, or a message
 *     sight_update(&sight, x, y, heading, 1);                                       // when the bodies have moved
 *     SightBatch batch;
 *     for (sight_first(&sight, 0, sight.rows, 0, &batch); sight_next(&batch);)      // up to 64 bodies at a time
 *         for (int b = 0; b < batch.count; b++)
 *             for (uint32_t l = 0; l < batch.blocks[b].size; l++)
 *                 neighbours[sight_id(&batch, b, l)] = sight_of(&batch, b, l).count;
 *     sight_close(&sight);
 *
 * The loops over lanes l are for the compiler to turn into vector instructions. They may run to SIGHT_LANES: lanes beyond the size
 * of a block hold zeros. rows.h writes what was computed in lanes to one row for each body; groups.h finds connected bodies.
 *
 * Same bits everywhere. All is integer arithmetic, and integer sums have no order: any vector width, number of threads and search (all
 * pairs, or cells) gives the same sums. Sums become the nearest float at the end.
 *
 * Positions. A position is a uint32_t an axis, 2^32 to one side of the torus: wrapping is free, and so is the shorter of the two ways
 * between two bodies. Pairs use 16 bits of it: 2^16 to one side or, in a world of many view radii, to a window of at least 16 cells.
 * No pair that is formed is half a window apart, so that a 16-bit difference still wraps for free. The unit is 1/2000 of the view
 * radius or finer. It is coarser, 1/64 at worst, where a few bodies in a very wide world make the cells wider (see Memory).
 *
 * Lengths. Differences are doubled and scaled until the view radius is the same in both axes: sight->view, between 16300 and 32600.
 *     ux = mulhrs(x[j] - x[i], doubled, scale)   int16; wraps before it is doubled, and saturates then: it is out of sight
 *     uy = mulhrs(y[j] - y[i], doubled, scale)
 *     d2 = mulhrs(ux, ux) + mulhrs(uy, uy)       uint16; sight->view2 at the view radius
 * with mulhrs(a, b) = round(a * b / 2^15), one instruction of SSSE3, AVX2, AVX-512, NEON and WebAssembly. A square distance is off by 1 at most, which
 * matters to the very near: where d2 is at most sight->exact2, the distance to the nearest is computed anew from whole positions.
 *
 * Lanes. A vector holds the bodies that look, 32 bits each. The loop runs over the bodies that they look at, two at a time, one for
 * either half of a lane. Nothing is summed across a vector, and nothing branches.
 *
 * Cells. Bodies are sorted by cell (a stable counting sort); a cell is at least a view radius wide. A block is a run of up to SIGHT_LANES
 * bodies in that order, from one row of cells. It can see three rows of cells: runs of bodies, two in a row where it crosses the seam of
 * the torus. They are copied into a crowd, in pairs. Small swarms have one cell, and all pairs are formed.
 *
 * Memory: 16 bytes a body, 8 bytes a cell, and 4 bytes a cell for every further thread. There are at most 4 cells a body, or 4096.
 * Threads: several may read a Sight. sight_update shares its work among threads; so can who loops over rows of cells.
 *
 * types.h structs and limits; torus.h arithmetic; cells.h the search; pairs.h the sums in plain C; kernel.h the same in vector lanes,
 * lanes.h for each instruction set; nearest.h the nearest ones; rows.h lanes to rows; groups.h who is connected with whom.
 */
#ifndef SIGHT_H
#define SIGHT_H

#include "sight/cells.h"
#include "sight/groups.h"
#include "sight/lanes.h"
#include "sight/nearest.h"
#include "sight/rows.h"

/* --- set-up ---------------------------------------------------------------------------------------------------------------- */

/* One axis of a world. *radius: the view radius in the unit of its differences, doubled until it is at least 16300. */
static inline SightAxis sight__axis(double side, double view_radius, uint32_t cells, double* radius) {
    SightAxis axis;
    int32_t bits = 16; /* 2^bits units to one side; a window of 2^16 holds at least 16 cells, or the world */
    while (cells >> (bits - 16) >= 32) bits++;
    *radius = view_radius / side * (double)(1 << bits);
    for (axis.doubles = 0; *radius < 16300; axis.doubles++) *radius *= 2;
    axis.shift = 32 - bits;
    axis.scale = 0;
    axis.cells = cells;
    return axis;
}

/* What makes a view radius of `view` of one of `radius`. */
static inline int16_t sight__scale(double view, double radius) {
    const double scale = view / radius * 32768.0 + 0.5;
    return scale < 32767.0 ? (int16_t)scale : (int16_t)32767;
}

/* Whether all pairs would be too many, or farther apart than differences of 16 bits tell. */
static inline bool sight__needs_cells(const Sight* sight) {
    return sight->size > SIGHT_ALL_PAIRS || sight->x_axis.cells >= 32 || sight->y_axis.cells >= 32;
}

/* Uses the cells, or one cell, which forms all pairs. Both give the same sums. All pairs need fewer than 32 cells an axis. */
static inline void sight_use_cells(Sight* sight, bool use_cells) {
    sight->columns = use_cells ? sight->x_axis.cells : 1;
    sight->rows = use_cells ? sight->y_axis.cells : 1;
    sight->span = SIGHT_SPAN;
    if (sight->columns * sight->rows > 1) return;
    for (int32_t i = 0; i < sight->size; i++) sight->id[i] = (uint32_t)i;
    sight->start[0] = 0;
    sight->start[1] = (uint32_t)sight->size;
}

/* Harmless when called twice, or on zeros. */
static inline void sight_close(Sight* sight) {
    ENV_FREE(sight->counts);
    ENV_FREE(sight->start);
    ENV_FREE(sight->cell);
    ENV_FREE(sight->bodies);
    ENV_FREE(sight->id);
    sight->counts = sight->start = sight->cell = sight->id = NULL;
    sight->bodies = NULL;
}

/* width, height, view_radius, separation_radius: in any one unit. view_radius: at least 1/2048 of the longer side, at most 1/2 of the
 * shorter. separation_radius: at most view_radius, at least 1/32 of it, where distances below it take three to nine values.
 * parts: most threads that will share an update. NULL, or ENV_NO_MEMORY with nothing left allocated. */
static inline const char* sight_init(Sight* sight, int32_t size, double width, double height, double view_radius,
                                     double separation_radius, int32_t parts) {
    /* a cell is a little wider than the view radius, because pair arithmetic rounds */
    uint32_t columns = (uint32_t)(width / (view_radius * 1.002));
    uint32_t rows = (uint32_t)(height / (view_radius * 1.002));
    const uint32_t most = size > 1024 ? 4 * (uint32_t)size : 4096;
    uint32_t coarser = 1;
    while ((columns / coarser + 1) * (rows / coarser + 1) > most) coarser++;
    columns = columns / coarser > 1 ? columns / coarser : 1;
    rows = rows / coarser > 1 ? rows / coarser : 1;

    sight->size = size;
    sight->parts = parts;
    /* the lesser radius is the unit. One above 32600 is halved: it is 2^15 at most, where a body sees half way round the world */
    double radius_x, radius_y;
    sight->x_axis = sight__axis(width, view_radius, columns, &radius_x);
    sight->y_axis = sight__axis(height, view_radius, rows, &radius_y);
    const double least_x = radius_x > 32600 ? radius_x / 2 : radius_x, least_y = radius_y > 32600 ? radius_y / 2 : radius_y;
    sight->view = least_x < least_y ? least_x : least_y;
    if (radius_x > sight->view) sight->x_axis.scale = sight__scale(sight->view, radius_x);
    if (radius_y > sight->view || !sight->x_axis.scale) sight->y_axis.scale = sight__scale(sight->view, radius_y);

    const double separation = sight->view * separation_radius / view_radius;
    const double exact_view2 = sight->view * sight->view / 32768.0, share = separation_radius / view_radius;
    sight->view2 = (int32_t)(exact_view2 + 0.5);
    sight->to_views = (float)(1.0 / sight->view);
    sight->to_separations2 = (float)(1.0 / (exact_view2 * share * share));
    sight->separation2 = (int32_t)(separation * separation / 32768.0 + 0.5);
    /* A square distance is off by 1, a position by a 16-bit unit. Where that is too much for the separation radius, what lies within it
     * is computed from whole positions; elsewhere the nearest alone, if it is very near. */
    const double unit_x = radius_x / (1 << sight->x_axis.doubles), unit_y = radius_y / (1 << sight->y_axis.doubles);
    sight->exact_push = (unit_x < unit_y ? unit_x : unit_y) * share < 100 || sight->separation2 < 512;
    sight->exact2 = sight->exact_push ? sight->separation2 * 5 / 4 + 8 : 8;
    /* in view radii; rounding takes less than 8 */
    const double edge = sqrt((sight->exact2 + 8) * 32768.0) / sight->view;
    sight->exact_edge = edge < 0.5 ? (uint32_t)(edge * 4294967296.0) + 1 : 1u << 31;
    const double per_world = sight->view / view_radius / 4294967296.0 / sqrt(32768.0);
    sight->exact_x = (float)(width * per_world);
    sight->exact_y = (float)(height * per_world);
    /* the largest term of the push is 2 / sqrt(27) r^3: the sum over a crowd must stay within 2^31 */
    const double most_push = 0.385 * sight->separation2 * separation * SIGHT_CROWD;
    sight->push_shift = 0;
    while (most_push / (1 << sight->push_shift) > 2147483647.0) sight->push_shift++;
    sight->push = (double)sight->separation2 * separation / (1 << sight->push_shift);

    const size_t n = (size_t)size;
    sight->counts = (uint32_t*)ENV_CALLOC((size_t)parts * columns * rows, sizeof(uint32_t));
    sight->start = (uint32_t*)ENV_CALLOC((size_t)columns * rows + 1, sizeof(uint32_t));
    sight->cell = (uint32_t*)ENV_CALLOC(n, sizeof(uint32_t));
    sight->bodies = (SightBody*)ENV_CALLOC(n + SIGHT_LANES, sizeof(SightBody));
    sight->id = (uint32_t*)ENV_CALLOC(n + SIGHT_LANES, sizeof(uint32_t));
    sight->kernels = sight__fastest_kernels();
    if (!sight->counts || !sight->start || !sight->cell || !sight->bodies || !sight->id) {
        sight_close(sight);
        return ENV_NO_MEMORY;
    }
    sight_use_cells(sight, sight__needs_cells(sight));
    return NULL;
}

/* Numbers the bodies by place, cell by cell, row after row, so that those who see each other are near in memory. It reorders x, y and
 * angle, which is a heading of 2^16 to a full turn. copy: scratch of (size) uint32_t. Update afterwards. */
static inline void sight_number_by_place(Sight* sight, uint32_t* x, uint32_t* y, uint16_t* angle, const uint32_t* heading,
                                         uint32_t* copy) {
    const size_t n = (size_t)sight->size;
    const bool cells = sight->columns * sight->rows > 1;
    sight_use_cells(sight, true);
    if (sight->columns * sight->rows > 1) {
        sight_update(sight, x, y, heading, 1);
        memcpy(copy, x, n * sizeof *copy);
        for (size_t k = 0; k < n; k++) x[k] = copy[sight->id[k]];
        memcpy(copy, y, n * sizeof *copy);
        for (size_t k = 0; k < n; k++) y[k] = copy[sight->id[k]];
        memcpy(copy, angle, n * sizeof *angle);
        for (size_t k = 0; k < n; k++) angle[k] = ((const uint16_t*)copy)[sight->id[k]];
    }
    sight_use_cells(sight, cells);
}

/* --- who else looks --------------------------------------------------------------------------------------------------------- */

/* Cells that are wider by `reach`, in view radii, until the next sight_use_cells: bodies that look from so far away from where they
 * are then find all whom they see. Changes nothing where all pairs are formed anyway. A window still holds six cells or more, so that a reach beyond 1.6 may be cut in a
 * world of 32 cells or more. Update afterwards. */
static inline void sight_widen(Sight* sight, double reach) {
    const SightAxis axes[2] = {sight->x_axis, sight->y_axis};
    uint32_t cells[2], windows[2];
    if (!sight__needs_cells(sight)) return;
    for (int k = 0; k < 2; k++) {
        windows[k] = 1u << (16 - axes[k].shift); /* to a side */
        cells[k] = (uint32_t)(axes[k].cells / (1 + reach));
        if (windows[k] > 1 && cells[k] < 6 * windows[k]) cells[k] = 6 * windows[k];
        if (cells[k] < 1) cells[k] = 1;
    }
    sight_use_cells(sight, cells[0] * cells[1] > 1);
    if (cells[0] * cells[1] == 1) return;
    sight->columns = cells[0];
    sight->rows = cells[1];
    /* the farthest pair is span + 2 cells apart: less than half a window */
    const uint32_t most = cells[0] / windows[0] / 2 - 2;
    sight->span = windows[0] > 1 && most < SIGHT_SPAN ? most : SIGHT_SPAN;
}

/* What others see in place of the bodies: body i, moved to x[i], y[i], heading[i], sees all but the body i of `sight`, at most as far from
 * it as sight_widen allows. The result borrows from `sight`, from the arrays and from `memory`, a Sight of the same size that does not look
 * meanwhile. */
static inline Sight sight_of_others(const Sight* sight, const uint32_t* x, const uint32_t* y, const uint32_t* heading,
                                    Sight* memory) {
    Sight others = *sight;
    others.eyes = memory->bodies;
    others.eye_x = x;
    others.eye_y = y;
    for (int32_t k = 0; k < sight->size; k++) {
        const uint32_t i = sight->id[k];
        memory->bodies[k].xy = sight__place(sight, x[i], y[i]);
        memory->bodies[k].cs = heading[i];
    }
    return others;
}

/* The square of the view radius in the unit of square distances, not rounded. */
static inline double sight_square_of_view(const Sight* sight) { return sight->view * sight->view / 32768.0; }

/* Memory of one int32_t for each body, free until the next update. */
static inline int32_t* sight_scratch(Sight* sight) { return (int32_t*)sight->cell; }

/* --- what a block sees ------------------------------------------------------------------------------------------------------ */

/* sight__look where a block sees more than one crowd. */
SIGHT_EACH_LEVEL static void sight__look_at_crowds(const Sight* sight, const SightBlock* block, SightCrowd* crowd,
                                                   SightSums* sums, int levels, uint32_t (*keys)[SIGHT_LANES]) {
    double x[SIGHT_LANES] = {0}, y[SIGHT_LANES] = {0}, c[SIGHT_LANES] = {0}, s[SIGHT_LANES] = {0};
    double push_x[SIGHT_LANES] = {0}, push_y[SIGHT_LANES] = {0}; /* whole numbers below 2^53: exact */
    SightCrowdSums part;
    SightSquares squares;
    for (uint32_t first = 0; first < block->num_seen; first += SIGHT_CROWD) {
        sight__gather(sight, block, first, crowd);
        sight->kernels.sum(sight, block, crowd, &part, levels ? squares : NULL);
        if (levels) sight__sort(sight, crowd, squares, first, levels, keys);
        for (int l = 0; l < SIGHT_LANES; l++) {
            sums->count[l] = part.count[l] + (first ? sums->count[l] : 0);
            if (!first || (float)part.nearest2[l] < sums->nearest2[l]) sums->nearest2[l] = (float)part.nearest2[l];
            x[l] += part.x[l];
            y[l] += part.y[l];
            c[l] += part.c[l];
            s[l] += part.s[l];
            push_x[l] += part.push_x[l];
            push_y[l] += part.push_y[l];
        }
    }
    for (int l = 0; l < SIGHT_LANES; l++) {
        sums->x[l] = (float)x[l];
        sums->y[l] = (float)y[l];
        sums->c[l] = (float)c[l];
        sums->s[l] = (float)s[l];
        sums->push_x[l] = (float)push_x[l];
        sums->push_y[l] = (float)push_y[l];
    }
}

/* The sums of a block, and the places of the `most` nearest of each body, then its own; most may be 0. crowd: its size is 0 before the
 * first block, and then it is left alone between calls. */
SIGHT_INLINE void sight__look(const Sight* sight, const SightBlock* block, SightCrowd* crowd, SightSums* sums, int most,
                              uint32_t (*places)[SIGHT_LANES]) {
    SightKeys keys;
    const int levels = most == 0 ? 0 : most > 8 ? most + 1 : 9;
    if (levels) memset(keys, 255, (size_t)levels * sizeof *keys);
    if (block->num_seen <= SIGHT_CROWD) {
        SightCrowdSums part;
        SightSquares squares;
        if (sight->columns * sight->rows > 1 || !crowd->size)
            sight__gather(sight, block, 0, crowd);
        else /* all see all: the same crowd again */
            crowd->self = (int32_t)block->first;
        sight->kernels.sum(sight, block, crowd, &part, levels ? squares : NULL);
        if (levels) sight__sort(sight, crowd, squares, 0, levels, keys);
        for (int l = 0; l < SIGHT_LANES; l++) {
            sums->count[l] = part.count[l];
            sums->nearest2[l] = (float)part.nearest2[l];
            sums->x[l] = (float)part.x[l];
            sums->y[l] = (float)part.y[l];
            sums->c[l] = (float)part.c[l];
            sums->s[l] = (float)part.s[l];
            sums->push_x[l] = (float)part.push_x[l];
            sums->push_y[l] = (float)part.push_y[l];
        }
    } else {
        sight__look_at_crowds(sight, block, crowd, sums, levels, keys);
    }
    if (levels) sight__places(sight, block, most, keys, places);
    int32_t near =
        0; /* negative if any lane is at most exact2: integers, because compilers add up bits better than comparisons */
    for (int l = 0; l < SIGHT_LANES; l++) near |= (int32_t)sums->nearest2[l] - sight->exact2 - 1;
    if (near < 0) sight__exact(sight, block, sums);
    const SightBody* own = sight->eyes + block->first;
    for (uint32_t l = 0; l < SIGHT_LANES; l++) {
        sums->own_c[l] = (int32_t)(own[l].cs << 16) >> 16;
        sums->own_s[l] = (int32_t)own[l].cs >> 16;
        sums->own_xy[l] = own[l].xy;
    }
    if (block->size == SIGHT_LANES) return;
    for (uint32_t l = block->size; l < SIGHT_LANES; l++) {
        sums->count[l] = sums->own_c[l] = sums->own_s[l] = 0;
        sums->nearest2[l] = UINT16_MAX;
        sums->x[l] = sums->y[l] = sums->c[l] = sums->s[l] = sums->push_x[l] = sums->push_y[l] = 0;
    }
}

/* --- batches ---------------------------------------------------------------------------------------------------------------- */

/* Up to SIGHT_BLOCKS blocks: several, so that the processor has more than one of each step to do. */
typedef struct SightBatch {
    const Sight* sight;
    int32_t count;                                                  /* blocks */
    SightBlock blocks[SIGHT_BLOCKS];                                /* their bodies */
    SightSums sums[SIGHT_BLOCKS];                                   /* what they see */
    int32_t nearest;                                                /* neighbours to list of each */
    uint32_t places[SIGHT_BLOCKS][SIGHT_MOST_NEAREST][SIGHT_LANES]; /* in cell order */
    uint64_t near[SIGHT_BLOCKS][SIGHT_MOST_NEAREST][SIGHT_LANES];   /* a SightBody each */
    uint32_t end_row;                                               /* of cells */
    SightCrowd crowd;
} SightBatch;

/* Begins before the first batch of the bodies in the rows of cells [row, end_row). nearest: how many nearest neighbours to list, 0
 * to SIGHT_MOST_NEAREST. */
SIGHT_INLINE void sight_first(const Sight* sight, uint32_t row, uint32_t end_row, int32_t nearest, SightBatch* batch) {
    batch->sight = sight;
    batch->count = SIGHT_BLOCKS;
    batch->nearest = nearest;
    batch->end_row = end_row;
    batch->crowd.size = 0;
    SightBlock* before = &batch->blocks[SIGHT_BLOCKS - 1]; /* the first batch goes on from here */
    before->first = sight->start[(size_t)row * sight->columns];
    before->size = 0;
    before->row = row;
    before->column = 0;
}

/* The next batch, or false after the last. */
SIGHT_INLINE bool sight_next(SightBatch* batch) {
    if (batch->count < SIGHT_BLOCKS) return false;
    const SightBlock* before = &batch->blocks[SIGHT_BLOCKS - 1];
    for (batch->count = 0; batch->count < SIGHT_BLOCKS; batch->count++) {
        SightBlock* block = &batch->blocks[batch->count];
        memcpy(block, before, offsetof(SightBlock, num_runs));
        if (!sight__next_block(batch->sight, block) || block->row >= batch->end_row) break;
        sight__look(batch->sight, block, &batch->crowd, &batch->sums[batch->count], batch->nearest,
                    batch->places[batch->count]);
        for (int k = 0; k < batch->nearest; k++) {
            SIGHT_UNROLL(16)
            for (int l = 0; l < SIGHT_LANES; l++)
                memcpy(&batch->near[batch->count][k][l], &batch->sight->bodies[batch->places[batch->count][k][l]],
                       sizeof(SightBody));
        }
        before = block;
    }
    return batch->count > 0;
}

/* What one body sees: lane l of block b. The fields are those of SightSums. */
typedef struct Sighting {
    int32_t count;
    float nearest2, x, y, c, s, push_x, push_y;
    int32_t own_c, own_s;
} Sighting;

SIGHT_INLINE Sighting sight_of(const SightBatch* batch, int b, int l) {
    const SightSums* sums = &batch->sums[b];
    const Sighting sees = {sums->count[l], sums->nearest2[l], sums->x[l],      sums->y[l],     sums->c[l],
                           sums->s[l],     sums->push_x[l],   sums->push_y[l], sums->own_c[l], sums->own_s[l]};
    return sees;
}

/* Which body it is. */
SIGHT_INLINE uint32_t sight_id(const SightBatch* batch, int b, uint32_t l) {
    return batch->sight->id[batch->blocks[b].first + l];
}

/* One neighbour of a body: its offset, `view` to a view radius, and its heading, / SIGHT_UNIT. All 0 where there is none. */
typedef struct SightNeighbour {
    int32_t x, y, c, s;
} SightNeighbour;

/* The k-th nearest neighbour of the body in lane l of block b, k from 0. */
SIGHT_INLINE SightNeighbour sight_nearest(const SightBatch* batch, int b, int k, int l) {
    const SightAxis *across = &batch->sight->x_axis, *up = &batch->sight->y_axis;
    const uint32_t own = batch->sums[b].own_xy[l], first = batch->blocks[b].first;
    const uint32_t xy = (uint32_t)batch->near[b][k][l], cs = (uint32_t)(batch->near[b][k][l] >> 32);
    const uint32_t seen = batch->places[b][k][l] == first + (uint32_t)l ? 0 : UINT32_MAX; /* its own place stands for none */
    /* sight__offset without saturation: it is in sight */
    const int32_t dx = ((int32_t)((xy - own) << 16 & seen) >> 16) * (1 << across->doubles);
    const int32_t dy = ((int32_t)(((xy >> 16) - (own >> 16)) << 16 & seen) >> 16) * (1 << up->doubles);
    const int32_t scale_x = across->scale ? across->scale : 32768, scale_y = up->scale ? up->scale : 32768;
    const SightNeighbour one = {((dx * scale_x >> 14) + 1) >> 1, ((dy * scale_y >> 14) + 1) >> 1,
                                (int32_t)((cs & seen) << 16) >> 16, (int32_t)(cs & seen) >> 16};
    return one;
}

/* Counts the neighbours of each body. neighbours: (size), by id. */
static inline void sight_count(const Sight* sight, int32_t* neighbours) {
    SightCrowd crowd;
    SightSums sums;
    SightBlock block;
    crowd.size = 0;
    memset(&block, 0, sizeof block);
    while (sight__next_block(sight, &block)) {
        sight__look(sight, &block, &crowd, &sums, 0, NULL);
        for (uint32_t l = 0; l < block.size; l++) neighbours[sight->id[block.first + l]] = sums.count[l];
    }
}

#endif
