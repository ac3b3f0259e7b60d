"""Mistakes of a caller of src/env_binding.h, and its promises: `python -m ocean.mistakes FOLDER [NAME...]`.

FOLDER holds two bindings: PufferLib's squared, and probe/ beside this file. Each row and each check runs in a process of its
own, so that a crash differs from a failure. Prints a line for each name, in JSON: what went wrong, or "". test_ocean.py
builds the bindings and runs all of them. Rows that other tables have too are in spoilt.py.
"""

import copy
import ctypes
import functools
import gc
import importlib.util
import json
import math
import os
import pickle
import sys
import threading
import time
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

import greenlet
import numpy as np
import pytest

from ocean.apart import apart
from spoilt import FAR, NOT_INT, unaligned, ways_to_spoil

NAMES = ["observations", "actions", "rewards", "terminals", "truncations"]
ENVS, SIZE = 3, 11


def load(folder: Path, name: str) -> Any:
    (library,) = (folder / name).glob("binding.*.so")
    spec = importlib.util.spec_from_file_location("binding", library)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def five(rows: int = ENVS, squared: bool = True) -> dict[str, np.ndarray]:
    observations = np.zeros((rows, SIZE * SIZE), np.uint8) if squared else np.zeros((rows, 2), np.float32)
    arrays = {"observations": observations, "actions": np.zeros(rows, np.int32), "rewards": np.zeros(rows, np.float32)}
    return arrays | {name: np.zeros(rows, bool) for name in NAMES[3:]}


class Class:
    """The two modules, and handles of squared and of the probe that are in use. Each row makes its mistake on them."""

    def __init__(self, folder: Path) -> None:
        self.squared, self.probe = load(folder, "squared"), load(folder, "probe")
        self.arrays, self.alone = five(), five(1)
        self.vec = self.vec_init()
        self.env = self.env_init()
        self.envs = [self.probed(number) for number in (1, 2)]
        self.taken = self.probe.vectorize(*self.envs)
        self.single = self.probed(5)
        self.closed = self.probed(6)
        self.probe.env_close(self.closed)
        self.closed_vec = self.probe.vectorize(self.probed(7))
        self.probe.vec_close(self.closed_vec)
        for step in (self.squared.vec_reset, self.probe.vec_reset):
            step(self.vec if step is self.squared.vec_reset else self.taken, 3)

    def vec_init(self, *, num_envs: Any = ENVS, seed: Any = 0, size: Any = SIZE, **arrays: Any) -> Any:
        given = self.arrays | arrays
        return self.squared.vec_init(*(given[name] for name in NAMES), num_envs, seed, size=size)

    def env_init(self, *, seed: Any = 0, **arrays: Any) -> Any:
        given = self.alone | arrays
        return self.squared.env_init(*(given[name] for name in NAMES), seed, size=SIZE)

    def probed(self, number: Any, milliseconds: int = 0, **arrays: Any) -> Any:
        given = five(1, squared=False) | arrays
        return self.probe.env_init(*given.values(), 70_000, number=number, milliseconds=milliseconds)

    def snapshot(self) -> Any:
        """All that a row could have changed."""
        data = [array.tobytes() for arrays in (self.arrays, self.alone) for array in arrays.values()]
        return data, self.probe.total(self.taken), self.probe.number(self.single), self.probe.shared()

    def use(self) -> None:
        """Everything still works."""
        for _ in range(5):
            self.squared.vec_step(self.vec)
            self.squared.env_step(self.env)
            self.probe.vec_step(self.taken)
        assert self.arrays["observations"].any()
        assert self.probe.vec_log(self.taken)["n"] == 10


# ---- Mistakes: the call, its exception, and what the message says ---------------------------------------------------------

Row = tuple[Callable[[Class], Any], type[Exception], str]
ROWS: dict[str, Row] = {}


