"""The learner's mathematics against torch's, and that a planted error in it is found."""

import ctypes
import shutil
import subprocess
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

import needs
from builds import ROOT

pytestmark = pytest.mark.slow

FLAGS = ["-std=c11", "-O2", "-fPIC", "-shared", "-ffp-contract=off", "-fno-math-errno", "-Wno-psabi"]
OBSERVATIONS = ["float", "int", "signed", "byte"]
ACTIONS = ["one", "several", "continuous"]
CHOICES = {"one": [5], "several": [3, 2, 4]}
LOG = ["reward", "policy_loss", "value_loss", "entropy", "kl", "clipped"]  # the first fields of LEARN_LOG
Array = NDArray[np.float32]


def build(folder: Path, src: Path, observation: str = "float") -> Path:
    """The probe over the sources in `src`, with observations of this type."""
    library = folder / f"{observation}.so"
    includes = [f"-DSPACES_{observation.upper()}", f"-I{src}", f"-I{ROOT / 'tests/learn'}"]
    command = [
        needs.compiler(),
        *FLAGS,
        *includes,
        str(ROOT / "tests/learn/probe.c"),
        "-o",
        str(library),
        "-lm",
        "-lpthread",
    ]
    subprocess.run(command, check=True)
    return library


class Probe:
    """A learner whose arrays NumPy reads and writes in place."""

    def __init__(self, library: Path) -> None:
        self.c = ctypes.CDLL(str(library))
        for name in ("probe_open", "probe_setting", "probe_roll_out", "probe_update"):
            getattr(self.c, name).restype = ctypes.c_char_p
        self.c.probe_array.restype = ctypes.c_void_p
        self.c.probe_adam.argtypes = [ctypes.c_float, ctypes.c_float]
        self.settings: dict[str, float] = {}
        value = ctypes.c_double()
        while name := self.c.probe_setting(len(self.settings), ctypes.byref(value)):
            self.settings[name.decode()] = value.value

    def open(self, action: str, num_envs: int = 24, num_threads: int = 1, **settings: float) -> None:
        self.action = action
        self.chosen = {**self.settings, **settings}
        values = (ctypes.c_double * len(self.chosen))(*self.chosen.values())
        error = self.c.probe_open(ACTIONS.index(action), num_envs, num_threads, values)
        assert error is None, error.decode()
        rows = (ctypes.c_int64 * 200)()
        count = self.c.probe_layout(rows)
        self.layers = np.array(rows[: 5 * count]).reshape(-1, 5).tolist()
        self.num_weights, self.num_batch, self.num_actions, self.num_outputs, self.deviations = rows[
            5 * count : 5 * count + 5
        ]

    def array(self, name: str, *shape: int, kind: type = ctypes.c_float) -> Array:
        size = int(np.prod(shape))
        return np.ctypeslib.as_array((kind * size).from_address(self.c.probe_array(name.encode()))).reshape(shape)

    def roll_out(self) -> None:
        assert self.c.probe_roll_out() is None

    def gradient(self) -> dict[str, float]:
        log = (ctypes.c_float * 20)()
        self.c.probe_gradient(log)
        return dict(zip(LOG, log, strict=False))


