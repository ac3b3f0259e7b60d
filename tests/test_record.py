"""`boids record`: films and pictures. Reynolds flies, unless it says otherwise."""

import importlib
import subprocess
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import boids_env.show.record
import needs
from boids_env import UserError, load_policy
from boids_env.show.record import shown_parameters
from interpreter import OPTIONAL, python

record = partial(boids_env.show.record.record, policy="reynolds")


@pytest.fixture
def ffmpeg() -> Any:
    needs.package("imageio_ffmpeg", "pip install 'boids-env[mp4]'")
    return importlib.import_module("imageio_ffmpeg")


def frames_of(path: Path, size: tuple[int, int], ffmpeg: Any) -> np.ndarray:
    """The frames of an mp4: (frames, height, width, 3)."""
    # not by read_frames, which leaves two pipes open: a warning, and so an error
    command = [ffmpeg.get_ffmpeg_exe(), "-v", "error", "-i", path, "-f", "rawvideo", "-pix_fmt", "rgb24", "-"]
    done = subprocess.run(command, capture_output=True, check=True)
    return np.frombuffer(done.stdout, np.uint8).reshape(-1, size[1], size[0], 3)


def test_a_film(tmp_path: Path) -> None:
    out = tmp_path / "flock.gif"
    record(out, seconds=2, fps=10, size=(320, 200))
    with Image.open(out) as film:
        assert film.size == (320, 200)
        assert film.n_frames == 20
        assert film.info["duration"] == 100
        assert film.info["loop"] == 0
        first = np.asarray(film.convert("RGB")).copy()
        film.seek(19)
        assert (np.asarray(film.convert("RGB")) != first).any()
    assert [path.name for path in tmp_path.iterdir()] == ["flock.gif"]


def test_the_birds_keep_their_colors(tmp_path: Path) -> None:
    for name in ("flock.gif", "flock.png"):
        record(tmp_path / name, seconds=1, size=(320, 200))
    with Image.open(tmp_path / "flock.gif") as film, Image.open(tmp_path / "flock.png") as picture:
        film.seek(14)
        shown, drawn = (np.asarray(image.convert("RGB")).astype(int) for image in (film, picture))
    birds = drawn.max(2) > 150
    assert birds.sum() > 50
    assert np.abs(shown - drawn)[birds].mean() < 8
    sky = drawn.max(2) <= np.median(drawn.max(2), axis=1, keepdims=True)  # neither birds nor trails nor the caption
    assert sky.mean() > 0.5
    assert np.abs(shown - drawn)[sky].mean() < 2


@pytest.mark.slow
def test_ten_seconds_stay_below_three_megabytes(tmp_path: Path) -> None:
    out = tmp_path / "flock.gif"
    record(out, policy="learned")
    assert out.stat().st_size < 3e6
    with Image.open(out) as film:
        assert film.size == (640, 426)
        assert film.n_frames == 150


@pytest.mark.slow
def test_an_mp4(tmp_path: Path, ffmpeg: Any) -> None:
    record(tmp_path / "flock.mp4", seconds=2, size=(322, 200))
    assert ffmpeg.count_frames_and_secs(tmp_path / "flock.mp4") == (60, 2.0)
    frames = frames_of(tmp_path / "flock.mp4", (322, 200), ffmpeg)
    assert len(frames) == 60
    assert [path.name for path in tmp_path.iterdir()] == ["flock.mp4"]
    birds = frames.max(3) > 130
    assert birds.reshape(60, -1).sum(1).min() > 50
    assert all((one != other).any() for one, other in pairwise(birds))
    record(tmp_path / "flock.png", seconds=4, fps=15, size=(322, 200))
    record(tmp_path / "same.png", seconds=2, fps=30, size=(322, 200))
    with Image.open(tmp_path / "same.png") as drawn, Image.open(tmp_path / "flock.png") as later:
        apart = [np.abs(frames[-1].astype(int) - np.asarray(picture)).mean() for picture in (drawn, later)]
    assert 2 * apart[0] < min(apart[1], 6), apart


@pytest.mark.slow
def test_ten_seconds_of_mp4_stay_below_three_megabytes(tmp_path: Path, ffmpeg: Any) -> None:
    record(tmp_path / "flock.mp4")
    assert (tmp_path / "flock.mp4").stat().st_size < 3e6
    assert len(frames_of(tmp_path / "flock.mp4", (640, 426), ffmpeg)) == 300


