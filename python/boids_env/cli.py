"""The command `boids`."""

from __future__ import annotations

import argparse
import difflib
import math
import re
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

from boids_env import console
from boids_env.errors import UserError

Command = Callable[[argparse.Namespace], int]


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs a command.

    Args:
        arguments: without the program's name; None takes the process's own.

    Returns:
        The exit status: 0; 2 after a mistake of the user's, printed in one line on stderr; 130 after Ctrl-C; 141 where
        nobody reads stdout any more.
    """
    given = sys.argv[1:] if arguments is None else list(arguments)
    try:
        with console.streams():
            return _run(given)
    except UserError as error:
        message = _in_options(str(error), given)
    except OSError as error:  # a file that cannot be written
        if isinstance(error, BrokenPipeError) and error.filename == "stdout":  # `boids score | head` has seen enough
            return 128 + 13
        message = f"{error.filename or 'file'}: {error.strerror or error}"
    except MemoryError:
        message = "out of memory"
    except KeyboardInterrupt:
        if arguments is None:  # a second one would print a traceback while the process ends
            signal.signal(signal.SIGINT, signal.SIG_IGN)
        return 130
    print(f"boids: {message}", file=sys.stderr)
    return 2


def _run(arguments: Sequence[str]) -> int:
    parser, commands = _parsers()
    first = next(iter(arguments), "-")
    if not first.startswith("-") and first not in commands:
        near = difflib.get_close_matches(first, commands, n=1)
        names = ", ".join(commands)
        raise UserError(
            f"unknown command {first!r}: " + (f"did you mean {near[0]}?" if near else f"expected one of {names}")
        )
    options, unknown = parser.parse_known_args([_with_hyphens(argument) for argument in arguments])
    if unknown:
        _refuse(unknown, options.command, commands.get(options.command, parser))
    if options.version:
        from boids_env import __version__

        print(f"boids {__version__}")
    elif options.include_dir or options.cmake_dir:
        from boids_env.sources import get_cmake_dir, get_include

        print(get_include() if options.include_dir else get_cmake_dir())
    elif options.command is None:
        parser.print_help()
    else:
        return int(options.run(options))
    return 0


def _in_options(message: str, arguments: Sequence[str]) -> str:
    """A message that begins with names of the API, `num_boids: expected ...`, with those of the command's options."""
    names, colon, rest = message.partition(": ")
    parser = _parsers()[1].get(next(iter(arguments), ""))
    if parser is None:
        return message
    known: dict[str, str] = {}
    for name in parser._option_string_actions:
        known.setdefault(name.rpartition(".")[2].lstrip("-").replace("-", "_"), name)
    found = [known.get(name) for name in names.split(", ")]
    return f"{', '.join(map(str, found))}{colon}{rest}" if all(found) else message


def _with_hyphens(argument: str) -> str:
    """`--section.some_key` as `--section.some-key`: either spelling will do."""
    name, equals, value = argument.partition("=")
    return name.replace("_", "-") + equals + value if re.match(r"--\w[\w-]*\.", name) else argument


def _refuse(unknown: Sequence[str], command: str | None, parser: argparse.ArgumentParser) -> None:
    """Raises: UserError, about arguments that no option took."""
    from boids_env.learn.config import SECTIONS, load, unknown_option

    given = next((argument for argument in unknown if argument.startswith("--")), unknown[0]).partition("=")[0]
    pufferls = set(SECTIONS["pufferl"]) - set(SECTIONS["native"])
    if command == "train" and given.startswith(tuple(f"--{section}." for section in pufferls)):
        load(trainer="pufferl")  # says where PufferLib is missing, whose keys are unknown without it
    if not given.startswith("-"):
        raise UserError(_see(f"unexpected argument {given!r}", parser))
    raise UserError(_see(str(unknown_option(given, parser._option_string_actions)), parser))


def _values(options: argparse.Namespace) -> dict[str, Any]:
    """The values of every --section.key, by `section.key`."""
    return {name: value for name, value in vars(options).items() if "." in name}


def _parameters(options: argparse.Namespace) -> dict[str, Any]:
    """The flock's parameters, by --setting and one by one. Raises: UserError, where the flock refuses them."""
    from boids_env.learn.config import check_parameters, setting_parameters

    parameters = setting_parameters(options.setting) if options.setting else {}
    parameters |= {name.removeprefix("env."): value for name, value in _values(options).items()}
    check_parameters(parameters)
    return parameters


