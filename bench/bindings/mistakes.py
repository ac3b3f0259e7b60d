"""The mistakes that are tried with every binding, and the outcome of each.

An outcome is one of
    raises    an exception, at once or at the next call
    harmless  accepted, and right: the call makes sense after all, and did what was asked for
    silent    accepted, and wrong: meaningless results, memory outside the arrays, a leak, or undefined behaviour in C
              without a visible effect here. An error that only ASan shows counts as silent too
    crash     a signal ended the interpreter, or it hangs
"""

from __future__ import annotations

import copy
import gc
import os
import resource
import signal
import sys
import threading
import weakref
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

sys.path.append(str(Path(__file__).resolve().parents[2] / "tests"))
from spoilt import SPOILT, read_only, unaligned

NUM_ENVS, SIZE = 4, 5
HARMLESS, SILENT, RAISES, BROKEN = 10, 11, 12, 13  # exit statuses of the child
NAMES = {HARMLESS: "harmless", SILENT: "silent", RAISES: "raises"}
SECONDS = 30


@dataclass(frozen=True)
class Mistake:
    name: str
    make: Callable[[Any, Any], bool | None]  # (class, raw step): makes it; whether it came to no harm


MISTAKES: list[Mistake] = []


def arrays(num_envs: int = NUM_ENVS, size: int = SIZE) -> dict[str, np.ndarray]:
    """What every binding takes. Flags are uint8, as not everyone takes bool."""
    return {
        "observations": np.zeros((num_envs, size * size), np.uint8),
        "actions": np.zeros(num_envs, np.int32),
        "rewards": np.zeros(num_envs, np.float32),
        "terminals": np.zeros(num_envs, np.uint8),
        "truncations": np.zeros(num_envs, np.uint8),
    }


def use(env: Any, seed: Any = 0, steps: int = 40) -> None:
    """What a program does with an environment that it believes to be all right."""
    env.reset(seed)
    for _ in range(steps):
        env.step()
    env.log()
    env.close()
    gc.collect()


def mistake(name: str) -> Callable[[Callable[[Any, Any], bool | None]], None]:
    return lambda make: MISTAKES.append(Mistake(name, make))


def with_array(name: str, array: str, change: Callable[[np.ndarray], Any]) -> None:
    def make(cls: Any, _: Any) -> None:
        given = arrays()
        given[array] = change(given[array])
        use(cls(**given, num_envs=NUM_ENVS, size=SIZE))

    mistake(name)(make)


def with_keywords(name: str, **changes: Any) -> None:
    def make(cls: Any, _: Any) -> None:
        given = arrays()
        use(cls(**given, **{"num_envs": NUM_ENVS, "size": SIZE, **changes}))

    mistake(name)(make)


def good(cls: Any) -> tuple[dict[str, np.ndarray], Any]:
    given = arrays()
    return given, cls(**given, num_envs=NUM_ENVS, size=SIZE)


with_array("observations of float32", "observations", SPOILT["float32"].spoil)
with_array("actions of int64", "actions", SPOILT["int64"].spoil)
with_array("actions of float32", "actions", SPOILT["float32"].spoil)
with_array("rewards of float64", "rewards", SPOILT["float64"].spoil)
with_array("terminals of float32", "terminals", SPOILT["float32"].spoil)
with_array("actions in the other byte order", "actions", lambda a: a.astype(">i4"))
with_array("observations with a row too few", "observations", SPOILT["short"].spoil)
with_array("observations with rows too short", "observations", lambda a: a[:, :-1].copy())
with_array("observations transposed", "observations", lambda a: np.zeros(a.shape[::-1], a.dtype))
with_array("observations in Fortran order", "observations", np.asfortranarray)
with_array("actions too short", "actions", SPOILT["short"].spoil)
with_array("rewards too short", "rewards", SPOILT["half"].spoil)
with_array("truncations too short", "truncations", SPOILT["half"].spoil)
with_array("rewards with gaps", "rewards", SPOILT["gaps"].spoil)
with_array("rewards at an odd address", "rewards", unaligned)
with_array("observations read-only", "observations", read_only)
with_array("a list for an array", "rewards", SPOILT["list"].spoil)
with_array("None for an array", "actions", SPOILT["None"].spoil)
with_keywords("num_envs 0", num_envs=0)
with_keywords("num_envs -1", num_envs=-1)
with_keywords("num_envs 1,000,000 for arrays of 4", num_envs=1_000_000)
with_keywords("num_envs '4'", num_envs="4")
with_keywords("an unknown keyword", sise=5)
with_keywords("size '5'", size="5")
with_keywords("size 5.9", size=5.9)
with_keywords("size 2**32 + 5", size=2**32 + 5)


@mistake("size 1, of which c_init says that it is too small")
def too_small(cls: Any, raw: Any) -> None:
    given = arrays(size=1)
    use(cls(**given, num_envs=NUM_ENVS, size=1))


@mistake("one array for terminals and truncations")
def same_array(cls: Any, raw: Any) -> None:
    given = arrays()
    given["truncations"] = given["terminals"]
    use(cls(**given, num_envs=NUM_ENVS, size=SIZE))


@mistake("rewards and actions that overlap")
def overlap(cls: Any, raw: Any) -> None:
    given = arrays()
    given["rewards"] = given["actions"].view(np.float32)
    use(cls(**given, num_envs=NUM_ENVS, size=SIZE))