TYPES = {"observations": "uint8", "actions": "int32", "rewards": "float32", "terminals": "bool", "truncations": "bool"}
WIDE = ["observations", "actions"]
FINE = {  # no mistakes here: this header knows the types of Env's fields, and not the sizes of a row
    *[(name, "many_d") for name in WIDE],  # rows of any shape
    *[(name, "two_columns") for name in WIDE],
    ("actions", "uint32"),  # signed or unsigned
}
for name, good in five().items():
    rows = f"({ENVS}, ...)" if name in WIDE else f"({ENVS},)"
    for how, way in ways_to_spoil(good):
        if (name, how) not in FINE:
            text = way.message(name, good, f"{TYPES[name]} {rows}")
            ROWS[f"{name}-{how}"] = (lambda its, n=name, w=way: its.vec_init(**{n: w.spoil(its.arrays[n])}), way.error, text)


def swapped(a: np.ndarray) -> np.ndarray:
    return np.zeros(a.shape, a.dtype.newbyteorder())


for name in ("actions", "rewards"):
    for how, (spoil, message) in {
        "unaligned": (unaligned, "expected an array aligned to its element size"),
        "own-swapped": (swapped, f"expected {TYPES[name]} .*, got byte-swapped {TYPES[name]}"),
    }.items():
        ROWS[f"{name}-{how}"] = (
            lambda its, n=name, f=spoil: its.vec_init(**{n: f(its.arrays[n])}),
            ValueError,
            f"^{name}: {message}",
        )
for name in NAMES:
    ROWS[f"{name}-env-float64"] = (
        lambda its, n=name: its.env_init(**{n: its.alone[n].astype("f8")}),
        ValueError,
        rf"^{name}: expected {TYPES[name]} \(1,.*got float64",
    )


def overlapping(its: Class, first: str, second: str) -> Any:
    raw = bytearray(4 * ENVS * SIZE * SIZE)
    arrays = its.arrays
    views = {n: np.frombuffer(raw, arrays[n].dtype, arrays[n].size).reshape(arrays[n].shape) for n in (first, second)}
    return its.vec_init(**views)


for k, name in enumerate(NAMES):
    for other in NAMES[:k]:
        ROWS[f"{name}-overlaps-{other}"] = (
            lambda its, a=other, b=name: overlapping(its, a, b),
            ValueError,
            f"^{name}: overlaps {other}$",
        )

SEEDS = r"^seed: expected an int in \[-2147483648, 4294967295\], got"
for key, value in NOT_INT.items():
    if key not in ("True", "np_true"):  # they count as 1, as in PufferLib
        for name in ("num_envs", "seed"):
            message = f"^{name}: expected an int, got "
            ROWS[f"{name}-{key}"] = (lambda its, n=name, v=value: its.vec_init(**{n: v}), TypeError, message)
for key, value in FAR.items():
    for name, least in {"num_envs": "1", "seed": "-2147483648", "size": "-2147483648"}.items():
        message = rf"^{name}: expected an int in \[{least}, .*\], got "
        ROWS[f"{name}-far-{key}"] = (lambda its, n=name, v=value: its.vec_init(**{n: v}), ValueError, message)
