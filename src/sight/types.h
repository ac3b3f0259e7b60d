/* types.h - what the files of src/sight/ share: limits, structs, compiler attributes. The manual is in sight.h. */
#ifndef SIGHT_TYPES_H
#define SIGHT_TYPES_H

#include "env.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "src/sight/ needs a little-endian machine"
#endif

#define SIGHT_LANES 16        /* bodies of a block at most: they look at the same time */
#define SIGHT_BATCH 64        /* bodies of a batch at most: what they see is handed out at the same time */
#define SIGHT_CROWD 256       /* bodies that a block looks at before its sums are added up; swarms up to this size need no cells */
#define SIGHT_MOST_NEAREST 32 /* nearest neighbours that can be listed */
#define SIGHT_UNIT 2000       /* a heading of length 1: the sum of 16 of them fits in 16 bits */
#define SIGHT_FLUSH 16        /* pairs after which 16-bit sums are added to 32-bit ones */
#ifndef SIGHT_MOST_SORTED
#define SIGHT_MOST_SORTED 65536 /* bodies seen that 16-bit numbers can tell apart; of more, the nearest are found one by one */
#endif

/* gcc on Linux compiles a hot function once for each x86-64 level, and the loader chooses the one for this processor. Not under
 * sanitizers: their runtime is not ready when the loader chooses. */
#if defined(__GNUC__) && !defined(__clang__) && defined(__x86_64__) && defined(__linux__) && defined(__GLIBC__) && \
    !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__) && !defined(SIGHT_ONE_TARGET)
#define SIGHT_EACH_LEVEL __attribute__((target_clones("default", "arch=x86-64-v2", "arch=x86-64-v3", "arch=x86-64-v4")))
#else
#define SIGHT_EACH_LEVEL
#endif
#if defined(__GNUC__)
#define SIGHT_INLINE static inline __attribute__((always_inline))
#define SIGHT_UNROLL(n) _Pragma(SIGHT_TEXT(GCC unroll n))
#define SIGHT_TEXT(text) #text
#else
#define SIGHT_INLINE static inline
#define SIGHT_UNROLL(n)
#endif

/* How differences along one axis are scaled to the unit that both axes share. */
typedef struct SightAxis {
    int32_t shift;   /* the 16 bits of a position that pairs use: (uint16_t)(x >> shift) */
    int16_t doubles; /* how often a difference is doubled */
    int16_t
        scale; /* what it is multiplied with then, / 2^15; 0: nothing. One axis at least is scaled, so that squares fit 16 bits */
    uint32_t cells; /* along this axis */
} SightAxis;

/* What pairs need of a body. Each word holds two int16, the first in its low half. */
typedef struct SightBody {
    uint32_t xy; /* position, 16 bits an axis; wraps */
    uint32_t cs; /* cosine and sine of the heading, / SIGHT_UNIT */
} SightBody;

/* Two bodies, each number of the one beside that of the other. */
typedef struct SightPair {
    int16_t x[2], y[2], c[2], s[2];
} SightPair;

/* Bodies that a block looks at. Lane l of the block is body self + l of the crowd, if that is one of them. */
typedef struct SightCrowd {
    uint32_t size;
    int32_t self;
    uint64_t others,
        own; /* bit q: the block looks at the bodies 4 q .. 4 q + 3. own: some of them are its own, or beyond the last */
    SightPair pairs[SIGHT_CROWD / 2 + SIGHT_LANES / 2]; /* copying writes up to 15 bodies too many */
} SightCrowd;

/* Stretches of the longer axis that hold four bodies each; 2^16 to one side of the torus. */
typedef struct SightArcs {
    uint16_t from[SIGHT_CROWD / 4], length[SIGHT_CROWD / 4];
} SightArcs;

/* Bodies [first, first + size) in cell order, and the runs, in the same order, that hold every body they can see. size: at most
 * SightKernels.lanes. */
typedef struct SightBlock {
    uint32_t first, size;
    uint32_t num_runs, num_seen;
    uint32_t from[6], to[6];
} SightBlock;

/* What the bodies of a batch see, themselves left out: a body is a lane. Vectors that begin with its last lane end beyond it. */
enum { SIGHT_BATCH_LANES = SIGHT_BATCH + SIGHT_LANES };

typedef struct SightSums {
    int32_t count[SIGHT_BATCH_LANES];  /* neighbours: bodies within the view radius */
    float nearest2[SIGHT_BATCH_LANES]; /* square distance to the nearest, view2 at the view radius; 65535: none */
    float x[SIGHT_BATCH_LANES], y[SIGHT_BATCH_LANES];           /* sum of the neighbours' offsets, `view` to a view radius */
    float c[SIGHT_BATCH_LANES], s[SIGHT_BATCH_LANES];           /* sum of their headings, / SIGHT_UNIT */
    float push_x[SIGHT_BATCH_LANES], push_y[SIGHT_BATCH_LANES]; /* sum of max(r^2 - d^2, 0) * offset, `push` to 1 */
    int32_t own_c[SIGHT_BATCH_LANES], own_s[SIGHT_BATCH_LANES]; /* their own headings, / SIGHT_UNIT */
    uint32_t own_xy[SIGHT_BATCH_LANES];                         /* their own positions, as in SightBody */
} SightSums;

