"""state() and set_state(): a run restored goes on to the same bits, and bytes that cannot be restored change nothing."""

import math
import pickle
import re
import struct
from contextlib import suppress

import numpy as np
import pytest

from boids_env import Flocks

HEAD = struct.Struct("<8sIIQ32sII")  # magic, format, version, bytes, module, num_envs, num_parameters


def make(module, num_envs=1, seed=0, num_threads=1, **parameters):
    """A VecEnv and its arrays by name."""
    what = module.layout(**parameters)
    n = num_envs * what["num_agents"]
    arrays = {name + "s": np.zeros((n, what[name]["size"]), what[name]["dtype"]) for name in ("observation", "action")}
    arrays |= {"rewards": np.zeros(n, np.float32), "terminals": np.zeros(n, bool), "truncations": np.zeros(n, bool)}
    return module.VecEnv(**arrays, num_envs=num_envs, seed=seed, num_threads=num_threads, **parameters), arrays


def act(module, arrays, random, **parameters):
    """Random actions."""
    choices, actions = module.layout(**parameters)["action"]["choices"], arrays["actions"]
    shape = actions.shape
    actions[:] = random.integers(choices, size=shape) if choices else random.uniform(-1, 1, shape)


def seen(arrays):
    """What a step wrote."""
    return [array.tobytes() for name, array in arrays.items() if name != "actions"]


def go_on(module, env, arrays, steps, **parameters):
    """All that `steps` steps with random actions and a reset write, and the log."""
    random = np.random.default_rng(5)
    written = []
    for _ in range(steps):
        act(module, arrays, random, **parameters)
        env.step()
        written += seen(arrays)
    written.append(env.log())
    env.reset()
    return [*written, *seen(arrays), env.state()]


def started(module, num_envs=1, steps=3, **options):
    """A VecEnv after some steps, so that a wrong change is visible."""
    env, arrays = make(module, num_envs, **options)
    env.reset()
    for _ in range(steps):
        env.script()
        env.step()
    return env, arrays


def snapshot(env, arrays):
    return [env.state(), *(array.tobytes() for array in arrays.values())]


def refused(expected, message):
    return pytest.raises(expected, match=f"^{re.escape(message)}$")


def sealed(data):
    """The bytes with the right checksum at their end."""
    total = 0xCBF29CE484222325
    for byte in data[:-8]:
        total = (total ^ byte) * 0x100000001B3 % 2**64
    return data[:-8] + struct.pack("<Q", total)


def forged(data, offset, form, *values):
    """The bytes with another value in one place, and a checksum that fits."""
    piece = struct.pack(form, *values)
    return sealed(data[:offset] + piece + data[offset + len(piece) :])


def envs_offset(module):
    """Where the first environment begins."""
    return HEAD.size + 8 * len(module.VecEnv.parameters)


# ---- The same bits ------------------------------------------------------------------------------------------------------

FLOCKS = {
    "rules": {"num_boids": 33},
    "nearest": {"num_boids": 20, "observation": "nearest"},
    "continuous": {"num_boids": 20, "action": "continuous", "warmup": 3},
    "nearest, continuous": {"num_boids": 17, "observation": "nearest", "action": "continuous", "stagger": False},
    "cells": {"num_boids": 300, "width": 3000, "observation": "nearest"},
    "one": {"num_boids": 1},
}


@pytest.mark.parametrize("num_threads", [1, 2])
@pytest.mark.parametrize("num_envs", [1, 5])
@pytest.mark.parametrize("parameters", FLOCKS.values(), ids=FLOCKS)
def test_goes_on_to_the_same_bits(boids, parameters, num_envs, num_threads):
    """In the same object and in a fresh one, of another seed; across the ends of episodes, and taken right after one."""
    parameters = {"horizon": 11, **parameters}
    for steps in (0, 7, 11):
        env, arrays = started(boids, num_envs, steps=steps, num_threads=num_threads, **parameters)
        state, was = env.state(), seen(arrays)
        expected = go_on(boids, env, arrays, 30, **parameters)
        assert expected[-6]["n"] >= 2 * num_envs
        other, its = make(boids, num_envs, seed=9, num_threads=3 - num_threads, **parameters)
        for one, ours in ((env, arrays), (other, its)):
            one.set_state(state)
            assert seen(ours) == was
            assert one.state() == state
            assert go_on(boids, one, ours, 30, **parameters) == expected


