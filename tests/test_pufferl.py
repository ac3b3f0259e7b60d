"""`boids train --trainer pufferl`: short, real training."""

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from itertools import pairwise
from pathlib import Path
from typing import Any

import psutil
import pytest
import torch

import needs
from boids_env import UserError
from boids_env.learn.config import load
from boids_env.learn.network import Tanh
from boids_env.learn.policies import load_policy
from boids_env.learn.pufferl import BELOW, COLUMNS, train
from boids_env.learn.score import score, summarize
from runs import curve, files, same, weights

SMALL = {
    "env.num_envs": 4, "env.num_boids": 64, "env.log_interval": 16, "env.horizon": 100,
    "train.bptt_horizon": 16, "train.minibatch_size": 2048,
}  # fmt: skip
UPDATE = 4 * 64 * 16  # agent-steps
TRAIN = ("train", "--trainer", "pufferl")


def run(out: Path, updates: int, overrides: dict[str, Any] | None = None, **options: Any) -> bool:
    return train(load({**SMALL, "train.total_timesteps": updates * UPDATE, **(overrides or {})}, "pufferl"), out, **options)


def state(out: Path) -> dict[str, Any]:
    return dict(torch.load(out / "checkpoints" / "trainer_state.pt", weights_only=True))


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
    flocks = {"env.num_envs": 16, "env.num_boids": 64, "env.width": 1080.0, "env.height": 720.0, "env.action": action}
    assert train(load({**flocks, "train.total_timesteps": steps}, "pufferl"), tmp_path)
    rows = curve(tmp_path)
    assert rows[-1]["reward"] >= max(0.5, rows[0]["reward"])  # a row each second: the first has learned already
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
        file.write(f"{99 * UPDATE},1e9" + ",0" * (len(COLUMNS) - 2) + f"\n{UPDATE},1.")  # the second is cut off
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
        run(tmp_path, 2, {"policy.hidden_size": 16}, resume=True)


DAMAGE = [
    (lambda state: b"no", "trainer_state.pt: expected a checkpoint of boids train, got"),
    (lambda state: [1], "expected a checkpoint of boids train, got a list"),
    (lambda state: {}, "expected an entry global_step of type int, got none"),
    (lambda state: {**state, "update": "3"}, "expected an entry update of type int, got a str"),
    (lambda state: {**state, "update": True}, "expected an entry update of type int, got a bool"),
    (lambda state: {**state, "global_step": -1}, "global_step: expected a number of at least 0, got -1"),
    (lambda state: {**state, "seconds": float("nan")}, "seconds: expected a number of at least 0, got nan"),
    (lambda state: {**state, "model_name": "../../else.pt"}, "expected a name like model_000050.pt, got '../../else.pt'"),
    (lambda state: {**state, "model_name": "model_000009.pt"}, "model_000009.pt: expected a checkpoint .* got No such file"),
    (lambda state: {**state, "random_state": torch.zeros(3)}, "does not fit this config"),
    (lambda state: {**state, "optimizer_state_dict": {}}, "does not fit this config"),
    (lambda state: {**state, "optimizer_state_dict": {"state": {0: 1}, "param_groups": 3}}, "does not fit this config"),
    (lambda state: with_moments(state, torch.zeros(2)), "does not fit this config: an optimizer of other weights"),
]


def with_moments(state: dict[str, Any], moments: torch.Tensor) -> dict[str, Any]:
    optimizer = state["optimizer_state_dict"]
    first = {**optimizer["state"][0], "exp_avg": moments}
    return {**state, "optimizer_state_dict": {**optimizer, "state": {**optimizer["state"], 0: first}}}


@pytest.fixture(scope="module")
def short_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("short")
    assert run(out, 1)
    return out


@pytest.fixture
def copied(short_run: Path, tmp_path: Path) -> Path:
    """A run of one update, to spoil."""
    return Path(shutil.copytree(short_run, tmp_path / "run"))


