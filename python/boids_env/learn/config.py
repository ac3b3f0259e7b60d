"""The configuration of a run: `boids.ini`, a named setting over it, and the command line over both.

A value has one name everywhere, `section.key`. The command line spells it `--section.key value`. For PuffeRL, PufferLib's
default.ini is below them all.
"""

from __future__ import annotations

import ast
import configparser
import difflib
import sys
from collections.abc import Callable, Iterable, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from boids_env._boids import MAX_ENVS, Learner, VecEnv, layout
from boids_env.env.describe import in_range
from boids_env.errors import UserError, needs_pufferlib

if TYPE_CHECKING:
    from boids_env._boids import Parameter

Config = dict[str, dict[str, Any]]
Convert = Callable[[str], Any]  # text from the command line to a value. Raises: ValueError, which says what was expected

OWN_INI = Path(__file__).with_name("boids.ini")
SETTINGS = Path(__file__).with_name("settings")  # the named settings: an ini file each
# by trainer; PufferLib's [sweep] is not for `boids train`
SECTIONS = {"native": ("env", "learn", "log"), "pufferl": ("base", "vec", "env", "policy", "rnn", "train", "log")}
AUTO = ("num_workers", "batch_size", "bptt_horizon")  # integers, or `auto`
MANY = 2**31 - 1
# least and most of the values that neither the flock checks nor PufferLib; an integer where the least is one
LIMITS: dict[str, tuple[int, int] | tuple[float, float]] = {
    "learn.seed": (0, 2**63 - 1), "learn.num_threads": (1, 1024), "learn.agent_steps": (1, 2**53),
    "vec.num_envs": (1, 1024), "vec.num_workers": (1, 1024), "vec.batch_size": (1, 1024), "vec.seed": (0, 2**32 - 1),
    "env.num_envs": (1, MAX_ENVS), "env.num_threads": (1, 1024), "env.log_interval": (1, MANY),
    "policy.hidden_size": (1, 1024), "policy.hidden_layers": (1, 8),
    "train.seed": (0, 2**32 - 1), "train.cpu_threads": (1, 1024), "train.total_timesteps": (1, 2**53),
    "train.checkpoint_interval": (1, MANY), "train.bptt_horizon": (1, MANY), "train.batch_size": (1, MANY),
    "train.minibatch_size": (1, MANY), "train.max_minibatch_size": (1, MANY), "train.update_epochs": (1, 10_000),
    "train.learning_rate": (0.0, 1.0), "train.gamma": (0.0, 1.0), "train.gae_lambda": (0.0, 1.0),
    "train.adam_beta1": (0.0, 0.999999), "train.adam_beta2": (0.0, 0.999999), "train.adam_eps": (0.0, 1.0),
    "train.ent_coef": (0.0, 1e3), "train.vf_coef": (0.0, 1e3), "train.clip_coef": (0.0, 1e3),
    "train.vf_clip_coef": (0.0, 1e6), "train.max_grad_norm": (0.0, 1e6), "train.prio_alpha": (0.0, 10.0),
    "train.prio_beta0": (0.0, 10.0), "train.vtrace_rho_clip": (0.0, 1e6), "train.vtrace_c_clip": (0.0, 1e6),
}  # fmt: skip
CHOICES = {
    "vec.backend": ("Serial", "Multiprocessing", "Ray", "PufferEnv"),
    "log.logger": ("none", "tensorboard", "wandb", "neptune"),
    "base.policy_name": ("Policy",),
    "base.rnn_name": (None,),
    "train.optimizer": ("adam", "muon"),
    "train.precision": ("float32", "bfloat16"),
}


def settings() -> list[str]:
    """The names of the named settings."""
    return sorted(path.stem for path in SETTINGS.glob("*.ini"))