@pytest.mark.parametrize("num_threads", [1, 2])
def test_a_flock_that_shares_itself_out(boids, num_threads):
    parameters = {"num_boids": 3000, "width": 4000, "height": 2500, "horizon": 7}
    env, arrays = started(boids, num_threads=num_threads, **parameters)
    state = env.state()
    expected = go_on(boids, env, arrays, 10, **parameters)
    other, its = make(boids, num_threads=3 - num_threads, **parameters)
    other.set_state(state)
    assert go_on(boids, other, its, 10, **parameters) == expected


@pytest.mark.parametrize("num_threads", [1, 2])
@pytest.mark.parametrize(
    "parameters", [{"limit": 5}, {"limit": 30, "floor": False}, {"limit": 4, "goal": "meet", "scale": 0.1}]
)
def test_the_counter_too(counter, parameters, num_threads):
    """The counter has other types than the flock, terminals, and a sum of rewards for each agent."""
    env, arrays = started(counter, 3, num_threads=num_threads, **parameters)
    state, was = env.state(), seen(arrays)
    expected = go_on(counter, env, arrays, 40, **parameters)
    other, its = make(counter, 3, seed=9, **parameters)
    other.set_state(state)
    assert seen(its) == was
    assert go_on(counter, other, its, 40, **parameters) == expected


def test_log_comes_back(module):
    """set_state() restores the log, also after log() has emptied it."""
    parameters = {"horizon": 4} if "horizon" in module.VecEnv.parameters else {"limit": 4}
    env, _ = started(module, 2, steps=9, **parameters)
    state = env.state()
    log = env.log()
    assert log["n"] > 2
    env.set_state(state)
    assert env.log() == log
    assert env.log() == {}


def test_actions_stay(module):
    env, arrays = started(module, 2)
    state = env.state()
    env.script()
    actions = arrays["actions"].copy()
    arrays["observations"][:] = 1  # any values
    env.set_state(state)
    assert (arrays["actions"] == actions).all()
    assert env.state() == state


def test_size(module):
    """As the documentation says."""
    env, _ = started(module, 3)
    agents = env.num_agents // 3
    fields = agents * (2 + 4) if "count" in env.state_fields else agents * (4 + 4 + 2) + 4 + 128
    log = 8 * len(env.log_fields)
    assert len(env.state()) == 72 + 8 * len(env.parameters) + 3 * (fields + 8 + log + 6 * agents)


# ---- What is refused ----------------------------------------------------------------------------------------------------


def test_every_length_and_every_bit_counts(module):
    small = {"num_boids": 2} if "num_boids" in module.VecEnv.parameters else {}
    env, arrays = started(module, 1, **small)
    before = snapshot(env, arrays)
    good = before[0]
    wrong = [good[:length] for length in range(len(good))] + [good + b"\0", good + good]
    for k in range(len(good)):
        wrong += [good[:k] + bytes([good[k] ^ 1 << bit]) + good[k + 1 :] for bit in range(8)]
    env.step()  # so that the state differs from `good`
    before = snapshot(env, arrays)
    assert before[0] != good
    for data in wrong:
        with pytest.raises(ValueError, match=r"^data: "):
            env.set_state(data)
    assert snapshot(env, arrays) == before
    env.set_state(good)
    assert env.state() == good


