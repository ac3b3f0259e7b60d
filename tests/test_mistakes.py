"""Mistakes of a caller, a row each: it raises an exception that names the argument, what was expected and what came.

After each row the objects that it was made on are unchanged, and still step. Rows that could end the process run in another
interpreter (`APART`). Rows about the end of the interpreter (`AT_EXIT`) have one each. Calls that look like mistakes and
are accepted are in `test_what_is_no_mistake`. Rows that other tables have too are in `spoilt.py`.
"""

import array
import copy
import itertools
import math
import pickle
import re
import sys
import textwrap
import weakref
from types import SimpleNamespace

import numpy as np
import pytest

from boids_env import Flocks, VecEnv, _boids
from interpreter import python
from spoilt import (
    ALIGNED,
    FAR,
    GAPS,
    IN_ORDER,
    LONG,
    NO_ARRAY,
    NOT_BOOL,
    NOT_FLOAT,
    NOT_INT,
    WRITABLE,
    gaps,
    read_only,
    unaligned,
    ways_to_spoil,
)

NAMES = ["observations", "actions", "rewards", "terminals", "truncations"]
BOIDS, ENVS = 8, 2
AGENTS = BOIDS * ENVS
INT63 = "an int in [0, 9223372036854775807]"
FIELDS = "one of 'x', 'y', 'heading', 'rng'"
MODES = "None, 'rgb_array', 'ansi' or 'human'"
CLOSED, RESET_FIRST = "^VecEnv is closed$", r"^call reset\(\) first$"


def said(name, expected, got=""):
    """The one form of a message."""
    return f"^{re.escape(name)}: expected {re.escape(expected)}.*, got {re.escape(got)}"


def five():
    """The arrays of the objects under test, by name."""
    flags = {name: np.zeros(AGENTS, bool) for name in NAMES[3:]}
    observations, actions = np.zeros((AGENTS, 10), np.float32), np.zeros(AGENTS, np.int32)
    return {"observations": observations, "actions": actions, "rewards": np.zeros(AGENTS, np.float32)} | flags


def make(**changes):
    return VecEnv(**{**five(), "num_envs": ENVS, "num_boids": BOIDS, "horizon": 9, **changes})


@pytest.fixture
def its():
    """What a row makes its mistake on: a VecEnv and its arrays, and Flocks of either action; all of them in flight."""
    arrays = five()
    vec = make(**arrays)
    flocks = Flocks(ENVS, num_boids=BOIDS, horizon=9)
    floats = Flocks(ENVS, num_boids=BOIDS, horizon=9, action="continuous")
    for one in (vec, flocks, floats):
        one.reset(3)
        for _ in range(2):
            one.script()
            one.step()
    return SimpleNamespace(vec=vec, arrays=arrays, flocks=flocks, floats=floats)


def snapshot(its):
    """All that can have changed, but for the actions: Flocks.step() has written there what then is refused."""
    vecs = its.vec, its.flocks.vec, its.floats.vec
    state = [vec.get(name, env) for vec in vecs for name in VecEnv.state_fields for env in range(ENVS)]
    arrays = [its.arrays[name] for name in NAMES if name != "actions"]
    for flocks in (its.flocks, its.floats):
        arrays += [getattr(flocks, name) for name in NAMES if name != "actions"]
    return state, [a.tobytes() for a in arrays]


# ---- Arrays ---------------------------------------------------------------------------------------------------------------


TYPES = dict(zip(NAMES, ["float32 (16, 10)", "int32 (16,)", "float32 (16,)", "bool (16,)", "bool (16,)"], strict=True))


def array_rows():
    for name, good in five().items():
        for key, way in ways_to_spoil(good):
            message = way.message(name, good, TYPES[name])
            yield f"{name}-{key}", lambda its, n=name, w=way: make(**{n: w.spoil(five()[n])}), way.error, message
    for name in NAMES[:3]:
        yield f"{name}-unaligned", lambda its, n=name: make(**{n: unaligned(five()[n])}), ValueError, said(name, ALIGNED)
    for one, other in itertools.combinations(NAMES, 2):
        yield f"{other}-overlaps-{one}", lambda its, a=one, b=other: overlap(a, b), ValueError, f"^{other}: overlaps {one}$"
        yield (
            f"{other}-touches-{one}",
            lambda its, a=one, b=other: overlap(a, b, True),
            ValueError,
            f"^{other}: overlaps {one}$",
        )
    for name in NAMES:
        yield (
            f"{name}-missing",
            lambda its, n=name: VecEnv(**{k: a for k, a in five().items() if k != n}),
            TypeError,
            f"^{name}: missing$",
        )
        yield (
            f"{name}-twice",
            lambda its, n=name: VecEnv(*five().values(), **{n: five()[n]}),
            TypeError,
            f"^{name}: given both",
        )


def overlap(one, other, barely=False):
    """Two arrays of one memory: the same start, or the last bytes of one the first of the other."""
    a, b = five()[one], five()[other]
    start = (a.nbytes - b.itemsize) // b.itemsize * b.itemsize if barely else 0
    memory = np.zeros(a.nbytes + b.nbytes, np.uint8)
    first = memory[: a.nbytes].view(a.dtype).reshape(a.shape)
    return make(**{one: first, other: memory[start : start + b.nbytes].view(b.dtype).reshape(b.shape)})


