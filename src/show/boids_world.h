/* boids_world.h - the flock in its window: the boids, their trails, the view of one boid, and the guest
 *
 * A boid is a small picture (a dart), and all boids are one draw call. Lengths are in pixels where nothing else is said.
 */
#ifndef BOIDS_WORLD_H
#define BOIDS_WORLD_H

#include "show/boids_client.h"
#include "show/boids_pixels.h"
#include "show/shapes.h"

/* The three rules, in the view of a boid and in its observation. */
static inline Color boids__cohesion_colour(void) { return show_colour(120, 230, 150, 255); }
static inline Color boids__alignment_colour(void) { return show_colour(110, 190, 255, 255); }
static inline Color boids__separation_colour(void) { return show_colour(255, 120, 110, 255); }

enum { BOIDS__MANY = 63 }; /* neighbours from which on the colour stays the same */

/* From deep blue over green to pale yellow. t: 0 to 1. */
static inline void boids__gradient(float t, float rgb[3]) {
    static const float stops[5][3] = {{74, 92, 196}, {44, 148, 200}, {46, 200, 158}, {170, 226, 92}, {255, 240, 150}};
    const float at = (t < 0.0f ? 0.0f : t > 1.0f ? 1.0f : t) * 4.0f;
    const int k = at < 3.0f ? (int)at : 3;
    for (int c = 0; c < 3; c++) rgb[c] = stops[k][c] + (stops[k + 1][c] - stops[k][c]) * (at - (float)k);
}

/* The colour of a value by a colouring: a heading (2^16 to a full turn), a number of neighbours, a reward or a group. */
static inline Color boids__colour_of(int32_t colouring, float value) {
    float rgb[3];
    switch (colouring) {
        case BOIDS_BY_NEIGHBOURS: boids__gradient(log2f(value + 1.0f) / log2f(BOIDS__MANY + 1.0f), rgb); break;
        case BOIDS_BY_REWARD: {
            /* from red at -1 over grey at 0 to green at 1 */
            const float reward = value;
            const float end[3] = {reward < 0.0f ? 255.0f : 70.0f, reward < 0.0f ? 84.0f : 255.0f,
                                  reward < 0.0f ? 72.0f : 176.0f};
            for (int c = 0; c < 3; c++) rgb[c] = 120.0f + (end[c] - 120.0f) * sqrtf(fabsf(reward));
            break;
        }
        case BOIDS_BY_GROUP: {
            /* a hue; steps of the golden section, so that groups with similar numbers look different */
            const int32_t hue = (int32_t)(((uint32_t)value * 40503u) & 0xFFFF); /* 2^16 to a full turn */
            rgb[0] = 158.0f + 97.0f * sight_cos(hue);
            rgb[1] = 158.0f + 97.0f * sight_cos(hue - 21845);
            rgb[2] = 158.0f + 97.0f * sight_cos(hue + 21845);
            break;
        }
        default: boids_heading_colour((int32_t)value, rgb);
    }
    return show_colour((int)rgb[0], (int)rgb[1], (int)rgb[2], 255);
}

static inline Color boids__body_colour(const Boids* env, const BoidsClient* client, int32_t i) {
    const float values[BOIDS_NUM_COLOURINGS] = {(float)env->heading[i], (float)client->neighbours[i], env->rewards[i],
                                                (float)client->group[i]};
    return boids__colour_of(client->colouring, values[client->colouring]);
}

/* --- darts ------------------------------------------------------------------------------------------------------------------- */

/* A dart points along x and has its nose at x = 1; the unit is the length from its middle to its nose. It is drawn as one triangle,
 * which leaves room for smooth edges: from x = BOIDS__DART_BACK to BOIDS__DART_FRONT, and to BOIDS__DART_SIDE on both sides. */
#define BOIDS__DART_FRONT 1.5f
#define BOIDS__DART_BACK -1.1f
#define BOIDS__DART_SIDE 0.8f

