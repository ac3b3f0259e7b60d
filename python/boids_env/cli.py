"""The command `boids`."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from boids_env.errors import UserError

Command = Callable[[argparse.Namespace, dict[str, str]], int]


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs a command.

    Args:
        arguments: without the program's name; None takes the process's own.

    Returns:
        The exit status: 0, 2 after a mistake of the user's, told in one line on stderr, 130 after Ctrl-C.
    """
    try:
        return _run(sys.argv[1:] if arguments is None else arguments)
    except UserError as error:
        print(f"boids: {error}", file=sys.stderr)
        return 2
    except OSError as error:  # a file that cannot be written
        print(f"boids: {error.filename or 'file'}: {error.strerror or error}", file=sys.stderr)
        return 2
    except MemoryError:
        print("boids: out of memory", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130


def _run(arguments: Sequence[str]) -> int:
    from boids_env.config import split_overrides

    others, overrides = split_overrides(arguments)
    options = _parser().parse_args(others)
    if options.version:
        from boids_env import __version__

        print(f"boids {__version__}")
    elif options.command is None:
        _parser().print_help()
    else:
        return int(options.run(options, overrides))
    return 0


def _train(options: argparse.Namespace, overrides: dict[str, str]) -> int:
    from boids_env.config import load, to_ini

    if options.seed is not None:
        overrides = {"train.seed": options.seed, **overrides}
    config = load(overrides)
    if options.show_config:
        print(to_ini(config), end="")
        return 0
    try:
        from boids_env.train import train
    except ModuleNotFoundError as error:
        raise UserError(f"training needs {error.name}, which is not installed: see 'Installing PufferLib'") from None
    finished = train(config, options.out, resume=options.resume, overwrite=options.overwrite)
    print(f"{options.out / 'policy.npz'}" + ("" if finished else ": stopped early, --resume goes on"))
    return 0 if finished else 130


def _score(options: argparse.Namespace, overrides: dict[str, str]) -> int:
    from boids_env.config import env_parameters
    from boids_env.score import score, show, write_json

    parameters = env_parameters(overrides)
    settings = {name: getattr(options, name) for name in ("seeds", "steps", "last", "num_envs", "argmax")}
    scores = score(options.policies or ["random", "reynolds"], parameters=parameters, **settings)
    print("last {last} of {steps} steps, mean ± spread over {seeds} seeds of {num_envs} flocks".format(**settings))
    show(scores)
    if options.json:
        write_json(scores, options.json, {**settings, "parameters": parameters})
    return 0


def _record(options: argparse.Namespace, overrides: dict[str, str]) -> int:
    from boids_env.config import env_parameters
    from boids_env.record import record

    record(
        options.out,
        policy=options.policy,
        seconds=options.seconds,
        fps=options.fps,
        size=options.size,
        seed=options.seed,
        argmax=options.argmax,
        parameters=env_parameters(overrides),
    )
    print(f"{options.out}: {Path(options.out).stat().st_size / 1e6:.2f} MB")
    return 0


def _watch(options: argparse.Namespace, overrides: dict[str, str]) -> int:
    from boids_env.config import env_parameters
    from boids_env.watch import watch

    settings = {name: getattr(options, name) for name in ("seed", "fps", "steps", "in_terminal", "argmax")}
    watch(options.policy, parameters=env_parameters(overrides), **settings)
    return 0


def _bench(options: argparse.Namespace, overrides: dict[str, str]) -> int:
    from boids_env.bench import run
    from boids_env.core import positive

    if overrides:
        name = next(iter(overrides)).replace("_", "-")
        raise UserError(f"--{name}: bench takes no parameters of the flock; see boids bench --help")
    for name in ("rounds", "largest", "num_threads"):
        positive(name, getattr(options, name))
    run(options.rounds, options.seconds, options.largest, options.num_threads, options.json)
    return 0


def _size(text: str) -> tuple[int, int]:
    match = re.fullmatch(r"(\d+)x(\d+)", text)
    if match is None:
        raise argparse.ArgumentTypeError(f"expected WIDTHxHEIGHT, got {text!r}")
    return int(match[1]), int(match[2])


class _Parser(argparse.ArgumentParser):
    """argparse, whose complaints take one line."""

    def error(self, message: str) -> None:  # type: ignore[override]  # it never returns, by raising
        raise UserError(f"{message}; see {self.prog} --help")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="boids", description="A flock of boids that learns to fly together.", allow_abbrev=False)
    parser.add_argument("--version", action="store_true", help="print the version")
    parser.set_defaults(command=None)
    commands = parser.add_subparsers(title="commands", dest="command", metavar="COMMAND")

    def command(name: str, run: Command, text: str, epilog: str | None = None) -> argparse.ArgumentParser:
        sub = commands.add_parser(
            name,
            help=text,
            description=f"{text[0].upper()}{text[1:]}.",
            epilog=epilog or _parameters(),
            allow_abbrev=False,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        sub.set_defaults(run=run)
        return sub

    sub = command("train", _train, "train a policy with PufferLib")
    sub.usage = "boids train [OPTION ...] [--section.key VALUE ...]"
    sub.add_argument("--out", type=Path, default=Path("runs/flock"), metavar="DIR", help="folder to write (%(default)s)")
    sub.add_argument("--seed", metavar="N", help="of network, flocks and draws: the same as --train.seed N")
    kept = sub.add_mutually_exclusive_group()
    kept.add_argument("--resume", action="store_true", help="go on with the run in DIR")
    kept.add_argument("--overwrite", action="store_true", help="replace the run in DIR")
    sub.add_argument("--show-config", action="store_true", help="print every --section.key there is, and its value")

    sub = command("score", _score, "compare policies on the same unseen seeds")
    sub.usage = "boids score [POLICY ...] [OPTION ...] [--env.key VALUE ...]"
    sub.add_argument("policies", nargs="*", metavar="POLICY", help=_POLICY + "; random and reynolds if none is given")
    sub.add_argument("--seeds", type=int, default=5, metavar="N", help="flights of each policy (%(default)s)")
    sub.add_argument("--steps", type=int, default=800, metavar="N", help="that a flight lasts (%(default)s)")
    sub.add_argument("--last", type=int, default=200, metavar="N", help="steps at its end that count (%(default)s)")
    sub.add_argument("--num-envs", type=int, default=8, metavar="N", help="flocks in a flight (%(default)s)")
    sub.add_argument("--argmax", action="store_true", help=_ARGMAX)
    sub.add_argument("--json", metavar="FILE", help="write every figure there too")

    sub = command("watch", _watch, "fly a flock before your eyes, in a window or in the terminal")
    sub.usage = "boids watch [POLICY] [OPTION ...] [--env.key VALUE ...]"
    sub.add_argument("policy", nargs="?", default="learned", metavar="POLICY", help=_POLICY + " (%(default)s)")
    sub.add_argument("--terminal", action="store_true", dest="in_terminal", help="open no window")
    sub.add_argument("--fps", type=int, default=30, metavar="N", help="frames to a second in the terminal (%(default)s)")
    sub.add_argument("--steps", type=int, metavar="N", help="end after so many (go on)")
    sub.add_argument("--seed", type=int, default=0, metavar="N", help="of the flock (%(default)s)")
    sub.add_argument("--argmax", action="store_true", help=_ARGMAX)
    sub.epilog = _ROOM + _parameters()

    sub = command("record", _record, "film a flock as a GIF or MP4, or its last moment as a PNG")
    sub.usage = "boids record OUT [OPTION ...] [--env.key VALUE ...]"
    sub.add_argument("out", metavar="OUT", help="a .gif, an .mp4 or a .png")
    sub.add_argument("--policy", default="learned", help=_POLICY + " (%(default)s)")
    sub.add_argument("--seconds", type=float, default=10, metavar="S", help="of film, 30 steps each (%(default)s)")
    sub.add_argument("--fps", type=int, metavar="N", help="frames to a second (15, of an mp4 30)")
    sub.add_argument("--size", type=_size, default=(640, 360), metavar="WxH", help="in pixels (640x360)")
    sub.add_argument("--seed", type=int, default=0, metavar="N", help="of the flock (%(default)s)")
    sub.add_argument("--argmax", action="store_true", help=_ARGMAX)
    sub.epilog = _ROOM + _parameters()

    sub = command("bench", _bench, "measure how fast flocks step here", "The peers are for `make bench`, in the sources.")
    sub.add_argument("--rounds", type=int, default=9, metavar="N", help="that each figure is the median of (%(default)s)")
    sub.add_argument("--seconds", type=float, default=0.3, metavar="S", help="of a run (%(default)s)")
    sub.add_argument("--largest", type=int, default=1_000_000, metavar="N", help="boids in the large flock (%(default)s)")
    sub.add_argument("--num-threads", type=int, default=2, metavar="N", help="to compare with one (%(default)s)")
    sub.add_argument("--json", metavar="FILE", help="write every round's figures there too")
    return parser


_POLICY = "random, reynolds, learned (which ships), or a policy.npz, checkpoint (.pt) or folder of boids train"
_ARGMAX = "learned policies take their best turn, instead of drawing one by its score"
_ROOM = "Without --env.width and --env.height the world of more than 64 boids grows, so that each has as much room.\n\n"


def _parameters() -> str:
    """The flock's parameters, from the header's own words."""
    from boids_env._boids import VecEnv

    lines = ["parameters of the flock:"]
    for name, what in VecEnv.parameters.items():
        kind = "|".join(what["choices"]) if what["choices"] else what["unit"]
        option = f"--env.{name.replace('_', '-')} {what['default']}"
        lines.append(f"  {option:34} {what['doc']}{f' [{kind}]' if kind else ''}")
    return "\n".join(lines)
