"""Random sequences of calls from Hypothesis: after each call some flocks must be as their documentation says.

The usual run makes the same calls every time and takes some seconds. BOIDS_FUZZ_SECONDS=600 in the environment tries other
calls for that long. A failure prints the shortest sequence of calls that Hypothesis found for it.
"""

import gc
import os
import time
from contextlib import suppress
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from boids_env import Flocks, VecEnv, _boids
from boids_env._boids import layout
from boids_env.env.core import Core, array_shapes

NAMES = ("observations", "actions", "rewards", "terminals", "truncations")
SECONDS = float(os.environ.get("BOIDS_FUZZ_SECONDS") or 0)
MOST = 4  # flocks at a time
QUIET = {"deadline": None, "database": None, "suppress_health_check": list(HealthCheck)}


class Bytes(Core):
    """Flocks whose arrays differ from those of `Flocks` as much as the extension accepts."""

    module = _boids

    def __init__(self, num_envs: int, *, seed: int, num_threads: int, **parameters: Any) -> None:
        self.layout = layout(**parameters)
        shapes = {name: shape for name, (shape, _) in array_shapes(self.layout, num_envs).items()}
        self.num_agents = shapes["rewards"][0]
        self.observations = np.zeros((*shapes["observations"], 1), np.float32)
        self.actions = np.zeros(shapes["actions"], self.layout["action"]["dtype"])
        self.rewards = np.zeros(self.num_agents, np.float32)
        self.terminals = np.zeros(self.num_agents, np.uint8)
        self.truncations = np.zeros(self.num_agents, np.int8)
        self._open(num_envs, seed, num_threads, parameters)


def share(low: float, high: float) -> st.SearchStrategy[float]:
    return st.floats(low, high, width=32)


@st.composite
def parameters(draw: st.DrawFn) -> dict[str, Any]:
    """Parameters of a small flock that boids.h accepts."""
    width, height = draw(share(100, 3000)), draw(share(100, 3000))
    view = draw(share(0.0625, 0.46875)) * min(width, height)
    view = max(view, max(width, height) / 1000)
    horizon, max_turn = draw(st.integers(1, 20)), draw(share(0, 180))
    weights = {f"{name}_weight": draw(share(0, 10)) for name in ("cohesion", "alignment", "separation")}
    return weights | {
        "num_boids": draw(st.integers(1, 40)),
        "width": width,
        "height": height,
        "view_radius": view,
        "separation_radius": view * draw(share(0.0625, 1)),
        "collision_radius": view * draw(share(0, 1)),
        "speed": min(width, height) * draw(share(0, 0.234375)),
        "gentle_turn": max_turn * draw(share(0, 1)),
        "max_turn": max_turn,
        "action": draw(st.sampled_from(["discrete", "continuous"])),
        "observation": draw(st.sampled_from(["rules", "nearest"])),
        "num_neighbors": draw(st.integers(1, 32)),
        "flockmates": draw(st.integers(1, 1000)),
        "horizon": horizon,
        "warmup": draw(st.integers(0, horizon - 1)),
        "stagger": draw(st.booleans()),
    }


class Held:
    """Flocks, and those of their attributes that must never change."""

    def __init__(self, flocks: Core) -> None:
        self.flocks = flocks
        self.started = self.closed = False
        self.places = {name: (id(getattr(flocks, name)), getattr(flocks, name).ctypes.data) for name in NAMES}


