/* math.h - the mathematics of learning: exp, log, tanh, matrix products, random numbers
 *
 * The same bits everywhere. Only additions, multiplications, divisions, square roots and integer operations occur, which every machine
 * rounds alike, if compiled with the flags of the CMake target boids_env::env (-ffp-contract=off: no fused multiply-add). An element of
 * a product is a sum in one order, whatever the width of the vectors. So gcc -O2 and -O3, AVX-512, plain C and WebAssembly agree.
 *
 * Vectors are eight floats, written as GNU vector extensions: a + b adds eight. The compiler makes of them what the processor has.
 */
#ifndef LEARN_MATH_H
#define LEARN_MATH_H

#include "env.h"

#include <math.h>
#include <stddef.h>

/* gcc on Linux compiles a hot function once for each x86-64 level, and the loader chooses the one for this processor. Not under
 * sanitizers: their runtime is not ready when the loader chooses. */
#if defined(__GNUC__) && !defined(__clang__) && defined(__x86_64__) && defined(__linux__) && defined(__GLIBC__) && \
    !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__) && !defined(LEARN_ONE_TARGET)
#define LEARN_HAS_LEVELS
#define LEARN_EACH_LEVEL __attribute__((target_clones("default", "arch=x86-64-v3", "arch=x86-64-v4")))
#else
#define LEARN_EACH_LEVEL
#endif
#define LEARN_INLINE static inline __attribute__((always_inline))

/* Unrolls the loop that follows, whose length is a constant of at most 6. clang unrolls it by itself, but not where the pragma names another
 * length than the loop's. */
#if defined(__GNUC__) && !defined(__clang__)
#define LEARN_UNROLL _Pragma("GCC unroll 6")
#else
#define LEARN_UNROLL
#endif

/* gcc warns that the ABI for passing vectors depends on the processor. All functions that pass them are inlined. gcc warns at the end of the
 * file that includes this one, so there is no `diagnostic pop`. */
#pragma GCC diagnostic ignored "-Wpsabi"

enum { LEARN_LANES = 8 };
typedef float LearnFloats __attribute__((vector_size(32)));
typedef int32_t LearnInts __attribute__((vector_size(32))); /* of a comparison: -1 where it holds, else 0 */
typedef float LearnFloatsAnywhere __attribute__((vector_size(32), aligned(4), may_alias)); /* in memory */

/* A count of floats rounded up to whole vectors. */
static inline size_t learn_padded(size_t count) { return (count + LEARN_LANES - 1) / LEARN_LANES * LEARN_LANES; }

/* The eight floats in memory at `from`, and at `to`. */
#define LEARN_LOAD(from) (*(const LearnFloatsAnywhere*)(const void*)(from))
#define LEARN_STORE(to) (*(LearnFloatsAnywhere*)(void*)(to))
#define LEARN_ALL(x) ((LearnFloats){0} + (x)) /* eight times x */

/* a where the comparison holds, else b. */
LEARN_INLINE LearnFloats learn_choose(LearnInts where, LearnFloats a, LearnFloats b) {
    return (LearnFloats)((where & (LearnInts)a) | (~where & (LearnInts)b));
}
/* Where one of them is NaN, b. */
LEARN_INLINE LearnFloats learn_greater(LearnFloats a, LearnFloats b) { return learn_choose((LearnInts)(a > b), a, b); }
LEARN_INLINE LearnFloats learn_lesser(LearnFloats a, LearnFloats b) { return learn_choose((LearnInts)(a < b), a, b); }

/* ---- exp, log, tanh ----------------------------------------------------------------------------------------------------- */

/* e^x, within 1.5e-7 of its size for x in [-87, 88], which others are moved to. NaN gives NaN.
 * x = n ln 2 + r, then a polynomial for e^r: Moshier, Cephes 2.2, expf. */
