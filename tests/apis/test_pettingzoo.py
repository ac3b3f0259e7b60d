"""boids_env.pettingzoo: PettingZoo's own tests, SuperSuit, and what a wrong call gets."""

import copy
import pickle
import warnings
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pettingzoo
import pytest
from pettingzoo.test import api_test, max_cycles_test, parallel_api_test, parallel_seed_test, render_test, seed_test

import needs
from boids_env import Flocks
from boids_env.pettingzoo import ParallelEnv, env, parallel_env


def fly_on(of: ParallelEnv) -> dict[str, int]:
    return dict.fromkeys(of.agents, 2)


KINDS = [{}, {"action": "continuous"}, {"observation": "nearest"}]


@pytest.mark.filterwarnings("ignore:Observation numpy array is all zeros")  # that of a boid alone
@pytest.mark.parametrize("parameters", KINDS, ids=str)
def test_its_own_tests_pass(parameters: dict[str, Any]) -> None:
    small = {"num_boids": 5, "horizon": 30, **parameters}
    parallel_api_test(parallel_env(**small), num_cycles=100)
    api_test(env(**small), num_cycles=100)
    parallel_seed_test(lambda: parallel_env(**small))
    seed_test(lambda: env(**small))


def test_its_cycle_test_passes() -> None:
    named = SimpleNamespace(
        env=lambda max_cycles: env(num_boids=5, horizon=max_cycles),
        parallel_env=lambda max_cycles: parallel_env(num_boids=5, horizon=max_cycles),
    )
    max_cycles_test(named)


def test_its_render_test_passes() -> None:
    def make(render_mode: str) -> Any:
        made = env(num_boids=5, render_mode="rgb_array" if render_mode == "human" else render_mode)
        made.metadata["render_modes"] = ["rgb_array", "ansi"]  # the window has a test of its own
        return made

    render_test(make)


