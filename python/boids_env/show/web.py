"""The page on which a flock learns in a browser: one HTML file, which needs no server and no network."""

from __future__ import annotations

import webbrowser
from pathlib import Path

from boids_env.files import whole

PAGE = Path(__file__).parents[1] / "web" / "index.html"  # made by web/build.py


def show(out: Path | None = None) -> str:
    """Opens the page in the browser, or writes it to a file.

    Returns:
        What was done, in a sentence.
    """
    if out is not None:
        with whole(out) as partial:
            partial.write_bytes(PAGE.read_bytes())
        return f"{out}: {PAGE.stat().st_size / 1e6:.2f} MB, for any web server"
    address = PAGE.as_uri()
    return address if webbrowser.open(address) else f"no browser was found: open {address} in one"
