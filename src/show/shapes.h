/* shapes.h - lines, circles, arrows and text in a raylib window
 *
 * Multisampling is slow in software OpenGL. Instead, lines and circles have smooth edges: beside each is a strip in which its
 * colour fades out. All lengths are in pixels; y points down.
 */
#ifndef SHOW_SHAPES_H
#define SHOW_SHAPES_H

#include "show/font.h"
#include "show/raylib_calls.h"

#include <math.h>
#include <string.h>

enum { SHOW_LINE_HEIGHT = 20 }; /* pixels from one line of text to the next */

/* Red, green, blue and opacity, 0 to 255 each. */
static inline Color show_colour(int r, int g, int b, int a) {
    Color colour;
    colour.r = (unsigned char)r;
    colour.g = (unsigned char)g;
    colour.b = (unsigned char)b;
    colour.a = (unsigned char)a;
    return colour;
}

static inline Color show_transparent(Color colour) {
    colour.a = 0;
    return colour;
}

/* One corner of a triangle. Corners may come in either order: boids_window.h turns off the culling of back faces. */
static inline void show__corner(float x, float y, Color colour) {
    rlColor4ub(colour.r, colour.g, colour.b, colour.a);
    rlVertex2f(x, y);
}

/* A rectangle whose colour changes from `top` to `bottom`. */
static inline void show_gradient(float x, float y, float width, float height, Color top, Color bottom) {
    rlBegin(RL_TRIANGLES);
    show__corner(x, y, top);
    show__corner(x, y + height, bottom);
    show__corner(x + width, y + height, bottom);
    show__corner(x, y, top);
    show__corner(x + width, y + height, bottom);
    show__corner(x + width, y, top);
    rlEnd();
}

static inline void show_rectangle(float x, float y, float width, float height, Color colour) {
    show_gradient(x, y, width, height, colour, colour);
}

/* A line from one point to another. On each side it fades out over `thickness`. */
static inline void show_line(float x0, float y0, float x1, float y1, float thickness, Color colour) {
    const float dx = x1 - x0, dy = y1 - y0, length = sqrtf(dx * dx + dy * dy);
    if (length < 1e-3f) return;
    const float nx = -dy / length * thickness, ny = dx / length * thickness;
    const Color clear = show_transparent(colour);
    rlBegin(RL_TRIANGLES);
    for (int side = -1; side <= 1; side += 2) {
        const float sx = nx * (float)side, sy = ny * (float)side;
        show__corner(x0, y0, colour);
        show__corner(x0 + sx, y0 + sy, clear);
        show__corner(x1 + sx, y1 + sy, clear);
        show__corner(x0, y0, colour);
        show__corner(x1 + sx, y1 + sy, clear);
        show__corner(x1, y1, colour);
    }
    rlEnd();
}

/* The area between two circles. The colour changes from `inside` to `outside`. With an inner radius of 0 it is a disc. */
static inline void show_ring(float x, float y, float inner, float outer, Color inside, Color outside) {
    const int sides = 96; /* of every ring, so that adjoining rings share their corners and leave no gap */
    rlBegin(RL_TRIANGLES);
    for (int k = 0; k < sides; k++) {
        const float from = 6.28318531f * (float)k / (float)sides, to = 6.28318531f * (float)(k + 1) / (float)sides;
        const float c0 = cosf(from), s0 = sinf(from), c1 = cosf(to), s1 = sinf(to);
        show__corner(x + inner * c0, y + inner * s0, inside);
        show__corner(x + outer * c0, y + outer * s0, outside);
        show__corner(x + outer * c1, y + outer * s1, outside);
        if (inner <= 0.0f) continue;
        show__corner(x + inner * c0, y + inner * s0, inside);
        show__corner(x + outer * c1, y + outer * s1, outside);
        show__corner(x + inner * c1, y + inner * s1, inside);
    }
    rlEnd();
}

/* A circle line that fades out over `thickness` on both sides. */
static inline void show_circle(float x, float y, float radius, float thickness, Color colour) {
    const Color clear = show_transparent(colour);
    show_ring(x, y, fmaxf(radius - thickness, 0.0f), radius, clear, colour);
    show_ring(x, y, radius, radius + thickness, colour, clear);
}

