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
 *     EndDrawing();
 *     return env_window_steps(env->window);
 *
 * Keys: Space pauses, N is one step, + and - change the speed (1/8 to 64 steps a frame), Esc closes. The window may be resized:
 * c_pixels then draws at the new size.
 *
 * A process has one window, and the thread that opened it draws and closes it. With LINKED_RAYLIB it links raylib; without, Python
 * hands the functions over at run time (see raylib_calls.h): boids_env.window.draw(vec) does, and says what is missing.
 */
#ifndef ENV_WINDOW_H
#define ENV_WINDOW_H

#include "env.h"
#include "show/raylib_calls.h"

#ifdef RAYLIB_CALLS
#define ENV_EXTERNALS RAYLIB_CALLS
#endif

enum {
    ENV_WINDOW_FPS = 60,     /* frames a second, at most */
    ENV_WINDOW_SLOWEST = -3, /* 2^-3 steps a frame: a step takes 8 frames */
    ENV_WINDOW_FASTEST = 6   /* 2^6 steps a frame */
};

typedef struct EnvWindow {
    uint8_t* rgb;          /* (height x width x 3) the next frame; NULL without env_window_begin */
    int32_t width, height; /* of rgb, in pixels */
    Texture texture;       /* of the same size */
    int32_t speed;         /* 2^speed steps a frame */
    int32_t frames;        /* since the last step, where a step takes several frames */
    int32_t single;        /* steps asked for one by one since the last frame */
    bool paused;
} EnvWindow;

/* Does nothing where there is no window. */
static inline void env_window_close(EnvWindow** window) {
    if (!*window) return;
    if ((*window)->texture.id) UnloadTexture((*window)->texture);
    CloseWindow();
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
        if (IsWindowReady()) return ENV_WINDOW_TAKEN;
        SetTraceLogLevel(LOG_NONE); /* this also stops raylib from ending the process when it logs a fatal error */
        SetConfigFlags(FLAG_WINDOW_RESIZABLE);
        InitWindow(width, height, title);
        if (!IsWindowReady()) return ENV_NO_WINDOW;
        *window = (EnvWindow*)ENV_CALLOC(1, sizeof(EnvWindow));
        if (!*window) {
            CloseWindow();
            return ENV_NO_WINDOW;
        }
        SetTargetFPS(ENV_WINDOW_FPS);
        (*window)->speed = ENV_WINDOW_SLOWEST; /* slow enough to follow each step with the eye */
    }
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

/* How many frames a step takes: 1, or more at a speed below one step a frame. */
static inline int32_t env_window_frames_per_step(const EnvWindow* window) {
    return window->speed < 0 ? 1 << -window->speed : 1;
}

/* Call it once after each frame. Returns how many steps the viewer asks for before the next one. */
static inline int32_t env_window_steps(EnvWindow* window) {
    const int32_t single = window->single + IsKeyPressedRepeat(KEY_N);
    window->single = 0;
    if (window->paused) {
        if (single) window->frames = 0;
        return single;
    }
    if (++window->frames < env_window_frames_per_step(window)) return 0;
    window->frames = 0;
    return window->speed > 0 ? 1 << window->speed : 1;
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
    EndDrawing();
    return env_window_steps(window);
}

#endif
