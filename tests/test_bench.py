"""The benchmark: that it measures what it says, and not how fast."""

import importlib
import json
import sys
from pathlib import Path

import numpy as np
import pytest

import needs
from boids_env import Flocks, bench
from boids_env.bench import Figure, Times
from boids_env.cli import main

BENCH = Path(__file__).resolve().parent.parent / "bench"
FEW = ["--rounds", "2", "--seconds", "0.001", "--largest", "600"]


@pytest.fixture
def speed(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.syspath_prepend(str(BENCH))
    return importlib.import_module("speed")


def test_pairs_run_in_turn() -> None:
    ran: list[str] = []

    def run_of(name: str, seconds: float) -> bench.Run:
        def run(steps: int) -> Times:
            ran.append(name)
            return Times(steps * seconds, steps * seconds * 2)

        return run

    times = bench.paired({"a": run_of("a", 1e-3), "b": run_of("b", 1e-2)}, 3, 0.1)
    assert ran[-6:] == ["a", "b", "a", "b", "a", "b"]
    assert [t.cpu for t in times["a"]] == pytest.approx([1e-3] * 3)
    assert [t.wall for t in times["b"]] == pytest.approx([2e-2] * 3)


def test_a_run_takes_every_step() -> None:
    flocks = Flocks(num_envs=1, num_boids=3, horizon=10)
    flocks.reset(0)
    run = bench.stepping(flocks)
    run(9)
    assert not flocks.truncations.any()
    assert run(1).wall > 0
    assert flocks.truncations.all()


@pytest.mark.parametrize("num_boids", [8, 64, 1_000, 50_000])
def test_room_leaves_twenty_neighbors(num_boids: int) -> None:
    world = bench.room(num_boids)
    neighbors = num_boids * np.pi * 100**2 / (world["width"] * world["height"])
    assert neighbors == pytest.approx(20) if num_boids > 500 else neighbors < 20
    assert world["width"] / world["height"] == pytest.approx(1.5)


def test_neighbors_are_counted() -> None:
    flocks = Flocks(num_envs=1, num_boids=3, width=1000, height=1000)
    flocks.reset(0)
    for name, places in (("x", [10, 950, 500]), ("y", [500, 500, 500])):  # the first two see each other across the seam
        flocks.vec.set(name, (np.array(places) / 1000 * 2**32).astype(np.uint32))
    assert bench.neighbors(flocks) == pytest.approx(2 / 3)


def test_a_clump_stays_one() -> None:
    flocks = bench.flock(1, 500, speed=0.0, horizon=1_000_000_000)
    before = bench.neighbors(flocks)
    bench.plant(flocks, 100)
    assert bench.neighbors(flocks) > 10 * before
    clumped = bench.neighbors(flocks)
    bench.stepping(flocks)(450)
    assert bench.neighbors(flocks) == clumped


def test_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "speed.json"
    assert main(["bench", *FEW, "--json", str(out)]) == 0
    text = capsys.readouterr().out
    content = json.loads(out.read_text())
    assert content["about"]["command"] in text
    assert content["about"]["cpu"] in text
    for row in content["works"]:
        assert row["work"].strip() in text
        assert len(row["rounds"]) == 2
    figures = {row["work"].strip(): Figure(**row).median for row in content["works"]}
    assert figures["64 flocks of 64, rules"] > figures["64 flocks of 64, nearest"] > 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("bench --env.num-boids 4", "unknown option --env.num-boids"),
        ("bench --rounds 0", "--rounds: expected an integer in [1, 1000000], got 0"),
    ],
)
def test_mistakes(arguments: str, message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments.split()) == 2
    assert message in capsys.readouterr().err


LEARNER = """
import pathlib
class make:
    def __init__(self, n): self.n = n
    def __call__(self, steps): self.n += steps
    def save(self, file): pathlib.Path(file).write_text(str(self.n))
"""


def test_a_peer_in_its_own_python(speed, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "worker.py").write_text((BENCH / "peers" / "worker.py").read_text())
    (tmp_path / "sleeper.py").write_text("import time\ndef make(*world): return lambda steps: time.sleep(steps / 100)\n")
    (tmp_path / "learner.py").write_text(LEARNER)
    (tmp_path / "absent.py").write_text("def make(*world): import no_such_module\n")
    (tmp_path / "broken.py").write_text("def make(*world): return 1 / 0\n")
    monkeypatch.setattr(speed, "PEERS", tmp_path)
    peer = speed.Peer("sleeper", sys.executable, [1, 8, 100.0, 100.0])
    assert peer(3).wall >= 0.03
    peer.close()
    learner = speed.Peer("learner", sys.executable, [5], [tmp_path])
    assert learner(2, tmp_path / "file").wall < 1
    assert (tmp_path / "file").read_text() == "7"
    learner.close()
    with pytest.raises(ImportError, match="no_such_module"):
        speed.Peer("absent", sys.executable, [])
    with pytest.raises(RuntimeError, match=r"broken, \[1, 8\]: ZeroDivisionError"):
        speed.Peer("broken", sys.executable, [1, 8])


def test_every_peer_says_what_differs(speed) -> None:
    for name in speed.NAMES:
        peer = speed.peer_module(name)
        assert peer.NAME
        assert "install" in peer.INSTALL
        assert len(peer.DIFFERS) > 100
        assert peer.SIZES[0] <= peer.SIZES[1]


