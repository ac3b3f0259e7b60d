"""The bindings of bench/bindings: that all of them play the same squared, and that the comparison counts what it says."""

import importlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import needs

ROOT = Path(__file__).resolve().parent.parent
BENCH = ROOT / "bench" / "bindings"

pytestmark = [pytest.mark.slow, pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")]


@pytest.fixture
def compare(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.syspath_prepend(str(BENCH))
    compare = importlib.import_module("compare")
    monkeypatch.setattr(compare.all_of_them, "FLAGS", ["-O0", "-fPIC", "-w"])  # sooner built
    return compare


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("bindings")


@pytest.fixture
def asked(compare, folder: Path):
    """What the worker of a binding says, once it is built."""
    drop_in = ROOT / "src" / "env_binding.h"
    known = {binding.name: binding for binding in compare.all_of_them.bindings(env_binding=drop_in)}

    def ask(name: str, work: str):
        if (why := compare.all_of_them.missing(known[name])) is not None:
            needs.missing(why.removeprefix("No module named "), known[name].install)
        needs.program(compare.all_of_them.compiler(), "apt-get install gcc g++")
        if not (folder / name).exists():
            compare.all_of_them.build(known[name], folder / name)
        return compare.asked(known[name], folder / name, work)

    return ask


@pytest.mark.parametrize("name", ["cython", "pybind11", "nanobind", "cffi", "ctypes", "pufferlib", "env_binding"])
def test_all_play_the_same(asked, name: str) -> None:
    theirs, ours = asked(name, "play"), asked("ours", "play")
    for a, b in zip(theirs, ours, strict=True):
        assert a["digest"] == b["digest"]  # of every array after every step
        assert a["log"] == pytest.approx(b["log"], rel=1e-5)  # PufferLib's averages are float32
        assert a["second log"] == b["second log"] == {}
    assert ours[0]["digest"] != ours[1]["digest"]


@pytest.mark.parametrize(("name", "ours"), [("pufferlib", False), ("env_binding", True)])
def test_two_headers_of_one_name(asked, folder: Path, name: str, ours: bool) -> None:
    asked(name, "play")
    (library,) = (folder / name).glob("binding*")
    assert (b"from vec_init() or vectorize()" in library.read_bytes()) == ours


def test_mistakes(asked) -> None:
    ours, theirs = asked("ours", "mistakes"), asked("ctypes", "mistakes")
    assert set(ours.values()) == {"raises", "harmless"}
    assert {"raises", "harmless", "silent", "crash"} == set(theirs.values())  # each can be told from the others
    assert theirs["an action of 5"] == theirs["two threads that step at the same time"] == "silent"
    assert theirs["an int where the object or handle belongs"] == "crash"


def test_a_slip_in_the_table_is_nobodys_outcome(compare) -> None:
    mistakes = importlib.import_module("mistakes")
    with pytest.raises(RuntimeError, match="slip: the mistake itself cannot be made"):
        mistakes.outcome(mistakes.Mistake("slip", lambda cls, raw: undefined), None, None)  # noqa: F821  that is the slip
    assert mistakes.outcome(mistakes.Mistake("refusal", lambda cls, raw: int("x")), None, None) == "raises"


def test_the_worst_outcome_counts(compare, monkeypatch: pytest.MonkeyPatch) -> None:
    said = iter([{"a": "raises", "b": "harmless"}, {"a": "silent", "b": "raises"}, {"a": "crash", "b": "raises"}])
    monkeypatch.setattr(compare, "asked", lambda *_: next(said))
    assert compare.outcomes(None, None, times=3) == {"a": "crash", "b": "harmless"}


def test_times(compare, asked, folder: Path) -> None:
    asked("ctypes", "play")
    (binding,) = [b for b in compare.all_of_them.bindings() if b.name == "ctypes"]
    times = compare.measure([binding], folder, 2)
    assert {name: {n: len(rounds) for n, rounds in row.items()} for name, row in times.items()} == {
        "C": {"1": 2, "4096": 2},
        "ctypes": {"1": 2, "4096": 2},
    }
    assert min(times["ctypes"]["1"]) > min(times["C"]["1"]) > 0


def test_lines(compare) -> None:
    count = compare.all_of_them
    assert count.lines_of_c("/* a\n b */\n\nint a; // two\nint b; /* c */\n// d\n") == 2
    assert (
        count.lines_of_python('"""Doc."""\n\nx = """a\n\nb"""  # text\n\n\ndef f():\n    """Doc\n    g."""\n    return 1\n')
        == 4
    )
    header = """
#define ENV_PARAMS(X) \\
    X(int, size, 11, 2, 64, "cells", "a side")
typedef struct Env {
    int32_t num_agents; /* counts */
    int size;
} Env;
static inline EnvSpace c_action_space(const Env* env) {
    /* does not count */

    return space;
}
#define c_script c_script
static inline void c_script(Env* env) { env->actions[0] = 1; }
"""
    assert count.lines_for_ours(header) == 2 + 1 + 3 + 1


def test_table(compare) -> None:
    outcomes = {"one": "raises", "two": "raises", "three": "crash"}
    asan = {"share": False, "array": True, "line": True}
    speed = {"build_cpu": 1.5, "build_wall": 2.25, "call": 51.4, "each": 6.789}
    rows = [
        {"name": "a", "title": "A", "lines": 20, "outcomes": outcomes, "asan": asan, **speed},
        {"name": "b", "title": "B", "lines": 30, "missing": "No module named 'b': pip install b"},
        {"name": "C", "title": "C alone", "call": 4, "each": 5.2},
    ]
    text = compare.table([compare.HEAD, *map(compare.cells, rows)], markdown=True).splitlines()
    assert text[2] == "| A | 20 | 1.50 (2.25) | 51 | 6.79 | 2 | 0 | 0 | 1 | no / yes / yes |"
    assert text[3].startswith("| B | 30 | No module named 'b': pip install b |")
    assert len({line.count("|") for line in text}) == 1
    plain = compare.table([compare.HEAD, *map(compare.cells, rows)], markdown=False).splitlines()
    assert plain[1].split()[:6] == ["A", "20", "1.50", "(2.25)", "51", "6.79"]
    assert compare.outcomes_table(rows)[1:] == [["one", "raises"], ["two", "raises"], ["three", "crash"]]


def test_missing_tools_are_told() -> None:
    """In a Python that sees no package at all."""
    script = "import bindings, json; print(json.dumps({b.name: bindings.missing(b) for b in bindings.bindings()}))"
    done = subprocess.run([sys.executable, "-S", "-c", script], capture_output=True, text=True, cwd=BENCH, check=True)
    missing = json.loads(done.stdout)
    assert missing["nanobind"] == "No module named 'nanobind'"
    assert [name for name, why in missing.items() if why is None] == ["ctypes", "ours"]