# ---- Parameters, seeds and counts -----------------------------------------------------------------------------------------


def parameter_rows():
    for name, what in VecEnv.parameters.items():
        bad = {}
        if what["type"] == "int":
            bad = {key: (value, TypeError, "an int", "") for key, value in NOT_INT.items()}
            values = {"below": what["min"] - 1, "above": what["max"] + 1, "2**32": 2**32 + what["min"], **FAR}
            bad |= {
                key: (value, ValueError, f"an int in [{what['min']}, {what['max']}]", "") for key, value in values.items()
            }
        elif what["type"] == "float":
            bad = {key: (value, TypeError, "a float", "") for key, value in NOT_FLOAT.items()}
            values = {
                "below": what["min"] - 1,
                "above": what["max"] * 1.001,
                "nan": math.nan,
                "inf": math.inf,
                "-inf": -math.inf,
            }
            bad |= {key: (value, ValueError, "a float in [", "") for key, value in (values | FAR).items()}
        elif what["type"] == "choice":
            listed = "one of '" + "', '".join(what["choices"])
            bad = {
                key: (value, TypeError, listed, "")
                for key, value in {"int": 0, "None": None, "bytes": b"rules", "True": True}.items()
            }
            values = {
                "empty": "",
                "both": "|".join(what["choices"]),
                "upper": what["choices"][0].upper(),
                "nul": what["choices"][0] + "\0",
            }
            bad |= {key: (value, ValueError, listed, "'") for key, value in values.items()}
        else:
            bad = {key: (value, TypeError, "True or False", "") for key, value in NOT_BOOL.items()}
        for key, (value, error, expected, got) in bad.items():
            for kind, create in {"Flocks": Flocks, "VecEnv": make}.items():
                call = lambda its, c=create, n=name, v=value: c(**{n: v})  # noqa: E731  # one row of the table
                yield f"{kind}-{name}-{key}", call, error, said(name, expected, got)


def count_rows():
    """num_envs, num_threads and seed of the constructors, the seed of reset, and the env of whatever is about one flock."""
    ints = {"num_envs": "an int in [1, 1048576]", "num_threads": "an int in [1, 1024]", "seed": INT63}
    far = {"-1": -1, "2**40": 2**40, "2**63": 2**63, **FAR}
    for name, expected in ints.items():
        for key, value in NOT_INT.items():
            yield f"VecEnv-{name}-{key}", lambda its, n=name, v=value: make(**{n: v}), TypeError, said(name, "an int")
            if (name, key) != ("seed", "None"):
                yield f"Flocks-{name}-{key}", lambda its, n=name, v=value: Flocks(**{n: v}), TypeError, said(name, "an int")
        for key, value in (far if name == "seed" else {"0": 0, **far}).items():
            if (name, key) == ("seed", "2**40"):
                continue
            yield f"VecEnv-{name}-{key}", lambda its, n=name, v=value: make(**{n: v}), ValueError, said(name, expected)
            mine = "at " if name == "num_envs" else expected
            yield f"Flocks-{name}-{key}", lambda its, n=name, v=value: Flocks(**{n: v}), ValueError, said(name, mine)
    seeds = [(v, k, TypeError, "an int") for k, v in NOT_INT.items() if v is not None]
    seeds += [(v, k, ValueError, INT63) for k, v in far.items() if k != "2**40"]
    for value, key, error, expected in seeds:
        yield f"reset-seed-{key}", lambda its, v=value: its.vec.reset(v), error, said("seed", expected)
        yield f"Flocks-reset-seed-{key}", lambda its, v=value: its.flocks.reset(v), error, said("seed", expected)
    pixels = np.zeros((4, 4, 3), np.uint8)
    about_one = {
        "get": lambda its, env: its.vec.get("x", env),
        "set": lambda its, env: its.vec.set("rng", bytes(8), env),
        "render": lambda its, env: its.vec.render(pixels, env),
        "window": lambda its, env: its.vec.window(env),
        "pixels": lambda its, env: its.flocks.pixels(4, 4, env),
        "Flocks.render": lambda its, env: its.flocks.render(env=env),
    }
    places = [(v, k, TypeError, "an int") for k, v in NOT_INT.items()]
    places += [(v, k, ValueError, "an int in [0, 1]") for k, v in ({"num_envs": ENVS} | far).items()]
    for (where, call), (value, key, error, expected) in itertools.product(about_one.items(), places):
        yield f"{where}-env-{key}", lambda its, c=call, v=value: c(its, v), error, said("env", expected)


# ---- Actions --------------------------------------------------------------------------------------------------------------


def put(actions, agent, value):
    actions[agent] = value


