"""Policies in NumPy, and the files they come from."""

import ctypes
import io
import pickle
import struct
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import needs
from boids_env import Boids, Flocks, UserError
from boids_env.learn.network import Policy
from boids_env.learn.policies import LEARNED, Learned, load_policy, save_policy
from boids_env.learn.score import score, summarize
from interpreter import OPTIONAL, python

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(params=["discrete", "continuous"])
def action(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def network(action: str, **sizes: Any) -> Policy:
    """A network with opinions: random weights, larger than those it starts to learn from."""
    torch.manual_seed(1)
    boids = Boids(action=action)
    policy = Policy(boids, **{"hidden_size": 64, **sizes})
    boids.close()
    with torch.no_grad():
        for parameter in policy.parameters():
            parameter += 0.3 * torch.randn_like(parameter)
    return policy


def arrays(action: str = "discrete") -> dict[str, np.ndarray]:
    state = network(action).state_dict()
    return {name: tensor.numpy() for name, tensor in state.items() if not name.startswith(("critic.", "value."))}


def seen(flocks: Flocks, steps: int = 30) -> np.ndarray:
    """Flies by the script until there is something to see."""
    flocks.reset(0)
    for _ in range(steps):
        flocks.script()
        flocks.step()
    return flocks.observations


@pytest.mark.parametrize("sizes", [{}, {"hidden_size": 7, "hidden_layers": 1}, {"shared_value": True, "hidden_layers": 3}])
def test_numpy_agrees_with_torch(action: str, sizes: dict[str, Any], tmp_path: Path) -> None:
    policy = network(action, **sizes)
    policy.export(tmp_path / "policy.npz", {})
    with Flocks(num_boids=50, action=action) as flocks, torch.no_grad():
        logits, _ = policy(torch.as_tensor(seen(flocks)))
        load_policy(tmp_path / "policy.npz", argmax=True).act(flocks)
        if isinstance(logits, torch.distributions.Normal):
            assert np.allclose(flocks.actions, logits.mean.clamp(-1, 1).numpy(), atol=1e-5)
        else:
            assert (flocks.actions == logits.argmax(1).numpy()).all()
            assert len(np.unique(flocks.actions)) > 1


def test_draws_as_torch_would(action: str, tmp_path: Path) -> None:
    policy = network(action)
    policy.export(tmp_path / "policy.npz", {})
    with Flocks(num_boids=20, action=action) as flocks, torch.no_grad():
        logits, _ = policy(torch.as_tensor(seen(flocks)))
        drawing = load_policy(tmp_path / "policy.npz", seed=3)
        draws = []
        for _ in range(4000):
            drawing.act(flocks)
            draws.append(flocks.actions.copy())
    drawn = np.array(draws)
    if isinstance(logits, torch.distributions.Normal):
        expected = logits.sample(torch.Size([4000])).clamp(-1, 1).numpy()
        assert np.abs(drawn.mean(0) - expected.mean(0)).max() < 0.08
        assert np.abs(drawn.std(0) - expected.std(0)).max() < 0.08
    else:
        shares = np.stack([(drawn == turn).mean(0) for turn in range(5)], 1)
        assert np.abs(shares - logits.softmax(1).numpy()).max() < 0.05


def test_the_network_has_the_methods_of_pufferlibs() -> None:
    for shared in (False, True):
        policy = network("discrete", shared_value=shared, mirror=False)
        observations = torch.rand(6, 10)
        hidden = policy.encode_observations(observations)
        assert hidden.shape == (6, policy.hidden_size)
        logits, value = policy.decode_actions(hidden)
        assert logits.shape == (6, 5)
        assert value.shape == (6, 1)
        assert torch.equal(policy.forward_eval(observations, {})[0], policy(observations, {})[0])
    with pytest.raises(UserError, match="an LSTM remembers left and right: expected mirror=False"):
        network("discrete").encode_observations(observations)


@pytest.mark.parametrize("name", ["random", "reynolds"])
def test_by_name(name: str, action: str) -> None:
    with Flocks(num_boids=200, action=action) as flocks:
        seen(flocks, 1)
        load_policy(name, seed=1).act(flocks)
        first = flocks.actions.copy()
        assert len(np.unique(first)) >= 5
        flocks.step()
        seen(flocks, 1)
        load_policy(name, seed=1).act(flocks)
        assert (first == flocks.actions).all()


def test_random_uses_every_turn_alike() -> None:
    with Flocks(num_boids=5000) as flocks:
        load_policy("random").act(flocks)
        assert np.abs(np.bincount(flocks.actions) / 5000 - 0.2).max() < 0.03


def test_a_folder_means_its_policy_and_a_checkpoint_will_do(tmp_path: Path) -> None:
    policy = network("discrete")
    policy.export(tmp_path / "policy.npz", {"parameters": {"action": "discrete", "speed": 4.0}})
    torch.save(policy.state_dict(), tmp_path / "model.pt")
    torch.save({f"_orig_mod.{k}": v for k, v in policy.state_dict().items()}, tmp_path / "compiled.pt")
    actions = []
    with Flocks(num_boids=50) as flocks:
        seen(flocks)
        for path in (tmp_path, tmp_path / "policy.npz", tmp_path / "model.pt", tmp_path / "compiled.pt"):
            load_policy(path, argmax=True).act(flocks)
            actions.append(flocks.actions.tobytes())
    assert len(set(actions)) == 1
    # what decides how it sees and acts, and nothing of its world
    assert load_policy(tmp_path).interface == {"action": "discrete"}


def test_flying_needs_numpy_alone(tmp_path: Path) -> None:
    network("discrete").export(tmp_path / "policy.npz", {})
    (tmp_path / "model.pt").write_bytes(b"")
    done = python(
        """
        from boids_env import Flocks, UserError
        from boids_env import load_policy
        with Flocks() as flocks:
            flocks.reset()
            load_policy("policy.npz").act(flocks)
            flocks.step()
        try:
            load_policy("model.pt")
        except UserError as error:
            print(error)
        """,
        hidden=OPTIONAL,
        cwd=tmp_path,
    )
    assert done.stderr == ""
    assert "needs torch" in done.stdout


class Trap:
    """An object that a file could smuggle in."""

    def __reduce__(self) -> tuple[Any, ...]:
        return (print, ("sprung",))


def without(name: str) -> dict[str, np.ndarray]:
    return {key: array for key, array in arrays().items() if key != name}


def changed(name: str, array: Any) -> dict[str, Any]:
    return {**arrays(), name: np.asarray(array)}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({}, "holds no decoder.weight"),
        (without("decoder.bias"), "holds no decoder.bias"),
        (without("encoder.0.weight"), r"encoder.2.bias|decoder"),
        (changed("encoder.0.weight", np.full((64, 10), np.nan)), "encoder.0.weight: expected finite"),
        (changed("decoder.bias", np.full(5, np.inf)), "decoder.bias: expected finite"),
        (changed("decoder.bias", np.full(5, 1e300)), "decoder.bias: expected finite numbers in float32"),
        (changed("decoder.bias", np.full(5, np.longdouble("1e4000"))), "decoder.bias: expected finite numbers in float32"),
        ({**arrays("continuous"), "decoder_logstd": np.full((1, 1), 800.0)}, r"exp\(decoder_logstd\): expected finite"),
        (
            changed("encoder.2.weight", np.zeros((64, 63))),
            "encoder.2.weight: expected floats, anyx64, got float64, 64x63",
        ),
        (changed("decoder.bias", np.zeros(6)), "decoder.bias: expected floats, 5, got float64, 6"),
        (changed("decoder.weight", np.zeros((5, 64), int)), "decoder.weight: expected floats, anyx64, got int64, 5x64"),
        (changed("encoder.0.weight", np.zeros((64, 0))), "encoder.0.weight: expected floats"),
        (changed("meta", "{"), "expected a policy.npz"),
        (changed("meta", "[1]"), "meta that is no JSON object"),
        (changed("mirror.action", np.zeros((2, 4))), "mirror.action: expected floats, 2x5, got float64, 2x4"),
        (changed("mirror.action", np.array([[1, 2, 3, 4, 5], 5 * [1]], float)), "mirror.action: expected indices below 5"),
        (changed("mirror.action", np.array([[1, 2, 3, 4, 0], 5 * [1]], float)), "which changes nothing if it is done twice"),
        (changed("mirror.action", np.array([range(5), 5 * [2]], float)), "and signs, 1 or -1"),
        (changed("meta", '{"format": 2}'), "expected format 1, got 2"),
        (changed("meta", "[" * 100_000), "expected a policy.npz of boids train, got "),
        (changed("meta", "9" * 10_000), "expected a policy.npz of boids train, got "),
        (changed("meta", '{"parameters": 3}'), "parameters that are no JSON object"),
        (changed("meta", '{"parameters": {"observation": 3}}'), "policy.npz: observation: expected"),
        (changed("meta", '{"parameters": {"num_neighbors": 1000}}'), "policy.npz: num_neighbors: expected"),
        ({"decoder.weight": np.array([Trap()], dtype=object)}, "expected a policy.npz"),
    ],
)
def test_bad_npz(content: dict[str, Any], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "policy.npz"
    np.savez(path, **content)
    if "encoder.0.weight" not in content and "decoder.bias" in content:
        # whatever is left is a smaller network, and no policy for any flock
        with (
            Flocks() as flocks,
            pytest.raises(UserError, match=r"mirror.observation: expected floats, 2x64, got float32, 2x10"),
        ):
            load_policy(path).act(flocks)
        return
    with pytest.raises(UserError, match=message) as raised:
        load_policy(path)
    assert "policy.npz" in str(raised.value)
    assert "sprung" not in capsys.readouterr().out


def zipped(content: bytes, method: int = zipfile.ZIP_STORED, name: str = "decoder.bias.npy") -> bytearray:
    """A zip with one file."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as written:
        written.writestr(name, content)
    return bytearray(file.getvalue())


def patched(content: bytearray, **fields: int) -> bytes:
    """The zip with other fields of its one file, in the file's own header and in the directory."""
    places = {"flags": (6, 8, "<H"), "method": (8, 10, "<H"), "size": (22, 24, "<I")}
    directory = content.index(b"PK\x01\x02")
    for field, value in fields.items():
        local, central, form = places[field]
        struct.pack_into(form, content, local, value)
        struct.pack_into(form, content, directory + central, value)
    return bytes(content)


def npy(array: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


def spoilt(content: bytearray) -> bytes:
    """The zip with other bytes where its file's are."""
    content[45:60] = b"\xff" * 15
    return bytes(content)


def header_of(shape: str) -> bytes:
    """An .npy file that promises more than it holds."""
    text = f"{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}}}"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text) + 1) + text.encode() + b"\n" + bytes(8)


