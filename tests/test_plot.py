"""`boids plot`: learning curves as a picture."""

from pathlib import Path

import numpy as np
import pytest

import needs
from boids_env.cli import main
from boids_env.show.plot import LINES, SEA, plot

needs.package("PIL", "pip install pillow")
from PIL import Image, ImageColor  # noqa: E402  # after the check


def run(folder: Path, *rows: tuple[float, float, float, float]) -> Path:
    """A folder of `boids train` with such a learning curve: agent-steps, reward, local alignment, polarization."""
    folder.mkdir()
    lines = [f"{steps:.0f},{k},{reward},{alignment},{order}" for k, (steps, reward, alignment, order) in enumerate(rows)]
    (folder / "log.csv").write_text("\n".join(["agent_steps,seconds,reward,local_alignment,polarization", *lines, ""]))
    return folder


def picture(path: Path) -> np.ndarray:
    with Image.open(path) as image:
        return np.asarray(image).astype(int)


def heights(pixels: np.ndarray, colour: str, left: int, right: int) -> list[float]:
    """The mean row in which each column from `left` to `right` has a colour; columns without it are left out."""
    near = np.abs(pixels - ImageColor.getrgb(colour)).max(2) < 40
    return [float(np.flatnonzero(column).mean()) for column in near[30:280, left:right].T if column.any()]


def test_curves_rise_with_their_values(tmp_path: Path) -> None:
    rising = run(tmp_path / "a", *((1e5 * k, k / 20, 0.5, float("nan")) for k in range(1, 20)))
    level = run(tmp_path / "b", *((1e5 * k, 0.25, 0.75, 0.5) for k in range(1, 10)))
    plot(tmp_path / "c.png", [rising, level])
    pixels = picture(tmp_path / "c.png")
    assert tuple(pixels[2, 2]) == ImageColor.getrgb(SEA)
    at = heights(pixels, LINES[0], 60, 410)
    assert at[0] > at[len(at) // 2] > at[-1]  # rows are counted from the top
    other = heights(pixels, LINES[1], 60, 410)
    assert np.ptp(other) < 2
    assert len(other) < 0.6 * len(at), "it ends after half of the agent-steps"
    third = pixels.shape[1] * 2 // 3
    assert not heights(pixels, LINES[0], third + 20, pixels.shape[1] - 20), "NaN is left out"
    assert heights(pixels, LINES[1], third + 20, pixels.shape[1] - 20)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("c.jpg a", "c.jpg: expected a name that ends in .png"),
        ("c.png nowhere", "nowhere: expected a folder of boids train, found no learning curve log.csv in it"),
        ("c.png empty", "empty/log.csv: expected a learning curve, got one without rows: the run was too short"),
        ("c.png other", "other: expected a folder of boids train, found no learning curve log.csv in it"),
        ("c.png " + 9 * "a ", "expected 1 to 8 runs, got 9"),
        ("c.png", "the following arguments are required: RUN; see boids plot --help"),
        ("no/c.png a", "no/c.png: No such file or directory"),
    ],
)
def test_mistakes(
    arguments: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    run(tmp_path / "a", (1, 0, 0, 0), (2, 0, 0, 0))
    run(tmp_path / "empty")
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "log.csv").write_text("a,b\n1,2\n")
    assert main(["plot", *arguments.split()]) == 2
    assert capsys.readouterr().err == f"boids: {message}\n"
    assert not list(tmp_path.glob("*.png"))
