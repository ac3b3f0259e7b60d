"""The window: driven with real keys and a real mouse in an X server that has no screen, each viewer a process of its own."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import needs
from boids_env import Flocks, UserError
from interpreter import python

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parent.parent

# What every viewer starts with: a flock of 64 in a window, and hands.
VIEWER = """
import os, struct, subprocess, sys
import numpy as np
from boids_env import Flocks, UserError

flocks = Flocks(render_mode="human", num_boids=64, horizon=10_000)
flocks.reset()

def xdotool(*words):
    subprocess.run(["xdotool", *words], check=True)
    return frames(4)

def frames(count):
    return [flocks.render() for _ in range(count)]

def press(*keys):
    xdotool("key", *keys)

def fly(count):
    for _ in range(count):
        for _ in range(flocks.render()):
            flocks.script()
            flocks.step()

def picture():
    "The screen as it is, (height, width, 3), from the file that the X server keeps it in: the format of xwd."
    with open(os.environ["SCREEN"], "rb") as file:
        raw = file.read()
    head = struct.unpack(">25I", raw[:100])
    start, width, height, stride = head[0] + 12 * head[19], head[4], head[5], head[12]
    rows = np.frombuffer(raw, np.uint8, stride * height, start).reshape(height, stride)
    return rows[:, : 4 * width].reshape(height, width, 4)[:, :, 2::-1].astype(int)

def keep(name):
    from PIL import Image
    Image.fromarray(picture().astype(np.uint8)).save(os.path.join(os.environ["ARTEFACTS"], f"window_{name}.png"))

def near(x, y, reach=40):
    return picture()[y - reach : y + reach, x - reach : x + reach]
"""


def run(code: str, env: dict[str, str], cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-W", "error", "-c", code]
    return subprocess.run(command, env=env, cwd=cwd, capture_output=True, text=True, timeout=60)


def view(display: dict[str, str], code: str, cwd: Path | None = None) -> None:
    """Runs a viewer, whose assertions must hold, and who says nothing."""
    result = run(VIEWER + code, {name: value for name, value in display.items() if name != "XDG_RUNTIME_DIR"}, cwd)
    assert (result.returncode, result.stdout, result.stderr) == (0, "", ""), result.stderr


def test_a_window_shows_the_flock(display: dict[str, str]) -> None:
    view(
        display,
        """
fly(60)
keep("64")
shown = picture()
assert len(np.unique(shown.reshape(-1, 3), axis=0)) > 500  # not blank
assert (shown.max(axis=2) > 200).sum() > 500  # boids and words are bright
sea = np.median(shown, axis=(0, 1))
assert sea.max() < 80 and sea[2] > sea[0]  # the sea is dark and blue
""",
    )


def test_a_text_and_a_curve_in_the_corner(display: dict[str, str]) -> None:
    view(
        display,
        """
fly(4)
corner = lambda: picture()[600:710, 10:246]
bright = lambda: int((corner()[..., 0] > corner()[..., 2] + 50).sum())  # the curve is yellow, on blue
press("space")
frames(3)
empty, before = corner(), bright()
flocks.vec.annotate("0.25 M agent-steps", np.linspace(0, 1, 1000, dtype=np.float32).tobytes())
frames(3)
keep("annotated")
assert bright() > before + 150, (bright(), before)
assert (corner() != empty).any()
flocks.vec.annotate("a text alone")
frames(3)
assert bright() <= before + 20, (bright(), before)
flocks.vec.annotate("")
frames(3)
assert (corner() == empty).all()
for arguments, error in (((3,), "text: expected a str, got 3"), (("a", "b"), "curve: expected bytes, got 'b'")):
    try:
        flocks.vec.annotate(*arguments)
    except TypeError as raised:
        assert str(raised) == error, raised
    else:
        raise AssertionError(arguments)
""",
    )


def test_pause_step_and_speed(display: dict[str, str]) -> None:
    view(
        display,
        """
