"""`boids watch`: a flock in a window or in the terminal."""

from __future__ import annotations

import contextlib
import os
import re
import select
import shutil
import signal
import sys
from collections.abc import Iterator, Mapping
from time import perf_counter
from typing import Any, NoReturn

from boids_env.env.flocks import Flocks, polarization
from boids_env.errors import UserError
from boids_env.learn.config import Config
from boids_env.learn.live import Learning
from boids_env.learn.planner import Planner
from boids_env.learn.policies import Policy, load_policy
from boids_env.show import terminal
from boids_env.show.record import STEPS_PER_SECOND, shown_parameters

HELP = "space pause  n step  + - speed  r restart  q quit"
SLOWEST, FASTEST = 1 / 8, 64  # times STEPS_PER_SECOND
LEARNING = 0.5  # of the time of a frame
WINDOW_FPS = 60
CURVE = 24  # characters
OPEN, CLOSE = "\033[?1049h\033[?25l", "\033[?25h\033[?1049l"  # to the alternate screen without a cursor, and back
STATUS = "\033[38;2;140;160;180;48;2;4;11;21m"
SEQUENCE = re.compile(rb"\033[\[O][\d;]*[A-Za-z~]")  # what an arrow or a function key sends; it starts like the Escape key


def watch(
    policy: str | os.PathLike[str] = "learned",
    *,
    seed: int = 0,
    fps: int = 30,
    steps: int | None = None,
    in_terminal: bool = False,
    argmax: bool = False,
    learn: Config | None = None,
    parameters: Mapping[str, Any] | None = None,
) -> None:
    """Shows one flock from a random start until the viewer leaves: in a window, or in the terminal where none can be opened.

    Args:
        policy: as `boids_env.load_policy` takes it.
        seed: of the flock.
        fps: frames per second in the terminal, 1 to 60.
        steps: ends after so many; None: no end.
        in_terminal: opens no window.
        argmax: a learned policy takes the turn with the highest score, instead of drawing one.
        learn: shows a fresh network in place of a policy, which learns by this config meanwhile.
        parameters: of the flock, as `boids_env.show.record.shown_parameters` takes them.

    Raises:
        UserError: neither a window nor a terminal; no such policy; numbers out of range.
    """
    if not 1 <= fps <= 60:
        raise UserError(f"--fps: expected 1 to 60, got {fps}")
    if steps is not None and steps < 0:
        raise UserError(f"--steps: expected at least 0, got {steps}")
    with contextlib.ExitStack() as stack, contextlib.suppress(KeyboardInterrupt):  # Ctrl-C is a way to leave
        loaded: Policy = stack.enter_context(Learning(learn)) if learn else load_policy(policy, argmax=argmax, seed=seed)
        shown = shown_parameters(loaded, parameters or {})
        no_window = None if in_terminal else _window(loaded, seed, shown, steps)
        if in_terminal or no_window:
            with Flocks(seed=seed, **shown) as flocks, _screen(no_window) as keyboard:
                _terminal(loaded, flocks, keyboard, fps, steps)


def _window(policy: Policy, seed: int, shown: Mapping[str, Any], last: int | None) -> UserError | None:
    """Steps a flock in a window, which asks for steps before each frame. Returns: why there is no window, or None."""
    with contextlib.ExitStack() as stack:
        try:
            flocks = stack.enter_context(Flocks(seed=seed, render_mode="human", **shown))
            flocks.reset()
            asked: Any = flocks.render()
        except UserError as error:
            return error
        done = 0
        while asked is not None and done != last:
            for _ in range(asked if last is None else min(asked, last - done)):
                policy.act(flocks)
                flocks.step()
                done += 1
            if isinstance(policy, Learning):
                policy.learn(LEARNING / WINDOW_FPS)
                flocks.vec.annotate(policy.text, policy.curve)
            if isinstance(policy, Planner):
                policy.show(flocks)
            asked = flocks.render()
    return None


