"""src/binding.c: what it refuses, with which message, and that a refusal changes nothing; what it holds and releases."""

import array
import copy
import ctypes
import gc
import importlib
import importlib.util
import inspect
import math
import os
import pickle
import re
import signal
import subprocess
import sys
import sysconfig
import threading
import time
import warnings
import weakref
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from multiprocessing import shared_memory
from pathlib import Path

import numpy as np
import pytest

import needs
from interpreter import python
from spoilt import NOT_BOOL, NOT_FLOAT, NOT_INT, read_only, unaligned, ways_to_spoil

NAMES = ["observations", "actions", "rewards", "terminals", "truncations"]


def arrays_for(module, num_envs=1, **parameters):
    """The five arrays by name, zeroed."""
    what = module.layout(**parameters)
    n = num_envs * what["num_agents"]
    made = {
        name + "s": np.zeros((n,) if what[name]["size"] == 1 else (n, what[name]["size"]), what[name]["dtype"])
        for name in ("observation", "action")
    }
    return made | {"rewards": np.zeros(n, np.float32), "terminals": np.zeros(n, bool), "truncations": np.zeros(n, bool)}


def make(module, num_envs=1, seed=0, num_threads=1, **parameters):
    """A VecEnv and its arrays by name."""
    arrays = arrays_for(module, num_envs, **parameters)
    return module.VecEnv(**arrays, num_envs=num_envs, seed=seed, num_threads=num_threads, **parameters), arrays


def started(module, num_envs=1, **options):
    """The same after a reset and a few scripted steps, so that a wrong change is visible."""
    env, arrays = make(module, num_envs, **options)
    env.reset()
    for _ in range(3):
        env.script()
        env.step()
    return env, arrays


def snapshot(env, arrays):
    """All that a step or a reset can change."""
    state = [env.get(name, i) for name in env.state_fields for i in range(env.num_envs)]
    return state + [a.tobytes() for a in arrays.values()]


def allocations(counter, name):
    return ctypes.c_long.in_dll(ctypes.PyDLL(counter.__file__), f"counter_allocations_{name}")


@contextmanager
def no_leak(counter):
    """What the environment and the binding allocate inside the block is freed at its end."""
    gc.collect()
    before = allocations(counter, "live").value
    yield
    gc.collect()
    assert allocations(counter, "live").value == before


def refused(expected, message):
    return pytest.raises(expected, match=f"^{re.escape(message)}$")


# ---- What is refused: a row per mistake -------------------------------------------------------------------------------

INT63 = "expected an int in [0, 9223372036854775807]"
BAD_KEYWORDS = [
    ({"limi": 5}, TypeError, "unknown parameter 'limi'; valid are limit, scale, floor, goal"),
    ({"count": 5}, TypeError, "unknown parameter 'count'; valid are limit, scale, floor, goal"),  # a field, not a parameter
    ({"limit": 1}, ValueError, "limit: expected an int in [2, 200] counts, got 1"),
    ({"limit": 201}, ValueError, "limit: expected an int in [2, 200] counts, got 201"),
    ({"limit": 2**32 + 5}, ValueError, "limit: expected an int in [2, 200] counts, got 4294967301"),
    ({"limit": -(2**64)}, ValueError, "limit: expected an int in [2, 200] counts, got -18446744073709551616"),
    ({"scale": -0.5}, ValueError, "scale: expected a float in [0, 10] per count, got -0.5"),
    ({"scale": 10.5}, ValueError, "scale: expected a float in [0, 10] per count, got 10.5"),
    ({"scale": 11}, ValueError, "scale: expected a float in [0, 10] per count, got 11"),
    ({"scale": math.nan}, ValueError, "scale: expected a float in [0, 10] per count, got nan"),
    ({"scale": math.inf}, ValueError, "scale: expected a float in [0, 10] per count, got inf"),
    ({"scale": -math.inf}, ValueError, "scale: expected a float in [0, 10] per count, got -inf"),
    ({"scale": 10**400}, ValueError, "scale: expected a float in [0, 10] per count, got 1" + 79 * "0"),
    ({"goal": "clim"}, ValueError, "goal: expected one of 'climb', 'meet', got 'clim'"),
    ({"goal": "climb|meet"}, ValueError, "goal: expected one of 'climb', 'meet', got 'climb|meet'"),
    ({"goal": ""}, ValueError, "goal: expected one of 'climb', 'meet', got ''"),
    ({"goal": 0}, TypeError, "goal: expected one of 'climb', 'meet', got 0"),
    ({"goal": b"meet"}, TypeError, "goal: expected one of 'climb', 'meet', got b'meet'"),
    ({"goal": "meet", "limit": 3}, ValueError, "goal: to meet takes a limit of 4 at least"),  # the message of c_init
    ({"num_envs": 0}, ValueError, "num_envs: expected an int in [1, 1048576], got 0"),
    ({"num_envs": -1}, ValueError, "num_envs: expected an int in [1, 1048576], got -1"),
    ({"num_envs": 2**40}, ValueError, "num_envs: expected an int in [1, 1048576], got 1099511627776"),
    ({"num_envs": 2}, ValueError, "observations: expected uint8 (4, 2), got uint8 (2, 2)"),
    ({"seed": -1}, ValueError, f"seed: {INT63}, got -1"),
    ({"seed": 2**63}, ValueError, f"seed: {INT63}, got 9223372036854775808"),
    ({"num_threads": 0}, ValueError, "num_threads: expected an int in [1, 1024], got 0"),
    ({"num_threads": 1025}, ValueError, "num_threads: expected an int in [1, 1024], got 1025"),
]
OF_ANOTHER_TYPE = {
    "an int": (NOT_INT, ["limit", "num_envs", "seed", "num_threads"]),
    "a float": (NOT_FLOAT, ["scale"]),
    "True or False": (NOT_BOOL, ["floor"]),
}
BAD_KEYWORDS += [
    ({name: value}, TypeError, f"{name}: expected {what}, got {value!r}")
    for what, (values, names) in OF_ANOTHER_TYPE.items()
    for name in names
    for value in values.values()
]


def spaced(a):
    """Equal to a in shape and type, but every other element of a larger array."""
    wide = np.zeros((*a.shape[:-1], 2 * a.shape[-1]), a.dtype)
    return wide[..., ::2]


