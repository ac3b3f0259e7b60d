"""Tables and figures of what tools/learning.py measures. Needs matplotlib."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from math import pi
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.collections import LineCollection
from matplotlib.colors import to_rgb
from matplotlib.ticker import FuncFormatter

SEA, INK, DIM = "#0b1f33", "#dbe7f3", "#8fa3b8"
BLUE, ORANGE, VIOLET, GREEN = "#5cc8ff", "#ff9d5c", "#b78bff", "#7be0a3"
COLUMNS = ("reward", "polarization", "local_alignment", "largest_group", "collisions")
MEASURES = {"reward": "reward", "polarization": "polarization", "largest_group": "largest group"}
PERCOLATION = 4.51  # mean neighbours from which boids at random places are connected all over the plane (Gilbert 1961)


def tables(content: Mapping[str, Any], page: Path) -> None:
    """Writes the tables into a page."""
    found = {"baselines": _table(content["baselines"]["100"])}
    for name, runs in content["seeds"].items():
        rows = {f"seed {k}": run for k, run in enumerate(runs, 1)}
        found[name] = _table(rows | {"worst": _worst(runs), "mean": _mean(runs)}, (*COLUMNS, "seconds"))
    rows = {}
    for group, cases in content["ablations"].items():
        for name, runs in cases.items():
            worst = _worst(runs)
            rows[f"{group}: {name}" if group else name] = _mean(runs) | {
                "worst reward": worst["reward"], "worst largest group": worst["largest_group"]
            }  # fmt: skip
    columns = ("reward", "worst reward", "polarization", "largest_group", "worst largest group", "seconds")
    found["ablations"] = _table(rows, columns)
    rows = {f"{name}, seed {k}": run for name, runs in content["phases"].items() for k, run in enumerate(runs, 1)}
    columns = ("polarization", "milling", "left", "largest_group", "reward", "collisions", "seconds")
    found["phases"] = _table(rows, columns)
    for density, sizes in content["sizes"].items():
        found[f"sizes at density {density}"] = _table(sizes)
    for name, views in content["views"].items():
        found[f"views {name}"] = _table(views)
    found["other worlds"] = _table(content["changes"])
    write_tables(found, page)


def write_tables(found: Mapping[str, str], page: Path) -> None:
    """Writes tables into a page: each between a line `<!-- table: NAME -->` and the next line `<!-- end -->`."""
    text = page.read_text(encoding="utf-8")
    for name in re.findall(r"<!-- table: (.*?) -->", text):
        pattern = rf"(<!-- table: {re.escape(name)} -->\n).*?(<!-- end -->)"
        text = re.sub(pattern, lambda at, name=name: at[1] + found[name] + at[2], text, count=1, flags=re.DOTALL)
    page.write_text(text, encoding="utf-8")


def _table(rows: Mapping[str, Mapping[str, float]], columns: tuple[str, ...] = COLUMNS) -> str:
    lines = ["", f"| | {' | '.join(name.replace('_', ' ') for name in columns)} |", f"|---|{'---|' * len(columns)}"]
    for name, row in rows.items():
        cells = (f"{row[key]:.{ {'collisions': 4, 'seconds': 1}.get(key, 3) }f}" for key in columns)
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join([*lines, "", ""])


def _mean(runs: Sequence[Mapping[str, float]]) -> dict[str, float]:
    return {name: float(np.mean([run[name] for run in runs])) for name in (*COLUMNS, "seconds")}


def _worst(runs: Sequence[Mapping[str, float]]) -> dict[str, float]:
    lost = ("collisions", "seconds")
    return {name: (max if name in lost else min)(run[name] for run in runs) for name in (*COLUMNS, "seconds")}


def figures(content: Mapping[str, Any], flights: Mapping[str, Any], folder: Path) -> None:
    """Writes learning-*.png into a folder. flights: (steps, 2, boids) positions by phase, in units of the world's sides."""
    _curves(content).savefig(folder / "learning-curves.png", dpi=120)
    _ablations(content).savefig(folder / "learning-ablations.png", dpi=120)
    _sizes(content["sizes"]).savefig(folder / "learning-sizes.png", dpi=120)
    _views(content["views"]).savefig(folder / "learning-views.png", dpi=120)
    _phases(content["phases"], flights).savefig(folder / "learning-phases.png", dpi=120)


