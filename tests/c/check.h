/* check.h - a C test is a program that makes claims
 *
 *     static void test_wraps(void) { CHECK_EQ(wrap(11, 10), 1); }
 *     int main(void) {
 *         RUN(test_wraps);
 *         return check_result();
 *     }
 *
 * A claim that does not hold is reported as file:line with what was said, and the rest goes on, so that one run shows them all.
 */
#ifndef CHECK_H
#define CHECK_H

#include <stdio.h>
#include <string.h>

static int check_count, check_failures;

static inline void check_say(int ok, const char* file, int line, const char* claim) {
    check_count++;
    if (ok) return;
    check_failures++;
    printf("%s:%d: %s\n", file, line, claim);
}

static inline void check_equal(double a, double b, double tolerance, const char* file, int line, const char* claim) {
    const int ok = a == b || (a - b <= tolerance && b - a <= tolerance); /* false for NaN */
    check_say(ok, file, line, claim);
    if (!ok) printf("    %.17g and %.17g\n", a, b);
}

static inline void check_equal_text(const char* a, const char* b, const char* file, int line, const char* claim) {
    const int ok = a && b ? strcmp(a, b) == 0 : a == b;
    check_say(ok, file, line, claim);
    if (!ok) printf("    %s\n    %s\n", a ? a : "NULL", b ? b : "NULL");
}

/* For `make test` to show what ran; 1 when a claim failed, which is main's exit status. */
static inline int check_result(void) {
    printf("%d claims, %d failed\n", check_count, check_failures);
    return check_failures || !check_count;
}

#define CHECK(claim) check_say(!!(claim), __FILE__, __LINE__, #claim)
#define CHECK_EQ(a, b) check_equal((double)(a), (double)(b), 0, __FILE__, __LINE__, #a " == " #b)
#define CHECK_NEAR(a, b, tolerance) check_equal((double)(a), (double)(b), tolerance, __FILE__, __LINE__, #a " is near " #b)
#define CHECK_TEXT(a, b) check_equal_text(a, b, __FILE__, __LINE__, #a " is the text " #b)
#define RUN(test) (printf("%s\n", #test), test())

#endif
