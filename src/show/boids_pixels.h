/* boids_pixels.h - a picture of a flock, drawn into an array of pixels. It needs no window, no OpenGL and no display
 *
 *     static uint8_t rgb[720 * 1280 * 3];
 *     c_pixels(&env, rgb, 1280, 720);
 *
 * A boid is a dart in the colour of its heading. Darts become smaller as the share of the picture that a boid has becomes smaller;
 * where a dart would be too small to have a shape, a boid is a soft dot. The world keeps its shape and is in the middle; y points
 * up. A boid that sticks out of the world on one side comes in on the other. Edges are smooth.
 *
 * It reads the flock and changes nothing. It allocates nothing. The same flock gives the same pixels.
 */
#ifndef BOIDS_PIXELS_H
#define BOIDS_PIXELS_H

#include "boids.h"

#define BOIDS_SHORTEST_DART 3.5f /* pixels; a shorter dart has no shape to see */
#ifndef BOIDS_PALETTE /* see boids_heading_colour */
#define BOIDS_PALETTE {{165.0f, 83.0f, 33.0f}, {192.0f, -30.0f, 0.0f}, {166.0f, 0.0f, -88.0f}}
#endif

typedef struct BoidsPicture {
    uint8_t* rgb; /* (height x width x 3), from the top row */
    int32_t width, height;
    int32_t left, top, world_width, world_height; /* where the world is, in pixels, at least 1 x 1 */
} BoidsPicture;

/* Written out because compilers turn these into one instruction each, and fminf into a call. */
static inline float show__min(float a, float b) { return a < b ? a : b; }
static inline float show__max(float a, float b) { return a > b ? a : b; }
static inline float show__clamp01(float v) { return show__max(show__min(v, 1.0f), 0.0f); }

/* The colour of a heading (2^16 to a full turn), 0 to 255 each: a hue, of equal lightness to the eye. Coral is to the right, gold up, mint to
 * the left, blue down. It approximates the circle of lightness 0.8 and chroma 0.12 in the colour space OKLCH by one sine and cosine
 * each, with 7 added to green. */
static inline void boids_heading_colour(int32_t heading, float rgb[3]) {
    static const float palette[3][3] = BOIDS_PALETTE; /* of red, green, blue: the mean, times the cosine, times the sine */
    const float c = sight_cos(heading), s = sight_sin(heading);
    for (int k = 0; k < 3; k++)
        rgb[k] = show__max(show__min(palette[k][0] + palette[k][1] * c + palette[k][2] * s, 255.0f), 0.0f);
}

/* v as an integer from low to high. It compares floats first, because a float outside of int32_t must not be converted. */
static inline int32_t show__clamp_int(float v, int32_t low, int32_t high) {
    return v <= (float)low ? low : v >= (float)high ? high : (int32_t)v;
}

/* A colour in one integer, 16 bits for each of its three bytes, so that one multiplication scales all three. */
static inline uint64_t show__pack(uint32_t red, uint32_t green, uint32_t blue) {
    return red | (uint64_t)green << 16 | (uint64_t)blue << 32;
}

/* Mixes a packed colour into a pixel. cover: its share, 0 to 256 of 256. */
static inline void show__blend(uint8_t* pixel, uint64_t colour, uint32_t cover) {
    const uint64_t under = show__pack(pixel[0], pixel[1], pixel[2]);
    const uint64_t mixed = under * (256 - cover) + colour * cover + 0x008000800080u; /* rounded; each at most 65408 */
    pixel[0] = (uint8_t)(mixed >> 8);
    pixel[1] = (uint8_t)(mixed >> 24);
    pixel[2] = (uint8_t)(mixed >> 40);
}