def _figure(columns: int, width: float, height: float, **options: Any) -> tuple[plt.Figure, Sequence[plt.Axes]]:
    figure, axes = plt.subplots(1, columns, figsize=(width, height), facecolor=SEA, layout="constrained", **options)
    axes = np.atleast_1d(axes)
    for panel in axes:
        panel.set_facecolor(SEA)
        panel.tick_params(colors=INK, which="both", length=0)
        panel.grid(color=INK, alpha=0.1)
        for side in panel.spines.values():
            side.set_visible(False)
    return figure, axes


def _plain(value: float, _: object) -> str:
    return f"{value:,g}"


def _title(panel: plt.Axes, title: str, below: str = "") -> None:
    panel.set_title(title, color=INK, loc="left", fontsize=12, pad=10)
    panel.set_xlabel(below, color=INK, loc="left")


def _curves(content: Mapping[str, Any]) -> plt.Figure:
    """Two kinds of training against seconds, a line for each seed."""
    figure, panels = _figure(3, 11, 4)
    reynolds = content["baselines"]["100"]["reynolds"]
    cases = [(name, runs) for name, runs in content["seeds"].items() if "curve" in runs[0]]
    for panel, (name, title) in zip(panels, MEASURES.items(), strict=True):
        for (_, runs), colour in zip(cases, (BLUE, ORANGE), strict=True):
            for run in runs:
                seconds, values = zip(*((point["seconds"], point[name]) for point in run["curve"]), strict=True)
                panel.plot(seconds, values, color=colour, linewidth=1.2, alpha=0.75)
                panel.plot(seconds[-1], values[-1], "o", color=colour, markersize=4, markeredgewidth=0, zorder=3)
        panel.axhline(reynolds[name], color=INK, linewidth=1.1, linestyle=(0, (5, 3)))
        panel.set(xscale="log", xlim=(0.01, 12), ylim=(0, 1.02), yticks=[0.2, 0.4, 0.6, 0.8, 1])
        panel.xaxis.set_major_formatter(FuncFormatter(_plain))
        _title(panel, title, "seconds of one core")
    for at, (text, colour) in enumerate([*zip((name for name, _ in cases), (BLUE, ORANGE), strict=True)]):
        panels[0].text(0.96, 0.06 + 0.09 * at, text, color=colour, ha="right", transform=panels[0].transAxes)
    panels[0].text(0.011, reynolds["reward"] + 0.015, "Reynolds' rules", color=INK, fontsize=9)
    return figure


def _ablations(content: Mapping[str, Any]) -> plt.Figure:
    """A row for each variant, a dot for each seed."""
    rows = [(group, name, runs) for group, cases in content["ablations"].items() for name, runs in cases.items()]
    figure, panels = _figure(2, 11, 0.27 * len(rows) + 1, sharey=True)
    for panel, (name, least) in zip(panels, {"reward": 0.7, "largest_group": 0.5}.items(), strict=True):
        usual = float(np.mean([run[name] for run in rows[0][2]]))
        most = max(run[name] for *_, runs in rows for run in runs)
        panel.axvline(usual, color=BLUE, linewidth=1, alpha=0.5)
        panel.axvline(content["baselines"]["100"]["reynolds"][name], color=INK, linewidth=1.1, linestyle=(0, (5, 3)))
        panel.set_xlim(least - 0.02, most + 0.01)
        for at, (group, _, runs) in enumerate(rows):
            values = [run[name] for run in runs]
            panel.plot(np.maximum(values, least), [at] * len(values), "o", color=ORANGE if group else BLUE, markersize=5,
                       markeredgewidth=0, alpha=0.85, zorder=3)  # fmt: skip
            if min(values) < least:
                panel.annotate(f"◂ {min(values):.2f}", (least, at), (7, 0), textcoords="offset points", color=ORANGE,
                               fontsize=8.5, va="center")  # fmt: skip
            if at and group != rows[at - 1][0]:
                panel.axhline(at - 0.5, color=INK, linewidth=0.8, alpha=0.3)
        _title(panel, MEASURES[name])
        panel.grid(visible=False, axis="y")
    panels[0].set_yticks(range(len(rows)), [name for _, name, _ in rows])
    panels[0].set_ylim(len(rows) - 0.5, -0.7)
    reynolds = content["baselines"]["100"]["reynolds"]["reward"]
    panels[0].text(reynolds - 0.003, 0, "Reynolds' rules", color=INK, fontsize=9, ha="right", va="center")
    return figure


