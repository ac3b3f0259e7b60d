/* boids_lanes.h - the vector instructions of boids_sum.h, a section for each set of them; included by boids_neighbors.h
 *
 * A section gives a vector of LANES int16 (or uint16) and the dozen operations that the sums need, and includes boids_sum.h, which
 * makes the function NAME of them. It is integer arithmetic, lane by lane, so that each gives the bits of boids__sum_plain.
 *
 * With BOIDS_NO_CLONES the compiler's own flags choose, as -march=x86-64-v3; otherwise the processor does, when c_init runs.
 */
#ifndef BOIDS_LANES_H
#define BOIDS_LANES_H

#define JOIN_NAMES_(a, b) a##b
#define JOIN_NAMES(a, b) JOIN_NAMES_(a, b)

/* The numbers of the lanes, by which a boid is told from itself. */
static const int16_t boids__lane_numbers[BOIDS_LANES] = {0,  1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11, 12, 13, 14, 15,
                                                         16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31};

#if defined(__GNUC__) && defined(__x86_64__)
#include <immintrin.h>
#if defined(BOIDS_NO_CLONES)
#define BOIDS_TARGET(set)
#define BOIDS_HAS(set) true
#else
#define BOIDS_TARGET(set) __attribute__((target(set)))
#define BOIDS_HAS(set) __builtin_cpu_supports(set)
#endif

/* --- AVX-512 BW: 32 lanes, and masks in registers of their own ----------------------------------------------------------- */
#if !defined(BOIDS_NO_CLONES) || defined(__AVX512BW__)
#define TARGET BOIDS_TARGET("avx512bw")
#define NAME boids__sum_avx512
#define LANES 32
#define VECTOR __m512i
#define MASK __mmask32
#define LOAD(p) _mm512_loadu_si512(p)
#define SPLAT(a) _mm512_set1_epi16(a)
#define ADD(a, b) _mm512_add_epi16(a, b)
#define SUBTRACT(a, b) _mm512_sub_epi16(a, b)
#define DOUBLE(a) _mm512_adds_epi16(a, a)
#define MULHRS(a, b) _mm512_mulhrs_epi16(a, b)
#define MULTIPLY(a, b) _mm512_mullo_epi16(a, b)
#define LEAST(a, b) _mm512_min_epu16(a, b)
#define EXCESS(a, b) _mm512_subs_epu16(a, b)
#define BELOW(a, b) _mm512_cmplt_epu16_mask(a, b)
#define ADD_WHERE(m, a, b) _mm512_mask_add_epi16(a, m, a, b)
#define FAR_WHERE_EQUAL(v, a, b) _mm512_mask_mov_epi16(v, _mm512_cmpeq_epi16_mask(a, b), _mm512_set1_epi16(-1))
#define WIDEN_ADD(sum, v)                                                                                                  \
    _mm512_storeu_si512(sum, _mm512_add_epi32(_mm512_loadu_si512(sum), _mm512_cvtepi16_epi32(_mm512_castsi512_si256(v)))); \
    _mm512_storeu_si512((sum) + 16, _mm512_add_epi32(_mm512_loadu_si512((sum) + 16),                                       \
                                                     _mm512_cvtepi16_epi32(_mm512_extracti64x4_epi64(v, 1))))
#define STORE_WIDE(sum, v)                                                                 \
    _mm512_storeu_si512(sum, _mm512_cvtepu16_epi32(_mm512_castsi512_si256(v)));            \
    _mm512_storeu_si512((sum) + 16, _mm512_cvtepu16_epi32(_mm512_extracti64x4_epi64(v, 1)))
#define WIDEN_LOW(v) _mm512_cvtepu16_epi32(_mm512_castsi512_si256(v))
#define WIDEN_HIGH(v) _mm512_cvtepu16_epi32(_mm512_extracti64x4_epi64(v, 1))
#define KEY(d2, j) _mm512_or_si512(_mm512_slli_epi32(d2, 20), _mm512_set1_epi32((int)(j)))
#define LEAST32(a, b) _mm512_min_epu32(a, b)
#define MOST32(a, b) _mm512_max_epu32(a, b)
#define STORE(p, v) _mm512_storeu_si512(p, v)
#include "boids_sum.h"
#endif

