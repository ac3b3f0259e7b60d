"""examples/: squared, snake and cartpole as modules, as classes, as packages of their own, and as something to learn."""

import importlib
import importlib.util
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import gymnasium
import numpy as np
import pytest

from boids_env import load_policy, numpy_env, puffer_env
from boids_env.env.puffer import pufferlib  # an import of its own would leave a link in this folder
from interpreter import python

ROOT = Path(__file__).resolve().parent.parent
NAMES = ["squared", "snake", "cartpole"]
DRAWN = ["squared", "snake"]  # with a picture, a window and a script
SMALL = {
    "squared": {"num_envs": 6, "size": 5},
    "snake": {"num_envs": 2, "width": 9, "height": 7, "num_snakes": 3, "num_food": 9},
    "cartpole": {"num_envs": 6},
}
UP, DOWN, LEFT, RIGHT = range(4)  # of snake
EMPTY, FOOD, CORPSE, WALL, BODY, HEAD = range(6)

vector = importlib.import_module("pufferlib.vector")


@pytest.fixture(params=NAMES)
def name(request: pytest.FixtureRequest) -> str:
    """Each of them in turn."""
    request.getfixturevalue(request.param)  # the extension, in sys.modules from now on
    return str(request.param)


@pytest.fixture(scope="module", autouse=True)
def folders() -> Iterator[None]:
    """examples/train.py on the path."""
    added = [str(ROOT / "examples")]
    sys.path[:0] = added
    yield
    sys.path[:] = [path for path in sys.path if path not in added]


drawn = pytest.mark.parametrize("name", DRAWN, indirect=True)


def cls(name: str) -> Any:
    return puffer_env(importlib.import_module(f"_{name}"))


def make(name: str, **changes: Any) -> Any:
    return cls(name)(**{**SMALL[name], **changes})


def same_actions(env: Any, step: int) -> np.ndarray:
    return (np.arange(env.num_agents) * 7 + step * step) % env.single_action_space.n


def played(env: Any, seed: int | None = 7, steps: int = 60) -> bytes:
    """All that an environment, or a vecenv of several, shows in some steps; closes it."""
    seen = [env.reset(seed=seed)[0].copy()]
    for step in range(steps):
        seen += [array.copy() for array in env.step(same_actions(env, step).astype(np.int32))[:4]]
    env.close()
    return b"".join(array.tobytes() for array in seen)


# ---- The modules -------------------------------------------------------------------------------------------------------


@drawn
def test_every_observation_lies_in_the_space(name: str) -> None:
    env = make(name, seed=3)
    assert isinstance(env, pufferlib.PufferEnv)
    assert env.single_observation_space.dtype == np.uint8
    assert env.observation_space.contains(env.reset(0)[0])
    env.action_space.seed(0)
    seen = set()
    for _ in range(300):
        observations, *_ = env.step(env.action_space.sample())
        assert env.observation_space.contains(observations)
        seen |= set(np.unique(observations))
    assert seen == set(range(int(env.single_observation_space.high.max()) + 1))  # and none is there for nothing
    env.close()


def test_the_same_seed_is_the_same_game(name: str) -> None:
    assert played(make(name, seed=1)) == played(make(name, seed=1))
    assert len({played(make(name, seed=seed), reset) for seed in (1, 2) for reset in (7, 8)}) == 4
    assert played(make(name, seed=1), None) == played(make(name, seed=1), None)


def test_threads_change_nothing(name: str) -> None:
    assert played(make(name, num_threads=1)) == played(make(name, num_threads=2))


def test_numpy_alone_plays_the_same(name: str) -> None:
    env, other = make(name, seed=4), numpy_env(importlib.import_module(f"_{name}"))(seed=4, **SMALL[name])
    assert type(other).__name__ == type(env).__name__ == name.capitalize()
    assert (env.reset(1)[0] == other.reset(1)[0]).all()
    for step in range(50):
        other.actions[:] = same_actions(env, step)
        assert (env.step(other.actions)[0] == other.step()[0]).all()
        assert (env.rewards == other.rewards).all()
    env.close()
    other.close()


@drawn
def test_a_caller_may_scribble_on_the_observations(name: str) -> None:
    env = make(name)
    env.reset(0)
    for step in range(300):
        env.observations[:] = 255
        env.step(same_actions(env, step))
        env.vec.script()
        assert env.action_space.contains(env.actions)
    env.close()


