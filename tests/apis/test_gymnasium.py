"""boids_env.gymnasium, with Gymnasium 0.29 and with 1.1 or newer."""

import copy
import pickle
import warnings
from types import ModuleType
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium.error import ClosedEnvironmentError, InvalidAction, ResetNeeded, UnsupportedMode
from gymnasium.utils.env_checker import check_env

import needs
from boids_env import Flocks
from boids_env.gymnasium import FINAL, AutoresetMode, Env, VectorEnv

NEW = hasattr(gymnasium.vector, "AutoresetMode")
only_new = pytest.mark.skipif(
    not NEW, reason="Gymnasium 0.29 has neither wrappers for vectors nor a moviepy that is still made"
)
NEXT, SAME, OFF = AutoresetMode.NEXT_STEP, AutoresetMode.SAME_STEP, AutoresetMode.DISABLED
SMALL = {"num_envs": 3, "num_boids": 4, "width": 200, "height": 200}  # so small that boids see each other


def played(envs: Any, steps: int, seed: int = 5) -> list[Any]:
    """What each step returned, after a reset."""
    random = np.random.default_rng(1)
    envs.reset(seed=seed)
    return [envs.step(random.integers(0, 5, envs.num_envs)) for _ in range(steps)]


# ---- VectorEnv


@pytest.mark.parametrize(
    "parameters", [{}, {"action": "continuous"}, {"observation": "nearest", "num_neighbors": 3}], ids=str
)
def test_spaces(parameters: dict[str, Any]) -> None:
    envs = VectorEnv(**SMALL, **parameters)
    assert envs.num_envs == 12
    assert envs.observation_space.shape == (12, *envs.single_observation_space.shape)
    observations, infos = envs.reset(seed=1)
    assert observations in envs.observation_space
    assert infos == {}
    envs.action_space.seed(1)
    for _ in range(5):
        observations, rewards, terminations, truncations, infos = envs.step(envs.action_space.sample())
        assert observations in envs.observation_space
        assert rewards.shape == terminations.shape == truncations.shape == (12,)
        assert (rewards.dtype, terminations.dtype, truncations.dtype) == (np.float32, np.bool_, np.bool_)
    envs.close()
    envs.close()
    assert envs.closed


def test_it_is_the_flocks_of_numpy() -> None:
    envs, flocks, random = VectorEnv(**SMALL, horizon=9), Flocks(**SMALL, horizon=9), np.random.default_rng(1)
    assert np.array_equal(envs.reset(seed=5)[0], flocks.reset(5)[0])
    for got in played(envs, 20):
        flocks.step(random.integers(0, 5, 12))
        for mine, theirs in zip(
            got, (flocks.observations, flocks.rewards, flocks.terminals, flocks.truncations), strict=False
        ):
            assert np.array_equal(mine, theirs)


def test_seeds() -> None:
    envs, others = VectorEnv(**SMALL), VectorEnv(**SMALL)
    first = envs.reset(seed=3)[0]
    assert np.array_equal(first, others.reset(seed=3)[0])
    assert not np.array_equal(first, envs.reset()[0])
    assert np.array_equal(first, envs.reset(seed=3)[0])
    assert not np.array_equal(first, VectorEnv(**SMALL).reset()[0]), "without a seed it is one from the system"
    assert not np.array_equal(VectorEnv(**SMALL).reset()[0], VectorEnv(**SMALL).reset()[0])


@pytest.mark.parametrize("mode", [SAME, NEXT, OFF, "SameStep", "NextStep", "Disabled"])
def test_the_final_observation_is_that_of_a_longer_horizon(mode: Any) -> None:
    short, long = (
        VectorEnv(**SMALL, horizon=5, stagger=False, autoreset_mode=mode),
        VectorEnv(**SMALL, horizon=6, stagger=False),
    )
    ends, others = played(short, 5)[-1], played(long, 5)[-1]
    assert ends[3].all()
    assert not ends[2].any()
    if AutoresetMode(mode) is SAME:
        assert ends[4][f"_{FINAL}"].all()
        assert np.array_equal(np.stack(ends[4][FINAL]), others[0])
        assert not np.array_equal(ends[0], others[0])
    else:
        assert ends[4] == {}
        assert np.array_equal(ends[0], others[0])
    assert np.array_equal(ends[1], others[1])


