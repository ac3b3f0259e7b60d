"""Steps one peer in a Python of its own, since what the peers depend on does not go together.

    python bench/peers/worker.py PEER ARGUMENTS

ARGUMENTS is a JSON list. Says `ready` when the peer that `make(*ARGUMENTS)` returned can be stepped, or `missing
ERROR`. Then, for each line on stdin with a number of steps, the CPU and wall seconds they took. After the number may
stand a file, where the peer saves what it has learned by then, which is not timed. It keeps to one core, where
threads of the peer's own gain nothing.
"""

import importlib
import json
import os
import sys
import time


def main() -> None:
    peer, arguments = sys.argv[1], json.loads(sys.argv[2])
    # whatever the peer prints goes to stderr
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    try:
        run = importlib.import_module(peer).make(*arguments)
        if not hasattr(run, "save"):  # a step of a learner would count as learning
            run(1)
    except (ImportError, OSError) as error:
        print("missing", " ".join(str(error).split()), file=answers)
        return
    print("ready", file=answers)
    for line in sys.stdin:
        number, _, file = line.strip().partition(" ")
        steps = int(number)
        wall, cpu = time.perf_counter(), time.process_time()
        run(steps)
        cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
        if file:
            run.save(file)
        print(cpu, wall, file=answers)


if __name__ == "__main__":
    main()