/* The picture of a dart: the left half white, the right half grey, transparent around it. Edges are smooth: 16 samples a pixel. */
static inline Texture boids__dart_texture(void) {
    enum { WIDTH = 64, HEIGHT = 32, SAMPLES = 4 };
    uint8_t pixels[HEIGHT * WIDTH][4];
    for (int k = 0; k < HEIGHT * WIDTH; k++) {
        int covered = 0;
        for (int sample = 0; sample < SAMPLES * SAMPLES; sample++) {
            const float u = ((float)(k % WIDTH) + ((float)(sample % SAMPLES) + 0.5f) / SAMPLES) / WIDTH;
            const float v = ((float)(k / WIDTH) + ((float)(sample / SAMPLES) + 0.5f) / SAMPLES) / HEIGHT;
            const float x = BOIDS__DART_BACK + (BOIDS__DART_FRONT - BOIDS__DART_BACK) * u;
            const float y = fabsf((2.0f * v - 1.0f) * BOIDS__DART_SIDE);
            /* behind the line from the nose (1, 0) to the end of a wing (-0.8, 0.52), and before that from there to the notch
             * (-0.45, 0) */
            covered += y < (1.0f - x) * (0.52f / 1.8f) && x > -0.45f - y * (0.35f / 0.52f);
        }
        pixels[k][0] = pixels[k][1] = pixels[k][2] = k / WIDTH < HEIGHT / 2 ? 255 : 168;
        pixels[k][3] = (uint8_t)(covered * 255 / (SAMPLES * SAMPLES));
    }
    const Image image = {pixels, WIDTH, HEIGHT, 1, PIXELFORMAT_UNCOMPRESSED_R8G8B8A8};
    Texture texture = LoadTextureFromImage(image);
    GenTextureMipmaps(&texture);
    SetTextureFilter(texture, TEXTURE_FILTER_BILINEAR);
    return texture;
}

/* From a boid's middle to its nose: a little more than collision_radius, but 9 pixels at least, so that it has a shape. In a dense
 * flock it is smaller, so that boids do not cover each other, but 2.8 pixels at least. */
static inline float boids__dart_length(const Boids* env, const BoidsScreen* screen) {
    const float room =
        sqrtf(screen->width * screen->height / (float)env->num_boids); /* side of a boid's share of the world */
    const float length = fminf(fmaxf(1.3f * env->collision_radius * screen->scale, 9.0f), 0.4f * room);
    return fmaxf(length, 2.8f);
}

/* Darts are drawn between these two. raylib collects triangles into a batch of one texture; the batch has to be drawn, and so
 * emptied, before its texture changes. */
static inline void boids__begin_darts(const BoidsClient* client) {
    rlDrawRenderBatchActive();
    rlBegin(RL_TRIANGLES);
    rlSetTexture(client->dart.id);
}
static inline void boids__end_darts(void) {
    rlEnd();
    rlDrawRenderBatchActive();
    rlSetTexture(0);
}

/* A dart with its middle at x, y. nose: from there to its nose; wing: as far to its left as the dart is to be wide. */
static inline void boids__add_dart(float x, float y, float nose_x, float nose_y, float wing_x, float wing_y) {
    const float back_x = x + BOIDS__DART_BACK * nose_x, back_y = y + BOIDS__DART_BACK * nose_y;
    const float side_x = BOIDS__DART_SIDE * wing_x, side_y = BOIDS__DART_SIDE * wing_y;
    rlTexCoord2f(1.0f, 0.5f);
    rlVertex2f(x + BOIDS__DART_FRONT * nose_x, y + BOIDS__DART_FRONT * nose_y);
    rlTexCoord2f(0.0f, 0.0f);
    rlVertex2f(back_x + side_x, back_y + side_y);
    rlTexCoord2f(0.0f, 1.0f);
    rlVertex2f(back_x - side_x, back_y - side_y);
}

