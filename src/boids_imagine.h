/* boids_imagine.h - one step of an imagined flight, for a planner
 *
 * boids.h includes this file; env.h says what c_imagine is for. All boids of a flock can be replanned side by side: each flies alone
 * among the others of a recording, and the cost is that of a step of the flock.
 */
#ifndef BOIDS_IMAGINE_H
#define BOIDS_IMAGINE_H

#define c_imagine c_imagine
static inline void c_imagine(Boids* env, Boids* others, const Boids* real, int32_t t) {
    const Sight own = env->sight;
    BoidsStep step;
    memset(&step, 0, sizeof step);
    step.env = env;
    step.rewards = env->rewards;
    step.threads = env->num_boids > BOIDS_SMALL ? env->num_threads : 1;
    env->guest = real->guest;
    env_threads_run(step.threads, env->num_boids, boids__fly, &step);
    if (env == others) {
        /* a boid of another Env may be 2 (t + 1) steps from where it is here */
        sight_widen(&env->sight, 2.0 * (t + 1) * (double)env->speed / (double)env->view_radius);
        sight_update(&env->sight, env->x, env->y, env->cs, step.threads);
    } else {
        env->sight = sight_of_others(&others->sight, env->x, env->y, env->cs, &env->sight);
    }
    env_threads_run(step.threads, (int32_t)env->sight.rows, boids__observe, &step);
    memset(env->terminals, 0, (size_t)env->num_boids);
    if (env != others) env->sight = own;
}

#endif