ROWS |= {
    # numbers
    "num_envs-0": (lambda its: its.vec_init(num_envs=0), ValueError, r"^num_envs: expected an int in \[1, .*got 0"),
    "num_envs-negative": (lambda its: its.vec_init(num_envs=-3), ValueError, "^num_envs: .*got -3"),
    "num_envs-more": (lambda its: its.vec_init(num_envs=4), ValueError, r"^observations: expected uint8 \(4, \.\.\.\)"),
    "num_envs-fewer": (lambda its: its.vec_init(num_envs=2), ValueError, r"^observations: expected uint8 \(2, \.\.\.\)"),
    "num_envs-huge": (lambda its: its.vec_init(num_envs=2**31 - 1), ValueError, "^observations: expected uint8"),
    "num_envs-2**31": (lambda its: its.vec_init(num_envs=2**31), ValueError, "^num_envs: .*got 2147483648"),
    "seed-2**32": (lambda its: its.vec_init(seed=2**32), ValueError, f"{SEEDS} 4294967296"),
    "seed-low": (lambda its: its.vec_init(seed=-(2**31) - 1), ValueError, f"{SEEDS} -2147483649"),
    "seed-reset-none": (lambda its: its.squared.vec_reset(its.vec, None), TypeError, "^seed: expected an int, got None"),
    "seed-env_init-text": (lambda its: its.env_init(seed="7"), TypeError, "^seed: expected an int, got '7'"),
    "seed-reset": (lambda its: its.squared.vec_reset(its.vec, 2**40), ValueError, SEEDS),
    "seed-env_reset": (lambda its: its.squared.env_reset(its.env, 2**40), ValueError, SEEDS),
    # keyword arguments
    "missing": (
        lambda its: its.squared.vec_init(*its.arrays.values(), ENVS, 0),
        TypeError,
        "^size: expected a keyword argument, got none",
    ),
    "missing-second": (lambda its: its.probe.env_init(*five(1, False).values(), 0, number=3), TypeError, "^milliseconds: "),
    "nan": (lambda its: its.probed(math.nan), ValueError, "^number: expected a finite number, got nan"),
    "infinite": (lambda its: its.probed(-math.inf), ValueError, "^number: expected a finite number, got -inf"),
    "float-overflow": (lambda its: its.vec_init(size=2**31), ValueError, "^size: expected an int in .*got 2147483648"),
    "parameter-text": (lambda its: its.vec_init(size="11"), TypeError, "^size: expected a number, got '11'"),
    "parameter-none": (lambda its: its.vec_init(size=None), TypeError, "^size: expected a number, got None"),
    "parameter-list": (lambda its: its.vec_init(size=[11]), TypeError, r"^size: expected a number, got \[11\]"),
    "parameter-array": (lambda its: its.vec_init(size=np.array([1, 2])), TypeError, "^size: expected an int, got array"),
    "refused": (lambda its: its.probed(13), ValueError, "^not 13$"),
    "refused-without-reason": (lambda its: its.probed(14), RuntimeError, "^my_init failed and gave no reason$"),
    "put-missing": (lambda its: its.probe.env_put(its.single), TypeError, "^number: expected a keyword argument"),
    "put-refused": (lambda its: its.probe.env_put(its.single, number=14), RuntimeError, "^my_put failed"),
    "put-array": (
        lambda its: its.probe.env_put(its.single, number=1, rewards=np.zeros(1)),
        ValueError,
        r"^rewards: expected float32 \(1,\), got float64 \(1,\)",
    ),
    "put-number": (lambda its: its.probe.env_put(its.single, number=1, actions=7), TypeError, "^actions: expected an array"),
    "shared-unpack": (lambda its: its.probe.shared(size=1), TypeError, "^number: expected a keyword argument"),
    "get-refused": (lambda its: its.probe.env_get(its.probed(98)), ArithmeticError, "^not 98$"),
    # functions that this binding does not define
    "no-shared": (lambda its: its.squared.shared(), NotImplementedError, "^shared: the binding of Squared"),
    "no-get": (lambda its: its.squared.env_get(its.env), NotImplementedError, "^env_get: .*MY_GET"),
    "no-put": (lambda its: its.squared.env_put(its.env, size=3), NotImplementedError, "^env_put: .*MY_PUT"),
    # how many arguments
    "vec_init-six": (lambda its: its.squared.vec_init(*range(6)), TypeError, "^vec_init: expected 7 .* got 6"),
    "env_init-seven": (lambda its: its.squared.env_init(*range(7)), TypeError, "^env_init: expected 6 .* got 7"),
    "vec_reset-one": (lambda its: its.squared.vec_reset(its.vec), TypeError, "^vec_reset: expected 2 .* got 1"),
    "vec_render-one": (lambda its: its.squared.vec_render(its.vec), TypeError, "^vec_render: expected 2 .* got 1"),
    "vec_step-none": (lambda its: its.squared.vec_step(), TypeError, "exactly one argument"),
    "env_put-none": (lambda its: its.probe.env_put(number=1), TypeError, "^env_put: expected 1 .* got 0"),
    "total-none": (lambda its: its.probe.total(), TypeError, "^expected a handle as the first argument, got none"),
    # index
    "render-3": (lambda its: its.squared.vec_render(its.vec, 3), IndexError, r"^env_id: expected an int in \[0, 2\], got 3"),
    "render-negative": (lambda its: its.squared.vec_render(its.vec, -1), IndexError, "^env_id: .*got -1"),
    "render-huge": (lambda its: its.squared.vec_render(its.vec, 2**70), IndexError, "^env_id: .*got 1180591620717411303424"),
    "render-float": (lambda its: its.squared.vec_render(its.vec, 0.0), TypeError, "^env_id: expected an int"),
    # vectors
    "vectorize-none": (lambda its: its.probe.vectorize(), TypeError, "^vectorize: expected one Env or more"),
    "vectorize-list": (lambda its: its.probe.vectorize(its.envs), TypeError, "^handle: expected an Env.*got list"),
    "vectorize-taken": (lambda its: its.probe.vectorize(its.single, its.envs[0]), ValueError, "1, that another VecEnv has"),
    "vectorize-twice": (lambda its: its.probe.vectorize(its.single, its.single), ValueError, "1, that came before"),
    "vectorize-closed": (lambda its: its.probe.vectorize(its.single, its.closed), RuntimeError, "^Env is closed$"),
    "vectorize-vec": (lambda its: its.probe.vectorize(its.taken), TypeError, "^handle: expected an Env.*got binding.VecEnv"),
    "vectorize-foreign": (lambda its: its.probe.vectorize(its.env), TypeError, "^handle: expected an Env from env_init"),
    "close-taken": (lambda its: its.probe.env_close(its.envs[0]), RuntimeError, "^Env is part of a VecEnv"),
}  # fmt: skip

