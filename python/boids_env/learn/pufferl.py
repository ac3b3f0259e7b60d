"""`boids train --trainer pufferl`: PufferLib's trainer, PuffeRL, on a flock."""

from __future__ import annotations

import ctypes
import io
import logging
import math
import os
import random
import re
import signal
import subprocess
import sys
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch

from boids_env._boids import VecEnv
from boids_env.env.boids import Boids
from boids_env.env.flocks import polarization
from boids_env.env.pufferlib_import import unchanged
from boids_env.errors import UserError
from boids_env.files import whole
from boids_env.learn import loggers, network
from boids_env.learn.config import Config, option
from boids_env.learn.lock import locked
from boids_env.learn.policies import read_torch
from boids_env.learn.run import SEEN, Curve, Interrupts, clear_run, local_alignment, refuse_a_run

with unchanged():
    import pufferlib.vector
    from pufferlib import pufferl

CHECKPOINTS = "checkpoints"  # a folder in that of the run
SHOWN = ("largest_group", "collisions")  # of whole episodes, beside the curve's figures, where there is no dashboard
COLUMNS = ("agent_steps", "seconds", *SEEN)  # of the learning curve
ROW_SECONDS = 0.25  # between two rows of it
BELOW = "\033[J"  # clears the terminal below the dashboard, which is printed over the one before
# trainer_state.pt: PuffeRL's entries and what a resumed run needs beyond them
STATE: dict[str, tuple[type, ...]] = {
    "global_step": (int,), "update": (int,), "seconds": (int, float), "model_name": (str,),
    "optimizer_state_dict": (dict,), "random_state": (torch.Tensor,), "config": (dict,),
}  # fmt: skip
RAY_SECONDS = 30.0  # to connect to a cluster


class Logger(Curve):
    """The learning curve, as PuffeRL's logger, which gives it the name of its folder. Trainer adds the rows."""

    run_id = CHECKPOINTS

    def log(self, logs: dict[str, float], step: int) -> None:
        """Leaves out what PuffeRL logs: means of whole episodes, which last longer than what there is to see."""


