"""Boids: a PufferEnv, and what PufferLib's vectorizations make of it."""

import contextlib
import importlib
from collections.abc import Iterator
from typing import Any

import gymnasium
import numpy as np
import pytest

from boids_env import Boids, Flocks, VecEnv
from boids_env.env.puffer import pufferlib  # an import of its own would leave a link in this folder
from interpreter import python

vector = importlib.import_module("pufferlib.vector")

ENV = {"num_boids": 12, "horizon": 9, "log_interval": 4}
STEPS = 20


def make(backend: Any, num_envs: int, **kwargs: Any) -> Any:
    return vector.make(Boids, env_kwargs=ENV, backend=backend, num_envs=num_envs, **kwargs)


def flocks_of(vecenv: Any, seed: int | None = 7) -> list[bytes]:
    """What each environment of a vecenv, of 12 agents each, shows in a few steps, and closes it."""
    try:
        seen = [vecenv.reset(seed=seed)[0].copy()]
        actions = np.tile(np.arange(12, dtype=np.int32) % 5, len(seen[0]) // 12)
        for _ in range(STEPS):
            observations, rewards, *_ = vecenv.step(actions)
            seen += [observations.copy(), np.repeat(rewards[:, None], 10, 1)]
    finally:
        vecenv.close()
    return [part.tobytes() for part in np.split(np.array(seen), len(actions) // 12, axis=1)]


@pytest.fixture(scope="module")
def ray(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    import ray

    # its workers load PufferLib by themselves, and leave its link where they were started
    with contextlib.chdir(tmp_path_factory.mktemp("ray")):
        # local: not the cluster whose address another has left behind in /tmp/ray
        ray.init(address="local", num_cpus=4, include_dashboard=False, logging_level="ERROR", log_to_driver=False)
    yield
    ray.shutdown()


@pytest.mark.parametrize("action", ["discrete", "continuous"])
@pytest.mark.parametrize(("observation", "size"), [("rules", 10), ("nearest", 42)])
def test_spaces_hold(action: str, observation: str, size: int) -> None:
    boids = Boids(num_envs=2, num_boids=40, action=action, observation=observation)
    assert isinstance(boids, pufferlib.PufferEnv)
    assert boids.single_observation_space == gymnasium.spaces.Box(-1, 1, (size,), np.float32)
    turns = gymnasium.spaces.Box(-1, 1, (1,), np.float32)
    assert boids.single_action_space == (turns if action == "continuous" else gymnasium.spaces.Discrete(5))
    assert boids.num_agents == 80
    assert boids.observation_space.contains(boids.reset(0)[0])
    boids.action_space.seed(0)
    for _ in range(100):
        observations, *_ = boids.step(boids.action_space.sample())
        assert boids.observation_space.contains(observations)
    boids.close()


def test_it_is_the_same_flock_as_without_pufferlib() -> None:
    boids, flocks = Boids(num_envs=2, num_boids=30, seed=4), Flocks(num_envs=2, num_boids=30, seed=4)
    assert (boids.reset(1)[0] == flocks.reset(1)[0]).all()
    for _ in range(20):
        flocks.script()
        assert (boids.step(flocks.actions)[0] == flocks.step()[0]).all()
    boids.close()
    flocks.close()


def test_writes_into_the_buffers_it_is_given() -> None:
    guard = 99
    shared = {
        "observations": np.full((48, 10), guard, np.float32),
        "actions": np.full(48, guard, np.int32),
        "rewards": np.full(48, guard, np.float32),
        "terminals": np.ones(48, bool),
        "truncations": np.ones(48, bool),
        "masks": np.ones(48, bool),
    }
    buf = {name: array[12:36] for name, array in shared.items()}
    boids = Boids(num_envs=2, num_boids=12, buf=buf, seed=0)
    addresses = {name: getattr(boids, name).ctypes.data for name in buf}
    boids.reset(0)
    for _ in range(10):
        boids.step(np.ones(24, np.int32))
    for name, array in buf.items():
        assert getattr(boids, name) is array
        assert array.ctypes.data == addresses[name]
    assert np.abs(shared["observations"][12:36]).max() <= 1
    assert (shared["actions"][12:36] == 1).all()
    for outside in (slice(0, 12), slice(36, 48)):
        for name in ("observations", "actions", "rewards"):
            assert (shared[name][outside] == guard).all()
        assert shared["terminals"][outside].all()
        assert shared["truncations"][outside].all()
    boids.close()


def test_steps_with_what_lies_in_its_own_actions() -> None:
    boids = Boids(num_boids=12)
    boids.reset(0)
    boids.actions[:] = 9
    with pytest.raises(ValueError, match="agent 0"):
        boids.step(boids.actions)
    boids.actions[:] = 2
    boids.step(boids.actions)
    boids.close()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"rewards": None}, r"buf: expected an array 'rewards' of shape \(12,\), got none"),
        ({"masks": None}, "buf: expected an array 'masks'"),
        ({"actions": np.zeros(11, np.int32)}, r"buf\['actions'\]: expected shape \(12,\), got \(11,\)"),
        ({"observations": np.zeros((10, 12), np.float32)}, r"expected shape \(12, 10\), got \(10, 12\)"),
        ({"actions": np.zeros(12, np.int64)}, "actions: expected int32"),
        ({"observations": np.zeros((12, 10))}, "observations: expected float32"),
        ({"rewards": np.zeros(24, np.float32)[::2]}, "rewards: expected a C-contiguous"),
    ],
)
def test_bad_buffers(change: dict[str, Any], message: str) -> None:
    buf = {
        "observations": np.zeros((12, 10), np.float32),
        "actions": np.zeros(12, np.int32),
        "rewards": np.zeros(12, np.float32),
        "terminals": np.zeros(12, bool),
        "truncations": np.zeros(12, bool),
        "masks": np.ones(12, bool),
    }
    buf = {name: array for name, array in {**buf, **change}.items() if array is not None}
    with pytest.raises(ValueError, match=message):
        Boids(num_boids=12, buf=buf)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"render_mode": "canvas"}, ValueError, "render_mode: expected None, 'rgb_array', 'ansi' or 'human', got 'canvas'"),
        ({"log_interval": 0}, ValueError, "log_interval: expected at least 1"),
        ({"num_envs": -1}, ValueError, "num_envs: expected at least 1"),
        ({"wings": 2}, TypeError, "wings"),
        ({"view_radius": float("nan")}, ValueError, "view_radius"),
    ],
)
def test_bad_arguments(arguments: dict[str, Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        Boids(**arguments)


def test_only_the_number_of_environments_goes_without_a_name() -> None:
    with Boids(2) as boids:
        assert boids.vec.num_envs == 2
    with pytest.raises(TypeError, match="takes from 1 to 2 positional arguments but 3 were given"):
        Boids(2, 8)


@pytest.mark.parametrize("render_mode", [None, "rgb_array"])
def test_render(render_mode: str | None) -> None:
    boids = Boids(render_mode=render_mode, width=800, height=400)
    boids.reset(0)
    assert boids.render().shape == (360, 720, 3)
    assert boids.render() is not boids.render()
    assert boids.render_mode == render_mode
    boids.close()


def test_infos() -> None:
    boids = Boids(num_envs=2, num_boids=12, horizon=10, log_interval=5, stagger=False)
    assert boids.reset(None)[1] == []
    infos = [boids.step(boids.actions)[-1] for _ in range(30)]
    assert [step for step, info in enumerate(infos, 1) if info] == [10, 20, 30]
    for info in infos:
        assert isinstance(info, list)
        for each in info:
            assert set(each) == set(VecEnv.log_fields)
            assert all(type(value) is float for value in each.values())
    assert infos[9][0]["n"] == 2
    boids.close()


@pytest.mark.parametrize("backend", ["Serial", pufferlib.PufferEnv])
def test_infos_reach_pufferlib(backend: Any) -> None:
    vecenv = make(backend, 1)
    vecenv.reset(seed=1)
    infos = [info for _ in range(20) for info in vecenv.step(np.zeros(12, np.int32))[-1]]
    assert len(infos) >= 2
    assert all(info["episode_length"] > 0 for info in infos)
    vecenv.close()


@pytest.mark.parametrize("seed", [7, None])
def test_serial(seed: int | None) -> None:
    flocks = flocks_of(make("Serial", 4), seed)
    assert len(set(flocks)) == 4
    assert flocks == flocks_of(make("Serial", 4), seed)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of fork in a process that has threads
def test_multiprocessing() -> None:
    one_each = {"num_workers": 2, "overwork": True}
    flocks = flocks_of(make("Multiprocessing", 2, **one_each))
    assert len(set(flocks)) == 2
    assert flocks == flocks_of(make("Multiprocessing", 2, **one_each))
    assert flocks == flocks_of(make("Serial", 2))
    # the seeds of their resets overlap: 7, 8 in the first worker, and 8, 9 in the second
    two_each = flocks_of(make("Multiprocessing", 4, **one_each))
    assert len(set(two_each)) == 4


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # whatever ray has to say of itself
@pytest.mark.usefixtures("ray")
def test_ray(monkeypatch: pytest.MonkeyPatch) -> None:
    import ray

    # PufferLib's close() would shut down the cluster that the next lines need
    monkeypatch.setattr(ray, "shutdown", lambda: None)
    serial = flocks_of(make("Serial", 4))
    # the driver too may hold environments: they are what they are without ray
    assert flocks_of(make("Serial", 4)) == serial
    flocks = flocks_of(make("Ray", 4, num_workers=2))
    assert sorted(flocks) == sorted(serial)


def test_native() -> None:
    boids = make(pufferlib.PufferEnv, 1)
    assert flocks_of(boids) == flocks_of(make("Serial", 1))


@pytest.mark.slow
def test_import_leaves_nothing_behind(tmp_path: Any) -> None:
    done = python(
        """
        import os, signal, sys, warnings
        before = signal.getsignal(signal.SIGINT), sys.excepthook
        from boids_env import Boids
        import boids_env.learn.pufferl
        assert before == (signal.getsignal(signal.SIGINT), sys.excepthook)
        assert os.listdir() == [], os.listdir()
        assert not any(f[0] == "error" for f in warnings.filters)
        warnings.warn("heard", RuntimeWarning)
        """,
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("\n") <= 2
    assert "heard" in done.stderr


def test_import_keeps_a_file_of_the_users(tmp_path: Any) -> None:
    (tmp_path / "resources").write_text("mine")
    done = python("from boids_env import Boids", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "resources").read_text() == "mine"


@pytest.mark.parametrize("seed", ["1", True, 1.0, [1]])
def test_a_seed_that_is_none_is_refused(seed: Any) -> None:
    with pytest.raises(TypeError, match=r"^seed: expected an int, got "):
        Boids(seed=seed)
    with Boids() as boids, pytest.raises(TypeError, match=r"^seed: expected an int, got "):
        boids.reset(seed)
