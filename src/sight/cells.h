/* cells.h - bodies sorted by cell, blocks of them, and whom a block can see; see "Cells" in sight.h */
#ifndef SIGHT_CELLS_H
#define SIGHT_CELLS_H

#include "env_threads.h"
#include "sight/arcs.h"

/* An update, to share among threads: part p of `parts` has bodies [share(p), share(p + 1)) and counts of its own. */
typedef struct SightUpdate {
    Sight* sight;
    const uint32_t *x, *y, *heading;
    int32_t parts;
} SightUpdate;

/* The first of n things that belong to part `part` of `parts`. */
static inline uint32_t sight__share(uint32_t n, int32_t part, int32_t parts) {
    return (uint32_t)((uint64_t)n * (uint32_t)part / (uint32_t)parts);
}

/* With one cell the order is that of the ids, or one along the longer axis. */
SIGHT_EACH_LEVEL static void sight__copy(const SightUpdate* update) {
    Sight* sight = update->sight;
    const int32_t shift_x = sight->x_axis.shift, shift_y = sight->y_axis.shift, n = sight->size;
    const uint32_t *x = update->x, *y = update->y, *heading = update->heading;
    SightBody by_id[SIGHT_CROWD], *bodies = sight->ordered ? by_id : sight->bodies;
    for (int32_t i = 0; i < n; i++) {
        bodies[i].xy = sight_word((int32_t)(x[i] >> shift_x), (int32_t)(y[i] >> shift_y));
        bodies[i].cs = heading[i];
    }
    if (!sight->ordered) return;
    for (int32_t k = 0; k < n; k++) memcpy(&sight->bodies[k], &by_id[sight->id[k]], sizeof *by_id);
    sight__find_arcs(sight);
}

/* The column of a position along x, or the row of one along y. */
SIGHT_INLINE uint32_t sight__cell(uint32_t position, uint32_t cells) { return (uint32_t)((uint64_t)position * cells >> 32); }

/* Finds the cell of each body of a part, and counts the part's bodies in each cell. */
SIGHT_EACH_LEVEL static void sight__count_part(const SightUpdate* update, int32_t part) {
    const Sight* sight = update->sight;
    const uint32_t n = (uint32_t)sight->size, columns = sight->columns, rows = sight->rows;
    const uint32_t from = sight__share(n, part, update->parts), to = sight__share(n, part + 1, update->parts);
    uint32_t* counts = sight->counts + (size_t)part * columns * rows;
    memset(counts, 0, (size_t)columns * rows * sizeof *counts);
    for (uint32_t i = from; i < to; i++) {
        sight->cell[i] = sight__cell(update->y[i], rows) * columns + sight__cell(update->x[i], columns);
        counts[sight->cell[i]]++;
    }
}

/* Puts the bodies of a part in their places, from the last to the first, so that the bodies of a cell keep their order. */
SIGHT_EACH_LEVEL static void sight__place_part(const SightUpdate* update, int32_t part) {
    const Sight* sight = update->sight;
    const uint32_t n = (uint32_t)sight->size;
    const uint32_t from = sight__share(n, part, update->parts), to = sight__share(n, part + 1, update->parts);
    const int32_t shift_x = sight->x_axis.shift, shift_y = sight->y_axis.shift;
    const uint32_t *x = update->x, *y = update->y, *heading = update->heading;
    uint32_t* counts = sight->counts + (size_t)part * sight->columns * sight->rows;
    for (uint32_t i = to; i-- > from;) {
#if defined(__GNUC__)
        if (i >= from + 16) { /* cells are far apart in memory */
            const uint32_t ahead = counts[sight->cell[i - 16]] - 1;
            __builtin_prefetch(&sight->bodies[ahead], 1);
            __builtin_prefetch(&sight->id[ahead], 1);
        }
#endif
        const SightBody body = {sight_word((int32_t)(x[i] >> shift_x), (int32_t)(y[i] >> shift_y)), heading[i]};
        const uint32_t place = --counts[sight->cell[i]];
        sight->bodies[place] = body;
        sight->id[place] = i;
    }
}

static void sight__count_parts(void* update, int32_t from, int32_t to) {
    for (int32_t part = from; part < to; part++) sight__count_part((const SightUpdate*)update, part);
}
static void sight__place_parts(void* update, int32_t from, int32_t to) {
    for (int32_t part = from; part < to; part++) sight__place_part((const SightUpdate*)update, part);
}

/* Sorts the bodies into cells, on at most `threads` threads. x, y: (size) positions, which stay where they are until the next update.
 * heading: (size) as sight_heading gives them. */
static inline void sight_update(Sight* sight, const uint32_t* x, const uint32_t* y, const uint32_t* heading,
                                int32_t threads) {
    const uint32_t cells = sight->columns * sight->rows;
    sight->x = sight->eye_x = x;
    sight->y = sight->eye_y = y;
    sight->eyes = sight->bodies;
    SightUpdate update = {sight, x, y, heading, threads < sight->parts ? threads : sight->parts};
    if (update.parts < 1) update.parts = 1;
    if (cells == 1) {
        if (sight->ordered && ++sight->age >= SIGHT_MOST_AGE) sight__order(sight, sight->along ? y : x);
        sight__copy(&update);
        return;
    }
    env_threads_run(update.parts, update.parts, sight__count_parts, &update);
    /* a count becomes the place after the last body of this cell and part */
    uint32_t sum = 0;
    for (uint32_t k = 0; k < cells; k++) {
        sight->start[k] = sum;
        for (int32_t p = 0; p < update.parts; p++) {
            sum += sight->counts[(size_t)p * cells + k];
            sight->counts[(size_t)p * cells + k] = sum;
        }
    }
    sight->start[cells] = (uint32_t)sight->size;
    env_threads_run(update.parts, update.parts, sight__place_parts, &update);
}

