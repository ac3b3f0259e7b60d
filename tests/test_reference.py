"""The flock in C against the one in reference.py: every shape of world, both observations, both actions, both search paths.

The C works in integers, so the two agree as far as those go (src/sight/sight.h says where each comes from), in view radii:

    a position     2^-16 of a side of the world, or of a part of it that holds 16 view radii
    an offset      the above, and 1/32600 of rounding; 1/4000 more for each neighbour in a sum
    a distance^2   1/8100 of rounding, and what the offset brings
    closeness      .008, whatever the two above are: what is very near is computed from whole positions
    a direction    1/4000 in its cosine and in its sine

A boid that has another nearer to the rim of its sight than that may count it or not: they are left out, and are few.
"""

from types import SimpleNamespace

import numpy as np
import pytest

import reference

DEFAULTS = {"num_boids": 64, "observation": "rules", "action": "discrete", "horizon": 1000}
FULL_TURN, SIDE = 2**16, 2**32


class Planted:
    """A VecEnv of one flock, whose boids a test puts where it wants them."""

    def __init__(self, boids, **parameters):
        parameters = DEFAULTS | parameters
        known = {name: about["default"] for name, about in boids.VecEnv.parameters.items()}
        self.p = SimpleNamespace(**(known | parameters))
        layout = boids.layout(**parameters)
        n = self.p.num_boids
        self.observations = np.zeros((n, layout["observation"]["size"]), np.float32)
        self.actions = np.zeros(n, layout["action"]["dtype"])
        self.rewards = np.zeros(n, np.float32)
        ends = np.zeros((2, n), np.uint8)
        self.env = boids.VecEnv(self.observations, self.actions, self.rewards, *ends, **parameters)
        self.env.reset()

    def plant(self, x, y, heading):
        """x and y in sides of the world, heading in full turns; whatever lies outside [0, 1) wraps."""
        for name, value, whole, kind in [("x", x, SIDE, "u4"), ("y", y, SIDE, "u4"), ("heading", heading, FULL_TURN, "u2")]:
            self.env.set(name, np.floor(np.asarray(value) % 1 * whole).astype(np.uint64).astype(kind))

    def flock(self):
        """The state as the reference has it."""
        x, y = (np.frombuffer(self.env.get(name), np.uint32) / SIDE for name in "xy")
        heading = np.frombuffer(self.env.get("heading"), np.uint16) / FULL_TURN
        return reference.Flock(self.p, x * self.p.width, y * self.p.height, heading * 2 * np.pi)

    def act(self, random):
        if self.p.action == "continuous":
            self.actions[:] = random.uniform(-1, 1, len(self.actions))
        else:
            self.actions[:] = random.integers(0, 5, len(self.actions))


def window(p, side):
    """The part of a side that 16 bits of a position span, in view radii."""
    parts = 1
    while int(side / (p.view_radius * 1.002)) // parts >= 32:
        parts *= 2
    return side / parts / p.view_radius


def view(p):
    """The view radius in the integers of pairs: see "Lengths" in src/sight/sight.h."""

    def of_axis(side):
        radius = 2**16 / window(p, side)
        while radius < 16300:
            radius *= 2
        return radius if radius <= 32600 else radius / 2

    return min(of_axis(p.width), of_axis(p.height))


def offset_error(p):
    """How far off one coordinate of an offset may be, in view radii."""
    return max(window(p, p.width), window(p, p.height)) / 2**16 + 1 / (2 * view(p)) + 1 / 32768


def square_error(p, distance):
    """How far off a squared distance may be, in view radii squared."""
    offset = np.sqrt(2) * offset_error(p)
    return 2**15 / view(p) ** 2 + 2 * distance * offset + offset**2


def distance_error(p, distance):
    """The same of the distance itself."""
    return np.minimum(np.sqrt(square_error(p, distance)), square_error(p, distance) / np.maximum(distance, 1e-9))


def mean_offset_error(p):
    """How far off a coordinate of the neighbours' centre may be, in the boid's own frame, in view radii."""
    return np.sqrt(2) * (offset_error(p) + 1 / 4000 + 1e-4) + np.sqrt(2) / 4000


def closeness_error(p, sight):
    """(n,) how far off the distance to the nearest may be, in separation radii."""
    ratio = p.view_radius / p.separation_radius
    error = distance_error(p, np.nan_to_num(sight.nearest) / ratio) * ratio
    return np.where(sight.nearest < 1, np.minimum(error, 0.008), error)


