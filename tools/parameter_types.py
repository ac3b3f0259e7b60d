"""Writes the flock's parameters as a type for editors and type checkers: python tools/parameter_types.py [FILE]

Run it after a change of BOIDS_PARAMS in src/boids.h, and `make install` before it. tests/test_types.py compares.
"""

from __future__ import annotations

import sys
from pathlib import Path

from boids_env import VecEnv
from boids_env.env.describe import sentence

FILE = Path(__file__).resolve().parent.parent / "python/boids_env/env/parameters.py"
HEAD = '''\
"""The flock's parameters as a type: made from src/boids.h by tools/parameter_types.py, not to be edited."""

from typing import Literal, TypedDict


class FlockParameters(TypedDict, total=False):
    """The parameters of a flock by name; each may be left out."""
'''


def text() -> str:
    lines = []
    for name, what in VecEnv.parameters.items():
        choices = ", ".join(f'"{choice}"' for choice in what["choices"] or ())
        kind = f"Literal[{choices}]" if choices else what["type"]
        lines.append(f'\n    {name}: {kind}\n    """{sentence(what)}"""\n')
    return HEAD + "".join(lines)


if __name__ == "__main__":
    (Path(sys.argv[1]) if len(sys.argv) > 1 else FILE).write_text(text(), encoding="utf-8")
