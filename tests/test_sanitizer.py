"""sanitizer/run.py fails for each planted defect and for a run that it cannot check, and for nothing else.

The defects are those of sanitizer/planted.h. CTest runs a C program with the same ones (sanitizer/CMakeLists.txt).
The first test builds the debug wheel, which needs gcc with its sanitizer libraries.
"""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PASSED = "ASan and UBSan: passed"

pytestmark = pytest.mark.slow

# Two environments of four agents, side by side in each array: one past the share of the first is inside the array.
STEP = """
import sys, numpy, _planted
arrays = [numpy.zeros(8, type) for type in ("f4", "i4", "f4", "?", "?")]
with _planted.VecEnv(*arrays, num_envs=2, agents=4, defect=sys.argv[1]) as env:
    env.reset()
    for _ in range(3):
        env.script()
        env.step()
print("stepped", arrays[0].sum())
"""


@pytest.fixture
def run(tmp_path):
    """Runs a script under the sanitizers, whose folder it is; returns (exit status, stdout, stderr)."""

    def run(code, *arguments):
        script = tmp_path / "script.py"
        script.write_text(code)
        command = [sys.executable, ROOT / "sanitizer/run.py", script, *arguments]
        done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
        return done.returncode, done.stdout, done.stderr

    return run


def test_sound(run):
    status, out, err = run(STEP, "none")
    assert "stepped 24.0" in out, err
    assert PASSED in err, err
    assert status == 0


@pytest.mark.parametrize(
    ("defect", "report"),
    [
        ("write", "FAILED: heap-buffer-overflow"),
        ("read", "FAILED: heap-buffer-overflow"),
        ("freed", "FAILED: heap-use-after-free"),
        ("undefined", "runtime error: signed integer overflow"),
        ("leak", "FAILED: 3 leaks with a frame of ours."),  # of c_init, lost by the first step; and of c_step
    ],
)
def test_planted(run, defect, report):
    status, out, err = run(STEP, defect)
    assert report in err.splitlines()[-1], err
    assert "planted.h" in err
    assert ("stepped" in out) == (defect == "leak")
    assert status == 1


@pytest.mark.parametrize(
    ("code", "report"),
    [
        ("print('hello')", "FAILED: the program never loaded a library of the debug wheel"),
        ("import _planted; raise SystemExit(3)", "FAILED: the program ended with status 3"),
        ("import _planted; assert False", "FAILED: the program ended with status 1"),
        ("import _planted, os; os._exit(0)", "FAILED: Python's exit handlers never ran"),
        ("import _planted, ctypes; ctypes.string_at(1)", "FAILED: SEGV"),
    ],
)
def test_nothing_checked_is_no_success(run, code, report):
    status, _, err = run(code)
    assert report in err.splitlines()[-1], err
    assert status == 1


def test_children_run_without(run):
    """Programs that it starts do not inherit the preloaded runtime: gcc leaks, which is no error of ours."""
    code = """
import _planted, os, subprocess, sys
subprocess.run(["cc", "--version"], check=True)
subprocess.run([sys.executable, "-c", "import numpy"], check=True)
assert "LD_PRELOAD" not in os.environ
"""
    status, _, err = run(code)
    assert PASSED in err, err
    assert status == 0


def test_the_flock_is_clean(run):
    """The real environment, under every layout of its spaces, restarts and refusals included."""
    code = """
import numpy
from boids_env import _boids
for action in ("discrete", "continuous"):
    for observation, size in (("rules", 10), ("nearest", 10 + 4 * 3)):
        for boids in (1, 7, 300, 3000):
            n = 2 * boids
            arrays = [numpy.zeros((n, size), "f4"), numpy.zeros(n, "i4" if action == "discrete" else "f4")]
            arrays += [numpy.zeros(n, "f4"), numpy.zeros(n, "?"), numpy.zeros(n, "?")]
            options = dict(num_envs=2, num_boids=boids, action=action, observation=observation, num_neighbors=3, horizon=5)
            with _boids.VecEnv(*arrays, num_threads=2, **options) as env:
                env.reset(3)
                for _ in range(8):
                    env.script()
                    env.step()
                assert env.log()
            for refused in (dict(view_radius=-1), dict(speed=numpy.nan), dict(num_boids=boids + 1), dict(view_radius=500)):
                try:
                    _boids.VecEnv(*arrays, **{**options, **refused})
                except ValueError:
                    continue
                raise AssertionError(refused)
"""
    status, _, err = run(code)
    assert PASSED in err, err
    assert status == 0


@pytest.mark.parametrize(
    "arguments",
    [
        ["tests/test_binding.py"],
        ["tests/test_learner.py", "-k", "not flock and not threads and not others_run and not ctrl_c"],  # which take long
        ["tests/test_learner_fuzz.py", "-k", "boids"],
    ],
    ids=["binding", "learner", "settings of the learner"],
)
def test_the_tests_are_clean(arguments):
    """Tests of the extension under the sanitizers."""
    command = [sys.executable, "sanitizer/run.py", "pytest", "-q", "-p", "no:cacheprovider", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    assert PASSED in done.stderr, done.stdout + done.stderr
    assert done.returncode == 0