def test_only_those_that_ended_have_a_final_observation() -> None:
    for *_, truncations, infos in played(VectorEnv(**SMALL, horizon=6), 20):
        assert (FINAL in infos) == truncations.any()
        if infos:
            assert np.array_equal(infos[f"_{FINAL}"], truncations)
            assert [value is not None for value in infos[FINAL]] == truncations.tolist()


@pytest.mark.parametrize("copied", [True, False])
def test_next_step_ignores_the_actions_after_an_end(copied: bool) -> None:
    """The flocks are those of SAME_STEP, each of which comes a step later after each of its episodes."""
    envs, same = VectorEnv(3, num_boids=4, horizon=6, autoreset_mode=NEXT, copy=copied), VectorEnv(3, num_boids=4, horizon=6)
    seen, expected = [np.split(envs.reset(seed=5)[0].copy(), 3)], [np.split(same.reset(seed=5)[0], 3)]
    fly_on = np.full(12, 2)
    ended = np.zeros(12, bool)
    lasts: list[list[Any]] = [[], [], []]
    for _ in range(30):
        observations, rewards, _, truncations, infos = envs.step(fly_on)
        assert infos == {}
        assert not rewards[ended].any()
        assert not truncations[ended].any()
        seen.append(np.split(observations.copy(), 3))
        for k in range(3):
            if truncations[4 * k]:
                lasts[k].append(seen[-1][k])
        ended = truncations.copy()
    finals: list[list[Any]] = [[], [], []]
    for _ in range(30):
        observations, _, _, truncations, infos = same.step(fly_on)
        expected.append(np.split(observations, 3))
        for k in range(3):
            if truncations[4 * k]:
                finals[k].append(np.stack(infos[FINAL][4 * k : 4 * k + 4]))
    for k in range(3):
        of_next = [row[k] for row in seen if not any(row[k] is last for last in lasts[k])]
        assert len(lasts[k]) >= 4
        for got, want in zip(of_next, (row[k] for row in expected), strict=False):
            assert np.array_equal(got, want)
        for got, want in zip(lasts[k], finals[k], strict=False):
            assert np.array_equal(got, want)


def test_disabled_waits_for_the_mask() -> None:
    envs = VectorEnv(**SMALL, horizon=6, autoreset_mode=OFF)
    same = played(VectorEnv(**SMALL, horizon=6), 2)
    ends = played(envs, 2)[-1]  # flock 2 of 3 began its first episode 4 steps in
    assert ends[3].tolist() == [False] * 8 + [True] * 4
    with pytest.raises(ResetNeeded, match="the 4 agents whose episode has ended"):
        envs.step(np.zeros(12, int))
    mask = ends[3]
    observations, infos = envs.reset(options={"reset_mask": mask})
    assert infos == {}
    assert np.array_equal(observations[:8], ends[0][:8]), "the others stay as they are"
    assert np.array_equal(observations[8:], same[-1][0][8:]), "the episode that C has begun"
    assert not envs.step(np.zeros(12, int))[3].any()
    # flocks in the middle of an episode, and a seed
    observations, _ = envs.reset(seed=7, options={"reset_mask": np.arange(12) < 4})
    assert np.array_equal(observations[:4], VectorEnv(**SMALL, horizon=6).reset(seed=7)[0][:4])
    before = observations
    observations, _ = envs.reset(options={"reset_mask": np.arange(12) < 4})
    assert not np.array_equal(observations[:4], before[:4])
    assert np.array_equal(observations[4:], before[4:])


def test_masks_are_checked() -> None:
    envs = VectorEnv(**SMALL)
    with pytest.raises(ResetNeeded):
        envs.reset(options={"reset_mask": np.ones(12, bool)})
    first = envs.reset(seed=1)[0]
    for mask, error, message in [
        ([True] * 12, TypeError, "expected a NumPy array of bool, got list"),
        (np.ones(12), TypeError, "expected a NumPy array of bool, got float64"),
        (np.ones(3, bool), ValueError, r"expected shape \(12,\), got \(3,\)"),
        (np.zeros(12, bool), ValueError, "expected at least one True, got none"),
        (np.arange(12) < 5, ValueError, "expected all 4 agents of an environment or none of them"),
    ]:
        with pytest.raises(error, match=message):
            envs.reset(options={"reset_mask": mask})
    assert np.array_equal(envs._seen(), first)