ENV_CALLS = {"reset": (3,), "step": (), "render": (), "get": (), "put": ()}
VEC_CALLS = {"reset": (3,), "step": (), "log": (), "render": (0,)}
IMPOSTORS: dict[str, Callable[[Class], Any]] = {
    "int": lambda its: 12345678,
    "none": lambda its: None,
    "id": lambda its: id(its.taken),
    "text": lambda its: "VecEnv",
    "list": lambda its: [its.taken],
    "foreign": lambda its: its.vec,
    "foreign-env": lambda its: its.env,
}
for kind, calls, wrong, spent in (("env", ENV_CALLS, "taken", "closed"), ("vec", VEC_CALLS, "single", "closed_vec")):
    what = "an Env" if kind == "env" else "a VecEnv"
    for call, rest in calls.items():
        name = f"{kind}_{call}"
        message = f"^{'Env' if kind == 'env' else 'VecEnv'} is closed$"
        ROWS[f"{name}-closed"] = (
            lambda its, n=name, s=spent, r=rest: getattr(its.probe, n)(getattr(its, s), *r),
            RuntimeError,
            message,
        )
    for call, rest in (calls | {"close": ()}).items():
        name = f"{kind}_{call}"
        for who, made in (IMPOSTORS | {"kind": lambda its, w=wrong: getattr(its, w)}).items():
            ROWS[f"{name}-{who}"] = (
                lambda its, n=name, m=made, r=rest: getattr(its.probe, n)(m(its), *r),
                TypeError,
                f"^handle: expected {what} from .* of this module, got ",
            )