LEARN_INLINE LearnFloats learn_exp8(LearnFloats x) {
    x = learn_lesser(LEARN_ALL(88.0f), learn_greater(LEARN_ALL(-87.0f), x));
    const LearnFloats whole = (x * 1.44269504f + 12582912.0f) - 12582912.0f; /* rounds to the nearest integer */
    const LearnFloats r = (x - whole * 0.693359375f) - whole * -2.12194440e-4f;
    LearnFloats p = r * 1.9875691500e-4f + 1.3981999507e-3f;
    p = p * r + 8.3334519073e-3f;
    p = p * r + 4.1665795894e-2f;
    p = p * r + 1.6666665459e-1f;
    p = p * r + 5.0000001201e-1f;
    p = p * (r * r) + r + 1.0f;
    const LearnInts power = (__builtin_convertvector(whole, LearnInts) + 127) << 23;
    return p * (LearnFloats)power;
}

/* The natural logarithm, within 1 unit in the last place for normal numbers above 0; of others, that of the least normal number.
 * x = m 2^n with m in [sqrt(1/2), sqrt(2)), then a polynomial for log m: Moshier, Cephes 2.2, logf. */
LEARN_INLINE LearnFloats learn_log8(LearnFloats x) {
    x = learn_greater(x, LEARN_ALL(1.17549435e-38f));
    const LearnInts bits = (LearnInts)x - 0x3F3504F3; /* sqrt(1/2) */
    const LearnFloats n = __builtin_convertvector(bits >> 23, LearnFloats);
    const LearnFloats m = (LearnFloats)((bits & 0x007FFFFF) + 0x3F3504F3) - 1.0f;
    LearnFloats p = m * 7.0376836292e-2f - 1.1514610310e-1f;
    p = p * m + 1.1676998740e-1f;
    p = p * m - 1.2420140846e-1f;
    p = p * m + 1.4249322787e-1f;
    p = p * m - 1.6668057665e-1f;
    p = p * m + 2.0000714765e-1f;
    p = p * m - 2.4999993993e-1f;
    p = p * m + 3.3333331174e-1f;
    const LearnFloats square = m * m;
    return (m + (p * m * square + n * -2.12194440e-4f - square * 0.5f)) + n * 0.693359375f;
}

/* tanh, within 5e-7 of it, and never beyond [-1, 1]. NaN gives NaN. The quotient of polynomials with the least relative error, found by
 * least squares with weights that grow where the error is large (Lawson's method). */
LEARN_INLINE float learn_tanh(float x) {
    x = -7.9f > x ? -7.9f : x;
    x = 7.9f < x ? 7.9f : x;
    const float square = x * x;
    const float p = ((square * 46.2652512f + 11877.2881f) * square + 518923.031f) * square + 4011954.25f;
    const float q = (((square + 962.917969f) * square + 95701.5156f) * square + 1856237.0f) * square + 4011954.75f;
    return x * p / q;
}

/* The others for one number. */
static inline float learn_exp(float x) { return learn_exp8(LEARN_ALL(x))[0]; }
static inline float learn_log(float x) { return learn_log8(LEARN_ALL(x))[0]; }

/* ---- Matrices: row by row, each row at `stride` floats from the last ------------------------------------------------------- */

/* Products are made of tiles: sums that stay in registers. 6 x 16 floats take 12 of the 16 registers with eight floats each. gcc keeps
 * vectors in registers only where the processor has registers of that size. */
#if defined(__AVX__) || defined(LEARN_HAS_LEVELS)
enum { LEARN_REGISTER = 8 };
#else
enum { LEARN_REGISTER = 4 };
#endif
enum { LEARN_TILE_ROWS = 6, LEARN_TILE_COLUMNS = 16 };
typedef float LearnRegister __attribute__((vector_size(4 * LEARN_REGISTER)));
typedef float LearnRegisterAnywhere __attribute__((vector_size(4 * LEARN_REGISTER), aligned(4), may_alias)); /* in memory */

