"""`boids train`: the learner in C on a flock. NumPy is all it needs."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from time import monotonic
from typing import Any

import numpy as np

from boids_env._boids import Learner, VecEnv
from boids_env.env.flocks import Flocks, polarization
from boids_env.errors import UserError
from boids_env.files import whole
from boids_env.learn.config import Config, option
from boids_env.learn.learner import make_learner, weights
from boids_env.learn.lock import locked
from boids_env.learn.loggers import logger
from boids_env.learn.npz import read_npz
from boids_env.learn.policies import save_policy
from boids_env.learn.run import SEEN, Curve, Interrupts, clear_run, local_alignment, refuse_a_run

CHECKPOINT = "checkpoint.npz"
CHECKPOINT_FORMAT = 1
LARGEST_CHECKPOINT = 2**30  # bytes: of a million boids it takes some 40 MB
CHECKPOINT_SECONDS = 10.0  # between two checkpoints
ROWS = 200  # of the learning curve, at most
LEARNER = tuple(name for name in Learner.log_fields if name != "reward")
COLUMNS = ("agent_steps", "seconds", *SEEN, *LEARNER)  # of the learning curve
BAR = 24  # characters


def train(config: Config, out: Path, *, resume: bool = False, overwrite: bool = False) -> bool:
    """Trains a policy.

    Args:
        config: as `boids_env.learn.config.load` gives it; to resume, over the `resumed_config` of the run.
        out: the folder to write: policy.npz (the policy), log.csv (the learning curve), checkpoint.npz.
        resume: continues the run in `out`, to the same bits as if it had not been interrupted.
        overwrite: replaces the run in `out`, as soon as everything else has turned out to be right.

    Returns:
        Whether training ran to its end; False after Ctrl-C, which saves first.

    Raises:
        UserError: `out` holds a run, or none to resume, or another process trains into it; values that do not fit together;
            training diverged.
        OSError: a file cannot be written.
    """
    with Interrupts() as interrupts, locked(out):
        if not (resume or overwrite):
            refuse_a_run(out)
        state, meta = _checkpoint(out) if resume else (b"", {})
        env, learn = config["env"], config["learn"]
        parameters = {name: value for name, value in env.items() if name in VecEnv.parameters}
        with Flocks(env["num_envs"], seed=learn["seed"], num_threads=env["num_threads"], **parameters) as flocks:
            learner = make_learner(flocks, learn)
            if resume:
                try:
                    learner.set_state(state)
                except ValueError as error:
                    raise UserError(f"{out / CHECKPOINT}: does not fit this config: {error}") from None
            else:
                flocks.reset()
            curve = Curve(out / "log.csv", COLUMNS, meta.get("agent_steps"))
            if overwrite:
                clear_run(out)
            curve.start()
            run = _Run(learner, flocks, config, out, curve, meta.get("seconds", 0.0))
            with logger(config, out) as curve.also, interrupts.noted():
                while learner.agent_steps < learn["agent_steps"] and not interrupts.caught:
                    run.go_on()
            run.end()
        return not interrupts.caught


class _Run:
    """A learner that writes its curve and checkpoints, and tells how it gets on."""

    def __init__(self, learner: Learner, flocks: Flocks, config: Config, out: Path, curve: Curve, before: float) -> None:
        self._learner, self._flocks, self._config, self._out, self._curve = learner, flocks, config, out, curve
        self._start = monotonic() - before  # as if it had not been interrupted
        self._first, self._began = learner.agent_steps, monotonic()
        self._saved, self._line_due, self._shown = monotonic(), 0.0, False

    def go_on(self) -> None:
        """Learns for a part of the run. Raises: UserError, where training diverged."""
        total = self._config["learn"]["agent_steps"]
        try:
            self._learner.learn(min(-(-total // ROWS), total - self._learner.agent_steps))
        except FloatingPointError as error:
            raise UserError(
                f"training diverged: a smaller --learn.learning-rate may help; the last checkpoint is as it was ({error})"
            ) from None
        log, seconds = self._learner.log(), monotonic() - self._start
        flocks, count = self._flocks, self._flocks.vec.num_envs
        mean = sum(polarization(flocks, k) for k in range(count)) / count
        seen = dict(zip(SEEN, (log["reward"], local_alignment(flocks.observations), mean), strict=True))
        self._curve.add(self._learner.agent_steps, seconds, [*seen.values(), *(log[name] for name in LEARNER)])
        self._show(seconds, seen)
        if monotonic() > self._saved + CHECKPOINT_SECONDS:
            self._save()

    def end(self) -> None:
        """Saves, and prints what it took."""
        self._save()
        steps, seconds = self._learner.agent_steps - self._first, monotonic() - self._began
        if self._shown:
            print()
        if steps:
            print(f"{steps / 1e6:.2f} M agent-steps in {seconds:.1f} s, {steps / seconds / 1e6:.2f} M each second")

    def _show(self, seconds: float, figures: Mapping[str, float]) -> None:
        """The state of the run: one line that is printed over and over on a terminal, and else a line per second."""
        steps, total = self._learner.agent_steps, self._config["learn"]["agent_steps"]
        text = "  ".join(f"{name.replace('_', ' ')} {value:.3f}" for name, value in figures.items())
        line = f"{seconds:6.1f} s  {steps / 1e6:6.2f} M agent-steps  {text}"
        if sys.stdout.isatty():
            done = round(BAR * min(1, steps / total))
            print(f"\r\033[K{'━' * done}{'╌' * (BAR - done)} {line}", end="", flush=True)
            self._shown = True
        elif monotonic() >= self._line_due:
            self._line_due = monotonic() + 1
            print(line, flush=True)

    def _save(self) -> None:
        """Writes checkpoint.npz and policy.npz, each whole or not at all."""
        learner, seconds = self._learner, monotonic() - self._start
        meta = {"format": CHECKPOINT_FORMAT, "config": self._config, "agent_steps": learner.agent_steps, "seconds": seconds}
        with whole(self._out / CHECKPOINT) as partial, partial.open("wb") as file:
            np.savez(file, state=np.frombuffer(learner.state(), np.uint8), meta=np.array(json.dumps(meta)))
        arrays = {name: array for name, array in weights(learner).items() if not name.startswith(("critic.", "value."))}
        seed = self._config["learn"]["seed"]
        about = {"parameters": dict(self._flocks.parameters), "seed": seed, "agent_steps": learner.agent_steps}
        save_policy(self._out / "policy.npz", arrays, about)
        self._saved = monotonic()


def resumed_config(out: Path, overrides: Mapping[str, Any]) -> Config:
    """The config of the run in a folder, which `load` takes in place of the defaults.

    Raises:
        UserError: no run, a damaged one; overrides that would change the flocks.
    """
    config: Config = _checkpoint(out)[1]["config"]
    for name, value in overrides.items():
        section, key = name.split(".")
        was = config["env"].get(key, value)
        if section == "env" and key != "num_threads" and value != was:
            raise UserError(f"{option(name)}: expected {was}, as in the run that is resumed, got {value}")
    return config


def _checkpoint(out: Path) -> tuple[bytes, dict[str, Any]]:
    """The state of the learner, and what else a resumed run needs. Raises: UserError."""
    path = out / CHECKPOINT
    if not path.exists():
        also = ": that is a run of --trainer pufferl" if (out / "checkpoints").exists() else ""
        raise UserError(f"{out}: expected a run to resume, found no {CHECKPOINT}{also}")
    arrays, meta = read_npz(path, LARGEST_CHECKPOINT, "checkpoint of boids train")
    state, config = arrays.get("state"), meta.get("config")
    good = isinstance(config, dict) and all(isinstance(config.get(name), dict) for name in ("env", "learn"))
    numbers = (meta.get("agent_steps"), meta.get("seconds"))
    good = good and all(isinstance(n, int | float) and not isinstance(n, bool) and 0 <= n < 2**53 for n in numbers)
    if meta.get("format") != CHECKPOINT_FORMAT or state is None or state.dtype != np.uint8 or not good:
        raise UserError(f"{path}: expected a checkpoint of boids train, format {CHECKPOINT_FORMAT}, got another file")
    return state.tobytes(), meta
