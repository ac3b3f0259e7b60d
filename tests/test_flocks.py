"""Flocks: the environment with NumPy and nothing else."""

import copy
import json
import pickle

import numpy as np
import pytest

from boids_env import Flocks, VecEnv
from boids_env.errors import UserError
from interpreter import OPTIONAL, python


def flight(steps: int = 40, reset: int | None = 3, **arguments: object) -> np.ndarray:
    """Everything that `steps` random steps show."""
    random = np.random.default_rng(0)
    with Flocks(**arguments) as flocks:
        flocks.reset(reset)
        seen = [flocks.observations.copy()]
        for _ in range(steps):
            observations, rewards, *_ = flocks.step(random.integers(0, 5, flocks.actions.shape))
            seen.append(np.column_stack([observations, rewards])[:, :-1] + rewards[:, None])
    return np.array(seen)


def test_works_without_anything_but_numpy() -> None:
    done = python(
        """
        import boids_env
        with boids_env.Flocks(num_envs=2, num_boids=20, seed=1) as flocks:
            flocks.reset()
            flocks.script()
            assert flocks.step()[1].shape == (40,)
        assert "Boids" in dir(boids_env)
        try:
            boids_env.Boids
        except ImportError as error:
            print(error)
        """,
        hidden=OPTIONAL,
    )
    assert done.stderr == ""
    assert done.stdout.count("\n") == 1
    assert "needs PufferLib" in done.stdout


def test_arrays_are_never_replaced() -> None:
    with Flocks(num_envs=2, num_boids=8, horizon=5, seed=1) as flocks:
        names = ("observations", "actions", "rewards", "terminals", "truncations")
        before = {name: getattr(flocks, name) for name in names}
        addresses = {name: array.ctypes.data for name, array in before.items()}
        flocks.reset(1)
        results = [flocks.step(np.zeros(16, np.int64)) for _ in range(12)]
        for name in names:
            assert getattr(flocks, name) is before[name]
            assert before[name].ctypes.data == addresses[name]
        for k, name in enumerate(("observations", "rewards", "terminals", "truncations")):
            assert results[-1][k] is before[name]


def test_the_same_seed_gives_the_same_flocks() -> None:
    first = flight(num_envs=3, num_boids=30, seed=5)
    assert (first == flight(num_envs=3, num_boids=30, seed=5)).all()
    assert (first == flight(num_envs=3, num_boids=30, seed=5, num_threads=3)).all()
    assert (first != flight(num_envs=3, num_boids=30, seed=6)).any()
    assert (first != flight(num_envs=3, num_boids=30, seed=5, reset=4)).any()
    thirds = np.split(first, 3, axis=1)
    assert (thirds[0] != thirds[1]).any()
    assert (thirds[1] != thirds[2]).any()


def test_no_seed_is_a_new_one_each_time() -> None:
    assert (flight(num_boids=30, seed=None) != flight(num_boids=30, seed=None)).any()


def test_reset_without_a_seed_runs_on() -> None:
    with Flocks(num_boids=30, seed=5) as flocks:
        first = flocks.reset()[0].copy()
        assert (flocks.reset()[0] != first).any()
        assert flocks.reset(None)[1] == []


def test_episodes_truncate_and_are_logged() -> None:
    with Flocks(num_envs=2, num_boids=8, horizon=5, stagger=False, seed=1) as flocks:
        flocks.reset()
        ends = []
        for _ in range(10):
            flocks.script()
            *_, terminals, truncations, infos = flocks.step()
            ends.append(truncations.all())
            assert not terminals.any()
            assert truncations.all() == truncations.any()
            assert infos == []
        assert ends == ([False] * 4 + [True]) * 2
        log = flocks.log()
        assert set(log) == set(VecEnv.log_fields)
        assert log["n"] == 4
        assert log["episode_length"] == 5
        assert flocks.log() == {}


