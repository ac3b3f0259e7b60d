"""The charts of bench/: drawn from what they read."""

import json
import runpy
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest

import needs
from boids_env.learn.policies import LEARNED
from builds import ROOT

pytestmark = pytest.mark.slow


@pytest.fixture
def plt() -> Any:
    needs.package("matplotlib", "pip install matplotlib")
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot

    yield matplotlib.pyplot
    matplotlib.pyplot.close("all")


def draw(script: str, *arguments: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = ROOT / "bench" / script
    monkeypatch.setattr(sys, "argv", [script, *map(str, arguments)])
    monkeypatch.setattr(sys, "path", [str(path.parent), *sys.path])
    runpy.run_path(str(path), run_name="__main__")


@pytest.mark.slow
def test_a_learning_curve(tmp_path: Path, plt: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    run = tmp_path / "run"
    run.mkdir()
    shutil.copy(LEARNED, run / "policy.npz")
    lines = "".join(f"{1000 * k},{k},{k / 10},{k / 10},{k / 10}\n" for k in range(10))
    (run / "log.csv").write_text("agent_steps,seconds,reward,local_alignment,polarization\n" + lines)
    draw("learning_curve.py", tmp_path / "curve.png", run, monkeypatch=monkeypatch)
    assert (tmp_path / "curve.png").stat().st_size > 1000
    panels = plt.gcf().axes
    assert [panel.get_xlabel() for panel in panels] == 3 * ["agent-steps"]
    for panel in panels:
        names = [line.get_label() for line in panel.lines]
        assert names[:2] == ["Reynolds' rules", "random turns"]
        assert names[3].startswith("seed ")
        assert list(panel.lines[3].get_xdata()) == [1000 * k for k in range(10)]
        reynolds, random = (line.get_ydata()[0] for line in panel.lines[:2])
        assert 0 < random < 0.5 < reynolds < 1


def test_lammps_is_dotted(tmp_path: Path, plt: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    draw("speed_chart.py", ROOT / "docs/speed.json", tmp_path / "speed.png", monkeypatch=monkeypatch)
    rows = json.loads((ROOT / "docs/speed.json").read_text())["sizes"]
    assert any("lammps_lj" in row for row in rows.values())
    styles = [line.get_linestyle() for line in plt.gcf().axes[0].lines if line.get_marker() == "o"]
    assert styles.count(":") == 1
    assert styles.count("-") == len(styles) - 1
