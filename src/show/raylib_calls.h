/* raylib_calls.h - the functions of raylib that windows call, linked in or found at run time
 *
 * With -DLINKED_RAYLIB this file includes raylib's own headers, and the program links raylib. Without it, each function is a static
 * pointer of the same name, and code that calls it reads the same. The pointers are NULL until their addresses arrive (ENV_EXTERNALS
 * in env.h), so that a wheel can be built without raylib.
 */
#ifndef RAYLIB_CALLS_H
#define RAYLIB_CALLS_H

#include <stdbool.h>
#include <stddef.h>

#ifdef LINKED_RAYLIB

#include <raylib.h>
#include <rlgl.h>

static inline bool raylib_is_here(void) { return true; }

#else

/* raylib's own names and layouts, 5.0 to 6 */
typedef struct Color {
    unsigned char r, g, b, a;
} Color;

typedef struct Vector2 {
    float x, y;
} Vector2;

typedef struct Rectangle {
    float x, y, width, height;
} Rectangle;

typedef struct Image {
    void* data;
    int width, height, mipmaps, format;
} Image;

typedef struct Texture {
    unsigned int id;
    int width, height, mipmaps, format;
} Texture;

typedef struct RenderTexture {
    unsigned int id;
    Texture texture, depth;
} RenderTexture;

enum { LOG_NONE = 7, FLAG_WINDOW_RESIZABLE = 4, BLEND_ADD_COLORS = 3, BLEND_CUSTOM = 6 };
enum { TEXTURE_FILTER_BILINEAR = 1, PIXELFORMAT_UNCOMPRESSED_R8G8B8 = 4, PIXELFORMAT_UNCOMPRESSED_R8G8B8A8 = 7 };
enum { RL_TRIANGLES = 4, RL_ONE = 1, RL_SRC_ALPHA = 0x0302, RL_FUNC_REVERSE_SUBTRACT = 0x800B };
enum { MOUSE_BUTTON_LEFT, MOUSE_BUTTON_RIGHT, MOUSE_BUTTON_MIDDLE };
enum {
    KEY_SPACE = 32,
    KEY_ZERO = 48,
    KEY_ONE = 49,
    KEY_TWO = 50,
    KEY_THREE = 51,
    KEY_C = 67,
    KEY_H = 72,
    KEY_N = 78,
    KEY_P = 80,
    KEY_R = 82,
    KEY_T = 84,
    KEY_V = 86,
    KEY_TAB = 258,
    KEY_DOWN = 264,
    KEY_UP = 265,
    KEY_F1 = 290,
    KEY_F11 = 300,
    KEY_LEFT_SHIFT = 340,
    KEY_RIGHT_SHIFT = 344
};

/* result, name, arguments */
#define RAYLIB_CALLS(X)                                                                            \
    X(void, SetTraceLogLevel, (int level))                                                         \
    X(void, SetConfigFlags, (unsigned int flags))                                                  \
    X(void, InitWindow, (int width, int height, const char* title))                                \
    X(bool, IsWindowReady, (void))                                                                 \
    X(bool, WindowShouldClose, (void))                                                             \
    X(void, CloseWindow, (void))                                                                   \
    X(void, SetWindowMinSize, (int width, int height))                                             \
    X(void, SetTargetFPS, (int fps))                                                               \
    X(int, GetScreenWidth, (void))                                                                 \
    X(int, GetScreenHeight, (void))                                                                \
    X(void, ToggleBorderlessWindowed, (void))                                                      \
    X(int, GetFPS, (void))                                                                         \
    X(double, GetTime, (void))                                                                     \
    X(int, GetKeyPressed, (void))                                                                  \
    X(int, GetCharPressed, (void))                                                                 \
    X(bool, IsKeyPressedRepeat, (int key))                                                         \
    X(bool, IsKeyDown, (int key))                                                                  \
    X(Vector2, GetMousePosition, (void))                                                           \
    X(bool, IsMouseButtonDown, (int button))                                                       \
    X(float, GetMouseWheelMove, (void))                                                            \
    X(void, BeginDrawing, (void))                                                                  \
    X(void, EndDrawing, (void))                                                                    \
    X(void, ClearBackground, (Color color))                                                        \
    X(void, BeginScissorMode, (int x, int y, int width, int height))                               \
    X(void, EndScissorMode, (void))                                                                \
    X(void, BeginBlendMode, (int mode))                                                            \
    X(void, EndBlendMode, (void))                                                                  \
    X(Image, LoadImageFromScreen, (void))                                                          \
    X(bool, ExportImage, (Image image, const char* file))                                          \
    X(void, UnloadImage, (Image image))                                                            \
    X(Texture, LoadTextureFromImage, (Image image))                                                \
    X(void, UpdateTexture, (Texture texture, const void* pixels))                                  \
    X(void, UnloadTexture, (Texture texture))                                                      \
    X(void, GenTextureMipmaps, (Texture * texture))                                                \
    X(void, SetTextureFilter, (Texture texture, int filter))                                       \
    X(RenderTexture, LoadRenderTexture, (int width, int height))                                   \
    X(void, UnloadRenderTexture, (RenderTexture target))                                           \
    X(void, BeginTextureMode, (RenderTexture target))                                              \
    X(void, EndTextureMode, (void))                                                                \
    X(void, DrawTexture, (Texture texture, int x, int y, Color tint))                              \
    X(void, DrawTexturePro,                                                                        \
      (Texture texture, Rectangle from, Rectangle to, Vector2 origin, float rotation, Color tint)) \
    X(void, rlDisableBackfaceCulling, (void))                                                      \
    X(void, rlSetBlendFactors, (int source, int destination, int equation))                        \
    X(void, rlDrawRenderBatchActive, (void))                                                       \
    X(void, rlSetTexture, (unsigned int id))                                                       \
    X(void, rlTexCoord2f, (float x, float y))                                                      \
    X(void, rlBegin, (int mode))                                                                   \
    X(void, rlEnd, (void))                                                                         \
    X(void, rlColor4ub, (unsigned char r, unsigned char g, unsigned char b, unsigned char a))      \
    X(void, rlVertex2f, (float x, float y))

#if defined(__GNUC__)
#define RAYLIB__UNUSED __attribute__((unused)) /* no program calls all of them */
#else
#define RAYLIB__UNUSED
#endif
#define RAYLIB__POINTER(result, name, arguments) RAYLIB__UNUSED static result(*name) arguments;
RAYLIB_CALLS(RAYLIB__POINTER)
#undef RAYLIB__POINTER

static inline bool raylib_is_here(void) { return InitWindow != NULL; }

#endif
#endif
