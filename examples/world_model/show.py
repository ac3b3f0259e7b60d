"""Tables and the figure of what run.py measures. Needs matplotlib."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np

SEA, INK, DIM = "#0b1f33", "#dbe7f3", "#8fa3b8"
BLUE, ORANGE, VIOLET, GREEN = "#5cc8ff", "#ff9d5c", "#b78bff", "#7be0a3"
T95 = {2: 12.71, 3: 4.30, 4: 3.18, 8: 2.36}  # Student's t, two-sided 95 %, by the number of values


# by what the name of a row begins with; the others are an LSTM
KINDS = {
    "simulator": "simulator", "true": "simulator", "latent": "latent model", "five": "regression, fitted Q",
    "fitted": "regression, fitted Q", "the policy's best": "policy",
}  # fmt: skip


def interval(values: Sequence[float]) -> tuple[float, float]:
    """The mean, and how far its 95 % interval goes to both sides."""
    return float(np.mean(values)), T95[len(values)] * float(np.std(values, ddof=1)) / len(values) ** 0.5


def gain(row: Mapping[str, Any], policy: Mapping[str, Any]) -> tuple[float, float]:
    """Over the policy, flock by flock from the same start."""
    return interval(np.subtract(row["rewards"], policy["rewards"]).tolist())


def _table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [f"| {' | '.join(columns)} |", f"|{'---|' * len(columns)}", *(f"| {' | '.join(row)} |" for row in rows)]
    return "\n".join(["", *lines, "", ""])


def _signed(mean: float, spread: float) -> str:
    return f"{mean:+.3f} ± {spread:.3f}"


def _ladder(rows: Mapping[str, Any], ladder: Mapping[str, Any]) -> str:
    policy, lines = rows["the policy"], []
    for name, row in rows.items():
        _, data, rule, value = ladder.get(name, ("", "", "", None))
        said = {"policy": "the policy's", "random": "30 % random", "own": "half from own flights", "": ""}[data]
        reward = f"{np.mean(row['rewards']):.3f}"
        beyond = "" if row is policy else _signed(*gain(row, policy))
        cells = [name, said, rule, {True: "yes", False: "no", None: ""}[value] if rule else ""]
        explained = [f"{row['explained'][key]:.3f}" if row.get("explained") else "" for key in ("reward", "change")]
        lines.append([*cells, *explained, "" if row is policy else f"{row['correlation']:+.2f}", reward, beyond])
    explained = ("R2 of the next reward", "R2 of its change")
    columns = ("", "data", "rule", "value", *explained, "correlation of advantages", "reward", "over the policy")
    return _table(columns, lines)


def _equal_steps(content: Mapping[str, Any]) -> str:
    lines = []
    for name, runs in content["learners"].items():
        for key in ("rewards", "best turn"):
            if key in runs[0]:
                of_seeds = np.array([run[key] for run in runs]).T
                cells = [f"{mean:.3f} ± {spread:.3f}" for mean, spread in (interval(values.tolist()) for values in of_seeds)]
                lines.append([name + (", best turn" if key == "best turn" else ""), *cells])
    return _table(("real agent-steps", *_thousands(content["budgets"])), lines)


def _differences(content: Mapping[str, Any]) -> str:
    """What was learned without PPO, against PPO with the settings of `boids train` and against the best row of PPO."""
    learners, lines, count = content["learners"], [], range(len(content["budgets"]))
    usual = [np.array([run[key] for run in runs]) for name, runs in learners.items() if name.startswith("PPO")
             for key in ("rewards", "best turn")]  # fmt: skip
    best = np.stack([max(usual, key=lambda of: of[:, k].mean())[:, k] for k in count], 1)
    for name, runs in learners.items():
        if name.startswith("PPO"):
            continue
        for against, theirs in (("PPO", usual[0]), ("the best row of PPO", best)):
            apart = np.array([run["rewards"] for run in runs]) - theirs
            wins = [f"{_signed(*interval(of.tolist()))}, {int((of > 0).sum())} of {len(of)}" for of in apart.T]
            lines.append([f"{name}, over {against}", *wins])
    return _table(("real agent-steps", *_thousands(content["budgets"])), lines)


def _thousands(budgets: Sequence[int]) -> list[str]:
    return [f"{budget / 1e3:g} k" for budget in budgets]


def _helped(content: Mapping[str, Any]) -> str:
    names = list(next(iter(content.values())))
    lines = []
    for name in names:
        cells = []
        for rows in content.values():
            row, policy = rows[name], rows["the policy"]
            cell = f"{np.mean(row['rewards']):.3f}" if row is policy else _signed(*gain(row, policy))
            cells.append(cell + (f" ({row['correlation']:+.2f})" if "correlation" in row else ""))
        lines.append([name, *cells])
    return _table(("real agent-steps of the policy", *(f"{int(steps) / 1e6:g} M" for steps in content)), lines)


def tables(content: Mapping[str, Any], ladder: Mapping[str, Any], page: Path) -> None:
    """Writes the tables into a page: each between a line `<!-- table: NAME -->` and the next line `<!-- end -->`."""
    found = {
        "ladder": _ladder(content["ladder"], ladder),
        "equal steps": _equal_steps(content["equal steps"]),
        "differences": _differences(content["equal steps"]),
        "helped": _helped(content["helped"]),
    }
    text = page.read_text(encoding="utf-8")
    for name, table in found.items():
        before, mark, rest = text.partition(f"<!-- table: {name} -->\n")
        text = before + mark + table + rest[rest.index("<!-- end -->") :]
    page.write_text(text, encoding="utf-8")


def figure(content: Mapping[str, Any], path: Path) -> None:
    """Left: what a planner gains against the correlation of its advantages. Right: rewards at equal real steps."""
    plt.rcParams.update({"font.size": 9, "text.color": INK, "axes.labelcolor": INK, "xtick.color": DIM, "ytick.color": DIM})
    drawn, (left, right) = plt.subplots(1, 2, figsize=(11, 4.6), facecolor=SEA, layout="constrained", width_ratios=(1.2, 1))
    for axes in (left, right):
        axes.set_facecolor(SEA)
        axes.grid(color=DIM, alpha=0.15)
        axes.spines[:].set_visible(False)
    kinds = {"simulator": GREEN, "LSTM": ORANGE, "latent model": VIOLET, "regression, fitted Q": BLUE, "policy": INK}
    left.axhline(0, color=DIM, linewidth=1)
    # a policy that is random has no gain to compare
    boards = [content["ladder"], *(rows for steps, rows in content["helped"].items() if int(steps))]
    for number, rows in enumerate(boards):
        for name, row in rows.items():
            if "correlation" not in row or name == "the policy":
                continue
            kind = next((kind for start, kind in KINDS.items() if name.startswith(start)), "LSTM")
            mean, spread = gain(row, rows["the policy"])
            left.errorbar(row["correlation"], mean, spread, fmt="s" if number else "o", color=kinds[kind], elinewidth=1,
                          markersize=5, markerfacecolor=SEA if number else None)  # fmt: skip
    own = content["ladder"]["the policy's best turn"]["correlation"]
    left.axvline(own, color=DIM, linewidth=1, linestyle=":")
    left.annotate("the policy's\nown scores", (own, -0.9), (5, 0), textcoords="offset points", color=DIM)
    handles = [plt.Line2D([], [], color=colour, marker="o", linestyle="") for colour in kinds.values()]
    hollow = plt.Line2D([], [], color=DIM, marker="s", linestyle="", markerfacecolor=SEA)
    names = [*kinds, "with policies of 0.25 to 1 M"]
    left.legend([*handles, hollow], names, frameon=False, labelcolor=INK, loc="upper left")
    left.set_xlim(-0.6, 1.08)
    left.set_yscale("symlog", linthresh=0.02)
    ticks = (-1, -0.3, -0.1, -0.03, -0.01, 0, 0.01, 0.03)
    left.set_yticks(ticks, labels=[f"{tick:g}" for tick in ticks])
    left.set_ylim(-1.5, 0.07)
    left.set_xlabel("correlation of predicted and true advantages")
    left.set_ylabel("reward over the policy")
    left.set_title("What a planner gains, 95 % intervals", loc="left", color=INK)
    budgets = content["equal steps"]["budgets"]
    colours = (DIM, INK, "#c8d26a", BLUE, VIOLET, ORANGE)
    for number, (name, runs) in enumerate(content["equal steps"]["learners"].items()):
        means, spreads = zip(*(interval([run["rewards"][k] for run in runs]) for k in range(len(budgets))), strict=True)
        right.errorbar(np.array(budgets) * 1.025 ** (number - 2.5), means, spreads, marker="o", markersize=4, label=name,
                       color=colours[number], linestyle="--" if name.startswith("PPO") else "-", elinewidth=1)  # fmt: skip
    shipped = content["equal steps"]["shipped"]
    right.axhline(shipped, color=DIM, linewidth=1, linestyle=":", label="the policy that ships, 8 M")
    right.set_xscale("log")
    right.set_xticks(budgets, labels=_thousands(budgets))
    right.minorticks_off()
    right.set_ylim(0.55, 0.9)
    right.set_xlabel("real agent-steps")
    right.set_ylabel("reward on unseen flocks")
    right.legend(frameon=False, labelcolor=INK, loc="lower right")
    right.set_title("From nothing, four seeds, 95 % intervals", loc="left", color=INK)
    drawn.savefig(path, dpi=120)
    plt.close(drawn)
