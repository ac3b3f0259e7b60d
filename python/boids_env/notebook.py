"""For Jupyter: the page on which a flock learns, in a cell."""

from __future__ import annotations

import html

from boids_env.show.web import PAGE


class Page:
    """What a notebook shows as the page. Nothing of it runs in Python.

    Args:
        height: of the cell, in pixels.
    """

    def __init__(self, height: int = 640) -> None:
        self.height = height

    def __repr__(self) -> str:
        return f"<the page of boids web, {self.height} pixels high>"

    def _repr_html_(self) -> str:
        page = html.escape(PAGE.read_text(encoding="utf-8"))
        style = f"width: 100%; height: {self.height}px; border: 0; border-radius: 8px"
        allow = "fullscreen; clipboard-write"
        return f'<iframe title="A flock that learns" style="{style}" allow="{allow}" srcdoc="{page}"></iframe>'


def show(height: int = 640) -> Page:
    """The page in a notebook: the last expression of a cell.

    Args:
        height: of the cell, in pixels, 200 to 4000.

    Raises:
        ValueError: height is out of this range.
    """
    if not 200 <= height <= 4000:
        raise ValueError(f"height: expected 200 to 4000, got {height}")
    return Page(height)
