"""A flock of boids to learn in: an environment in C, for PufferLib and for plain NumPy.

    from boids_env import Flocks    # NumPy alone
    from boids_env import Boids     # a pufferlib.PufferEnv

`VecEnv.parameters` lists every parameter of the flock with its default, range and unit, and `VecEnv.log_fields` every
figure that it logs. `numpy_env` and `puffer_env` make such classes of any other environment's module.
"""

from typing import TYPE_CHECKING, Any

from boids_env._boids import VecEnv
from boids_env.env.core import numpy_env
from boids_env.env.flocks import Flocks
from boids_env.env.parameters import FlockParameters
from boids_env.errors import UserError, needs_pufferlib
from boids_env.learn.policies import load_policy
from boids_env.sources import get_cmake_dir, get_include

if TYPE_CHECKING:
    from boids_env.env.boids import Boids as Boids
    from boids_env.env.puffer import puffer_env as puffer_env

__all__ = [
    "FlockParameters",
    "Flocks",
    "UserError",
    "VecEnv",
    "get_cmake_dir",
    "get_include",
    "load_policy",
    "numpy_env",
]

_PUFFERLIB = {"Boids": "boids_env.env.boids", "puffer_env": "boids_env.env.puffer"}  # name: module that imports PufferLib


def __getattr__(name: str) -> Any:
    """`Boids`, `puffer_env` and `__version__`, on first use (PEP 562): the import stays quick and needs NumPy alone.

    Raises:
        ImportError: PufferLib is needed and not installed.
    """
    if name in _PUFFERLIB:
        from importlib import import_module

        try:
            return getattr(import_module(_PUFFERLIB[name]), name)
        except ModuleNotFoundError as error:
            if error.name not in ("pufferlib", "gymnasium"):
                raise
            raise ImportError(needs_pufferlib(f"boids_env.{name}")) from None
    if name == "__version__":
        from importlib import metadata

        return metadata.version("boids-env")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*__all__, *_PUFFERLIB, "__version__"])
