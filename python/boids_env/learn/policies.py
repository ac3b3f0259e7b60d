"""Policies that need NumPy alone: random, Reynolds' rules, the learned one of this package, and those of `boids train`."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from boids_env._boids import layout
from boids_env.env.core import Array, Core
from boids_env.errors import UserError
from boids_env.files import whole
from boids_env.learn.config import SETTINGS, setting_parameters, settings
from boids_env.learn.npz import another_kind, check_size, read_npz

FORMAT = 1  # of policy.npz
LEARNED = Path(__file__).with_name("learned.npz")  # made by `make policy`
LARGEST = 64 * 2**20  # bytes of a policy, unpacked
LARGEST_CHECKPOINT = 4 * LARGEST  # it also has the weights of the value, or two moments of every weight
TINY = np.float32(1e-30)
# the parameters of a flock that decide the spaces of its policy
INTERFACE = ("action", "observation", "num_neighbors")


class Policy(Protocol):
    """Chooses the actions of all agents."""

    name: str
    interface: Mapping[str, Any]  # the parameters of the flocks it can steer, by name; empty: any

    def act(self, env: Core) -> None:
        """Writes actions for `env.observations` into `env.actions`."""


class Random:
    """Actions drawn evenly from the action space, of any environment."""

    name = "random"
    interface: Mapping[str, Any] = MappingProxyType({})

    def __init__(self, seed: int = 0) -> None:
        self._random = np.random.default_rng(seed)

    def __repr__(self) -> str:
        return "<Random: actions drawn evenly>"

    def act(self, env: Core) -> None:
        action, shape = env.layout["action"], env.actions.shape
        if action["choices"] is None:
            env.actions[:] = self._random.uniform(action["low"], action["high"], shape)
        else:
            choices = action["choices"][0] if action["size"] == 1 else action["choices"]
            env.actions[:] = self._random.integers(0, choices, shape)


class Reynolds:
    """The script of the header: for the flock, the best turn by Reynolds' three rules."""

    name = "reynolds"
    interface: Mapping[str, Any] = MappingProxyType({})

    def __repr__(self) -> str:
        return "<Reynolds: the script of the environment>"

    def act(self, env: Core) -> None:
        env.script()


