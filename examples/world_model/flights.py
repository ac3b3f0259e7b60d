"""Flights that are recorded, flights that are scored, and the true advantages. NumPy only."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from boids_env import Flocks
from boids_env.env.core import Core
from boids_env.learn.planner import Planner
from boids_env.learn.policies import Learned

TURNS = 5
RULES = 10  # floats of the observation `rules`; `nearest` begins with them
NEIGHBOURS = 8
HORIZON = 5  # of all models and planners here, in steps
NEAREST: dict[str, Any] = {"observation": "nearest", "num_neighbors": NEIGHBOURS}
FOREVER: dict[str, Any] = {"horizon": 10**9, "stagger": False}  # no restart within a recording
LARGE: dict[str, Any] = {"num_boids": 256, "width": 2160, "height": 1440}  # as `boids train` has it

Floats = NDArray[np.float32]
Act = Callable[[Core], None]  # writes env.actions


class Flight(NamedTuple):
    """A recording of all agents of some flocks. Every agent-step is a real step."""

    observations: Floats  # (steps + 1, agents, floats)
    actions: NDArray[np.int64]  # (steps, agents)
    rewards: Floats  # (steps, agents) of the action beside it

    @property
    def agent_steps(self) -> int:
        return self.actions.size


def flocks(count: int, seed: int, **parameters: Any) -> Flocks:
    """Flocks at the start of an episode that does not end."""
    env = Flocks(count, seed=seed, **{**NEAREST, **FOREVER, **parameters})
    env.reset()
    return env


def record(env: Core, act: Act, steps: int, random: float, draws: np.random.Generator) -> Flight:
    """Flies on. random: the fraction of turns that are drawn evenly in place of those of `act`."""
    count, size = env.observations.shape
    observations, rewards = np.empty((steps + 1, count, size), np.float32), np.empty((steps, count), np.float32)
    flight = Flight(observations, np.empty((steps, count), np.int64), rewards)
    flight.observations[0] = env.observations
    for t in range(steps):
        act(env)
        drawn = draws.random(count) < random
        env.actions[drawn] = draws.integers(0, TURNS, int(drawn.sum()))
        flight.actions[t] = env.actions
        env.step()
        flight.observations[t + 1], flight.rewards[t] = env.observations, env.rewards
    return flight


def rules_of(policy: Learned) -> Act:
    """The policy, which observes `rules`, in flocks that observe `nearest`."""
    draws = np.random.default_rng(0)

    def act(env: Core) -> None:
        scores = policy.scores(np.ascontiguousarray(env.observations[:, :RULES]))
        env.actions[:] = (scores + draws.gumbel(size=scores.shape)).argmax(1)

    return act


class Simulator:
    """The true advantages: the planner of the simulator itself, with frozen flights, in the mean over `flights`."""

    def __init__(self, policy: Learned | None, horizon: int = HORIZON, flights: int = 2, seed: int = 0) -> None:
        self._planner = Planner(policy, horizon=horizon, flights=flights, seed=seed)

    def turns(self, env: Core) -> Floats:
        """(agents, 5) what each turn earns."""
        self._planner.act(env)
        return self._planner.expected().copy()


def centred(turns: Floats) -> Floats:
    """Advantages: what each turn earns beyond the mean turn."""
    advantages: Floats = turns - turns.mean(-1, keepdims=True)
    return advantages


def correlation(predicted: Floats, true: Floats) -> float:
    """Of advantages, over all agents and turns. 0 where the prediction tells no turn from another."""
    a, b = centred(predicted).ravel(), centred(true).ravel()
    size = float(np.sqrt((a.astype(float) ** 2).sum() * (b.astype(float) ** 2).sum()))
    return float((a.astype(float) * b).sum() / size) if size > 0 else 0.0
