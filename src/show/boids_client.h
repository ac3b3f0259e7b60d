/* boids_client.h - what the window of a flock remembers: the viewer's choices, how the boids move, and the flock in numbers
 *
 * All of it is read from the flock. Lengths on the screen are in pixels, with y down; lengths in the world are in world units, with
 * y up.
 */
#ifndef BOIDS_CLIENT_H
#define BOIDS_CLIENT_H

#include "boids.h"
#include "show/boids_film.h"
#include "show/env_window.h"

/* enum, text, and its legend: the values at both ends of a bar, and the words below it. What the colour of a boid stands for. */
#define BOIDS_COLOURINGS(X)                                                  \
    X(BOIDS_BY_HEADING, "heading", 0, 65536, "right", "up", "left", "down", "right")    \
    X(BOIDS_BY_NEIGHBOURS, "neighbours", 0, 63, "0", "7", "63")                \
    X(BOIDS_BY_REWARD, "reward", -1, 1, "-1", "0", "1")                        \
    X(BOIDS_BY_GROUP, "group", 0, 8, "a colour for each group")

#define BOIDS__NAME(name, ...) name,
enum { BOIDS_COLOURINGS(BOIDS__NAME) BOIDS_NUM_COLOURINGS };
#undef BOIDS__NAME

/* The rules whose weights the viewer may change: script_cohesion and cohesion_weight, and so on. */
#define BOIDS_WEIGHTS(X) \
    X(cohesion)          \
    X(alignment)         \
    X(separation)

/* Where a boid is and where it heads, in the units of Boids. */
typedef struct BoidsPose {
    uint32_t x, y;
    uint16_t heading;
} BoidsPose;

enum { BOIDS_MOST_FUTURES = 4096, BOIDS__TURNS = 5 };

/* What a planner imagined for a boid. */
typedef struct BoidsFutures {
    int32_t boid; /* -1: nothing is known */
    int32_t paths, steps;
    BoidsPose poses[BOIDS_MOST_FUTURES]; /* (paths x steps); path p begins with turn p % BOIDS__TURNS */
    float expected[BOIDS__TURNS];        /* the mean sum of rewards after each turn */
} BoidsFutures;

/* The flock in numbers: means over its boids, computed a few times a second. */
typedef struct BoidsStats {
    double time, next;   /* seconds: when they were computed, and when they may be again */
    float polarization;  /* length of the mean heading, 0 to 1 */
    float alignment;     /* mean cosine between a boid's heading and its neighbours', of boids that have any */
    float reward;        /* per boid, of the last step */
    float neighbours;    /* per boid */
    float isolated;      /* share of boids without neighbours */
    float colliding;     /* share of boids with another within collision_radius */
    float largest_group; /* share of boids in it */
    int32_t groups;
    float steps_per_second;
} BoidsStats;

typedef struct BoidsClient {
    EnvWindow* window; /* NULL until it is open */

    /* what the viewer chose */
    int32_t colouring;           /* BOIDS_BY_HEADING ... */
    int32_t weight;              /* which of BOIDS_WEIGHTS the arrow keys change */
    int32_t selected;            /* the boid whose view is shown; -1: none yet */
    bool trails, view;           /* whether they are shown */
    bool numbers, help;          /* the same */
    float mouse_x, mouse_y;      /* world units, within the world */
    float zoom;                  /* 1: the whole world is seen */
    uint32_t centre_x, centre_y; /* what is in the middle: 2^32 to the width and the height */
    bool dragging;               /* whether the viewer drags the world */
    float dragged;               /* how far since the button went down, in pixels */
    Vector2 drag;                /* where the mouse was last */
    bool drag_selects;           /* whether the button was the middle one */
    bool scripted;               /* whether the script steers the flock; if not, its weights do nothing */

    /* a step may take several frames, in which boids move from one pose to the next */
    BoidsPose *from, *to; /* (num_boids) */
    int32_t tick;         /* of `to` */
    int32_t frames;       /* for which `to` has been approached */
    bool moved;           /* whether poses differ from those of the last frame */

    Texture dart;        /* the image of one boid */
    RenderTexture trail; /* half as wide and high as the world on the screen */
    float trail_zoom;    /* what it shows: the zoom and the middle */
    uint32_t trail_x, trail_y;

    BoidsFutures futures;

    BoidsStats stats;
    int64_t steps;       /* since stats.time */
    int32_t* neighbours; /* (num_boids) how many each has */
    uint32_t* group;     /* (num_boids) the lowest id in the group of each */
    int32_t* forest;     /* (num_boids) memory that sight_groups works in */
} BoidsClient;

/* --- where the world is on the screen --------------------------------------------------------------------------------------- */