def test_a_window_shows_each_step(display: dict[str, str]) -> None:
    import subprocess
    import sys

    code = """
from pettingzoo.test import render_test
from boids_env.pettingzoo import env
made = env(num_boids=5, render_mode="human")
made.reset(seed=1)
for agent in made.agent_iter(20):
    made.step(2)
assert made.render() is None
made.close()
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=display, check=False)
    assert done.returncode == 0, done.stderr


def test_it_is_the_flock_of_numpy() -> None:
    of, flock = parallel_env(num_boids=6, horizon=9), Flocks(1, num_boids=6, horizon=9)
    random = np.random.default_rng(1)
    observations, infos = of.reset(seed=5)
    flock.reset(5)
    assert np.array_equal(np.stack(list(observations.values())), flock.observations)
    assert list(observations) == of.agents == [f"boid_{i}" for i in range(6)]
    assert infos == {agent: {} for agent in of.agents}
    for _ in range(8):
        actions = random.integers(0, 5, 6)
        flock.step(actions)
        got = of.step(dict(zip(of.agents, actions, strict=True)))
        for mine, theirs in zip(got, (flock.observations, flock.rewards, flock.terminals, flock.truncations), strict=False):
            assert np.array_equal(np.stack(list(mine.values())), theirs)


def test_the_final_observation_is_that_of_a_longer_horizon() -> None:
    short, long = parallel_env(num_boids=4, horizon=5), parallel_env(num_boids=4, horizon=6)
    short.reset(seed=1)
    long.reset(seed=1)
    for k in range(5):
        names = short.agents
        got, other = short.step(fly_on(short)), long.step(fly_on(long))
        for name in names:
            assert np.array_equal(got[0][name], other[0][name])
            assert got[3][name] == (k == 4)
            assert not got[2][name]
    assert short.agents == []
    with pytest.raises(AssertionError, match="reset"):
        short.step({})
    short.reset()
    assert len(short.agents) == 4


def test_agents_that_end_on_their_own_leave(counter: ModuleType) -> None:
    of = parallel_env(counter, limit=30, floor=False)
    parallel_api_test(of, num_cycles=200)
    of.reset(seed=3)
    assert of.possible_agents == ["agent_0", "agent_1"]
    up, stay = np.array([2, 1]), np.array([1, 0])
    observations: Any = {}
    for _ in range(30):
        observations, _, terminations, _, _ = of.step({"agent_0": up, "agent_1": stay})
        if terminations["agent_0"]:
            break
    assert of.agents == ["agent_1"]
    assert observations["agent_0"][0] == 30, "it has reached the limit"
    observations, *_ = of.step({"agent_1": stay})
    assert list(observations) == ["agent_1"]
    of.reset()
    assert of.agents == ["agent_0", "agent_1"]


@pytest.mark.parametrize("name", ["squared", "cartpole", "snake"])
@pytest.mark.filterwarnings("ignore:.*")
def test_any_module(name: str, request: pytest.FixtureRequest) -> None:
    module = request.getfixturevalue(name)
    parallel_api_test(parallel_env(module), num_cycles=100)
    parallel_seed_test(lambda: parallel_env(module))


WRONG: list[tuple[Any, str]] = [
    ({"boid_0": 2}, "an action of each of 3 agents, got none for boid_1"),
    ([2, 2, 2], "expected a dict with an action of each of 3 agents, got list"),
    (None, "got NoneType"),
    ({"boid_0": 2, "boid_1": 5, "boid_2": 2}, r"boid_1: expected an action in Discrete\(5\), got 5"),
    ({"boid_0": 2, "boid_1": 2, "boid_2": -1}, r"boid_2: expected an action in Discrete\(5\), got -1"),
    ({"boid_0": 2.0, "boid_1": 2, "boid_2": 1}, "expected int32, got float64"),
    ({"boid_0": None, "boid_1": 2, "boid_2": 1}, "expected int32, got object"),
    ({"boid_0": [2], "boid_1": [2], "boid_2": [2]}, r"expected shape \(\) of each agent, got \(1,\)"),
    ({"boid_0": [2], "boid_1": 2, "boid_2": 2}, "inhomogeneous"),
]


@pytest.mark.parametrize(("actions", "message"), WRONG, ids=[message for _, message in WRONG])
def test_wrong_actions_step_nothing(actions: Any, message: str) -> None:
    of, other = parallel_env(num_boids=3), parallel_env(num_boids=3)
    of.reset(seed=1)
    other.reset(seed=1)
    with pytest.raises(AssertionError, match=message):
        of.step(actions)
    got, expected = of.step(fly_on(of)), other.step(fly_on(other))
    assert np.array_equal(got[0]["boid_0"], expected[0]["boid_0"])


def test_other_mistakes() -> None:
    of = parallel_env(num_boids=3)
    with pytest.raises(AssertionError, match="reset"):
        of.step({})
    with pytest.raises(AssertionError, match="reset"):
        of.render()
    for name in ("boid_3", "boid_-1", "boid", "bird_0", "boid_01"):
        with pytest.raises(KeyError, match="expected boid_0 to boid_2"):
            of.observation_space(name)
        with pytest.raises(KeyError):
            of.action_space(name)
    with pytest.raises(ValueError, match="render_mode"):
        parallel_env(render_mode="canvas")
    with pytest.raises(TypeError, match="wings"):
        env(wings=2)
    of.reset()
    of.close()
    of.close()
    with pytest.raises(RuntimeError, match="closed"):
        of.reset()
    taking_turns = env(num_boids=3)
    with pytest.raises((AssertionError, AttributeError)):
        taking_turns.step(2)
    taking_turns.reset()
    with pytest.raises(AssertionError, match="action is not in action space"):
        taking_turns.step(7)


def test_copies_are_made_anew() -> None:
    of = parallel_env(num_boids=3)
    first = of.reset(seed=1)[0]["boid_2"]
    for other in (copy.deepcopy(of), pickle.loads(pickle.dumps(of))):
        assert other.agents == []
        assert np.array_equal(other.reset(seed=1)[0]["boid_2"], first)


@pytest.mark.skipif(
    pettingzoo.__version__ < "1.25", reason="SuperSuit takes no older PettingZoo, and PufferLib 3.0.0 no newer one"
)
def test_supersuit() -> None:
    needs.package("supersuit", "pip install supersuit")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import supersuit

        stacked = supersuit.frame_stack_v1(parallel_env(num_boids=4, horizon=20), 3)
        parallel_api_test(stacked, num_cycles=50)
        envs = supersuit.pettingzoo_env_to_vec_env_v1(parallel_env(num_boids=4, horizon=20))
        envs = supersuit.concat_vec_envs_v1(envs, 2, base_class="gymnasium")
        observations, _ = envs.reset(seed=1)
        assert observations.shape == (8, 10)
        for _ in range(25):
            observations, rewards, *_ = envs.step(np.full(8, 2))
        assert rewards.shape == (8,)
