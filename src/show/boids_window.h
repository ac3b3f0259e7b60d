/* boids_window.h - a window in which one watches a flock, and takes part
 *
 *     while ((steps = c_render(&env)) >= 0)
 *         for (; steps; steps--) { c_script(&env); c_step(&env); }
 *     c_close(&env);
 *
 *     Space  pause                     T      trails
 *     N      one step                  V      what one boid sees: the nearest to the mouse; Tab: the next
 *     + -    faster, slower            1 2 3  which weight the arrows up and down change, of the script and the reward alike
 *     R      restart                   mouse  left button: a friend; right: a foe; middle: what the nearest boid sees
 *     C      what colours mean         wheel  zooms; dragging with the middle button, or with Shift held, moves the world; 0: all of it
 *     H      numbers                   F11    fills the screen
 *     F1 ?   help                      P      saves a picture
 *     Esc    close
 *
 * It reads the flock and keeps its notes in memory of its own. It changes the flock only where the viewer says so: the guest at the
 * mouse, the weights, a restart.
 *
 * env_window.h opens and closes the window, pauses and sets the speed. boids_client.h remembers, boids_world.h and boids_panels.h
 * draw. Few draw calls, whatever the number of boids.
 */
#ifndef BOIDS_WINDOW_H
#define BOIDS_WINDOW_H

#include "show/boids_panels.h"

enum { BOIDS__LEAST_WIDTH = 320, BOIDS__LEAST_HEIGHT = 240 }; /* of the window, in pixels */

/* --- opening and closing ---------------------------------------------------------------------------------------------------- */

/* c_close calls it, and c_render when the window is closed. */
static inline void boids__close_window(Boids* env) {
    BoidsClient* client = env->client;
    if (!client) return;
    if (env_window_is_ours()) { /* not in a forked child */
        if (client->trail.id) UnloadRenderTexture(client->trail);
        if (client->dart.id) UnloadTexture(client->dart);
    }
    env_window_close(&client->window);
    ENV_FREE(client->from);
    ENV_FREE(client->to);
    ENV_FREE(client->neighbours);
    ENV_FREE(client->group);
    ENV_FREE(client->forest);
    ENV_FREE(client);
    env->client = NULL;
    env->guest.kind = BOIDS_NOBODY;
}

/* Allocates what the window remembers. Returns false, with nothing left allocated, when out of memory. */
static inline bool boids__make_client(Boids* env) {
    const size_t n = (size_t)env->num_boids;
    BoidsClient* client = (BoidsClient*)ENV_CALLOC(1, sizeof(BoidsClient));
    if (!client) return false;
    env->client = client;
    env->close_client = boids__close_window;
    client->from = (BoidsPose*)ENV_CALLOC(n, sizeof(BoidsPose));
    client->to = (BoidsPose*)ENV_CALLOC(n, sizeof(BoidsPose));
    client->neighbours = (int32_t*)ENV_CALLOC(n, sizeof(int32_t));
    client->group = (uint32_t*)ENV_CALLOC(n, sizeof(uint32_t));
    client->forest = (int32_t*)ENV_CALLOC(n, sizeof(int32_t));
    if (client->from && client->to && client->neighbours && client->group && client->forest) return true;
    boids__close_window(env);
    return false;
}

/* What the first frame in a new window needs. */
static inline void boids__start(Boids* env, BoidsClient* client) {
    SetWindowMinSize(BOIDS__LEAST_WIDTH, BOIDS__LEAST_HEIGHT);
    rlDisableBackfaceCulling(); /* the corners of triangles come in either order */
    client->window->speed = 0;  /* a step a frame */
    client->dart = boids__dart_texture();
    client->trails = env->num_boids <= BOIDS_MOST_TRAILS;
    client->numbers = client->help = true;
    client->selected = client->futures.boid = -1;
    boids__show_all(client);
    boids__show_at_once(env, client);
    env->scripted = false;
}

/* Opens the window where there is none. Returns 0, or what c_render then returns; then nothing is left open. */
static inline int32_t boids__open_window(Boids* env) {
    if (!env->client && !boids__make_client(env)) return ENV_NO_WINDOW;
    BoidsClient* client = env->client;
    const bool opened = client->window != NULL;
    const float scale = fminf(1280.0f / env->width, 720.0f / env->height); /* pixels per world unit */
    const int32_t width = (int32_t)fmaxf(env->width * scale, BOIDS__LEAST_WIDTH);
    const int32_t height = (int32_t)fmaxf(env->height * scale, BOIDS__LEAST_HEIGHT);
    const int32_t refused = env_window_open(&client->window, "Boids", width, height);
    if (refused)
        boids__close_window(env);
    else if (!opened)
        boids__start(env, client);
    return refused;
}

