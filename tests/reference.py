"""The flock of src/boids.h once more, as one would write it after reading Reynolds' "Flocks, herds, and schools" (1987).

NumPy in double precision, every pair of boids, no grid, no lanes, no integers: slow, and easy to see to be right. The tests
hold the C up to it. Lengths are in world units, headings in radians counter-clockwise from x; `p` has the parameters.
"""

from dataclasses import dataclass
from functools import cached_property
from types import SimpleNamespace

import numpy as np


@dataclass
class Flock:
    p: SimpleNamespace
    x: np.ndarray  # (n,) in [0, width)
    y: np.ndarray  # (n,) in [0, height)
    heading: np.ndarray  # (n,)

    @cached_property
    def offsets(self) -> np.ndarray:
        """(n, n, 2) from boid i to boid j, the shortest way around the torus."""
        sides = np.array([self.p.width, self.p.height])
        place = np.stack([self.x, self.y], axis=1)
        straight = place[None, :, :] - place[:, None, :]
        return straight - sides * np.round(straight / sides)

    @cached_property
    def distances(self) -> np.ndarray:
        """(n, n) between boids; infinite from a boid to itself, so that nobody is its own neighbour."""
        far = np.hypot(self.offsets[:, :, 0], self.offsets[:, :, 1])
        np.fill_diagonal(far, np.inf)
        return far


def turns(p: SimpleNamespace, actions: np.ndarray) -> np.ndarray:
    """(n,) the angle that each action turns a boid by, positive to the left."""
    if p.action == "continuous":
        return np.radians(p.max_turn) * actions
    return np.radians([p.max_turn, p.gentle_turn, 0, -p.gentle_turn, -p.max_turn])[actions]


def step(flock: Flock, actions: np.ndarray) -> Flock:
    """Every boid turns, then flies straight ahead at the one speed there is, around the torus."""
    p = flock.p
    heading = flock.heading + turns(p, actions)
    x = (flock.x + p.speed * np.cos(heading)) % p.width
    y = (flock.y + p.speed * np.sin(heading)) % p.height
    return Flock(p, x, y, heading)


@dataclass
class Sight:
    """What the boids see of each other, and what they earn by it."""

    observation: np.ndarray  # (n, 10), and 4 more for each of num_neighbors where the observation is `nearest`
    reward: np.ndarray  # (n,)
    cohesion: np.ndarray  # (n,) the terms of the reward
    alignment: np.ndarray
    separation: np.ndarray
    local_alignment: np.ndarray  # (n,) NaN where alone, as are the next two
    nearest: np.ndarray  # in separation radii
    bearing: np.ndarray  # sine of the angle to the centre of the neighbours
    collides: np.ndarray  # (n,) bool
    alone: np.ndarray  # (n,) bool


def look(flock: Flock) -> Sight:
    p, n = flock.p, len(flock.x)
    offset, distance = flock.offsets, flock.distances
    forward = np.stack([np.cos(flock.heading), np.sin(flock.heading)], axis=1)
    left = np.stack([-np.sin(flock.heading), np.cos(flock.heading)], axis=1)
    nearest_rows = p.num_neighbors if p.observation == "nearest" else 0

    observation = np.zeros((n, 10 + 4 * nearest_rows))
    reward, cohesion, alignment, separation = np.zeros((4, n))
    local_alignment, nearest, bearing = np.full((3, n), np.nan)

    for i in range(n):
        # a boid reacts only to flockmates within a small neighbourhood around itself
        mates = np.flatnonzero(distance[i] < p.view_radius)
        if len(mates) == 0:
            continue
        own_frame = np.array([forward[i], left[i]])
        company = min(len(mates) / p.flockmates, 1)

        # cohesion: stay close to nearby flockmates
        centre = offset[i, mates].mean(axis=0) / p.view_radius
        togetherness = company * (1 - np.hypot(*centre))

        # alignment: match the heading of nearby flockmates
        mean_heading = forward[mates].mean(axis=0)

        # separation: avoid collisions with nearby flockmates
        near = mates[distance[i, mates] < p.separation_radius]
        too_near = 1 - (distance[i, near] / p.separation_radius) ** 2
        push = -3 * (too_near[:, None] * offset[i, near] / p.separation_radius).sum(axis=0)
        closeness = max(1 - distance[i, mates].min() / p.separation_radius, 0)

        observation[i, 0:2] = 1, company
        observation[i, 2:4] = own_frame @ centre
        observation[i, 4:6] = own_frame @ mean_heading
        observation[i, 6:8] = np.clip(own_frame @ push, -1, 1)
        observation[i, 8:10] = closeness, togetherness

        # the nearest one by one; a stable sort, for of two as near the lower index comes first
        for row, j in enumerate(mates[np.argsort(distance[i, mates], kind="stable")][:nearest_rows]):
            observation[i, 10 + 4 * row :][:2] = own_frame @ offset[i, j] / p.view_radius
            observation[i, 10 + 4 * row :][2:4] = own_frame @ forward[j]

        cohesion[i] = p.cohesion_weight * togetherness
        alignment[i] = p.alignment_weight * company * (forward[i] @ mean_heading)
        separation[i] = -p.separation_weight * closeness
        reward[i] = np.clip(cohesion[i] + alignment[i] + separation[i], -1, 1)

        local_alignment[i] = forward[i] @ mean_heading
        nearest[i] = distance[i].min() / p.separation_radius
        bearing[i] = left[i] @ centre / np.hypot(*centre) if centre.any() else 0

    return Sight(
        observation,
        reward,
        cohesion,
        alignment,
        separation,
        local_alignment,
        nearest,
        bearing,
        collides=(distance < p.collision_radius).any(axis=1),
        alone=np.isnan(nearest),
    )


def groups(flock: Flock) -> list[set[int]]:
    """Sets of boids connected by sight: from each boid not yet in a group, everyone that can be reached."""
    sees = flock.distances < flock.p.view_radius
    found, left = [], set(range(len(flock.x)))
    while left:
        group, edge = set(), {left.pop()}
        while edge:
            i = edge.pop()
            group.add(i)
            edge |= set(np.flatnonzero(sees[i]).tolist()) - group
        found.append(group)
        left -= group
    return found


def log(flock: Flock, sight: Sight, actions: np.ndarray) -> dict[str, float]:
    """What the environment logs of this one step."""
    social = ~sight.alone
    some = social.any()
    sizes = [len(group) for group in groups(flock)]
    return {
        "reward": sight.reward.mean(),
        "cohesion": sight.cohesion.mean(),
        "alignment": sight.alignment.mean(),
        "separation": sight.separation.mean(),
        "polarization": np.hypot(np.cos(flock.heading).mean(), np.sin(flock.heading).mean()),
        "local_alignment": sight.local_alignment[social].mean() if some else 0.0,
        "milling": abs(sight.bearing[social].mean()) if some else 0.0,
        "nearest": sight.nearest[social].mean() if some else 0.0,
        "collisions": sight.collides.mean(),
        "isolation": sight.alone.mean(),
        "groups": float(len(sizes)),
        "largest_group": max(sizes) / len(flock.x),
        "turn": np.abs(turns(flock.p, actions)).mean() / np.radians(flock.p.max_turn),
    }
