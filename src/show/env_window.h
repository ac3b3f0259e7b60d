/* env_window.h - a window for any environment: it opens and closes, pauses, steps, changes its speed and keeps the frame rate
 *
 * An environment that draws itself in pixels:
 *
 *     #include "show/env_window.h"
 *
 *     struct Squared { ...; EnvWindow* window; };              // NULL while there is none, as in a zeroed Env
 *
 *     #define c_render c_render
 *     static inline int32_t c_render(Squared* env) {
 *         const int32_t refused = env_window_begin(&env->window, "squared", 720, 720);
 *         if (refused) return refused;
 *         c_pixels(env, env->window->rgb, env->window->width, env->window->height);
 *         return env_window_end(env->window);
 *     }
 *     static inline void c_close(Squared* env) { env_window_close(&env->window); ... }
 *
 * An environment that draws with raylib's functions and has keys of its own calls the parts (boids_window.h does):
 *
 *     const int32_t refused = env_window_open(&env->window, "squared", 720, 720);
 *     if (refused) {
 *         ...                                                  // unload what was loaded, while the window still exists
 *         env_window_close(&env->window);
 *         return refused;
 *     }
 *     for (int key; (key = env_window_key(env->window));)
 *         if (key == KEY_R) c_reset(env);
 *     for (int sign; (sign = env_window_character(env->window));) ...
 *     BeginDrawing();
 *     ...
 *     env_window_show(env->window);
 *     return env_window_steps(env->window);
 *
 * Keys: Space pauses, N is one step, + and - change the speed (1/8 to 64 steps a frame), F11 fills the screen, P saves a picture into
 * the current folder, Esc closes. The window may be resized: c_pixels then draws at the new size.
 *
 * A process has one window, and the thread that opened it draws and closes it. A child that was forked meanwhile has none: there,
 * env_window_close frees memory and env_window_open returns ENV_NO_WINDOW, because the connection to the display is the parent's.
 * Whoever steps the environment may have a line of text and a curve shown in the lower left corner: c_annotate. A trainer shows its
 * learning curve there.
 *
 * With LINKED_RAYLIB it links raylib; without, Python hands the functions over at run time (see raylib_calls.h):
 * boids_env/show/window.py does, and says what is missing.
 *
 * Where the X server ends, its library ends the process: "X connection broken". From Python a window outlives it, see window.py.
 */
#ifndef ENV_WINDOW_H
#define ENV_WINDOW_H

#include "env_threads.h"
#include "show/shapes.h"

#ifdef RAYLIB_CALLS
#define ENV_EXTERNALS RAYLIB_CALLS
#endif

enum {
    ENV_WINDOW_FPS = 60,     /* frames a second, at most */
    ENV_WINDOW_SLOWEST = -3, /* 2^-3 steps a frame: a step takes 8 frames */
    ENV_WINDOW_FASTEST = 6,  /* 2^6 steps a frame */
    ENV_WINDOW_NOTE = 2,     /* seconds for which a note is shown */
    ENV_WINDOW_POINTS = 240  /* the most points of a curve; more are thinned out */
};

static int64_t env__window_process; /* the one that opened a window last, as env_process() says; 0: none */

typedef struct EnvWindow {
    uint8_t* rgb;          /* (height x width x 3) the next frame; NULL without env_window_begin */
    int32_t width, height; /* of rgb, in pixels */
    Texture texture;       /* of the same size */
    int32_t speed;         /* 2^speed steps a frame */
    int32_t frames;        /* since the last step, where a step takes several frames */
    int32_t single;        /* steps asked for one by one since the last frame */
    bool paused;
    float covered;            /* pixels at the bottom that the environment draws on: the annotation is above them */
    bool picture;             /* whether a picture of this frame is to be saved */
    int64_t step;             /* in the name of a picture: the steps asked for, unless the environment sets it */
    char title[32], note[96]; /* a line of text at the top, until note_until */
    double note_until;        /* seconds, as GetTime counts */
} EnvWindow;

/* What c_annotate set last; a text of no length: nothing is shown. */
static struct {
    char text[96];
    float curve[ENV_WINDOW_POINTS];
    int32_t points;
} env__annotation;

/* Shows a text and a curve of values from 0 to 1 in every further frame. count: of the values, which it copies. */
#define c_annotate c_annotate
static inline void c_annotate(const char* text, const float* curve, size_t count) {
    const size_t points = count < (size_t)ENV_WINDOW_POINTS ? count : (size_t)ENV_WINDOW_POINTS;
    snprintf(env__annotation.text, sizeof env__annotation.text, "%s", text);
    env__annotation.points = (int32_t)points;
    for (size_t k = 0; k < points; k++) env__annotation.curve[k] = curve[points > 1 ? k * (count - 1) / (points - 1) : 0];
}

