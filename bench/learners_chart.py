"""Draws learning curves of our learner and PufferLib's with equal settings: four environments, three seeds.

    python bench/learners_chart.py docs/learners.json docs/learners.png

The first file is what bench/learners.py writes. Needs matplotlib.
"""

from __future__ import annotations

import json
import statistics
import sys
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.ticker import FuncFormatter
from speed_chart import DIM

from boids_env.show.plot import INK, SEA

LEARNERS = {"pufferl_ppo": ("#ff9d5c", "PufferLib's PuffeRL"), "native_ppo": ("#5cc8ff", "boids-env")}
TITLES = {
    "boids": "boids: reward of a step",
    "squared": "squared: score, at most 1",
    "snake": "snake: length",
    "cartpole": "CartPole: steps before it falls, at most 500",
}


def main() -> None:
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    content = json.loads(Path(sys.argv[1]).read_text())
    about = content["about"]
    figure, panels = plt.subplots(2, 2, figsize=(10.5, 6.6), facecolor=SEA, layout="constrained")
    figure.get_layout_engine().set(w_pad=0.14, h_pad=0.1)
    for panel, (name, title) in zip(panels.flat, TITLES.items(), strict=True):
        for learner, (colour, label) in LEARNERS.items():
            _draw(panel, content["curves"][name][learner], colour, label)
        panel.set_facecolor(SEA)
        panel.set_title(title, color=INK, loc="left", fontsize=11, pad=9)
        panel.set_xlim(left=0)
        panel.set_ylim(bottom=min(0, panel.get_ylim()[0]))
        panel.xaxis.set_major_formatter(FuncFormatter(_steps))
        panel.tick_params(colors=INK, length=0, labelsize=9)
        panel.grid(color=INK, alpha=0.1)
        for side in panel.spines.values():
            side.set_visible(False)
        legend = panel.legend(loc="lower right", frameon=False, fontsize=9.5, reverse=True, handlelength=1.4)
        for text in legend.get_texts():
            text.set_color(INK)
    figure.supxlabel(
        "agent-steps; equal settings, networks and agents; lines: median of three seeds, bands: all; seconds: of one core"
        f"\n{about['cpu']}, {about['instructions'].split()[0]}, commit {about['commit']}",
        color=DIM,
        fontsize=8.5,
    )
    figure.savefig(sys.argv[2], dpi=120)


def _draw(panel: plt.Axes, runs: list[list[list[float]]], colour: str, label: str) -> None:
    """The median of the seeds over the band that they fill, with the processor seconds that a run takes."""
    grid = np.linspace(0, min(run[-1][0] for run in runs), 121)[1:]
    curves = []
    for run in runs:
        steps, _, scores = np.array(run, float).T
        known = ~np.isnan(scores)  # no episode had ended yet
        curves.append(np.interp(grid, steps[known], scores[known], left=np.nan))
    shown = ~np.isnan(curves).any(0)
    grid, curves = grid[shown], [curve[shown] for curve in curves]
    seconds = statistics.median(run[-1][1] for run in runs)
    panel.fill_between(grid, np.min(curves, 0), np.max(curves, 0), color=colour, alpha=0.18, linewidth=0)
    panel.plot(grid, np.median(curves, 0), color=colour, linewidth=2, label=f"{label}: {seconds:.2g} s")


def _steps(steps: float, _: object) -> str:
    return f"{steps / 1e6:g} M" if steps >= 1e6 else f"{steps / 1e3:g} k" if steps else "0"


if __name__ == "__main__":
    main()