def at_the_rim(flock, radius):
    """(n,) which boids have another so near to that distance that rounding decides on which side of it."""
    p = flock.p
    distance = flock.distances / p.view_radius
    rim = radius / p.view_radius
    return (np.abs(distance - rim) <= distance_error(p, rim)).any(axis=1)


def push_error(p, flock):
    """(n, 1) how far off the push away from the too near may be."""
    distance = flock.distances / p.view_radius
    ratio = p.separation_radius / p.view_radius
    too_near = distance < ratio * 1.02
    weight = (np.where(too_near, square_error(p, distance), 0) + 0.5 * 2**15 / view(p) ** 2) / ratio**2
    each = weight + offset_error(p) / ratio + 1e-3  # of the products of 16-bit numbers, which are scaled to use their bits
    return 3 * np.sqrt(2) * np.where(too_near, each, 0).sum(axis=1, keepdims=True) + 1e-3


def same_nearest(p, rows, offset, distance, forward, heading):
    """Holds the list of one boid's nearest against its neighbours. Two that are as near, to the C, may change places."""
    turn = np.array([[np.cos(heading), -np.sin(heading)], [np.sin(heading), np.cos(heading)]])
    seen = np.hstack([offset @ turn / p.view_radius, forward @ turn])
    listed = min(p.num_neighbors, len(seen))
    assert not rows[listed:].any()
    left = list(range(len(seen)))
    last = -1.0
    for row in rows[:listed]:
        match = left[np.abs(seen[left] - row).max(axis=1).argmin()]
        np.testing.assert_allclose(row, seen[match], atol=np.sqrt(2) * offset_error(p) + 1e-3)
        blur = square_error(p, distance[match])
        assert distance[match] ** 2 >= last - 2 * blur
        last = max(last, distance[match] ** 2)
        left.remove(match)
    assert (distance[left] ** 2 >= last - 2 * square_error(p, distance[left])).all()


def agree(planted):
    """Holds observations and rewards against the reference in the state as it is. Returns the share of boids left out."""
    p, flock = planted.p, planted.flock()
    sight = reference.look(flock)
    sure = ~at_the_rim(flock, p.view_radius)
    got, want = planted.observations[sure], sight.observation[sure]
    offset, close = mean_offset_error(p), closeness_error(p, sight)[sure]
    direction = 2 * np.sqrt(2) / 4000 + 1e-4

    np.testing.assert_allclose(got[:, 0:2], want[:, 0:2], atol=1e-6)
    np.testing.assert_allclose(got[:, 2:4], want[:, 2:4], atol=offset)
    np.testing.assert_allclose(got[:, 4:6], want[:, 4:6], atol=direction)
    assert (np.abs(got[:, 6:8] - want[:, 6:8]) <= push_error(p, flock)[sure]).all()
    assert (np.abs(got[:, 8] - want[:, 8]) <= close + 1e-6).all()
    np.testing.assert_allclose(got[:, 9], want[:, 9], atol=offset)
    reward = p.cohesion_weight * offset + abs(p.alignment_weight) * direction + p.separation_weight * close + 1e-5
    assert (np.abs(planted.rewards[sure] - sight.reward[sure]) <= reward).all()

    if p.observation == "nearest":
        offsets, distances = flock.offsets, flock.distances / p.view_radius
        forward = np.stack([np.cos(flock.heading), np.sin(flock.heading)], axis=1)
        for i in np.flatnonzero(sure)[:30]:
            mates = np.flatnonzero(distances[i] < 1)
            rows = planted.observations[i, 10:].reshape(-1, 4)
            same_nearest(p, rows, offsets[i, mates], distances[i, mates], forward[mates], flock.heading[i])
    return 1 - sure.mean()


def everywhere(n, random, p):
    return random.random((2, n))


def in_a_crowd(n, random, p):
    """All within a view radius, or little more, around the corner where four seams meet."""
    return random.uniform(-0.4, 0.4, (2, n)) * np.array([[p.view_radius / p.width], [p.view_radius / p.height]])


def along_the_seams(n, random, p):
    places = random.random((2, n))
    places[np.arange(n) % 2, np.arange(n)] = random.normal(0, 0.3, n) * p.view_radius / max(p.width, p.height)
    return places