/* --- AVX2: 16 lanes ------------------------------------------------------------------------------------------------------ */
#if !defined(BOIDS_NO_CLONES) || defined(__AVX2__)
#define TARGET BOIDS_TARGET("avx2")
#define NAME boids__sum_avx2
#define LANES 16
#define VECTOR __m256i
#define MASK __m256i
#define LOAD(p) _mm256_loadu_si256((const __m256i*)(p))
#define SPLAT(a) _mm256_set1_epi16(a)
#define ADD(a, b) _mm256_add_epi16(a, b)
#define SUBTRACT(a, b) _mm256_sub_epi16(a, b)
#define DOUBLE(a) _mm256_adds_epi16(a, a)
#define MULHRS(a, b) _mm256_mulhrs_epi16(a, b)
#define MULTIPLY(a, b) _mm256_mullo_epi16(a, b)
#define LEAST(a, b) _mm256_min_epu16(a, b)
#define EXCESS(a, b) _mm256_subs_epu16(a, b)
#define BELOW(a, b) _mm256_cmpeq_epi16(_mm256_min_epu16(a, _mm256_sub_epi16(b, _mm256_set1_epi16(1))), a)
#define ADD_WHERE(m, a, b) _mm256_add_epi16(a, _mm256_and_si256(m, b))
#define FAR_WHERE_EQUAL(v, a, b) _mm256_or_si256(v, _mm256_cmpeq_epi16(a, b))
#define WIDEN_ADD(sum, v)                                                                                          \
    _mm256_storeu_si256((__m256i*)(sum), _mm256_add_epi32(_mm256_loadu_si256((const __m256i*)(sum)),               \
                                                          _mm256_cvtepi16_epi32(_mm256_castsi256_si128(v))));      \
    _mm256_storeu_si256((__m256i*)((sum) + 8), _mm256_add_epi32(_mm256_loadu_si256((const __m256i*)((sum) + 8)),   \
                                                                _mm256_cvtepi16_epi32(_mm256_extracti128_si256(v, 1))))
#define STORE_WIDE(sum, v)                                                                           \
    _mm256_storeu_si256((__m256i*)(sum), _mm256_cvtepu16_epi32(_mm256_castsi256_si128(v)));          \
    _mm256_storeu_si256((__m256i*)((sum) + 8), _mm256_cvtepu16_epi32(_mm256_extracti128_si256(v, 1)))
#define WIDEN_LOW(v) _mm256_cvtepu16_epi32(_mm256_castsi256_si128(v))
#define WIDEN_HIGH(v) _mm256_cvtepu16_epi32(_mm256_extracti128_si256(v, 1))
#define KEY(d2, j) _mm256_or_si256(_mm256_slli_epi32(d2, 20), _mm256_set1_epi32((int)(j)))
#define LEAST32(a, b) _mm256_min_epu32(a, b)
#define MOST32(a, b) _mm256_max_epu32(a, b)
#define STORE(p, v) _mm256_storeu_si256((__m256i*)(p), v)
#include "boids_sum.h"
#endif

/* --- SSE 4.1: 8 lanes ---------------------------------------------------------------------------------------------------- */
#if !defined(BOIDS_NO_CLONES) || defined(__SSE4_1__)
#define TARGET BOIDS_TARGET("sse4.1")
#define NAME boids__sum_sse4
#define LANES 8
#define VECTOR __m128i
#define MASK __m128i
#define LOAD(p) _mm_loadu_si128((const __m128i*)(p))
#define SPLAT(a) _mm_set1_epi16(a)
#define ADD(a, b) _mm_add_epi16(a, b)
#define SUBTRACT(a, b) _mm_sub_epi16(a, b)
#define DOUBLE(a) _mm_adds_epi16(a, a)
#define MULHRS(a, b) _mm_mulhrs_epi16(a, b)
#define MULTIPLY(a, b) _mm_mullo_epi16(a, b)
#define LEAST(a, b) _mm_min_epu16(a, b)
#define EXCESS(a, b) _mm_subs_epu16(a, b)
#define BELOW(a, b) _mm_cmpeq_epi16(_mm_min_epu16(a, _mm_sub_epi16(b, _mm_set1_epi16(1))), a)
#define ADD_WHERE(m, a, b) _mm_add_epi16(a, _mm_and_si128(m, b))
#define FAR_WHERE_EQUAL(v, a, b) _mm_or_si128(v, _mm_cmpeq_epi16(a, b))
#define WIDEN_ADD(sum, v)                                                                                              \
    _mm_storeu_si128((__m128i*)(sum), _mm_add_epi32(_mm_loadu_si128((const __m128i*)(sum)), _mm_cvtepi16_epi32(v)));   \
    _mm_storeu_si128((__m128i*)((sum) + 4), _mm_add_epi32(_mm_loadu_si128((const __m128i*)((sum) + 4)),                \
                                                          _mm_cvtepi16_epi32(_mm_srli_si128(v, 8))))
#define STORE_WIDE(sum, v)                                                        \
    _mm_storeu_si128((__m128i*)(sum), _mm_cvtepu16_epi32(v));                     \
    _mm_storeu_si128((__m128i*)((sum) + 4), _mm_cvtepu16_epi32(_mm_srli_si128(v, 8)))
