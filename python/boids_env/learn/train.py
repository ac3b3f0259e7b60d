"""`boids train`: PufferLib's trainer, PuffeRL, on a flock."""

from __future__ import annotations

import ctypes
import math
import random
import shutil
import signal
import sys
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

import numpy as np
import torch

from boids_env.env.boids import Boids
from boids_env.env.pufferlib_import import unchanged
from boids_env.errors import UserError
from boids_env.learn import network
from boids_env.learn.config import Config

with unchanged():
    import pufferlib.vector
    from pufferlib import pufferl

CHECKPOINTS = "checkpoints"  # a folder in that of the run
SHOWN = ("reward", "polarization", "local_alignment", "largest_group", "collisions")  # where there is no dashboard
LOGGED = (
    "reward", "cohesion", "alignment", "separation", "polarization", "local_alignment", "milling", "nearest",
    "collisions", "isolation", "groups", "largest_group", "turn", "episode_return",
)  # fmt: skip


class Logger:
    """PuffeRL's logger, which also gives it the name of its folder. It writes the learning curve, one row per second.

    Args:
        path: of the csv file.
        agent_steps: of the checkpoint to continue from. Later rows are dropped, and so is an incomplete row.
        seconds: of training so far.
    """

    run_id = CHECKPOINTS

    def __init__(self, path: Path, agent_steps: int, seconds: float) -> None:
        rows = path.read_text(encoding="utf-8").splitlines()[1:] if path.exists() else []
        names = ("agent_steps", "seconds", *LOGGED)
        rows = [row for row in rows if row.count(",") == len(names) - 1 and int(row.split(",")[0]) <= agent_steps]
        partial = _partial(path)
        partial.write_text("\n".join([",".join(names), *rows, ""]), encoding="utf-8")
        partial.replace(path)
        self._path, self._before, self._last = path, seconds, 0.0

    def log(self, logs: dict[str, float], step: int) -> None:
        seconds = self._before + logs["uptime"]
        if "environment/reward" in logs and seconds >= self._last + 1:
            self._last = seconds
            figures = [f"{logs[f'environment/{name}']:.5g}" for name in LOGGED]
            with self._path.open("a", encoding="utf-8") as file:
                file.write(",".join((str(step), f"{seconds:.2f}", *figures)) + "\n")


class Trainer(pufferl.PuffeRL):  # type: ignore[misc]  # PufferLib has no types
    """PuffeRL with checkpoints that can be resumed. Where stdout is no terminal, it prints a line per second.

    Args:
        config, vecenv, policy, logger: as PuffeRL takes them.
        meta: notes for policy.npz.
        before: seconds of training before a resumed run was interrupted.
    """

    def __init__(
        self,
        config: dict[str, Any],
        vecenv: Any,
        policy: network.Policy,
        logger: Logger,
        meta: dict[str, Any],
        before: float,
    ) -> None:
        self._meta, self._before, self._line_due = meta, before, 0.0
        super().__init__(config, vecenv, policy, logger)
        self.profile.frequency = 1  # every epoch; PuffeRL's default is every fifth

    def print_dashboard(self, *args: Any, **kwargs: Any) -> None:
        if sys.stdout.isatty():
            super().print_dashboard(*args, **kwargs)
        elif self.stats and time.time() >= self._line_due:
            self._line_due = time.time() + 1
            seconds, steps, speed = self._before + self.uptime, self.global_step / 1e6, self.sps / 1e3
            figures = "  ".join(f"{name} {self.stats[name]:.3f}" for name in SHOWN if name in self.stats)
            print(f"{seconds:6.1f} s  {steps:6.2f}M steps  {speed:4.0f}k/s  {figures}", flush=True)

    def time_split(self) -> dict[str, float]:
        """The seconds of training so far, by kind of work. A GPU's time counts where its result is first waited for."""
        profile = self.profile.profiles
        seconds = {name: profile[name]["elapsed"] for name in ("env", "eval_forward", "eval_copy", "train", "train_copy")}
        split = {
            "environment": seconds["env"],
            "policy": seconds["eval_forward"],
            "learning": seconds["train"] - seconds["train_copy"],
            "copies": seconds["eval_copy"] + seconds["train_copy"],
        }
        return {**split, "the rest": self.uptime - sum(split.values())}

    def save_checkpoint(self) -> str:
        """Writes model_EPOCH.pt and trainer_state.pt as PuffeRL does, with what a resumed run needs, and policy.npz.

        Each file is written whole or not at all. Returns the path of the first.
        """
        folder = Path(self.config["data_dir"])
        checkpoints = folder / CHECKPOINTS
        checkpoints.mkdir(parents=True, exist_ok=True)
        model = checkpoints / f"model_{self.epoch:06d}.pt"
        _save(self.uncompiled_policy.state_dict(), model)
        state = {
            "optimizer_state_dict": self.optimizer.state_dict(),
            "random_state": torch.get_rng_state(),
            "global_step": self.global_step,
            "agent_step": self.global_step,
            "update": self.epoch,
            "seconds": self._before + self.uptime,
            "model_name": model.name,
            "run_id": CHECKPOINTS,
        }
        _save(state, checkpoints / "trainer_state.pt")
        self.uncompiled_policy.export(folder / "policy.npz", {**self._meta, "agent_steps": self.global_step})
        return str(model)

    def restore(self, state: dict[str, Any]) -> None:
        """Continues from `state` (a trainer_state.pt). The flocks are not part of it and start again.

        Raises: UserError, if it was saved from another network.
        """
        model = Path(self.config["data_dir"]) / CHECKPOINTS / state["model_name"]
        try:
            self.uncompiled_policy.load_state_dict(_load(model))
            self.optimizer.load_state_dict(state["optimizer_state_dict"])
        except (RuntimeError, ValueError) as error:
            raise UserError(f"{model}: does not fit this config: {str(error).splitlines()[-1].strip()}") from None
        torch.set_rng_state(state["random_state"])
        self.global_step = self.last_log_step = state["global_step"]
        self.epoch = state["update"]
        # the scheduler continues from the last rate, which becomes what this config would have made it
        rate = self.config["learning_rate"]
        if self.config["anneal_lr"]:
            self.scheduler.last_epoch = self.epoch
            rate *= (1 + math.cos(math.pi * min(1, self.epoch / self.total_epochs))) / 2
        for group in self.optimizer.param_groups:
            group["lr"] = rate


