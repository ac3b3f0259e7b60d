"""Our learner beside others: learning curves with equal settings, and how fast each learns on the same arrays.

    python bench/learners.py --install-peers    # Stable-Baselines3, into an environment of its own under build/peers
    python bench/learners.py                    # learns, prints, writes docs/learners.json and docs/learners.png

Curves: boids, squared, snake and CartPole, by our learner and by PufferLib's, with three seeds. Speed: updates of 8
flocks of 64, made in turn, A B A B, on one core with one thread each. The last column is the processor time until
`boids score` puts the policy above Reynolds' rules, with the settings of `boids train`, but over 3 million agent-
steps and with a cosine, as PuffeRL has it. All learners have networks of the same size and no mirror; ours is also
shown with it. A learner is a file in bench/peers that says what it does otherwise.

What was learned is kept in build/learners, and learned again where the settings have changed; by ours also where it was
built anew.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import statistics
import subprocess
import sys
import textwrap
import zlib
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from speed import Peer, install, peer_module, python_of

import boids_env
from boids_env import _boids, bench
from boids_env.learn.policies import save_policy
from boids_env.learn.score import score

ROOT = Path(__file__).resolve().parent.parent
KEPT = ROOT / "build" / "learners"
OURS = "native_ppo"
MIRRORED = "mirrored"  # ours again
LEARNERS = (OURS, "torch_ppo", "sb3_ppo", "pufferl_ppo")
CURVES = (OURS, "pufferl_ppo")
SEEDS = (1, 2, 3)
POINTS = 60  # of a curve

COMMON = {
    "rollout": 16, "minibatch": 1024, "epochs": 2, "gae_lambda": 0.9, "learning_rate": 0.003, "annealing": "cosine",
    "gradient_norm": 0.5, "policy_layers": 2, "value_layers": 2, "mirror": False,
}  # fmt: skip


def task(module: str, steps: int, score: str, num_envs: int, width: int, parameters: Any = None, **changes: Any) -> Any:
    """See bench/peers/learning.py; it lacks the seed."""
    widths = {"policy_width": width, "value_width": width}
    settings = {**COMMON, **widths, "anneal_steps": steps, **changes}
    return {"module": module, "num_envs": num_envs, "parameters": parameters or {}, "score": score, "settings": settings}


FLOCK = task("boids_env._boids", 3_000_000, "reward", 8, 32, gamma=0.95, entropy=0.02)
LARGE = {"num_boids": 256, "width": 2160, "height": 1440, "horizon": 2000}  # as in boids.ini
RECIPE = task("boids_env._boids", 3_000_000, "reward", 2, 32, LARGE, gamma=0.9, entropy=0.03, minibatch=2048)
TASKS = {
    "boids": FLOCK,
    "squared": task(
        "_squared", 1_000_000, "score", 256, 64, {"size": 5}, gamma=0.9, entropy=0.05, rollout=64, minibatch=4096, epochs=8
    ),
    "snake": task("_snake", 1_000_000, "score", 16, 64, gamma=0.98, entropy=0.01),
    "cartpole": task("_cartpole", 200_000, "episode_length", 64, 32, gamma=0.98, entropy=0.0, minibatch=256, epochs=4),
}


def modules() -> list[Path]:
    """Folders where any Python finds this boids_env, and the modules of the examples, which are built here."""
    build, site = KEPT / "modules", KEPT / "site"
    configure = ["cmake", "-S", str(ROOT), "-B", str(build), "-DBOIDS_ENV_TESTS=ON", f"-DPython_EXECUTABLE={sys.executable}"]
    subprocess.run([*configure, "-DCMAKE_BUILD_TYPE=Release"], capture_output=True, check=True)
    targets = [t["module"] for t in TASKS.values() if t is not FLOCK]
    subprocess.run(["cmake", "--build", str(build), "--target", *targets], capture_output=True, check=True)
    site.mkdir(parents=True, exist_ok=True)
    link = site / "boids_env"
    link.unlink(missing_ok=True)
    link.symlink_to(Path(boids_env.__file__).parent)
    return [site, build]


def kept(name: str, of: Any, make: Callable[[], Any]) -> Any:
    """What `make` returned for these settings, now or before."""
    ours = OURS in name or MIRRORED in name
    settings = {**of, "build": zlib.crc32(Path(str(_boids.__file__)).read_bytes())} if ours else of
    path = KEPT / f"{name}.json"
    if path.exists() and (content := json.loads(path.read_text()))["settings"] == settings:
        return content["result"]
    result = make()
    path.write_text(json.dumps({"settings": settings, "result": result}))
    print(f"{name}: done", file=sys.stderr, flush=True)
    return result


class Bench:
    """What all measurements share: where modules lie, and the Python of each learner."""

    def __init__(self, pythons: dict[str, str]) -> None:
        self.path = modules()
        self.pythons = {name: python_of(name, pythons) for name in LEARNERS}

    def learner(self, name: str, of: Any) -> Peer:
        if name == MIRRORED:
            name, of = OURS, {**of, "settings": {**of["settings"], "mirror": True}}
        return Peer(name, self.pythons[name], [of], self.path)

    def curve(self, name: str, of: Any) -> list[tuple[int, float, float]]:
        """Agent-steps, processor seconds and score, until the learning rate is 0."""
        learner, file = self.learner(name, of), KEPT / "now.npz"
        points: list[tuple[int, float, float]] = []
        cpu, every = 0.0, None
        while not points or points[-1][0] < of["settings"]["anneal_steps"]:
            cpu += learner(every or 1, file).cpu
            with np.load(file) as content:
                points.append((int(content["agent_steps"]), cpu, float(content["score"])))
            every = every or max(1, of["settings"]["anneal_steps"] // points[0][0] // POINTS)
        learner.close()
        return points

    def first_past(self, name: str, of: Any, least: float) -> dict[str, float] | None:
        """Processor seconds and agent-steps until a score of at least this; None where it is never reached."""
        learner, file, policy = self.learner(name, of), KEPT / "now.npz", KEPT / "policy.npz"
        cpu, steps = 0.0, 0
        try:
            while steps < of["settings"]["anneal_steps"]:
                cpu += learner(16, file).cpu
                with np.load(file) as content:
                    policy_parts = ("encoder", "decoder", "mirror")
                    weights = {key: content[key] for key in content.files if key.startswith(policy_parts)}
                    steps = int(content["agent_steps"])
                save_policy(policy, weights, {})
                if scored(str(policy)) >= least:
                    return {"seconds": cpu, "agent_steps": steps}
        finally:
            learner.close()
        return None

    def speed(self, rounds: int, seconds: float) -> tuple[dict[str, list[bench.Times]], dict[str, str]]:
        """The time of an update of each learner in each round; and why learners are missing."""
        learners, missing = {}, {}
        for name in (MIRRORED, *LEARNERS):
            try:
                learners[name] = self.learner(name, {**FLOCK, "seed": 1})
            except ImportError as error:
                missing[name] = str(error)
        times = bench.paired(learners, rounds, seconds)
        for learner in learners.values():
            learner.close()
        return times, missing


def scored(policy: str) -> float:
    """Its reward, as `boids score` has it."""
    with contextlib.redirect_stderr(io.StringIO()):  # a progress bar
        return statistics.mean(score([policy])[policy]["reward"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tasks", nargs="*", choices=TASKS, default=list(TASKS), help="whose curves are drawn")
    parser.add_argument("--python", nargs="+", default=[], metavar="LEARNER=PATH", help="the Python that has a learner")
    parser.add_argument("--rounds", type=int, default=7, help="that each figure is the median of (7)")
    parser.add_argument("--seconds", type=float, default=0.3, help="of a run (0.3)")
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "learners.json", help="docs/learners.json")
    parser.add_argument("--install-peers", action="store_true", help="install Stable-Baselines3, and measure nothing")
    options = parser.parse_args()
    if options.install_peers:
        return install(["sb3_ppo"])
    all_of_it = Bench(dict(text.split("=", 1) for text in options.python))

    curves: dict[str, dict[str, list[Any]]] = {}
    for name in options.tasks:
        for learner in CURVES:
            for seed in SEEDS:
                of = {**TASKS[name], "seed": seed}
                points = kept(f"{name}-{learner}-{seed}", of, partial(all_of_it.curve, learner, of))
                curves.setdefault(name, {}).setdefault(learner, []).append(points)

    times, missing = all_of_it.speed(options.rounds, options.seconds)
    reynolds = scored("reynolds")
    past: dict[str, list[Any]] = {}
    for learner in times:
        for seed in SEEDS:
            of = {**RECIPE, "seed": seed}
            first = kept(f"past-{learner}-{seed}", of, partial(all_of_it.first_past, learner, of, reynolds))
            past.setdefault(learner, []).append(first)

    said = bench.about("python bench/learners.py", ROOT)
    batch = FLOCK["settings"]["rollout"] * FLOCK["num_envs"] * 64
    rates = {name: [batch / t.cpu for t in of_run] for name, of_run in times.items()}
    walls = {name: [batch / t.wall for t in of_run] for name, of_run in times.items()}
    names = {name: peer_module(name).NAME for name in LEARNERS} | {MIRRORED: "boids-env, with the mirror"}
    print(bench.headline(said))
    seeds = " / ".join(map(str, SEEDS))
    print("\n| learner | agent-steps a second of CPU time | of wall time | ours is so many times as fast |", end="")
    print(f" first above Reynolds' {reynolds:.3f} after CPU seconds, seeds {seeds} | after million agent-steps |")
    print("|---|---|---|---|---|---|")
    for name in times:
        cpu, wall = statistics.median(rates[name]), statistics.median(walls[name])
        ours = statistics.median(a / b for a, b in zip(rates[OURS], rates[name], strict=True))
        seconds = " / ".join(f"{p['seconds']:.1f}" if p else "never" for p in past[name])
        steps = " / ".join(f"{p['agent_steps'] / 1e6:.1f}" if p else "never" for p in past[name])
        print(f"| {names[name]} | {cpu / 1e3:,.0f} k | {wall / 1e3:,.0f} k | {ours:.1f} | {seconds} | {steps} |")
    for name in LEARNERS:
        module = peer_module(name)
        why = f"MISSING ({missing[name]}). " if name in missing else ""
        print(f"\n{module.NAME}: {why}{module.INSTALL}")
        print(textwrap.indent(textwrap.fill(" ".join(module.DIFFERS.split()), 116), "  "))
    speed = {n: {"name": names[n], "cpu": rates[n], "wall": walls[n], "past": past[n]} for n in times}
    content = {
        "tasks": {n: TASKS[n] for n in options.tasks},
        "recipe": RECIPE,
        "curves": curves,
        "reynolds": reynolds,
        "speed": speed,
    }
    bench.write_json(options.out, about=said, missing=missing, **content)
    chart = [ROOT / "bench" / "learners_chart.py", options.out, options.out.with_suffix(".png")]
    subprocess.run([sys.executable, *map(str, chart)], check=True)
    return None


if __name__ == "__main__":
    main()
