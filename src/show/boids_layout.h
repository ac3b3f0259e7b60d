/* boids_layout.h - where the panels of a flock's window are. They never overlap: in a small window they fold, and show fewer lines
 *
 * All lengths are in pixels. It draws nothing.
 */
#ifndef BOIDS_LAYOUT_H
#define BOIDS_LAYOUT_H

#include "show/boids_client.h"

enum {
    BOIDS__MARGIN = 10, /* from the edge of the window to a panel, and between panels */
    BOIDS__PAD = 10,    /* from the edge of a panel to its text */
    BOIDS__NUMBERS_WIDTH = 236,
    BOIDS__OBSERVATION_WIDTH = 300,
    BOIDS__NUMBERS_ROWS = 11,                  /* below the title */
    BOIDS__LEGEND_ROWS = 3,                    /* of the colouring: its name, a bar, words */
    BOIDS__WEIGHTS_ROWS = 4,                   /* a heading and three weights */
    BOIDS__OBSERVATION_ROWS = 1 + BOIDS_RULES, /* below the title: the elements and the reward */
    BOIDS__RULE_HEIGHT = 8                     /* of the line between two blocks of a panel */
};

typedef struct BoidsPanel {
    float x, y, width, height; /* height 0: it is not shown */
    int32_t rows;              /* lines of text in it, its title included */
} BoidsPanel;

typedef struct BoidsLayout {
    BoidsPanel numbers, observation, help;
    bool legend, weights; /* whether the numbers show these blocks; each follows all rows of the one before */
} BoidsLayout;

static inline float boids__panel_height(int32_t rows, int32_t blocks) {
    return 2.0f * BOIDS__PAD + (float)(rows * SHOW_LINE_HEIGHT + blocks * BOIDS__RULE_HEIGHT);
}

/* Rows of text that a panel of this height has room for. */
static inline int32_t boids__rows_in(float height) {
    const float room = height - 2.0f * BOIDS__PAD;
    return room < SHOW_LINE_HEIGHT ? 0 : (int32_t)(room / SHOW_LINE_HEIGHT);
}

/* Places the panels in a window of this size. numbers, view, help: which of them the viewer wants. help_rows: what all keys need. */
static inline BoidsLayout boids__layout(float width, float height, bool numbers, bool view, bool help, int32_t help_rows) {
    BoidsLayout layout;
    memset(&layout, 0, sizeof layout);
    float bottom = height - BOIDS__MARGIN; /* of what is left for the other panels */
    if (help) {                            /* at most a fifth of the window, so that the flock is seen */
        const int32_t most = (int32_t)(height * 0.2f) / SHOW_LINE_HEIGHT, rows = help_rows < most ? help_rows : most;
        BoidsPanel* panel = &layout.help;
        panel->rows = rows;
        panel->width = width;
        panel->height = boids__panel_height(rows, 0) - BOIDS__PAD;
        panel->y = height - panel->height;
        bottom = panel->y - BOIDS__MARGIN;
    }
    const float side = 3.0f * BOIDS__MARGIN + BOIDS__NUMBERS_WIDTH + BOIDS__OBSERVATION_WIDTH;
    const bool stacked = numbers && view && width < side; /* the observation is below the numbers, which are one line */
    const bool narrow = width < 2.0f * BOIDS__NUMBERS_WIDTH;
    if (numbers) {
        BoidsPanel* panel = &layout.numbers;
        int32_t rows = boids__rows_in(bottom - BOIDS__MARGIN);
        const bool whole = !stacked && !narrow;
        const int32_t all = 1 + BOIDS__NUMBERS_ROWS, most = whole ? all : stacked ? 1 : 3;
        const int32_t with_legend = most + BOIDS__LEGEND_ROWS, with_weights = with_legend + BOIDS__WEIGHTS_ROWS;
        layout.legend = whole && boids__panel_height(with_legend, 1) <= bottom - BOIDS__MARGIN;
        layout.weights = whole && boids__panel_height(with_weights, 2) <= bottom - BOIDS__MARGIN;
        rows = layout.weights ? with_weights : layout.legend ? with_legend : rows < most ? rows : most;
        panel->x = panel->y = BOIDS__MARGIN;
        panel->width = fminf(BOIDS__NUMBERS_WIDTH, width - 2.0f * BOIDS__MARGIN);
        panel->rows = rows;
        panel->height = rows ? boids__panel_height(rows, layout.legend + layout.weights) : 0.0f;
    }
    if (view) {
        BoidsPanel* panel = &layout.observation;
        panel->width = fminf(BOIDS__OBSERVATION_WIDTH, width - 2.0f * BOIDS__MARGIN);
        panel->x = width - BOIDS__MARGIN - panel->width;
        panel->y = stacked ? layout.numbers.y + layout.numbers.height + BOIDS__MARGIN : (float)BOIDS__MARGIN;
        const int32_t rows = boids__rows_in(bottom - panel->y);
        panel->rows = rows < 1 + BOIDS__OBSERVATION_ROWS ? rows : 1 + BOIDS__OBSERVATION_ROWS;
        panel->height = panel->rows ? boids__panel_height(panel->rows, 0) : 0.0f;
    }
    return layout;
}

#endif
