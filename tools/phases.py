"""Films the named settings side by side: python tools/phases.py OUT.gif. Needs Pillow."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from boids_env.files import whole
from boids_env.learn.policies import load_policy
from boids_env.show.record import WRITERS, frames, shown_parameters

SETTINGS = "school", "mill", "swarm"
SIDE, GAP, CAPTION = 250, 4, 22  # pixels of a film
SECONDS, FPS, SEED = 7, 12, 3
SIZE = len(SETTINGS) * (SIDE + GAP) - GAP, SIDE + CAPTION


def pictures() -> Iterator[np.ndarray]:
    """The films beside each other, and their names below them."""
    sheet = Image.new("RGB", SIZE, (11, 31, 51))
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(13)
    for k, name in enumerate(SETTINGS):
        draw.text((k * (SIDE + GAP) + SIDE // 2, SIDE + CAPTION // 2), name, (219, 231, 243), font, anchor="mm")
    with ExitStack() as stack:
        films = []
        for name in SETTINGS:
            policy = load_policy(name, seed=SEED)
            film = frames(policy, SECONDS * FPS, FPS, (SIDE, SIDE), SEED, shown_parameters(policy, {}))
            films.append(stack.enter_context(closing(film)))
        for row in zip(*films, strict=True):
            for k, picture in enumerate(row):
                sheet.paste(Image.fromarray(picture), (k * (SIDE + GAP), 0))
            yield np.array(sheet)


def main(out: str) -> None:
    with whole(Path(out)) as partial:
        WRITERS[".gif"](partial, pictures(), SIZE, FPS)


if __name__ == "__main__":
    main(*sys.argv[1:])