for name, made in {"int": lambda its: 7, "closed": lambda its: its.closed_vec, "env": lambda its: its.single}.items():
    ROWS[f"total-{name}"] = (lambda its, m=made: its.probe.total(m(its)), (TypeError, RuntimeError), "VecEnv")
for name, made in {"int": lambda its: 7, "closed": lambda its: its.closed, "vec": lambda its: its.taken}.items():
    ROWS[f"number-{name}"] = (lambda its, m=made: its.probe.number(m(its)), (TypeError, RuntimeError), "Env")
for name, call in {
    "new": lambda its: type(its.vec)(),
    "pickle": lambda its: pickle.dumps(its.vec),
    "pickle-0": lambda its: pickle.dumps(its.vec, 0),
    "copy": lambda its: copy.copy(its.env),
    "deepcopy": lambda its: copy.deepcopy(its.env),
    "attribute": lambda its: setattr(its.vec, "num_envs", 7),
    "compare": lambda its: its.vec < its.vec,
    "call": lambda its: its.vec(),
    "int": lambda its: int(its.vec),
}.items():
    ROWS[f"handle-{name}"] = (call, (TypeError, AttributeError), "")


def refuses(exception: Any, message: str, call: Callable[..., Any], *arguments: Any) -> None:
    with pytest.raises(exception, match=message or None):
        call(*arguments)


def mistake(its: Class, name: str) -> None:
    call, exception, message = ROWS[name]
    before = its.snapshot()
    refuses(exception, message, call, its)
    gc.collect()
    assert its.snapshot() == before
    its.use()


# ---- Promises -------------------------------------------------------------------------------------------------------------


def closing_twice_is_fine(its: Class) -> None:
    live = its.probe.shared()
    for _ in range(3):
        its.probe.vec_close(its.taken)
        its.probe.env_close(its.single)
        its.probe.env_close(its.envs[0])  # which the vector has closed
    assert its.probe.shared() == live - 3
    assert repr(its.taken) == "<closed VecEnv of 2 Probe>"
    assert repr(its.envs[1]) == "<closed Env of Probe>"
    assert repr(its.vec) == "<VecEnv of 3 Squared>"


def arrays_are_held_until_close(its: Class) -> None:
    arrays = five()
    raw = bytearray(ENVS * SIZE * SIZE)
    vec = its.vec_init(**arrays | {"observations": np.frombuffer(raw, np.uint8).reshape(ENVS, -1)})
    counts = {name: sys.getrefcount(arrays[name]) for name in arrays}
    gone = weakref.ref(arrays["actions"])
    del arrays["actions"]
    assert gone() is not None
    refuses(ValueError, "resize", arrays["rewards"].resize, 7)
    its.squared.vec_reset(vec, 0)
    its.squared.vec_step(vec)
    its.squared.vec_close(vec)
    assert gone() is None
    del counts["actions"], counts["observations"]
    assert {name: sys.getrefcount(arrays[name]) for name in counts} == {name: count - 1 for name, count in counts.items()}
    raw.clear()  # BufferError if anything still held it


def dropped_handles_close_themselves(its: Class) -> None:
    live = its.probe.shared()
    vec = its.probe.vectorize(*(its.probed(k) for k in range(4)))
    assert its.probe.shared() == live + 4
    del vec
    assert its.probe.shared() == live
    env = its.probed(3)
    vec = its.probe.vectorize(env)
    del env  # the vector keeps it
    its.probe.vec_step(vec)
    del vec
    assert its.probe.shared() == live
    env = its.probed(3)
    vec = its.probe.vectorize(env)
    del vec  # the Env is closed with it
    assert repr(env) == "<closed Env of Probe>"
    assert its.probe.shared() == live


def cycles_are_collected(its: Class) -> None:
    class Array(np.ndarray):
        handle: Any

    live = its.probe.shared()
    rewards = np.zeros(1, np.float32).view(Array)
    rewards.handle = its.probe.vectorize(its.probed(1, rewards=rewards), its.probed(2))
    assert its.probe.shared() == live + 2
    del rewards
    gc.collect()
    assert its.probe.shared() == live


