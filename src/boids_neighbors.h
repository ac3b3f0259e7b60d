/* boids_neighbors.h - what every boid sees: sums over its neighbours, in time linear in the number of boids
 *
 * The one hard idea of the environment has this file to itself. It knows positions and headings, and nothing of rewards,
 * actions or episodes.
 *
 *     boids_neighbors_init(&nb, num_boids, width, height, view_radius, separation_radius, 1);  // NULL, or a message
 *     boids_neighbors_update(&nb, x, y, c, s, 0, 1);                                           // once a step
 *     for (BoidsBlock block = {0}; boids_block_next(&nb, &block);) {                         // up to BOIDS_LANES boids at a time
 *         BoidsSums sums;
 *         boids_sum(&nb, &block, &sums);                                                     // sums.count[lane], ...
 *     }
 *     boids_neighbors_close(&nb);
 *
 * Same bits everywhere. Everything here is integer arithmetic, and integer sums have no order: any vector width, any number of
 * threads, any search path (all pairs, or cells) gives the same sums.
 *
 * Positions. A world is a torus; a position is a uint32_t, 2^32 to one side, so that adding wraps for free and so does the
 * difference of two. Pairs need only 16 bits: 2^16 to one side or, in a world of many view radii R, to a window of at least 16
 * cells of it; no pair that is formed is half as far apart, so a 16-bit difference still wraps for free. The unit is R/2000 or
 * finer. Only where a small flock is lost in a world so wide that cells are merged (see Memory) is it coarser, R/128 at worst.
 *
 * Lengths. Differences are scaled so that the view radius is BOIDS_VIEW in both axes, however oblong the world:
 *     d = xj - xi              int16, wraps
 *     t = d doubled, saturating, until the view radius is BOIDS_VIEW or a little more, and what saturates is out of sight
 *     u = mulhrs(t, scale)     the view radius is BOIDS_VIEW
 *     d2 = mulhrs(ux, ux) + mulhrs(uy, uy)     the view radius is BOIDS_VIEW2
 * with mulhrs(a, b) = round(a * b / 2^15), one instruction on SSSE3, AVX2, AVX-512 and NEON.
 *
 * Lanes. A vector holds BOIDS_LANES seeing boids and the loop runs over the seen, so nothing is ever summed across a vector and
 * there is no branch. boids_lanes.h has the vector instructions; the plain C here gives the same bits. A boid sees itself too, at
 * distance 0: that adds 1 to its count, its own heading to the sum of headings and nothing to the rest, which is cheaper to take
 * off afterwards than to test for. Only the nearest distance must leave it out.
 *
 * Cells. Boids are sorted by cell (a counting sort, stable), cells being at least a view radius wide. A block is a run of up to
 * BOIDS_LANES boids, consecutive in that order, of one row of cells; what it can see are three rows of cells, each one run of
 * boids or, across the seam, two. Small flocks have a single cell, and all pairs are formed.
 *
 * Memory: 16 bytes a boid, and 8 bytes a cell, 4 more for every further thread (at most 4 cells a boid, or 4096 in all).
 */
#ifndef BOIDS_NEIGHBORS_H
#define BOIDS_NEIGHBORS_H

#include "env.h"

#include <string.h>

#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "boids.h needs a little-endian machine"
#endif

#define BOIDS_LANES 32        /* boids summed for at a time */
#define BOIDS_ALL_PAIRS 256   /* flocks up to this size form all pairs */
#define BOIDS_SPAN 6          /* cells a block spans at most */
#define BOIDS_VIEW 11584      /* the view radius in pair arithmetic */
#define BOIDS_VIEW2 4095      /* its square: mulhrs(BOIDS_VIEW, BOIDS_VIEW); 12 bits, which leaves 20 of a key for a boid */
#define BOIDS_MOST_NEAREST 32 /* of them can be listed */
#define BOIDS_UNIT 2000       /* the view radius, and a heading of length 1, in the sums: 16 of them fit in 16 bits */
#define BOIDS_FLUSH 16        /* neighbours after which the 16-bit sums are added to the 32-bit ones */

/* One copy of a hot function per instruction set, chosen when the program is loaded. Not under sanitizers, whose runtime
 * is not yet up when that happens. */
#if defined(__GNUC__) && !defined(__clang__) && defined(__x86_64__) && defined(__linux__) && defined(__GLIBC__) && \
    !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__) && !defined(BOIDS_NO_CLONES)
