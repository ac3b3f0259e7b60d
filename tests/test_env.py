"""numpy_env and puffer_env: one class for every environment, whatever its spaces and whatever its header leaves out."""

import pickle
import sys
from types import ModuleType, SimpleNamespace
from typing import Any

import gymnasium
import numpy as np
import pytest

from boids_env import UserError, VecEnv, load_policy, numpy_env, puffer_env
from boids_env.env.flocks import world_size
from boids_env.env.puffer import PufferCore, space

KINDS = {"numpy": numpy_env, "puffer": puffer_env}


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> Any:
    """Each of the two in turn."""
    return KINDS[request.param]


@pytest.fixture(params=["counter", "least", "squared", "snake", "boids"])
def any_module(request: pytest.FixtureRequest) -> ModuleType:
    """Every environment in turn."""
    return request.getfixturevalue(request.param)


# ---- Any module


def test_any_environment_steps(kind: Any, any_module: ModuleType) -> None:
    made = kind(any_module)
    random = load_policy("random", seed=1)
    with made(3, seed=1) as env, made(3, seed=1, num_threads=2) as other:
        assert env.module is any_module
        assert env.parameters == {name: what["default"] for name, what in any_module.VecEnv.parameters.items()}
        observations, infos = env.reset(2)
        assert infos == []
        assert observations is env.observations
        other.reset(2)
        for _ in range(70):
            random.act(env)
            results = env.step()
            other.step(env.actions.copy())
            assert [id(array) for array in results[:4]] == [
                id(array) for array in (env.observations, env.rewards, env.terminals, env.truncations)
            ]
            assert (env.observations == other.observations).all()
            assert (env.rewards == other.rewards).all()


def test_spaces_come_from_the_module(any_module: ModuleType) -> None:
    with puffer_env(any_module)(2, seed=1) as env:
        assert env.observation_space.contains(env.reset(0)[0])
        env.action_space.seed(0)
        for _ in range(100):
            actions = env.action_space.sample()
            assert actions.shape == env.actions.shape
            assert env.observation_space.contains(env.step(actions)[0])


BOX = gymnasium.spaces.Box


@pytest.mark.parametrize(
    ("side", "expected"),
    [
        (("float32", 3, -1.5, 2.0, None), BOX(-1.5, 2, (3,), np.float32)),
        (("float32", 1, 0.0, np.inf, None), BOX(0, np.inf, (1,), np.float32)),
        (("uint8", 2, 0.0, 200.0, None), BOX(0, 200, (2,), np.uint8)),
        (("uint8", 2, 0.0, 255.0, None), BOX(0, 255, (2,), np.uint8)),
        (("int8", 4, -128.0, 127.0, None), BOX(-128, 127, (4,), np.int8)),
        (("int32", 1, -7.0, 1000.0, None), BOX(-7, 1000, (1,), np.int32)),
        (("int32", 1, -(2.0**31), 2.0**31, None), BOX(-(2**31), 2**31 - 1, (1,), np.int32)),  # a float has no 2**31 - 1
        (("int32", 1, 0.0, 0.0, (5,)), gymnasium.spaces.Discrete(5)),
        (("int32", 2, 0.0, 0.0, (3, 2)), gymnasium.spaces.MultiDiscrete([3, 2])),
    ],
)
def test_every_space(side: tuple[Any, ...], expected: gymnasium.Space[Any]) -> None:
    described = dict(zip(("dtype", "size", "low", "high", "choices"), side, strict=True))
    made = space(described)
    assert made == expected
    assert made.dtype == expected.dtype


def test_several_choices(counter: ModuleType) -> None:
    with puffer_env(counter)(4, limit=20, goal="meet", log_interval=5) as env:
        assert env.single_action_space == gymnasium.spaces.MultiDiscrete([3, 2])
        assert env.single_observation_space == BOX(0, 20, (2,), np.uint8)
        assert env.actions.shape == (8, 2)
        env.reset(1)
        drawn = []
        for _ in range(200):
            load_policy("random", seed=len(drawn)).act(env)
            drawn.append(env.actions.copy())
            env.step()
        assert {tuple(action) for action in np.concatenate(drawn)} == {(a, b) for a in range(3) for b in range(2)}


def test_infos(squared: ModuleType) -> None:
    with puffer_env(squared)(8, size=3, log_interval=50) as env:
        env.reset(1)
        infos = []
        for _ in range(100):
            env.script()
            infos.append(env.step(env.actions)[-1])
    assert [step for step, info in enumerate(infos, 1) if info] == [50, 100]
    assert infos[49][0].keys() == squared.VecEnv.log_fields.keys()


def test_state(kind: Any, counter: ModuleType) -> None:
    with kind(counter)(2, seed=1) as env:
        env.reset(1)
        env.step(np.ones((4, 2), np.int32))
        saved, seen = env.state(), env.observations.copy()
        env.step(np.zeros((4, 2), np.int32))
        assert (env.observations != seen).any()
        env.set_state(saved)
        assert (env.observations == seen).all()