assert frames(4) == [1, 1, 1, 1]
press("space")
assert frames(4) == [0, 0, 0, 0]
assert sorted(xdotool("key", "n")) == [0, 0, 0, 1]  # one step, once
assert sum(xdotool("key", "n", "n", "n")) == 3  # each press is a step
assert frames(4) == [0, 0, 0, 0]
press("space")
press("plus")
assert frames(2) == [2, 2]
press(*["plus"] * 8)
assert frames(2) == [64, 64]  # and no more
press(*["minus"] * 7)
flown = []
for _ in range(12):
    flown.append(flocks.render())
    for _ in range(flown[-1]):
        flocks.script(), flocks.step()
assert sum(flown) == 6 and max(flown) == 1, flown  # every other frame
press(*["minus"] * 8)
flown = []
for _ in range(24):
    flown.append(flocks.render())
    for _ in range(flown[-1]):
        flocks.script(), flocks.step()
assert sum(flown) == 3, flown  # every eighth
""",
    )


def test_between_two_steps_the_boids_move(display: dict[str, str]) -> None:
    view(
        display,
        """
fly(5)
press("h", "F1", "t")
press(*["minus"] * 3)
fly(20)
shown = []
while len(shown) < 4:
    steps = flocks.render()
    shown.append(picture())
    for _ in range(steps):
        flocks.script(), flocks.step()
assert all((a != b).any() for a, b in zip(shown, shown[1:]))
""",
    )


def test_restart(display: dict[str, str]) -> None:
    view(
        display,
        """
fly(20)
before = flocks.vec.get("x"), flocks.vec.get("rng"), flocks.observations.copy()
press("r")
assert flocks.vec.get("x") != before[0] and flocks.vec.get("rng") != before[1]
assert (flocks.observations != before[2]).any()
fly(5)
""",
    )


def test_keys_change_what_is_shown(display: dict[str, str]) -> None:
    view(
        display,
        """
fly(20)
press("space")
shown = picture()
press("h")
assert (picture() != shown).any()  # the numbers, which change all the time, are gone
for key in "c", "F1", "question", "t", "v", "Tab":
    before = picture()
    press(key)
    assert (picture() != before).any(), key
    if key in ("c", "v"):
        frames(10)
        keep(key)
    for _ in range(3 if key == "c" else 1):  # the other colourings, or once more, and all is as before
        assert (picture() != before).any(), key
        press(key)
    assert key == "Tab" or (picture() == before).all(), key
""",
    )


@pytest.mark.parametrize(("button", "colour"), [(1, "green"), (3, "red")])
def test_the_mouse_is_a_guest(display: dict[str, str], button: int, colour: str) -> None:
    view(
        display,
        f"""
fly(30)
press("space")
press("h")
xdotool("mousemove", "700", "330")
clear = near(700, 330)
xdotool("mousedown", "{button}")
held = near(700, 330)
keep("guest_{colour}")
xdotool("mouseup", "{button}")
assert (near(700, 330) == clear).all()
added = (held - clear).sum(axis=(0, 1))
assert added.argmax() == {0 if colour == "red" else 1} and added.max() > 10_000, added
xdotool("mousemove", "700", "5", "mousedown", "{button}")  # beyond the world
assert (near(700, 330) == clear).all()
xdotool("mouseup", "{button}")
""",
    )


def test_boids_gather_around_a_friend(display: dict[str, str]) -> None:
    """Its picture is docs/friend.png."""
    view(
        display,
        """
from PIL import Image
flocks.close()
flocks = Flocks(render_mode="human", num_boids=160, view_radius=240, horizon=10_000, seed=3)
flocks.reset()

def within(reach):
    "The share of boids so near to the mouse, in world units."
    x, y = (np.frombuffer(flocks.vec.get(name), np.uint32) / 2**32 for name in "xy")
    return (np.hypot(x * 1080 - 540, y * 720 - 390) < reach).mean()