ONES = npy(np.ones(5, np.float32))
OTHER_FILES = {
    "empty": b"",
    "text": b"hello",
    "a zip cut off": b"PK\x03\x04 and no more",
    "an array": ONES,
    "a pickle": pickle.dumps(Trap()),
    "a zip with text": bytes(zipped(b"hello")),
    "spoilt zlib": spoilt(zipped(ONES * 3, zipfile.ZIP_DEFLATED)),
    "spoilt lzma": spoilt(zipped(ONES * 3, zipfile.ZIP_LZMA)),
    "lzma": bytes(zipped(ONES, zipfile.ZIP_LZMA)),
    "bzip2": bytes(zipped(ONES, zipfile.ZIP_BZIP2)),
    "method 99": patched(zipped(ONES), method=99),
    "encrypted": patched(zipped(ONES), flags=1),
    "a wrong size": patched(zipped(ONES, zipfile.ZIP_DEFLATED), size=9),
    "a header that promises more": bytes(zipped(header_of("(1000000000,)"))),
    "a header with a negative shape": bytes(zipped(header_of("(-2,)"))),
    "a header that nests": bytes(zipped(header_of("(" * 3000 + ")" * 3000))),
    "a header of another version": bytes(zipped(b"\x93NUMPY\x09\x00" + ONES[8:])),
}


