"""Install PufferLib 3.0.0 into the Python that runs this: `python tools/install_pufferlib.py [arguments for pip]`.

Plain `pip install pufferlib` downloads a second torch, fetches raylib from GitHub and then compiles PufferLib's own games.
None of that is needed to train on an environment of one's own, and it takes gigabytes and a network that reaches GitHub.
This installs the trainer and the vectorizations alone, in two or three minutes. It needs a C++ compiler.

The environment variable TORCH says which torch, `torch==2.13.0` unless it is set. On Linux that one may bring CUDA, which is
gigabytes; PyTorch's own package index has builds without: TORCH=torch==2.13.0+cpu, and PIP_EXTRA_INDEX_URL says where.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

PUFFERLIB = "pufferlib==3.0.0"
TORCH = os.environ.get("TORCH", "torch==2.13.0")

# What PufferLib's setup.py imports while it builds, and the torch and the numpy that it builds for. It also asks for pynvml,
# which from version 12 on is but a warning, at each import of torch, that it was renamed.
NEEDS = [TORCH, "numpy<2", "setuptools", "wheel", "Cython", "ninja", "pynvml<12"]

# Python runs a sitecustomize.py that it finds on PYTHONPATH before anything else, so this reaches into PufferLib's setup.py.
SITECUSTOMIZE = """
import builtins, shutil
# with NO_OCEAN=1 setup.py adds to a list that it has not made; as a builtin the name exists
builtins.c_extension_paths = []
# where setup.py finds nvcc it compiles for CUDA, and fails where the rest of the CUDA toolkit is missing
which = shutil.which
shutil.which = lambda cmd, *args, **kwargs: None if cmd == "nvcc" else which(cmd, *args, **kwargs)
"""


def pip(*args: str, **env: str) -> None:
    subprocess.run([sys.executable, "-m", "pip", "install", *args], env={**os.environ, **env}, check=True)


def main() -> str | None:
    pip_args = sys.argv[1:]
    if {"-h", "--help"} & set(pip_args):
        print(__doc__)
        return None
    if not (3, 9) <= sys.version_info < (3, 13):
        return f"PufferLib 3.0.0 needs Python 3.9 to 3.12 (it wants numpy below 2); this is {sys.version.split()[0]}."
    if not (shutil.which("c++") or shutil.which("g++") or shutil.which("clang++") or os.environ.get("CXX")):
        return "PufferLib compiles one C++ file and no C++ compiler was found. Debian or Ubuntu: apt-get install g++"

    try:
        pip(*NEEDS, *pip_args)
        with tempfile.TemporaryDirectory() as folder:
            Path(folder, "sitecustomize.py").write_text(SITECUSTOMIZE)
            # NO_OCEAN leaves PufferLib's own games and their download of raylib out; without isolation pip builds with the
            # torch installed above and fetches no other
            path = os.pathsep.join(filter(None, [folder, os.environ.get("PYTHONPATH")]))
            pip("--no-build-isolation", PUFFERLIB, *pip_args, NO_OCEAN="1", PYTHONPATH=path)
            # in the temporary folder, because importing PufferLib leaves a link `resources` in the current one
            subprocess.run([sys.executable, "-c", "import pufferlib.pufferl, pufferlib.vector"], cwd=folder, check=True)
    except subprocess.CalledProcessError as error:
        return f"Installing PufferLib failed: see above. The command was: {' '.join(error.cmd)}"
    print(f"{PUFFERLIB} is installed and imports.")
    return None


if __name__ == "__main__":
    sys.exit(main())
