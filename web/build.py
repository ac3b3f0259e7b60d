#!/usr/bin/env python3
"""Builds web pages, and compiles C for WebAssembly: with clang and its linker, and no other library than web/libc.

    python web/build.py                                        # python/boids_env/web/index.html: one file with all in it
    python web/build.py env HEADER.h OUT.html ['{"NAME": 1}']  # a page for any environment; `boids web HEADER.h` does it
    python web/build.py program OUT.wasm SOURCE.c [FLAG ...]   # a C program with main(); web/run.mjs runs it in node
    python web/build.py program --plain ...                    # without vector instructions

Needs clang-19 and lld-19: apt-get install clang-19 lld-19. The same sources give the same bytes. For `env` any clang from 14
on will do. It is part of the package too, beside the C sources: then `env` is all that it can build.
"""

from __future__ import annotations

import argparse
import base64
import gzip
import html
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import zlib
from collections.abc import Sequence
from pathlib import Path

WEB = Path(__file__).resolve().parent
ROOT = WEB.parent
SOURCES = next(folder for folder in (ROOT / "src", ROOT / "include") if folder.is_dir())  # in a checkout, or in the package
CLANG, LINKER = "clang-19", "wasm-ld-19"  # one version, so that all machines build the same bytes

FLAGS = [
    "--target=wasm32-unknown-unknown", "-std=c11", "-nostdlibinc", "-isystem", "libc", f"-I../{SOURCES.name}",
    # the flags of cmake/boids_env-config.cmake: the same seed gives the same bits
    "-ffp-contract=off", "-fno-slp-vectorize", "-fno-trapping-math", "-fno-math-errno",
    # what every browser has had since 2022
    "-mbulk-memory", "-mnontrapping-fptoint", "-msign-ext",
    "-fvisibility=hidden",
]  # fmt: skip
WARNINGS = ["-Wall", "-Wextra", "-Wconversion", "-Werror"]
SIMD = "-msimd128"
LINK = ["--no-entry", "--gc-sections", "--strip-all", "--stack-first", "-zstack-size=1048576"]


def module(
    out: Path, sources: Sequence[Path | str], *options: str, exports: Sequence[str] = (), simd: bool = True,
    tools: tuple[str, str] = (CLANG, LINKER),
) -> None:  # fmt: skip
    """Compiles C files to one module. exports: functions that it offers, beside those that say so themselves."""
    with tempfile.TemporaryDirectory() as folder:
        objects = []
        for source in [*sources, "libc/libc.c"]:
            objects.append(f"{folder}/{len(objects)}.o")
            own = ["-O2", *WARNINGS] if source == "libc/libc.c" else options or ["-O2"]
            flags = [*FLAGS, *([SIMD] if simd else []), *own]
            # run in web/, with relative paths: no path of this machine gets into the module
            path = os.path.relpath(WEB / source, WEB)
            subprocess.run([tools[0], *flags, "-c", path, "-o", objects[-1]], cwd=WEB, check=True)
        names = [f"--export-if-defined={name}" for name in exports]
        subprocess.run([tools[1], *LINK, *names, *objects, "-o", str(out)], cwd=WEB, check=True)


def program(out: Path, source: Path, *options: str, simd: bool = True) -> None:
    """Compiles a C file with main()."""
    module(out, [source.resolve()], "-O2", *WARNINGS, *options, exports=["__main_argc_argv", "__main_void"], simd=simd)


# the scripts of a page, each after those that it imports
FLOCK = ["dom", "module", "machine", "flight", "link", "sky", "film", "fan", "npz", "share", "curve", "main"]
ENV = ["dom", "module", "link", "curve", "../env_page/play", "../env_page/main"]
LEARNED = ROOT / "python" / "boids_env" / "learn" / "learned.npz"
PAGE = ROOT / "python" / "boids_env" / "web" / "index.html"


def script(modules: Sequence[str]) -> str:
    """The JavaScript of a page as one file, without comments and indentation."""
    code = "\n".join((WEB / "page" / f"{name}.js").read_text(encoding="utf-8") for name in modules)
    code = re.sub(r"^import .*\n", "", code, flags=re.M)
    code = re.sub(r"^export ", "", code, flags=re.M)
    names = re.findall(r"^(?:async )?(?:const|let|function|class) (\w+)", code, flags=re.M)
    twice = {name for name in names if names.count(name) > 1}
    assert not twice, f"names of more than one module: {twice}"
    code = re.sub(r"/\*\*.*?\*/ ?", "", code, flags=re.S)
    code = re.sub(r"(^|\s)//( .*)?$", "", code, flags=re.M)
    return re.sub(r"\n\s*", "\n", code).strip()


