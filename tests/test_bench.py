"""The benchmark: that it measures what it says, and not how fast."""

import importlib
import json
import sys
from pathlib import Path

import numpy as np
import pytest

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


def test_a_peer_in_its_own_python(speed, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "worker.py").write_text((BENCH / "peers" / "worker.py").read_text())
    (tmp_path / "sleeper.py").write_text("import time\ndef make(*world): return lambda steps: time.sleep(steps / 100)\n")
    (tmp_path / "absent.py").write_text("def make(*world): import no_such_module\n")
    (tmp_path / "broken.py").write_text("def make(*world): return 1 / 0\n")
    monkeypatch.setattr(speed, "PEERS", tmp_path)
    peer = speed.Peer("sleeper", sys.executable, [1, 8, 100.0, 100.0])
    assert peer(3).wall >= 0.03
    peer.close()
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