def _train(options: argparse.Namespace) -> int:
    from boids_env.learn.config import load, to_ini
    from boids_env.learn.train import resumed_config, train

    if options.eval:
        return _evaluate(options.out, options)
    values, native = _values(options), options.trainer == "native"
    if options.seed is not None:
        values["learn.seed" if native else "train.seed"] = options.seed
    if options.distil:
        return _distil(options, values)
    if options.resume and options.setting:
        raise UserError("--setting: not possible with --resume, because the run has its settings")
    resumed = resumed_config(options.out, values) if native and options.resume else None
    config = load(values, options.trainer, options.setting, resumed)
    if options.show_config:
        print(to_ini(config), end="")
        return 0
    if native:
        finished = train(config, options.out, resume=options.resume, overwrite=options.overwrite)
    else:
        try:
            from boids_env.learn import pufferl
        except ModuleNotFoundError as error:
            raise UserError(
                f"--trainer pufferl needs {error.name}, which is not installed: see 'Installing PufferLib'"
            ) from None
        finished = pufferl.train(config, options.out, resume=options.resume, overwrite=options.overwrite)
    print(f"{options.out / 'policy.npz'}" + ("" if finished else ": stopped early, --resume continues"))
    return 0 if finished else 130


def _distil(options: argparse.Namespace, values: dict[str, Any]) -> int:
    from boids_env.learn.config import load, option, to_ini
    from boids_env.learn.distil import AGENT_STEPS, FLOCKS, OWN, distil

    if options.resume or options.trainer != "native":
        raise UserError("--distil: expected neither --resume nor --trainer pufferl beside it")
    for name in values:
        section, _, key = name.partition(".")
        if section == "learn" and key not in OWN:
            raise UserError(
                f"{option(name)}: not possible with --distil, which uses {', '.join(option(f'learn.{n}') for n in OWN)}"
            )
    own = {} if options.setting else {f"env.{name}": value for name, value in FLOCKS.items()}
    config = load({**own, "learn.agent_steps": AGENT_STEPS, **values}, setting=options.setting)
    if options.show_config:
        print(to_ini(config), end="")
        return 0
    finished = distil(options.distil, config, options.out, overwrite=options.overwrite)
    print(f"{options.out / 'policy.npz'}" + ("" if finished else ": stopped early"))
    return 0 if finished else 130


def _evaluate(out: Path, options: argparse.Namespace) -> int:
    """Scores the policy of a run beside the two that need no learning, and films it. Writes eval.json and eval.gif."""
    from boids_env._boids import VecEnv
    from boids_env.learn.config import option
    from boids_env.learn.score import score, show, write_json
    from boids_env.show.record import record

    for name in _values(options):
        if name.removeprefix("env.") not in VecEnv.parameters:
            raise UserError(f"--eval: expected options of the flock beside it, got {option(name)}")
    if not (out / "policy.npz").is_file():
        raise UserError(f"{out}: expected a run to evaluate, found no policy.npz")
    parameters = _parameters(options)
    scores = score(["random", "reynolds", str(out)], parameters=parameters)
    show(scores)
    write_json(scores, out / "eval.json", {"parameters": parameters})
    record(out / "eval.gif", policy=out, parameters=parameters)
    print(f"{out / 'eval.json'}\n{out / 'eval.gif'}")
    return 0


def _score(options: argparse.Namespace) -> int:
    from boids_env.files import whole
    from boids_env.learn.score import score, show, write_json

    parameters = _parameters(options)
    settings = {name: getattr(options, name) for name in ("seeds", "steps", "last", "num_envs", "argmax")}
    with ExitStack() as stack:
        out = stack.enter_context(whole(options.json)) if options.json else None
        scores = score(options.policies or ["random", "reynolds"], parameters=parameters, **settings)
        about = "last {last} of {steps} steps, mean ± spread over {seeds} seeds of {num_envs} flocks"
        print(console.printable(about.format(**settings)))
        show(scores)
        if out:
            write_json(scores, out, {**settings, "parameters": parameters})
    return 0


def _record(options: argparse.Namespace) -> int:
    from boids_env.show.record import record

    settings = {name: getattr(options, name) for name in ("policy", "seconds", "fps", "size", "seed", "argmax")}
    record(options.out, parameters=_parameters(options), **settings)
    print(f"{options.out}: {Path(options.out).stat().st_size / 1e6:.2f} MB")
    return 0


def _watch(options: argparse.Namespace) -> int:
    from boids_env.learn.config import load
    from boids_env.show.watch import watch

    settings = {name: getattr(options, name) for name in ("seed", "fps", "steps", "in_terminal", "argmax")}
    parameters, learn = _parameters(options), None
    if options.learn:
        if options.policy is not None:
            raise UserError(f"--learn: expected no policy beside it, got {options.policy}")
        # it learns in flocks of the usual size, however large the one is that is shown
        apart = {f"env.{name}": value for name, value in parameters.items() if name not in ("num_boids", "width", "height")}
        learn = load({**apart, "learn.seed": options.seed}, setting=options.setting)
    watch(options.policy or "learned", parameters=parameters, learn=learn, **settings)
    return 0


