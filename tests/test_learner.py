"""The class Learner of the extension, and the final observations and the mirror that it learns with."""

import contextlib
import ctypes
import inspect
import os
import signal
import threading
import time
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from boids_env.learn.learner import weights

Arrays = dict[str, NDArray[Any]]
SMALL = {"rollout": 8, "minibatch": 64, "policy_width": 16, "value_width": 16}


def started(
    module: ModuleType, num_envs: int = 8, seed: int = 1, num_threads: int = 1, final: bool = False, **parameters: Any
) -> tuple[Any, Arrays]:
    """A VecEnv in an episode, and its arrays."""
    layout = module.layout(**parameters)
    n, spaces = num_envs * layout["num_agents"], {"observations": layout["observation"], "actions": layout["action"]}
    arrays = {name: np.zeros((n, space["size"]), space["dtype"]) for name, space in spaces.items()}
    arrays |= {"rewards": np.zeros(n, np.float32), "terminals": np.zeros(n, bool), "truncations": np.zeros(n, bool)}
    if final:
        arrays["final_observations"] = np.zeros_like(arrays["observations"])
    env = module.VecEnv(**arrays, num_envs=num_envs, seed=seed, num_threads=num_threads, **parameters)
    env.reset()
    return env, arrays


# ---- Learning -----------------------------------------------------------------------------------------------------------


def test_it_learns_to_flock(boids: ModuleType) -> None:
    env, _ = started(boids)
    learner = boids.Learner(env, seed=1, anneal_steps=200_000)
    learner.learn(1)
    assert learner.agent_steps == 8192
    assert learner.log()["reward"] < 0.1
    learner.learn(150_000)
    log = learner.log()
    assert log["reward"] > 0.6
    assert set(log) == {*boids.Learner.log_fields, *(f"env/{name}" for name in boids.VecEnv.log_fields)}
    assert "env/n" not in learner.log(), "means since the last call"
    assert learner.agent_steps == learner.updates * 8192 >= 158_192


def test_it_learns_in_a_module_that_is_not_the_flock(squared: ModuleType) -> None:
    env, _ = started(squared, num_envs=256, size=3)
    learner = squared.Learner(env, seed=1, annealing="none")
    learner.learn(8192)
    learner.log()
    learner.learn(150_000)
    learner.log()
    learner.learn(8192)
    assert learner.log()["env/score"] > 0.8


@pytest.mark.parametrize("annealing", ["none", "linear", "cosine"])
def test_the_learning_rate_falls(counter: ModuleType, annealing: str) -> None:
    """Every update has that of its beginning; after anneal_steps it is 0."""
    env, _ = started(counter)
    learner = counter.Learner(env, annealing=annealing, anneal_steps=128 * 5, learning_rate=0.01, **SMALL)
    done = np.minimum(np.arange(7) / 5, 1)
    expected = {"none": np.ones(7), "linear": 1 - done, "cosine": (1 + np.cos(np.pi * done)) / 2}[annealing]
    for share in expected:
        before = learner.policy()
        learner.learn(1)
        assert learner.log()["learning_rate"] == pytest.approx(0.01 * share, abs=1e-9)
        assert (learner.policy() != before) == (share > 0)


def test_threads_change_no_bit(boids: ModuleType) -> None:
    policies = []
    for num_threads in (1, 2, 3):
        env, _ = started(boids, num_threads=num_threads)
        learner = boids.Learner(env, seed=3, num_threads=num_threads)
        learner.learn(20_000)
        policies.append(learner.policy())
    assert policies[0] == policies[1] == policies[2]
    env, _ = started(boids)
    other = boids.Learner(env, seed=4)
    other.learn(20_000)
    assert other.policy() != policies[0]


