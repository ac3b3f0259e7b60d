"""Draws docs/stills.png, the same flock under one policy after another: python tools/stills.py OUT.png RUNS

RUNS holds the folders that `make stills` trains. Needs Pillow.
"""

from __future__ import annotations

import sys

from PIL import Image, ImageDraw, ImageFont

from boids_env import Flocks, load_policy
from boids_env.env.flocks import world_size

PANEL = 424, 282  # pixels; three to a row
GAP, CAPTION = 6, 24  # pixels
STEPS = 600  # from the same random start


def panel(policy: str, num_boids: int) -> Image.Image:
    """A flock after STEPS steps."""
    with Flocks(seed=7, num_boids=num_boids, **world_size(num_boids), horizon=10 * STEPS) as flocks:
        loaded = load_policy(policy)
        flocks.reset()
        for _ in range(STEPS):
            loaded.act(flocks)
            flocks.step()
        return Image.fromarray(flocks.render(*PANEL))


def main(out: str, runs: str) -> None:
    panels = [
        ("random turns", panel("random", 256)),
        ("100,000 steps, a tenth of a second of training", panel(f"{runs}/a", 256)),
        ("500,000 steps, half a second", panel(f"{runs}/b", 256)),
        ("8 million steps, six seconds", panel("learned", 256)),
        ("Reynolds' rules", panel("reynolds", 256)),
        ("20,000 boids, the same policy", panel("learned", 20_000)),
    ]
    wide, high = PANEL[0] + GAP, PANEL[1] + CAPTION + GAP
    sheet = Image.new("RGB", (3 * wide - GAP, 2 * high - GAP), (22, 30, 42))
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(13)
    for k, (caption, picture) in enumerate(panels):
        x, y = k % 3 * wide, k // 3 * high
        sheet.paste(picture, (x, y))
        draw.text((x + PANEL[0] // 2, y + PANEL[1] + CAPTION // 2), caption, (190, 208, 222), font, anchor="mm")
    sheet.save(out, optimize=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