def _plot(options: argparse.Namespace) -> int:
    from boids_env.show.plot import plot

    plot(options.out, options.runs)
    print(options.out)
    return 0


def _bench(options: argparse.Namespace) -> int:
    from boids_env.bench import run

    if not 0 < options.seconds <= 3600:
        raise UserError(f"--seconds: expected more than 0 and up to 3600, got {options.seconds}")
    run(options.rounds, options.seconds, options.largest, options.num_threads, options.json)
    return 0


def _web(options: argparse.Namespace) -> int:
    from boids_env.show.web import show, show_env

    print(show_env(options.header, dict(options.values), options.out) if options.header else show(options.out))
    return 0


# ---- The options


def _value(text: str) -> tuple[str, float]:
    """NAME=NUMBER."""
    name, _, number = text.partition("=")
    try:
        value = float(number)
    except ValueError:
        value = math.nan
    if not name or not math.isfinite(value):
        raise argparse.ArgumentTypeError(f"expected NAME=NUMBER, got {text!r}")
    return name, value


class _Parser(argparse.ArgumentParser):
    """argparse with its messages in one line."""

    def error(self, message: str) -> NoReturn:
        raise UserError(_see(message.removeprefix("argument "), self))


def _see(message: str, parser: argparse.ArgumentParser) -> str:
    """The message, and where the options are listed."""
    return f"{message}{' See' if message.endswith('?') else '; see'} {parser.prog} --help"


