"""boids_env.torchrl: TorchRL's own check, rollouts, collectors and transforms."""

import copy
from typing import Any

import numpy as np
import pytest
import torch
from torchrl.envs import RewardSum, TransformedEnv
from torchrl.envs.utils import check_env_specs

from boids_env import Flocks
from boids_env.torchrl import Env

SMALL = {"num_envs": 3, "num_boids": 4, "width": 200, "height": 200}  # so small that boids see each other


def fly_on(observations: torch.Tensor) -> torch.Tensor:
    return torch.full((len(observations),), 2)


@pytest.mark.parametrize("parameters", [{}, {"action": "continuous"}, {"observation": "nearest"}], ids=str)
def test_its_check_passes(parameters: dict[str, Any]) -> None:
    check_env_specs(Env(**SMALL, horizon=7, **parameters), seed=1)


@pytest.mark.parametrize("name", ["squared", "cartpole", "counter", "snake"])
def test_any_module(name: str, request: pytest.FixtureRequest) -> None:
    """Also those whose agents end on their own."""
    env = Env(4, request.getfixturevalue(name))
    check_env_specs(env, seed=1)
    rollout = env.rollout(300, break_when_any_done=False)
    assert rollout["next", "done"].any()


def test_it_is_the_flocks_of_numpy() -> None:
    env, flocks = Env(**SMALL, horizon=9), Flocks(**SMALL, horizon=9)
    env.set_seed(5)
    flocks.reset(5)
    rollout = env.rollout(20, break_when_any_done=False)
    for t in range(20):
        at = rollout[:, t]
        assert np.array_equal(at["observation"], flocks.observations)
        flocks.step(at["action"].numpy())
        assert np.array_equal(at["next", "reward"][:, 0], flocks.rewards)
        assert np.array_equal(at["next", "truncated"][:, 0], flocks.truncations)
        assert np.array_equal(at["next", "done"], at["next", "truncated"])
        assert not at["next", "terminated"].any()


def test_the_final_observation_is_that_of_a_longer_horizon() -> None:
    short, long = Env(**SMALL, horizon=5, stagger=False), Env(**SMALL, horizon=6, stagger=False)
    ends = []
    for env in (short, long):
        env.set_seed(1)
        ends.append(env.rollout(5, fly_on, break_when_any_done=False)[:, 4]["next"])
    assert ends[0]["done"].all()
    assert not ends[1]["done"].any()
    assert np.array_equal(ends[0]["observation"], ends[1]["observation"])


def test_parts_of_a_flock() -> None:
    env = Env(**SMALL)
    env.set_seed(1)
    first = env.reset()
    whole = torch.zeros(12, 1, dtype=torch.bool)
    whole[4:8] = True
    again = env.reset(first.clone().set("_reset", whole))
    assert np.array_equal(again["observation"][:4], first["observation"][:4])
    assert not np.array_equal(again["observation"][4:8], first["observation"][4:8])
    whole[4] = False
    with pytest.raises(ValueError, match="expected all 4 agents of an environment or none of them, got some"):
        env.reset(first.clone().set("_reset", whole))


def test_seeds() -> None:
    env, other = Env(**SMALL), Env(**SMALL)
    env.set_seed(3)
    other.set_seed(3)
    first = env.reset()["observation"]
    assert np.array_equal(first, other.reset()["observation"])
    assert not np.array_equal(first, env.reset()["observation"])
    assert not np.array_equal(Env(**SMALL).reset()["observation"], Env(**SMALL).reset()["observation"])


def test_a_transform() -> None:
    env = TransformedEnv(Env(**SMALL, horizon=6, stagger=False), RewardSum())
    rollout = env.rollout(6, break_when_any_done=False)
    assert torch.allclose(rollout["next", "episode_reward"][:, -1], rollout["next", "reward"].sum(1), atol=1e-5)


def test_mistakes() -> None:
    env = Env(**SMALL)
    at = env.reset()
    with pytest.raises(ValueError, match=r"agent 0: expected an integer in \[0, 4\], got 7"):
        env.step(at.clone().set("action", torch.full((12,), 7)))
    with pytest.raises(TypeError, match="expected int32, got float32"):
        env.step(at.clone().set("action", torch.zeros(12)))
    with pytest.raises(TypeError, match="wings"):
        Env(wings=2)
    with pytest.raises(ValueError, match="num_boids"):
        Env(num_boids=0)
    env.close()
    env.close()
    with pytest.raises(RuntimeError, match="closed"):
        env.reset()


def test_copies_are_made_anew() -> None:
    env = Env(**SMALL)
    env.set_seed(1)
    other = copy.deepcopy(env)
    other.set_seed(1)
    assert np.array_equal(env.reset()["observation"], other.reset()["observation"])
