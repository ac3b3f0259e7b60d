/* cartpole.h - a pole on a cart must be kept upright: the classic of reinforcement learning, with one agent
 *
 * The equations are those of Barto, Sutton, Anderson, "Neuronlike Adaptive Elements That Can Solve Difficult Learning Control Problems",
 * 1983, without friction; constants and Euler's method are those of Gymnasium's CartPole-v1. A step pushes the cart to the left or right
 * for 0.02 s and earns 1. The episode ends where the pole leans by more than 12 degrees or the cart leaves its track of 4.8 m (terminal).
 * After `horizon` steps it is truncated.
 */
#ifndef CARTPOLE_H
#define CARTPOLE_H

#include <math.h>

#include "env.h"

enum { CARTPOLE_LEFT, CARTPOLE_RIGHT, CARTPOLE_ACTIONS };

#define ENV_PARAMS(X) X(int, horizon, 500, 1, 1000000000, "steps", "after which an episode is truncated")
#define ENV_LOG(X) X(episode_length, "steps, each of which earned 1")

typedef struct Log {
    double episode_length, n;
} Log;

typedef struct CartPole {
    float* observations;              /* (4) as in `pole` */
    int32_t* actions;                 /* (1) CARTPOLE_LEFT or _RIGHT */
    float* rewards;                   /* (1) */
    uint8_t *terminals, *truncations; /* (1) */
    float* final_observations;        /* (4) those of the step that ended the episode; or NULL */
    Log log;
    int32_t num_agents, num_threads;
    uint32_t index, num_envs;
    uint64_t rng;
    int horizon;
    float pole[4]; /* cart: position, speed (m, m/s); pole: angle, angular speed (rad, rad/s). Right is positive */
    int32_t tick;  /* steps of this episode */
} CartPole;

typedef CartPole Env;
ENV_PARAMS_OF(CartPole)

static inline const char* c_init(CartPole* env) {
    env->num_agents = 1;
    return env_check(env);
}

static inline EnvSpace c_observation_space(const CartPole* env) {
    EnvSpace space = {'f', sizeof env->pole / sizeof env->pole[0], -INFINITY, INFINITY, NULL};
    return space;
}

static inline EnvSpace c_action_space(const CartPole* env) {
    static const int32_t choices[] = {CARTPOLE_ACTIONS};
    EnvSpace space = {'i', 1, 0, 0, choices};
    (void)env;
    return space;
}

static inline void c_restored(CartPole* env) { memcpy(env->observations, env->pole, sizeof env->pole); }

/* Each number is uniform in [-0.05, 0.05). */
static inline void c_reset(CartPole* env) {
    for (int k = 0; k < 4; k++) env->pole[k] = (float)(env_random(&env->rng) >> 40) * (0.1f / 16777216) - 0.05f;
    env->tick = 0;
    c_restored(env);
}

static inline bool cartpole__is_up(const CartPole* env) {
    return fabsf(env->pole[0]) <= 2.4f && fabsf(env->pole[2]) <= 0.20943951f; /* false for NaN */
}

static inline void c_step(CartPole* env) {
    /* in kg, m, s and N; sine and cosine by their series, exact for so small an angle: the same bits on every machine */
    const float pole_mass = 0.1f, mass = 1.1f, half_length = 0.5f, gravity = 9.8f, step = 0.02f;
    const float force = env->actions[0] == CARTPOLE_RIGHT ? 10.0f : -10.0f;
    const float speed = env->pole[1], angle = env->pole[2], spin = env->pole[3], square = angle * angle;
    const float sine = angle * (1 - square / 6 * (1 - square / 20 * (1 - square / 42)));
    const float cosine = 1 - square / 2 * (1 - square / 12 * (1 - square / 30));
    const float push = (force + pole_mass * half_length * spin * spin * sine) / mass;
    const float inertia = half_length * (4.0f / 3 - pole_mass * cosine * cosine / mass);
    const float spin_change = (gravity * sine - cosine * push) / inertia;
    const float speed_change = push - pole_mass * half_length * spin_change * cosine / mass;
    const float changes[4] = {speed, speed_change, spin, spin_change};
    for (int k = 0; k < 4; k++) env->pole[k] += step * changes[k];
    env->tick++;
    env->rewards[0] = 1;
    env->terminals[0] = !cartpole__is_up(env);
    env->truncations[0] = !env->terminals[0] && env->tick == env->horizon;
    c_restored(env);
    if (!env->terminals[0] && !env->truncations[0]) return;
    if (env->final_observations) memcpy(env->final_observations, env->pole, sizeof env->pole);
    env->log.episode_length += env->tick;
    env->log.n += 1;
    c_reset(env);
}
#define ENV_FINAL_OBSERVATIONS

/* In a mirror everything changes its sign, and the two actions change places. */
#define ENV_MIRROR
static inline EnvMirror c_mirror_observation(const CartPole* env, int32_t k) {
    EnvMirror mirror = {k, -1};
    (void)env;
    return mirror;
}
static inline EnvMirror c_mirror_action(const CartPole* env, int32_t k) {
    EnvMirror mirror = {CARTPOLE_ACTIONS - 1 - k, 1};
    (void)env;
    return mirror;
}

#define ENV_STATE(X)
#define ENV_SCALARS(X) X(pole, "position, speed, angle, angular speed") X(tick, "steps of this episode")
#define ENV_STATE_VERSION 1
static inline const char* c_check_state(CartPole* env) {
    return cartpole__is_up(env) ? env_expect("tick", env->tick, 0, env->horizon - 1) : "pole: expected one that is up";
}
static inline void c_close(CartPole* env) { (void)env; }

#endif
