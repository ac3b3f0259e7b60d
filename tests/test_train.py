"""`boids train`: short, real training."""

import csv
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
import torch

from boids_env import UserError
from boids_env.learn.config import load
from boids_env.learn.network import Tanh
from boids_env.learn.policies import load_policy
from boids_env.learn.score import score, summarize
from boids_env.learn.train import train

SMALL = {
    "env.num_envs": 4, "env.log_interval": 16, "env.horizon": 100,
    "train.bptt_horizon": 16, "train.minibatch_size": 2048,
}  # fmt: skip
UPDATE = 4 * 64 * 16  # agent-steps


def run(out: Path, updates: int, overrides: dict[str, Any] | None = None, **options: Any) -> bool:
    return train(load({**SMALL, "train.total_timesteps": updates * UPDATE, **(overrides or {})}), out, **options)


def state(out: Path) -> dict[str, Any]:
    return dict(torch.load(out / "checkpoints" / "trainer_state.pt", weights_only=True))


def curve(out: Path) -> list[dict[str, float]]:
    with (out / "log.csv").open() as file:
        return [{name: float(value) for name, value in row.items()} for row in csv.DictReader(file)]


def weights(out: Path) -> dict[str, np.ndarray]:
    with np.load(out / "policy.npz") as file:
        return {name: file[name] for name in file.files if name != "meta"}


def same(a: dict[str, np.ndarray], b: dict[str, np.ndarray]) -> bool:
    return all((a[name] == b[name]).all() for name in a)


def test_the_fast_tanh_is_tanh() -> None:
    x = torch.linspace(-12, 12, 2001, requires_grad=True)
    fast, exact = Tanh()(x), torch.tanh(x)
    assert (fast - exact).abs().max() < 3e-7
    weights = torch.linspace(-1, 1, 2001)
    slopes = [torch.autograd.grad((y * weights).sum(), x)[0] for y in (fast, exact)]
    assert (slopes[0] - slopes[1]).abs().max() < 1e-6