def action_rows():
    turn, angle = "an integer in [0, 4], got ", "a float in [-1, 1], got "
    for agent in (0, BOIDS - 1, BOIDS, AGENTS - 1):
        for value in (5, -1, 2**31 - 1, -(2**31)):

            def written(its, agent=agent, value=value):
                its.arrays["actions"][agent] = value
                its.vec.step()

            def given(its, agent=agent, value=value):
                actions = np.zeros(AGENTS, np.int64)
                actions[agent] = value
                its.flocks.step(actions)

            message = "^" + re.escape(f"actions: agent {agent}: expected {turn}{value}") + "$"
            yield f"turn-{agent}-{value}", written, ValueError, message
            yield f"Flocks-turn-{agent}-{value}", given, ValueError, message
        for value in (math.nan, math.inf, -math.inf, 1.0000002, -2.0, 1e300):

            def steered(its, agent=agent, value=value):
                actions = np.zeros((AGENTS, 1))
                actions[agent] = value
                its.floats.step(actions)

            message = "^" + re.escape(f"actions: agent {agent}: expected {angle}")
            yield f"angle-{agent}-{value}", steered, ValueError, message
    shapes = {
        "short": (AGENTS - 1,),
        "long": (AGENTS + 1,),
        "column": (AGENTS, 1),
        "row": (1, AGENTS),
        "empty": (0,),
        "0-d": (),
    }
    for key, shape in shapes.items():
        message = "^" + re.escape(f"actions: expected shape (16,), got {shape}") + "$"
        yield f"actions-{key}", lambda its, s=shape: its.flocks.step(np.zeros(s, np.int32)), ValueError, message
    kinds = {
        "float": np.zeros(AGENTS),
        "bool": np.zeros(AGENTS, bool),
        "str": np.full(AGENTS, "1"),
        "object": np.zeros(AGENTS, object),
        "complex": np.zeros(AGENTS, complex),
        "structured": np.zeros(AGENTS, "i4,i4"),
        "dates": np.zeros(AGENTS, "M8[s]"),
        "None": [None] * AGENTS,
        "too_long": [LONG] * AGENTS,
    }
    for key, value in kinds.items():
        yield f"actions-{key}", lambda its, v=value: its.flocks.step(v), TypeError, said("actions", "int32")
        if key != "float":
            column = np.array(value)[:, None]
            yield f"angles-{key}", lambda its, v=column: its.floats.step(v), TypeError, said("actions", "float32")
    for key, value in {"str": "left", "int": 2, "dict": {}, "generator": iter([2] * AGENTS), "bytes": b"22"}.items():
        yield (
            f"actions-no-array-{key}",
            lambda its, v=value: its.flocks.step(v),
            ValueError,
            said("actions", "shape (16,)", "()"),
        )
    yield (
        "actions-ragged",
        lambda its: its.flocks.step([[1], [1, 2]]),
        ValueError,
        said("actions", "shape (16,)", "rows of unequal"),
    )
    for value in (2**31, -(2**31) - 1, 2**32):
        wide = [0] * (AGENTS - 1) + [value]
        yield f"actions-{value}", lambda its, v=wide: its.flocks.step(v), ValueError, f"^actions: {value} is beyond int32$"
    big = np.full(AGENTS, 2**64 - 1, np.uint64)
    yield "actions-uint64", lambda its: its.flocks.step(big), ValueError, f"^actions: {2**64 - 1} is beyond int32$"


# ---- State, pictures, modes, and how objects are called -------------------------------------------------------------------


def state_rows():
    for key, value in {
        "unknown": "z",
        "empty": "",
        "upper": "X",
        "two": "x|y",
        "surrogate": "\ud800",
        "log": "reward",
    }.items():
        yield f"get-{key}", lambda its, v=value: its.vec.get(v), ValueError, said("name", FIELDS, "'")
        yield f"set-{key}", lambda its, v=value: its.vec.set(v, bytes(4 * BOIDS)), ValueError, said("name", FIELDS, "'")
    for key, value in {"int": 0, "None": None, "bytes": b"x", "list": ["x"]}.items():
        yield f"get-{key}", lambda its, v=value: its.vec.get(v), TypeError, said("name", FIELDS)
    x = np.zeros(BOIDS, np.uint32)
    wrong = {
        "short": (bytes(31), ValueError, said("data", "32 bytes", "31")),
        "long": (bytes(33), ValueError, said("data", "32 bytes", "33")),
        "empty": (b"", ValueError, said("data", "32 bytes", "0")),
        "short_array": (x[:-1], ValueError, said("data", "32 bytes", "28")),
        "str": ("x" * 32, TypeError, said("data", NO_ARRAY, "str")),
        "list": (x.tolist(), TypeError, said("data", NO_ARRAY, "list")),
        "None": (None, TypeError, said("data", NO_ARRAY, "NoneType")),
        "float32": (x.astype("f4"), ValueError, said("data", "uint32 or bytes", "float32")),
        "int32": (x.astype("i4"), ValueError, said("data", "uint32 or bytes", "int32")),
        "uint64": (x[:4].astype("u8"), ValueError, said("data", "uint32 or bytes", "uint64")),
        "swapped": (x.astype(">u4"), ValueError, said("data", "uint32 or bytes", "byte-swapped uint32")),
        "object": (np.zeros(4, object), ValueError, said("data", "uint32 or bytes", "format 'O'")),
        "structured": (np.zeros(4, "u4,u4"), ValueError, said("data", "uint32 or bytes", "format 'T{")),
        "gaps": (gaps(x), ValueError, said("data", IN_ORDER, GAPS)),
        "backwards": (x[::-1], ValueError, said("data", IN_ORDER, GAPS)),
        "columns": (np.zeros((4, 2), np.uint32, "F"), ValueError, said("data", IN_ORDER, GAPS)),
    }
    for key, (value, error, message) in wrong.items():
        yield f"set-data-{key}", lambda its, v=value: its.vec.set("x", v), error, message