fly(60)
press("F1")
before = within(200)
xdotool("mousemove", "640", "370")
xdotool("mousedown", "1")
fly(240)
assert within(200) > 2 * before, (before, within(200))
shown = picture()[40:760, 100:1180]
Image.fromarray(shown.astype(np.uint8)).save(os.path.join(os.environ["ARTEFACTS"], "friend.png"), optimize=True)
xdotool("mouseup", "1")
""",
    )


def test_weights(display: dict[str, str]) -> None:
    view(
        display,
        """
alone = Flocks(num_boids=64, horizon=10_000)
alone.reset()

def both():
    frames(1)
    for one in (flocks, alone):
        one.actions[:] = 2
        one.step()
    return flocks.rewards, alone.rewards

a, b = both()
assert (a == b).all()  # to look changes nothing
press("2")
for _ in range(3):
    press(*["Down"] * 10)
a, b = both()
assert a.mean() != b.mean()
lonely = alone.observations[:, 0] == 0
assert (a[lonely] == 0).all()
press("3")
for _ in range(3):
    press(*["Up"] * 10)
a, b = both()
close = flocks.observations[:, 8] > 0.2
assert close.any() and (a[close] == -1).all()  # as much as a weight of 10 takes
frames(5)
keep("weights")
press("1")
for _ in range(3):
    press(*["Down"] * 10)
a, b = both()
calm = flocks.observations[:, 8] == 0
assert abs(a[calm]).max() < 0.05
""",
    )


def test_escape_closes_and_the_window_opens_again(display: dict[str, str]) -> None:
    view(
        display,
        """
fly(5)
press("space")
assert frames(2) == [0, 0]
subprocess.run(["xdotool", "key", "Escape"], check=True)
while (steps := flocks.render()) is not None:
    assert steps == 0
flocks.step()  # the flock goes on
assert frames(2) == [1, 1]  # in a new window, which is not paused
flocks.close()
flocks.close()
flocks = Flocks(2, render_mode="human")
flocks.reset()
assert flocks.render(env=1) == 1
""",
    )


def test_one_window_a_process(display: dict[str, str]) -> None:
    view(
        display,
        """
import threading
frames(2)
with Flocks(render_mode="human") as other:
    other.reset()
    try:
        other.render()
    except UserError as error:
        assert "another environment" in str(error)
    else:
        raise AssertionError
    flocks.close()
    assert other.render() == 1
    errors = []
    def elsewhere():
        try:
            other.render()
        except RuntimeError as error:
            errors.append(str(error))
    thread = threading.Thread(target=elsewhere)
    thread.start()
    thread.join()
    assert errors == ["window() belongs to the thread that called it first"]
""",
    )


def test_the_window_can_be_resized(display: dict[str, str]) -> None:
    view(
        display,
        """
fly(10)
press("h", "F1")
window = subprocess.run(["xdotool", "search", "--name", "^Boids$"], capture_output=True, text=True).stdout.split()[0]
press("F1", "h", "v")
for width, height in (320, 240), (480, 360), (640, 480):
    xdotool("windowmove", window, "0", "0", "windowsize", window, str(width), str(height))
    fly(10)
    keep(f"{width}x{height}")
press("F1", "h", "v")
for width, height in (600, 700), (1200, 500), (1080, 720):
    xdotool("windowmove", window, "0", "0", "windowsize", window, str(width), str(height))
    fly(10)
    shown = picture()[:height, :width]
    sea = shown.max(axis=2) > 22  # and around it, it is darker
    wide, high = sea.any(axis=0).sum(), sea.any(axis=1).sum()
    assert abs(wide / high - 1.5) < 0.05 and (width - wide < 4 or height - high < 4), (width, height, wide, high)
keep("resized")
""",
    )


def test_the_wheel_zooms_and_dragging_pans(display: dict[str, str]) -> None:
    view(
        display,
        """
fly(30)
press("space", "h", "F1", "t")
xdotool("mousemove", "640", "400")
whole = picture()
def changed():
    return (picture() != whole).any(axis=2).sum()
for _ in range(6):
    xdotool("click", "4")