def setting_parameters(setting: str) -> dict[str, Any]:
    """The parameters of a named setting that are not the episode's. Raises: UserError, for another name."""
    if setting not in settings():
        raise UserError(f"--setting: expected {' or '.join(settings())}, got {setting}")
    parser = configparser.ConfigParser()
    parser.read(SETTINGS / f"{setting}.ini")
    names = set(VecEnv.parameters) - {"horizon", "warmup", "stagger"}
    return {name: _literal(text) for name, text in parser["env"].items() if name in names}


def defaults(trainer: str, setting: str | None = None) -> Config:
    """The values of the ini files, by section and key. Without PufferLib those of its own ini file are missing."""
    parser = configparser.ConfigParser()
    if trainer == "native":
        parser["learn"] = {name: str(what["default"]) for name, what in Learner.settings.items()}
    else:
        spec = find_spec("pufferlib")
        if spec is not None and spec.origin is not None:
            parser.read(Path(spec.origin).parent / "config" / "default.ini")
    parser.read(OWN_INI)
    if setting is not None:
        parser.read(SETTINGS / f"{setting}.ini")
    config = {s: {key: _literal(text) for key, text in parser[s].items()} for s in SECTIONS[trainer] if s in parser}
    if trainer == "native":
        config["env"].pop("log_interval", None)  # of PuffeRL's infos
    return config


def load(
    overrides: Mapping[str, Any] | None = None,
    trainer: str = "native",
    setting: str | None = None,
    resumed: Mapping[str, Mapping[str, Any]] | None = None,
) -> Config:
    """The whole configuration of a run.

    Args:
        overrides: values by `section.key`.
        trainer: `native` or `pufferl`.
        setting: the name of one of `settings()`.
        resumed: the config of a run that is resumed, over the defaults.

    Raises:
        UserError: PufferLib is needed and not installed; an override of an unknown name or out of its range; a parameter
            that the flock refuses.
    """
    if trainer == "pufferl" and find_spec("pufferlib") is None:
        raise UserError(needs_pufferlib("--trainer pufferl"))
    if setting is not None:
        setting_parameters(setting)
    config = defaults(trainer, setting)
    for section in config:
        for key, value in (resumed or {}).get(section, {}).items():
            config[section][key] = value
            _check(f"{section}.{key}", value)
    known = {*(f"{section}.{key}" for section in config for key in config[section]), *map(env_name, VecEnv.parameters)}
    for name, value in (overrides or {}).items():
        if name not in known:
            raise _unknown(name, known, trainer)
        section, key = name.split(".")
        config[section][key] = value
        _check(name, value)
    check_parameters({key: value for key, value in config["env"].items() if key in VecEnv.parameters})
    return config


def _unknown(name: str, known: Iterable[str], trainer: str) -> UserError:
    """The error for a value that this trainer does not have."""
    other = "pufferl" if trainer == "native" else "native"
    section, _, key = name.partition(".")
    if section not in SECTIONS[trainer] or key not in defaults(trainer)[section]:
        theirs = defaults(other).get(section, {})
        if key in theirs or (section not in SECTIONS[trainer] and section in SECTIONS[other]):
            return UserError(f"{option(name)}: expected an option of --trainer {trainer}, got one of --trainer {other}")
    return unknown_option(option(name), map(option, sorted(known)))


def _check(name: str, value: Any) -> None:
    """Raises: UserError, for a value that is none of the CHOICES or outside the LIMITS."""
    if name in CHOICES and value not in CHOICES[name]:
        raise UserError(f"{option(name)}: expected {' or '.join(map(str, CHOICES[name]))}, got {value}")
    if name in LIMITS and not (value == "auto" and name.partition(".")[2] in AUTO):
        least, most = LIMITS[name]
        kinds: tuple[str, Any] = ("an integer", int) if isinstance(least, int) else ("a number", int | float)
        if isinstance(value, bool) or not isinstance(value, kinds[1]) or not least <= value <= most:
            limits = f"[{least}, {most}]" if isinstance(least, int) else f"[{least:g}, {most:g}]"
            raise UserError(f"{option(name)}: expected {kinds[0]} in {limits}, got {value}")