class Trainer(pufferl.PuffeRL):  # type: ignore[misc]  # PufferLib has no types
    """PuffeRL with checkpoints that can be resumed. Where stdout is no terminal, it prints a line per second.

    Args:
        config, vecenv, policy, logger: as PuffeRL takes them.
        config_of_run: what `train` was given, for the checkpoint.
        before: seconds of training before a resumed run was interrupted.
    """

    def __init__(
        self,
        config: dict[str, Any],
        vecenv: Any,
        policy: network.Policy,
        logger: Logger,
        config_of_run: Config,
        before: float,
    ) -> None:
        self._run, self._before, self._line_due, self._row_due = config_of_run, before, 0.0, 0.0
        super().__init__(config, vecenv, policy, logger)
        self.profile.frequency = 1  # every epoch; PuffeRL's default is every fifth

    def print_dashboard(self, *args: Any, **kwargs: Any) -> None:
        if sys.stdout.isatty():
            super().print_dashboard(*args, **kwargs)
            print(BELOW, end="", flush=True)
        elif self.global_step and time.time() >= self._line_due:
            self._line_due = time.time() + 1
            seconds, steps, speed = self._before + self.uptime, self.global_step / 1e6, self.sps / 1e3
            figures = {**self._seen(), **{name: self.stats[name] for name in SHOWN if name in self.stats}}
            text = "  ".join(f"{name} {value:.3f}" for name, value in figures.items())
            print(f"{seconds:6.1f} s  {steps:6.2f}M steps  {speed:4.0f}k/s  {text}", flush=True)

    def train(self) -> Any:
        logs = super().train()
        if time.time() >= self._row_due:
            self._row_due = time.time() + ROW_SECONDS
            self.logger.add(self.global_step, self._before + self.uptime, list(self._seen().values()))
        return logs

    def _seen(self) -> dict[str, float]:
        """SEEN, of the last steps. The polarization is NaN where the flocks are in other processes."""
        envs = getattr(self.vecenv, "envs", [self.vecenv.driver_env]) if self._in_this_process() else []
        polarizations = [polarization(env, k) for env in envs for k in range(env.vec.num_envs)]
        mean = sum(polarizations) / len(polarizations) if polarizations else math.nan
        alignment = local_alignment(self.observations.flatten(0, 1).cpu().numpy())
        return dict(zip(SEEN, (float(self.rewards.mean()), alignment, mean), strict=True))

    def _in_this_process(self) -> bool:
        return isinstance(self.vecenv, pufferlib.vector.Serial | Boids)

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

        Each file is written whole or not at all. Returns the path of the first. Raises: UserError, if training diverged.
        """
        self.check_finite()
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
            "config": self._run,
        }
        _save(state, checkpoints / "trainer_state.pt")
        parameters, seed = self.vecenv.driver_env.parameters, self.config["seed"]
        meta = {"parameters": dict(parameters), "seed": seed, "agent_steps": self.global_step}
        self.uncompiled_policy.export(folder / "policy.npz", meta)
        return str(model)

    def check_finite(self) -> None:
        """Raises: UserError, if a weight is no finite number any more."""
        if not all(torch.isfinite(weight).all() for weight in self.uncompiled_policy.parameters()):
            raise UserError("training diverged: a smaller --train.learning-rate may help; the last checkpoint is as it was")

    def restore(self, state: dict[str, Any]) -> None:
        """Continues from `state`, of `_resumed`. The flocks are not part of it and start again.

        Raises: UserError, if it was saved from another network, or is damaged.
        """
        model = Path(self.config["data_dir"]) / CHECKPOINTS / state["model_name"]
        try:
            kept = {name: tensor.clone() for name, tensor in self.uncompiled_policy.named_buffers()}  # the mirror
            self.uncompiled_policy.load_state_dict(read_torch(model))
            if not all(torch.equal(kept[name], tensor) for name, tensor in self.uncompiled_policy.named_buffers()):
                raise ValueError("another mirror")
            self.optimizer.load_state_dict(state["optimizer_state_dict"])
            for weight, moments in self.optimizer.state.items():
                if any(moment.shape != weight.shape for moment in moments.values() if moment.dim()):
                    raise ValueError("an optimizer of other weights")
            torch.set_rng_state(state["random_state"])
        except UserError:
            raise
        except Exception as error:  # torch raises many kinds on entries that are none of its own
            *_, why = (str(error).strip() or type(error).__name__).splitlines()
            raise UserError(f"{model}: does not fit this config: {why.strip()}") from None
        self.check_finite()
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
        overwrite: replaces the run in `out`, as soon as everything else has turned out to be right.

    Returns:
        Whether training ran to its end; False after Ctrl-C, which saves first.

    Raises:
        UserError: `out` holds a run, or none to resume, or another process trains into it; values that do not fit together;
            a worker process has ended; training diverged.
        OSError: a file cannot be written.
    """
    _refuse_torchrun()
    with Interrupts() as interrupts, locked(out):
        state = _resumed(out, config) if resume else {}
        if not (resume or overwrite):
            refuse_a_run(out)
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
        logger = Logger(out / "log.csv", COLUMNS, state.get("global_step"))
        with _vecenv(config) as vecenv:
            _check_sizes(settings, vecenv.num_agents)
            with _puffer_errors("train", config), warnings.catch_warnings():
                warnings.filterwarnings("ignore", message=".*CUDA is not available", category=UserWarning)
                policy = network.Policy(vecenv, **config["policy"]).to(settings["device"])
                trainer = Trainer(settings, vecenv, policy, logger, config, before)
            try:
                if resume:
                    trainer.restore(state)
                elif overwrite:
                    clear_run(out)
                logger.start()
                with loggers.logger(config, out) as logger.also, _workers_watched(vecenv), interrupts.noted():
                    while trainer.global_step < settings["total_timesteps"] and not interrupts.caught:
                        trainer.evaluate()
                        trainer.train()
                        trainer.check_finite()
                    trainer.save_checkpoint()
            finally:
                trainer.utilization.stop()  # its thread would keep the process alive
            _print_time(trainer.time_split())
        return not interrupts.caught


