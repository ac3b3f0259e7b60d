/* test_window.c - windows without a display: raylib's functions are replaced by functions of this file */
#include "flock.h"

#include "show/boids_window.h"

/* --- a raylib that draws nothing --------------------------------------------------------------------------------------------- */

static struct {
    bool open, refuse;            /* whether a window is open; whether none can be opened */
    bool closing;                 /* whether the viewer has pressed Escape */
    int opened;                   /* how many windows have been */
    int textures;                 /* loaded and not yet unloaded */
    int keys[16], characters[16]; /* pressed since the last frame; 0 after the last */
    int repeating, button;        /* the key that repeats; the button that is down, or -1 */
} screen;

#pragma GCC diagnostic ignored "-Wunused-parameter" /* most fakes use none of their arguments */
#define RETURN_void
#define RETURN_bool return false;
#define RETURN_int return 0;
#define RETURN_double return 0;
#define RETURN_Vector2 return (Vector2){600, 300};
#define RETURN_Texture return (Texture){(unsigned)++screen.textures, 64, 32, 1, 7};
#define RETURN_RenderTexture \
    screen.textures++;       \
    return (RenderTexture){1, {2, width, height, 1, 7}, {3, width, height, 1, 7}};
#define FAKE(result, name, arguments) \
    static result fake_##name arguments { RETURN_##result }
RAYLIB_CALLS(FAKE)

static int next_of(int* queue) {
    const int first = queue[0];
    if (first) memmove(queue, queue + 1, 15 * sizeof *queue);
    return first;
}

static void open_window(int width, int height, const char* title) {
    CHECK(!screen.open);
    screen.open = !screen.refuse;
    screen.opened += screen.open;
}
static void close_window(void) {
    CHECK(screen.open);
    CHECK_EQ(screen.textures, 0);
    screen.open = false;
}
static bool is_open(void) { return screen.open; }
static bool is_closing(void) { return screen.closing; }
static void unload_texture(Texture texture) { screen.textures--; }
static void unload_trails(RenderTexture texture) { screen.textures--; }
static int wide(void) { return 1080; }
static int high(void) { return 720; }
static int next_key(void) { return next_of(screen.keys); }
static int next_character(void) { return next_of(screen.characters); }
static bool repeats(int key) { return key == screen.repeating; }
static bool is_down(int button) { return button == screen.button; }

static void start_raylib(void) {
#define POINT(result, name, arguments) name = fake_##name;
    RAYLIB_CALLS(POINT)
    InitWindow = open_window;
    CloseWindow = close_window;
    IsWindowReady = is_open;
    WindowShouldClose = is_closing;
    UnloadTexture = unload_texture;
    UnloadRenderTexture = unload_trails;
    GetScreenWidth = wide;
    GetScreenHeight = high;
    GetKeyPressed = next_key;
    GetCharPressed = next_character;
    IsKeyPressedRepeat = repeats;
    IsMouseButtonDown = is_down;
    memset(&screen, 0, sizeof screen);
    screen.button = -1;
}

/* --- the two kinds of window, by one signature ------------------------------------------------------------------------------- */

typedef struct Windows {
    Flock flock;
    EnvWindow* pixels;
} Windows;

static int32_t frame_of_flock(Windows* all) { return c_render(&all->flock.env); }

static int32_t frame_of_pixels(Windows* all) {
    const int32_t refused = env_window_begin(&all->pixels, "pixels", 300, 200);
    if (refused) return refused;
    memset(all->pixels->rgb, 255, (size_t)all->pixels->width * (size_t)all->pixels->height * 3);
    return env_window_end(all->pixels);
}

static int32_t (*const frame_of[])(Windows*) = {frame_of_flock, frame_of_pixels};

static EnvWindow* window_of(const Windows* all, int kind) { return kind ? all->pixels : all->flock.env.client->window; }

static bool open_windows(Windows* all) {
    start_raylib();
    memset(all, 0, sizeof *all);
    all->flock = flock_new();
    return flock_open(&all->flock);
}

static void close_windows(Windows* all) {
    env_window_close(&all->pixels);
    flock_close(&all->flock);
    CHECK(!screen.open);
}

/* The sum of the steps asked for in so many frames. The flock takes each of them. */
static int32_t steps_in(Windows* all, int kind, int frames) {
    int32_t sum = 0;
    for (int k = 0; k < frames; k++) {
        const int32_t steps = frame_of[kind](all);
        CHECK(steps >= 0);
        for (int32_t s = 0; s < steps && !kind; s++) flock_step(&all->flock, flock_script);
        sum += steps;
    }
    return sum;
}

/* --- tests -------------------------------------------------------------------------------------------------------------------- */