static inline void boids__draw_flock(const Boids* env, const BoidsClient* client, const BoidsScreen* screen) {
    const float length = boids__dart_length(env, screen), progress = boids__progress(client);
    const float reach = 2.0f * length; /* no part of a dart is farther from its middle, even on the other side of a seam */
    const float left = screen->x + length, right = screen->x + screen->width - length;
    const float top = screen->y + length, bottom = screen->y + screen->height - length;
    boids__begin_darts(client);
    for (int32_t i = 0; i < env->num_boids; i++) {
        const BoidsPose pose = boids__pose_between(client, i, progress);
        const float x = boids__screen_x(screen, pose.x), y = boids__screen_y(screen, pose.y);
        if (x < screen->left - reach || x > screen->right + reach || y < screen->top - reach || y > screen->bottom + reach)
            continue;
        const float nose_x = sight_cos(pose.heading) * length, nose_y = -sight_sin(pose.heading) * length;
        const Color colour = boids__body_colour(env, client, i);
        rlColor4ub(colour.r, colour.g, colour.b, 255);
        boids__add_dart(x, y, nose_x, nose_y, nose_y, -nose_x);
        if (x > left && x < right && y > top && y < bottom) continue;
        /* the world is a torus: what sticks out on one side comes in on the other */
        const float other_x = x <= left ? x + screen->width : x >= right ? x - screen->width : x;
        const float other_y = y <= top ? y + screen->height : y >= bottom ? y - screen->height : y;
        if (other_x < x || other_x > x) boids__add_dart(other_x, y, nose_x, nose_y, nose_y, -nose_x);
        if (other_y < y || other_y > y) boids__add_dart(x, other_y, nose_x, nose_y, nose_y, -nose_x);
    }
    boids__end_darts();
}

/* --- trails ------------------------------------------------------------------------------------------------------------------ */

/* Makes the texture of the trails, of the size that it should have, and clears it where it shows another part of the world. Returns
 * false where that fails. */
static inline bool boids__fit_trails(BoidsClient* client, int width, int height) {
    const bool fits = client->trail.texture.width == width && client->trail.texture.height == height;
    if (fits && !(client->trail_zoom < client->zoom || client->trail_zoom > client->zoom) &&
        client->trail_x == client->centre_x && client->trail_y == client->centre_y)
        return true;
    if (!fits) {
        if (client->trail.id) UnloadRenderTexture(client->trail);
        client->trail = LoadRenderTexture(width, height);
        if (!client->trail.id) return false;
        SetTextureFilter(client->trail.texture, TEXTURE_FILTER_BILINEAR);
    }
    client->trail_zoom = client->zoom;
    client->trail_x = client->centre_x;
    client->trail_y = client->centre_y;
    BeginTextureMode(client->trail);
    ClearBackground(show_colour(0, 0, 0, 0));
    EndTextureMode();
    return true;
}

/* Fades the trails and adds the movement of this frame. They are kept in a texture, so that long trails cost no more than short
 * ones. It has half the resolution of the screen. */
static inline void boids__update_trails(const Boids* env, BoidsClient* client, const BoidsScreen* screen) {
    BoidsScreen half = *screen; /* the world in the texture, whose corner is that of what the window shows */
    half.x = 0.5f * (screen->x - screen->left);
    half.y = 0.5f * (screen->y - screen->top);
    half.width *= 0.5f;
    half.height *= 0.5f;
    half.scale *= 0.5f;
    const int width = (int)ceilf(0.5f * (screen->right - screen->left));
    const int height = (int)ceilf(0.5f * (screen->bottom - screen->top));
    if (!boids__fit_trails(client, width, height) || !client->moved) return;
    const float progress = boids__progress(client);
    const float before = fmaxf(progress - 1.0f / (float)env_window_frames_per_step(client->window), 0.0f); /* last frame's */
    const float length = boids__dart_length(env, &half);
    const bool dense = env->num_boids > BOIDS_MOST_TRAILS;
    BeginTextureMode(client->trail);
    /* what a frame leaves of the colour of a trail: alpha times it, minus 1/255, so that it reaches black */
    rlSetBlendFactors(RL_ONE, RL_SRC_ALPHA, RL_FUNC_REVERSE_SUBTRACT);
    BeginBlendMode(BLEND_CUSTOM);
    show_rectangle(0.0f, 0.0f, (float)width, (float)height, show_colour(1, 1, 1, dense ? 225 : 244));
    EndBlendMode();
    boids__begin_darts(client);
    for (int32_t i = 0; i < env->num_boids; i++) {
        const BoidsPose now = boids__pose_between(client, i, progress), then = boids__pose_between(client, i, before);
        const float dx = boids__offset_x(env, then.x, now.x) * half.scale;
        const float dy = -boids__offset_y(env, then.y, now.y) * half.scale;
        const float c = sight_cos(now.heading), s = -sight_sin(now.heading);
        const float stretched = 0.6f * length + 0.7f * sqrtf(dx * dx + dy * dy); /* at least as long as the movement */
        const Color colour = boids__body_colour(env, client, i);
        rlColor4ub((uint8_t)(colour.r * 2 / 5), (uint8_t)(colour.g * 2 / 5), (uint8_t)(colour.b * 2 / 5), 255);
        boids__add_dart(boids__screen_x(&half, now.x) - 0.5f * dx, boids__screen_y(&half, now.y) - 0.5f * dy, c * stretched,
                        s * stretched, 0.7f * s * length, -0.7f * c * length);
    }
    boids__end_darts();
    EndTextureMode();
}