def test_the_time_is_told(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    run(tmp_path, 3)
    line = next(line for line in capfd.readouterr().out.splitlines() if "environment" in line)
    total, *parts = (float(seconds) for seconds in re.findall(r"(-?[\d.]+) s\b", line))
    assert re.sub(r"-?[\d.]+ s( \(-?\d+ %\))?", "", line) == ": environment , policy , learning , copies , the rest "
    assert sum(parts) == pytest.approx(total, abs=0.3)
    assert min(parts) > -0.1


@pytest.mark.slow
@pytest.mark.parametrize("action", ["discrete", "continuous"])
def test_it_learns(action: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    steps = {"discrete": 400_000, "continuous": 600_000}[action]
    assert train(load({"env.action": action, "train.total_timesteps": steps}), tmp_path)
    rows = curve(tmp_path)
    assert rows[0]["reward"] < 0.3
    assert rows[-1]["reward"] > rows[0]["reward"] + 0.2
    assert rows[-1]["local_alignment"] > 0.6
    assert all(a["agent_steps"] < b["agent_steps"] and a["seconds"] < b["seconds"] for a, b in pairwise(rows))
    board = summarize(score(["random", tmp_path], seeds=2, steps=200, last=50, num_envs=4))
    assert board[str(tmp_path)]["reward"]["mean"] > board["random"]["reward"]["mean"] + 0.3
    *lines, _ = capfd.readouterr().out.splitlines()  # the last tells where the time went
    assert lines
    assert all("reward" in line and "\x1b" not in line for line in lines)


def test_the_same_seed_learns_the_same(tmp_path: Path) -> None:
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        assert run(tmp_path / name, 3, {"train.seed": seed})
    assert same(weights(tmp_path / "a"), weights(tmp_path / "b"))
    assert not same(weights(tmp_path / "a"), weights(tmp_path / "c"))


def test_what_a_run_leaves(tmp_path: Path) -> None:
    assert run(tmp_path, 4, {"train.checkpoint_interval": 2, "env.observation": "nearest", "env.num_neighbors": 2})
    assert sorted(path.name for path in tmp_path.iterdir()) == ["checkpoints", "log.csv", "policy.npz"]
    names = sorted(path.name for path in (tmp_path / "checkpoints").iterdir())
    assert names == ["model_000002.pt", "model_000004.pt", "trainer_state.pt"]
    # what PuffeRL writes, and more
    saved = state(tmp_path)
    assert saved["model_name"] == "model_000004.pt"
    assert saved["global_step"] == saved["agent_step"] == 4 * UPDATE
    assert saved["update"] == 4
    assert {"optimizer_state_dict", "run_id"} <= set(saved)
    policy: Any = load_policy(tmp_path)
    assert policy.interface == {"action": "discrete", "observation": "nearest", "num_neighbors": 2}
    assert policy.meta["agent_steps"] == 4 * UPDATE
    assert summarize(score([tmp_path], seeds=1, steps=5, last=5))[str(tmp_path)]["n"]["mean"] == 8


def test_resume(tmp_path: Path) -> None:
    assert run(tmp_path, 3)
    first = weights(tmp_path)
    with (tmp_path / "log.csv").open("a") as file:
        file.write(f"{99 * UPDATE},1e9" + ",0" * 14 + f"\n{UPDATE},1.")
    assert run(tmp_path, 6, resume=True)
    assert state(tmp_path)["global_step"] == 6 * UPDATE
    assert state(tmp_path)["update"] == 6
    assert not same(first, weights(tmp_path))
    # what was logged beyond the checkpoint is gone
    assert all(row["agent_steps"] <= 6 * UPDATE for row in curve(tmp_path))
    rate = state(tmp_path)["optimizer_state_dict"]["param_groups"][0]["lr"]
    assert rate == pytest.approx(0, abs=1e-9)
    # nothing is left to do: it stays as it is
    last = weights(tmp_path)
    assert run(tmp_path, 6, resume=True)
    assert same(last, weights(tmp_path))


def test_resume_goes_on_where_the_rate_would_be(tmp_path: Path) -> None:
    assert run(tmp_path / "whole", 6, {"train.checkpoint_interval": 1})
    assert run(tmp_path / "halves", 3)
    assert run(tmp_path / "halves", 6, {"train.checkpoint_interval": 1}, resume=True)
    rates = [state(tmp_path / name)["optimizer_state_dict"]["param_groups"][0]["lr"] for name in ("whole", "halves")]
    assert rates[0] == pytest.approx(rates[1], abs=1e-12)


def test_a_run_is_not_lost_by_mistake(tmp_path: Path) -> None:
    assert run(tmp_path, 2)
    with pytest.raises(UserError, match=r"--resume continues it, --overwrite replaces it"):
        run(tmp_path, 2)
    assert run(tmp_path, 1, overwrite=True)
    assert state(tmp_path)["update"] == 1
    assert not (tmp_path / "checkpoints" / "model_000002.pt").exists()


def test_resume_into_another_network(tmp_path: Path) -> None:
    assert run(tmp_path, 1)
    with pytest.raises(UserError, match="does not fit this config"):
        run(tmp_path, 2, {"policy.hidden_size": 32}, resume=True)
    (tmp_path / "checkpoints" / "trainer_state.pt").write_bytes(b"no")
    with pytest.raises(UserError, match="expected a checkpoint"):
        run(tmp_path, 2, resume=True)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of fork in a process that has threads
@pytest.mark.parametrize(
    "vec",
    [
        {"vec.backend": "PufferEnv"},
        {"vec.backend": "Serial", "vec.num_envs": 2, "vec.num_workers": 2, "vec.batch_size": 2},
        {"vec.backend": "Multiprocessing", "vec.num_envs": 2, "vec.num_workers": 1, "vec.batch_size": 2},
    ],
)
def test_backends(vec: dict[str, Any], tmp_path: Path) -> None:
    assert run(tmp_path, 2, vec)
    assert state(tmp_path)["update"] >= 1


@pytest.mark.slow
def test_ctrl_c_saves(tmp_path: Path) -> None:
    command = [sys.executable, "-u", "-m", "boids_env", "train", "--out", str(tmp_path / "run"), "--seed", "3"]
    child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=tmp_path)
    assert child.stdout is not None
    assert "steps" in child.stdout.readline()
    child.send_signal(signal.SIGINT)
    out, err = child.communicate(timeout=60)
    assert child.returncode == 130, err
    assert "Traceback" not in err
    assert "--resume continues" in out
    steps = state(tmp_path / "run")["global_step"]
    assert 0 < steps < 2_000_000
    assert [path.name for path in tmp_path.iterdir()] == ["run"]
    more = [*command, "--resume", "--train.total-timesteps", str(steps + 1)]
    done = subprocess.run(more, capture_output=True, text=True, cwd=tmp_path, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    assert state(tmp_path / "run")["global_step"] > steps


@pytest.mark.slow
def test_kill_9_loses_what_came_after_the_last_checkpoint(tmp_path: Path) -> None:
    """With checkpoints so frequent that it likely is writing one when it dies."""
    options = [f"--{name.replace('_', '-')}={value}" for name, value in SMALL.items()]
    command = [sys.executable, "-m", "boids_env", "train", "--out", str(tmp_path), *options]
    command += ["--train.total-timesteps=100_000_000", "--train.checkpoint-interval=2"]
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    try:
        deadline = time.monotonic() + 120
        # policy.npz is the last file of the first checkpoint
        while not (tmp_path / "policy.npz").exists() or len(curve(tmp_path)) < 2:
            assert child.poll() is None, child.communicate()[1]
            assert time.monotonic() < deadline
            time.sleep(0.01)
    finally:
        child.kill()
        child.communicate()
    saved = state(tmp_path)
    assert saved["update"] >= 2
    assert (tmp_path / "checkpoints" / saved["model_name"]).exists()
    assert curve(tmp_path)[-1]["agent_steps"] <= saved["global_step"] + 2 * UPDATE
    acting: Any = load_policy(tmp_path)
    assert saved["update"] - 2 <= acting.meta["agent_steps"] / UPDATE <= saved["update"]
    assert run(tmp_path, saved["update"] + 3, resume=True)
    assert state(tmp_path)["update"] == saved["update"] + 3
    acting = load_policy(tmp_path)
    assert acting.meta["agent_steps"] == state(tmp_path)["global_step"]


WORKERS = ["--vec.backend=Multiprocessing", "--vec.num-envs=2", "--vec.num-workers=2", "--vec.batch-size=2"]


@pytest.fixture
def with_workers(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[str], list[int]]]:
    """A training with two worker processes that has begun, and their ids; all of them in a process group of its own."""
    options = [f"--{name.replace('_', '-')}={value}" for name, value in SMALL.items()]
    command = [sys.executable, "-u", "-m", "boids_env", "train", "--out", str(tmp_path), *options, *WORKERS]
    child = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=tmp_path, start_new_session=True
    )
    try:
        assert child.stdout is not None
        assert "steps" in child.stdout.readline()
        yield child, [worker.pid for worker in psutil.Process(child.pid).children()]
    finally:
        with suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)
        child.communicate()


