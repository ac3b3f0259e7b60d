/* boids_neighbors.h - what every boid sees: sums over its neighbours, in time linear in the number of boids
 *
 * The one hard idea of the environment has this file to itself. It knows positions and headings, and nothing of rewards,
 * actions or episodes.
 *
 *     boids_neighbors_init(&nb, num_boids, width, height, view_radius, separation_radius, 1);  // NULL, or a message
 *     boids_neighbors_update(&nb, x, y, cs, 0, 1);                                             // once a step
 *     BoidsCrowd crowd = {0};
 *     for (BoidsBlock block = {0}; boids_block_next(&nb, &block);) {                         // up to BOIDS_LANES boids at a time
 *         BoidsSums sums;
 *         boids_see(&nb, &block, &crowd, &sums, 0, NULL);                                    // sums.count[lane], ...
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
 * Lengths. Differences are doubled, and those along y scaled, until the view radius is the same in both axes, however oblong the
 * world: nb->view, between 8150 and 16400.
 *     ux = xj - xi, doubled                     int16; wraps before it is doubled, and saturates then: it is out of sight
 *     uy = mulhrs(yj - yi, doubled, scale)
 *     d2 = mulhrs(ux, ux) + mulhrs(uy, uy)      uint16; the view radius is nb->view2
 * with mulhrs(a, b) = round(a * b / 2^15), one instruction on SSSE3, AVX2, AVX-512 and NEON.
 *
 * Lanes. A vector holds seeing boids, 32 bits each, and the loop runs over the seen, two at a time, one for either half of a lane:
 * 16-bit arithmetic, and sums of two products that are exact in 32 bits (one instruction again, pmaddwd or vpdpwssd). Nothing is
 * ever summed across a vector and there is no branch. boids_lanes.h has the vector instructions; the plain C here gives the
 * same bits.
 *
 * Cells. Boids are sorted by cell (a counting sort, stable), cells being at least a view radius wide. A block is a run of up to
 * BOIDS_LANES boids, consecutive in that order, of one row of cells; what it can see are three rows of cells, each one run of
 * boids or, across the seam, two. They are copied, in twos, into a crowd. Small flocks have a single cell, and all pairs are formed.
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

#define BOIDS_LANES 16        /* boids that look at a time */
#define BOIDS_CROWD 256       /* boids looked at at a time */
#define BOIDS_ALL_PAIRS 192   /* flocks up to this size form all pairs */
#define BOIDS_SPAN 6          /* cells a block spans at most */
#define BOIDS_MOST_NEAREST 32 /* of them can be listed */
#ifndef BOIDS_MOST_SORTED
#define BOIDS_MOST_SORTED 65536 /* boids, whose numbers have 16 bits; in a larger crowd the nearest are found one by one */
#endif
#define BOIDS_UNIT 2000       /* a heading of length 1: 16 of them fit in 16 bits */
#define BOIDS_FLUSH 16        /* pairs after which their sums are added to 32-bit ones */

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
#define BOIDS_UNROLL(n) _Pragma(BOIDS_TEXT(GCC unroll n))
#define BOIDS_TEXT(text) #text
#else
#define BOIDS_INLINE static inline
#define BOIDS_UNROLL(n)
#endif

/* How one axis is scaled. */
typedef struct BoidsAxis {
    int32_t shift;   /* the 16 bits of a position that pairs use: (uint16_t)(x >> shift) */
    int16_t doubles; /* how often a difference is doubled: gain is 2^doubles */
    int16_t scale;   /* and then multiplied, / 2^15; 0: it is not */
    uint32_t cells;  /* along this axis */
} BoidsAxis;

/* What pairs need of a boid: two int16 in a word, the first in its low half. */
typedef struct BoidsSeen {
    uint32_t xy; /* position for pairs, wraps */
    uint32_t cs; /* cosine and sine of the heading, / BOIDS_UNIT */
} BoidsSeen;

/* Two of them, each number of the one beside that of the other. */
typedef struct BoidsPair {
    int16_t x[2], y[2], c[2], s[2];
} BoidsPair;

/* Boids to look at, and where among them the block is that looks: its lane l is boid self + l, if that is one of them. */
typedef struct BoidsCrowd {
    uint32_t size;
    int32_t self;
    BoidsPair pairs[BOIDS_CROWD / 2 + 4]; /* copying writes up to four pairs too many */
} BoidsCrowd;

