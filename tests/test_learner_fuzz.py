"""Random settings of a Learner from Hypothesis: they are refused in one sentence, or the learner learns with them.

The usual run makes the same choices every time and takes some seconds. BOIDS_FUZZ_SECONDS=600 in the environment tries
others for that long. A failure prints the shortest settings that Hypothesis found for it.
"""

import math
import os
import re
import time
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from boids_env import _boids, numpy_env

SECONDS = float(os.environ.get("BOIDS_FUZZ_SECONDS") or 0)
QUIET = {"deadline": None, "database": None, "suppress_health_check": list(HealthCheck)}
MOST = {"rollout": 24, "minibatch": 3000, "epochs": 3, "policy_width": 40, "value_width": 40}  # more takes long
ENVIRONMENTS = {  # of the fixtures; the agents are 6, 6, 5, 9 and 4
    "boids": [{"num_envs": 2, "num_boids": 3, "horizon": 5}, {"num_envs": 1, "num_boids": 6, "action": "continuous"}],
    "squared": [{"num_envs": 5, "size": 4}],
    "snake": [{"num_envs": 3, "num_snakes": 3, "width": 9, "height": 9, "vision": 2}],
    "cartpole": [{"num_envs": 4, "horizon": 7}],
}


def valid(name: str, what: dict[str, Any]) -> st.SearchStrategy[Any]:
    if what["type"] == "choice":
        return st.sampled_from(what["choices"])
    if what["type"] == "bool":
        return st.booleans()
    low, high = what["min"], min(what["max"], MOST.get(name, math.inf))
    if what["type"] == "int":
        return st.integers(int(low), int(high))
    bounds = float(np.nextafter(np.float32(low), np.float32(high))), float(np.nextafter(np.float32(high), np.float32(low)))
    return st.sampled_from([low, high]) | st.floats(*bounds, width=32)


def wrong(what: dict[str, Any]) -> st.SearchStrategy[Any]:
    beyond: list[Any] = [None, "fast", b"", [1], math.nan, math.inf, -math.inf, -1, 2**40, 2**70, 1e300, 0.5j]
    if what["type"] == "bool":
        beyond = [None, "fast", math.nan, 2, -1]
    return st.sampled_from(beyond)


@st.composite
def chosen(draw: st.DrawFn, module: ModuleType) -> dict[str, Any]:
    """Some settings; now and then one that is wrong."""
    all_of_them = module.Learner.settings
    names = draw(st.lists(st.sampled_from(sorted(all_of_them)), unique=True, max_size=8))
    result = {name: draw(valid(name, all_of_them[name])) for name in names}
    result = {"rollout": draw(st.integers(1, 24)), "policy_width": 8, "value_width": 8, **result}
    if draw(st.integers(0, 9)) > 0:  # it divides
        result["minibatch"] = draw(st.sampled_from([1, 1, 1, 2, 3, 5])) * result["rollout"]
    if draw(st.integers(0, 3)) == 0:
        name = draw(st.sampled_from(sorted(all_of_them)))
        result[name] = draw(wrong(all_of_them[name]))
    return result


def attempt(module: ModuleType, envs: dict[str, Any], with_settings: dict[str, Any], seed: int, num_threads: int) -> str:
    """What became of one update."""
    with numpy_env(module)(**envs, seed=seed) as env:
        env.reset()
        before, refused, diverged = env.observations.copy(), "", ""
        try:
            learner = module.Learner(env.vec, seed=seed, num_threads=num_threads, **with_settings)
        except (ValueError, TypeError) as error:
            refused = str(error)
        if refused:
            assert re.fullmatch(r"\w+: expected [^\n]+, got [^\n]+", refused), refused
            assert refused.split(":")[0] in module.Learner.settings
            np.testing.assert_array_equal(env.observations, before)
            env.step()
            return "refused"
        try:
            learner.learn(1)
        except FloatingPointError as error:
            diverged = str(error)
        assert learner.agent_steps == (0 if diverged else with_settings["rollout"] * env.num_agents)
        assert not diverged or re.fullmatch(r"\w+: expected finite numbers, got [^\n]+", diverged), diverged
        if not diverged:
            log = [value for name, value in learner.log().items() if not name.startswith("env/")]
            assert np.isfinite(log).all(), log
        for name, (shape, data) in learner.policy().items():
            weights = np.frombuffer(data, np.float32)
            assert weights.size == math.prod(shape)
            assert np.isfinite(weights).all(), name
        learner.act(env.vec)
        env.step()
        return "diverged" if diverged else "learned"


@pytest.mark.slow
@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_any_settings(request: pytest.FixtureRequest, name: str) -> None:
    module = request.getfixturevalue(name)
    became = {"refused": 0, "learned": 0, "diverged": 0}
    end = time.monotonic() + SECONDS / len(ENVIRONMENTS)

    def run(phases: tuple[Phase, ...], examples: int, derandomize: bool) -> None:
        @settings(max_examples=examples, derandomize=derandomize, phases=phases, **QUIET)
        @given(st.sampled_from(ENVIRONMENTS[name]), chosen(module), st.integers(0, 2**63 - 1), st.sampled_from([1, 2, 3]))
        def attempts(envs: dict[str, Any], with_settings: dict[str, Any], seed: int, num_threads: int) -> None:
            became[attempt(module, envs, with_settings, seed, num_threads)] += 1

        attempts()

    run(tuple(Phase), 150, True)
    while time.monotonic() < end:
        run((Phase.generate, Phase.shrink), 1000, False)
    print(name, became)
    assert min(became["refused"], became["learned"]) > 20


class Vague:
    """Refuses, and does not say what."""

    settings = _boids.Learner.settings

    def __init__(self, vec: Any, **given: Any) -> None:
        raise ValueError("no")


class Broken:
    """Its weights are not finite."""

    def __init__(self, vec: Any, **given: Any) -> None:
        self.learner = _boids.Learner(vec, **given)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.learner, name)

    def policy(self) -> Any:
        return {name: (shape, b"\xff" * len(data)) for name, (shape, data) in self.learner.policy().items()}


@pytest.mark.parametrize(("learner", "found"), [(Vague, "no"), (Broken, "encoder.0.weight")])
def test_what_it_looks_for_is_found(learner: type, found: str) -> None:
    module = ModuleType("_boids")
    module.__dict__.update({**_boids.__dict__, "Learner": learner})
    with pytest.raises(AssertionError, match=found):
        attempt(module, ENVIRONMENTS["boids"][0], {"rollout": 5, "minibatch": 5}, 1, 1)
