"""A flock as text: `boids_env.show.terminal.frame`."""

import re
from itertools import groupby

import numpy as np
import pytest

from boids_env import Flocks, UserError
from boids_env.show.terminal import frame

CODE = re.compile(r"\033\[([\d;]*)m")
SIDE = 2**32
DOTS = 70  # boids that are too many for arrows in 10 x 10 characters


def flock(boids: list[tuple[float, float, float]], repeat: int = 1, **parameters: object) -> Flocks:
    """Boids at x, y (fractions of the side) with a heading (fraction of a turn), each so many times."""
    flocks = Flocks(num_boids=len(boids) * repeat, **{"width": 1000, "height": 2000, **parameters})
    flocks.reset()
    x, y, heading = np.repeat(np.array(boids).T, repeat, 1)
    flocks.vec.set("x", (x * SIDE).astype(np.uint32))
    flocks.vec.set("y", (y * SIDE).astype(np.uint32))
    flocks.vec.set("heading", (heading * 2**16).astype(np.uint16))
    return flocks


def visible(text: str) -> list[str]:
    return CODE.sub("", text).split("\n")


def cells(text: str) -> list[list[tuple[str, tuple[int, ...] | None]]]:
    """The characters of each line, each with its colour."""
    grid = []
    for line in text.split("\n"):
        row, colour = [], None
        for k, piece in enumerate(CODE.split(line)):
            if k % 2 == 0:
                row += [(glyph, colour) for glyph in piece]
            elif piece.startswith("38;2;"):
                colour = tuple(map(int, piece.split(";")[2:]))
        grid.append(row)
    return grid


@pytest.mark.parametrize("size", [(80, 24), (160, 45), (20, 50), (7, 3), (1, 1)])
@pytest.mark.parametrize("boids", [1, 64, 5000])
def test_fills_the_size_it_is_given(size: tuple[int, int], boids: int) -> None:
    with Flocks(num_boids=boids) as flocks:
        flocks.reset()
        text = frame(flocks, 0, *size)
    assert [len(line) for line in visible(text)] == [size[0]] * size[1]
    assert text.endswith("\033[0m")
    assert not re.search("\033(?!\\[[\\d;]*m)", text)


@pytest.mark.parametrize(("k", "arrow"), list(enumerate("→↗↑↖←↙↓↘")))
def test_an_arrow_points_where_its_boid_heads(k: int, arrow: str) -> None:
    for within in (-0.49, 0, 0.49):
        with flock([(0.55, 0.75, (k + within) / 8 % 1)]) as flocks:
            lines = visible(frame(flocks, 0, 10, 10))
        assert [(row, line.index(arrow)) for row, line in enumerate(lines) if line.strip()] == [(2, 5)]  # y points up


def test_the_corners_of_the_world() -> None:
    most = 1 - 1 / SIDE
    with flock([(0, 0, 0), (most, 0, 0), (0, most, 0), (most, most, 0)]) as flocks:
        lines = visible(frame(flocks, 0, 10, 10))
    assert lines == ["→        →", *[" " * 10] * 8, "→        →"]


def test_the_world_keeps_its_shape_and_is_centred() -> None:
    with flock([(0, 0, 0), (0.99, 0.99, 0)], width=2000, height=2000) as flocks:  # 20 x 10 characters
        lines = visible(frame(flocks, 0, 30, 10))
        assert (lines[9].index("→"), lines[0].index("→")) == (5, 24)
        lines = visible(frame(flocks, 0, 20, 14))
        assert [row for row, line in enumerate(lines) if line.strip()] == [2, 11]


@pytest.mark.parametrize("turn", np.arange(16) / 16)
def test_the_colour_is_that_of_the_picture(turn: float) -> None:
    with flock([(0.55, 0.55, turn)], width=100, height=200, view_radius=50, collision_radius=20) as flocks:
        pixels = flocks.render(50, 100).reshape(-1, 3)
        drawn = tuple(pixels[pixels.astype(int).sum(axis=1).argmax()].tolist())  # the wing in the light
        (colour,) = {colour for row in cells(frame(flocks, 0, 10, 10)) for glyph, colour in row if glyph != " "}
    with flock([(0.55, 0.55, turn)], repeat=DOTS) as flocks:
        (dotted,) = {colour for row in cells(frame(flocks, 0, 10, 10)) for glyph, colour in row if glyph != " "}
    assert np.abs(np.subtract(colour, drawn)).max() <= 1
    assert np.abs(np.subtract(dotted, drawn)).max() <= 10  # in shades


