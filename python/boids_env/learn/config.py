"""The configuration of a run: PufferLib's default.ini, `boids.ini` over it, and the command line over both.

A value has one name everywhere, `section.key`. The command line spells it `--section.key value`.
"""

from __future__ import annotations

import ast
import configparser
import difflib
from collections.abc import Callable, Iterable, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from boids_env._boids import VecEnv, layout
from boids_env.errors import UserError, needs_pufferlib

if TYPE_CHECKING:
    from boids_env._boids import Parameter

Config = dict[str, dict[str, Any]]
Convert = Callable[[str], Any]  # text from the command line to a value. Raises: ValueError, which says what was expected

OWN_INI = Path(__file__).with_name("boids.ini")
SECTIONS = ("base", "vec", "env", "policy", "rnn", "train")  # PufferLib's [sweep] is not for `boids train`
AUTO = ("num_workers", "batch_size", "bptt_horizon")  # integers, or `auto`


def defaults() -> Config:
    """The values of the ini files, by section and key. Without PufferLib they are those of boids.ini alone."""
    parser = configparser.ConfigParser()
    spec = find_spec("pufferlib")
    if spec is not None and spec.origin is not None:
        parser.read(Path(spec.origin).parent / "config" / "default.ini")
    parser.read(OWN_INI)
    return {s: {key: _literal(text) for key, text in parser[s].items()} for s in SECTIONS if s in parser}


def load(overrides: Mapping[str, Any] | None = None) -> Config:
    """The whole configuration of a run.

    Args:
        overrides: values by `section.key`.

    Raises:
        UserError: PufferLib is not installed; an override of an unknown name; a parameter that the flock refuses.
    """
    if find_spec("pufferlib") is None:
        raise UserError(needs_pufferlib("training"))
    config = defaults()
    known = {*(f"{section}.{key}" for section in config for key in config[section]), *map(env_name, VecEnv.parameters)}
    for name, value in (overrides or {}).items():
        if name not in known:
            raise unknown_option(option(name), map(option, sorted(known)))
        section, key = name.split(".")
        config[section][key] = value
    check_parameters({key: value for key, value in config["env"].items() if key in VecEnv.parameters})
    return config


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
    near = difflib.get_close_matches(given.lstrip("-"), [name.lstrip("-") for name in known], n=3)
    return UserError(f"unknown option {given}" + (f": did you mean {' or '.join('--' + n for n in near)}?" if near else ""))


def integer(text: str) -> int:
    """An integer, also as 2_000_000 or 2e6."""
    value = _literal(text)
    if isinstance(value, bool) or not isinstance(value, int | float) or value != value // 1:
        raise ValueError(f"expected an integer, got {text!r}")
    return int(value)


def number(text: str) -> float:
    """A number; `nan` and `inf` are none."""
    value = _literal(text)
    if isinstance(value, bool) or not isinstance(value, int | float):
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


def in_range(parameter: Parameter) -> str:
    """The range of a number, with its unit."""
    digits, unit = (".0f" if parameter["type"] == "int" else ".9g"), f" {parameter['unit']}" if parameter["unit"] else ""
    return f"[{parameter['min']:{digits}}, {parameter['max']:{digits}}]{unit}"


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
    except (ValueError, SyntaxError):
        return text