def test_copies() -> None:
    envs = VectorEnv(**SMALL)
    first, _ = envs.reset(seed=1)
    kept = first.copy()
    arrays = envs.step(np.zeros(12, int))[:4]
    again = envs.step(np.ones(12, int))[:4]
    assert np.array_equal(first, kept)
    assert not any(np.shares_memory(a, b) for a, b in zip(arrays, again, strict=True))
    shared = VectorEnv(**SMALL, copy=False)
    first, _ = shared.reset(seed=1)
    assert shared.step(np.zeros(12, int))[0] is first


WRONG = [
    (np.zeros(11, int), r"expected shape \(12,\), got \(11,\)"),
    (np.full(12, 5), r"agent 0: expected an integer in \[0, 4\], got 5"),
    (np.full(12, -1), "expected an integer in"),
    (np.zeros(12), "expected int32, got float64"),
    (np.full(12, 2**40), "beyond int32"),
    (None, r"expected shape \(12,\), got \(\)"),
    ("left", "expected shape"),
]


@pytest.mark.parametrize(("actions", "message"), WRONG, ids=[message for _, message in WRONG])
def test_wrong_actions_step_nothing(actions: Any, message: str) -> None:
    envs, others = VectorEnv(**SMALL), VectorEnv(**SMALL)
    envs.reset(seed=1)
    others.reset(seed=1)
    with pytest.raises(InvalidAction, match=message):
        envs.step(actions)
    good = np.zeros(12, int)
    assert np.array_equal(envs.step(good)[0], others.step(good)[0])


def test_other_mistakes() -> None:
    envs = VectorEnv(**SMALL)
    with pytest.raises(ResetNeeded, match="reset"):
        envs.step(np.zeros(12, int))
    for seed in (-1, "one", 1.5, 2**63):
        with pytest.raises(gymnasium.error.Error):
            envs.reset(seed=seed)
    envs.reset(seed=0)
    envs.close()
    with pytest.raises(ClosedEnvironmentError):
        envs.reset()
    with pytest.raises(ClosedEnvironmentError):
        envs.step(np.zeros(12, int))
    with pytest.raises(TypeError, match="unknown parameter 'wings'"):
        VectorEnv(wings=2)
    with pytest.raises(ValueError, match="num_boids: expected an int in"):
        VectorEnv(num_boids=0)
    with pytest.raises(ValueError, match="Never"):
        VectorEnv(autoreset_mode="Never")
    with pytest.raises(UnsupportedMode, match="'canvas'"):
        VectorEnv(render_mode="canvas")
    with pytest.raises(TypeError, match=r"expected an extension module that binding\.c made"):
        VectorEnv(module=np)


@pytest.mark.parametrize("make", [lambda: VectorEnv(**SMALL, autoreset_mode=NEXT, copy=False), lambda: Env(num_boids=4)])
def test_copies_are_made_anew(make: Any) -> None:
    env = make()
    first = env.reset(seed=1)[0].copy()
    for other in (copy.deepcopy(env), pickle.loads(pickle.dumps(env))):
        assert type(other) is type(env)
        with pytest.raises(ResetNeeded):
            other.step(other.action_space.sample())
        assert np.array_equal(other.reset(seed=1)[0], first)
        assert other.metadata == env.metadata


def test_pictures() -> None:
    envs = VectorEnv(2, num_boids=3, render_mode="rgb_array")
    with pytest.raises(ResetNeeded):
        envs.render()
    envs.reset(seed=1)
    pictures = envs.render()
    assert len(pictures) == envs.num_envs
    assert pictures[0] is pictures[2]
    assert (pictures[0] != pictures[3]).any()
    assert pictures[0].shape == (480, 720, 3)
    assert VectorEnv(num_boids=3).metadata["render_fps"] == 30
    nothing = VectorEnv(num_boids=3)
    nothing.reset()
    assert nothing.render() is None