def test_state_goes_on_to_the_same_bits(boids: ModuleType) -> None:
    env, _ = started(boids)
    learner = boids.Learner(env, seed=3)
    learner.learn(10_000)
    state = learner.state()
    learner.learn(20_000)
    other_env, _ = started(boids, seed=9)
    other = boids.Learner(other_env, seed=8)
    other.set_state(state)
    assert other.agent_steps == 16_384
    other.learn(20_000)
    assert other.policy() == learner.policy()
    assert other.state() == learner.state()
    before = other.policy()
    for k in (0, 9, 100, len(state) // 2, len(state) - 1):
        with pytest.raises(ValueError, match=r"^data: "):
            other.set_state(state[:k] + bytes([state[k] ^ 1]) + state[k + 1 :])
    with pytest.raises(ValueError, match="policy_width 16, got 32"):
        boids.Learner(env, policy_width=16).set_state(state)
    assert other.policy() == before


def test_no_state_where_the_environment_has_none(squared: ModuleType) -> None:
    env, _ = started(squared, num_envs=64)
    learner = squared.Learner(env)
    with pytest.raises(NotImplementedError, match="ENV_STATE"):
        learner.state()
    with pytest.raises(NotImplementedError, match="ENV_STATE"):
        learner.set_state(b"")


# ---- The policy ---------------------------------------------------------------------------------------------------------


def answer(policy: Arrays, observations: NDArray[Any], low: float = -np.inf, high: float = np.inf) -> NDArray[Any]:
    """The best actions of a policy, one discrete or continuous ones: policy() as its documentation says, in NumPy."""
    x = observations.astype(np.float32)
    mirrored = np.zeros(len(x), bool)
    if "mirror.observation" in policy:
        source, sign = policy["mirror.observation"]
        image = x[:, source.astype(int)] * sign
        first = np.argmax(x != image, axis=1)
        rows = np.arange(len(x))
        mirrored = image[rows, first] > x[rows, first]
        x = np.where(mirrored[:, None], image, x)
    depth = sum(name.startswith("encoder.") for name in policy) // 2
    for k in range(depth):
        x = np.tanh(x @ policy[f"encoder.{2 * k}.weight"].T + policy[f"encoder.{2 * k}.bias"])
    head = "decoder" if "decoder.weight" in policy else "decoder_mean"
    out = x @ policy[f"{head}.weight"].T + policy[f"{head}.bias"]
    source, sign = policy.get("mirror.action", np.array([np.arange(out.shape[1]), np.ones(out.shape[1])]))
    if head == "decoder":
        best = out.argmax(1)
        return np.where(mirrored, source.astype(int)[best], best)
    return np.clip(np.where(mirrored[:, None], out[:, source.astype(int)] * sign, out), low, high)


@pytest.mark.parametrize("mirror", [False, True])
@pytest.mark.parametrize("parameters", [{}, {"action": "continuous"}, {"observation": "nearest"}], ids=str)
def test_the_policy_is_what_acts(boids: ModuleType, parameters: dict[str, str], mirror: bool) -> None:
    env, arrays = started(boids, **parameters)
    learner = boids.Learner(env, seed=1, mirror=mirror)
    learner.learn(50_000)
    policy = weights(learner)
    assert ("mirror.action" in policy) == mirror
    learner.act(env, best=True)
    expected = answer(policy, arrays["observations"], -1, 1)
    if "action" in parameters:
        np.testing.assert_allclose(arrays["actions"], expected, atol=1e-5)
    else:
        assert np.mean(arrays["actions"][:, 0] == expected) > 0.99  # two scores may be equal but for rounding


def test_integers_are_scaled_in_the_weights(squared: ModuleType) -> None:
    env, arrays = started(squared, num_envs=256)
    learner = squared.Learner(env, seed=1)
    learner.learn(20_000)
    learner.act(env, best=True)
    assert np.mean(arrays["actions"][:, 0] == answer(weights(learner), arrays["observations"])) > 0.98


def test_act_steers_another_vecenv_and_draws_by_step(boids: ModuleType) -> None:
    env, _ = started(boids)
    other, arrays = started(boids, num_envs=3, num_boids=100)
    learner = boids.Learner(env, seed=1)
    drawn = []
    for step in (0, 1, 0):
        learner.act(other, step)
        drawn.append(arrays["actions"].copy())
    assert np.array_equal(drawn[0], drawn[2])
    assert not np.array_equal(drawn[0], drawn[1])
    assert np.unique(drawn[0]).size == 5
    nearest, _ = started(boids, observation="nearest")
    with pytest.raises(ValueError, match="vec: expected the spaces that the learner learns in"):
        learner.act(nearest)


# ---- The mirror ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("observation", ["rules", "nearest"])
def test_a_flock_and_its_mirror_image_turn_alike(boids: ModuleType, observation: str) -> None:
    """In the mirror y and the heading have the other sign. What the header says of it is then so, within rounding."""
    size = {"num_boids": 200, "width": 400, "height": 400, "observation": observation}
    env, arrays = started(boids, 1, **size)
    image, seen = started(boids, 1, **size)
    learner = boids.Learner(env, seed=1, rollout=8, minibatch=100)
    learner.learn(20_000)
    source, sign = weights(learner)["mirror.observation"]
    for name, kind in (("x", np.uint32), ("y", np.uint32), ("heading", np.uint16)):
        field = np.frombuffer(env.get(name), kind)
        image.set(name, field if name == "x" else (-field.astype(np.int64)).astype(kind))
    for vec, its in ((env, arrays), (image, seen)):
        its["actions"][:] = 2  # straight on
        vec.step()
    expected = arrays["observations"][:, source.astype(int)] * sign
    close = np.abs(seen["observations"] - expected).max(1) < 0.05  # two of the nearest may be as near
    assert close.mean() > 0.95
    assert np.ptp(arrays["observations"][:, sign < 0]) > 1
    assert np.mean(np.abs(seen["rewards"] - arrays["rewards"]) < 0.05) > 0.9
    # exact images get exact answers: tests/c/test_learn_golden.c has drawn actions too
    learner.act(env, best=True)
    turns = arrays["actions"].copy()
    arrays["observations"][:] = expected
    learner.act(env, best=True)
    assert np.array_equal(arrays["actions"], 4 - turns)
    assert np.unique(turns).size > 1


# ---- Final observations -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("parameters", [{}, {"observation": "nearest"}, {"num_boids": 300}], ids=str)
def test_final_observations_of_the_flock(boids: ModuleType, parameters: dict[str, Any]) -> None:
    """They are what a flock sees that flies on."""
    short, arrays = started(boids, 3, final=True, horizon=5, stagger=False, **parameters)
    long, others = started(boids, 3, horizon=6, stagger=False, **parameters)
    for _ in range(5):
        assert not arrays["final_observations"].any()
        short.step()
        long.step()
    assert arrays["truncations"].all()
    assert np.array_equal(arrays["final_observations"], others["observations"])
    assert not np.array_equal(arrays["final_observations"], arrays["observations"])
    kept = arrays["final_observations"].copy()
    short.step()
    assert np.array_equal(kept, arrays["final_observations"]), "other rows stay as they are"


def test_final_observations_of_squared(squared: ModuleType) -> None:
    env, arrays = started(squared, 64, final=True, size=5)
    reached = 0
    for _ in range(8):
        env.script()
        env.step()
        for i in np.flatnonzero(arrays["terminals"]):
            assert np.count_nonzero(arrays["final_observations"][i] == 1) == 1, "the agent is where the target was"
            assert not np.any(arrays["final_observations"][i] == 2)
            reached += 1
    assert reached >= 64
    env.reset()
    arrays["actions"][:] = 0  # stay
    for _ in range(15):
        arrays["final_observations"][:] = 9
        before = arrays["observations"].copy()
        env.step()
    assert arrays["truncations"].all()
    assert np.array_equal(arrays["final_observations"], before)


def test_final_observations_of_snake(snake: ModuleType) -> None:
    size = {"num_snakes": 1, "num_food": 0}
    short, arrays = started(snake, 8, final=True, horizon=3, **size)
    long, others = started(snake, 8, horizon=4, **size)
    for _ in range(3):
        short.script()
        long.script()
        short.step()
        long.step()
    assert arrays["truncations"].all()
    assert np.array_equal(arrays["final_observations"], others["observations"])


def test_final_observations_are_checked_like_the_other_arrays(counter: ModuleType, least: ModuleType) -> None:
    _, arrays = started(counter)
    shape = arrays["observations"].shape
    for wrong, error, message in [
        (np.zeros(shape, np.float32), ValueError, r"final_observations: expected uint8 \(16, 2\), got float32 \(16, 2\)"),
        (np.zeros((3, 2), np.uint8), ValueError, r"final_observations: expected uint8 \(16, 2\), got uint8 \(3, 2\)"),
        (arrays["observations"], ValueError, "final_observations: overlaps observations"),
        (7, TypeError, "final_observations: expected an array of numbers, got int"),
        (np.zeros(shape, np.uint8)[::-1], ValueError, "final_observations: expected a C-contiguous array"),
    ]:
        with pytest.raises(error, match=message):
            counter.VecEnv(**arrays, final_observations=wrong, num_envs=8)
    final = np.zeros(shape, np.uint8)
    env = counter.VecEnv(**arrays, final_observations=final, num_envs=8)
    with pytest.raises(ValueError, match="resize"):
        final.resize(1)
    env.close()
    final.resize(1, refcheck=False)
    counter.VecEnv(**arrays, final_observations=None, num_envs=8).close()
    _, arrays = started(least, 1)
    with pytest.raises(NotImplementedError, match="ENV_FINAL_OBSERVATIONS"):
        least.VecEnv(**arrays, final_observations=np.zeros((1, 1), np.float32))


# ---- Mistakes -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        ({"gamma": 2}, ValueError, r"gamma: expected a float in \[0, 1\], got 2"),
        ({"gamma": float("nan")}, ValueError, "gamma: expected"),
        ({"minibatch": 100}, ValueError, r"minibatch: expected a divisor of 8192 \(512 agents x rollout 16\), got 100"),
        ({"rollout": 1.5}, TypeError, "rollout: expected an int, got 1.5"),
        ({"annealing": "fast"}, ValueError, "annealing: expected one of 'none', 'linear', 'cosine', got 'fast'"),
        ({"mirror": 3}, TypeError, "mirror: expected True or False, got 3"),
        ({"speed": 3}, TypeError, "unknown setting 'speed'; valid are rollout, minibatch"),
        ({"num_threads": 0}, ValueError, r"num_threads: expected an int in \[1, 1024\], got 0"),
        ({"seed": -1}, ValueError, "seed: expected an int in"),
    ],
    ids=str,
)
def test_settings_are_checked(boids: ModuleType, settings: dict[str, Any], error: type[Exception], message: str) -> None:
    env, _ = started(boids)
    with pytest.raises(error, match=message):
        boids.Learner(env, **settings)
    boids.Learner(env).learn(1)