@pytest.mark.slow
def test_a_missing_peer_is_told(speed, capsys: pytest.CaptureFixture[str]) -> None:
    rates, missing = speed.sweep([8], ["vmas_flocking"], {"vmas_flocking": sys.executable}, 1, 0.001)
    assert missing == {"vmas_flocking": "No module named 'vmas'"}
    speed.show(rates, missing, ["vmas_flocking"], {}, {})
    assert "VMAS flocking: MISSING (No module named 'vmas'). pip install vmas torch" in capsys.readouterr().out


def test_threads_that_lose_are_told() -> None:
    gain, lose = "2 threads over 1, 64 flocks of 64", "2 threads over 1, one flock of 100,000"
    figures = [
        bench.Figure(gain, "x", [0.9, 1.4, 1.5]),
        bench.Figure(lose, "x", [0.5, 0.8, 1.2]),
        bench.Figure("64 flocks of 64, rules", "M agent-steps/s", [0.1]),
    ]
    assert bench.slower_with_threads(figures) == [lose]


# ---- The learners -------------------------------------------------------------------------------------------------------


@pytest.fixture
def learners(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    """bench/learners.py, with an empty folder for what it keeps."""
    monkeypatch.syspath_prepend(str(BENCH / "peers"))
    monkeypatch.syspath_prepend(str(BENCH))
    module = importlib.import_module("learners")
    monkeypatch.setattr(module, "KEPT", tmp_path)
    return module


def test_what_was_learned_is_kept(learners, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    made = []

    def make() -> int:
        made.append(1)
        return len(made)

    assert [learners.kept("past-torch_ppo-1", {"a": a}, make) for a in (1, 1, 2, 2)] == [1, 1, 2, 2]
    assert [learners.kept("past-native_ppo-1", {"a": 1}, make) for _ in range(2)] == [3, 3]
    other = tmp_path / "other build"
    other.write_text("")
    monkeypatch.setattr(learners._boids, "__file__", str(other))
    assert learners.kept("past-native_ppo-1", {"a": 1}, make) == 4
    assert learners.kept("past-torch_ppo-1", {"a": 2}, make) == 2


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:.*CUDA is not available")
@pytest.mark.parametrize("name", ["native_ppo", "torch_ppo", "pufferl_ppo"])
def test_each_learner_learns(learners, name: str, tmp_path: Path) -> None:
    flock = {**learners.FLOCK["settings"], "anneal_steps": 300_000}
    learner = importlib.import_module(name).make({**learners.FLOCK, "settings": flock, "seed": 1})
    learner(20)
    learner.save(str(tmp_path / "a.npz"))
    with np.load(tmp_path / "a.npz") as content:
        assert content["agent_steps"] == 20 * 8192
        assert np.isnan(content["score"]) or content["score"] > 0.6
        weights = {key: content[key] for key in content.files if key.startswith(("encoder", "decoder"))}
    learners.save_policy(tmp_path / "policy.npz", weights, {})
    assert learners.scored(str(tmp_path / "policy.npz")) > 0.7


def test_advantages_of_the_learner_in_torch_are_a_sum(learners) -> None:
    """With values of 0 and lambda 1, a return is what is paid until the end: in an episode that is cut, until there."""
    ppo = importlib.import_module("torch_ppo")
    settings = {**learners.FLOCK["settings"], "gamma": 0.5, "gae_lambda": 1.0, "epochs": 1, "minibatch": 16, "rollout": 16}
    task = {**learners.FLOCK, "num_envs": 1, "parameters": {"num_boids": 1, "horizon": 6, "stagger": False}, "seed": 1}
    learner = ppo.make({**task, "settings": settings})
    for parameter in learner.critic.parameters():
        parameter.data.zero_()
    given = []
    learner.descend = lambda *batch: given.append(batch)
    learner.envs.rewards = np.ones(1, np.float32)  # instead of the environment's
    learner.update()
    returns = given[0][4].tolist()
    left = [6, 5, 4, 3, 2, 1, 6, 5, 4, 3, 2, 1, 4, 3, 2, 1]
    assert sorted(returns) == pytest.approx(sorted(2 - 2 * 0.5**n for n in left))


def test_the_chart_of_the_learners(tmp_path: Path, learners, monkeypatch: pytest.MonkeyPatch) -> None:
    needs.package("matplotlib", "pip install matplotlib")
    monkeypatch.setenv("MPLBACKEND", "Agg")
    monkeypatch.setattr(sys, "argv", ["", str(BENCH.parent / "docs/learners.json"), str(tmp_path / "a.png")])
    chart = importlib.import_module("learners_chart")
    chart.main()
    assert (tmp_path / "a.png").stat().st_size > 10_000
    panels = chart.plt.gcf().axes
    assert [len(panel.lines) for panel in panels] == [2, 2, 2, 2]
    for panel in panels:
        theirs, ours = ([text.get_text() for text in panel.get_legend().get_texts()][k] for k in (1, 0))
        assert ours.startswith("boids-env: ")
        assert theirs.startswith("PufferLib's PuffeRL: ")
    chart.plt.close("all")