def _resumed(out: Path, config: Config) -> dict[str, Any]:
    """The trainer_state.pt to continue from. Says where the flocks are others now. Raises: UserError."""
    path = out / CHECKPOINTS / "trainer_state.pt"
    if not path.exists():
        raise UserError(f"{out}: expected a run to resume, found no {CHECKPOINTS}/trainer_state.pt")
    state = read_torch(path)
    if not isinstance(state, dict):
        raise UserError(f"{path}: expected a checkpoint of boids train, got a {type(state).__name__}")
    for name, kinds in STATE.items():
        value = state.get(name)
        if name not in state or isinstance(value, bool) or not isinstance(value, kinds):
            got = f"a {type(value).__name__}" if name in state else "none"
            raise UserError(f"{path}: expected an entry {name} of type {kinds[0].__name__}, got {got}")
        if isinstance(value, int | float) and not 0 <= value < 2**53:
            raise UserError(f"{path}: {name}: expected a number of at least 0, got {value}")
    if not re.fullmatch(r"model_\d+\.pt", state["model_name"]):
        raise UserError(f"{path}: model_name: expected a name like model_000050.pt, got {state['model_name']!r}")
    then = state["config"].get("env")
    if isinstance(then, dict):
        defaults = {name: what["default"] for name, what in VecEnv.parameters.items()}
        was, now = {**defaults, **then}, {**defaults, **config["env"]}
        others = [f"{option(f'env.{key}')} {now[key]} instead of {was.get(key)}" for key in now if now[key] != was.get(key)]
        if others:
            print(f"boids: resuming with other flocks: {', '.join(others)}", file=sys.stderr)
    return state


def _refuse_torchrun() -> None:
    """Raises: UserError, in one of several processes that torchrun has started: each would train the same policy."""
    if os.environ.get("WORLD_SIZE", "1") != "1":
        processes, rank = os.environ["WORLD_SIZE"], os.environ.get("RANK", "?")
        raise UserError(f"boids train uses one process, and torchrun has started {processes} (this is rank {rank})")


def _check_sizes(settings: dict[str, Any], agents: int) -> None:
    """Raises: UserError, where batches, minibatches and the number of boids do not go together."""
    steps, batch, minibatch = settings["bptt_horizon"], settings["batch_size"], settings["minibatch_size"]
    if steps == batch == "auto":
        raise UserError("--train.batch-size, --train.bptt-horizon: expected a number for one of them, got auto and auto")
    batch = agents * steps if batch == "auto" else batch
    steps = batch // agents if steps == "auto" else steps
    if batch == 0 or steps == 0 or batch % (agents * steps):
        raise UserError(
            f"--train.batch-size: expected a multiple of {agents * max(steps, 1)}, which is {agents} boids x"
            f" {max(steps, 1)} steps (--train.bptt-horizon), got {batch}"
        )
    if minibatch > batch or minibatch % steps:
        raise UserError(
            f"--train.minibatch-size: expected a multiple of {steps}, the --train.bptt-horizon, up to {batch}, the batch of"
            f" {agents} boids, got {minibatch}"
        )
    if minibatch > (most := settings["max_minibatch_size"]) and (minibatch % most or most % steps):
        raise UserError(f"--train.max-minibatch-size: expected a divisor of {minibatch} that {steps} divides, got {most}")
    if settings["total_timesteps"] < batch:
        raise UserError(f"--train.total-timesteps: expected at least one batch, {batch}, got {settings['total_timesteps']}")


@contextmanager
def _vecenv(config: Config) -> Iterator[Any]:
    """The flocks in PufferLib's backend. Raises: UserError."""
    ray = config["vec"]["backend"] == "Ray"
    if ray:
        _connect_to_ray()
    with _puffer_errors("vec", config), _interrupts_ignored():
        vecenv = pufferlib.vector.make(Boids, env_kwargs=config["env"], **config["vec"])
    try:
        yield vecenv
    except BaseException:
        if ray:  # its close() would wait for the workers, of which one may be the cause
            vecenv.close = vecenv.driver_env.close
        raise
    finally:
        vecenv.close()
        if ray:
            sys.modules["ray"].shutdown()


