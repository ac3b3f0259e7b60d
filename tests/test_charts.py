"""The charts of bench/: drawn from what they read."""

import json
import runpy
import sys
from pathlib import Path
from typing import Any

import pytest

import needs
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


def test_lammps_is_dotted(tmp_path: Path, plt: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    draw("speed_chart.py", ROOT / "docs/speed.json", tmp_path / "speed.png", monkeypatch=monkeypatch)
    rows = json.loads((ROOT / "docs/speed.json").read_text())["sizes"]
    assert any("lammps_lj" in row for row in rows.values())
    styles = [line.get_linestyle() for line in plt.gcf().axes[0].lines if line.get_marker() == "o"]
    assert styles.count(":") == 1
    assert styles.count("-") == len(styles) - 1
