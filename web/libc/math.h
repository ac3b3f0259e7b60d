/* math.h - of web/libc, which see libc.c: instructions of WebAssembly, and the browser's own functions for the rest
 *
 * The browser's sine may differ from another machine's in the last bit. What must have the same bits everywhere does not call it.
 */
#ifndef LIBC_MATH_H
#define LIBC_MATH_H

#define INFINITY __builtin_inff()
#define HUGE_VAL __builtin_inf()
#define NAN __builtin_nanf("")
#define M_PI 3.14159265358979323846
#define isnan(x) __builtin_isnan(x)
#define isinf(x) __builtin_isinf(x)
#define isfinite(x) __builtin_isfinite(x)
#define signbit(x) __builtin_signbit(x)

#define LIBC_INSTRUCTION(name)                                               \
    static inline double name(double x) { return __builtin_##name(x); } \
    static inline float name##f(float x) { return __builtin_##name##f(x); }
LIBC_INSTRUCTION(sqrt)
LIBC_INSTRUCTION(fabs)
LIBC_INSTRUCTION(floor)
LIBC_INSTRUCTION(ceil)
LIBC_INSTRUCTION(trunc)
LIBC_INSTRUCTION(rint)

#define LIBC_BROWSER(name)                                                              \
    __attribute__((import_module("Math"), import_name(#name))) double name(double); \
    static inline float name##f(float x) { return (float)name((double)x); }
LIBC_BROWSER(sin)
LIBC_BROWSER(cos)
LIBC_BROWSER(tan)
LIBC_BROWSER(asin)
LIBC_BROWSER(acos)
LIBC_BROWSER(atan)
LIBC_BROWSER(sinh)
LIBC_BROWSER(cosh)
LIBC_BROWSER(tanh)
LIBC_BROWSER(exp)
LIBC_BROWSER(expm1)
LIBC_BROWSER(log)
LIBC_BROWSER(log2)
LIBC_BROWSER(log10)
LIBC_BROWSER(log1p)
LIBC_BROWSER(cbrt)

#define LIBC_BROWSER_OF_TWO(name)                                                               \
    __attribute__((import_module("Math"), import_name(#name))) double name(double, double); \
    static inline float name##f(float x, float y) { return (float)name((double)x, (double)y); }
LIBC_BROWSER_OF_TWO(atan2)
LIBC_BROWSER_OF_TWO(pow)
LIBC_BROWSER_OF_TWO(hypot)

double fmod(double x, double y); /* exact */
float fmodf(float x, float y);

static inline double round(double x) {
    const double whole = trunc(x);
    return fabs(x - whole) < 0.5 ? whole : whole + (x < 0 ? -1 : 1);
}
static inline float roundf(float x) { return (float)round((double)x); }

/* Of two numbers; where one is NaN, the other. */
static inline double fmin(double x, double y) { return x < y || isnan(y) ? x : y; }
static inline double fmax(double x, double y) { return x > y || isnan(y) ? x : y; }
static inline float fminf(float x, float y) { return x < y || isnan(y) ? x : y; }
static inline float fmaxf(float x, float y) { return x > y || isnan(y) ? x : y; }

#endif
