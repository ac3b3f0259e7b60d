/* boids_guest.h - the guest: one that the viewer adds to the flock with the mouse
 *
 * The boids see it, as far as they see each other. It is no agent, has no place in any array, and is no part of the saved state.
 * It counts as n + flockmates extra neighbours of a boid with n neighbours, so that it outweighs them.
 *     FRIEND  they sit at the guest and head for it
 *     FOE     they sit where the boid itself is and head away from the guest. The guest pushes the boid as one that is too near
 *             does, but from as far as the boid sees: the view radius takes the place of the separation radius
 */
#ifndef BOIDS_GUEST_H
#define BOIDS_GUEST_H

#include "sight/sight.h"

#include <math.h>

enum { BOIDS_NOBODY, BOIDS_FRIEND, BOIDS_FOE };

typedef struct BoidsGuest {
    int32_t kind; /* BOIDS_NOBODY: there is no guest */
    float x, y;   /* world units, within the world */
} BoidsGuest;

/* Adds the guest to what the boids of a batch see. width, height, view_radius: world units. x, y: (num_boids) positions, 2^32 to the
 * width and the height. */
static inline void boids_see_guest(const BoidsGuest* guest, SightBatch* batch, float width, float height, float view_radius,
                                   int32_t flockmates, const uint32_t* x, const uint32_t* y) {
    const Sight* sight = batch->sight;
    SightSums* sums = &batch->sums;
    const uint32_t at_x = (uint32_t)(int64_t)(guest->x / (double)width * 4294967296.0);
    const uint32_t at_y = (uint32_t)(int64_t)(guest->y / (double)height * 4294967296.0);
    const float per_x = width / view_radius / 4294967296.0f, per_y = height / view_radius / 4294967296.0f;
    for (uint32_t l = 0; l < batch->size; l++) {
        const uint32_t i = sight_id(batch, l);
        /* offset of the guest, and its square, in view radii */
        const float dx = (float)(int32_t)(at_x - x[i]) * per_x, dy = (float)(int32_t)(at_y - y[i]) * per_y;
        const float d2 = dx * dx + dy * dy;
        if (d2 >= 1.0f) continue;
        if (!sums->count[l])
            sums->nearest2[l] = (float)sight->view2 + 1.0f; /* with no neighbours it depends on the search */
        const float extra = (float)(sums->count[l] + flockmates);
        const float heading = extra * SIGHT_UNIT / sqrtf(d2 > 1e-12f ? d2 : 1e-12f);
        sums->count[l] += sums->count[l] + flockmates;
        if (guest->kind == BOIDS_FRIEND) {
            sums->x[l] += extra * dx * (float)sight->view;
            sums->y[l] += extra * dy * (float)sight->view;
            sums->c[l] += heading * dx;
            sums->s[l] += heading * dy;
        } else {
            const float push = (1.0f - d2) * (float)sight->push;
            const float nearest2 = d2 * (float)sight->separation2;
            sums->c[l] -= heading * dx;
            sums->s[l] -= heading * dy;
            sums->push_x[l] += push * dx;
            sums->push_y[l] += push * dy;
            if (nearest2 < sums->nearest2[l]) sums->nearest2[l] = nearest2;
        }
    }
}

#endif