@pytest.mark.parametrize(("damage", "message"), DAMAGE, ids=[message for _, message in DAMAGE])
def test_a_damaged_checkpoint(damage: Any, message: str, copied: Path) -> None:
    path = copied / "checkpoints" / "trainer_state.pt"
    spoilt = damage(state(copied))
    path.write_bytes(spoilt) if isinstance(spoilt, bytes) else torch.save(spoilt, path)
    before = files(copied)
    with pytest.raises(UserError, match=message) as raised:
        run(copied, 2, resume=True)
    assert "\n" not in str(raised.value)
    assert files(copied) == before


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("garbage", "got another first line"),
        ("{header}\nx" + ",0" * (len(COLUMNS) - 1) + "\n", "in line 2 'x,0"),
        ("{header}\n1,2\n2" + ",0" * (len(COLUMNS) - 1) + "\n", "in line 2 '1,2'"),
        ("{header}\n1" + ",x" * (len(COLUMNS) - 1) + "\n", "in line 2 '1,x"),
        (b"\xff\xfe\x00", "expected the learning curve of boids train, got"),
    ],
)
def test_a_log_that_is_none(content: Any, message: str, copied: Path) -> None:
    path = copied / "log.csv"
    header = path.read_text().splitlines()[0]
    path.write_bytes(content if isinstance(content, bytes) else content.replace("{header}", header).encode())
    before = files(copied)
    with pytest.raises(UserError, match=message):
        run(copied, 2, resume=True)
    assert files(copied) == before


def test_a_mistake_costs_no_run(copied: Path) -> None:
    """--overwrite replaces a run only when everything else is right."""
    before = files(copied)
    for mistake in ({"train.minibatch_size": 7}, {"vec.num_workers": 3}, {"train.device": "abacus"}):
        with pytest.raises(UserError):
            run(copied, 2, mistake, overwrite=True)
        assert files(copied) == before


def test_a_mistake_leaves_no_folder(tmp_path: Path) -> None:
    with pytest.raises(UserError):
        run(tmp_path / "a" / "b", 1, {"train.minibatch_size": 7})
    assert list(tmp_path.iterdir()) == []


def test_resume_says_that_the_flocks_are_others(copied: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert run(copied, 2, resume=True)
    assert capfd.readouterr().err == ""
    assert run(copied, 4, {"env.num_boids": 128, "env.speed": 3.0}, resume=True)
    expected = "boids: resuming with other flocks: --env.num-boids 128 instead of 64, --env.speed 3.0 instead of 4.0\n"
    assert capfd.readouterr().err == expected


def test_training_that_diverges(copied: Path) -> None:
    """The last checkpoint stays."""
    before = {name: content for name, content in files(copied).items() if name != "log.csv"}
    # as large a step as --train.learning-rate allows, of weights that are large already
    model = copied / "checkpoints" / state(copied)["model_name"]
    weights = torch.load(model, weights_only=True).items()
    torch.save({name: w if name.startswith("mirror.") else w * 1e30 for name, w in weights}, model)
    with pytest.raises(UserError, match=r"training diverged: a smaller --train.learning-rate may help"):
        run(copied, 9, {"train.learning_rate": 1.0}, resume=True)
    after = files(copied)
    for name in ("policy.npz", "checkpoints/trainer_state.pt"):
        assert after[name] == before[name]
    assert not any("tmp" in name for name in after)


LOCKED = """
import sys, time
from pathlib import Path
from boids_env.learn.lock import locked
with locked(Path(sys.argv[1])):
    print("has it", flush=True)
    time.sleep(60)
"""


def test_two_runs_into_one_folder(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", LOCKED, str(tmp_path / "run")], stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "has it\n"
        for options in ({}, {"overwrite": True}):
            with pytest.raises(UserError, match=rf"run: process {other.pid} trains into it; wait for it, or choose another"):
                run(tmp_path / "run", 1, **options)
        assert [path.name for path in (tmp_path / "run").iterdir()] == ["lock"]
        other.kill()
    assert run(tmp_path / "run", 1)  # the lock of one that was killed is none
    assert not (tmp_path / "run" / "lock").exists()


def test_torchrun_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setenv("RANK", "1")
    with pytest.raises(UserError, match=r"uses one process, and torchrun has started 2 \(this is rank 1\)"):
        run(tmp_path / "run", 1)
    assert list(tmp_path.iterdir()) == []
    monkeypatch.setenv("WORLD_SIZE", "1")
    assert run(tmp_path / "run", 1)


FULL = """
import resource, sys
from boids_env import cli
resource.setrlimit(resource.RLIMIT_FSIZE, (9_000, 9_000))  # as a disk that has no more room
sys.exit(cli.main(sys.argv[1:]))
"""


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="limits of a process are Unix's")
def test_a_full_disk(tmp_path: Path) -> None:
    out = tmp_path / "run"
    options = [f"--{name.replace('_', '-')}={value}" for name, value in SMALL.items()]
    command = [sys.executable, "-c", FULL, *TRAIN, "--out", str(out), *options]
    command.append(f"--train.total-timesteps={2 * UPDATE}")
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=False)
    assert done.returncode == 2
    assert done.stderr == f"boids: {out}/checkpoints/model_000002.pt: File too large\n"
    assert sorted(files(out)) == ["log.csv"]


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
    command = [
        sys.executable,
        "-u",
        "-m",
        "boids_env",
        "train",
        "--trainer",
        "pufferl",
        "--out",
        str(tmp_path / "run"),
        "--seed",
        "3",
    ]
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
    command = [sys.executable, "-m", "boids_env", *TRAIN, "--out", str(tmp_path), *options]
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
    command = [
        sys.executable,
        "-u",
        "-m",
        "boids_env",
        "train",
        "--trainer",
        "pufferl",
        "--out",
        str(tmp_path),
        *options,
        *WORKERS,
    ]
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


