/* lanes.h - the vector instructions of kernel.h: a section for each set of them
 *
 * A section defines a vector of LANES bodies, 32 bits each: two int16 (or uint16), or one uint32_t. It defines the operations that
 * kernel.h needs and includes it, which makes the three functions of SightKernels and undefines the operations again. All is integer
 * arithmetic, lane by lane, so that each section gives the same bits as pairs.h.
 *
 * The processor chooses the section when sight_init runs. With SIGHT_ONE_TARGET the flags of the compiler choose, as in
 * -march=x86-64-v3.
 */
#ifndef SIGHT_LANES_H
#define SIGHT_LANES_H

#include "sight/pairs.h"

#define SIGHT_JOIN_(a, b) a##b
#define SIGHT_JOIN(a, b) SIGHT_JOIN_(a, b)

/* Two int16 as they lie in memory, to be loaded into all lanes. */
SIGHT_INLINE int32_t sight__two(const int16_t* at) {
    int32_t two;
    memcpy(&two, at, sizeof two);
    return two;
}

/* All ones in the lane that looks at itself in pair 0; the first lane is body `self` of the crowd. The same for pair 1 begins four int16
 * before it, and so on: all pairs read one array through a window that moves by two bodies, or four halves. */
SIGHT_INLINE const int16_t* sight__selves(int32_t self) {
    enum { MOST = SIGHT_CROWD, LEAST = -SIGHT_LANES - 1 }; /* beyond these the block is no part of the crowd */
    enum { BEFORE = 2 * (SIGHT_CROWD - LEAST), AFTER = 2 * (SIGHT_LANES + MOST) };
    static const struct {
        int16_t before[BEFORE], ones[4], after[AFTER];
    } halves = {{0}, {-1, 0, 0, -1}, {0}};
    return (const int16_t*)&halves + BEFORE + 2 * (self > MOST ? MOST : self < LEAST ? LEAST : self);
}

/* All ones in the halves of a pair that are no bodies of a crowd of `size`, but beyond its last. */
SIGHT_INLINE const int16_t* sight__beyond(uint32_t size, uint32_t pair) {
#define LANES_OF(a, b) {a, b, a, b, a, b, a, b, a, b, a, b, a, b, a, b, a, b, a, b, a, b, a, b, a, b, a, b, a, b, a, b}
    static const int16_t beyond[3][2 * SIGHT_LANES] = {LANES_OF(-1, -1), LANES_OF(0, -1), LANES_OF(0, 0)};
#undef LANES_OF
    return beyond[size <= 2 * pair ? 0 : size - 2 * pair < 2 ? 1 : 2];
}

#if defined(__GNUC__) && defined(__x86_64__)
#include <immintrin.h>
#if defined(SIGHT_ONE_TARGET)
#define SIGHT_TARGET(set)
#define SIGHT_HAS(set) true
#else
#define SIGHT_TARGET(set) __attribute__((target(set)))
#define SIGHT_HAS(set) __builtin_cpu_supports(set)
#endif

/* --- AVX-512 BW and VNNI: 16 lanes ----------------------------------------------------------------------------------- */
#if !defined(SIGHT_ONE_TARGET) || (defined(__AVX512BW__) && defined(__AVX512VNNI__))
#define TARGET SIGHT_TARGET("avx512bw,avx512vnni")
#define NAME sight__avx512
#define LANES 16
#define VECTOR __m512i
#define LOAD(p) _mm512_loadu_si512(p)
#define STORE(p, v) _mm512_storeu_si512(p, v)
#define EVEN_WORDS(a, b)                                                                                              \
    _mm512_permutex2var_epi32(a, _mm512_set_epi32(30, 28, 26, 24, 22, 20, 18, 16, 14, 12, 10, 8, 6, 4, 2, 0), b)
