"""`boids record`: a flight as a GIF, or its last moment as a PNG."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from boids_env.console import progress
from boids_env.errors import UserError
from boids_env.flocks import Flocks
from boids_env.policies import load_policy

if TYPE_CHECKING:
    from PIL.Image import Image

Picture = NDArray[np.uint8]

STEPS_PER_SECOND = 30  # of the flock, in the time of the film
SKY = 96  # of the 256 colors that all frames share, those for the background
SAMPLES = 16  # frames that the colors are chosen from


def record(
    out: str | os.PathLike[str],
    *,
    policy: str | os.PathLike[str] = "reynolds",
    seconds: float = 10,
    fps: int = 15,
    size: tuple[int, int] = (640, 360),
    seed: int = 0,
    argmax: bool = False,
    parameters: Mapping[str, Any] | None = None,
) -> None:
    """Films one flock from a random start.

    Args:
        out: a .gif, or a .png for the last frame alone.
        policy: as `boids_env.policies.load_policy` takes it.
        seconds: of film; the flock makes 30 steps in each.
        fps: frames to a second, 1 to 30.
        size: width and height in pixels.
        seed: of the flock.
        argmax: a learned policy takes its best turn, instead of drawing one.
        parameters: of the flock.

    Raises:
        UserError: Pillow is not installed; another kind of file; no such policy; numbers out of range.
    """
    path = Path(out)
    if path.suffix.lower() not in (".gif", ".png"):
        raise UserError(f"{out}: expected a name that ends in .gif or .png")
    if not (1 <= fps <= STEPS_PER_SECOND and 0 < seconds <= 600 and min(size) >= 1 and max(size) <= 4096):
        raise UserError("expected --fps 1 to 30, --seconds up to 600 and --size from 1x1 to 4096x4096")
    try:
        from PIL import Image
    except ModuleNotFoundError:
        raise UserError("recording needs Pillow, which is not installed: pip install pillow") from None
    count = max(1, round(seconds * fps))
    pictures = progress(_fly(policy, count, fps, size, seed, argmax, dict(parameters or {})), count, "recording")
    partial = path.with_name(f"{path.name}.tmp")
    if path.suffix.lower() == ".png":
        *_, picture = pictures
        Image.fromarray(picture).save(partial, "PNG", optimize=True)
    else:
        first, *others = _with_one_palette([Image.fromarray(picture) for picture in pictures])
        # GIF counts in hundredths of a second
        first.save(partial, "GIF", save_all=True, append_images=others, duration=10 * round(100 / fps), loop=0)
    partial.replace(path)


def _fly(
    which: str | os.PathLike[str],
    count: int,
    fps: int,
    size: tuple[int, int],
    seed: int,
    argmax: bool,
    parameters: dict[str, Any],
) -> Iterator[Picture]:
    """The pictures of a flight, one for each frame."""
    policy = load_policy(which, argmax=argmax, seed=seed)
    # one episode from the first frame to the last
    with Flocks(1, seed, **{**policy.interface, "horizon": 1_000_000, **parameters}) as flocks:
        flocks.reset()
        step = 0
        for frame in range(count):
            for _ in range(step, STEPS_PER_SECOND * frame // fps):
                policy.act(flocks)
                flocks.step()
            step = STEPS_PER_SECOND * frame // fps
            yield flocks.render(*size)


def _with_one_palette(frames: list[Image]) -> list[Image]:
    """The frames in one palette: the commonest colors, which are the sky's, as they are, and the best for all others.

    A palette by the number of pixels alone would have none for the birds, so few are theirs.
    """
    from PIL import Image

    sample = np.concatenate([np.asarray(frame).reshape(-1, 3) for frame in frames[:: max(1, len(frames) // SAMPLES)]])
    colors, pixels = np.unique(sample, axis=0, return_counts=True)
    colors = colors[np.argsort(-pixels, kind="stable")]
    sky, birds = colors[:SKY], colors[SKY:]
    entries: list[int] = sky.ravel().tolist()
    if len(birds):
        entries += (Image.fromarray(birds[None]).quantize(256 - SKY).getpalette() or [])[: 3 * (256 - SKY)]
    palette = Image.new("P", (1, 1))
    palette.putpalette(entries)
    return [frame.quantize(palette=palette, dither=Image.Dither.NONE) for frame in frames]