keep("zoomed")
assert changed() > 2000, changed()
for hand in ("mousedown", "2"), ("mousemove", "700", "500"), ("mouseup", "2"):
    xdotool(*hand)
assert changed() > 2000, changed()
press("0")
assert (picture() == whole).all()
xdotool("click", "4")
xdotool("click", "5")  # back at the same place, but for a rounding
assert changed() < 500, changed()
""",
    )


def test_full_screen_and_back(display: dict[str, str]) -> None:
    view(
        display,
        """
fly(10)
press("space", "h", "F1")
def lit():
    return (picture().max(axis=2) > 0).sum(axis=(0, 1))
before = lit()
press("F11")
frames(30)
keep("full_screen")
assert before < 1080 * 725 and lit() > 1270 * 790, (before, lit())
press("F11")
frames(30)
assert lit() < 1080 * 725
""",
    )


def test_p_saves_a_picture(display: dict[str, str], tmp_path: Path) -> None:
    view(
        display,
        """
from PIL import Image
fly(12)
press("space")
press("p")
press("p")
names = sorted(os.listdir())
assert names == ["boids-12-2.png", "boids-12.png"], names
shown = picture()
saved = np.asarray(Image.open(names[1]).convert("RGB")).astype(int)
assert saved.shape == (720, 1080, 3)
assert (saved != shown[40:760, 100:1180]).mean() < 0.05  # which has a note, and other figures
""",
        tmp_path,
    )


FORK = """
import signal, time
fly(3)
child = os.fork()
if not child:
    signal.alarm(20)
    CHILD
    sys.exit(0)
status = None
for _ in range(600):
    done, status = os.waitpid(child, os.WNOHANG)
    if done:
        break
    fly(1)  # meanwhile the parent's window lives on
assert done and status == 0, status
before = picture()
fly(5)
assert (picture() != before).any()
flocks.close()
"""


@pytest.mark.parametrize(
    "child",
    [
        "pass",
        "flocks.close()",
        "del flocks",
        """
    for _ in range(2):
        try:
            flocks.render()
        except UserError as error:
            assert "forked" in str(error), error
        else:
            raise AssertionError
    flocks.script()
    flocks.step()
    with Flocks(render_mode="human") as other:
        other.reset()
        try:
            other.render()
        except UserError as error:
            assert "forked" in str(error), error
        else:
            raise AssertionError""",
    ],
    ids=["exit", "close", "del", "draw"],
)
def test_a_forked_child_leaves_the_window_alone(display: dict[str, str], child: str) -> None:
    view(display, FORK.replace("CHILD", child))


def test_a_window_server_that_dies(display: dict[str, str], tmp_path: Path) -> None:
    """One line says so; the flock goes on, and the process ends as it wants to."""
    reading, writing = os.pipe()
    server = subprocess.Popen(["Xvfb", "-displayfd", str(writing)], pass_fds=[writing], stderr=subprocess.DEVNULL)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        number = pipe.readline().strip()
    try:
        view(
            {**display, "DISPLAY": f":{number}"},
            f"""
import signal
fly(5)
os.kill({server.pid}, signal.SIGKILL)
said = []
for _ in range(50):
    try:
        flocks.render()
    except UserError as error:
        said.append(str(error))
assert len(set(said)) == 1 and len(said) > 40, said
assert said[0].startswith("the window is gone: the X server that showed it has ended"), said
flocks.script()
flocks.step()
flocks.close()
""",
        )
    finally:
        server.kill()
        server.wait()


def test_ctrl_c(display: dict[str, str]) -> None:
    view(
        display,
        """
import signal, threading
frames(2)
threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT)).start()
try:
    while True:
        fly(1)
except KeyboardInterrupt:
    pass
else:
    raise AssertionError
fly(3)
""",
    )


@pytest.mark.parametrize(("boids", "world"), [(1, 100), (1000, 2000), (20_000, 9000)])
def test_any_number_of_boids(display: dict[str, str], boids: int, world: int) -> None:
    view(
        display,
        f"""