def _sizes(sizes: Mapping[str, Mapping[str, Mapping[str, float]]]) -> plt.Figure:
    """Order against the number of boids, for each density."""
    figure, panels = _figure(2, 10.5, 4.4, sharey=True)
    names = {"0.5": "half the density", "1.0": "the default world's density", "2.0": "twice the density"}
    for panel, name in zip(panels, ("polarization", "largest_group"), strict=True):
        for (density, row), colour in zip(sizes.items(), (VIOLET, BLUE, GREEN), strict=True):
            boids = [int(n) for n in row]
            values, near = ([run[key] for run in row.values()] for key in (name, "local_alignment"))
            panel.plot(boids, values, "o-", color=colour, linewidth=2.2, markersize=5, label=names[density])
            if name == "polarization":
                panel.plot(boids, near, color=colour, linewidth=1.6, linestyle=(0, (2, 2)))
        panel.set(xscale="log", ylim=(0, 1.09), yticks=[0, 0.2, 0.4, 0.6, 0.8, 1])
        panel.xaxis.set_major_formatter(FuncFormatter(_plain))
        _title(panel, MEASURES[name], "boids in a flock")
    panels[0].text(1e5, 1.02, "alignment with the neighbours", color=INK, fontsize=9, ha="right", va="bottom")
    panels[1].legend(frameon=False, labelcolor="linecolor", loc="upper right", bbox_to_anchor=(1, 0.95))
    return figure


def _views(views: Mapping[str, Mapping[str, Mapping[str, float]]]) -> plt.Figure:
    """Order against how far boids see, for a policy that learned at 100, and for those that learned there."""
    figure, panels = _figure(3, 11, 4)
    for panel, (name, title) in zip(panels, MEASURES.items(), strict=True):
        for (label, row), colour in zip(views.items(), (BLUE, ORANGE), strict=True):
            neighbours = [63 * pi * float(view) ** 2 / (1080 * 720) for view in row]
            panel.plot(neighbours, [run[name] for run in row.values()], "o-", color=colour, linewidth=2, markersize=5,
                       markeredgewidth=0, label=label)  # fmt: skip
        panel.axvline(PERCOLATION, color=INK, linewidth=1.1, linestyle=(0, (5, 3)))
        panel.set(xscale="log", ylim=(0, 1.03))
        panel.set_xticks([0.3, 1, 3, 10])
        panel.xaxis.set_major_formatter(FuncFormatter(_plain))
        panel.minorticks_off()
        _title(panel, title, "neighbours at random places")
    panels[1].legend(frameon=False, labelcolor="linecolor", loc="lower left", bbox_to_anchor=(0, 0.1))
    panels[0].text(PERCOLATION * 0.93, 1.01, "percolation", color=INK, fontsize=9, ha="right", va="top")
    return figure


def _phases(runs: Mapping[str, Sequence[Mapping[str, float]]], flights: Mapping[str, Any]) -> plt.Figure:
    """The last steps of a flight in each phase, brighter the later."""
    figure, panels = _figure(3, 11, 3.7)
    for panel, (name, frames), colour in zip(panels, flights.items(), (BLUE, ORANGE, VIOLET), strict=True):
        places = np.array(frames)
        places = (places - _centre(places[-1])[:, None] + 0.5) % 1
        parts = np.stack([places[:-1], places[1:]], 1).transpose(0, 3, 1, 2)  # (steps - 1, boids, 2 ends, 2)
        inside = (
            np.abs(parts[:, :, 0] - parts[:, :, 1]).max(-1) < 0.5
        )  # those that leave the world come back on the other side
        for k, (lines, keep) in enumerate(zip(parts, inside, strict=True)):
            alpha = ((k + 1) / len(parts)) ** 2
            panel.add_collection(
                LineCollection(lines[keep], colors=[(*to_rgb(colour), alpha)], linewidths=0.5 + 1.5 * alpha)
            )
        panel.plot(*places[-1], "o", color=INK, markersize=4.5, markeredgewidth=0, zorder=3)
        panel.set(xlim=(0.3, 0.7), ylim=(0.34, 0.66), xticks=[], yticks=[], aspect="equal")
        means = {key: float(np.mean([run[key] for run in runs[name]])) for key in ("polarization", "milling")}
        _title(panel, name, "  ".join(f"{key} {value:.2f}" for key, value in means.items()))
    return figure


def _centre(places: np.ndarray) -> np.ndarray:
    """(2,) the middle of a flock on the torus."""
    turns = np.exp(2j * pi * places).mean(1)
    return np.asarray(np.angle(turns) / (2 * pi) % 1)