def a_failed_vectorize_lets_go(its: Class) -> None:
    live = its.probe.shared()
    for bad in (its.closed, its.envs[0], its.single, 7):
        refuses((TypeError, ValueError, RuntimeError), "", its.probe.vectorize, its.single, bad)
    assert its.probe.shared() == live
    vec = its.probe.vectorize(its.single)
    assert its.probe.total(vec) == 5


def from_c() -> Callable[..., Any]:
    """Calls with a dict of keyword arguments itself, as C may; a call in Python passes a copy."""
    call = ctypes.pythonapi.PyObject_Call
    call.argtypes, call.restype = [ctypes.py_object] * 3, ctypes.py_object
    return call


def keyword_arguments_stay_as_they_were(its: Class) -> None:
    keywords = {"number": 3, "milliseconds": 0}
    env = from_c()(its.probe.env_init, (*five(1, squared=False).values(), 9), keywords)
    assert its.probe.env_get(env) == {"number": 3}
    assert keywords == {"number": 3, "milliseconds": 0}


def arguments_are_held_while_python_runs(its: Class) -> None:
    """An __index__ empties the dict that it came in, and the copy that my_init gets: the garbage collector knows them."""

    class Emptying:
        def __index__(self) -> int:
            for found in gc.get_referrers(self):
                if isinstance(found, dict) and "number" in found:
                    found.clear()
            return "no int"

    for _ in range(20):
        for use, *arguments in ((its.probe.env_init, *five(1, squared=False).values(), 9), (its.probe.env_put, its.single)):
            keywords = {"number": Emptying(), "milliseconds": 0}
            refuses(TypeError, "^number: expected an int, got <.*Emptying", from_c(), use, tuple(arguments), keywords)
            assert not keywords


def greenlets_take_turns_in_my_init(its: Class) -> None:
    """Two calls of my_init, each on a stack of its own; the one that began first fails while the other has not ended."""
    made: list[Any] = []

    class Switch:
        def __init__(self, result: int) -> None:
            self.result = result

        def __index__(self) -> int:
            greenlet.getcurrent().parent.switch()
            return self.result

    def deep(levels: int, work: Callable[[], Any]) -> Any:
        """work(), so many calls of C further down the stack."""
        return functools.reduce(lambda *_: deep(levels - 1, work), [0, 0]) if levels else work()

    def begin(number: Any, milliseconds: Any, levels: int = 0) -> greenlet.greenlet:
        def work() -> None:
            try:
                made.append(its.probe.number(deep(levels, lambda: its.probed(number, milliseconds))))
            except (TypeError, ValueError) as error:
                made.append(str(error))

        its_own = greenlet.greenlet(work)
        its_own.switch()  # to the first __index__
        return its_own

    for _ in range(100):
        made.clear()
        first, second = begin(Switch(3), "x"), begin(Switch(4), Switch(0), 20)
        first.switch()  # fails while the second is in my_init
        second.switch()
        second.switch()
        assert made == ["milliseconds: expected a number, got 'x'", 4], made
        first, second = begin(Switch(5), Switch(0), 20), begin(Switch(2**40), 0)
        second.switch()
        first.switch()
        first.switch()
        assert made[2].startswith("number: expected an int in ")
        assert made[3:] == [5]
    live = its.probe.shared()
    its.use()
    assert its.probe.shared() == live


def numbers_of_all_kinds(its: Class) -> None:
    for number in (
        3,
        True,
        np.int8(3),
        np.uint64(3),
        3.9,
        np.float32(3.5),
        np.float64(3.5),
        np.array(3),
        -(2**31),
        2**31 - 1,
    ):
        env = its.probed(number)
        assert its.probe.number(env) == int(number)
    for seed in (-(2**31), 2**32 - 1, np.int64(5), True):
        its.squared.vec_reset(its.vec, seed)
        its.vec_init(seed=seed)
    # 32 bits, signed or not, are the same seed
    shown = []
    for seed in (-1, 2**32 - 1):
        its.squared.vec_reset(its.vec, seed)
        shown.append(its.arrays["observations"].copy())
    assert (shown[0] == shown[1]).all()


