"""What `cmake --build` made for the tests: the newest of it, or the end of the run."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
ARTEFACTS = ROOT / "build" / "artefacts"  # pictures of windows and pages, to look at
COMMAND = "cmake --preset default && cmake --build --preset default"


def with_includes(*files: Path) -> set[Path]:
    """The files and every file of this tree that they include."""
    found: set[Path] = set()
    left = list(files)
    while left:
        file = left.pop()
        if file not in found:
            found.add(file)
            names = re.findall(r'^\s*#\s*include\s+"(.+)"', file.read_text(), re.M)
            left += [path for name in names for folder in (file.parent, ROOT / "src") if (path := folder / name).is_file()]
    return found


def newest(name: str, endings: list[str], *sources: str) -> Path:
    """The newest build/PRESET/`name` + one of the endings. Ends the run where there is none or it is older than its sources.

    sources: those that are compiled, and the header that -DENV_HEADER names, from the root of the tree.
    """
    found = [path for ending in endings for path in ROOT.glob(f"build/*/{name}{ending}")]
    if not found:
        pytest.exit(f"The tests need {name}, which is not built: {COMMAND}", returncode=1)
    path = max(found, key=lambda path: path.stat().st_mtime)
    last = max(with_includes(*(ROOT / source for source in sources)), key=lambda path: path.stat().st_mtime)
    if path.stat().st_mtime < last.stat().st_mtime:
        pytest.exit(f"{path.relative_to(ROOT)} is older than {last.relative_to(ROOT)}: {COMMAND}", returncode=1)
    return path