/* False in a child that was forked while the window was open: it must not use the window, nor unload what belongs to it. */
static inline bool env_window_is_ours(void) { return env__window_process == env_process(); }

/* Does nothing where there is no window. */
static inline void env_window_close(EnvWindow** window) {
    if (!*window) return;
    if (env_window_is_ours()) {
        if ((*window)->texture.id) UnloadTexture((*window)->texture);
        show_unload_font();
        CloseWindow();
    }
    ENV_FREE((*window)->rgb);
    ENV_FREE(*window);
    *window = NULL;
}

/* Opens the window where *window is NULL. width, height: of a new window, in pixels.
 * Returns 0, or what c_render then returns: ENV_CLOSED when the viewer has closed it, ENV_NO_WINDOW, ENV_WINDOW_TAKEN. Then the
 * caller calls env_window_close. */
static inline int32_t env_window_open(EnvWindow** window, const char* title, int32_t width, int32_t height) {
    if (!*window) {
        if (!raylib_is_here()) return ENV_NO_WINDOW;
        if (IsWindowReady()) return env__window_process && !env_window_is_ours() ? ENV_NO_WINDOW : ENV_WINDOW_TAKEN;
        SetTraceLogLevel(LOG_NONE); /* this also stops raylib from ending the process when it logs a fatal error */
        SetConfigFlags(FLAG_WINDOW_RESIZABLE);
        InitWindow(width, height, title);
        if (!IsWindowReady()) return ENV_NO_WINDOW;
        *window = (EnvWindow*)ENV_CALLOC(1, sizeof(EnvWindow));
        if (!*window) {
            CloseWindow();
            return ENV_NO_WINDOW;
        }
        env__window_process = env_process();
        SetTargetFPS(ENV_WINDOW_FPS);
        show_load_font();
        snprintf((*window)->title, sizeof(*window)->title, "%s", title);
        (*window)->speed = ENV_WINDOW_SLOWEST; /* slow enough to follow each step with the eye */
    }
    if (!env_window_is_ours()) return ENV_NO_WINDOW;
    return WindowShouldClose() ? ENV_CLOSED : 0;
}

/* The next key that was pressed since the last frame and is not one of the window's own, or 0 after the last one. */
static inline int env_window_key(EnvWindow* window) {
    for (int key = GetKeyPressed(); key; key = GetKeyPressed()) {
        if (key == KEY_SPACE) {
            window->paused = !window->paused;
        } else if (key == KEY_N) {
            window->paused = true;
            window->single++;
        } else if (key == KEY_F11) {
            ToggleBorderlessWindowed();
        } else if (key == KEY_P) {
            window->picture = true;
        } else {
            return key;
        }
    }
    return 0;
}

/* The same for characters. + and - are characters because their keys differ between keyboards. */
static inline int env_window_character(EnvWindow* window) {
    for (int sign = GetCharPressed(); sign; sign = GetCharPressed()) {
        if (sign == '+' || sign == '=') {
            if (window->speed < ENV_WINDOW_FASTEST) window->speed++;
        } else if (sign == '-') {
            if (window->speed > ENV_WINDOW_SLOWEST) window->speed--;
        } else {
            return sign;
        }
    }
    return 0;
}

/* Saves what has been drawn as TITLE-STEP.png, or TITLE-STEP-2.png and so on: no file is overwritten. */
static inline void env__window_save(EnvWindow* window) {
    char name[64];
    FILE* file = NULL;
    for (int k = 1; k < 1000 && !file; k++) {
        snprintf(name, sizeof name, k == 1 ? "%s-%lld.png" : "%s-%lld-%d.png", window->title, (long long)window->step, k);
        for (char* c = name; *c; c++)
            *c = (char)(*c >= 'A' && *c <= 'Z' ? *c - 'A' + 'a' : *c == ' ' || *c == '/' ? '_' : *c);
        file = fopen(name, "wx"); /* fails where the file exists */
    }
    bool saved = file != NULL;
    if (file) {
        const Image image = LoadImageFromScreen();
        fclose(file);
        saved = ExportImage(image, name);
        UnloadImage(image);
        if (!saved) remove(name);
    }
    snprintf(window->note, sizeof window->note, saved ? "saved %s" : "%s: cannot be saved in the current folder", name);
    window->note_until = GetTime() + ENV_WINDOW_NOTE;
}