/* A run of boids [first, first + size) in cell order, and the runs that hold everyone they can see. */
typedef struct BoidsBlock {
    uint32_t first, size;
    uint32_t row, column; /* cell of the first */
    uint32_t num_runs, num_seen;
    uint32_t from[6], to[6];
} BoidsBlock;

/* What the boids of a block see, themselves left out; 0 in lanes from the block's size on. Exact integers, or the nearest float. */
typedef struct BoidsSums {
    int32_t count[BOIDS_LANES];                     /* boids within the view radius */
    int32_t nearest2[BOIDS_LANES];                  /* square of the distance to the nearest; 65535: none */
    float x[BOIDS_LANES], y[BOIDS_LANES];           /* sum of offsets, the view radius being nb->view */
    float c[BOIDS_LANES], s[BOIDS_LANES];           /* sum of headings, / BOIDS_UNIT */
    float push_x[BOIDS_LANES], push_y[BOIDS_LANES]; /* sum of max(r^2 - d^2, 0) * offset, times nb->push */
} BoidsSums;

/* The same of one crowd: integers that 32 bits hold. */
typedef struct BoidsPart {
    int32_t count[BOIDS_LANES], nearest2[BOIDS_LANES];
    int32_t x[BOIDS_LANES], y[BOIDS_LANES], c[BOIDS_LANES], s[BOIDS_LANES], push_x[BOIDS_LANES], push_y[BOIDS_LANES];
} BoidsPart;

struct BoidsNeighbors;

/* Three functions for each set of vector instructions. */
typedef struct BoidsKernels {
    /* what the block sees in a crowd; in squares, if not NULL, the square distances, 65535 to the boid itself: of pair p and lane l
     * that to the first of the two in the low half of squares[p][l], to the second in the high half */
    void (*sum)(const struct BoidsNeighbors*, const BoidsBlock*, const BoidsCrowd*, BoidsPart*,
                uint32_t (*squares)[BOIDS_LANES]);
    /* sorts the crowd into keys, least first, those of other crowds among them or UINT32_MAX; a key is square distance << 16 |
     * number in the block's runs, `first` being that of the crowd's first. nearest keeps nine, nearest_of_many `levels` */
    void (*nearest)(const BoidsCrowd*, uint32_t (*squares)[BOIDS_LANES], uint32_t first, uint32_t (*keys)[BOIDS_LANES]);
    void (*nearest_of_many)(const BoidsCrowd*, uint32_t (*squares)[BOIDS_LANES], uint32_t first, int levels,
                            uint32_t (*keys)[BOIDS_LANES]);
} BoidsKernels;

typedef struct BoidsNeighbors {
    int32_t num_boids;
    BoidsAxis x_axis, y_axis;
    double view;         /* the view radius in pair arithmetic */
    int32_t view2;       /* its square */
    int32_t separation2; /* that of the separation radius */
    int32_t push_shift;  /* of the weights of the separation sum, so that the sum of a crowd stays within 32 bits */
    double push; /* what the separation sum counts as 1: a weight 1 - d^2/r^2 times an offset, in separation radii r */
    uint32_t columns, rows; /* cells in use: x_axis.cells x y_axis.cells, or 1 x 1 */
    int32_t threads;        /* that may sort at a time */
    uint32_t* counts;       /* (threads x cells) */
    uint32_t* start;        /* (columns x rows + 1) first boid of each cell, in cell order */
    uint32_t* cell;         /* (num_boids) of boid i */
    BoidsSeen* seen;        /* (num_boids + BOIDS_LANES) the boids in cell order; lanes are filled beyond the last */
    uint32_t* id;           /* (num_boids + BOIDS_LANES) which boids they are */
    BoidsKernels kernels;   /* the fastest that this processor has */
} BoidsNeighbors;

BOIDS_INLINE int16_t boids_low(uint32_t word) { return (int16_t)(uint16_t)word; }
BOIDS_INLINE int16_t boids_high(uint32_t word) { return (int16_t)(uint16_t)(word >> 16); }
BOIDS_INLINE uint32_t boids_word(int32_t low, int32_t high) { return ((uint32_t)low & 0xFFFF) | (uint32_t)high << 16; }

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

