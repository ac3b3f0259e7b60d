"""`boids record`: films and pictures."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from boids_env import UserError
from boids_env.record import record
from interpreter import OPTIONAL, python


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
    assert np.abs(shown - drawn)[~birds].mean() < 2


def test_ten_seconds_stay_below_three_megabytes(tmp_path: Path) -> None:
    out = tmp_path / "flock.gif"
    record(out, policy="random", parameters={"num_boids": 200})
    assert out.stat().st_size < 3e6
    with Image.open(out) as film:
        assert film.size == (640, 360)
        assert film.n_frames == 150


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


def test_without_pillow(tmp_path: Path) -> None:
    done = python("from boids_env.cli import main; sys.exit(main(['record', 'flock.gif']))", hidden=OPTIONAL, cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr == "boids: recording needs Pillow, which is not installed: pip install pillow\n"
