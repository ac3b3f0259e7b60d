"""One Python class for every environment: five arrays, and the extension module that steps the environments in them.

A module is what `src/binding.c` makes of a header. `NumpyEnv` makes the arrays with NumPy alone; `puffer.py` takes those of
PufferLib.
"""

from __future__ import annotations

import operator
import secrets
import sys
from types import TracebackType
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn, Protocol, Self, TypeVar, overload

import numpy as np
from numpy.typing import NDArray

from boids_env.env.describe import sentence
from boids_env.errors import UserError, positive

if TYPE_CHECKING:
    from boids_env._boids import Layout, VecEnv

Array = NDArray[Any]
Infos = list[dict[str, float]]
E = TypeVar("E", bound="Core")

SHORT_SIDE, LONG_SIDE = 480, 720  # pixels: the default size of a picture is the largest that fits
ARGUMENTS = ("num_envs", "seed", "num_threads", "render_mode", "log_interval", "buf")  # of the classes of this package


class Module(Protocol):
    """An environment's extension module, as src/binding.c makes it; `_boids` is the flock's."""

    @property
    def VecEnv(self) -> type[VecEnv]: ...
    def layout(self, **parameters: Any) -> Layout: ...
    def link(self, addresses: dict[str, int], /) -> None: ...

    __name__: str
    externals: tuple[str, ...]
    MAX_ENVS: int
    CLOSED: int
    NO_WINDOW: int
    WINDOW_TAKEN: int


def array_shapes(layout: Layout, num_envs: int) -> dict[str, tuple[tuple[int, ...], np.dtype[Any]]]:
    """Shape and type of the five arrays of `num_envs` environments, by name."""
    agents = num_envs * layout["num_agents"]
    observation, action = layout["observation"], layout["action"]
    one_choice = action["choices"] is not None and action["size"] == 1
    return {
        "observations": ((agents, observation["size"]), np.dtype(observation["dtype"])),
        "actions": ((agents,) if one_choice else (agents, action["size"]), np.dtype(action["dtype"])),
        "rewards": ((agents,), np.dtype(np.float32)),
        "terminals": ((agents,), np.dtype(np.bool_)),
        "truncations": ((agents,), np.dtype(np.bool_)),
    }


class Mapped(property):
    """An array that C reads and writes in place. It is set before the environments are opened, and then only written to.

    Its value is in the attribute of the same name with an underscore. Neither way uses the object's `__dict__`, which would
    make every attribute of the object slower from then on.
    """

    def __init__(self, name: str) -> None:
        attribute = f"_{name}"

        def replace(env: object, array: Array) -> None:
            if getattr(env, attribute, None) is array:
                return  # as after `flocks.actions += 1`, which has written into it
            if hasattr(env, "vec"):
                raise AttributeError(f"{name}: C keeps the array that is there. Write into it: {name}[:] = ...")
            setattr(env, attribute, array)

        super().__init__(operator.attrgetter(attribute), replace)

    if TYPE_CHECKING:

        @overload
        def __get__(self, env: None, owner: type | None = None) -> Self: ...
        @overload
        def __get__(self, env: object, owner: type | None = None) -> Array: ...
        def __get__(self, env: object | None, owner: type | None = None) -> Self | Array: ...
        def __set__(self, env: object, array: Array) -> None: ...


class Parameters(dict[str, Any]):
    """Every parameter by name, with the value in force; to be read only."""

    def _refuse(self, *_: Any, **__: Any) -> NoReturn:
        raise TypeError("parameters: expected no change here; call set_parameters(name=value)")

    __setitem__ = __delitem__ = __ior__ = update = setdefault = pop = popitem = clear = _refuse

    def __reduce__(self) -> Any:  # a copy, or out of a pickle: a plain dict
        return dict, (dict(self),)