class Machine(RuleBasedStateMachine):
    which = st.integers(0, MOST - 1)
    seeds = st.none() | st.integers(0, 2**63 - 1)

    def __init__(self) -> None:
        super().__init__()
        self.held: list[Held] = []

    def pick(self, which: int) -> Held:
        return self.held[which % len(self.held)]

    def use(self, one: Held, call: Any) -> Any:
        """The result of a call that needs a reset before; None where there was none, and the call was refused."""
        if one.started and not one.closed:
            return call()
        with pytest.raises(RuntimeError, match="VecEnv is closed" if one.closed else "call reset"):
            call()
        return None

    @precondition(lambda self: len(self.held) < MOST)
    @rule(
        kind=st.sampled_from([Flocks, Bytes]),
        n=st.integers(1, 4),
        seed=st.integers(0, 2**63 - 1),
        threads=st.integers(1, 3),
        its=parameters(),
    )
    def make(self, kind: Any, n: int, seed: int, threads: int, its: dict[str, Any]) -> None:
        self.held.append(Held(kind(n, seed=seed, num_threads=threads, **its)))

    @rule(name=st.sampled_from(list(VecEnv.parameters)), value=st.sampled_from([None, "", -11, float("nan"), 2**70, b""]))
    def make_no_flock(self, name: str, value: Any) -> None:
        with pytest.raises((TypeError, ValueError), match=f"^{name}: expected "):
            Flocks(**{name: value})

    @precondition(lambda self: self.held)
    @rule(which=which, seed=seeds)
    def reset(self, which: int, seed: int | None) -> None:
        one = self.pick(which)
        if one.closed:
            self.use(one, lambda: one.flocks.reset(seed))
            return
        assert one.flocks.reset(seed)[0] is one.flocks.observations
        one.started = True
        assert not any(getattr(one.flocks, name).any() for name in ("rewards", "terminals", "truncations"))

    @precondition(lambda self: self.held)
    @rule(which=which, random=st.integers(0, 2**32 - 1), times=st.integers(1, 25))
    def step(self, which: int, random: int, times: int) -> None:
        one = self.pick(which)
        generator, action = np.random.default_rng(random), one.flocks.layout["action"]
        for _ in range(times):
            if action["choices"] is None:
                actions = generator.uniform(-1, 1, one.flocks.actions.shape)
            else:
                actions = generator.integers(0, action["choices"][0], one.flocks.actions.shape)
            if (shown := self.use(one, lambda actions=actions: one.flocks.step(actions))) is not None:
                assert shown[0] is one.flocks.observations

    @precondition(lambda self: self.held)
    @rule(
        which=which,
        agent=st.integers(0, 2**16),
        value=st.sampled_from([-1.5, 7.0, float("nan"), float("inf"), -(2.0**31), 1e30]),
    )
    def step_wrongly(self, which: int, agent: int, value: float) -> None:
        one = self.pick(which)
        actions = one.flocks.actions
        good = actions.copy()
        with np.errstate(invalid="ignore"):
            actions[agent % len(actions)] = np.array(value).astype(actions.dtype)
        if actions.dtype.kind == "i" and 0 <= actions[agent % len(actions)] <= 4:
            actions[agent % len(actions)] = -1
        if one.started and not one.closed:
            before = self.state(one.flocks)
            with pytest.raises(ValueError, match=f"^actions: agent {agent % len(actions)}: expected .*, got"):
                one.flocks.step()
            assert self.state(one.flocks) == before
        actions[:] = good

    @precondition(lambda self: self.held)
    @rule(which=which, shape=st.sampled_from([(), (0,), (3, 3), (1000,)]))
    def step_misshapen(self, which: int, shape: tuple[int, ...]) -> None:
        with pytest.raises(ValueError, match=r"^actions: expected shape"):
            self.pick(which).flocks.step(np.zeros(shape, np.int32))

    @precondition(lambda self: self.held)
    @rule(which=which, times=st.integers(1, 25))
    def script(self, which: int, times: int) -> None:
        one = self.pick(which)
        for _ in range(times):
            self.use(one, one.flocks.script)
            self.use(one, one.flocks.step)

    @precondition(lambda self: self.held)
    @rule(which=which)
    def log(self, which: int) -> None:
        one = self.pick(which)
        if one.closed:
            self.use(one, one.flocks.log)
            return
        log = one.flocks.log()
        assert not log or log.keys() == VecEnv.log_fields.keys()
        assert all(np.isfinite(value) for value in log.values()), log

    @precondition(lambda self: self.held)
    @rule(which=which, width=st.integers(1, 60), height=st.integers(1, 60), env=st.integers(-1, 4))
    def render(self, which: int, width: int, height: int, env: int) -> None:
        one = self.pick(which)
        if not 0 <= env < one.flocks.vec.num_envs:
            with pytest.raises(ValueError, match=r"^env: expected an int in"):
                one.flocks.pixels(width, height, env)
            return
        pixels = self.use(one, lambda: one.flocks.pixels(width, height, env))
        assert pixels is None or (pixels.shape == (height, width, 3) and pixels.any())

    @precondition(lambda self: self.held)
    @rule(
        which=which,
        name=st.sampled_from(list(VecEnv.state_fields)),
        env=st.integers(0, 3),
        random=st.randoms(use_true_random=False),
    )
    def set_state(self, which: int, name: str, env: int, random: Any) -> None:
        one = self.pick(which)
        vec, env = one.flocks.vec, env % one.flocks.vec.num_envs
        if (was := self.use(one, lambda: vec.get(name, env))) is not None:
            data = random.randbytes(len(was))
            vec.set(name, data, env)
            assert vec.get(name, env) == data
            with pytest.raises(ValueError, match=r"^data: expected"):
                vec.set(name, data + b"?", env)

    @precondition(lambda self: self.held)
    @rule(which=which)
    def close(self, which: int) -> None:
        one = self.pick(which)
        one.flocks.close()
        one.closed = True

    @precondition(lambda self: self.held)
    @rule(which=which, collect=st.booleans())
    def drop(self, which: int, collect: bool) -> None:
        kept = self.held.pop(which % len(self.held)).flocks.observations
        if collect:
            gc.collect()
        assert np.isfinite(kept).all()

    @staticmethod
    def state(flocks: Core) -> list[bytes]:
        return [flocks.vec.get(name, env) for name in VecEnv.state_fields for env in range(flocks.vec.num_envs)]

    @invariant()
    def all_is_as_documented(self) -> None:
        for one in self.held:
            flocks = one.flocks
            assert one.places == {name: (id(getattr(flocks, name)), getattr(flocks, name).ctypes.data) for name in NAMES}
            assert flocks.num_agents == flocks.vec.num_agents == flocks.vec.num_envs * flocks.layout["num_agents"]
            assert flocks.num_agents == len(flocks.observations) == len(flocks.rewards)
            assert flocks.vec.closed == one.closed
            for array in (flocks.observations, flocks.rewards):
                assert np.isfinite(array).all()
                assert np.abs(array).max() <= 1
            assert not flocks.terminals.any()
            assert flocks.truncations.view(np.uint8).max() <= 1
            if one.started and not one.closed:
                sizes = [len(field) for field in self.state(flocks)]
                boids = flocks.layout["num_agents"]
                assert sizes == [size for size in (4 * boids, 4 * boids, 2 * boids, 8) for _ in range(flocks.vec.num_envs)]

    def teardown(self) -> None:
        for one in self.held:
            with suppress(RuntimeError):  # its window belongs to another thread
                one.flocks.close()


@pytest.mark.slow
def test_any_calls_in_any_order() -> None:
    once = settings(derandomize=True, max_examples=60, stateful_step_count=30, **QUIET)
    run_state_machine_as_test(Machine, settings=once)


@pytest.mark.skipif(not SECONDS, reason="BOIDS_FUZZ_SECONDS in the environment says for how long")
def test_other_calls_in_other_orders() -> None:
    phases = [Phase.generate, Phase.shrink]
    more = settings(max_examples=200, stateful_step_count=60, phases=phases, print_blob=True, **QUIET)
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        run_state_machine_as_test(Machine, settings=more)