def test_boids_that_disagree_are_grey() -> None:
    with flock([(0.55, 0.55, 0), (0.55, 0.55, 0.5)], repeat=DOTS) as flocks:
        (colour,) = {colour for row in cells(frame(flocks, 0, 10, 10)) for glyph, colour in row if glyph != " "}
    assert colour == (165, 192, 166)


@pytest.mark.parametrize("column", range(2))
@pytest.mark.parametrize("row", range(4))
def test_a_dot_is_where_its_boids_are(row: int, column: int) -> None:
    bit = [[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]][row][column]
    with flock([((10 + column + 0.5) / 20, 1 - (12 + row + 0.5) / 40, 0)], repeat=DOTS) as flocks:
        lines = visible(frame(flocks, 0, 10, 10))
    assert lines[3][5] == chr(0x2800 + bit)
    assert "".join(lines).strip() == lines[3][5]


def test_dots_of_one_character_add_up() -> None:
    most = 1 - 1 / SIDE
    boids = [(x, y, 0) for x in (0, 0.0999) for y in (most, 0.901)]  # the corners of the first
    with flock(boids, repeat=DOTS) as flocks:
        assert visible(frame(flocks, 0, 10, 10))[0] == chr(0x2800 + 0x01 + 0x08 + 0x40 + 0x80) + " " * 9


def test_a_run_of_one_colour_takes_one_code() -> None:
    boids = [((k + 0.5) / 10, 0.55, 0 if k < 5 else 0.25) for k in range(10)]
    with flock(boids) as flocks:
        line = frame(flocks, 0, 10, 10).split("\n")[4]
    assert line.count("\033[38;2;") == 2
    with Flocks(num_boids=5000) as flocks:
        flocks.reset()
        text = frame(flocks)
    runs = sum(len(list(groupby(colour for glyph, colour in row if glyph != " "))) for row in cells(text))
    assert text.count("\033[38;2;") == runs


def test_without_colours(monkeypatch: pytest.MonkeyPatch) -> None:
    with Flocks(num_boids=64) as flocks:
        flocks.reset()
        coloured = frame(flocks)
        monkeypatch.setenv("NO_COLOR", "1")
        assert frame(flocks).split("\n") == visible(coloured)
        monkeypatch.setenv("NO_COLOR", "")
        assert frame(flocks) == coloured


def test_a_hundred_thousand() -> None:
    with Flocks(num_boids=100_000, width=40_000, height=20_000) as flocks:  # 160 x 40 characters, 320 x 160 dots
        flocks.reset()
        lines = visible(frame(flocks, 0, 160, 45))
        x, y = (np.frombuffer(flocks.vec.get(name), np.uint32) / SIDE for name in "xy")
    places = len(np.unique((x * 320).astype(int) * 160 + (y * 160).astype(int)))
    assert sum((ord(glyph) - 0x2800).bit_count() for line in lines for glyph in line if glyph != " ") == places
    assert [row for row, line in enumerate(lines) if line.strip()] == list(range(2, 42))


def test_any_flock_of_many_and_none_beyond() -> None:
    with Flocks(num_envs=2, num_boids=10) as flocks:
        flocks.reset()
        assert frame(flocks, 0) != frame(flocks, 1)
        with pytest.raises(ValueError, match="env: expected"):
            frame(flocks, 2)
        with pytest.raises(UserError, match="rows: expected at least 1, got 0"):
            frame(flocks, 0, 80, 0)


def test_only_looks() -> None:
    with Flocks(num_boids=64, seed=1) as flocks:
        flocks.reset()
        before = [flocks.vec.get(name) for name in flocks.vec.state_fields]
        frame(flocks)
        assert [flocks.vec.get(name) for name in flocks.vec.state_fields] == before
