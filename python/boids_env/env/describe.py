"""What a module says of its parameters, as text: for docstrings, the command line's help and the types."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from boids_env._boids import Parameter


def in_range(what: Parameter) -> str:
    """The range of a number, with its unit."""
    digits, unit = (".0f" if what["type"] == "int" else ".9g"), f" {what['unit']}" if what["unit"] else ""
    return f"[{what['min']:{digits}}, {what['max']:{digits}}]{unit}"


def sentence(what: Parameter, default: object = None) -> str:
    """A parameter's meaning, range, unit and default, or another default: `length of an episode, in [1, 9] steps (4)`."""
    limits = f", in {in_range(what)}" if what["min"] is not None else ""
    choices = ": " + " or ".join(what["choices"]) if what["choices"] else ""
    return f"{what['doc']}{limits}{choices} ({what['default'] if default is None else default})"