READ_ONLY = "expected a writable array, got a read-only one"
GAPS = "expected a C-contiguous array, got one with gaps or another order"
UNALIGNED = "expected an array aligned to its element size, got an unaligned one"
BAD_ARRAYS = [
    ("rewards", lambda a: a.view(np.int32), ValueError, "expected float32 (2,), got int32 (2,)"),
    ("rewards", lambda a: np.zeros(3, "f4"), ValueError, "expected float32 (2,), got float32 (3,)"),
    ("rewards", lambda a: a[:, None], ValueError, "expected float32 (2,), got float32 (2, 1)"),
    ("rewards", spaced, ValueError, GAPS),
    ("rewards", unaligned, ValueError, UNALIGNED),
    ("observations", np.asfortranarray, ValueError, GAPS),
    ("observations", lambda a: a.ravel(), ValueError, "expected uint8 (2, 2), got uint8 (4,)"),
    ("observations", lambda a: a.view(np.int8), ValueError, "expected uint8 (2, 2), got int8 (2, 2)"),
    ("observations", lambda a: a.astype(np.float32), ValueError, "expected uint8 (2, 2), got float32 (2, 2)"),
    ("observations", lambda a: a.astype(bool), ValueError, "expected uint8 (2, 2), got bool (2, 2)"),
    ("actions", lambda a: a.astype(np.int64), ValueError, "expected int32 (2, 2), got int64 (2, 2)"),
    ("actions", lambda a: a.astype(np.uint32), ValueError, "expected int32 (2, 2), got uint32 (2, 2)"),
    ("actions", lambda a: a.astype(">i4"), ValueError, "expected int32 (2, 2), got byte-swapped int32 (2, 2)"),
    ("actions", lambda a: np.zeros((2, 3), "i4"), ValueError, "expected int32 (2, 2), got int32 (2, 3)"),
    ("actions", unaligned, ValueError, UNALIGNED),
    ("terminals", lambda a: a.astype(np.float32), ValueError, "expected bool (2,), got float32 (2,)"),
    ("truncations", lambda a: a.astype(np.int32), ValueError, "expected bool (2,), got int32 (2,)"),
]

FIELD = "name: expected one of 'count', 'episode_return', 'rng'"
PIXELS = "pixels: expected uint8 (height, width, 3)"
BAD_CALLS = [
    (lambda env: env.reset(-1), ValueError, f"seed: {INT63}, got -1"),
    (lambda env: env.reset(2**63), ValueError, f"seed: {INT63}, got 9223372036854775808"),
    (lambda env: env.reset(1.5), TypeError, "seed: expected an int, got 1.5"),
    (lambda env: env.reset(True), TypeError, "seed: expected an int, got True"),
    (lambda env: env.reset("1"), TypeError, "seed: expected an int, got '1'"),
    (lambda env: env.reset(sed=1), TypeError, None),
    (lambda env: env.reset(1, 2), TypeError, "mask: expected an array of numbers, got int"),
    (lambda env: env.reset(1, None, 2), TypeError, None),
    (lambda env: env.reset(mask=np.ones(3, bool)), ValueError, "mask: expected bool (2,), got bool (3,)"),
    (lambda env: env.reset(mask=np.ones((2, 1), bool)), ValueError, "mask: expected bool (2,), got bool (2, 1)"),
    (lambda env: env.reset(mask=np.ones(2)), ValueError, "mask: expected bool (2,), got float64 (2,)"),
    (lambda env: env.reset(-1, np.ones(2, bool)), ValueError, f"seed: {INT63}, got -1"),
    (lambda env: env.step_where([True, False]), TypeError, "mask: expected an array of numbers, got list"),
    (lambda env: env.step_where(np.ones(4, bool)[::2]), ValueError, f"mask: {GAPS}"),
    (lambda env: env.step_where(), TypeError, None),
    (lambda env: env.step(0), TypeError, None),
    (lambda env: env.script(0), TypeError, None),
    (lambda env: env.log(0), TypeError, None),
    (lambda env: env.close(0), TypeError, None),
    (lambda env: env.get(), TypeError, None),
    (lambda env: env.get("limit"), ValueError, f"{FIELD}, got 'limit'"),
    (lambda env: env.get(0), TypeError, f"{FIELD}, got 0"),
    (lambda env: env.get("count", 2), ValueError, "env: expected an int in [0, 1], got 2"),
    (lambda env: env.get("count", -1), ValueError, "env: expected an int in [0, 1], got -1"),
    (lambda env: env.get("count", None), TypeError, "env: expected an int, got None"),
    (lambda env: env.set("count", bytes(3)), ValueError, "data: expected 4 bytes, got 3"),
    (lambda env: env.set("count", bytes(5)), ValueError, "data: expected 4 bytes, got 5"),
    (lambda env: env.set("count", b""), ValueError, "data: expected 4 bytes, got 0"),
    (lambda env: env.set("rng", bytes(16)), ValueError, "data: expected 8 bytes, got 16"),
    (lambda env: env.set("count", 5), TypeError, "data: expected an array of numbers, got int"),
    (lambda env: env.set("count", np.zeros(4, "i2")[::2]), ValueError, f"data: {GAPS}"),
    (lambda env: env.set("count", np.zeros(2, "u2")), ValueError, "data: expected int16 or bytes, got uint16"),
    (lambda env: env.set("counts", bytes(4)), ValueError, f"{FIELD}, got 'counts'"),
    (lambda env: env.set("count", bytes(4), 2), ValueError, "env: expected an int in [0, 1], got 2"),
    (lambda env: env.render(None), TypeError, "pixels: expected an array of numbers, got NoneType"),
    (lambda env: env.render(np.zeros((4, 4, 3))), ValueError, f"{PIXELS}, got float64 (4, 4, 3)"),
    (lambda env: env.render(np.zeros((4, 4), "u1")), ValueError, f"{PIXELS}, got uint8 (4, 4)"),
    (lambda env: env.render(np.zeros((4, 4, 4), "u1")), ValueError, f"{PIXELS}, got uint8 (4, 4, 4)"),
    (lambda env: env.render(np.zeros((0, 4, 3), "u1")), ValueError, f"{PIXELS}, got uint8 (0, 4, 3)"),
    (lambda env: env.render(np.zeros((4, 4, 3), "u1")[::-1]), ValueError, f"pixels: {GAPS}"),
    (lambda env: env.render(read_only(np.zeros((4, 4, 3), "u1"))), ValueError, f"pixels: {READ_ONLY}"),
    (lambda env: env.render(np.zeros((4, 4, 3), "u1"), 2), ValueError, "env: expected an int in [0, 1], got 2"),
    (lambda env: env.window(2), ValueError, "env: expected an int in [0, 1], got 2"),
    (lambda env: env.window("0"), TypeError, "env: expected an int, got '0'"),
    (lambda env: setattr(env, "seed", 1), AttributeError, None),
    (lambda env: setattr(env, "num_envs", 5), AttributeError, None),
    (lambda env: setattr(env, "extra", 5), AttributeError, None),
    (lambda env: env.parameters.update(limit=3), AttributeError, None),
    (lambda env: env.parameters["limit"].__setitem__("max", 3), AttributeError, None),
    (pickle.dumps, TypeError, None),
    (copy.copy, TypeError, None),
    (copy.deepcopy, TypeError, None),
    (lambda env: object.__new__(type(env)), TypeError, None),
]


