"""The guide for environments of one's own holds: every file, command and output of it, in its order, in an empty folder.

So does what it stands on: `python -m boids_env --include-dir`, the CMake package, and README's command without CMake.
"""

import filecmp
import os
import re
import shlex
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import NamedTuple

import pytest

import boids_env
import needs

ROOT = Path(__file__).resolve().parent.parent
GUIDE = ROOT / "docs" / "your-own-environment.md"
TEMPLATE = ROOT / "examples" / "template"

# ---- The guide as a program -----------------------------------------------------------------------------------------------


class Block(NamedTuple):
    line: int  # of its fence
    kind: str  # "file", "sh", "python", or "text": what the block before it prints
    text: str
    name: str = ""  # of a file
    varies: bool = False  # its numbers may be others


def blocks(markdown: str) -> list[Block]:
    """Every code block. Raises: ValueError for one that nobody would run or compare."""
    found: list[Block] = []
    lines = markdown.splitlines()
    k = 0
    while k < len(lines):
        before, line, start = lines[k - 1] if k else "", lines[k], k + 1
        k += 1
        if line.startswith(("    ", "\t", "~~~")):
            raise ValueError(f"line {start}: code belongs between ``` fences")
        if not line.startswith("```"):
            continue
        if "```" not in lines[k:]:
            raise ValueError(f"line {start}: no end of this block")
        end = lines.index("```", k)
        text, k = "\n".join([*lines[k:end], ""]), end + 1
        named = re.fullmatch(r"`([\w.-]+)`:", before)
        kind = "file" if named else line.removeprefix("```")
        if kind not in ("file", "sh", "python", "text"):
            raise ValueError(f"line {start}: neither a file with its name above, nor sh, python or text: {line}")
        if kind == "text" and (not found or found[-1].kind not in ("sh", "python")):
            raise ValueError(f"line {start}: an output of nothing")
        found.append(Block(start, kind, text, named[1] if named else "", before == "<!-- numbers vary -->"))
    return found


def agrees(expected: str, got: str, varies: bool) -> bool:
    """Whether that was printed. A line `...` stands for any lines, `...` in a line for anything.

    Where it varies, a number stands for any number.
    """
    pattern = ""
    for line in expected.rstrip().splitlines():
        escaped = ".*".join(re.escape(part) for part in line.split("..."))
        if varies:
            escaped = re.sub(r"(\\ )*\d+(\\\.\d+)?", r" *\\d+(\\.\\d+)?", escaped)
        pattern += "(.*\n)*" if line == "..." else escaped + "\n"
    return re.fullmatch(pattern, got.rstrip() + "\n") is not None


def follow(markdown: str, folder: Path, env: dict[str, str]) -> str:
    """Does what the guide says, in its folder; returns all that it printed. AssertionError: where it is not as it says."""
    everything = got = ""
    steps = blocks(markdown)
    for k, block in enumerate(steps):
        if block.kind == "file":
            (folder / block.name).write_text(block.text)
        elif block.kind == "text":
            assert agrees(block.text, got, block.varies), f"line {block.line}: expected\n{block.text}\ngot\n{got}"
        else:
            command = ["bash", "-euo", "pipefail", "-c"] if block.kind == "sh" else [sys.executable, "-c"]
            done = subprocess.run([*command, block.text], cwd=folder, env=env, capture_output=True, text=True, timeout=300)
            got, everything = done.stdout, everything + done.stdout
            assert done.returncode == 0, f"line {block.line}: status {done.returncode}\n{done.stdout}\n{done.stderr}"
            shown = k + 1 < len(steps) and steps[k + 1].kind == "text"
            assert shown or block.kind == "sh" or not got, f"line {block.line}: prints what the guide does not show:\n{got}"
    return everything


def tree(folder: Path) -> set[Path]:
    """The files of a folder and its folders."""
    return {path.relative_to(folder) for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    """The environment of a reader who has activated that of the tests. pip installs into a folder of the test's."""
    installed = {ROOT / "src": Path(boids_env.get_include()), ROOT / "cmake": Path(boids_env.get_cmake_dir())}
    stale = [
        str(name)
        for folder, copy in installed.items()
        for name in tree(folder)
        if not (copy / name).exists() or not filecmp.cmp(folder / name, copy / name, shallow=False)
    ]
    if stale:
        pytest.fail(f"the installed package is older than {', '.join(stale)}: make install")
    dropped = ("PYTHON", "PIP_", "LD_", "ASAN_", "BOIDS_ENV", "boids_env", "SKBUILD", "CMAKE_", "MAKE")
    home, site = tmp_path / "home", tmp_path / "site"
    (home / "tmp").mkdir(parents=True)
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith(dropped)},
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
        "HOME": str(home),
        "TMPDIR": str(home / "tmp"),
        "PYTHONPATH": str(site),
        "PYTHONDONTWRITEBYTECODE": "1",
        "PIP_TARGET": str(site),
        "PIP_CONFIG_FILE": os.devnull,
        **dict.fromkeys(("PIP_NO_INDEX", "PIP_NO_DEPS", "PIP_NO_CACHE_DIR", "PIP_DISABLE_PIP_VERSION_CHECK"), "1"),
    }