def _parsers() -> tuple[argparse.ArgumentParser, Mapping[str, argparse.ArgumentParser]]:
    """The parser of everything, and those of the commands by name."""
    parser = _Parser(prog="boids", description="A flock of boids that learns to fly together.", allow_abbrev=False)
    parser.epilog = "boids COMMAND --help lists the options of a command."
    printed = parser.add_mutually_exclusive_group()
    printed.add_argument("--version", action="store_true", help="print the version")
    printed.add_argument(
        "--include-dir", action="store_true", help="print the folder of binding.c, env.h and the other C sources"
    )
    printed.add_argument("--cmake-dir", action="store_true", help="print the folder of boids_env-config.cmake")
    parser.set_defaults(command=None)
    commands = parser.add_subparsers(title="commands", dest="command", metavar="COMMAND")

    from boids_env._boids import MAX_ENVS, VecEnv
    from boids_env.learn import config

    def command(name: str, run: Command, text: str, usage: str, epilog: str | None = None) -> argparse.ArgumentParser:
        layout = partial(argparse.RawDescriptionHelpFormatter, max_help_position=36, width=124)
        sub = commands.add_parser(name, help=text, epilog=epilog, allow_abbrev=False, formatter_class=layout)
        sub.description, sub.usage = f"{text[0].upper()}{text[1:]}.", f"boids {name} {usage}"
        sub.set_defaults(run=run)
        return sub

    number, seed = _reported(config.number), _integer(0, 2**63 - 1)

    usage = "[OPTION ...] [--section.key VALUE ...]"
    epilog = "Examples: boids train --seed 2 --env.view-radius 150        boids train --setting mill --out runs/mill"
    sub = command("train", _train, "train a policy", usage, epilog)
    sub.add_argument("--out", type=Path, default=Path("runs/flock"), metavar="DIR", help="folder to write (%(default)s)")
    sub.add_argument(
        "--trainer", choices=tuple(config.SECTIONS), default="native",
        help="native, the learner in C (the default), or pufferl, PufferLib's trainer",
    )  # fmt: skip
    sub.add_argument(
        "--seed", type=_integer(*config.LIMITS["train.seed"]), metavar="N",
        help="seed of the network, the flocks and the draws; same as --learn.seed, or --train.seed of pufferl",
    )  # fmt: skip
    sub.add_argument(
        "--distil", nargs="?", const="planner", metavar="PLANNER",
        help="learn what a planner does (planner), such as planner:horizon=1,prior=none, in place of learning from rewards",
    )  # fmt: skip
    kept = sub.add_mutually_exclusive_group()
    kept.add_argument("--resume", action="store_true", help="continue the run in DIR")
    kept.add_argument("--overwrite", action="store_true", help="replace the run in DIR")
    kept.add_argument(
        "--eval", action="store_true", help="train nothing: score the policy in DIR, and film it, without a display"
    )
    sub.add_argument("--show-config", action="store_true", help="print every --section.key and its value")
    native = config.defaults("native")
    _add_parameters(sub, native["env"])
    _add_settings(sub, native["learn"])
    _add_config(sub)

    usage = "[POLICY ...] [OPTION ...] [--env.key VALUE ...]"
    sub = command("score", _score, "compare policies on the same unseen seeds", usage)
    sub.add_argument("policies", nargs="*", metavar="POLICY", help=_POLICY + " (random and reynolds)")
    sub.add_argument("--seeds", type=_integer(1, 1_000_000), default=5, metavar="N", help="number of seeds (%(default)s)")
    sub.add_argument(
        "--steps", type=_integer(1, STEPS), default=800, metavar="N", help="flight length in steps (%(default)s)"
    )
    sub.add_argument(
        "--last", type=_integer(1, STEPS), default=200, metavar="N", help="steps at the end that count (%(default)s)"
    )
    sub.add_argument(
        "--num-envs", type=_integer(1, MAX_ENVS), default=8, metavar="N", help="flocks for each seed (%(default)s)"
    )
    sub.add_argument("--argmax", action="store_true", help=_ARGMAX)
    sub.add_argument("--json", type=Path, metavar="FILE", help="also write every figure to this file")
    _add_parameters(sub)

    usage = "[POLICY] [OPTION ...] [--env.key VALUE ...]"
    sub = command("watch", _watch, "show a flock in a window or in the terminal", usage, _WORLD)
    sub.add_argument("policy", nargs="?", metavar="POLICY", help=_POLICY + " (learned)")
    sub.add_argument("--learn", action="store_true", help="show a fresh network that learns before your eyes")
    sub.add_argument("--terminal", action="store_true", dest="in_terminal", help="open no window")
    sub.add_argument(
        "--fps", type=_integer(1, 60), default=30, metavar="N", help="frames per second in the terminal (%(default)s)"
    )
    sub.add_argument("--steps", type=_integer(0, 2**53), metavar="N", help="end after this many steps (no end)")
    sub.add_argument("--seed", type=seed, default=0, metavar="N", help="seed of the flock (%(default)s)")
    sub.add_argument("--argmax", action="store_true", help=_ARGMAX)
    _add_parameters(sub)

    usage = "OUT [OPTION ...] [--env.key VALUE ...]"
    sub = command("record", _record, "write a film of a flock as GIF or MP4, or its last frame as PNG", usage, _WORLD)
    sub.add_argument("out", metavar="OUT", help="a .gif, an .mp4 or a .png")
    sub.add_argument("--policy", default="learned", help=_POLICY + " (%(default)s)")
    sub.add_argument("--seconds", type=number, default=10, metavar="S", help="length, 30 steps a second (%(default)s)")
    sub.add_argument("--fps", type=_integer(1, 30), metavar="N", help="frames per second (30 for an mp4, else 15)")
    size = "width and height in pixels (the world's shape within 640x480)"
    sub.add_argument("--size", type=_size, metavar="WxH", help=size)
    sub.add_argument("--seed", type=seed, default=0, metavar="N", help="seed of the flock (%(default)s)")
    sub.add_argument("--argmax", action="store_true", help=_ARGMAX)
    _add_parameters(sub)

    sub = command("plot", _plot, "draw the learning curves of runs as a PNG", "OUT RUN [RUN ...]")
    sub.add_argument("out", metavar="OUT", help="a .png")
    sub.add_argument("runs", nargs="+", metavar="RUN", help="folders of boids train, at most 8")

    epilog = "`make bench`, in the sources, also measures other implementations."
    largest = int(VecEnv.parameters["num_boids"]["max"] or 1)
    sub = command("bench", _bench, "measure how fast flocks step on this machine", "[OPTION ...]", epilog)
    sub.add_argument(
        "--rounds",
        type=_integer(1, 1_000_000),
        default=9,
        metavar="N",
        help="rounds; a figure is their median (%(default)s)",
    )
    sub.add_argument("--seconds", type=number, default=0.3, metavar="S", help="seconds of one measurement (%(default)s)")
    sub.add_argument(
        "--largest", type=_integer(1, largest), default=1_000_000, metavar="N", help="boids in the large flock (%(default)s)"
    )
    sub.add_argument(
        "--num-threads",
        type=_integer(1, 1024),
        default=2,
        metavar="N",
        help="threads to compare with one thread (%(default)s)",
    )
    sub.add_argument("--json", type=Path, metavar="FILE", help="also write the figures of every round to this file")

    sub = command(
        "web", _web, "open the page on which a flock, or any environment in C, learns in a browser", "[HEADER] [OPTION ...]"
    )
    sub.add_argument(
        "header",
        type=Path,
        nargs="?",
        help="the header of an environment, which is compiled with clang; without one, the flock",
    )
    sub.add_argument(
        "values", type=_value, nargs="*", metavar="NAME=VALUE", help="parameters of that header, and settings of the learner"
    )
    sub.add_argument("--out", type=Path, metavar="FILE", help="write the page to this file instead: one file with all in it")
    return parser, commands.choices


