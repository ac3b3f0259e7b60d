"""`boids bench`: how fast flocks step on this machine, from Python, with observations, rewards, logs and new actions.

What is compared runs in turn, A B A B: other work on the machine and its clock rate then affect all alike. A figure is the
median over the rounds. Time is processor time, of all threads of the process; where threads are compared it is wall time.
"""

from __future__ import annotations

import json
import math
import os
import platform
import statistics
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from boids_env._boids import VecEnv
from boids_env.console import progress, table
from boids_env.env.core import Array
from boids_env.env.flocks import Flocks, world_size
from boids_env.files import whole

AGENTS = 4096  # in all small flocks together; fewer are never stepped at once
NEIGHBORS_PER_BOID = 20  # on average, in a large flock
ACTIONS = 16  # arrays of actions, drawn in advance and used in turn
# the instruction sets that the flock is compiled for, by the flags that /proc/cpuinfo lists
LEVELS = {
    "AVX-512 (x86-64-v4)": {"avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"},
    "AVX2 (x86-64-v3)": {"avx2", "bmi1", "bmi2", "fma", "movbe", "f16c"},
    "SSE4 (x86-64-v2)": {"ssse3", "sse4_1", "sse4_2", "popcnt"},
    "NEON": {"asimd"},
}


class Times(NamedTuple):
    """Seconds."""

    cpu: float
    wall: float


Run = Callable[[int], Times]  # makes so many steps


@dataclass(frozen=True)
class Figure:
    """One line of the table: the measurement of each round."""

    work: str
    unit: str
    rounds: list[float]

    @property
    def median(self) -> float:
        return statistics.median(self.rounds)


# ---- What is stepped


def room(num_boids: int) -> dict[str, float]:
    """Width and height of a world in which a boid has at most NEIGHBORS_PER_BOID on average: the default world or larger."""
    radius = VecEnv.parameters["view_radius"]["default"]
    return world_size(num_boids, math.pi * radius**2 / NEIGHBORS_PER_BOID)


def flock(num_envs: int, num_boids: int, num_threads: int = 1, **parameters: Any) -> Flocks:
    """Flocks in a world that is large enough, at their start."""
    flocks = Flocks(num_envs, num_threads=num_threads, num_boids=num_boids, **{**room(num_boids), **parameters})
    flocks.reset(0)
    return flocks


def repeat(call: Callable[[Any], Any], arguments: Sequence[Any]) -> Run:
    """Runs of a call with each of the arguments in turn."""

    def run(steps: int) -> Times:
        wall, cpu = time.perf_counter(), time.process_time()
        for k in range(steps):
            call(arguments[k % len(arguments)])
        return Times(time.process_time() - cpu, time.perf_counter() - wall)

    return run


def stepping(flocks: Flocks) -> Run:
    """Runs of `flocks` with random actions, which are copied in each step."""
    return repeat(flocks.step, turns(flocks))


def turns(flocks: Flocks) -> list[Array]:
    """Some random actions for all."""
    return list(np.random.default_rng(0).integers(0, 5, (ACTIONS, flocks.num_agents), np.int32))


def plant(flocks: Flocks, radius: float) -> None:
    """Puts every flock into a disc of `radius` world units, evenly."""
    rng = np.random.default_rng(0)
    num_boids = flocks.num_agents // flocks.vec.num_envs
    for env in range(flocks.vec.num_envs):
        away, angle = radius * np.sqrt(rng.random(num_boids)), 2 * np.pi * rng.random(num_boids)
        for name, offset, side in (("x", np.cos(angle), "width"), ("y", np.sin(angle), "height")):
            place = (0.5 + away * offset / flocks.parameters[side]) * 2.0**32
            flocks.vec.set(name, place.astype(np.uint32), env)


def neighbors(flocks: Flocks) -> float:
    """Neighbours of a boid of flock 0, on average."""
    x, y = (np.frombuffer(flocks.vec.get(name), np.uint32) for name in ("x", "y"))
    scales = [flocks.parameters[side] / 2.0**32 for side in ("width", "height")]
    radius2, pairs = flocks.parameters["view_radius"] ** 2, 0
    for i in range(len(x)):
        dx, dy = ((axis - axis[i]).view(np.int32) * scale for axis, scale in zip((x, y), scales, strict=True))
        pairs += int((dx * dx + dy * dy < radius2).sum()) - 1
    return pairs / len(x)


# ---- How it is timed


