"""`boids web HEADER`: any environment on the contract, in a real browser, from its header as it is."""

import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import needs
from boids_env.cli import main
from builds import ARTEFACTS, ROOT

needs.package("playwright", "pip install playwright")
from playwright.sync_api import ConsoleMessage, Error, Page, sync_playwright  # noqa: E402  # after the check

pytestmark = pytest.mark.slow

HEADERS = {name: ROOT / "examples" / name / f"{name}.h" for name in ("squared", "snake", "cartpole")}
HEADERS["catch"] = ROOT / "examples" / "template" / "catch.h"
HEADERS["spaces"] = ROOT / "tests" / "learn" / "spaces.h"  # floats, no picture of its own
VALUES = {"squared": ["size=5"], "spaces": ["action=2"]}  # 2: continuous


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A page for each header, made by the command."""
    needs.program("clang-19", "apt-get install clang-19 lld-19")
    folder = tmp_path_factory.mktemp("pages")
    for name, header in HEADERS.items():
        assert main(["web", str(header), *VALUES.get(name, []), "--out", str(folder / f"{name}.html")]) == 0
    return {name: folder / f"{name}.html" for name in HEADERS}


@pytest.fixture(scope="module")
def window() -> Iterator[Page]:
    path = needs.program("chromium", "apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page(viewport={"width": 1000, "height": 680})
        page.add_init_script("globalThis.page = { held: true }")
        yield page
        browser.close()


@pytest.fixture
def visit(window: Page, pages: dict[str, Path]) -> Iterator[Callable[..., Page]]:
    """Opens a page, whose clock stands still. Afterwards: no error was written to the console."""
    errors: list[str] = []

    def note(message: ConsoleMessage) -> None:
        if message.type == "error":
            errors.append(message.text)

    def fail(error: Error) -> None:
        errors.append(str(error))

    window.on("console", note)
    window.on("pageerror", fail)

    def visit(name: str, fragment: str = "") -> Page:
        window.goto("about:blank")  # a page with another fragment alone would not load anew
        window.goto(pages[name].as_uri() + fragment)
        window.wait_for_function("globalThis.page?.ready")
        return window

    yield visit
    window.remove_listener("console", note)
    window.remove_listener("pageerror", fail)
    assert errors == []


def keep(page: Page, name: str) -> None:
    """A screenshot, to look at."""
    ARTEFACTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=ARTEFACTS / f"env_page_{name}.png")


def run(page: Page, steps: int, practise: int = 0) -> dict[str, Any]:
    means: dict[str, Any] = page.evaluate(f"page.run({steps}, {practise})")
    return means


@pytest.mark.parametrize("name", HEADERS)
def test_the_same_bits_as_native_c(visit: Callable[..., Page], name: str, tmp_path: Path) -> None:
    """The environment and its learner, from the header as it is."""
    page = visit(name)
    boards = page.evaluate("page.boards")
    run(page, 20, 64)
    program = tmp_path / "native"
    flags = "-O2 -std=c11 -ffp-contract=off -fno-tree-slp-vectorize -Wno-psabi -Wno-attributes"
    sources = [
        f"-I{ROOT / 'src'}",
        f"-I{HEADERS[name].parent}",
        f'-DENV_HEADER="{name}.h"',
        ROOT / "tests" / "web" / "native_env.c",
    ]
    subprocess.run([needs.compiler(), *flags.split(), *sources, "-o", program, "-lm", "-lpthread"], check=True)
    values = " ".join(VALUES.get(name, [])).replace("=", " ").split()
    command = [program, "1", str(boards), "64", "20", *values]
    native = subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    assert page.evaluate("page.hash()") == native


@pytest.mark.parametrize(("name", "field", "practise", "at_least"), [
    ("squared", "score", 1400, 0.75),
    ("catch", "caught", 300, 0.95),
    ("cartpole", "episode_length", 700, 300),
    ("snake", "score", 1000, 6),
])  # fmt: skip
def test_it_learns(visit: Callable[..., Page], name: str, field: str, practise: int, at_least: float) -> None:
    page = visit(name)
    first = run(page, 1, 96)["means"]
    run(page, 0, practise)
    run(page, 0, 96)
    last = run(page, 8, 160)["means"]
    k = page.evaluate(f"page.about.log.findIndex(({{ name }}) => name === {field!r})")
    assert first[k] < 0.5 * at_least
    assert last[k] >= at_least
    keep(page, name)


def test_controls(visit: Callable[..., Page]) -> None:
    page = visit("squared")
    assert page.evaluate("page.boards") == 9  # a single agent is shown beside others
    assert page.input_value("#param-size") == "5"
    assert page.title() == "squared"
    assert "One agent and one target" in page.inner_text("header")
    for who in ("random", "script", "learning"):
        page.check(f"input[value={who}]", force=True)
        run(page, 40)
        assert page.evaluate("page.current.steps") > 0
    page.check("input[value=script]", force=True)
    run(page, 40)  # episodes that another began
    assert run(page, 60)["means"][0] == 1  # the script always reaches the target
    page.fill("#param-size", "8")
    page.press("#param-size", "Enter")
    page.wait_for_function("location.hash === '#size=8'")
    page.evaluate("page.held = true")
    assert run(page, 1)["experience"] == 0
    page.fill("#param-size", "1000")
    page.press("#param-size", "Enter")
    assert "size: expected 2 to 64, got 1000" in page.inner_text("#toast")
    assert page.input_value("#param-size") == "8"
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("1")
    assert page.is_checked("input[value=random]")
    page.keyboard.press("+")
    assert page.inner_text("output[for=pace]") == "20/s"
    page.click("#pause")
    before = page.evaluate("page.current.steps")
    page.click("#step")
    page.wait_for_function(f"page.current.steps === {before + 1}")


def test_by_the_clock(visit: Callable[..., Page]) -> None:
    """It begins by itself: boards are played, and the school is practised."""
    page = visit("catch")
    page.evaluate("page.held = false; page.pause(false)")
    page.wait_for_function("page.current.steps > 5 && page.current.experience > 10000")
    assert page.get_attribute("#pause", "aria-pressed") == "false"


def test_without_a_picture(visit: Callable[..., Page]) -> None:
    """The observations are shown, and random actions are drawn from the continuous space."""
    page = visit("spaces")
    page.check("input[value=random]", force=True)
    run(page, 50)
    pixels = page.evaluate("Array.from(page.canvas.getContext('2d').getImageData(0, 0, page.canvas.width, 9).data)")
    assert len(set(zip(pixels[0::4], pixels[1::4], pixels[2::4], strict=True))) == 7  # elements of an observation


def test_a_parameter_that_the_header_refuses(visit: Callable[..., Page]) -> None:
    page = visit("snake", "#num_snakes=1024&width=6&height=6")
    assert "num_snakes, num_food: expected no more of them than the board has cells" in page.inner_text("#toast")


def test_accessibility(visit: Callable[..., Page]) -> None:
    axe = ROOT / "web" / "node_modules" / "axe-core" / "axe.min.js"
    if not axe.exists():
        needs.missing("axe-core", "npm ci --prefix web")
    page = visit("snake")
    run(page, 5)
    page.add_script_tag(path=axe)
    found = page.evaluate("axe.run().then((result) => result.violations.map((v) => [v.id, v.nodes.map((n) => n.html)]))")
    assert found == []


@pytest.mark.parametrize(("arguments", "message"), [
    (["nothing.h"], "nothing.h: no such header"),
    (["broken.h"], "broken.h: cannot be compiled for the browser: .*error"),
    (["broken.h", "size=x"], "NAME=VALUE: expected NAME=NUMBER, got 'size=x'"),
    (["broken.h", "size=nan"], "NAME=VALUE: expected NAME=NUMBER, got 'size=nan'"),
    (["broken.h", "=3"], "NAME=VALUE: expected NAME=NUMBER, got '=3'"),
])  # fmt: skip
def test_mistakes(
    arguments: list[str], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "broken.h").write_text("/* broken.h - no environment */\n")
    monkeypatch.chdir(tmp_path)
    assert main(["web", *arguments]) == 2
    err = capsys.readouterr().err
    assert err.count("\n") == 1

    assert re.search(message, err), err
    assert [path.name for path in tmp_path.iterdir()] == ["broken.h"]
