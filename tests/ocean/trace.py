"""What PufferLib's Ocean classes show, step for step: `python -m ocean.trace FOLDER SEED NAME...`.

FOLDER/NAME/binding.*.so is NAME's binding, built by test_ocean.py; its Python class is PufferLib's own, unmodified. Each
environment has a process of its own, forked once PufferLib is imported. Prints one line a name, in JSON: {"steps": digests
of all arrays, after each step, "logs": the logs that were not empty}, or as text what went wrong.
"""

import hashlib
import importlib.util
import json
import os
import sys
import tempfile
import warnings
from pathlib import Path
from typing import Any

from ocean.apart import apart

# 1000 steps, but for those that are large, or whose episodes are long
STEPS = {"enduro": 4000, "freeway": 3000, "gpudrive": 200, "moba": 300, "nmmo3": 200}

# these can be drawn with a raylib that loads nothing
RENDERED = ["squared", "snake", "pong", "breakout", "cartpole", "boids"]

# arguments for short runs: with the defaults these take seconds, or gigabytes
SMALL = {
    "boids": {"num_envs": 3, "num_boids": 8},
    "connect4": {"num_envs": 64},  # enough that a game ends between two logs; without one the class fails
    "convert": {"num_envs": 2, "num_agents": 64},
    "gpudrive": {"num_maps": 1, "num_agents": 64},
    "grid": {"num_envs": 64, "num_maps": 20},
    "nmmo3": {"num_envs": 2, "width": [128, 128], "height": [128, 128], "num_players": 64, "num_enemies": 64}
    | {"num_resources": 64, "num_weapons": 64, "num_gems": 32},
    "school": {"num_agents": 64, "size_x": 4, "size_z": 4},  # with the default sizes it searches for room for ever
    "pong": {"num_envs": 5, "max_score": 3},  # so that a match ends
    "snake": {"num_envs": 3, "num_snakes": 16, "num_food": 64, "width": 640, "height": 40},
    "terraform": {"num_envs": 3, "reset_frequency": 200},
    "tower_climb": {"num_envs": 16, "num_maps": 3},
}


def load(folder: Path, name: str) -> Any:
    """The class `name` of PufferLib, on the binding in that folder."""
    (library,) = (folder / name).glob("binding.*.so")
    spec = importlib.util.spec_from_file_location(f"pufferlib.ocean.{name}.binding", library)
    binding = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(binding)
    package = importlib.import_module(f"pufferlib.ocean.{name}")
    package.binding = sys.modules[spec.name] = binding
    from pufferlib.ocean.environment import MAKE_FUNCTIONS

    return getattr(importlib.import_module(f"pufferlib.ocean.{name}.{name}"), MAKE_FUNCTIONS[name])


def digest(env: Any) -> str:
    arrays = env.observations, env.rewards, env.terminals, env.truncations
    return hashlib.sha256(b"|".join(array.tobytes() for array in arrays)).hexdigest()[:16]


def trace(folder: Path, name: str, seed: int) -> dict[str, Any]:
    env = load(folder, name)(**SMALL.get(name, {"num_envs": 5}), seed=seed)
    env.action_space.seed(seed)
    env.reset(seed)
    steps, logs = [digest(env)], []
    for _ in range(STEPS.get(name, 1000)):
        *_, infos = env.step(env.action_space.sample())
        steps.append(digest(env))
        logs += [repr(info) for info in infos if info]
    if name in RENDERED:
        env.render()
    env.reset(seed + 1)
    steps.append(digest(env))
    env.close()
    return {"steps": steps, "logs": logs}


def furnish(place: Path) -> None:
    """Gives a folder the files of PufferLib's package, as its import does in the current folder, and gpudrive a map."""
    shipped = Path(importlib.util.find_spec("pufferlib").submodule_search_locations[0]) / "resources"
    for folder in shipped.iterdir():
        if folder.name != "gpudrive":
            (place / "resources" / folder.name).symlink_to(folder)
    maps = place / "resources/gpudrive/binaries"
    maps.mkdir(parents=True)
    (maps / "map_000.bin").symlink_to(shipped / "gpudrive/map_942.bin")  # the one map that is shipped, by another name


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    with tempfile.TemporaryDirectory() as place:
        (Path(place) / "resources").mkdir()
        furnish(Path(place))
        os.chdir(place)
        import pufferlib.ocean.environment  # noqa: F401  # once, for all children

        for name in sys.argv[3:]:
            print(json.dumps([name, apart(trace, Path(sys.argv[1]), name, int(sys.argv[2]))]), flush=True)