def test_wrong_arguments(boids: ModuleType, counter: ModuleType) -> None:
    env, _ = started(boids)
    other, _ = started(counter)
    learner = boids.Learner(env)
    for wrong in (3, None, other, boids.VecEnv):
        with pytest.raises(TypeError, match="vec: expected a VecEnv of this module"):
            boids.Learner(wrong)
        with pytest.raises(TypeError, match="vec: expected a VecEnv of this module"):
            learner.act(wrong)
    with pytest.raises(TypeError):
        boids.Learner()
    with pytest.raises(TypeError, match="agent_steps: expected an int, got '1'"):
        learner.learn("1")
    with pytest.raises(ValueError, match="agent_steps: expected an int in"):
        learner.learn(-1)
    with pytest.raises(TypeError, match="data: expected bytes, got 3"):
        learner.set_state(3)
    with pytest.raises(TypeError, match="best: expected True or False, got 2"):
        learner.act(env, best=2)
    assert learner.agent_steps == 0

    class Derived(boids.VecEnv):
        pass

    _, arrays = started(boids)
    derived = Derived(**arrays, num_envs=8)
    with pytest.raises(RuntimeError, match=r"call reset\(\) first"):
        boids.Learner(derived).learn(1)
    derived.reset()
    boids.Learner(derived).learn(1)


