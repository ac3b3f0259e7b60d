"""What a test does where something that it needs is missing: it is skipped; where CI is set in the environment, it fails."""

import importlib.util
import os
import shutil
from typing import NoReturn

import pytest


def missing(what: str, install: str) -> NoReturn:
    """Ends the test, or the import of the whole test file. `install` is the command that brings what is missing."""
    reason = f"{what} is missing: {install}"
    if os.environ.get("CI"):
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason, allow_module_level=True)


def program(name: str, install: str) -> str:
    """The path of a program."""
    return shutil.which(name) or missing(name, install)


def package(name: str, install: str) -> None:
    """A Python package is there; it is not imported."""
    if importlib.util.find_spec(name) is None:
        missing(name, install)


def compiler() -> str:
    """The C compiler: $CC or cc."""
    return os.environ.get("CC") or program("cc", "apt-get install gcc, or name a C compiler in CC")