@pytest.mark.parametrize("name", ["policy.npz", "model.pt"])
@pytest.mark.parametrize("kind", OTHER_FILES)
def test_files_of_another_kind(name: str, kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / name).write_bytes(OTHER_FILES[kind])
    with pytest.raises(UserError, match=rf"{name}: expected a (policy.npz|checkpoint) .*, got .") as raised:
        load_policy(tmp_path / name)
    assert "\n" not in str(raised.value)
    assert "sprung" not in capsys.readouterr().out


BOMB = """
import resource
from boids_env import UserError, load_policy
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
try:
    load_policy({path!r})
except UserError as error:
    print(error)
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""


@pytest.mark.slow
@pytest.mark.parametrize("lie", [False, True])
def test_a_zip_that_unpacks_to_gigabytes(lie: bool, tmp_path: Path) -> None:
    path, chunk = tmp_path / "policy.npz", bytes(2**24)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as written, written.open("decoder.bias.npy", "w") as file:
        file.write(header_of("(200000000,)")[:-8])
        for _ in range(48):
            file.write(chunk)
    if lie:
        path.write_bytes(patched(bytearray(path.read_bytes()), size=2**20))
    assert path.stat().st_size < 2**20
    done = python(BOMB.format(path=str(path)))
    message, megabytes = done.stdout.splitlines()
    assert "policy.npz: expected a policy.npz of boids train, got" in message, done.stderr
    assert lie or "bytes of at most 67,108,864" in message
    assert int(megabytes) < 100


def test_a_weight_that_stands_for_many_is_refused(tmp_path: Path) -> None:
    """One number of a tensor with strides of 0 may be as many as one likes."""
    weights = {"decoder.bias": torch.ones(1).expand(2**40), "decoder.weight": torch.ones(1).expand(2**40, 10)}
    torch.save(weights, tmp_path / "model.pt")
    with pytest.raises(UserError, match=r"model\.pt: decoder\.weight: expected floats, anyxany, got"):
        load_policy(tmp_path / "model.pt")


def test_a_checkpoint_that_holds_no_weights(tmp_path: Path) -> None:
    for content in ({"update": 3}, [1, 2], {3: torch.ones(1)}):
        torch.save(content, tmp_path / "trainer_state.pt")
        with pytest.raises(UserError, match=r"expected the weights of a policy, as in model_000050.pt, got something else"):
            load_policy(tmp_path / "trainer_state.pt")


@pytest.mark.parametrize(("seed", "error"), [(-1, UserError), (2**63, UserError), (1.5, TypeError), (True, TypeError)])
@pytest.mark.parametrize("which", ["random", "reynolds", "learned"])
def test_a_seed_that_is_none(which: str, seed: Any, error: type[Exception]) -> None:
    with pytest.raises(error, match=r"^seed: expected an int"):
        load_policy(which, seed=seed)


def test_other_arrays_are_ignored() -> None:
    for name in ("scale", "encoder.7.bias", f"encoder.{'9' * 5000}.weight"):
        assert len(Learned({**arrays(), name: np.zeros(1)}).layers) == 3


def test_what_a_policy_is() -> None:
    assert repr(load_policy("learned")) == "<Learned: 'learned', a network of 10 x 32 x 32 x 5>"
    assert repr(load_policy("random")) == "<Random: actions drawn evenly>"
    assert repr(load_policy("reynolds")) == "<Reynolds: the script of the environment>"


def test_a_checkpoint_cannot_smuggle_in_code(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    torch.save({"decoder.weight": Trap()}, tmp_path / "model.pt")
    with pytest.raises(UserError, match="expected a checkpoint"):
        load_policy(tmp_path / "model.pt")
    assert "sprung" not in capsys.readouterr().out


@pytest.mark.parametrize("which", ["reynold", "nowhere/policy.npz", ""])
def test_no_such_policy(which: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match=r"expected random, reynolds, learned, planner or the path|there is no such file"):
        load_policy(which)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"observation": "nearest"}, "expected flocks with 10 observations and 5 turns to choose from, got 42"),
        ({"action": "continuous"}, "got 10 and 1 continuous actions"),
    ],
)
def test_a_flock_it_cannot_steer(parameters: dict[str, Any], message: str) -> None:
    with Flocks(**parameters) as flocks, pytest.raises(UserError, match=message):
        Learned(arrays()).act(flocks)


def test_a_broken_policy_is_not_saved(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="finite"):
        save_policy(tmp_path / "policy.npz", changed("decoder.bias", np.full(5, np.nan)), {})
    assert list(tmp_path.iterdir()) == []


def test_one_ships_with_the_package_and_flocks() -> None:
    board = summarize(score(["learned", "random"], seeds=1, steps=600, last=100, num_envs=4))
    assert board["learned"]["reward"]["mean"] > 0.8
    assert board["learned"]["local_alignment"]["mean"] > 0.97
    assert load_policy("learned").interface == {"action": "discrete", "observation": "rules", "num_neighbors": 8}


def in_c(folder: Path, header: Path) -> ctypes.CDLL:
    """A policy that tools/policy_header.py wrote, compiled."""
    compiler = needs.compiler()
    source = folder / "policy.c"
    source.write_text(f"""
        #include "{header}"
        void scores(const float* observation, float* out) {{ learned_scores(observation, out); }}
        bool act(float* observations, int32_t* actions, int32_t num_boids, int action, uint64_t seed) {{
            Boids env;
            memset(&env, 0, sizeof env);
            env_defaults(&env);
            env.num_boids = num_boids;
            env.action = action;
            env.observations = observations;
            env.actions = actions;
            return learned_act(&env, &seed);
        }}
    """)
    command = [*compiler.split(), "-shared", "-fPIC", "-O2", "-Wall", "-Wextra", "-Wconversion", "-Werror"]
    subprocess.run([*command, f"-I{ROOT / 'src'}", source, "-o", source.with_suffix(".so"), "-lm"], check=True)
    library = ctypes.CDLL(source.with_suffix(".so"))
    library.act.restype = ctypes.c_bool
    return library


def scores_in_c(policy: ctypes.CDLL, observations: np.ndarray) -> np.ndarray:
    out = np.zeros((len(observations), 5), np.float32)
    for row, scores in zip(observations, out, strict=True):
        policy.scores(ctypes.c_void_p(row.ctypes.data), ctypes.c_void_p(scores.ctypes.data))
    return out


@pytest.fixture(scope="module")
def policy_in_c(tmp_path_factory: pytest.TempPathFactory) -> ctypes.CDLL:
    return in_c(tmp_path_factory.mktemp("c"), ROOT / "examples/policy.h")


def test_mirror_images_get_mirrored_answers_to_the_bit(action: str, tmp_path: Path) -> None:
    """In NumPy, in torch and in C. tests/test_learner.py does it for the learner."""
    network(action).export(tmp_path / "policy.npz", {})
    network_of_torch, loaded = network(action), load_policy(tmp_path / "policy.npz")
    assert isinstance(loaded, Learned)
    assert loaded.mirror is not None
    (source, sign), (turn, turned) = loaded.mirror.observation, loaded.mirror.action
    with Flocks(num_boids=200, action=action) as flocks, torch.no_grad():
        seen(flocks)
        images = np.ascontiguousarray(flocks.observations[:, source] * sign)
        lone = (images == flocks.observations).all(1)  # its own image, to which there is one answer
        assert lone.sum() < 20
        there = np.where(lone[:, None], 0, flocks.observations)
        here = np.where(lone[:, None], 0, images)
        assert np.array_equal(loaded.scores(here)[~lone], (loaded.scores(there)[:, turn] * turned)[~lone])
        out = [network_of_torch(torch.as_tensor(rows))[0] for rows in (here, there)]
        means = [o.mean if isinstance(o, torch.distributions.Normal) else o for o in out]
        assert torch.equal(means[0][~lone], (means[1][:, turn] * turned)[~lone])
        for argmax in (True, False):
            actions = []
            for rows in (there, here):
                flocks.observations[:] = rows
                load_policy(tmp_path / "policy.npz", argmax=argmax, seed=5).act(flocks)
                actions.append(flocks.actions[~lone].copy())
            assert np.array_equal(actions[1], turn[actions[0]] if action == "discrete" else -actions[0])
            assert len(np.unique(actions[0])) > 2
        if action == "discrete":
            tool = ROOT / "tools/policy_header.py"
            subprocess.run([sys.executable, tool, tmp_path / "policy.npz", tmp_path / "p.h"], check=True)
            policy = in_c(tmp_path, tmp_path / "p.h")
            got = [scores_in_c(policy, rows) for rows in (here, there)]
            assert np.array_equal(got[0][~lone], got[1][:, turn][~lone])
            assert np.abs(got[1] - loaded.scores(there)).max() < 1e-4


def test_in_c_it_scores_alike_and_draws_by_the_scores(policy_in_c: ctypes.CDLL) -> None:
    random = np.random.default_rng(1)
    observations = random.uniform(-1, 1, (500, 10)).astype(np.float32)
    expected = load_policy("learned").scores(observations)
    got = scores_in_c(policy_in_c, observations)
    assert np.abs(got - expected).max() < 1e-4 * max(1, np.abs(expected).max())

    hesitant = np.argmin(expected.max(1))
    many, actions = np.tile(observations[hesitant], (20_000, 1)), np.full(20_000, -1, np.int32)
    pointers = ctypes.c_void_p(many.ctypes.data), ctypes.c_void_p(actions.ctypes.data)
    assert policy_in_c.act(*pointers, 20_000, 0, ctypes.c_uint64(7))
    chances = np.exp(expected[hesitant] - expected[hesitant].max())
    assert np.abs(np.bincount(actions, minlength=5) / 20_000 - chances / chances.sum()).max() < 0.02
    actions[:] = -1
    assert not policy_in_c.act(*pointers, 20_000, 1, ctypes.c_uint64(7))
    assert (actions == -1).all()


def compiled_reader(out: Path, *flags: str) -> None:
    """tests/learn/policy.c, which reads a policy.npz with src/learn/policy.h."""
    command = [*needs.compiler().split(), *flags, "-ffp-contract=off", "-Wall", "-Wextra", "-Wconversion", "-Werror"]
    subprocess.run([*command, f"-I{ROOT / 'src'}", ROOT / "tests/learn/policy.c", "-o", out, "-lm", "-lpthread"], check=True)


@pytest.mark.slow
def test_one_file_acts_alike_in_numpy_in_c_and_in_torch(action: str, tmp_path: Path) -> None:
    compiled_reader(tmp_path / "policy.so", "-shared", "-fPIC", "-O2")
    reader = ctypes.CDLL(tmp_path / "policy.so")
    reader.best_actions.restype = ctypes.c_char_p
    for shape in ({"hidden_size": 24, "hidden_layers": 3}, {"hidden_size": 16, "mirror": False}):
        network(action, **shape).export(tmp_path / "policy.npz", {})
        other = network(action, **shape)
        with torch.no_grad():
            for parameter in other.parameters():
                parameter.zero_()
        other.load(tmp_path / "policy.npz")
        with Flocks(num_boids=500, action=action) as flocks, torch.no_grad():
            seen(flocks)
            load_policy(tmp_path / "policy.npz", argmax=True).act(flocks)
            out, _ = other(torch.as_tensor(flocks.observations))
            in_torch = (out.mean.clamp(-1, 1) if isinstance(out, torch.distributions.Normal) else out.argmax(1)).numpy()
            got, data = np.zeros_like(flocks.actions), (tmp_path / "policy.npz").read_bytes()
            at, to = (ctypes.c_void_p(array.ctypes.data) for array in (flocks.observations, got))
            kind = int(action == "continuous")
            assert reader.best_actions(data, ctypes.c_size_t(len(data)), kind, at, 500, to) is None
            for its in (in_torch, got):
                assert np.allclose(its, flocks.actions, atol=1e-5) if kind else np.mean(its == flocks.actions) > 0.995
            assert len(np.unique(got)) > 2
            message = reader.best_actions(data, ctypes.c_size_t(len(data)), 1 - kind, at, 500, to)
            assert message.startswith(b"policy: decoder")


@pytest.mark.slow
def test_spoilt_files_are_refused_in_c(tmp_path: Path) -> None:
    network("discrete", hidden_size=8).export(tmp_path / "policy.npz", {})
    compiled_reader(tmp_path / "reader", "-g", "-O1", "-fsanitize=address,undefined", "-fno-sanitize-recover=all")
    done = subprocess.run([tmp_path / "reader", tmp_path / "policy.npz"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert 1500 < int(done.stdout) < 3000  # a changed weight is a weight


def test_the_header_is_of_the_policy_that_ships(tmp_path: Path) -> None:
    tool = ROOT / "tools/policy_header.py"
    subprocess.run([sys.executable, tool, LEARNED, tmp_path / "policy.h"], check=True)
    assert (tmp_path / "policy.h").read_text() == (ROOT / "examples/policy.h").read_text()
    done = subprocess.run([sys.executable, tool, "random", tmp_path / "policy.h"], capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stderr == "random: expected a learned policy with discrete turns\n"