TERMINAL = """
import fcntl, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)  # so that its Ctrl-C arrives
from boids_env import cli
sys.exit(cli.main(sys.argv[1:]))
"""


def in_a_terminal(out: Path, steps: int, keys: list[tuple[str, bytes]]) -> tuple[int, str]:
    """The exit status and what a terminal shows of a training, in which keys are pressed once a text has appeared."""
    import pty
    import termios

    leader, follower = pty.openpty()
    attributes = termios.tcgetattr(follower)
    attributes[3] |= termios.NOFLSH  # else Ctrl-C throws away what is printed and not yet read, so that the text has gaps
    termios.tcsetattr(follower, termios.TCSANOW, attributes)
    command = [
        sys.executable,
        "-c",
        TERMINAL,
        "train",
        "--trainer",
        "pufferl",
        "--out",
        str(out),
        "--train.total-timesteps",
        str(steps),
    ]
    command += ["--env.log-interval", "16", "--env.horizon", "200", "--train.checkpoint-interval", "1"]
    environment = {**os.environ, "COLUMNS": "100", "LINES": "50", "TERM": "xterm"}
    child = subprocess.Popen(
        command, stdin=follower, stdout=follower, stderr=follower, env=environment, cwd=out.parent, start_new_session=True
    )
    os.close(follower)
    shown, left = "", list(keys)
    try:
        while True:
            try:
                part = os.read(leader, 65536)
            except OSError:  # how Linux says that the other end is closed
                break
            if not part:
                break
            shown += part.decode(errors="replace")
            if left and left[0][0] in shown:
                os.write(leader, left.pop(0)[1])
        assert not left, shown[-2000:]
        return child.wait(timeout=60), shown
    finally:
        child.kill()
        child.wait()
        os.close(leader)


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="a terminal of its own needs a pseudo-terminal")
def test_a_terminal_sees_the_dashboard(tmp_path: Path) -> None:
    status, text = in_a_terminal(tmp_path / "run", 100_000, [])
    assert status == 0, text[-2000:]
    for word in ("PufferLib", "polarization", "largest_group", "collisions"):
        assert word in text


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="a terminal of its own needs a pseudo-terminal")
def test_ctrl_c_in_a_terminal_leaves_whole_last_lines(tmp_path: Path) -> None:
    status, text = in_a_terminal(tmp_path / "run", 100_000_000, [("polarization", b"\x03")])
    assert status == 130, text[-2000:]
    assert "stopping after this update, then saving" in text
    assert (
        text.count("\033[0;0H") == text.count(BELOW) > 0
    )  # nothing is left below a dashboard that the next lines would cover
    last = text.rpartition(BELOW)[2].splitlines()
    assert re.match(r"[\d.]+ s: environment .*the rest [-\d.]+ s \(-?\d+ %\)$", last[-2]), last
    assert last[-1] == f"{tmp_path}/run/policy.npz: stopped early, --resume continues"
    assert [line for line in last[:-2] if line not in ("", "^C")] in (
        [],
        ["stopping after this update, then saving; Ctrl-C again stops at once"],
    )


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="a terminal of its own needs a pseudo-terminal")
def test_ctrl_c_twice_leaves_nothing_half_written(tmp_path: Path) -> None:
    status, text = in_a_terminal(tmp_path / "run", 100_000_000, [("polarization", b"\x03"), ("stopping", b"\x03\x03")])
    assert status == 130, text[-2000:]
    assert "Traceback" not in text
    left = files(tmp_path / "run")
    assert not any("tmp" in name or "lock" in name for name in left)
    assert left["log.csv"].endswith(b"\n")


