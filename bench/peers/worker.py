"""Steps one peer in a Python of its own, since what the peers depend on does not go together.

    python bench/peers/worker.py PEER NUM_ENVS NUM_BOIDS WIDTH HEIGHT

Says `ready` when the peer can be stepped, or `missing ERROR`. Then, for each line on stdin with a number of steps, the
CPU and wall seconds they took. It keeps to one core, where threads of the peer's own gain nothing.
"""

import importlib
import os
import sys
import time


def main() -> None:
    peer, num_envs, num_boids = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    width, height = float(sys.argv[4]), float(sys.argv[5])
    # whatever the peer prints goes to stderr
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    try:
        run = importlib.import_module(peer).make(num_envs, num_boids, width, height)
        run(1)
    except (ImportError, OSError) as error:
        print("missing", " ".join(str(error).split()), file=answers)
        return
    print("ready", file=answers)
    for line in sys.stdin:
        steps = int(line)
        wall, cpu = time.perf_counter(), time.process_time()
        run(steps)
        cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
        print(cpu, wall, file=answers)


if __name__ == "__main__":
    main()
