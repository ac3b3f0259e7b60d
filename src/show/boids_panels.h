/* boids_panels.h - text and numbers in the window of a flock: the flock in numbers, the observation of one boid, the keys
 *
 * All lengths are in pixels.
 */
#ifndef BOIDS_PANELS_H
#define BOIDS_PANELS_H

#include "show/boids_world.h"

#include <stdio.h>
#include <string.h>

enum { BOIDS__MARGIN = 14 }; /* from the edge of the window to a panel */

static inline Color boids__dim(void) { return show_colour(148, 172, 198, 255); }
static inline Color boids__bright(void) { return show_colour(240, 246, 252, 255); }
static inline Color boids__accent(void) { return show_colour(255, 206, 110, 255); }
static inline Color boids__rule(int opacity) { return show_colour(120, 170, 215, opacity); } /* thin lines */

static inline void boids__panel(float x, float y, float width, float height) {
    show_rectangle(x, y, width, height, show_colour(3, 10, 20, 208));
    show_rectangle(x, y, width, 1.0f, boids__rule(90));
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

/* --- the flock in numbers --------------------------------------------------------------------------------------------------- */

/* A line of a panel: a name at its left end, a text at its right end. */
static inline void boids__row(float left, float right, float y, const char* name, const char* text) {
    show_text(name, left, y, boids__dim());
    show_text_before(text, right, y, boids__bright());
}

/* The number of boids, and the speed. */
static inline void boids__draw_title(const Boids* env, const EnvWindow* window, float left, float right, float y) {
    char text[48];
    boids__short_number(text, sizeof text, (float)env->num_boids);
    snprintf(text + strlen(text), sizeof text - strlen(text), " boid%s", env->num_boids == 1 ? "" : "s");
    show_text(text, left, y, boids__bright());
    if (window->paused)
        snprintf(text, sizeof text, "paused");
    else if (window->speed < 0)
        snprintf(text, sizeof text, "speed 1/%d", 1 << -window->speed);
    else
        snprintf(text, sizeof text, "speed %d", 1 << window->speed);
    show_text_before(text, right, y, boids__accent());
}

/* The weights of the script and of the reward, and a bar for that of the script. y: of the first line. */
static inline void boids__draw_weights(const Boids* env, const BoidsClient* client, float left, float right, float y) {
    const float script_right = right - 84.0f, width = right - left;
    show_text_before("script", script_right, y, boids__dim());
    show_text_before("reward", right, y, boids__dim());
    char text[48];
    int k = 0;
#define BOIDS__WEIGHT(name)                                                                                             \
    {                                                                                                                   \
        const Color colour = client->weight == k++ ? boids__accent() : boids__dim();                                    \
        const float row = y + (float)(k * SHOW_LINE_HEIGHT), script = env->script_##name;                               \
        show_text(#name, left, row, colour);                                                                            \
        snprintf(text, sizeof text, "%.2f", (double)script);                                                            \
        show_text_before(text, script_right, row, boids__bright());                                                     \
        snprintf(text, sizeof text, "%.2f", (double)env->name##_weight);                                                \
        show_text_before(text, right, row, boids__bright());                                                            \
        const float share = script > 0.01f ? log10f(script * 100.0f) / 3.0f : 0.0f; /* logarithmic, from 0.01 to 10 */  \
        show_rectangle(left, row + 18.0f, width, 2.0f, boids__rule(50));                                                \
        show_rectangle(left, row + 18.0f, width * share, 2.0f, colour);                                                 \
    }
    BOIDS_WEIGHTS(BOIDS__WEIGHT)
#undef BOIDS__WEIGHT
}

static inline void boids__draw_numbers(const Boids* env, const BoidsClient* client) {
#define BOIDS__TEXT(name, text) text,
    static const char* const colourings[] = {BOIDS_COLOURINGS(BOIDS__TEXT)};
#undef BOIDS__TEXT
    enum { ROWS = 12 };
    const BoidsStats* stats = &client->stats;
    const float x = BOIDS__MARGIN, y = BOIDS__MARGIN, width = 268.0f, pad = 12.0f;
    const float left = x + pad, right = x + width - pad;
    const float weights = y + pad + (float)((ROWS + 1) * SHOW_LINE_HEIGHT) + 14.0f;
    boids__panel(x, y, width, weights - y + 4.0f * SHOW_LINE_HEIGHT + pad);
    boids__draw_title(env, client->window, left, right, y + pad);

    char text[48];
    float row = y + pad + 6.0f;
#define BOIDS__ROW(name, ...)                                          \
    do {                                                               \
        snprintf(text, sizeof text, __VA_ARGS__);                      \
        boids__row(left, right, row += SHOW_LINE_HEIGHT, name, text);  \
    } while (0)
    BOIDS__ROW("polarization", "%.2f", (double)stats->polarization);
    BOIDS__ROW("local alignment", "%.2f", (double)stats->alignment);
    BOIDS__ROW("reward", "%.2f", (double)stats->reward);
    BOIDS__ROW("neighbours", "%.1f", (double)stats->neighbours);
    BOIDS__ROW("isolated", "%.1f %%", 100.0 * (double)stats->isolated);
    BOIDS__ROW("colliding", "%.1f %%", 100.0 * (double)stats->colliding);
    BOIDS__ROW("groups", "%d", (int)stats->groups);
    BOIDS__ROW("largest group", "%.0f %%", 100.0 * (double)stats->largest_group);
    BOIDS__ROW("step", "%d of %d", (int)env->tick, env->horizon);
    boids__short_number(text, sizeof text, stats->steps_per_second);
    boids__row(left, right, row += SHOW_LINE_HEIGHT, "steps / s", text);
    BOIDS__ROW("frames / s", "%d", GetFPS());
    BOIDS__ROW("colour", "%s", colourings[client->colouring]);
#undef BOIDS__ROW
    show_rectangle(left, weights - 7.0f, right - left, 1.0f, boids__rule(60));
    boids__draw_weights(env, client, left, right, weights);
}

/* --- the observation of the selected boid ------------------------------------------------------------------------------------ */

/* The name of an element of the observation, with spaces for its underscores, and its value as a bar from -1 to 1 around x. */
static inline void boids__draw_element(const char* name, float value, Color colour, float left, float x, float half,
                                       float y) {
    char text[32];
    snprintf(text, sizeof text, "%s", name);
    for (char* letter = text; *letter; letter++)
        if (*letter == '_') *letter = ' ';
    show_text(text, left, y, boids__dim());
    show_rectangle(x - half, y + 8.0f, 2.0f * half, 2.0f, boids__rule(40));
    show_rectangle(fminf(x, x + value * half), y + 4.0f, fabsf(value * half), 10.0f, colour);
}

static inline void boids__draw_observation(const Boids* env, const BoidsClient* client) {
    enum { ELEMENTS = sizeof(BoidsObservation) / sizeof(float) };
    const BoidsObservation* observed = boids_observation(env, client->selected);
    const float width = 318.0f, pad = 12.0f, x = (float)GetScreenWidth() - BOIDS__MARGIN - width, y = BOIDS__MARGIN;
    const float left = x + pad, right = x + width - pad, half = 66.0f, middle = right - half;
    const Color cohesion = boids__cohesion_colour(), alignment = boids__alignment_colour();
    const Color separation = boids__separation_colour();

    /* an element has the colour of the rule that it belongs to */
    struct {
#define BOIDS__COLOUR(name, doc) Color name;
        BOIDS_OBSERVATION(BOIDS__COLOUR)
#undef BOIDS__COLOUR
    } colours;
#define BOIDS__DIM(name, doc) colours.name = boids__dim();
    BOIDS_OBSERVATION(BOIDS__DIM)
#undef BOIDS__DIM
    colours.centre_ahead = colours.centre_left = colours.togetherness = cohesion;
    colours.heading_cos = colours.heading_sin = alignment;
    colours.push_ahead = colours.push_left = colours.closeness = separation;

    char text[48];
    boids__panel(x, y, width, 2.0f * pad + (float)((ELEMENTS + 2) * SHOW_LINE_HEIGHT) + 6.0f);
    snprintf(text, sizeof text, "boid %d", (int)client->selected);
    show_text(text, left, y + pad, boids__accent());
    snprintf(text, sizeof text, "%d in view", (int)client->neighbours[client->selected]);
    show_text_before(text, right, y + pad, boids__bright());
    float row = y + pad + 6.0f;
    show_rectangle(middle, row + SHOW_LINE_HEIGHT, 1.0f, (float)(ELEMENTS * SHOW_LINE_HEIGHT) - 4.0f, boids__rule(110));
#define BOIDS__ELEMENT(name, doc) \
    boids__draw_element(#name, observed->name, colours.name, left, middle, half, row += SHOW_LINE_HEIGHT);
    BOIDS_OBSERVATION(BOIDS__ELEMENT)
#undef BOIDS__ELEMENT
    snprintf(text, sizeof text, "%.2f", (double)env->rewards[client->selected]);
    boids__row(left, right, row + SHOW_LINE_HEIGHT, "reward", text);
}

/* --- the keys ---------------------------------------------------------------------------------------------------------------- */

/* At the bottom, centred, in as many lines as they need. */
static inline void boids__draw_help(void) {
    static const char* const keys[][2] = {
        {"Space", "pause"},        {"N", "step"},    {"+ -", "speed"},  {"R", "restart"},    {"C", "colour"},
        {"T", "trails"},           {"H", "numbers"}, {"V Tab", "view"}, {"1 2 3", "weight"}, {"Up Down", "change"},
        {"Left button", "friend"}, {"Right", "foe"}, {"F1", "help"},    {"Esc", "close"}};
    enum { KEYS = sizeof keys / sizeof keys[0], GAP = 22, SPACE = 7 };
    int widths[KEYS] = {0}, line_of[KEYS] = {0}, line_width[KEYS] = {0}, lines = 1;
    const int screen = GetScreenWidth() - 2 * BOIDS__MARGIN;
    for (int k = 0; k < KEYS; k++) {
        widths[k] = MeasureText(keys[k][0], SHOW_TEXT_SIZE) + SPACE + MeasureText(keys[k][1], SHOW_TEXT_SIZE) + GAP;
        if (line_width[lines - 1] && line_width[lines - 1] + widths[k] > screen) lines++;
        line_of[k] = lines - 1;
        line_width[lines - 1] += widths[k];
    }
    const float top = (float)GetScreenHeight() - (float)(lines * SHOW_LINE_HEIGHT) - 14.0f;
    boids__panel(0.0f, top, (float)GetScreenWidth(), (float)(lines * SHOW_LINE_HEIGHT) + 14.0f);
    float x = 0.0f;
    for (int k = 0; k < KEYS; k++) {
        const float y = top + 8.0f + (float)(line_of[k] * SHOW_LINE_HEIGHT);
        if (!k || line_of[k] != line_of[k - 1]) x = ((float)GetScreenWidth() - (float)(line_width[line_of[k]] - GAP)) * 0.5f;
        show_text(keys[k][0], x, y, boids__accent());
        show_text(keys[k][1], x + show_text_width(keys[k][0]) + SPACE, y, boids__dim());
        x += (float)widths[k];
    }
}

#endif
