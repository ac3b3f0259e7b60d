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
 *         for (uint32_t l = 0; l < batch.size; l++) neighbours[sight_id(&batch, l)] = sight_of(&batch, l).count;
 *     sight_close(&sight);
 *
 * The loops over lanes l are for the compiler to turn into vector instructions. They may run to the next multiple of SIGHT_LANES: lanes
 * beyond the size of a batch hold zeros. rows.h writes what was computed in lanes to one row for each body;
 * groups.h finds connected bodies.
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
 * Lanes. A vector holds the bodies that look, 32 bits each. The loop runs over the bodies that they look at, four at a time, two of them
 * in the halves of a lane. Nothing is summed across a vector.
 *
 * Cells. Bodies are sorted by cell (a stable counting sort); a cell is at least a view radius wide. A block is a run of up to 8 or 16
 * bodies in that order, from one row of cells. It can see three rows of cells: runs of bodies, two in a row where it crosses the seam of
 * the torus. They are copied into a crowd, in pairs. A block spans as many cells as it needs to be full, unless the window ends before.
 *
 * Small swarms have one cell, and one crowd that holds all. Their bodies are kept in order along the longer axis, and a block looks at
 * the part of the crowd that is near it on that axis: see arcs.h.
 *
 * Batches. Blocks need not be full: what they see is handed out for up to 64 bodies at a time, whose lanes leave no gap.
 *
 * Memory: 16 bytes a body, 8 bytes a cell, and 4 bytes a cell for every further thread. There are at most 4 cells a body, or 4096.
 * Threads: several may read a Sight. sight_update shares its work among threads; so can who loops over rows of cells.
 *
 * types.h structs and limits; torus.h arithmetic; cells.h the search; arcs.h that of small swarms; pairs.h the sums in plain C;
 * kernel.h the same in vector lanes, lanes.h for each instruction set; nearest.h the nearest ones; rows.h lanes to rows; groups.h who is
 * connected with whom.
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
    return sight->size > SIGHT_CROWD || sight->x_axis.cells >= 32 || sight->y_axis.cells >= 32;
}

/* Columns that a block spans at most. Where the window is a part of the world, no pair may be half a window apart: a pair takes fewer
 * than `beyond` columns more than the block spans. */
static inline uint32_t sight__span(const Sight* sight, uint32_t columns, uint32_t beyond) {
    const uint32_t half_windows = 2u << (16 - sight->x_axis.shift); /* to a side */
    return half_windows > 2 ? columns / half_windows - beyond : columns;
}

/* Uses the cells, or one cell, which forms all pairs. Both give the same sums. All pairs need fewer than 32 cells an axis. */
static inline void sight_use_cells(Sight* sight, bool use_cells) {
    sight->columns = use_cells ? sight->x_axis.cells : 1;
    sight->rows = use_cells ? sight->y_axis.cells : 1;
    sight->span = sight__span(sight, sight->x_axis.cells, 1);
    sight->sorted = sight->columns * sight->rows > 1;
    sight->ordered = false;
    if (sight->sorted) return;
    /* an order helps where a block sees a part of the longer axis only */
    const uint32_t longer = sight->x_axis.cells > sight->y_axis.cells ? sight->x_axis.cells : sight->y_axis.cells;
    sight->sorted = sight->ordered = longer > 4 && sight->size > 2 * SIGHT_LANES && sight->size <= SIGHT_CROWD;
    sight->age = SIGHT_MOST_AGE; /* the next update puts them in order */
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
    /* a square distance is out of sight if the part of it along one axis is */
    sight->along = columns < rows ? 16 : 0;
    sight->reach = (int32_t)(view_radius * 1.002 / (sight->along ? height : width) * 65536.0) + 2;
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
 * are then find all whom they see. Changes nothing where all pairs are formed anyway. A window still holds six cells or more, so that
 * a reach beyond 1.6 may be cut in a world of 32 cells or more. Update afterwards. */
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
    sight->span = sight__span(sight, cells[0], 2); /* one of them because who looks is up to a cell away */
}

/* What others see in place of the bodies: body i, moved to x[i], y[i], heading[i], sees all but the body i of `sight`, at most as far from
 * it as sight_widen allows. The result borrows from `sight`, from the arrays and from `memory`, a Sight of the same size that does not look
 * meanwhile. */
