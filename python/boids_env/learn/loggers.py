"""Where a learning curve goes besides log.csv: TensorBoard, wandb or neptune, by [log] of boids.ini."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from boids_env.errors import UserError
from boids_env.learn.config import Config

Log = Callable[[int, Mapping[str, float]], None]  # (agent-steps, figures by name)


@contextmanager
def logger(config: Config, out: Path) -> Iterator[Log | None]:
    """What takes the rows of the curve of this run; None where there is no logger.

    TensorBoard's files are in the folder of the run. wandb and neptune read their keys and modes from the environment, as
    WANDB_MODE=offline and NEPTUNE_MODE=offline. A run that is resumed is another run to them.

    Raises:
        UserError: the package is not installed, or it refuses to begin.
    """
    settings = config.get("log", {})
    kind = settings.get("logger", "none")
    if kind == "none":
        yield None
        return
    name = str(settings["name"]) if settings["name"] else out.resolve().name
    flat = {f"{section}.{key}": value for section, values in config.items() for key, value in values.items()}
    try:
        log, close = {"tensorboard": _tensorboard, "wandb": _wandb, "neptune": _neptune}[kind](settings, name, out, flat)
    except ModuleNotFoundError as error:
        raise UserError(f"--log.logger: {kind} needs {error.name}, which is not installed: pip install {kind}") from None
    except UserError:
        raise
    except Exception as error:  # each raises kinds of its own, such as for a missing key
        first = next(filter(None, str(error).splitlines()), type(error).__name__)
        raise UserError(f"--log.logger: {kind} does not begin: {first}") from None
    try:
        yield lambda agent_steps, row: log(agent_steps, {key: value for key, value in row.items() if math.isfinite(value)})
    finally:
        close()


Opened = tuple[Log, Callable[[], None]]


def _tensorboard(settings: Mapping[str, Any], name: str, out: Path, config: Mapping[str, Any]) -> Opened:
    from tensorboard.summary import Writer

    writer = Writer(str(out))

    def log(agent_steps: int, row: Mapping[str, float]) -> None:
        for key, value in row.items():
            writer.add_scalar(key, value, agent_steps)

    return log, writer.close


def _wandb(settings: Mapping[str, Any], name: str, out: Path, config: Mapping[str, Any]) -> Opened:
    import wandb

    out.mkdir(parents=True, exist_ok=True)
    run = wandb.init(project=settings["project"], name=name, dir=str(out), config=dict(config))
    return lambda agent_steps, row: run.log(dict(row), step=agent_steps), run.finish


def _neptune(settings: Mapping[str, Any], name: str, out: Path, config: Mapping[str, Any]) -> Opened:
    import neptune

    # it has no run of that name without a workspace: WORKSPACE/PROJECT
    run = neptune.init_run(
        project=settings["project"], name=name, capture_hardware_metrics=False, capture_stdout=False, capture_stderr=False,
        capture_traceback=False,
    )  # fmt: skip
    run["config"] = {key: str(value) for key, value in config.items()}

    def log(agent_steps: int, row: Mapping[str, float]) -> None:
        for key, value in row.items():
            run[key].append(value, step=agent_steps)

    return log, run.stop
