"""What the commands print: a table, and the progress of work that takes a while."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from typing import TypeVar

T = TypeVar("T")


def table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Prints rows of text to stdout, the first column aligned to the left and the others to the right."""
    widths = [max(map(len, column)) for column in zip(columns, *rows, strict=True)]
    for first, *others in (columns, *rows):
        cells = [f"{cell:>{width}}" for cell, width in zip(others, widths[1:], strict=True)]
        print(first.ljust(widths[0]), *cells, sep="  ")


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
