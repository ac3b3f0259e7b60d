/* libc.c - web/libc, tried out: memory that is given and taken back in every order, and numbers as text, which tests/test_web.py compares */
#include "env.h"

#include "../c/check.h"

enum { BLOCKS = 200, ROUNDS = 20000 };

static struct {
    uint8_t* bytes;
    size_t size;
    uint8_t mark;
} blocks[BLOCKS];

/* Whether all of a block still holds its mark. */
static bool whole(int k) {
    for (size_t b = 0; b < blocks[k].size; b++)
        if (blocks[k].bytes[b] != blocks[k].mark) return false;
    return true;
}

static void test_memory(void) {
    uint64_t rng = 1;
    size_t pages = 0;
    for (int round = 0; round < ROUNDS; round++) {
        const int k = (int)(env_random(&rng) % BLOCKS);
        CHECK(whole(k));
        free(blocks[k].bytes);
        blocks[k].size = env_random(&rng) % 5000;
        blocks[k].bytes = (uint8_t*)calloc(blocks[k].size, 1);
        CHECK(blocks[k].bytes && (uintptr_t)blocks[k].bytes % 16 == 0);
        blocks[k].mark = 0;
        CHECK(whole(k)); /* zeroed */
        blocks[k].mark = (uint8_t)round;
        memset(blocks[k].bytes, blocks[k].mark, blocks[k].size);
        if (round == ROUNDS / 2) pages = __builtin_wasm_memory_size(0);
    }
    CHECK_EQ(__builtin_wasm_memory_size(0), pages); /* what was freed is used again */
    for (int k = 0; k < BLOCKS; k++) free(blocks[k].bytes);
    void* all =
        calloc(pages - 18, 65536); /* freed neighbours are one block again: all but the stack of 16 pages and this program */
    CHECK(all);
    CHECK_EQ(__builtin_wasm_memory_size(0), pages);
    free(all);
    void* volatile none = calloc(SIZE_MAX / 2, 3); /* volatile: or the compiler leaves the call out */
    CHECK(!none);
    none = calloc(1, (size_t)1 << 31);
    CHECK(!none);
}

static void test_text(void) {
    char text[8];
    CHECK_EQ(snprintf(text, sizeof text, "%s", "longer than it"), 14);
    CHECK_TEXT(text, "longer ");
    CHECK_EQ(snprintf(text, sizeof text, "%d|%.*s%%", -2147483647 - 1, 2, "abc"), 15);
    CHECK_TEXT(text, "-214748");
    CHECK_EQ(snprintf(text, sizeof text, "%c%03u%x", 'q', 7u, 0xBEEFu), 8);
    CHECK_TEXT(text, "q007bee");
    CHECK_EQ(snprintf(text, sizeof text, "%3d%zu", 5, (size_t)12), 5);
    CHECK_TEXT(text, "  512");
    CHECK_TEXT(strstr("flock of boids", "of"), "of boids");
    CHECK(!strstr("flock", "of") && !strchr("flock", 'x') && strcmp("a", "b") < 0 && strncmp("ab", "ac", 1) == 0);
    CHECK(strcspn("a|b", "|") == 1 && memcmp("ab", "ac", 2) < 0 && strlen("") == 0);
}

/* Random doubles of all sizes, and special ones, as their bits and as text. */
static void print_numbers(void) {
    static const double special[] = {
        0,   -0.0, 1,    -1,       0.5,    2.5,   1e21,  1e-5, 0.0001, 123456.5, 1.7976931348623157e308,
        0.1, 9.5,  99.5, 999999.5, 5e-324, 1e100, 1e-100};
    uint64_t rng = 3, bits;
    for (int k = 0; k < 600; k++) {
        double value;
        bits = env_random(&rng);
        if (k % 3) bits = (bits & 0x800FFFFFFFFFFFFF) | (1003 + bits % 40) << 52; /* sizes that people use */
        if (k < (int)(sizeof special / sizeof *special)) memcpy(&bits, &special[k], sizeof bits);
        memcpy(&value, &bits, sizeof value);
        printf("%016llx %g %.9g %.17g %.2g\n", (unsigned long long)bits, value, value, value, value);
    }
}

int main(void) {
    test_memory();
    test_text();
    print_numbers();
    return check_result();
}