@pytest.mark.parametrize(("keywords", "expected", "message"), BAD_KEYWORDS)
def test_keyword_is_refused(counter, keywords, expected, message):
    arrays = arrays_for(counter)
    counts = [sys.getrefcount(a) for a in arrays.values()]
    with no_leak(counter):
        with refused(expected, message):
            counter.VecEnv(**arrays, **keywords)
        if keywords.keys() <= counter.VecEnv.parameters.keys() | {"limi", "count"}:
            with refused(expected, message):
                counter.layout(**keywords)
    assert [sys.getrefcount(a) for a in arrays.values()] == counts


REWARDS = np.zeros(2, np.float32)
SHARED = [
    pytest.param("rewards", way.spoil, way.error, way.message("rewards", REWARDS, "float32 (2,)"), id=key)
    for key, way in ways_to_spoil(REWARDS)
]
BAD_ARRAYS = [(name, spoil, error, f"^{re.escape(f'{name}: {message}')}$") for name, spoil, error, message in BAD_ARRAYS]


@pytest.mark.parametrize(("name", "spoil", "expected", "message"), [*SHARED, *BAD_ARRAYS])
def test_array_is_refused(counter, name, spoil, expected, message):
    arrays = arrays_for(counter)
    arrays[name] = spoil(arrays[name])
    ours = [a for a in arrays.values() if a is not None and not isinstance(a, type)]  # these have other references
    counts = [sys.getrefcount(a) for a in ours]
    with no_leak(counter), pytest.raises(expected, match=message):
        counter.VecEnv(**arrays)
    assert [sys.getrefcount(a) for a in ours] == counts


@pytest.mark.parametrize("name", NAMES)
def test_every_array_is_checked(module, name):
    for spoil in (lambda a: a.astype(np.float64), lambda a: a[1:], spaced, read_only, lambda a: None):
        arrays = arrays_for(module, 2)
        arrays[name] = spoil(arrays[name])
        with pytest.raises((TypeError, ValueError), match=f"^{name}: expected "):
            module.VecEnv(**arrays, num_envs=2)


def test_overlap_is_refused(counter):
    arrays = arrays_for(counter, 2)
    flags = np.zeros(7, bool)  # the last of one is the first of the other
    with no_leak(counter), refused(ValueError, "truncations: overlaps terminals"):
        counter.VecEnv(**arrays | {"terminals": flags[:4], "truncations": flags[3:]}, num_envs=2)
    with no_leak(counter), refused(ValueError, "rewards: overlaps actions"):
        counter.VecEnv(**arrays | {"rewards": arrays["actions"].reshape(-1)[4:].view("f4")}, num_envs=2)
    flags = np.zeros(8, bool)  # side by side is fine
    counter.VecEnv(**arrays | {"terminals": flags[:4], "truncations": flags[4:]}, num_envs=2).close()


def test_wrong_arguments_are_refused(counter):
    arrays = arrays_for(counter)
    five = list(arrays.values())
    with refused(TypeError, "observations: missing"):
        counter.VecEnv()
    with refused(TypeError, "truncations: missing"):
        counter.VecEnv(*five[:4])
    with refused(TypeError, "rewards: given both by position and by name"):
        counter.VecEnv(*five, rewards=five[2])
    with refused(TypeError, "VecEnv() takes at most 5 positional arguments, got 6"):
        counter.VecEnv(*five, 1)
    with refused(TypeError, "layout() takes keyword arguments only"):
        counter.layout(5)
    with pytest.raises(TypeError):
        counter.VecEnv(*five, **{1: 2})


@pytest.mark.parametrize(("call", "expected", "message"), BAD_CALLS)
def test_call_is_refused_and_changes_nothing(counter, call, expected, message):
    env, arrays = started(counter, 2)
    before = snapshot(env, arrays)
    with pytest.raises(expected, match=message and f"^{re.escape(message)}$"):
        call(env)
    assert snapshot(env, arrays) == before
    env.step()  # it still works


@pytest.mark.parametrize(
    ("where", "value", "message"),
    [
        ((0, 0), 3, "actions: agent 0, element 0: expected an integer in [0, 2], got 3"),
        ((3, 1), 2, "actions: agent 3, element 1: expected an integer in [0, 1], got 2"),
        ((2, 0), -1, "actions: agent 2, element 0: expected an integer in [0, 2], got -1"),
        ((1, 1), -(2**31), "actions: agent 1, element 1: expected an integer in [0, 1], got -2147483648"),
    ],
)
def test_action_is_refused_and_nothing_moves(counter, where, value, message):
    env, arrays = started(counter, 2)
    good = arrays["actions"][where]
    arrays["actions"][where] = value
    before = snapshot(env, arrays)
    with refused(ValueError, message):
        env.step()
    assert snapshot(env, arrays) == before
    arrays["actions"][where] = good
    env.step()


@pytest.mark.parametrize(
    ("kind", "value", "expected", "got"),
    [
        ("discrete", 5, "an integer in [0, 4]", "5"),
        ("discrete", -1, "an integer in [0, 4]", "-1"),
        ("continuous", 1.5, "a float in [-1, 1]", "1.5"),
        ("continuous", math.nan, "a float in [-1, 1]", "nan"),
        ("continuous", -math.inf, "a float in [-1, 1]", "-inf"),
    ],
)
@pytest.mark.parametrize("agent", [0, 7, 15])
def test_turn_is_refused_and_nothing_moves(boids, kind, value, expected, got, agent):
    env, arrays = started(boids, 2, num_boids=8, action=kind)
    arrays["actions"][agent] = value
    before = snapshot(env, arrays)
    with refused(ValueError, f"actions: agent {agent}: expected {expected}, got {got}"):
        env.step()
    assert snapshot(env, arrays) == before


def uses_of_one(env):
    """The calls that are about a single environment."""
    pixels = np.zeros((4, 4, 3), np.uint8)
    return [lambda: env.render(pixels), lambda: env.get("rng"), lambda: env.set("rng", bytes(8)), lambda: env.window()]


def test_before_the_first_reset(module):
    env, arrays = make(module)
    mask = np.ones(1, bool)
    for call in (env.step, env.script, lambda: env.step_where(mask), lambda: env.reset(mask=mask), *uses_of_one(env)):
        with refused(RuntimeError, "call reset() first"):
            call()
    assert env.log() == {}
    assert not any(a.any() for a in arrays.values())


def test_after_close(module):
    env, arrays = started(module)
    assert not env.closed
    env.close()
    env.close()
    assert env.closed
    before = [a.tobytes() for a in arrays.values()]
    for call in (env.reset, env.step, env.script, env.log, env.__enter__, *uses_of_one(env)):
        with refused(RuntimeError, "VecEnv is closed"):
            call()
    assert env.num_envs == 1
    assert [a.tobytes() for a in arrays.values()] == before