static void test_pause_step_and_speed(void) {
    for (int kind = 0; kind < 2; kind++) {
        Windows all;
        if (!open_windows(&all)) return;
        CHECK_EQ(steps_in(&all, kind, 16), kind ? 2 : 16); /* in the beginning */
        screen.keys[0] = KEY_SPACE;
        steps_in(&all, kind, 1);
        CHECK_EQ(steps_in(&all, kind, 16), 0);
        for (int k = 0; k < 3; k++) screen.keys[k] = KEY_N;
        CHECK_EQ(steps_in(&all, kind, 4), 3);
        screen.repeating = KEY_N;
        CHECK_EQ(steps_in(&all, kind, 4), 4);
        screen.repeating = 0;
        screen.keys[0] = KEY_SPACE;
        for (int k = 0; k < 15; k++) screen.characters[k] = '-';
        steps_in(&all, kind, 1);
        for (int32_t speed = -3; speed <= 6; speed++) {
            while (window_of(&all, kind)->frames) steps_in(&all, kind, 1);
            CHECK_EQ(window_of(&all, kind)->speed, speed);
            CHECK_EQ(steps_in(&all, kind, 8), speed < 0 ? 8 >> -speed : 8 << speed);
            screen.characters[0] = speed % 2 ? '+' : '=';
            steps_in(&all, kind, 1);
        }
        CHECK_EQ(window_of(&all, kind)->speed, 6); /* and no faster */
        screen.keys[0] = KEY_N;                    /* also pauses */
        CHECK_EQ(steps_in(&all, kind, 8), 1);
        close_windows(&all);
    }
}

static void test_closing_and_opening_again(void) {
    for (int kind = 0; kind < 2; kind++) {
        Windows all;
        if (!open_windows(&all)) return;
        frame_of[kind](&all);
        for (int other = 0; other < 2; other++) {
            if (other != kind) CHECK_EQ(frame_of[other](&all), ENV_WINDOW_TAKEN);
        }
        screen.closing = true;
        CHECK_EQ(frame_of[kind](&all), ENV_CLOSED);
        CHECK(!screen.open);
        screen.closing = false;
        CHECK_EQ(frame_of[kind](&all), !kind);
        CHECK_EQ(screen.opened, 2);
        close_windows(&all);
        if (!open_windows(&all)) return;
        screen.refuse = true;
        CHECK_EQ(frame_of[kind](&all), ENV_NO_WINDOW);
        InitWindow = NULL;
        CHECK_EQ(frame_of[kind](&all), ENV_NO_WINDOW);
        close_windows(&all);
    }
}

static void test_out_of_memory(void) {
    for (int kind = 0; kind < 2; kind++) {
        int32_t status = ENV_NO_WINDOW;
        for (long left = 0; status < 0 && left < 20; left++) {
            Windows all;
            if (!open_windows(&all)) return;
            const long before = flock_allocations;
            flock_allocations_left = left;
            status = frame_of[kind](&all);
            flock_allocations_left = -1;
            if (status < 0) {
                CHECK_EQ(status, ENV_NO_WINDOW);
                CHECK_EQ(flock_allocations, before);
                CHECK(!screen.open);
            }
            close_windows(&all);
        }
        CHECK(status >= 0);
    }
}

/* A flock that is drawn, with every key that changes what is shown, steps like one that is not. */
static void test_the_window_only_reads(void) {
    for (int boids = 40; boids <= 400; boids += 360) {
        Windows all;
        start_raylib();
        memset(&all, 0, sizeof all);
        all.flock = flock_new();
        all.flock.env.num_boids = boids;
        all.flock.env.horizon = 20;
        Flock alone = all.flock;
        if (!flock_open(&all.flock) || !flock_open(&alone)) return;
        const int keys[] = {KEY_H, KEY_C, KEY_T, KEY_V, KEY_TAB, KEY_F1, KEY_C, KEY_ONE, KEY_V, KEY_C, KEY_TAB, KEY_T};
        for (int t = 0; t < 48; t++) {
            screen.keys[0] = keys[t % 12];
            if (t) all.flock.env.client->stats.next = 0; /* compute the numbers anew */
            CHECK_EQ(frame_of_flock(&all), 1);
            flock_step(&all.flock, flock_random);
            flock_step(&alone, flock_random);
            CHECK(flock_hash(FLOCK_HASH, &all.flock.env) == flock_hash(FLOCK_HASH, &alone.env));
        }
        flock_close(&alone);
        close_windows(&all);
    }
}

static void test_the_guest_is_at_the_mouse(void) {
    Windows all;
    if (!open_windows(&all)) return;
    const Boids* env = &all.flock.env;
    const int buttons[] = {-1, MOUSE_BUTTON_LEFT, MOUSE_BUTTON_RIGHT, -1};
    const int32_t kinds[] = {BOIDS_NOBODY, BOIDS_FRIEND, BOIDS_FOE, BOIDS_NOBODY};
    for (int k = 0; k < 4; k++) {
        screen.button = buttons[k];
        frame_of_flock(&all);
        CHECK_EQ(env->guest.kind, kinds[k]);
        CHECK_NEAR(env->guest.x, 600, 1e-3);
        CHECK_NEAR(env->guest.y, 420, 1e-3); /* 300 pixels from the top of 720 */
    }
    screen.button = MOUSE_BUTTON_LEFT;
    frame_of_flock(&all);
    screen.closing = true;
    CHECK_EQ(frame_of_flock(&all), ENV_CLOSED);
    CHECK_EQ(env->guest.kind, BOIDS_NOBODY); /* no window, no guest */
    close_windows(&all);
}

int main(void) {
    RUN(test_pause_step_and_speed);
    RUN(test_closing_and_opening_again);
    RUN(test_out_of_memory);
    RUN(test_the_window_only_reads);
    RUN(test_the_guest_is_at_the_mouse);
    return check_result();
}