@pytest.mark.slow
def test_ray_minds_no_cluster_that_is_gone(tmp_path: Path) -> None:
    """A cluster leaves its address behind, to which Ray then connects for ever."""
    needs.package("ray", "pip install ray")
    folder = Path(tempfile.mkdtemp(prefix="ray", dir="/tmp"))  # Ray's sockets allow no longer name
    try:
        (folder / "ray").mkdir()
        for place in (folder, folder / "ray"):
            (place / "ray_current_cluster").write_text("127.0.0.1:1")
        options = [f"--{name.replace('_', '-')}={value}" for name, value in SMALL.items()]
        command = [
            sys.executable,
            "-m",
            "boids_env",
            "train",
            "--trainer",
            "pufferl",
            "--out",
            str(tmp_path / "run"),
            *options,
            "--vec.backend=Ray",
        ]
        command += ["--vec.num-envs=2", "--vec.num-workers=2", "--vec.batch-size=2", f"--train.total-timesteps={4 * UPDATE}"]
        environment = {**os.environ, "RAY_TMPDIR": str(folder)}
        done = subprocess.run(
            command, capture_output=True, text=True, cwd=tmp_path, env=environment, timeout=240, check=False
        )
        assert done.returncode == 0, done.stderr[-2000:]
        assert state(tmp_path / "run")["global_step"] >= 4 * UPDATE
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.mark.slow
def test_ray_waits_a_limited_time_for_the_cluster_it_is_told(tmp_path: Path) -> None:
    needs.package("ray", "pip install ray")
    code = "import sys; from boids_env import cli; from boids_env.learn import pufferl; pufferl.RAY_SECONDS = 8.0"
    command = [
        sys.executable,
        "-c",
        f"{code}; sys.exit(cli.main())",
        *TRAIN,
        "--out",
        str(tmp_path / "run"),
        "--vec.backend",
        "Ray",
    ]
    environment = {**os.environ, "RAY_ADDRESS": "127.0.0.1:1"}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=120, check=False)
    assert done.returncode == 2, done.stderr
    assert done.stderr == "boids: --vec.backend Ray: cannot connect to RAY_ADDRESS=127.0.0.1:1: no answer in 8 s\n"
    child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment)
    deadline = time.monotonic() + 60
    while not psutil.Process(child.pid).children():  # it tries in another process
        assert child.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.05)
    child.send_signal(signal.SIGINT)
    _, err = child.communicate(timeout=6)
    assert (child.returncode, err) == (130, "")
    assert list(tmp_path.iterdir()) == []
