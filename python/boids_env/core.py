"""What `Flocks` and `Boids` share: five arrays, and the extension that steps the flocks inside them."""

from __future__ import annotations

import operator
import secrets
from types import TracebackType
from typing import TYPE_CHECKING, Any, NoReturn, Self

import numpy as np
from numpy.typing import NDArray

from boids_env._boids import VecEnv
from boids_env.errors import UserError

if TYPE_CHECKING:
    from boids_env._boids import Layout

Array = NDArray[Any]
Infos = list[dict[str, float]]

RENDER_MODES = (None, "rgb_array", "ansi", "human")
SHORT_SIDE, LONG_SIDE = 480, 720  # of a picture whose size nobody asked for, in pixels: as large as fits


def positive(name: str, value: int, most: int = 2**31 - 1) -> int:
    """`value`, an integer of 1 to `most`. Raises: TypeError, UserError."""
    try:
        if isinstance(value, bool | np.bool_):
            raise TypeError
        number = operator.index(value)
    except TypeError:
        raise TypeError(f"{name}: expected an integer, got {value!r}") from None
    if 1 <= number <= most:
        return number
    wanted = "at least 1" if number < 1 else f"at most {most}"
    raise UserError(f"{name}: expected {wanted}, got {number if abs(number) < 2**64 else 'one beyond 64 bits'}")


def checked_render_mode(render_mode: str | None) -> str | None:
    """Itself. Raises: UserError."""
    if not isinstance(render_mode, str | None) or render_mode not in RENDER_MODES:
        listed = ", ".join(repr(mode) for mode in RENDER_MODES[:-1])
        raise UserError(f"render_mode: expected {listed} or {RENDER_MODES[-1]!r}, got {render_mode!r}")
    return render_mode


def array_shapes(what: Layout, num_envs: int) -> dict[str, tuple[tuple[int, ...], np.dtype[Any]]]:
    """Shape and type of the five arrays that `num_envs` flocks live in, by name."""
    agents = num_envs * what["num_agents"]
    observation, action = what["observation"], what["action"]
    one_choice = action["choices"] is not None and action["size"] == 1
    return {
        "observations": ((agents, observation["size"]), np.dtype(observation["dtype"])),
        "actions": ((agents,) if one_choice else (agents, action["size"]), np.dtype(action["dtype"])),
        "rewards": ((agents,), np.dtype(np.float32)),
        "terminals": ((agents,), np.dtype(np.bool_)),
        "truncations": ((agents,), np.dtype(np.bool_)),
    }