#define BOIDS_CLONES __attribute__((target_clones("default", "arch=x86-64-v2", "arch=x86-64-v3", "arch=x86-64-v4")))
#else
#define BOIDS_CLONES
#endif
#if defined(__GNUC__)
#define BOIDS_INLINE static inline __attribute__((always_inline))
#else
#define BOIDS_INLINE static inline
#endif

/* How one axis is scaled. */
typedef struct BoidsAxis {
    int32_t shift;   /* the 16 bits of a position that pairs use: (uint16_t)(x >> shift) */
    int16_t doubles; /* how often a difference is doubled: gain is 2^doubles */
    int16_t scale;   /* / 2^15 */
    uint32_t cells;  /* along this axis */
} BoidsAxis;

/* What pairs need of a boid, all in one place: sorting writes it, and summing reads it. */
typedef struct BoidsSeen {
    int16_t x, y; /* position for pairs, wraps */
    int16_t c, s; /* cosine and sine of the heading, / BOIDS_UNIT */
    uint32_t id;  /* which boid it is */
} BoidsSeen;

struct BoidsNeighbors;
struct BoidsBlock;
struct BoidsSums;

/* Two functions for each set of vector instructions. Lanes from the block's size on are of no meaning. */
typedef struct BoidsKernels {
    /* adds up what the boids of a block see; the sums are zero before */
    void (*sum)(const struct BoidsNeighbors*, const struct BoidsBlock*, struct BoidsSums*);
    /* keys[k][lane]: the k-th least of square distance << 20 | place in cell order, k below `levels`, over the boids in sight;
     * from BOIDS_VIEW2 << 20 on there is none */
    void (*nearest)(const struct BoidsNeighbors*, const struct BoidsBlock*, int levels, uint32_t (*keys)[BOIDS_LANES]);
} BoidsKernels;

typedef struct BoidsNeighbors {
    int32_t num_boids;
    BoidsAxis x_axis, y_axis;
    int16_t offset_scale; /* / 2^15, from BOIDS_VIEW to BOIDS_UNIT; not a constant, for then gcc 12 misses the instruction */
    int32_t separation2;  /* the square of the separation radius, BOIDS_VIEW2 being that of the view radius */
    int16_t push_gain;    /* of the weights of the separation sum, a power of two that keeps 16 sums in 16 bits */
    uint32_t columns, rows; /* cells in use: x_axis.cells x y_axis.cells, or 1 x 1 */
    int32_t threads;        /* that may sort at a time */
    uint32_t* counts;       /* (threads x cells) */
    uint32_t* start;        /* (columns x rows + 1) first boid of each cell, in cell order */
    uint32_t* cell;         /* (num_boids) of boid i */
    BoidsSeen* seen;        /* (num_boids) the boids in cell order */
    BoidsKernels kernels;   /* the fastest that this processor has */
} BoidsNeighbors;

/* A run of boids [first, first + size) in cell order, and the runs that hold everyone they can see. */
typedef struct BoidsBlock {
    uint32_t first, size;
    uint32_t row; /* of cells */
    uint32_t num_runs;
    uint32_t from[6], to[6];
    int16_t x[BOIDS_LANES], y[BOIDS_LANES]; /* positions for pairs of its boids, set by boids_sum; 0 in lanes from size on */
    int16_t c[BOIDS_LANES], s[BOIDS_LANES]; /* and their headings */
} BoidsBlock;

/* What the boids of a block see; the boid itself is included in all but nearest2. */
typedef struct BoidsSums {
    int32_t count[BOIDS_LANES];                       /* boids within the view radius */
    int32_t x[BOIDS_LANES], y[BOIDS_LANES];           /* sum of offsets, the view radius being BOIDS_UNIT */
    int32_t c[BOIDS_LANES], s[BOIDS_LANES];           /* sum of headings, / BOIDS_UNIT */
    int32_t push_x[BOIDS_LANES], push_y[BOIDS_LANES]; /* sum of max(r^2 - d^2, 0) * offset, times boids_push_unit() */
    int32_t nearest2[BOIDS_LANES];                    /* square of the distance to the nearest other; 65535: none in reach */
} BoidsSums;

/* round(a * b / 2^15): written so that compilers see the one instruction it is. */
BOIDS_INLINE int16_t boids__mulhrs(int16_t a, int16_t b) { return (int16_t)((((a * b) >> 14) + 1) >> 1); }