/* The sums over one crowd each: integers that 32 bits hold. */
typedef struct SightCrowdSums {
    int32_t count[SIGHT_BATCH_LANES], nearest2[SIGHT_BATCH_LANES], x[SIGHT_BATCH_LANES], y[SIGHT_BATCH_LANES],
        c[SIGHT_BATCH_LANES], s[SIGHT_BATCH_LANES], push_x[SIGHT_BATCH_LANES], push_y[SIGHT_BATCH_LANES];
} SightCrowdSums;

/* Square distances of a crowd, two rows for each bit of `others`, and then of `own`. Of row r and lane l that to the first body of a
 * pair is in the low half of [r][l], and that to the second in the high half. 65535 stands for the body itself, and for none. */
typedef uint32_t SightSquares[SIGHT_CROWD / 2 + 2][SIGHT_LANES];

/* Keys of the nearest, least first: square distance << 16 | number of the body in the block's runs; UINT32_MAX: none. */
typedef uint32_t SightKeys[SIGHT_MOST_NEAREST + 1][SIGHT_LANES];

struct Sight;

/* The three functions that exist once for each set of vector instructions. */
typedef struct SightKernels {
    uint32_t lanes; /* bodies of a block: 16 or 8. Few look at few, but a block has a cost of its own */
    /* sums what a block sees in a crowd, to the lanes of `sums` from `at` on; it writes the square distances where `squares` is not
     * NULL */
    void (*sum)(const struct Sight*, const SightBlock*, const SightCrowd*, SightCrowdSums*, uint32_t at,
                uint32_t (*squares)[SIGHT_LANES]);
    /* merge a crowd into the least keys so far; `first` is the number of the crowd's first body. The one keeps nine keys, the other
     * `levels` */
    void (*nearest)(const SightCrowd*, uint32_t (*squares)[SIGHT_LANES], uint32_t first, uint32_t lanes,
                    uint32_t (*keys)[SIGHT_LANES]);
    void (*nearest_of_many)(const SightCrowd*, uint32_t (*squares)[SIGHT_LANES], uint32_t first, uint32_t lanes, int levels,
                            uint32_t (*keys)[SIGHT_LANES]);
} SightKernels;

typedef struct Sight {
    int32_t size; /* bodies */
    SightAxis x_axis, y_axis;
    double view;         /* the view radius in the unit of differences: 16300 to 32600 */
    int32_t view2;       /* the square of the view radius, in the unit of square distances */
    int32_t separation2; /* the square of the separation radius */
    int32_t exact2;  /* with the nearest up to this square distance, its distance is computed anew from whole positions */
    bool exact_push; /* and the push too */
    uint32_t exact_edge;           /* exact2 as a distance, 2^32 to a cell: at its edges the next cells are searched too */
    float exact_x, exact_y;        /* from 2^32 to a side, to the square root of the unit of square distances */
    const uint32_t *x, *y;         /* (size) the positions of the last update, which belong to the caller */
    const uint32_t *eye_x, *eye_y; /* (size) where those are who look: x and y, unless sight_of_others gave others */
    const SightBody* eyes;         /* (size + SIGHT_LANES) who look, in cell order: bodies, or others the same way */
    int32_t push_shift;     /* bits that the weights of the push lose, so that the sum over a crowd stays within 32 bits */
    double push;            /* push_x and push_y of a weight 1 - d^2/r^2 times an offset of one separation radius r */
    float to_views;         /* from the unit of differences to view radii */
    float to_separations2;  /* from the unit of square distances to squares of separation radii */
    uint32_t columns, rows; /* cells in use: x_axis.cells x y_axis.cells, or fewer and wider ones, or 1 x 1 */
    uint32_t span;          /* columns that a block spans at most */
    bool sorted;            /* id is not 0, 1, 2 ..: by cell, or along the longer axis */
    bool ordered;           /* along the longer axis: there is one cell, and blocks look at arcs of it */
    int32_t along;          /* the lowest bit of the position on the longer axis in SightBody.xy */
    uint32_t age;           /* updates since the bodies were put in this order */
    int32_t reach;          /* the view radius along that axis, 2^16 to one side, and what rounding may add */
    SightArcs arcs;
    int32_t parts;        /* most threads that may sort at the same time */
    uint32_t* counts;     /* (parts x cells) */
    uint32_t* start;      /* (columns x rows + 1) first body of each cell, in cell order */
    uint32_t* cell;       /* (size) of each body */
    SightBody* bodies;    /* (size + SIGHT_LANES) in cell order; lanes are loaded beyond the last */
    uint32_t* id;         /* (size + SIGHT_LANES) which bodies they are */
    SightKernels kernels; /* the fastest that this processor has */
} Sight;

/* What the bodies of a batch see. */
typedef struct SightBatch {
    const Sight* sight;
    uint32_t first, size, end;                              /* its bodies, in cell order; the end of all batches */
    uint32_t num_blocks;                                    /* which look for them */
    SightSums sums;                                         /* what they see */
    int32_t nearest;                                        /* neighbours to list of each */
    uint32_t places[SIGHT_MOST_NEAREST][SIGHT_BATCH_LANES]; /* in cell order; a body's own where there are fewer */
    uint64_t near[SIGHT_MOST_NEAREST][SIGHT_BATCH_LANES];   /* a SightBody each */
    SightBlock before, blocks[SIGHT_BATCH];
    SightCrowd crowd;
    SightCrowdSums looked;
} SightBatch;

#endif
