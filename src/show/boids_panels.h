/* boids_panels.h - text and numbers in the window of a flock: the flock in numbers, the observation of one boid, the keys
 *
 * All lengths are in pixels.
 */
#ifndef BOIDS_PANELS_H
#define BOIDS_PANELS_H

#include "show/boids_layout.h"
#include "show/boids_world.h"

#include <stdio.h>
#include <string.h>

static inline Color boids__dim(void) { return show_colour(150, 174, 200, 255); }
static inline Color boids__bright(void) { return show_colour(240, 246, 252, 255); }
static inline Color boids__grey(void) { return show_colour(84, 100, 118, 255); } /* of what has no effect */
static inline Color boids__accent(void) { return show_colour(255, 206, 110, 255); }
static inline Color boids__rule(int opacity) { return show_colour(120, 170, 215, opacity); } /* thin lines */

static inline void boids__draw_panel(const BoidsPanel* panel) {
    show_rectangle(panel->x, panel->y, panel->width, panel->height, show_colour(3, 10, 20, 214));
    show_rectangle(panel->x, panel->y, panel->width, 1.0f, boids__rule(90));
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

/* The colouring as a bar from its least to its greatest value, with words below it. y: of the first of its lines. */
static inline void boids__draw_legend(const BoidsClient* client, float left, float right, float y) {
    /* the name, the words, and what the bar spans */
    static const struct {
        const char *name, *words[5];
        float from, to;
    } legends[BOIDS_NUM_COLOURINGS] = {
#define BOIDS__LEGEND(name, text, from, to, ...) {text, {__VA_ARGS__}, from, to},
        BOIDS_COLOURINGS(BOIDS__LEGEND)
#undef BOIDS__LEGEND
    };
    enum { SLICES = 48 };
    const int32_t colouring = client->colouring;
    boids__row(left, right, y, "colour", legends[colouring].name);
    const float width = (right - left) / (float)SLICES;
    for (int k = 0; k < SLICES; k++) {
        const float part = ((float)k + 0.5f) / (float)SLICES;
        float value = legends[colouring].from + (legends[colouring].to - legends[colouring].from) * part;
        if (colouring == BOIDS_BY_NEIGHBOURS) value = exp2f(part * log2f(BOIDS__MANY + 1.0f)) - 1.0f; /* logarithmic */
        if (colouring == BOIDS_BY_GROUP) value = floorf(value);
        show_rectangle(left + (float)k * width, y + 25.0f, width, 7.0f, boids__colour_of(colouring, value));
    }
    int words = 0;
    while (words < 5 && legends[colouring].words[words]) words++;
    for (int k = 0; k < words; k++) { /* the first at the left end, the last at the right end, the others evenly between */
        const char* word = legends[colouring].words[k];
        const float share = words > 1 ? (float)k / (float)(words - 1) : 0.0f;
        show_text(word, left + (right - left - show_text_width(word)) * share, y + 36.0f, boids__dim());
    }
}

/* The weights of the script and of the reward, and a bar for that of the script. Those of a script that does not steer are grey.
 * y: of the first line. */
static inline void boids__draw_weights(const Boids* env, const BoidsClient* client, float left, float right, float y) {
    const float script_right = right - 74.0f, width = right - left;
    const bool scripted = client->scripted;
    show_text_before("script", script_right, y, scripted ? boids__dim() : boids__grey());
    show_text_before("reward", right, y, boids__dim());
    char text[48];
    int k = 0;
#define BOIDS__WEIGHT(name)                                                                                             \
    {                                                                                                                   \
        const bool selected = client->weight == k++;                                                                    \
        const Color colour = !scripted ? boids__grey() : selected ? boids__accent() : boids__dim();                     \
        const float row = y + (float)(k * SHOW_LINE_HEIGHT), script = env->script_##name;                               \
        show_text(#name, left, row, selected ? boids__accent() : boids__dim());                                         \
        snprintf(text, sizeof text, "%.2f", (double)script);                                                            \
        show_text_before(text, script_right, row, scripted ? boids__bright() : boids__grey());                          \
        snprintf(text, sizeof text, "%.2f", (double)env->name##_weight);                                                \
        show_text_before(text, right, row, boids__bright());                                                            \
        const float share = script > 0.01f ? log10f(script * 100.0f) / 3.0f : 0.0f; /* logarithmic, from 0.01 to 10 */  \
        show_rectangle(left, row + 18.0f, width, 1.0f, boids__rule(50));                                                \
        show_rectangle(left, row + 17.0f, width * share, 2.0f, colour);                                                 \
    }
    BOIDS_WEIGHTS(BOIDS__WEIGHT)
#undef BOIDS__WEIGHT
}

static inline void boids__draw_numbers(const Boids* env, const BoidsClient* client, const BoidsLayout* layout) {
    const BoidsPanel* panel = &layout->numbers;
    const BoidsStats* stats = &client->stats;
    const float left = panel->x + BOIDS__PAD, right = panel->x + panel->width - BOIDS__PAD;
    if (!panel->rows) return;
    boids__draw_panel(panel);
    boids__draw_title(env, client->window, left, right, panel->y + BOIDS__PAD);

    char text[48], rate[32];
    boids__short_number(rate, sizeof rate, stats->steps_per_second);
    float y = panel->y + BOIDS__PAD;
    int32_t room = panel->rows; /* for the title and the rows */
    if (layout->legend) room -= BOIDS__LEGEND_ROWS;
    if (layout->weights) room -= BOIDS__WEIGHTS_ROWS;
#define BOIDS__ROW(name, ...)                                         \
    if (--room > 0) {                                                 \
        snprintf(text, sizeof text, __VA_ARGS__);                     \
        boids__row(left, right, y += SHOW_LINE_HEIGHT, name, text);   \
    }
    BOIDS__ROW("polarization", "%.2f", (double)stats->polarization)
    BOIDS__ROW("reward", "%.2f", (double)stats->reward)
    BOIDS__ROW("step", "%d", (int)env->tick)
    BOIDS__ROW("local alignment", "%.2f", (double)stats->alignment)
    BOIDS__ROW("neighbours", "%.1f", (double)stats->neighbours)
    BOIDS__ROW("isolated", "%.1f %%", 100.0 * (double)stats->isolated)
    BOIDS__ROW("colliding", "%.1f %%", 100.0 * (double)stats->colliding)
    BOIDS__ROW("groups", "%d", (int)stats->groups)
    BOIDS__ROW("largest group", "%.0f %%", 100.0 * (double)stats->largest_group)
    BOIDS__ROW("steps / s", "%s", rate)
    BOIDS__ROW("frames / s", "%d", GetFPS())
#undef BOIDS__ROW
    y += SHOW_LINE_HEIGHT + BOIDS__RULE_HEIGHT;
    if (!layout->legend) return;
    show_rectangle(left, y - 5.0f, right - left, 1.0f, boids__rule(60));
    boids__draw_legend(client, left, right, y);
    y += BOIDS__LEGEND_ROWS * SHOW_LINE_HEIGHT + BOIDS__RULE_HEIGHT;
    if (!layout->weights) return;
    show_rectangle(left, y - 5.0f, right - left, 1.0f, boids__rule(60));
    boids__draw_weights(env, client, left, right, y);
}

/* --- the observation of the selected boid ------------------------------------------------------------------------------------ */

/* The name of an element of the observation, with spaces for its underscores, its value as a bar from -1 to 1, and as a number. */
static inline void boids__draw_element(const char* name, float value, Color colour, float left, float right, float y) {
    const float half = 62.0f, middle = right - 48.0f - half;
    char text[32];
    snprintf(text, sizeof text, "%s", name);
    for (char* letter = text; *letter; letter++)
        if (*letter == '_') *letter = ' ';
    show_text(text, left, y, boids__dim());
    show_rectangle(middle - half, y + 8.0f, 2.0f * half, 2.0f, boids__rule(40));
    show_rectangle(fminf(middle, middle + value * half), y + 4.0f, fabsf(value * half), 10.0f, colour);
    show_rectangle(middle, y, 1.0f, SHOW_LINE_HEIGHT, boids__rule(110));
    snprintf(text, sizeof text, "%.2f", fabsf(value) < 0.005f ? 0.0 : (double)value); /* no -0.00 */
    show_text_before(text, right, y, boids__bright());
}

static inline void boids__draw_observation(const Boids* env, const BoidsClient* client, const BoidsPanel* panel) {
    const BoidsObservation* observed = boids_observation(env, client->selected);
    const float left = panel->x + BOIDS__PAD, right = panel->x + panel->width - BOIDS__PAD;
    const Color cohesion = boids__cohesion_colour(), alignment = boids__alignment_colour();
    const Color separation = boids__separation_colour();
    if (!panel->rows) return;

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
    float y = panel->y + BOIDS__PAD;
    int32_t room = panel->rows;
    boids__draw_panel(panel);
    snprintf(text, sizeof text, "boid %d", (int)client->selected);
    show_text(text, left, y, boids__accent());
    snprintf(text, sizeof text, "%d in view", (int)client->neighbours[client->selected]);
    show_text_before(text, right, y, boids__bright());
#define BOIDS__ELEMENT(name, doc) \
    if (--room > 0) boids__draw_element(#name, observed->name, colours.name, left, right, y += SHOW_LINE_HEIGHT);
    BOIDS_OBSERVATION(BOIDS__ELEMENT)
#undef BOIDS__ELEMENT
    snprintf(text, sizeof text, "%.2f", (double)env->rewards[client->selected]);
    if (--room > 0) boids__row(left, right, y + SHOW_LINE_HEIGHT, "reward", text);
}

/* --- the keys ---------------------------------------------------------------------------------------------------------------- */

/* What a key does; those that a small window has no room for are last. */
typedef struct BoidsKey {
    const char *key, *what;
    bool weights; /* whether it changes weights */
} BoidsKey;

enum { BOIDS__KEYS = 19, BOIDS__KEY_GAP = 20, BOIDS__KEY_SPACE = 6 };

static inline const BoidsKey* boids__all_keys(void) {
    static const BoidsKey keys[BOIDS__KEYS] = {
        {"F1", "help", false},       {"Space", "pause", false},     {"Left button", "friend", false},
        {"Right", "foe", false},     {"Middle drag", "pan", false}, {"Wheel", "zoom", false},
        {"0", "whole world", false}, {"C", "colour", false},        {"V Tab", "view", false},
        {"H", "numbers", false},     {"T", "trails", false},        {"+ -", "speed", false},
        {"N", "step", false},        {"R", "restart", false},       {"1 2 3", "weight", true},
        {"Up Down", "change", true}, {"F11", "full screen", false}, {"P", "picture", false},
        {"Esc", "close", false}};
    return keys;
}

static inline float boids__key_width(const BoidsKey* key) {
    return show_text_width(key->key) + BOIDS__KEY_SPACE + show_text_width(key->what);
}

/* How many keys, from key `from` on, fit into a line of this width: at least one. */
static inline int boids__keys_in_line(int from, float width) {
    int count = 0;
    for (float used = 0.0f; from + count < BOIDS__KEYS; count++) {
        used += boids__key_width(&boids__all_keys()[from + count]) + (count ? BOIDS__KEY_GAP : 0);
        if (count && used > width) break;
    }
    return count;
}

/* The lines that all keys need. */
static inline int32_t boids__help_rows(float width) {
    int32_t rows = 0;
    for (int from = 0; from < BOIDS__KEYS; rows++) from += boids__keys_in_line(from, width - 2.0f * BOIDS__MARGIN);
    return rows;
}

/* At the bottom, centred. */
static inline void boids__draw_help(const BoidsClient* client, const BoidsPanel* panel) {
    boids__draw_panel(panel);
    for (int32_t row = 0, from = 0; row < panel->rows && from < BOIDS__KEYS; row++) {
        const int count = boids__keys_in_line(from, panel->width - 2.0f * BOIDS__MARGIN);
        float width = (float)((count - 1) * BOIDS__KEY_GAP);
        for (int k = 0; k < count; k++) width += boids__key_width(&boids__all_keys()[from + k]);
        float x = panel->x + (panel->width - width) * 0.5f;
        const float y = panel->y + 0.5f * BOIDS__PAD + (float)(row * SHOW_LINE_HEIGHT);
        for (int k = 0; k < count; k++) {
            const BoidsKey* key = &boids__all_keys()[from + k];
            const bool grey = key->weights && !client->scripted;
            show_text(key->key, x, y, grey ? boids__grey() : boids__accent());
            show_text(key->what, x + show_text_width(key->key) + BOIDS__KEY_SPACE, y, grey ? boids__grey() : boids__dim());
            x += boids__key_width(key) + BOIDS__KEY_GAP;
        }
        from += count;
    }
}

#endif