/* A tile of the products below, of constant size. */
LEARN_INLINE void learn__tile(const int rows, const int columns, const bool transposed, int depth, const float* a,
                              size_t a_stride, const float* b, size_t b_stride, float* c, size_t c_stride) {
    LearnRegister sum[LEARN_TILE_ROWS][LEARN_TILE_COLUMNS / LEARN_REGISTER] = {{{0}}};
    const size_t a_row = transposed ? 1 : a_stride, a_step = transposed ? a_stride : 1;
    const int registers = columns / LEARN_REGISTER;
#define LEARN__EACH_SUM                                       \
    LEARN_UNROLL for (int i = 0; i < rows; i++) \
        LEARN_UNROLL for (int j = 0; j < registers; j++)
#define LEARN__OF_B(j) (*(const LearnRegisterAnywhere*)(const void*)(b + (j) * LEARN_REGISTER))
#define LEARN__OF_C(i, j) (*(LearnRegisterAnywhere*)(void*)(c + (size_t)(i) * c_stride + (j) * LEARN_REGISTER))
    if (transposed) LEARN__EACH_SUM sum[i][j] = LEARN__OF_C(i, j);
    for (int k = 0; k < depth; k++, a += a_step, b += b_stride)
        LEARN__EACH_SUM sum[i][j] += a[(size_t)i * a_row] * LEARN__OF_B(j);
    LEARN__EACH_SUM LEARN__OF_C(i, j) = sum[i][j];
#undef LEARN__EACH_SUM
#undef LEARN__OF_B
#undef LEARN__OF_C
}

/* All rows of so many columns. */
LEARN_INLINE void learn__tiles(const int columns, const bool transposed, int rows, int depth, const float* a,
                               size_t a_stride, const float* b, size_t b_stride, float* c, size_t c_stride) {
    const size_t a_rows = LEARN_TILE_ROWS * (transposed ? 1 : a_stride);
    for (; rows >= LEARN_TILE_ROWS; rows -= LEARN_TILE_ROWS, a += a_rows, c += LEARN_TILE_ROWS * c_stride)
        learn__tile(LEARN_TILE_ROWS, columns, transposed, depth, a, a_stride, b, b_stride, c, c_stride);
#define LEARN__LAST(rows)                                                                          \
    case rows: learn__tile(rows, columns, transposed, depth, a, a_stride, b, b_stride, c, c_stride); break;
    switch (rows) {
        LEARN__LAST(5)
        LEARN__LAST(4)
        LEARN__LAST(3)
        LEARN__LAST(2)
        LEARN__LAST(1)
    }
#undef LEARN__LAST
}

LEARN_INLINE void learn__multiply(const bool transposed, int rows, int columns, int depth, const float* a, size_t a_stride,
                                  const float* b, size_t b_stride, float* c, size_t c_stride) {
    for (; columns >= LEARN_TILE_COLUMNS; columns -= LEARN_TILE_COLUMNS, b += LEARN_TILE_COLUMNS, c += LEARN_TILE_COLUMNS)
        learn__tiles(LEARN_TILE_COLUMNS, transposed, rows, depth, a, a_stride, b, b_stride, c, c_stride);
    if (columns > 0) learn__tiles(LEARN_LANES, transposed, rows, depth, a, a_stride, b, b_stride, c, c_stride);
}

/* c = a b: c[i][j] is the sum of a[i][k] b[k][j] over k = 0, 1, ... in this order. a is rows x depth, b depth x columns, c rows x columns,
 * a multiple of LEARN_LANES. */
LEARN_EACH_LEVEL static inline void learn_product(int rows, int columns, int depth, const float* a, size_t a_stride,
                                                  const float* b, size_t b_stride, float* c, size_t c_stride) {
    learn__multiply(false, rows, columns, depth, a, a_stride, b, b_stride, c, c_stride);
}

