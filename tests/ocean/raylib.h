/* raylib.h - a stand-in for raylib, for the tests: what PufferLib's Ocean environments name of raylib, raymath and rlgl.
 *
 * Stepping draws nothing, so a function that draws, loads or unloads is a macro that does nothing and yields zeros: no key
 * is ever down and no window ever opens. The vector arithmetic, in which dynamics may be written, is real. The clock counts
 * how often it was read, and the process has one number, because some environments seed rand() from these. */
/* clang-format off */
#ifndef RAYLIB_H
#define RAYLIB_H
#include <math.h>
#include <stdbool.h>
#include <time.h>
#include <unistd.h>

/* ---- Types, with the fields that the environments touch --------------------------------------------------------------- */

typedef struct Color { unsigned char r, g, b, a; } Color;
typedef struct Vector2 { float x, y; } Vector2;
typedef struct Vector3 { float x, y, z; } Vector3;
typedef struct Vector4 { float x, y, z, w; } Vector4;
typedef Vector4 Quaternion;
typedef struct Matrix { float m0, m4, m8, m12, m1, m5, m9, m13, m2, m6, m10, m14, m3, m7, m11, m15; } Matrix;
typedef struct Rectangle { float x, y, width, height; } Rectangle;
typedef struct Image { void* data; int width, height, mipmaps, format; } Image;
typedef struct Texture { unsigned id; int width, height, mipmaps, format; } Texture, Texture2D;
typedef struct RenderTexture { unsigned id; Texture texture, depth; } RenderTexture, RenderTexture2D;
typedef struct Font { int baseSize; Texture2D texture; } Font;
typedef struct Camera2D { Vector2 offset, target; float rotation, zoom; } Camera2D;
typedef struct Camera3D { Vector3 position, target, up; float fovy; int projection; } Camera3D, Camera;
typedef struct Shader { unsigned id; int locs[32]; } Shader;
typedef struct MaterialMap { Texture2D texture; Color color; float value; } MaterialMap;
typedef struct Material { Shader shader; MaterialMap* maps; } Material;
typedef struct Mesh {
    int vertexCount, triangleCount;
    float *vertices, *texcoords, *texcoords2, *normals, *tangents;
    unsigned char* colors;
    unsigned short* indices;
} Mesh;
typedef struct Model {
    Matrix transform;
    int meshCount, materialCount;
    Mesh* meshes;
    Material* materials;
} Model;
typedef struct ModelAnimation { int boneCount, frameCount; } ModelAnimation;
typedef struct BoundingBox { Vector3 min, max; } BoundingBox;
typedef struct Sound { unsigned frameCount; } Sound;

#define PI 3.14159265358979323846f
#define DEG2RAD (PI / 180.0f)
#define RAD2DEG (180.0f / PI)
#define RL_MALLOC(bytes) malloc(bytes)

enum {
    KEY_A, KEY_B, KEY_BACKSPACE, KEY_D, KEY_DOWN, KEY_E, KEY_EIGHT, KEY_ENTER, KEY_EQUAL, KEY_ESCAPE, KEY_FIVE, KEY_FOUR,
    KEY_GRAVE, KEY_H, KEY_KP_ADD, KEY_KP_SUBTRACT, KEY_LEFT, KEY_LEFT_CONTROL, KEY_LEFT_SHIFT, KEY_MINUS, KEY_NINE, KEY_ONE,
    KEY_Q, KEY_RIGHT, KEY_RIGHT_SHIFT, KEY_S, KEY_SEVEN, KEY_SIX, KEY_SPACE, KEY_TAB, KEY_THREE, KEY_TWO, KEY_UP, KEY_V,
    KEY_W, KEY_X, KEY_Z, KEY_ZERO, MOUSE_BUTTON_LEFT, MOUSE_LEFT_BUTTON, MOUSE_CURSOR_DEFAULT, MOUSE_CURSOR_POINTING_HAND,
    FLAG_MSAA_4X_HINT, LOG_ERROR, LOG_WARNING, BLEND_ALPHA, CAMERA_PERSPECTIVE, CAMERA_THIRD_PERSON, MATERIAL_MAP_DIFFUSE,
    PIXELFORMAT_UNCOMPRESSED_R8G8B8A8, RL_BLEND_CUSTOM_SEPARATE, RL_FUNC_ADD, RL_MAX, RL_MODE, RL_ONE, RL_ONE_MINUS_SRC_ALPHA,
    RL_SRC_ALPHA, SHADER_LOC_VECTOR_VIEW, SHADER_UNIFORM_FLOAT, SHADER_UNIFORM_INT, SHADER_UNIFORM_VEC3, SHADER_UNIFORM_VEC4
};