/* --- what the viewer does ---------------------------------------------------------------------------------------------------- */

/* The wheel zooms. Dragging moves the world: with the middle button, or with Shift held. The middle button where nothing was dragged
 * selects the nearest boid. */
static inline void boids__zoom_and_pan(const Boids* env, BoidsClient* client, Vector2 mouse, bool shift) {
    const float wheel = GetMouseWheelMove();
    const bool middle = IsMouseButtonDown(MOUSE_BUTTON_MIDDLE),
               drag = middle || (shift && IsMouseButtonDown(MOUSE_BUTTON_LEFT));
    if (wheel < 0.0f || wheel > 0.0f) boids__zoom(env, client, powf(1.25f, wheel), mouse.x, mouse.y);
    if (drag && client->dragging) {
        boids__pan(env, client, mouse.x - client->drag.x, mouse.y - client->drag.y);
        client->dragged += fabsf(mouse.x - client->drag.x) + fabsf(mouse.y - client->drag.y);
    } else if (drag) {
        client->dragged = 0.0f;
    } else if (client->dragging && client->dragged < 4.0f && client->drag_selects) {
        client->view = true;
        client->selected = boids__nearest_to(env, client->mouse_x, client->mouse_y);
    }
    client->dragging = drag;
    client->drag = mouse;
    client->drag_selects = middle;
}

/* The guest is at the mouse while a button is down. */
static inline void boids__mouse(Boids* env, BoidsClient* client) {
    const Vector2 mouse = GetMousePosition();
    const bool shift = IsKeyDown(KEY_LEFT_SHIFT) || IsKeyDown(KEY_RIGHT_SHIFT);
    boids__zoom_and_pan(env, client, mouse, shift);
    const BoidsScreen screen = boids__screen(env, client);
    const bool inside = mouse.x >= screen.left && mouse.x < screen.right && mouse.y >= screen.top && mouse.y < screen.bottom;
    const float x = fminf(fmaxf(mouse.x, screen.left), screen.right), y = fminf(fmaxf(mouse.y, screen.top), screen.bottom);
    const double turn = 1.0 / 4294967296.0;
    client->mouse_x = fminf((float)(boids__world_x(&screen, x) * turn) * env->width, env->width * 0.999999f);
    client->mouse_y = fminf((float)(boids__world_y(&screen, y) * turn) * env->height, env->height * 0.999999f);
    env->guest.x = client->mouse_x;
    env->guest.y = client->mouse_y;
    env->guest.kind = BOIDS_NOBODY;
    if (inside && !shift && IsMouseButtonDown(MOUSE_BUTTON_LEFT))
        env->guest.kind = BOIDS_FRIEND;
    else if (inside && IsMouseButtonDown(MOUSE_BUTTON_RIGHT))
        env->guest.kind = BOIDS_FOE;
}

/* One press makes a weight a quarter larger or a fifth smaller; of one below 0, its size. From 0 it goes up, to 0.01; the size is at most 10. */
static inline void boids__change(float* weight, bool up) {
    const bool below = *weight < 0.0f;
    const float size = fabsf(*weight), changed = up != below ? fmaxf(size * 1.25f, 0.01f) : size * 0.8f;
    *weight = changed < 0.0099f ? 0.0f : below ? -fminf(changed, 10.0f) : fminf(changed, 10.0f);
}

