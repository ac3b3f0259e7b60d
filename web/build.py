#!/usr/bin/env python3
"""Builds the web page, and compiles C for WebAssembly: with clang and its linker, and no other library than web/libc.

    python web/build.py                                        # python/boids_env/web/index.html: one file with all in it
    python web/build.py program OUT.wasm SOURCE.c [FLAG ...]   # a C program with main(); web/run.mjs runs it in node
    python web/build.py program --plain ...                    # without vector instructions

Needs clang-19 and lld-19: apt-get install clang-19 lld-19. The same sources give the same bytes.
"""

from __future__ import annotations

import argparse
import base64
import gzip
import os
import re
import subprocess
import sys
import tempfile
import zlib
from collections.abc import Sequence
from pathlib import Path

WEB = Path(__file__).resolve().parent
ROOT = WEB.parent
CLANG, LINKER = "clang-19", "wasm-ld-19"  # one version, so that all machines build the same bytes

FLAGS = [
    "--target=wasm32-unknown-unknown", "-std=c11", "-nostdlibinc", "-isystem", "libc", "-I../src",
    # the flags of cmake/boids_env-config.cmake: the same seed gives the same bits
    "-ffp-contract=off", "-fno-slp-vectorize", "-fno-trapping-math", "-fno-math-errno",
    # what every browser has had since 2022
    "-mbulk-memory", "-mnontrapping-fptoint", "-msign-ext",
    "-fvisibility=hidden", "-Wall", "-Wextra", "-Wconversion", "-Werror",
]  # fmt: skip
SIMD = "-msimd128"
LINK = ["--no-entry", "--gc-sections", "--strip-all", "--stack-first", "-zstack-size=1048576"]


def module(out: Path, sources: Sequence[Path | str], *options: str, exports: Sequence[str] = (), simd: bool = True) -> None:
    """Compiles C files to one module. exports: functions that it offers, beside those that say so themselves."""
    with tempfile.TemporaryDirectory() as folder:
        objects = []
        for source in [*sources, "libc/libc.c"]:
            objects.append(f"{folder}/{len(objects)}.o")
            flags = [*FLAGS, *([SIMD] if simd else []), *(options or ["-O2"])]
            # run in web/, with relative paths: no path of this machine gets into the module
            path = os.path.relpath(WEB / source, WEB)
            subprocess.run([CLANG, *flags, "-c", path, "-o", objects[-1]], cwd=WEB, check=True)
        names = [f"--export-if-defined={name}" for name in exports]
        subprocess.run([LINKER, *LINK, *names, *objects, "-o", str(out)], cwd=WEB, check=True)


def program(out: Path, source: Path, *options: str, simd: bool = True) -> None:
    """Compiles a C file with main()."""
    module(out, [source.resolve()], "-O2", *options, exports=["__main_argc_argv", "__main_void"], simd=simd)


MODULES = ["machine", "npz", "flight", "sky", "film", "share", "curve", "main"]  # each after those that it imports
LEARNED = ROOT / "python" / "boids_env" / "learn" / "learned.npz"
PAGE = ROOT / "python" / "boids_env" / "web" / "index.html"


def script() -> str:
    """The JavaScript of the page as one file, without comments and indentation."""
    code = "\n".join((WEB / "page" / f"{name}.js").read_text(encoding="utf-8") for name in MODULES)
    code = re.sub(r"^import .*\n", "", code, flags=re.M)
    code = re.sub(r"^export ", "", code, flags=re.M)
    names = re.findall(r"^(?:async )?(?:const|let|function|class) (\w+)", code, flags=re.M)
    twice = {name for name in names if names.count(name) > 1}
    assert not twice, f"names of more than one module: {twice}"
    code = re.sub(r"/\*\*.*?\*/ ?", "", code, flags=re.S)
    code = re.sub(r"(^|\s)//( .*)?$", "", code, flags=re.M)
    return re.sub(r"\n\s*", "\n", code).strip()


def deflate(data: bytes) -> bytes:
    """Packs bytes, without a header: browsers call it deflate-raw."""
    packer = zlib.compressobj(9, wbits=-15)
    return packer.compress(data) + packer.flush()


def page(out: Path = PAGE) -> None:
    """Builds the page: HTML with its style, its code, the module and the learned policy in it."""
    with tempfile.TemporaryDirectory() as folder:
        wasm = Path(folder) / "page.wasm"
        module(wasm, [WEB / "page.c"], "-O2")
        parts = {
            "style": re.sub(r"\s*\n\s*", "", (WEB / "page" / "style.css").read_text(encoding="utf-8")),
            "module": base64.b64encode(deflate(wasm.read_bytes())).decode(),
            "learned": base64.b64encode(LEARNED.read_bytes()).decode(),
            "code": script(),
        }
    html = (WEB / "page" / "index.html").read_text(encoding="utf-8")
    for name, text in parts.items():
        assert html.count(f"{{{name}}}") == 1
        html = html.replace(f"{{{name}}}", text)
    out.parent.mkdir(exist_ok=True)
    out.write_text(html, encoding="utf-8")


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command")
    sub = commands.add_parser("program")
    sub.add_argument("--plain", action="store_true")
    sub.add_argument("out", type=Path)
    sub.add_argument("source", type=Path)
    options, flags = parser.parse_known_args(arguments)
    try:
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