/* every colour is the same one */
#define BLACK (Color){0, 0, 0, 255}
#define BEIGE BLACK
#define BLANK BLACK
#define BLUE BLACK
#define BROWN BLACK
#define DARKGREEN BLACK
#define GOLD BLACK
#define GRAY BLACK
#define GREEN BLACK
#define LIGHTGRAY BLACK
#define LIME BLACK
#define MAGENTA BLACK
#define MAROON BLACK
#define ORANGE BLACK
#define PURPLE BLACK
#define RAYWHITE BLACK
#define RED BLACK
#define SKYBLUE BLACK
#define WHITE BLACK
#define YELLOW BLACK

/* ---- Arithmetic (raymath.h) ------------------------------------------------------------------------------------------- */

static inline float Lerp(float a, float b, float t) { return a + t * (b - a); }
static inline Vector3 Vector3Zero(void) { return (Vector3){0, 0, 0}; }
static inline Vector3 Vector3Add(Vector3 a, Vector3 b) { return (Vector3){a.x + b.x, a.y + b.y, a.z + b.z}; }
static inline Vector3 Vector3Subtract(Vector3 a, Vector3 b) { return (Vector3){a.x - b.x, a.y - b.y, a.z - b.z}; }
static inline Vector3 Vector3Scale(Vector3 v, float s) { return (Vector3){v.x * s, v.y * s, v.z * s}; }
static inline float Vector3Length(Vector3 v) { return sqrtf(v.x * v.x + v.y * v.y + v.z * v.z); }
static inline Vector3 Vector3Normalize(Vector3 v) {
    const float length = Vector3Length(v);
    return length > 0 ? Vector3Scale(v, 1 / length) : v;
}
static inline Vector3 Vector3CrossProduct(Vector3 a, Vector3 b) {
    return (Vector3){a.y * b.z - a.z * b.y, a.z * b.x - a.x * b.z, a.x * b.y - a.y * b.x};
}
static inline Quaternion QuaternionIdentity(void) { return (Quaternion){0, 0, 0, 1}; }
static inline Quaternion QuaternionNormalize(Quaternion q) {
    const float length = sqrtf(q.x * q.x + q.y * q.y + q.z * q.z + q.w * q.w);
    return length > 0 ? (Quaternion){q.x / length, q.y / length, q.z / length, q.w / length} : q;
}
static inline Quaternion QuaternionMultiply(Quaternion a, Quaternion b) {
    return (Quaternion){a.x * b.w + a.w * b.x + a.y * b.z - a.z * b.y, a.y * b.w + a.w * b.y + a.z * b.x - a.x * b.z,
                        a.z * b.w + a.w * b.z + a.x * b.y - a.y * b.x, a.w * b.w - a.x * b.x - a.y * b.y - a.z * b.z};
}
static inline Quaternion QuaternionFromAxisAngle(Vector3 axis, float angle) {
    const Vector3 v = Vector3Scale(Vector3Normalize(axis), sinf(angle / 2));
    return (Quaternion){v.x, v.y, v.z, cosf(angle / 2)};
}
static inline Vector3 Vector3RotateByQuaternion(Vector3 v, Quaternion q) {
    const Vector3 axis = {q.x, q.y, q.z}, t = Vector3Scale(Vector3CrossProduct(axis, v), 2);
    return Vector3Add(Vector3Add(v, Vector3Scale(t, q.w)), Vector3CrossProduct(axis, t));
}
#define QuaternionToMatrix(...) ((Matrix){0})

/* ---- Questions: no, nothing, nowhere ---------------------------------------------------------------------------------- */

#define GetModelBoundingBox(...) ((BoundingBox){0})
#define ColorAlpha(...) ((Color){0})
#define LoadFont(...) ((Font){0})
#define GenImageChecked(...) ((Image){0})
#define GenImageColor(...) ((Image){0})
#define LoadImage(...) ((Image){0})
#define LoadModel(...) ((Model){0})
#define LoadModelFromMesh(...) ((Model){0})
#define LoadModelAnimations(...) ((ModelAnimation*)0)
#define LoadRenderTexture(...) ((RenderTexture2D){0})
#define LoadShader(...) ((Shader){0})
#define LoadTexture(...) ((Texture2D){0})
#define LoadTextureFromImage(...) ((Texture2D){0})
#define GetMousePosition(...) ((Vector2){0})
#define IsKeyDown(...) false
#define IsKeyPressed(...) false
#define IsKeyReleased(...) false
#define IsMouseButtonDown(...) false
#define IsMouseButtonPressed(...) false
#define IsMouseButtonReleased(...) false
#define IsWindowReady(...) false
#define WindowShouldClose(...) false
#define TextFormat(...) ""
#define GetSplinePointBezierQuad(...) ((Vector2){0})
#define GetTime(...) 0
#define GetFrameTime(...) 0
#define GetMouseWheelMove(...) 0
#define GetCharPressed(...) 0
#define GetFPS(...) 0
#define GetKeyPressed(...) 0
#define GetMouseX(...) 0
#define GetMouseY(...) 0
#define GetRenderHeight(...) 0
#define GetRenderWidth(...) 0
#define GetScreenHeight(...) 0
#define GetScreenWidth(...) 0
#define GetShaderLocation(...) 0
#define MeasureText(...) 0

