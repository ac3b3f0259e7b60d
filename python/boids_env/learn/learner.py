"""The extension's Learner, made from a config, and its weights as arrays."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from boids_env._boids import Learner
from boids_env.env.flocks import Flocks
from boids_env.errors import UserError
from boids_env.learn.config import option


def weights(learner: Learner) -> dict[str, NDArray[np.float32]]:
    """The arrays of `Learner.policy()`, as `boids_env.learn.policies.Learned` takes them."""
    policy = learner.policy()
    return {name: np.frombuffer(data, np.float32).reshape(shape) for name, (shape, data) in policy.items()}


def make_learner(flocks: Flocks, settings: Mapping[str, Any]) -> Learner:
    """A learner in these flocks, with the values of a config's section [learn]. Raises: UserError."""
    values = {name: value for name, value in settings.items() if name != "agent_steps"}
    values["anneal_steps"] = values.get("anneal_steps") or settings["agent_steps"]
    try:
        return Learner(flocks.vec, **values)
    except (TypeError, ValueError) as error:
        name, colon, rest = str(error).partition(": ")
        raise UserError(f"{option(f'learn.{name}')}{colon}{rest}" if colon else str(error)) from None
