/* test_window.c - windows without a display: raylib's functions are replaced by functions of this file */
#define FLOCK_HEADER "show/boids_window.h"
#include "flock.h"

/* --- a raylib that draws nothing --------------------------------------------------------------------------------------------- */

static struct {
    bool open, refuse;            /* whether a window is open; whether none can be opened */
    bool closing;                 /* whether the viewer has pressed Escape */
    int opened;                   /* how many windows have been */
    int textures;                 /* loaded and not yet unloaded */
    int keys[16], characters[16]; /* pressed since the last frame; 0 after the last */
    int repeating, button;        /* the key that repeats; the button that is down, or -1 */
    int held;                     /* the key that is down */
    float wheel;                  /* how far it has turned since the last frame */
    Vector2 mouse;
} screen;

#pragma GCC diagnostic ignored "-Wunused-parameter" /* most fakes use none of their arguments */
#define RETURN_void
#define RETURN_bool return false;
#define RETURN_int return 0;
#define RETURN_double return 0;
#define RETURN_float return 0;
#define RETURN_Vector2 return (Vector2){0, 0};
#define RETURN_Image return (Image){NULL, 0, 0, 1, 4};
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
static bool is_held(int key) { return key == screen.held; }
static Vector2 where_the_mouse_is(void) { return screen.mouse; }
static float turned(void) {
    const float wheel = screen.wheel;
    screen.wheel = 0;
    return wheel;
}

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
    IsKeyDown = is_held;
    GetMousePosition = where_the_mouse_is;
    GetMouseWheelMove = turned;
    memset(&screen, 0, sizeof screen);
    screen.button = -1;
    screen.mouse = (Vector2){600, 300};
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

/* What a child of fork() does with its parent's window: nothing. Here another process is one with another number. */
static void test_a_forked_child_has_no_window(void) {
    for (int kind = 0; kind < 2; kind++) {
        Windows all;
        if (!open_windows(&all)) return;
        const long before = flock_allocations;
        CHECK(frame_of[kind](&all) >= 0);
        const int loaded = screen.textures;
        CHECK(loaded > 0);
        env__window_process++; /* now the window is another's */
        CHECK_EQ(frame_of[kind](&all), ENV_NO_WINDOW);
        CHECK_EQ(flock_allocations, before); /* the memory is freed */
        CHECK_EQ(frame_of[kind](&all), ENV_NO_WINDOW);
        CHECK_EQ(screen.textures, loaded); /* nothing else has been touched */
        CHECK(screen.open);
        CHECK_EQ(screen.opened, 1);
        flock_close(&all.flock);
        screen.open = false;
        env__window_process = 0;
    }
}

/* The boid at a pixel stays there when the viewer zooms, and moves with the mouse when the viewer drags. */
static void test_zoom_and_pan(void) {
    Windows all;
    if (!open_windows(&all)) return;
    Boids* env = &all.flock.env;
    frame_of_flock(&all);
    BoidsClient* client = env->client;
    screen.mouse = (Vector2){100, 650};
    frame_of_flock(&all);
    const float x = env->guest.x, y = env->guest.y;
    for (int k = 1; k < 40; k++) {
        screen.wheel = 1;
        frame_of_flock(&all);
        CHECK_NEAR(client->zoom, fmin(pow(1.25, k), BOIDS_MOST_ZOOM), 1e-3 * client->zoom);
        CHECK_NEAR(env->guest.x, x, 0.01);
        CHECK_NEAR(env->guest.y, y, 0.01);
        const BoidsScreen shown = boids__screen(env, client);
        CHECK(shown.left >= 0 && shown.right <= 1080 && shown.top >= 0 && shown.bottom <= 720);
    }
    const float scale = boids__screen(env, client).scale;
    screen.button = MOUSE_BUTTON_MIDDLE;
    frame_of_flock(&all);
    screen.mouse.x += 50;
    screen.mouse.y += 20;
    frame_of_flock(&all);
    CHECK_NEAR(env->guest.x, x, 0.01); /* what is at the mouse comes along */
    CHECK_NEAR(env->guest.y, y, 0.01);
    screen.button = -1;
    frame_of_flock(&all);
    CHECK(!client->view); /* dragging selects nothing */
    screen.mouse.x -= 50;
    frame_of_flock(&all);
    CHECK_NEAR(env->guest.x, x - 50 / scale, 0.01);

    screen.keys[0] = KEY_ZERO; /* the whole world; then a drag with Shift moves it around the torus */
    frame_of_flock(&all);
    CHECK_NEAR(client->zoom, 1, 0);
    screen.held = KEY_LEFT_SHIFT;
    screen.button = MOUSE_BUTTON_LEFT;
    screen.mouse = (Vector2){540, 360};
    frame_of_flock(&all);
    CHECK_EQ(env->guest.kind, BOIDS_NOBODY);
    const float under = env->guest.x;
    for (int k = 0; k < 54; k++) { /* twice around the world of 1080 */
        screen.mouse.x += 40;
        frame_of_flock(&all);
    }
    screen.mouse.x = 540;
    screen.button = -1;
    frame_of_flock(&all);
    CHECK_NEAR(env->guest.x, under, 0.5);
    screen.held = 0;
    screen.button = MOUSE_BUTTON_MIDDLE; /* where nothing is dragged it selects the nearest */
    frame_of_flock(&all);
    screen.button = -1;
    frame_of_flock(&all);
    CHECK(client->view);
    close_windows(&all);
}