/* ---- Orders: nothing happens ------------------------------------------------------------------------------------------ */

#define BeginBlendMode(...) ((void)0)
#define BeginDrawing(...) ((void)0)
#define BeginMode2D(...) ((void)0)
#define BeginMode3D(...) ((void)0)
#define BeginScissorMode(...) ((void)0)
#define BeginShaderMode(...) ((void)0)
#define BeginTextureMode(...) ((void)0)
#define ClearBackground(...) ((void)0)
#define CloseWindow(...) ((void)0)
#define DrawCircle(...) ((void)0)
#define DrawCircleGradient(...) ((void)0)
#define DrawCube(...) ((void)0)
#define DrawCubeWires(...) ((void)0)
#define DrawCylinder(...) ((void)0)
#define DrawCylinderEx(...) ((void)0)
#define DrawEllipse(...) ((void)0)
#define DrawFPS(...) ((void)0)
#define DrawGrid(...) ((void)0)
#define DrawLine(...) ((void)0)
#define DrawLine3D(...) ((void)0)
#define DrawLineEx(...) ((void)0)
#define DrawLineStrip(...) ((void)0)
#define DrawLineV(...) ((void)0)
#define DrawModel(...) ((void)0)
#define DrawModelEx(...) ((void)0)
#define DrawRectangle(...) ((void)0)
#define DrawRectangleLines(...) ((void)0)
#define DrawRectangleLinesEx(...) ((void)0)
#define DrawSphere(...) ((void)0)
#define DrawText(...) ((void)0)
#define DrawTextEx(...) ((void)0)
#define DrawTexture(...) ((void)0)
#define DrawTexturePro(...) ((void)0)
#define DrawTextureRec(...) ((void)0)
#define DrawTriangle3D(...) ((void)0)
#define DrawTriangleStrip(...) ((void)0)
#define EndBlendMode(...) ((void)0)
#define EndDrawing(...) ((void)0)
#define EndMode2D(...) ((void)0)
#define EndMode3D(...) ((void)0)
#define EndScissorMode(...) ((void)0)
#define EndShaderMode(...) ((void)0)
#define EndTextureMode(...) ((void)0)
#define ImageFormat(...) ((void)0)
#define InitWindow(...) ((void)0)
#define PlaySound(...) ((void)0)
#define SetConfigFlags(...) ((void)0)
#define SetMouseCursor(...) ((void)0)
#define SetShaderValue(...) ((void)0)
#define SetShaderValueTexture(...) ((void)0)
#define SetTargetFPS(...) ((void)0)
#define SetWindowSize(...) ((void)0)
#define ToggleBorderlessWindowed(...) ((void)0)
#define ToggleFullscreen(...) ((void)0)
#define TraceLog(...) ((void)0)
#define UnloadFont(...) ((void)0)
#define UnloadImage(...) ((void)0)
#define UnloadModel(...) ((void)0)
#define UnloadModelAnimations(...) ((void)0)
#define UnloadRenderTexture(...) ((void)0)
#define UnloadShader(...) ((void)0)
#define UnloadTexture(...) ((void)0)
#define UpdateCamera(...) ((void)0)
#define UpdateMeshBuffer(...) ((void)0)
#define UpdateModelAnimation(...) ((void)0)
#define UpdateTexture(...) ((void)0)
#define UploadMesh(...) ((void)0)
#define rlDisableDepthTest(...) ((void)0)
#define rlEnableDepthTest(...) ((void)0)
#define rlPopMatrix(...) ((void)0)
#define rlPushMatrix(...) ((void)0)
#define rlRotatef(...) ((void)0)
#define rlScalef(...) ((void)0)
#define rlSetBlendFactorsSeparate(...) ((void)0)
#define rlTranslatef(...) ((void)0)

/* ---- The clock -------------------------------------------------------------------------------------------------------- */

static long stub_clock;
#define time(...) ((time_t)++stub_clock)
#define clock_gettime(clock, at) (*(at) = (struct timespec){.tv_nsec = ++stub_clock}, 0)
#define getpid() 1

#endif
