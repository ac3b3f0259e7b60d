"""What the commands print: a table, and the progress of work that takes a while; and where they print it."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeVar

from boids_env.errors import UserError

T = TypeVar("T")


def table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Prints rows of text to stdout, the first column aligned to the left and the others to the right."""
    columns, *rows = ([printable(cell) for cell in row] for row in (columns, *rows))
    widths = [max(map(len, column)) for column in zip(columns, *rows, strict=True)]
    for first, *others in (columns, *rows):
        cells = [f"{cell:>{width}}" for cell, width in zip(others, widths[1:], strict=True)]
        print(first.ljust(widths[0]), *cells, sep="  ")


def printable(text: str) -> str:
    """The text in characters that stdout has."""
    return text.replace("±", "+-") if (sys.stdout.encoding or "").lower().replace("-", "") in ("ascii", "usascii") else text


@contextmanager
def streams() -> Iterator[None]:
    """Stdout and stderr take every text meanwhile. At the end what was printed is written out.

    Raises:
        UserError: stdout is closed.
        OSError: what was printed cannot be written.
    """
    if sys.stderr is None:  # print() would take stdout instead
        sys.stderr = Path(os.devnull).open("w")  # noqa: SIM115  print() needs it to the end of the process
    if sys.stdout is None:
        raise UserError("stdout is closed, and this command prints to it")
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    try:
        try:
            yield
        finally:
            sys.stdout.flush()
    except OSError as error:
        if error.filename is None:
            error.filename = "stdout"
            with suppress(OSError, ValueError):  # the end of the process would flush it again, and print a traceback
                os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise


def progress(work: Iterable[T], total: int, label: str) -> Iterator[T]:
    """Yields each item of `work`, with a line on stderr of how much is done, where that is a terminal."""
    shown = sys.stderr.isatty()
    try:
        for k, item in enumerate(work):
            if shown:
                print(f"\r{label} {100 * k // total:3d}%", end="", file=sys.stderr, flush=True)
            yield item
    finally:
        if shown:
            print(f"\r{'':{len(label) + 5}}\r", end="", file=sys.stderr, flush=True)
