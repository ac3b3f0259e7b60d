"""What others need to make a Python module of their own environment in C, where this package keeps it.

    python -m boids_env.binding --include      the folder of binding.c, env.h and the other headers
    python -m boids_env.binding --cmake        the folder of boids_env-config.cmake, for find_package(boids_env)

scikit-build-core finds the latter by itself where boids-env is among the build requirements.
"""

from __future__ import annotations

import argparse
from pathlib import Path

PACKAGE = Path(__file__).resolve().parent


def include() -> Path:
    """The folder of the C sources: `cc -shared -fPIC -I$(it) -DENV_HEADER=... -DENV_MODULE=... $(it)/binding.c`."""
    return PACKAGE / "include"


def cmake() -> Path:
    """The folder of boids_env-config.cmake: `cmake -Dboids_env_ROOT=$(it)`."""
    return PACKAGE / "cmake"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m boids_env.binding", description="Where the binding's sources are.")
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("--include", action="store_true", help="the folder of binding.c, env.h and the other headers")
    which.add_argument("--cmake", action="store_true", help="the folder of boids_env-config.cmake")
    print(include() if parser.parse_args().include else cmake())


if __name__ == "__main__":
    main()
