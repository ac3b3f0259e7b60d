/* boids_window.h - the client: a window in which one watches a flock, and takes part
 *
 *     while ((steps = c_render(&env)) >= 0)
 *         for (; steps; steps--) { c_script(&env); c_step(&env); }
 *     c_close(&env);
 *
 * It reads the flock, and changes how it flies only where the viewer says so: the guest under the mouse, the weights, a restart.
 *
 *     Space  pause                     T      trails
 *     N      one step                  V      what one boid sees: the nearest to the mouse; Tab the next
 *     + -    faster, slower            1 2 3  which weight the arrows up and down change: script's and reward's alike
 *     R      restart                   mouse  left button: a boid to be near; right: one that is too near
 *     C      what colours mean         F1 ?   help
 *     H      numbers                   Esc    close
 *
 * Edges are smooth without multisampling, which software GL is slow at: a boid is a small picture, and lines and rings fade out at
 * their sides. Few draw calls, whatever the number of boids. All lengths here are pixels where they do not say otherwise; y points
 * down on the screen and up in the world.
 */
#ifndef BOIDS_WINDOW_H
#define BOIDS_WINDOW_H

#include "show/boids_pixels.h"
#include "show/raylib_calls.h"

#ifdef RAYLIB_CALLS
#define ENV_EXTERNALS RAYLIB_CALLS
#endif

enum { BOIDS_BY_HEADING, BOIDS_BY_NEIGHBOURS, BOIDS_BY_REWARD, BOIDS_BY_GROUP, BOIDS_COLOURINGS };

enum {
    BOIDS_FPS = 60,
    BOIDS_TEXT_SIZE = 20, /* twice raylib's font, so that it stays sharp */
    BOIDS_ROW = 23,       /* from one line of text to the next */
    BOIDS_MARGIN = 14,
    BOIDS_SLOWEST = -3, /* 2^-3 steps a frame */
    BOIDS_FASTEST = 6
};

typedef struct BoidsPose {
    uint32_t x, y;
    uint16_t heading;
} BoidsPose;

/* The flock in numbers, taken a few times a second. */
typedef struct BoidsSurvey {
    double when, next; /* seconds */
    int32_t tick;
    float polarization, local_alignment, reward, neighbours, isolated, collisions, largest;
    int32_t groups;
    float steps_per_second;
} BoidsSurvey;

typedef struct BoidsClient {
    /* what the viewer chose */
    int32_t pace; /* 2^pace steps a frame */
    int32_t colouring, weight, selected;
    bool paused, trails, numbers, help, view;
    float mouse_x, mouse_y;

    /* what is drawn: on its way from one pose to another */
    BoidsPose *from, *to; /* (num_boids) */
    int32_t tick, frames; /* of `to`, and how many frames it has been under way */
    bool moved;           /* since the last frame */
    Texture dart;         /* a boid */
    RenderTexture trail;  /* of half the world's size on the screen, to be added to what lies under it */

    BoidsSurvey survey;
    int64_t steps;       /* since the survey */
    int32_t* neighbours; /* (num_boids) */
    uint32_t* group;     /* (num_boids) the lowest id in the group of each boid */
    int32_t* forest;     /* (num_boids) memory that sight_groups works in */
} BoidsClient;

/* Where the world lies on the screen. */
typedef struct BoidsStage {
    float x, y, width, height;
    float scale; /* pixels per world unit */
} BoidsStage;

/* --- shapes ---------------------------------------------------------------------------------------------------------------- */

static inline Color boids__rgba(int r, int g, int b, int a) {
    Color colour;
    colour.r = (unsigned char)r;
    colour.g = (unsigned char)g;
    colour.b = (unsigned char)b;
    colour.a = (unsigned char)a;
    return colour;
}

BOIDS_INLINE void boids__corner(float x, float y, Color colour) {
    rlColor4ub(colour.r, colour.g, colour.b, colour.a);
    rlVertex2f(x, y);
}

/* A rectangle from one colour at the top to another at the bottom. */
static inline void boids__shade(float x, float y, float width, float height, Color top, Color bottom) {
    rlBegin(RL_TRIANGLES);
    boids__corner(x, y, top);
    boids__corner(x, y + height, bottom);
    boids__corner(x + width, y + height, bottom);
    boids__corner(x, y, top);
    boids__corner(x + width, y + height, bottom);
    boids__corner(x + width, y, top);
    rlEnd();
}

static inline void boids__rectangle(float x, float y, float width, float height, Color colour) {
    boids__shade(x, y, width, height, colour, colour);
}

/* From one corner to another, fading out at both sides. */
static inline void boids__line(float x0, float y0, float x1, float y1, float thickness, Color colour) {
    const float dx = x1 - x0, dy = y1 - y0, length = sqrtf(dx * dx + dy * dy);
    if (length < 1e-3f) return;
    const float nx = -dy / length * thickness, ny = dx / length * thickness;
    Color clear = colour;
    clear.a = 0;
    rlBegin(RL_TRIANGLES);
    for (int side = -1; side <= 1; side += 2) {
        const float sx = nx * (float)side, sy = ny * (float)side;
        boids__corner(x0, y0, colour);
        boids__corner(x0 + sx, y0 + sy, clear);
        boids__corner(x1 + sx, y1 + sy, clear);
        boids__corner(x0, y0, colour);
        boids__corner(x1 + sx, y1 + sy, clear);
        boids__corner(x1, y1, colour);
    }
    rlEnd();
}

