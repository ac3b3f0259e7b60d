/* boids_film.h - the frames of a film: a flock with trails behind it, and a line of text. As boids_pixels.h, it needs no window
 *
 *     static uint8_t trails[480 * 720 * 3], frame[480 * 720 * 3];     // zeros before the first frame
 *     for (;;) {
 *         c_step(&env);
 *         c_film(&env, trails, 720, 480);                             // once a step
 *         memcpy(frame, trails, sizeof frame);
 *         c_caption(&env, frame, 720, 480);
 *     }
 *
 * The picture itself holds the trails: c_film lets what it finds there fade, and draws the flock over it. So the caption is written
 * into a copy. The frame before and the flock decide all pixels.
 */
#ifndef BOIDS_FILM_H
#define BOIDS_FILM_H

#include "show/boids_pixels.h"
#include "show/font.h"

#include <stdio.h>

enum {
    BOIDS_MOST_TRAILS = 4000,  /* with more boids little can be seen of their trails, and none are drawn */
    BOIDS__TRAIL = 76,         /* how much brighter than the background a trail is at most, 0 to 255 */
    BOIDS__FADE = 232,         /* of 256: what a step leaves of a trail, of which a film shows 30 a second and a window 60 */
    BOIDS__CAPTION_WIDTH = 240 /* pixels; a narrower picture has no caption */
};

/* The length of the mean heading, 0 to 1. */
static inline float boids_polarization(const Boids* env) {
    double c = 0.0, s = 0.0;
    for (int32_t i = 0; i < env->num_boids; i++) {
        c += (double)sight_cos(env->heading[i]);
        s += (double)sight_sin(env->heading[i]);
    }
    return (float)(sqrt(c * c + s * s) / env->num_boids);
}

/* Darkens what is brighter than the background in a row of pixels, and lightens what is darker to the background. */
static inline void boids__fade_row(uint8_t* pixel, int32_t width, const uint8_t colour[3]) {
    for (int32_t x = 0; x < width; x++, pixel += 3) {
        int32_t brighter[3], most = 0;
        for (int k = 0; k < 3; k++) {
            brighter[k] = pixel[k] > colour[k] ? pixel[k] - colour[k] : 0;
            most = brighter[k] > most ? brighter[k] : most;
        }
        const int32_t share = most > BOIDS__TRAIL ? BOIDS__TRAIL * BOIDS__FADE / most : BOIDS__FADE;
        for (int k = 0; k < 3; k++) pixel[k] = (uint8_t)(colour[k] + brighter[k] * share / 256);
    }
}

/* Draws the flock over the frame before, of which trails remain. rgb: (height x width x 3), from the top row, both at least 1; zeros
 * before the first frame. */
#define c_film c_film
static inline void c_film(const Boids* env, uint8_t* rgb, int32_t width, int32_t height) {
    const BoidsPicture picture = boids__fit(env, rgb, width, height);
    const bool first = !rgb[0] && !rgb[1] && !rgb[2]; /* no background is black */
    if (first || env->num_boids > BOIDS_MOST_TRAILS) boids__draw_background(&picture);
    for (int32_t y = 0; y < picture.world_height; y++) {
        uint8_t colour[3];
        const size_t start = (size_t)(picture.top + y) * (size_t)width + (size_t)picture.left;
        boids__row_colour(&picture, picture.top + y, colour);
        boids__fade_row(rgb + start * 3, picture.world_width, colour);
    }
    boids__draw_boids(env, &picture);
}

/* Writes text into a picture, each pixel of the font as a square of `scale` pixels. x, y: the top left corner. What does not fit is
 * left out. */
static inline void show_write(uint8_t* rgb, int32_t width, int32_t height, int32_t x, int32_t y, int32_t scale,
                              const char* text, uint64_t colour) {
    for (; *text; text++) {
        const ShowGlyph* glyph = show_glyph(*text);
        for (int32_t k = 0; k < glyph->width * glyph->height * scale * scale; k++) {
            const int32_t across = k % (glyph->width * scale), down = k / (glyph->width * scale);
            const int32_t column = x + glyph->left * scale + across, row = y + glyph->top * scale + down;
            if (column < 0 || row < 0 || column >= width || row >= height) continue;
            const int32_t cover = glyph->pixels[down / scale * glyph->width + across / scale] - 'a'; /* 0 to 15 */
            show__blend(rgb + ((size_t)row * (size_t)width + (size_t)column) * 3, colour, (uint32_t)cover * 17);
        }
        x += glyph->advance * scale;
    }
}

/* Writes the step and the polarization into the bottom left corner of the world. */
#define c_caption c_caption
static inline void c_caption(const Boids* env, uint8_t* rgb, int32_t width, int32_t height) {
    const BoidsPicture picture = boids__fit(env, rgb, width, height);
    const int32_t scale = 1 + picture.world_height / 1000, margin = 10 * scale;
    if (picture.world_width < BOIDS__CAPTION_WIDTH) return;
    char text[64];
    snprintf(text, sizeof text, "step %d   polarization %.2f", (int)env->tick, (double)boids_polarization(env));
    show_write(rgb, width, height, picture.left + margin,
               picture.top + picture.world_height - SHOW_FONT_HEIGHT * scale - margin / 2, scale, text,
               show__pack(176, 198, 220));
}

#endif