#define TWO(p) _mm512_set1_epi32(sight__two(p))
#define SPLAT(a) _mm512_set1_epi16(a)
#define SPLAT32(a) _mm512_set1_epi32((int)(a))
#define ADD(a, b) _mm512_add_epi16(a, b)
#define ADD32(a, b) _mm512_add_epi32(a, b)
#define SUBTRACT(a, b) _mm512_sub_epi16(a, b)
#define LESS(a, b) _mm512_subs_epu16(a, b)
#define DOUBLE(a) _mm512_adds_epi16(a, a)
#define MULHRS(a, b) _mm512_mulhrs_epi16(a, b)
#define OR(a, b) _mm512_or_si512(a, b)
#define LEAST(a, b) _mm512_min_epu16(a, b)
#define LEAST32(a, b) _mm512_min_epu32(a, b)
#define MOST32(a, b) _mm512_max_epu32(a, b)
#define SHIFT_RIGHT(a, n) _mm512_srl_epi16(a, _mm_cvtsi32_si128(n))
#define MASK __mmask32
#define AT_MOST(a, b) _mm512_cmple_epu16_mask(a, b)
#define COUNT_WHERE(count, seen) _mm512_mask_add_epi16(count, seen, count, _mm512_set1_epi16(1))
#define ADD16_WHERE(sum, seen, v) _mm512_mask_add_epi16(sum, seen, sum, v)
#define ADD_WHERE(sum, seen, v) _mm512_dpwssd_epi32(sum, _mm512_maskz_mov_epi16(seen, _mm512_set1_epi16(1)), v)
#define ADD_PRODUCTS(sum, a, b) _mm512_dpwssd_epi32(sum, a, b)
#define LOW_HALF(a) _mm512_srli_epi32(_mm512_slli_epi32(a, 16), 16)
#define HIGH_HALF(a) _mm512_srli_epi32(a, 16)
#define TO_HIGH_HALF(a) _mm512_slli_epi32(a, 16)
#define ONLY_HIGH_HALF(a) _mm512_and_si512(a, _mm512_set1_epi32((int)0xFFFF0000))
#include "sight/kernel.h"
#endif

/* --- AVX2: 8 lanes --------------------------------------------------------------------------------------------------- */
#if !defined(SIGHT_ONE_TARGET) || defined(__AVX2__)
#define TARGET SIGHT_TARGET("avx2")
#define NAME sight__avx2
#define LANES 8
#define VECTOR __m256i
#define LOAD(p) _mm256_loadu_si256((const __m256i*)(p))
#define STORE(p, v) _mm256_storeu_si256((__m256i*)(p), v)
#define EVEN_WORDS(a, b) \
    _mm256_permute4x64_epi64(_mm256_castps_si256(_mm256_shuffle_ps(_mm256_castsi256_ps(a), _mm256_castsi256_ps(b), 0x88)), 0xD8)
#define TWO(p) _mm256_set1_epi32(sight__two(p))
#define SPLAT(a) _mm256_set1_epi16(a)
#define SPLAT32(a) _mm256_set1_epi32((int)(a))
#define ADD(a, b) _mm256_add_epi16(a, b)
#define ADD32(a, b) _mm256_add_epi32(a, b)
#define SUBTRACT(a, b) _mm256_sub_epi16(a, b)
#define LESS(a, b) _mm256_subs_epu16(a, b)
#define DOUBLE(a) _mm256_adds_epi16(a, a)
#define MULHRS(a, b) _mm256_mulhrs_epi16(a, b)
#define OR(a, b) _mm256_or_si256(a, b)
#define LEAST(a, b) _mm256_min_epu16(a, b)
#define LEAST32(a, b) _mm256_min_epu32(a, b)
#define MOST32(a, b) _mm256_max_epu32(a, b)
#define SHIFT_RIGHT(a, n) _mm256_srli_epi16(a, n)
#define MASK __m256i
#define AT_MOST(a, b) _mm256_cmpeq_epi16(_mm256_min_epu16(a, b), a)
#define COUNT_WHERE(count, seen) _mm256_sub_epi16(count, seen)
#define ADD16_WHERE(sum, seen, v) _mm256_add_epi16(sum, _mm256_and_si256(seen, v))
#define ADD_WHERE(sum, seen, v) _mm256_sub_epi32(sum, _mm256_madd_epi16(seen, v))
#define ADD_PRODUCTS(sum, a, b) _mm256_add_epi32(sum, _mm256_madd_epi16(a, b))
#define LOW_HALF(a) _mm256_srli_epi32(_mm256_slli_epi32(a, 16), 16)
#define HIGH_HALF(a) _mm256_srli_epi32(a, 16)
#define TO_HIGH_HALF(a) _mm256_slli_epi32(a, 16)
#define ONLY_HIGH_HALF(a) _mm256_and_si256(a, _mm256_set1_epi32((int)0xFFFF0000))
#include "sight/kernel.h"
#endif