/* The area between two circles, from one colour to another; inner 0 gives a disc. */
static inline void boids__ring(float x, float y, float inner, float outer, Color inside, Color outside) {
    const int sides = 96; /* always as many, so that rings meet without gaps */
    rlBegin(RL_TRIANGLES);
    for (int k = 0; k < sides; k++) {
        const float c0 = boids_cos(65536 * k / sides), s0 = boids_sin(65536 * k / sides);
        const float c1 = boids_cos(65536 * (k + 1) / sides), s1 = boids_sin(65536 * (k + 1) / sides);
        boids__corner(x + inner * c0, y + inner * s0, inside);
        boids__corner(x + outer * c0, y + outer * s0, outside);
        boids__corner(x + outer * c1, y + outer * s1, outside);
        if (inner <= 0.0f) continue;
        boids__corner(x + inner * c0, y + inner * s0, inside);
        boids__corner(x + outer * c1, y + outer * s1, outside);
        boids__corner(x + inner * c1, y + inner * s1, inside);
    }
    rlEnd();
}

/* A circle, fading out at both sides. */
static inline void boids__circle(float x, float y, float radius, float thickness, Color colour) {
    Color clear = colour;
    clear.a = 0;
    boids__ring(x, y, fmaxf(radius - thickness, 0.0f), radius, clear, colour);
    boids__ring(x, y, radius, radius + thickness, colour, clear);
}

static inline void boids__arrow(float x0, float y0, float x1, float y1, Color colour) {
    const float dx = x1 - x0, dy = y1 - y0, length = sqrtf(dx * dx + dy * dy);
    if (length < 3.0f) return;
    const float head = length < 18.0f ? length * 0.5f : 9.0f, ux = dx / length * head, uy = dy / length * head;
    boids__line(x0, y0, x1 - ux, y1 - uy, 2.5f, colour);
    rlBegin(RL_TRIANGLES);
    boids__corner(x1, y1, colour);
    boids__corner(x1 - ux - 0.6f * uy, y1 - uy + 0.6f * ux, colour);
    boids__corner(x1 - ux + 0.6f * uy, y1 - uy - 0.6f * ux, colour);
    rlEnd();
}

static inline void boids__text(const char* text, float x, float y, Color colour) {
    DrawText(text, (int)x, (int)y, BOIDS_TEXT_SIZE, colour);
}

/* Ends at x. */
static inline void boids__text_before(const char* text, float x, float y, Color colour) {
    boids__text(text, x - (float)MeasureText(text, BOIDS_TEXT_SIZE), y, colour);
}

/* --- colours --------------------------------------------------------------------------------------------------------------- */

/* From deep blue over green to pale yellow, t from 0 to 1. */
static inline void boids__ramp(float t, float rgb[3]) {
    static const float stops[5][3] = {{74, 92, 196}, {44, 148, 200}, {46, 200, 158}, {170, 226, 92}, {255, 240, 150}};
    const float at = (t < 0.0f ? 0.0f : t > 1.0f ? 1.0f : t) * 4.0f;
    const int k = at < 3.0f ? (int)at : 3;
    for (int c = 0; c < 3; c++) rgb[c] = stops[k][c] + (stops[k + 1][c] - stops[k][c]) * (at - (float)k);
}

static inline Color boids__body_colour(const Boids* env, const BoidsClient* client, int32_t i) {
    float rgb[3];
    switch (client->colouring) {
        case BOIDS_BY_NEIGHBOURS: boids__ramp(log2f((float)client->neighbours[i] + 1.0f) / 6.0f, rgb); break;
        case BOIDS_BY_REWARD: {
            /* red below zero, grey at it, mint above */
            const float reward = env->rewards[i], shade = reward < 0.0f ? -reward : reward;
            const float end[3] = {reward < 0.0f ? 255.0f : 70.0f, reward < 0.0f ? 84.0f : 255.0f,
                                  reward < 0.0f ? 72.0f : 176.0f};
            for (int c = 0; c < 3; c++) rgb[c] = 120.0f + (end[c] - 120.0f) * sqrtf(shade);
            break;
        }
        case BOIDS_BY_GROUP: {
            /* neighbouring numbers far apart on the wheel: the golden section */
            const int32_t angle = (int32_t)((client->group[i] * 40503u) & 0xFFFF);
            rgb[0] = 158.0f + 97.0f * boids_cos(angle);
            rgb[1] = 158.0f + 97.0f * boids_cos(angle - 21845);
            rgb[2] = 158.0f + 97.0f * boids_cos(angle + 21845);
            break;
        }
        default: boids_colour(env, i, rgb);
    }
    return boids__rgba((int)rgb[0], (int)rgb[1], (int)rgb[2], 255);
}

/* --- the picture of a boid -------------------------------------------------------------------------------------------------- */

/* A dart along x, its nose at 1, in units of the length from its middle to its nose. What is drawn is one triangle around it, with
 * room for the fading of its edges. */
#define BOIDS_DART_FRONT 1.5f
#define BOIDS_DART_BACK -1.1f
#define BOIDS_DART_SIDE 0.8f

