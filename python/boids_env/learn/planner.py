"""A policy that looks ahead: `planner`. It tries every turn of every boid in imagined flights of the same simulator."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Mapping
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from boids_env import _boids
from boids_env.env.core import Core
from boids_env.env.flocks import Flocks
from boids_env.errors import UserError
from boids_env.learn.config import converter

NAME = "planner"
SEEN = ("observation", "num_neighbors")  # parameters that leave the state alone
DEFAULTS = {"horizon": 5, "flights": 2}  # where they are not the header's


@runtime_checkable
class Prior(Protocol):
    """A policy that was learned, as a planner needs it: `boids_env.learn.policies.Learned`."""

    name: str
    interface: Mapping[str, Any]
    continuous: bool
    arrays: Mapping[str, Any]

    def check(self, env: Core) -> None:
        """Raises: UserError, if the spaces are not those that it was trained for."""


class Planner:
    """Takes the turn that earns most in imagined flights. It sees all positions, and copies the simulator.

    Args:
        prior: flies the imagined flights: a policy that was learned; None draws all turns evenly.
        seed: of the draws.
        name: what it is called in a table.
        num_threads: that plan; results do not depend on it.
        **settings: of `boids_env._boids.Planner.settings`: horizon, flights, gamma, others.
    """

    def __init__(
        self, prior: Prior | None = None, *, seed: int = 0, name: str = NAME, num_threads: int = 1, **settings: Any
    ) -> None:
        self.name, self.prior, self._seed, self._num_threads = name, prior, seed, num_threads
        self.settings = {**DEFAULTS, **settings}
        # it looks at the state: the flock may have any observation, and the flocks that it imagines have the prior's
        interface = {} if prior is None else prior.interface
        self._seen = {key: value for key, value in interface.items() if key in SEEN}
        self.interface: Mapping[str, Any] = {key: value for key, value in interface.items() if key not in SEEN}
        self._policy = None if prior is None else policy_bytes(prior)
        self._planner: _boids.Planner | None = None
        self._for: dict[str, Any] = {}  # the parameters of the flocks that it plans for
        self._step = 0

    def __repr__(self) -> str:
        values = ", ".join(f"{key}={value}" for key, value in self.settings.items())
        return f"<Planner: {values}, prior {'none' if self.prior is None else self.prior.name}>"

    def act(self, env: Core) -> None:
        """Writes the best turns. Raises: UserError, if the prior cannot steer such flocks."""
        self.planner(env).act(env.vec, self._step)
        self._step += 1

    def show(self, env: Core) -> None:
        """Has the window show what the next `act` will imagine for the boid that the viewer has selected."""
        planner = self.planner(env)
        planner.act(env.vec, self._step)
        planner.show(env.vec)

    def expected(self) -> NDArray[np.float32]:
        """(num_agents, 5) what each turn was expected to earn in the last `act`, in all its steps."""
        if self._planner is None:
            return np.zeros((0, 5), np.float32)
        return np.frombuffer(self._planner.expected(), np.float32).reshape(-1, 5)

    def planner(self, env: Core) -> _boids.Planner:
        """The extension's planner for flocks like these. Raises: UserError."""
        fixed = {name: value for name, value in env.parameters.items() if not _boids.VecEnv.parameters[name]["changeable"]}
        if self._planner is None or self._for != fixed:
            try:
                with Flocks(1, **{**env.parameters, **self._seen}) as model:
                    if self.prior is not None:
                        self.prior.check(model)
                    threads = self._num_threads
                    self._planner = _boids.Planner(
                        model.vec, policy=self._policy, seed=self._seed, num_threads=threads, **self.settings
                    )
            except (TypeError, ValueError) as error:
                raise UserError(f"{self.name}: {error}") from None
            self._for = fixed
        return self._planner


def policy_bytes(policy: Prior) -> bytes:
    """A policy as the bytes of a policy.npz, whatever file it came from."""
    file = io.BytesIO()
    np.savez(
        file, meta=np.array(json.dumps({})), **{name: np.asarray(array, np.float32) for name, array in policy.arrays.items()}
    )
    return file.getvalue()


def parse(which: str, seed: int, load_policy: Callable[[str], Any]) -> Planner:
    """The planner that a text names: `planner`, `planner:POLICY`, `planner:horizon=1,prior=none`.

    Args:
        load_policy: loads its prior.

    Raises:
        UserError: an unknown setting, a value out of its range, no such prior.
    """
    _, colon, rest = which.partition(":")
    known = _boids.Planner.settings
    settings: dict[str, Any] = {}
    prior: str | None = None
    for number, part in enumerate(rest.split(",") if colon else []):
        key, equals, text = part.partition("=")
        if not equals and number == 0 and part:
            prior = part
        elif equals and key == "prior":
            prior = text
        elif equals and key in known:
            choices = known[key]["choices"]
            if choices and text not in choices:
                raise UserError(f"{which}: {key}: expected {' or '.join(choices)}, got {text}")
            try:
                settings[key] = converter(known[key])(text)
            except ValueError as error:
                raise UserError(f"{which}: {key}: {error}") from None
        else:
            valid = ", ".join(f"{name}=..." for name in (*known, "prior"))
            raise UserError(f"{which}: expected planner:POLICY,SETTING=VALUE with {valid}, got {part or 'nothing'!r}")
    if prior == "none":
        return Planner(None, seed=seed, name=which, **settings)
    loaded = load_policy(prior or "learned") if prior != NAME else None
    if not isinstance(loaded, Prior):
        raise UserError(f"{which}: prior: expected none, learned or the path of a policy, got {prior}")
    if loaded.continuous:
        raise UserError(f"{which}: prior: expected a policy with turns to choose from, got one with continuous actions")
    return Planner(loaded, seed=seed, name=which, **settings)