typedef struct BoidsScreen {
    float x, y, width, height;      /* the rectangle that the world fills, in pixels; zoomed, it is larger than the window */
    float left, top, right, bottom; /* the part of it in the window */
    float scale;                    /* pixels per world unit */
    uint32_t centre_x, centre_y;    /* the position in the middle of the rectangle */
} BoidsScreen;

enum { BOIDS_MOST_ZOOM = 64 };

/* At zoom 1 the world is as large as the window allows, and in its middle. */
static inline BoidsScreen boids__screen(const Boids* env, const BoidsClient* client) {
    const float width = (float)GetScreenWidth(), height = (float)GetScreenHeight();
    BoidsScreen screen;
    screen.scale = fminf(width / env->width, height / env->height) * client->zoom;
    screen.width = env->width * screen.scale;
    screen.height = env->height * screen.scale;
    screen.x = floorf((width - screen.width) * 0.5f);
    screen.y = floorf((height - screen.height) * 0.5f);
    screen.left = fmaxf(screen.x, 0.0f);
    screen.top = fmaxf(screen.y, 0.0f);
    screen.right = fminf(screen.x + screen.width, width);
    screen.bottom = fminf(screen.y + screen.height, height);
    screen.centre_x = client->centre_x;
    screen.centre_y = client->centre_y;
    return screen;
}

/* From positions of Boids to pixels. The world is a torus: each is drawn by the shorter way from the middle. */
static inline float boids__screen_x(const BoidsScreen* screen, uint32_t x) {
    return screen->x + (0.5f + (float)(int32_t)(x - screen->centre_x) * (1.0f / 4294967296.0f)) * screen->width;
}
static inline float boids__screen_y(const BoidsScreen* screen, uint32_t y) {
    return screen->y + (0.5f - (float)(int32_t)(y - screen->centre_y) * (1.0f / 4294967296.0f)) * screen->height;
}

/* From pixels to positions of Boids. */
static inline uint32_t boids__world_x(const BoidsScreen* screen, float x) {
    return screen->centre_x + (uint32_t)(int64_t)(((double)(x - screen->x) / (double)screen->width - 0.5) * 4294967296.0);
}
static inline uint32_t boids__world_y(const BoidsScreen* screen, float y) {
    return screen->centre_y - (uint32_t)(int64_t)(((double)(y - screen->y) / (double)screen->height - 0.5) * 4294967296.0);
}

/* Zooms by a factor; what is at x, y, in pixels, stays there. */
static inline void boids__zoom(const Boids* env, BoidsClient* client, float factor, float x, float y) {
    const BoidsScreen before = boids__screen(env, client);
    client->zoom = fminf(fmaxf(client->zoom * factor, 1.0f), (float)BOIDS_MOST_ZOOM);
    const BoidsScreen after = boids__screen(env, client);
    client->centre_x += boids__world_x(&before, x) - boids__world_x(&after, x);
    client->centre_y += boids__world_y(&before, y) - boids__world_y(&after, y);
}

/* Moves the world by so many pixels. */
static inline void boids__pan(const Boids* env, BoidsClient* client, float x, float y) {
    const BoidsScreen screen = boids__screen(env, client);
    client->centre_x = boids__world_x(&screen, screen.x + 0.5f * screen.width - x);
    client->centre_y = boids__world_y(&screen, screen.y + 0.5f * screen.height - y);
}

/* The whole world, the origin in its bottom left corner. */
static inline void boids__show_all(BoidsClient* client) {
    client->zoom = 1.0f;
    client->centre_x = client->centre_y = UINT32_C(1) << 31;
}

/* From one position to another by the shorter way around the torus, in world units. */
static inline float boids__offset_x(const Boids* env, uint32_t from, uint32_t to) {
    return (float)(int32_t)(to - from) * (1.0f / 4294967296.0f) * env->width;
}
static inline float boids__offset_y(const Boids* env, uint32_t from, uint32_t to) {
    return (float)(int32_t)(to - from) * (1.0f / 4294967296.0f) * env->height;
}

/* The boid nearest to a point of the world. x, y: world units. */
static inline int32_t boids__nearest_to(const Boids* env, float x, float y) {
    int32_t nearest = 0;
    float nearest2 = INFINITY; /* square of its distance, world units */
    const uint32_t at_x = (uint32_t)((double)x / env->width * 4294967295.0);
    const uint32_t at_y = (uint32_t)((double)y / env->height * 4294967295.0);
    for (int32_t i = 0; i < env->num_boids; i++) {
        const float dx = boids__offset_x(env, at_x, env->x[i]), dy = boids__offset_y(env, at_y, env->y[i]);
        if (dx * dx + dy * dy >= nearest2) continue;
        nearest2 = dx * dx + dy * dy;
        nearest = i;
    }
    return nearest;
}

/* --- how the boids move between two steps ----------------------------------------------------------------------------------- */

