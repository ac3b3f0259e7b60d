"""`boids watch`: in a terminal, with its keys, and in a window of which only the steps matter here."""

import os
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from boids_env import Flocks, UserError, load_policy
from boids_env.cli import main
from boids_env.show.watch import CLOSE, OPEN, watch

fcntl = pytest.importorskip("fcntl", reason="a terminal to watch in is Unix's")
termios = pytest.importorskip("termios", reason="a terminal to watch in is Unix's")

PATIENCE = 30  # seconds to wait for what takes a tenth of one
START = """
import fcntl, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)  # so that its Ctrl-C arrives
from boids_env import cli
from boids_env.show import watch
"""
NO_WINDOW = """
class Flocks(watch.Flocks):
    def __init__(self, *arguments, render_mode=None, **others):
        if render_mode:
            raise cli.UserError("no window can be opened: there is no display")
        super().__init__(*arguments, **others)
watch.Flocks = Flocks
"""


class Viewer:
    """`boids watch` in a terminal of its own, as one sees it and types into it."""

    def __init__(self, *arguments: str, first: str = "", columns: int = 120, rows: int = 20, **environ: str) -> None:
        self.master, self.slave = os.openpty()
        self.resize(columns, rows)
        self.modes = termios.tcgetattr(self.slave)
        code = f"{START}{first}\nsys.exit(cli.main({['watch', 'reynolds', *arguments]}))"
        hidden = ("COLUMNS", "LINES", "NO_COLOR")
        self.process = subprocess.Popen(
            [sys.executable, "-c", code],
            stdin=self.slave,
            stdout=self.slave,
            stderr=subprocess.PIPE,
            start_new_session=True,
            env={**{key: value for key, value in os.environ.items() if key not in hidden}, **environ},
        )
        self.output = ""
        self.seen = 0  # of output, by `shows`

    def resize(self, columns: int, rows: int) -> None:
        termios.tcsetwinsize(self.slave, (rows, columns))

    def type(self, keys: str) -> None:
        os.write(self.master, keys.encode())

    def read(self) -> None:
        """Waits for more output, if there may be any."""
        if select.select([self.master], [], [], 0.02)[0]:
            self.output += os.read(self.master, 2**20).decode("utf-8", "ignore")

    def shows(self, pattern: str) -> list[str]:
        """The lines of the next whole frame that has this in it."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            *frames, rest = self.output[self.seen :].split("\033[H")
            self.seen = len(self.output) - len(rest) - (len("\033[H") if frames else 0)
            for text in frames:
                lines = re.sub(r"\033\[[\d;?]*[a-zA-Z]", "", text).split("\r\n")
                if re.search(pattern, " ".join(lines[-2:])):  # where the status is
                    return lines
            assert self.process.poll() is None, self.process.stderr.read().decode()
            self.read()
        raise AssertionError(f"{pattern!r} never came: {self.output[-2000:]!r}")

    def step(self, pattern: str = "") -> int:
        """The number of the step in the next such frame."""
        return int(re.search(r"step (\d+)", "".join(self.shows(rf"step \d+.*{pattern}")))[1])

    def leaves(self) -> tuple[int, str]:
        """Its exit status and what it says on stderr, and checks that the terminal is as it was."""
        deadline = time.monotonic() + PATIENCE
        while self.process.poll() is None and time.monotonic() < deadline:
            self.read()
        for _ in range(3):
            self.read()
        assert self.output.count(OPEN) == 1
        assert self.output.endswith(CLOSE)
        assert termios.tcgetattr(self.slave) == self.modes
        return self.process.wait(0), self.process.stderr.read().decode()

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        self.process.stderr.close()
        os.close(self.master)
        os.close(self.slave)


@pytest.fixture
def viewer(request: pytest.FixtureRequest) -> Iterator[Any]:
    """Starts a viewer, which ends with the test."""

    def start(*arguments: str, **others: Any) -> Viewer:
        started = Viewer(*arguments, **others)
        request.addfinalizer(started.close)
        return started

    return start


def test_keys(viewer: Any) -> None:
    boids = viewer("--terminal")
    assert boids.step() < boids.step("speed 1x  ")
    boids.type(" ")
    paused = boids.step("paused")
    assert boids.step("paused") == paused
    boids.type("n")
    boids.shows(f"step {paused + 1} .*paused")
    boids.type("nn")
    boids.shows(f"step {paused + 3} .*paused")
    boids.type("+\033[A+")  # an arrow is no Escape
    boids.shows("speed 4x paused")
    boids.type("---")
    boids.shows("speed 0.5x paused")
    boids.type("r")
    boids.shows("step 0 .*paused")
    boids.type(" ")
    boids.shows("step [1-9].* speed 0.5x  ")
    boids.type("q")
    assert boids.leaves() == (0, "")


def test_what_one_sees(viewer: Any) -> None:
    boids = viewer("--terminal", columns=120, rows=20)
    lines = boids.shows("step [1-9]")
    assert [len(line) for line in lines] == [120] * 20
    assert re.fullmatch(
        r" step \d+  polarization [01]\.\d\d  reward -?\d\.\d{3}  speed 1x  \d+ fps +space pause .* q quit ", lines[-1]
    )
    assert sum(glyph in "→↗↑↖←↙↓↘" for line in lines[:-1] for glyph in line) > 32
    boids.resize(50, 30)
    deadline = time.monotonic() + PATIENCE
    while len(lines[0]) != 50 and time.monotonic() < deadline:
        lines = boids.shows("step")
    assert [len(line) for line in lines] == [50] * 30
    assert lines[-2].startswith(" step ")
    assert lines[-1].startswith(" space pause ")
    boids.resize(1, 1)
    boids.shows("^.$")
    boids.type("\033")
    assert boids.leaves() == (0, "")


def test_control_c(viewer: Any) -> None:
    boids = viewer("--terminal")
    boids.shows("step")
    boids.type("\x03")
    assert boids.leaves() == (0, "")


def test_terminated(viewer: Any) -> None:
    boids = viewer("--terminal", NO_COLOR="1")
    boids.shows("step [1-9]")
    boids.process.send_signal(signal.SIGTERM)
    assert boids.leaves() == (128 + signal.SIGTERM, "")
    assert "\033[" in boids.output
    assert not re.search(r"\033\[[\d;]+m", boids.output)


def test_a_key_that_ends_programs(viewer: Any) -> None:
    """Ctrl-backslash: with the cursor on and the keys as they were."""
    boids = viewer("--terminal")
    boids.shows("step [1-9]")
    boids.type("\x1c")
    assert boids.leaves() == (128 + signal.SIGQUIT, "")


def test_a_terminal_that_is_closed(viewer: Any) -> None:
    boids = viewer("--terminal")
    boids.shows("step [1-9]")
    os.close(boids.master)
    assert boids.process.wait(PATIENCE) == 128 + signal.SIGHUP
    assert boids.process.stderr.read() == b""
    boids.master = os.dup(boids.slave)  # which close() closes


def test_ends_after_so_many_steps(viewer: Any) -> None:
    boids = viewer("--terminal", "--steps", "3", "--env.num-boids", "20000", "--fps", "60")
    boids.shows("step [0-3]")
    assert boids.leaves() == (0, "")
    assert re.search(r"step 3 ", boids.output)
    assert not re.search(r"step 4 ", boids.output)


def test_without_a_window_in_the_terminal(viewer: Any) -> None:
    boids = viewer("--steps", "1", first=NO_WINDOW)
    boids.shows("step 0")
    told = "boids: no window can be opened: there is no display; showing it in the terminal\n"
    assert boids.leaves() == (0, told)


class NoWindow(Flocks):
    """Where raylib or a display is missing, which may be told at once or at the first frame."""

    at_once = True

    def __init__(self, *arguments: Any, render_mode: str | None = None, **others: Any) -> None:
        self.mode = render_mode
        if render_mode and self.at_once:
            raise UserError("no display")
        super().__init__(*arguments, **others)

    def render(self) -> int | None:
        raise UserError("no display")


@pytest.mark.parametrize("at_once", [True, False])
def test_neither_a_window_nor_a_terminal(
    at_once: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("boids_env.show.watch.Flocks", NoWindow)
    monkeypatch.setattr(NoWindow, "at_once", at_once)
    assert main(["watch", "reynolds"]) == 2
    told = "to watch in a terminal, expected stdin and stdout to be a terminal\n"
    assert capsys.readouterr().err == f"boids: no display; {told}"
    assert main(["watch", "reynolds", "--terminal"]) == 2
    assert capsys.readouterr().err == f"boids: {told}"


class Window(Flocks):
    """One in which the viewer lets the flock fly, pauses it, lets it fly on and leaves."""

    asks = (2, 0, 3, None)
    made: Flocks

    def __init__(self, *arguments: Any, render_mode: str, **others: Any) -> None:
        assert render_mode == "human"
        super().__init__(*arguments, **others)
        Window.made = self
        self.steps = 0
        self._asks = iter(self.asks)

    def step(self, actions: Any = None) -> Any:
        self.steps += 1
        return super().step(actions)

    def render(self) -> int | None:
        return next(self._asks)


@pytest.mark.parametrize(("limit", "steps"), [(None, 5), (4, 4), (2, 2), (0, 0)])
def test_in_a_window(limit: int | None, steps: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("boids_env.show.watch.Flocks", Window)
    watch("reynolds", seed=3, steps=limit, parameters={"num_boids": 256})
    assert Window.made.steps == steps
    assert Window.made.vec.closed
    assert Window.made.parameters["width"] == 2 * 1080
    with Flocks(seed=3, num_boids=256, width=2160, height=1440) as same:
        same.reset()
        for _ in range(steps):
            load_policy("reynolds").act(same)
            same.step()
        assert (same.rewards == Window.made.rewards).all()


def test_control_c_closes_the_window(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(self: Window) -> int:
        if self.steps:
            raise KeyboardInterrupt
        return 1

    monkeypatch.setattr("boids_env.show.watch.Flocks", Window)
    monkeypatch.setattr(Window, "render", interrupted)
    assert main(["watch", "reynolds"]) == 0
    assert Window.made.vec.closed


def test_a_terminal_that_is_windows(tmp_path: Path) -> None:
    """Nothing of Unix's is imported before it is needed, and its absence takes one line."""
    code = """
import sys
sys.modules.update(dict.fromkeys(("termios", "tty", "fcntl", "pty")))
sys.stdin.isatty = sys.stdout.isatty = lambda: True
from boids_env.cli import main
sys.exit(main(["watch", "reynolds", "--terminal"]))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path, check=False)
    assert done.returncode == 2
    assert done.stderr == "boids: watching in a terminal needs termios, which Windows does not have\n"