class Core:
    """Many environments of one module over five arrays, which are set before `_open` and never replaced after it.

    Agent i of environment k is row `k * layout["num_agents"] + i`.
    """

    module: ClassVar[Module]
    render_modes: ClassVar[tuple[str | None, ...]] = (None, "rgb_array", "human")

    observations = Mapped("observations")  # (num_agents, observation size)
    actions = Mapped("actions")  # (num_agents) where an action is one choice, else (num_agents, action size)
    rewards = Mapped("rewards")  # (num_agents) float32
    terminals = Mapped("terminals")  # (num_agents) bool: the episode ended with this step
    truncations = Mapped("truncations")  # (num_agents) bool: the episode was cut off after this step
    num_agents: int  # of all environments
    # None, or like observations: step() writes the last observation of agents whose episode ends, other rows stay
    final_observations: Array | None = None
    layout: Layout  # of one environment
    vec: VecEnv  # the extension's own object

    render_mode: str | None = None  # what render() does: one of render_modes
    words: ClassVar[tuple[str, str]] = "environment", "agent"  # what `repr` calls an environment and an agent

    _observations: Array
    _actions: Array
    _rewards: Array
    _terminals: Array
    _truncations: Array
    _parameters: Parameters

    _log_interval = 0  # steps between two logs in the infos; 0: none, log() has them
    _steps = 0

    def _open(self, num_envs: int, seed: int | None, num_threads: int, parameters: dict[str, Any]) -> None:
        seed = secrets.randbits(62) if seed is None else seed
        arrays = self.observations, self.actions, self.rewards, self.terminals, self.truncations
        make, final = self.module.VecEnv, self.final_observations
        try:
            self.vec = make(
                *arrays, final_observations=final, num_envs=num_envs, seed=seed, num_threads=num_threads, **parameters
            )
        except ValueError as error:
            raise UserError(str(error)) from None
        self._parameters = Parameters({name: what["default"] for name, what in make.parameters.items()} | parameters)

    @property
    def parameters(self) -> Parameters:
        """Every parameter by name, with the value in force. `set_parameters` changes those that are changeable."""
        return self._parameters

    def set_parameters(self, **changes: Any) -> None:
        """Changes parameters of every environment; the episodes go on.

        They go on to the same bits as in environments made with these values and given the same `state`.

        Args:
            **changes: those whose entry in `VecEnv.parameters` says that they are changeable.

        Raises:
            TypeError: another parameter, or a value of a wrong type.
            ValueError: a value out of its range. Nothing has changed then.
            NotImplementedError: the header has no `ENV_CHANGEABLE`.
        """
        try:
            self.vec.set_parameters(**changes)
        except ValueError as error:
            raise UserError(str(error)) from None
        self._parameters = Parameters(self._parameters | changes)

    def reset(self, seed: int | None = None) -> tuple[Array, Infos]:
        """Starts every environment anew.

        Args:
            seed: 0 to 2**63 - 1; together with the constructor's it gives every environment a random stream of its own.
                None lets the streams run on.

        Returns:
            The observations, which is the array itself, and an empty list.
        """
        self.vec.reset(seed)
        self._steps = 0
        return self._observations, []

    def step(self, actions: Any = None) -> tuple[Array, Array, Array, Array, Infos]:
        """Steps every environment with these actions.

        Args:
            actions: of the shape of `self.actions`. None, or `self.actions` itself, takes what is in it, without a copy.

        Returns:
            observations, rewards, terminals, truncations, which are the arrays themselves, and the infos: a list of at
            most one dict.

        Raises:
            ValueError: actions of another shape or outside the action space; nothing has been stepped.
            TypeError: actions of another kind, such as floats for choices, or bools.
        """
        if actions is not None and actions is not self._actions:
            self._take(actions)
        self.vec.step()
        self._steps += 1
        infos: Infos = []
        if self._log_interval and self._steps % self._log_interval == 0 and (log := self.vec.log()):
            infos.append(log)
        return self._observations, self._rewards, self._terminals, self._truncations, infos

    def _take(self, given: Any) -> None:
        """Copies actions, without broadcasting and without integer wrap-around."""
        try:
            actions = np.asarray(given)
        except ValueError:  # NumPy's, in its own words
            raise ValueError(f"actions: expected shape {self.actions.shape}, got rows of unequal lengths") from None
        if actions.shape != self.actions.shape:
            raise ValueError(f"actions: expected shape {self.actions.shape}, got {actions.shape}")
        if actions.dtype == self.actions.dtype:
            np.copyto(self.actions, actions)
            return
        if actions.dtype.kind == "b" or not np.can_cast(actions.dtype, self.actions.dtype, "same_kind"):
            raise TypeError(f"actions: expected {self.actions.dtype}, got {actions.dtype}")
        with np.errstate(over="ignore"):  # the extension refuses the infinities of an overflow
            np.copyto(self.actions, actions, casting="same_kind")
        if actions.dtype.kind in "iu" and (self.actions != actions).any():
            raise ValueError(f"actions: {actions[self.actions != actions][0]} is beyond {self.actions.dtype}")

    def script(self) -> Array:
        """The header's own policy: fills `self.actions`, and returns it.

        Raises:
            NotImplementedError: the header has no `c_script`.
        """
        self.vec.script()
        return self.actions

    def log(self) -> dict[str, float]:
        """Means over the episodes that have ended since the last call, by the names of `VecEnv.log_fields`.

        `n` is their number. Empty when none has ended.
        """
        return self.vec.log()

    def state(self) -> bytes:
        """The state of all environments, as bytes with a version and a checksum: see `set_state`.

        Raises:
            NotImplementedError: the header has no `ENV_STATE`.
        """
        return self.vec.state()

    def set_state(self, data: bytes) -> None:
        """Goes on from what `state` returned, here or in another process: the same actions then give the same bits.

        Observations, rewards, terminals and truncations become what they were then; actions stay. No `reset` is needed
        before. The steps to the next log in the infos are counted anew, as after `reset`. A policy's state is not included.

        Raises:
            TypeError: anything but bytes.
            ValueError: bytes that are damaged (checksum mismatch), or of another environment, parameter, `num_envs` or
                version. Nothing has changed then.
        """
        self.vec.set_state(data)
        self._steps = 0

    def render(self, width: int | None = None, height: int | None = None, env: int = 0) -> Any:
        """Shows environment `env` as `render_mode` says.

        Returns:
            None or "rgb_array": (height, width, 3) uint8 pixels, rows from the top, a new array each time.
            "human": draws a frame in a window, which the first call opens, and returns how many steps the viewer asks for
            before the next frame, or None once the window was closed:

                while (steps := env.render()) is not None:
                    for _ in range(steps):
                        env.script()
                        env.step()

        Raises:
            UserError: "human" without raylib, or without a display.
            NotImplementedError: the header draws no picture, or opens no window.
        """
        if self.render_mode == "human":
            from boids_env.show import window

            return window.draw(self.module, self.vec, env)
        return self.pixels(width, height, env)

    def pixels(self, width: int | None = None, height: int | None = None, env: int = 0) -> NDArray[np.uint8]:
        """A picture of environment `env`: (height, width, 3) pixels, rows from the top, a new array each time.

        The default size has the shape of the parameters `width` and `height` where the environment has both, and is a
        square where it has not; it is the largest within 720 x 480.
        """
        world = self.parameters.get("width", 1), self.parameters.get("height", 1)
        if not {"width", "height"} <= self.parameters.keys():
            world = 1, 1
        scale = min(LONG_SIDE / max(world), SHORT_SIDE / min(world))
        wide, high = (max(1, round(side * scale)) for side in world)
        wide = wide if width is None else positive("width", width)
        high = high if height is None else positive("height", height)
        pixels = np.zeros((high, wide, 3), np.uint8)
        self.vec.render(pixels, env)
        return pixels

    def close(self) -> None:
        """Frees the environments. The arrays stay as they are. Closing twice is fine."""
        self.vec.close()

    def __repr__(self) -> str:
        """`<Flocks: 8 flocks of 64 boids>`, also of one that is closed or was not made whole."""
        vec = getattr(self, "vec", None)
        if vec is None:
            return f"<{type(self).__name__}: not open>"
        counts = zip((vec.num_envs, self.layout["num_agents"]), self.words, strict=True)
        many, of = (f"{n:,} {word}{'' if n == 1 else 's'}" for n, word in counts)
        return f"<{type(self).__name__}: {many} of {of}{', closed' if vec.closed else ''}>"

    def __reduce__(self) -> NoReturn:
        raise TypeError(f"{type(self).__name__}: can be neither pickled nor copied; make another of the same parameters")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def _check_render_mode(self, mode: str | None) -> str | None:
        """`mode` itself. Raises: UserError."""
        if not isinstance(mode, str | None) or mode not in self.render_modes:
            *others, last = map(repr, self.render_modes)
            raise UserError(f"render_mode: expected {', '.join(others)} or {last}, got {mode!r}")
        return mode