# ---- What is accepted ---------------------------------------------------------------------------------------------------


def test_numbers_of_numpy_are_numbers(counter):
    env, _ = make(counter, np.int64(2), np.uint64(2**63 - 1), np.int8(2), limit=np.uint8(7), scale=np.float32(0.5))
    assert (env.num_envs, env.num_agents, env.num_threads, env.seed) == (2, 4, 2, 2**63 - 1)
    make(counter, scale=np.float64(0.5))
    make(counter, scale=np.int32(3))
    make(counter, scale=3)


def test_arrays_of_other_shapes_and_kinds(counter):
    arrays = arrays_for(counter)
    arrays["observations"] = np.zeros((2, 2, 1), np.uint8)
    arrays["terminals"] = np.zeros(2, np.int8)
    arrays["truncations"] = bytearray(2)
    arrays["rewards"] = array.array("f", [0, 0])
    env = counter.VecEnv(*arrays.values(), limit=5)
    env.reset()
    env.script()
    env.step()
    assert list(arrays["rewards"]) == [1, 1]


def test_one_action_per_agent_is_a_column_or_a_row(boids):
    for shape in [(8,), (8, 1)]:
        arrays = arrays_for(boids, num_boids=8) | {"actions": np.full(shape, 2, np.int32)}
        env = boids.VecEnv(**arrays, num_boids=8)
        env.reset()
        env.step()


# ---- Parameters that change ---------------------------------------------------------------------------------------------


def test_changed_parameters_count(counter):
    """To the same bits as in a VecEnv made with these values and given the same state, which counts the new ones."""
    env, arrays = started(counter, 3, limit=20, floor=True)
    env.set_parameters(scale=2.5, goal="meet", floor=False)
    state = env.state()
    other, others = make(counter, 3, seed=9, limit=20, scale=2.5, goal="meet", floor=False)
    other.set_state(state)
    random = np.random.default_rng(0)
    seen = set()
    for _ in range(200):
        arrays["actions"][:] = others["actions"][:] = random.integers(0, [3, 2], (6, 2))
        for one in (env, other):
            one.step()
        assert snapshot(env, arrays) == snapshot(other, others)
        seen |= set(arrays["rewards"].tolist())
    assert seen == {0, 2.5}
    assert arrays["truncations"].any() or env.log()["finished"] < 1  # there is no floor
    with refused(ValueError, "data: expected scale 1, got 2.5"):
        make(counter, 3, limit=20, goal="meet", floor=False)[0].set_state(state)


def test_observations_follow_a_change(counter):
    env, arrays = started(counter)
    observations = arrays["observations"].copy()
    arrays["observations"][:] = 99
    env.set_parameters(scale=3)
    assert (arrays["observations"] == observations).all()
    fresh, others = make(counter)
    fresh.set_parameters(scale=3)  # before the first reset
    fresh.reset()
    fresh.script()
    fresh.step()
    assert list(others["rewards"]) == [3, 3]


BAD_CHANGES = [
    ({"limit": 5}, TypeError, "limit: expected a parameter that may change: scale, floor, goal"),
    ({"wings": 5}, TypeError, "wings: expected a parameter that may change: scale, floor, goal"),
    ({"scale": 2, "limit": 5}, TypeError, "limit: expected a parameter that may change: scale, floor, goal"),
    ({"scale": 10.5}, ValueError, "scale: expected a float in [0, 10] per count, got 10.5"),
    ({"scale": math.nan}, ValueError, "scale: expected a float in [0, 10] per count, got nan"),
    ({"scale": 2, "goal": "clim"}, ValueError, "goal: expected one of 'climb', 'meet', got 'clim'"),
    ({"scale": "2"}, TypeError, "scale: expected a float, got '2'"),
    ({"floor": 1}, TypeError, "floor: expected True or False, got 1"),
    ({"scale": 2, "goal": "meet"}, ValueError, "goal: to meet takes a limit of 4 at least"),  # the message of c_changed
]


@pytest.mark.parametrize(("changes", "expected", "message"), BAD_CHANGES)
def test_change_is_refused_and_changes_nothing(counter, changes, expected, message):
    env, arrays = started(counter, 2, limit=3)
    before, state = snapshot(env, arrays), env.state()
    with refused(expected, message):
        env.set_parameters(**changes)
    assert (snapshot(env, arrays), env.state()) == (before, state)
    env.step()
    with refused(TypeError, "set_parameters() takes at most 0 positional arguments, got 1"):
        env.set_parameters(2)
    env.close()
    with refused(RuntimeError, "VecEnv is closed"):
        env.set_parameters(scale=2)


# ---- What is held, and given back ---------------------------------------------------------------------------------------


def test_arrays_are_held_until_close(counter):
    held = array.array("f", [0, 0])
    env = counter.VecEnv(**arrays_for(counter) | {"rewards": held})
    with pytest.raises(BufferError):
        held.append(0)
    env.close()
    held.append(0)
    with pytest.raises(ValueError, match="rewards: expected float32"):
        counter.VecEnv(**arrays_for(counter) | {"rewards": held})
    held.append(0)  # a constructor that fails holds nothing


def test_the_owner_of_the_memory_is_held(counter, tmp_path):
    """NumPy lets go of the buffer that an array is made of: only the array's `base` knows of it."""
    memory = shared_memory.SharedMemory(create=True, size=64)
    (tmp_path / "file").write_bytes(bytes(64))
    file = np.memmap(tmp_path / "file", np.float32, "r+", shape=2)
    numbers = bytearray(8)
    whole = np.zeros((3, 2), np.float32)
    for rewards, let_go in [
        (np.ndarray(2, np.float32, buffer=memory.buf), memory.close),
        (np.ndarray(4, np.float32, buffer=memory.buf)[2:], memory.close),
        (file, file._mmap.close),
        (np.frombuffer(numbers, np.float32), numbers.clear),
        (whole[1], lambda: whole.resize(1)),
    ]:
        before = sys.getrefcount(whole)
        env = counter.VecEnv(**arrays_for(counter) | {"rewards": rewards})
        with pytest.raises((BufferError, ValueError)):
            let_go()
        env.reset()
        env.step()
        env.close()
        assert sys.getrefcount(whole) == before
    del rewards, file, let_go
    gc.collect()
    memory.close()
    memory.unlink()
    numbers.clear()


def moved(rewards):
    rewards.__setstate__((1, (1 << 20,), np.dtype(np.float32), False, bytes(4 << 20)))


def reallocated():
    numbers = (ctypes.c_float * 2)()
    return np.frombuffer(numbers, np.float32), lambda _: ctypes.resize(numbers, 1 << 20)


def view_of_a_larger():
    whole = np.zeros(1 << 16, np.float32)
    return whole[:2], lambda _: whole.resize(1 << 20, refcheck=False)


