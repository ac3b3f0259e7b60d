/* libc.c - the few functions of the C library that the sources need, for WebAssembly without a system
 *
 * Memory grows as it is needed. Nothing is thread-safe: there is one thread. A module that calls printf or puts needs one function of
 * the one who runs it, console_write; no other import exists.
 *
 * snprintf knows %d %u %x %c %s %g and %%, the flag 0, a width, a precision, and the lengths l, ll and z. Numbers are rounded as C asks.
 */
#include <math.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- Memory: a list of free blocks in the order of their addresses. Knuth, The Art of Computer Programming 1, 2.5, algorithms A and B */

typedef struct Block {
    size_t bytes; /* with this head; a multiple of its size */
    struct Block* next;
    uint64_t padding; /* what follows is aligned to 16 bytes */
} Block;
_Static_assert(sizeof(Block) == 16, "a head is as large as what blocks are aligned to");

extern char __heap_base; /* set by the linker */
static Block* free_blocks;
static size_t memory_end; /* of what the list began with; 0: nothing yet */

/* Puts a block into the list, and joins it with its neighbours. */
static void give_back(Block* block) {
    Block *before = NULL, *after = free_blocks;
    while (after && after < block) {
        before = after;
        after = after->next;
    }
    block->next = after;
    if (after && (char*)block + block->bytes == (char*)after) {
        block->bytes += after->bytes;
        block->next = after->next;
    }
    if (!before) {
        free_blocks = block;
    } else if ((char*)before + before->bytes == (char*)block) {
        before->bytes += block->bytes;
        before->next = block->next;
    } else {
        before->next = block;
    }
}

/* Asks for at least so many bytes more. */
static bool grow(size_t bytes) {
    const size_t page = 65536, first = memory_end ? memory_end : ((size_t)&__heap_base + 15) / 16 * 16;
    const size_t now = __builtin_wasm_memory_size(0) * page, pages = (bytes + page - 1) / page;
    if (__builtin_wasm_memory_grow(0, pages) == (size_t)-1) return false;
    Block* block = (Block*)(memory_end ? now : first);
    memory_end = now + pages * page;
    block->bytes = memory_end - (size_t)block;
    give_back(block);
    return true;
}

void* calloc(size_t count, size_t size) {
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes) || bytes > INT32_MAX) return NULL;
    bytes = (bytes + 15) / 16 * 16 + sizeof(Block);
    for (;;) {
        for (Block** at = &free_blocks; *at; at = &(*at)->next) {
            Block *block = *at, *rest = block;
            if (block->bytes < bytes) continue;
            rest = (Block*)((char*)block + bytes);
            if (block->bytes > bytes) {
                rest->bytes = block->bytes - bytes;
                rest->next = block->next;
                block->bytes = bytes;
                *at = rest;
            } else {
                *at = block->next;
            }
            return memset(block + 1, 0, bytes - sizeof(Block));
        }
        if (!grow(bytes)) return NULL;
    }
}

void* malloc(size_t bytes) { return calloc(bytes, 1); }

void free(void* pointer) {
    if (pointer) give_back((Block*)pointer - 1);
}

/* ---- Numbers: the rest is in math.h */

/* What is left of x after the largest multiple of y that fits. Each subtraction is exact: what it takes away is more than half. */
static double remainder_of(double x, double y) {
    double left = fabs(x), part = fabs(y);
    if (!(left < INFINITY) || !(part > 0)) return NAN;
    while (left >= part) {
        double most = part;
        while (most <= left / 2) most *= 2;
        left -= most;
    }
    return signbit(x) ? -left : left;
}
double fmod(double x, double y) { return remainder_of(x, y); }
float fmodf(float x, float y) { return (float)remainder_of((double)x, (double)y); }

/* ---- Bytes and text. The first three are instructions of WebAssembly: -mbulk-memory */

void* memcpy(void* to, const void* from, size_t bytes) { return __builtin_memcpy(to, from, bytes); }
void* memmove(void* to, const void* from, size_t bytes) { return __builtin_memmove(to, from, bytes); }
void* memset(void* to, int byte, size_t bytes) { return __builtin_memset(to, byte, bytes); }

