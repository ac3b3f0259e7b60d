"""Where the C sources and the CMake package are: in a wheel, in an editable install, in a checkout."""

import os
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

import boids_env
from boids_env import sources

ROOT = Path(__file__).resolve().parent.parent


def test_an_installed_package_has_its_own() -> None:
    package = Path(boids_env.__file__).resolve().parent
    assert (boids_env.get_include(), boids_env.get_cmake_dir()) == (str(package / "include"), str(package / "cmake"))


@pytest.mark.parametrize("layout", ["wheel", "checkout"])
def test_both_layouts(layout: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "python/boids_env"
    include, cmake = {
        "wheel": (package / "include", package / "cmake"),
        "checkout": (tmp_path / "src", tmp_path / "cmake"),
    }[layout]
    for folder, file in (include, "binding.c"), (cmake, "boids_env-config.cmake"):
        folder.mkdir(parents=True)
        (folder / file).touch()
    monkeypatch.setattr(sources, "PACKAGE", package)
    assert (sources.get_include(), sources.get_cmake_dir()) == (str(include), str(cmake))


def test_without_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "PACKAGE", tmp_path / "python/boids_env")
    with pytest.raises(FileNotFoundError, match=r"binding\.c: expected it in .*boids_env/include or in .*/src"):
        sources.get_include()


@pytest.mark.slow
def test_an_editable_install_builds_an_environment(tmp_path: Path) -> None:
    """Its folders are those of the checkout, and find_package() compiles what lies there."""
    options = ["--no-build-isolation", "--no-deps", "--no-index", "--ignore-installed", "--disable-pip-version-check"]
    command = [sys.executable, "-m", "pip", "install", "-q", *options, "--prefix", str(tmp_path / "prefix"), "-e", str(ROOT)]
    run(*command, cwd=tmp_path)
    site = sysconfig.get_path("platlib", vars={"platbase": str(tmp_path / "prefix")})
    code = f"import site; site.addsitedir({site!r}); import boids_env as b; print(b.get_include(), b.get_cmake_dir())"
    include, cmake = run(sys.executable, "-c", code, cwd=tmp_path).split()
    assert (include, cmake) == (str(ROOT / "src"), str(ROOT / "cmake"))

    project = tmp_path / "game"
    project.mkdir()
    header = (
        (ROOT / "examples/squared/CMakeLists.txt").read_text().replace("squared.h", str(ROOT / "examples/squared/squared.h"))
    )
    (project / "CMakeLists.txt").write_text(header)
    options = [f"-Dboids_env_ROOT={cmake}", f"-DPython_EXECUTABLE={sys.executable}"]
    run("cmake", "-S", str(project), "-B", str(tmp_path / "build"), *options, cwd=tmp_path)
    run("cmake", "--build", str(tmp_path / "build"), cwd=tmp_path)
    code = "import _squared; print(_squared.layout()['num_agents'])"
    assert run(sys.executable, "-c", code, cwd=tmp_path / "build") == "1\n"


def run(*command: str, cwd: Path) -> str:
    """What it prints; the checkout is not on Python's path."""
    dropped = ("PYTHON", "SKBUILD", "CMAKE_", "boids_env")
    env = {name: value for name, value in os.environ.items() if not name.startswith(dropped)}
    env["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    done = subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