def _terminal(policy: Policy, flocks: Flocks, keyboard: int, fps: int, last: int | None) -> None:
    """Steps a flock in the terminal: before each frame the steps that are due, as many as fit into a frame's time."""
    flocks.reset()
    done, due, speed, paused = 0, 0.0, 1.0, False
    rate, before = float(fps), perf_counter()
    while True:
        others = [f"speed {speed:g}x{' paused' if paused else ''}", f"{rate:.0f} fps"]
        if isinstance(policy, Learning):
            if not paused:
                policy.learn(LEARNING / fps)
            others = [f"learning: {policy.text}", policy.bars(CURVE)]
        _show(flocks, f"step {done}", *others)
        if done == last:
            return
        for key in _keys(keyboard, max(0.0, before + 1 / fps - perf_counter())):
            if key in "q\033":
                return
            if key == " ":
                paused = not paused
            elif key == "n":
                paused, due = True, int(due) + 1
            elif key == "r":
                flocks.reset()
                done = 0
            elif key in "+=":
                speed = min(2 * speed, FASTEST)
            elif key in "-_":
                speed = max(speed / 2, SLOWEST)
        now = perf_counter()
        rate += 0.1 * (1 / (now - before) - rate)
        if not paused:
            due += (now - before) * STEPS_PER_SECOND * speed
        before = now
        while due >= 1 and done != last:
            policy.act(flocks)
            flocks.step()
            done, due = done + 1, due - 1
            if perf_counter() > now + 1 / fps:  # too slow for this speed: the rest is dropped
                due = 0.0


def _show(flocks: Flocks, step: str, *others: str) -> None:
    """Draws a frame over the whole terminal, with the flock's figures and the keys below it."""
    columns, rows = shutil.get_terminal_size()
    figures = f"polarization {polarization(flocks):.2f}", f"reward {flocks.rewards.mean():.3f}"
    numbers = f" {'  '.join((step, *figures, *others))}"
    room = columns - len(numbers) - 1
    status = [f"{numbers}{HELP:>{room}} "] if room > len(HELP) else [numbers, f" {HELP}"]
    status = [f"{line:{columns}.{columns}}" for line in status[: max(0, rows - 1)]]
    if terminal.colours():
        status = [STATUS + line + terminal.RESET for line in status]
    _write("\033[H" + "\n".join([terminal.frame(flocks, 0, columns, max(1, rows - len(status))), *status]))


@contextlib.contextmanager
def _screen(no_window: UserError | None) -> Iterator[int]:
    """Takes over the terminal, and restores it at the end, also after an error.

    Yields:
        The descriptor to read keys from.

    Raises:
        UserError: there is no terminal, or none that can be taken over.
    """
    first = f"{no_window}; " if no_window else ""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise UserError(f"{first}to watch in a terminal, expected stdin and stdout to be a terminal")
    try:
        import termios
        import tty
    except ModuleNotFoundError:
        raise UserError(f"{first}watching in a terminal needs termios, which Windows does not have") from None
    if no_window:
        print(f"boids: {first}showing it in the terminal", file=sys.stderr)
    keyboard = sys.stdin.fileno()
    before = termios.tcgetattr(keyboard)
    handlers = {number: signal.signal(number, _leave) for number in (signal.SIGTERM, signal.SIGQUIT, signal.SIGHUP)}
    try:
        tty.setcbreak(keyboard)
        mode = termios.tcgetattr(keyboard)
        mode[6][termios.VSUSP] = b"\0"  # no Ctrl-Z: the shell would get the terminal in this state
        termios.tcsetattr(keyboard, termios.TCSANOW, mode)
        _write(OPEN)
        yield keyboard
    finally:
        with contextlib.suppress(OSError, termios.error):  # a terminal that was closed
            _write(CLOSE)
            termios.tcsetattr(keyboard, termios.TCSAFLUSH, before)
        for number, handler in handlers.items():
            signal.signal(number, handler)


def _leave(signum: int, _: object) -> NoReturn:
    raise SystemExit(128 + signum)


def _write(text: str) -> None:
    sys.stdout.buffer.write(text.encode())
    sys.stdout.buffer.flush()


def _keys(keyboard: int, seconds: float) -> str:
    """The keys pressed since the last call; waits at most so long for the first."""
    if not select.select([keyboard], [], [], seconds)[0]:
        return ""
    return SEQUENCE.sub(b"", os.read(keyboard, 1024)).decode("ascii", "ignore")