static inline BoidsPose boids__pose(const Boids* env, int32_t i) {
    BoidsPose pose;
    pose.x = env->x[i];
    pose.y = env->y[i];
    pose.heading = env->heading[i];
    return pose;
}

/* Shows the flock where it is, with no movement to there. */
static inline void boids__show_at_once(const Boids* env, BoidsClient* client) {
    for (int32_t i = 0; i < env->num_boids; i++) client->from[i] = client->to[i] = boids__pose(env, i);
    client->tick = env->tick;
}

/* Takes over the poses of the flock, once a frame. */
static inline void boids__follow(Boids* env, BoidsClient* client) {
    const int32_t steps = env->tick - client->tick, frames = env_window_frames_per_step(client->window);
    const bool paused = client->window->paused;
    if (steps) client->scripted = env->scripted;
    env->scripted = false; /* the script says so again where it chooses the next turns */
    /* A boid that is farther away than it can have flown was placed anew, by a new episode: it moves there at once. So it does
     * after many steps. In world units: */
    const float farthest = steps > 0 && steps <= 16 ? (float)steps * env->speed * 1.1f + 1.0f : 0.0f;
    for (int32_t i = 0; i < env->num_boids; i++) {
        const BoidsPose pose = boids__pose(env, i);
        const float dx = boids__offset_x(env, client->to[i].x, pose.x), dy = boids__offset_y(env, client->to[i].y, pose.y);
        if (dx * dx + dy * dy > farthest * farthest)
            client->from[i] = pose;
        else if (steps)
            client->from[i] = client->to[i];
        client->to[i] = pose;
    }
    client->moved = steps || (!paused && client->frames < frames);
    if (steps)
        client->frames = paused ? frames : 1; /* a single step is shown whole */
    else if (client->moved)
        client->frames++;
    if (steps > 0) client->steps += steps;
    client->tick = env->tick;
}

/* How far the boids are from `from` (0) to `to` (1). */
static inline float boids__progress(const BoidsClient* client) {
    return fminf((float)client->frames / (float)env_window_frames_per_step(client->window), 1.0f);
}

/* The pose in which boid i is drawn. progress: 0 to 1. */
static inline BoidsPose boids__pose_between(const BoidsClient* client, int32_t i, float progress) {
    const BoidsPose *from = &client->from[i], *to = &client->to[i];
    if (progress >= 1.0f) return *to;
    BoidsPose pose;
    pose.x = from->x + (uint32_t)(int32_t)((float)(int32_t)(to->x - from->x) * progress);
    pose.y = from->y + (uint32_t)(int32_t)((float)(int32_t)(to->y - from->y) * progress);
    pose.heading = (uint16_t)(from->heading + (int32_t)((float)(int16_t)(to->heading - from->heading) * progress));
    return pose;
}

/* --- the flock in numbers --------------------------------------------------------------------------------------------------- */

/* Computes the numbers where they are shown and it is time to: four times a second, and in at most a twentieth of the time. */
static inline void boids__update_stats(const Boids* env, BoidsClient* client) {
    BoidsStats* stats = &client->stats;
    const double now = GetTime();
    const bool shown = client->numbers || client->view || client->colouring != BOIDS_BY_HEADING;
    if (!shown || now < stats->next) return;
    const int32_t n = env->num_boids;
    const float touching = 1.0f - env->collision_radius / env->separation_radius; /* closeness at collision_radius */
    double reward = 0.0, alignment = 0.0, neighbours = 0.0;
    int32_t social = 0, colliding = 0, largest = 0; /* social: boids that have neighbours */

    sight_count(&env->sight, client->neighbours);
    sight_groups(&env->sight, client->forest, client->group, &stats->groups, &largest);
    for (int32_t i = 0; i < n; i++) {
        const BoidsObservation* observed = boids_observation(env, i);
        reward += (double)env->rewards[i];
        neighbours += client->neighbours[i];
        if (observed->any > 0.0f) {
            social++;
            alignment += (double)observed->heading_cos;
        }
        colliding += observed->closeness > touching && observed->closeness > 0.0f;
    }
    stats->polarization = boids_polarization(env);
    stats->alignment = (float)(alignment / (social ? social : 1));
    stats->reward = (float)(reward / n);
    stats->neighbours = (float)(neighbours / n);
    stats->isolated = (float)(n - social) / (float)n;
    stats->colliding = (float)colliding / (float)n;
    stats->largest_group = (float)largest / (float)n;
    if (now > stats->time + 0.1) {
        stats->steps_per_second = (float)((double)client->steps / (now - stats->time));
        client->steps = 0;
        stats->time = now;
    }
    const double cost = GetTime() - now;
    stats->next = now + fmax(0.25, 20.0 * cost);
}

#endif
