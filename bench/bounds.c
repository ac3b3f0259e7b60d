/* bounds.c - what one core of this machine can do at most: the bounds that bench/speed.py sets beside the flock
 *
 *     bounds BYTES ...
 *
 * prints the 16-bit additions it does in a second, in registers and with every lane of every vector busy, and then, for each
 * number of bytes, how many it reads and writes in a second while it copies one half of them onto the other.
 * Compile with -O3 -march=native.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#if defined(__AVX512BW__)
#define WIDTH 64
#elif defined(__AVX2__)
#define WIDTH 32
#else
#define WIDTH 16
#endif
typedef int16_t Lanes __attribute__((vector_size(WIDTH)));

enum { CHAINS = 12 }; /* independent sums, to fill every pipe */

/* keeps the compiler from doing many additions at once */
#if defined(__x86_64__)
#define KEEP(lanes) __asm__ volatile("" : "+v"(lanes))
#else
#define KEEP(lanes) __asm__ volatile("" : "+w"(lanes))
#endif

static double now(void) { return (double)clock() / CLOCKS_PER_SEC; } /* of the processor */

static double additions(void) {
    Lanes sum[CHAINS] = {{0}};
    const Lanes one = sum[0] + 1;
    double best = 0;
    for (int round = 0; round < 20; round++) {
        const long turns = 1000000;
        const double start = now();
        for (long t = 0; t < turns; t++) {
            for (int k = 0; k < CHAINS; k++) {
                Lanes here = sum[k] + one;
                KEEP(here);
                sum[k] = here;
            }
        }
        const double rate = (double)turns * CHAINS * (WIDTH / 2) / (now() - start);
        best = rate > best ? rate : best;
    }
    return best;
}

static double copied(size_t bytes) {
    const size_t half = bytes / 2;
    char *from = (char*)malloc(half), *to = (char*)malloc(half);
    if (!from || !to) return 0;
    memset(from, 1, half);
    memset(to, 2, half);
    double best = 0;
    for (int round = 0; round < 12; round++) {
        const long turns = (long)(100000000 / half) + 1;
        const double start = now();
        for (long t = 0; t < turns; t++) {
            memcpy(to, from, half);
            __asm__ volatile("" : : "r"(to), "r"(from) : "memory");
        }
        const double rate = (double)turns * 2 * (double)half / (now() - start);
        best = rate > best ? rate : best;
    }
    free(from);
    free(to);
    return best;
}

int main(int argc, char** argv) {
    printf("%.4g\n", additions());
    for (int k = 1; k < argc; k++) printf("%.4g\n", copied((size_t)strtoull(argv[k], NULL, 10)));
    return 0;
}
