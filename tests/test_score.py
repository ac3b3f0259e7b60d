"""`boids score`: policies side by side."""

import json
from pathlib import Path

import pytest

from boids_env import UserError, VecEnv
from boids_env.cli import main
from boids_env.learn.score import EVALUATION_SEED, ROWS, score, summarize
from interpreter import OPTIONAL, python

QUICK = {"seeds": 3, "steps": 120, "last": 30, "num_envs": 2}


def test_reynolds_flocks_and_chance_does_not() -> None:
    board = summarize(score(["random", "reynolds"], **QUICK))
    assert set(board["random"]) == set(VecEnv.log_fields)
    assert board["random"]["reward"]["mean"] < 0.2
    assert board["reynolds"]["reward"]["mean"] > 0.5
    assert board["reynolds"]["local_alignment"]["mean"] > 0.9
    assert len(board["random"]["reward"]["seeds"]) == 3
    assert board["random"]["reward"]["spread"] > 0
    assert board["random"]["n"]["mean"] == 2


def test_the_same_seeds_every_time_and_not_those_of_training() -> None:
    first = score(["random"], **QUICK)
    assert first == score(["random"], **QUICK)
    assert EVALUATION_SEED >= 2**62


def test_only_the_last_steps_count() -> None:
    late = summarize(score(["reynolds"], **QUICK))["reynolds"]
    whole = summarize(score(["reynolds"], **{**QUICK, "last": 120}))["reynolds"]
    assert late["reward"]["mean"] > whole["reward"]["mean"] + 0.05
    assert late["episode_length"]["mean"] == whole["episode_length"]["mean"] == 120


def test_parameters_of_the_flock() -> None:
    board = summarize(score(["random"], parameters={"width": 200.0, "height": 200.0}, **QUICK))
    assert board["random"]["isolation"]["mean"] == 0
    with pytest.raises(UserError, match="horizon"):
        score(["random"], parameters={"horizon": 3}, **QUICK)


def test_the_table(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    out = tmp_path / "scores.json"
    assert main(f"score reynolds --seeds 2 --steps 50 --last 10 --num-envs 2 --json {out} --env.num-boids 20".split()) == 0
    captured = capsys.readouterr()
    assert captured.err == ""
    for name in ROWS:
        assert f"\n{name.replace('_', ' ')} " in captured.out
    assert "±" in captured.out
    assert max(map(len, captured.out.splitlines())) < 80
    content = json.loads(out.read_text())
    assert content["settings"]["parameters"] == {"num_boids": 20}
    assert content["scores"]["reynolds"]["reward"]["seeds"][1] <= 1


def test_without_the_optional_packages() -> None:
    done = python(
        """
        from boids_env.cli import main
        main("score --seeds 1 --steps 20 --last 5 --num-envs 1".split())
        """,
        hidden=OPTIONAL,
    )
    assert done.stderr == ""
    header, *rows = done.stdout.splitlines()[1:]
    assert header.split() == ["random", "reynolds"]
    assert len(rows) == len(ROWS)
    assert len({len(row) for row in rows}) == 1
    assert rows[0].startswith("reward ")
