"""Films the page of `boids web` while it learns, for README.md: noise becomes a flock in five seconds.

python tools/page_film.py docs/page.webp    # needs playwright, pillow and chromium
"""

import argparse
import io
import shutil
from pathlib import Path

from PIL import Image
from playwright.sync_api import sync_playwright

PAGE = Path(__file__).resolve().parent.parent / "python" / "boids_env" / "web" / "index.html"
SOFTWARE = ["--no-sandbox", "--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"]
FPS, SECONDS, STEPS = 12, 5, 60  # STEPS: of the flock in a second
SIZE = 840, 525  # of the film


def frames(width: int, height: int) -> list[Image.Image]:
    """The film, a frame each 1/FPS s of flight."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=SOFTWARE)
        page = browser.new_page(viewport={"width": width, "height": height})
        page.add_init_script("globalThis.flock = { held: true }")
        page.goto(PAGE.as_uri() + "#num_boids=700&pointer=nothing")
        page.wait_for_function("flock.ready")
        page.evaluate("flock.pinned = true")
        pictures = []
        for _ in range(FPS * SECONDS):
            steps = STEPS // FPS
            page.evaluate(f"flock.run({steps}, {steps}).then(() => flock.pause(false))")  # it says Pause, as when it runs
            picture = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
            pictures.append(picture.resize(SIZE, Image.Resampling.LANCZOS))
        browser.close()
    return pictures


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    out = parser.parse_args().out
    first, *rest = frames(1120, 700)  # larger than the film: the words stay small
    first.save(out, save_all=True, append_images=rest, duration=1000 // FPS, loop=0, quality=45, method=4)
    print(f"{out}: {out.stat().st_size / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