/* c += transposed a, b: the same of a[k][i] b[k][j], added one by one to what was there. a is depth x rows. */
LEARN_EACH_LEVEL static inline void learn_add_product(int rows, int columns, int depth, const float* a, size_t a_stride,
                                                      const float* b, size_t b_stride, float* c, size_t c_stride) {
    learn__multiply(true, rows, columns, depth, a, a_stride, b, b_stride, c, c_stride);
}

/* to[j][i] = from[i][j] for rows x columns of `from`. */
static inline void learn_transpose(int rows, int columns, const float* from, size_t from_stride, float* to,
                                   size_t to_stride) {
    for (int i = 0; i < rows; i++)
        for (int j = 0; j < columns; j++) to[(size_t)j * to_stride + (size_t)i] = from[(size_t)i * from_stride + (size_t)j];
}

/* y = tanh(y), for rows x columns, a multiple of LEARN_LANES. */
LEARN_EACH_LEVEL static inline void learn_tanh_all(int rows, int columns, float* y, size_t stride) {
    for (int i = 0; i < rows; i++, y += stride)
        for (int j = 0; j < columns; j++) y[j] = learn_tanh(y[j]);
}

/* dy *= 1 - y^2: back through y = tanh(x), whose derivative that is. */
LEARN_EACH_LEVEL static inline void learn_tanh_back(int rows, int columns, const float* y, size_t y_stride, float* dy,
                                                    size_t dy_stride) {
    for (int i = 0; i < rows; i++)
        for (int j = 0; j < columns; j += LEARN_LANES) {
            const LearnFloats at = LEARN_LOAD(y + (size_t)i * y_stride + j);
            LEARN_STORE(dy + (size_t)i * dy_stride + j) *= 1.0f - at * at;
        }
}

/* to += from, for a multiple of LEARN_LANES. */
LEARN_EACH_LEVEL static inline void learn_add(size_t count, const float* from, float* to) {
    for (size_t k = 0; k < count; k += LEARN_LANES) LEARN_STORE(to + k) += LEARN_LOAD(from + k);
}

/* The sum of squares, for a multiple of LEARN_LANES: eight sums side by side, then these in their order. */
LEARN_EACH_LEVEL static inline float learn_sum_of_squares(size_t count, const float* x) {
    LearnFloats sums = LEARN_ALL(0);
    float sum = 0;
    for (size_t k = 0; k < count; k += LEARN_LANES) sums += LEARN_LOAD(x + k) * LEARN_LOAD(x + k);
    for (int lane = 0; lane < LEARN_LANES; lane++) sum += sums[lane];
    return sum;
}

/* ---- Random numbers: number `index` of a stream, in any order ---------------------------------------------------------------- */

/* The random bits that env_random would return as number `index`, from 0, of the stream that begins in state `stream`. */
static inline uint64_t learn_random(uint64_t stream, uint64_t index) {
    stream += index * 0x9E3779B97F4A7C15u;
    return env_random(&stream);
}

/* The same as a float in [0, 1): the upper 24 bits. */
static inline float learn_uniform(uint64_t stream, uint64_t index) {
    return (float)(learn_random(stream, index) >> 40) * (1.0f / 16777216.0f);
}

/* The same from the normal distribution with mean 0 and deviation 1: Marsaglia's polar method (1964), over a stream that starts there. */
static inline float learn_normal(uint64_t stream, uint64_t index) {
    uint64_t rng = learn_random(stream, index);
    for (;;) {
        const uint64_t bits = env_random(&rng);
        const float u = (float)(int32_t)(bits >> 40) * (1.0f / 8388608.0f) - 1.0f;
        const float v = (float)(int32_t)(bits >> 16 & 0xFFFFFF) * (1.0f / 8388608.0f) - 1.0f, square = u * u + v * v;
        if (square < 1.0f && square > 0.0f) return u * sqrtf(-2.0f * learn_log(square) / square);
    }
}

#endif