def paired(runs: Mapping[str, Run], rounds: int, seconds: float) -> dict[str, list[Times]]:
    """Makes the runs in turn, each for about `seconds`. Returns the time of one step in each round, by name."""
    steps = {name: _steps(run, seconds) for name, run in runs.items()}
    times: dict[str, list[Times]] = {name: [] for name in runs}
    for _ in range(rounds):
        for name, run in runs.items():
            took = run(steps[name])
            times[name].append(Times(took.cpu / steps[name], took.wall / steps[name]))
    return times


def _steps(run: Run, seconds: float) -> int:
    """The number of steps that take about `seconds`, at least one. It also warms up."""
    run(1)
    steps = 1
    while (took := run(steps).wall) < seconds / 8:
        steps *= 4
    return max(1, round(seconds * steps / took))


def _ratio(above: Sequence[float], below: Sequence[float]) -> list[float]:
    """Of each round."""
    return [a / b for a, b in zip(above, below, strict=True)]


# ---- The measurements


def works(rounds: int = 9, seconds: float = 0.3, largest: int = 1_000_000, num_threads: int = 2) -> Iterator[list[Figure]]:
    """Measures one kind of work after another.

    Args:
        rounds: rounds; a figure is their median.
        seconds: length of a run; a round has two runs or more.
        largest: boids in the large flock.
        num_threads: threads to compare with one thread.
    """
    yield _small(rounds, seconds)
    yield _large(rounds, seconds, largest)
    yield _clump(rounds, seconds, min(AGENTS, largest))
    yield _threads(rounds, seconds, min(100_000, largest), num_threads)
    yield _python(rounds, seconds)


NUM_WORKS = 5
OBSERVATIONS = ("rules", "nearest")


def _small(rounds: int, seconds: float) -> list[Figure]:
    """Millions of agent-steps per second."""
    envs = AGENTS // 64
    times = paired({name: stepping(flock(envs, 64, observation=name)) for name in OBSERVATIONS}, rounds, seconds)
    return [
        Figure(f"{envs} flocks of 64, {name}", "M agent-steps/s", [AGENTS / t.cpu / 1e6 for t in times[name]])
        for name in OBSERVATIONS
    ]