int memcmp(const void* a, const void* b, size_t bytes) {
    const uint8_t *x = a, *y = b;
    for (; bytes; bytes--, x++, y++)
        if (*x != *y) return *x - *y;
    return 0;
}

int strncmp(const char* a, const char* b, size_t most) {
    for (; most; most--, a++, b++)
        if (*a != *b || !*a) return (uint8_t)*a - (uint8_t)*b;
    return 0;
}

int strcmp(const char* a, const char* b) { return strncmp(a, b, SIZE_MAX); }

size_t strlen(const char* text) {
    const char* end = text;
    while (*end) end++;
    return (size_t)(end - text);
}

char* strchr(const char* text, int byte) {
    while (*text && *text != (char)byte) text++;
    return *text == (char)byte ? (char*)text : NULL;
}

char* strstr(const char* text, const char* part) {
    for (const size_t length = strlen(part);; text++)
        if (strncmp(text, part, length) == 0)
            return (char*)text;
        else if (!*text)
            return NULL;
}

size_t strcspn(const char* text, const char* bytes) {
    const char* end = text;
    while (*end && !strchr(bytes, *end)) end++;
    return (size_t)(end - text);
}

/* ---- snprintf */

typedef struct Text {
    char* out;
    size_t size, length; /* length: what the whole text needs */
} Text;

static void put(Text* text, char byte) {
    if (text->length + 1 < text->size) text->out[text->length] = byte;
    text->length++;
}

/* Writes `count` bytes, with `pad` before them up to the width. */
static void put_all(Text* text, const char* bytes, size_t count, size_t width, char pad) {
    for (; width > count; width--) put(text, pad);
    for (size_t k = 0; k < count; k++) put(text, bytes[k]);
}

/* Writes the digits of a number to the end of `out`. Returns the first. */
static char* digits_of(uint64_t number, uint64_t base, char* end) {
    do *--end = "0123456789abcdef"[number % base];
    while (number /= base);
    return end;
}

/* The first `count` significant digits of a finite value above 0, rounded, the half to even, and its power of ten. All its digits are
 * computed: value = m 2^e, and for e < 0 that is m 5^-e 10^e. */
static int significant(double value, int count, char* digits) {
    enum { LIMBS = 90, LIMB = 1000000000 }; /* up to 2^1024 or 2^53 5^1074, nine digits each, the least first */
    static uint32_t limbs[LIMBS];
    static char all[9 * LIMBS];
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    int e = (int)(bits >> 52), length = 2, power = 0, first = 0, number = 0;
    bits = (bits & 0xFFFFFFFFFFFFF) | (e ? 1ull << 52 : 0);
    e = (e ? e : 1) - 1075;
    if (e < 0) power = e;
    limbs[0] = (uint32_t)(bits % LIMB);
    limbs[1] = (uint32_t)(bits / LIMB);
    for (; e; e += e < 0 ? 1 : -1) {
        uint64_t carry = 0;
        for (int k = 0; k < length; k++) {
            carry += (uint64_t)limbs[k] * (e < 0 ? 5 : 2);
            limbs[k] = (uint32_t)(carry % LIMB);
            carry /= LIMB;
        }
        if (carry) limbs[length++] = (uint32_t)carry;
    }
    for (int k = length - 1; k >= 0; k--)
        for (uint32_t place = LIMB / 10; place; place /= 10) all[number++] = (char)(limbs[k] / place % 10);
    while (!all[first]) first++;
    power += number - 1 - first;
    bool more = false;
    for (int k = first + count + 1; k < number; k++) more = more || all[k];
    for (int k = 0; k < count; k++) digits[k] = (char)(first + k < number ? all[first + k] : 0);
    const int next = first + count < number ? all[first + count] : 0;
    if (next > 5 || (next == 5 && (more || digits[count - 1] % 2))) {
        int k = count - 1;
        while (k >= 0 && ++digits[k] == 10) digits[k--] = 0;
        if (k < 0) { /* 99.9 is 100 */
            digits[0] = 1;
            power++;
        }
    }
    return power;
}