@drawn
@pytest.mark.parametrize("size", [(1, 1), (1, 50), (50, 1), (3, 2), (37, 90)])
def test_pixels(name: str, size: tuple[int, int]) -> None:
    env = make(name)
    env.reset(0)
    guarded = np.full((size[0] + 2, *size[1:], 3), 1, np.uint8)  # no colour of any picture
    env.vec.render(guarded[1:-1])
    assert (guarded[[0, -1]] == 1).all()
    assert (guarded[1:-1] != 1).any(2).all()
    assert env.render().shape == {"squared": (480, 480, 3), "snake": (480, 617, 3)}[name]
    assert len(np.unique(env.render().reshape(-1, 3), axis=0)) > 3
    env.close()


@pytest.mark.parametrize(
    ("name", "parameters", "message"),
    [
        ("squared", {"size": 1}, "size: expected an int in [2, 64] cells, got 1"),
        ("snake", {"width": 1}, "width: expected an int in [2, 1024] cells, got 1"),
        ("snake", {"vision": 16}, "vision: expected an int in [1, 15] cells, got 16"),
        ("snake", {"reward_food": float("nan")}, "reward_food: expected a float in [-1, 1], got nan"),
        (
            "snake",
            {"num_snakes": 1000, "num_food": 601},
            "num_snakes, num_food: expected no more of them than the board has cells",
        ),
    ],
)
def test_refuses(request: pytest.FixtureRequest, name: str, parameters: dict[str, Any], message: str) -> None:
    module = request.getfixturevalue(name)
    with pytest.raises(ValueError) as error:
        module.layout(**parameters)
    assert str(error.value) == message


def test_the_extremes_run(snake: ModuleType) -> None:
    for parameters in (
        {"width": 2, "height": 2, "num_snakes": 1, "num_food": 3, "max_length": 2, "horizon": 1, "vision": 1},
        {"width": 2, "height": 2, "num_snakes": 4, "num_food": 0, "max_length": 4096, "vision": 15},
        {"width": 1024, "height": 2, "num_snakes": 2048, "num_food": 0},
        {"width": 1024, "height": 1024, "num_snakes": 1, "num_food": 1_000_000, "max_length": 4096},
    ):
        env = cls("snake")(**parameters)
        env.reset(0)
        for step in range(20):
            assert env.observation_space.contains(env.step(same_actions(env, step))[0])
        env.close()


# ---- The rules, as an agent meets them ---------------------------------------------------------------------------------


@pytest.mark.usefixtures("squared")
def test_squared_pays_for_the_target() -> None:
    env = cls("squared")(num_envs=50, size=5)
    observations, _ = env.reset(1)
    for _ in range(200):
        agent, target = (observations == 1).argmax(1), (observations == 2).argmax(1)
        env.vec.script()
        step = np.array([0, -5, 5, -1, 1])[env.actions]
        _, rewards, terminals, truncations, _ = env.step(env.actions)
        assert (terminals == (agent + step == target)).all()
        assert (rewards == terminals).all()
        assert not truncations.any()
    env.close()


@pytest.mark.usefixtures("snake")
def test_snake_pays_for_what_lies_ahead() -> None:
    board = {"num_snakes": 1, "width": 8, "height": 8, "num_food": 6, "horizon": 60}
    env = cls("snake")(num_envs=40, reward_food=0.5, reward_corpse=0.25, **board)
    observations, _ = env.reset(1)
    rng, side = np.random.default_rng(0), 11
    heading = np.full(40, -1)  # unknown, and of no matter while a snake is one cell long
    met = set()
    for _ in range(400):
        actions = rng.integers(4, size=40)
        windows = observations.reshape(-1, side, side)
        back = (heading >= 0) & (actions == heading ^ 1)
        ahead = np.where(back, heading, actions)
        found = windows[np.arange(40), 5 + (ahead == DOWN) - (ahead == UP), 5 + (ahead == RIGHT) - (ahead == LEFT)]
        met |= set(found)
        _, rewards, terminals, truncations, _ = env.step(actions)
        grown = np.isin(found, (FOOD, CORPSE))
        assert (terminals == (found >= WALL)).all()
        assert np.allclose(rewards, np.select([found == FOOD, found == CORPSE, found >= WALL], [0.5, 0.25, -1.0], 0.0))
        heading = np.where(terminals | truncations, -1, np.where(grown | (heading >= 0), ahead, -1))
    assert {EMPTY, FOOD, CORPSE, WALL, BODY} <= met
    env.close()


