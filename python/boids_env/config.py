"""What a run is made of: PufferLib's default.ini, `config/boids.ini` over it, and the command line over both.

A value has one name everywhere, `section.key`. The command line spells it `--section.key value` or
`--section.key=value`, with - or _ as one likes.
"""

from __future__ import annotations

import ast
import configparser
import difflib
import re
from collections.abc import Iterable, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from boids_env._boids import VecEnv, layout
from boids_env.errors import UserError, needs_pufferlib

Config = dict[str, dict[str, Any]]

OWN_INI = Path(__file__).parent / "config" / "boids.ini"
SECTIONS = ("base", "vec", "env", "policy", "rnn", "train")  # PufferLib's [sweep] is not for `boids train`
# the arguments of Boids that are no parameters of the flock, each with a value of its type
ENV_ARGUMENTS: dict[str, Any] = {"num_envs": 1, "num_threads": 1, "log_interval": 64}
AUTO = ("num_workers", "batch_size", "bptt_horizon")  # integers, or `auto`
_OPTION = re.compile(r"--(\w[\w-]*\.[\w.-]+)(?:=(.*))?", re.DOTALL)


def split_overrides(arguments: Sequence[str]) -> tuple[list[str], dict[str, str]]:
    """Parts `--section.key value` from the other arguments.

    Returns:
        The others in their order, and the values as written, by `section.key` spelled with _.

    Raises:
        UserError: a key without a value.
    """
    others: list[str] = []
    overrides: dict[str, str] = {}
    rest = iter(arguments)
    for argument in rest:
        match = _OPTION.fullmatch(argument)
        if match is None:
            others.append(argument)
            continue
        name, value = match[1], match[2]
        if value is None:
            value = next(rest, None)
        if value is None or (value.startswith("--") and match[2] is None):
            raise UserError(f"--{name}: expected a value after it")
        overrides[name.replace("-", "_")] = value
    return others, overrides


def load(overrides: Mapping[str, str] | None = None) -> Config:
    """The config by section and key, values in their Python types.

    Raises:
        UserError: PufferLib is not installed; an override of an unknown name or with a value of a wrong type.
    """
    spec = find_spec("pufferlib")
    if spec is None or spec.origin is None:
        raise UserError(needs_pufferlib("training"))
    parser = configparser.ConfigParser()
    parser.read([Path(spec.origin).parent / "config" / "default.ini", OWN_INI])
    config = {s: {key: _literal(text) for key, text in parser[s].items()} for s in SECTIONS}
    env = {f"env.{key}": text for key, text in parser["env"].items()}
    for name, text in (overrides or {}).items():
        section, _, key = name.partition(".")
        if section == "env":
            env[name] = text
        elif key in config.get(section, {}):
            config[section][key] = _like(name, text, config[section][key])
        else:
            raise _unknown(name, [f"{s}.{k}" for s in SECTIONS for k in config[s]] + _env_names(ENV_ARGUMENTS))
    config["env"] = env_parameters(env, ENV_ARGUMENTS)
    return config


def to_ini(config: Config) -> str:
    """The config as an ini file."""
    sections = (f"[{s}]\n" + "".join(f"{key} = {value}\n" for key, value in keys.items()) for s, keys in config.items())
    return "\n".join(sections)


def env_parameters(overrides: Mapping[str, str], arguments: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The flock's parameters among `overrides`, in their types and ranges.

    Args:
        overrides: values as written, by `env.name`.
        arguments: further names that are allowed, each with a value of its type.

    Raises:
        UserError: an unknown name, or a value the flock refuses.
    """
    arguments = arguments or {}
    values: dict[str, Any] = {}
    for name, text in overrides.items():
        section, _, key = name.partition(".")
        if section != "env" or (key not in VecEnv.parameters and key not in arguments):
            raise _unknown(name, _env_names(arguments))
        values[key] = _like(name, text, arguments[key] if key in arguments else VecEnv.parameters[key]["default"])
    try:
        layout(**{key: value for key, value in values.items() if key in VecEnv.parameters})
    except (TypeError, ValueError) as error:
        raise UserError(str(error)) from None
    return values


def _env_names(arguments: Iterable[str]) -> list[str]:
    return [f"env.{key}" for key in (*VecEnv.parameters, *arguments)]


def _option(name: str) -> str:
    """`section.key` as the command line spells it."""
    return "--" + name.replace("_", "-")


def _unknown(name: str, known: Iterable[str]) -> UserError:
    near = [_option(n) for n in difflib.get_close_matches(name, list(known), n=3)]
    return UserError(f"unknown option {_option(name)}" + (f": did you mean {' or '.join(near)}?" if near else ""))


def _literal(text: str) -> Any:
    """A value as PufferLib reads it from an ini file: a Python literal, or else the text."""
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return text


def _like(name: str, text: str, example: Any) -> Any:
    """`text` as a value of the type of `example`. Raises: UserError."""
    key = name.rpartition(".")[2]
    value = _literal(text)
    kind: type = type(example)
    if key in AUTO:
        if text == "auto":
            return text
        kind = int
    if kind is bool and text.lower() in ("true", "false", "1", "0"):
        return text.lower() in ("true", "1")
    if kind is int and isinstance(value, int | float) and not isinstance(value, bool) and value == value // 1:
        return int(value)
    if kind is float and isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    if kind is str:
        return text
    if kind is type(None):
        return value
    expected = {bool: "True or False", int: "an integer", float: "a number"}[kind] + (" or auto" if key in AUTO else "")
    raise UserError(f"{_option(name)}: expected {expected}, got {text!r}")