def in_heaps(n, random, p):
    """On a few points, several on each."""
    return random.random((2, max(n // 5, 1)))[:, random.integers(0, max(n // 5, 1), n)]


CASES = {
    "default": {},
    "two": {"num_boids": 2, "width": 210, "height": 205},
    "half_round": {"num_boids": 40, "view_radius": 360, "separation_radius": 60},
    "oblong": {"num_boids": 100, "width": 3000, "height": 205},
    "tall": {"num_boids": 100, "width": 205, "height": 3000},
    "small_units": {
        "width": 9,
        "height": 7,
        "view_radius": 1,
        "separation_radius": 0.25,
        "collision_radius": 0.1,
        "speed": 0.03,
    },
    "near": {"separation_radius": 100, "collision_radius": 50, "flockmates": 12},
    "elsewhere": {"cohesion_weight": 1, "alignment_weight": -0.3},
    "cells": {"num_boids": 300, "width": 2700, "height": 1800},
    "cells_of_a_few": {"num_boids": 300, "width": 402, "height": 505},
    "cells_oblong": {"num_boids": 300, "width": 6000, "height": 250},
    "cells_of_many": {"num_boids": 350, "width": 9000, "height": 5000, "view_radius": 140, "separation_radius": 30},
}
LAYOUTS = {layout.__name__: layout for layout in (everywhere, in_a_crowd, along_the_seams, in_heaps)}
SPACES = [("rules", "discrete"), ("nearest", "continuous")]


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("case", CASES)
def test_sight(boids, case, layout):
    """Observations and rewards after one step and after another from a planted state."""
    left_out, mates = [], []
    for k, (observation, action) in enumerate(SPACES):
        random = np.random.default_rng([k, *case.encode()])
        planted = Planted(boids, observation=observation, action=action, **CASES[case])
        n = planted.p.num_boids
        planted.plant(*LAYOUTS[layout](n, random, planted.p), random.random(n))
        for _ in range(2):
            planted.act(random)
            planted.env.step()
            left_out.append(agree(planted))
            mates.append((planted.flock().distances < planted.p.view_radius).sum(axis=1).mean())
    # the more there are around a boid, the likelier that one is at the rim
    assert np.mean(left_out) <= 0.02 + 0.004 * np.mean(mates), f"with {np.mean(mates):.1f} neighbours"


def test_alone(boids):
    planted = Planted(boids, num_boids=1, observation="nearest")
    planted.actions[:] = 2
    planted.env.step()
    assert agree(planted) == 0
    assert not planted.observations.any()
    assert not planted.rewards.any()


@pytest.mark.parametrize("num_boids", [64, 300])
@pytest.mark.parametrize("action", ["discrete", "continuous"])
def test_moves(boids, num_boids, action):
    """One step of turning and moving, over the seams too."""
    random = np.random.default_rng(num_boids)
    planted = Planted(boids, num_boids=num_boids, action=action, speed=100, max_turn=170, gentle_turn=33)
    p = planted.p
    planted.plant(*random.random((3, num_boids)))
    for _ in range(5):
        planted.act(random)
        want = reference.step(planted.flock(), planted.actions)
        planted.env.step()
        got = planted.flock()
        heading = np.angle(np.exp(1j * (got.heading - want.heading)))
        assert np.abs(heading).max() <= 1.01 * 2 * np.pi / FULL_TURN  # the turn and the largest turn are rounded
        dx = (got.x - want.x + p.width / 2) % p.width - p.width / 2
        dy = (got.y - want.y + p.height / 2) % p.height - p.height / 2
        assert np.hypot(dx, dy).max() <= p.speed * 2e-4


# sparse enough that in most states nobody is at the rim of anybody's sight
LOG_CASES = {
    "default": {"num_boids": 40},
    "oblong": {"num_boids": 40, "width": 3000, "height": 250},
    "two": {"num_boids": 2, "width": 300, "height": 300},
    "crowd": {
        "num_boids": 30,
        "width": 500,
        "height": 500,
        "view_radius": 249,
        "separation_radius": 99,
        "collision_radius": 40,
    },
    "cells": {"num_boids": 260, "width": 4000, "height": 4000},
    "sparse": {"num_boids": 20, "width": 3000, "height": 3000},
    "elsewhere": {"cohesion_weight": 1, "alignment_weight": -0.3},
}


@pytest.mark.parametrize("action", ["discrete", "continuous"])
@pytest.mark.parametrize("case", LOG_CASES)
def test_log(boids, case, action):
    """The log of episodes of one step, in states that leave no boid's neighbours in doubt."""
    planted = Planted(boids, action=action, speed=0, horizon=1, **LOG_CASES[case])
    p, n = planted.p, planted.p.num_boids
    compared = 0
    for seed in range(40):
        random = np.random.default_rng(seed)
        # half of them head much the same way, and keep to a quarter of the world
        spread = 1 if seed % 2 else 0.25
        places = random.random((2, n)) * max(spread, 4 * p.view_radius / max(p.width, p.height))
        planted.plant(*places, random.random() + random.random(n) * spread)
        planted.act(random)
        flock = reference.step(planted.flock(), planted.actions)
        if (at_the_rim(flock, p.view_radius) | at_the_rim(flock, p.collision_radius)).any():
            continue
        compared += 1
        planted.env.step()
        got, sight = planted.env.log(), reference.look(flock)
        want = reference.log(flock, sight, planted.actions)

        social = ~sight.alone
        offset, close = mean_offset_error(p), closeness_error(p, sight)
        centre = np.hypot(*sight.observation[:, 2:4].T)
        tolerance = dict.fromkeys(("groups", "largest_group", "isolation", "collisions"), 1e-6)
        tolerance |= dict.fromkeys(("polarization", "local_alignment", "turn"), 1e-3)
        tolerance["cohesion"] = p.cohesion_weight * offset + 2e-5
        tolerance["alignment"] = abs(p.alignment_weight) * 1e-3 + 2e-5
        tolerance["separation"] = p.separation_weight * close.mean() + 2e-5
        tolerance["reward"] = sum(tolerance[name] for name in ("cohesion", "alignment", "separation"))
        tolerance["nearest"] = close[social].mean() + 2e-5 if social.any() else 0
        aim = np.minimum(2, offset / np.maximum(centre, 1e-9))  # at a centre that is near, a little off is much
        tolerance["milling"] = aim[social].mean() + 1e-3 if social.any() else 0
        for name, value in want.items():
            assert got[name] == pytest.approx(value, abs=tolerance[name]), f"{name}, seed {seed}"
        assert got["n"] == got["episode_length"] == 1
        assert got["episode_return"] == pytest.approx(got["reward"])
    assert compared >= 10


@pytest.mark.parametrize("action", ["discrete", "continuous"])
@pytest.mark.parametrize("observation", ["rules", "nearest"])
@pytest.mark.parametrize("num_boids", [1, 64, 600])
def test_spaces_hold(boids, num_boids, observation, action):
    """Every observation lies in its declared space, every reward in [-1, 1], in random play and in the script's."""
    planted = Planted(boids, num_boids=num_boids, observation=observation, action=action, width=400, height=300, horizon=50)
    space = boids.layout(num_boids=num_boids, observation=observation)["observation"]
    random = np.random.default_rng(0)
    reached = np.zeros(0)
    for t in range(80):
        if t < 40:
            planted.act(random)
        else:
            planted.env.script()
        planted.env.step()
        assert space["low"] <= planted.observations.min()
        assert planted.observations.max() <= space["high"]
        assert np.abs(planted.rewards).max() <= 1
        reached = np.unique(np.sign([*reached, *planted.observations.ravel()]))
    assert num_boids == 1 or {-1, 1} <= set(reached)


def test_the_reference_bites(boids):
    """The comparison is no formality: a boid moved by a hundredth of a view radius, or turned by half a degree, is told."""
    random = np.random.default_rng(5)
    planted = Planted(boids)
    planted.plant(*random.random((3, 64)))
    planted.act(random)
    planted.env.step()
    agree(planted)
    x = np.frombuffer(planted.env.get("x"), np.uint32).copy()
    heading = np.frombuffer(planted.env.get("heading"), np.uint16).copy()
    seen = np.flatnonzero(planted.observations[:, 0])[0]
    x[seen] += np.uint32(planted.p.view_radius / 100 / planted.p.width * SIDE)
    planted.env.set("x", x)
    with pytest.raises(AssertionError):
        agree(planted)
    x[seen] -= np.uint32(planted.p.view_radius / 100 / planted.p.width * SIDE)
    heading[seen] += np.uint16(FULL_TURN / 720)
    planted.env.set("x", x)
    planted.env.set("heading", heading)
    with pytest.raises(AssertionError):
        agree(planted)