/* Adds the colours of the trails to those on the screen. */
static inline void boids__draw_trails(const BoidsClient* client, const BoidsScreen* screen) {
    const Texture texture = client->trail.texture;
    const Rectangle from = {0.0f, 0.0f, (float)texture.width,
                            -(float)texture.height}; /* OpenGL counts rows from the bottom */
    const Rectangle to = {screen->left, screen->top, 2.0f * (float)texture.width, 2.0f * (float)texture.height};
    const Vector2 origin = {0.0f, 0.0f};
    BeginBlendMode(BLEND_ADD_COLORS);
    DrawTexturePro(texture, from, to, origin, 0.0f, show_colour(255, 255, 255, 255));
    EndBlendMode();
}

/* --- the view of one boid, and the guest -------------------------------------------------------------------------------------- */

/* Lines from a boid to its neighbours, at most `most`. x, y: where it is drawn. Returns how many lines. */
static inline int32_t boids__draw_neighbours(const Boids* env, const BoidsClient* client, const BoidsScreen* screen, float x,
                                             float y, int32_t most) {
    const float progress = boids__progress(client), view2 = env->view_radius * env->view_radius;
    const BoidsPose self = boids__pose_between(client, client->selected, progress);
    int32_t lines = 0;
    for (int32_t j = 0; j < env->num_boids && lines < most; j++) {
        const BoidsPose other = boids__pose_between(client, j, progress);
        const float dx = boids__offset_x(env, self.x, other.x), dy = boids__offset_y(env, self.y, other.y);
        if (j == client->selected || dx * dx + dy * dy >= view2) continue;
        show_line(x, y, x + dx * screen->scale, y - dy * screen->scale, 1.0f, show_colour(190, 225, 255, 60));
        lines++;
    }
    return lines;
}

/* What the selected boid sees: its view radius and separation radius, its neighbours, and the three rules as arrows. */
static inline void boids__draw_view(const Boids* env, const BoidsClient* client, const BoidsScreen* screen) {
    const BoidsObservation* observed = boids_observation(env, client->selected);
    const BoidsPose self = boids__pose_between(client, client->selected, boids__progress(client));
    const float view = env->view_radius * screen->scale, separation = env->separation_radius * screen->scale;
    const float c = sight_cos(self.heading), s = sight_sin(self.heading);
    const Color white = show_colour(255, 255, 255, 255), clear = show_transparent(white);
    /* in the boid's own frame: forward and left, as in the observation */
    const float arrows[3][2] = {{observed->centre_ahead, observed->centre_left},
                                {observed->heading_cos * 0.8f, observed->heading_sin * 0.8f},
                                {observed->push_ahead * 0.8f, observed->push_left * 0.8f}};
    const Color colours[3] = {boids__cohesion_colour(), boids__alignment_colour(), boids__separation_colour()};
    int32_t lines_left = 4000;
    /* the world is a torus: once in the middle, and once beyond each side and corner, if the circle reaches into the world */
    for (int copy = 0; copy < 9; copy++) {
        const float x = boids__screen_x(screen, self.x) + (float)(copy % 3 - 1) * screen->width;
        const float y = boids__screen_y(screen, self.y) + (float)(copy / 3 - 1) * screen->height;
        if (x < screen->x - view || x > screen->x + screen->width + view) continue;
        if (y < screen->y - view || y > screen->y + screen->height + view) continue;
        show_ring(x, y, 0.0f, view, show_colour(255, 255, 255, 10), show_colour(160, 210, 255, 34));
        show_circle(x, y, view, 1.4f, show_colour(180, 220, 255, 190));
        show_circle(x, y, separation, 1.4f, show_colour(255, 120, 110, 210));
        lines_left -= boids__draw_neighbours(env, client, screen, x, y, lines_left);
        for (int k = 0; k < 3; k++) {
            const float ahead = arrows[k][0], left = arrows[k][1];
            show_arrow(x, y, x + (ahead * c - left * s) * view, y - (ahead * s + left * c) * view, colours[k]);
        }
        show_ring(x, y, 2.0f, 12.0f, show_colour(255, 255, 255, 120), clear);
        show_ring(x, y, 0.0f, 4.5f, white, clear);
    }
}