/* A difference along one axis as nb->view counts it. */
BOIDS_INLINE int16_t boids__offset(const BoidsAxis axis, int16_t d) {
    int32_t t = d;
    for (int k = 0; k < axis.doubles; k++) {
        t = 2 * t < 32767 ? 2 * t : 32767;
        t = t > -32768 ? t : -32768;
    }
    return axis.scale ? boids__mulhrs((int16_t)t, axis.scale) : (int16_t)t;
}

/* The square of a distance as nb->view2 counts it. */
BOIDS_INLINE uint16_t boids__square(int16_t ux, int16_t uy) {
    return (uint16_t)((uint16_t)boids__mulhrs(ux, ux) + (uint16_t)boids__mulhrs(uy, uy));
}

/* The same of two boids, as the first sees it. */
BOIDS_INLINE uint16_t boids_distance2(const BoidsNeighbors* nb, const BoidsSeen* a, const BoidsSeen* b) {
    return boids__square(boids__offset(nb->x_axis, (int16_t)(boids_low(b->xy) - boids_low(a->xy))),
                         boids__offset(nb->y_axis, (int16_t)(boids_high(b->xy) - boids_high(a->xy))));
}

/* --- what the vector lanes do, in plain C: their twins, and what runs where there are none ------------------------------- */

static void boids__plain(const BoidsNeighbors* nb, const BoidsBlock* block, const BoidsCrowd* crowd, BoidsPart* part,
                         uint32_t (*squares)[BOIDS_LANES]) {
    memset(part, 0, sizeof *part);
    for (int l = 0; l < BOIDS_LANES; l++) {
        const BoidsSeen self = nb->seen[block->first + (uint32_t)l];
        uint32_t nearest2 = UINT16_MAX;
        for (uint32_t j = 0; j < crowd->size; j++) {
            const BoidsPair* pair = &crowd->pairs[j / 2];
            const int16_t ux = boids__offset(nb->x_axis, (int16_t)(pair->x[j % 2] - boids_low(self.xy)));
            const int16_t uy = boids__offset(nb->y_axis, (int16_t)(pair->y[j % 2] - boids_high(self.xy)));
            const bool itself = (int32_t)j - crowd->self == l;
            const uint32_t d2 = itself ? UINT16_MAX : boids__square(ux, uy);
            if (squares) squares[j / 2][l] = j % 2 ? (squares[j / 2][l] & 0xFFFF) | d2 << 16 : d2 | 0xFFFF0000;
            if (d2 < nearest2) nearest2 = d2;
            if (d2 < (uint32_t)nb->view2) {
                part->count[l]++;
                part->x[l] += ux;
                part->y[l] += uy;
                part->c[l] += pair->c[j % 2];
                part->s[l] += pair->s[j % 2];
            }
            if (d2 < (uint32_t)nb->separation2) {
                const int32_t w = (nb->separation2 - (int32_t)d2) >> nb->push_shift;
                part->push_x[l] += w * ux;
                part->push_y[l] += w * uy;
            }
        }
        part->nearest2[l] = (int32_t)nearest2;
    }
}

static void boids__plain_nearest_of_many(const BoidsCrowd* crowd, uint32_t (*squares)[BOIDS_LANES], uint32_t first,
                                         int levels, uint32_t (*keys)[BOIDS_LANES]) {
    for (uint32_t j = 0; j < crowd->size; j++) {
        for (int l = 0; l < BOIDS_LANES; l++) {
            uint32_t key = (j % 2 ? squares[j / 2][l] & 0xFFFF0000 : squares[j / 2][l] << 16) | (first + j);
            for (int k = levels - 1; k >= 0 && key < keys[k][l]; k--) {
                if (k + 1 < levels) keys[k + 1][l] = keys[k][l];
                keys[k][l] = key;
            }
        }
    }
}

static void boids__plain_nearest(const BoidsCrowd* crowd, uint32_t (*squares)[BOIDS_LANES], uint32_t first,
                                 uint32_t (*keys)[BOIDS_LANES]) {
    boids__plain_nearest_of_many(crowd, squares, first, 9, keys);
}

#include "boids_lanes.h"

/* The axis of a side, and in `radius` the view radius in the units of its pairs; doubled until it is at least `least`. */
static inline BoidsAxis boids__axis(double side, double view_radius, uint32_t cells, double least, double* radius) {
    BoidsAxis axis;
    int32_t bits = 16; /* 2^bits units to one side; a window of 2^16 spans at least 16 cells, or the world */
    while (cells >> (bits - 16) >= 32) bits++;
    *radius = view_radius / side * (double)(1 << bits);
    for (axis.doubles = 0; *radius < least; axis.doubles++) *radius *= 2;
    axis.shift = 32 - bits;
    axis.scale = 0;
    axis.cells = cells;
    return axis;
}

