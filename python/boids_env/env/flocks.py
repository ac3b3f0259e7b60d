"""The flock: its class for NumPy alone, what it has beyond any other environment, and the world for a number of boids."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal, TypeVar, Unpack

import numpy as np

from boids_env import _boids
from boids_env.env.core import Core, Module, NumpyEnv
from boids_env.env.describe import sentence
from boids_env.env.parameters import FlockParameters

if TYPE_CHECKING:
    from inspect import Signature


class _Signature:
    """`inspect.signature`, and so what `help` and a prompt complete, with each parameter of the flock by its name."""

    def __get__(self, instance: Any, owner: type[Core]) -> Signature:
        from inspect import Parameter, signature

        own = [given for name, given in signature(owner.__init__).parameters.items() if name not in ("self", "parameters")]
        types = FlockParameters.__annotations__
        named = [
            Parameter(name, Parameter.KEYWORD_ONLY, default=what["default"], annotation=types[name])
            for name, what in _boids.VecEnv.parameters.items()
        ]
        return signature(owner.__init__).replace(parameters=[*own, *named])


C = TypeVar("C", bound=type[Core])


def documented(flock: C) -> C:
    """The class, with a flock's parameters, observation and reward in its docstring."""
    vec = _boids.VecEnv
    parts = {
        "Parameters, of every flock, with range, unit and default:": [
            f"{name}: {sentence(what)}" for name, what in vec.parameters.items()
        ],
        "Observation, of one boid in its own heading's frame, each in [-1, 1]; R: view_radius, r: separation_radius:": [
            *(f"{k} {name}: {doc}" for k, (name, doc) in enumerate(vec.observation_fields.items())),
            "with observation='nearest' then four for each of the num_neighbors nearest",
        ],
        "Reward, clipped to [-1, 1], and 0 without a neighbour:": [
            "cohesion_weight x togetherness + alignment_weight x company x mean cosine - separation_weight x closeness"
        ],
    }
    lines = "".join(f"\n    {title}\n" + "".join(f"        {line}\n" for line in part) for title, part in parts.items())
    flock.__doc__ = f"{flock.__doc__ or ''}{lines}    "
    return flock


class Flock(Core):
    """What the flock can do beyond any environment: show itself as text."""

    module: ClassVar[Module] = _boids
    words: ClassVar[tuple[str, str]] = "flock", "boid"
    __signature__ = _Signature()
    render_modes: ClassVar[tuple[str | None, ...]] = (None, "rgb_array", "ansi", "human")

    def render(self, width: int | None = None, height: int | None = None, env: int = 0) -> Any:
        """Shows flock `env` as `render_mode` says.

        Returns:
            None or "rgb_array": (height, width, 3) uint8 pixels, rows from the top, a new array each time.
            "ansi": text for a terminal, `width` columns by `height` rows.
            "human": draws a frame in a window, which the first call opens, and returns how many steps the viewer asks for
            before the next frame, or None once the window was closed:

                while (steps := flocks.render()) is not None:
                    for _ in range(steps):
                        flocks.script()
                        flocks.step()

        Raises:
            UserError: "human" without raylib, or without a display.
        """
        if self.render_mode == "ansi":
            from boids_env.show import terminal

            return terminal.frame(self, env, 80 if width is None else width, 24 if height is None else height)
        return super().render(width, height, env)


@documented
class Flocks(Flock, NumpyEnv):
    """`num_envs` flocks that step together, in NumPy arrays of their own.

        with Flocks(num_envs=8, num_boids=64, seed=1) as flocks:
            flocks.reset()
            for _ in range(400):
                flocks.script()    # Reynolds' rules; or write flocks.actions
                flocks.step()
            print(flocks.log())

    Args:
        num_envs: flocks, at least 1.
        seed: 0 to 2**63 - 1, or None for one from the system. The same seed gives the same flocks on any machine.
        num_threads: threads that step them. The results do not depend on it.
        render_mode: what `render()` returns: None or "rgb_array" pixels, "ansi" text, "human" the steps that the viewer of
            a window asks for.
        **parameters: of every flock: see below.

    Raises:
        TypeError: a parameter of an unknown name or a wrong type.
        ValueError: a parameter out of its range; another render mode.
        MemoryError: there is not enough memory.
    """

    if TYPE_CHECKING:

        def __init__(
            self,
            num_envs: int = 1,
            *,
            seed: int | None = 0,
            num_threads: int = 1,
            render_mode: Literal["rgb_array", "ansi", "human"] | None = None,
            **parameters: Unpack[FlockParameters],
        ) -> None: ...


def polarization(flocks: Core, env: int = 0) -> float:
    """The length of the mean heading of flock `env` at this moment, 0 to 1."""
    headings = np.frombuffer(flocks.vec.get("heading", env), np.uint16)
    return float(abs(np.exp(headings * np.complex64(2j * np.pi / 2**16)).mean()))


def world_size(num_boids: int, area_per_boid: float | None = None) -> dict[str, float]:
    """Width and height of a world with room for so many boids: the default world, or a larger one of the same shape.

    Args:
        num_boids: in one flock.
        area_per_boid: in square world units; None takes that of the default flock in the default world.
    """
    default = {name: what["default"] for name, what in _boids.VecEnv.parameters.items()}
    area = default["width"] * default["height"]
    needed = num_boids * (area / default["num_boids"] if area_per_boid is None else area_per_boid)
    growth = max(1.0, needed / area) ** 0.5
    return {name: growth * default[name] for name in ("width", "height")}
