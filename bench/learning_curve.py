"""Draws the learning curves of training runs: reward, alignment and polarization against agent-steps.

    python bench/learning_curve.py curve.png runs/1 runs/2 runs/3

Each run is a folder that `boids train` wrote; its log.csv is read. Two lines show random turns and Reynolds' rules in the
world of the first run. Needs matplotlib.
"""

from __future__ import annotations

import csv
import sys
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.ticker import FuncFormatter

from boids_env import Flocks, load_policy

PANELS = {"reward": "reward", "local_alignment": "local alignment", "polarization": "polarization"}
SEA, INK, LINES = "#0b1f33", "#dbe7f3", ["#5cc8ff", "#ff9d5c", "#b78bff", "#7be0a3", "#ff7ba8"]
BASELINES = {"reynolds": ("Reynolds' rules", (0, (5, 3))), "random": ("random turns", (0, (1, 2)))}
WINDOW = 5  # logged rows that a curve is the running mean of
FLOCKS = 16  # whose mean a baseline is


def main() -> None:
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    out, folders = Path(sys.argv[1]), [Path(name) for name in sys.argv[2:]]
    if len(folders) > len(LINES):
        sys.exit(f"expected at most {len(LINES)} runs, got {len(folders)}")
    metas = [load_policy(folder / "policy.npz").meta for folder in folders]
    levels = {name: baseline(name, metas[0]["parameters"]) for name in BASELINES}
    figure, panels = plt.subplots(1, len(PANELS), figsize=(10.5, 3.4), facecolor=SEA, layout="constrained")
    for panel, (field, title) in zip(panels, PANELS.items(), strict=True):
        for name, (label, dashes) in BASELINES.items():
            panel.axhline(levels[name][field], color=INK, alpha=0.75, linewidth=1.1, linestyle=dashes, label=label)
        for folder, meta, colour in zip(folders, metas, LINES, strict=False):
            with (folder / "log.csv").open() as file:
                rows = [row for row in csv.DictReader(file) if row[field]]
            steps, values = (np.array([float(row[name]) for row in rows]) for name in ("agent_steps", field))
            mean = np.convolve(np.pad(values, WINDOW // 2, mode="edge"), np.ones(WINDOW) / WINDOW, mode="valid")
            panel.plot(steps, values, color=colour, alpha=0.2, linewidth=0.8)
            panel.plot(steps, mean, color=colour, linewidth=1.8, label=f"seed {meta['seed']}")
        panel.set(title=title, xlabel="agent-steps", ylim=(0, 1.03), facecolor=SEA)
        panel.set_xlim(left=0)
        panel.xaxis.set_major_formatter(FuncFormatter(lambda steps, _: f"{steps / 1e6:g} M" if steps else "0"))
        panel.title.set_color(INK)
        panel.xaxis.label.set_color(INK)
        panel.tick_params(colors=INK, length=0)
        panel.grid(color=INK, alpha=0.12)
        for side in panel.spines.values():
            side.set_visible(False)
    handles, labels = panels[0].get_legend_handles_labels()
    order = [*range(len(BASELINES), len(labels)), *range(len(BASELINES))]
    legend = figure.legend(
        [handles[k] for k in order], [labels[k] for k in order], loc="outside lower center", ncols=len(labels)
    )
    legend.get_frame().set(facecolor=SEA, edgecolor=SEA)
    for text in legend.get_texts():
        text.set_color(INK)
    figure.savefig(out, dpi=120)


def baseline(policy: str, parameters: dict[str, Any]) -> dict[str, float]:
    """The log of a policy in whole episodes of a run's world."""
    loaded = load_policy(policy)
    with Flocks(FLOCKS, **{**parameters, "stagger": False}) as flocks:
        flocks.reset()
        for _ in range(flocks.parameters["horizon"]):
            loaded.act(flocks)
            flocks.step()
        return flocks.log()


if __name__ == "__main__":
    main()
