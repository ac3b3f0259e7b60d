"""Test the adapters to other APIs, each set of packages that go together in a Python of its own.

    python tools/test_apis.py [SET ...] [arguments for pytest]

No one Python has them all: PufferLib 3.0.0 pins Gymnasium 0.29.1, RLlib pins 1.2.2, and the others want a newer one.
The set of PufferLib is the .venv of `make test`. The others are made under build/apis, from tests/apis/SET.txt, and need
the modules that `cmake --build --preset default` makes. The environment variable TORCH says which torch, as in
tools/install_pufferlib.py.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / "build" / "apis"
TORCH = os.environ.get("TORCH", "torch==2.13.0")
# the packages that each set must have
SETS = {"current": "gymnasium pettingzoo stable_baselines3 torchrl skrl", "rllib": "gymnasium pettingzoo ray"}
PIP = ["-m", "pip", "install", "-q", "--disable-pip-version-check"]


def run(*command: object, **env: str) -> None:
    subprocess.run([str(word) for word in command], cwd=ROOT, env={**os.environ, **env}, check=True)


def prepare(name: str, wheel: Path | None) -> Path:
    """The Python of a set, with what its file says and the wheel."""
    folder, wanted = BUILD / name, ROOT / "tests" / "apis" / f"{name}.txt"
    python, installed = folder / "bin" / "python", folder / "installed.txt"
    text = f"{TORCH}\n{wanted.read_text()}"
    if not installed.exists() or installed.read_text() != text:
        print(f"▸ Setting up {folder.relative_to(ROOT)}: a minute or two and 1 GB, once", flush=True)
        run(sys.executable, "-m", "venv", "--clear", folder)
        run(python, *PIP, TORCH, "-r", wanted)
        run(python, "-m", "pip", "check")
        installed.write_text(text)
    if wheel:
        run(python, *PIP, "--no-deps", "--force-reinstall", wheel)
    return python


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sets", nargs="*", metavar="SET", default=list(SETS), help=f"{', '.join(SETS)} (all)")
    parser.add_argument("--install", action="store_true", help="only make the environments")
    options, more = parser.parse_known_args()
    if unknown := set(options.sets) - set(SETS):
        parser.error(f"SET: expected {', '.join(SETS)}, got {', '.join(sorted(unknown))}")
    for old in BUILD.glob("*.whl"):
        old.unlink()
    build = ["--no-deps", "--no-build-isolation", "--disable-pip-version-check"]
    run(sys.executable, "-m", "pip", "wheel", "-q", *build, "-w", BUILD, ".")
    (wheel,) = BUILD.glob("*.whl")
    for name in options.sets:
        python = prepare(name, wheel)
        if not options.install:
            print(f"▸ Testing with {name}: {SETS[name]}", flush=True)
            run(python, "-m", "pytest", "tests/apis", *more, APIS=SETS[name], PYTHONPATH="")


if __name__ == "__main__":
    try:
        main()
    except subprocess.CalledProcessError as error:
        sys.exit(error.returncode)
