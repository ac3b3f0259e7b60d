"""Files that are written whole or not at all, with errors that name what the user asked for."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


@contextmanager
def whole(path: Path) -> Iterator[Path]:
    """Where to write a file that becomes `path` at the end. After an error or Ctrl-C nothing is left of it.

    Raises:
        OSError: the file cannot be written; its `filename` is `path`. A folder that cannot be written is an error at once.
    """
    if path.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    partial = path.with_name(f"{path.stem}.tmp{path.suffix}")  # the same ending: programs tell the format by it
    try:
        with named(path):
            partial.touch()
            yield partial
            partial.replace(path)
    finally:
        with suppress(OSError):  # it has become the file, or the folder is gone: what matters was raised above
            partial.unlink()


@contextmanager
def named(path: Path) -> Iterator[None]:
    """Makes `path` the file of every OSError from within: a full disk, for one, names none."""
    try:
        yield
    except OSError as error:
        error.filename = str(path)
        raise