def test_what_a_header_leaves_out(kind: Any, least: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "raylib", None)  # a header without a window needs none
    with kind(least)() as env, kind(least)(render_mode="human") as shown:
        env.reset(0)
        shown.reset(0)
        for call in (env.render, env.script, env.state, shown.render):
            with pytest.raises(NotImplementedError, match=r"least\.h defines no "):
                call()


@pytest.mark.parametrize(
    ("name", "parameters", "shape"),
    [
        ("squared", {}, (480, 480, 3)),
        ("counter", {}, (480, 480, 3)),
        ("snake", {"width": 30, "height": 10}, (240, 720, 3)),
        ("boids", {"width": 400, "height": 800}, (720, 360, 3)),
    ],
)
def test_the_size_of_a_picture(
    request: pytest.FixtureRequest, name: str, parameters: dict[str, int], shape: tuple[int, ...], kind: Any
) -> None:
    with kind(request.getfixturevalue(name))(**parameters) as env:
        env.reset(0)
        assert env.render().shape == shape
        assert env.render(50, 20).shape == (20, 50, 3)


def test_render_modes(kind: Any, squared: ModuleType) -> None:
    with pytest.raises(UserError, match="render_mode: expected None, 'rgb_array' or 'human', got 'ansi'"):
        kind(squared)(render_mode="ansi")


# ---- The class


def test_a_class_is_named_after_its_module(kind: Any, squared: ModuleType) -> None:
    made = kind(squared)
    assert (made.__name__, made.__module__) == ("Squared", __name__)
    assert "size" in made.__doc__
    assert squared.VecEnv.parameters["size"]["doc"] in made.__doc__


def test_it_can_be_pickled_by_its_name(kind: Any, squared: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    """Which multiprocessing's "spawn" needs."""
    monkeypatch.setattr(sys.modules[__name__], "Squared", kind(squared), raising=False)
    made = sys.modules[__name__].Squared
    assert pickle.loads(pickle.dumps(made)) is made
    with made() as env, pytest.raises(TypeError, match="Squared: can be neither pickled nor copied"):
        pickle.dumps(env)


@pytest.mark.parametrize("module", [None, sys, VecEnv, "_squared"])
def test_another_module_is_refused(kind: Any, module: Any) -> None:
    with pytest.raises(TypeError, match=r"module: expected an extension module that binding.c made, got "):
        kind(module)


def test_a_parameter_may_not_have_the_name_of_an_argument(kind: Any) -> None:
    taken = SimpleNamespace(parameters={"log_interval": {}})
    module = SimpleNamespace(__name__="_taken", VecEnv=taken, layout=None)
    with pytest.raises(ValueError, match=r"_taken: expected parameters of other names than num_envs, .*, got log"):
        kind(module)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"size": 1}, ValueError, r"size: expected an int in \[2, 64\] cells, got 1"),
        ({"sise": 5}, TypeError, "unknown parameter 'sise'; valid are size"),
        ({"num_envs": 0}, ValueError, "num_envs: expected at least 1, got 0"),
        ({"num_envs": True}, TypeError, "num_envs: expected an integer, got True"),
        ({"num_threads": 0}, ValueError, "num_threads"),
        ({"seed": -1}, ValueError, "seed"),
    ],
)
def test_bad_arguments(
    kind: Any, squared: ModuleType, arguments: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        kind(squared)(**arguments)


def test_only_the_number_of_environments_goes_without_a_name(kind: Any, squared: ModuleType) -> None:
    with kind(squared)(2) as env:
        assert env.vec.num_envs == 2
    with pytest.raises(TypeError, match="takes from 1 to 2 positional arguments but 3 were given"):
        kind(squared)(2, 8)


def test_a_puffer_env_has_its_buffers(squared: ModuleType) -> None:
    with puffer_env(squared)() as env:
        buf = {name: getattr(env, name) for name in ("observations", "actions", "rewards", "terminals", "truncations")}
    with pytest.raises(ValueError, match=r"buf: expected an array 'masks' of shape \(1,\), got none"):
        puffer_env(squared)(buf=buf)
    assert issubclass(puffer_env(squared), PufferCore)


# ---- The world of a larger flock


def test_world_size() -> None:
    assert world_size(64) == world_size(1) == {"width": 1080, "height": 720}
    assert world_size(64 * 4) == {"width": 2160, "height": 1440}
    dense = world_size(1000, 100)  # the default world has room enough
    assert dense == {"width": 1080, "height": 720}
    grown = world_size(1_000_000, 100)
    assert grown["width"] * grown["height"] == pytest.approx(1e8)
    assert grown["width"] / grown["height"] == pytest.approx(1.5)
