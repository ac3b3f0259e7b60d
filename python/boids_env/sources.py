"""The C sources that this package brings: what it takes to compile another environment into a Python module."""

from __future__ import annotations

from pathlib import Path

PACKAGE = Path(__file__).resolve().parent


def get_include() -> str:
    """The folder of `binding.c`, `env.h` and the other C sources, for a compiler's -I.

    Raises:
        FileNotFoundError: the package was installed without them.
    """
    return _folder("binding.c", PACKAGE / "include", PACKAGE.parent.parent / "src")


def get_cmake_dir() -> str:
    """The folder of `boids_env-config.cmake`, for `cmake -Dboids_env_ROOT=...` and then `find_package(boids_env)`.

    scikit-build-core finds it by itself where boids-env is among the build requirements.

    Raises:
        FileNotFoundError: the package was installed without it.
    """
    return _folder("boids_env-config.cmake", PACKAGE / "cmake", PACKAGE.parent.parent / "cmake")


def get_web_builder() -> str:
    """`build.py`, which makes a web page of an environment: `boids web HEADER` runs it.

    Raises:
        FileNotFoundError: the package was installed without it.
    """
    return str(Path(_folder("build.py", PACKAGE / "web", PACKAGE.parent.parent / "web")) / "build.py")


def _folder(file: str, installed: Path, checkout: Path) -> str:
    """The first of two folders that holds the file. An editable install runs from the checkout."""
    for folder in (installed, checkout):
        if (folder / file).is_file():
            return str(folder)
    raise FileNotFoundError(f"{file}: expected it in {installed} or in {checkout}")
