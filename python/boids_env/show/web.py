"""The page on which a flock learns in a browser, and one for any environment in C. Each is one HTML file, with no server."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import webbrowser
from collections.abc import Mapping
from pathlib import Path

from boids_env.errors import UserError
from boids_env.files import whole
from boids_env.sources import get_web_builder

PAGE = Path(__file__).parents[1] / "web" / "index.html"  # made by web/build.py


def show(out: Path | None = None) -> str:
    """Opens the page of the flock in the browser, or writes it to a file.

    Returns:
        What was done, in a sentence.
    """
    if out is not None:
        with whole(out) as partial:
            partial.write_bytes(PAGE.read_bytes())
        return f"{out}: {PAGE.stat().st_size / 1e6:.2f} MB, for any web server"
    return _open(PAGE)


def show_env(header: Path, values: Mapping[str, float], out: Path | None = None) -> str:
    """Compiles an environment for the browser, and opens its page; or writes the page to a file.

    Args:
        header: on the contract of `env.h`.
        values: of its parameters and of the learner's settings, where they differ from the defaults.
        out: the file; None: the header's name with the ending .html, in the current folder.

    Returns:
        What was done, in a sentence.

    Raises:
        UserError: there is no such header, it does not compile, or there is no clang.
    """
    if not header.is_file():
        raise UserError(f"{header}: no such header")
    path = Path(f"{header.stem}.html") if out is None else out
    with whole(path) as partial:
        command = [sys.executable, get_web_builder(), "env", str(header), str(partial), json.dumps(dict(values))]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            lines = done.stderr.strip().splitlines() or ["no message"]
            first = next((line for line in lines if re.search(r"error|missing", line)), lines[-1])
            raise UserError(f"{header}: cannot be compiled for the browser: {first}")
    return f"{path}: {path.stat().st_size / 1e6:.2f} MB, for any web server" if out is not None else _open(path.resolve())


def _open(path: Path) -> str:
    address = path.as_uri()
    return address if webbrowser.open(address) else f"no browser was found: open {address} in one"
