"""The window: the environment in the extension draws it, with raylib's functions, which Python hands over as addresses.

Good for every module that `src/binding.c` made, not for the flock's alone.
"""

from __future__ import annotations

import functools
import logging
import sys
from typing import Any

from boids_env.errors import UserError

NO_RAYLIB = "a window needs raylib, which is not installed: pip install 'boids-env[watch]'"
NO_WINDOW = "no window can be opened: there is no display, which render_mode='rgb_array' and 'ansi' need not"
WINDOW_TAKEN = "no window can be opened: another environment of this process has it; close that one first"


@functools.cache
def link_raylib(module: Any) -> None:
    """Gives a module the addresses of raylib's functions, once. Raises: UserError where raylib is not installed."""
    logging.getLogger("raylib").setLevel(logging.ERROR)  # it announces itself as a warning
    try:
        from raylib import ffi, rl
    except ImportError:
        raise UserError(NO_RAYLIB) from None
    module.link({name: int(ffi.cast("uintptr_t", ffi.addressof(rl, name))) for name in module.externals})


def draw(vec: Any, env: int = 0) -> int | None:
    """Draws one frame of environment `env` of a `VecEnv`.

    Returns:
        How many steps the viewer asks for before the next frame, or None once the window was closed.

    Raises:
        UserError: no raylib, no display, or the window shows another environment.
        NotImplementedError: the environment has no window.
    """
    (made,) = (cls for cls in type(vec).__mro__ if cls.__name__ == "VecEnv" and "window" in vars(cls))
    module = sys.modules[made.__module__]
    link_raylib(module)
    steps: int = vec.window(env)
    if steps == module.NO_WINDOW:
        raise UserError(NO_WINDOW)
    if steps == module.WINDOW_TAKEN:
        raise UserError(WINDOW_TAKEN)
    return None if steps == module.CLOSED else steps