/* --- SSE 4.1: 4 lanes ------------------------------------------------------------------------------------------------ */
#if !defined(SIGHT_ONE_TARGET) || defined(__SSE4_1__)
#define TARGET SIGHT_TARGET("sse4.1")
#define NAME sight__sse4
#define LANES 4
#define VECTOR __m128i
#define LOAD(p) _mm_loadu_si128((const __m128i*)(p))
#define STORE(p, v) _mm_storeu_si128((__m128i*)(p), v)
#define EVEN_WORDS(a, b) _mm_castps_si128(_mm_shuffle_ps(_mm_castsi128_ps(a), _mm_castsi128_ps(b), 0x88))
#define TWO(p) _mm_set1_epi32(sight__two(p))
#define SPLAT(a) _mm_set1_epi16(a)
#define SPLAT32(a) _mm_set1_epi32((int)(a))
#define ADD(a, b) _mm_add_epi16(a, b)
#define ADD32(a, b) _mm_add_epi32(a, b)
#define SUBTRACT(a, b) _mm_sub_epi16(a, b)
#define LESS(a, b) _mm_subs_epu16(a, b)
#define DOUBLE(a) _mm_adds_epi16(a, a)
#define MULHRS(a, b) _mm_mulhrs_epi16(a, b)
#define OR(a, b) _mm_or_si128(a, b)
#define LEAST(a, b) _mm_min_epu16(a, b)
#define LEAST32(a, b) _mm_min_epu32(a, b)
#define MOST32(a, b) _mm_max_epu32(a, b)
#define SHIFT_RIGHT(a, n) _mm_srli_epi16(a, n)
#define MASK __m128i
#define AT_MOST(a, b) _mm_cmpeq_epi16(_mm_min_epu16(a, b), a)
#define COUNT_WHERE(count, seen) _mm_sub_epi16(count, seen)
#define ADD16_WHERE(sum, seen, v) _mm_add_epi16(sum, _mm_and_si128(seen, v))
#define ADD_WHERE(sum, seen, v) _mm_sub_epi32(sum, _mm_madd_epi16(seen, v))
#define ADD_PRODUCTS(sum, a, b) _mm_add_epi32(sum, _mm_madd_epi16(a, b))
#define LOW_HALF(a) _mm_srli_epi32(_mm_slli_epi32(a, 16), 16)
#define HIGH_HALF(a) _mm_srli_epi32(a, 16)
#define TO_HIGH_HALF(a) _mm_slli_epi32(a, 16)
#define ONLY_HIGH_HALF(a) _mm_and_si128(a, _mm_set1_epi32((int)0xFFFF0000))
#include "sight/kernel.h"
#endif
#elif defined(__GNUC__) && defined(__aarch64__)

/* --- NEON: 4 lanes, on every 64-bit ARM ------------------------------------------------------------------------------------ */
#include <arm_neon.h>
#define U16(v) vreinterpretq_u16_s16(v)
#define U32(v) vreinterpretq_u32_s16(v)
#define S32(v) vreinterpretq_s32_s16(v)
#define OF_U16(v) vreinterpretq_s16_u16(v)
#define OF_U32(v) vreinterpretq_s16_u32(v)
#define OF_S32(v) vreinterpretq_s16_s32(v)
#define TARGET
#define NAME sight__neon
#define LANES 4
#define VECTOR int16x8_t
#define LOAD(p) vld1q_s16((const int16_t*)(p))
#define STORE(p, v) vst1q_s16((int16_t*)(p), v)
#define EVEN_WORDS(a, b) OF_U32(vuzp1q_u32(U32(a), U32(b)))
#define TWO(p) OF_S32(vdupq_n_s32(sight__two(p)))
#define SPLAT(a) vdupq_n_s16(a)
#define SPLAT32(a) OF_U32(vdupq_n_u32(a))
#define ADD(a, b) vaddq_s16(a, b)
#define ADD32(a, b) OF_U32(vaddq_u32(U32(a), U32(b)))
#define SUBTRACT(a, b) vsubq_s16(a, b)
#define LESS(a, b) OF_U16(vqsubq_u16(U16(a), U16(b)))
#define DOUBLE(a) vqaddq_s16(a, a)
#define MULHRS(a, b) vqrdmulhq_s16(a, b)
#define OR(a, b) vorrq_s16(a, b)
#define LEAST(a, b) OF_U16(vminq_u16(U16(a), U16(b)))
#define LEAST32(a, b) OF_U32(vminq_u32(U32(a), U32(b)))
#define MOST32(a, b) OF_U32(vmaxq_u32(U32(a), U32(b)))
#define SHIFT_RIGHT(a, n) OF_U16(vshlq_u16(U16(a), vdupq_n_s16((int16_t)(-(n)))))
#define MASK int16x8_t
#define AT_MOST(a, b) OF_U16(vcleq_u16(U16(a), U16(b)))
#define COUNT_WHERE(count, seen) vsubq_s16(count, seen)
#define ADD16_WHERE(sum, seen, v) vaddq_s16(sum, vandq_s16(seen, v))
#define ADD_WHERE(sum, seen, v) OF_S32(vpadalq_s16(S32(sum), vandq_s16(seen, v)))
#define ADD_PRODUCTS(sum, a, b)                                                                                     \
    OF_S32(vaddq_s32(S32(sum), vpaddq_s32(vmull_s16(vget_low_s16(a), vget_low_s16(b)), vmull_high_s16(a, b))))
