/* boids_pixels.h - a flock as pixels: an antialiased rasteriser of its own, which needs no window, no GL and no display
 *
 * A boid is a dart whose colour is its heading, or where there is no room for one, a soft dot. Darts grow with the room that a boid
 * has, so that any flock looks well in any picture. The world keeps its shape and is centred, y points up, and a boid on a seam is
 * on both sides. Reads the flock and changes nothing; allocates nothing; the same flock gives the same pixels.
 */
#ifndef BOIDS_PIXELS_H
#define BOIDS_PIXELS_H

#include "boids.h"

#define BOIDS_SHORTEST 3.5f /* dart, pixels: shorter ones have no shape to see */

typedef struct BoidsPicture {
    uint8_t* rgb; /* (height x width x 3), from the top row */
    int32_t width, height;
    int32_t left, top, world_width, world_height; /* where the world is, in pixels, at least 1 x 1 */
} BoidsPicture;

/* The colour of boid i, 0 .. 255: a wheel around its heading, on which every hue is as light as the others to the eye: coral to the
 * right, gold up, mint to the left, blue down. First harmonics of OKLCH's circle of lightness 0.8, chroma 0.12, greener by 7. */
static inline void boids_colour(const Boids* env, int32_t i, float rgb[3]) {
    const float c = boids_cos(env->heading[i]), s = boids_sin(env->heading[i]);
    rgb[0] = 165.0f + 83.0f * c + 33.0f * s;
    rgb[1] = 192.0f - 30.0f * c;
    rgb[2] = 166.0f - 88.0f * s;
}

/* Not fminf, which compilers call where this is one instruction. */
BOIDS_INLINE float boids__least(float a, float b) { return a < b ? a : b; }
BOIDS_INLINE float boids__most(float a, float b) { return a > b ? a : b; }
BOIDS_INLINE float boids__unit(float v) { return boids__most(boids__least(v, 1.0f), 0.0f); }

/* Three bytes in lanes of sixteen bits, so that one multiplication does for all. */
BOIDS_INLINE uint64_t boids__lanes(uint32_t red, uint32_t green, uint32_t blue) {
    return red | (uint64_t)green << 16 | (uint64_t)blue << 32;
}

/* Lays a colour of boids__lanes over a pixel. cover: 0 .. 256. */
BOIDS_INLINE void boids__blend(uint8_t* pixel, uint64_t colour, uint32_t cover) {
    const uint64_t under = boids__lanes(pixel[0], pixel[1], pixel[2]);
    const uint64_t mixed = under * (256 - cover) + colour * cover + 0x008000800080u; /* rounded; each at most 65408 */
    pixel[0] = (uint8_t)(mixed >> 8);
    pixel[1] = (uint8_t)(mixed >> 24);
    pixel[2] = (uint8_t)(mixed >> 40);
}

/* v as an integer between the two, whatever it is: a float beyond an int32_t's range has none. */
BOIDS_INLINE int32_t boids__between(float v, int32_t low, int32_t high) {
    return v <= (float)low ? low : v >= (float)high ? high : (int32_t)v;
}

/* A night sea: lighter towards the top, darker beyond the world. Most rows are those above them once more. */
static inline void boids__sea(const BoidsPicture* picture) {
    static const float top[3] = {13.0f, 36.0f, 60.0f}, bottom[3] = {4.0f, 11.0f, 26.0f};
    const size_t stride = (size_t)picture->width * 3;
    uint8_t colour[3] = {0, 0, 0};
    for (int32_t y = 0; y < picture->height; y++) {
        uint8_t* row = picture->rgb + (size_t)y * stride;
        const float depth = ((float)y + 0.5f) / (float)picture->height;
        const bool inside = y >= picture->top && y - picture->top < picture->world_height;
        bool same = y != 0 && y != picture->top && y - picture->top != picture->world_height;
        for (int k = 0; k < 3; k++) {
            const uint8_t shade = (uint8_t)(top[k] + (bottom[k] - top[k]) * depth + 0.5f);
            same = same && shade == colour[k];
            colour[k] = shade;
        }
        if (same) {
            memcpy(row, row - stride, stride);
            continue;
        }
        for (int32_t x = 0; x < picture->width; x++) {
            const bool world = inside && x >= picture->left && x - picture->left < picture->world_width;
            for (int k = 0; k < 3; k++) *row++ = world ? colour[k] : (uint8_t)(colour[k] / 2);
        }
    }
}

/* A dart at x, y, pixels from the top left of the world, that points along c, s (y down), within the world.
 *
 * In its own frame, u ahead and v aside, it is its own mirror image, so that |v| and two lines do: the side, from the nose to the
 * end of a wing, and the rear, from there to the notch. A pixel's cover is its distance to each, plus a half; near the nose, which
 * is thinner than a pixel, the width there. */
