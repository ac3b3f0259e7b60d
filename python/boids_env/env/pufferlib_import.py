"""Importing PufferLib without the side effects of its import."""

from __future__ import annotations

import io
import os
import signal
import sys
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr
from pathlib import Path

# pufferlib silences every DeprecationWarning of the program, pufferlib.pufferl makes every RuntimeWarning an error
_FILTERS = [("ignore", None, DeprecationWarning, None, 0), ("error", None, RuntimeWarning, None, 0)]
_OURS = ("ignore", None, Warning, None, 0)


@contextmanager
def unchanged() -> Iterator[None]:
    """Restores, after `import pufferlib` and `from pufferlib import pufferl`, what they change in the whole program.

    The first links its folder of pictures into the current folder, as `resources`, and hides warnings. The second makes
    Ctrl-C end the process at once, makes warnings errors and replaces the printer of tracebacks. What they print is hidden:
    that two packages they import, gym and pynvml, are no longer maintained.
    """
    link = Path.cwd() / "resources"
    linked = os.path.lexists(link)
    filters, excepthook, interrupt = list(warnings.filters), sys.excepthook, signal.getsignal(signal.SIGINT)
    warnings.simplefilter("ignore")
    try:
        with redirect_stderr(io.StringIO()):
            yield
    finally:
        # a link that was there before, or that someone else has made since, is kept
        if not linked and link.is_symlink() and link.readlink().parent.name == "pufferlib":
            link.unlink()
        # filters that torch and others have set stay
        added = [f for f in warnings.filters if f not in filters and f not in (*_FILTERS, _OURS)]
        warnings.filters[:] = added + filters  # type: ignore[index]  # its type says Sequence; it is a list
        sys.excepthook = excepthook
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGINT, interrupt)