/* How much turn c is worth beside the others: 0 for the worst to 1 for the best. */
static inline float boids__worth(const BoidsFutures* futures, int c) {
    float least = futures->expected[0], most = least;
    for (int k = 1; k < BOIDS__TURNS; k++) {
        least = fminf(least, futures->expected[k]);
        most = fmaxf(most, futures->expected[k]);
    }
    return most > least ? (futures->expected[c] - least) / (most - least) : 0.5f;
}

/* The imagined flights of the selected boid as faint paths, which fade as they go on: golden for the best turn, blue for the worst. And
 * beside the boid a bar for each turn, from hard left to hard right. */
static inline void boids__draw_futures(const Boids* env, const BoidsClient* client, const BoidsScreen* screen) {
    const BoidsFutures* futures = &client->futures;
    if (futures->boid < 0 || futures->boid != client->selected) return;
    const BoidsPose self = boids__pose_between(client, futures->boid, boids__progress(client));
    const float x = boids__screen_x(screen, self.x), y = boids__screen_y(screen, self.y);
    const float thickness = fminf(fmaxf(1.6f * screen->scale, 1.6f), 4.0f);
    for (int32_t p = 0; p < futures->paths; p++) {
        const float worth = boids__worth(futures, p % BOIDS__TURNS);
        const BoidsPose* from = &client->to[futures->boid];
        float x0 = x + boids__offset_x(env, self.x, from->x) * screen->scale;
        float y0 = y - boids__offset_y(env, self.y, from->y) * screen->scale;
        for (int32_t t = 0; t < futures->steps; t++) {
            const BoidsPose* to = &futures->poses[p * futures->steps + t];
            const float x1 = x0 + boids__offset_x(env, from->x, to->x) * screen->scale;
            const float y1 = y0 - boids__offset_y(env, from->y, to->y) * screen->scale;
            const float left = 1.0f - (float)t / (float)futures->steps; /* of the brightness */
            show_line(x0, y0, x1, y1, thickness,
                      show_colour((int)(110 + 145 * worth), (int)(180 + 30 * worth), (int)(255 - 135 * worth),
                                  (int)((60 + 150 * worth) * left)));
            x0 = x1;
            y0 = y1;
            from = to;
        }
    }
    const float wide = 6.0f, gap = 3.0f, high = 34.0f, bottom = y + 62.0f;
    const float first = x - 0.5f * (BOIDS__TURNS * (wide + gap) - gap);
    for (int c = 0; c < BOIDS__TURNS; c++) {
        const float worth = boids__worth(futures, c), bar = 2.0f + (high - 2.0f) * worth,
                    at = first + (float)c * (wide + gap);
        show_rectangle(at, bottom - high, wide, high, show_colour(120, 170, 215, 40));
        show_rectangle(at, bottom - bar, wide, bar,
                       show_colour((int)(110 + 145 * worth), (int)(180 + 30 * worth), (int)(255 - 135 * worth), 235));
    }
}

/* A ring around the mouse, that swells and shrinks: green for a friend, red for a foe. */
static inline void boids__draw_guest(const BoidsGuest* guest) {
    const Vector2 mouse = GetMousePosition();
    const float x = mouse.x, y = mouse.y;
    const bool friendly = guest->kind == BOIDS_FRIEND;
    const float radius = 15.0f + 2.5f * (float)sin(GetTime() * 5.0);
    const int r = friendly ? 90 : 255, g = friendly ? 240 : 96, b = friendly ? 200 : 72;
    const Color bright = show_colour(r, g, b, 255), clear = show_transparent(bright);
    show_ring(x, y, radius, radius * 3.2f, show_colour(r, g, b, 90), clear);
    show_ring(x, y, radius * 0.35f, radius, clear, show_colour(r, g, b, 120));
    show_circle(x, y, radius, 2.0f, bright);
    show_ring(x, y, 0.0f, 4.5f, bright, clear);
}

#endif
