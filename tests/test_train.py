"""`boids train` with the learner in C: short, real training."""

import re
import signal
import subprocess
import sys
import time
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from boids_env import Flocks, UserError, load_policy
from boids_env.learn.config import load, setting_parameters, settings
from boids_env.learn.learner import make_learner
from boids_env.learn.live import BARS, Learning
from boids_env.learn.run import Curve
from boids_env.learn.score import score, summarize
from boids_env.learn.train import CHECKPOINT, COLUMNS, resumed_config, train
from interpreter import OPTIONAL, python
from runs import curve, files, same, weights

SMALL = {"env.num_envs": 8, "env.num_boids": 64, "env.width": 1080.0, "env.height": 720.0, "env.horizon": 100}
UPDATE = 8 * 64 * 16  # agent-steps
COMMAND = (sys.executable, "-u", "-m", "boids_env", "train")


def run(out: Path, updates: int, overrides: dict[str, Any] | None = None, **options: Any) -> bool:
    return train(load({**SMALL, "learn.agent_steps": updates * UPDATE, **(overrides or {})}), out, **options)


@pytest.mark.parametrize("action", ["discrete", "continuous"])
def test_it_learns(action: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert train(load({**SMALL, "env.action": action, "learn.agent_steps": 300_000}), tmp_path)
    rows = curve(tmp_path)
    assert rows[-1]["reward"] > 0.5 > 0.4 > rows[0]["reward"]
    assert all(a["agent_steps"] < b["agent_steps"] and a["seconds"] <= b["seconds"] for a, b in pairwise(rows))
    board = summarize(score(["random", tmp_path], seeds=2, steps=200, last=50, num_envs=4))
    assert board[str(tmp_path)]["reward"]["mean"] > board["random"]["reward"]["mean"] + 0.5
    *lines, last = capfd.readouterr().out.splitlines()
    assert lines
    assert all("reward" in line and "\x1b" not in line for line in lines)
    assert re.fullmatch(r"0\.30 M agent-steps in \d+\.\d s, \d+\.\d\d M each second", last)


def test_what_a_run_leaves(tmp_path: Path) -> None:
    assert run(tmp_path, 7, {"env.observation": "nearest", "env.num_neighbors": 2, "learn.policy_width": 8})
    assert sorted(path.name for path in tmp_path.iterdir()) == ["checkpoint.npz", "log.csv", "policy.npz"]
    assert tuple(curve(tmp_path)[0]) == COLUMNS
    policy: Any = load_policy(tmp_path)
    assert policy.interface == {"action": "discrete", "observation": "nearest", "num_neighbors": 2}
    assert policy.meta["agent_steps"] == 7 * UPDATE
    assert policy.mirror is not None
    assert weights(tmp_path)["encoder.0.weight"].shape == (8, 18)
    assert not any(name.startswith(("critic", "value")) for name in weights(tmp_path))


def test_the_same_seed_learns_the_same(tmp_path: Path) -> None:
    for name, seed, threads in (("a", 1, 1), ("b", 1, 2), ("c", 2, 1)):
        assert run(tmp_path / name, 3, {"learn.seed": seed, "learn.num_threads": threads, "env.num_threads": threads})
    assert same(weights(tmp_path / "a"), weights(tmp_path / "b"))
    assert not same(weights(tmp_path / "a"), weights(tmp_path / "c"))


def test_resumed_to_the_same_bits_with_the_options_of_before(tmp_path: Path) -> None:
    options = {"env.speed": 5.0, "learn.annealing": "none"}
    assert run(tmp_path / "whole", 9, options)
    assert run(tmp_path / "parts", 4, options)
    with (tmp_path / "parts" / "log.csv").open("a") as file:
        file.write(f"{99 * UPDATE},1e9" + ",0" * (len(COLUMNS) - 2) + f"\n{UPDATE},1.")  # the second is cut off
    more = {"learn.agent_steps": 9 * UPDATE}
    assert train(load(more, resumed=resumed_config(tmp_path / "parts", more)), tmp_path / "parts", resume=True)
    assert same(weights(tmp_path / "whole"), weights(tmp_path / "parts"))
    assert [row["agent_steps"] for row in curve(tmp_path / "parts")] == sorted(
        {r["agent_steps"] for r in curve(tmp_path / "parts")}
    )
    # nothing is left to do: it stays as it is
    before = weights(tmp_path / "parts")
    assert train(load({}, resumed=resumed_config(tmp_path / "parts", {})), tmp_path / "parts", resume=True)
    assert same(before, weights(tmp_path / "parts"))


def test_a_run_is_not_lost_by_mistake(tmp_path: Path) -> None:
    assert run(tmp_path, 2)
    before = files(tmp_path)
    with pytest.raises(UserError, match=r"--resume continues it, --overwrite replaces it"):
        run(tmp_path, 2)
    with pytest.raises(
        UserError, match=r"--learn.minibatch: expected a divisor of 8192 \(512 agents x rollout 16\), got 7$"
    ):
        run(tmp_path, 2, {"learn.minibatch": 7}, overwrite=True)
    assert files(tmp_path) == before
    assert run(tmp_path, 1, overwrite=True)
    assert load_policy(tmp_path).meta["agent_steps"] == UPDATE


def test_a_mistake_leaves_no_folder(tmp_path: Path) -> None:
    with pytest.raises(UserError):
        run(tmp_path / "a" / "b", 1, {"learn.minibatch": 7})
    assert list(tmp_path.iterdir()) == []


def test_resume_refuses_other_flocks_and_networks(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"expected a run to resume, found no checkpoint.npz$"):
        resumed_config(tmp_path, {})
    assert run(tmp_path, 1)
    with pytest.raises(UserError, match=r"--env.num-boids: expected 64, as in the run that is resumed, got 65"):
        resumed_config(tmp_path, {"env.num_boids": 65})
    assert resumed_config(tmp_path, {"env.num_threads": 2, "learn.gamma": 0.5})["env"]["num_boids"] == 64
    with pytest.raises(UserError, match=r"checkpoint.npz: does not fit this config"):
        run(tmp_path, 2, {"learn.policy_width": 8}, resume=True)
    (tmp_path / CHECKPOINT).rename(tmp_path / "elsewhere")
    (tmp_path / "checkpoints").mkdir()
    with pytest.raises(UserError, match=r"found no checkpoint.npz: that is a run of --trainer pufferl"):
        resumed_config(tmp_path, {})


def test_a_damaged_checkpoint(tmp_path: Path) -> None:
    assert run(tmp_path, 1)
    path = tmp_path / CHECKPOINT
    whole = path.read_bytes()
    with np.load(path) as file:
        state, meta = file["state"], str(file["meta"])
    for content in (b"", b"no", whole[: len(whole) // 2]):
        path.write_bytes(content)
        with pytest.raises(UserError, match=r"checkpoint.npz: expected a checkpoint of boids train, got"):
            run(tmp_path, 2, resume=True)
    spoilt = state.copy()
    spoilt[len(spoilt) // 2] ^= 1
    for arrays, message in (
        ({"state": spoilt, "meta": meta}, "does not fit this config: state: .*damaged|does not fit this config"),
        ({"state": state.astype(np.float32), "meta": meta}, "expected a checkpoint of boids train, format 1"),
        ({"meta": meta}, "expected a checkpoint of boids train, format 1"),
        ({"state": state, "meta": meta.replace('"format": 1', '"format": 9')}, "format 1, got another file"),
        ({"state": state, "meta": meta.replace('"seconds": ', '"seconds": -1')}, "format 1, got another file"),
        ({"state": state, "meta": '{"format": 1}'}, "format 1, got another file"),
    ):
        with path.open("wb") as file:
            np.savez(file, **arrays)
        with pytest.raises(UserError, match=message) as raised:
            run(tmp_path, 2, resume=True)
        assert "\n" not in str(raised.value)


class Diverging:
    """A learner whose rewards become NaN after some updates."""

    def __init__(self, learner: Any) -> None:
        self._learner, self._left = learner, 3

    def __getattr__(self, name: str) -> Any:
        return getattr(self._learner, name)

    def learn(self, agent_steps: int) -> None:
        self._left -= 1
        if not self._left:
            raise FloatingPointError("returns: expected finite numbers, got nan")
        self._learner.learn(agent_steps)


def test_a_config_in_a_checkpoint_is_not_trusted(tmp_path: Path) -> None:
    assert run(tmp_path, 1)
    config = resumed_config(tmp_path, {})
    for changes, message in (
        ({"env": {"num_envs": "x"}}, "--env.num-envs: expected an integer in"),
        ({"env": {"num_boids": "x"}}, "num_boids: expected an int, got 'x'"),
        ({"learn": {"agent_steps": -1}}, "--learn.agent-steps: expected an integer in"),
        ({"learn": {"gamma": "x"}}, "--learn.gamma: expected a float, got 'x'"),
        ({"learn": {"wings": 2}}, "unknown setting 'wings'"),
    ):
        spoilt = {section: {**values, **changes.get(section, {})} for section, values in config.items()}
        with pytest.raises(UserError, match=re.escape(message)):
            train(load({}, resumed={**spoilt, "more": {"a": 1}}), tmp_path, resume=True)


def test_training_that_diverges(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The last checkpoint stays. tests/test_learner.py has learners that do diverge."""
    assert run(tmp_path, 1)
    before = files(tmp_path)
    monkeypatch.setattr("boids_env.learn.train.make_learner", lambda *them: Diverging(make_learner(*them)))
    with pytest.raises(UserError, match=r"training diverged: a smaller --learn.learning-rate may help; .* got nan"):
        run(tmp_path, 99, resume=True)
    after = files(tmp_path)
    assert all(after[name] == before[name] for name in ("policy.npz", CHECKPOINT))


def test_a_full_disk_leaves_whole_rows(tmp_path: Path) -> None:
    resource = pytest.importorskip("resource", reason="limits of a process are Unix's")
    rows = Curve(tmp_path / "log.csv", ("agent_steps", "seconds", "reward"), None)
    rows.start()
    rows.add(10, 2.0, [0.5])
    before = (tmp_path / "log.csv").read_bytes()
    assert before.count(b"\n") == 2
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(before) + 5, limits[1]))
    try:
        with pytest.raises(OSError, match=r"log\.csv"):
            rows.add(20, 4.0, [0.5])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert (tmp_path / "log.csv").read_bytes() == before


def test_control_c_saves_and_resume_goes_on(tmp_path: Path) -> None:
    out = tmp_path / "run"
    child = subprocess.Popen([*COMMAND, "--out", str(out)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert child.stdout is not None
    assert "M agent-steps" in child.stdout.readline()
    child.send_signal(signal.SIGINT)
    output, errors = child.communicate(timeout=60)
    assert child.returncode == 130
    assert output.splitlines()[-1] == f"{out / 'policy.npz'}: stopped early, --resume continues"
    assert errors == "\nstopping after this update, then saving; Ctrl-C again stops at once\n"
    steps: int = load_policy(out).meta["agent_steps"]
    assert 0 < steps < 8_000_000
    done = subprocess.run(
        [*COMMAND, "--out", str(out), "--resume", "--learn.agent-steps", str(steps + 1)], capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert load_policy(out).meta["agent_steps"] > steps


def test_a_killed_run_goes_on_from_its_checkpoint(tmp_path: Path) -> None:
    out = tmp_path / "run"
    first = "import boids_env.learn.train as t; t.CHECKPOINT_SECONDS = 0.0; from boids_env.cli import main; main()"
    child = subprocess.Popen([sys.executable, "-c", first, "train", "--out", str(out)], stdout=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    while not (out / "policy.npz").exists():
        assert child.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.01)
    time.sleep(0.3)
    child.kill()
    child.wait()
    config = resumed_config(out, {})
    config["learn"]["agent_steps"] = 1  # it has learned more already
    assert train(config, out, resume=True)
    assert sorted(path.name for path in out.iterdir()) == ["checkpoint.npz", "log.csv", "policy.npz"]


def test_neither_torch_nor_pufferlib_nor_gymnasium_is_needed(tmp_path: Path) -> None:
    done = python(
        """
        from boids_env.cli import main
        main(["train", "--out", "run", "--learn.agent-steps", "20000"])
        main(["score", "run", "--seeds", "1", "--steps", "5", "--last", "5"])
        """,
        cwd=tmp_path,
        hidden=OPTIONAL,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert (tmp_path / "run" / "policy.npz").exists()


# ---- The named settings


def test_the_named_settings_differ_in_one_weight_alone() -> None:
    assert settings() == ["company", "crowd", "mill", "school", "swarm", "wide"]
    phases = "mill", "school", "swarm"
    others = [{k: v for k, v in setting_parameters(name).items() if k != "alignment_weight"} for name in phases]
    assert others[0] == others[1] == others[2]
    with pytest.raises(
        UserError, match="--setting: expected company or crowd or mill or school or swarm or wide, got cloud"
    ):
        load(setting="cloud")
    assert load({"env.speed": 5.0}, setting="mill")["env"] | {"alignment_weight": 0} == {
        **load(setting="school")["env"], "speed": 5.0, "alignment_weight": 0
    }  # fmt: skip


@pytest.mark.parametrize(
    ("name", "polarization", "milling", "largest"),
    [("school", (0.98, 1), (0, 0.1), 0.99), ("mill", (0, 0.1), (0.9, 1), 0.9), ("swarm", (0, 0.15), (0, 0.5), 0.99)],
)
def test_their_policies_fly_as_their_names_say(
    name: str, polarization: tuple[float, float], milling: tuple[float, float], largest: float
) -> None:
    figures = summarize(score([name], seeds=1, num_envs=4))[name]
    assert polarization[0] <= figures["polarization"]["mean"] <= polarization[1]
    assert milling[0] <= figures["milling"]["mean"] <= milling[1]
    assert figures["largest_group"]["mean"] >= largest
    assert load_policy(name).meta["seed"] == 1, "not picked"


# ---- Learning while it flies


def test_it_learns_while_it_flies() -> None:
    with Learning(load({**SMALL, "learn.agent_steps": 30 * UPDATE})) as learning, Flocks(num_boids=200) as flocks:
        flocks.reset(1)
        assert (learning.text, learning.curve, learning.bars(9)) == ("0.00 M agent-steps", b"", "")
        learning.act(flocks)
        assert len(np.unique(flocks.actions)) == 5
        learning.learn(0.0)
        assert learning.text.startswith("0.00")
        while not learning.finished:
            learning.learn(0.1)
        rewards = np.frombuffer(learning.curve, np.float32)
        assert len(rewards) == 30
        assert rewards[-1] > 0.5 > rewards[0]
        assert learning.text == f"0.25 M agent-steps, reward {rewards[-1]:.2f}"
        assert len(learning.bars(9)) == 9
        assert set(learning.bars(9)) <= set(BARS)
        flocks.step()
        learning.act(flocks)
        assert len(np.unique(flocks.actions)) > 1