def picture_rows():
    def grey(*shape, dtype=np.uint8):
        return np.zeros(shape, dtype)

    wanted = "uint8 (height, width, 3)"
    wrong = {
        "2-d": (grey(4, 4), ValueError, wanted),
        "4-d": (grey(1, 4, 4, 3), ValueError, wanted),
        "flat": (grey(48), ValueError, wanted),
        "rgba": (grey(4, 4, 4), ValueError, wanted),
        "no_rows": (grey(0, 4, 3), ValueError, wanted),
        "no_columns": (grey(4, 0, 3), ValueError, wanted),
        "first": (grey(3, 4, 4), ValueError, wanted),
        "int8": (grey(4, 4, 3, dtype="i1"), ValueError, wanted),
        "bool": (grey(4, 4, 3, dtype=bool), ValueError, wanted),
        "float": (grey(4, 4, 3, dtype="f4"), ValueError, wanted),
        "object": (grey(4, 4, 3, dtype=object), ValueError, wanted),
        "bytearray": (bytearray(48), ValueError, wanted),
        "gaps": (grey(8, 4, 3)[::2], ValueError, IN_ORDER),
        "mirrored": (grey(4, 4, 3)[:, ::-1], ValueError, IN_ORDER),
        "bgr": (grey(4, 4, 3)[..., ::-1], ValueError, IN_ORDER),
        "turned": (grey(4, 5, 3).transpose(1, 0, 2), ValueError, IN_ORDER),
        "bytes": (bytes(48), ValueError, WRITABLE),
        "read_only": (read_only(grey(4, 4, 3)), ValueError, WRITABLE),
        "None": (None, TypeError, NO_ARRAY),
        "int": (480, TypeError, NO_ARRAY),
        "list": ([[[0, 0, 0]]], TypeError, NO_ARRAY),
        "str": ("out.png", TypeError, NO_ARRAY),
    }
    for key, (value, error, expected) in wrong.items():
        yield f"render-{key}", lambda its, v=value: its.vec.render(v), error, said("pixels", expected)
    sizes = [(v, k, TypeError, "an integer") for k, v in NOT_INT.items() if v is not None]
    sizes += [(v, k, ValueError, "at ") for k, v in ({"0": 0, "-1": -1, "2**40": 2**40} | FAR).items()]
    for (value, key, error, expected), side in itertools.product(sizes, ("width", "height")):
        yield f"{side}-{key}", lambda its, s=side, v=value: its.flocks.render(**{s: v}), error, said(side, expected)

        def text(its, side=side, value=value):
            its.flocks.render_mode = "ansi"
            its.flocks.render(**{side: value})

        yield f"ansi-{side}-{key}", text, error, said({"width": "columns", "height": "rows"}[side], expected)
    modes = {
        "typo": "rgb",
        "upper": "ANSI",
        "empty": "",
        "int": 0,
        "True": True,
        "list": ["ansi"],
        "array": np.zeros(3),
        "bytes": b"ansi",
    }
    for key, mode in modes.items():
        yield f"mode-{key}", lambda its, m=mode: Flocks(render_mode=m), ValueError, said("render_mode", MODES)


def link_rows():
    names = _boids.externals
    good = dict.fromkeys(names, 1)
    yield "link-nothing", lambda its: _boids.link(), TypeError, "link"
    yield "link-two", lambda its: _boids.link(good, good), TypeError, "link"
    for key, value in {"None": None, "list": list(names), "str": "raylib", "int": 4096}.items():
        yield (
            f"link-{key}",
            lambda its, v=value: _boids.link(v),
            TypeError,
            said("addresses", "a dict of names and addresses"),
        )
    yield "link-empty", lambda its: _boids.link({}), ValueError, said("addresses", "the address of", "none")
    yield "link-key", lambda its: _boids.link({**good, 1: 1}), TypeError, said("addresses", "names", "1")
    yield (
        "link-more",
        lambda its: _boids.link({**good, "x": 1}),
        ValueError,
        said("addresses", "the names of externals alone", "'x'"),
    )
    for name in (names[0], names[-1]):
        fewer = {key: 1 for key in names if key != name}
        yield (
            f"link-no-{name}",
            lambda its, v=fewer: _boids.link(v),
            ValueError,
            said("addresses", f"the address of {name}", "none"),
        )
        for key, value in {"0": 0, "-1": -1, **FAR}.items():
            yield (
                f"link-{name}-{key}",
                lambda its, v={**good, name: value}: _boids.link(v),
                ValueError,
                said(name, "an int in [1, "),
            )
        for key, value in NOT_INT.items():
            yield f"link-{name}-{key}", lambda its, v={**good, name: value}: _boids.link(v), TypeError, said(name, "an int")


class Bare(VecEnv):
    """A subclass that gives its base nothing."""

    def __new__(cls):
        return super().__new__(cls)


class Crooked(VecEnv):
    """A subclass whose objects are never made."""

    def __init__(self, *args, **keywords):
        raise ValueError("name: expected nothing, got something")


class Nameless:
    def __repr__(self):
        raise OSError("no repr")


