"""The page of web/page/, in Chromium and Firefox: what it shows, every control, and the same bits as native C.

The clock of the page is stopped, and its steps are made one by one through the object `flock`: no test depends on time.
"""

import base64
import io
import re
import subprocess
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import needs
from boids_env import Flocks, VecEnv, load_policy, notebook
from boids_env.cli import main
from builds import ARTEFACTS, ROOT

needs.package("playwright", "pip install playwright")
from playwright.sync_api import (  # noqa: E402  # after the check
    Browser,
    BrowserContext,
    ConsoleMessage,
    Error,
    Page,
    Playwright,
    sync_playwright,
)

pytestmark = pytest.mark.slow

PAGE = ROOT / "python" / "boids_env" / "web" / "index.html"
SOFTWARE = [
    "--no-sandbox",
    "--use-gl=angle",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--ignore-gpu-blocklist",
    "--disable-gpu-compositing",  # the page around the flock would be drawn by this software too: twice the time
]
DESKTOP, PHONE = {"width": 900, "height": 600}, {"width": 390, "height": 844}
TURNS = ("random", "reynolds", "learned", "learning", "planner")
in_chromium = pytest.mark.parametrize("browser", ["chromium"], indirect=True)


@pytest.fixture(scope="module")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as playwright:
        yield playwright


