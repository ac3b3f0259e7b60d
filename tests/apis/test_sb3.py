"""boids_env.sb3: Stable-Baselines3's own wrappers, its checks, and learning."""

import copy
import pickle
from typing import Any

import numpy as np
import pytest
from stable_baselines3 import PPO
from stable_baselines3.common.evaluation import evaluate_policy
from stable_baselines3.common.vec_env import VecFrameStack, VecMonitor, VecNormalize

from boids_env import Flocks
from boids_env.sb3 import VecEnv

SMALL = {"num_envs": 3, "num_boids": 4, "width": 200, "height": 200}  # so small that boids see each other
FLY_ON = np.full(12, 2)


def test_it_is_the_flocks_of_numpy() -> None:
    envs, flocks, random = VecEnv(**SMALL, horizon=9), Flocks(**SMALL, horizon=9), np.random.default_rng(1)
    envs.seed(5)
    assert np.array_equal(envs.reset(), flocks.reset(5)[0])
    for _ in range(20):
        actions = random.integers(0, 5, 12)
        flocks.step(actions)
        observations, rewards, dones, infos = envs.step(actions)
        assert np.array_equal(observations, flocks.observations)
        assert np.array_equal(rewards, flocks.rewards)
        assert np.array_equal(dones, flocks.truncations)
        assert ["terminal_observation" in info for info in infos] == dones.tolist()


def test_seeds() -> None:
    envs, other = VecEnv(**SMALL), VecEnv(**SMALL)
    envs.seed(3)
    first = envs.reset()
    other.seed(3)
    assert np.array_equal(first, other.reset())
    assert not np.array_equal(first, envs.reset())
    assert not np.array_equal(VecEnv(**SMALL).reset(), VecEnv(**SMALL).reset())


def test_the_final_observation_is_that_of_a_longer_horizon() -> None:
    short, long = VecEnv(**SMALL, horizon=5, stagger=False), VecEnv(**SMALL, horizon=6, stagger=False)
    for envs in (short, long):
        envs.seed(1)
        envs.reset()
    for k in range(5):
        (_, _, dones, infos), (observations, *_) = short.step(FLY_ON), long.step(FLY_ON)
        assert dones.tolist() == [k == 4] * 12
    assert np.array_equal(np.stack([info["terminal_observation"] for info in infos]), observations)
    assert all(info["TimeLimit.truncated"] for info in infos)


def test_a_terminal_is_no_time_limit(squared: Any) -> None:
    envs = VecEnv(32, squared)
    envs.seed(1)
    envs.reset()
    limits = set()
    random = np.random.default_rng(1)
    for _ in range(100):
        *_, infos = envs.step(random.integers(0, envs.action_space.n, 32))
        limits |= {info["TimeLimit.truncated"] for info in infos if info}
    assert limits == {True, False}


def test_its_wrappers() -> None:
    envs = VecMonitor(VecEnv(**SMALL, horizon=8, stagger=False))
    envs.reset()
    returns = np.zeros(12)
    for _ in range(8):
        _, rewards, dones, infos = envs.step(FLY_ON)
        returns += rewards
    assert dones.all()
    assert np.allclose([info["episode"]["r"] for info in infos], returns, atol=1e-5)
    assert {info["episode"]["l"] for info in infos} == {8}
    envs = VecFrameStack(VecNormalize(VecEnv(**SMALL, horizon=8)), 3)
    assert envs.reset().shape == (12, 30)
    for _ in range(30):
        observations, *_ = envs.step(FLY_ON)
    assert np.isfinite(observations).all()


def test_it_learns() -> None:
    import torch

    torch.set_num_threads(1)
    envs = VecMonitor(VecEnv(8, num_boids=16, width=400, height=300, horizon=100))
    rate = {"learning_rate": 3e-3, "n_steps": 16, "batch_size": 512, "n_epochs": 4, "gamma": 0.9, "seed": 1}
    model = PPO("MlpPolicy", envs, policy_kwargs={"net_arch": [32, 32]}, device="cpu", **rate)
    before, _ = evaluate_policy(model, envs, n_eval_episodes=256, warn=False)
    model.learn(60_000)
    after, _ = evaluate_policy(model, envs, n_eval_episodes=256, warn=False)
    assert after > before + 15


WRONG = [
    (np.zeros(11, int), r"expected shape \(12,\), got \(11,\)"),
    (np.full(12, 5), r"agent 0: expected an integer in \[0, 4\], got 5"),
    (None, "expected shape"),
]


@pytest.mark.parametrize(("actions", "message"), WRONG, ids=[message for _, message in WRONG])
def test_wrong_actions_step_nothing(actions: Any, message: str) -> None:
    envs, other = VecEnv(**SMALL), VecEnv(**SMALL)
    for each in (envs, other):
        each.seed(1)
        each.reset()
    with pytest.raises(ValueError, match=message):
        envs.step(actions)
    assert np.array_equal(envs.step(FLY_ON)[0], other.step(FLY_ON)[0])


def test_other_mistakes() -> None:
    envs = VecEnv(**SMALL)
    with pytest.raises(RuntimeError, match="reset"):
        envs.step(FLY_ON)
    with pytest.raises(TypeError, match="expected int32, got float64"):
        envs.step(np.zeros(12))
    with pytest.raises(TypeError, match="wings"):
        VecEnv(wings=2)
    with pytest.raises(ValueError, match="render_mode"):
        VecEnv(render_mode="canvas")
    envs.reset()
    *_, infos = envs.step(FLY_ON)
    with pytest.raises(TypeError):
        infos[0]["mine"] = 1  # it would be every agent's
    envs.close()
    envs.close()
    with pytest.raises(RuntimeError, match="closed"):
        envs.reset()


def test_attributes_and_pictures() -> None:
    envs = VecEnv(2, num_boids=3, render_mode="rgb_array")
    envs.reset()
    assert envs.get_attr("num_envs", [0, 4]) == [6, 6]
    envs.set_attr("mine", 3)
    assert envs.get_attr("mine") == [3] * 6
    assert envs.env_method("log") == [{}] * 6
    assert envs.env_is_wrapped(VecMonitor) == [False] * 6
    assert envs.render().shape[2] == 3
    assert len(envs.get_images()) == 2
    with pytest.warns(UserWarning, match="no `render_mode`"):
        assert VecEnv(num_boids=3).render() is None


def test_copies_are_made_anew() -> None:
    envs = VecEnv(**SMALL)
    envs.seed(1)
    first = envs.reset()
    for other in (copy.deepcopy(envs), pickle.loads(pickle.dumps(envs))):
        other.seed(1)
        assert np.array_equal(other.reset(), first)
