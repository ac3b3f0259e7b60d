"""A folder that one process at a time trains into."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TextIO

from boids_env.errors import UserError
from boids_env.files import named

NAME = "lock"  # of the file, which holds the number of the process while there is one


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Makes the folder and keeps other processes out of it. A process that is killed keeps none out: the system unlocks.

    A folder that was made and holds nothing at the end is removed.

    Raises:
        UserError: another process has it; it is no folder.
        OSError: the folder cannot be written.
    """
    if folder.exists() and not folder.is_dir():
        raise UserError(f"{folder}: expected a folder, got a file")
    made = [each for each in (folder, *folder.parents) if not each.exists()]
    path = folder / NAME
    try:
        with named(folder):
            folder.mkdir(parents=True, exist_ok=True)
            file = _take(path)
        try:
            yield
        finally:
            if sys.platform == "win32":  # which removes no file that is open
                file.close()
            with suppress(OSError):  # somebody has removed it, or the folder: nothing is locked then either
                path.unlink()
            file.close()
    finally:
        for each in made:
            with suppress(OSError):  # there is something in it by now
                each.rmdir()


def _take(path: Path) -> TextIO:
    """The file, locked, with the number of this process in it."""
    while True:
        file = path.open("a+", encoding="utf-8")
        try:
            if not _lock(file.fileno()):
                file.seek(0)
                owner = f"process {number}" if (number := file.read(20).strip()).isdecimal() else "another process"
                raise UserError(f"{path.parent}: {owner} trains into it; wait for it, or choose another folder with --out")
            if path.exists() and os.path.samestat(os.fstat(file.fileno()), path.stat()):
                file.truncate(0)
                file.write(f"{os.getpid()}\n")
                file.flush()
                return file
        except BaseException:
            file.close()
            raise
        file.close()  # its owner has removed it meanwhile


if sys.platform == "win32":
    import msvcrt

    def _lock(descriptor: int) -> bool:
        os.lseek(descriptor, 2**20, os.SEEK_SET)  # beyond the text, which others could not read otherwise
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

else:
    import fcntl

    def _lock(descriptor: int) -> bool:
        """Whether this process now has the lock. Its children do not inherit it, as they would that of `flock`."""
        try:
            fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except (BlockingIOError, PermissionError):
            return False
        return True