def test_a_closed_vecenv(boids: ModuleType) -> None:
    env, _ = started(boids)
    learner = boids.Learner(env)
    env.close()
    for call in (lambda: learner.learn(1), learner.log, learner.policy, learner.state, lambda: learner.act(env)):
        with pytest.raises(RuntimeError, match="VecEnv is closed"):
            call()
    with pytest.raises(RuntimeError, match="VecEnv is closed"):
        boids.Learner(env)
    assert learner.vec is env


def test_memory_that_was_taken_away_is_missed(boids: ModuleType) -> None:
    env, arrays = started(boids)
    learner = boids.Learner(env)
    state = learner.state()
    arrays["rewards"].resize(1 << 20, refcheck=False)
    for use in (lambda: learner.learn(1), learner.state, lambda: learner.set_state(state), lambda: learner.act(env)):
        with pytest.raises(RuntimeError, match="rewards: expected the memory that it had at first"):
            use()
    assert learner.agent_steps == 0


def test_numbers_that_are_not_finite(boids: ModuleType) -> None:
    env, arrays = started(boids)
    learner = boids.Learner(env)
    before = learner.policy()
    arrays["observations"][3] = np.nan
    with pytest.raises(FloatingPointError, match="returns: expected finite numbers, got nan"):
        learner.learn(1)
    assert learner.policy() == before
    assert learner.agent_steps == 0
    learner.learn(1)  # the observations are the environment's again


