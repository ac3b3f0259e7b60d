"""The side of compare.py that has a binding loaded: `python worker.py FOLDER MODULE CLASS RAW WORK`, a process of its own.

WORK is `play` (prints a digest of every step, and the logs), `time` (reads lines `num_envs rounds`, prints CPU
nanoseconds), `mistakes` (prints what comes of each of mistakes.py) or `overrun` (and which environment writes too far).
"""

from __future__ import annotations

import hashlib
import itertools
import json
import sys
import time
from functools import reduce
from pathlib import Path
from typing import Any

import mistakes
import numpy as np
from bindings import load

SIZE = 11


def make(cls: Any, num_envs: int, size: int = SIZE) -> tuple[dict[str, np.ndarray], Any]:
    arrays = mistakes.arrays(num_envs, size)
    return arrays, cls(**arrays, num_envs=num_envs, size=size)


def play(cls: Any, num_envs: int = 7, steps: int = 300) -> None:
    """Two episodes' worth with random actions, twice over after a reset with another seed."""
    arrays, env = make(cls, num_envs)
    rng = np.random.default_rng(0)
    said = []
    for seed in (3, 2**40):
        env.reset(seed)
        digest = hashlib.sha256(arrays["observations"])
        for _ in range(steps):
            arrays["actions"][:] = rng.integers(0, 5, num_envs)
            env.step()
            for array in arrays.values():
                digest.update(array)
        said.append({"digest": digest.hexdigest(), "log": env.log(), "second log": env.log()})
    env.close()
    print(json.dumps(said))


def clock(cls: Any) -> None:
    made: dict[int, Any] = {}
    for line in sys.stdin:
        num_envs, rounds = map(int, line.split())
        if num_envs not in made:
            arrays, env = made[num_envs] = make(cls, num_envs)
            arrays["actions"][:] = np.arange(num_envs) % 5
            env.reset(0)
        step = made[num_envs][1].step
        start = time.process_time_ns()
        for _ in itertools.repeat(None, rounds):
            step()
        print(time.process_time_ns() - start, flush=True)


def overrun(cls: Any, which: int, num_envs: int = 4) -> None:
    arrays, env = make(cls, num_envs)
    env.reset(0)
    arrays["actions"][which] = 1  # up
    env.step()
    print("stepped")


def main() -> None:
    folder, module, cls_name, raw_name, work, *rest = sys.argv[1:]
    loaded = load(Path(folder), module)
    cls, raw = getattr(loaded, cls_name), reduce(getattr, raw_name.split("."), loaded)
    if work == "play":
        play(cls)
    elif work == "time":
        clock(cls)
    elif work == "mistakes":
        print(json.dumps({m.name: mistakes.outcome(m, cls, raw) for m in mistakes.MISTAKES}))
    else:
        overrun(cls, int(rest[0]))


if __name__ == "__main__":
    main()