/* Uses the cells, or a single one, which forms all pairs. Either gives the same sums; all pairs need fewer than 32 cells an axis. */
static inline void boids_neighbors_use_cells(BoidsNeighbors* nb, bool use_cells) {
    nb->columns = use_cells ? nb->x_axis.cells : 1;
    nb->rows = use_cells ? nb->y_axis.cells : 1;
    if (use_cells) return;
    for (int32_t i = 0; i < nb->num_boids; i++) nb->id[i] = (uint32_t)i;
    nb->start[0] = 0;
    nb->start[1] = (uint32_t)nb->num_boids;
}

static inline void boids_neighbors_close(BoidsNeighbors* nb) {
    ENV_FREE(nb->counts);
    ENV_FREE(nb->start);
    ENV_FREE(nb->cell);
    ENV_FREE(nb->seen);
    ENV_FREE(nb->id);
    nb->counts = nb->start = nb->cell = nb->id = NULL;
    nb->seen = NULL;
}

/* Lengths in world units. view_radius is at most half the shorter side and at least 1/1024 of the longer one;
 * separation_radius is between 1/32 of view_radius, where distances within it take three to nine values, and all of it.
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
    double radius_y;
    nb->x_axis = boids__axis(width, view_radius, columns, 8150, &nb->view);
    if (nb->view > 16300) { /* then it is at most 2^15, that of a boid that sees half way round */
        nb->x_axis.scale = 16384;
        nb->view /= 2;
    }
    nb->y_axis = boids__axis(height, view_radius, rows, nb->view, &radius_y);
    const double scale = nb->view / radius_y * 32768.0 + 0.5;
    nb->y_axis.scale = scale < 32767.0 ? (int16_t)scale : (int16_t)32767;

    const double separation = nb->view * separation_radius / view_radius;
    nb->view2 = (int32_t)(nb->view * nb->view / 32768.0 + 0.5);
    nb->separation2 = (int32_t)(separation * separation / 32768.0 + 0.5);
    /* the separation sum's largest term is 2 / sqrt(27) r^3: a crowd of them must stay within 2^31 */
    const double most_push = 0.385 * nb->separation2 * separation * BOIDS_CROWD;
    nb->push_shift = 0;
    while (most_push / (1 << nb->push_shift) > 2147483647.0) nb->push_shift++;
    nb->push = (double)nb->separation2 * separation / (1 << nb->push_shift);

    const size_t n = (size_t)num_boids;
    nb->counts = (uint32_t*)ENV_CALLOC((size_t)threads * columns * rows, sizeof(uint32_t));
    nb->start = (uint32_t*)ENV_CALLOC((size_t)columns * rows + 1, sizeof(uint32_t));
    nb->cell = (uint32_t*)ENV_CALLOC(n, sizeof(uint32_t));
    nb->seen = (BoidsSeen*)ENV_CALLOC(n + BOIDS_LANES, sizeof(BoidsSeen));
    nb->id = (uint32_t*)ENV_CALLOC(n + BOIDS_LANES, sizeof(uint32_t));
    nb->kernels = boids__fastest_kernels();
    if (!nb->counts || !nb->start || !nb->cell || !nb->seen || !nb->id) {
        boids_neighbors_close(nb);
        return ENV_NO_MEMORY;
    }
    boids_neighbors_use_cells(nb, num_boids > BOIDS_ALL_PAIRS || columns >= 32 || rows >= 32);
    return NULL;
}

/* Where threads that share the work wait for each other. */
#if defined(BOIDS_BARRIER) /* threads of another kind */
#elif defined(_OPENMP)
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
 * x, y as above; cs the cosine and sine of its heading as boids_heading_unit gives them, in a boids_word. */