def _connect_to_ray() -> None:
    """Starts a Ray cluster on this machine. Connects to a running one only where RAY_ADDRESS names it.

    Left to itself, Ray connects to whatever address the last cluster has left behind. Raises: UserError.
    """
    try:
        import ray
    except ModuleNotFoundError:
        raise UserError("--vec.backend Ray needs ray, which is not installed: pip install ray") from None
    if ray.is_initialized():
        return
    address = os.environ.get("RAY_ADDRESS") or "local"
    local: dict[str, Any] = {"include_dashboard": False} if address == "local" else {}
    what = "start a cluster" if address == "local" else f"connect to RAY_ADDRESS={address}"
    try:
        if address != "local":  # ray.init() waits for a cluster that is gone, deaf to Ctrl-C: another process tries first
            command = [sys.executable, "-c", "import ray, sys; ray.init(address=sys.argv[1])", address]
            subprocess.run(command, check=True, capture_output=True, timeout=RAY_SECONDS, start_new_session=True)
        ray.init(address=address, logging_level=logging.ERROR, **local)
    except subprocess.TimeoutExpired:
        raise UserError(f"--vec.backend Ray: cannot {what}: no answer in {RAY_SECONDS:.0f} s") from None
    except Exception as error:  # ray raises many kinds
        lines = (error.stderr.decode() if isinstance(error, subprocess.CalledProcessError) else str(error)).split("\n")
        raise UserError(f"--vec.backend Ray: cannot {what}: {next(filter(None, reversed(lines)), '?')}") from None


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


def _device(name: str) -> str:
    """Raises: UserError."""
    if name == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    try:
        kind = torch.device(name).type
    except RuntimeError:
        kind = "none"
    if kind not in ("cpu", "cuda", "mps", "xpu"):
        raise UserError(f"--train.device: expected auto, cpu, cuda or another device of torch, got {name}")
    if kind == "cuda" and not torch.cuda.is_available():
        raise UserError(f"--train.device: expected cpu, because torch finds no GPU, got {name}")
    return name


@contextmanager
def _puffer_errors(section: str, config: Config) -> Iterator[None]:
    """Turns the errors of PufferLib and torch about a section of the config into UserErrors, in the names of its options."""
    try:
        yield
    except ModuleNotFoundError as error:
        raise UserError(f"these options need {error.name}, which is not installed") from None
    except (pufferlib.APIUsageError, TypeError, ValueError, RuntimeError) as error:
        first = (str(error).splitlines() or ["?"])[0]
        names = rf"\b({'|'.join(key for key in config[section] if '_' in key)})\b"
        raise UserError(re.sub(names, lambda found: option(f"{section}.{found[0]}"), first)) from None


@contextmanager
def _handler(name: str, handler: Any) -> Iterator[None]:
    """A handler of a signal for a while, where the system has such a signal."""
    number = getattr(signal, name, None)
    before = signal.signal(number, handler) if number is not None else None
    try:
        yield
    finally:
        if number is not None:
            signal.signal(number, before)


@contextmanager
def _interrupts_ignored() -> Iterator[None]:
    """Processes started here ignore Ctrl-C. A terminal sends it to all of them, and only the trainer should act on it."""
    with _handler("SIGINT", signal.SIG_IGN):
        yield


@contextmanager
def _workers_watched(vecenv: Any) -> Iterator[None]:
    """Raises: UserError, when a worker process ends. PufferLib would wait for it for ever."""
    workers = getattr(vecenv, "processes", [])  # of the backend Multiprocessing alone
    if not workers:
        yield
        return

    def look(*_: Any) -> None:
        for worker in workers:
            if (status := worker.exitcode) is not None:
                how = f"killed by signal {-status}" if status < 0 else f"exit status {status}"
                raise UserError(f"a worker process has ended ({how}); --resume continues from the last checkpoint")

    with _handler("SIGCHLD", look):
        look()
        yield


def _save(what: Any, path: Path) -> None:
    buffer = io.BytesIO()
    torch.save(what, buffer)
    with whole(path) as partial:
        partial.write_bytes(buffer.getbuffer())