def object_rows():
    pixels = np.zeros((4, 4, 3), np.uint8)
    yield "nothing", lambda its: VecEnv(), TypeError, "^observations: missing$"
    yield "new-nothing", lambda its: VecEnv.__new__(VecEnv), TypeError, "^observations: missing$"
    yield "new-no-class", lambda its: VecEnv.__new__(), TypeError, "not enough arguments"
    yield "new-other-class", lambda its: VecEnv.__new__(int), TypeError, "not a subtype of"
    yield "new-object", lambda its: object.__new__(VecEnv), TypeError, "is not safe, use"
    yield "six", lambda its: VecEnv(*five().values(), 1), TypeError, r"^VecEnv\(\) takes at most 5 positional .*, got 6$"
    yield "keyword-int", lambda its: VecEnv(*five().values(), **{1: 2}), TypeError, "^unknown parameter 1; valid are"
    for key in ("num_boid", "index", "rng", "NUM_BOIDS", "", "num_boids\0", "\ud800", "x" * 1000):
        message = f"^unknown parameter {re.escape(repr(key))}; valid are num_boids, "
        yield f"VecEnv-unknown-{key[:9]!a}", lambda its, k=key: make(**{k: 1}), TypeError, message
        yield f"Flocks-unknown-{key[:9]!a}", lambda its, k=key: Flocks(**{k: 1}), TypeError, message
    yield "layout-positional", lambda its: _boids.layout(64), TypeError, "takes keyword arguments only"
    yield "layout-num_envs", lambda its: _boids.layout(num_envs=2), TypeError, "^unknown parameter 'num_envs'; valid are"
    yield "Flocks-positional", lambda its: Flocks(1, 0, 1, "ansi"), TypeError, "positional arguments"
    yield "Flocks-array", lambda its: Flocks(rewards=five()["rewards"]), TypeError, "^unknown parameter 'rewards'; valid are"
    yield "no-repr", lambda its: Flocks(num_boids=Nameless()), TypeError, said("num_boids", "an int", "Nameless")
    yield "view-in-small-world", lambda its: Flocks(width=100.0), ValueError, "view_radius"
    yield "subclass-new", lambda its: Bare(), TypeError, "^observations: missing$"
    yield "subclass-init", lambda its: Crooked(*five().values(), num_envs=2, num_boids=8), ValueError, "got something$"
    for name in ("num_envs", "num_agents", "num_threads", "seed", "closed", "anything", "parameters", "step"):
        members = ("num_envs", "num_agents", "num_threads", "seed", "closed")
        message = "readonly|read-only|not writable" if name in members else name
        yield f"set-{name}", lambda its, n=name: setattr(its.vec, n, 1), AttributeError, message
        yield f"del-{name}", lambda its, n=name: delattr(its.vec, n), AttributeError, message
    for name in ("parameters", "log_fields", "state_fields"):
        yield f"{name}-write", lambda its, n=name: getattr(VecEnv, n).__setitem__("x", 1), AttributeError, "__setitem__"
    yield "parameter-write", lambda its: VecEnv.parameters["speed"].update(max=9), AttributeError, "update"
    yield "class", lambda its: setattr(its.vec, "__class__", Bare), TypeError, "__class__ assignment|layout differs"
    yield "weakref", lambda its: weakref.ref(its.vec), TypeError, "weak reference to"
    yield "hash-of-buffer", lambda its: memoryview(its.vec), TypeError, "a bytes-like object is required"
    yield "len", lambda its: len(its.vec), TypeError, "has no len"
    for name, it in {"vec": lambda its: its.vec, "flocks": lambda its: its.flocks}.items():
        message = "^cannot pickle" if name == "vec" else "^Flocks: can be neither pickled nor copied"
        for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
            yield f"pickle-{name}-{protocol}", lambda its, i=it, p=protocol: pickle.dumps(i(its), p), TypeError, message
        yield f"copy-{name}", lambda its, i=it: copy.copy(i(its)), TypeError, message
        yield f"deepcopy-{name}", lambda its, i=it: copy.deepcopy(i(its)), TypeError, message
    calls = {
        "reset": (2, "seed"),
        "step": (0, ""),
        "script": (0, ""),
        "log": (0, ""),
        "close": (0, ""),
        "render": (2, "pixels"),
        "window": (1, "env"),
        "get": (2, "name"),
        "set": (3, "name"),
        "__enter__": (0, ""),
    }
    for name, (most, needs) in calls.items():
        many = [pixels] * (most + 1)
        yield f"{name}-too-many", lambda its, n=name, m=many: getattr(its.vec, n)(*m), TypeError, rf"{name}\(\) takes "
        yield f"{name}-keyword", lambda its, n=name: getattr(its.vec, n)(wrong=1), TypeError, f"{name}|{needs}"
        if name in ("render", "get", "set"):
            yield f"{name}-too-few", lambda its, n=name: getattr(its.vec, n)(), TypeError, f"^{needs}: missing$"
        yield f"{name}-no-self", lambda its, n=name: getattr(VecEnv, n)(), TypeError, name
        yield f"{name}-other-self", lambda its, n=name: getattr(VecEnv, n)(object()), TypeError, name
    for name in ("reset", "step", "script", "log", "render", "close"):
        yield f"Flocks-{name}-keyword", lambda its, n=name: getattr(its.flocks, n)(wrong=1), TypeError, f"{name}.*'wrong'"