OTHER_BYTES = "expected what state() returned, got other bytes"
FLAGS = "terminals and truncations: expected 0 or 1"


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda good: b"", OTHER_BYTES),
        (lambda good: b"\x93NUMPY" + bytes(1000), OTHER_BYTES),
        (lambda good: good[8:], OTHER_BYTES),
        (lambda good: good[:50], "expected at least 72 bytes, got 50"),
        (lambda good: good[:-1], "expected 216 bytes, got 215"),
        (lambda good: good + good, "expected 216 bytes, got 432"),
        (lambda good: good[:80] + b"?" + good[81:], "damaged (checksum mismatch)"),
        (lambda good: good[:-8] + bytes(8), "damaged (checksum mismatch)"),
        (lambda good: forged(good, 8, "<I", 1), "expected a state of format 2, got format 1"),
        (lambda good: forged(good, 12, "<I", 2), "expected version 1 with 4 parameters, got version 2 with 4"),
        (lambda good: forged(good, 60, "<I", 9), "expected version 1 with 4 parameters, got version 1 with 9"),
        (lambda good: forged(good, 24, "32s", b"_planted"), "expected a state of _counter, got one of _planted"),
        (lambda good: forged(good, 24, "32s", b"_counters"), "expected a state of _counter, got one of _counters"),
        (lambda good: forged(good, 24, "32s", 32 * b"?"), f"expected a state of _counter, got one of {31 * '?'}"),
        (lambda good: forged(good, 56, "<I", 1), "expected num_envs 2, got 1"),
        (lambda good: forged(good, 56, "<I", 2**32 - 1), "expected num_envs 2, got 4294967295"),
        (lambda good: forged(good, 64, "<d", 11), "expected limit 10, got 11"),
        (lambda good: forged(good, 64, "<d", math.nan), "expected limit 10, got nan"),
        (lambda good: forged(good, 72, "<d", 0.5), "expected scale 1, got 0.5"),
        (lambda good: forged(good, 80, "<d", 0), "expected floor True, got False"),
        (lambda good: forged(good, 88, "<d", 1), "expected goal climb, got meet"),
        (lambda good: forged(good, 88, "<d", 1e300), "expected goal climb, got 1e+300"),
        (lambda good: forged(good[:96] + good[-8:], 16, "<Q", 104), "expected 216 bytes, got 104"),
        (lambda good: forged(good[:64] + good[-8:], 16, "<Q", 72), "expected 216 bytes, got 72"),
        (lambda good: forged(good, 96, "<d", math.nan), "environment 0: log: expected finite sums"),
        (lambda good: forged(good, 96 + 56, "<d", math.inf), "environment 1: log: expected finite sums"),
        (lambda good: forged(good, 96 + 16, "<d", -1), "environment 0: log: expected at least 0 episodes"),
        (lambda good: forged(good, 216 - 9, "B", 2), f"environment 1: {FLAGS}"),
        (lambda good: forged(good, 96 + 52, "B", 255), f"environment 0: {FLAGS}"),
    ],
)
def test_refusal_changes_nothing(counter, spoil, message):
    env, arrays = started(counter, 2)
    good = env.state()
    assert HEAD.unpack_from(good) == (b"envstate", 2, 1, 216, b"_counter".ljust(32, b"\0"), 2, 4)
    assert sealed(good) == good
    env.step()
    before = snapshot(env, arrays)
    with refused(ValueError, f"data: {message}"):
        env.set_state(spoil(good))
    assert snapshot(env, arrays) == before


@pytest.mark.parametrize("data", ["state", None, bytearray(b"envstate"), np.zeros(2)], ids=repr)
def test_other_types_are_refused(counter, data):
    env, arrays = started(counter)
    before = snapshot(env, arrays)
    with refused(TypeError, f"data: expected bytes, got {data!r}"):
        env.set_state(data)
    assert snapshot(env, arrays) == before


TICK, LENGTH, STEPS, POLARIZATION = 0, 4 + 124, 4 + 120, 4 + 104  # of an environment's bytes; its tally begins at 4


