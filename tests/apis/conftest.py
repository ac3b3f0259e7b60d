"""Which of the adapters this Python can test: those whose package is installed, and those that the variable APIS names.

No one Python has all of them: `make test-apis` runs these tests in several, and names what each must have.
"""

import importlib.util
import os

PACKAGES = {
    "test_gymnasium.py": "gymnasium",
    "test_pettingzoo.py": "pettingzoo",
    "test_sb3.py": "stable_baselines3",
    "test_torchrl.py": "torchrl",
}
collect_ignore = [
    file
    for file, package in PACKAGES.items()
    if importlib.util.find_spec(package) is None and package not in os.environ.get("APIS", "").split()
]