class Core:
    """A vector of flocks over five arrays, which are set before `_open` and never bound anew after it.

    Agent i of flock k is row `k * num_boids + i`.
    """

    observations: Array  # (num_agents, observation size) float32 in [-1, 1]
    actions: Array  # (num_agents) int32 0 .. 4, or (num_agents, 1) float32 in [-1, 1]
    rewards: Array  # (num_agents) float32 in [-1, 1]
    terminals: Array  # (num_agents) bool, always False
    truncations: Array  # (num_agents) bool, True when the episode ended with this step
    num_agents: int
    layout: Layout  # of one flock
    parameters: dict[str, Any]  # every parameter of the flock by name, with the value in force
    vec: VecEnv  # the extension's own object

    render_mode: str | None = None  # what render() does: one of RENDER_MODES

    _log_interval = 0  # steps from one log in the infos to the next; 0 leaves the log to whoever calls log()
    _steps = 0

    def _open(self, num_envs: int, seed: int | None, num_threads: int, parameters: dict[str, Any]) -> None:
        seed = secrets.randbits(62) if seed is None else seed
        arrays = self.observations, self.actions, self.rewards, self.terminals, self.truncations
        try:
            self.vec = VecEnv(*arrays, num_envs=num_envs, seed=seed, num_threads=num_threads, **parameters)
        except ValueError as error:
            raise UserError(str(error)) from None
        self.parameters = {name: what["default"] for name, what in VecEnv.parameters.items()} | parameters

    def reset(self, seed: int | None = None) -> tuple[Array, Infos]:
        """Starts every flock anew.

        Args:
            seed: 0 to 2**63 - 1; together with the constructor's it gives every flock a random stream of its own. None
                lets the streams run on.

        Returns:
            The observations, which is the array itself, and an empty list.
        """
        self.vec.reset(seed)
        self._steps = 0
        return self.observations, []

    def step(self, actions: Any = None) -> tuple[Array, Array, Array, Array, Infos]:
        """Turns every boid as `actions` say, and moves it.

        Args:
            actions: of the shape of `self.actions`; None, or that array itself, takes what lies in it, with no copy.

        Returns:
            observations, rewards, terminals, truncations, which are the arrays themselves, and the infos: a list of at
            most one dict.

        Raises:
            ValueError: actions of another shape or outside the action space; no boid has moved.
            TypeError: actions of another kind, such as floats for the discrete turns, or bools.
        """
        if actions is not None and actions is not self.actions:
            self._take(actions)
        self.vec.step()
        self._steps += 1
        infos: Infos = []
        if self._log_interval and self._steps % self._log_interval == 0 and (log := self.vec.log()):
            infos.append(log)
        return self.observations, self.rewards, self.terminals, self.truncations, infos

    def _take(self, given: Any) -> None:
        """Copies actions, which neither broadcast nor wrap around."""
        try:
            actions = np.asarray(given)
        except ValueError:  # of NumPy, in its own words
            raise ValueError(f"actions: expected shape {self.actions.shape}, got rows of unequal lengths") from None
        if actions.shape != self.actions.shape:
            raise ValueError(f"actions: expected shape {self.actions.shape}, got {actions.shape}")
        if actions.dtype == self.actions.dtype:
            np.copyto(self.actions, actions)
            return
        if actions.dtype.kind == "b" or not np.can_cast(actions.dtype, self.actions.dtype, "same_kind"):
            raise TypeError(f"actions: expected {self.actions.dtype}, got {actions.dtype}")
        with np.errstate(over="ignore"):  # the infinities that come of it are refused
            np.copyto(self.actions, actions, casting="same_kind")
        if actions.dtype.kind in "iu" and (self.actions != actions).any():
            raise ValueError(f"actions: {actions[self.actions != actions][0]} is beyond {self.actions.dtype}")

    def script(self) -> Array:
        """Reynolds' rules as a policy: fills `self.actions` with their turns, and returns it."""
        self.vec.script()
        return self.actions

    def log(self) -> dict[str, float]:
        """Means over the episodes that have ended since the last call, by the names of `VecEnv.log_fields`.

        `n` is their number. Empty when none has ended.
        """
        return self.vec.log()

    def state(self) -> bytes:
        """All that the flocks go on from, as bytes with a version and a checksum: see `set_state`."""
        return self.vec.state()

    def set_state(self, data: bytes) -> None:
        """Goes on from what `state` returned, here or in another process: with the same actions, to the same bits.

        Observations, rewards, terminals and truncations become what they were then, actions stay. No `reset` is needed
        before. Steps to the next log in the infos count anew, as after `reset`. A policy's own state is not part of it.

        Raises:
            TypeError: anything but bytes.
            ValueError: bytes that are damaged, of something else, or of flocks with another parameter, `num_envs` or
                version. Nothing has changed then.
        """
        self.vec.set_state(data)
        self._steps = 0

    def render(self, width: int | None = None, height: int | None = None, env: int = 0) -> Any:
        """Shows flock `env`, in the way of `render_mode`.

        Returns:
            None or "rgb_array": (height, width, 3) uint8 pixels, rows from the top, an array of its own each time.
            "ansi": text for a terminal, `width` columns by `height` rows.
            "human": draws a frame in a window, which the first call opens, and returns how many steps the viewer asks for
            before the next one, or None once the window was closed:

                while (steps := flocks.render()) is not None:
                    for _ in range(steps):
                        flocks.script()
                        flocks.step()

        Raises:
            UserError: "human" without raylib, or without a display.
        """
        if self.render_mode == "human":
            from boids_env import window

            return window.draw(self.vec, env)
        if self.render_mode == "ansi":
            from boids_env import terminal

            return terminal.frame(self, env, 80 if width is None else width, 24 if height is None else height)
        return self.pixels(width, height, env)

    def pixels(self, width: int | None = None, height: int | None = None, env: int = 0) -> NDArray[np.uint8]:
        """A picture of flock `env`: (height, width, 3) pixels, rows from the top, an array of its own each time."""
        world = self.parameters["width"], self.parameters["height"]
        scale = min(LONG_SIDE / max(world), SHORT_SIDE / min(world))
        wide, high = (max(1, round(side * scale)) for side in world)
        wide = wide if width is None else positive("width", width)
        high = high if height is None else positive("height", height)
        pixels = np.zeros((high, wide, 3), np.uint8)
        self.vec.render(pixels, env)
        return pixels

    def close(self) -> None:
        """Frees the flocks. The arrays stay as they are; closing twice is fine."""
        self.vec.close()

    def __reduce__(self) -> NoReturn:
        raise TypeError(f"{type(self).__name__}: can be neither pickled nor copied; make another of the same parameters")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()
