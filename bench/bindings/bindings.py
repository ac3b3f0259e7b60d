"""The bindings that compare.py compares: what each is made of, how it is built, and how it is loaded."""

from __future__ import annotations

import importlib
import importlib.util
import io
import re
import resource
import shutil
import subprocess
import sys
import sysconfig
import time
import tokenize
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
SUFFIX = sysconfig.get_config_var("EXT_SUFFIX") or ".so"
FLAGS = ["-O2", "-fPIC", "-DNDEBUG", "-w"]  # the same for all
SANITIZE = ["-O1", "-g", "-fPIC", "-w", "-fsanitize=address", "-fno-omit-frame-pointer"]
TOOLS = "pip install 'cython==3.*' pybind11 nanobind cffi"


Commands = Callable[[list[str], list[str], Path], list[list[str]]]


@dataclass(frozen=True)
class Binding:
    """One way to bind squared.h.

    Args:
        name, title: for the command line, and for people.
        files: what its author writes, in this folder.
        commands: (compiler flags, includes, folder of the result) -> what builds it.
        module, cls: where the class is.
        raw: from the module on, what takes an object or a handle and steps it.
        needs: a package without which it cannot be built.
        install: what to do where it is missing.
        sanitize: flags of its own in the sanitizers' build.
    """

    name: str
    title: str
    files: tuple[str, ...]
    commands: Commands
    module: str
    cls: str = "VecSquared"
    raw: str = "VecSquared.step"
    needs: str = ""
    install: str = TOOLS
    sanitize: tuple[str, ...] = ()


def compiler(name: str = "CC", fallback: str = "cc") -> str:
    return (sysconfig.get_config_var(name) or fallback).split()[0]


def include_of(package: str) -> str:
    return importlib.import_module(package).get_include()


def one_file(source: str, result: str) -> Commands:
    """A C file that the compiler makes a library of."""

    def commands(flags: list[str], include: list[str], folder: Path) -> list[list[str]]:
        return [[compiler(), "-std=c11", *flags, *include, "-shared", source, "-o", str(folder / result), "-lm"]]

    return commands


def cython(flags: list[str], include: list[str], folder: Path) -> list[list[str]]:
    source = str(folder / "squared_cython.c")
    translate = [sys.executable, "-m", "cython", "-3", str(HERE / "squared_cython.pyx"), "-o", source]
    return [translate, *one_file(source, f"squared_cython{SUFFIX}")(flags, include, folder)]


def pybind11(flags: list[str], include: list[str], folder: Path) -> list[list[str]]:
    words = [compiler("CXX", "c++"), "-std=c++17", "-fvisibility=hidden", *flags, *include, f"-I{include_of('pybind11')}"]
    return [[*words, "-shared", str(HERE / "squared_pybind11.cpp"), "-o", str(folder / f"squared_pybind11{SUFFIX}")]]


def nanobind(flags: list[str], include: list[str], folder: Path) -> list[list[str]]:
    """As src/nb_combined.cpp of nanobind says, for those who build without CMake."""
    home = Path(importlib.import_module("nanobind").include_dir()).parent
    words = [compiler("CXX", "c++"), "-std=c++17", "-fvisibility=hidden", "-fno-strict-aliasing", *flags, *include]
    words += ["-ffunction-sections", "-fdata-sections", f"-I{home / 'include'}", f"-I{home / 'ext/robin_map/include'}"]
    compile_, objects = [], []
    for source in (home / "src/nb_combined.cpp", HERE / "squared_nanobind.cpp"):
        objects.append(str(folder / f"{source.stem}.o"))
        compile_.append([*words, "-c", str(source), "-o", objects[-1]])
    return [*compile_, [*words, "-shared", "-Wl,--gc-sections", *objects, "-o", str(folder / f"squared_nanobind{SUFFIX}")]]


def cffi(flags: list[str], include: list[str], folder: Path) -> list[list[str]]:
    source = str(folder / "_squared_cffi.c")
    translate = [sys.executable, str(HERE / "squared_cffi_build.py"), source]
    return [translate, *one_file(source, f"_squared_cffi{SUFFIX}")(flags, include, folder)]


def pufferlib(header: Path | None) -> Commands:
    """An Ocean binding.c against an env_binding.h, of PufferLib or of ours."""

    def commands(flags: list[str], include: list[str], folder: Path) -> list[list[str]]:
        if header is None or not header.is_file():
            raise ImportError(f"No file {header}" if header else "No module named 'pufferlib'")
        words = [f"-I{header.parent}", *include, f"-I{include_of('numpy')}"]  # before src, which has one of that name
        return one_file(str(HERE / "squared_pufferlib.c"), f"binding{SUFFIX}")(flags, words, folder)

    return commands


def ours(flags: list[str], include: list[str], folder: Path) -> list[list[str]]:
    words = [*include, '-DENV_HEADER="squared.h"', "-DENV_MODULE=_squared"]
    return one_file(str(ROOT / "src" / "binding.c"), f"_squared{SUFFIX}")(flags, words, folder)