@pytest.mark.slow
def test_the_guide_holds(tmp_path: Path, env: dict[str, str]) -> None:
    needs.program("clang-19", "apt-get install clang-19 lld-19")
    folder = tmp_path / "catch"
    folder.mkdir()
    printed = follow(GUIDE.read_text(), folder, env)
    learned, by_chance = re.search(r"caught: learned ([\d.]+), random ([\d.]+)", printed).groups()
    assert float(learned) > 0.95
    assert 0.15 < float(by_chance) < 0.25
    from PIL import Image

    with Image.open(folder / "catch.gif") as film:
        assert film.n_frames > 80
        assert film.size == (160, 320)


def test_the_template_is_where_the_guide_ends() -> None:
    written = {block.name: block.text for block in blocks(GUIDE.read_text()) if block.kind == "file"}
    sources = [path for path in TEMPLATE.iterdir() if path.suffix in (".c", ".h", ".py", ".toml", ".txt")]  # no catch.npz
    assert written == {path.name: path.read_text() for path in sources}


@pytest.mark.parametrize("command", ["cc -std=c11", "c++ -std=c++17 -x c++"])
def test_the_template_compiles_without_a_warning(tmp_path: Path, env: dict[str, str], command: str) -> None:
    """Its header as C and as C++, included twice, in two files that are linked together; and its test."""
    flags = ["-Wall", "-Wextra", "-Wconversion", "-Werror", f"-I{TEMPLATE}", f"-I{boids_env.get_include()}"]
    include = '#include "catch.h"\n'
    (tmp_path / "first.c").write_text(include + include + "int second(Env* env);\nint main(void) { return second(NULL); }\n")
    (tmp_path / "second.c").write_text(include + "int second(Env* env) { return env && c_init(env); }\n")
    run(*command.split(), *flags, "first.c", "second.c", "-o", "both", cwd=tmp_path, env=env)
    if command.startswith("cc"):
        run(*command.split(), *flags, TEMPLATE / "test_catch.c", "-o", "test", cwd=tmp_path, env=env)


@pytest.mark.parametrize(
    ("markdown", "wrong"),
    [
        ("```sh\nfalse\n```", "line 1: status 1"),
        ("```sh\nfalse | true\n```", "line 1: status 1"),
        ("```sh\nfalse\ntrue\n```", "line 1: status 1"),
        ("```sh\necho $nowhere\n```", "line 1: status 1"),
        ("```python\n1 / 0\n```", "line 1: status 1"),
        ("```python\nprint(1)\n```", "line 1: prints what the guide does not show"),
        ("```sh\necho one\n```\n```text\ntwo\n```", "line 4: expected"),
        ("```sh\necho one; echo two\n```\n```text\none\n```", "line 4: expected"),
        ("```sh\ntrue\n```\n```text\none\n```", "line 4: expected"),
        ("```sh\necho 1.5\n```\n```text\n2.5\n```", "line 4: expected"),
        ("```sh\necho 1.5 apples\n```\n<!-- numbers vary -->\n```text\n2.5 pears\n```", "line 5: expected"),
        ("`a.txt`:\n```text\none\n```\n```sh\ncat a.txt\n```\n```text\ntwo\n```", "line 8: expected"),
    ],
)
def test_what_does_not_hold_is_found(tmp_path: Path, markdown: str, wrong: str) -> None:
    with pytest.raises(AssertionError, match="^" + re.escape(wrong)):
        follow(markdown, tmp_path, dict(os.environ))


def test_what_may_vary(tmp_path: Path) -> None:
    markdown = """
`a.txt`:
```c
one
```
```sh
echo; cat a.txt; echo 'at 0x12 in a.c:5'; echo 'took  10.25 s'
```
```text
...
one
at ... in a.c:5
...
```
```sh
echo 'took  10.25 s'
```
<!-- numbers vary -->
```text
took 3.5 s
```
"""
    assert follow(markdown, tmp_path, dict(os.environ)).count("took") == 2
    assert (tmp_path / "a.txt").read_text() == "one\n"


@pytest.mark.parametrize(
    ("markdown", "wrong"),
    [
        ("text\n\n```c\nint i;\n```", "line 3: neither a file"),
        ("```\nls\n```", "line 1: neither a file"),
        ("```shell\nls\n```", "line 1: neither a file"),
        ("```text\none\n```", "line 1: an output of nothing"),
        ("`a.c`:\n```c\n```\n```text\none\n```", "line 4: an output of nothing"),
        ("```sh\nls", "line 1: no end"),
        ("and then\n\n    ls\n", "line 3: code belongs between"),
    ],
)
def test_every_block_is_of_a_kind(markdown: str, wrong: str) -> None:
    with pytest.raises(ValueError, match="^" + re.escape(wrong)):
        blocks(markdown)


