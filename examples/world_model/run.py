"""World models of a flock, and what planning with them brings: every figure of docs/world-models.md.

    python examples/world_model/run.py [FOLDER]

Writes docs/world-models.json and docs/world-models.png, and the tables into docs/world-models.md. What it has measured lies
in FOLDER (build/worlds), a file for each row; a second run goes on from there, so remove the folder after a change. Needs
torch and matplotlib. About a quarter of an hour of one core.
"""

import sys
from importlib.util import find_spec

if __name__ == "__main__":
    for needed in ("torch", "matplotlib"):
        if find_spec(needed) is None:
            sys.exit(f"{needed} is not installed: pip install {needed}")
    from measure import main

    main(*sys.argv[1:2])
