"""The window: the client in the extension draws it, with raylib's functions, which Python hands over as addresses."""

from __future__ import annotations

import functools
import logging

from boids_env import _boids
from boids_env.errors import UserError

NO_RAYLIB = "a window needs raylib, which is not installed: pip install 'boids-env[watch]'"
NO_WINDOW = "no window can be opened: there is no display, which render_mode='rgb_array' and 'ansi' need not"
WINDOW_TAKEN = "no window can be opened: another flock of this process has it; close that one first"


@functools.cache
def link_raylib() -> None:
    """Gives the extension the addresses of raylib's functions, once. Raises: UserError where raylib is not installed."""
    logging.getLogger("raylib").setLevel(logging.ERROR)  # it announces itself as a warning
    try:
        from raylib import ffi, rl
    except ImportError:
        raise UserError(NO_RAYLIB) from None
    _boids.link({name: int(ffi.cast("uintptr_t", ffi.addressof(rl, name))) for name in _boids.externals})


def draw(vec: _boids.VecEnv, env: int = 0) -> int | None:
    """Draws one frame of flock `env`.

    Returns:
        How many steps the viewer asks for before the next frame, or None once the window was closed.

    Raises:
        UserError: no raylib, no display, or the window shows another flock.
    """
    link_raylib()
    steps = vec.window(env)
    if steps == _boids.NO_WINDOW:
        raise UserError(NO_WINDOW)
    if steps == _boids.WINDOW_TAKEN:
        raise UserError(WINDOW_TAKEN)
    return None if steps == _boids.CLOSED else steps