/* The next block, of at most `most` bodies, or false after the last. Starts from a block of zeros. */
static inline bool sight__next_block(const Sight* sight, uint32_t most, SightBlock* block) {
    const uint32_t columns = sight->columns, first = block->first + block->size;
    if (first >= (uint32_t)sight->size) return false;
    const uint32_t row = sight__cell(sight->y[sight->id[first]], sight->rows);
    const uint32_t left = sight__cell(sight->x[sight->id[first]], columns);
    const uint32_t end = sight->start[row * columns + (columns - left > sight->span ? left + sight->span : columns)];
    block->first = first;
    block->size = end - first < most ? end - first : most;
    const uint32_t right = sight__cell(sight->x[sight->id[first + block->size - 1]], columns);

    /* three rows, in each the columns left - 1 .. right + 1, around the seams */
    block->num_runs = 0;
    for (uint32_t k = 0; k < (sight->rows < 3 ? sight->rows : 3); k++) {
        const uint32_t next = row + k ? row + k - 1 : sight->rows - 1;
        const uint32_t* seen = sight->start + (size_t)(next < sight->rows ? next : next - sight->rows) * columns;
        uint32_t from = left ? left - 1 : 0, to = right + 2 < columns ? right + 2 : columns;
        if (right - left + 3 >= columns) {
            from = 0;
            to = columns;
        } else if (left == 0) {
            block->from[block->num_runs] = seen[columns - 1];
            block->to[block->num_runs++] = seen[columns];
        } else if (right + 1 == columns) {
            block->from[block->num_runs] = seen[0];
            block->to[block->num_runs++] = seen[1];
        }
        block->from[block->num_runs] = seen[from];
        block->to[block->num_runs++] = seen[to];
    }
    block->num_seen = 0;
    for (uint32_t r = 0; r < block->num_runs; r++) block->num_seen += block->to[r] - block->from[r];
    return true;
}

/* Copies the bodies whose numbers in the block's runs are [first, first + SIGHT_CROWD), in twos. */
SIGHT_INLINE void sight__gather(const Sight* sight, const SightBlock* block, uint32_t first, SightCrowd* crowd) {
    const uint32_t size = block->num_seen - first < SIGHT_CROWD ? block->num_seen - first : SIGHT_CROWD;
    char* copies = (char*)crowd->pairs;
    for (uint32_t r = 0, number = 0; r < block->num_runs; r++) {
        const uint32_t from = block->from[r], end = number + block->to[r] - from;
        if (block->first - from < end - number) crowd->self = (int32_t)(number + block->first - from - first);
        const uint32_t stop = end < first + size ? end : first + size;
        for (
            uint32_t k = number > first ? number : first; k < stop;
            k +=
            SIGHT_LANES) /* and up to 15 too many, which the next run overwrites: most runs are short, and not all as long */
            memcpy(copies + (k - first) * sizeof *sight->bodies, sight->bodies + from + (k - number),
                   SIGHT_LANES * sizeof *sight->bodies);
        number = end;
    }
    /* zero the slots after the last body up to a multiple of four: they are never counted, and this keeps valgrind quiet */
    memset(copies + size * sizeof *sight->bodies, 0, 3 * sizeof *sight->bodies);
    crowd->size = size;
    for (uint32_t p = 0; p < (size + 1) / 2; p += 2) {
#if defined(__GNUC__)
        typedef int16_t Pairs __attribute__((vector_size(2 * sizeof(SightPair))));
        Pairs two;
        memcpy(&two, &crowd->pairs[p], sizeof two);
        two = __builtin_shufflevector(two, two, 0, 4, 1, 5, 2, 6, 3, 7, 8, 12, 9, 13, 10, 14, 11, 15);
        memcpy(&crowd->pairs[p], &two, sizeof two);
#else
        for (uint32_t q = p; q < p + 2; q++) {
            int16_t two[8];
            memcpy(two, &crowd->pairs[q], sizeof two);
            const SightPair pair = {{two[0], two[4]}, {two[1], two[5]}, {two[2], two[6]}, {two[3], two[7]}};
            crowd->pairs[q] = pair;
        }
#endif
    }
}

/* The fours of the crowd that a block looks at; `fours` has them all. */
SIGHT_INLINE void sight__choose(const SightBlock* block, uint64_t fours, SightCrowd* crowd) {
    const int32_t size = (int32_t)crowd->size, from = crowd->self > 0 ? crowd->self : 0;
    const int32_t end = crowd->self + (int32_t)block->size, to = end < size ? end : size;
    crowd->own = size % 4 ? (uint64_t)1 << size / 4 : 0;
    if (from < to) crowd->own |= sight__all_fours((uint32_t)to) & ~(((uint64_t)1 << from / 4) - 1);
    crowd->own &= fours;
    crowd->others = fours & ~crowd->own;
}

#endif