def train(config: Config, out: Path, *, resume: bool = False, overwrite: bool = False) -> bool:
    """Trains a policy.

    Args:
        config: as `boids_env.learn.config.load` gives it.
        out: the folder to write: policy.npz (the policy), log.csv (the learning curve), checkpoints/.
        resume: continues the run in `out`.
        overwrite: replaces the run in `out`.

    Returns:
        Whether training ran to its end; False after Ctrl-C, which saves first.

    Raises:
        UserError: `out` holds a run, or none to resume; values that do not fit together; a worker process has ended.
    """
    checkpoints = out / CHECKPOINTS
    state: dict[str, Any] = {}
    if resume:
        if not (checkpoints / "trainer_state.pt").exists():
            raise UserError(f"{out}: expected a run to resume, found no {CHECKPOINTS}/trainer_state.pt")
        state = _load(checkpoints / "trainer_state.pt")
    elif overwrite:
        shutil.rmtree(checkpoints, ignore_errors=True)
        for name in ("log.csv", "policy.npz"):
            (out / name).unlink(missing_ok=True)
    elif checkpoints.exists():
        raise UserError(f"{out}: holds a run: --resume continues it, --overwrite replaces it, --out DIR writes elsewhere")
    out.mkdir(parents=True, exist_ok=True)

    settings = {
        **config["train"],
        "env": config["base"]["env_name"],
        "data_dir": str(out),
        "device": _device(config["train"]["device"]),
        "use_rnn": False,
    }
    _keep_memory()
    torch.set_num_threads(settings["cpu_threads"])
    for seed in (random.seed, np.random.seed, torch.manual_seed):
        seed(settings["seed"])
    before = state.get("seconds", 0.0)
    with _puffer_errors(), _interrupts_ignored():
        vecenv = pufferlib.vector.make(Boids, env_kwargs=config["env"], **config["vec"])
    trainer = None
    logger = Logger(out / "log.csv", state.get("global_step", 0), before)
    try:
        policy = _policy(config, vecenv).to(settings["device"])
        meta = {"parameters": vecenv.driver_env.parameters, "seed": settings["seed"]}
        with _puffer_errors():
            trainer = Trainer(settings, vecenv, policy, logger, meta, before)
        if trainer.total_epochs < 1:
            least, got = settings["batch_size"], settings["total_timesteps"]
            raise UserError(f"--train.total-timesteps: expected at least one batch, {least}, got {got}")
        if resume:
            trainer.restore(state)
        with _workers_watched(vecenv), _stop_on_interrupt() as interrupted:
            while trainer.global_step < settings["total_timesteps"] and not interrupted:
                trainer.evaluate()
                trainer.train()
        trainer.save_checkpoint()
        _print_time(trainer.time_split())
        return not interrupted
    finally:
        # its thread would keep the process alive
        if trainer is not None:
            trainer.utilization.stop()
        vecenv.close()