@pytest.mark.parametrize(("name", "steps"), [("squared", 15), ("snake", 40)])
def test_an_episode_is_cut_off(request: pytest.FixtureRequest, name: str, steps: int) -> None:
    request.getfixturevalue(name)
    changes = (
        {"horizon": steps, "num_snakes": 1, "num_food": 0, "num_envs": 1, "log_interval": steps} if name == "snake" else {}
    )
    env = make(name, **changes, seed=2)
    env.reset(0)
    for step in range(1, steps + 1):
        if name == "snake":
            env.vec.script()
        else:
            env.actions[:] = 0  # stay
        _, rewards, terminals, truncations, infos = env.step(env.actions)
        assert not terminals.any()
        assert not rewards.any()
        assert (truncations == (step == steps)).all()
    assert not infos or infos[0]["episode_length"] == steps
    env.close()


def cartpole_moved(pole: np.ndarray, right: np.ndarray) -> np.ndarray:
    """A step of Barto, Sutton, Anderson 1983, without friction, of poles (n x 4), in doubles.

    Theirs has the pole's angular acceleration with the cart's still in it; Gymnasium's CartPole-v1 has the same form.
    """
    gravity, cart_mass, pole_mass, half, force, step = 9.8, 1.0, 0.1, 0.5, 10.0, 0.02
    _, speed, angle, spin = pole.T.astype(np.float64)
    mass, sine, cosine = cart_mass + pole_mass, np.sin(angle), np.cos(angle)
    pushed = np.where(right, force, -force)
    angular = gravity * sine + cosine * (-pushed - pole_mass * half * spin**2 * sine) / mass
    angular /= half * (4 / 3 - pole_mass * cosine**2 / mass)
    linear = (pushed + pole_mass * half * (spin**2 * sine - angular * cosine)) / mass
    return pole + step * np.stack([speed, linear, spin, angular], 1)


@pytest.mark.usefixtures("cartpole")
def test_cartpole_moves_by_its_equations() -> None:
    env = cls("cartpole")(num_envs=1000, horizon=60)
    rng = np.random.default_rng(0)
    pole, tick = env.reset(1)[0].copy(), np.zeros(1000)
    fallen = cut = 0
    for _ in range(300):
        # half of them play at random, half balance for a while
        right = np.where(np.arange(1000) % 2, pole[:, 2] + pole[:, 3] > 0, rng.random(1000) < 0.5)
        expected, tick = cartpole_moved(pole, right), tick + 1
        observations, rewards, terminals, truncations, _ = env.step(right.astype(np.int32))
        assert (rewards == 1).all()
        fell = (np.abs(expected[:, 0]) > 2.4) | (np.abs(expected[:, 2]) > np.radians(12))
        assert (terminals == fell).all()
        assert (truncations == (~fell & (tick == 60))).all()
        ended = terminals | truncations
        np.testing.assert_allclose(observations[~ended], expected[~ended], rtol=0, atol=1e-6)
        assert (np.abs(observations[ended]) <= 0.05).all()
        fallen, cut = fallen + terminals.sum(), cut + truncations.sum()
        pole, tick = observations.copy(), np.where(ended, 0, tick)
    assert min(fallen, cut) > 1000
    env.close()


@pytest.mark.usefixtures("cartpole")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_cartpole_is_gymnasiums() -> None:
    """Step by step, from where ours is; and as long an episode."""
    env, theirs = cls("cartpole")(), gymnasium.make("CartPole-v1", disable_env_checker=True)
    assert theirs.spec.max_episode_steps == env.parameters["horizon"]
    rng = np.random.default_rng(0)
    theirs.reset(seed=1)
    pole = env.reset(1)[0][0].copy()
    ends = 0
    for _ in range(3000):
        action = int(rng.integers(2))
        theirs.unwrapped.state = tuple(pole.astype(np.float64))
        theirs.unwrapped.steps_beyond_terminated = None
        expected, reward, fell, *_ = theirs.unwrapped.step(action)
        observations, rewards, terminals, _, _ = env.step(np.array([action], np.int32))
        assert (rewards[0], terminals[0]) == (reward, fell)
        if not fell:
            np.testing.assert_allclose(observations[0], expected, rtol=0, atol=1e-6)
        ends += fell
        pole = observations[0].copy()
    assert ends > 50
    env.close()
    theirs.close()


# ---- The PufferEnvs ----------------------------------------------------------------------------------------------------