flocks.close()
side = {world}
flocks = Flocks(render_mode="human", num_boids={boids}, width=1.6 * side, height=side, view_radius=min(50, side / 3),
                separation_radius=12, horizon=10_000)
flocks.reset()
fly(40)
keep({boids})
""",
    )


def test_no_display() -> None:
    needs.package("raylib", "pip install raylib")
    code = """
from boids_env import Flocks, UserError
flocks = Flocks(render_mode="human")
flocks.reset()
for _ in range(2):
    try:
        flocks.render()
    except UserError as error:
        print(error)
flocks.script(), flocks.step(), flocks.close()
"""
    env = {name: value for name, value in os.environ.items() if name not in ("DISPLAY", "WAYLAND_DISPLAY")}
    result = run(code, env)
    message = "no window can be opened: there is no display\n"
    assert (result.returncode, result.stdout) == (0, 2 * message), result.stderr


def test_watch_with_neither_display_nor_terminal() -> None:
    env = {name: value for name, value in os.environ.items() if name not in ("DISPLAY", "WAYLAND_DISPLAY")}
    command = [sys.executable, "-m", "boids_env", "watch", "--steps", "1"]
    result = subprocess.run(command, env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)
    assert (result.returncode, result.stdout) == (2, "")
    last = result.stderr.splitlines()[-1]
    assert last.startswith("boids: no window can be opened: there is no display")
    assert last.endswith("to watch in a terminal, expected stdin and stdout to be a terminal")


def test_no_raylib() -> None:
    code = """
import sys
from boids_env import Flocks, UserError
sys.modules["raylib"] = None
flocks = Flocks(render_mode="human")
flocks.reset()
try:
    flocks.render()
except UserError as error:
    print(error)
