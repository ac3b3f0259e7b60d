"""Looking ahead: the class Planner of the extension, the policy `planner`, and `boids train --distil`."""

from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from boids_env import Flocks, UserError, load_policy
from boids_env._boids import Learner, Planner
from boids_env.cli import main
from boids_env.learn.policies import LEARNED
from boids_env.learn.score import score, summarize
from runs import curve
from test_learner import started


def reward(which: str, **parameters: Any) -> float:
    board = summarize(score([which], seeds=1, steps=200, last=50, num_envs=2, parameters=parameters))
    return float(board[which]["reward"]["mean"])


def test_it_earns_more_than_the_policy_that_it_looks_ahead_with() -> None:
    assert reward("planner") > reward("learned") + 0.01


def test_without_a_policy_it_makes_a_flock() -> None:
    assert reward("planner:prior=none,horizon=1") > 0.6


@pytest.mark.parametrize("parameters", [{"observation": "nearest"}, {"num_boids": 300}, {"view_radius": 150.0}])
def test_it_plans_for_flocks_that_its_policy_does_not_know(parameters: dict[str, Any]) -> None:
    with Flocks(2, seed=1, **parameters) as flocks:
        flocks.reset()
        planner: Any = load_policy("planner:horizon=2")
        planner.act(flocks)
        assert planner.expected().shape == (flocks.vec.num_agents, 5)
        best = planner.expected().max(1)
        chosen = np.take_along_axis(planner.expected(), flocks.actions.reshape(-1, 1), 1)[:, 0]
        assert (chosen == best).all()


def test_equal_seeds_and_any_number_of_threads_choose_alike() -> None:
    def actions(num_threads: int) -> list[int]:
        with Flocks(3, seed=4) as flocks:
            flocks.reset()
            planner = Planner(flocks.vec, policy=LEARNED.read_bytes(), seed=2, num_threads=num_threads, flights=3)
            assert planner.num_threads == num_threads
            for step in range(5):
                planner.act(flocks.vec, step)
                flocks.step()
            return list(flocks.actions.ravel())

    assert actions(1) == actions(2) == actions(5)


def test_it_follows_parameters_that_change() -> None:
    with Flocks(1, seed=1) as flocks:
        flocks.reset()
        planner: Any = load_policy("planner:horizon=1,prior=none")
        planner.act(flocks)
        assert np.abs(planner.expected()).max() > 0
        flocks.vec.set_parameters(cohesion_weight=0, alignment_weight=0, separation_weight=0)
        planner.act(flocks)
        assert np.abs(planner.expected()).max() == 0


def test_of_equals_the_turn_that_was_drawn_is_taken() -> None:
    with Flocks(1, num_boids=1, seed=1) as flocks:
        flocks.reset()
        planner: Any = load_policy("planner:prior=none")
        seen = set()
        for _ in range(40):
            planner.act(flocks)
            seen.add(int(flocks.actions[0]))
        assert seen == set(range(5))


def test_other_environments_plan_with_whole_copies(cartpole: ModuleType, least: ModuleType) -> None:
    env, arrays = started(cartpole, 4)
    with pytest.raises(ValueError, match="others: expected flying or team, because this header defines no c_imagine"):
        cartpole.Planner(env)
    planner = cartpole.Planner(env, others="flying", horizon=20)
    for step in range(150):  # poles that nobody holds fall within 30
        planner.act(env, step)
        env.step()
        assert not arrays["terminals"].any()
    with pytest.raises(NotImplementedError, match="defines no ENV_STATE"):
        least.Planner(started(least, 1)[0])


@pytest.mark.parametrize(
    ("which", "message"),
    [
        ("planner:horizon=0", r"horizon: expected an integer in \[1, 1000\] steps, got 0"),
        ("planner:horizon=many", r"horizon: expected an integer in"),
        ("planner:gamma=2", r"gamma: expected a number in"),
        ("planner:others=gone", "others: expected frozen or flying or team, got gone"),
        ("planner:depth=3", "expected planner:POLICY,SETTING=VALUE with horizon=..."),
        ("planner:", "got 'nothing'"),
        ("planner:horizon=3,mine.npz", "got 'mine.npz'"),
        ("planner:mine.npz", "mine.npz: expected random, reynolds, learned, planner or the path"),
        ("planner:prior=planner", "prior: expected none, learned or the path of a policy, got planner"),
        ("planner:reynolds", "prior: expected none, learned or the path of a policy, got reynolds"),
    ],
)
def test_a_text_that_names_no_planner(which: str, message: str) -> None:
    with pytest.raises(UserError, match=message):
        load_policy(which)


