/* boids_guest.h - a guest that the flock sees and that is no boid: a client puts it at the mouse */
#ifndef BOIDS_GUEST_H
#define BOIDS_GUEST_H

#include "sight/sight.h"

#include <math.h>

enum {
    BOIDS_NOBODY, /* there is no guest */
    BOIDS_FRIEND, /* to be near */
    BOIDS_FOE     /* too near from anywhere in sight */
};

typedef struct BoidsGuest {
    int32_t kind; /* one of the three */
    float x, y;   /* where, in world units, within the world */
} BoidsGuest;

/* What the guest needs to know of the flock. */
typedef struct BoidsAround {
    const uint32_t *x, *y;            /* (num_boids) positions */
    float width, height, view_radius; /* world units */
    int32_t flockmates;
} BoidsAround;

/* Adds the guest to what the boids of block b see. It counts as n + flockmates extra neighbours, n being the boid's neighbours.
 * FRIEND: they sit at the guest and head for it. FOE: they sit at the boid and head away from the guest, which pushes as if the
 * separation radius were the view radius. */
static inline void boids__see_guest(const BoidsGuest* guest, const BoidsAround* around, SightBatch* batch, int b) {
    const Sight* sight = batch->sight;
    SightSums* sums = &batch->sums[b];
    const uint32_t at_x = (uint32_t)(int64_t)(guest->x / (double)around->width * 4294967296.0);
    const uint32_t at_y = (uint32_t)(int64_t)(guest->y / (double)around->height * 4294967296.0);
    const float per_x = around->width / around->view_radius / 4294967296.0f;
    const float per_y = around->height / around->view_radius / 4294967296.0f;
    for (uint32_t l = 0; l < batch->blocks[b].size; l++) {
        const uint32_t i = sight_id(batch, b, l);
        const float dx = (float)(int32_t)(at_x - around->x[i]) * per_x, dy = (float)(int32_t)(at_y - around->y[i]) * per_y;
        const float d2 = dx * dx + dy * dy; /* view radii squared */
        if (d2 >= 1.0f) continue;
        /* who is nearest out of sight depends on the search, so nobody is */
        if (!sums->count[l]) sums->nearest2[l] = sight->view2 + 1;
        const float company = (float)(sums->count[l] + around->flockmates);
        const float heading = company * SIGHT_UNIT / sqrtf(d2 > 1e-12f ? d2 : 1e-12f);
        sums->count[l] += sums->count[l] + around->flockmates;
        if (guest->kind == BOIDS_FRIEND) {
            sums->x[l] += company * dx * (float)sight->view;
            sums->y[l] += company * dy * (float)sight->view;
            sums->c[l] += heading * dx;
            sums->s[l] += heading * dy;
        } else {
            const float push = (1.0f - d2) * (float)sight->push;
            const int32_t nearest2 = (int32_t)(d2 * (float)sight->separation2);
            sums->c[l] -= heading * dx;
            sums->s[l] -= heading * dy;
            sums->push_x[l] += push * dx;
            sums->push_y[l] += push * dy;
            if (nearest2 < sums->nearest2[l]) sums->nearest2[l] = nearest2;
        }
    }
}

#endif