"""
    result = run(code, dict(os.environ))
    assert result.stdout == "a window needs raylib, which is not installed: pip install 'boids-env[watch]'\n", result.stderr
    assert (result.returncode, result.stderr) == (0, "")


def test_render_modes() -> None:
    with pytest.raises(UserError, match="render_mode: expected None, 'rgb_array', 'ansi' or 'human', got 'canvas'"):
        Flocks(render_mode="canvas")
    for mode in (None, "rgb_array"):
        with Flocks(render_mode=mode) as flocks:
            flocks.reset()
            assert flocks.render().shape == (480, 720, 3)


def test_threads_take_turns_at_the_window() -> None:
    """Functions of ours for raylib's: they run Python, where other threads come in, and yet no two are ever inside."""
    done = python(
        """
        import ctypes, threading, time
        from boids_env import Flocks, _boids

        inside, seen = [], set()
        def ready():
            inside.append(None)
            seen.add(len(inside))
            time.sleep(0.001)
            inside.pop()
            return False

        nothing, ready = ctypes.CFUNCTYPE(None)(lambda: None), ctypes.CFUNCTYPE(ctypes.c_bool)(ready)
        addresses = dict.fromkeys(_boids.externals, ctypes.cast(nothing, ctypes.c_void_p).value)
        addresses["IsWindowReady"] = ctypes.cast(ready, ctypes.c_void_p).value

        def look():
            with Flocks(num_boids=8) as flocks:
                flocks.reset()
                for _ in range(20):
                    _boids.link(addresses)
                    assert flocks.vec.window() == _boids.NO_WINDOW

        threads = [threading.Thread(target=look) for _ in range(3)]
        for thread in threads: thread.start()
        for thread in threads: thread.join()
        assert seen == {1}, seen
        """
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_a_linked_function_may_use_the_window_of_another() -> None:
    """It has the turn already, in whose middle it is called."""
    done = python(
        """
        import ctypes
        from boids_env import Flocks, _boids

        said = []
        def ready():
            if not said:
                said.append(None)
                with Flocks(num_boids=8) as other:
                    other.reset()
                    said[0] = other.vec.window()
            return False

        nothing, ready = ctypes.CFUNCTYPE(None)(lambda: None), ctypes.CFUNCTYPE(ctypes.c_bool)(ready)
        addresses = dict.fromkeys(_boids.externals, ctypes.cast(nothing, ctypes.c_void_p).value)
        _boids.link(addresses | {"IsWindowReady": ctypes.cast(ready, ctypes.c_void_p).value})
        with Flocks(num_boids=8) as flocks:
            flocks.reset()
            assert [flocks.vec.window(), *said] == 2 * [_boids.NO_WINDOW], said
        """
    )
    assert (done.returncode, done.stderr) == (0, "")


def without(addresses: dict[str, int]) -> dict[str, int]:
    return {name: address for name, address in addresses.items() if name != "EndDrawing"}


MISTAKES: list[tuple[Callable[[dict[str, int]], object], type[Exception], str]] = [
    (lambda good: None, TypeError, "addresses: expected a dict of names and addresses, got None"),
    (lambda good: list(good), TypeError, "addresses: expected a dict of names and addresses, got ['SetTraceLogLevel'"),
    (lambda good: {**good, 3: 4}, TypeError, "addresses: expected names, got 3"),
    (lambda good: {**good, b"InitWindow": 4}, TypeError, "addresses: expected names, got b'InitWindow'"),
    (lambda good: {}, ValueError, "addresses: expected the address of SetTraceLogLevel, got none"),
    (without, ValueError, "addresses: expected the address of EndDrawing, got none"),
    (lambda good: {**good, "Draw": 1}, ValueError, "addresses: expected the names of externals alone, got 'Draw'"),
    (lambda good: {**good, "EndDrawing": 0}, ValueError, "EndDrawing: expected an int in [1, "),
    (lambda good: {**good, "EndDrawing": -1}, ValueError, "EndDrawing: expected an int in [1, "),
    (lambda good: {**good, "EndDrawing": 2**63}, ValueError, "EndDrawing: expected an int in [1, "),
    (lambda good: {**good, "EndDrawing": 2**200}, ValueError, "EndDrawing: expected an int in [1, "),
    (lambda good: {**good, "EndDrawing": 1.0}, TypeError, "EndDrawing: expected an int, got 1.0"),
    (lambda good: {**good, "EndDrawing": True}, TypeError, "EndDrawing: expected an int, got True"),
    (lambda good: {**good, "EndDrawing": None}, TypeError, "EndDrawing: expected an int, got None"),
    (lambda good: {**good, "EndDrawing": "0x10"}, TypeError, "EndDrawing: expected an int, got '0x10'"),
]


@pytest.mark.parametrize(("spoil", "error", "message"), MISTAKES)
def test_link_refuses(boids, spoil, error, message) -> None:
    good = dict.fromkeys(boids.externals, 4096)
    with pytest.raises(error) as caught:
        boids.link(spoil(good))
    assert str(caught.value).startswith(message)
    assert good == dict.fromkeys(boids.externals, 4096)  # the dict is the caller's


def test_link_of_an_environment_without_a_window(counter) -> None:
    assert counter.externals == ()
    assert counter.link({}) is None
    with pytest.raises(ValueError, match="expected the names of externals alone, got 'InitWindow'"):
        counter.link({"InitWindow": 4096})


def test_what_a_planner_imagines(display: dict[str, str]) -> None:
    code = """
from boids_env import load_policy
planner = load_policy("planner:horizon=20,flights=4")
for _ in range(60):
    planner.act(flocks)
    flocks.step()
frames(2)
press("space", "t", "h", "F1")  # at rest, and nothing but the flock
xdotool("mousemove", "640", "400")
press("v")
before = picture()
for _ in range(2):  # the first asks for the flights of the selected boid
    planner.show(flocks)
    frames(2)
keep("futures")
shown = np.abs(picture() - before).max(2) > 12
assert 200 < shown.sum() < 20000, shown.sum()  # paths and bars, near the boid
press("v")
planner.show(flocks)
without = frames(2)
"""
    view(display, code)