def test_writes_into_the_buffers_it_is_given(name: str) -> None:
    own = make(name)
    n, (cells,) = own.num_agents, own.single_observation_space.shape
    own.close()
    shared = {
        "observations": np.full((3 * n, cells), 99, own.single_observation_space.dtype),
        "actions": np.full(3 * n, 99, np.int32),
        "rewards": np.full(3 * n, 99, np.float32),
        "terminals": np.ones(3 * n, bool),
        "truncations": np.ones(3 * n, bool),
        "masks": np.ones(3 * n, bool),
    }
    buf = {key: array[n : 2 * n] for key, array in shared.items()}
    env = make(name, buf=buf)
    env.reset(0)
    for _ in range(10):
        env.step(np.ones(n, np.int64))
    for key, array in buf.items():
        assert getattr(env, key) is array
        if key != "masks":
            assert (array != 99).all()
            assert (shared[key][:n] == (1 if array.dtype == bool else 99)).all()
            assert (shared[key][2 * n :] == (1 if array.dtype == bool else 99)).all()
    assert (env.actions == 1).all()
    env.close()


def test_infos(name: str) -> None:
    env = make(name, log_interval=50)
    assert env.reset()[1] == []
    infos = [env.step(same_actions(env, step))[-1] for step in range(200)]
    assert [step for step, info in enumerate(infos, 1) if info] == [50, 100, 150, 200]
    for (info,) in infos[49::50]:
        assert set(info) == set(env.vec.log_fields)
        assert all(type(value) is float for value in info.values())
    env.close()


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of fork in a process that has threads
def test_backends(name: str) -> None:
    def of(backend: Any, seed: int = 7, **kwargs: Any) -> bytes:
        return played(vector.make(cls(name), env_kwargs=SMALL[name], backend=backend, num_envs=2, **kwargs), seed)

    serial = of(vector.Serial)
    assert serial == of(vector.Serial)
    assert serial != of(vector.Serial, 8)
    assert serial == of(vector.Multiprocessing, num_workers=2, overwork=True)
    # the seeds of the workers' resets overlap, and yet their games differ
    vecenv = vector.make(cls(name), env_kwargs={**SMALL[name], "log_interval": 128}, backend=vector.Serial, num_envs=2)
    first, second = np.split(vecenv.reset(seed=7)[0], 2)
    assert (first != second).any()
    infos = [info for step in range(128) for info in vecenv.step(same_actions(vecenv, step).astype(np.int32))[-1]]
    assert len(infos) == 2
    assert all(info["episode_length"] > 0 for info in infos)
    vecenv.close()


def test_gymnasium_spaces(name: str) -> None:
    env = make(name)
    assert env.single_action_space == gymnasium.spaces.Discrete({"squared": 5, "snake": 4, "cartpole": 2}[name])
    spaces = {"squared": (0, 2, (25,), np.uint8), "snake": (0, 5, (121,), np.uint8), "cartpole": (-np.inf, np.inf, (4,))}
    assert env.single_observation_space == gymnasium.spaces.Box(*spaces[name])
    env.close()


# ---- The window --------------------------------------------------------------------------------------------------------

VIEWER = """
import os, subprocess, sys
sys.path[:0] = [{path!r}]
import numpy as np
from boids_env import UserError, puffer_env
import _{name}

make = puffer_env(_{name})
env, other = make(render_mode="human"), make(render_mode="human")
env.reset(0)
other.reset(0)

def frames(count):
    return sum(env.render() for _ in range(count))

def press(*keys):
    "The steps that are asked for meanwhile, until the last key has surely arrived."
    subprocess.run(["xdotool", "key", *keys], check=True)
    return frames(8)

assert frames(16) == 2  # at first a step takes eight frames
with open(os.environ["SCREEN"], "rb") as file:
    assert len(np.unique(np.frombuffer(file.read(), np.uint8))) > 10
press("space")
assert frames(16) == 0
assert press("n", "n") == 2
assert frames(16) == 0
press("space", "plus", "plus", "plus")
assert frames(16) == 16
press("plus")
assert frames(16) == 32
press("minus", "minus")
assert frames(16) == 8
for key, steps in ("plus", 64 * 8), ("minus", 1):  # the fastest, and the slowest: one in 8 frames
    press(*20 * [key])
    assert frames(8) == steps
found = subprocess.run(["xdotool", "search", "--name", "^{name}$"], capture_output=True, text=True).stdout.split()
for width, height in (300, 500), (720, 720):
    subprocess.run(["xdotool", "windowsize", found[0], str(width), str(height)], check=True)
    frames(4)
try:
    other.render()
except UserError as error:
    assert "another environment" in str(error)
else:
    raise AssertionError
subprocess.run(["xdotool", "key", "Escape"], check=True)
assert None in (env.render() for _ in range(8))
env.close()
assert other.render() == 0
other.close()
"""