static inline void env__window_draw_annotation(const EnvWindow* window) {
    const float chart = 72.0f, pad = 10.0f, width = fmaxf(236.0f, show_text_width(env__annotation.text) + 2.0f * pad);
    const float height = chart + SHOW_LINE_HEIGHT + 3.0f * pad;
    const float left = 10.0f, top = (float)GetScreenHeight() - window->covered - height - 10.0f;
    const float right = left + width - pad, bottom = top + pad + chart;
    if (!env__annotation.text[0]) return;
    show_rectangle(left, top, width, height, show_colour(3, 10, 20, 215));
    show_text(env__annotation.text, left + pad, bottom + pad, show_colour(240, 246, 252, 255));
    for (int k = 0; k <= 2; k++)
        show_rectangle(left + pad, bottom - chart * 0.5f * (float)k, width - 2.0f * pad, 1.0f,
                       show_colour(120, 170, 215, 50));
    const float step = (right - left - pad) / (env__annotation.points > 1 ? (float)(env__annotation.points - 1) : 1.0f);
    for (int32_t k = 1; k < env__annotation.points; k++) {
        const float x = left + pad + step * (float)k, *y = env__annotation.curve + k;
        show_line(x - step, bottom - chart * y[-1], x, bottom - chart * y[0], 1.8f, show_colour(255, 206, 110, 255));
    }
}

/* Ends a frame that BeginDrawing began. */
static inline void env_window_show(EnvWindow* window) {
    env__window_draw_annotation(window);
    if (window->picture) {
        rlDrawRenderBatchActive();
        env__window_save(window);
        window->picture = false;
    } else if (GetTime() < window->note_until) {
        const float width = show_text_width(window->note), x = floorf(((float)GetScreenWidth() - width) * 0.5f);
        show_rectangle(x - 12.0f, 8.0f, width + 24.0f, SHOW_LINE_HEIGHT + 8.0f, show_colour(3, 10, 20, 230));
        show_text(window->note, x, 8.0f + 5.0f, show_colour(240, 246, 252, 255));
    }
    EndDrawing();
}

/* How many frames a step takes: 1, or more at a speed below one step a frame. */
static inline int32_t env_window_frames_per_step(const EnvWindow* window) {
    return window->speed < 0 ? 1 << -window->speed : 1;
}

/* Call it once after each frame. Returns how many steps the viewer asks for before the next one. */
static inline int32_t env_window_steps(EnvWindow* window) {
    const int32_t single = window->single + IsKeyPressedRepeat(KEY_N);
    int32_t steps = single;
    window->single = 0;
    if (!window->paused) {
        if (++window->frames < env_window_frames_per_step(window)) return 0;
        steps = window->speed > 0 ? 1 << window->speed : 1;
    }
    if (steps) window->frames = 0;
    window->step += steps;
    return steps;
}

/* Makes rgb and the texture as large as the window is now. Returns false when out of memory. */
static inline bool env__window_fit(EnvWindow* window) {
    const int32_t width = GetScreenWidth(), height = GetScreenHeight();
    if (window->rgb && width == window->width && height == window->height) return true;
    uint8_t* rgb = (uint8_t*)ENV_CALLOC((size_t)width * (size_t)height, 3);
    if (!rgb) return false;
    const Image image = {rgb, width, height, 1, PIXELFORMAT_UNCOMPRESSED_R8G8B8};
    if (window->texture.id) UnloadTexture(window->texture);
    ENV_FREE(window->rgb);
    window->texture = LoadTextureFromImage(image);
    window->rgb = rgb;
    window->width = width;
    window->height = height;
    return true;
}

/* env_window_open for an environment that draws in pixels. After 0, the frame is to be drawn into (*window)->rgb. After anything
 * else the window is closed already. */
static inline int32_t env_window_begin(EnvWindow** window, const char* title, int32_t width, int32_t height) {
    int32_t refused = env_window_open(window, title, width, height);
    if (!refused && !env__window_fit(*window)) refused = ENV_NO_WINDOW;
    if (refused) env_window_close(window);
    return refused;
}

/* Shows rgb. Returns how many steps the viewer asks for before the next frame. */
static inline int32_t env_window_end(EnvWindow* window) {
    const Color white = {255, 255, 255, 255};
    while (env_window_key(window)) continue;
    while (env_window_character(window)) continue;
    UpdateTexture(window->texture, window->rgb);
    BeginDrawing();
    DrawTexture(window->texture, 0, 0, white);
    env_window_show(window);
    return env_window_steps(window);
}

#endif