/* Changes the selected weight, of the script and of the reward. */
static inline void boids__change_weights(Boids* env, int32_t selected, bool up) {
    int32_t k = 0;
#define BOIDS__CHANGE(name)                      \
    if (selected == k++) {                       \
        boids__change(&env->script_##name, up);  \
        boids__change(&env->name##_weight, up);  \
    }
    BOIDS_WEIGHTS(BOIDS__CHANGE)
#undef BOIDS__CHANGE
}

/* Does what a key stands for. */
static inline void boids__key(Boids* env, BoidsClient* client, int key) {
    switch (key) {
        case KEY_R:
            c_reset(env);
            boids__show_at_once(env, client);
            client->stats.next = 0.0;
            break;
        case KEY_ZERO: boids__show_all(client); break;
        case KEY_H: client->numbers = !client->numbers; break;
        case KEY_T: client->trails = !client->trails; break;
        case KEY_F1: client->help = !client->help; break;
        case KEY_C:
            client->colouring = (client->colouring + 1) % BOIDS_NUM_COLOURINGS;
            client->stats.next = 0.0;
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
        case KEY_DOWN: boids__change_weights(env, client->weight, key == KEY_UP); break;
        default: break;
    }
}

/* All keys that were pressed since the last frame, and those that repeat while they are held down. */
static inline void boids__keys(Boids* env, BoidsClient* client) {
    static const int repeating[] = {KEY_TAB, KEY_UP, KEY_DOWN};
    for (int key; (key = env_window_key(client->window));) boids__key(env, client, key);
    for (int k = 0; k < 3; k++)
        if (IsKeyPressedRepeat(repeating[k])) boids__key(env, client, repeating[k]);
    for (int sign; (sign = env_window_character(client->window));)
        if (sign == '?') client->help = !client->help;
}

/* --- one frame ---------------------------------------------------------------------------------------------------------------- */

static inline void boids__draw_frame(const Boids* env, BoidsClient* client, const BoidsScreen* screen) {
    if (client->trails) boids__update_trails(env, client, screen);
    BeginDrawing();
    ClearBackground(show_colour(4, 9, 17, 255));
    show_gradient(screen->left, screen->top, screen->right - screen->left, screen->bottom - screen->top,
                  show_colour(11, 33, 56, 255), show_colour(5, 14, 28, 255));
    BeginScissorMode((int)screen->left, (int)screen->top, (int)ceilf(screen->right - screen->left),
                     (int)ceilf(screen->bottom - screen->top));
    if (client->trails && client->trail.id) boids__draw_trails(client, screen);
    if (client->view) boids__draw_view(env, client, screen);
    if (client->view) boids__draw_futures(env, client, screen);
    boids__draw_flock(env, client, screen);
    if (env->guest.kind) boids__draw_guest(&env->guest);
    EndScissorMode();
    const float width = (float)GetScreenWidth(), height = (float)GetScreenHeight();
    const BoidsLayout layout =
        boids__layout(width, height, client->numbers, client->view, client->help, boids__help_rows(width));
    if (client->numbers) boids__draw_numbers(env, client, &layout);
    if (client->view) boids__draw_observation(env, client, &layout.observation);
    if (client->help) boids__draw_help(client, &layout.help);
    client->window->step = env->tick;
    client->window->covered = layout.help.height;
    env_window_show(client->window);
}

/* What a planner imagined; of many flights, as many as there is room for. The items are those of ENV_STATE: x, y, heading. */
#define c_futures c_futures
static inline int32_t c_futures(Boids* env, const EnvFutures* imagined) {
    enum { ITEM = 4 + 4 + 2 }; /* bytes */
    BoidsClient* client = env->client;
    if (!client) return -1;
    BoidsFutures* futures = &client->futures;
    futures->boid = -1;
    if (imagined && imagined->choices == BOIDS__TURNS && imagined->steps * BOIDS__TURNS <= BOIDS_MOST_FUTURES) {
        const int32_t room = BOIDS_MOST_FUTURES / (imagined->steps * BOIDS__TURNS);
        futures->boid = imagined->agent;
        futures->steps = imagined->steps;
        futures->paths = (imagined->flights < room ? imagined->flights : room) * BOIDS__TURNS;
        memcpy(futures->expected, imagined->expected, sizeof futures->expected);
        for (int32_t k = 0; k < futures->paths * futures->steps; k++) {
            const char* item = imagined->items + (size_t)k * ITEM;
            memcpy(&futures->poses[k].x, item, 4);
            memcpy(&futures->poses[k].y, item + 4, 4);
            memcpy(&futures->poses[k].heading, item + 8, 2);
        }
    }
    return client->view ? client->selected : -1;
}

#define c_render c_render
static inline int32_t c_render(Boids* env) {
    const int32_t refused = boids__open_window(env);
    if (refused) return refused;
    BoidsClient* client = env->client;
    boids__follow(env, client);
    boids__mouse(env, client);
    boids__keys(env, client);
    const BoidsScreen screen = boids__screen(env, client);
    boids__update_stats(env, client);
    boids__draw_frame(env, client, &screen);
    return env_window_steps(client->window);
}

#endif
