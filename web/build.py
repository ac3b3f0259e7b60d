#!/usr/bin/env python3
"""Compiles C for WebAssembly with clang and its linker, and no other library than web/libc.

    python web/build.py program OUT.wasm SOURCE.c [FLAG ...]   # a C program with main(); web/run.mjs runs it in node
    python web/build.py program --plain ...                    # without vector instructions

Needs clang-19 and lld-19: apt-get install clang-19 lld-19. The same sources give the same bytes.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
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


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    sub = commands.add_parser("program")
    sub.add_argument("--plain", action="store_true")
    sub.add_argument("out", type=Path)
    sub.add_argument("source", type=Path)
    options, flags = parser.parse_known_args(arguments)
    try:
        program(options.out.resolve(), options.source, *flags, simd=not options.plain)
    except FileNotFoundError as error:
        sys.exit(f"{error.filename} is missing: apt-get install clang-19 lld-19")
    except subprocess.CalledProcessError as error:
        sys.exit(error.returncode)


if __name__ == "__main__":
    main()