/* In a window of any size the panels are inside and apart. */
static void test_panels_never_overlap(void) {
    for (int width = 320; width <= 1400; width += 4) {
        for (int height = 240; height <= 900; height += 4) {
            for (int shown = 0; shown < 8; shown++) {
                const int32_t keys = boids__help_rows((float)width);
                const BoidsLayout layout =
                    boids__layout((float)width, (float)height, shown & 1, (shown & 2) != 0, (shown & 4) != 0, keys);
                const BoidsPanel* panels[] = {&layout.numbers, &layout.observation, &layout.help};
                for (int k = 0; k < 3; k++) {
                    const BoidsPanel* a = panels[k];
                    CHECK((a->height > 0) == ((shown >> k & 1) != 0)); /* each is seen, if only a line of it */
                    CHECK((a->rows > 0) == (a->height > 0));
                    CHECK(a->x >= 0 && a->x + a->width <= (float)width && a->y >= 0 && a->y + a->height <= (float)height);
                    CHECK((float)(a->rows * SHOW_LINE_HEIGHT) + BOIDS__PAD <= a->height || !a->rows);
                    for (int j = 0; j < k; j++) {
                        const BoidsPanel* b = panels[j];
                        CHECK(!a->height || !b->height || a->x >= b->x + b->width || b->x >= a->x + a->width ||
                              a->y >= b->y + b->height || b->y >= a->y + a->height);
                    }
                }
                if (width >= 1080 && height >= 720) CHECK(!(shown & 1) || (layout.legend && layout.weights));
            }
        }
    }
}

/* The weights of the script are grey where another policy steers. */
static void test_the_window_knows_whether_the_script_steers(void) {
    Windows all;
    if (!open_windows(&all)) return;
    frame_of_flock(&all);
    const BoidsClient* client = all.flock.env.client;
    for (int k = 0; k < 6; k++) {
        flock_step(&all.flock, k % 2 ? flock_random : flock_script);
        for (int frames = 0; frames < 3; frames++) { /* it stays so until the next step */
            frame_of_flock(&all);
            CHECK_EQ(client->scripted, k % 2 == 0);
        }
    }
    close_windows(&all);
}

/* P saves what is shown, and overwrites no file. */
static int saved;
static bool save(Image image, const char* file) {
    saved++;
    return true;
}
static void test_pictures(void) {
    static const char* const names[2][2] = {{"boids-3.png", "boids-3-2.png"}, {"pixels-1.png", "pixels-1-2.png"}};
    for (int kind = 0; kind < 2; kind++) {
        Windows all;
        for (int k = 0; k < 2; k++) remove(names[kind][k]);
        if (!open_windows(&all)) return;
        ExportImage = save;
        saved = 0;
        CHECK_EQ(steps_in(&all, kind, kind ? 8 : 3), kind ? 1 : 3);
        screen.keys[0] = KEY_SPACE;
        steps_in(&all, kind, 1);
        for (int k = 0; k < 2; k++) {
            FILE* file = fopen(names[kind][k], "rb");
            CHECK(!file);
            if (file) fclose(file);
            screen.keys[0] = KEY_P;
            steps_in(&all, kind, 1);
            CHECK_EQ(saved, k + 1);
            file = fopen(names[kind][k], "rb");
            CHECK(file != NULL);
            if (file) fclose(file);
        }
        steps_in(&all, kind, 3);
        CHECK_EQ(saved, 2);
        for (int k = 0; k < 2; k++) CHECK_EQ(remove(names[kind][k]), 0);
        close_windows(&all);
    }
}

int main(void) {
    RUN(test_pause_step_and_speed);
    RUN(test_closing_and_opening_again);
    RUN(test_out_of_memory);
    RUN(test_the_window_only_reads);
    RUN(test_the_guest_is_at_the_mouse);
    RUN(test_a_forked_child_has_no_window);
    RUN(test_zoom_and_pan);
    RUN(test_panels_never_overlap);
    RUN(test_the_window_knows_whether_the_script_steers);
    RUN(test_pictures);
    return check_result();
}
