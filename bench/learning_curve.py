"""Draws the learning curves of training runs: reward, alignment and polarization against seconds.

    python bench/learning_curve.py curve.png runs/1 runs/2 runs/3

Each run is a folder that `boids train` wrote; its log.csv is read. Needs matplotlib.
"""

from __future__ import annotations

import csv
import sys
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

PANELS = {"reward": "reward", "local_alignment": "local alignment", "polarization": "polarization"}
SEA, INK, LINES = "#0b1f33", "#dbe7f3", ["#5cc8ff", "#ff9d5c", "#b78bff", "#7be0a3", "#ff7ba8"]
WINDOW = 5  # logged rows that a curve is the running mean of


def main() -> None:
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    out, folders = Path(sys.argv[1]), [Path(name) for name in sys.argv[2:]]
    figure, panels = plt.subplots(1, len(PANELS), figsize=(10.5, 3.2), facecolor=SEA, layout="constrained")
    for panel, (field, title) in zip(panels, PANELS.items(), strict=True):
        for folder, colour in zip(folders, LINES, strict=False):
            with (folder / "log.csv").open() as file:
                rows = [row for row in csv.DictReader(file) if row[field]]
            seconds, values = (np.array([float(row[name]) for row in rows]) for name in ("seconds", field))
            mean = np.convolve(np.pad(values, WINDOW // 2, mode="edge"), np.ones(WINDOW) / WINDOW, mode="valid")
            panel.plot(seconds, values, color=colour, alpha=0.2, linewidth=0.8)
            panel.plot(seconds, mean, color=colour, linewidth=1.8, label=folder.name)
        panel.set(title=title, xlabel="seconds", ylim=(0, 1.03), facecolor=SEA)
        panel.title.set_color(INK)
        panel.xaxis.label.set_color(INK)
        panel.tick_params(colors=INK)
        panel.grid(color=INK, alpha=0.12)
        for side in panel.spines.values():
            side.set_visible(False)
    panels[0].legend(facecolor=SEA, edgecolor=SEA, labelcolor=INK, loc="lower right")
    figure.savefig(out, dpi=120)


if __name__ == "__main__":
    main()