static inline void show_arrow(float x0, float y0, float x1, float y1, Color colour) {
    const float dx = x1 - x0, dy = y1 - y0, length = sqrtf(dx * dx + dy * dy);
    if (length < 3.0f) return;
    const float head = length < 18.0f ? length * 0.5f : 9.0f, ux = dx / length * head, uy = dy / length * head;
    show_line(x0, y0, x1 - ux, y1 - uy, 2.5f, colour);
    rlBegin(RL_TRIANGLES);
    show__corner(x1, y1, colour);
    show__corner(x1 - ux - 0.6f * uy, y1 - uy + 0.6f * ux, colour);
    show__corner(x1 - ux + 0.6f * uy, y1 - uy - 0.6f * ux, colour);
    rlEnd();
}

/* --- text -------------------------------------------------------------------------------------------------------------------- */

/* The characters of font.h in one texture, each in a cell of its own. */
enum { SHOW__CELL = 18, SHOW__CELLS = 16 }; /* pixels; cells to a row */

static Texture show__font; /* of the window, of which a process has one. env_window.h loads and unloads it */

static inline void show_load_font(void) {
    enum { WIDTH = SHOW__CELL * SHOW__CELLS, HEIGHT = SHOW__CELL * ((SHOW_FONT_LAST - SHOW_FONT_FIRST) / SHOW__CELLS + 1) };
    static uint8_t pixels[HEIGHT * WIDTH][4];
    memset(pixels, 0, sizeof pixels);
    for (int code = SHOW_FONT_FIRST; code <= SHOW_FONT_LAST; code++) {
        const ShowGlyph* glyph = show_glyph((char)code);
        const int cell = code - SHOW_FONT_FIRST, x = cell % SHOW__CELLS * SHOW__CELL, y = cell / SHOW__CELLS * SHOW__CELL;
        for (int k = 0; k < glyph->width * glyph->height; k++) {
            uint8_t* pixel = pixels[(y + k / glyph->width) * WIDTH + x + k % glyph->width];
            pixel[0] = pixel[1] = pixel[2] = 255;
            pixel[3] = (uint8_t)((glyph->pixels[k] - 'a') * 17);
        }
    }
    const Image image = {pixels, WIDTH, HEIGHT, 1, PIXELFORMAT_UNCOMPRESSED_R8G8B8A8};
    show__font = LoadTextureFromImage(image);
}

static inline void show_unload_font(void) {
    if (show__font.id) UnloadTexture(show__font);
    show__font.id = 0;
}

static inline float show_text_width(const char* text) {
    float width = 0.0f;
    for (; *text; text++) width += show_glyph(*text)->advance;
    return width;
}

/* x, y: the top left corner of the text. It is drawn pixel by pixel, which keeps it sharp. */
static inline void show_text(const char* text, float x, float y, Color colour) {
    const Vector2 origin = {0.0f, 0.0f};
    for (x = floorf(x), y = floorf(y); *text; text++) {
        const ShowGlyph* glyph = show_glyph(*text);
        const int code = (unsigned char)*text, cell = code < SHOW_FONT_FIRST || code > SHOW_FONT_LAST ? '?' : code;
        const float column = (float)((cell - SHOW_FONT_FIRST) % SHOW__CELLS * SHOW__CELL);
        const float row = (float)((cell - SHOW_FONT_FIRST) / SHOW__CELLS * SHOW__CELL);
        const float width = glyph->width, height = glyph->height;
        const Rectangle from = {column, row, width, height};
        const Rectangle to = {x + glyph->left, y + glyph->top, width, height};
        if (glyph->width) DrawTexturePro(show__font, from, to, origin, 0.0f, colour);
        x += glyph->advance;
    }
}

/* x, y: the top right corner of the text. */
static inline void show_text_before(const char* text, float x, float y, Color colour) {
    show_text(text, x - show_text_width(text), y, colour);
}

#endif