def _large(rounds: int, seconds: float, largest: int) -> list[Figure]:
    """Nanoseconds per agent-step, and their ratio to those of a flock of a hundredth of the size."""
    figures, smaller = [], max(1, largest // 100)
    for name in OBSERVATIONS:
        sizes = {"large": largest, "small": smaller}
        times = paired({key: stepping(flock(1, n, observation=name)) for key, n in sizes.items()}, rounds, seconds)
        cost = {key: [t.cpu / n * 1e9 for t in times[key]] for key, n in sizes.items()}
        figures += [
            Figure(f"one flock of {largest:,}, {name}", "ns per agent-step", cost["large"]),
            Figure(f"  over one of {smaller:,}", "x", _ratio(cost["large"], cost["small"])),
        ]
    return figures


def _clump(rounds: int, seconds: float, num_boids: int) -> list[Figure]:
    """The cost per neighbour where all boids are within four view radii, and its ratio to that of an even spread.

    The boids stand still (speed 0) in one long episode, so that the clump stays one.
    """
    figures, still = [], dict[str, Any](speed=0.0, horizon=1_000_000_000)
    for name in OBSERVATIONS:
        flocks = {key: flock(1, num_boids, observation=name, **still) for key in ("spread", "clump")}
        plant(flocks["clump"], 2 * flocks["clump"].parameters["view_radius"])
        seen = {key: neighbors(f) for key, f in flocks.items()}
        times = paired({key: stepping(f) for key, f in flocks.items()}, rounds, seconds)
        cost = {key: [t.cpu / num_boids / max(1.0, seen[key]) * 1e9 for t in times[key]] for key in flocks}
        figures += [
            Figure(f"a clump of {num_boids:,}, {seen['clump']:.0f} neighbours, {name}", "ns per neighbour", cost["clump"]),
            Figure(f"  over an even spread, {seen['spread']:.0f} neighbours", "x", _ratio(cost["clump"], cost["spread"])),
        ]
    return figures


def _threads(rounds: int, seconds: float, num_boids: int, num_threads: int) -> list[Figure]:
    """The speed-up by more threads."""
    figures = []
    for num_envs, size in ((AGENTS // 64, 64), (AGENTS // 4, 64), (1, num_boids)):
        times = paired({str(n): stepping(flock(num_envs, size, n)) for n in (1, num_threads)}, rounds, seconds)
        one, more = ([t.wall for t in times[str(n)]] for n in (1, num_threads))
        work = f"{num_envs:,} flocks of {size}" if num_envs > 1 else f"one flock of {size:,}"
        figures.append(Figure(f"{num_threads} threads over 1, {work}", "x", _ratio(one, more)))
    return figures


def _python(rounds: int, seconds: float) -> list[Figure]:
    """Microseconds of a step outside the flock's C code.

    Flocks of one boid cost the same each. So a step costs a + b x flocks, and a is the cost of a step without flocks: the
    call, the five results, the lock. A step that copies actions costs a and the copy.
    """
    few, many, copied = flock(1, 1), flock(33, 1), flock(AGENTS // 64, 64)
    runs = {"few": repeat(few.step, [None]), "many": repeat(many.step, [None]), "copy": repeat(copied._take, turns(copied))}
    times = paired(runs, rounds, seconds)
    cost = {key: [t.cpu * 1e6 for t in of_run] for key, of_run in times.items()}
    bare = [a - (b - a) / 32 for a, b in zip(cost["few"], cost["many"], strict=True)]
    return [
        Figure("Python's share of a step that copies nothing", "us", bare),
        Figure(f"  that copies {AGENTS:,} actions", "us", [a + b for a, b in zip(bare, cost["copy"], strict=True)]),
    ]


# ---- The report


def about(command: str, folder: Path | None = None) -> dict[str, Any]:
    """The machine and the versions of a measurement.

    Args:
        command: the command that measures.
        folder: of the sources, to name their commit; None where there are no sources.
    """
    from boids_env import __version__

    cpu, flags = _processor()
    level = next((name for name, needs in LEVELS.items() if needs <= flags), "the compiler's baseline")
    return {
        "cpu": cpu,
        "instructions": level,
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "numpy": np.__version__,
        "version": __version__,
        "commit": _commit(folder),
        "command": command,
        "load": round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None,
    }


def headline(about: Mapping[str, Any]) -> str:
    """The same in two lines."""
    commit = f", commit {about['commit']}" if about["commit"] else ""
    return (
        f"{about['cpu']}, {about['instructions']}, {about['cores']} cores, {about['system']}, load {about['load']} before\n"
        f"boids-env {about['version']}{commit}, Python {about['python']}, NumPy {about['numpy']}: {about['command']}"
    )


def slower_with_threads(figures: Sequence[Figure]) -> list[str]:
    """The works that take longer on several threads than on one."""
    return [figure.work for figure in figures if " threads over 1, " in figure.work and figure.median < 1]


def show(figures: Sequence[Figure]) -> None:
    """The table."""
    rows = [(f.work, *(f"{v:.3g}" for v in (f.median, min(f.rounds), max(f.rounds))), f.unit) for f in figures]
    table(("work", "median", "least", "most", ""), rows)


def run(rounds: int, seconds: float, largest: int, num_threads: int, out: Path | None) -> None:
    """`boids bench`: measures, prints, and writes the JSON file `out`."""
    with ExitStack() as stack:
        partial = stack.enter_context(whole(out)) if out else None
        _run(rounds, seconds, largest, num_threads, partial)


def _run(rounds: int, seconds: float, largest: int, num_threads: int, out: Path | None) -> None:
    command = f"boids bench --rounds {rounds} --seconds {seconds} --largest {largest} --num-threads {num_threads}"
    machine = about(command, Path.cwd() if Path("src/boids.h").exists() else None)
    measured = progress(works(rounds, seconds, largest, num_threads), NUM_WORKS, "measuring")
    figures = [figure for some in measured for figure in some]
    print(headline(machine))
    print(f"medians of {rounds} rounds, processor time, one thread unless the line says more")
    show(figures)
    for work in slower_with_threads(figures):
        print(f"Threads lose here: {work}. num_threads=1 is faster; another program may have the cores.")
    if out:
        write_json(out, about=machine, works=[asdict(figure) for figure in figures])


def write_json(path: str | Path, **content: Any) -> None:
    Path(path).write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


def _processor() -> tuple[str, set[str]]:
    """The processor's name, and its flags where there is a /proc/cpuinfo."""
    info = Path("/proc/cpuinfo")
    fields: dict[str, str] = {}
    for line in info.read_text(encoding="utf-8").splitlines() if info.exists() else []:
        key, _, value = line.partition(":")
        fields.setdefault(key.strip(), value.strip())
    name = fields.get("model name") or platform.processor() or platform.machine()
    return name, set(f"{fields.get('flags', '')} {fields.get('Features', '')}".split())


def _commit(folder: Path | None) -> str | None:
    if folder is None:
        return None
    try:
        command = ["git", "describe", "--always", "--dirty", "--tags"]
        done = subprocess.run(command, capture_output=True, text=True, cwd=folder, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout.strip()