/* Cosine and sine of a heading, 2^16 to a full turn. The Taylor series of the sine to x^9, folded into a quarter turn: within
 * 4e-6, with the same bits on every machine, which no libm promises. */
BOIDS_INLINE float boids_sin(int32_t heading) {
    int32_t h = (int16_t)heading;
    h = h > 16384 ? 32768 - h : h;
    h = h < -16384 ? -32768 - h : h;
    const float x = (float)h * (1.0f / 16384.0f);
    const float x2 = x * x;
    return x * (1.57079632679f +
                x2 * (-0.645964097506f + x2 * (0.0796926262462f + x2 * (-0.00468175413532f + x2 * 0.000160441184787f))));
}
BOIDS_INLINE float boids_cos(int32_t heading) { return boids_sin(heading + 16384); }

/* A cosine or sine in the integers of the sums, rounded to nearest. */
BOIDS_INLINE int16_t boids_heading_unit(float v) {
    return (int16_t)((int32_t)(v * BOIDS_UNIT + (BOIDS_UNIT + 0.5f)) - BOIDS_UNIT);
}

/* A difference along one axis as BOIDS_VIEW counts it. */
BOIDS_INLINE int16_t boids__offset(const BoidsAxis axis, int16_t d) {
    int32_t t = d;
    for (int k = 0; k < axis.doubles; k++) {
        t = 2 * t < 32767 ? 2 * t : 32767;
        t = t > -32768 ? t : -32768;
    }
    return boids__mulhrs((int16_t)t, axis.scale);
}

/* The square of a distance as BOIDS_VIEW2 counts it. */
BOIDS_INLINE uint16_t boids__square(int16_t ux, int16_t uy) {
    const int16_t x2 = boids__mulhrs(ux, ux), y2 = boids__mulhrs(uy, uy);
    return (uint16_t)((uint16_t)x2 + (uint16_t)y2);
}

/* The same of two boids. */
BOIDS_INLINE uint16_t boids_distance2(const BoidsNeighbors* nb, const BoidsSeen* a, const BoidsSeen* b) {
    return boids__square(boids__offset(nb->x_axis, (int16_t)(a->x - b->x)),
                         boids__offset(nb->y_axis, (int16_t)(a->y - b->y)));
}

/* Adds up what the boids of a block see, in plain C: the twin of the vector lanes, and what runs where there are none. */
static void boids__sum_plain(const BoidsNeighbors* nb, const BoidsBlock* block, BoidsSums* sums) {
    for (uint32_t l = 0; l < block->size; l++) {
        int32_t nearest2 = UINT16_MAX;
        for (uint32_t r = 0; r < block->num_runs; r++) {
            for (uint32_t j = block->from[r]; j < block->to[r]; j++) {
                const BoidsSeen* other = &nb->seen[j];
                const int16_t ux = boids__offset(nb->x_axis, (int16_t)(other->x - block->x[l]));
                const int16_t uy = boids__offset(nb->y_axis, (int16_t)(other->y - block->y[l]));
                const int32_t d2 = boids__square(ux, uy);
                if (d2 >= BOIDS_VIEW2) continue;
                sums->count[l]++;
                sums->x[l] += boids__mulhrs(ux, nb->offset_scale);
                sums->y[l] += boids__mulhrs(uy, nb->offset_scale);
                sums->c[l] += other->c;
                sums->s[l] += other->s;
                if (d2 < nb->separation2) {
                    const int16_t w = (int16_t)((nb->separation2 - d2) * nb->push_gain);
                    sums->push_x[l] += boids__mulhrs(w, ux);
                    sums->push_y[l] += boids__mulhrs(w, uy);
                }
                if (d2 < nearest2 && j != block->first + l) nearest2 = d2;
            }
        }
        sums->nearest2[l] = nearest2;
    }
}

/* The same for the keys of the nearest. */
static void boids__nearest_plain(const BoidsNeighbors* nb, const BoidsBlock* block, int levels,
                                 uint32_t (*keys)[BOIDS_LANES]) {
    for (uint32_t l = 0; l < block->size; l++) {
        for (int k = 0; k < levels; k++) keys[k][l] = UINT32_MAX;
        for (uint32_t r = 0; r < block->num_runs; r++) {
            for (uint32_t j = block->from[r]; j < block->to[r]; j++) {
                const uint32_t d2 = boids_distance2(nb, &nb->seen[j], &nb->seen[block->first + l]);
                uint32_t key = d2 << 20 | j;
                if (d2 >= BOIDS_VIEW2 || j == block->first + l) continue;
                for (int k = 0; k < levels; k++) {
                    const uint32_t least = keys[k][l] < key ? keys[k][l] : key;
                    key = keys[k][l] < key ? key : keys[k][l];
                    keys[k][l] = least;
                }
            }
        }
    }
}

