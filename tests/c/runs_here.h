/* runs_here.h - for tests that are compiled for an instruction set which this machine may lack */
#ifndef RUNS_HERE_H
#define RUNS_HERE_H

#include <stdbool.h>

/* Whether this machine has the instructions this file was compiled for. */
static inline bool runs_here(void) {
#if defined(__GNUC__) && defined(__x86_64__)
#ifdef __AVX512BW__
    return __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
           __builtin_cpu_supports("avx512vnni");
#elif defined __AVX2__
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi2") && __builtin_cpu_supports("fma");
#elif defined __SSE4_2__
    return __builtin_cpu_supports("sse4.2");
#endif
#endif
    return true;
}

#endif