/* The colour of a row of the background: dark blue, lighter towards the top. */
static inline void boids__row_colour(const BoidsPicture* picture, int32_t y, uint8_t colour[3]) {
    static const float top[3] = {13.0f, 36.0f, 60.0f}, bottom[3] = {4.0f, 11.0f, 26.0f};
    const float depth = ((float)y + 0.5f) / (float)picture->height;
    for (int k = 0; k < 3; k++) colour[k] = (uint8_t)(top[k] + (bottom[k] - top[k]) * depth + 0.5f);
}

/* The background, half as light outside the world. Rows of equal colour are copied. */
static inline void boids__draw_background(const BoidsPicture* picture) {
    const size_t stride = (size_t)picture->width * 3;
    uint8_t colour[3] = {0, 0, 0};
    for (int32_t y = 0; y < picture->height; y++) {
        uint8_t *row = picture->rgb + (size_t)y * stride, before[3];
        const bool inside = y >= picture->top && y - picture->top < picture->world_height;
        memcpy(before, colour, 3);
        boids__row_colour(picture, y, colour);
        if (y != 0 && y != picture->top && y - picture->top != picture->world_height && !memcmp(before, colour, 3)) {
            memcpy(row, row - stride, stride);
            continue;
        }
        for (int32_t x = 0; x < picture->width; x++) {
            const bool world = inside && x >= picture->left && x - picture->left < picture->world_width;
            for (int k = 0; k < 3; k++) *row++ = world ? colour[k] : (uint8_t)(colour[k] / 2);
        }
    }
}

/* Draws a dart inside the world. x, y: its middle, in pixels from the top left corner of the world, y down. c, s: cosine and sine of
 * its direction, y down. length: in pixels. Its left half has the colour `light`, its right half `dark`.
 *
 * In the dart's own frame, u points ahead and v to the side. The dart is symmetric in v, so that two lines describe it: its side,
 * from the nose to the end of a wing, and its rear, from there to the notch. How much of a pixel is covered follows from its
 * distances to these lines, in pixels, plus 1/2. Near the nose, where the dart is thinner than a pixel, the width of the dart limits
 * it. */
static inline void boids__draw_dart(const BoidsPicture* picture, float x, float y, float c, float s, float length,
                                    uint64_t light, uint64_t dark) {
    const float nose = 0.56f * length, wing = -0.44f * length, notch = -0.24f * length, span = 0.31f * length;
    const float side_u = 0.296f, side_v = 0.955f; /* unit normal of the side: of (span, nose - wing) */
    const float rear_u = 0.840f, rear_v = 0.542f; /* of the rear: of (span, notch - wing) */
    const float across_x = span * fabsf(s), across_y = span * fabsf(c), pad = 0.75f;
    const int32_t right = picture->world_width - 1, bottom = picture->world_height - 1;
    const int32_t from_x = show__clamp_int(x - pad + show__min(nose * c, wing * c - across_x), 0, right);
    const int32_t to_x = show__clamp_int(x + pad + show__max(nose * c, wing * c + across_x), 0, right);
    const int32_t from_y = show__clamp_int(y - pad + show__min(nose * s, wing * s - across_y), 0, bottom);
    const int32_t to_y = show__clamp_int(y + pad + show__max(nose * s, wing * s + across_y), 0, bottom);
    for (int32_t row = from_y; row <= to_y; row++) {
        const float dx = (float)from_x + 0.5f - x, dy = (float)row + 0.5f - y;
        float u = dx * c + dy * s, v = dy * c - dx * s;
        uint8_t* pixel =
            picture->rgb + ((size_t)(picture->top + row) * (size_t)picture->width + (size_t)(picture->left + from_x)) * 3;
        for (int32_t column = from_x; column <= to_x; column++, pixel += 3, u += c, v -= s) {
            const float aside = fabsf(v), ahead = nose - u;
            const float side = show__clamp01(show__min(side_u * ahead - side_v * aside + 0.5f, 2.0f * side_u * ahead));
            const float rear = show__clamp01(rear_u * (u - notch) + rear_v * aside + 0.5f);
            show__blend(pixel, v < 0.0f ? light : dark, (uint32_t)(int32_t)(side * rear * 256.0f));
        }
    }
}

