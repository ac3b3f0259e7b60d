"""The command `boids`: help, mistakes and how they are told."""

import errno
import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from boids_env import VecEnv
from boids_env.cli import main
from boids_env.env.describe import sentence
from boids_env.learn.config import defaults
from builds import ROOT
from interpreter import OPTIONAL, python


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_help_without_the_optional_packages() -> None:
    done = python(
        """
        from boids_env.cli import main
        assert main([]) == 0
        sys.argv = ["boids", "--help"]
        main()
        """,
        hidden=OPTIONAL,
    )
    assert done.returncode == 0
    assert done.stderr == ""
    first, second = done.stdout[: len(done.stdout) // 2], done.stdout[len(done.stdout) // 2 :]
    assert first == second
    for command in ("train", "score", "watch", "record", "plot", "bench", "web"):
        assert command in first


def test_help_imports_no_torch() -> None:
    done = python("from boids_env.cli import main; main([]); assert 'torch' not in sys.modules")
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("command", ["train", "score", "watch", "record"])
def test_help_lists_the_parameters(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main([command, "--help"])
    assert left.value.code == 0
    text = capsys.readouterr().out
    words = " ".join(text.split())
    own = defaults("native")["env"] if command == "train" else {}
    assert own.get("horizon", 400) == (2000 if command == "train" else 400)
    for name, what in VecEnv.parameters.items():
        assert f"--env.{name.replace('_', '-')} " in text
        assert sentence(what, own.get(name)) in words
        assert "|".join(what["choices"] or ()) in text
    assert max(map(len, text.splitlines())) < 125


def test_as_a_module() -> None:
    done = subprocess.run([sys.executable, "-m", "boids_env"], capture_output=True, text=True, check=True)
    assert "usage: boids" in done.stdout


@pytest.mark.parametrize(("option", "file"), [("--include-dir", "binding.c"), ("--cmake-dir", "boids_env-config.cmake")])
def test_where_the_sources_are(option: str, file: str, tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-m", "boids_env", option], capture_output=True, text=True, check=True)
    (folder,) = done.stdout.splitlines()
    assert (Path(folder) / file).is_file()
    assert not list(tmp_path.iterdir())


def test_show_config(capsys: pytest.CaptureFixture[str]) -> None:
    for trainer, section in (("native", "learn"), ("pufferl", "train")):
        options = ["--trainer", trainer, f"--{section}.gamma", "0.5", "--seed", "7"]
        assert main(["train", "--show-config", *options]) == 0
        text = capsys.readouterr().out
        assert f"[{section}]" in text
        assert "gamma = 0.5" in text
        assert "seed = 7" in text
    assert not Path("runs").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("wach", "unknown command 'wach': did you mean watch?"),
        ("fly", "unknown command 'fly': expected one of train, score, watch, record, plot, bench, web"),
        ("--inlcude-dir", "unknown option --inlcude-dir: did you mean --include-dir"),
        ("--include-dir --cmake-dir", "not allowed with argument --include-dir; see boids --help"),
        ("score --sed 3", "unknown option --sed: did you mean --seeds"),
        ("score --num-boids 3", "unknown option --num-boids: did you mean --env.num-boids? See boids score --help"),
        ("train --num_boids 3", "unknown option --num_boids: did you mean --env.num-boids? See boids train --help"),
        ("train --num-envs 3", "did you mean --env.num-envs or --vec.num-envs?"),
        ("score --wings", "unknown option --wings; see boids score --help"),
        ("score --seeds many", "boids: --seeds: expected an integer, got 'many'; see boids score --help"),
        ("bench all", "unexpected argument 'all'; see boids bench --help"),
        ("score --seeds 0", "--seeds: expected an integer in [1, 1000000], got 0; see boids score --help"),
        ("score --steps 0", "--steps: expected an integer in [1, 1000000000], got 0"),
        ("score --last 900", "--last: expected 1 to 800 steps, got 900"),
        ("score --env.horizon 5", "--env.horizon"),
        ("score --train.gamma 1", "unknown option --train.gamma"),
        (
            "score nobody",
            "nobody: expected random, reynolds, learned, planner or the path of a policy; there is no such file",
        ),
        ("score " + 300 * "x", "expected the path of a policy, got File name too long"),
        ("score --env.num-boids 0", "--env.num-boids: expected an integer in [1, 1048576] boids, got 0"),
        ("score --env.num-bird 3", "unknown option --env.num-bird: did you mean --env.num-boids"),
        ("score --env.num-envs 1", "unknown option --env.num-envs: did you mean --num-envs?"),
        ("score --env.separation-radius 200", "boids: --env.separation-radius: expected 3.125 to 100, got 200"),
        ("score --json nowhere/x.json", "boids: nowhere/x.json: No such file or directory"),
        ("score --json .", "boids: .: Is a directory"),
        ("record", "the following arguments are required: OUT; see boids record --help"),
        ("record flock.avi", "expected a name that ends in .gif, .mp4 or .png"),
        ("record flock.mp4 --size 641x360", "expected even numbers as the --size of an mp4, got 641x360"),
        ("record flock.gif --size big", "--size: expected WIDTHxHEIGHT, got 'big'"),
        ("record flock.gif --size 0x5", "--size from 1x1"),
        ("record flock.gif --seconds -1", "--seconds up to 600"),
        ("record flock.gif --fps 31", "--fps: expected an integer in [1, 30], got 31"),
        ("record flock.gif --policy nobody", "nobody: expected random"),
        ("record nowhere/flock.gif --policy reynolds", "nowhere/flock.gif"),
        ("record flock.gif --seed -1", "--seed: expected an integer in [0, 9223372036854775807], got -1"),
        ("watch nobody", "nobody: expected random"),
        ("watch .", ".: expected a folder of boids train, and this one holds no policy.npz"),
        ("watch reynolds --fps 0", "--fps: expected an integer in [1, 60], got 0; see boids watch --help"),
        ("watch reynolds --steps -1", "--steps: expected an integer in [0, "),
        ("watch reynolds --terminal --seed -1", "--seed: expected an integer in [0, 9223372036854775807], got -1"),
        ("watch reynolds --env.num-boids 0", "--env.num-boids"),
        ("watch reynolds --env.separation-radius 200", "--env.separation-radius"),
        ("watch --train.gamma 1", "unknown option --train.gamma"),
        ("bench --seconds nan", "--seconds: expected a number, got 'nan'"),
        ("bench --seconds 1e999", "--seconds: expected a number, got '1e999'"),
        ("bench --seconds 0", "--seconds: expected more than 0 and up to 3600, got 0"),
        ("bench --largest 2_000_000", "--largest: expected an integer in [1, 1048576], got 2_000_000"),
        ("bench --num-threads 0", "--num-threads: expected an integer in [1, 1024], got 0"),
        ("bench --json nowhere/x.json", "boids: nowhere/x.json: No such file or directory"),
        ("train --trainer pufferl --train.gama 1", "did you mean --train.gamma"),
        ("train --trainer pufferl --train.gamma", "--train.gamma: expected one argument"),
        ("train --trainer pufferl --train.gamma --out x", "--train.gamma: expected one argument"),
        ("train --seed one", "--seed: expected an integer, got 'one'"),
        ("train --seed -1", "--seed: expected an integer in [0, 4294967295], got -1"),
        (
            "train --trainer pufferl --train.seed 4294967296",
            "--train.seed: expected an integer in [0, 4294967295], got 4294967296",
        ),
        ("train --trainer pufferl --vec.seed -1", "--vec.seed: expected an integer in [0, 4294967295], got -1"),
        ("train --resume", "expected a run to resume"),
        ("train --resume --overwrite", "not allowed with argument"),
        (
            "train --trainer pufferl --train.device cuda:77",
            "--train.device: expected cpu, because torch finds no GPU, got cuda:77",
        ),
        (
            "train --trainer pufferl --train.device abacus",
            "--train.device: expected auto, cpu, cuda or another device of torch, got abacus",
        ),
        ("train --trainer pufferl --base.rnn-name LSTM", "--base.rnn-name: expected None, got LSTM"),
        ("train --trainer pufferl --base.policy-name Mine", "--base.policy-name: expected Policy, got Mine"),
        (
            "train --trainer pufferl --vec.backend Fast",
            "--vec.backend: expected Serial or Multiprocessing or Ray or PufferEnv, got Fast",
        ),
        (
            "train --trainer pufferl --vec.backend Serial --vec.num-workers 2",
            "--vec.num-envs must be divisible by --vec.num-workers",
        ),
        ("train --env.num-threads 0", "--env.num-threads: expected an integer in [1, 1024], got 0"),
        ("train --env.num-envs 0", "--env.num-envs: expected an integer in [1, 1048576], got 0"),
        ("train --trainer pufferl --policy.hidden-size 0", "--policy.hidden-size: expected an integer in [1, 1024], got 0"),
        ("train --trainer pufferl --policy.hidden-layers 9", "--policy.hidden-layers: expected an integer in [1, 8], got 9"),
        (
            "train --trainer pufferl --train.minibatch-size 0",
            "--train.minibatch-size: expected an integer in [1, 2147483647], got 0",
        ),
        (
            "train --trainer pufferl --train.minibatch-size 1_000_000",
            "--train.minibatch-size: expected a multiple of 16, the --train.bptt-horizon",
        ),
        ("train --trainer pufferl --train.minibatch-size 33", "up to 8192, the batch of 512 boids, got 33"),
        (
            "train --trainer pufferl --train.max-minibatch-size 1500",
            "--train.max-minibatch-size: expected a divisor of 2048",
        ),
        (
            "train --trainer pufferl --train.batch-size 33000",
            "--train.batch-size: expected a multiple of 8192, which is 512 boids x 16 steps",
        ),
        (
            "train --trainer pufferl --train.bptt-horizon auto",
            "--train.batch-size, --train.bptt-horizon: expected a number for one of them",
        ),
        (
            "train --trainer pufferl --train.bptt-horizon auto --train.batch-size 3",
            "--train.batch-size: expected a multiple of 512",
        ),
        (
            "train --trainer pufferl --train.bptt-horizon 0",
            "--train.bptt-horizon: expected an integer in [1, 2147483647], got 0",
        ),
        (
            "train --trainer pufferl --train.checkpoint-interval 0",
            "--train.checkpoint-interval: expected an integer in [1, 2147483647], got 0",
        ),
        (
            "train --trainer pufferl --train.update-epochs 0",
            "--train.update-epochs: expected an integer in [1, 10000], got 0",
        ),
        ("train --trainer pufferl --train.cpu-threads 0", "--train.cpu-threads: expected an integer in [1, 1024], got 0"),
        (
            "train --trainer pufferl --train.learning-rate 1e300",
            "--train.learning-rate: expected a number in [0, 1], got 1e+300",
        ),
        ("train --trainer pufferl --train.gamma 1e999", "--train.gamma: expected a number, got '1e999'"),
        ("train --trainer pufferl --train.precision x", "--train.precision: expected float32 or bfloat16, got x"),
        ("train --trainer pufferl --train.optimizer magic", "--train.optimizer: expected adam or muon, got magic"),
        (
            "train --trainer pufferl --train.total-timesteps 1000",
            "--train.total-timesteps: expected at least one batch, 8192, got 1000",
        ),
        ("train --out /dev/null", "/dev/null: expected a folder, got a file"),
        ("train --out /proc/nowhere/run", "boids: /proc/nowhere/run: No such file or directory"),
    ],
)
def test_mistakes_take_one_line(arguments: str, message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments.split()) == 2
    captured = capsys.readouterr()
    assert captured.err.startswith("boids: ")
    assert captured.err.count("\n") == 1, captured.err
    assert message in captured.err
    assert "render_mode" not in captured.err
    assert list(Path().iterdir()) == []


BOIDS = [sys.executable, "-m", "boids_env"]
QUICK = ["score", "reynolds", "--seeds", "1", "--steps", "4", "--last", "2", "--num-envs", "1", "--env.num-boids", "4"]


def shell(command: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """A command line in which boids is this Python's and QUICK makes a score."""
    command = command.replace("boids", shlex.join(BOIDS)).replace("QUICK", shlex.join(QUICK))
    environ = {**os.environ, **environ}
    return subprocess.run(["bash", "-c", command], capture_output=True, text=True, env=environ, check=False)


def test_a_terminal_that_knows_ascii_alone() -> None:
    done = shell("boids QUICK", PYTHONIOENCODING="ascii")
    assert done.stderr == ""
    assert done.stdout.count("+-") > 5
    assert "±" in shell("boids QUICK", PYTHONIOENCODING="utf-8").stdout
    done = shell("boids score 'prés'", PYTHONIOENCODING="ascii", PYTHONUTF8="1")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1), done.stderr


@pytest.mark.parametrize(
    ("command", "status", "message"),
    [
        ("boids QUICK >&-", 2, "boids: stdout is closed, and this command prints to it\n"),
        ("boids QUICK >/dev/full", 2, "boids: stdout: No space left on device\n"),
        ("boids QUICK 2>&-", 0, ""),
        ("boids score nobody 2>&-", 2, ""),
        ("set -o pipefail; boids QUICK | true", 141, ""),
    ],
)
def test_closed_and_full_streams(command: str, status: int, message: str) -> None:
    if "/dev/full" in command and not Path("/dev/full").exists():
        command, status, message = "true", 0, ""
    done = shell(command)
    assert (done.returncode, done.stderr) == (status, message)


def test_a_second_ctrl_c_while_the_process_ends_prints_no_traceback() -> None:
    done = python(
        """
        import atexit, os, signal, time
        from boids_env import cli

        def run(arguments):
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(9)

        cli._run = run
        atexit.register(lambda: (os.kill(os.getpid(), signal.SIGINT), time.sleep(.1)))
        sys.exit(cli.main())
        """
    )
    assert (done.returncode, done.stderr) == (130, "")


def test_json_is_written_whole_or_not_at_all(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("boids_env.learn.score.write_json", full)
    assert main([*QUICK, "--json", "x.json"]) == 2
    assert capsys.readouterr().err == "boids: x.json: No space left on device\n"
    assert list(Path().iterdir()) == []


def test_after_make_train_the_last_line_is_a_command() -> None:
    # `make test` hands on variables that make this make print which folder it enters
    env = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    command_line = ["make", "-n", "train", "RUN=runs/x"]
    done = subprocess.run(command_line, capture_output=True, text=True, cwd=ROOT, env=env, check=True)
    (command,) = shlex.split(done.stdout.splitlines()[-1])[1:]
    program, *arguments = command.split()
    assert program == ".venv/bin/boids"
    assert arguments == ["watch", "--learn", "--terminal"]
    done = subprocess.run([*BOIDS, *arguments], capture_output=True, text=True, check=False)
    assert done.stderr == "boids: to watch in a terminal, expected stdin and stdout to be a terminal\n"
