"""What every trainer does with its folder: the learning curve, and Ctrl-C, which saves."""

from __future__ import annotations

import errno
import os
import shutil
import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from boids_env._boids import VecEnv
from boids_env.errors import UserError
from boids_env.files import named, whole
from boids_env.learn.loggers import Log

SEEN = ("reward", "local_alignment", "polarization")  # in a learning curve: of the flocks that are learned in, at that time
KEPT = ("checkpoints", "checkpoint.npz", "policy.npz")  # what a run is told by


def refuse_a_run(out: Path) -> None:
    """Raises: UserError, where the folder holds a run."""
    if any((out / name).exists() for name in KEPT):
        raise UserError(f"{out}: holds a run: --resume continues it, --overwrite replaces it, --out writes elsewhere")


def clear_run(out: Path) -> None:
    """Removes the run in a folder, whichever trainer it is of."""
    shutil.rmtree(out / "checkpoints", ignore_errors=True)
    for name in ("checkpoint.npz", "policy.npz"):
        (out / name).unlink(missing_ok=True)


def local_alignment(observations: NDArray[np.float32]) -> float:
    """The mean cosine between headings of neighbours: over the boids that have any, from (num_agents, size) observations."""
    names = list(VecEnv.observation_fields)
    has_neighbours, cosine = (observations[:, names.index(name)] for name in ("any", "heading_cos"))
    return float(cosine.sum() / max(1.0, has_neighbours.sum()))


class Curve:
    """The learning curve of a run: a csv file.

    Args:
        path: of the file.
        columns: their names; the first is agent_steps.
        agent_steps: of the checkpoint to continue from; None starts a new curve. Later rows are dropped, and so is a last
            row that is incomplete.

    Raises:
        UserError: the file to continue is no learning curve.
    """

    def __init__(self, path: Path, columns: Sequence[str], agent_steps: int | None) -> None:
        self._path, self._columns = path, columns
        self.also: Log | None = None  # what gets every row too
        self._rows = [] if agent_steps is None else _rows(path, columns, agent_steps)

    def start(self) -> None:
        """Writes the file with the rows that stay."""
        with whole(self._path) as partial:
            partial.write_text("\n".join([",".join(self._columns), *self._rows, ""]), encoding="utf-8")

    def add(self, agent_steps: int, seconds: float, figures: Sequence[float]) -> None:
        """Adds a row, whole or not at all."""
        with named(self._path), self._path.open("ab", buffering=0) as file:
            size = file.tell()
            row = ",".join((str(agent_steps), f"{seconds:.2f}", *(f"{figure:.5g}" for figure in figures))) + "\n"
            if file.write(row.encode()) < len(row):  # the disk is full
                file.truncate(size)
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        if self.also:
            self.also(agent_steps, dict(zip(self._columns[2:], figures, strict=True)))


def _rows(path: Path, columns: Sequence[str], agent_steps: int) -> list[str]:
    """The rows of a learning curve up to a step. Raises: UserError."""
    if not path.exists():
        return []
    kept = []
    try:
        names, *rows = path.read_text(encoding="utf-8").splitlines() or [""]
        if names != ",".join(columns):
            raise ValueError("another first line")
        for number, row in enumerate(rows, 2):
            values = row.split(",")
            if len(values) != len(columns) and number == len(rows) + 1:
                break  # a kill came between
            if len(values) != len(columns) or not all(map(_is_number, values)) or not values[0].isdecimal():
                raise ValueError(f"in line {number} {row[:40]!r}")
            if int(values[0]) <= agent_steps:
                kept.append(row)
    except ValueError as error:
        what = f"expected the learning curve of boids train, got {error}"
        raise UserError(f"{path}: {what}; move it away, and --resume begins another") from None
    return kept


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


class Interrupts:
    """Ctrl-C while training: it raises KeyboardInterrupt, but within `noted` the first one is noted alone.

    Nothing interrupts what KeyboardInterrupt sets off, which leaves no file half-written.
    """

    def __init__(self) -> None:
        self.caught = False
        self._patient = False

    def __enter__(self) -> Self:
        self._before = signal.signal(signal.SIGINT, self._stop)
        return self

    def __exit__(self, *_: Any) -> None:
        signal.signal(signal.SIGINT, self._before)

    @contextmanager
    def noted(self) -> Iterator[None]:
        self._patient = True
        yield

    def _stop(self, number: int, frame: FrameType | None) -> None:
        if self.caught or not self._patient:
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            raise KeyboardInterrupt
        self.caught = True
        with suppress(OSError):  # print() must not be used: this may interrupt another
            os.write(2, b"\nstopping after this update, then saving; Ctrl-C again stops at once\n")
