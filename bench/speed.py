"""The whole benchmark: the figures of `boids bench`, each instruction set, flocks of all sizes, and the peers beside them.

    python bench/speed.py --install-peers        # each into an environment of its own under build/peers
    python bench/speed.py                        # measures, prints, writes docs/speed.json and docs/speed.png

Ours and the peers step in turn, A B A B, one core each, and a figure is the median over the rounds of agent-steps per second
of processor time. Ours goes through Python's `step` with fresh actions. Each peer is a file in bench/peers that says what it
does otherwise; it runs in the Python of build/peers/PEER, or in the one that `--python PEER=PATH` names, or in this one.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import shlex
import statistics
import subprocess
import sys
import tempfile
import textwrap
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from types import ModuleType
from typing import Any

from boids_env import bench
from boids_env.console import table

ROOT = Path(__file__).resolve().parent.parent
PEERS = ROOT / "bench" / "peers"
BUILD = ROOT / "build" / "bench"
NAMES = ("pufferlib_boids", "warp_boids", "esquilax_boids", "vmas_flocking", "lammps_lj")
PUFFERLIB = "pufferlib_boids"
SIZES = (8, 16, 64, 256, 1024, 4096, 16384, 65536, 262144, 1_000_000)
SETS = ("x86-64", "x86-64-v2", "x86-64-v3", "x86-64-v4")
# what a step with the observation `rules` cannot do without, per boid: it reads an action, x, y and heading, and writes
# x, y, heading, ten floats, the reward and two flags
BYTES = 4 + 10 + 10 + 40 + 4 + 2
# and 16-bit operations, a 32-bit one counting twice: per pair 2 differences, 2 products and their sum for the distance, 1
# comparison, 5 sums of what is seen (count, x, y, cosine, sine), 1 weight with 2 products and 2 sums for the push, 1 least
# distance; per boid about 130 in floats, for the turn, the move, the heading frame, the reward and the log
PAIR_OPERATIONS, BOID_OPERATIONS = 17, 260


class Peer:
    """A peer in its own Python, that steps when it is told to. Raises ImportError where it is not installed.

    Args:
        name: of the file in bench/peers.
        python: that runs it.
        arguments: of its `make`.
        path: folders where that Python looks for modules first.
    """

    def __init__(self, name: str, python: str, arguments: list[Any], path: Sequence[Path] = ()) -> None:
        folders = [*map(str, path), *filter(None, [os.environ.get("PYTHONPATH")])]
        self._errors = tempfile.TemporaryFile("w+")  # noqa: SIM115  closed by close()
        self._process = subprocess.Popen(
            [python, str(PEERS / "worker.py"), name, json.dumps(arguments)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
            cwd=tempfile.gettempdir(),  # PufferLib leaves a link in the current folder
            env={**os.environ, "PYTHONPATH": os.pathsep.join(folders)},
        )
        answer, _, why = self._process.stdout.readline().strip().partition(" ")
        if answer == "missing":
            self.close()
            raise ImportError(why)
        if answer != "ready":
            raise RuntimeError(f"{name}, {arguments}: {self._last_words()}")

    def __call__(self, steps: int, file: Path | None = None) -> bench.Times:
        """Makes so many steps. file: for what it has learned by then, if it learns."""
        self._process.stdin.write(f"{steps} {file or ''}\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline().split()
        if not answer:
            raise RuntimeError(self._last_words())
        return bench.Times(*map(float, answer))

    def _last_words(self) -> str:
        """Of a peer that has died."""
        self._process.wait()
        self._errors.seek(0)
        said = self._errors.read().strip().splitlines()
        self.close()
        return said[-1] if said else "it ended without a word"

    def close(self) -> None:
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()
        self._errors.close()


def peer_module(name: str) -> ModuleType:
    """What it says of itself; it imports what it needs only when it is made."""
    sys.path.insert(0, str(PEERS))
    try:
        return importlib.import_module(name)
    finally:
        sys.path.remove(str(PEERS))


def install(names: list[str]) -> None:
    """Makes build/peers/PEER for those that pip alone can install."""
    for name in names:
        words = shlex.split(peer_module(name).INSTALL)
        if words[:2] != ["pip", "install"]:
            print(f"{name}: {peer_module(name).INSTALL}")
            continue
        folder = ROOT / "build" / "peers" / name
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
        subprocess.run([str(folder / "bin" / "python"), "-m", "pip", "install", "-q", *words[2:]], check=True)


def python_of(name: str, chosen: dict[str, str]) -> str:
    own = ROOT / "build" / "peers" / name / "bin" / "python"
    return chosen.get(name, str(own) if own.exists() else sys.executable)


def sweep(sizes: list[int], names: list[str], pythons: dict[str, str], rounds: int, seconds: float) -> tuple[Any, Any]:
    """Everyone at every size they do. Returns million agent-steps a second in each round, and why peers are missing."""
    missing: dict[str, str] = {}
    rates: dict[str, dict[str, list[float]]] = {}
    for num_boids in sizes:
        num_envs = max(1, bench.AGENTS // num_boids)
        runs: dict[str, bench.Run] = {
            name: bench.stepping(bench.flock(num_envs, num_boids, observation=name)) for name in bench.OBSERVATIONS
        }
        peers = []
        for name in names:
            least, most = peer_module(name).SIZES
            if name in missing or not least <= num_boids <= most:
                continue
            try:
                world = bench.room(num_boids)
                runs[name] = Peer(name, pythons[name], [num_envs, num_boids, world["width"], world["height"]])
                peers.append(runs[name])
            except (ImportError, RuntimeError) as error:
                missing[name] = str(error)
                print(f"without {peer_module(name).NAME}: {error}", file=sys.stderr)
        times = bench.paired(runs, rounds, seconds)
        for peer in peers:
            peer.close()
        agents = num_envs * num_boids
        rates[str(num_boids)] = {name: [agents / t.cpu / 1e6 for t in of_run] for name, of_run in times.items()}
        medians = "  ".join(f"{name} {statistics.median(r):.3g}" for name, r in rates[str(num_boids)].items())
        print(f"{num_boids:>9,} boids  {medians}", file=sys.stderr, flush=True)
    return rates, missing


def instruction_sets(rounds: int) -> dict[str, dict[str, list[float]]]:
    """Million agent-steps a second of 64 flocks of 64, stepped from C, for each set that this processor knows."""
    try:
        configure = ["cmake", "-S", str(ROOT), "-B", str(BUILD), "-DBOIDS_ENV_PYTHON=OFF", "-DBOIDS_ENV_TESTS=ON"]
        subprocess.run(configure, capture_output=True, check=True)
        targets = [f"steps_{name}" for name in SETS]
        subprocess.run(["cmake", "--build", str(BUILD), "--target", *targets], capture_output=True, check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        print(f"without the instruction sets: {error}", file=sys.stderr)
        return {}
    rates: dict[str, dict[str, list[float]]] = {}
    for _ in range(rounds):
        for name in SETS:
            for observation in bench.OBSERVATIONS:
                program = str(BUILD / "tests" / "c" / f"steps_{name}")
                command = [program, "64", "64", observation, "1000" if observation == "rules" else "200"]
                done = subprocess.run(command, capture_output=True, text=True, check=False)
                if done.returncode == 0:  # else the processor does not know the instructions
                    rates.setdefault(name, {}).setdefault(observation, []).append(1e3 / float(done.stdout.split()[0]))
    return rates


def bounds(sizes: list[int]) -> dict[str, Any]:
    """What this core can do at most, in million agent-steps a second, by size."""
    BUILD.mkdir(parents=True, exist_ok=True)
    program = BUILD / "bounds"
    try:
        flags = ["-O3", "-march=native"]
        subprocess.run(["cc", *flags, str(ROOT / "bench" / "bounds.c"), "-o", str(program)], check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        print(f"without the bounds: {error}", file=sys.stderr)
        return {}
    touched = {n: max(1, bench.AGENTS // n) * n * BYTES for n in sizes}
    amounts = sorted(set(touched.values()))
    done = subprocess.run([str(program), *map(str, amounts)], capture_output=True, text=True, check=True)
    additions, *copied = map(float, done.stdout.split())
    speed = dict(zip(amounts, copied, strict=True))
    arithmetic = [additions / (PAIR_OPERATIONS * pairs(n) + BOID_OPERATIONS) / 1e6 for n in sizes]
    return {
        "additions_per_second": additions,
        "copied_bytes_per_second": speed,
        "bytes_per_agent_step": BYTES,
        "operations_per_pair": PAIR_OPERATIONS,
        "operations_per_boid": BOID_OPERATIONS,
        "arithmetic": dict(zip(map(str, sizes), arithmetic, strict=True)),
        "memory": {str(n): speed[touched[n]] / BYTES / 1e6 for n in sizes},
    }


def pairs(num_boids: int) -> float:
    """Pairs that are formed per boid: with all, or with those in the three by three cells of a view radius around it."""
    world = bench.room(num_boids)
    return min(num_boids, max(1.0, 9 * 100.0**2 * num_boids / (world["width"] * world["height"])))


def show(rates: Any, missing: dict[str, str], names: list[str], sets: Any, limits: Any) -> None:
    """The tables, and what the peers say of themselves."""
    print("\nmillion agent-steps per second, one core, by boids in a flock")
    columns = [n for n in (*bench.OBSERVATIONS, *names) if any(n in row for row in rates.values())]
    titles = [n if n in bench.OBSERVATIONS else peer_module(n).NAME for n in columns]
    kinds = [k for k in ("memory", "arithmetic") if k in limits]
    rows = []
    for size, row in rates.items():
        cells = [f"{statistics.median(row[n]):.3g}" if n in row else "" for n in columns]
        rows.append((f"{int(size):,}", *cells, *(f"{limits[k][size]:.3g}" for k in kinds)))
    table(("boids", *titles, *(f"{k} bound" for k in kinds)), rows)
    for size, row in rates.items():
        if PUFFERLIB in row:
            times = statistics.median(a / b for a, b in zip(row["rules"], row[PUFFERLIB], strict=True))
            print(f"rules over PufferLib's own boids, flocks of {size}: {times:.1f}x")
    for name, row in sets.items():
        speeds = ", ".join(f"{observation} {statistics.median(r):.3g}" for observation, r in row.items())
        print(f"stepped from C, 64 flocks of 64, compiled for {name}: {speeds}")
    for name in names:
        module = peer_module(name)
        why = f"MISSING ({missing[name]}). " if name in missing else ""
        print(f"\n{module.NAME}: {why}{module.INSTALL}")
        print(textwrap.indent(textwrap.fill(" ".join(module.DIFFERS.split()), 116), "  "))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=list(SIZES), help="boids in a flock")
    parser.add_argument("--peers", nargs="*", choices=NAMES, default=list(NAMES), metavar="PEER", help=", ".join(NAMES))
    parser.add_argument("--python", nargs="+", default=[], metavar="PEER=PATH", help="the Python that has a peer")
    parser.add_argument("--rounds", type=int, default=7, help="that each figure is the median of (7)")
    parser.add_argument("--seconds", type=float, default=0.3, help="of a run (0.3)")
    parser.add_argument(
        "--out", type=Path, default=ROOT / "docs" / "speed.json", help="docs/speed.json; the chart beside it"
    )
    parser.add_argument("--install-peers", action="store_true", help="install them, and measure nothing")
    options = parser.parse_args()
    if options.install_peers:
        return install(options.peers)

    chosen = dict(text.split("=", 1) for text in options.python)
    pythons = {name: python_of(name, chosen) for name in options.peers}
    sizes = "" if options.sizes == list(SIZES) else " --sizes " + " ".join(map(str, options.sizes))
    settings = f"--rounds {options.rounds} --seconds {options.seconds}{sizes}"  # where each peer lies is nobody's business
    said = bench.about(f"python bench/speed.py {settings}", ROOT)
    limits = bounds(options.sizes)
    sets = instruction_sets(options.rounds)
    rates, missing = sweep(options.sizes, options.peers, pythons, options.rounds, options.seconds)
    figures = [f for some in bench.works(options.rounds, options.seconds, max(options.sizes)) for f in some]

    print(bench.headline(said))
    bench.show(figures)
    show(rates, missing, options.peers, sets, limits)
    peers = {}
    for name in options.peers:
        module = peer_module(name)
        words = {"name": module.NAME, "install": module.INSTALL, "differs": " ".join(module.DIFFERS.split())}
        peers[name] = {**words, "missing": missing.get(name)}
    works = [asdict(figure) for figure in figures]
    content = {"works": works, "sizes": rates, "instruction_sets": sets, "bounds": limits, "peers": peers}
    options.out.parent.mkdir(parents=True, exist_ok=True)
    bench.write_json(options.out, about=said, **content)
    chart = [sys.executable, str(ROOT / "bench" / "speed_chart.py"), str(options.out), str(options.out.with_suffix(".png"))]
    subprocess.run(chart, check=True)
    return None


if __name__ == "__main__":
    main()
