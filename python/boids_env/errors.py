"""Errors of the user's, which the command line prints as one line without a traceback, and a check that raises them."""

from __future__ import annotations

import operator

import numpy as np


class UserError(ValueError):
    """An option, a file or a policy that cannot be used. The message says where, what was expected and what came."""


def needs_pufferlib(what: str) -> str:
    """The message where PufferLib is missing."""
    return f"{what} needs PufferLib 3.0.0, which is not installed: see 'Installing PufferLib' in README.md"


def positive(name: str, value: int, most: int = 2**31 - 1) -> int:
    """`value`, an integer of 1 to `most`. Raises: TypeError, UserError."""
    try:
        if isinstance(value, bool | np.bool_):
            raise TypeError
        number = operator.index(value)
    except TypeError:
        raise TypeError(f"{name}: expected an integer, got {value!r}") from None
    if 1 <= number <= most:
        return number
    wanted = "at least 1" if number < 1 else f"at most {most}"
    raise UserError(f"{name}: expected {wanted}, got {number if abs(number) < 2**64 else 'one beyond 64 bits'}")