@drawn
@pytest.mark.slow
def test_window(name: str, display: dict[str, str]) -> None:
    code = VIEWER.format(path=str(Path(str(sys.modules[f"_{name}"].__file__)).parent), name=name)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=display, timeout=60)
    assert done.returncode == 0, done.stderr


# ---- Learning, packaging -----------------------------------------------------------------------------------------------


INSTALL = "pip install --no-build-isolation ./examples/squared"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("hidden", "arguments", "message"),
    [
        ("torch", "squared --trainer pufferl", "torch is not installed: see 'Installing PufferLib' in README.md"),
        ("_squared", "squared", f"_squared is not installed: {INSTALL}"),
        ("PIL", "squared --gif x.gif", "PIL is not installed: pip install pillow"),
        ("torch", "cartpole --gif x.gif", "--gif: cartpole.h defines no c_pixels"),
    ],
)
def test_the_trainer_says_what_is_missing(
    hidden: str, arguments: str, message: str, squared: ModuleType, cartpole: ModuleType
) -> None:
    code = f"""
    import runpy
    if {hidden!r} != "_squared":
        sys.path.append({str(Path(str(squared.__file__)).parent)!r})
    sys.argv[1:] = {arguments.split()}
    runpy.run_path({str(ROOT / "examples/train.py")!r}, run_name="__main__")
    """
    done = python(code, hidden=(hidden,))
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.splitlines()[-1] == message
    assert "Traceback" not in done.stderr


def trained(name: str, trainer: str, steps: int, **changes: Any) -> tuple[Any, Any]:
    """examples/train.py, and what it has trained for so many steps."""
    train = importlib.import_module("train")
    envs, _, settings = train.RECIPES[name]
    module = importlib.import_module(f"_{name}")
    return train, getattr(train, trainer)(module, envs, steps, settings | changes)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("trainer", "name", "steps", "least"),
    [
        ("native", "cartpole", 200_000, 200),
        ("native", "squared", 200_000, 0.8),
        ("native", "snake", 300_000, 5.0),
        ("pufferl", "squared", 100_000, 0.8),
        ("pufferl", "snake", 100_000, 6.0),
    ],
)
def test_it_can_be_learned(
    request: pytest.FixtureRequest, name: str, trainer: str, steps: int, least: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    request.getfixturevalue(name)
    monkeypatch.setattr(sys, "argv", ["train.py"])
    train, learned = trained(name, trainer, steps)
    env = numpy_env(importlib.import_module(f"_{name}"))(**train.RECIPES[name][0], seed=2**40)
    field = next(iter(env.vec.log_fields))
    scores = [train.play(env, act, 1000)[field] for act in (learned, load_policy("random").act)]
    print(f"{name}: learned {scores[0]:.2f}, random {scores[1]:.2f}")
    assert scores[0] > least > scores[1] + 1
    env.close()


@pytest.mark.slow
def test_a_film_of_the_trained_policy(squared: ModuleType, tmp_path: Path) -> None:
    train, learned = trained("squared", "native", 20_000)
    frames: list[np.ndarray] = []
    with numpy_env(squared)(4, size=5) as env:
        train.play(env, learned, 11, frames=frames)
    train.save_gif(tmp_path / "film.gif", frames)
    assert (tmp_path / "film.gif").stat().st_size > 1000


@pytest.mark.slow
def test_it_is_a_package(name: str, tmp_path: Path) -> None:
    """As a stranger installs it, with the boids-env that is installed here as the build requirement."""
    options = ["--no-build-isolation", "--no-deps", "--no-index", "--disable-pip-version-check", "--target", str(tmp_path)]
    command = [sys.executable, "-m", "pip", "install", *options, str(ROOT / "examples" / name)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    code = f"import _{name}, boids_env; env = boids_env.puffer_env(_{name})(); env.reset(); print(_{name}.__file__)"
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True, cwd=tmp_path, env=environment
    )
    assert done.returncode == 0, done.stderr
    assert str(tmp_path) in done.stdout
