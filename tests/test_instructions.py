"""The speed of a step without a clock: how many instructions an agent-step takes, counted by callgrind, may not grow.

    python tests/test_instructions.py    # counts them anew, and writes tests/instructions.json

A count does not depend on the machine, nor on what else it does, but it does on the compiler: each has figures of its own.
Two runs of different lengths are counted, and the difference divided by the agent-steps between them: setting up costs
nothing so.
"""

import json
import os
import platform
import re
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
RECORD = ROOT / "tests" / "instructions.json"
BUILD = "cmake --preset default && cmake --build --preset default"
SLACK = 1.03
SETS = "x86-64-v2", "x86-64-v3"  # valgrind 3.19 knows no AVX-512
# boids, observation, and the two numbers of steps
WORKS = {
    "64 rules": (64, "rules", 40, 120),
    "64 nearest": (64, "nearest", 40, 120),
    "4096 rules": (4096, "rules", 2, 6),
    "4096 nearest": (4096, "nearest", 2, 6),
}


def _program(instructions: str) -> Path:
    """The newest build of bench/steps.c for an instruction set."""
    found = list(ROOT.glob(f"build/*/tests/c/steps_{instructions}"))
    if not found:
        pytest.fail(f"steps_{instructions} is not built: {BUILD}", pytrace=False)
    newest = max(found, key=lambda path: path.stat().st_mtime)
    sources = [ROOT / "bench/steps.c", *(ROOT / "src").rglob("*.h")]
    if newest.stat().st_mtime < max(path.stat().st_mtime for path in sources):
        pytest.fail(f"{newest.relative_to(ROOT)} is older than its source: {BUILD}", pytrace=False)
    return newest


@cache
def _valgrind() -> str:
    valgrind = shutil.which("valgrind")
    if valgrind is None:
        reason = "valgrind is missing, which counts the instructions: apt-get install valgrind"
        pytest.fail(reason, pytrace=False) if "CI" in os.environ else pytest.skip(reason)
    return valgrind


def _count(program: Path, num_boids: int, observation: str, steps: int) -> tuple[int, str]:
    """The instructions of a whole run, and the compiler of the program."""
    command = [_valgrind(), "--tool=callgrind", "--callgrind-out-file=/dev/null", str(program)]
    arguments = ["1", str(num_boids), observation, str(steps)]
    done = subprocess.run([*command, *arguments], capture_output=True, text=True, check=True)
    counted = re.search(r"Collected : (\d+)", done.stderr)
    assert counted is not None, done.stderr
    return int(counted[1]), done.stdout.split()[1]


def _per_agent_step(instructions: str, work: str) -> tuple[float, str]:
    num_boids, observation, few, many = WORKS[work]
    program = _program(instructions)
    (short, compiler), (long, _) = (_count(program, num_boids, observation, steps) for steps in (few, many))
    return (long - short) / ((many - few) * num_boids), compiler


@pytest.mark.skipif(platform.machine() not in ("x86_64", "AMD64"), reason="the counts are of x86-64")
@pytest.mark.parametrize("work", WORKS)
@pytest.mark.parametrize("instructions", SETS)
def test_instructions(instructions: str, work: str) -> None:
    count, compiler = _per_agent_step(instructions, work)
    recorded = json.loads(RECORD.read_text()).get(compiler)
    if recorded is None:
        pytest.skip(f"no counts of {compiler} are recorded: python tests/test_instructions.py")
    most = recorded[instructions][work] * SLACK
    assert count <= most, f"{work}, {instructions}: {count:.1f} instructions an agent-step, expected at most {most:.1f}"


@pytest.mark.skipif(platform.machine() not in ("x86_64", "AMD64"), reason="the counts are of x86-64")
def test_four_percent_more_fail(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    count, compiler = _per_agent_step("x86-64-v3", "64 rules")
    record = tmp_path / "instructions.json"
    record.write_text(json.dumps({compiler: {"x86-64-v3": {"64 rules": count / 1.04}}}))
    monkeypatch.setattr(sys.modules[__name__], "RECORD", record)
    with pytest.raises(AssertionError, match="instructions an agent-step, expected at most"):
        test_instructions("x86-64-v3", "64 rules")


def _record() -> None:
    record = json.loads(RECORD.read_text()) if RECORD.exists() else {}
    for instructions in SETS:
        for work in WORKS:
            count, compiler = _per_agent_step(instructions, work)
            before = record.setdefault(compiler, {}).setdefault(instructions, {}).get(work)
            record[compiler][instructions][work] = round(count, 1)
            print(f"{compiler}  {instructions}  {work:14} {count:8.1f}" + (f"  (was {before})" if before else ""))
    RECORD.write_text(json.dumps(record, indent=1) + "\n")


if __name__ == "__main__":
    sys.exit(_record())
