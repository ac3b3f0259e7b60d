"""The window. The environment's C code draws it; Python hands over the addresses of raylib's functions.

It serves every module that `src/binding.c` made.
"""

from __future__ import annotations

import functools
import logging
from typing import TYPE_CHECKING, Any

from boids_env.errors import UserError

if TYPE_CHECKING:
    from boids_env._boids import VecEnv

NO_RAYLIB = "a window needs raylib, which is not installed: pip install 'boids-env[watch]'"
NO_WINDOW = "no window can be opened: there is no display"
WINDOW_TAKEN = "no window can be opened: another environment of this process has it; close that one first"


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
        UserError: no raylib, no display, or the window shows another environment.
        NotImplementedError: the environment has no window.
    """
    link_raylib(module)
    steps = vec.window(env)
    if steps == module.NO_WINDOW:
        raise UserError(NO_WINDOW)
    if steps == module.WINDOW_TAKEN:
        raise UserError(WINDOW_TAKEN)
    return None if steps == module.CLOSED else steps
