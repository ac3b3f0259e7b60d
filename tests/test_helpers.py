"""needs.py and builds.py: a missing tool skips here and fails in CI; a build older than its sources ends the run."""

import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import builds
import needs


@pytest.mark.parametrize(("ci", "outcome"), [("", pytest.skip.Exception), ("1", pytest.fail.Exception)], ids=["here", "CI"])
@pytest.mark.parametrize(
    ("need", "reason"),
    [
        (lambda: needs.program("no-such-program", "apt-get install it"), "no-such-program is missing: apt-get install it"),
        (lambda: needs.package("no_such_package", "pip install it"), "no_such_package is missing: pip install it"),
    ],
    ids=["program", "package"],
)
def test_missing(
    monkeypatch: pytest.MonkeyPatch, need: Callable[[], object], reason: str, ci: str, outcome: type[BaseException]
) -> None:
    monkeypatch.setenv("CI", ci)
    with pytest.raises(outcome, match=f"^{reason}$"):
        need()


def test_there() -> None:
    needs.package("json", "it is part of Python")
    assert needs.program(sys.executable, "it runs this test") == sys.executable


def test_builds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(builds, "ROOT", tmp_path)
    files = {"one.c": '#include "in/two.h"\n', "src/in/two.h": '#  include "three.h"\n', "src/in/three.h": "", "other.h": ""}
    for name, text in {**files, "build/a/one": "", "build/b/one": ""}.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)

    def date(name: str, seconds: int) -> None:
        os.utime(tmp_path / name, (seconds, seconds))

    for seconds, name in enumerate(files):
        date(name, seconds)
    date("build/a/one", 5)
    date("build/b/one", 4)
    date("other.h", 9)  # which is not included
    assert builds.newest("one", [""], "one.c") == tmp_path / "build/a/one"
    date("src/in/three.h", 6)
    with pytest.raises(pytest.exit.Exception, match=r"^build/a/one is older than src/in/three\.h: cmake --preset"):
        builds.newest("one", [""], "one.c")
    with pytest.raises(pytest.exit.Exception, match=r"^The tests need two, which is not built: cmake --preset"):
        builds.newest("two", [""], "one.c")