def bindings(pufferlib_header: Path | None = None, env_binding: Path | None = None) -> list[Binding]:
    """All of them. env_binding: a header that takes the place of PufferLib's own."""
    if pufferlib_header is None and (found := importlib.util.find_spec("pufferlib")) and found.submodule_search_locations:
        pufferlib_header = Path(found.submodule_search_locations[0]) / "ocean" / "env_binding.h"
    shared_library = one_file(str(HERE / "squared_ctypes.c"), "libsquared.so")
    ocean = {
        "files": ("squared_pufferlib.c", "squared_pufferlib.py"),
        "module": "squared_pufferlib",
        "raw": "binding.vec_step",
    }
    install = "python tools/install_pufferlib.py, or --pufferlib PATH"
    listed = [
        Binding("cython", "Cython", ("squared_cython.pyx",), cython, "squared_cython", needs="Cython"),
        Binding("pybind11", "pybind11", ("squared_pybind11.cpp",), pybind11, "squared_pybind11", needs="pybind11"),
        Binding("nanobind", "nanobind", ("squared_nanobind.cpp",), nanobind, "squared_nanobind", needs="nanobind"),
        Binding(
            "cffi",
            "cffi",
            ("squared_cffi_build.py", "squared_cffi.py"),
            cffi,
            "squared_cffi",
            raw="lib.step_all",
            needs="cffi",
        ),
        Binding(
            "ctypes",
            "ctypes",
            ("squared_ctypes.c", "squared_ctypes.py"),
            shared_library,
            "squared_ctypes",
            raw="lib.squared_step",
        ),
        Binding("pufferlib", "PufferLib's env_binding.h", commands=pufferlib(pufferlib_header), install=install, **ocean),
    ]
    if env_binding is not None:
        listed.append(Binding("env_binding", "our env_binding.h", commands=pufferlib(env_binding), **ocean))
    exact = ("-DENV_EXACT_BUFFERS",)  # as BOIDS_ENV_SANITIZE sets it
    listed.append(Binding("ours", "ours", (), ours, "_squared", cls="VecEnv", raw="VecEnv.step", sanitize=exact))
    return listed


def missing(binding: Binding) -> str | None:
    """What it lacks here, or None."""
    if binding.needs and importlib.util.find_spec(binding.needs) is None:
        return f"No module named {binding.needs!r}"
    try:
        binding.commands([], [], Path())
    except ImportError as error:
        return str(error)
    return None


def build(binding: Binding, folder: Path, planted: bool = False) -> tuple[float, float]:
    """Builds it from nothing into a folder. Returns the wall and the CPU seconds of the tools that ran.

    planted: for AddressSanitizer, with the error of planted/squared.h.
    """
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    include = [f"-I{ROOT / 'examples' / 'squared'}", f"-I{ROOT / 'src'}", f"-I{sysconfig.get_paths()['include']}"]
    flags = FLAGS
    if planted:
        include, flags = [f"-I{HERE / 'planted'}", *include], [*SANITIZE, *binding.sanitize]
    commands = binding.commands(flags, include, folder)
    for name in binding.files:
        if name.endswith(".py"):
            shutil.copy(HERE / name, folder)
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    for command in commands:
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(f"{binding.name}: {' '.join(command)}\n{done.stdout}{done.stderr}")
    wall, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime


def load(folder: Path, module: str) -> Any:
    sys.path.insert(0, str(folder))
    return importlib.import_module(module)


# ---- Lines that an author writes ------------------------------------------------------------------------------------------


def lines_of_c(text: str) -> int:
    """Lines with anything but comments on them."""
    text = re.sub(r"/\*.*?\*/", lambda m: "\n" * m[0].count("\n"), text, flags=re.DOTALL)
    return sum(bool(re.sub(r"//.*", "", line).strip()) for line in text.splitlines())


def lines_of_python(text: str) -> int:
    """The same of Python or Cython; a docstring, or any string that is a statement, is a comment too."""
    lines: set[int] = set()
    statement: list[tokenize.TokenInfo] = []
    blank = (tokenize.COMMENT, tokenize.NL, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER, tokenize.ENCODING)
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type in blank:
            continue
        if token.type != tokenize.NEWLINE:
            statement.append(token)
            continue
        if [t.type for t in statement] != [tokenize.STRING]:
            for t in statement:
                lines.update(range(t.start[0], t.end[0] + 1))
        statement = []
    written = text.splitlines()
    return sum(bool(written[k - 1].strip()) for k in lines)


def lines_for_ours(text: str) -> int:
    """The lines of a header for binding.c that would not be there without a binding.

    They are the lists ENV_PARAMS and ENV_LOG, the two functions that tell the spaces, the lines that announce what may be
    left out, and every line that names num_agents, num_threads or num_envs.
    """
    text = re.sub(r"/\*.*?\*/", lambda m: "\n" * m[0].count("\n"), text, flags=re.DOTALL)
    count, inside = 0, ""
    for line in text.splitlines():
        if re.match(r"#define ENV_(PARAMS|LOG)\b", line):
            inside = "list"
        elif re.search(r"\bc_(observation|action)_space\(.*\{$", line):
            inside = "function"
        announced = re.match(r"#define (c_\w+) \1$", line)
        count += bool(inside or announced or re.search(r"\bnum_(agents|threads|envs)\b", line)) and bool(line.strip())
        if (inside == "list" and not line.endswith("\\")) or (inside == "function" and line == "}"):
            inside = ""
    return count


def lines(binding: Binding) -> int:
    """Lines in the files of a binding that are neither blank nor comment.

    squared.h counts for nobody, but for ours those of its lines count that would not be there without a binding.
    """
    if not binding.files:
        return lines_for_ours((ROOT / "examples" / "squared" / "squared.h").read_text())
    texts = {name: (HERE / name).read_text() for name in binding.files}
    return sum((lines_of_python if ".py" in name else lines_of_c)(text) for name, text in texts.items())