class NumpyEnv(Core):
    """`num_envs` environments of one module that step together, in NumPy arrays of their own.

    Args:
        num_envs: environments, at least 1.
        seed: 0 to 2**63 - 1, or None for one from the system. The same seed gives the same run on any machine.
        num_threads: threads that step them. The results do not depend on it.
        render_mode: what `render()` returns: None or "rgb_array" pixels, "human" the steps that the viewer of a window asks
            for.
        **parameters: of every environment; `VecEnv.parameters` of the module lists them.

    Raises:
        TypeError: a parameter of an unknown name or a wrong type.
        ValueError: a parameter out of its range; another render mode.
        MemoryError: there is not enough memory.
    """

    keeps_final: ClassVar[bool] = False  # whether it has final_observations

    def __init__(
        self,
        num_envs: int = 1,
        *,
        seed: int | None = 0,
        num_threads: int = 1,
        render_mode: str | None = None,
        **parameters: Any,
    ) -> None:
        self.render_mode = self._check_render_mode(render_mode)
        num_envs = positive("num_envs", num_envs, self.module.MAX_ENVS)
        self.layout = self.module.layout(**parameters)
        arrays = {name: np.zeros(shape, dtype) for name, (shape, dtype) in array_shapes(self.layout, num_envs).items()}
        self.observations, self.actions = arrays["observations"], arrays["actions"]
        self.rewards, self.terminals, self.truncations = arrays["rewards"], arrays["terminals"], arrays["truncations"]
        if self.keeps_final:
            self.final_observations = np.zeros_like(self.observations)
        self.num_agents = len(self.rewards)
        self._open(num_envs, seed, num_threads, parameters)


