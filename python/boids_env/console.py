"""What the commands print: a table, and a bar while one waits. With rich where it is installed, else plainly."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from typing import TypeVar

T = TypeVar("T")


def table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Prints rows of text to stdout, the first column to the left and the others to the right."""
    try:
        from rich.console import Console
        from rich.table import Table
    except ModuleNotFoundError:
        widths = [max(map(len, column)) for column in zip(columns, *rows, strict=True)]
        for row in (columns, *rows):
            first, *others = (f"{cell:>{width}}" for cell, width in zip(row, widths, strict=True))
            print(first.strip().ljust(len(first)), *others, sep="  ")
        return
    grid = Table()
    for k, name in enumerate(columns):
        grid.add_column(name, justify="right" if k else "left", no_wrap=True)
    for row in rows:
        grid.add_row(*row)
    # a pipe or a file has no width to fit into
    Console(width=None if sys.stdout.isatty() else 200).print(grid)


def progress(what: Iterable[T], total: int, label: str) -> Iterator[T]:
    """Passes `what` on, drawing a bar on stderr where that is a terminal."""
    if not sys.stderr.isatty():
        yield from what
        return
    try:
        from rich.console import Console
        from rich.progress import track
    except ModuleNotFoundError:
        for k, item in enumerate(what, 1):
            yield item
            print(f"\r{label} {100 * k // total:3d}%", end="\n" if k == total else "", file=sys.stderr, flush=True)
        return
    yield from track(what, label, total, console=Console(stderr=True), transient=True)