def _keep_memory() -> None:
    """Makes glibc keep the memory that torch frees. Otherwise large arrays are returned and fetched again page by page."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None) if sys.platform == "linux" else None
    if mallopt is not None:
        trim_threshold, mmap_threshold = -1, -3  # of malloc.h
        mallopt(mmap_threshold, 32 << 20)
        mallopt(trim_threshold, 1 << 30)


def _print_time(split: dict[str, float]) -> None:
    """One line: `120.3 s: environment 3.1 s (3 %), policy ...`."""
    total = sum(split.values())
    print(f"{total:.1f} s: " + ", ".join(f"{part} {s:.1f} s ({100 * s / total:.0f} %)" for part, s in split.items()))


def _policy(config: Config, vecenv: Any) -> network.Policy:
    """The network that [base] and [policy] of the config ask for, with random weights."""
    name, rnn = config["base"]["policy_name"], config["base"]["rnn_name"]
    if name != "Policy" or rnn is not None:
        raise UserError(f"--base.policy-name, --base.rnn-name: expected Policy and None, got {name} and {rnn}")
    return network.Policy(vecenv, **config["policy"])


def _device(name: str) -> str:
    if name == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    if name.startswith("cuda") and not torch.cuda.is_available():
        raise UserError(f"--train.device: expected cpu, because torch finds no GPU, got {name}")
    return name


@contextmanager
def _puffer_errors() -> Iterator[None]:
    """Turns PufferLib's errors about a config into UserErrors. Hides its warning that a CPU has no mixed precision."""
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message=".*CUDA is not available", category=UserWarning)
            yield
    except (pufferlib.APIUsageError, TypeError, ValueError) as error:
        raise UserError(str(error)) from None


@contextmanager
def _stop_on_interrupt() -> Iterator[list[int]]:
    """A list that is empty until the first Ctrl-C; the second one raises KeyboardInterrupt."""
    caught: list[int] = []

    def stop(number: int, frame: FrameType | None) -> None:
        if caught:
            raise KeyboardInterrupt
        caught.append(number)
        print("\nstopping after this update, then saving; Ctrl-C again stops at once", file=sys.stderr)

    before = signal.signal(signal.SIGINT, stop)
    try:
        yield caught
    finally:
        signal.signal(signal.SIGINT, before)


@contextmanager
def _interrupts_ignored() -> Iterator[None]:
    """Processes started here ignore Ctrl-C. A terminal sends it to all of them, and only the trainer should act on it."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


@contextmanager
def _workers_watched(vecenv: Any) -> Iterator[None]:
    """Raises: UserError, when a worker process ends. PufferLib would wait for it for ever."""
    workers = getattr(vecenv, "processes", [])  # of the backend Multiprocessing alone
    if not workers or not hasattr(signal, "SIGCHLD"):
        yield
        return

    def look(*_: Any) -> None:
        for worker in workers:
            if (status := worker.exitcode) is not None:
                how = f"killed by signal {-status}" if status < 0 else f"exit status {status}"
                raise UserError(f"a worker process has ended ({how}); --resume continues from the last checkpoint")

    before = signal.signal(signal.SIGCHLD, look)
    try:
        look()
        yield
    finally:
        signal.signal(signal.SIGCHLD, before)


def _save(what: Any, path: Path) -> None:
    partial = _partial(path)
    torch.save(what, partial)
    partial.replace(path)


def _partial(path: Path) -> Path:
    """Where a file is written, to be moved to `path` when it is whole."""
    return path.with_name(f"{path.name}.tmp")


def _load(path: Path) -> dict[str, Any]:
    """A file of torch.save. Raises: UserError."""
    try:
        content: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch and pickle raise many kinds on a file that is no checkpoint
        raise UserError(f"{path}: expected a checkpoint of boids train, got {type(error).__name__}") from None
    return content