def numpy_env(module: Module) -> type[NumpyEnv]:
    """A class of any environment's module, for NumPy alone: `Squared = numpy_env(_squared)`.

    Raises:
        TypeError: not a module that src/binding.c made.
        ValueError: a parameter of it has the name of an argument of `NumpyEnv`.
    """
    return class_of(module, NumpyEnv)


def class_of(module: Module, base: type[E]) -> type[E]:
    """A subclass of `base` for this module, named after it: `_squared` gives `Squared`.

    It belongs to the module that called the caller. Under the name that it has there it can be pickled, as
    multiprocessing's "spawn" needs it.
    """
    if not hasattr(module, "VecEnv") or not hasattr(module, "layout"):
        raise TypeError(f"module: expected an extension module that binding.c made, got {module!r}")
    parameters = module.VecEnv.parameters
    for name in ARGUMENTS:
        if name in parameters:
            raise ValueError(
                f"{module.__name__}: expected parameters of other names than {', '.join(ARGUMENTS)}, got {name}"
            )
    name = "".join(word.capitalize() for word in module.__name__.rpartition(".")[2].split("_"))
    lines = [f"    {name}: {sentence(what)}" for name, what in parameters.items()]
    doc = f"Environments of {module.__name__}: see `{base.__name__}`.\n\nParameters:\n" + "\n".join(lines or ["    none"])
    caller = sys._getframe(2).f_globals["__name__"]
    return type(name, (base,), {"module": module, "__doc__": doc, "__module__": caller})