def test_no_memory(counter: ModuleType) -> None:
    """Whichever allocation fails: MemoryError, and nothing stays allocated."""
    env, _ = started(counter)
    library = ctypes.CDLL(counter.__file__)
    live, left = (ctypes.c_long.in_dll(library, f"counter_allocations_{name}") for name in ("live", "left"))
    before, fails = live.value, 0
    while True:
        left.value = fails
        try:
            learner = counter.Learner(env, **SMALL)
        except MemoryError:
            fails += 1
            assert live.value == before
        else:
            break
        finally:
            left.value = -1
    assert fails > 10
    del learner
    env.close()


def test_while_it_learns_others_run_and_the_vecenv_is_in_use(boids: ModuleType) -> None:
    env, _ = started(boids)
    learner = boids.Learner(env)
    thread = threading.Thread(target=learner.learn, args=(600_000,))
    thread.start()
    refused = []
    while thread.is_alive():
        time.sleep(0.01)
        for call in (env.step, learner.policy, env.close, lambda: learner.learn(1)):
            with contextlib.suppress(RuntimeError):  # in use by another thread
                call()
                thread.join()  # it had just ended
                break
            refused.append(call)
    assert len(refused) > 4


def test_ctrl_c_ends_it_between_updates(boids: ModuleType) -> None:
    env, _ = started(boids)
    learner = boids.Learner(env)
    timer = threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        learner.learn(10**12)
    timer.join()
    assert learner.agent_steps == learner.updates * 8192 > 0
    learner.learn(1)


def test_help(module: ModuleType) -> None:
    assert str(inspect.signature(module.Learner)) == "(vec, /, *, seed=0, num_threads=1, **settings)"
    assert str(inspect.signature(module.Learner.act)) == "(self, /, vec, step=0, best=False)"
    for name in ("learn", "log", "policy", "act", "state", "set_state"):
        assert "Raises: " in getattr(module.Learner, name).__doc__
    assert module.Learner.__module__ == module.__name__
    assert module.Learner.settings["gamma"]["max"] == 1
    with pytest.raises(TypeError):
        module.Learner.settings["gamma"] = 1
