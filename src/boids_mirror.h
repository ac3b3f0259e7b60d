/* boids_mirror.h - left and right are alike
 *
 * The mirror image of a flock is a flock, and earns the same. Whoever knows that a flock turns left in one situation knows that it
 * turns right in the mirror image of that situation. A policy that does not know it may learn one hand for all situations: then lone
 * boids and groups circle by this hand, stay where they are, and never meet. With some seeds that is what happens.
 *
 * boids.h includes this file. In the mirror, what points to the left points to the right: offsets, pushes and sines change their sign,
 * and the turns their order.
 */
#ifndef BOIDS_MIRROR_H
#define BOIDS_MIRROR_H

#define ENV_MIRROR

static inline EnvMirror c_mirror_observation(const Boids* env, int32_t k) {
    const size_t at = (size_t)k * sizeof(float);
    const bool points_left =
        at == offsetof(BoidsObservation, centre_left) || at == offsetof(BoidsObservation, heading_sin) ||
        at == offsetof(BoidsObservation, push_left) ||
        (k >= BOIDS_RULES && (k - BOIDS_RULES) % 2 == 1); /* of one of the nearest: ahead, left, cosine, sine */
    const EnvMirror mirror = {k, points_left ? -1 : 1};
    (void)env;
    return mirror;
}

static inline EnvMirror c_mirror_action(const Boids* env, int32_t k) {
    const EnvMirror discrete = {4 - k, 1}, continuous = {k, -1};
    return env->action ? continuous : discrete;
}

#endif
