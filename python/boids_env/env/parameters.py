"""The flock's parameters as a type: made from src/boids.h by tools/parameter_types.py, not to be edited."""

from typing import Literal, TypedDict


class FlockParameters(TypedDict, total=False):
    """The parameters of a flock by name; each may be left out."""

    num_boids: int
    """boids in the flock, each an agent, in [1, 1048576] boids (64)"""

    width: float
    """width of the torus, in [1, 1000000] world units (1080.0)"""

    height: float
    """height of the torus, in [1, 1000000] world units (720.0)"""

    view_radius: float
    """how far a boid sees: 1/2048 of the longer side to 1/2 of the shorter, in [0.001, 500000] world units (100.0)"""

    separation_radius: float
    """nearer than this is too near: 1/32 to 1 of view_radius, in [0.0001, 500000] world units (25.0)"""

    collision_radius: float
    """nearer than this counts as a collision in the log; at most view_radius, in [0, 500000] world units (8.0)"""

    speed: float
    """of every boid; at most 1/4 of the shorter side, in [0, 250000] world units per step (4.0)"""

    gentle_turn: float
    """what the actions left and right turn by, in [0, 180] degrees per step (5.0)"""

    max_turn: float
    """what hard left, hard right and the continuous actions -1 and 1 turn by, in [0, 180] degrees per step (15.0)"""

    action: Literal["discrete", "continuous"]
    """one of five turns, or a fraction of max_turn: discrete or continuous (discrete)"""

    observation: Literal["rules", "nearest"]
    """sums over the neighbours, or these and the nearest one by one: rules or nearest (rules)"""

    num_neighbors: int
    """neighbours that the observation `nearest` lists one by one, in [1, 32] boids (8)"""

    flockmates: int
    """neighbours at which cohesion and alignment earn in full, in [1, 1000] boids (6)"""

    cohesion_weight: float
    """of being amid the neighbours, in [0, 10] reward (0.4)"""

    alignment_weight: float
    """of heading where they head; below 0, of heading elsewhere, in [-10, 10] reward (0.6)"""

    separation_weight: float
    """lost by touching the nearest, in [0, 10] reward (1.5)"""

    horizon: int
    """length of an episode, in [1, 1000000000] steps (400)"""

    warmup: int
    """first steps of an episode that all but episode_return leave out of the log, in [0, 1000000000] steps (0)"""

    stagger: bool
    """environment k of n starts its first episode k/n of the way in, so that they do not restart together (True)"""