for name, seed in {"-1": -1, "2**64": 2**64, "1.5": 1.5}.items():

    @mistake(f"seed {name}")
    def bad_seed(cls: Any, raw: Any, seed: Any = seed) -> None:
        _arrays, env = good(cls)
        use(env, seed)


for action in (5, -1):

    @mistake(f"an action of {action}")
    def bad_action(cls: Any, raw: Any, action: int = action) -> None:
        given, env = good(cls)
        given["actions"][1] = action
        use(env)


@mistake("step before reset")
def no_reset(cls: Any, raw: Any) -> None:
    _arrays, env = good(cls)
    env.step()


for method in ("step", "reset", "log"):

    @mistake(f"{method} after close")
    def closed(cls: Any, raw: Any, method: str = method) -> None:
        _arrays, env = good(cls)
        use(env)
        spare = [good(cls) for _ in range(8)]  # what comes to lie where it was
        getattr(env, method)()
        use(spare[0][1])


@mistake("closed twice")
def close_twice(cls: Any, raw: Any) -> bool:
    _arrays, env = good(cls)
    use(env)
    env.close()
    _others, other = good(cls)
    use(other)
    return True


@mistake("an int where the object or handle belongs")
def made_up(cls: Any, raw: Any) -> None:
    raw(12345678)


@mistake("None where the object or handle belongs")
def none_handle(cls: Any, raw: Any) -> None:
    raw(None)


@mistake("a subclass that forgets super().__init__()")
def no_init(cls: Any, raw: Any) -> None:
    class Forgetful(cls):
        def __init__(self) -> None:
            pass

    Forgetful().step()


@mistake("an object made with __new__ alone")
def only_new(cls: Any, raw: Any) -> None:
    cls.__new__(cls).step()


@mistake("copied with copy.copy, and both used and closed")
def copied(cls: Any, raw: Any) -> None:
    _arrays, env = good(cls)
    twin = copy.copy(env)
    use(env)
    use(twin)


@mistake("an array resized in place while in use")
def resized(cls: Any, raw: Any) -> None:
    given = arrays()
    observations = given.pop("observations")
    env = cls(observations, *given.values(), num_envs=NUM_ENVS, size=SIZE)
    env.reset(0)
    observations.resize((100_000, SIZE * SIZE))  # which NumPy refuses only where someone else has a reference
    use(env)


@mistake("the last reference to the arrays dropped")
def dropped(cls: Any, raw: Any) -> bool:
    given = arrays()
    watch = [weakref.ref(a) for a in given.values()]
    env = cls(**given, num_envs=NUM_ENVS, size=SIZE)
    del given
    held = all(ref() is not None for ref in watch)
    use(env)
    return held


@mistake("an environment in a reference cycle with its array")
def cycle(cls: Any, raw: Any) -> bool:
    class Array(np.ndarray):
        pass

    given = arrays()
    given["rewards"] = Array(NUM_ENVS, np.float32)
    watch = weakref.ref(given["rewards"])
    given["rewards"].owner = cls(**given, num_envs=NUM_ENVS, size=SIZE)
    given["rewards"].owner.reset(0)
    del given
    gc.collect()
    return watch() is None


def memory() -> float:
    """MB that the process has had at most."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024 if sys.platform == "linux" else 1024**2)


@mistake("dropped without close()")
def leaked(cls: Any, raw: Any) -> bool:
    given = arrays(1024)
    before = 0.0
    for k in range(400):
        cls(**given, num_envs=1024, size=SIZE).reset(0)
        if k == 20:
            before = memory()
    gc.collect()
    return memory() - before < 10


@mistake("two threads that step at the same time")
def threads(cls: Any, raw: Any) -> bool:
    """Where nothing raises, it is right as long as a step keeps the GIL: then no thread comes in between."""
    given = arrays(100_000)
    env = cls(**given, num_envs=100_000, size=SIZE)
    env.reset(0)
    failed: list[RuntimeError] = []
    finished: list[bool] = []

    def work() -> None:
        try:
            for _ in range(200):
                env.step()
        except RuntimeError as error:
            failed.append(error)
        finished.append(True)

    both = [threading.Thread(target=work) for _ in range(2)]
    for thread in both:
        thread.start()
    for thread in both:
        thread.join()
    if failed:
        raise failed[0]
    finished.clear()
    sys.setswitchinterval(1000)  # nobody has to let the GIL go, so that start() comes back early only where a step does
    thread = threading.Thread(target=work)
    thread.start()
    kept = bool(finished)
    sys.setswitchinterval(0.005)
    thread.join()
    return kept


def outcome(made: Mistake, cls: Any, raw: Any) -> str:
    """In a child process, so that a crash is one too."""
    child = os.fork()
    if not child:
        signal.alarm(SECONDS)
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        quiet = os.open(os.devnull, os.O_WRONLY)
        os.dup2(quiet, 2)
        status = SILENT
        try:
            status = HARMLESS if made.make(cls, raw) else SILENT
            gc.collect()
        except (AssertionError, NameError):  # no binding raises these: a slip in the table, which is nobody's outcome
            status = BROKEN
        except Exception:  # of whatever type: tools differ in theirs, and a refusal is a refusal
            status = RAISES
        os._exit(status)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if status == BROKEN:
        raise RuntimeError(f"{made.name}: the mistake itself cannot be made")
    return NAMES.get(status) or "crash"
