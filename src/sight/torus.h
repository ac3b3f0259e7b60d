/* torus.h - positions, distances and headings in small integers: see "Lengths" in sight.h */
#ifndef SIGHT_TORUS_H
#define SIGHT_TORUS_H

#include "sight/types.h"

SIGHT_INLINE int16_t sight_low(uint32_t word) { return (int16_t)(uint16_t)word; }
SIGHT_INLINE int16_t sight_high(uint32_t word) { return (int16_t)(uint16_t)(word >> 16); }
SIGHT_INLINE uint32_t sight_word(int32_t low, int32_t high) { return ((uint32_t)low & 0xFFFF) | (uint32_t)high << 16; }

/* Sine and cosine of a heading, 2^16 to a full turn. The Taylor series of the sine to x^9, folded into a quarter turn: within 4e-6 of
 * the true value, and the same bits on every machine, which no libm promises. */
SIGHT_INLINE float sight_sin(int32_t heading) {
    int32_t h = (int16_t)heading;
    h = h > 16384 ? 32768 - h : h;
    h = h < -16384 ? -32768 - h : h;
    const float x = (float)h * (1.0f / 16384.0f);
    const float x2 = x * x;
    return x * (1.57079632679f +
                x2 * (-0.645964097506f + x2 * (0.0796926262462f + x2 * (-0.00468175413532f + x2 * 0.000160441184787f))));
}
SIGHT_INLINE float sight_cos(int32_t heading) { return sight_sin(heading + 16384); }

/* A cosine and a sine as a body carries them, in units of 1 / SIGHT_UNIT, rounded to the nearest. */
SIGHT_INLINE uint32_t sight_heading(float cosine, float sine) {
    const int32_t c = (int32_t)(cosine * SIGHT_UNIT + (SIGHT_UNIT + 0.5f)) - SIGHT_UNIT;
    const int32_t s = (int32_t)(sine * SIGHT_UNIT + (SIGHT_UNIT + 0.5f)) - SIGHT_UNIT;
    return sight_word(c, s);
}

/* v into [-1, 1]: its sign, and the lesser of its magnitude and 1. Floats compare as their bits do, and compilers find the vector
 * instruction for a minimum of integers, but not that of floats. */
SIGHT_INLINE float sight_clip(float v) {
    uint32_t bits, magnitude;
    memcpy(&bits, &v, sizeof bits);
    magnitude = bits & 0x7FFFFFFF;
    magnitude = magnitude < 0x3F800000 ? magnitude : 0x3F800000;
    bits = (bits & 0x80000000) | magnitude;
    memcpy(&v, &bits, sizeof v);
    return v;
}

/* The 16 bits of a position that pairs use. */
SIGHT_INLINE uint32_t sight__place(const Sight* sight, uint32_t x, uint32_t y) {
    return sight_word((int32_t)(x >> sight->x_axis.shift), (int32_t)(y >> sight->y_axis.shift));
}

/* round(a * b / 2^15). Compilers recognize this form as one instruction. */
SIGHT_INLINE int16_t sight__mulhrs(int16_t a, int16_t b) { return (int16_t)((((a * b) >> 14) + 1) >> 1); }

/* A difference along one axis, in the unit of sight->view. */
SIGHT_INLINE int16_t sight__offset(const SightAxis axis, int16_t d) {
    int32_t t = d;
    for (int k = 0; k < axis.doubles; k++) {
        t = 2 * t < 32767 ? 2 * t : 32767;
        t = t > -32768 ? t : -32768;
    }
    return axis.scale ? sight__mulhrs((int16_t)t, axis.scale) : (int16_t)t;
}

/* The square of a distance, in the unit of sight->view2. */
SIGHT_INLINE uint16_t sight__square(int16_t ux, int16_t uy) {
    return (uint16_t)((uint16_t)sight__mulhrs(ux, ux) + (uint16_t)sight__mulhrs(uy, uy));
}

/* The square of the distance from body a to body b, as a sees it. */
SIGHT_INLINE uint16_t sight__distance2(const Sight* sight, const SightBody* a, const SightBody* b) {
    return sight__square(sight__offset(sight->x_axis, (int16_t)(sight_low(b->xy) - sight_low(a->xy))),
                         sight__offset(sight->y_axis, (int16_t)(sight_high(b->xy) - sight_high(a->xy))));
}

#endif