def order_rows():
    """Before the first reset, and after close()."""
    pixels = np.zeros((4, 4, 3), np.uint8)
    uses = {
        "step": lambda v: v.step(),
        "step_where": lambda v: v.step_where(np.ones(v.num_envs, bool)),
        "script": lambda v: v.script(),
        "render": lambda v: v.render(pixels),
        "window": lambda v: v.window(),
        "get": lambda v: v.get("x"),
        "set": lambda v: v.set("x", bytes(32)),
    }
    of_flocks = {
        "step": lambda f: f.step(),
        "step-given": lambda f: f.step(np.zeros(64, int)),
        "script": lambda f: f.script(),
        "render": lambda f: f.render(),
        "pixels": lambda f: f.pixels(4, 4),
    }
    later = {"reset": lambda v: v.reset(), "reset-seed": lambda v: v.reset(1), "log": lambda v: v.log()}
    for key, use in uses.items():
        yield f"before-reset-{key}", lambda its, u=use: u(make()), RuntimeError, RESET_FIRST
    for key, use in of_flocks.items():
        yield f"before-reset-Flocks-{key}", lambda its, u=use: u(Flocks()), RuntimeError, RESET_FIRST
        yield f"closed-Flocks-{key}", lambda its, u=use: u(closed(Flocks())), RuntimeError, CLOSED
    for key, use in (uses | later | {"enter": lambda v: v.__enter__()}).items():
        yield f"closed-{key}", lambda its, u=use: u(closed(make())), RuntimeError, CLOSED
    for key, use in later.items():
        yield f"closed-Flocks-{key}", lambda its, u=use: u(closed(Flocks())), RuntimeError, CLOSED
    yield "closed-in-with", lambda its: in_with(make()), RuntimeError, CLOSED
    for key, make_owner in {"bytearray": lambda: bytearray(AGENTS), "array": lambda: array.array("b", [0] * AGENTS)}.items():

        def resize(its, make_owner=make_owner):
            owner = make_owner()
            vec = make(terminals=owner)
            with pytest.raises(BufferError):
                owner.clear() if isinstance(owner, bytearray) else owner.pop()
            vec.reset()
            vec.step()
            owner.extend(b"12")

        yield f"resize-{key}", resize, BufferError, "export|resize"


def closed(it):
    it.close()
    it.close()
    return it


def in_with(vec):
    with vec:
        vec.close()
        vec.step()


GROUPS = [array_rows, parameter_rows, count_rows, action_rows, state_rows, picture_rows, link_rows, object_rows, order_rows]
ROWS = [pytest.param(*row, id=f"{group.__name__[:-5]}-{name}") for group in GROUPS for name, *row in group()]


@pytest.mark.parametrize(("mistake", "error", "message"), ROWS)
def test_mistake(its, mistake, error, message):
    before = snapshot(its)
    actions = its.arrays["actions"].copy()
    with pytest.raises(error) as caught:
        mistake(its)
    assert re.search(message, str(caught.value), re.DOTALL), str(caught.value)
    assert snapshot(its) == before
    its.arrays["actions"][:] = actions
    its.vec.step()
    for flocks in (its.flocks, its.floats):
        flocks.step(np.zeros(flocks.actions.shape, np.int8))
    assert snapshot(its) != before


# ---- Mistakes that could end the process ----------------------------------------------------------------------------------

PRELUDE = """
import atexit, gc, os, sys, threading, time, weakref
import numpy as np
from boids_env import Flocks, VecEnv
from boids_env._boids import externals, layout, link

def arrays(boids=8):
    flags = [np.zeros(boids, "?"), np.zeros(boids, "?")]
    return [np.zeros((boids, 10), "f4"), np.zeros(boids, "i4"), np.zeros(boids, "f4"), *flags]

def make(kind=VecEnv, boids=8, **options):
    vec = kind(*arrays(boids), num_boids=boids, **options)
    vec.reset()
    return vec

def refused(error, words, call, *arguments):
    try:
        call(*arguments)
    except error as raised:
        assert words in str(raised), raised
    else:
        raise AssertionError("accepted")
"""

