"""Flocks in other processes, however these are started, and processes that are interrupted or killed."""

import hashlib
import importlib
import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from boids_env import Flocks

METHODS = multiprocessing.get_all_start_methods()
PATIENCE = 60  # seconds, after which something hangs

# Python 3.12 warns that a fork of a process with threads may hang, which is the question
pytestmark = pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")


def fly(flocks: Flocks, steps: int = 20) -> bytes:
    """A digest of all that so many steps show."""
    seen = hashlib.sha256()
    flocks.actions[:] = np.arange(flocks.num_agents) % 5
    for _ in range(steps):
        flocks.step()
        seen.update(flocks.observations)
        seen.update(flocks.rewards)
    return seen.digest()


def life(num_threads: int) -> bytes:
    with Flocks(4, seed=3, num_boids=100, num_threads=num_threads) as flocks:
        flocks.reset(5)
        return fly(flocks)


def tell(pipe: Any, work: Callable[..., bytes], *arguments: Any) -> None:
    pipe.send(work(*arguments))


def in_a_child(method: str, work: Callable[..., bytes], *arguments: Any) -> bytes:
    """What `work` returns in a process of its own. EOFError, if that one dies of it."""
    context: Any = multiprocessing.get_context(method)
    ours, theirs = context.Pipe(duplex=False)
    child = context.Process(target=tell, args=(theirs, work, *arguments))
    child.start()
    theirs.close()
    try:
        assert ours.poll(PATIENCE), "the child hangs"
        return bytes(ours.recv())
    finally:
        child.kill()
        child.join()
        ours.close()


@pytest.mark.parametrize("num_threads", [1, 2])
@pytest.mark.parametrize("method", METHODS)
def test_a_child_makes_the_same_flocks(method: str, num_threads: int) -> None:
    here = life(num_threads)  # and so the parent has had its threads when it forks
    assert in_a_child(method, life, num_threads) == here


@pytest.mark.skipif("fork" not in METHODS, reason="there is no fork here")
@pytest.mark.parametrize("boids", [(4, 100), (1, 1000)])
def test_a_forked_child_goes_on_with_its_parents_flocks(boids: tuple[int, int]) -> None:
    with Flocks(boids[0], num_boids=boids[1], num_threads=2) as flocks:
        flocks.reset(0)
        fly(flocks)
        there = in_a_child("fork", fly, flocks)
        assert there == fly(flocks)


# ---- Ctrl-C -------------------------------------------------------------------------------------------------------------


@pytest.fixture
def _ctrl_c() -> Iterator[None]:
    """Python's own handler of SIGINT, which a shell's background jobs start without."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.skipif(os.name != "posix", reason="only there does kill() interrupt")
@pytest.mark.usefixtures("_ctrl_c")
@pytest.mark.parametrize("num_threads", [1, 2])
def test_ctrl_c_comes_after_the_step_in_progress(num_threads: int) -> None:
    steps = 8

    def start() -> Flocks:
        flocks = Flocks(num_boids=300_000, width=20_000, height=20_000, num_threads=num_threads)
        flocks.reset(0)
        flocks.actions[:] = np.arange(300_000) % 5
        return flocks

    with start() as flocks:
        whole = [flocks.observations.tobytes()]
        began = time.monotonic()
        for _ in range(steps):
            flocks.step()
            whole.append(flocks.observations.tobytes())
        one = (time.monotonic() - began) / steps
    with start() as flocks:
        flocks.step()
        calls, at = 1, 0

        def interrupt() -> None:
            nonlocal at
            at = calls
            os.kill(os.getpid(), signal.SIGINT)

        ctrl_c = threading.Timer(one / 3, interrupt)
        with pytest.raises(KeyboardInterrupt):  # noqa: PT012  # it may come at any of these lines
            ctrl_c.start()
            while calls < steps:
                flocks.step()
                calls += 1
        ctrl_c.join()
        # the step was made, or it was not: nothing between
        done = whole.index(flocks.observations.tobytes())
        assert at <= done <= at + 1
        for _ in range(steps - done):
            flocks.step()
        assert flocks.observations.tobytes() == whole[steps]


# ---- SIGKILL ------------------------------------------------------------------------------------------------------------


@pytest.mark.skipif("fork" not in METHODS, reason="there is no fork here")
def test_a_killed_worker_takes_nothing_with_it() -> None:
    """PufferLib would wait for it for ever; the arrays, the other workers and the next vecenv are as they should be."""
    puffer: Any = importlib.import_module("boids_env.env.boids")  # the first that imports PufferLib, and cleans up after it
    vector: Any = importlib.import_module("pufferlib.vector")
    options = {"env_kwargs": {"num_boids": 2000}, "num_envs": 2}
    actions = np.arange(4000, dtype=np.int32) % 5
    serial = vector.make(puffer.Boids, backend="Serial", **options)
    serial.reset(seed=7)
    shown = [serial.step(actions)[0].reshape(2, 2000, -1).copy() for _ in range(4)]
    serial.close()
    options |= {"backend": "Multiprocessing", "num_workers": 2, "overwork": True}

    vecenv = vector.make(puffer.Boids, **options)
    workers, semaphores = vecenv.processes, vecenv.buf["semaphores"]
    try:
        vecenv.reset(seed=7)
        for _ in range(3):
            vecenv.step(actions)
        vecenv.send(actions)
        workers[0].kill()
        workers[0].join(PATIENCE)
        assert workers[0].exitcode == -signal.SIGKILL
        deadline = time.monotonic() + PATIENCE
        while semaphores[1] < vector.MAIN and time.monotonic() < deadline:
            time.sleep(0.01)
        dead, alive = vecenv.buf["observations"]
        assert (alive == shown[3][1]).all()
        assert np.abs(dead).max() <= 1
        assert np.abs(vecenv.buf["rewards"]).max() <= 1
    finally:
        vecenv.close()
        for worker in workers:
            worker.join(PATIENCE)

    vecenv = vector.make(puffer.Boids, **options)
    try:
        vecenv.reset(seed=7)
        for expected in shown:
            assert (vecenv.step(actions)[0].reshape(expected.shape) == expected).all()
    finally:
        vecenv.close()