@pytest.mark.parametrize(
    ("parameters", "shape", "dtype"),
    [
        ({}, (12, 10), np.int32),
        ({"observation": "nearest", "num_neighbors": 3}, (12, 22), np.int32),
        ({"action": "continuous"}, (12, 10), np.float32),
    ],
)
def test_shapes(parameters: dict[str, object], shape: tuple[int, int], dtype: type) -> None:
    with Flocks(num_envs=2, num_boids=6, **parameters) as flocks:
        assert flocks.observations.shape == shape
        assert flocks.actions.shape == ((12,) if dtype is np.int32 else (12, 1))
        assert flocks.actions.dtype == dtype
        flocks.reset()
        assert flocks.step()[0].shape == shape


@pytest.mark.parametrize(
    ("actions", "error", "message"),
    [
        (np.zeros(7, np.int32), ValueError, r"actions: expected shape \(8,\), got \(7,\)"),
        (np.zeros((8, 1), np.int32), ValueError, r"expected shape \(8,\), got \(8, 1\)"),
        (np.int32(1), ValueError, r"expected shape \(8,\), got \(\)"),
        (np.zeros(8), TypeError, "actions: expected int32, got float64"),
        (np.full(8, 5), ValueError, "agent 0"),
        (np.full(8, 2**32 + 1), ValueError, "actions: 4294967297 is beyond int32"),
        ([0] * 7 + [-1], ValueError, "agent 7"),
        (["left"] * 8, TypeError, "actions"),
    ],
)
def test_bad_actions(actions: object, error: type[Exception], message: str) -> None:
    with Flocks(num_boids=8) as flocks:
        flocks.reset()
        before = flocks.observations.copy(), flocks.vec.get("x"), flocks.vec.get("heading")
        with pytest.raises(error, match=message):
            flocks.step(actions)
        assert (flocks.observations == before[0]).all()
        assert (flocks.vec.get("x"), flocks.vec.get("heading")) == before[1:]