@pytest.mark.parametrize(
    ("world", "size"),
    [((1080, 720), (640, 426)), ((900, 900), (480, 480)), ((400, 1200), (160, 480)), ((3000, 500), (640, 106))],
)
def test_a_film_has_the_shape_of_its_world(world: tuple[int, int], size: tuple[int, int], tmp_path: Path) -> None:
    parameters = {"width": world[0], "height": world[1], "num_boids": 16}
    record(tmp_path / "flock.png", seconds=1, parameters=parameters)
    with Image.open(tmp_path / "flock.png") as picture:
        assert picture.size == size
        pixels = np.asarray(picture).astype(int)
    for edge in pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]:  # no bar, which is half as light
        assert edge[:, 2].min() >= 26
    record(tmp_path / "wide.png", seconds=1, size=(640, 120), parameters={"width": 600, "height": 600})
    with Image.open(tmp_path / "wide.png") as picture:
        assert picture.size == (640, 120)
        assert np.asarray(picture)[:, :250, 2].max() < 40  # bars on both sides


def test_a_picture_is_the_last_frame(tmp_path: Path) -> None:
    record(tmp_path / "a.png", seconds=1, size=(160, 90))
    record(tmp_path / "b.png", seconds=1, size=(160, 90))
    record(tmp_path / "c.png", seconds=2, size=(160, 90))
    pictures = [np.asarray(Image.open(tmp_path / f"{name}.png")) for name in "abc"]
    assert pictures[0].shape == (90, 160, 3)
    assert (pictures[0] == pictures[1]).all()
    assert (pictures[0] != pictures[2]).any()


@pytest.mark.parametrize("fps", [1, 7, 30])
def test_the_flock_flies_as_fast_at_any_rate(fps: int, tmp_path: Path) -> None:
    # the last frame of n seconds is 30 * (n - 1 / fps) steps in: the first of a film begun then
    record(tmp_path / "a.png", seconds=2, fps=1, size=(160, 90))
    record(tmp_path / "b.png", seconds=1 + 1 / fps, fps=fps, size=(160, 90))
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()


def test_a_film_that_fails_leaves_the_old_one(tmp_path: Path) -> None:
    out = tmp_path / "flock.gif"
    record(out, seconds=0.2, size=(32, 18))
    before = out.read_bytes()
    with pytest.raises(UserError, match="nobody"):
        record(out, policy="nobody")
    assert out.read_bytes() == before


def test_a_flight_that_fails_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("boids_env.Flocks.step", fails)
    for kind in ("gif", "png"):
        with pytest.raises(KeyboardInterrupt):
            record(tmp_path / f"flock.{kind}", seconds=1)
    assert not list(tmp_path.iterdir())


def test_an_mp4_that_fails_leaves_nothing(tmp_path: Path, ffmpeg: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("boids_env.Flocks.step", fails)
    with pytest.raises(KeyboardInterrupt):
        record(tmp_path / "flock.mp4", seconds=1)
    assert not list(tmp_path.iterdir())
    monkeypatch.undo()
    monkeypatch.setattr(ffmpeg, "write_frames", lambda path, *others, **settings: a_broken_pipe())
    with pytest.raises(UserError, match="ffmpeg stopped"):
        record(tmp_path / "flock.mp4", seconds=1)
    assert not list(tmp_path.iterdir())


def a_broken_pipe() -> Any:
    yield
    raise OSError("Broken pipe\n\nFFMPEG COMMAND: ...")


def test_a_larger_flock_has_a_larger_world() -> None:
    reynolds = load_policy("reynolds")
    assert shown_parameters(reynolds, {}) == {"horizon": 1_000_000, "width": 1080, "height": 720}
    assert shown_parameters(reynolds, {"num_boids": 8})["width"] == 1080
    grown = shown_parameters(reynolds, {"num_boids": 64 * 25, "horizon": 400})
    assert grown == {"horizon": 400, "num_boids": 1600, "width": 5 * 1080, "height": 5 * 720}
    for asked in ({"width": 500}, {"height": 500}):
        assert shown_parameters(reynolds, {"num_boids": 1600, **asked}) == {"horizon": 1_000_000, "num_boids": 1600, **asked}


@pytest.mark.parametrize(
    ("kind", "needs", "extra"),
    [("a gif", "Pillow", "record"), ("a png", "Pillow", "record"), ("an mp4", "imageio-ffmpeg", "mp4")],
)
def test_without_what_writes_it(kind: str, needs: str, extra: str, tmp_path: Path) -> None:
    out = f"flock.{kind.split()[1]}"
    done = python(f"from boids_env.cli import main; sys.exit(main(['record', '{out}']))", hidden=OPTIONAL, cwd=tmp_path)
    assert done.returncode == 2
    assert (
        done.stderr == f"boids: recording {kind} needs {needs}, which is not installed: pip install 'boids-env[{extra}]'\n"
    )
    assert not list(tmp_path.iterdir())