#define LOW_HALF(a) OF_U32(vandq_u32(U32(a), vdupq_n_u32(0xFFFF)))
#define HIGH_HALF(a) OF_U32(vshrq_n_u32(U32(a), 16))
#define TO_HIGH_HALF(a) OF_U32(vshlq_n_u32(U32(a), 16))
#define ONLY_HIGH_HALF(a) OF_U32(vandq_u32(U32(a), vdupq_n_u32(0xFFFF0000)))
#include "sight/kernel.h"
#undef U16
#undef U32
#undef S32
#undef OF_U16
#undef OF_U32
#undef OF_S32
#elif defined(__wasm_simd128__)

/* --- WebAssembly SIMD: 4 lanes --------------------------------------------------------------------------------------------- */
#include <wasm_simd128.h>
#define TARGET
#define NAME sight__wasm
#define LANES 4
#define VECTOR v128_t
#define LOAD(p) wasm_v128_load(p)
#define STORE(p, v) wasm_v128_store(p, v)
#define EVEN_WORDS(a, b) wasm_i32x4_shuffle(a, b, 0, 2, 4, 6)
#define TWO(p) wasm_i32x4_splat(sight__two(p))
#define SPLAT(a) wasm_i16x8_splat(a)
#define SPLAT32(a) wasm_i32x4_splat((int32_t)(a))
#define ADD(a, b) wasm_i16x8_add(a, b)
#define ADD32(a, b) wasm_i32x4_add(a, b)
#define SUBTRACT(a, b) wasm_i16x8_sub(a, b)
#define LESS(a, b) wasm_u16x8_sub_sat(a, b)
#define DOUBLE(a) wasm_i16x8_add_sat(a, a)
#define MULHRS(a, b) wasm_i16x8_q15mulr_sat(a, b)
#define OR(a, b) wasm_v128_or(a, b)
#define LEAST(a, b) wasm_u16x8_min(a, b)
#define LEAST32(a, b) wasm_u32x4_min(a, b)
#define MOST32(a, b) wasm_u32x4_max(a, b)
#define SHIFT_RIGHT(a, n) wasm_u16x8_shr(a, (uint32_t)(n))
#define MASK v128_t
#define AT_MOST(a, b) wasm_u16x8_le(a, b)
#define COUNT_WHERE(count, seen) wasm_i16x8_sub(count, seen)
#define ADD16_WHERE(sum, seen, v) wasm_i16x8_add(sum, wasm_v128_and(seen, v))
#define ADD_WHERE(sum, seen, v) wasm_i32x4_sub(sum, wasm_i32x4_dot_i16x8(seen, v))
#define ADD_PRODUCTS(sum, a, b) wasm_i32x4_add(sum, wasm_i32x4_dot_i16x8(a, b))
#define LOW_HALF(a) wasm_v128_and(a, wasm_i32x4_splat(0xFFFF))
#define HIGH_HALF(a) wasm_u32x4_shr(a, 16)
#define TO_HIGH_HALF(a) wasm_i32x4_shl(a, 16)
#define ONLY_HIGH_HALF(a) wasm_v128_and(a, wasm_i32x4_splat((int32_t)0xFFFF0000))
#include "sight/kernel.h"
#endif

/* The fastest that this processor has. */
static inline SightKernels sight__fastest_kernels(void) {
#define KERNELS(lanes, name) {lanes, name, name##_nearest, name##_nearest_of_many}
#if defined(__GNUC__) && defined(__x86_64__) && \
    (!defined(SIGHT_ONE_TARGET) || (defined(__AVX512BW__) && defined(__AVX512VNNI__)))
    const SightKernels avx512 = KERNELS(16, sight__avx512);
    if (SIGHT_HAS("avx512bw") && SIGHT_HAS("avx512vnni")) return avx512;
#endif
#if defined(__GNUC__) && defined(__x86_64__) && (!defined(SIGHT_ONE_TARGET) || defined(__AVX2__))
    const SightKernels avx2 = KERNELS(8, sight__avx2);
    if (SIGHT_HAS("avx2")) return avx2;
#endif
#if defined(__GNUC__) && defined(__x86_64__) && (!defined(SIGHT_ONE_TARGET) || defined(__SSE4_1__))
    const SightKernels sse4 = KERNELS(8, sight__sse4);
    if (SIGHT_HAS("sse4.1")) return sse4;
#endif
#if defined(__GNUC__) && defined(__aarch64__)
    const SightKernels neon = KERNELS(8, sight__neon);
    return neon;
#endif
#if defined(__wasm_simd128__)
    const SightKernels wasm = KERNELS(8, sight__wasm);
    return wasm;
#endif
    const SightKernels plain = KERNELS(8, sight__plain);
    return plain;
#undef KERNELS
}

#endif