@pytest.mark.parametrize(
    ("offset", "form", "value", "message"),
    [
        (TICK, "<i", -1, "tick: expected 0 to 19, got -1"),
        (TICK, "<i", 20, "tick: expected 0 to 19, got 20"),
        (TICK, "<i", 2**31 - 1, "tick: expected 0 to 19, got 2.14748365e+09"),
        (TICK, "<i", 2, "tally.length: expected 0 to 2, got 3"),
        (LENGTH, "<i", -1, "tally.length: expected 0 to 3, got -1"),
        (LENGTH, "<i", 4, "tally.length: expected 0 to 3, got 4"),
        (STEPS, "<i", 4, "tally.steps: expected 0 to 3, got 4"),
        (4, "<d", 1e300, "tally.reward_all: expected -100663296 to 100663296, got 1e+300"),
        (12, "<d", -math.inf, "tally.reward: expected -100663296 to 100663296, got -inf"),
        (4 + 64, "<d", -1, "tally.social: expected 0 to 100663296, got -1"),
        (POLARIZATION, "<d", math.nan, "tally.polarization: expected 0 to 6, got nan"),
        (POLARIZATION + 8, "<d", math.inf, "tally.milling: expected 0 to 6, got inf"),
        (4 + 128, "<d", math.nan, "log: expected finite sums"),
        (4 + 128 + 120, "<d", -2, "log: expected at least 0 episodes"),
    ],
)
def test_no_checksum_makes_nonsense_a_state(boids, offset, form, value, message):
    env, arrays = started(boids, num_boids=2, horizon=20)
    good = env.state()
    env.step()
    before = snapshot(env, arrays)
    with refused(ValueError, f"data: environment 0: {message}"):
        env.set_state(forged(good, envs_offset(boids) + offset, form, value))
    assert snapshot(env, arrays) == before


def test_any_other_bytes_stay_within_memory(module):
    """Random bytes are refused, or a step from them stays within memory: the run under the sanitizers checks it."""
    env, arrays = started(module, 2)
    good, first = env.state(), envs_offset(module)
    random = np.random.default_rng(0)
    taken = 0
    for _ in range(300):
        at = int(random.integers(first, len(good) - 16))
        size = int(random.integers(1, 9))
        with suppress(ValueError):  # how it refuses bytes; `taken` counts those that it takes
            env.set_state(forged(good, at, f"{size}s", random.bytes(size)))
            taken += 1
            for _ in range(3):
                act(module, arrays, random)
                env.step()
    assert taken > 0


def test_other_flocks_are_refused(boids, counter):
    """The message names what differs."""
    env, _ = started(boids, 2)
    state = env.state()
    for options, message in [
        ({"num_envs": 3}, "num_envs 3, got 2"),
        ({"num_boids": 32}, "num_boids 32, got 64"),
        ({"action": "continuous"}, "action continuous, got discrete"),
        ({"stagger": False}, "stagger False, got True"),
        ({"cohesion_weight": 0.5}, "cohesion_weight 0.5, got 0.400000006"),
        ({"horizon": 401}, "horizon 401, got 400"),
    ]:
        other, arrays = make(boids, **{"num_envs": 2, **options})
        with refused(ValueError, f"data: expected {message}"):
            other.set_state(state)
        with refused(RuntimeError, "call reset() first"):  # it has no episode yet
            other.step()
        assert not any(array.any() for array in arrays.values())
    other, _ = make(counter, 2)
    with refused(ValueError, f"data: expected a state of {counter.__name__}, got one of _boids"):
        other.set_state(state)


def test_before_the_first_reset(module):
    env, _ = make(module)
    with refused(RuntimeError, "call reset() first"):
        env.state()
    state = started(module)[0].state()
    env.set_state(state)  # replaces the reset
    env.step()


def test_after_close(module):
    env, arrays = started(module)
    state = env.state()
    env.close()
    before = [array.tobytes() for array in arrays.values()]
    for call in (env.state, lambda: env.set_state(state)):
        with refused(RuntimeError, "VecEnv is closed"):
            call()
    assert [array.tobytes() for array in arrays.values()] == before


# ---- From Python --------------------------------------------------------------------------------------------------------


def test_flocks(tmp_path):
    options = {"num_envs": 2, "num_boids": 16, "horizon": 10}
    with Flocks(**options) as flocks, Flocks(**options, seed=3) as others:
        flocks.reset()
        for _ in range(7):
            flocks.script()
            flocks.step()
        (tmp_path / "state").write_bytes(flocks.state())
        others.set_state((tmp_path / "state").read_bytes())
        for _ in range(20):
            for each in (flocks, others):
                each.script()
                each.step()
            assert (flocks.observations == others.observations).all()
            assert (flocks.rewards == others.rewards).all()
        assert flocks.log() == others.log() != {}
        with pytest.raises(TypeError, match="Flocks: can be neither pickled nor copied"):
            pickle.dumps(flocks)
