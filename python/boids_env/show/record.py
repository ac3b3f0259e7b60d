"""`boids record`: a film of a flock as a GIF or MP4, or its last frame as a PNG."""

from __future__ import annotations

import os
from collections.abc import Generator, Iterable, Iterator, Mapping
from contextlib import closing
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from boids_env._boids import VecEnv
from boids_env.console import progress
from boids_env.env.flocks import Flocks, world_size
from boids_env.errors import UserError
from boids_env.files import whole
from boids_env.learn.policies import Policy, load_policy

if TYPE_CHECKING:
    from PIL.Image import Image

Picture = NDArray[np.uint8]

FPS = {".gif": 15, ".mp4": 30, ".png": 15}  # frames to a second, by what is recorded
LARGEST = 640, 480  # pixels: the default size has the shape of the world and fits into this
STEPS_PER_SECOND = 30  # of the flock, per second of film
SKY = 96  # all frames share 256 colors; so many of them are for the background
QUALITY = 7  # of an mp4, up to 10
HELD = 18  # of 255: a GIF leaves smaller changes out
SAMPLES = 16  # frames from which the colors are chosen


def record(
    out: str | os.PathLike[str],
    *,
    policy: str | os.PathLike[str] = "learned",
    seconds: float = 10,
    fps: int | None = None,
    size: tuple[int, int] | None = None,
    seed: int = 0,
    argmax: bool = False,
    parameters: Mapping[str, Any] | None = None,
) -> None:
    """Films one flock from a random start.

    Args:
        out: a .gif, an .mp4, or a .png for the last frame alone.
        policy: as `boids_env.load_policy` takes it.
        seconds: length of the film; the flock makes 30 steps in each.
        fps: frames per second, 1 to 30; None takes 15 for a .gif or .png and 30 for an .mp4.
        size: width and height in pixels, even for an .mp4. None takes the shape of the world, the largest within 640 x 480.
        seed: of the flock.
        argmax: a learned policy takes the turn with the highest score, instead of drawing one.
        parameters: of the flock, as `shown_parameters` takes them.

    Raises:
        UserError: Pillow or imageio-ffmpeg is not installed; another kind of file; no such policy; numbers out of range.
        OSError: the file cannot be written.
    """
    path = Path(out)
    kind = path.suffix.lower()
    if kind not in FPS:
        raise UserError(f"{out}: expected a name that ends in .gif, .mp4 or .png")
    fps = FPS[kind] if fps is None else fps
    if not (1 <= fps <= STEPS_PER_SECOND and 0 < seconds <= 600 and (size is None or 1 <= min(size) <= max(size) <= 4096)):
        raise UserError("expected --fps 1 to 30, --seconds up to 600 and --size from 1x1 to 4096x4096")
    if kind == ".mp4" and size and (size[0] % 2 or size[1] % 2):
        raise UserError(f"expected even numbers as the --size of an mp4, got {size[0]}x{size[1]}")
    _check_installed(kind)
    loaded = load_policy(policy, argmax=argmax, seed=seed)
    count = max(1, round(seconds * fps))
    shown = shown_parameters(loaded, parameters or {})
    size = size or _shape(shown)
    film = frames(loaded, count, fps, size, seed, shown)
    with whole(path) as partial, closing(film):
        WRITERS[kind](partial, progress(film, count, "recording"), size, fps)


