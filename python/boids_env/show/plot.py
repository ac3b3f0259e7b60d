"""`boids plot`: the learning curves of runs as a picture, drawn with Pillow."""

from __future__ import annotations

import csv
import os
from collections.abc import Sequence
from math import isnan
from pathlib import Path
from typing import TYPE_CHECKING

from boids_env.errors import UserError
from boids_env.files import whole

if TYPE_CHECKING:
    from PIL.ImageDraw import ImageDraw

PANELS = ("reward", "local_alignment", "polarization")
SEA, INK, FAINT = "#0b1f33", "#dbe7f3", "#26405a"
LINES = ("#5cc8ff", "#ff9d5c", "#b78bff", "#7be0a3", "#ff7ba8", "#ffd166", "#9fb4c8", "#e07b7b")
WIDTH, HEIGHT, MARGIN, TOP, BOTTOM = 380, 230, 36, 40, 64  # of a panel, and around it, in pixels
SCALE = 3  # it is drawn so many times larger, and then made smaller, for smooth lines
SMOOTH = 5  # rows that a curve is the running mean of

Curve = dict[str, list[float]]


def plot(out: str | os.PathLike[str], runs: Sequence[str | os.PathLike[str]]) -> None:
    """Draws reward, local alignment and polarization of runs against agent-steps.

    Args:
        out: a .png.
        runs: folders of `boids train`, at most 8.

    Raises:
        UserError: Pillow is not installed; another kind of file; a folder that holds no learning curve.
        OSError: the file cannot be written.
    """
    if Path(out).suffix.lower() != ".png":
        raise UserError(f"{out}: expected a name that ends in .png")
    if not 1 <= len(runs) <= len(LINES):
        raise UserError(f"expected 1 to {len(LINES)} runs, got {len(runs)}")
    try:
        from PIL import Image, ImageDraw, ImageFont
    except ModuleNotFoundError:
        raise UserError("a plot needs Pillow, which is not installed: pip install 'boids-env[record]'") from None
    curves = {os.fspath(run): _read(Path(run)) for run in runs}
    size = len(PANELS) * (WIDTH + MARGIN) + MARGIN, TOP + HEIGHT + BOTTOM
    image = Image.new("RGB", (SCALE * size[0], SCALE * size[1]), SEA)
    draw = ImageDraw.Draw(image)
    font = ImageFont.load_default(SCALE * 13)
    most = max(curve["agent_steps"][-1] for curve in curves.values())

    def text(x: float, y: float, what: str, colour: str = INK, anchor: str = "lm") -> float:
        """Writes a text. Returns where it ends."""
        draw.text((SCALE * x, SCALE * y), what, colour, font, anchor)
        return x + float(draw.textlength(what, font)) / SCALE

    for k, field in enumerate(PANELS):
        left = MARGIN + k * (WIDTH + MARGIN)
        text(left + WIDTH / 2, TOP - 18, field.replace("_", " "), anchor="mm")
        for share in (0, 0.25, 0.5, 0.75, 1):
            y = TOP + HEIGHT * (1 - share)
            draw.line([(SCALE * left, SCALE * y), (SCALE * (left + WIDTH), SCALE * y)], FAINT, SCALE)
            if k == 0:
                text(left - 5, y, f"{share:g}", anchor="rm")
        text(left, TOP + HEIGHT + 14, "0", anchor="mm")
        text(left + WIDTH, TOP + HEIGHT + 14, f"{most / 1e6:.3g} M", anchor="rm")
        for curve, colour in zip(curves.values(), LINES, strict=False):
            _line(draw, curve, field, left, most, colour)
    x: float = MARGIN
    for run, colour in zip(curves, LINES, strict=False):
        y = TOP + HEIGHT + 44
        draw.line([(SCALE * x, SCALE * y), (SCALE * (x + 20), SCALE * y)], colour, 3 * SCALE)
        x = text(x + 28, y, run) + 28
    text(size[0] - MARGIN, TOP + HEIGHT + 44, "agent-steps", anchor="rm")
    with whole(Path(out)) as partial:
        image.resize(size, Image.Resampling.LANCZOS).save(partial)


def _line(draw: ImageDraw, curve: Curve, field: str, left: float, most: float, colour: str) -> None:
    """One curve: the running mean of its rows. A NaN is a figure that the trainer could not see, and left out."""
    rows = [(step, value) for step, value in zip(curve["agent_steps"], curve[field], strict=True) if not isnan(value)]
    around = SMOOTH // 2
    at = []
    for i, (step, _) in enumerate(rows):
        window = [value for _, value in rows[max(0, i - around) : i + around + 1]]
        mean = min(1.0, max(0.0, sum(window) / len(window)))
        at.append((SCALE * (left + WIDTH * step / most), SCALE * (TOP + HEIGHT * (1 - mean))))
    if at:
        draw.line(at, colour, 2 * SCALE, joint="curve")


def _read(run: Path) -> Curve:
    """The learning curve of a run. Raises: UserError."""
    path = run / "log.csv"
    try:
        with path.open(encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        curve = {name: [float(row[name]) for row in rows] for name in ("agent_steps", *PANELS)}
    except (OSError, KeyError, TypeError, ValueError, csv.Error):
        raise UserError(f"{run}: expected a folder of boids train, found no learning curve log.csv in it") from None
    if not rows:
        raise UserError(f"{path}: expected a learning curve, got one without rows: the run was too short")
    return curve
