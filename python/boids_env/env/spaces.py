"""Spaces as Gymnasium describes them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import gymnasium
import numpy as np

if TYPE_CHECKING:
    from boids_env._boids import Space


def space(side: Space) -> gymnasium.Space[Any]:
    """The observations or the actions of one agent, as Gymnasium describes them."""
    if side["choices"] is None:
        dtype = np.dtype(side["dtype"])
        low, high = side["low"], side["high"]
        if dtype.kind in "iu":  # a float bound may round to one beyond the type
            limits = np.iinfo(dtype)
            low, high = max(int(low), int(limits.min)), min(int(high), int(limits.max))
        return gymnasium.spaces.Box(low, high, (side["size"],), dtype.type)
    if side["size"] == 1:
        return gymnasium.spaces.Discrete(side["choices"][0])
    return gymnasium.spaces.MultiDiscrete(list(side["choices"]))
