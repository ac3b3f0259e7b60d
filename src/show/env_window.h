/* env_window.h - a window for any environment that can draw itself in pixels
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
 * Space pauses, N is one step, + and - change the speed, Esc closes. The window may be resized: c_pixels draws at its size.
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

enum { ENV_WINDOW_FPS = 60, ENV_WINDOW_SLOWEST = -6, ENV_WINDOW_FASTEST = 6 };

typedef struct EnvWindow {
    uint8_t* rgb; /* (height x width x 3) the next frame */
    int32_t width, height;
    Texture texture; /* of the same size */
    int32_t pace;    /* 2^pace steps a frame */
    int32_t frames;  /* since the last step, where a step takes several */
    bool paused;
} EnvWindow;

/* Harmless where there is none. */
static inline void env_window_close(EnvWindow** window) {
    if (!*window) return;
    if ((*window)->texture.id) UnloadTexture((*window)->texture);
    CloseWindow();
    ENV_FREE((*window)->rgb);
    ENV_FREE(*window);
    *window = NULL;
}

static inline int32_t env__window_open(EnvWindow** window, const char* title, int32_t width, int32_t height) {
    if (!raylib_is_here()) return ENV_NO_WINDOW;
    if (IsWindowReady()) return ENV_WINDOW_TAKEN;
    SetTraceLogLevel(LOG_NONE); /* raylib also ends the process where it logs a fatal error, unless nothing is logged */
    SetConfigFlags(FLAG_WINDOW_RESIZABLE);
    InitWindow(width, height, title);
    if (!IsWindowReady()) return ENV_NO_WINDOW;
    *window = (EnvWindow*)ENV_CALLOC(1, sizeof(EnvWindow));
    if (!*window) {
        CloseWindow();
        return ENV_NO_WINDOW;
    }
    SetTargetFPS(ENV_WINDOW_FPS);
    (*window)->pace = -3; /* at first one can follow it with the eye */
    return 0;
}

/* Pixels and texture of the size that the window has now; false when out of memory. */
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

/* Opens the window where there is none, and makes it ready for a frame, to be drawn into (*window)->rgb. 0, or what c_render then
 * returns: the viewer has closed it, or there is none. width, height: of a new one, in pixels. */
static inline int32_t env_window_begin(EnvWindow** window, const char* title, int32_t width, int32_t height) {
    const int32_t refused = *window ? 0 : env__window_open(window, title, width, height);
    if (refused) return refused;
    if (!WindowShouldClose() && env__window_fit(*window)) return 0;
    const int32_t status = WindowShouldClose() ? ENV_CLOSED : ENV_NO_WINDOW;
    env_window_close(window);
    return status;
}

/* Shows the frame, and takes what the viewer does. Returns how many steps he asks for before the next one. */
static inline int32_t env_window_end(EnvWindow* window) {
    const Color white = {255, 255, 255, 255};
    int32_t single = 0; /* steps asked for one by one */
    UpdateTexture(window->texture, window->rgb);
    BeginDrawing();
    DrawTexture(window->texture, 0, 0, white);
    EndDrawing();
    for (int key = GetKeyPressed(); key; key = GetKeyPressed()) {
        if (key == KEY_SPACE) window->paused = !window->paused;
        if (key != KEY_N) continue;
        window->paused = true;
        single++;
    }
    if (IsKeyPressedRepeat(KEY_N)) single++;
    for (int sign = GetCharPressed(); sign; sign = GetCharPressed()) {
        if ((sign == '+' || sign == '=') && window->pace < ENV_WINDOW_FASTEST) window->pace++;
        if (sign == '-' && window->pace > ENV_WINDOW_SLOWEST) window->pace--;
    }
    if (window->paused) return single;
    if (window->pace >= 0) return 1 << window->pace;
    if (++window->frames < 1 << -window->pace) return 0;
    window->frames = 0;
    return 1;
}

#endif