@pytest.fixture(scope="module")
def downloads(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the browsers write what is saved."""
    return tmp_path_factory.mktemp("downloads")


@pytest.fixture(scope="module", params=["chromium", "firefox"])
def browser(request: pytest.FixtureRequest, playwright: Playwright, downloads: Path) -> Iterator[Browser]:
    """Debian's browsers, not Playwright's own. A test runs in both, unless it is marked with `in_chromium`."""
    name = "firefox-esr" if request.param == "firefox" else "chromium"
    options: dict[str, Any] = {
        "executable_path": needs.program(name, f"apt-get install {name}"),
        "downloads_path": downloads,
    }
    if request.param == "firefox":  # moz-firefox: any Firefox, by WebDriver BiDi. Without WebGL: the fallback draws
        browser = playwright.firefox.launch(**options, channel="moz-firefox", firefox_user_prefs={"webgl.disabled": True})
    else:
        browser = playwright.chromium.launch(**options, args=SOFTWARE)
    yield browser
    browser.close()


@pytest.fixture(scope="module")
def native(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """tests/web/native.c as a program."""
    folder = tmp_path_factory.mktemp("native")
    flags = "-O0 -std=c11 -ffp-contract=off -Wno-psabi -Wno-attributes"  # -O2 compiles four times as long, to the same bits
    command = [needs.compiler(), *flags.split(), f"-I{ROOT / 'src'}", str(ROOT / "tests" / "web" / "native.c")]
    subprocess.run([*command, "-o", "native", "-lm", "-lpthread"], check=True, cwd=folder)
    return folder / "native"


@pytest.fixture(scope="module")
def windows(browser: Browser) -> dict[str, tuple[BrowserContext, list[Page]]]:
    """By their options: a context, and its empty pages. Opening a page takes as long as loading ours into it."""
    return {}


@pytest.fixture
def visit(browser: Browser, windows: dict[str, tuple[BrowserContext, list[Page]]]) -> Iterator[Callable[..., Page]]:
    """Opens the page, and stops its clock. Afterwards: no error was written to the console."""
    errors: list[str] = []
    opened: list[tuple[Page, list[Page]]] = []

    def console(message: ConsoleMessage) -> None:
        if message.type == "error":
            errors.append(message.text)

    def error(error: Error) -> None:
        errors.append(str(error))

    def visit(fragment: str = "", address: str = PAGE.as_uri(), script: str = "", stop: bool = True, **options: Any) -> Page:
        options = {"viewport": DESKTOP, **options}
        script += "; globalThis.flock = { held: true };" if stop else ""
        key = repr((script, options))
        if key not in windows:
            context = browser.new_context(**options)
            context.add_init_script(script)
            windows[key] = context, []
        context, empty = windows[key]
        page = empty.pop() if empty else context.new_page()
        page.set_viewport_size(options["viewport"])  # a test may have changed it
        opened.append((page, empty))
        page.on("console", console)
        page.on("pageerror", error)
        page.goto(address + fragment)
        if stop:
            page.wait_for_function("flock.ready")
            page.evaluate("flock.pinned = true; flock.run(1)")
        return page

    yield visit
    for page, empty in opened:
        if page.evaluate("globalThis.flock?.guest.x !== 0.5"):  # the mouse was there, and might appear on the next page
            page.close()
            continue
        page.goto("about:blank")
        page.remove_listener("console", console)
        page.remove_listener("pageerror", error)
        empty.append(page)
    assert errors == []


def keep(page: Page, name: str) -> None:
    """A screenshot, to look at."""
    ARTEFACTS.mkdir(parents=True, exist_ok=True)
    browser = page.context.browser.browser_type.name
    page.screenshot(path=ARTEFACTS / f"web_{name}_{browser}.png")


def settle(page: Page) -> None:
    """Waits until the last question was answered, and makes a step."""
    page.evaluate("flock.hash().then(() => flock.run(1))")


def parts(html: str) -> dict[str, bytes]:
    """The page without its packed module, and the module, unpacked: packing differs from one zlib to another."""
    packed = re.search(r'<script id="module" type="text/plain">([^<]*)<', html)[1]
    return {"module": zlib.decompress(base64.b64decode(packed), wbits=-15), "rest": html.replace(packed, "").encode()}


def test_the_file_is_what_web_build_makes(tmp_path: Path) -> None:
    from test_web import build

    for name in (build.CLANG, build.LINKER):
        needs.program(name, "apt-get install clang-19 lld-19")
    build.page(tmp_path / "index.html")
    assert parts(PAGE.read_text("utf-8")) == parts((tmp_path / "index.html").read_text("utf-8")), "run python web/build.py"


def test_the_file_is_small_and_needs_no_other() -> None:
    html = PAGE.read_text("utf-8")
    assert len(html.encode()) < 250_000
    assert set(re.findall(r'(?:src|href)="([^"#]+)"', html)) <= {
        "data:,", "https://doi.org/10.1145/37401.37406", "https://arxiv.org/abs/1707.06347",
    }  # fmt: skip


def test_lint_and_types() -> None:
    npm = needs.program("npm", "apt-get install npm")
    if not (ROOT / "web" / "node_modules").exists():
        needs.missing("web/node_modules", "npm ci --prefix web")
    done = subprocess.run([npm, "run", "lint", "--prefix", str(ROOT / "web")], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_same_bits_as_native_c(visit: Callable[..., Page], native: Path) -> None:
    page = visit("#num_boids=300")
    steps, params = page.evaluate("flock.run(90).then((numbers) => [numbers.steps, flock.params])")
    given = [text for name, value in params.items() for text in (name, repr(value))]
    done = subprocess.run([native, "1", str(steps), *given], capture_output=True, text=True, check=True)
    assert page.evaluate("flock.hash()") == done.stdout.strip()


def test_noise_becomes_a_flock(visit: Callable[..., Page]) -> None:
    page = visit("#num_boids=500")
    first = page.evaluate("flock.run(1)")
    assert first["alignment"] < 0.3
    assert first["steps"] == 2
    keep(page, "noise")
    after_4_s = page.evaluate(f"flock.run({240 - int(first['steps'])}, 40)")
    assert after_4_s["alignment"] > 0.9
    keep(page, "flock")
    assert page.evaluate("flock.run(480)")["reward"] > 0.84
    assert "a flock, and finer every second" in page.inner_text("#words")
    assert "a flock" in page.inner_text("#aloud")


def test_it_begins_by_itself(visit: Callable[..., Page]) -> None:
    page = visit(stop=False)
    page.wait_for_function("globalThis.flock?.current?.numbers.experience > 10000")
    assert page.evaluate("!!flock.link.worker")
    assert page.is_checked("input[value=learning]")


@pytest.mark.parametrize("who", TURNS)
def test_who_flies(visit: Callable[..., Page], who: str) -> None:
    page = visit("#num_boids=200&who=" + ("learning" if who == "random" else "random"))
    page.check(f"input[value={who}]", force=True)
    settle(page)
    numbers = page.evaluate("flock.run(150)")
    assert (numbers["alignment"] > 0.7) == (who != "random")
    assert (numbers["experience"] > 0) == (who == "learning")
    assert page.is_disabled("#save") == (who not in ("learned", "learning"))
    assert page.evaluate("flock.choices.who") == who


@in_chromium  # what Firefox flies are the same bits
@pytest.mark.parametrize("setting", ["mill", "swarm"])
def test_named_settings(visit: Callable[..., Page], setting: str) -> None:
    page = visit("#num_boids=400")
    page.check(f"input[value={setting}]", force=True)
    settle(page)
    assert "starts anew" in page.inner_text("#toast")
    numbers = page.evaluate("flock.run(900, 20)")
    assert numbers["alignment"] < 0.1
    assert numbers["polarization"] < 0.2
    assert numbers["groups"] > 4
    keep(page, setting)


def test_a_released_reward_starts_anew(visit: Callable[..., Page]) -> None:
    page = visit("#num_boids=100&who=reynolds")
    page.evaluate("flock.run(50)")
    page.fill("#cohesion", "1.2")  # input, then change
    settle(page)
    assert page.evaluate("flock.choices.who") == "learning"
    assert page.evaluate("flock.current.numbers.steps") < 10
    assert page.evaluate("flock.param('cohesion_weight')") == 1.2
    assert "learning starts anew" in page.inner_text("#toast")
    assert page.inner_text("output[for=cohesion]") == "1.20"


def test_sliders_of_the_flock(visit: Callable[..., Page]) -> None:
    page = visit()
    page.fill("#boids", "20")
    settle(page)
    size = page.evaluate("flock.current.size")
    assert 50 < size < 120
    assert page.inner_text("output[for=boids]") == str(size)
    for value, steps in (("-2", 1), ("0", 1), ("1", 2), ("3", 8)):
        page.fill("#pace", value)
        rhythm = page.evaluate("flock.rhythm")
        assert rhythm == {"steps": steps, "frames": 60 * 2.0 ** float(value) / steps}
    page.fill("#trails", "0")
    assert page.evaluate("flock.choices.trails") == 0


def test_pause_step_restart(visit: Callable[..., Page]) -> None:
    page = visit("#num_boids=100")
    assert page.inner_text("#pause") == "Go on"
    before = page.evaluate("flock.current.numbers.steps")
    page.click("#step")
    page.wait_for_function(f"flock.current.numbers.steps === {before + 1}")
    page.click("#restart")
    page.wait_for_function("flock.asked === 0")
    settle(page)
    assert page.evaluate("flock.current.numbers.steps") < before + 1
    assert page.evaluate("flock.choices.seed") == 2
    page.evaluate("flock.go()")
    page.wait_for_function("flock.current.numbers.steps > 20")
    page.click("#pause")
    assert page.evaluate("flock.paused")


def test_keyboard(visit: Callable[..., Page]) -> None:
    page = visit("#num_boids=100")
    for key, who in zip("12345", TURNS, strict=True):
        page.keyboard.press(key)
        page.wait_for_function(f"flock.choices.who === '{who}'")
    page.keyboard.press("Space")
    assert page.evaluate("flock.paused") is False
    page.keyboard.press("+")
    assert page.evaluate("flock.choices.pace") == 2**0.5
    page.keyboard.press("-")
    page.keyboard.press("h")
    assert page.is_hidden("#panel")
    page.keyboard.press("h")
    page.keyboard.press("t")
    assert page.evaluate("flock.choices.trails") == 0
    page.keyboard.press("p")
    assert page.evaluate("flock.choices.pointer") == "nothing"
    page.keyboard.press("i")
    assert page.is_visible("#inside")
    page.keyboard.press("Escape")
    assert page.is_hidden("#inside")
    page.keyboard.press("?")
    assert page.is_visible("#how")
    keep(page, "how")
    page.keyboard.press("1")  # it belongs to the dialog
    assert page.evaluate("flock.choices.who") == "planner"
    page.keyboard.press("Escape")
    page.focus("input[value=learning]")
    page.keyboard.press("ArrowLeft")
    page.wait_for_function("flock.choices.who === 'learned'")


def test_the_pointer_scares_and_calls(visit: Callable[..., Page]) -> None:
    def alignment_near(kind: str) -> float:
        """Of a calm flock with the pointer in its middle: how far the boids around are from it, after some steps."""
        page = visit(f"#num_boids=100&who=reynolds&pointer={kind}")
        page.evaluate("flock.run(200)")
        page.mouse.move(450, 300)
        assert page.evaluate("flock.guest.kind") == {"nothing": 0, "call": 1, "scare": 2}[kind]
        page.evaluate("flock.run(150)")
        return page.evaluate(
            """() => { const n = flock.current.size, at = new Uint32Array(flock.current.buffer, 0, 2 * n);
               const near = [...Array(n).keys()].filter((k) => Math.hypot((at[k] / 2**32 - 0.5) * flock.params.width,
                   (at[n + k] / 2**32 - 0.5) * flock.params.height) < 90);
               return near.length }"""
        )

    scared, called = alignment_near("scare"), alignment_near("call")
    assert scared < called
    page = visit("#num_boids=100")
    page.mouse.move(500, 320)
    page.mouse.move(800, 100)  # over the panel
    assert page.evaluate("flock.guest.kind") == 0


def test_a_boid_from_inside(visit: Callable[..., Page]) -> None:
    page = visit("#num_boids=300")
    page.evaluate("flock.run(60)")
    page.mouse.click(400, 400)
    page.wait_for_selector("#inside:not([hidden])")
    page.evaluate("flock.run(2)")
    boid = page.evaluate("flock.selected")
    assert page.inner_text("#inside-title") == f"Boid {boid}"
    shares = [int(text.rstrip("%")) for text in page.locator("#turns em").all_inner_texts()]
    assert 97 <= sum(shares) <= 103
    names = page.locator("#observation dt").all_inner_texts()
    assert [name.replace(" ", "_") for name in names] == list(VecEnv.observation_fields)
    left, top = page.evaluate("[...document.getElementById('ring').style.transform.matchAll(/[\\d.]+/g)].map(Number)")
    assert np.hypot(left - 400, top - 400) < 160
    keep(page, "inside")
    page.click("#inside-close")
    assert page.is_hidden("#inside")


def test_the_planner(visit: Callable[..., Page]) -> None:
    """It shows paths and advantages, and takes the turn that earns most. A window of another shape leaves it flying."""
    page = visit("#num_boids=120&who=planner")
    assert page.evaluate("flock.run(200).then((numbers) => numbers.reward)") > 0.88  # what is learned: .86
    page.evaluate("flock.select(7)")
    page.evaluate("flock.run(2)")
    inside = page.evaluate("flock.current.inside")
    assert [len(path) for path in inside["futures"]["paths"]] == [5] * 10  # two flights of five turns
    assert inside["action"] == np.argmax(inside["futures"]["earned"])
    # hard left ends to the left of hard right, and each path goes on by one speed a step
    paths = np.array(inside["futures"]["paths"])
    assert paths[0, 0, 1] > paths[4, 0, 1]
    steps = np.diff(np.concatenate([np.zeros((10, 1, 2)), paths], axis=1), axis=1)
    np.testing.assert_allclose(np.hypot(*steps.transpose(2, 0, 1)), 4, rtol=1e-3)
    assert page.locator("#fan path").count() == 10 + 1  # and the dart
    assert page.locator("#paths path").count() == 10
    advantages = page.locator("#turns em").all_inner_texts()
    earned = np.array(inside["futures"]["earned"])
    for text, value in zip(advantages, earned - earned.mean(), strict=True):
        assert abs(float(text.replace("\u2212", "-")) - value) <= 0.00051
    page.evaluate(
        "Object.assign(flock.current.inside.futures, { earned: [5, 0, 0, 0, 0] }); flock.showInside(flock.current.inside)"
    )
    assert page.locator("#turns em").all_inner_texts() == ["+4.000", *["\u22121.000"] * 4]
    keep(page, "planner")
    page.set_viewport_size({"width": 700, "height": 600})
    page.wait_for_function("flock.seen.width === 700")
    page.evaluate("flock.hash().then(() => flock.run(3))")
    assert page.evaluate("flock.current.inside.futures.paths.length") == 10
    page.evaluate("flock.fly('random')")
    settle(page)
    assert page.is_hidden("#fan")


@in_chromium  # by WebDriver BiDi Firefox plays no phone
def test_touch(visit: Callable[..., Page]) -> None:
    page = visit(viewport=PHONE, has_touch=True, is_mobile=True, device_scale_factor=2)
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    keep(page, "phone")
    assert page.is_hidden("#more")
    page.tap("#sheet")
    assert page.is_visible("#pace")
    assert page.get_attribute("#sheet", "aria-expanded") == "true"
    keep(page, "phone_controls")
    page.tap("#sheet")
    page.touchscreen.tap(200, 400)
    page.wait_for_selector("#inside:not([hidden])")
    assert page.evaluate("flock.guest.kind") == 0  # the finger is gone
    low = "(e) => e.offsetHeight && e.offsetHeight < 34"
    small = page.evaluate(f"[...document.querySelectorAll('#panel button, #panel .top label')].filter({low}).length")
    assert small == 0


def test_share_and_restore(visit: Callable[..., Page]) -> None:
    page = visit("#num_boids=150")
    page.evaluate("flock.run(400)")
    page.fill("#pace", "1")
    page.check("input[value=call]", force=True)
    page.click("#share")
    assert "network=" not in page.input_value("#link")
    page.check("#with-network")
    page.wait_for_function("document.getElementById('link').value.includes('network=')")
    link = page.input_value("#link")
    assert link.startswith(PAGE.as_uri())
    assert len(link) < 8000
    weights = page.evaluate(
        "flock.ask({ ask: 'network', who: 'learning' }).then((n) => n.layers.map((l) => [...l.numbers]))"
    )

    other = visit("#" + link.partition("#")[2])
    choices = other.evaluate("flock.choices")
    assert (choices["who"], choices["pace"], choices["pointer"]) == ("learned", 2, "call")
    assert choices["params"] == {"num_boids": 150}
    same = other.evaluate("flock.ask({ ask: 'network', who: 'learned' }).then((n) => n.layers.map((l) => [...l.numbers]))")
    for ours, theirs in zip(weights, same, strict=True):
        np.testing.assert_allclose(theirs, ours, rtol=2**-8)
    assert other.evaluate("flock.run(300)")["alignment"] > 0.9


def test_links_that_are_none(visit: Callable[..., Page]) -> None:
    page = visit("#num_boids=50&who=random&network=AAAA")
    assert "damaged" in page.inner_text("#toast")
    assert page.evaluate("flock.run(1)")["steps"] > 0
    page.evaluate("location.hash = 'num_boids=60&who=random'")  # a link that is followed while the page is open
    page.wait_for_function("flock.choices.who === 'random'")
    page.evaluate("location.hash = 'who=nobody&pace=1e9&num_boids=-3&speed=5&cohesion_weight=x'")
    page.wait_for_function("flock.choices.who === 'learning'")
    assert page.evaluate("[flock.choices.pace, Object.keys(flock.choices.params)]") == [1, []]
    assert page.evaluate("flock.run(1)")["steps"] > 0


def test_save_and_load(visit: Callable[..., Page], browser: Browser, downloads: Path, tmp_path: Path) -> None:
    page = visit("#num_boids=200")
    page.evaluate("flock.run(400)")
    if browser.browser_type.name == "firefox":  # it does not tell Playwright that a download begins
        path = downloads / "policy.npz"
        page.click("#save")
        for _ in range(500):
            if zipfile.is_zipfile(path):  # whole: a zip ends with its directory
                break
            page.wait_for_timeout(20)
    else:
        path = tmp_path / "policy.npz"
        with page.expect_download() as download:
            page.click("#save")
        download.value.save_as(path)

    policy = load_policy(path)
    with Flocks(num_envs=4, num_boids=64, seed=3) as flocks:  # as boids watch does
        flocks.reset()
        for _ in range(800):
            policy.act(flocks)
            flocks.step(flocks.actions)
        assert flocks.log()["local_alignment"] > 0.85

    weights = "flock.ask({ ask: 'network', who: flock.choices.who }).then((n) => n.layers.map((l) => [...l.numbers]))"
    before = page.evaluate(weights)
    page.set_input_files("#file", path)
    page.wait_for_function("flock.choices.who === 'learned'")
    page.wait_for_function("document.getElementById('toast').textContent === 'policy.npz flies.'")
    assert page.evaluate(weights) == before
    assert page.evaluate("flock.run(100)")["alignment"] > 0.8


def test_files_that_are_no_policy(visit: Callable[..., Page]) -> None:
    layers = {
        "encoder.0.weight": np.zeros((32, 10), np.float32),
        "encoder.0.bias": np.zeros(32, np.float32),
        "decoder.weight": np.zeros((5, 32), np.float32),
        "decoder.bias": np.zeros(5, np.float32),
    }
    wide = {**layers, "encoder.0.weight": np.zeros((32, 42), np.float32)}
    nan = {**layers, "decoder.bias": np.full(5, np.nan, np.float32)}
    continuous = {name: array for name, array in layers.items() if name != "decoder.weight"}
    page = visit("#num_boids=50")
    for content, message in (
        (b"no zip at all, but long enough to be one", "expected a policy.npz of boids train"),
        (continuous, "decoder.weight: expected the policy of a flock with discrete turns"),
        (wide, "encoder.0.weight: expected anyx10, got 32x42"),
        (nan, "decoder.bias: expected finite numbers"),
    ):
        file = io.BytesIO()
        if isinstance(content, bytes):
            file.write(content)
        else:
            np.savez_compressed(file, **content)
        page.evaluate(
            """([bytes]) => { const data = new DataTransfer();
               data.items.add(new File([new Uint8Array(bytes)], "other.npz"));
               document.getElementById("toast").textContent = "";
               dispatchEvent(new DragEvent("dragover", { dataTransfer: data, cancelable: true }));
               dispatchEvent(new DragEvent("drop", { dataTransfer: data, cancelable: true })); }""",
            [list(file.getvalue())],
        )
        page.wait_for_function("document.getElementById('toast').textContent")
        assert message in page.inner_text("#toast")
        assert page.evaluate("flock.choices.who") == "learning"


def test_twenty_thousand(visit: Callable[..., Page]) -> None:
    page = visit("#num_boids=20000")
    numbers = page.evaluate("flock.run(200)")
    assert page.evaluate("flock.current.size") == 20000
    assert numbers["alignment"] > 0.5
    assert numbers["experience"] == 1000 * numbers["steps"]
    keep(page, "20000")


def test_while_it_is_paused(visit: Callable[..., Page]) -> None:
    """What is chosen while the clock stands is shown at once."""
    page = visit("#num_boids=100", stop=False)
    page.wait_for_function("globalThis.flock?.current?.numbers.steps > 3")
    page.click("#pause")
    page.wait_for_function("flock.asked === 0")
    page.mouse.click(300, 400)
    page.wait_for_function("document.querySelectorAll('#observation dt').length === 10")
    page.fill("#boids", "0")
    page.wait_for_function("flock.current.size === 20")
    assert page.evaluate("flock.current.numbers.steps") == 0


def test_resizing_keeps_the_flock(visit: Callable[..., Page]) -> None:
    page = visit("#num_boids=120")
    page.evaluate("flock.run(30)")
    headings = "[...new Uint16Array(flock.current.buffer, 8 * flock.current.size)]"
    before = page.evaluate(headings)
    page.set_viewport_size({"width": 600, "height": 900})
    page.wait_for_function("flock.seen.width === 600")
    page.evaluate("flock.hash().then(() => flock.run(1))")
    turned = (np.array(page.evaluate(headings)) - before + 32768) % 65536 - 32768
    assert np.abs(turned).max() <= 16 / 360 * 65536  # one turn
    assert page.evaluate("flock.current.numbers.experience") >= 16 * 120  # what was learned stays
    assert page.evaluate("Math.abs(flock.params.width / flock.params.height - 600 / 900)") < 0.01


def dots(page: Page) -> int:
    """Bright pixels of the flock, away from all that is written. None is green: no heading has that colour."""
    from PIL import Image

    picture = page.screenshot(clip={"x": 200, "y": 200, "width": 350, "height": 330})
    red, green, blue = np.asarray(Image.open(io.BytesIO(picture)).convert("RGB")).astype(int).transpose(2, 0, 1)
    assert not ((green > red + 60) & (green > blue + 60)).any()
    return int((np.maximum(np.maximum(red, green), blue) > 120).sum())


def test_webgl_and_its_fallback(visit: Callable[..., Page], browser: Browser) -> None:
    needs.package("PIL", "pip install pillow")
    sky = visit("#num_boids=600&trails=0")
    assert sky.evaluate("flock.drawing.name") == ("canvas" if browser.browser_type.name == "firefox" else "WebGL2")
    film = visit("#num_boids=600&trails=0&draw=canvas")
    assert film.evaluate("flock.drawing.name") == "canvas"
    canvas = "HTMLCanvasElement.prototype.getContext"
    blind = f"{canvas} = ((get) => function (kind) {{ return kind === 'webgl2' ? null : get.call(this, kind) }})({canvas})"
    without = visit("#num_boids=600&trails=0", script=blind)
    assert without.evaluate("flock.drawing.name") == "canvas"
    for page in (sky, film, without):
        page.evaluate("flock.run(20 - flock.current.numbers.steps)")
        assert dots(page) > 1000
    assert dots(film) == dots(without)
    assert 0.6 < dots(sky) / dots(film) < 1.7
    keep(film, "canvas")
    film.mouse.click(400, 400)  # the new canvas listens too
    film.wait_for_selector("#inside:not([hidden])")


def test_darts_are_whole_at_the_edges(visit: Callable[..., Page]) -> None:
    needs.package("PIL", "pip install pillow")
    page = visit("#num_boids=20&trails=0")
    page.evaluate(
        """() => { const { current } = flock, n = current.size, at = new Uint32Array(current.buffer, 0, 2 * n);
           at.fill(2 ** 31); at[0] = 0; at[n] = 2 ** 31; document.body.classList.add("bare");
           flock.draw(1, true, 1); }"""
    )
    from PIL import Image

    picture = np.asarray(Image.open(io.BytesIO(page.screenshot())).convert("RGB")).astype(int)
    left, right = picture[250:350, :30].max(2), picture[250:350, -30:].max(2)
    assert (left > 120).sum() > 20
    assert (right > 120).sum() > 20


def test_quality_falls_before_the_frame_rate(visit: Callable[..., Page]) -> None:
    page = visit("#num_boids=60")
    page.evaluate("flock.pinned = false; flock.paused = false; for (let k = 0; k < 100; k++) flock.judge(0.05)")
    assert page.evaluate("flock.quality") == 3
    page.evaluate("for (let k = 0; k < 40; k++) flock.judge(0.05)")
    page.wait_for_function("flock.drawing?.name === 'canvas'")
    other = visit("#num_boids=60")
    other.evaluate("flock.pinned = false; flock.paused = false; for (let k = 0; k < 1000; k++) flock.judge(0.017)")
    assert other.evaluate("flock.quality") == 0


def test_where_it_cannot_run(browser: Browser, tmp_path: Path) -> None:
    html = PAGE.read_text("utf-8")
    packed = re.search(r'<script id="module" type="text/plain">([^<]*)<', html)[1]
    other = zlib.compressobj(wbits=-15)
    (tmp_path / "other.html").write_text(
        html.replace(packed, base64.b64encode(other.compress(b"not WebAssembly") + other.flush()).decode()), "utf-8"
    )
    page = browser.new_page()
    page.goto((tmp_path / "other.html").as_uri())
    page.wait_for_function("document.getElementById('words').textContent.startsWith('This browser cannot show the flock')")
    page.close()


def test_without_workers(visit: Callable[..., Page]) -> None:
    page = visit("#num_boids=100", script="delete globalThis.Worker")
    assert page.evaluate("flock.link.worker") is None
    assert page.evaluate("flock.run(300)")["alignment"] > 0.8


@in_chromium  # by WebDriver BiDi Firefox is not told that motion disturbs
def test_reduced_motion(visit: Callable[..., Page]) -> None:
    page = visit(reduced_motion="reduce")
    assert page.evaluate("[flock.paused, flock.choices.trails]") == [True, 0]
    assert "less motion" in page.inner_text("#toast")


def test_in_a_notebook(visit: Callable[..., Page], tmp_path: Path) -> None:
    cell = notebook.show(500)
    assert repr(cell) == "<the page of boids web, 500 pixels high>"
    (tmp_path / "notebook.html").write_text(f"<!doctype html><meta charset=utf-8><body>{cell._repr_html_()}", "utf-8")
    outer = visit(address=(tmp_path / "notebook.html").as_uri(), stop=False)
    page = outer.frames[1]
    page.wait_for_function("globalThis.flock?.current")
    assert page.evaluate("flock.run(100)")["experience"] > 0
    page.click("#share")
    assert page.input_value("#link").startswith("#")
    with pytest.raises(ValueError, match="height: expected 200 to 4000, got 20"):
        notebook.show(20)


def test_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["web", "--out", str(tmp_path / "flock.html")]) == 0
    installed = Path(notebook.__file__).with_name("web") / "index.html"
    assert (tmp_path / "flock.html").read_bytes() == installed.read_bytes()
    opened: list[str] = []
    monkeypatch.setattr("webbrowser.open", lambda address: opened.append(address) or len(opened) > 1)
    assert main(["web"]) == main(["web"]) == 0
    assert opened == [installed.as_uri()] * 2
    assert "no browser was found" in capsys.readouterr().out


@in_chromium  # axe reads the same elements and styles in Firefox
def test_accessibility(visit: Callable[..., Page]) -> None:
    axe = ROOT / "web" / "node_modules" / "axe-core" / "axe.min.js"
    if not axe.exists():
        needs.missing("axe-core", "npm ci --prefix web")
    for options in ({}, {"viewport": PHONE}):
        page = visit("#num_boids=60", **options)
        page.evaluate("flock.select(3); flock.run(1)")
        page.add_script_tag(path=axe)
        for opened in ("", "how", "sharing"):
            if opened:
                page.evaluate(f"document.getElementById('{opened}').showModal()")
            found = page.evaluate(
                "axe.run().then((result) => result.violations.map((v) => [v.id, v.nodes.map((n) => n.html)]))"
            )
            assert found == []


# Machado, Oliveira, Fernandes, "A Physiologically-based Model for Simulation of Color Vision Deficiency", 2009, severity 1
BLINDNESS = {
    "none": [1, 0, 0, 0, 1, 0, 0, 0, 1],
    "protanopia": [0.152286, 1.052583, -0.204868, 0.114503, 0.786281, 0.099216, -0.003882, -0.048116, 1.051998],
    "deuteranopia": [0.367322, 0.860646, -0.227968, 0.280085, 0.672501, 0.047413, -0.011820, 0.042940, 0.968881],
    "tritanopia": [1.255528, -0.076749, -0.178779, -0.078411, 0.930809, 0.147602, 0.004733, 0.691367, 0.303900],
}


@pytest.mark.parametrize("blindness", BLINDNESS)
def test_headings_differ_to_the_colour_blind(blindness: str) -> None:
    """The four main headings are told apart: their distance in OKLab (Ottosson 2020), where .02 is just noticeable."""
    numbers = re.search(r"#define BOIDS_PALETTE(.*)", (ROOT / "web" / "page.c").read_text())[1]
    palette = np.array([float(text) for text in re.findall(r"-?\d+\.\d", numbers)]).reshape(3, 3)
    angles = np.arange(4) * np.pi / 2
    linear = (np.clip(palette @ [np.ones(4), np.cos(angles), np.sin(angles)], 0, 255).T / 255) ** 2.2
    seen = np.clip(linear @ np.reshape(BLINDNESS[blindness], (3, 3)).T, 0, 1)
    lms = seen @ np.array([[0.4122, 0.5363, 0.0514], [0.2119, 0.6807, 0.1074], [0.0883, 0.2817, 0.6300]]).T
    lab = np.cbrt(lms) @ np.array([[0.2105, 0.7936, -0.0041], [1.9780, -2.4286, 0.4506], [0.0259, 0.7828, -0.8087]]).T
    distance = np.linalg.norm(lab[:, None] - lab[None], axis=2)
    assert distance[~np.eye(4, dtype=bool)].min() > 0.1