#include "boids_lanes.h"

static inline BoidsAxis boids__axis(double side, double view_radius, uint32_t cells) {
    BoidsAxis axis;
    int32_t bits = 16; /* 2^bits units to one side; a window of 2^16 spans at least 16 cells, or the world */
    while (cells >> (bits - 16) >= 32) bits++;
    const double radius = view_radius / side * (double)(1 << bits);
    axis.doubles = 0;
    while (radius * (1 << axis.doubles) < BOIDS_VIEW) axis.doubles++;
    const double scale = BOIDS_VIEW / (radius * (1 << axis.doubles)) * 32768.0 + 0.5;
    axis.shift = 32 - bits;
    axis.scale = scale < 32767.0 ? (int16_t)scale : (int16_t)32767;
    axis.cells = cells;
    return axis;
}

/* Uses the cells, or a single one, which forms all pairs. Either gives the same sums; all pairs need fewer than 32 cells an axis. */
static inline void boids_neighbors_use_cells(BoidsNeighbors* nb, bool use_cells) {
    nb->columns = use_cells ? nb->x_axis.cells : 1;
    nb->rows = use_cells ? nb->y_axis.cells : 1;
}

static inline void boids_neighbors_close(BoidsNeighbors* nb) {
    ENV_FREE(nb->counts);
    ENV_FREE(nb->start);
    ENV_FREE(nb->cell);
    ENV_FREE(nb->seen);
    nb->counts = nb->start = nb->cell = NULL;
    nb->seen = NULL;
}

/* Lengths in world units. view_radius is at most half the shorter side and at least 1/1024 of the longer one;
 * separation_radius is between 1/32 of view_radius, where distances within it take no more than five values, and all of it.
 * NULL, or ENV_NO_MEMORY with nothing left allocated. */
static inline const char* boids_neighbors_init(BoidsNeighbors* nb, int32_t num_boids, double width, double height,
                                               double view_radius, double separation_radius, int32_t threads) {
    /* a cell is a little wider than the view radius, to allow for rounding in the pair arithmetic */
    uint32_t columns = (uint32_t)(width / (view_radius * 1.002));
    uint32_t rows = (uint32_t)(height / (view_radius * 1.002));
    const uint32_t most = num_boids > 1024 ? 4 * (uint32_t)num_boids : 4096;
    uint32_t coarser = 1;
    while ((columns / coarser + 1) * (rows / coarser + 1) > most) coarser++;
    columns = columns / coarser > 1 ? columns / coarser : 1;
    rows = rows / coarser > 1 ? rows / coarser : 1;

    nb->num_boids = num_boids;
    nb->threads = threads;
    nb->offset_scale = BOIDS_UNIT * 32768 / BOIDS_VIEW;
    nb->x_axis = boids__axis(width, view_radius, columns);
    nb->y_axis = boids__axis(height, view_radius, rows);
    boids_neighbors_use_cells(nb, num_boids > BOIDS_ALL_PAIRS || columns >= 32 || rows >= 32);

    const double ratio = separation_radius / view_radius;
    nb->separation2 = (int32_t)(BOIDS_VIEW2 * ratio * ratio + 0.5);
    /* the separation sum's largest term is 2 / sqrt(27) r^3: sixteen of them must stay within 2^15 */
    int32_t gain = 1;
    while (2 * gain * nb->separation2 < 32768 && 2 * gain * (nb->separation2 * ratio * BOIDS_VIEW) < 1.7e8) gain *= 2;
    nb->push_gain = (int16_t)gain;

    const size_t n = (size_t)num_boids;
    nb->counts = (uint32_t*)ENV_CALLOC((size_t)threads * columns * rows, sizeof(uint32_t));
    nb->start = (uint32_t*)ENV_CALLOC((size_t)columns * rows + 1, sizeof(uint32_t));
    nb->cell = (uint32_t*)ENV_CALLOC(n, sizeof(uint32_t));
    nb->seen = (BoidsSeen*)ENV_CALLOC(n, sizeof(BoidsSeen));
    nb->kernels = boids__fastest_kernels();
    if (nb->counts && nb->start && nb->cell && nb->seen) return NULL;
    boids_neighbors_close(nb);
    return ENV_NO_MEMORY;
}

