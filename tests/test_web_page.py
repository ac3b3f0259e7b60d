"""The page of web/page/, in a real browser: what it shows, every control, and the same bits as native C.

The clock of the page is stopped, and its steps are made one by one through the object `flock`: no test depends on time.
"""

import base64
import re
import subprocess
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import needs
from boids_env import Flocks, VecEnv, load_policy, notebook
from boids_env.cli import main
from builds import ROOT
from conftest import ARTEFACTS

needs.package("playwright", "pip install playwright")
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright  # noqa: E402  # after the check

pytestmark = pytest.mark.slow

PAGE = ROOT / "python" / "boids_env" / "web" / "index.html"
SOFTWARE = [
    "--no-sandbox",
    "--use-gl=angle",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--ignore-gpu-blocklist",
]
DESKTOP, PHONE = {"width": 900, "height": 600}, {"width": 390, "height": 844}
TURNS = ("random", "reynolds", "learned", "learning")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    path = needs.program("chromium", "apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=SOFTWARE)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def contexts(browser: Browser) -> dict[str, BrowserContext]:
    """The windows that were opened so far, by their options: opening one takes longer than a page."""
    return {}


@pytest.fixture
def visit(browser: Browser, contexts: dict[str, BrowserContext]) -> Iterator[Callable[..., Page]]:
    """Opens the page, and stops its clock. Afterwards: no error was written to the console."""
    errors: list[str] = []
    pages: list[Page] = []

    def visit(fragment: str = "", address: str = PAGE.as_uri(), script: str = "", stop: bool = True, **options: Any) -> Page:
        options = {"viewport": DESKTOP, **options}
        if repr(options) not in contexts:
            contexts[repr(options)] = browser.new_context(**options)
        page = contexts[repr(options)].new_page()
        pages.append(page)
        page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.add_init_script(script + ("; globalThis.flock = { held: true };" if stop else ""))
        page.goto(address + fragment)
        if stop:
            page.wait_for_function("flock.ready")
            page.evaluate("flock.pinned = true; flock.run(1)")
        return page

    yield visit
    for page in pages:
        page.close()
    assert errors == []


def keep(page: Page, name: str) -> None:
    """A screenshot, to look at."""
    ARTEFACTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=ARTEFACTS / f"web_{name}.png")


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


def test_the_same_bits_as_native_c(visit: Callable[..., Page], tmp_path: Path) -> None:
    page = visit("#num_boids=300")
    steps, params = page.evaluate("flock.run(90).then((numbers) => [numbers.steps, flock.params])")
    compiler = needs.compiler()
    flags = "-O2 -std=c11 -ffp-contract=off -fno-tree-slp-vectorize -Wno-psabi -Wno-attributes"
    program = tmp_path / "native"
    source = ROOT / "tests" / "web" / "native.c"
    subprocess.run(
        [compiler, *flags.split(), f"-I{ROOT / 'src'}", source, "-o", program, "-lm", "-lpthread"], check=True, cwd=tmp_path
    )
    given = [text for name, value in params.items() for text in (name, repr(value))]
    native = subprocess.run([program, "1", str(steps), *given], capture_output=True, text=True, check=True).stdout.strip()
    assert page.evaluate("flock.hash()") == native


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
    assert page.is_disabled("#save") == (who in ("random", "reynolds"))
    assert page.evaluate("flock.choices.who") == who


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
    for key, who in zip("1234", TURNS, strict=True):
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
    assert page.evaluate("flock.choices.who") == "learning"
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

    damaged = visit("#network=AAAA")
    assert "damaged" in damaged.inner_text("#toast")
    assert damaged.evaluate("flock.run(1)")["steps"] > 0
    nonsense = visit("#who=nobody&pace=1e9&num_boids=-3&speed=5&cohesion_weight=x")
    assert nonsense.evaluate("[flock.choices.who, flock.choices.pace, Object.keys(flock.choices.params)]") == [
        "learning",
        1,
        [],
    ]


def test_save_and_load(visit: Callable[..., Page], tmp_path: Path) -> None:
    page = visit("#num_boids=200")
    page.evaluate("flock.run(400)")
    with page.expect_download() as download:
        page.click("#save")
    path = tmp_path / "policy.npz"
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


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"no zip at all, but long enough to be one", "expected a policy.npz of boids train"),
        ("continuous", "decoder.weight: expected the policy of a flock with discrete turns"),
        ("wide", "encoder.0.weight: expected anyx10, got 32x42"),
        ("nan", "decoder.bias: expected finite numbers"),
    ],
)
def test_files_that_are_no_policy(visit: Callable[..., Page], tmp_path: Path, content: bytes | str, message: str) -> None:
    path = tmp_path / "other.npz"
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        arrays = {
            "encoder.0.weight": np.zeros((32, 42 if content == "wide" else 10), np.float32),
            "encoder.0.bias": np.zeros(32, np.float32),
            "decoder.weight": np.zeros((5, 32), np.float32),
            "decoder.bias": np.full(5, np.nan if content == "nan" else 0, np.float32),
        }
        if content == "continuous":
            del arrays["decoder.weight"]
        np.savez_compressed(path, **arrays)
    page = visit("#num_boids=50")
    page.evaluate(
        """([bytes]) => { const data = new DataTransfer(); data.items.add(new File([new Uint8Array(bytes)], "other.npz"));
           dispatchEvent(new DragEvent("dragover", { dataTransfer: data, cancelable: true }));
           dispatchEvent(new DragEvent("drop", { dataTransfer: data, cancelable: true })); }""",
        [list(path.read_bytes())],
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
    """Bright pixels of the flock, away from all that is written."""
    from PIL import Image

    path = page.screenshot(clip={"x": 200, "y": 200, "width": 350, "height": 330})
    import io

    return int((np.asarray(Image.open(io.BytesIO(path)).convert("RGB")).max(2) > 120).sum())


def test_webgl_and_its_fallback(visit: Callable[..., Page]) -> None:
    needs.package("PIL", "pip install pillow")
    sky = visit("#num_boids=600&trails=0")
    assert sky.evaluate("flock.drawing.name") == "WebGL2"
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
    import io

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


def test_without_workers(visit: Callable[..., Page]) -> None:
    page = visit("#num_boids=100", script="delete globalThis.Worker")
    assert page.evaluate("flock.link.worker") is None
    assert page.evaluate("flock.run(300)")["alignment"] > 0.8


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
