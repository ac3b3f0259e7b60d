"""Step flocks for long and check ranges and memory: `python sanitizer/soak.py`, or `--steps 1e10` for longer.

64 flocks of 64 fly by the script and by random actions in turns of 256 steps, and are reset every 64 turns. After each turn
observations, rewards, ends of episodes and the log are checked. Prints a row for each tenth of the steps. Exit status 1 if
one of them was out of its range, or if memory grew by more than 1 MB after the first row; the speed is not checked.
"""

import argparse
import math
import os
import sys
import time
from pathlib import Path

import numpy as np

from boids_env import Flocks

STATM = Path("/proc/self/statm")
FLOCKS, BOIDS = 64, 64
TURN, ANEW = 256, 64  # steps, turns
WINDOWS = 10
SLACK = 1e6  # bytes


def resident() -> int:
    """Bytes of this process in memory."""
    return int(STATM.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def fly(flocks: Flocks, random: np.random.Generator, turn: int) -> None:
    """One turn."""
    if turn % ANEW == 0:
        flocks.reset(turn if turn % (2 * ANEW) else None)
    for _ in range(TURN):
        if turn % 2:
            flocks.actions[:] = random.integers(0, 5, flocks.num_agents, np.int32)
        else:
            flocks.script()
        flocks.step()


def broken(flocks: Flocks) -> list[str]:
    """Names of what is out of its range; a NaN always is."""
    held = {
        "observations": np.abs(flocks.observations).max() <= 1,
        "rewards": np.abs(flocks.rewards).max() <= 1,
        "terminals": flocks.terminals.view(np.uint8).max() == 0,
        "truncations": flocks.truncations.view(np.uint8).max() <= 1,
        "log": all(math.isfinite(value) for value in flocks.log().values()),
    }
    return [name for name, holds in held.items() if not holds]


def soak(steps: int) -> str | None:
    """Flies at least so many agent-steps and prints the table. Returns what went wrong, or None."""
    flocks, random = Flocks(FLOCKS, num_boids=BOIDS, seed=0), np.random.default_rng(0)
    turns = math.ceil(steps / (TURN * flocks.num_agents) / WINDOWS)  # in a window
    first = 0
    print(" agent-steps  seconds  M/s  resident MB  grown kB")
    for window in range(WINDOWS):
        start = time.perf_counter()
        for turn in range(window * turns, (window + 1) * turns):
            fly(flocks, random, turn)
            if names := broken(flocks):
                return f"out of range after turn {turn}: {', '.join(names)}"
        seconds, memory = time.perf_counter() - start, resident()
        first = first or memory
        done = turns * TURN * flocks.num_agents
        speed, grown = done / seconds / 1e6, memory - first
        print(f"{(window + 1) * done:12,} {seconds:8.1f} {speed:4.0f} {memory / 1e6:12.1f} {grown / 1e3:9.0f}", flush=True)
        if grown > SLACK:
            return f"memory grew by {grown / 1e6:.1f} MB after the first row"
    return None


def main() -> None:
    parser = argparse.ArgumentParser(description="Fly 64 flocks for long, and watch memory and ranges.")
    parser.add_argument("--steps", type=float, default=1e9, help="agent-steps in all (default 1e9)")
    steps = parser.parse_args().steps
    if not 1 <= steps < math.inf:
        parser.error(f"--steps: expected at least 1, got {steps:g}")
    if not STATM.exists():
        sys.exit(f"There is no {STATM} to read the process's memory from.")
    failure = soak(int(steps))
    print(f"FAILED: {failure}" if failure else "soak: passed")
    sys.exit(failure is not None)


if __name__ == "__main__":
    main()
