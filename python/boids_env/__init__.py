"""A flock of boids to learn in: an environment in C, for PufferLib and for plain NumPy.

    from boids_env import Flocks    # NumPy alone
    from boids_env import Boids     # a pufferlib.PufferEnv

`VecEnv.parameters` lists every parameter of the flock with its default, range and unit, and `VecEnv.log_fields` every
figure that it logs.
"""

from typing import TYPE_CHECKING, Any

from boids_env._boids import VecEnv
from boids_env.errors import UserError, needs_pufferlib
from boids_env.flocks import Flocks
from boids_env.policies import load_policy

if TYPE_CHECKING:
    from boids_env.puffer import Boids as Boids

__all__ = ["Flocks", "UserError", "VecEnv", "load_policy"]


def __getattr__(name: str) -> Any:
    """`Boids` and `__version__`, when they are first asked for (PEP 562): the import stays quick and needs NumPy alone.

    Raises:
        ImportError: `Boids` is asked for and PufferLib is not installed.
    """
    if name == "Boids":
        try:
            from boids_env.puffer import Boids
        except ModuleNotFoundError as error:
            if error.name not in ("pufferlib", "gymnasium"):
                raise
            raise ImportError(needs_pufferlib("boids_env.Boids")) from None
        return Boids
    if name == "__version__":
        from importlib import metadata

        return metadata.version("boids-env")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), "Boids", "__version__"])