/* %g. Writes to `out`, and returns the length. */
static size_t put_number(double value, int precision, char* out) {
    char digits[32];
    uint64_t bits;
    char* at = out;
    memcpy(&bits, &value, sizeof bits);
    if (bits >> 63) *at++ = '-';
    if (!(value - value == 0) || value == 0) {
        memcpy(at, value == 0 ? "0" : value == value ? "inf" : "nan", 4);
        return strlen(out);
    }
    precision = precision < 1 ? 1 : precision > 17 ? 17 : precision; /* more tell nothing more of a double */
    int power = significant(value < 0 ? -value : value, precision, digits), count = precision;
    while (count > 1 && !digits[count - 1]) count--;
    const bool scientific = power < -4 || power >= precision;
    const int point = scientific ? 0 : power; /* after which digit the point is */
    for (int k = point < 0 ? point : 0; k < count || k <= point; k++) {
        *at++ = (char)('0' + (k >= 0 && k < count ? digits[k] : 0));
        if (k == point && k + 1 < count) *at++ = '.';
    }
    if (scientific) {
        char exponent[24], *first = digits_of((uint64_t)(power < 0 ? -power : power), 10, exponent + sizeof exponent);
        if (first == exponent + sizeof exponent - 1) *--first = '0';
        *at++ = 'e';
        *at++ = power < 0 ? '-' : '+';
        while (first < exponent + sizeof exponent) *at++ = *first++;
    }
    *at = 0;
    return (size_t)(at - out);
}

static size_t print(char* out, size_t size, const char* format, va_list arguments) {
    Text text = {out, size, 0};
    for (; *format; format++) {
        if (*format != '%') {
            put(&text, *format);
            continue;
        }
        char pad = ' ', buffer[48], *const end = buffer + sizeof buffer;
        size_t width = 0;
        int precision = -1, longs = 0;
        if (*++format == '0') pad = *format++;
        for (; *format >= '0' && *format <= '9'; format++) width = width * 10 + (size_t)(*format - '0');
        if (*format == '.') {
            precision = *++format == '*' ? va_arg(arguments, int) : 0;
            if (*format == '*') format++;
            for (; *format >= '0' && *format <= '9'; format++) precision = precision * 10 + (*format - '0');
        }
        for (; *format == 'l' || *format == 'z'; format++) longs += *format == 'l';
        if (*format == 'd') {
            const int64_t number = longs > 1 ? va_arg(arguments, long long) : va_arg(arguments, int);
            char* first = digits_of(number < 0 ? -(uint64_t)number : (uint64_t)number, 10, end);
            if (number < 0) *--first = '-';
            put_all(&text, first, (size_t)(end - first), width, ' ');
        } else if (*format == 'u' || *format == 'x') {
            const uint64_t number = longs > 1 ? va_arg(arguments, unsigned long long) : va_arg(arguments, unsigned);
            const char* first = digits_of(number, *format == 'u' ? 10 : 16, end);
            put_all(&text, first, (size_t)(end - first), width, pad);
        } else if (*format == 'g') {
            const double value = va_arg(arguments, double);
            put_all(&text, buffer, put_number(value, precision < 0 ? 6 : precision, buffer), width, ' ');
        } else if (*format == 's') {
            const char *word = va_arg(arguments, const char*), *last = word;
            while ((precision < 0 || last - word < precision) && *last) last++;
            put_all(&text, word, (size_t)(last - word), width, ' ');
        } else {
            put(&text, *format == 'c' ? (char)va_arg(arguments, int) : *format);
        }
    }
    if (size) out[text.length < size ? text.length : size - 1] = 0;
    return text.length;
}

int snprintf(char* out, size_t size, const char* format, ...) {
    va_list arguments;
    va_start(arguments, format);
    const size_t length = print(out, size, format, arguments);
    va_end(arguments);
    return (int)length;
}

/* ---- The console, for tests */

__attribute__((import_module("console"), import_name("write"))) void console_write(const char* text, size_t length);

int printf(const char* format, ...) {
    static char line[1024];
    va_list arguments;
    va_start(arguments, format);
    const size_t length = print(line, sizeof line, format, arguments);
    va_end(arguments);
    console_write(line, length < sizeof line ? length : sizeof line - 1);
    return (int)length;
}

int puts(const char* text) { return printf("%s\n", text); }