/* What push_x and push_y count as 1: a neighbour's weight 1 - d^2/r^2 times its offset, in separation radii r. */
static inline double boids_push_unit(const BoidsNeighbors* nb, double separation_radius, double view_radius) {
    return (double)nb->separation2 * nb->push_gain * (BOIDS_VIEW * separation_radius / view_radius) / 32768.0;
}

/* Where threads that share the work wait for each other. */
#if defined(_OPENMP)
#define BOIDS_BARRIER(parts) \
    if ((parts) > 1) {       \
        _Pragma("omp barrier") \
    }
#else
#define BOIDS_BARRIER(parts)
#endif

/* Part `part` of `parts` of n things: the first of it. */
static inline uint32_t boids_part(uint32_t n, int32_t part, int32_t parts) {
    return (uint32_t)((uint64_t)n * (uint32_t)part / (uint32_t)parts);
}

/* Sorts the boids into cells: a part of the work, of which all parts (at most `threads`) run at a time. By boid, (num_boids) each:
 * x, y as above; c, s the heading as boids_heading_unit gives it. */
BOIDS_CLONES static inline void boids_neighbors_update(BoidsNeighbors* nb, const uint32_t* x, const uint32_t* y,
                                                       const int16_t* c, const int16_t* s, int32_t part, int32_t parts) {
    const uint32_t cells = nb->columns * nb->rows, n = (uint32_t)nb->num_boids;
    const uint32_t from = boids_part(n, part, parts), to = boids_part(n, part + 1, parts);
    const int32_t shift_x = nb->x_axis.shift, shift_y = nb->y_axis.shift;
    if (cells == 1) {
        for (uint32_t i = from; i < to; i++) {
            const BoidsSeen seen = {(int16_t)(x[i] >> shift_x), (int16_t)(y[i] >> shift_y), c[i], s[i], i};
            nb->seen[i] = seen;
        }
        nb->start[0] = 0;
        nb->start[1] = n;
        return;
    }

    uint32_t* counts = nb->counts + (size_t)part * cells;
    memset(counts, 0, cells * sizeof(uint32_t));
    for (uint32_t i = from; i < to; i++) {
        const uint32_t column = (uint32_t)(((uint64_t)x[i] * nb->columns) >> 32);
        const uint32_t row = (uint32_t)(((uint64_t)y[i] * nb->rows) >> 32);
        nb->cell[i] = row * nb->columns + column;
        counts[nb->cell[i]]++;
    }
    BOIDS_BARRIER(parts)
    if (part == 0) { /* a count becomes the place after the last boid of this cell and part */
        uint32_t sum = 0;
        for (uint32_t k = 0; k < cells; k++) {
            nb->start[k] = sum;
            for (int32_t p = 0; p < parts; p++) {
                sum += nb->counts[(size_t)p * cells + k];
                nb->counts[(size_t)p * cells + k] = sum;
            }
        }
        nb->start[cells] = n;
    }
    BOIDS_BARRIER(parts)
    /* from the last boid to the first, so that boids of a cell keep their order */
    for (uint32_t i = to; i-- > from;) {
#if defined(__GNUC__)
        if (i >= from + 16) __builtin_prefetch(&nb->seen[counts[nb->cell[i - 16]] - 1], 1); /* cells are far apart */
#endif
        const BoidsSeen seen = {(int16_t)(x[i] >> shift_x), (int16_t)(y[i] >> shift_y), c[i], s[i], i};
        nb->seen[--counts[nb->cell[i]]] = seen;
    }
    BOIDS_BARRIER(parts)
}

/* The first row of cells of a part of the work, so that parts hold about as many boids. */
static inline uint32_t boids_part_row(const BoidsNeighbors* nb, int32_t part, int32_t parts) {
    const uint32_t boids = boids_part((uint32_t)nb->num_boids, part, parts);
    uint32_t row = 0;
    while (row < nb->rows && nb->start[(size_t)row * nb->columns] < boids) row++;
    return row;
}