def arrays_of_other_kinds(its: Class) -> None:
    rows = np.zeros((ENVS, SIZE, SIZE), np.int8)
    flags = [bytearray(ENVS), memoryview(bytearray(ENVS))]
    vec = its.vec_init(observations=rows, actions=np.zeros(ENVS, np.uint32), terminals=flags[0], truncations=flags[1])
    its.squared.vec_reset(vec, 1)
    assert rows.any()
    # env_init() accepts flat observations, and several actions for one reward
    env = its.env_init(observations=np.zeros(SIZE * SIZE, np.uint8), actions=np.zeros(4, np.int32))
    its.squared.env_reset(env, 0)


def put_holds_the_new_arrays(its: Class) -> None:
    old = five(1, squared=False)
    env = its.probed(4, **old)
    new = np.zeros((1, 2), np.float32)
    counts = sys.getrefcount(new), sys.getrefcount(old["observations"])
    its.probe.env_put(env, number=8, observations=new)
    assert (sys.getrefcount(new), sys.getrefcount(old["observations"])) == (counts[0] + 1, counts[1] - 1)
    its.probe.env_reset(env, 0)
    assert new[0, 0] == 8
    assert old["observations"][0, 0] == 0
    its.probe.env_render(env)
    assert new[0, 0] == -1
    new[:] = 0
    refuses(RuntimeError, "^my_put failed", lambda: its.probe.env_put(env, number=14, **old))
    its.probe.env_render(env)
    assert (new[0, 0], old["observations"][0, 0]) == (-1, 0)
    its.probe.env_close(env)
    assert sys.getrefcount(new) == counts[0]


def a_log_that_fails_raises(its: Class) -> None:
    assert its.probe.vec_log(its.taken) == {}
    vec = its.probe.vectorize(its.probed(99))
    its.probe.vec_step(vec)
    refuses(ArithmeticError, "^not 99$", its.probe.vec_log, vec)
    assert its.probe.vec_log(vec) == {}
    its.probe.vec_step(its.taken)
    assert its.probe.vec_log(its.taken) == {"score": 1.5, "n": 2.0}


def stepped_in_a_thread(step: Callable[[], Any]) -> tuple[threading.Thread, bool]:
    """A thread inside a step of 0.4 seconds, and whether this thread could run meanwhile."""
    thread = threading.Thread(target=step)
    began = time.monotonic()
    thread.start()
    time.sleep(0.1)
    return thread, thread.is_alive() and time.monotonic() - began < 0.3


def the_gil_is_released(its: Class) -> None:
    vec = its.probe.vectorize(its.probed(1, 400))
    thread, released = stepped_in_a_thread(lambda: its.probe.vec_step(vec))
    assert released
    its.use()  # other handles step meanwhile
    thread.join()


def two_threads_in_one_handle_raise(its: Class) -> None:
    env = its.probed(1, 400)
    vec = its.probe.vectorize(env)
    thread, _ = stepped_in_a_thread(lambda: its.probe.vec_step(vec))
    calls = [(its.probe.vec_reset, vec, 0), (its.probe.vec_render, vec, 0), (its.probe.total, vec), (its.probe.number, env)]
    calls += [(call, vec) for call in (its.probe.vec_step, its.probe.vec_log, its.probe.vec_close)]
    calls += [(call, env) for call in (its.probe.env_step, its.probe.env_render, its.probe.env_get, its.probe.vectorize)]
    for call, *arguments in calls:
        refuses(RuntimeError, "in use by another thread", call, *arguments)
    assert thread.is_alive()
    thread.join()
    its.probe.vec_close(vec)