@pytest.mark.parametrize("name", ["squared", "cartpole", "counter", "snake"])
def test_any_module(name: str, request: pytest.FixtureRequest) -> None:
    module = request.getfixturevalue(name)
    envs = VectorEnv(4, module)
    observations, _ = envs.reset(seed=1)
    assert observations in envs.observation_space
    envs.action_space.seed(1)
    ended = 0
    for _ in range(300):
        observations, _, terminations, truncations, infos = envs.step(envs.action_space.sample())
        assert observations in envs.observation_space
        ended += (terminations | truncations).sum()
        assert (FINAL in infos) == (terminations | truncations).any()
    assert ended
    assert envs.log()["n"] == ended or name == "snake"


def test_agents_that_end_on_their_own(counter: ModuleType) -> None:
    envs = VectorEnv(4, counter, autoreset_mode=NEXT, limit=3)
    envs.reset(seed=1)
    with pytest.raises(NotImplementedError, match="expected SAME_STEP, as agents of _counter end on their own"):
        _ = [envs.step(envs.action_space.sample()) for _ in range(100)]


def test_a_header_without_final_observations(least: ModuleType) -> None:
    with pytest.raises(NotImplementedError, match="ENV_FINAL_OBSERVATIONS"):
        VectorEnv(2, least)


@only_new
@pytest.mark.parametrize("mode", list(AutoresetMode))
def test_episode_statistics(mode: Any) -> None:
    envs = VectorEnv(2, num_boids=3, horizon=8, stagger=False, autoreset_mode=mode)
    wrapped = gymnasium.wrappers.vector.RecordEpisodeStatistics(envs)
    wrapped.reset(seed=1)
    returns = np.zeros(6)
    for _ in range(8):
        _, rewards, _, truncations, infos = wrapped.step(np.full(6, 2))
        returns += rewards
    assert truncations.all()
    assert np.allclose(infos["episode"]["r"], returns)
    assert (infos["episode"]["l"] == 8).all()
    if mode is OFF:
        wrapped.reset(options={"reset_mask": truncations})
    if mode is SAME and gymnasium.__version__ < "1.4":
        return  # the wrapper of 1.2 takes every mode for NEXT_STEP
    steps = 9 if mode is NEXT else 8
    for _ in range(steps):
        *_, infos = wrapped.step(np.full(6, 2))
    assert (infos["episode"]["l"] == 8).all()


@only_new
def test_normalized_observations() -> None:
    envs = gymnasium.wrappers.vector.NormalizeObservation(VectorEnv(4, num_boids=16, autoreset_mode=NEXT, horizon=50))
    envs.reset(seed=1)
    envs.action_space.seed(1)
    seen = np.concatenate([envs.step(envs.action_space.sample())[0] for _ in range(200)])
    moving = seen.std(0) > 0
    assert np.abs(seen.mean(0)).max() < 0.3
    assert np.allclose(seen.std(0)[moving], 1, atol=0.3)


@only_new
def test_make_vec() -> None:
    envs = gymnasium.make_vec("boids_env/Boids-v0", 2, vectorization_mode="vector_entry_point", num_boids=5)
    assert isinstance(envs.unwrapped, VectorEnv)
    assert envs.num_envs == 10
    envs = gymnasium.make_vec("boids_env/Boids-v0", 2, vectorization_mode="sync", num_boids=5)
    assert envs.reset(seed=1)[0].shape == (2, 5, 10)
    envs.close()


def test_old_statistics() -> None:
    if NEW:
        pytest.skip("Gymnasium 0.29 has one wrapper for both")
    envs = gymnasium.wrappers.RecordEpisodeStatistics(VectorEnv(2, num_boids=3, horizon=8, stagger=False))
    envs.reset(seed=1)
    for _ in range(8):
        *_, infos = envs.step(np.full(6, 2))
    assert (infos["episode"]["l"] == 8).all()


# ---- Env


