/* boids_log.h - what a flock logs: sums over the boids of a step, over the steps of an episode, over episodes */
#ifndef BOIDS_LOG_H
#define BOIDS_LOG_H

#include "env.h"
#include "sight/rows.h"

#include <math.h>

/* name, doc. Means over boids and the steps after warmup, then over episodes. */
#define BOIDS_LOG(X)                                                                                                            \
    X(episode_return, "sum of rewards over the episode, mean over boids")                                                       \
    X(episode_length, "steps")                                                                                                  \
    X(reward, "per boid and step, in [-1, 1]")                                                                                  \
    X(cohesion, "its term of the reward, in [0, cohesion_weight]")                                                              \
    X(alignment, "its term of the reward, in [-|alignment_weight|, |alignment_weight|]")                                        \
    X(separation, "its term of the reward, in [-separation_weight, 0]")                                                         \
    X(polarization, "length of the mean heading of the whole flock, 0 to 1 (Vicsek 1995)")                                      \
    X(local_alignment, "mean cosine between a boid's heading and its neighbours', over boids that have any")                    \
    X(milling, "|mean sine of the bearing to the neighbours' centre|, over boids that have any: 1 when all circle one way (after Couzin 2002)") \
    X(nearest, "distance to the nearest neighbour / separation_radius, over boids that have any")                               \
    X(collisions, "share of boids with another within collision_radius")                                                        \
    X(isolation, "share of boids without neighbours")                                                                           \
    X(groups, "flocks at the end of the episode: sets of boids connected by sight")                                             \
    X(largest_group, "share of boids in the largest of them")                                                                   \
    X(turn, "mean |turn| / max_turn")

/* name, least, doc. Sums over the boids of a step, in fixed point, 2^16 to 1. They are integers, so that the order of boids does not
 * matter. least: -1 where a term may be negative, else 0. */
#define BOIDS_STEP_SUMS(X)                                                                                                      \
    X(reward, -1, "what the boids earned")                                                                                      \
    X(cohesion, -1, "its term of the reward")                                                                                   \
    X(alignment, -1, "its term of the reward")                                                                                  \
    X(separation, -1, "minus its term of the reward")                                                                           \
    X(local_alignment, -1, "cosine between a boid's heading and its neighbours'")                                               \
    X(nearest, 0, "distance to the nearest neighbour, in separation radii")                                                     \
    X(bearing, -1, "sine of the bearing to the neighbours' centre")                                                             \
    X(social, 0, "boids with neighbours; a plain number")                                                                       \
    X(collisions, 0, "boids that touch another; a plain number")                                                                \
    X(heading_c, -1, "cosine of the heading, / SIGHT_UNIT")                                                                     \
    X(heading_s, -1, "sine of the heading, / SIGHT_UNIT")

typedef struct Log {
    BOIDS_LOG(ENV_DOUBLE)
    double n; /* episodes added up in the fields above */
} Log;

/* The sums of a step, or of a part of it. */
typedef struct BoidsSums {
#define BOIDS__FIELD(name, ...) int64_t name;
    BOIDS_STEP_SUMS(BOIDS__FIELD)
#undef BOIDS__FIELD
    int64_t turn; /* |turn|, 2^16 to a full turn */
} BoidsSums;

/* The sums of an episode so far: doubles, which hold whole numbers up to 2^53 exactly and never overflow. */
typedef struct BoidsTally {
    double reward_all; /* from the first step */
#define BOIDS__FIELD(name, ...) double name;
    BOIDS_STEP_SUMS(BOIDS__FIELD) /* these and the next: after warmup */
#undef BOIDS__FIELD
    double turn, polarization, milling; /* the last two: sums over steps */
    int32_t steps;                      /* after warmup */
    int32_t length;                     /* all steps */
} BoidsTally;

/* What boids add to the sums: 32 bits hold that of a batch. The largest term is a distance of 32 separation radii. */
typedef struct BoidsTerms {
#define BOIDS__FIELD(name, ...) int32_t name;
    BOIDS_STEP_SUMS(BOIDS__FIELD)
#undef BOIDS__FIELD
} BoidsTerms;