def a_vector_dropped_in_use_waits(its: Class) -> None:
    live = its.probe.shared()
    env = its.probed(1, 400)
    vec = its.probe.vectorize(env)
    thread, _ = stepped_in_a_thread(lambda: its.probe.env_step(env))
    del vec
    assert its.probe.shared() == live + 1
    assert thread.is_alive()
    thread.join()
    assert its.probe.shared() == live
    assert repr(env) == "<closed Env of Probe>"


def render_draws_the_one_that_is_asked_for(its: Class) -> None:
    arrays = [five(1, squared=False) for _ in range(3)]
    vec = its.probe.vectorize(*(its.probed(k, **arrays[k]) for k in range(3)))
    its.probe.vec_render(vec, 1)
    assert [float(a["observations"][0, 0]) for a in arrays] == [0, -1, 0]


def nothing_leaks(its: Class) -> None:
    """2000 rounds leak no Env, no memory, no Python object and no reference to an array."""
    arrays, alone = five(), five(1, squared=False)

    def life() -> None:
        vec = its.vec_init(seed=70_000, **arrays)
        its.squared.vec_reset(vec, 1)
        its.squared.vec_step(vec)
        its.squared.vec_log(vec)
        its.squared.vec_close(vec)
        vec = its.probe.vectorize(*(its.probed(k, **five(1, squared=False)) for k in range(3)))
        its.probe.vec_step(vec)
        its.probe.vec_log(vec)
        env = its.probed(2, **alone)
        its.probe.env_put(env, number=3, **alone)
        its.probe.env_get(env)
        failing = its.probe.vectorize(its.probed(99))
        its.probe.vec_step(failing)
        refuses(ArithmeticError, "", its.probe.vec_log, failing)
        for number in (13, 14, "x"):
            refuses((TypeError, ValueError, RuntimeError), "", lambda n=number: its.probed(n, **alone))
        for spoilt in ({"size": "x"}, {"rewards": arrays["actions"]}, {"num_envs": 2**31 - 1}):
            refuses((TypeError, ValueError), "", lambda s=spoilt: its.vec_init(**arrays | s))

    def resident() -> int:
        gc.collect()
        return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    counts = [sys.getrefcount(array) for array in (*arrays.values(), *alone.values())]
    live = its.probe.shared()
    for _ in range(200):
        life()
    before, blocks = resident(), sys.getallocatedblocks()
    for _ in range(2000):
        life()
    assert resident() - before < 1 << 20
    assert sys.getallocatedblocks() - blocks < 200, "an object a round would be 2000"
    assert its.probe.shared() == live
    assert [sys.getrefcount(array) for array in (*arrays.values(), *alone.values())] == counts


CHECKS = {
    check.__name__: check
    for check in (
        closing_twice_is_fine,
        arrays_are_held_until_close,
        dropped_handles_close_themselves,
        cycles_are_collected,
        a_failed_vectorize_lets_go,
        keyword_arguments_stay_as_they_were,
        arguments_are_held_while_python_runs,
        greenlets_take_turns_in_my_init,
        numbers_of_all_kinds,
        arrays_of_other_kinds,
        put_holds_the_new_arrays,
        a_log_that_fails_raises,
        the_gil_is_released,
        two_threads_in_one_handle_raise,
        a_vector_dropped_in_use_waits,
        render_draws_the_one_that_is_asked_for,
        nothing_leaks,
    )
}


# ---- A process for each ---------------------------------------------------------------------------------------------------


def run(folder: Path, name: str) -> str:
    """Nothing, or an exception."""
    its = Class(folder)
    mistake(its, name) if name in ROWS else CHECKS[name](its)
    return ""


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    for name in sys.argv[2:] or [*ROWS, *CHECKS]:
        print(json.dumps([name, apart(run, folder, name)]), flush=True)
