"""examples/world_model: recordings, true advantages, models and planners, without long training."""

import importlib
import sys
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import needs
from builds import ROOT
from interpreter import python

needs.package("torch", "pip install torch")

import torch  # noqa: E402  # after the check

FOLDER = ROOT / "examples" / "world_model"


@pytest.fixture(scope="module")
def modules() -> Iterator[dict[str, ModuleType]]:
    """flights.py and models.py, by name."""
    names, threads = ("flights", "models"), torch.get_num_threads()
    sys.path.insert(0, str(FOLDER))
    torch.set_num_threads(1)
    yield {name: importlib.import_module(name) for name in names}
    torch.set_num_threads(threads)
    sys.path.remove(str(FOLDER))
    for name in names:
        del sys.modules[name]


@pytest.fixture(scope="module")
def flights(modules: dict[str, ModuleType]) -> Any:
    return modules["flights"]


@pytest.fixture(scope="module")
def models(modules: dict[str, ModuleType]) -> Any:
    return modules["models"]


def steer(env: Any) -> None:
    env.script()


def test_recording(flights: Any) -> None:
    env = flights.flocks(2, 1, num_boids=16)
    flight = flights.record(env, steer, 7, 0.0, np.random.default_rng(1))
    assert flight.observations.shape == (8, 32, 42)
    assert flight.actions.shape == flight.rewards.shape == (7, 32)
    assert flight.agent_steps == 7 * 32
    assert np.array_equal(flight.observations[7], env.observations)
    assert np.array_equal(flight.rewards[6], env.rewards)


def test_random_turns_are_a_fraction(flights: Any) -> None:
    for fraction in (0.0, 0.3, 1.0):
        env = flights.flocks(4, 1)
        straight = flights.record(env, lambda env: env.actions.fill(2), 50, fraction, np.random.default_rng(1))
        assert np.mean(straight.actions != 2) == pytest.approx(0.8 * fraction, abs=0.02)


def test_reward_of_the_present_is_what_was_earned(flights: Any, models: Any) -> None:
    flight = flights.record(flights.flocks(2, 1), steer, 30, 0.2, np.random.default_rng(1))
    assert np.abs(models.present(flight.observations[1:]) - flight.rewards).max() < 1e-3


def test_true_advantages_have_correlation_one(flights: Any) -> None:
    env = flights.flocks(1, 1)
    true = flights.Simulator(None, horizon=2, flights=1, seed=3).turns(env)
    assert true.shape == (64, 5)
    offset = np.random.default_rng(1).normal(size=(64, 1)).astype(np.float32)  # which is no advantage
    assert flights.correlation(2 * true + offset, true) == pytest.approx(1, abs=1e-5)
    assert flights.correlation(-true, true) == pytest.approx(-1, abs=1e-5)
    assert flights.correlation(np.broadcast_to(offset, true.shape), true) == pytest.approx(0, abs=1e-3)
    assert flights.correlation(np.zeros_like(true), true) == 0


def test_a_regression_is_mirrored_with_the_flock(flights: Any, models: Any) -> None:
    torch.manual_seed(1)
    observations = torch.from_numpy(flights.flocks(1, 1).observations.copy())
    for neighbours in (False, True):
        model = models.Regression(neighbours, 3)
        image = observations[:, model.mirror.source] * model.mirror.sign
        tilted = (observations[:, 3] + observations[:, 5]).abs() > 1e-6  # else both images are seen as they are
        assert tilted.sum() > 40
        turns = model(observations)
        assert turns.shape == (64, 3, 5)
        assert torch.allclose(model(image)[tilted], turns.flip(-1)[tilted], atol=1e-6)


@pytest.mark.parametrize("greedy", [False, True])
def test_a_regression_finds_the_turn_that_earns(flights: Any, models: Any, greedy: bool) -> None:
    torch.manual_seed(1)
    env = flights.flocks(2, 1)
    flight = flights.record(env, steer, 40, 1.0, np.random.default_rng(1))
    planted = models.present(flight.observations[:-1]) + 0.1 * (flight.actions == 2)
    model = models.Regression(False, 1)
    models.fit_regression(model, [flight._replace(rewards=planted.astype(np.float32))], 10, greedy=greedy, batch=128)
    turns = models.Expected(model).turns(env)
    assert (turns.argmax(1) == 2).mean() > 0.95
    assert turns[:, 2].mean() - turns[:, 0].mean() == pytest.approx(0.1, abs=0.03)


@pytest.mark.parametrize("rule", ["best", "mean"])
@pytest.mark.parametrize("kind", ["lstm", "latent", "latent, neighbours"])
def test_models_of_the_world_imagine(flights: Any, models: Any, kind: str, rule: str) -> None:
    torch.manual_seed(1)
    env = flights.flocks(2, 1, num_boids=16)
    flight = flights.record(env, steer, 60, 0.3, np.random.default_rng(1))
    logits = np.zeros((61, 32, 5), np.float32)
    model = models.Recurrent() if kind == "lstm" else models.Latent(kind.endswith("neighbours"))
    before = [part.clone() for part in model.parameters()]
    models.fit_world(model, flight, logits, 1, 5)
    assert all(not torch.equal(a, b) for a, b in zip(before, model.parameters(), strict=True))
    planner = models.Imagined(model, lambda observations: logits[0], rule, True, futures=10)
    first = planner.turns(env)
    assert first.shape == (32, 5)
    assert np.isfinite(first).all()
    for _ in range(20):
        planner.took(env.observations, np.zeros(32, np.int64))
    assert len(planner._past) == (models.WINDOW - flights.HORIZON if kind == "lstm" else 0)
    assert planner.turns(env).shape == (32, 5)


def test_equal_random_numbers_for_all_turns(flights: Any, models: Any) -> None:
    class Deaf(models.Latent):
        """Its reward is the next turn that is drawn; the first turn changes nothing."""

        def step(self, state: Any, actions: Any) -> Any:
            first = (state == 0).all(-1)
            logits = torch.zeros(len(actions), 5)
            return state + 1, torch.where(first, 0, actions.float()), logits, torch.zeros(len(actions))

        def begin(self, observations: Any, past: Any = ()) -> Any:
            return torch.zeros(len(observations), 4)

    env = flights.flocks(1, 1)
    planner = models.Imagined(Deaf(False), lambda observations: np.zeros((64, 5), np.float32), "mean", False)
    turns = planner.turns(env)
    assert turns.std() > 0.1  # agents draw apart
    assert np.ptp(turns, axis=1).max() == 0


def test_without_torch_it_says_so_in_a_line() -> None:
    program = f"import runpy; runpy.run_path({str(FOLDER / 'run.py')!r}, run_name='__main__')"
    done = python(program, hidden=("torch",))
    assert done.returncode == 1
    assert done.stderr == "torch is not installed: pip install torch\n"