def test_flocks_that_it_cannot_plan_for() -> None:
    with Flocks(1, action="continuous") as flocks:
        flocks.reset()
        for which in ("planner", "planner:prior=none"):
            with pytest.raises(UserError, match="expected"):
                load_policy(which).act(flocks)
    with Flocks(1) as flocks, Flocks(1, num_boids=9) as others:
        planner = Planner(flocks.vec)
        with pytest.raises(RuntimeError, match=r"call reset\(\) first"):
            planner.act(flocks.vec)
        others.reset()
        with pytest.raises(ValueError, match="vec: expected 64 agents with 5 choices"):
            planner.act(others.vec)
        with pytest.raises(TypeError, match="vec: expected a VecEnv of this module, got 3"):
            planner.act(3)
        with pytest.raises(ValueError, match="horizon: expected an int in"):
            Planner(flocks.vec, horizon=0)
        with pytest.raises(TypeError, match="unknown setting 'depth'"):
            Planner(flocks.vec, depth=1)
        with pytest.raises(TypeError, match="policy: expected bytes"):
            Planner(flocks.vec, policy="learned")
        with pytest.raises(ValueError, match=r"policy: expected a policy\.npz"):
            Planner(flocks.vec, policy=b"nothing")


# ---- A planner as a teacher


def test_it_teaches_a_policy(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    planner = "planner:horizon=1,flights=1,prior=none"
    assert main(["train", "--distil", planner, "--out", str(tmp_path), "--learn.agent-steps", "100000"]) == 0
    rows = curve(tmp_path)
    assert len(rows) == 8
    assert rows[-1]["error"] < rows[0]["error"]
    assert "the best so far" in capfd.readouterr().out
    policy: Any = load_policy(tmp_path)
    assert policy.meta["planner"] == planner
    assert policy.meta["agent_steps"] == max(rows, key=lambda row: row["reward"])["agent_steps"]
    assert reward(str(tmp_path)) > 0.6
    assert main(["train", "--distil", planner, "--out", str(tmp_path)]) == 2
    assert "holds a run" in capfd.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("--distil reynolds", "--distil: expected planner or planner:SETTINGS, got reynolds"),
        ("--distil --resume", "--distil: expected neither --resume nor --trainer pufferl beside it"),
        ("--distil --learn.gamma 0.5", "--learn.gamma: not possible with --distil"),
        ("--distil planner:horizon=0", "horizon: expected an integer in [1, 1000] steps, got 0"),
        ("--distil --env.action continuous", "expected"),
    ],
)
def test_mistakes_of_a_teacher(arguments: str, message: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["train", "--out", str(tmp_path / "run"), *arguments.split()]) == 2
    assert message in capfd.readouterr().err


def test_mistakes_of_a_student() -> None:
    with Flocks(1) as flocks:
        flocks.reset()
        learner, planner = Learner(flocks.vec, rollout=16, minibatch=64), Planner(flocks.vec, horizon=1)
        with pytest.raises(RuntimeError, match=r"call learn_imitate\(\) first"):
            learner.regress(1)
        with pytest.raises(ValueError, match="steps: expected 0 to 16, got 17"):
            learner.imitate(planner, 17)
        with pytest.raises(TypeError, match="planner: expected a Planner of this module"):
            learner.imitate(learner, 1)
        with pytest.raises(ValueError, match="temperature: expected a float in"):
            learner.imitate(planner, 1, temperature=0)
        with pytest.raises(ValueError, match="epochs: expected an int in"):
            learner.regress(0)
        learner.imitate(planner, 2, student=False)
        assert learner.regress(2) > 0