# ---- What it stands on ----------------------------------------------------------------------------------------------------


def python(*arguments: str, cwd: Path, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, *arguments], cwd=cwd, env=env, capture_output=True, text=True)


def run(*command: str | Path, cwd: Path, env: dict[str, str]) -> str:
    done = subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize(("option", "source"), [("--include-dir", "src"), ("--cmake-dir", "cmake")])
def test_the_command_that_tells_where(tmp_path: Path, option: str, source: str) -> None:
    done = python("-m", "boids_env", option, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    (folder,) = done.stdout.splitlines()
    assert tree(Path(folder)) == tree(ROOT / source)
    assert folder == (boids_env.get_include() if option == "--include-dir" else boids_env.get_cmake_dir())
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("arguments", [("--include-dir", "--cmake-dir"), ("--inlcude-dir",), ("include-dir",)])
def test_the_command_misused(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    done = python("-m", "boids_env", *arguments, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("boids: ")


@pytest.mark.slow
def test_the_template_installs_from_any_folder(tmp_path: Path, env: dict[str, str]) -> None:
    """One with a space in its name; and what it installs is whole."""
    folder = tmp_path / "my games"
    shutil.copytree(TEMPLATE, folder, ignore=shutil.ignore_patterns("__pycache__"))
    run("pip", "install", "--no-build-isolation", ".", cwd=folder, env=env)
    code = "import _catch, boids_env; boids_env.puffer_env(_catch)(2).reset(); print(_catch.__file__)"
    module = run(sys.executable, "-c", code, cwd=tmp_path / "home", env=env).strip()
    assert Path(module).parent == tmp_path / "site"
    assert ".abi3." in module


@pytest.mark.slow
@pytest.mark.parametrize("generator", ["Ninja", "Unix Makefiles"])
def test_the_cmake_package(tmp_path: Path, env: dict[str, str], generator: str) -> None:
    """Two environments in one project: each folder asks for the package, and one header is given by its absolute path."""
    project, elsewhere, build = tmp_path / "two games", tmp_path / "else where", tmp_path / "the build"
    for name in ("one", "two"):
        (project / name).mkdir(parents=True)
    elsewhere.mkdir()
    shutil.copy(TEMPLATE / "catch.h", project / "one")
    (elsewhere / "other.h").write_text((ROOT / "tests/counter/least.h").read_text())
    top = "cmake_minimum_required(VERSION 3.26)\nproject(games LANGUAGES C)\nadd_subdirectory(one)\nadd_subdirectory(two)\n"
    (project / "CMakeLists.txt").write_text(top)
    find = "find_package(boids_env CONFIG REQUIRED)\n"
    (project / "one/CMakeLists.txt").write_text(find + "boids_env_add_module(_one catch.h)\n")
    (project / "two/CMakeLists.txt").write_text(find + f'boids_env_add_module(_two "{elsewhere}/other.h")\n')
    options = [
        f"-Dboids_env_ROOT={boids_env.get_cmake_dir()}",
        f"-DPython_EXECUTABLE={sys.executable}",
        "-DCMAKE_C_FLAGS=-Werror",
    ]
    run("cmake", "-G", generator, "-S", project, "-B", build, *options, cwd=tmp_path, env=env)
    run("cmake", "--build", build, "--parallel", "2", cwd=tmp_path, env=env)
    env = {**env, "PYTHONPATH": f"{build}/one{os.pathsep}{build}/two"}
    code = "import _one, _two; print(_one.layout()['observation']['size'], _two.layout()['observation']['size'])"
    assert run(sys.executable, "-c", code, cwd=tmp_path, env=env) == "50 1\n"


@pytest.mark.slow
def test_the_command_in_the_readme(tmp_path: Path, env: dict[str, str]) -> None:
    """Verbatim, where its relative paths lead, and with a python3-config that speaks of this Python."""
    (command,) = re.findall(r"^    (cc -O3 -shared .* src/binding\.c .*)$", (ROOT / "README.md").read_text(), re.M)
    for name in ("src", "tests"):
        (tmp_path / name).symlink_to(ROOT / name)
    config = tmp_path / "bin/python3-config"
    config.parent.mkdir()
    config.write_text(f"#!/bin/sh\necho -I{shlex.quote(sysconfig.get_paths()['include'])}\n")
    config.chmod(0o755)
    env["PATH"] = os.pathsep.join([str(config.parent), env["PATH"]])
    run("bash", "-c", command, cwd=tmp_path, env=env)
    code = "import _counter; print(_counter.__file__, list(_counter.VecEnv.parameters))"
    parameters = ["limit", "scale", "floor", "goal"]
    assert run(sys.executable, "-c", code, cwd=tmp_path, env=env) == f"{tmp_path}/_counter.so {parameters}\n"