APART = {
    "cycle": """
        class Array(np.ndarray): pass
        for _ in range(50):
            five = arrays()
            five[2] = five[2].view(Array)
            five[2].owner = VecEnv(*five, num_boids=8)
            dead = weakref.ref(five[2])
            del five
            gc.collect()
            assert dead() is None
    """,
    "cycle-with-del": """
        seen = []
        class Own(VecEnv):
            def __del__(self):
                seen.append(self.closed)
                self.step()
                self.kept = self.get("x")
        for _ in range(20):
            own = make(Own)
            own.me = own
            del own
            gc.collect()
        assert seen == [False] * 20, seen
    """,
    "resurrected": """
        kept = []
        class Own(VecEnv):
            def __del__(self): kept.append(self)
        make(Own)
        own = make(Own)
        own.me = own
        del own
        gc.collect()
        for own in kept: own.step()
        assert len(kept) == 2
    """,
    "views-outlive": """
        flocks = Flocks(num_boids=64)
        views = flocks.reset()[0][3:7].T, memoryview(flocks.rewards), flocks.actions[::2]
        del flocks
        gc.collect()
        assert views[0].sum() != 0 and len(views[1]) == 64 and not views[2].any()
    """,
    "arrays-dropped": """
        vec = make()
        gc.collect()
        junk = [bytearray(b"\\xff" * 320) for _ in range(1000)]
        for _ in range(20): vec.script(); vec.step()
        assert all(block == b"\\xff" * 320 for block in junk)
    """,
    "dropped-in-thread": """
        for threads in (1, 2):
            box = [make(num_threads=threads) for _ in range(20)]
            for vec in box: vec.step()
            thread = threading.Thread(target=box.clear)
            thread.start(); thread.join()
            assert not box
    """,
    "half-made": """
        bad = arrays()[:4] + [np.zeros(7, "?")]
        for _ in range(200):
            refused(ValueError, "truncations", lambda: VecEnv(*bad, num_boids=8))
        class Late(VecEnv):
            def __init__(self, *arguments, **keywords): raise OSError("late")
        for _ in range(50): refused(OSError, "late", make, Late)
        class Early(VecEnv):
            def __new__(cls, *arguments, **keywords): return None
        refused(AttributeError, "reset", make, Early)
    """,
    "buffer-closes": """
        vec = make()
        class Data(np.ndarray): pass
        class Index:
            def __index__(self): vec.close(); return 0
        refused(RuntimeError, "VecEnv is closed", vec.get, "x", Index())
        vec = make()
        refused(RuntimeError, "VecEnv is closed", vec.render, np.zeros((4, 4, 3), "u1"), Index())
        vec = make()
        refused(RuntimeError, "VecEnv is closed", vec.reset, Index())
    """,
    "keywords-emptied": """
        import ctypes
        # a call in Python passes a copy of a dict of keywords; a call from C may pass the dict itself
        call = ctypes.pythonapi.PyObject_Call
        call.argtypes, call.restype = [ctypes.py_object] * 3, ctypes.py_object
        class Index:
            def __init__(self, value): self.value = value
            def __index__(self): self.keywords.clear(); gc.collect(); return self.value
        class Name(str):  # compared to the names of fields, and found by its hash
            def __eq__(self, other): self.keywords.clear(); gc.collect(); return str.__eq__(self, other)
            __hash__ = str.__hash__
        def empties(kind, value):
            it = kind(value)
            it.keywords = keywords
            return it
        vec = make()
        uses = [
            (vec.reset, lambda: {"seed": empties(Index, 0)}),
            (vec.get, lambda: {"name": "".join(["x"]), "env": empties(Index, 0)}),
            (vec.get, lambda: {"name": empties(Name, "x"), "env": 0}),
            (vec.set, lambda: {"name": "x", "data": bytes(32), "env": empties(Index, 0)}),
            (vec.set, lambda: {"name": empties(Name, "x"), "data": bytes(32)}),
            (vec.render, lambda: {"pixels": np.zeros((64, 64, 3), "u1"), "env": empties(Index, 0)}),
            (vec.window, lambda: {"env": empties(Index, 7)}),
            (VecEnv, lambda: {**dict(zip(names, arrays())), "num_boids": 8, "seed": empties(Index, 0)}),
            (layout, lambda: {"num_boids": empties(Index, 8)}),
        ]
        names = ["observations", "actions", "rewards", "terminals", "truncations"]
        for use, fill in uses:
            for _ in range(20):
                keywords = {}
                keywords.update(fill())
                try: call(use, (), keywords)
                except (RuntimeError, ValueError): pass
                assert not keywords
        class Address:
            def __index__(self): addresses.clear(); gc.collect(); return 0
        addresses = dict.fromkeys(externals, Address())
        refused(ValueError, "expected an int in [1, ", link, addresses)
        class Key(str):
            def __repr__(self): keywords.clear(); gc.collect(); return "key"
        keywords = {Key("name" * 9): 1}
        refused(TypeError, "unknown parameter", call, layout, (), keywords)
        vec.step()
    """,
    "found-half-made": """
        class Index:
            def __index__(self):
                for it in gc.get_objects():
                    if type(it) is VecEnv and it is not vec:
                        for call in it.step, it.log, it.reset, it.close, lambda: it.get("x"):
                            try: call()
                            except (RuntimeError, ValueError): pass
                return 8
        vec = make()
        VecEnv(*arrays(), num_boids=Index()).reset()
        VecEnv(*arrays(), num_boids=8, num_threads=Index()).reset()
        gc.collect()
    """,
    "class-attributes": """
        class Own(VecEnv): pass
        own = make(Own)
        Own.step = None
        refused(TypeError, "not callable", lambda: own.step())
        del Own.step
        own.step()
        own.anything = own.__dict__
        refused(TypeError, "", lambda: setattr(own, "__class__", int))
    """,
    "init-again": """
        vec = make()
        vec.__init__(1, wrong=2)
        vec.step()
    """,
    "two-threads": """
        vec = make(boids=20_000)
        done, refusals = threading.Event(), 0
        def work():
            while not done.is_set():
                try: vec.step()
                except RuntimeError as error: assert "in use by another thread" in str(error)
        thread = threading.Thread(target=work)
        thread.start()
        calls = [vec.step, vec.reset, vec.log, vec.script, lambda: vec.get("x"), vec.__enter__, vec.close]
        for call in calls:
            for _ in range(100_000):
                try: call()
                except RuntimeError as error:
                    assert str(error) == "VecEnv is in use by another thread", error
                    refusals += 1
                    break
                if vec.closed: break
                time.sleep(0)
        done.set()
        thread.join()
        assert vec.closed or refusals == len(calls), refusals
    """,
    "close-while-others-step": """
        for _ in range(20):
            vec = make(boids=3000)
            def work():
                try:
                    while True:
                        vec.step()
                        time.sleep(1e-4)  # a moment in which close() finds nobody inside
                except RuntimeError: pass
            threads = [threading.Thread(target=work) for _ in range(2)]
            for thread in threads: thread.start()
            while not vec.closed:
                try: vec.close()
                except RuntimeError: time.sleep(1e-5)
            for thread in threads: thread.join()
    """,
    "fork": """
        import warnings
        warnings.simplefilter("ignore", DeprecationWarning)
        for threads in (1, 2):
            flocks = Flocks(4, num_threads=threads)
            flocks.reset()
            flocks.script(); flocks.step()
            child = os.fork()
            if child == 0:
                flocks.script(); flocks.step(); flocks.reset(1); flocks.close()
                Flocks(4, num_threads=threads).reset()
                os._exit(7)
            assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
            flocks.script(); flocks.step()
    """,
    "fork-while-busy": """
        import warnings
        warnings.simplefilter("ignore", DeprecationWarning)
        vec = make(boids=200_000)
        thread = threading.Thread(target=lambda: [vec.step() for _ in range(3)])
        thread.start()
        child = os.fork()
        if child == 0:
            try: vec.step()
            except RuntimeError: pass
            os._exit(7)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
        thread.join()
        vec.step()
    """,
}