_POLICY = (
    "random, reynolds, learned (comes with the package), a policy.npz, checkpoint (.pt) or folder of boids train,"
    " or planner, planner:POLICY,horizon=5,flights=2 or planner:prior=none, which looks ahead"
)
_ARGMAX = "learned policies take the turn with the highest score, instead of drawing one by its score"
_WORLD = "Without --env.width and --env.height, the world of more than 64 boids is larger, so that each has as much room."


STEPS = 1_000_000_000  # the most in an episode


def _add_parameters(parser: argparse.ArgumentParser, defaults: Mapping[str, Any] | None = None) -> None:
    """--setting, and `--env.name` for each parameter of the flock, with its type, choices and help from the header.

    defaults: of this command, where they are not the header's.
    """
    from boids_env._boids import VecEnv
    from boids_env.env.describe import sentence
    from boids_env.learn.config import converter, env_name, option, settings

    group = parser.add_argument_group("parameters of the flock")
    group.add_argument("--setting", choices=settings(), help="a flock and its rewards by name, below the other parameters")
    for name, what in VecEnv.parameters.items():
        metavar = {"int": "N", "float": "X", "bool": "True|False"}.get(what["type"]) or "|".join(what["choices"] or ())
        text = sentence(what, (defaults or {}).get(name))
        group.add_argument(
            option(env_name(name)),
            dest=env_name(name),
            type=_reported(converter(what)),
            choices=what["choices"],
            default=argparse.SUPPRESS,
            metavar=metavar,
            help=text.replace("%", "%%"),
        )


def _add_settings(parser: argparse.ArgumentParser, defaults: Mapping[str, Any]) -> None:
    """An option `--learn.name` for each setting of the learner, with its type, choices and help from the header."""
    from boids_env._boids import Learner
    from boids_env.env.describe import sentence
    from boids_env.learn.config import LIMITS, converter, option

    group = parser.add_argument_group("settings of the learner, --trainer native")
    for name, text in {"agent_steps": "agent-steps to learn for", "num_threads": "threads that learn"}.items():
        full = f"learn.{name}"
        group.add_argument(
            option(full), dest=full, type=_integer(*LIMITS[full]), default=argparse.SUPPRESS, metavar="N",
            help=f"{text} ({defaults[name]})",
        )  # fmt: skip
    for name, what in Learner.settings.items():
        metavar = {"int": "N", "float": "X", "bool": "True|False"}.get(what["type"]) or "|".join(what["choices"] or ())
        default = "as many as agent_steps" if name == "anneal_steps" else defaults[name]
        group.add_argument(
            option(f"learn.{name}"),
            dest=f"learn.{name}",
            type=_reported(converter(what)),
            choices=what["choices"],
            default=argparse.SUPPRESS,
            metavar=metavar,
            help=sentence(what, default).replace("%", "%%"),
        )


def _add_config(parser: argparse.ArgumentParser) -> None:
    """An option `--section.key` for every other value of the ini files; `--show-config` lists them."""
    from boids_env.learn.config import SECTIONS, defaults, like, option

    known = parser._option_string_actions
    for trainer in SECTIONS:
        for section, values in defaults(trainer).items():
            for key, example in values.items():
                name = f"{section}.{key}"
                if option(name) not in known:
                    convert = _reported(like(key, example))
                    parser.add_argument(
                        option(name), dest=name, type=convert, default=argparse.SUPPRESS, help=argparse.SUPPRESS
                    )


def _reported(convert: Callable[[str], Any]) -> Callable[[str], Any]:
    """A conversion whose ValueError argparse prints in its own words, after the option's name."""

    def converted(text: str) -> Any:
        try:
            return convert(text)
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from None

    return converted


def _integer(least: int, most: int) -> Callable[[str], Any]:
    from boids_env.learn.config import integer_in

    return _reported(integer_in(least, most))


def _size(text: str) -> tuple[int, int]:
    match = re.fullmatch(r"(\d+)x(\d+)", text)
    if match is None:
        raise argparse.ArgumentTypeError(f"expected WIDTHxHEIGHT, got {text!r}")
    return int(match[1]), int(match[2])
