/* boids_render.h - the client: draws a flock, reads it, and never changes how it steps
 *
 * c_render draws into pixels of the caller: an antialiased rasteriser of its own, which needs no window, no GL and no display.
 * One triangle a boid, its colour the heading. The world keeps its shape and is centred; y points up.
 */
#ifndef BOIDS_RENDER_H
#define BOIDS_RENDER_H

#include "boids.h"

typedef struct BoidsImage {
    uint8_t* rgb; /* (height x width x 3), from the top row */
    int32_t width, height;
} BoidsImage;

BOIDS_INLINE uint8_t boids__mix(uint8_t under, float over, float cover) {
    return (uint8_t)((float)under + (over - (float)under) * cover + 0.5f);
}

/* Fills the triangle x[3], y[3] (pixels, counter-clockwise as seen with y down being clockwise) with a colour of 0 .. 255.
 * A pixel's cover is the distance of its centre to the nearest edge, plus a half, within 0 .. 1. */
static inline void boids__triangle(BoidsImage* image, const float x[3], const float y[3], const float colour[3]) {
    float least_x = x[0], most_x = x[0], least_y = y[0], most_y = y[0];
    float nx[3], ny[3], offset[3];
    for (int k = 0; k < 3; k++) {
        const int next = (k + 1) % 3;
        least_x = fminf(least_x, x[k]);
        most_x = fmaxf(most_x, x[k]);
        least_y = fminf(least_y, y[k]);
        most_y = fmaxf(most_y, y[k]);
        const float ex = x[next] - x[k], ey = y[next] - y[k], length = sqrtf(ex * ex + ey * ey);
        nx[k] = -ey / length;
        ny[k] = ex / length;
        offset[k] = 0.5f - nx[k] * x[k] - ny[k] * y[k];
    }
    const int32_t left = least_x > 1.0f ? (int32_t)least_x - 1 : 0, top = least_y > 1.0f ? (int32_t)least_y - 1 : 0;
    const int32_t right = most_x < (float)image->width - 1.0f ? (int32_t)most_x + 1 : image->width - 1;
    const int32_t bottom = most_y < (float)image->height - 1.0f ? (int32_t)most_y + 1 : image->height - 1;
    for (int32_t row = top; row <= bottom; row++) {
        uint8_t* pixel = image->rgb + ((size_t)row * (size_t)image->width + (size_t)left) * 3;
        for (int32_t column = left; column <= right; column++, pixel += 3) {
            const float px = (float)column + 0.5f, py = (float)row + 0.5f;
            float cover = 1.0f;
            for (int k = 0; k < 3; k++) cover = fminf(cover, nx[k] * px + ny[k] * py + offset[k]);
            if (cover <= 0.0f) continue;
            for (int k = 0; k < 3; k++) pixel[k] = boids__mix(pixel[k], colour[k], cover);
        }
    }
}

/* A dark sea, lighter towards the top. */
static inline void boids__sea(BoidsImage* image) {
    for (int32_t row = 0; row < image->height; row++) {
        const float light = 1.0f - (float)row / (float)image->height;
        uint8_t* pixel = image->rgb + (size_t)row * (size_t)image->width * 3;
        for (int32_t column = 0; column < image->width; column++, pixel += 3) {
            pixel[0] = (uint8_t)(6.0f + 6.0f * light);
            pixel[1] = (uint8_t)(16.0f + 18.0f * light);
            pixel[2] = (uint8_t)(30.0f + 26.0f * light);
        }
    }
}

/* Draws the flock. rgb: (height x width x 3), from the top row. */
static inline void c_render(Boids* env, uint8_t* rgb, int32_t width, int32_t height) {
    BoidsImage image = {rgb, width, height};
    boids__sea(&image);
    const float scale = fminf((float)width / env->width, (float)height / env->height); /* pixels per world unit */
    const float w = env->width * scale, h = env->height * scale;
    const float x0 = ((float)width - w) * 0.5f, y0 = ((float)height - h) * 0.5f;
    const float length = fmaxf(1.2f * env->collision_radius * scale, 4.5f); /* nose to centre, pixels */
    for (int32_t i = 0; i < env->num_boids; i++) {
        const float c = boids_cos(env->heading[i]), s = -boids_sin(env->heading[i]);
        const float x = (float)env->x[i] * (1.0f / 4294967296.0f) * w;
        const float y = h - (float)env->y[i] * (1.0f / 4294967296.0f) * h;
        /* a wheel of three cosines, bright all around */
        const float colour[3] = {153.0f + 102.0f * c, 165.0f + 80.0f * (-0.5f * c - 0.866f * s),
                                 185.0f + 70.0f * (-0.5f * c + 0.866f * s)};
        const float nose_x = c * length, nose_y = s * length;
        const float tail_x[2] = {-0.75f * nose_x - 0.5f * nose_y, -0.75f * nose_x + 0.5f * nose_y};
        const float tail_y[2] = {-0.75f * nose_y + 0.5f * nose_x, -0.75f * nose_y - 0.5f * nose_x};
        /* once for itself and once for every side of the torus it sticks out of */
        for (int wrap_x = -1; wrap_x <= 1; wrap_x++) {
            for (int wrap_y = -1; wrap_y <= 1; wrap_y++) {
                const float cx = x + (float)wrap_x * w, cy = y + (float)wrap_y * h;
                if (cx < -length || cx > w + length || cy < -length || cy > h + length) continue;
                const float px[3] = {x0 + cx + nose_x, x0 + cx + tail_x[0], x0 + cx + tail_x[1]};
                const float py[3] = {y0 + cy + nose_y, y0 + cy + tail_y[0], y0 + cy + tail_y[1]};
                boids__triangle(&image, px, py, colour);
            }
        }
    }
}

#endif
