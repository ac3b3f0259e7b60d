"""How fast the page of `boids web` is in Chromium: a table for docs/performance.md.

python bench/page.py [--rounds 20]    # needs playwright and chromium; run nothing else on this machine meanwhile

Each figure is measured --rounds times, in turn. Their median and the best of them are printed. The first frame is timed by
the clock, all else in processor time of the page.
"""

import argparse
import gzip
import shutil
import statistics
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

PAGE = Path(__file__).resolve().parent.parent / "python" / "boids_env" / "web" / "index.html"
# WebGL without a graphics card
SOFTWARE = ["--no-sandbox", "--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"]
VIEWPORT = {"width": 1280, "height": 800}

FIRST_FRAME = """const look = () => {
  if (globalThis.flock?.shown) globalThis.first = performance.now(); else requestAnimationFrame(look) }; look()"""

# Of each: what is prepared, what is measured, the thread or the process whose time counts, the work done, and its unit.
# In the page's own thread flies what else flies in the worker. 32 steps are two rollouts: all costs of learning are in them.
FIGURES = {
    "step and learning, 500 boids": (
        """() => { const { machine } = flock; machine.open({ ...flock.params, num_boids: 500 }, 1); machine.learn(1);
        globalThis.some = (n) => {
          for (let k = 0; k < n; k++) { machine.step("learning"); machine.numbers(); machine.improve(); } };
        some(320) }""",
        "some(32)", "ThreadTime", 32e-3, "ms a frame",
    ),
    "step, 64 boids": (
        """() => { const { machine } = flock; machine.c.page_stop_learning();
        machine.open({ num_boids: 64, width: 715, height: 715 }, 1);
        globalThis.some = (n) => { for (let k = 0; k < n; k++) machine.step("random"); }; some(2000) }""",
        "some(4000)", "ThreadTime", 4000 * 64e-9, "ns a boid",
    ),
    "step, 20,000 boids": (
        """() => { const { machine } = flock; machine.c.page_stop_learning();
        machine.open({ num_boids: 20000, width: 12649, height: 12649 }, 1);
        globalThis.some = (n) => { for (let k = 0; k < n; k++) machine.step("random"); }; some(10) }""",
        "some(10)", "ThreadTime", 10 * 20000e-9, "ns a boid",
    ),
    "step and learning in the worker, 500 boids": (
        """() => { globalThis.some = (steps) => flock.ask(
          { ask: "frame", steps, guest: { kind: 0, x: 0, y: 0 }, inspect: -1, buffer: null }); return some(320) }""",
        "some(160).then(() => 0)", "ProcessTime", 160 * 500e-3, "thousand agent-steps/s",
    ),
}  # fmt: skip


def first_frame(browser: Browser) -> float:
    """Milliseconds from the start of the navigation until the first frame was drawn."""
    page = browser.new_page(viewport=VIEWPORT)
    page.add_init_script(FIRST_FRAME)
    page.goto(PAGE.as_uri())
    page.wait_for_function("globalThis.first")
    time = page.evaluate("first")
    page.close()
    return time


def figures(browser: Browser, rounds: int) -> dict[str, list[float]]:
    """FIGURES, each so many times."""
    page = browser.new_page(viewport=VIEWPORT)
    page.add_init_script("globalThis.flock = { held: true }")  # its clock stands still
    page.goto(PAGE.as_uri() + "#num_boids=500")
    page.wait_for_function("flock.ready")
    page.evaluate("flock.run(1)")
    devtools = page.context.new_cdp_session(page)
    devtools.send("Performance.enable")

    def seconds(clock: str) -> float:
        return {metric["name"]: metric["value"] for metric in devtools.send("Performance.getMetrics")["metrics"]}[clock]

    times: dict[str, list[float]] = {}
    for _ in range(rounds):
        for name, (before, code, clock, work, unit) in FIGURES.items():
            page.evaluate(before)
            begin = seconds(clock)
            page.evaluate(code)
            spent = seconds(clock) - begin
            times.setdefault(f"{name}, {unit}", []).append(work / spent if unit.endswith("/s") else spent / work)
    return times


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=20)
    rounds = parser.parse_args().rounds
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=SOFTWARE)
        version = browser.version
        first_frame(browser)  # starts the processes of the browser
        times = {"from opening to the first frame, ms": [first_frame(browser) for _ in range(rounds)]}
        times |= figures(browser, rounds)
        browser.close()
    html = PAGE.read_bytes()
    print(f"Chromium {version}; the page has {len(html) / 1000:.0f} kB, {len(gzip.compress(html)) / 1000:.0f} kB gzipped\n")
    print("| | median | best |\n|---|---|---|")
    for name, values in times.items():
        best = max(values) if name.endswith("/s") else min(values)
        texts = [f"{value:.0f}" if value >= 100 else f"{value:.2g}" for value in (statistics.median(values), best)]
        print(f"| {name} | {' | '.join(texts)} |")


if __name__ == "__main__":
    main()