@pytest.mark.slow
def test_a_worker_that_is_killed_ends_the_training_with_an_error(with_workers: Any, tmp_path: Path) -> None:
    """PufferLib would wait for it for ever."""
    child, workers = with_workers
    os.kill(workers[-1], signal.SIGKILL)
    _, err = child.communicate(timeout=60)
    assert child.returncode == 2, err
    assert re.search(r"a worker process has ended \(killed by signal 9\); --resume continues", err), err
    assert "Traceback" not in err


@pytest.mark.slow
def test_ctrl_c_in_a_terminal_reaches_the_workers_too_and_saves(with_workers: Any, tmp_path: Path) -> None:
    child, _ = with_workers
    os.killpg(child.pid, signal.SIGINT)
    out, err = child.communicate(timeout=60)
    assert child.returncode == 130, err
    assert "--resume continues" in out
    assert "Traceback" not in err
    assert state(tmp_path)["global_step"] > 0


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="a terminal of its own needs a pseudo-terminal")
def test_a_terminal_sees_the_dashboard(tmp_path: Path) -> None:
    import pty

    leader, follower = pty.openpty()
    command = [sys.executable, "-m", "boids_env", "train", "--out", str(tmp_path / "run")]
    command += ["--train.total-timesteps", "100_000", "--env.log-interval", "16", "--env.horizon", "200"]
    environment = {**os.environ, "COLUMNS": "100", "LINES": "50", "TERM": "xterm"}
    child = subprocess.Popen(command, stdout=follower, stderr=subprocess.PIPE, env=environment, cwd=tmp_path)
    os.close(follower)
    shown = b""
    while True:
        try:
            part = os.read(leader, 65536)
        except OSError:  # how Linux says that the other end is closed
            break
        if not part:
            break
        shown += part
    os.close(leader)
    _, err = child.communicate(timeout=60)
    assert child.returncode == 0, err
    text = shown.decode(errors="replace")
    for word in ("PufferLib", "polarization", "largest_group", "collisions"):
        assert word in text
