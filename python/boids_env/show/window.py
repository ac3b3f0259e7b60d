"""The window. The environment's C code draws it; Python hands over the addresses of raylib's functions.

It serves every module that `src/binding.c` made.
"""

from __future__ import annotations

import ctypes
import functools
import logging
import os
import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any

from boids_env.errors import UserError

if TYPE_CHECKING:
    from boids_env._boids import VecEnv

NO_RAYLIB = "a window needs raylib, which is not installed: pip install 'boids-env[watch]'"
NO_WINDOW = "no window can be opened: there is no display"
WINDOW_TAKEN = "no window can be opened: another environment of this process has it; close that one first"
FORKED = (
    "no window can be opened: this process was forked from one that has a window, and must not use its display; "
    "start it with multiprocessing's 'spawn'"
)
DISPLAY_LOST = "the window is gone: the X server that showed it has ended; another window needs a new process"
GLFW_PLATFORM, GLFW_PLATFORM_X11 = 0x50003, 0x60004

_opened_by: set[int] = set()  # processes that opened a window, by id; a forked child finds its parent's here
_handled: list[bool] = []  # not empty where the display of the window has its handlers
_display_lost: list[bool] = []  # not empty once the X server has ended


@functools.cache
def link_raylib(module: Any) -> None:
    """Gives a module the addresses of raylib's functions, once. Raises: UserError where raylib is not installed."""
    if not module.externals:  # it opens no window
        return
    logging.getLogger("raylib").setLevel(logging.ERROR)  # it announces itself as a warning
    try:
        from raylib import ffi, rl
    except ImportError:
        raise UserError(NO_RAYLIB) from None
    if sys.platform == "linux" and not os.environ.get("XDG_RUNTIME_DIR") and hasattr(rl, "glfwInitHint"):
        rl.glfwInitHint(GLFW_PLATFORM, GLFW_PLATFORM_X11)  # without that variable Wayland only prints that it is missing
    module.link({name: int(ffi.cast("uintptr_t", ffi.addressof(rl, name))) for name in module.externals})


def draw(module: Any, vec: VecEnv, env: int = 0) -> int | None:
    """Draws one frame of an environment.

    Args:
        module: the extension module of the environment.
        vec: a `VecEnv` of this module.
        env: which of its environments.

    Returns:
        How many steps the viewer asks for before the next frame, or None once the window was closed.

    Raises:
        UserError: no raylib or no display; the window shows another environment, or belongs to the parent of this forked
            process; the X server has ended.
        NotImplementedError: the environment has no window.
    """
    link_raylib(module)
    if _display_lost:
        raise UserError(DISPLAY_LOST)
    steps = vec.window(env)
    if _display_lost:
        raise UserError(DISPLAY_LOST)
    if steps == module.NO_WINDOW:
        raise UserError(FORKED if _opened_by and os.getpid() not in _opened_by else NO_WINDOW)
    if steps == module.WINDOW_TAKEN:
        raise UserError(WINDOW_TAKEN)
    if steps != module.CLOSED:
        _opened_by.add(os.getpid())
        _outlive_display()
        return steps
    _handled.clear()  # the next window has a display of its own
    return None


def _outlive_display() -> None:
    """Keeps the process alive where the X server of its window ends.

    Xlib then calls a handler, and another one that calls exit(1). Both can be replaced; the second one since libX11 1.7, for
    one display: GLFW's, whose address raylib's shared library tells. Where any of that is missing, Xlib still ends the
    process and says "X connection broken".
    """
    if _handled or sys.platform != "linux":
        return
    _handled.append(True)
    try:
        x11, glfw = ctypes.CDLL("libX11.so.6"), ctypes.CDLL(import_module("raylib._raylib_cffi").__file__)
        display_of, on_error, on_exit = glfw.glfwGetX11Display, x11.XSetIOErrorHandler, x11.XSetIOErrorExitHandler
    except (ImportError, OSError, AttributeError):
        return
    display_of.restype, on_exit.argtypes = ctypes.c_void_p, [ctypes.c_void_p, _ON_EXIT, ctypes.c_void_p]
    if display := display_of():  # none on Wayland
        on_error(_quiet)
        on_exit(display, _lose_display, None)


_ON_ERROR = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p)  # (display)
_ON_EXIT = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_void_p)  # (display, data)
_quiet = _ON_ERROR(lambda _display: 0)
_lose_display = _ON_EXIT(lambda _display, _data: _display_lost.append(True))