@pytest.mark.parametrize("parameters", [{}, {"action": "continuous"}, {"num_boids": 1}], ids=str)
def test_the_checker_passes(parameters: dict[str, Any]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.filterwarnings("ignore", ".*alternative render modes.*|.*different from the unwrapped.*")
        if parameters.get("action"):
            warnings.filterwarnings("ignore", ".*action space.*")
        env = Env(**({"num_boids": 6} | parameters), render_mode="rgb_array")
        check_env(env)
        check_env(gymnasium.make("boids_env/Boids-v0", num_boids=6).unwrapped, skip_render_check=True)


def test_it_is_registered() -> None:
    env = gymnasium.make("boids_env/Boids-v0", num_boids=7)
    assert env.spec.id == "boids_env/Boids-v0"
    assert env.observation_space.shape == (7, 10)
    assert gymnasium.make("boids_env.gymnasium:boids_env/Boids-v0").observation_space.shape == (64, 10)
    with pytest.raises(ResetNeeded):
        env.step(env.action_space.sample())


def test_the_final_observation_of_one_flock() -> None:
    short, long = Env(num_boids=4, horizon=5), Env(num_boids=4, horizon=6)
    short.reset(seed=1)
    long.reset(seed=1)
    for k in range(5):
        got, other = short.step(np.full(4, 2)), long.step(np.full(4, 2))
        assert got[2:] == (False, k == 4, {})
        assert np.array_equal(got[0], other[0])
        assert got[1] == other[1]
        assert isinstance(got[1], float)
    with pytest.raises(ResetNeeded, match="the episode has ended"):
        short.step(np.full(4, 2))
    short.reset(seed=1)
    short.step(np.full(4, 2))


@pytest.mark.filterwarnings("ignore:.*infinity.*", "ignore:.*alternative render modes.*")
def test_an_environment_of_one_agent(squared: ModuleType, cartpole: ModuleType) -> None:
    for module in (squared, cartpole):
        env = Env(module)
        assert env.observation_space.shape == (module.layout()["observation"]["size"],)
        assert env.action_space.shape == ()
        check_env(env, skip_render_check=True)
        env.reset(seed=1)
        env.action_space.seed(1)
        while (ended := env.step(env.action_space.sample())[2:4]) == (False, False):
            pass
        assert sum(ended) == 1


def test_wrong_actions_of_one_flock() -> None:
    env = Env(num_boids=4)
    env.reset(seed=1)
    for action in (2, np.full(3, 2), np.full(4, 5), np.full((4, 1), 2), np.full(4, 2.0), None):
        with pytest.raises(InvalidAction):
            env.step(action)
    env.close()
    env.close()
    with pytest.raises(ClosedEnvironmentError):
        env.step(np.full(4, 2))


def test_text() -> None:
    env = Env(num_boids=4, render_mode="ansi")
    env.reset(seed=1)
    assert len(env.render().splitlines()) == 24


@only_new
def test_a_film(tmp_path: Any) -> None:
    needs.package("moviepy", "pip install moviepy")
    env = gymnasium.make("boids_env/Boids-v0", num_boids=9, horizon=20, render_mode="rgb_array")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        env = gymnasium.wrappers.RecordVideo(env, str(tmp_path), episode_trigger=lambda _: True)
        env.reset(seed=1)
        for _ in range(20):
            env.step(env.action_space.sample())
        env.close()
    (film,) = tmp_path.glob("*.mp4")
    assert film.stat().st_size > 1000


def test_a_window_shows_each_step(display: dict[str, str]) -> None:
    import subprocess
    import sys

    code = """
import boids_env.gymnasium, gymnasium, numpy as np
env = boids_env.gymnasium.Env(num_boids=30, render_mode="human")
env.reset(seed=1)
for _ in range(10):
    env.step(env.action_space.sample())
    assert env.render() is None
env.close()
envs = boids_env.gymnasium.VectorEnv(2, num_boids=30, render_mode="human")
envs.reset(seed=1)
envs.step(envs.action_space.sample())
envs.close()
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=display, check=False)
    assert done.returncode == 0, done.stderr


def test_no_window_without_a_display(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(gymnasium.error.DependencyNotInstalled, match=r"no display|raylib"):
        Env(num_boids=4, render_mode="human").reset(seed=1)
