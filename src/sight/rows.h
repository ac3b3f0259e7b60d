/* rows.h - from lanes to rows: what was computed for the bodies of a batch, written to arrays by body */
#ifndef SIGHT_ROWS_H
#define SIGHT_ROWS_H

#include "sight/types.h"

/* Writes column k of lanes l .. l + 3 to element `at + k` of four rows, k from 0 to 3: a transposition of 4 x 4 floats. */
SIGHT_INLINE void sight__write_four(float* const* row, int at, const float* a, const float* b, const float* c,
                                    const float* d) {
#if defined(__GNUC__)
    typedef float Four __attribute__((vector_size(16), aligned(4)));
    const Four va = *(const Four*)a, vb = *(const Four*)b, vc = *(const Four*)c, vd = *(const Four*)d;
    const Four ab = __builtin_shufflevector(va, vb, 0, 4, 1, 5), cd = __builtin_shufflevector(vc, vd, 0, 4, 1, 5);
    const Four ab2 = __builtin_shufflevector(va, vb, 2, 6, 3, 7), cd2 = __builtin_shufflevector(vc, vd, 2, 6, 3, 7);
    *(Four*)(row[0] + at) = __builtin_shufflevector(ab, cd, 0, 1, 4, 5);
    *(Four*)(row[1] + at) = __builtin_shufflevector(ab, cd, 2, 3, 6, 7);
    *(Four*)(row[2] + at) = __builtin_shufflevector(ab2, cd2, 0, 1, 4, 5);
    *(Four*)(row[3] + at) = __builtin_shufflevector(ab2, cd2, 2, 3, 6, 7);
#else
    for (int k = 0; k < 4; k++) {
        row[k][at] = a[k];
        row[k][at + 1] = b[k];
        row[k][at + 2] = c[k];
        row[k][at + 3] = d[k];
    }
#endif
}

/* The same of two columns. */
SIGHT_INLINE void sight__write_two(float* const* row, int at, const float* a, const float* b) {
#if defined(__GNUC__)
    typedef float Four __attribute__((vector_size(16), aligned(4)));
    typedef double Two __attribute__((vector_size(16))); /* of pairs of floats */
    const Four va = *(const Four*)a, vb = *(const Four*)b;
    const Two first = (Two)__builtin_shufflevector(va, vb, 0, 4, 1, 5),
              last = (Two)__builtin_shufflevector(va, vb, 2, 6, 3, 7);
    const double pairs[4] = {first[0], first[1], last[0], last[1]};
    for (int k = 0; k < 4; k++) memcpy(row[k] + at, &pairs[k], sizeof pairs[k]);
#else
    for (int k = 0; k < 4; k++) {
        row[k][at] = a[k];
        row[k][at + 1] = b[k];
    }
#endif
}

/* Writes `count` columns, `stride` floats apart, to elements [at, at + count) of sixteen rows; count is even. */
SIGHT_INLINE void sight_write(float* const row[SIGHT_LANES], int at, const float* columns, int stride, int count) {
    for (int l = 0; l < SIGHT_LANES; l += 4) {
        const float* column = columns + l;
        int k = 0;
        for (; k + 4 <= count; k += 4, column += 4 * stride)
            sight__write_four(row + l, at + k, column, column + stride, column + 2 * stride, column + 3 * stride);
        if (k < count) sight__write_two(row + l, at + k, column, column + stride);
    }
}

/* Which body it is. */
SIGHT_INLINE uint32_t sight_id(const SightBatch* batch, uint32_t l) { return batch->sight->id[batch->first + l]; }

/* The rows of the bodies in lanes l .. l + 15 of an array of `length` floats a body. Absent lanes share the row `unused`, which nobody
 * reads. */
SIGHT_INLINE void sight_rows(const SightBatch* batch, size_t l, float* array, int length, float* unused,
                             float* row[SIGHT_LANES]) {
    const size_t first = batch->first + l;
    const uint32_t* id = batch->sight->id + first;
    for (size_t k = 0; k < SIGHT_LANES; k++) row[k] = array + (batch->sight->sorted ? id[k] : first + k) * (size_t)length;
    for (size_t k = batch->size - l; k < SIGHT_LANES; k++) row[k] = unused;
}

/* Writes one float for each body of a batch. */
SIGHT_INLINE void sight_write_one(const SightBatch* batch, float* array, const float* column) {
    if (batch->sight->sorted)
        for (uint32_t l = 0; l < batch->size; l++) array[sight_id(batch, l)] = column[l];
    else
        memcpy(array + batch->first, column, batch->size * sizeof *array);
}

/* Asks for the memory that a batch will write to: in a large swarm its rows are far apart. */
SIGHT_INLINE void sight_prefetch(const SightBatch* batch, const float* array, int length) {
#if defined(__GNUC__)
    if (batch->sight->size <= 4096) return;
    for (uint32_t l = 0; l < batch->size; l++)
        for (int at = 0; at < length; at += 16)
            __builtin_prefetch(array + (size_t)sight_id(batch, l) * (size_t)length + at, 1);
#else
    (void)batch, (void)array, (void)length;
#endif
}

#endif