/* White where it is lit, grey on the other side of its back, and around it clear: 16 samples a pixel. */
static inline Texture boids__dart_texture(void) {
    enum { WIDTH = 64, HEIGHT = 32, SAMPLES = 4 };
    uint8_t pixels[HEIGHT * WIDTH][4];
    for (int k = 0; k < HEIGHT * WIDTH; k++) {
        int covered = 0;
        for (int sample = 0; sample < SAMPLES * SAMPLES; sample++) {
            const float u = ((float)(k % WIDTH) + ((float)(sample % SAMPLES) + 0.5f) / SAMPLES) / WIDTH;
            const float v = ((float)(k / WIDTH) + ((float)(sample / SAMPLES) + 0.5f) / SAMPLES) / HEIGHT;
            const float x = BOIDS_DART_BACK + (BOIDS_DART_FRONT - BOIDS_DART_BACK) * u,
                        y = fabsf((2.0f * v - 1.0f) * BOIDS_DART_SIDE);
            /* between the line from the nose to the end of a wing, at -0.8, 0.52, and that from there to the notch at -0.45 */
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

/* --- opening and closing ---------------------------------------------------------------------------------------------------- */

static inline void boids__close_window(Boids* env) {
    BoidsClient* client = env->client;
    if (!client) return;
    if (client->trail.id) UnloadRenderTexture(client->trail);
    if (client->dart.id) UnloadTexture(client->dart);
    CloseWindow();
    ENV_FREE(client->from);
    ENV_FREE(client->to);
    ENV_FREE(client->neighbours);
    ENV_FREE(client->group);
    ENV_FREE(client->forest);
    ENV_FREE(client);
    env->client = NULL;
    env->guest.kind = BOIDS_NOBODY;
}

static inline BoidsPose boids__pose(const Boids* env, int32_t i) {
    BoidsPose pose;
    pose.x = env->x[i];
    pose.y = env->y[i];
    pose.heading = env->heading[i];
    return pose;
}

/* Shows the flock as it stands, with no way to it. */
static inline void boids__arrive(const Boids* env, BoidsClient* client) {
    for (int32_t i = 0; i < env->num_boids; i++) client->from[i] = client->to[i] = boids__pose(env, i);
    client->tick = env->tick;
}

/* 0, or why there is no window. */
static inline int32_t boids__open_window(Boids* env) {
    const size_t n = (size_t)env->num_boids;
    if (!raylib_is_here()) return ENV_NO_WINDOW;
    if (IsWindowReady()) return ENV_WINDOW_TAKEN;
    const float scale = fminf(1280.0f / env->width, 720.0f / env->height);
    SetTraceLogLevel(LOG_NONE); /* raylib also ends the process where it logs a fatal error, unless nothing is logged */
    SetConfigFlags(FLAG_WINDOW_RESIZABLE);
    InitWindow((int)fmaxf(env->width * scale, 480.0f), (int)fmaxf(env->height * scale, 360.0f), "Boids");
    if (!IsWindowReady()) return ENV_NO_WINDOW;
    BoidsClient* client = (BoidsClient*)ENV_CALLOC(1, sizeof(BoidsClient));
    if (!client) {
        CloseWindow();
        return ENV_NO_WINDOW;
    }
    env->client = client;
    env->close_client = boids__close_window;
    client->from = (BoidsPose*)ENV_CALLOC(n, sizeof(BoidsPose));
    client->to = (BoidsPose*)ENV_CALLOC(n, sizeof(BoidsPose));
    client->neighbours = (int32_t*)ENV_CALLOC(n, sizeof(int32_t));
    client->group = (uint32_t*)ENV_CALLOC(n, sizeof(uint32_t));
    client->forest = (int32_t*)ENV_CALLOC(n, sizeof(int32_t));
    if (!client->from || !client->to || !client->neighbours || !client->group || !client->forest) {
        boids__close_window(env);
        return ENV_NO_WINDOW;
    }
    SetWindowMinSize(480, 360);
    SetTargetFPS(BOIDS_FPS);
    rlDisableBackfaceCulling(); /* corners come in either order */
    client->dart = boids__dart_texture();
    client->trails = env->num_boids <= 4000; /* of more, little can be seen */
    client->numbers = client->help = true;
    client->selected = -1;
    boids__arrive(env, client);
    return 0;
}

/* --- what the viewer does ---------------------------------------------------------------------------------------------------- */

static inline BoidsStage boids__stage(const Boids* env) {
    const float width = (float)GetScreenWidth(), height = (float)GetScreenHeight();
    BoidsStage stage;
    stage.scale = fminf(width / env->width, height / env->height);
    stage.width = env->width * stage.scale;
    stage.height = env->height * stage.scale;
    stage.x = floorf((width - stage.width) * 0.5f);
    stage.y = floorf((height - stage.height) * 0.5f);
    return stage;
}

static inline float boids__screen_x(const BoidsStage* stage, uint32_t x) {
    return stage->x + (float)x * (1.0f / 4294967296.0f) * stage->width;
}
static inline float boids__screen_y(const BoidsStage* stage, uint32_t y) {
    return stage->y + stage->height - (float)y * (1.0f / 4294967296.0f) * stage->height;
}

/* Offset from one boid to another the short way round, in world units. */
static inline float boids__offset_x(const Boids* env, uint32_t from, uint32_t to) {
    return (float)(int32_t)(to - from) * (1.0f / 4294967296.0f) * env->width;
}
static inline float boids__offset_y(const Boids* env, uint32_t from, uint32_t to) {
    return (float)(int32_t)(to - from) * (1.0f / 4294967296.0f) * env->height;
}

static inline int32_t boids__nearest_to(const Boids* env, float x, float y) {
    int32_t nearest = 0;
    float least = INFINITY;
    const uint32_t at_x = (uint32_t)((double)x / env->width * 4294967295.0),
                   at_y = (uint32_t)((double)y / env->height * 4294967295.0);
    for (int32_t i = 0; i < env->num_boids; i++) {
        const float dx = boids__offset_x(env, at_x, env->x[i]), dy = boids__offset_y(env, at_y, env->y[i]);
        if (dx * dx + dy * dy >= least) continue;
        least = dx * dx + dy * dy;
        nearest = i;
    }
    return nearest;
}

/* One notch up or down, of which ten make about a factor of nine; the least above 0 is 0.01. */
static inline float boids__notch(float weight, bool up) {
    weight = up ? fmaxf(weight * 1.25f, 0.01f) : weight * 0.8f;
    return weight < 0.0099f ? 0.0f : fminf(weight, 10.0f);
}

static inline void boids__mouse(Boids* env, BoidsClient* client, const BoidsStage* stage) {
    const Vector2 mouse = GetMousePosition();
    const float x = (mouse.x - stage->x) / stage->scale, y = env->height - (mouse.y - stage->y) / stage->scale;
    const bool inside = x >= 0.0f && x < env->width && y >= 0.0f && y < env->height;
    client->mouse_x = fminf(fmaxf(x, 0.0f), env->width * 0.999999f);
    client->mouse_y = fminf(fmaxf(y, 0.0f), env->height * 0.999999f);
    const int32_t held = IsMouseButtonDown(MOUSE_BUTTON_LEFT)    ? BOIDS_FRIEND
                         : IsMouseButtonDown(MOUSE_BUTTON_RIGHT) ? BOIDS_FOE
                                                                 : BOIDS_NOBODY;
    env->guest.kind = inside ? held : BOIDS_NOBODY;
    env->guest.x = client->mouse_x;
    env->guest.y = client->mouse_y;
    if (inside && IsMouseButtonPressed(MOUSE_BUTTON_MIDDLE)) {
        client->view = true;
        client->selected = boids__nearest_to(env, x, y);
    }
}

/* Does what a key stands for. Whether the viewer asks for a single step. */
static inline bool boids__key(Boids* env, BoidsClient* client, int key) {
    float* const script[3] = {&env->script_cohesion, &env->script_alignment, &env->script_separation};
    float* const reward[3] = {&env->cohesion_weight, &env->alignment_weight, &env->separation_weight};
    switch (key) {
        case KEY_SPACE: client->paused = !client->paused; break;
        case KEY_N: client->paused = true; return true;
        case KEY_R:
            c_reset(env);
            boids__arrive(env, client);
            client->survey.next = 0.0;
            break;
        case KEY_H: client->numbers = !client->numbers; break;
        case KEY_T: client->trails = !client->trails; break;
        case KEY_F1: client->help = !client->help; break;
        case KEY_C:
            client->colouring = (client->colouring + 1) % BOIDS_COLOURINGS;
            client->survey.next = 0.0;
            break;
        case KEY_V:
            client->view = !client->view;
            client->selected = boids__nearest_to(env, client->mouse_x, client->mouse_y);
            break;
        case KEY_TAB:
            client->view = true;
            client->selected = (client->selected + 1) % env->num_boids;
            break;
        case KEY_ONE:
        case KEY_TWO:
        case KEY_THREE: client->weight = key - KEY_ONE; break;
        case KEY_UP:
        case KEY_DOWN:
            *script[client->weight] = boids__notch(*script[client->weight], key == KEY_UP);
            *reward[client->weight] = boids__notch(*reward[client->weight], key == KEY_UP);
            break;
        default: break;
    }
    return false;
}

/* All that was pressed since the last frame, however briefly. Signs come as characters, which every keyboard has somewhere else.
 * Whether the viewer asks for a single step. */
static inline bool boids__keys(Boids* env, BoidsClient* client) {
    static const int held[] = {KEY_N, KEY_TAB, KEY_UP, KEY_DOWN};
    bool once = false;
    for (int key = GetKeyPressed(); key; key = GetKeyPressed()) once |= boids__key(env, client, key);
    for (int k = 0; k < 4; k++)
        if (IsKeyPressedRepeat(held[k])) once |= boids__key(env, client, held[k]);
    for (int sign = GetCharPressed(); sign; sign = GetCharPressed()) {
        if ((sign == '+' || sign == '=') && client->pace < BOIDS_FASTEST) client->pace++;
        if (sign == '-' && client->pace > BOIDS_SLOWEST) client->pace--;
        if (sign == '?') client->help = !client->help;
    }
    return once;
}

/* --- following the flock ---------------------------------------------------------------------------------------------------- */

/* How many frames a step takes. */
static inline int32_t boids__frames_per_step(const BoidsClient* client) { return client->pace < 0 ? 1 << -client->pace : 1; }

/* Takes note of the steps since the last frame. A boid that is farther from where it was than it can have flown, because an
 * episode has begun, has no way to show. */
static inline void boids__follow(const Boids* env, BoidsClient* client) {
    const int32_t steps = env->tick - client->tick, frames = boids__frames_per_step(client);
    const float far = steps > 0 && steps <= 16 ? (float)steps * env->speed * 1.1f + 1.0f : 0.0f; /* world units */
    for (int32_t i = 0; i < env->num_boids; i++) {
        const BoidsPose pose = boids__pose(env, i);
        const float dx = boids__offset_x(env, client->to[i].x, pose.x), dy = boids__offset_y(env, client->to[i].y, pose.y);
        if (dx * dx + dy * dy > far * far)
            client->from[i] = pose;
        else if (steps)
            client->from[i] = client->to[i];
        client->to[i] = pose;
    }
    client->moved = steps || (!client->paused && client->frames < frames);
    if (steps)
        client->frames = client->paused ? frames : 1;
    else if (client->moved)
        client->frames++;
    if (steps > 0) client->steps += steps;
    client->tick = env->tick;
}

/* Where boid i is drawn, `way` being 0 at the one pose and 1 at the other. */
BOIDS_INLINE BoidsPose boids__on_the_way(const BoidsClient* client, int32_t i, float way) {
    const BoidsPose *from = &client->from[i], *to = &client->to[i];
    if (way >= 1.0f) return *to;
    BoidsPose pose;
    pose.x = from->x + (uint32_t)(int32_t)((float)(int32_t)(to->x - from->x) * way);
    pose.y = from->y + (uint32_t)(int32_t)((float)(int32_t)(to->y - from->y) * way);
    pose.heading = (uint16_t)(from->heading + (int32_t)((float)(int16_t)(to->heading - from->heading) * way));
    return pose;
}

static inline float boids__way(const BoidsClient* client) {
    return fminf((float)client->frames / (float)boids__frames_per_step(client), 1.0f);
}

/* Takes the flock's numbers, if it is time to: four times a second, and for at most a twentieth of the time. */
static inline void boids__survey(const Boids* env, BoidsClient* client) {
    BoidsSurvey* survey = &client->survey;
    const double now = GetTime();
    const bool wanted = client->numbers || client->view || client->colouring != BOIDS_BY_HEADING;
    if (!wanted || now < survey->next) return;
    const int32_t n = env->num_boids;
    const size_t size = (size_t)boids_observation_size(env);
    const float touching = 1.0f - env->collision_radius / env->separation_radius; /* the closeness at the collision radius */
    double c = 0.0, s = 0.0, reward = 0.0, aligned = 0.0, seen = 0.0;
    int32_t social = 0, collisions = 0, largest = 0;

    sight_count(&env->neighbors, client->neighbours);
    sight_groups(&env->neighbors, client->forest, client->group, &survey->groups, &largest);
    for (int32_t i = 0; i < n; i++) {
        const float* rules = env->observations + (size_t)i * size;
        c += (double)boids_cos(env->heading[i]);
        s += (double)boids_sin(env->heading[i]);
        reward += (double)env->rewards[i];
        seen += client->neighbours[i];
        if (rules[0] > 0.0f) {
            social++;
            aligned += (double)rules[4];
        }
        collisions += rules[8] > touching && rules[8] > 0.0f;
    }
    survey->polarization = (float)(sqrt(c * c + s * s) / n);
    survey->local_alignment = (float)(aligned / (social ? social : 1));
    survey->reward = (float)(reward / n);
    survey->neighbours = (float)(seen / n);
    survey->isolated = (float)(n - social) / (float)n;
    survey->collisions = (float)collisions / (float)n;
    survey->largest = (float)largest / (float)n;
    if (now > survey->when + 0.1) {
        survey->steps_per_second = (float)((double)client->steps / (now - survey->when));
        client->steps = 0;
        survey->when = now;
    }
    const double cost = GetTime() - now;
    survey->next = now + fmax(0.25, 20.0 * cost);
}

/* --- the picture ------------------------------------------------------------------------------------------------------------- */

/* From a boid's middle to its nose: what a collision takes, if there is room for it. */
static inline float boids__body_length(const Boids* env, const BoidsStage* stage) {
    const float room = sqrtf(stage->width * stage->height / (float)env->num_boids);
    const float length = fminf(fmaxf(1.3f * env->collision_radius * stage->scale, 9.0f), 0.4f * room);
    return fmaxf(length, 2.8f);
}

/* Darts are drawn between these two. A batch takes one texture; it has to be empty to change its own. */
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

/* One boid at x, y: its nose and the end of its left wing at offsets, as if both were a length away. */
BOIDS_INLINE void boids__add_dart(float x, float y, float nose_x, float nose_y, float wing_x, float wing_y) {
    const float back_x = x + BOIDS_DART_BACK * nose_x, back_y = y + BOIDS_DART_BACK * nose_y;
    const float side_x = BOIDS_DART_SIDE * wing_x, side_y = BOIDS_DART_SIDE * wing_y;
    rlTexCoord2f(1.0f, 0.5f);
    rlVertex2f(x + BOIDS_DART_FRONT * nose_x, y + BOIDS_DART_FRONT * nose_y);
    rlTexCoord2f(0.0f, 0.0f);
    rlVertex2f(back_x + side_x, back_y + side_y);
    rlTexCoord2f(0.0f, 1.0f);
    rlVertex2f(back_x - side_x, back_y - side_y);
}

static inline void boids__draw_flock(const Boids* env, const BoidsClient* client, const BoidsStage* stage) {
    const float length = boids__body_length(env, stage), way = boids__way(client);
    const float left = stage->x + length, right = stage->x + stage->width - length;
    const float top = stage->y + length, bottom = stage->y + stage->height - length;
    boids__begin_darts(client);
    for (int32_t i = 0; i < env->num_boids; i++) {
        const BoidsPose pose = boids__on_the_way(client, i, way);
        const float x = boids__screen_x(stage, pose.x), y = boids__screen_y(stage, pose.y);
        const float nose_x = boids_cos(pose.heading) * length, nose_y = -boids_sin(pose.heading) * length;
        const Color colour = boids__body_colour(env, client, i);
        rlColor4ub(colour.r, colour.g, colour.b, 255);
        boids__add_dart(x, y, nose_x, nose_y, nose_y, -nose_x);
        if (x > left && x < right && y > top && y < bottom) continue;
        /* across the seam, what sticks out on one side comes in on the other */
        const float other_x = x <= left ? x + stage->width : x >= right ? x - stage->width : x;
        const float other_y = y <= top ? y + stage->height : y >= bottom ? y - stage->height : y;
        if (other_x < x || other_x > x) boids__add_dart(other_x, y, nose_x, nose_y, nose_y, -nose_x);
        if (other_y < y || other_y > y) boids__add_dart(x, other_y, nose_x, nose_y, nose_y, -nose_x);
    }
    boids__end_darts();
}

/* Lets the trails fade and adds the ways of this frame. They are a texture of their own, so that their length costs nothing. */
static inline void boids__draw_trails(const Boids* env, BoidsClient* client, const BoidsStage* stage) {
    const int width = (int)ceilf(stage->width * 0.5f), height = (int)ceilf(stage->height * 0.5f);
    if (client->trail.texture.width != width || client->trail.texture.height != height) {
        if (client->trail.id) UnloadRenderTexture(client->trail);
        client->trail = LoadRenderTexture(width, height);
        if (!client->trail.id) return;
        SetTextureFilter(client->trail.texture, TEXTURE_FILTER_BILINEAR);
        BeginTextureMode(client->trail);
        ClearBackground(boids__rgba(0, 0, 0, 0));
        EndTextureMode();
    }
    if (!client->moved) return;
    const BoidsStage own = {0.0f, 0.0f, stage->width * 0.5f, stage->height * 0.5f, stage->scale * 0.5f};
    const float way = boids__way(client), before = fmaxf(way - 1.0f / (float)boids__frames_per_step(client), 0.0f);
    const float length = boids__body_length(env, &own);
    const bool dense = env->num_boids > 4000;
    BeginTextureMode(client->trail);
    /* what is left of a trail after a frame: times alpha, less 1/255, so that it does end in black */
    rlSetBlendFactors(RL_ONE, RL_SRC_ALPHA, RL_FUNC_REVERSE_SUBTRACT);
    BeginBlendMode(BLEND_CUSTOM);
    boids__rectangle(0.0f, 0.0f, (float)width, (float)height, boids__rgba(1, 1, 1, dense ? 225 : 244));
    EndBlendMode();
    boids__begin_darts(client);
    for (int32_t i = 0; i < env->num_boids; i++) {
        const BoidsPose now = boids__on_the_way(client, i, way), then = boids__on_the_way(client, i, before);
        const float dx = boids__offset_x(env, then.x, now.x) * own.scale,
                    dy = -boids__offset_y(env, then.y, now.y) * own.scale;
        const float c = boids_cos(now.heading), s = -boids_sin(now.heading);
        const float stretched = 0.6f * length + 0.7f * sqrtf(dx * dx + dy * dy); /* at least as long as its way */
        const Color colour = boids__body_colour(env, client, i);
        rlColor4ub((uint8_t)(colour.r * 2 / 5), (uint8_t)(colour.g * 2 / 5), (uint8_t)(colour.b * 2 / 5), 255);
        boids__add_dart(boids__screen_x(&own, now.x) - 0.5f * dx, boids__screen_y(&own, now.y) - 0.5f * dy, c * stretched,
                        s * stretched, 0.7f * s * length, -0.7f * c * length);
    }
    boids__end_darts();
    EndTextureMode();
}

static inline void boids__show_trails(const BoidsClient* client, const BoidsStage* stage) {
    const Texture texture = client->trail.texture;
    Rectangle from = {0.0f, 0.0f, (float)texture.width, -(float)texture.height}; /* GL counts rows from the bottom */
    Rectangle to = {stage->x, stage->y, stage->width, stage->height};
    Vector2 origin = {0.0f, 0.0f};
    BeginBlendMode(BLEND_ADD_COLORS);
    DrawTexturePro(texture, from, to, origin, 0.0f, boids__rgba(255, 255, 255, 255));
    EndBlendMode();
}

/* What the selected boid sees: its two circles, whom it sees, and the three rules as arrows. */
static inline void boids__draw_view(const Boids* env, const BoidsClient* client, const BoidsStage* stage) {
    const int32_t i = client->selected;
    const float* rules = env->observations + (size_t)i * (size_t)boids_observation_size(env);
    const BoidsPose self = boids__on_the_way(client, i, boids__way(client));
    const float view = env->view_radius * stage->scale, separation = env->separation_radius * stage->scale;
    const float c = boids_cos(self.heading), s = boids_sin(self.heading);
    const Color white = boids__rgba(255, 255, 255, 255), clear = boids__rgba(255, 255, 255, 0);
    int32_t lines = 0;
    /* once for each side of the torus that the circle may reach into */
    for (int wrap = 0; wrap < 9; wrap++) {
        const float x = boids__screen_x(stage, self.x) + (float)(wrap % 3 - 1) * stage->width;
        const float y = boids__screen_y(stage, self.y) + (float)(wrap / 3 - 1) * stage->height;
        if (x < stage->x - view || x > stage->x + stage->width + view) continue;
        if (y < stage->y - view || y > stage->y + stage->height + view) continue;
        boids__ring(x, y, 0.0f, view, boids__rgba(255, 255, 255, 10), boids__rgba(160, 210, 255, 34));
        boids__circle(x, y, view, 1.4f, boids__rgba(180, 220, 255, 190));
        boids__circle(x, y, separation, 1.4f, boids__rgba(255, 120, 110, 210));
        for (int32_t j = 0; j < env->num_boids && lines < 4000; j++) {
            const BoidsPose other = boids__on_the_way(client, j, boids__way(client));
            const float dx = boids__offset_x(env, self.x, other.x), dy = boids__offset_y(env, self.y, other.y);
            if (j == i || dx * dx + dy * dy >= env->view_radius * env->view_radius) continue;
            boids__line(x, y, x + dx * stage->scale, y - dy * stage->scale, 1.0f, boids__rgba(190, 225, 255, 60));
            lines++;
        }
        /* the observation is in the boid's own frame: forward and left */
        const float arrows[3][2] = {
            {rules[2], rules[3]}, {rules[4] * 0.8f, rules[5] * 0.8f}, {rules[6] * 0.8f, rules[7] * 0.8f}};
        const Color colours[3] = {boids__rgba(120, 230, 150, 255), boids__rgba(110, 190, 255, 255),
                                  boids__rgba(255, 120, 110, 255)};
        for (int k = 0; k < 3; k++) {
            const float dx = (arrows[k][0] * c - arrows[k][1] * s) * view, dy = (arrows[k][0] * s + arrows[k][1] * c) * view;
            boids__arrow(x, y, x + dx, y - dy, colours[k]);
        }
        boids__ring(x, y, 2.0f, 12.0f, boids__rgba(255, 255, 255, 120), clear);
        boids__ring(x, y, 0.0f, 4.5f, white, clear);
    }
}

static inline void boids__draw_guest(const Boids* env, const BoidsStage* stage) {
    const float x = stage->x + env->guest.x * stage->scale, y = stage->y + stage->height - env->guest.y * stage->scale;
    const bool friendly = env->guest.kind == BOIDS_FRIEND;
    const float radius = 15.0f + 2.5f * (float)sin(GetTime() * 5.0);
    const int r = friendly ? 90 : 255, g = friendly ? 240 : 96, b = friendly ? 200 : 72;
    const Color bright = boids__rgba(r, g, b, 255), clear = boids__rgba(r, g, b, 0);
    boids__ring(x, y, radius, radius * 3.2f, boids__rgba(r, g, b, 90), clear);
    boids__ring(x, y, radius * 0.35f, radius, clear, boids__rgba(r, g, b, 120));
    boids__circle(x, y, radius, 2.0f, bright);
    boids__ring(x, y, 0.0f, 4.5f, bright, clear);
}

/* --- words and numbers -------------------------------------------------------------------------------------------------------- */

static inline Color boids__dim(void) { return boids__rgba(148, 172, 198, 255); }
static inline Color boids__bright(void) { return boids__rgba(240, 246, 252, 255); }
static inline Color boids__accent(void) { return boids__rgba(255, 206, 110, 255); }

static inline void boids__panel(float x, float y, float width, float height) {
    boids__rectangle(x, y, width, height, boids__rgba(3, 10, 20, 208));
    boids__rectangle(x, y, width, 1.0f, boids__rgba(120, 170, 215, 90));
}

/* A number with its unit scaled: 950, 12.3 k, 4.56 M. */
static inline void boids__short_number(char* out, size_t size, float number) {
    if (number < 9999.5f)
        snprintf(out, size, "%.0f", (double)number);
    else if (number < 999.5e3f)
        snprintf(out, size, "%.1f k", (double)number / 1e3);
    else
        snprintf(out, size, "%.2f M", (double)number / 1e6);
}

static inline void boids__draw_numbers(const Boids* env, const BoidsClient* client) {
    static const char* const colourings[] = {"heading", "neighbours", "reward", "group"};
    const BoidsSurvey* survey = &client->survey;
    const float x = BOIDS_MARGIN, y = BOIDS_MARGIN, width = 268.0f, pad = 12.0f;
    const float left = x + pad, right = x + width - pad;
    char rows[13][2][32];
    memset(rows, 0, sizeof rows);
    int count = 0;
#define BOIDS__ROW(name, ...)                                              \
    do {                                                                   \
        snprintf(rows[count][0], sizeof rows[count][0], "%s", name);       \
        snprintf(rows[count++][1], sizeof rows[0][1], __VA_ARGS__);        \
    } while (0)
    BOIDS__ROW("polarization", "%.2f", (double)survey->polarization);
    BOIDS__ROW("local alignment", "%.2f", (double)survey->local_alignment);
    BOIDS__ROW("reward", "%.2f", (double)survey->reward);
    BOIDS__ROW("neighbours", "%.1f", (double)survey->neighbours);
    BOIDS__ROW("isolated", "%.1f %%", 100.0 * (double)survey->isolated);
    BOIDS__ROW("colliding", "%.1f %%", 100.0 * (double)survey->collisions);
    BOIDS__ROW("groups", "%d", (int)survey->groups);
    BOIDS__ROW("largest group", "%.0f %%", 100.0 * (double)survey->largest);
    BOIDS__ROW("step", "%d of %d", (int)env->tick, env->horizon);
    boids__short_number(rows[count][1], sizeof rows[count][1], survey->steps_per_second);
    snprintf(rows[count++][0], sizeof rows[0][0], "steps / s");
    BOIDS__ROW("frames / s", "%d", GetFPS());
    BOIDS__ROW("colour", "%s", colourings[client->colouring]);
#undef BOIDS__ROW
    const float weights = y + pad + (float)(count + 1) * BOIDS_ROW + 14.0f;
    boids__panel(x, y, width, weights - y + 4.0f * BOIDS_ROW + pad);

    char text[48];
    boids__short_number(text, sizeof text, (float)env->num_boids);
    snprintf(text + strlen(text), sizeof text - strlen(text), " boid%s", env->num_boids == 1 ? "" : "s");
    boids__text(text, left, y + pad, boids__bright());
    if (client->paused)
        snprintf(text, sizeof text, "paused");
    else if (client->pace < 0)
        snprintf(text, sizeof text, "speed 1/%d", 1 << -client->pace);
    else
        snprintf(text, sizeof text, "speed %d", 1 << client->pace);
    boids__text_before(text, right, y + pad, boids__accent());
    for (int k = 0; k < count; k++) {
        const float row = y + pad + (float)(k + 1) * BOIDS_ROW + 6.0f;
        boids__text(rows[k][0], left, row, boids__dim());
        boids__text_before(rows[k][1], right, row, boids__bright());
    }

    /* the weights: the script's as a bar and in words, the reward's in words */
    const char* const names[3] = {"cohesion", "alignment", "separation"};
    const float script[3] = {env->script_cohesion, env->script_alignment, env->script_separation};
    const float reward[3] = {env->cohesion_weight, env->alignment_weight, env->separation_weight};
    boids__rectangle(left, weights - 7.0f, width - 2.0f * pad, 1.0f, boids__rgba(120, 170, 215, 60));
    boids__text("script", right - 84.0f - (float)MeasureText("script", BOIDS_TEXT_SIZE), weights, boids__dim());
    boids__text_before("reward", right, weights, boids__dim());
    for (int k = 0; k < 3; k++) {
        const float row = weights + (float)(k + 1) * BOIDS_ROW;
        const bool chosen = client->weight == k;
        boids__text(names[k], left, row, chosen ? boids__accent() : boids__dim());
        snprintf(text, sizeof text, "%.2f", (double)script[k]);
        boids__text_before(text, right - 84.0f, row, boids__bright());
        snprintf(text, sizeof text, "%.2f", (double)reward[k]);
        boids__text_before(text, right, row, boids__bright());
        /* logarithmic from 0.01 to 10, as the notches are */
        const float share = script[k] > 0.01f ? log10f(script[k] * 100.0f) / 3.0f : 0.0f;
        boids__rectangle(left, row + 18.0f, width - 2.0f * pad, 2.0f, boids__rgba(120, 170, 215, 50));
        boids__rectangle(left, row + 18.0f, (width - 2.0f * pad) * share, 2.0f, chosen ? boids__accent() : boids__dim());
    }
}

/* The observation of the selected boid as bars, from -1 to 1. */
static inline void boids__draw_observation(const Boids* env, const BoidsClient* client) {
    static const char* const names[10] = {"any",         "company",    "centre ahead", "centre left", "heading cos",
                                          "heading sin", "push ahead", "push left",    "closeness",   "togetherness"};
    const float* rules = env->observations + (size_t)client->selected * (size_t)boids_observation_size(env);
    const float width = 318.0f, pad = 12.0f, x = (float)GetScreenWidth() - BOIDS_MARGIN - width, y = BOIDS_MARGIN;
    const float left = x + pad, right = x + width - pad, half = 66.0f, middle = right - half;
    const Color colours[10] = {boids__dim(),
                               boids__dim(),
                               boids__rgba(120, 230, 150, 255),
                               boids__rgba(120, 230, 150, 255),
                               boids__rgba(110, 190, 255, 255),
                               boids__rgba(110, 190, 255, 255),
                               boids__rgba(255, 120, 110, 255),
                               boids__rgba(255, 120, 110, 255),
                               boids__rgba(255, 120, 110, 255),
                               boids__rgba(120, 230, 150, 255)};
    char text[48];
    boids__panel(x, y, width, 2.0f * pad + 12.0f * BOIDS_ROW + 6.0f);
    snprintf(text, sizeof text, "boid %d", (int)client->selected);
    boids__text(text, left, y + pad, boids__accent());
    snprintf(text, sizeof text, "%d in view", (int)client->neighbours[client->selected]);
    boids__text_before(text, right, y + pad, boids__bright());
    boids__rectangle(middle, y + pad + BOIDS_ROW + 6.0f, 1.0f, 10.0f * BOIDS_ROW - 4.0f, boids__rgba(120, 170, 215, 110));
    for (int k = 0; k < 10; k++) {
        const float row = y + pad + (float)(k + 1) * BOIDS_ROW + 6.0f, bar = rules[k] * half;
        boids__text(names[k], left, row, boids__dim());
        boids__rectangle(middle - half, row + 8.0f, 2.0f * half, 2.0f, boids__rgba(120, 170, 215, 40));
        boids__rectangle(fminf(middle, middle + bar), row + 4.0f, fabsf(bar), 10.0f, colours[k]);
    }
    const float row = y + pad + 11.0f * BOIDS_ROW + 6.0f;
    boids__text("reward", left, row, boids__dim());
    snprintf(text, sizeof text, "%.2f", (double)env->rewards[client->selected]);
    boids__text_before(text, right, row, boids__bright());
}

/* The keys in as many centred lines as they need, at the bottom. */
static inline void boids__draw_help(void) {
    static const char* const keys[][2] = {
        {"Space", "pause"},        {"N", "step"},    {"+ -", "speed"},  {"R", "restart"},    {"C", "colour"},
        {"T", "trails"},           {"H", "numbers"}, {"V Tab", "view"}, {"1 2 3", "weight"}, {"Up Down", "change"},
        {"Left button", "friend"}, {"Right", "foe"}, {"F1", "help"},    {"Esc", "close"}};
    enum { KEYS = sizeof keys / sizeof keys[0], GAP = 22, SPACE = 7 };
    int widths[KEYS] = {0}, line_of[KEYS] = {0}, line_width[KEYS] = {0}, lines = 1;
    const int screen = GetScreenWidth() - 2 * BOIDS_MARGIN;
    for (int k = 0; k < KEYS; k++) {
        widths[k] = MeasureText(keys[k][0], BOIDS_TEXT_SIZE) + SPACE + MeasureText(keys[k][1], BOIDS_TEXT_SIZE) + GAP;
        if (line_width[lines - 1] && line_width[lines - 1] + widths[k] > screen) lines++;
        line_of[k] = lines - 1;
        line_width[lines - 1] += widths[k];
    }
    const float top = (float)GetScreenHeight() - (float)(lines * BOIDS_ROW) - 14.0f;
    boids__panel(0.0f, top, (float)GetScreenWidth(), (float)(lines * BOIDS_ROW) + 14.0f);
    float x = 0.0f;
    for (int k = 0; k < KEYS; k++) {
        const float y = top + 8.0f + (float)(line_of[k] * BOIDS_ROW);
        if (!k || line_of[k] != line_of[k - 1]) x = ((float)GetScreenWidth() - (float)(line_width[line_of[k]] - GAP)) * 0.5f;
        boids__text(keys[k][0], x, y, boids__accent());
        boids__text(keys[k][1], x + (float)(MeasureText(keys[k][0], BOIDS_TEXT_SIZE) + SPACE), y, boids__dim());
        x += (float)widths[k];
    }
}

static inline void boids__draw_frame(const Boids* env, BoidsClient* client, const BoidsStage* stage) {
    const bool trails = client->trails;
    if (trails) boids__draw_trails(env, client, stage);
    BeginDrawing();
    ClearBackground(boids__rgba(4, 9, 17, 255));
    boids__shade(stage->x, stage->y, stage->width, stage->height, boids__rgba(11, 33, 56, 255), boids__rgba(5, 14, 28, 255));
    BeginScissorMode((int)stage->x, (int)stage->y, (int)ceilf(stage->width), (int)ceilf(stage->height));
    if (trails && client->trail.id) boids__show_trails(client, stage);
    if (client->view) boids__draw_view(env, client, stage);
    boids__draw_flock(env, client, stage);
    if (env->guest.kind) boids__draw_guest(env, stage);
    EndScissorMode();
    if (client->numbers) boids__draw_numbers(env, client);
    if (client->view) boids__draw_observation(env, client);
    if (client->help) boids__draw_help();
    EndDrawing();
}

/* --- the contract of env.h ------------------------------------------------------------------------------------------------ */

#define c_render c_render
static inline int32_t c_render(Boids* env) {
    if (!env->client) {
        const int32_t refused = boids__open_window(env);
        if (refused) return refused;
    }
    BoidsClient* client = env->client;
    if (WindowShouldClose()) {
        boids__close_window(env);
        return ENV_CLOSED;
    }
    boids__follow(env, client);
    const BoidsStage stage = boids__stage(env);
    boids__mouse(env, client, &stage);
    const bool once = boids__keys(env, client);
    boids__survey(env, client);
    boids__draw_frame(env, client, &stage);
    if (client->paused) return once;
    if (client->pace >= 0) return 1 << client->pace;
    return client->frames >= boids__frames_per_step(client);
}

#endif