BOIDS_CLONES static inline void boids_neighbors_update(BoidsNeighbors* nb, const uint32_t* x, const uint32_t* y,
                                                       const uint32_t* cs, int32_t part, int32_t parts) {
    const uint32_t cells = nb->columns * nb->rows, n = (uint32_t)nb->num_boids;
    const uint32_t from = boids_part(n, part, parts), to = boids_part(n, part + 1, parts);
    const int32_t shift_x = nb->x_axis.shift, shift_y = nb->y_axis.shift;
    if (cells == 1) {
        BoidsSeen* seen = nb->seen;
        for (uint32_t i = from; i < to; i++) {
            seen[i].xy = boids_word((int32_t)(x[i] >> shift_x), (int32_t)(y[i] >> shift_y));
            seen[i].cs = cs[i];
        }
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
        if (i >= from + 16) { /* cells are far apart */
            const uint32_t ahead = counts[nb->cell[i - 16]] - 1;
            __builtin_prefetch(&nb->seen[ahead], 1);
            __builtin_prefetch(&nb->id[ahead], 1);
        }
#endif
        const BoidsSeen seen = {boids_word((int32_t)(x[i] >> shift_x), (int32_t)(y[i] >> shift_y)), cs[i]};
        const uint32_t place = --counts[nb->cell[i]];
        nb->seen[place] = seen;
        nb->id[place] = i;
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
    uint32_t row = block->row, left = block->column; /* .. right: the columns it spans */
    while (nb->start[(row + 1) * columns] <= first) row++, left = 0;
    const uint32_t* start = nb->start + (size_t)row * columns;
    while (start[left + 1] <= first) left++;
    const uint32_t end = start[left + BOIDS_SPAN < columns ? left + BOIDS_SPAN : columns];
    block->first = first;
    block->size = end - first < BOIDS_LANES ? end - first : BOIDS_LANES;
    block->row = row;
    block->column = left;
    uint32_t right = left;
    while (start[right + 1] < first + block->size) right++;

    /* three rows, in each the columns left - 1 .. right + 1, around the seams */
    block->num_runs = 0;
    for (uint32_t k = 0; k < (nb->rows < 3 ? nb->rows : 3); k++) {
        const uint32_t next = row + k ? row + k - 1 : nb->rows - 1;
        const uint32_t* seen = nb->start + (size_t)(next < nb->rows ? next : next - nb->rows) * columns;
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

/* Copies the boids whose numbers in the block's runs are [first, first + BOIDS_CROWD), in twos. */
BOIDS_INLINE void boids__gather(const BoidsNeighbors* nb, const BoidsBlock* block, uint32_t first, BoidsCrowd* crowd) {
    const uint32_t size = block->num_seen - first < BOIDS_CROWD ? block->num_seen - first : BOIDS_CROWD;
    char* copies = (char*)crowd->pairs;
    for (uint32_t r = 0, number = 0; r < block->num_runs; r++) {
        const uint32_t from = block->from[r], end = number + block->to[r] - from;
        if (block->first - from < end - number) crowd->self = (int32_t)(number + block->first - from - first);
        const uint32_t stop = end < first + size ? end : first + size;
        for (uint32_t k = number > first ? number : first; k < stop;
             k += 4) /* and up to three beyond, which the next run overwrites */
            memcpy(copies + (k - first) * sizeof *nb->seen, nb->seen + from + (k - number), 4 * sizeof *nb->seen);
        number = end;
    }
    memset(copies + size * sizeof *nb->seen, 0, sizeof *nb->seen); /* beside an odd one: masked, but not to valgrind */
    crowd->size = size;
    for (uint32_t p = 0; p < (size + 1) / 2; p += 2) {
#if defined(__GNUC__)
        typedef int16_t Pairs __attribute__((vector_size(2 * sizeof(BoidsPair))));
        Pairs two;
        memcpy(&two, &crowd->pairs[p], sizeof two);
        two = __builtin_shufflevector(two, two, 0, 4, 1, 5, 2, 6, 3, 7, 8, 12, 9, 13, 10, 14, 11, 15);
        memcpy(&crowd->pairs[p], &two, sizeof two);
#else
        for (uint32_t q = p; q < p + 2; q++) {
            int16_t two[8];
            memcpy(two, &crowd->pairs[q], sizeof two);
            const BoidsPair pair = {{two[0], two[4]}, {two[1], two[5]}, {two[2], two[6]}, {two[3], two[7]}};
            crowd->pairs[q] = pair;
        }
#endif
    }
}

typedef uint32_t BoidsSquares[BOIDS_CROWD / 2 + 3][BOIDS_LANES];

/* Sorts what a crowd's boids are away into keys, of which `levels` are kept (see BoidsKernels). */
static inline void boids__sort(const BoidsNeighbors* nb, const BoidsCrowd* crowd, BoidsSquares squares, uint32_t first,
                               int levels, uint32_t (*keys)[BOIDS_LANES]) {
    for (uint32_t p = (crowd->size + 1) / 2; p % 4; p++) memset(squares[p], 255, sizeof squares[p]);
    if (levels <= 9)
        nb->kernels.nearest(crowd, squares, first, keys);
    else
        nb->kernels.nearest_of_many(crowd, squares, first, levels, keys);
}

/* boids_see where a block sees more than one crowd. */
BOIDS_CLONES static void boids__see_crowds(const BoidsNeighbors* nb, const BoidsBlock* block, BoidsCrowd* crowd,
                                           BoidsSums* sums, int levels, uint32_t (*keys)[BOIDS_LANES]) {
    double x[BOIDS_LANES] = {0}, y[BOIDS_LANES] = {0}, c[BOIDS_LANES] = {0}, s[BOIDS_LANES] = {0};
    double push_x[BOIDS_LANES] = {0}, push_y[BOIDS_LANES] = {0}; /* whole numbers, and fewer than 2^53: exact */
    BoidsPart part;
    BoidsSquares squares;
    for (uint32_t first = 0; first < block->num_seen; first += BOIDS_CROWD) {
        boids__gather(nb, block, first, crowd);
        nb->kernels.sum(nb, block, crowd, &part, levels ? squares : NULL);
        if (levels) boids__sort(nb, crowd, squares, first, levels, keys);
        for (int l = 0; l < BOIDS_LANES; l++) {
            sums->count[l] = part.count[l] + (first ? sums->count[l] : 0);
            sums->nearest2[l] = first && sums->nearest2[l] < part.nearest2[l] ? sums->nearest2[l] : part.nearest2[l];
            x[l] += part.x[l];
            y[l] += part.y[l];
            c[l] += part.c[l];
            s[l] += part.s[l];
            push_x[l] += part.push_x[l];
            push_y[l] += part.push_y[l];
        }
    }
    for (int l = 0; l < BOIDS_LANES; l++) {
        sums->x[l] = (float)x[l];
        sums->y[l] = (float)y[l];
        sums->c[l] = (float)c[l];
        sums->s[l] = (float)s[l];
        sums->push_x[l] = (float)push_x[l];
        sums->push_y[l] = (float)push_y[l];
    }
}

/* The nearest of one boid, exactly, by comparing everyone: of two as far, the lower id comes first. */
static inline void boids__nearest_exact(const BoidsNeighbors* nb, const BoidsBlock* block, uint32_t lane, int most,
                                        uint32_t (*places)[BOIDS_LANES]) {
    const uint32_t self = block->first + lane;
    uint64_t best[BOIDS_MOST_NEAREST]; /* square distance, id, place: 16 + 20 + 20 bits */
    for (int k = 0; k < most; k++) best[k] = UINT64_MAX;
    for (uint32_t r = 0; r < block->num_runs; r++) {
        for (uint32_t j = block->from[r]; j < block->to[r]; j++) {
            const uint64_t d2 = boids_distance2(nb, &nb->seen[self], &nb->seen[j]);
            const uint64_t key = d2 << 40 | (uint64_t)nb->id[j] << 20 | j;
            if (d2 >= (uint64_t)nb->view2 || j == self || key >= best[most - 1]) continue;
            int at = most - 1;
            for (; at > 0 && best[at - 1] > key; at--) best[at] = best[at - 1];
            best[at] = key;
        }
    }
    for (int k = 0; k < most; k++) places[k][lane] = best[k] == UINT64_MAX ? self : (uint32_t)(best[k] & 0xFFFFF);
}

/* From keys to places in cell order, a boid's own where it sees no more. */
BOIDS_INLINE void boids__places(const BoidsNeighbors* nb, const BoidsBlock* block, int most, uint32_t (*keys)[BOIDS_LANES],
                                uint32_t (*places)[BOIDS_LANES]) {
    const uint32_t none = (uint32_t)nb->view2 << 16, first = block->first, runs = block->num_runs;
    uint32_t begin[6], gap[6]; /* number and place differ by the same in all of a run */
    gap[0] = block->from[0];
    for (uint32_t r = 1, number = 0; r < runs; r++) {
        begin[r] = number += block->to[r - 1] - block->from[r - 1];
        gap[r] = block->from[r] - block->to[r - 1];
    }
    for (int k = 0; k < most; k++) {
        uint32_t key[BOIDS_LANES], place[BOIDS_LANES];
        memcpy(key, keys[k], sizeof key);
        for (uint32_t l = 0; l < BOIDS_LANES; l++) place[l] = (key[l] & 0xFFFF) + gap[0];
        for (uint32_t r = 1; r < runs; r++) {
            const uint32_t first_number = begin[r], further = gap[r];
            for (uint32_t l = 0; l < BOIDS_LANES; l++) place[l] += (key[l] & 0xFFFF) >= first_number ? further : 0;
        }
        for (uint32_t l = 0; l < BOIDS_LANES; l++) place[l] = key[l] < none ? place[l] : first + l;
        memcpy(places[k], place, sizeof place);
    }
    if (nb->columns * nb->rows == 1 && block->num_seen <= BOIDS_MOST_SORTED)
        return; /* places are ids, and the lower came first */

    uint32_t tied[BOIDS_LANES] = {0};
    for (int k = 0; k < most; k++)
        for (uint32_t l = 0; l < BOIDS_LANES; l++)
            tied[l] |= (keys[k][l] >> 16 == keys[k + 1][l] >> 16) & (keys[k][l] < none);
    for (uint32_t l = 0; l < block->size; l++) {
        if (block->num_seen > BOIDS_MOST_SORTED ||
            (keys[most - 1][l] < none && keys[most - 1][l] >> 16 == keys[most][l] >> 16)) {
            boids__nearest_exact(nb, block, l, most, places); /* more are as far as the last */
        } else if (tied[l]) {
            for (int k = 1; k < most; k++) {
                const uint32_t place = places[k][l];
                int at = k;
                for (; at > 0 && keys[at - 1][l] >> 16 == keys[at][l] >> 16 && nb->id[places[at - 1][l]] > nb->id[place];
                     at--)
                    places[at][l] = places[at - 1][l];
                places[at][l] = place;
            }
        }
    }
}

/* What the boids of a block see, and the places in cell order of the `most` nearest of each, nearest first (of two as far, the
 * lower id first) and then its own; most may be 0. crowd: zero before the first block, and then left alone. */
BOIDS_INLINE void boids_see(const BoidsNeighbors* nb, const BoidsBlock* block, BoidsCrowd* crowd, BoidsSums* sums, int most,
                            uint32_t (*places)[BOIDS_LANES]) {
    uint32_t keys[BOIDS_MOST_NEAREST + 1][BOIDS_LANES];
    const int levels = most == 0 ? 0 : most > 8 ? most + 1 : 9;
    if (levels) memset(keys, 255, (size_t)levels * sizeof *keys);
    if (block->num_seen <= BOIDS_CROWD) {
        BoidsPart part;
        BoidsSquares squares;
        if (nb->columns * nb->rows > 1 || !crowd->size)
            boids__gather(nb, block, 0, crowd);
        else /* everyone sees everyone: the same crowd again */
            crowd->self = (int32_t)block->first;
        nb->kernels.sum(nb, block, crowd, &part, levels ? squares : NULL);
        if (levels) boids__sort(nb, crowd, squares, 0, levels, keys);
        for (int l = 0; l < BOIDS_LANES; l++) {
            sums->count[l] = part.count[l];
            sums->nearest2[l] = part.nearest2[l];
            sums->x[l] = (float)part.x[l];
            sums->y[l] = (float)part.y[l];
            sums->c[l] = (float)part.c[l];
            sums->s[l] = (float)part.s[l];
            sums->push_x[l] = (float)part.push_x[l];
            sums->push_y[l] = (float)part.push_y[l];
        }
    } else {
        boids__see_crowds(nb, block, crowd, sums, levels, keys);
    }
    if (levels) boids__places(nb, block, most, keys, places);
    if (block->size == BOIDS_LANES) return;
    for (uint32_t l = block->size; l < BOIDS_LANES; l++) {
        sums->count[l] = 0;
        sums->nearest2[l] = UINT16_MAX;
        sums->x[l] = sums->y[l] = sums->c[l] = sums->s[l] = sums->push_x[l] = sums->push_y[l] = 0;
    }
}

#endif
