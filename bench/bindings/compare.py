"""Seven ways to make a Python class of examples/squared/squared.h, side by side: what each costs and what each catches.

    pip install 'cython==3.*' pybind11 nanobind cffi        # any of them may be missing: its row then says so
    python bench/bindings/compare.py --markdown

Each binding steps num_envs environments over five NumPy arrays, in place: reset(seed), step(), log(), close(). They are
written as someone who knows the tool would in an evening. Each checks what its tool checks, compares types and shapes
where the tool does not, refuses to step once closed, lets go of the GIL where the tool can, and frees what is dropped;
PufferLib's is as its own environments are.

    lines       that its author writes, neither blank nor comment. squared.h counts for nobody, but for ours those of its
                lines count that would not be there without a binding: see bindings.lines_for_ours
    build       seconds of CPU, and of wall, from nothing, with -O2 and no cache: the median of --builds
    call        nanoseconds of one step() of one environment from Python, in CPU time: the median of --rounds
    each        nanoseconds per environment of one step() of 4096; in the last row the same loop in C without Python
    raises ...  what comes of the mistakes of mistakes.py, how many of each; of each mistake the worst in five processes
    ASan        whether a write one element too far, in c_step, is reported: one into the next environment's share of an
                array; one past the whole array; and whether the report names the line in squared.h
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import os
import platform
import shlex
import statistics
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import bindings as all_of_them
from bindings import FLAGS, HERE, ROOT, Binding

PACKAGES = ("cython", "pybind11", "nanobind", "cffi", "numpy")
SIZES = {1: 100_000, 4096: 200}  # environments, and steps in a round
OUTCOMES = ("raises", "harmless", "silent", "crash")
Row = dict[str, Any]


def worker(binding: Binding, folder: Path, *work: str) -> list[str]:
    return [sys.executable, str(HERE / "worker.py"), str(folder), binding.module, binding.cls, binding.raw, *work]


def asked(binding: Binding, folder: Path, work: str) -> Any:
    """What a worker prints, which is JSON."""
    done = subprocess.run(worker(binding, folder, work), capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{binding.name}, {work}: {done.stderr or done.returncode}")
    return json.loads(done.stdout)


def build_all(chosen: list[Binding], folder: Path, times: int) -> dict[str, list[tuple[float, float]]]:
    """Each so many times, in turn; (wall, CPU) seconds."""
    spent: dict[str, list[tuple[float, float]]] = {binding.name: [] for binding in chosen}
    for _ in range(times):
        for binding in chosen:
            spent[binding.name].append(all_of_them.build(binding, folder / binding.name))
    return spent


class Clock:
    """A worker that steps when it is told to."""

    def __init__(self, binding: Binding, folder: Path) -> None:
        command = worker(binding, folder, "time")
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def __call__(self, num_envs: int, rounds: int) -> float:
        self._process.stdin.write(f"{num_envs} {rounds}\n")
        self._process.stdin.flush()
        return float(self._process.stdout.readline()) / (num_envs * rounds)

    def close(self) -> None:
        self._process.communicate()


def loop_in_c(folder: Path) -> Any:
    """The same without Python: (environments, rounds) -> nanoseconds."""
    folder.mkdir(parents=True, exist_ok=True)
    program = str(folder / "squared_loop")
    include = [f"-I{ROOT / 'examples' / 'squared'}", f"-I{ROOT / 'src'}"]
    source = str(HERE / "squared_loop.c")
    subprocess.run([all_of_them.compiler(), "-std=gnu11", *FLAGS, *include, source, "-o", program, "-lm"], check=True)

    def run(num_envs: int, rounds: int) -> float:
        done = subprocess.run([program, str(num_envs), str(rounds)], capture_output=True, text=True, check=True)
        return float(done.stdout) / (num_envs * rounds)

    return run


def measure(chosen: list[Binding], folder: Path, rounds: int) -> dict[str, dict[str, list[float]]]:
    """Nanoseconds per environment and step in each round, in which everyone has a turn."""
    clocks = {binding.name: Clock(binding, folder / binding.name) for binding in chosen}
    runs = {"C": loop_in_c(folder), **clocks}
    times: dict[str, dict[str, list[float]]] = {name: {str(n): [] for n in SIZES} for name in runs}
    for k in range(rounds + 1):
        for num_envs, steps in SIZES.items():
            for name, run in runs.items():
                spent = run(num_envs, steps)
                if k:  # the first round warms up
                    times[name][str(num_envs)].append(spent)
    for clock in clocks.values():
        clock.close()
    return times


def outcomes(binding: Binding, folder: Path, times: int = 5) -> dict[str, str]:
    """What comes of each mistake, at worst: what freed memory holds is another thing in each process."""
    runs = [asked(binding, folder, "mistakes") for _ in range(times)]
    return {name: max((run[name] for run in runs), key=OUTCOMES.index) for name in runs[0]}


def under_asan(binding: Binding, folder: Path) -> dict[str, bool]:
    """Builds it with the error of planted/squared.h and AddressSanitizer, and makes the error."""
    all_of_them.build(binding, folder, planted=True)
    found = []
    for name in ("libasan.so", "libstdc++.so"):  # the second, as C++ throws and the first wants to know
        command = [all_of_them.compiler(), f"-print-file-name={name}"]
        found.append(subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip())
    environ = {**os.environ, "LD_PRELOAD": " ".join(found), "PYTHONMALLOC": "malloc", "ASAN_OPTIONS": "detect_leaks=0"}
    said = {}
    for what, which in (("share", "0"), ("array", "3")):
        done = subprocess.run(worker(binding, folder, "overrun", which), capture_output=True, text=True, env=environ)
        said[what] = done.stderr if "heap-buffer-overflow" in done.stderr else ""
        if not said[what] and "stepped" not in done.stdout:
            raise RuntimeError(f"{binding.name} under ASan: {done.stderr}")
    first = [line for line in said["array"].splitlines() if line.strip().startswith("#0")]
    return {"share": bool(said["share"]), "array": bool(said["array"]), "line": "squared.h:" in "".join(first[:1])}


def about(command: str) -> dict[str, str]:
    """Where and with what."""
    cpu = platform.processor()
    if Path("/proc/cpuinfo").exists():
        models = [line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")]
        cpu = models[0].partition(":")[2].strip() if models else cpu
    first = subprocess.run([all_of_them.compiler(), "--version"], capture_output=True, text=True).stdout.splitlines()[0]
    versions = {"python": platform.python_version(), "compiler": first}
    for package in PACKAGES:
        try:
            versions[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    return {"command": command, "cpu": cpu, **versions}


def compare(chosen: list[Binding], folder: Path, builds: int, rounds: int) -> tuple[list[Row], dict[str, Any]]:
    """A row for each binding, and one for C alone; and the rounds of the timing."""
    here = [binding for binding in chosen if not all_of_them.missing(binding)]
    spent = build_all(here, folder, builds)
    times = measure(here, folder, rounds)
    medians = {name: {n: statistics.median(r) for n, r in row.items()} for name, row in times.items()}
    rows: list[Row] = []
    for binding in chosen:
        row: Row = {"name": binding.name, "title": binding.title, "lines": all_of_them.lines(binding)}
        rows.append(row)
        if why := all_of_them.missing(binding):
            row["missing"] = f"{why}: {binding.install}"
            continue
        wall, cpu = zip(*spent[binding.name], strict=True)
        row.update(build_wall=statistics.median(wall), build_cpu=statistics.median(cpu))
        row.update(call=medians[binding.name]["1"], each=medians[binding.name]["4096"])
        row["outcomes"] = outcomes(binding, folder / binding.name)
        row["asan"] = under_asan(binding, folder / f"{binding.name}_asan")
    rows.append({"name": "C", "title": "C alone, no Python", "call": medians["C"]["1"], "each": medians["C"]["4096"]})
    return rows, times


def cells(row: Row) -> list[str]:
    """A row of the table as text."""
    if "missing" in row:
        return [row["title"], str(row["lines"]), row["missing"], *[""] * 7]
    speed = [f"{row['call']:.0f}", f"{row['each']:.2f}"]
    if "outcomes" not in row:
        return [row["title"], "", "", *speed, *[""] * 5]
    counts = Counter(row["outcomes"].values())
    yes = {True: "yes", False: "no"}
    mistakes = [str(counts[name]) for name in OUTCOMES]
    asan = f"{yes[row['asan']['share']]} / {yes[row['asan']['array']]} / {yes[row['asan']['line']]}"
    return [row["title"], str(row["lines"]), f"{row['build_cpu']:.2f} ({row['build_wall']:.2f})", *speed, *mistakes, asan]


HEAD = ["binding", "lines", "build, s (wall)", "call, ns", "each, ns", *OUTCOMES, "ASan: share / array / line"]


def table(rows: list[list[str]], markdown: bool) -> str:
    """Columns side by side, the first to the left and the others to the right."""
    if markdown:
        rule = "|---|" + "---:|" * (len(rows[0]) - 1)
        lines = ["| " + " | ".join(row) + " |" for row in rows]
        return "\n".join([lines[0], rule, *lines[1:]])
    widths = [max(len(row[k]) for row in rows if not row[k].startswith("No ")) for k in range(len(rows[0]))]
    return "\n".join(
        "  ".join(
            text.rjust(w) if k else text.ljust(w) for k, (text, w) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    )


def outcomes_table(rows: list[Row]) -> list[list[str]]:
    """Every mistake, and what came of it in each binding."""
    done = [row for row in rows if "outcomes" in row]
    if not done:
        return []
    names = list(done[0]["outcomes"])
    return [["mistake", *(row["title"] for row in done)], *([m, *(row["outcomes"][m] for row in done)] for m in names)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bindings", nargs="+", metavar="NAME", help="some of them alone")
    parser.add_argument("--rounds", type=int, default=25, help="of the timing (25)")
    parser.add_argument("--builds", type=int, default=3, help="of each (3)")
    parser.add_argument(
        "--pufferlib", type=Path, metavar="PATH", help="PufferLib's env_binding.h; that of the installed one"
    )
    default = ROOT / "src" / "env_binding.h"
    parser.add_argument("--env-binding", type=Path, default=default, metavar="PATH", help="ours of that name")
    parser.add_argument("--folder", type=Path, default=ROOT / "build" / "bindings", help="build/bindings")
    parser.add_argument("--markdown", action="store_true", help="print the tables in Markdown")
    parser.add_argument("--json", type=Path, metavar="PATH", help="write everything, every round too")
    options = parser.parse_args()
    drop_in = options.env_binding.resolve() if options.env_binding.exists() else None
    chosen = all_of_them.bindings(options.pufferlib and options.pufferlib.resolve(), drop_in)
    names = [binding.name for binding in chosen]
    if unknown := set(options.bindings or ()) - set(names):
        parser.error(f"no binding named {', '.join(sorted(unknown))}; there are {', '.join(names)}")
    chosen = [binding for binding in chosen if not options.bindings or binding.name in options.bindings]

    settings = ["--rounds", str(options.rounds), "--builds", str(options.builds)]
    settings += ["--bindings", *options.bindings] if options.bindings else []
    said = about(f"python bench/bindings/compare.py {shlex.join(settings)}")
    rows, times = compare(chosen, options.folder.resolve(), options.builds, options.rounds)
    print("\n".join(f"{key}: {value}" for key, value in said.items()), end="\n\n")
    print(table([HEAD, *map(cells, rows)], options.markdown), end="\n\n")
    if each := outcomes_table(rows):
        print(table(each, options.markdown))
    if options.json:
        options.json.write_text(json.dumps({"about": said, "rows": rows, "rounds": times}, indent=1) + "\n")


if __name__ == "__main__":
    main()