TAKEN_AWAY = {
    "resize": lambda: (np.zeros(2, np.float32), lambda rewards: rewards.resize(1 << 20, refcheck=False)),
    "shrink": lambda: (np.zeros(2, np.float32), lambda rewards: rewards.resize(1, refcheck=False)),
    "setstate": lambda: (np.zeros(2, np.float32), moved),
    "ctypes.resize": reallocated,
    "view": view_of_a_larger,
}


@pytest.mark.parametrize("way", TAKEN_AWAY)
def test_memory_that_was_taken_away_is_missed(counter, way):
    """By every call but step() and script(), which would take longer; the documentation says so."""
    rewards, take_away = TAKEN_AWAY[way]()
    env = counter.VecEnv(**arrays_for(counter) | {"rewards": rewards})
    env.reset()
    state = env.state()
    take_away(rewards)
    pixels = np.zeros((4, 4, 3), np.uint8)
    message = "rewards: expected the memory that it had at first, got other memory: it was resized or replaced"
    uses = [env.reset, env.state, lambda: env.set_state(state), lambda: env.render(pixels), env.window]
    for use in [*uses, lambda: env.set_parameters(scale=2)]:
        with refused(RuntimeError, message):
            use()
    env.close()


def test_wrong_arrays_are_refused_before_all_is_made(counter):
    """Of 2**20 environments one is made, which takes three allocations."""
    left, arrays = allocations(counter, "left"), arrays_for(counter)
    with no_leak(counter):
        left.value = 1000
        try:
            with refused(ValueError, "observations: expected uint8 (2097152, 2), got uint8 (2, 2)"):
                counter.VecEnv(**arrays, num_envs=2**20)
            assert left.value == 1000 - 3
        finally:
            left.value = -1


def test_arrays_outlive_their_names(counter):
    env, arrays = make(counter)
    del arrays
    gc.collect()
    junk = [bytearray(64) for _ in range(1000)]
    env.reset()
    env.step()
    assert not any(any(block) for block in junk)


@pytest.mark.slow
def test_out_of_memory_leaks_nothing(counter):
    left = allocations(counter, "left")
    arrays = arrays_for(counter, 2)
    for call in (lambda: counter.VecEnv(**arrays, num_envs=2).close(), counter.layout):
        for successes in range(50):
            with no_leak(counter):
                left.value = successes
                try:
                    call()
                    break
                except MemoryError:
                    assert left.value == 0
                finally:
                    left.value = -1
        assert 2 < successes < 50  # it failed at each of them


def test_out_of_pythons_memory_leaks_nothing(counter):
    needs.package("_testcapi", "install a Python that has it, as Debian's does")  # it makes allocations fail
    testcapi = importlib.import_module("_testcapi")
    arrays = arrays_for(counter)
    failures = 0
    with no_leak(counter):
        for at in range(400):
            testcapi.set_nomemory(at, at + 1)  # this one allocation fails
            try:
                env = counter.VecEnv(**arrays, scale=2, goal="meet")
            except MemoryError:
                failures += 1
            else:
                env.close()
            finally:
                testcapi.remove_mem_hooks()
    assert 10 < failures < 400


def test_no_leak_over_many_lives(counter):
    with no_leak(counter):
        for _ in range(200):
            env, _ = started(counter, 3)
            env.log()
            env.get("count")
        env.close()


def test_cycles_are_collected(counter):
    class Owner(counter.VecEnv):
        pass

    class Array(np.ndarray):
        pass

    with no_leak(counter):
        owner = Owner(**arrays_for(counter))
        owner.me = owner
        dead = weakref.ref(owner)
        del owner
        gc.collect()
        assert dead() is None

        arrays = arrays_for(counter)
        arrays["rewards"] = arrays["rewards"].view(Array)
        dead = weakref.ref(arrays["rewards"])
        arrays["rewards"].env = counter.VecEnv(**arrays)
        del arrays
        gc.collect()
        assert dead() is None
    assert gc.is_tracked(make(counter)[0])


def test_subclass(counter):
    class Named(counter.VecEnv):
        def __init__(self, *arrays, **options):
            self.name = "named"

        def step(self):
            super().step()
            return self.name

    env = Named(**arrays_for(counter))
    env.reset()
    assert env.step() == "named"
    assert isinstance(env, counter.VecEnv)


def test_with_closes(counter):
    with make(counter)[0] as env:
        env.reset()
    assert env.closed


# ---- Seeds --------------------------------------------------------------------------------------------------------------


def run(module, seed, resets, num_envs=3, steps=20, num_threads=1):
    """Everything seen in a run; its resets are given by their seeds."""
    env, arrays = make(module, num_envs, seed, num_threads)
    seen = []
    for reset in resets:
        env.reset(reset)
        seen.append(snapshot(env, arrays))
    for _ in range(steps):
        env.script()
        env.step()
        seen.append(snapshot(env, arrays))
    return seen


def test_same_seed_same_run(module):
    assert run(module, 7, [None]) == run(module, 7, [None])
    assert run(module, 7, [3]) == run(module, 7, [3])
    assert run(module, 7, [None, 1, 3])[2:] == run(module, 7, [3])


def test_seeds_differ(module):
    """Streams depend on the constructor's seed, the seeds of resets, their number, and the environment."""
    first = {
        name: run(module, seed, resets, steps=0)[-1]
        for name, seed, resets in [
            ("constructor 0", 0, [None]), ("constructor 1", 1, [None]), ("reset 0", 0, [0]), ("reset 1", 0, [1]),
            ("reset 0, constructor 1", 1, [0]), ("going on", 0, [None, None]), ("going on from a reset", 0, [0, None]),
        ]
    }  # fmt: skip
    index = list(module.VecEnv.state_fields).index("rng")
    streams = [rng for seen in first.values() for rng in seen[3 * index : 3 * index + 3]]
    assert len(set(streams)) == 3 * len(first)


def test_reset_clears(module):
    env, arrays = started(module)
    for name in ("rewards", "terminals", "truncations"):
        arrays[name][:] = 1
    env.reset()
    assert not any(arrays[name].any() for name in ("rewards", "terminals", "truncations"))
    assert arrays["observations"].any()


def test_some_environments_alone(module):
    """They do what they would do among all; the others keep every byte but their rewards and flags."""
    some, seen = started(module, 3)
    every, others = started(module, 3)
    first = np.arange(3) == 0
    for env in (some, every):
        env.script()
    before = {name: array.copy() for name, array in seen.items()}
    some.step_where(first)
    every.step()
    each = len(seen["rewards"]) // 3
    for name in ("observations", "rewards", "terminals", "truncations"):
        assert np.array_equal(seen[name][:each], others[name][:each])
        rest = before[name] if name == "observations" else np.zeros_like(before[name])
        assert np.array_equal(seen[name][each:], rest[each:])
    some.step_where(~first)
    assert np.array_equal(seen["observations"], others["observations"])
    every.reset(5)
    kept = seen["observations"].copy()
    some.reset(seed=5, mask=first)
    assert np.array_equal(seen["observations"][:each], others["observations"][:each])
    assert np.array_equal(seen["observations"][each:], kept[each:])
    some.reset(5, np.ones(3, np.uint8))
    assert np.array_equal(seen["observations"], others["observations"])
    some.step_where(None)