def style(*names: str) -> str:
    """Style sheets as one line."""
    return "".join(re.sub(r"\s*\n\s*", "", (WEB / name).read_text(encoding="utf-8")) for name in names)


def deflate(data: bytes) -> bytes:
    """Packs bytes, without a header: browsers call it deflate-raw."""
    packer = zlib.compressobj(9, wbits=-15)
    return packer.compress(data) + packer.flush()


def fill(template: str, **parts: str) -> str:
    """The page in web/`template` with its parts in their places."""
    text = (WEB / template).read_text(encoding="utf-8")
    assert all(f"{{{name}}}" in text for name in parts)
    return re.sub(r"\{(" + "|".join(parts) + r")\}", lambda found: parts[found[1]], text)


def page(out: Path = PAGE) -> None:
    """Builds the page of the flock: HTML with its style, its code, the module and the learned policy in it."""
    with tempfile.TemporaryDirectory() as folder:
        wasm = Path(folder) / "page.wasm"
        # without unrolling by a number known at run time it is smaller by a twentieth, and as fast
        module(wasm, [WEB / "page.c"], "-O2", "-mllvm", "-unroll-runtime=false", *WARNINGS)
        text = fill(
            "page/index.html",
            style=style("page/style.css"),
            module=base64.b64encode(deflate(wasm.read_bytes())).decode(),
            learned=base64.b64encode(LEARNED.read_bytes()).decode(),
            code=script(FLOCK),
        )
    out.parent.mkdir(exist_ok=True)
    out.write_text(text, encoding="utf-8")


def tools() -> tuple[str, str]:
    """A clang that compiles for WebAssembly, and its linker.

    Raises:
        FileNotFoundError: there is none; with the name of the first.
    """
    for clang, linker in ((CLANG, LINKER), ("clang", "wasm-ld")):
        if shutil.which(clang) and shutil.which(linker):
            return clang, linker
    raise FileNotFoundError(None, None, "clang with its linker for WebAssembly")


def env_page(header: Path, out: Path, values: dict[str, float]) -> None:
    """Builds the page of an environment: a header on the contract of src/env.h.

    values: of its parameters and of the learner's settings, where they differ from the defaults.
    """
    with tempfile.TemporaryDirectory() as folder:
        wasm = Path(folder) / "env.wasm"
        about = (f'-DENV_HEADER="{header.name}"', f"-I{header.parent.resolve()}")
        module(wasm, [WEB / "env_page.c"], "-O2", *about, tools=tools())
        first = header.read_text(encoding="utf-8").split("\n", 1)[0]  # /* snake.h - many snakes on one board
        said = re.match(r"/\*\s*\S+\s+-\s+(.*?)\s*(\*/)?$", first)
        text = fill(
            "env_page/index.html",
            title=html.escape(header.stem),
            about=html.escape(said[1][0].upper() + said[1][1:] + "." if said else "An environment in plain C."),
            style=style("page/style.css", "env_page/style.css"),
            module=base64.b64encode(deflate(wasm.read_bytes())).decode(),
            values=json.dumps(values),
            code=script(ENV),
        )
    out.write_text(text, encoding="utf-8")


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command")
    sub = commands.add_parser("program")
    sub.add_argument("--plain", action="store_true")
    sub.add_argument("out", type=Path)
    sub.add_argument("source", type=Path)
    sub = commands.add_parser("env")
    sub.add_argument("header", type=Path)
    sub.add_argument("out", type=Path)
    sub.add_argument("values", type=json.loads, nargs="?", default={})
    options, flags = parser.parse_known_args(arguments)
    try:
        if options.command == "env":
            env_page(options.header, options.out, options.values)
            return
        if options.command:
            program(options.out.resolve(), options.source, *flags, simd=not options.plain)
            return
        page()
        size, packed = PAGE.stat().st_size, len(gzip.compress(PAGE.read_bytes()))
        print(f"{PAGE.relative_to(ROOT)}: {size / 1000:.0f} kB, {packed / 1000:.0f} kB gzipped")
    except FileNotFoundError as error:
        sys.exit(f"{error.filename} is missing: apt-get install clang-19 lld-19")
    except subprocess.CalledProcessError as error:
        sys.exit(error.returncode)


if __name__ == "__main__":
    main()
