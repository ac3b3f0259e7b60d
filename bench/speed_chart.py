"""Draws the speed of flocks of all sizes, ours and the peers', under what the machine could do at most.

    python bench/speed_chart.py docs/speed.json docs/speed.png

The first file is what bench/speed.py writes. Needs matplotlib.
"""

from __future__ import annotations

import json
import statistics
import sys
from pathlib import Path

import matplotlib.pyplot as plt
from matplotlib.ticker import FuncFormatter

from boids_env.show.plot import INK, SEA

DIM = "#8fa3b8"
OURS = {"rules": ("#5cc8ff", "boids-env, rules"), "nearest": ("#7be0a3", "boids-env, 8 nearest")}
THEIRS = {
    "pufferlib_boids": "#ff9d5c",
    "warp_boids": "#b78bff",
    "esquilax_boids": "#ff7ba8",
    "vmas_flocking": "#ffd75c",
    "lammps_lj": "#c9a98a",
}
OTHER_WORK = {"lammps_lj": "LAMMPS: molecules"}  # dotted, because it does other work than a flock
BOUNDS = {"memory": "bound: memory", "arithmetic": "bound: arithmetic"}
AT = "64"  # the flock whose ratio is written out


def main() -> None:
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    content = json.loads(Path(sys.argv[1]).read_text())
    rows, about = content["sizes"], content["about"]
    sizes = [int(size) for size in rows]
    figure, axes = plt.subplots(figsize=(10.5, 5.8), facecolor=SEA, layout="constrained")
    axes.set(xscale="log", yscale="log", facecolor=SEA)

    lines = []  # where they end, name, colour
    for name, (colour, label) in OURS.items():
        lines.append((*_draw(axes, rows, name, colour, 2.8, 6), label, colour))
    for name, colour in THEIRS.items():
        if any(name in row for row in rows.values()):
            label = OTHER_WORK.get(name, content["peers"][name]["name"])
            lines.append((*_draw(axes, rows, name, colour, 1.5, 3.5, ":" if name in OTHER_WORK else "-"), label, colour))
    limits = {name: [content["bounds"][name][str(n)] * 1e6 for n in sizes] for name in BOUNDS if name in content["bounds"]}
    for name, values in limits.items():
        axes.plot(sizes, values, color=DIM, linewidth=1.2, linestyle=(0, (4, 3)))
        lines.append((sizes[-1], values[-1], BOUNDS[name], DIM))
    if limits:
        top = 2 * max(map(max, limits.values()))
        axes.fill_between(
            sizes, [min(v) for v in zip(*limits.values(), strict=True)], top, color=INK, alpha=0.05, linewidth=0
        )
        axes.set_ylim(top=top)
    _ratio(axes, rows)
    _label(axes, lines, sizes[-1])

    axes.set_xlim(sizes[0] * 0.8, sizes[-1] * 22)
    axes.set_xticks([10**k for k in range(1, 7)])
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    axes.yaxis.set_major_formatter(FuncFormatter(_rate))
    axes.set_xlabel("boids in a flock", color=INK, loc="left")
    axes.set_title("agent-steps per second, one core", color=INK, loc="left", fontsize=13, pad=12)
    note = f"{about['cpu']}, {about['instructions'].split()[0]}, commit {about['commit']}"
    axes.set_title(note, color=DIM, loc="right", fontsize=8.5, pad=12)
    axes.tick_params(colors=INK, which="both", length=0)
    axes.minorticks_off()
    axes.grid(color=INK, alpha=0.1)
    for side in axes.spines.values():
        side.set_visible(False)
    figure.savefig(sys.argv[2], dpi=120)


def _ratio(axes: plt.Axes, rows: dict[str, dict[str, list[float]]]) -> None:
    """How many times PufferLib's boids ours are, beside a line between the two."""
    row = rows.get(AT, {})
    if "pufferlib_boids" not in row:
        return
    ours, nearest, theirs = (statistics.median(row[name]) * 1e6 for name in (*OURS, "pufferlib_boids"))
    times = statistics.median(a / b for a, b in zip(row["rules"], row["pufferlib_boids"], strict=True))
    axes.plot([int(AT)] * 2, [theirs, ours], color=INK, linewidth=1, linestyle=(0, (1, 2)), zorder=2)
    middle = (nearest * theirs) ** 0.5  # where no line passes
    axes.annotate(
        f"{times:.0f}x", (int(AT), middle), (7, 0), textcoords="offset points", color=INK, fontsize=12, va="center"
    )


def _draw(
    axes: plt.Axes,
    rows: dict[str, dict[str, list[float]]],
    name: str,
    colour: str,
    width: float,
    size: float,
    style: str = "-",
):
    points = [(int(n), statistics.median(row[name]) * 1e6) for n, row in rows.items() if name in row]
    x, y = zip(*points, strict=True)
    axes.plot(x, y, color=colour, linewidth=width, linestyle=style, marker="o", markersize=size, markeredgewidth=0, zorder=3)
    return x[-1], y[-1]


def _label(axes: plt.Axes, lines: list[tuple[float, float, str, str]], right: float) -> None:
    """Names beside where the lines end; those at the right edge are moved apart."""
    gap = 1.38  # least ratio of two neighbours' heights
    edge = sorted((line for line in lines if line[0] == right), key=lambda line: line[1])
    below = 0.0
    for x, y, text, colour in edge:
        at = max(y, below * gap)
        below = at
        axes.annotate(text, (x, at), (9, 0), textcoords="offset points", color=colour, fontsize=9.5, va="center")
    for x, y, text, colour in lines:
        if x != right:
            axes.annotate(text, (x, y), (9, -3), textcoords="offset points", color=colour, fontsize=9.5, va="center")


def _rate(value: float, _: object) -> str:
    for unit, name in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= unit:
            return f"{value / unit:g} {name}"
    return f"{value:g}"


if __name__ == "__main__":
    main()