class Mirror:
    """Left and right as one. Of an observation and its mirror image the policy sees always the same one: the one with the
    larger first element in which they differ. Where that was the mirror image, its answer is mirrored back.

    Args:
        observation: (2, elements). Element k of the mirror image is element [0, k] times [1, k].
        action: (2, outputs). The same for the scores of all choices, or for the means of floats.
    """

    def __init__(self, observation: NDArray[np.float32], action: NDArray[np.float32]) -> None:
        self.observation, self.action = ((rows[0].astype(np.intp), rows[1]) for rows in (observation, action))

    def canonical(self, observations: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        """The observations as the policy sees them, and (num_agents, 1) which of them are mirrored."""
        source, sign = self.observation
        images = observations[:, source] * sign
        first = (images != observations).argmax(1)[:, None]
        mirrored = np.take_along_axis(images, first, 1) > np.take_along_axis(observations, first, 1)
        return np.where(mirrored, images, observations), mirrored

    def back(self, out: NDArray[np.float32], mirrored: NDArray[np.bool_]) -> NDArray[np.float32]:
        """The policy's answers for the observations as they were."""
        source, sign = self.action
        return np.where(mirrored, out[:, source] * sign, out)

    def choices_back(self, choices: NDArray[np.intp], mirrored: NDArray[np.bool_]) -> NDArray[np.intp]:
        """The choices that the policy's choices stand for."""
        return np.where(mirrored[:, 0], self.action[0][choices], choices)


class Learned:
    """The policy of a Learner, or of `boids_env.learn.network`, in NumPy.

    It is tanh layers, then a score for each choice, or a mean and a spread.

    Args:
        arrays: its weights by the names torch gives them: `encoder.0.weight` (out x in), `encoder.0.bias`,
            `encoder.2.weight` and so on, then `decoder.weight` and `decoder.bias`, or `decoder_mean.*` and
            `decoder_logstd`. With a `Mirror`, also `mirror.observation` and `mirror.action`.
        meta: notes of the training: `parameters` of the flock it was trained in, and more.
        argmax: takes the choice with the highest score, instead of drawing one by its score.
        seed: of the draws.

    Raises:
        UserError: arrays that are missing, of a wrong shape, or not finite.
    """

    def __init__(
        self,
        arrays: Mapping[str, Array],
        meta: Mapping[str, Any] | None = None,
        name: str = "learned",
        argmax: bool = False,
        seed: int = 0,
    ) -> None:
        self.name = name
        self.meta = dict(meta or {})
        self.arrays = dict(arrays)  # as they were given
        self.argmax = argmax
        self.continuous = "decoder_mean.weight" in arrays
        self._random = np.random.default_rng(seed)
        head = "decoder_mean" if self.continuous else "decoder"
        hidden = sorted({int(m[1]) for key in arrays if (m := re.fullmatch(r"encoder\.([0-9]{1,4})\.weight", key))})
        # weight (in x out) and bias (out) of each
        self.layers: list[tuple[NDArray[np.float32], NDArray[np.float32]]] = []
        width = None
        for layer in (*(f"encoder.{k}" for k in hidden), head):
            weight = _array(arrays, f"{layer}.weight", (None, width))
            width = len(weight)
            self.layers.append((np.ascontiguousarray(weight.T), _array(arrays, f"{layer}.bias", (width,))))
        self.observation_size, self.outputs = self.layers[0][0].shape[0], self.layers[-1][0].shape[1]
        self._spread = None
        if self.continuous:
            spread = np.exp(_array(arrays, "decoder_logstd", (1, width)).astype(np.float64).clip(-700, 700))
            self._spread = _array({"exp(decoder_logstd)": spread}, "exp(decoder_logstd)", (1, width))
        self.mirror = None
        if "mirror.observation" in arrays:
            sizes = {"observation": self.observation_size, "action": self.outputs}
            self.mirror = Mirror(*(_mirror(arrays, f"mirror.{of}", size) for of, size in sizes.items()))
        parameters = self.meta.get("parameters", {})
        self.interface: Mapping[str, Any] = {key: parameters[key] for key in INTERFACE if key in parameters}

    def __repr__(self) -> str:
        sizes = " x ".join(str(size) for size in (self.observation_size, *(len(bias) for _, bias in self.layers)))
        return f"<{type(self).__name__}: {self.name!r}, a network of {sizes}>"

    def scores(self, observations: NDArray[np.float32]) -> NDArray[np.float32]:
        """The score of each choice, or the mean of a float: (num_agents, outputs), from (num_agents, observation size)."""
        out, mirrored = self._answers(observations)
        return out if self.mirror is None else self.mirror.back(out, mirrored)

    def act(self, env: Core) -> None:
        self.check(env)
        out, mirrored = self._answers(env.observations)
        if self._spread is None:
            if not self.argmax:  # the largest of scores with Gumbel noise is a draw from their softmax
                out -= np.log(self._random.standard_exponential(out.shape, np.float32) + TINY)
            choices = out.argmax(1)
            env.actions[:] = choices if self.mirror is None else self.mirror.choices_back(choices, mirrored)
        else:
            if not self.argmax:
                out += self._spread * self._random.standard_normal(out.shape, np.float32)
            np.clip(out if self.mirror is None else self.mirror.back(out, mirrored), -1, 1, out=env.actions)

    def _answers(self, observations: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        """What the layers answer to the observations as they see them, and (num_agents, 1) which of these are mirrored."""
        mirrored = np.zeros((len(observations), 1), np.bool_)
        out = observations
        if self.mirror is not None:
            out, mirrored = self.mirror.canonical(observations)
        for weight, bias in self.layers[:-1]:
            out = np.tanh(out @ weight + bias)
        return out @ self.layers[-1][0] + self.layers[-1][1], mirrored

    def check(self, env: Core) -> None:
        """Raises: UserError, if the spaces are not those that it was trained for."""
        observation, action = env.layout["observation"], env.layout["action"]
        outputs = action["size"] if action["choices"] is None else action["choices"][0]
        mine = self.observation_size, self.continuous, self.outputs
        theirs = observation["size"], action["choices"] is None, outputs
        if mine != theirs:
            kinds = {True: "continuous actions", False: "turns to choose from"}
            raise UserError(
                f"{self.name}: expected flocks with {mine[0]} observations and {mine[2]} {kinds[mine[1]]},"
                f" got {theirs[0]} and {theirs[2]} {kinds[theirs[1]]}"
            )


def load_policy(which: str | os.PathLike[str], *, argmax: bool = False, seed: int = 0) -> Policy:
    """A policy by name or from a file.

    Args:
        which: `random`, `reynolds`, `learned` or a named setting, which come with the package, the path of a policy.npz or
            of a PuffeRL checkpoint (.pt, which needs torch), or a folder of `boids train`, which holds a policy.npz. The
            policy of a named setting has all of its parameters in `interface`. `planner` looks ahead with the learned
            policy, `planner:POLICY` with another, `planner:horizon=1,prior=none` as the settings say.
        argmax: of learned policies: the turn with the highest score, instead of one drawn by its score.
        seed: of the draws.

    Raises:
        UserError: no such file, or one that holds no policy.
    """
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer):
        raise TypeError(f"seed: expected an int, got {seed!r}")
    if not 0 <= seed < 2**63:
        raise UserError(f"seed: expected an int in [0, {2**63 - 1}], got {seed}")
    if which == "random":
        return Random(seed)
    if which == "reynolds":
        return Reynolds()
    if isinstance(which, str) and re.match(r"planner(:|$)", which):
        from boids_env.learn.planner import parse

        return parse(which, seed, load_policy)
    named = which if isinstance(which, str) and which in settings() else None
    path = LEARNED if which == "learned" else SETTINGS / f"{which}.npz" if named else Path(which)
    try:
        if os.fspath(which) and path.is_dir():
            path /= "policy.npz"
            if not path.exists():
                raise UserError(f"{which}: expected a folder of boids train, and this one holds no policy.npz")
        if not path.is_file():
            raise UserError(
                f"{which}: expected random, reynolds, learned, planner or the path of a policy; there is no such file"
            )
    except OSError as error:  # a name that is too long, a folder that may not be read
        raise UserError(f"{which}: expected the path of a policy, got {error.strerror}") from None
    arrays, meta = _weights(path) if path.suffix == ".pt" else read_npz(path, LARGEST, "policy.npz of boids train")
    if meta.get("format", FORMAT) != FORMAT:
        raise UserError(f"{path}: expected format {FORMAT}, got {meta['format']}")
    if not isinstance(meta.get("parameters", {}), dict):
        raise UserError(f"{path}: expected a policy.npz of boids train, got parameters that are no JSON object")
    try:
        policy = Learned(arrays, meta, str(which), argmax, seed)
        if named:
            policy.interface = {**policy.interface, **setting_parameters(named)}
        layout(**policy.interface)
    except (UserError, TypeError, ValueError) as error:
        raise UserError(f"{path}: {error}") from None
    return policy


def save_policy(path: str | os.PathLike[str], arrays: Mapping[str, Array], meta: Mapping[str, Any]) -> None:
    """Writes a policy.npz, whole or not at all. `meta` goes into it as JSON."""
    Learned(arrays, meta)
    with whole(Path(path)) as partial, partial.open("wb") as file:
        np.savez(file, meta=np.array(json.dumps({"format": FORMAT, **meta})), **arrays)


def _array(arrays: Mapping[str, Array], name: str, shape: tuple[int | None, ...]) -> NDArray[np.float32]:
    """An array of floats of this shape, None being any size. Raises: UserError."""
    if name not in arrays:
        raise UserError(f"holds no {name}: not a policy of boids train")
    array = np.asarray(arrays[name])
    fits = array.ndim == len(shape) and all(size in (None, have) for size, have in zip(shape, array.shape, strict=True))
    if array.dtype.kind != "f" or not fits or not 0 < array.size <= LARGEST // 4:
        wanted = "x".join("any" if size is None else str(size) for size in shape)
        raise UserError(f"{name}: expected floats, {wanted}, got {array.dtype}, {'x'.join(map(str, array.shape))}")
    with np.errstate(over="ignore"):
        floats = array.astype(np.float32)
    if not np.isfinite(floats).all():
        raise UserError(f"{name}: expected finite numbers in float32, got nan, infinity or a larger one")
    return floats


def _mirror(arrays: Mapping[str, Array], name: str, size: int) -> NDArray[np.float32]:
    """One array of a `Mirror`. Raises: UserError, where it is none: done twice, it must change nothing."""
    rows = _array(arrays, name, (2, size))
    source, sign = rows
    if not (np.isin(source, np.arange(size)).all() and np.isin(sign, (-1, 1)).all()):
        raise UserError(f"{name}: expected indices below {size}, and signs, 1 or -1")
    back = source.astype(np.intp)
    if (source[back] != np.arange(size)).any() or (sign[back] != sign).any():
        raise UserError(f"{name}: expected a mirror, which changes nothing if it is done twice")
    return rows


def _weights(path: Path) -> tuple[dict[str, Array], dict[str, Any]]:
    """The arrays of a PuffeRL checkpoint; it holds no meta data. Raises: UserError."""
    state = read_torch(path)
    try:
        # a state dict saved from a torch.compile or DistributedDataParallel wrapper names everything after the wrapper
        return {re.sub(r"^(module|_orig_mod)\.", "", name): tensor.numpy() for name, tensor in state.items()}, {}
    except (AttributeError, TypeError, RuntimeError):  # no dict of tensors, or of a type that NumPy lacks
        raise UserError(f"{path}: expected the weights of a policy, as in model_000050.pt, got something else") from None


def read_torch(path: Path) -> Any:
    """What torch.save wrote. Raises: UserError."""
    try:
        import torch
    except ModuleNotFoundError:
        raise UserError(f"{path}: a .pt needs torch, which is not installed; policy.npz needs NumPy alone") from None
    try:
        check_size(path, LARGEST_CHECKPOINT)
        return torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch and pickle raise many kinds on a file that is no checkpoint
        raise another_kind(path, "checkpoint of boids train", error) from None
