"""The command `boids`: help, mistakes and how they are told."""

import subprocess
import sys
from pathlib import Path

import pytest

from boids_env import VecEnv
from boids_env.cli import main
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
    for command in ("train", "score", "watch", "record", "bench"):
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
    for name, what in VecEnv.parameters.items():
        assert f"--env.{name.replace('_', '-')} " in text
        assert what["doc"] in words
        assert what["unit"] in words
        assert f"({what['default']})" in words
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
    assert main(["train", "--show-config", "--train.gamma", "0.5", "--seed", "7"]) == 0
    text = capsys.readouterr().out
    assert "[train]" in text
    assert "gamma = 0.5" in text
    assert "seed = 7" in text
    assert not Path("runs").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("fly", "invalid choice: 'fly'"),
        ("--inlcude-dir", "unknown option --inlcude-dir: did you mean --include-dir"),
        ("--include-dir --cmake-dir", "not allowed with argument --include-dir"),
        ("score --sed 3", "unknown option --sed: did you mean --seeds"),
        ("score --seeds many", "argument --seeds: expected an integer, got 'many'"),
        ("bench all", "unexpected argument 'all'"),
        ("score --seeds 0", "expected at least 1"),
        ("score --last 900", "--last: expected 1 to 800 steps, got 900"),
        ("score --env.horizon 5", "--env.horizon"),
        ("score --train.gamma 1", "unknown option --train.gamma"),
        ("score nobody", "nobody: expected random, reynolds, learned or the path"),
        ("score --env.num-boids 0", "--env.num-boids: expected an integer in [1, 1048576] boids, got 0"),
        ("score --env.num-bird 3", "unknown option --env.num-bird: did you mean --env.num-boids"),
        ("score --env.num-envs 1", "unknown option --env.num-envs: did you mean"),
        ("score --env.separation-radius 200", "separation_radius"),
        ("score --json nowhere/x.json --steps 2 --last 1 --seeds 1", "nowhere/x.json: No such file"),
        ("record", "the following arguments are required: OUT"),
        ("record flock.avi", "expected a name that ends in .gif, .mp4 or .png"),
        ("record flock.mp4 --size 641x360", "expected even numbers as the --size of an mp4, got 641x360"),
        ("record flock.gif --size big", "expected WIDTHxHEIGHT, got 'big'"),
        ("record flock.gif --size 0x5", "--size from 1x1"),
        ("record flock.gif --seconds -1", "expected --fps"),
        ("record flock.gif --policy nobody", "nobody: expected random"),
        ("record nowhere/flock.gif --policy reynolds", "nowhere/flock.gif"),
        ("record flock.gif --seed -1 --policy reynolds", "seed"),
        ("watch nobody", "nobody: expected random"),
        ("watch reynolds --fps 0", "expected --fps 1 to 60"),
        ("watch reynolds --steps -1", "--steps of at least 0"),
        ("watch reynolds --terminal --seed -1", "seed"),
        ("watch reynolds --env.num-boids 0", "--env.num-boids"),
        ("watch reynolds --env.separation-radius 200", "separation_radius"),
        ("watch --train.gamma 1", "unknown option --train.gamma"),
        ("train --train.gama 1", "did you mean --train.gamma"),
        ("train --train.gamma", "argument --train.gamma: expected one argument"),
        ("train --train.gamma --out x", "argument --train.gamma: expected one argument"),
        ("train --seed one", "--seed: expected an integer, got 'one'"),
        ("train --resume", "expected a run to resume"),
        ("train --resume --overwrite", "not allowed with argument"),
        ("train --train.device cuda:77", "--train.device: expected cpu, because torch finds no GPU, got cuda:77"),
        ("train --base.rnn-name LSTM", "--base.policy-name, --base.rnn-name"),
        ("train --vec.backend Fast", "Invalid backend: Fast"),
        ("train --env.num-threads 0", "num_threads"),
        ("train --env.num-envs 0", "num_envs: expected at least 1"),
        ("train --policy.hidden-size 0", "hidden_size: expected at least 1"),
        ("train --train.minibatch-size 1_000_000", "minibatch_size"),
        ("train --train.optimizer magic", "magic"),
        ("train --train.total-timesteps 1000", "--train.total-timesteps: expected at least one batch"),
    ],
)
def test_mistakes_take_one_line(arguments: str, message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments.split()) == 2
    captured = capsys.readouterr()
    assert captured.err.startswith("boids: ")
    assert captured.err.count("\n") == 1, captured.err
    assert message in captured.err
