"""The pictures of `render()`: where a boid is, in which colour, and what else there is to see."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest

from boids_env import Flocks, numpy_env

SIZE = 180, 120  # of most pictures here: the shape of the default world
CORAL, GOLD, MINT, BLUE = (248, 162, 166), (198, 192, 78), (82, 222, 166), (132, 192, 254)  # right, up, left, down


@contextmanager
def placed(x: Sequence[float], y: Sequence[float], heading: Sequence[float]) -> Iterator[Flocks]:
    """A flock whose boids are at x, y, in widths and heights of the world, y up, and fly towards heading, in turns."""
    with Flocks(num_boids=len(x)) as flocks:
        flocks.reset(0)
        for name, values, full, kind in (("x", x, 2**32, "u4"), ("y", y, 2**32, "u4"), ("heading", heading, 2**16, "u2")):
            flocks.vec.set(name, (np.array(values) * full).astype(kind))
        yield flocks


def sea(width: int, height: int) -> np.ndarray:
    """The picture without boids: two with one boid each, in different places."""
    with placed([0.25], [0.25], [0]) as one, placed([0.75], [0.75], [0]) as other:
        return np.minimum(one.render(width, height), other.render(width, height))


def birds(picture: np.ndarray) -> np.ndarray:
    """Where it is not sea, (height, width) bool."""
    height, width = picture.shape[:2]
    return (picture.astype(int) - sea(width, height)).sum(2) > 60


@pytest.mark.parametrize(("heading", "colour"), [(0, CORAL), (0.25, GOLD), (0.5, MINT), (0.75, BLUE)])
def test_a_boid_has_the_colour_of_its_heading(heading: float, colour: tuple[int, int, int]) -> None:
    with placed([0.5], [0.5], [heading]) as flocks:
        picture = flocks.render(*SIZE)
    brightest = picture[birds(picture)].astype(int)
    assert np.abs(brightest - colour).sum(1).min() < 8


@pytest.mark.parametrize(("heading", "ahead"), [(0, (1, 0)), (0.25, (0, -1)), (0.5, (-1, 0)), (0.75, (0, 1))])
def test_it_points_where_it_flies(heading: float, ahead: tuple[int, int]) -> None:
    with placed([0.5], [0.5], [heading]) as flocks:
        rows, columns = np.nonzero(birds(flocks.render(*SIZE)))
    along = (columns + 0.5 - SIZE[0] / 2) * ahead[0] + (rows + 0.5 - SIZE[1] / 2) * ahead[1]
    across = (columns + 0.5 - SIZE[0] / 2) * ahead[1] + (rows + 0.5 - SIZE[1] / 2) * ahead[0]
    assert np.ptp(along) > 1.3 * np.ptp(across)
    assert np.ptp(across[along > 0]) < np.ptp(across[along < 0])  # narrower towards the nose


def test_y_is_up_and_x_to_the_right() -> None:
    with placed([0.8], [0.9], [0]) as flocks:
        rows, columns = np.nonzero(birds(flocks.render(*SIZE)))
    assert abs(rows.mean() - 0.1 * SIZE[1]) < 2
    assert abs(columns.mean() - 0.8 * SIZE[0]) < 3


@pytest.mark.parametrize("boids", [1, 4000])  # as a dart, and as dots
@pytest.mark.parametrize(("x", "y"), [(0, 0.5), (0.5, 0), (0, 0), (0.5, 0.5)])
def test_on_a_seam_it_is_on_both_sides_and_in_a_corner_on_four(x: float, y: float, boids: int) -> None:
    with placed([x] * boids, [y] * boids, [0.125] * boids) as flocks:
        seen = birds(flocks.render(*SIZE))
    assert (seen[:, 0].any(), seen[:, -1].any(), seen[0].any(), seen[-1].any()) == (x == 0, x == 0, y == 0, y == 0)
    assert seen[:4, :4].any() == seen[:4, -4:].any() == seen[-4:, :4].any() == seen[-4:, -4:].any() == (x == y == 0)


@pytest.mark.parametrize(("size", "world"), [((200, 120), (10, 190)), ((180, 160), None)])
def test_the_world_keeps_its_shape_in_the_middle(size: tuple[int, int], world: tuple[int, int] | None) -> None:
    with Flocks(num_boids=4000) as flocks:
        flocks.reset(0)
        seen = birds(flocks.render(*size))
    columns, rows = np.nonzero(seen.any(0))[0], np.nonzero(seen.any(1))[0]
    assert (columns[0], columns[-1]) == ((world[0], world[1] - 1) if world else (0, 179))
    assert (rows[0], rows[-1]) == ((0, 119) if world else (20, 139))


def test_beyond_the_world_the_sea_is_darker() -> None:
    picture = sea(200, 120).astype(int)
    assert (picture[:, :10] < picture[:, 10:20]).all()
    assert (picture[:, :10] == picture[:, 190:]).all()
    assert (np.diff(picture[:, 100].sum(1)) <= 0).all()  # and lighter above


@pytest.mark.parametrize(
    "world", [{}, {"width": 1000, "height": 2, "view_radius": 1}, {"width": 2, "height": 900, "view_radius": 1}]
)
@pytest.mark.parametrize("size", [(1, 1), (4096, 1), (1, 4096), (7, 5), (640, 360)])
@pytest.mark.parametrize("boids", [1, 64, 20_000])
def test_any_picture_of_any_world(size: tuple[int, int], world: dict[str, Any], boids: int) -> None:
    if world:
        world = {**world, "separation_radius": 0.5, "collision_radius": 0.1, "speed": 0.1}
    with Flocks(num_boids=boids, **world) as flocks:
        flocks.reset(0)
        picture = flocks.render(*size)
    assert picture.shape == (size[1], size[0], 3)
    assert picture.max() > 64  # somebody is there


@pytest.mark.slow
@pytest.mark.parametrize("boids", [1, 100, 20_000, 200_000])
def test_a_boid_is_seen_in_a_flock_of_any_size(boids: int) -> None:
    with placed([0.5] * boids, [0.5] * boids, [0] * boids) as flocks:
        rows, columns = np.nonzero(flocks.render(1280, 720).max(2) > 128)
    assert 1 <= len(rows) < 1000
    assert abs(rows.mean() - 359.5) < 2
    assert abs(columns.mean() - 639.5) < 5


def film(flocks: Flocks, steps: int, size: tuple[int, int] = (360, 240)) -> np.ndarray:
    """What a film shows after so many steps, without its caption."""
    shown = np.zeros((size[1], size[0], 3), np.uint8)
    flocks.vec.render(shown, layer="film")
    for _ in range(steps):
        flocks.actions[:] = 2
        flocks.step()
        flocks.vec.render(shown, layer="film")
    return shown


def test_a_film_begins_as_a_picture_and_leaves_trails_that_end() -> None:
    with placed([0.25], [0.5], [0]) as flocks:
        assert (film(flocks, 0) == flocks.render(360, 240)).all()
        picture = film(flocks, 30).astype(int)
        plain = flocks.render(360, 240).astype(int)
        trail = (picture - plain).sum(2)
        rows, columns = np.nonzero(trail > 20)
        assert len(rows) > 100
        boid = np.nonzero((plain.sum(2) > 300).any(0))[0]
        head = boid.min()
        assert columns.max() <= boid.max()
        assert columns.min() < head - 15
        along = trail[120, :head]
        assert along[head - 5] > along[head - 12] > along[head - 20] > 0  # it fades
        assert trail.max() < 300  # fainter than a boid
        assert (np.abs(film(flocks, 230) - flocks.render(360, 240).astype(int)).sum(2) > 6).sum() < 2000  # and ends
        assert (picture[:, :80] == plain[:, :80]).all()


def test_a_film_of_very_many_has_no_trails() -> None:
    with Flocks(num_boids=4001) as flocks:
        flocks.reset(0)
        assert (film(flocks, 5) == flocks.render(360, 240)).all()


def test_the_caption() -> None:
    with placed([0.5, 0.5], [0.75, 0.75], [0, 0.5]) as flocks:
        plain = flocks.render(360, 240)
        shown = plain.copy()
        flocks.vec.render(shown, layer="caption")
        rows, columns = np.nonzero((shown != plain).any(2))
        assert rows.min() > 215
        assert columns.min() >= 10
        assert 150 < columns.max() < 240
        for heading in (0, 0.25):  # another polarization, other words
            flocks.vec.set("heading", (np.array([0, heading]) * 2**16).astype("u2"))
            other = plain.copy()
            flocks.vec.render(other, layer="caption")
            assert (other != shown).any()
        small = flocks.render(180, 120)
        before = small.copy()
        flocks.vec.render(small, layer="caption")  # no room
        assert (small == before).all()


@pytest.mark.parametrize(
    ("layer", "error", "message"),
    [
        ("trail", ValueError, "layer: expected one of 'picture', 'film', 'caption', got 'trail'"),
        (3, TypeError, "layer: expected one of 'picture', 'film', 'caption', got 3"),
    ],
)
def test_another_layer(layer: Any, error: type[Exception], message: str) -> None:
    with placed([0.5], [0.5], [0]) as flocks, pytest.raises(error, match=message):
        flocks.vec.render(np.zeros((2, 2, 3), np.uint8), layer=layer)


@pytest.mark.parametrize("layer", ["film", "caption"])
def test_an_environment_without_films(squared: Any, layer: str) -> None:
    env = numpy_env(squared)()
    env.reset(0)
    with pytest.raises(NotImplementedError, match=f"c_{layer}"):
        env.vec.render(np.zeros((8, 8, 3), np.uint8), layer=layer)
    env.close()


def test_the_same_flock_gives_the_same_picture_and_does_not_notice() -> None:
    with Flocks(num_boids=500) as flocks:
        flocks.reset(0)
        for _ in range(20):
            flocks.script()
            flocks.step()
        state = {name: flocks.vec.get(name) for name in flocks.vec.state_fields}
        first = flocks.render(*SIZE)
        assert (first == flocks.render(*SIZE)).all()
        assert state == {name: flocks.vec.get(name) for name in flocks.vec.state_fields}
