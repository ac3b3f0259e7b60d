"""Memory: what is made, used and dropped leaves nothing behind, as the operating system counts it.

The allocations of the binding are counted one by one in test_binding.py; here it is the pages of the process, which
also hold what NumPy, threads and Python's allocator keep. A tenth as many rounds warm these up first; SLACK is what they
may grow by after that: a leak of 600 bytes a round is more, and one of a single array far more. With BOIDS_FUZZ_SECONDS
set in the environment there are 100,000 rounds, which find a leak of 11 bytes, in some two minutes.
"""

import gc
import importlib
import mmap
import os
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from boids_env import Flocks, VecEnv

STATM = Path("/proc/self/statm")
ROUNDS = 100_000 if os.environ.get("BOIDS_FUZZ_SECONDS") else 2_000
SLACK = 1 << 20  # bytes; one round of a flock below is 60 kB
PAGE = os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 4096

pytestmark = pytest.mark.skipif(not STATM.exists(), reason="there is no /proc/self/statm to read the process's memory from")


def resident() -> int:
    """Bytes of this process in memory, now."""
    gc.collect()
    return int(STATM.read_text().split()[1]) * PAGE


def growth(work: Callable[[], object], rounds: int = ROUNDS) -> int:
    """Bytes by which the process has grown after so many rounds, and a tenth of them before it is looked at."""
    for _ in range(rounds // 10):
        work()
    before = resident()
    for _ in range(rounds):
        work()
    return resident() - before


def life() -> None:
    with Flocks(2, num_boids=256, horizon=2) as flocks:
        flocks.reset()
        flocks.script()
        flocks.step()
        flocks.log()
        flocks.vec.set("x", flocks.vec.get("x"))


def dropped() -> None:
    flocks = Flocks(2, num_boids=256, observation="nearest")
    flocks.reset(1)
    flocks.pixels(8, 8)


def refused() -> None:
    for options in ({"speed": -1}, {"num_boids": 256, "seed": -1}, {"width": 100.0}, {"nothing": 1}, {"num_threads": 0}):
        with suppress(TypeError, ValueError):
            Flocks(2, **options)
    arrays = np.zeros((512, 10), np.float32), np.zeros(512, np.int32), np.zeros(512, np.float32), np.zeros(512, bool)
    with suppress(ValueError):  # all of it is made when the last array turns out to be wrong
        VecEnv(*arrays, np.zeros(511, bool), num_envs=2, num_boids=256)


def misused() -> None:
    flocks = Flocks(2, num_boids=256)
    with suppress(RuntimeError):
        flocks.step()
    flocks.reset()
    for actions in (np.full(512, 9), np.zeros(3, int), np.zeros(512)):
        with suppress(TypeError, ValueError):
            flocks.step(actions)
    with suppress(ValueError):
        flocks.vec.set("x", bytes(3))
    with suppress(ValueError):
        flocks.vec.get("z")


def cycle() -> None:
    class Own(VecEnv):
        pass

    flags = np.zeros(64, bool), np.zeros(64, bool)
    own = Own(np.zeros((64, 10), np.float32), np.zeros(64, np.int32), np.zeros(64, np.float32), *flags)
    own.me = own


@pytest.mark.parametrize("work", [life, dropped, refused, misused])
def test_lives_leave_nothing(work: Callable[[], object]) -> None:
    assert growth(work) < SLACK


def test_cycles_leave_nothing() -> None:
    """A class for each takes Python longest, and without a GIL it lets them pile up higher before it collects."""
    growth(cycle, ROUNDS // 4)  # to the full height of the pile
    assert growth(cycle, ROUNDS // 4) < SLACK


@pytest.mark.slow
def test_large_flocks_do_not_add_up() -> None:
    """Twenty of 200,000 boids, one after another: each leaves the process as large as it was, and peaks as the first."""
    peaks, rests = [], []
    for _ in range(20):
        with Flocks(num_boids=200_000, width=20_000.0, height=20_000.0) as flocks:
            flocks.reset()
            flocks.script()
            flocks.step()
            peaks.append(resident())
        del flocks
        rests.append(resident())
    room = 200_000 * 8  # an eighth of what a flock takes, or less
    warm = 4  # the allocator keeps more of the first few
    assert max(peaks[warm:]) - peaks[warm] < room, peaks
    assert max(rests[warm:]) - rests[warm] < room, rests


# ---- sanitizer/soak.py --------------------------------------------------------------------------------------------------


@pytest.fixture
def soak(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(Path(__file__).parent.parent / "sanitizer"))
    monkeypatch.delitem(sys.modules, "soak", raising=False)
    return importlib.import_module("soak")


def test_the_soak_passes(soak: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    assert soak.soak(1) is None
    heading, *rows = capsys.readouterr().out.splitlines()
    assert heading.split()[-1] == "kB"
    assert len(rows) == 10


def test_the_soak_sees_what_breaks(soak: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    fly, kept = soak.fly, []

    def spoil(flocks: Flocks, random: np.random.Generator, turn: int) -> None:
        fly(flocks, random, turn)
        flocks.observations[5, 3] = np.nan
        flocks.rewards[7] = -1.01

    def leak(flocks: Flocks, random: np.random.Generator, turn: int) -> None:
        fly(flocks, random, turn)
        kept.append(mmap.mmap(-1, 300_000))  # memory that was never another's
        kept[-1].write(bytes(range(250)) * 1_200)

    monkeypatch.setattr(soak, "fly", spoil)
    assert soak.soak(1) == "out of range after turn 0: observations, rewards"
    monkeypatch.setattr(soak, "fly", leak)
    assert "memory grew by 1." in soak.soak(1)


if __name__ == "__main__":
    for work in (life, dropped, refused, misused):
        sys.stdout.write(f"{work.__name__}: {growth(work):,} bytes in {ROUNDS:,} rounds\n")
    sys.stdout.write(f"cycle: {growth(cycle, ROUNDS // 4):,} bytes in {ROUNDS // 4:,} rounds\n")