/* Draws a dot: one and a half pixels of colour, shared among the four pixels that are nearest. x, y: 2^32 to the width and the height
 * of the world, y down. */
static inline void boids__draw_dot(const BoidsPicture* picture, uint32_t x, uint32_t y, uint64_t colour) {
    const uint32_t width = (uint32_t)picture->world_width, height = (uint32_t)picture->world_height;
    /* to the left and top of the four, in 1/256 pixels. A world is added, because left of 0 is the right side of the world */
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
            show__blend(row + ((size_t)picture->left + columns[k]) * 3, colour, cover);
        }
    }
}

/* Where the world is in a picture: as large as possible, in the middle. */
static inline BoidsPicture boids__fit(const Boids* env, uint8_t* rgb, int32_t width, int32_t height) {
    const float scale = show__min((float)width / env->width, (float)height / env->height); /* pixels per world unit */
    BoidsPicture picture = {rgb, width, height, 0, 0, 0, 0};
    picture.world_width = show__clamp_int(env->width * scale + 0.5f, 1, width);
    picture.world_height = show__clamp_int(env->height * scale + 0.5f, 1, height);
    /* no thin bar where the picture has the shape of the world, rounded to pixels */
    if ((width - picture.world_width) * 100 <= width) picture.world_width = width;
    if ((height - picture.world_height) * 100 <= height) picture.world_height = height;
    picture.left = (width - picture.world_width) / 2;
    picture.top = (height - picture.world_height) / 2;
    return picture;
}

/* Draws the boids over what is in the picture. */
static inline void boids__draw_boids(const Boids* env, const BoidsPicture* picture) {
    const float w = (float)picture->world_width, h = (float)picture->world_height;
    const float room = sqrtf(w * h / (float)env->num_boids);   /* side of a boid's share of the world, pixels */
    const float length = show__min(2.0f * sqrtf(room), 48.0f); /* of a dart, pixels */
    const float reach = 0.6f * length + 1.0f;                  /* no part of a dart is farther from its middle, pixels */
    for (int32_t i = 0; i < env->num_boids; i++) {
        float colour[3];
        boids_heading_colour(env->heading[i], colour);
        const uint32_t red = (uint32_t)(int32_t)colour[0], green = (uint32_t)(int32_t)colour[1];
        const uint32_t blue = (uint32_t)(int32_t)colour[2];
        const uint64_t light = show__pack(red, green, blue);
        if (length < BOIDS_SHORTEST_DART) {
            boids__draw_dot(picture, env->x[i], ~env->y[i], light);
            continue;
        }
        /* the right wing is darker, like folded paper in the light */
        const uint64_t dark = show__pack(red * 7 / 9, green * 7 / 9, blue * 7 / 9);
        const float c = sight_cos(env->heading[i]), s = -sight_sin(env->heading[i]);
        const float x = (float)env->x[i] * (1.0f / 4294967296.0f) * w;
        const float y = (float)~env->y[i] * (1.0f / 4294967296.0f) * h;
        /* the world is a torus: once more for each side that the dart may stick out of */
        for (int32_t n = y < reach ? 1 : 0; n >= (y > h - reach ? -1 : 0); n--)
            for (int32_t m = x < reach ? 1 : 0; m >= (x > w - reach ? -1 : 0); m--)
                boids__draw_dart(picture, x + (float)m * w, y + (float)n * h, c, s, length, light, dark);
    }
}

/* Draws the flock. rgb: (height x width x 3), from the top row, both at least 1. */
#define c_pixels c_pixels
static inline void c_pixels(const Boids* env, uint8_t* rgb, int32_t width, int32_t height) {
    const BoidsPicture picture = boids__fit(env, rgb, width, height);
    boids__draw_background(&picture);
    boids__draw_boids(env, &picture);
}

#endif
