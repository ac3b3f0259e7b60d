"""A flock as text: an arrow for each boid, or dots where there are too many, in the colours of the picture."""

from __future__ import annotations

import os
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from boids_env.errors import positive

if TYPE_CHECKING:
    from boids_env._boids import VecEnv

Array = NDArray[Any]

ARROWS = np.array([ord(arrow) for arrow in "→↗↑↖←↙↓↘"], np.uint32)
ROOM = 3  # arrows need this many characters for each boid; with less room they are dots
DOTS = np.array([[0, 3], [1, 4], [2, 5], [6, 7]])  # the bit of each of a braille character's dots, by row and column
BLANK, BRAILLE = ord(" "), 0x2800
SHADES = 8  # of each component of a mean heading: few enough that neighbours share an escape code
RESET = "\033[0m"


class Flock(Protocol):
    """What is read of a flock; `Flocks` and `Boids` are such."""

    @property
    def vec(self) -> VecEnv: ...
    @property
    def parameters(self) -> dict[str, Any]: ...


def frame(flocks: Flock, env: int = 0, columns: int = 80, rows: int = 24) -> str:
    """A picture of flock `env` in 24-bit ANSI colours, or without any escape code where NO_COLOR is set.

    A boid's colour is its heading, as in the picture. Several boids in one character have the mean of their colours, which
    is grey where their headings differ. The world keeps its shape, at characters twice as high as wide, and is centred; y
    points up.

    Args:
        flocks: whose state is read.
        env: which flock.
        columns: characters to a line, at least 1.
        rows: lines, at least 1.

    Returns:
        `rows` lines of `columns` visible characters, without a newline at the end.

    Raises:
        UserError: columns or rows below 1.
        ValueError: no such flock.
    """
    columns, rows = positive("columns", columns), positive("rows", rows)
    x, y, heading = (state(flocks, name, env) for name in ("x", "y", "heading"))
    width, height = flocks.parameters["width"], flocks.parameters["height"]
    scale = min(columns / width, 2 * rows / height)
    wide, high = max(1, round(width * scale)), max(1, round(height * scale / 2))
    left, top = (columns - wide) // 2, (rows - high) // 2
    angle = heading * np.float32(2 * np.pi / 2**16)
    cosine, sine = np.cos(angle), np.sin(angle)
    glyphs, ink = np.full(rows * columns, BLANK, np.uint32), np.zeros(rows * columns, np.int32)
    if ROOM * len(x) <= wide * high:
        cell = (top + high - 1 - _part(y, high)) * columns + left + _part(x, wide)
        glyphs[cell] = ARROWS[((heading.astype(np.int32) + 2**12) >> 13) & 7]
        ink[cell] = _colour(cosine, sine)
    else:
        row, column = 4 * high - 1 - _part(y, 4 * high), _part(x, 2 * wide)
        cell = (top + row // 4) * columns + left + column // 2
        dots = np.zeros((len(glyphs), 8), np.bool_)
        dots[cell, DOTS[row % 4, column % 2]] = True
        pattern = np.packbits(dots, axis=1, bitorder="little")[:, 0]
        used = np.flatnonzero(pattern)
        glyphs[used] = BRAILLE + pattern[used].astype(np.uint32)
        count = np.bincount(cell, minlength=len(glyphs))[used]
        mean = (np.rint(np.bincount(cell, of, len(glyphs))[used] / count * SHADES) / SHADES for of in (cosine, sine))
        ink[used] = _colour(*mean)
    text = glyphs.astype("<u4").tobytes().decode("utf-32-le")
    lines = [text[start : start + columns] for start in range(0, len(text), columns)]
    if not colours():
        return "\n".join(lines)
    inks = ink.reshape(rows, columns)
    return "\n".join(_sea(1 - row / rows) + _inked(line, inks[row]) + RESET for row, line in enumerate(lines))


def colours() -> bool:
    """Whether to write escape codes of colours: https://no-color.org."""
    return not os.environ.get("NO_COLOR")


def state(flocks: Flock, name: str, env: int = 0) -> Array:
    """A state field of flock `env` for every boid, as `VecEnv.state_fields` describes it; read-only."""
    return np.frombuffer(flocks.vec.get(name, env), flocks.vec.state_fields[name]["type"])


def _part(position: Array, parts: int) -> Array:
    """The number of the part that each position is in, where the world's side is cut into so many equal parts."""
    return ((position.astype(np.uint64) * np.uint64(parts)) >> np.uint64(32)).astype(np.int64)


def _colour(cosine: Array, sine: Array) -> Array:
    """The colours of headings, 0xRRGGBB: `boids_heading_colour` of src/show/boids_pixels.h."""
    red = 165 + 83 * cosine + 33 * sine
    green = 192 - 30 * cosine
    blue = 166 - 88 * sine
    red, green, blue = (np.minimum(part, 255).astype(np.int32) for part in (red, green, blue))
    return (red << 16) | (green << 8) | blue


def _sea(light: float) -> str:
    """The code for bold letters on the pictures' background; light is 1 at the top and 0 at the bottom."""
    return f"\033[1;48;2;{4 + 9 * light:.0f};{11 + 25 * light:.0f};{26 + 34 * light:.0f}m"


def _inked(line: str, ink: Array) -> str:
    """A line with the escape codes of its colours, one for each run."""
    inked = np.flatnonzero(ink)
    starts = inked[np.flatnonzero(np.diff(ink[inked], prepend=0))]
    if not len(starts):
        return line
    bounds = [*starts.tolist(), len(line)]
    runs = zip(ink[starts].tolist(), pairwise(bounds), strict=True)
    return line[: bounds[0]] + "".join(_code(colour) + line[start:end] for colour, (start, end) in runs)


@lru_cache(4096)
def _code(colour: int) -> str:
    return f"\033[38;2;{colour >> 16};{colour >> 8 & 255};{colour & 255}m"