def shown_parameters(policy: Policy, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters of a flock to look at: one that this policy can steer, in one long episode.

    Args:
        policy: steers the flock.
        parameters: asked for by the user. Without a width and a height among them the world is larger for more boids than
            the default, so that each has as much room.
    """
    chosen = {**policy.interface, "horizon": 1_000_000, **parameters}
    if "width" not in chosen and "height" not in chosen:
        chosen |= world_size(chosen.get("num_boids", VecEnv.parameters["num_boids"]["default"]))
    return chosen


def _shape(parameters: Mapping[str, Any]) -> tuple[int, int]:
    """The size of a picture of these flocks without bars: even numbers, at most LARGEST."""
    wide, high = (parameters.get(name, VecEnv.parameters[name]["default"]) for name in ("width", "height"))
    scale = min(LARGEST[0] / wide, LARGEST[1] / high)
    return max(2, 2 * round(wide * scale / 2)), max(2, 2 * round(high * scale / 2))


def _check_installed(kind: str) -> None:
    """Raises: UserError, where the package that writes this kind of file is not installed."""
    package, name, extra = ("imageio_ffmpeg", "imageio-ffmpeg", "mp4") if kind == ".mp4" else ("PIL", "Pillow", "record")
    try:
        import_module(package)
    except ModuleNotFoundError:
        what = f"a{'n' if kind == '.mp4' else ''} {kind[1:]}"
        raise UserError(f"recording {what} needs {name}, which is not installed: pip install 'boids-env[{extra}]'") from None


def frames(
    policy: Policy, count: int, fps: int, size: tuple[int, int], seed: int, parameters: Mapping[str, Any]
) -> Generator[Picture]:
    """The pictures of the film, one for each frame."""
    with Flocks(seed=seed, **parameters) as flocks:
        flocks.reset()
        film = np.zeros((size[1], size[0], 3), np.uint8)  # without the caption; drawn at every step, whatever the fps
        flocks.vec.render(film, layer="film")
        step = 0
        for frame in range(count):
            for _ in range(step, STEPS_PER_SECOND * frame // fps):
                policy.act(flocks)
                flocks.step()
                flocks.vec.render(film, layer="film")
            step = STEPS_PER_SECOND * frame // fps
            picture = film.copy()
            flocks.vec.render(picture, layer="caption")
            yield picture


def _with_one_palette(frames: list[Image]) -> list[Image]:
    """The frames in one palette: the commonest colors, which are the sky's, unchanged, and the best few for all others.

    A palette by the number of pixels alone would have no color for the birds, because they cover so few pixels.
    """
    from PIL import Image

    sample = np.stack([np.asarray(frame) for frame in frames[:: max(1, len(frames) // SAMPLES)]]).astype(np.uint32)
    # a color as one number sorts many times faster than as three
    numbers, pixels = np.unique(sample[..., 0] << 16 | sample[..., 1] << 8 | sample[..., 2], return_counts=True)
    numbers = numbers[np.argsort(-pixels, kind="stable")]
    colors = np.stack([numbers >> 16, numbers >> 8 & 255, numbers & 255], 1).astype(np.uint8)
    sky, birds = colors[:SKY], np.repeat(colors[SKY:], np.sort(pixels)[::-1][SKY:], axis=0)
    entries: list[int] = sky.ravel().tolist()
    if len(birds):  # k-means keeps bright colors bright
        entries += (Image.fromarray(birds[None]).quantize(256 - SKY, kmeans=3).getpalette() or [])[: 3 * (256 - SKY)]
    palette = Image.new("P", (1, 1))
    palette.putpalette(entries)
    return [frame.quantize(palette=palette, dither=Image.Dither.NONE) for frame in frames]


def _held(pictures: Iterable[Picture]) -> Iterator[Picture]:
    """The pictures, in which a pixel that changes little stays as it was, until it rests or has changed more than HELD.

    Trails fade in every frame. Held, they fade in a few steps, and a GIF is a third as large.
    """
    before: Picture | None = None
    for picture in pictures:
        if before is None:
            shown = picture.copy()
        else:
            little = np.abs(picture.astype(np.int16) - shown).max(2) <= HELD
            shown = np.where((little & (picture != before).any(2))[..., None], shown, picture)
        before = picture
        yield shown


def _png(path: Path, pictures: Iterable[Picture], size: tuple[int, int], fps: int) -> None:
    from PIL import Image

    *_others, picture = pictures
    Image.fromarray(picture).save(path, optimize=True)


def _gif(path: Path, pictures: Iterable[Picture], size: tuple[int, int], fps: int) -> None:
    from PIL import Image

    first, *others = _with_one_palette([Image.fromarray(picture) for picture in _held(pictures)])
    # GIF counts in hundredths of a second
    first.save(path, save_all=True, append_images=others, duration=10 * round(100 / fps), loop=0)


def _mp4(path: Path, pictures: Iterable[Picture], size: tuple[int, int], fps: int) -> None:
    import imageio_ffmpeg

    settings = {"fps": fps, "quality": QUALITY, "macro_block_size": 2, "output_params": ["-movflags", "+faststart"]}
    try:
        with closing(imageio_ffmpeg.write_frames(path, size, **settings)) as film:
            film.send(None)
            for picture in pictures:
                film.send(picture)
    except OSError:  # a broken pipe; ffmpeg has written the cause to stderr
        raise UserError("ffmpeg stopped before the end of the film; its message is above") from None


WRITERS = {".gif": _gif, ".mp4": _mp4, ".png": _png}