@pytest.fixture(scope="session")
def libraries(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """One for each type of observation."""
    folder = tmp_path_factory.mktemp("probe")
    return {observation: build(folder, ROOT / "src", observation) for observation in OBSERVATIONS}


@pytest.fixture
def probe(libraries: dict[str, Path]) -> Probe:
    return Probe(libraries["float"])


def views(probe: Probe, weights: Array | torch.Tensor) -> list[Array | torch.Tensor]:
    """The weights of each layer (inputs + 1 x outputs), and then the logarithms of deviations."""
    found = [
        weights[at : at + (inputs + 1) * columns].reshape(inputs + 1, columns)[:, :outputs]
        for inputs, outputs, columns, _, at in probe.layers
    ]
    return [*found, weights[probe.deviations : probe.deviations + 2]] if probe.action == "continuous" else found


def perceptron(layers: list[torch.Tensor], x: torch.Tensor) -> torch.Tensor:
    for k, layer in enumerate(layers):
        x = x @ layer[:-1] + layer[-1]
        x = x if k == len(layers) - 1 else torch.tanh(x)
    return x


def loss_of(probe: Probe, weights: torch.Tensor) -> dict[str, torch.Tensor]:
    """The loss of the first minibatch, as the paper has it, by torch in double precision."""
    chosen, size, batch = probe.chosen, int(probe.chosen["minibatch"]), probe.num_batch
    order = probe.array("order", batch, kind=ctypes.c_int32)[:size]
    row, inputs = probe.layers[0][3], probe.layers[0][0]

    def take(name: str, *shape: int) -> torch.Tensor:
        return torch.from_numpy(probe.array(name, batch, *shape)[order].astype(np.float64))

    x = take("observations", row)[:, :inputs]
    depth = int(chosen["policy_layers"]) + 1
    layers = views(probe, weights)
    outputs, value = (
        perceptron(layers[:depth], x),
        perceptron(layers[depth : depth + int(chosen["value_layers"]) + 1], x)[:, 0],
    )
    actions, advantages = take("actions", probe.num_actions), take("advantages")
    returns = advantages + take("values")
    heads: list[torch.distributions.Distribution]
    if probe.action == "continuous":
        normal = torch.distributions.Normal(outputs, layers[-1].exp())
        log_p, entropy = normal.log_prob(actions).sum(1), normal.entropy().sum(1)
    else:
        ends = np.cumsum([0, *CHOICES[probe.action]])
        heads = [torch.distributions.Categorical(logits=outputs[:, a:b]) for a, b in pairwise(ends)]
        log_p = torch.stack([head.log_prob(actions[:, k]) for k, head in enumerate(heads)]).sum(0)
        entropy = torch.stack([head.entropy() for head in heads]).sum(0)
    advantages = (advantages - advantages.mean()) / (advantages.std(correction=0) + 1e-8)
    log_ratio = log_p - take("log_p")
    ratio = log_ratio.exp()
    clipped = ratio.clamp(1 - chosen["clip"], 1 + chosen["clip"])
    policy_loss = -torch.min(ratio * advantages, clipped * advantages).mean()
    value_loss = 0.5 * ((value - returns) ** 2).mean()
    loss = policy_loss + chosen["value_weight"] * value_loss - chosen["entropy"] * entropy.mean()
    return {
        "loss": loss, "policy_loss": policy_loss, "value_loss": value_loss, "entropy": entropy.mean(),
        "kl": (ratio - 1 - log_ratio).mean(), "clipped": (ratio != clipped).double().mean(),
    }  # fmt: skip


SHAPES = [
    {"policy_layers": 2, "policy_width": 13, "value_layers": 1, "value_width": 32},
    {"policy_layers": 0, "policy_width": 1, "value_layers": 3, "value_width": 8},
    {"policy_layers": 4, "policy_width": 17, "value_layers": 0, "value_width": 1},
]


def worst_error(probe: Probe, action: str, shape: dict[str, int]) -> float:
    """The largest relative error of a layer's gradient, after the policy has moved away from the one that acted."""
    probe.open(action, rollout=8, minibatch=96, entropy=0.3, **shape)
    probe.roll_out()
    random = np.random.default_rng(4)
    for layer in views(probe, probe.array("weights", probe.num_weights)):
        layer += random.normal(0, 0.15, layer.shape).astype(np.float32)
    probe.array("order", probe.num_batch, kind=ctypes.c_int32)[:] = random.permutation(probe.num_batch)
    log = probe.gradient()
    weights = torch.from_numpy(probe.array("weights", probe.num_weights).astype(np.float64)).requires_grad_()
    losses = loss_of(probe, weights)
    losses["loss"].backward()
    assert 0.05 < losses["clipped"] < 0.95, "some are to be clipped, and some not"
    for name in LOG[1:]:
        assert log[name] == pytest.approx(losses[name].item(), rel=1e-4, abs=1e-6), name
    ours, theirs = probe.array("gradient", probe.num_weights), weights.grad.numpy()
    assert np.all(ours[theirs == 0] == 0), "what pads the weights has no gradient"
    pairs = zip(views(probe, ours), views(probe, theirs), strict=True)
    return max(float(np.linalg.norm(a - b) / np.linalg.norm(b)) for a, b in pairs)


@pytest.mark.slow
@pytest.mark.parametrize("shape", SHAPES, ids=["13x2", "flat", "17x4"])
@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize("observation", OBSERVATIONS)
def test_gradients_are_those_of_torch(
    libraries: dict[str, Path], observation: str, action: str, shape: dict[str, int]
) -> None:
    assert worst_error(Probe(libraries[observation]), action, shape) < 1e-5


PLANTED = {
    "no gradient of the bias": ("network.h", "learn_add_product(layer->inputs + 1", "learn_add_product(layer->inputs"),
    "tanh's derivative": ("math.h", "*= 1.0f - at * at", "*= 1.0f - at"),
    "entropy": ("network.h", "(log_one + entropy)", "log_one"),
    "clipping": ("ppo.h", "learn_choose(is_clipped, LEARN_ALL(0.0f)", "learn_choose(is_clipped, gain"),
    "deviation": ("ppo.h", "(away * away - 1.0f)", "(away * away)"),
    "tile": ("math.h", "< depth; k++, a += a_step", "< depth - (rows == 2); k++, a += a_step"),
    "advantages": ("ppo.h", "- batch->mean)", ")"),
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("planted", PLANTED)
def test_a_planted_error_is_found(planted: str, tmp_path: Path) -> None:
    """One wrong term in a copy of the sources, and the comparison fails for some space."""
    name, right, wrong = PLANTED[planted]
    shutil.copytree(ROOT / "src", tmp_path / "src")
    file = tmp_path / "src" / "learn" / name
    text = file.read_text()
    assert text.count(right) == 1, right
    file.write_text(text.replace(right, wrong))
    probe = Probe(build(tmp_path, tmp_path / "src"))
    errors = []
    for action in ("several", "continuous"):
        try:
            errors.append(worst_error(probe, action, SHAPES[0]))
        except AssertionError:
            errors.append(np.inf)
    assert max(errors) > 1e-3


@pytest.mark.slow
def test_adam_is_that_of_torch(probe: Probe) -> None:
    probe.open("one", rollout=8, minibatch=96, epsilon=1e-5)
    weights = torch.from_numpy(probe.array("weights", probe.num_weights).astype(np.float64)).requires_grad_()
    adam = torch.optim.Adam([weights], lr=0.01, betas=(0.9, 0.999), eps=1e-5)
    random = np.random.default_rng(0)
    for _ in range(50):
        gradient = random.normal(0, 1, probe.num_weights) * 10.0 ** random.uniform(-6, 1)
        probe.array("gradient", probe.num_weights)[:] = gradient
        weights.grad = torch.from_numpy(0.5 * gradient.astype(np.float32).astype(np.float64))
        adam.step()
        probe.c.probe_adam(0.01, 0.5)
    np.testing.assert_allclose(probe.array("weights", probe.num_weights), weights.detach().numpy(), rtol=0, atol=2e-6)


@pytest.mark.parametrize("num_threads", [1, 2])
def test_advantages_bootstrap_from_final_observations(probe: Probe, num_threads: int) -> None:
    """The rewards hold what follows a truncation: the reward itself is a whole number here."""
    probe.open("several", rollout=64, minibatch=64, num_threads=num_threads, gamma=0.95)
    value_head = views(probe, probe.array("weights", probe.num_weights))[-1]
    value_head[:] = 0
    value_head[-1] = 10  # every value is 10
    probe.roll_out()
    rewards, ends = probe.array("rewards", probe.num_batch), probe.array("ends", probe.num_batch)
    bootstrapped = rewards > 5
    assert 0.03 < bootstrapped.mean() < 0.1  # one step in 16 is a truncation
    assert 0.08 < ends.mean() < 0.17
    assert np.all(ends[bootstrapped] == 1)
    np.testing.assert_allclose(rewards[bootstrapped] - 9.5, np.round(rewards[bootstrapped] - 9.5), atol=1e-5)
    assert set(np.unique(rewards[~bootstrapped])) <= {0, 1, 2, 3}