def test_a_mask_may_be_an_array_that_is_written(squared):
    """The truncations of environments of one agent are a mask of environments."""
    env, arrays = make(squared, 4)
    env.reset()
    arrays["truncations"][:2] = True
    before = arrays["observations"].copy()
    env.reset(1, arrays["truncations"])
    changed = (arrays["observations"] != before).any(1)
    assert changed[:2].any()
    assert not changed[2:].any()
    assert not arrays["truncations"].any()


# ---- Threads ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("num_threads", [2, 3, 64])
def test_threads_change_nothing(module, num_threads):
    assert run(module, 5, [None], 13, 60, num_threads) == run(module, 5, [None], 13, 60)


MANY = 2**16  # environments: a step takes some milliseconds
FREE_THREADED = bool(sysconfig.get_config_var("Py_GIL_DISABLED"))


@pytest.mark.skipif(not FREE_THREADED, reason="this Python has a GIL")
def test_no_gil_is_asked_for():
    """An extension that asks for a GIL turns it on for the whole process, with a warning."""
    done = python("import sys, warnings; warnings.simplefilter('error'); import boids_env; print(sys._is_gil_enabled())")
    assert (done.stdout, done.stderr) == ("False\n", "")


@pytest.mark.skipif(FREE_THREADED, reason="this Python has no GIL to release")
def test_gil_is_released(counter):
    """A thread that waits for the GIL gets it while C steps. Without the release Python would keep it for an hour."""
    env, _ = make(counter, MANY)
    env.reset()
    gate, seen = threading.Lock(), []
    gate.acquire()
    thread = threading.Thread(target=lambda: (gate.acquire(), seen.append(True)))
    thread.start()
    interval = sys.getswitchinterval()
    sys.setswitchinterval(3600)
    try:
        gate.release()
        before = len(seen)
        for _ in range(500):
            env.step()
            if seen:
                break
        after = len(seen)
    finally:
        sys.setswitchinterval(interval)
    thread.join()
    assert (before, after) == (0, 1)


def test_two_threads_in_one_object(counter):
    env, _ = make(counter, MANY)
    env.reset()
    state, done = env.state(), threading.Event()
    refusals = []

    def step():
        while not done.is_set():
            with suppress(RuntimeError):  # in use by another thread
                env.step()

    thread = threading.Thread(target=step)
    thread.start()
    try:
        calls = [
            env.log,
            env.reset,
            env.step,
            env.script,
            env.state,
            lambda: env.set_state(state),
            *uses_of_one(env),
            env.close,
        ]
        for call in calls:
            for _ in range(10_000):
                try:
                    call()
                except RuntimeError as error:
                    refusals.append(str(error))
                    break
                if env.closed:  # close() came between two steps of the other thread
                    return
    finally:
        done.set()
        thread.join()
    assert refusals == len(calls) * ["VecEnv is in use by another thread"]


def in_threads(count, work):
    """What work(0), work(1), ... return, each in a thread of its own, all begun at once."""
    together = threading.Barrier(count)

    def begin(k):
        together.wait()
        return work(k)

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(begin, range(count)))


def test_two_objects_in_two_threads(module):
    expected = run(module, 3, [None], steps=100)
    assert in_threads(4, lambda k: run(module, 3, [None], steps=100, num_threads=1 + k % 2)) == [expected] * 4


@pytest.mark.slow
def test_any_call_in_any_thread(module, counter):
    """Four threads call one object: each call works or is refused with a documented message, and the object stays usable."""

    def close(it):
        with suppress(RuntimeError):  # in use by another thread
            it.close()

    def hammer(k):
        pixels = np.zeros((16, 16, 3), np.uint8)
        calls = [
            env.reset, lambda: env.reset(k), env.step, env.script, env.log, env.state, lambda: env.set_state(state),
            lambda: env.get("rng", k % 3), lambda: env.set("rng", bytes(8)), lambda: env.render(pixels), env.window,
            env.__enter__, lambda: env.closed, lambda: (env.num_envs, env.num_agents, env.seed), lambda: repr(env),
            lambda: arrays["actions"].fill(k % 2), lambda: arrays["rewards"].sum(), module.layout, gc.collect,
            lambda: module.VecEnv(**arrays, num_envs=3).close(),  # over the same arrays
        ]  # fmt: skip
        refusals = set()
        for which in np.random.default_rng(k).permutation(10 * list(range(len(calls)))):
            try:
                calls[which]()
            except RuntimeError as error:
                refusals.add(str(error))
        return refusals

    documented = {"VecEnv is in use by another thread", "window() belongs to the thread that called it first"}
    with no_leak(counter):
        env, arrays = started(module, 3)
        state = env.state()
        assert set().union(*in_threads(4, hammer)) <= documented
        other, others = started(module, 3, seed=1)
        for it, its in ((env, arrays), (other, others)):
            it.set_state(state)
            its["actions"][:] = 1
            it.step()
        assert snapshot(env, arrays) == snapshot(other, others)
        in_threads(4, lambda k: close(env))
        assert env.closed
        other.close()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_fork_after_threads(module):
    env, arrays = make(module, 8, num_threads=2)
    arrays["actions"][:] = 1
    env.reset()
    env.step()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # Python 3.12 warns that this may hang: here it must not
        child = os.fork()
    if child == 0:
        try:
            env.step()
            os._exit(0)
        finally:
            os._exit(1)
    env.step()
    deadline = time.monotonic() + 10
    while (ended := os.waitpid(child, os.WNOHANG)) == (0, 0) and time.monotonic() < deadline:
        time.sleep(0.01)
    if ended == (0, 0):
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        pytest.fail("step() hangs in the child")
    assert ended == (child, 0)


# ---- What comes out -----------------------------------------------------------------------------------------------------


def test_log_is_the_mean_over_episodes(counter):
    env, arrays = make(counter, 3, limit=6, scale=0.5, floor=False)
    env.reset()
    random = np.random.default_rng(0)
    running, returns, finished = np.zeros(6), [], []
    for _ in range(200):
        arrays["actions"][:] = random.integers(0, [3, 2], (6, 2))
        env.step()
        running += arrays["rewards"]
        over = arrays["terminals"] | arrays["truncations"]
        returns += running[over].tolist()
        finished += arrays["terminals"][over].tolist()
        running[over] = 0
    log = env.log()
    assert list(log) == list(env.log_fields)
    assert log["n"] == len(returns) > 50
    assert log["episode_return"] == pytest.approx(np.mean(returns))
    assert log["finished"] == pytest.approx(np.mean(finished))
    assert 0 < log["finished"] < 1
    assert env.log() == {}