/* The next block, or false after the last. Starts from a block of zeros. */
static inline bool boids_block_next(const BoidsNeighbors* nb, BoidsBlock* block) {
    const uint32_t columns = nb->columns, first = block->first + block->size;
    if (first >= (uint32_t)nb->num_boids) return false;
    uint32_t row = block->row;
    while (nb->start[(row + 1) * columns] <= first) row++;
    const uint32_t* start = nb->start + (size_t)row * columns;

    /* the columns it spans: left .. right */
    uint32_t left = 0, high = columns;
    while (high - left > 1) {
        const uint32_t middle = (left + high) / 2;
        if (start[middle] <= first)
            left = middle;
        else
            high = middle;
    }
    const uint32_t end = start[left + BOIDS_SPAN < columns ? left + BOIDS_SPAN : columns];
    block->first = first;
    block->size = end - first < BOIDS_LANES ? end - first : BOIDS_LANES;
    block->row = row;
    uint32_t right = left;
    while (start[right + 1] < first + block->size) right++;

    /* three rows, in each the columns left - 1 .. right + 1, around the seams */
    block->num_runs = 0;
    for (uint32_t k = 0; k < (nb->rows < 3 ? nb->rows : 3); k++) {
        const uint32_t* seen = nb->start + (size_t)((row + nb->rows - 1 + k) % nb->rows) * columns;
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
    return true;
}

/* What the boids of a block see. Lanes from block->size on are of no meaning. */
BOIDS_INLINE void boids_sum(const BoidsNeighbors* nb, BoidsBlock* block, BoidsSums* sums) {
    memset(sums, 0, sizeof *sums);
    for (uint32_t l = 0; l < BOIDS_LANES; l++) {
        const BoidsSeen none = {0, 0, 0, 0, 0}, seen = l < block->size ? nb->seen[block->first + l] : none;
        block->x[l] = seen.x;
        block->y[l] = seen.y;
        block->c[l] = seen.c;
        block->s[l] = seen.s;
    }
    nb->kernels.sum(nb, block, sums);
}

/* One boid's keys again where two of them are as far, exactly: of two as far, the lower id comes first. */
static inline void boids__nearest_exact(const BoidsNeighbors* nb, const BoidsBlock* block, uint32_t lane, int most,
                                        uint32_t (*keys)[BOIDS_LANES]) {
    uint64_t best[BOIDS_MOST_NEAREST]; /* square distance, id, place: 12 + 20 + 20 bits */
    for (int k = 0; k < most; k++) best[k] = UINT64_MAX;
    for (uint32_t r = 0; r < block->num_runs; r++) {
        for (uint32_t j = block->from[r]; j < block->to[r]; j++) {
            const uint64_t d2 = boids_distance2(nb, &nb->seen[j], &nb->seen[block->first + lane]);
            const uint64_t key = d2 << 40 | (uint64_t)nb->seen[j].id << 20 | j;
            if (d2 >= BOIDS_VIEW2 || j == block->first + lane || key >= best[most - 1]) continue;
            int at = most - 1;
            for (; at > 0 && best[at - 1] > key; at--) best[at] = best[at - 1];
            best[at] = key;
        }
    }
    for (int k = 0; k < most; k++)
        keys[k][lane] = best[k] == UINT64_MAX ? UINT32_MAX : (uint32_t)(best[k] >> 40 << 20 | (best[k] & 0xFFFFF));
}

/* The `most` nearest that each boid of a block sees, nearest first, as keys (see BoidsKernels); after boids_sum.
 * keys has room for most + 1: the last tells whether the one before it is as far. */
BOIDS_INLINE void boids_nearest(const BoidsNeighbors* nb, const BoidsBlock* block, int most, uint32_t (*keys)[BOIDS_LANES]) {
    const bool ties = nb->columns * nb->rows > 1; /* else places are ids, and the lower comes first already */
    nb->kernels.nearest(nb, block, ties ? most + 1 : most, keys);
    if (!ties) return;
    uint32_t tied[BOIDS_LANES] = {0};
    for (int k = 0; k < most; k++)
        for (uint32_t l = 0; l < BOIDS_LANES; l++)
            tied[l] |= (keys[k][l] >> 20 == keys[k + 1][l] >> 20) & (keys[k][l] < (uint32_t)BOIDS_VIEW2 << 20);
    for (uint32_t l = 0; l < block->size; l++)
        if (tied[l]) boids__nearest_exact(nb, block, l, most, keys);
}

#endif