#define WIDEN_LOW(v) _mm_cvtepu16_epi32(v)
#define WIDEN_HIGH(v) _mm_cvtepu16_epi32(_mm_srli_si128(v, 8))
#define KEY(d2, j) _mm_or_si128(_mm_slli_epi32(d2, 20), _mm_set1_epi32((int)(j)))
#define LEAST32(a, b) _mm_min_epu32(a, b)
#define MOST32(a, b) _mm_max_epu32(a, b)
#define STORE(p, v) _mm_storeu_si128((__m128i*)(p), v)
#include "boids_sum.h"
#endif
#elif defined(__GNUC__) && defined(__aarch64__)

/* --- NEON: 8 lanes, on every 64-bit ARM ------------------------------------------------------------------------------------ */
#include <arm_neon.h>
#define TARGET
#define NAME boids__sum_neon
#define LANES 8
#define VECTOR int16x8_t
#define MASK uint16x8_t
#define LOAD(p) vld1q_s16(p)
#define SPLAT(a) vdupq_n_s16(a)
#define ADD(a, b) vaddq_s16(a, b)
#define SUBTRACT(a, b) vsubq_s16(a, b)
#define DOUBLE(a) vqaddq_s16(a, a)
#define MULHRS(a, b) vqrdmulhq_s16(a, b)
#define MULTIPLY(a, b) vmulq_s16(a, b)
#define LEAST(a, b) vreinterpretq_s16_u16(vminq_u16(vreinterpretq_u16_s16(a), vreinterpretq_u16_s16(b)))
#define EXCESS(a, b) vreinterpretq_s16_u16(vqsubq_u16(vreinterpretq_u16_s16(a), vreinterpretq_u16_s16(b)))
#define BELOW(a, b) vcltq_u16(vreinterpretq_u16_s16(a), vreinterpretq_u16_s16(b))
#define ADD_WHERE(m, a, b) vaddq_s16(a, vandq_s16(vreinterpretq_s16_u16(m), b))
#define FAR_WHERE_EQUAL(v, a, b) vorrq_s16(v, vreinterpretq_s16_u16(vceqq_s16(a, b)))
#define WIDEN_ADD(sum, v)                                                \
    vst1q_s32(sum, vaddw_s16(vld1q_s32(sum), vget_low_s16(v)));          \
    vst1q_s32((sum) + 4, vaddw_s16(vld1q_s32((sum) + 4), vget_high_s16(v)))
#define STORE_WIDE(sum, v)                                                                            \
    vst1q_s32(sum, vreinterpretq_s32_u32(vmovl_u16(vget_low_u16(vreinterpretq_u16_s16(v)))));         \
    vst1q_s32((sum) + 4, vreinterpretq_s32_u32(vmovl_u16(vget_high_u16(vreinterpretq_u16_s16(v)))))
#define AS32(v) vreinterpretq_u32_s16(v)
#define AS16(v) vreinterpretq_s16_u32(v)
#define WIDEN_LOW(v) AS16(vmovl_u16(vget_low_u16(vreinterpretq_u16_s16(v))))
#define WIDEN_HIGH(v) AS16(vmovl_u16(vget_high_u16(vreinterpretq_u16_s16(v))))
#define KEY(d2, j) AS16(vorrq_u32(vshlq_n_u32(AS32(d2), 20), vdupq_n_u32(j)))
#define LEAST32(a, b) AS16(vminq_u32(AS32(a), AS32(b)))
#define MOST32(a, b) AS16(vmaxq_u32(AS32(a), AS32(b)))
#define STORE(p, v) vst1q_u32(p, AS32(v))
#include "boids_sum.h"
#endif

/* The fastest of them here. */
static inline BoidsKernels boids__fastest_kernels(void) {
#if defined(__GNUC__) && defined(__x86_64__) && (!defined(BOIDS_NO_CLONES) || defined(__AVX512BW__))
    const BoidsKernels avx512 = {boids__sum_avx512, boids__sum_avx512_nearest};
    if (BOIDS_HAS("avx512bw")) return avx512;
#endif
#if defined(__GNUC__) && defined(__x86_64__) && (!defined(BOIDS_NO_CLONES) || defined(__AVX2__))
    const BoidsKernels avx2 = {boids__sum_avx2, boids__sum_avx2_nearest};
    if (BOIDS_HAS("avx2")) return avx2;
#endif
#if defined(__GNUC__) && defined(__x86_64__) && (!defined(BOIDS_NO_CLONES) || defined(__SSE4_1__))
    const BoidsKernels sse4 = {boids__sum_sse4, boids__sum_sse4_nearest};
    if (BOIDS_HAS("sse4.1")) return sse4;
#endif
#if defined(__GNUC__) && defined(__aarch64__)
    const BoidsKernels neon = {boids__sum_neon, boids__sum_neon_nearest};
    return neon;
#endif
    const BoidsKernels plain = {boids__sum_plain, boids__nearest_plain};
    return plain;
}

#endif
