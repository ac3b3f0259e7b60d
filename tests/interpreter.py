"""Python in a process of its own, and without the packages that `boids_env` can do without."""

import subprocess
import sys
import textwrap
from pathlib import Path

OPTIONAL = ("pufferlib", "gymnasium", "gym", "torch", "rich", "PIL", "imageio_ffmpeg", "raylib", "ray")


def python(code: str, hidden: tuple[str, ...] = (), cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Runs code in an interpreter to which these packages seem not to be installed."""
    program = f"import sys; sys.modules.update(dict.fromkeys({hidden}))\n" + textwrap.dedent(code)
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=cwd, check=False)