def to_ini(config: Config) -> str:
    """The config as an ini file."""
    sections = (f"[{s}]\n" + "".join(f"{key} = {value}\n" for key, value in keys.items()) for s, keys in config.items())
    return "\n".join(sections)


def check_parameters(parameters: Mapping[str, Any]) -> None:
    """Raises: UserError, where the flock refuses these parameters: one is out of its range, or two do not go together."""
    try:
        layout(**parameters)
    except (TypeError, ValueError) as error:
        raise UserError(str(error)) from None


# ---- Names and values on the command line


def env_name(parameter: str) -> str:
    """A parameter of the flock as `section.key`."""
    return f"env.{parameter}"


def option(name: str) -> str:
    """`section.key` as the command line spells it."""
    return "--" + name.replace("_", "-")


def unknown_option(given: str, known: Iterable[str]) -> UserError:
    """The error for an option that does not exist, with the names nearest to it."""
    names, bare = [name.lstrip("-") for name in known], given.lstrip("-").replace("_", "-")
    # one without its section, or with another; else one with a slip
    near = [name for name in names if name.rpartition(".")[2] == bare.rpartition(".")[2]]
    near = near or difflib.get_close_matches(bare, names, n=3)
    return UserError(f"unknown option {given}" + (f": did you mean {' or '.join('--' + n for n in near)}?" if near else ""))


def integer(text: str) -> int:
    """An integer, also as 2_000_000 or 2e6."""
    value = _literal(text)
    if isinstance(value, bool) or not isinstance(value, int | float) or value != value // 1:  # infinity // 1 is nan
        raise ValueError(f"expected an integer, got {text!r}")
    return int(value)


def number(text: str) -> float:
    """A number; `nan` and `inf` are none."""
    value = _literal(text)
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= sys.float_info.max:
        raise ValueError(f"expected a number, got {text!r}")
    return float(value)


def boolean(text: str) -> bool:
    """True or False, in any case, or 1 or 0."""
    if text.lower() not in ("true", "false", "1", "0"):
        raise ValueError(f"expected True or False, got {text!r}")
    return text.lower() in ("true", "1")


def like(key: str, example: Any) -> Convert:
    """The conversion of text to a value for this key, of the type of its default."""
    if key in AUTO:
        return _integer_or_auto
    by_type: dict[type, Convert] = {bool: boolean, int: integer, float: number, str: str}
    return by_type.get(type(example), _literal)


def integer_in(least: int, most: int) -> Convert:
    """The conversion of text to an integer in this range."""

    def convert(text: str) -> int:
        value = integer(text)
        if not least <= value <= most:
            raise ValueError(f"expected an integer in [{least}, {most}], got {text}")
        return value

    return convert


def converter(parameter: Parameter) -> Convert:
    """The conversion of text to a value of a parameter of the flock, within its range."""
    least, most = parameter["min"], parameter["max"]
    if parameter["type"] == "bool":
        return boolean
    if least is None or most is None:  # a choice: argparse compares it with the choices
        return str
    convert, kind = (integer, "an integer") if parameter["type"] == "int" else (number, "a number")

    def within(text: str) -> Any:
        try:
            value = convert(text)
        except ValueError:
            value = None
        if value is None or not least <= value <= most:
            raise ValueError(f"expected {kind} in {in_range(parameter)}, got {text}")
        return value

    return within


def _integer_or_auto(text: str) -> Any:
    if text == "auto":
        return text
    try:
        return integer(text)
    except ValueError:
        raise ValueError(f"expected an integer or auto, got {text!r}") from None


def _literal(text: str) -> Any:
    """A value as PufferLib reads it from an ini file: a Python literal, or else the text."""
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError):  # the last two of many brackets
        return text