SIGHT_INLINE int32_t boids_fixed(float v) { return (int32_t)(v * 65536.0f); }

static inline void boids_sums_add_terms(BoidsSums* sums, const BoidsTerms* terms) {
#define BOIDS__ADD(name, ...) sums->name += terms->name;
    BOIDS_STEP_SUMS(BOIDS__ADD)
#undef BOIDS__ADD
}

static inline void boids_sums_add(BoidsSums* to, const BoidsSums* from) {
#define BOIDS__ADD(name, ...) to->name += from->name;
    BOIDS_STEP_SUMS(BOIDS__ADD)
#undef BOIDS__ADD
    to->turn += from->turn;
}

/* Adds a step to the tally. warm: whether it comes after warmup. */
static inline void boids_tally_step(BoidsTally* tally, const BoidsSums* step, int32_t num_boids, bool warm) {
    tally->length++;
    tally->reward_all += (double)step->reward;
    if (!warm) return;
    tally->steps++;
#define BOIDS__ADD(name, ...) tally->name += (double)step->name;
    BOIDS_STEP_SUMS(BOIDS__ADD)
#undef BOIDS__ADD
    tally->turn += (double)step->turn;
    const double heading2 = (double)(step->heading_c * step->heading_c + step->heading_s * step->heading_s);
    tally->polarization += sqrt(heading2) / SIGHT_UNIT / num_boids;
    tally->milling += step->social ? fabs((double)step->bearing) / 65536.0 / (double)step->social : 0.0;
}

/* Adds an episode that has ended to the log. max_turn: 2^16 to a full turn. groups, largest: of sight_groups. */
static inline void boids_log_episode(Log* log, const BoidsTally* tally, int32_t num_boids, int32_t max_turn, int32_t groups,
                                     int32_t largest) {
    const double n = num_boids, fixed = 65536.0, steps = tally->steps ? tally->steps : 1;
    const double boid_steps = n * steps, social_steps = tally->social > 0 ? tally->social : 1;
    log->episode_return += (float)(tally->reward_all / fixed / n);
    log->episode_length += (float)tally->length;
    log->reward += (float)(tally->reward / fixed / boid_steps);
    log->cohesion += (float)(tally->cohesion / fixed / boid_steps);
    log->alignment += (float)(tally->alignment / fixed / boid_steps);
    log->separation -= (float)(tally->separation / fixed / boid_steps);
    log->polarization += (float)(tally->polarization / steps);
    log->local_alignment += (float)(tally->local_alignment / fixed / social_steps);
    log->milling += (float)(tally->milling / steps);
    log->nearest += (float)(tally->nearest / fixed / social_steps);
    log->collisions += (float)(tally->collisions / boid_steps);
    log->isolation += (float)((tally->steps * n - tally->social) / boid_steps);
    log->groups += (float)groups;
    log->largest_group += (float)(largest / n);
    log->turn += (float)(tally->turn / (max_turn ? max_turn : 1) / boid_steps);
    log->n += 1.0f;
}

/* NULL, or a message about sums that no run of `tick` steps can have left behind. */
static inline const char* boids_check_tally(const BoidsTally* tally, int32_t num_boids, int32_t tick) {
    const double most = 16777216.0 * tally->length * num_boids; /* 2^8 a boid and step, 2^16 to 1 */
    const char* error = env_expect("tally.length", tally->length, 0, tick);
    if (!error) error = env_expect("tally.steps", tally->steps, 0, tally->length);
    if (!error) error = env_expect("tally.reward_all", tally->reward_all, -most, most);
#define BOIDS__EXPECT(name, least, doc) \
    if (!error) error = env_expect("tally." #name, tally->name, (least) * most, most);
    BOIDS_STEP_SUMS(BOIDS__EXPECT)
#undef BOIDS__EXPECT
    if (!error) error = env_expect("tally.turn", tally->turn, 0, most);
    if (!error)
        error = env_expect("tally.polarization", tally->polarization, 0, 2.0 * tally->steps); /* 1 a step, and rounding */
    if (!error) error = env_expect("tally.milling", tally->milling, 0, 2.0 * tally->steps);
    return error;
}

#endif
