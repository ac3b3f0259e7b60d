"""[log] of boids.ini, and `boids train --eval`."""

import json
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest

import needs
from boids_env.cli import main
from boids_env.learn.config import load
from boids_env.learn.loggers import logger

BRIEF = ["--learn.agent-steps", "20_000", "--env.num-boids", "64", "--env.width", "400", "--env.height", "400"]


class Calls:
    """A package of a logger, as far as it is used."""

    def __init__(self) -> None:
        self.begun: dict[str, Any] = {}
        self.rows: list[tuple[int, dict[str, float]]] = []
        self.finished = 0

    def finish(self) -> None:
        self.finished += 1


def fake_wandb(calls: Calls) -> Any:
    def init(**given: Any) -> Any:
        calls.begun = given
        return SimpleNamespace(log=lambda row, step: calls.rows.append((step, row)), finish=calls.finish)

    return SimpleNamespace(init=init)


def fake_neptune(calls: Calls) -> Any:
    class Run(dict[str, Any]):
        def __missing__(self, key: str) -> Any:
            return SimpleNamespace(append=lambda value, step: calls.rows.append((step, {key: value})))

        def stop(self) -> None:
            calls.finish()

    def init_run(**given: Any) -> Any:
        calls.begun = given
        return Run()

    return SimpleNamespace(init_run=init_run)


def fake_tensorboard(calls: Calls) -> Any:
    class Writer:
        def __init__(self, folder: str) -> None:
            calls.begun = {"folder": folder}

        def add_scalar(self, key: str, value: float, step: int) -> None:
            calls.rows.append((step, {key: value}))

        def close(self) -> None:
            calls.finish()

    return SimpleNamespace(Writer=Writer)


FAKES = {
    "wandb": ("wandb", fake_wandb),
    "neptune": ("neptune", fake_neptune),
    "tensorboard": ("tensorboard.summary", fake_tensorboard),
}


@pytest.mark.parametrize("kind", FAKES)
def test_each_gets_the_rows_of_the_curve(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = Calls()
    name, fake = FAKES[kind]
    if kind == "tensorboard":
        monkeypatch.setitem(sys.modules, "tensorboard", ModuleType("tensorboard"))
    monkeypatch.setitem(sys.modules, name, fake(calls))
    out = tmp_path / "flock"
    assert main(["train", "--out", str(out), *BRIEF, "--log.logger", kind, "--log.project", "birds/all"]) == 0
    names, *rows = (out / "log.csv").read_text().splitlines()
    columns = names.split(",")
    expected = {
        (int(row.split(",")[0]), key): float(value)
        for row in rows
        for key, value in zip(columns, row.split(","), strict=True)
    }
    got = {(step, key): value for step, row in calls.rows for key, value in row.items()}
    assert {key for _, key in got} == set(columns) - {"agent_steps", "seconds"}
    assert all(value == pytest.approx(expected[at], rel=1e-3) for at, value in got.items())
    assert len(got) == len(rows) * (len(columns) - 2)
    assert calls.finished == 1
    if kind != "tensorboard":
        assert (calls.begun["name"], calls.begun["project"]) == ("flock", "birds/all")


def test_what_is_no_number_is_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = Calls()
    monkeypatch.setitem(sys.modules, "wandb", fake_wandb(calls))
    with logger(load({"log.logger": "wandb", "log.name": "mine"}), tmp_path) as log:
        assert log is not None
        log(7, {"reward": 0.5, "polarization": np.nan})
    assert calls.rows == [(7, {"reward": 0.5})]
    assert calls.begun["name"] == "mine"
    assert calls.begun["config"]["learn.gamma"] == 0.9


def test_mistakes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", "--out", str(tmp_path / "a"), *BRIEF, "--log.logger", "paper"]) == 2
    assert "--log.logger: expected none or tensorboard or wandb or neptune, got paper" in capsys.readouterr().err
    monkeypatch.setitem(sys.modules, "wandb", None)
    assert main(["train", "--out", str(tmp_path / "b"), *BRIEF, "--log.logger", "wandb"]) == 2
    assert "wandb needs wandb, which is not installed: pip install wandb" in capsys.readouterr().err

    def refuse(**_: Any) -> None:
        raise RuntimeError("no key\nset one")

    monkeypatch.setitem(sys.modules, "wandb", SimpleNamespace(init=refuse))
    assert main(["train", "--out", str(tmp_path / "c"), *BRIEF, "--log.logger", "wandb"]) == 2
    assert "--log.logger: wandb does not begin: no key" in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["wandb", "neptune"])
def test_the_packages_themselves_without_a_network(kind: str, tmp_path: Path) -> None:
    needs.package(kind, "make install")
    env = {**os.environ, "WANDB_MODE": "offline", "NEPTUNE_MODE": "debug", "WANDB_SILENT": "true"}
    command = [sys.executable, "-m", "boids_env", "train", "--out", str(tmp_path / "run"), *BRIEF, "--log.logger", kind]
    command += ["--log.project", "birds/all" if kind == "neptune" else "birds"]
    done = subprocess.run(command, capture_output=True, text=True, env=env, cwd=tmp_path, check=False)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "run" / "policy.npz").exists()
    if kind == "wandb":
        assert list((tmp_path / "run" / "wandb").glob("offline-run-*"))


# ---- --eval


def test_eval_ends_and_films_without_a_display(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    needs.package("PIL", "pip install pillow")
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    out = tmp_path / "flock"
    assert main(["train", "--out", str(out), *BRIEF]) == 0
    before = (out / "policy.npz").read_bytes()
    capsys.readouterr()
    assert main(["train", "--eval", "--out", str(out), "--env.num-boids", "32"]) == 0
    said = capsys.readouterr().out
    assert "reynolds" in said
    assert str(out) in said
    assert (out / "eval.gif").read_bytes().startswith(b"GIF8")
    content = json.loads((out / "eval.json").read_text())
    assert content["settings"]["parameters"] == {"num_boids": 32}
    assert set(content["scores"]) == {"random", "reynolds", str(out)}
    assert (out / "policy.npz").read_bytes() == before


def test_eval_of_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", "--eval", "--out", str(tmp_path)]) == 2
    assert "expected a run to evaluate, found no policy.npz" in capsys.readouterr().err
    assert main(["train", "--eval", "--out", str(tmp_path), "--learn.gamma", "0.5"]) == 2
    assert "--eval: expected options of the flock beside it, got --learn.gamma" in capsys.readouterr().err
    assert main(["train", "--eval", "--resume", "--out", str(tmp_path)]) == 2