static inline void boids__dart(const BoidsPicture* picture, float x, float y, float c, float s, float length, uint64_t light,
                               uint64_t dark) {
    const float nose = 0.56f * length, wing = -0.44f * length, notch = -0.24f * length, span = 0.31f * length;
    const float side_u = 0.296f, side_v = 0.955f; /* the unit normals: of (span, nose - wing), */
    const float rear_u = 0.840f, rear_v = 0.542f; /* and of (span, notch - wing) */
    const float across_x = span * fabsf(s), across_y = span * fabsf(c), pad = 0.75f;
    const int32_t right = picture->world_width - 1, bottom = picture->world_height - 1;
    const int32_t from_x = boids__between(x - pad + boids__least(nose * c, wing * c - across_x), 0, right);
    const int32_t to_x = boids__between(x + pad + boids__most(nose * c, wing * c + across_x), 0, right);
    const int32_t from_y = boids__between(y - pad + boids__least(nose * s, wing * s - across_y), 0, bottom);
    const int32_t to_y = boids__between(y + pad + boids__most(nose * s, wing * s + across_y), 0, bottom);
    for (int32_t row = from_y; row <= to_y; row++) {
        const float dx = (float)from_x + 0.5f - x, dy = (float)row + 0.5f - y;
        float u = dx * c + dy * s, v = dy * c - dx * s;
        uint8_t* pixel =
            picture->rgb + ((size_t)(picture->top + row) * (size_t)picture->width + (size_t)(picture->left + from_x)) * 3;
        for (int32_t column = from_x; column <= to_x; column++, pixel += 3, u += c, v -= s) {
            const float aside = fabsf(v), ahead = nose - u;
            const float side = boids__unit(boids__least(side_u * ahead - side_v * aside + 0.5f, 2.0f * side_u * ahead));
            const float rear = boids__unit(rear_u * (u - notch) + rear_v * aside + 0.5f);
            boids__blend(pixel, v < 0.0f ? light : dark, (uint32_t)(int32_t)(side * rear * 256.0f));
        }
    }
}

/* A pixel and a half of colour, shared out among the four that it lies on. x, y: 2^32 to the world's width and height, y down. */
static inline void boids__dot(const BoidsPicture* picture, uint32_t x, uint32_t y, uint64_t colour) {
    const uint32_t width = (uint32_t)picture->world_width, height = (uint32_t)picture->world_height;
    /* in 256ths of a pixel, half a pixel back: what is left of 0 comes round to the other side */
    const uint64_t across = ((uint64_t)x * width >> 24) + (uint64_t)width * 256 - 128;
    const uint64_t down = ((uint64_t)y * height >> 24) + (uint64_t)height * 256 - 128;
    const uint32_t part_x = across & 255, part_y = down & 255;
    const uint32_t left = (uint32_t)((across >> 8) % width), top = (uint32_t)((down >> 8) % height);
    const uint32_t columns[2] = {left, left + 1 < width ? left + 1 : 0}, rows[2] = {top, top + 1 < height ? top + 1 : 0};
    for (int j = 0; j < 2; j++) {
        uint8_t* row = picture->rgb + ((size_t)picture->top + rows[j]) * (size_t)picture->width * 3;
        for (int k = 0; k < 2; k++) {
            const uint32_t share = (j ? part_y : 256 - part_y) * (k ? part_x : 256 - part_x) * 3 >> 9;
            const uint32_t cover = share < 256 ? share : 256;
            boids__blend(row + ((size_t)picture->left + columns[k]) * 3, colour, cover);
        }
    }
}

/* Draws the flock. rgb: (height x width x 3), from the top row, both at least 1. */
#define c_pixels c_pixels
static inline void c_pixels(const Boids* env, uint8_t* rgb, int32_t width, int32_t height) {
    const float scale = boids__least((float)width / env->width, (float)height / env->height); /* pixels per world unit */
    BoidsPicture picture = {rgb, width, height, 0, 0, 0, 0};
    picture.world_width = boids__between(env->width * scale + 0.5f, 1, width);
    picture.world_height = boids__between(env->height * scale + 0.5f, 1, height);
    picture.left = (width - picture.world_width) / 2;
    picture.top = (height - picture.world_height) / 2;
    boids__sea(&picture);

    const float w = (float)picture.world_width, h = (float)picture.world_height;
    const float room = sqrtf(w * h / (float)env->num_boids);      /* the side of a boid's share of the world, pixels */
    const float length = boids__least(2.0f * sqrtf(room), 48.0f); /* nose to wings, pixels */
    const float reach = 0.6f * length + 1.0f;                     /* that a dart stays within */
    for (int32_t i = 0; i < env->num_boids; i++) {
        float colour[3];
        boids_colour(env, i, colour);
        const uint32_t red = (uint32_t)(int32_t)colour[0], green = (uint32_t)(int32_t)colour[1];
        const uint32_t blue = (uint32_t)(int32_t)colour[2];
        const uint64_t light = boids__lanes(red, green, blue);
        if (length < BOIDS_SHORTEST) {
            boids__dot(&picture, env->x[i], ~env->y[i], light);
            continue;
        }
        /* one wing in the shade, as of folded paper */
        const uint64_t dark = boids__lanes(red * 7 / 9, green * 7 / 9, blue * 7 / 9);
        const float c = boids_cos(env->heading[i]), s = -boids_sin(env->heading[i]);
        const float x = (float)env->x[i] * (1.0f / 4294967296.0f) * w;
        const float y = (float)~env->y[i] * (1.0f / 4294967296.0f) * h;
        /* once more for every side of the torus that it may stick out of */
        for (int32_t n = y < reach ? 1 : 0; n >= (y > h - reach ? -1 : 0); n--)
            for (int32_t m = x < reach ? 1 : 0; m >= (x > w - reach ? -1 : 0); m--)
                boids__dart(&picture, x + (float)m * w, y + (float)n * h, c, s, length, light, dark);
    }
}

#endif