def test_state_comes_and_goes(module):
    """Into another object, which then takes the same steps."""
    a, arrays = started(module, 2)
    fields = {f: (np.dtype(what["type"]).itemsize, what["doc"]) for f, what in a.state_fields.items()}
    agents = a.num_agents // a.num_envs
    for field, (size, doc) in fields.items():
        assert len(a.get(field, 1)) == size * (1 if field == "rng" else agents)
        assert doc
    b, others = make(module, 2, seed=1)
    b.reset()
    for field in fields:
        for i in range(2):
            b.set(field, a.get(field, env=i), env=i)
            assert b.get(field, i) == a.get(field, i)
    for env, its in ((a, arrays), (b, others)):
        its["actions"][:] = 0
        env.step()
    assert (arrays["observations"] == others["observations"]).all()


def test_any_bytes_are_a_state(module):
    """Any bytes may be set. A step from there stays within memory: the run under the sanitizers checks it."""
    env, _ = started(module, 2)
    random = np.random.default_rng(0)
    for _ in range(20):
        for name in env.state_fields:
            env.set(name, random.bytes(len(env.get(name))))
        env.step()


def test_render(counter):
    env, _ = make(counter, 2, limit=10)
    env.reset()
    env.set("count", np.array([2, 7], np.int16), 1)
    pixels = np.full((10, 4, 3), 9, np.uint8)
    env.render(pixels, env=1)
    assert (pixels[:, :2].sum(0) == 2 * 255).all()
    assert (pixels[:, 2:].sum(0) == 7 * 255).all()


def test_the_header_describes_itself(counter):
    kind = counter.VecEnv.parameters
    assert list(kind) == ["limit", "scale", "floor", "goal"]
    assert dict(kind["limit"]) == {
        "type": "int", "default": 10, "min": 2, "max": 200, "unit": "counts",
        "doc": "the count at which an episode ends", "choices": None, "changeable": False,
    }  # fmt: skip
    assert (kind["scale"]["default"], kind["scale"]["min"], kind["scale"]["max"]) == (1.0, 0.0, 10.0)
    assert isinstance(kind["scale"]["default"], float)
    assert kind["floor"]["default"] is True
    assert [name for name, what in kind.items() if what["changeable"]] == ["scale", "floor", "goal"]
    assert (kind["goal"]["default"], kind["goal"]["choices"], kind["goal"]["unit"]) == ("climb", ("climb", "meet"), "")
    assert counter.layout(limit=7) == {
        "num_agents": 2,
        "observation": {"dtype": "uint8", "size": 2, "low": 0.0, "high": 7.0, "choices": None, "mirror": None},
        "action": {"dtype": "int32", "size": 2, "low": 0.0, "high": 2.0, "choices": (3, 2), "mirror": None},
    }


LEFT_OUT = [
    ("script", (), "c_script"),
    ("render", (np.zeros((2, 2, 3), np.uint8),), "c_pixels"),
    ("window", (), "c_render"),
    ("state", (), "ENV_STATE"),
    ("set_state", (b"",), "ENV_STATE"),
    ("set_parameters", (), "ENV_CHANGEABLE"),
]


@pytest.mark.parametrize(("name", "arguments", "missing"), LEFT_OUT)
def test_what_a_header_leaves_out_says_so(least, name, arguments, missing):
    env, arrays = make(least, 3)
    env.reset()
    arrays["actions"][:] = [-1, 0.5, 1]
    with pytest.raises(NotImplementedError, match=re.escape(f"least.h defines no {missing}")):
        getattr(env, name)(*arguments)
    env.step()
    assert list(arrays["observations"]) == list(arrays["rewards"]) == [-1, 0.5, 1]


# ---- Headers that contradict themselves ---------------------------------------------------------------------------------

LEAST = Path(__file__).parent / "counter" / "least.h"
SOURCE = LEAST.parent.parent.parent / "src" / "binding.c"
END = "#endif\n"


def field(old, new):
    return lambda text: text.replace(old, new)


def added(line):
    return lambda text: text.replace("#define ENV_LOG(X)\n", f"#define ENV_LOG(X)\n{line}\n")


def defined(name, function):
    return lambda text: text[: -len(END)] + f"#define {name} {name}\nstatic inline {function}\n{END}"


PARAM = '#define ENV_PARAMS(X) X(int, rows, 1, 0, 9, "", "")'
BAD_HEADERS = {
    "double observations": (
        field("float *observations, *actions,", "double* observations; float *actions,"),
        "observations of Env is no float*",
    ),
    "int64 actions": (
        field("*actions, *rewards;", "*rewards; int64_t* actions;"),
        "actions of Env is no float*, int32_t* or void*",
    ),
    "uint8 actions": (
        field("*actions, *rewards;", "*rewards; uint8_t* actions;"),
        "actions of Env is no float*, int32_t* or void*",
    ),
    "double rewards": (field("*actions, *rewards;", "*actions; double* rewards;"), "rewards of Env is no float*"),
    "bool terminals": (
        field("uint8_t *terminals, *truncations", "bool* terminals; uint8_t* truncations"),
        "terminals of Env is no uint8_t*",
    ),
    "float truncations": (
        field(" *terminals, *truncations", " *terminals; float* truncations"),
        "truncations of Env is no uint8_t*",
    ),
    "int64 num_agents": (
        field("int32_t num_agents, num_threads", "int64_t num_agents; int32_t num_threads"),
        "num_agents of Env is no int32_t",
    ),
    "uint32 rng": (field("uint64_t rng", "uint32_t rng"), "rng of Env is no uint64_t"),
    "float log": (field("double n;", "float n;"), "Log must be doubles"),
    "int log": (field("double n;", "int64_t n;"), "n of Log is no double"),
    "log left out": (field("double n;", "double score, n;"), "ENV_LOG must list all of them but n"),
    "c_pixel": (
        defined(
            "c_pixel",
            "void c_pixel(Env* env, uint8_t* rgb, int32_t w, int32_t h) { (void)env, (void)rgb, (void)w, (void)h; }",
        ),
        "c_pixel",
    ),
    "c_scripts": (defined("c_scripts", "void c_scripts(Env* env) { (void)env; }"), "c_scripts"),
    "c_policy": (defined("c_policy", "void c_policy(Env* env) { (void)env; }"), "c_policy"),
    "c_draw": (defined("c_draw", "int32_t c_draw(Env* env) { return (void)env, 0; }"), "c_draw"),
    "script not announced": (
        lambda text: text[: -len(END)] + "static inline void c_script(Env* env) { (void)env; }\n" + END,
        "redefinition of .c_script",
    ),
    "changed not announced": (
        lambda text: text[: -len(END)] + "static inline const char* c_changed(Env* env) { return (void)env, NULL; }\n" + END,
        "redefinition of .c_changed",
    ),
    "ENV_SCALAR": (added("#define ENV_SCALAR(X)"), "the lists are ENV_PARAMS, ENV_LOG"),
    "ENV_OBSERVATIONS": (added("#define ENV_OBSERVATIONS(X)"), "the lists are ENV_PARAMS, ENV_LOG"),
    "ENV_CHANGABLE": (added("#define ENV_CHANGABLE(X)"), "the lists are ENV_PARAMS, ENV_LOG"),
    "scalars without a state": (
        added("#define ENV_SCALARS(X)"),
        "ENV_SCALARS, ENV_STATE_VERSION and c_imagine need ENV_STATE",
    ),
    "imagined steps without a state": (added("#define c_imagine c_imagine"), "c_imagine need ENV_STATE"),
    "changeable, no parameter": (
        lambda text: added("#define ENV_CHANGEABLE(X) X(row)")(text).replace(
            END, "static inline const char* c_changed(Env* env) { return (void)env, NULL; }\n" + END
        ),
        "ENV_VEC__INDEX_row",
    ),
    "changeable without c_changed": (added("#define ENV_CHANGEABLE(X)"), "c_changed"),
    "c_reset of another kind": (
        field("void c_reset(Env* env) {", "int c_reset(Env* env) { return 0;"),
        "c_reset is no void of Env*",
    ),
    "c_step misspelt": (field("c_step", "c_steps"), "c_step"),
    "parameter of another type": (
        lambda text: text.replace("#define ENV_PARAMS(X)", PARAM).replace("Log log;", "Log log; float rows;"),
        "rows of Env is no int",
    ),
}


