"""Build the debug wheel, instrumented with ASan and UBSan: `python sanitizer/build.py`.

It goes to build/sanitizer/wheel, and unpacked to build/sanitizer/site for sanitizer/run.py. The normal install stays.
In this build every environment works on buffers of its exact size (ENV_EXACT_BUFFERS). PufferLib passes slices of larger
arrays: a write past a slice is inside the array, and ASan would not see it.
"""

import importlib.util
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / "build" / "sanitizer"
SITE = BUILD / "site"
STAMP = BUILD / "built"

SANITIZERS = "address,undefined"
NEEDS = ["pip", "scikit_build_core", "cmake", "ninja"]


def sources() -> list[Path]:
    """What the wheel is made of."""
    found = [ROOT / "CMakeLists.txt", ROOT / "pyproject.toml", Path(__file__).resolve()]
    for folder in ("src", "cmake", "python", "sanitizer", "examples", "tests/counter"):
        found += [p for p in (ROOT / folder).rglob("*") if p.suffix in {".c", ".h", ".cmake", ".py", ".pyi", ".ini"}]
    return found


def is_stale() -> bool:
    """Whether a source changed since the last build, or there was none."""
    built = STAMP.stat().st_mtime if STAMP.exists() else 0
    return any(path.stat().st_mtime > built for path in sources())


def build() -> None:
    missing = [name for name in NEEDS if importlib.util.find_spec(name) is None]
    if missing:
        sys.exit(f"{sys.executable} lacks {', '.join(missing)}: run `make install`, then use .venv/bin/python.")
    for folder in (BUILD / "wheel", SITE):
        shutil.rmtree(folder, ignore_errors=True)
    STAMP.unlink(missing_ok=True)
    pip = [sys.executable, "-m", "pip", "-q", "--disable-pip-version-check"]
    settings = {
        "build-dir": str(BUILD / "cmake"),
        "cmake.build-type": "Debug",
        "cmake.define.CMAKE_C_FLAGS_DEBUG": "-O1 -g",
        "install.strip": "false",
        "cmake.define.BOIDS_ENV_SANITIZE": SANITIZERS,
    }
    flags = [f"--config-settings={name}={value}" for name, value in settings.items()]
    folder = BUILD / "wheel"
    subprocess.run(
        [*pip, "wheel", "--no-deps", "--no-build-isolation", f"--wheel-dir={folder}", *flags, str(ROOT)], check=True
    )
    (wheel,) = folder.glob("*.whl")
    subprocess.run([*pip, "install", "--no-deps", f"--target={SITE}", str(wheel)], check=True)
    STAMP.write_text(SANITIZERS + "\n")
    print(f"Built {wheel.relative_to(ROOT)} with -fsanitize={SANITIZERS}. To run under it: sanitizer/run.py")


if __name__ == "__main__":
    try:
        build()
    except subprocess.CalledProcessError as error:
        sys.exit(f"No debug wheel: see above. It takes gcc with its sanitizer libraries. The command: {' '.join(error.cmd)}")