AT_EXIT = {
    "global": """
        vec = make()
        flocks = Flocks(); flocks.reset()
    """,
    "threads": """
        vec = make(num_threads=2)
        flocks = Flocks(8, num_threads=2); flocks.reset(); flocks.step()
    """,
    "atexit": """
        vec = make()
        atexit.register(vec.step)
        atexit.register(lambda: vec.get("x"))
        atexit.register(vec.close)
    """,
    "del": """
        class Own(VecEnv):
            def __del__(self): self.step(); self.close()
        own = make(Own)
        own.me = own
    """,
    "module": """
        sys.modules["kept"] = make()
        sys.kept = make()
    """,
    "cycle": """
        class Array(np.ndarray): pass
        five = arrays()
        five[2] = five[2].view(Array)
        five[2].owner = VecEnv(*five, num_boids=8)
    """,
    "daemon": """
        vec = make(boids=50_000)
        threading.Thread(target=lambda: [vec.step() for _ in range(10**6)], daemon=True).start()
        time.sleep(.05)
    """,
    "fork": """
        import warnings
        warnings.simplefilter("ignore", DeprecationWarning)
        vec = make()
        if os.fork() == 0: sys.exit(0)
        os.wait()
    """,
    "error": """
        vec = make()
        try: vec.get("z")
        except ValueError as error: kept = error
    """,
}


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="there is no fork here")
def test_mistakes_apart():
    """All in one interpreter; the last begun is the one that ended it."""
    done = python(f"{PRELUDE}\nfor name, code in {APART!r}.items():\n" + RUN_ROW)
    last = done.stdout.split("\n")[-2] if done.stdout else "none begun"
    assert done.returncode == 0, f"{last}: exit status {done.returncode}\n{done.stderr}"
    assert done.stderr == ""
    assert done.stdout.split() == list(APART)


RUN_ROW = """
    import textwrap
    print(name, flush=True)
    exec(textwrap.dedent(code), globals())
"""


@pytest.mark.skipif(sys.platform == "win32", reason="there is no fork here")
@pytest.mark.parametrize("name", AT_EXIT)
def test_left_to_the_end_of_the_interpreter(name):
    done = python(PRELUDE + textwrap.dedent(AT_EXIT[name]))
    assert done.returncode == 0, f"exit status {done.returncode}\n{done.stderr}"
    # what atexit calls after close() is refused, and said so
    assert ("VecEnv is closed" in done.stderr) if name == "atexit" else done.stderr == ""


def test_what_is_no_mistake():
    """NumPy's scalars and arrays of no dimension; a masked array, whose mask is not looked at; a bare __exit__."""
    for options in (
        {"num_boids": np.int8(8)},
        {"num_boids": np.array(8)},
        {"width": np.float32(999)},
        {"width": np.longdouble(999)},
        {"stagger": np.False_},
        {"stagger": np.True_},
        {"observation": np.str_("rules")},
        {"speed": 3},
        {"seed": np.uint64(2**63 - 1)},
    ):
        Flocks(**options).close()
    for name, other in (
        ("rewards", np.ma.zeros(AGENTS, np.float32)),
        ("observations", np.zeros((AGENTS, 5, 2), np.float32)),
    ):
        make(**{name: other}).close()
    flocks = Flocks(num_boids=4)
    flocks.reset(np.int32(1))
    flocks.step([2, 2, 2, 2])
    flocks.step(np.ma.array(np.zeros(4, np.int32), mask=True))
    flocks.vec.set("x", np.zeros((2, 2), np.uint32))
    flocks.vec.set("x", memoryview(bytes(16)))
    flocks.vec.__exit__()
    assert flocks.vec.closed


def test_the_matrix_is_whole():
    """Of these no row crashes and none is accepted, or its test fails."""
    ids = [row.id for row in ROWS]
    assert len(ids) == len(set(ids))
    assert len(ids) + len(APART) + len(AT_EXIT) >= 1000