static inline Sight sight_of_others(const Sight* sight, const uint32_t* x, const uint32_t* y, const uint32_t* heading,
                                    Sight* memory) {
    Sight others = *sight;
    others.ordered = false; /* the arcs are those of the bodies */
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

/* The levels of keys that are sorted to list the `nearest` nearest: one more, which tells whether the last is as far as one left out. */
SIGHT_INLINE int sight__levels(int nearest) { return nearest == 0 ? 0 : nearest > 8 ? nearest + 1 : 9; }

/* The sums and the nearest of a block that sees more than one crowd. at: its first lane. */
SIGHT_EACH_LEVEL static void sight__look_at_crowds(SightBatch* batch, const SightBlock* block, uint32_t at) {
    const Sight* sight = batch->sight;
    SightCrowd* crowd = &batch->crowd;
    const SightCrowdSums* part = &batch->looked;
    SightSums* sums = &batch->sums;
    const int levels = sight__levels(batch->nearest);
    SightKeys keys;
    SightSquares squares;
    if (levels) memset(keys, 255, (size_t)levels * sizeof *keys);
    double total[6][SIGHT_LANES] = {{0}}; /* whole numbers below 2^53: exact */
    for (uint32_t first = 0; first < block->num_seen; first += SIGHT_CROWD) {
        sight__gather(sight, block, first, crowd);
        sight__choose(block, sight__all_fours(crowd->size), crowd);
        sight->kernels.sum(sight, block, crowd, &batch->looked, at, levels ? squares : NULL);
        if (levels) sight__sort(sight, block, crowd, squares, first, levels, keys);
        for (uint32_t l = 0; l < block->size; l++) {
            const uint32_t lane = at + l;
            sums->count[lane] = part->count[lane] + (first ? sums->count[lane] : 0);
            if (!first || (float)part->nearest2[lane] < sums->nearest2[lane])
                sums->nearest2[lane] = (float)part->nearest2[lane];
            total[0][l] += part->x[lane];
            total[1][l] += part->y[lane];
            total[2][l] += part->c[lane];
            total[3][l] += part->s[lane];
            total[4][l] += part->push_x[lane];
            total[5][l] += part->push_y[lane];
        }
    }
    for (uint32_t l = 0; l < block->size; l++) {
        sums->x[at + l] = (float)total[0][l];
        sums->y[at + l] = (float)total[1][l];
        sums->c[at + l] = (float)total[2][l];
        sums->s[at + l] = (float)total[3][l];
        sums->push_x[at + l] = (float)total[4][l];
        sums->push_y[at + l] = (float)total[5][l];
    }
    if (!levels) return;
    /* all lanes of a vector are written: beyond the block are those of blocks that have been looked for */
    uint32_t places[SIGHT_MOST_NEAREST][SIGHT_BATCH_LANES];
    sight__places(sight, block, batch->nearest, keys, 0, places);
    for (int k = 0; k < batch->nearest; k++) memcpy(batch->places[k] + at, places[k], block->size * sizeof **places);
}

/* What a block that sees one crowd looked at, and its nearest. Of several crowds sight_next makes sums of its own: until then the
 * nearest of all counts as very near. */
SIGHT_INLINE void sight__look(SightBatch* batch, const SightBlock* block) {
    const Sight* sight = batch->sight;
    SightCrowd* crowd = &batch->crowd;
    const uint32_t at = block->first - batch->first;
    if (block->num_seen > SIGHT_CROWD) {
        memset(batch->looked.nearest2 + at, 0, block->size * sizeof *batch->looked.nearest2);
        return;
    }
    const int levels = sight__levels(batch->nearest);
    SightKeys keys;
    SightSquares squares;
    if (sight->columns * sight->rows > 1 || !crowd->size)
        sight__gather(sight, block, 0, crowd);
    else /* all see all: the same crowd again */
        crowd->self = (int32_t)block->first;
    const uint64_t fours =
        sight->ordered ? sight__fours_in_reach(sight, block->first, block->size) : sight__all_fours(crowd->size);
    sight__choose(block, fours, crowd);
    sight->kernels.sum(sight, block, crowd, &batch->looked, at, levels ? squares : NULL);
    if (!levels) return;
    memset(keys, 255, (size_t)levels * sizeof *keys);
    sight__sort(sight, block, crowd, squares, 0, levels, keys);
    sight__places(sight, block, batch->nearest, keys, at, batch->places);
}

/* --- batches ---------------------------------------------------------------------------------------------------------------- */

/* From what was looked at to sums, in the lanes [0, lanes). Returns a negative number if any lane is at most exact2. */
SIGHT_INLINE int32_t sight__sum_up(SightBatch* batch, size_t lanes) {
    const SightCrowdSums* looked = &batch->looked;
    const SightBody* own = batch->sight->eyes + batch->first;
    SightSums* sums = &batch->sums;
    int32_t near = 0; /* compilers add up bits better than comparisons */
    for (size_t l = 0; l < lanes; l++) {
        near |= looked->nearest2[l] - batch->sight->exact2 - 1;
        sums->count[l] = looked->count[l];
        sums->nearest2[l] = (float)looked->nearest2[l];
        sums->x[l] = (float)looked->x[l];
        sums->y[l] = (float)looked->y[l];
        sums->c[l] = (float)looked->c[l];
        sums->s[l] = (float)looked->s[l];
        sums->push_x[l] = (float)looked->push_x[l];
        sums->push_y[l] = (float)looked->push_y[l];
        sums->own_xy[l] = own[l].xy;
        sums->own_c[l] = (int32_t)(own[l].cs << 16) >> 16;
        sums->own_s[l] = (int32_t)own[l].cs >> 16;
    }
    return near;
}

/* Begins before the first batch of the bodies in the rows of cells [row, end_row). nearest: how many nearest neighbours to list, 0
 * to SIGHT_MOST_NEAREST. */
SIGHT_INLINE void sight_first(const Sight* sight, uint32_t row, uint32_t end_row, int32_t nearest, SightBatch* batch) {
    const SightBlock before = {sight->start[(size_t)row * sight->columns], 0, 0, 0, {0}, {0}};
    batch->sight = sight;
    batch->first = before.first;
    batch->size = 0;
    batch->end = sight->start[(size_t)end_row * sight->columns];
    batch->nearest = nearest;
    batch->crowd.size = 0;
    batch->before = before;
}

/* The next batch, or false after the last. */
SIGHT_INLINE bool sight_next(SightBatch* batch) {
    const Sight* sight = batch->sight;
    batch->first += batch->size;
    if (batch->first >= batch->end) return false;
    batch->size = batch->end - batch->first < SIGHT_BATCH ? batch->end - batch->first : SIGHT_BATCH;
    const uint32_t end = batch->first + batch->size;
    const SightBlock* before = &batch->before;
    for (batch->num_blocks = 0; before->first + before->size < end; before = &batch->blocks[batch->num_blocks++]) {
        SightBlock* block = &batch->blocks[batch->num_blocks];
        const uint32_t left = end - before->first - before->size;
        block->first = before->first;
        block->size = before->size;
        sight__next_block(sight, left < sight->kernels.lanes ? left : sight->kernels.lanes, block);
        sight__look(batch, block);
    }
    batch->before = *before;

    SightCrowdSums* looked = &batch->looked;
    const size_t lanes = (batch->size + SIGHT_LANES - 1) / SIGHT_LANES * SIGHT_LANES;
    for (size_t l = batch->size; l < lanes; l++) {
        looked->count[l] = looked->x[l] = looked->y[l] = looked->c[l] = looked->s[l] = looked->push_x[l] =
            looked->push_y[l] = 0;
        looked->nearest2[l] = UINT16_MAX;
    }
    const int32_t near = sight__sum_up(batch, lanes);
    for (size_t l = batch->size; l < lanes; l++) batch->sums.own_c[l] = batch->sums.own_s[l] = 0;
    for (uint32_t b = 0; near < 0 && b < batch->num_blocks; b++) {
        const SightBlock* block = &batch->blocks[b];
        const uint32_t at = block->first - batch->first;
        if (block->num_seen > SIGHT_CROWD) sight__look_at_crowds(batch, block, at);
        sight__exact(sight, block, &batch->sums, at);
    }
    for (int k = 0; k < batch->nearest; k++) {
        for (size_t l = batch->size; l < lanes; l++) batch->places[k][l] = batch->first + (uint32_t)l;
        for (size_t group = 0; group < lanes; group += SIGHT_LANES) {
            SIGHT_UNROLL(16) /* no vector of addresses: processors load one by one faster */
            for (size_t l = group; l < group + SIGHT_LANES; l++)
                memcpy(&batch->near[k][l], &sight->bodies[batch->places[k][l]], sizeof(SightBody));
        }
    }
    return true;
}

/* What one body sees: lane l of a batch. The fields are those of SightSums. */
typedef struct Sighting {
    int32_t count;
    float nearest2, x, y, c, s, push_x, push_y;
    int32_t own_c, own_s;
} Sighting;

SIGHT_INLINE Sighting sight_of(const SightBatch* batch, size_t l) {
    const SightSums* sums = &batch->sums;
    const Sighting sees = {sums->count[l], sums->nearest2[l], sums->x[l],      sums->y[l],     sums->c[l],
                           sums->s[l],     sums->push_x[l],   sums->push_y[l], sums->own_c[l], sums->own_s[l]};
    return sees;
}

/* One neighbour of a body: its offset, `view` to a view radius, and its heading, / SIGHT_UNIT. All 0 where there is none. */
typedef struct SightNeighbour {
    int32_t x, y, c, s;
} SightNeighbour;

/* The k-th nearest neighbour of the body in lane l, k from 0. */
SIGHT_INLINE SightNeighbour sight_nearest(const SightBatch* batch, int k, size_t l) {
    const SightAxis *across = &batch->sight->x_axis, *up = &batch->sight->y_axis;
    const uint32_t own = batch->sums.own_xy[l];
    const uint32_t xy = (uint32_t)batch->near[k][l], cs = (uint32_t)(batch->near[k][l] >> 32);
    const uint32_t seen = batch->places[k][l] == batch->first + l ? 0 : UINT32_MAX; /* its own place stands for none */
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
    SightBatch batch;
    for (sight_first(sight, 0, sight->rows, 0, &batch); sight_next(&batch);)
        for (uint32_t l = 0; l < batch.size; l++) neighbours[sight_id(&batch, l)] = sight_of(&batch, l).count;
}

#endif