def compiled(text, folder, *flags):
    """Compiles binding.c with this header."""
    (folder / "bad.h").write_text(text)
    include = sysconfig.get_paths()["include"]
    words = [*needs.compiler().split(), "-std=c11", "-O0", f"-I{folder}", f"-isystem{include}", *flags, str(SOURCE)]
    words += ['-DENV_HEADER="bad.h"', "-DENV_MODULE=_bad", f"-I{SOURCE.parent}"]
    return subprocess.run(words, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("name", BAD_HEADERS)
def test_a_header_that_contradicts_itself_does_not_compile(tmp_path, name):
    spoil, message = BAD_HEADERS[name]
    text = spoil(LEAST.read_text())
    assert text != LEAST.read_text()
    done = compiled(text, tmp_path, "-fsyntax-only")
    assert done.returncode != 0
    assert re.search(re.escape(message).replace(re.escape("."), "."), done.stderr), done.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="the flags are those of other compilers")
def test_a_header_whose_spaces_contradict_it_makes_no_object(tmp_path):
    """Where only a run tells the type: every wrong letter of one module is refused in turn."""
    text = LEAST.read_text()
    assert compiled(text, tmp_path, "-fsyntax-only").stderr == ""
    text = text.replace("{'f', 1, -1, 1, NULL};", "{letters[0], 1, -1, 1, choices};")
    text = text.replace("return c_observation_space(env);", "return (void)env, (EnvSpace){letters[1], 1, -1, 1, choices};")
    variables = "__attribute__((visibility(\"default\"))) char letters[2] = {'f', 'f'};\n"
    text = text.replace("typedef struct Log", variables + "static const int32_t* choices;\ntypedef struct Log")
    library = tmp_path / f"_bad{sysconfig.get_config_var('EXT_SUFFIX')}"
    done = compiled(text, tmp_path, "-shared", "-fPIC", "-o", str(library), "-lm")
    assert done.returncode == 0, done.stderr
    spec = importlib.util.spec_from_file_location("_bad", library)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    letters = (ctypes.c_char * 2).in_dll(ctypes.PyDLL(str(library)), "letters")
    assert module.layout()["observation"]["dtype"] == "float32"
    arrays = arrays_for(module)
    for observation, action, message in [
        ("B", "f", "c_observation_space: expected type 'f', because observations of Env is float*, got 'B'"),
        ("b", "f", "c_observation_space: expected type 'f', because observations of Env is float*, got 'b'"),
        ("i", "f", "c_observation_space: expected type 'f', because observations of Env is float*, got 'i'"),
        ("d", "f", "c_observation_space: expected type 'f', 'i', 'b' or 'B' and at least one element"),
        ("?", "f", "c_observation_space: expected type 'f', 'i', 'b' or 'B' and at least one element"),
        ("f", "i", "c_action_space: neither choices of type 'i' nor a range of type 'f'"),
        ("f", "d", "c_action_space: neither choices of type 'i' nor a range of type 'f'"),
    ]:
        letters.value = (observation + action).encode()
        for call in (module.layout, lambda: module.VecEnv(**arrays)):
            with refused(SystemError, message):
                call()
    letters.value = b"ff"
    module.VecEnv(**arrays).close()


def test_a_header_without_parameters(least):
    assert least.VecEnv.parameters == {}
    assert list(least.VecEnv.log_fields) == ["n"]
    assert list(least.VecEnv.state_fields) == ["rng"]
    assert least.VecEnv.observation_fields == {}
    with pytest.raises(TypeError, match="unknown parameter 'limit'; there are none"):
        least.layout(limit=3)


def test_elements_of_the_observation_have_names(boids, counter):
    """They are the first ones, and a header need not list any."""
    fields = boids.VecEnv.observation_fields
    assert list(fields)[:2] == ["any", "company"]
    assert len(fields) == boids.layout()["observation"]["size"]
    assert fields["company"] == "min(n / flockmates, 1)"
    with pytest.raises(TypeError):
        fields["any"] = ""
    assert counter.VecEnv.observation_fields == {}


def test_defaults_are_accepted(module):
    """The defaults that the class describes are those of the constructor."""
    defaults = {name: what["default"] for name, what in module.VecEnv.parameters.items()}
    assert module.layout(**defaults) == module.layout()


def test_help(module):
    assert list(inspect.signature(module.VecEnv).parameters) == [
        *NAMES, "final_observations", "num_envs", "seed", "num_threads", "parameters",
    ]  # fmt: skip
    assert str(inspect.signature(module.VecEnv.reset)) == "(self, /, seed=None, mask=None)"
    assert str(inspect.signature(module.VecEnv.render)) == "(self, /, pixels, env=0, *, layer='picture')"
    for name in ("reset", "step", "script", "log", "render", "get", "set", "state", "set_state", "close"):
        assert "Raises: " in getattr(module.VecEnv, name).__doc__
    assert module.VecEnv.__module__ == module.__name__


def test_repr(module) -> None:
    env, _ = make(module, 2)
    text = f"<VecEnv of {module.__name__.split('.')[-1]}: 2 environments, {env.num_agents} agents"
    assert repr(env) == text + ">"
    env.close()
    assert repr(env).endswith(", closed>")