@pytest.mark.parametrize("value", [np.nan, 1.01, -np.inf])
def test_bad_continuous_actions(value: float) -> None:
    with Flocks(num_boids=8, action="continuous") as flocks:
        flocks.reset()
        with pytest.raises(ValueError, match="actions: agent 0"):
            flocks.step(np.full((8, 1), value))


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"num_envs": 0}, ValueError, "num_envs: expected at least 1, got 0"),
        ({"num_envs": 1.5}, TypeError, "num_envs: expected an integer, got 1.5"),
        ({"num_threads": 0}, ValueError, "num_threads"),
        ({"seed": -1}, ValueError, "seed"),
        ({"num_boids": 0}, ValueError, "num_boids"),
        ({"wings": 2}, TypeError, "wings"),
    ],
)
def test_bad_arguments(arguments: dict[str, object], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        Flocks(**arguments)


def test_only_the_number_of_environments_goes_without_a_name() -> None:
    with Flocks(2) as flocks:
        assert flocks.vec.num_envs == 2
    with pytest.raises(TypeError, match="takes from 1 to 2 positional arguments but 3 were given"):
        Flocks(2, 8)


def test_parameters_in_force() -> None:
    with Flocks(num_boids=9) as flocks:
        assert flocks.parameters["num_boids"] == 9
        assert flocks.parameters.keys() == VecEnv.parameters.keys()


def test_arrays_are_not_replaced_by_assignment() -> None:
    with Flocks(num_boids=9) as flocks:
        flocks.reset()
        for name in ("observations", "actions", "rewards", "terminals", "truncations"):
            array = getattr(flocks, name)
            with pytest.raises(AttributeError, match=rf"^{name}: C keeps .* Write into it: {name}\[:\] = \.\.\.$"):
                setattr(flocks, name, array.copy())
            with pytest.raises(AttributeError):
                delattr(flocks, name)
            assert getattr(flocks, name) is array
        flocks.actions[:] = 4
        flocks.actions += 0  # in place: it assigns the array itself
        flocks.step()
    with pytest.raises(AttributeError, match="_rewards"):
        _ = Flocks.__new__(Flocks).rewards


def test_parameters_refuse_assignment() -> None:
    with Flocks(num_boids=9) as flocks:
        writes = [
            lambda it: it.__setitem__("speed", 5.0),
            lambda it: it.__delitem__("speed"),
            lambda it: it.update(speed=5.0),
            lambda it: it.setdefault("wings", 2),
            lambda it: it.pop("speed"),
            lambda it: it.popitem(),
            lambda it: it.clear(),
            lambda it: it.__ior__({"speed": 5.0}),
        ]
        before = dict(flocks.parameters)
        for write in writes:
            with pytest.raises(TypeError, match=r"call set_parameters\(name=value\)"):
                write(flocks.parameters)
        with pytest.raises(AttributeError):
            flocks.parameters = before
        assert flocks.parameters == before
        assert json.loads(json.dumps(flocks.parameters)) == before
        for copied in (
            copy.deepcopy(flocks.parameters),
            flocks.parameters | {},
            pickle.loads(pickle.dumps(flocks.parameters)),
        ):
            assert type(copied) is dict
            assert copied == before


CHANGES = {"cohesion_weight": 0.7, "alignment_weight": 0.2, "separation_weight": 3.0, "speed": 6.0, "max_turn": 20.0}


def test_changed_parameters_go_on_to_the_same_bits() -> None:
    """As flocks made with them and given the same state do."""
    options = {"num_envs": 3, "num_boids": 40, "horizon": 30}
    random = np.random.default_rng(0)
    with Flocks(**options) as flocks, Flocks(**options, **CHANGES, seed=9) as others:
        flocks.reset()
        for _ in range(7):
            flocks.step(random.integers(0, 5, 120))
        flocks.set_parameters(**CHANGES)
        assert flocks.parameters == others.parameters
        others.set_state(flocks.state())
        assert (flocks.observations == others.observations).all()
        for t in range(70):
            actions = random.integers(0, 5, 120)
            for each in (flocks, others):
                if t % 2:
                    each.script()
                    each.step()
                else:
                    each.step(actions)
            for name in ("observations", "actions", "rewards", "truncations"):
                assert (getattr(flocks, name) == getattr(others, name)).all()
        assert flocks.state() == others.state()
        assert flocks.log() == others.log() != {}


def test_a_change_that_is_refused_changes_nothing() -> None:
    with Flocks(num_envs=2, num_boids=9) as flocks:
        flocks.reset()
        state, parameters = flocks.state(), dict(flocks.parameters)
        for changes, error, message in [
            ({"speed": -1.0}, UserError, "speed: expected a float in"),
            ({"cohesion_weight": 0.5, "speed": 200.0}, UserError, "speed: expected 0 to 180, got 200"),
            ({"cohesion_weight": 0.5, "num_boids": 10}, TypeError, "num_boids: expected a parameter that may change: "),
            ({"wings": 2}, TypeError, "wings: expected a parameter that may change: "),
        ]:
            with pytest.raises(error, match=message):
                flocks.set_parameters(**changes)
            assert (flocks.state(), flocks.parameters) == (state, parameters)


@pytest.mark.parametrize(
    ("size", "shape"), [({}, (480, 720, 3)), ({"width": 60}, (480, 60, 3)), ({"width": 60, "height": 40}, (40, 60, 3))]
)
def test_render(size: dict[str, int], shape: tuple[int, int, int]) -> None:
    with Flocks(num_envs=2, num_boids=50) as flocks:
        flocks.reset()
        first = flocks.render(**size)
        assert first.shape == shape
        assert first.dtype == np.uint8
        assert len(np.unique(first)) > 2
        assert (first != flocks.render(**size, env=1)).any()
        assert (first == flocks.render(**size)).all()


def test_closing_twice_and_use_after() -> None:
    flocks = Flocks(num_boids=8)
    flocks.close()
    flocks.close()
    with pytest.raises(RuntimeError, match="closed"):
        flocks.reset()


@pytest.mark.parametrize("num_envs", [1, 2000])
def test_what_it_is(num_envs: int) -> None:
    text = {1: "1 flock of 1 boid", 2000: "2,000 flocks of 1 boid"}[num_envs]
    with Flocks(num_envs, num_boids=1) as flocks:
        assert repr(flocks) == f"<Flocks: {text}>"
    assert repr(flocks) == f"<Flocks: {text}, closed>"
    assert repr(Flocks.__new__(Flocks)) == "<Flocks: not open>"
