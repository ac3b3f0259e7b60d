"""What run.py measures."""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Callable
from functools import cache, partial
from itertools import count
from pathlib import Path
from time import process_time
from types import SimpleNamespace
from typing import Any

import numpy as np
import show
import torch
from flights import HORIZON, LARGE, NEAREST, RULES, Act, Flight, Simulator, centred, correlation, flocks, record, rules_of
from models import WINDOW, Expected, Imagined, Latent, Recurrent, Regression, fit_regression, fit_world, present

from boids_env import Flocks, bench, load_policy
from boids_env._boids import Learner, VecEnv
from boids_env.learn.config import load
from boids_env.learn.learner import make_learner, weights
from boids_env.learn.policies import Learned
from boids_env.learn.score import EVALUATION_SEED

ROOT = Path(__file__).resolve().parents[2]
FLOCKS, BEFORE, LENGTH, LAST = (
    8,
    600,
    200,
    100,
)  # a planner takes over after so many steps of the policy, flies, and is scored
DATA = 500  # steps of FLOCKS flocks of 64 boids: 256,000 agent-steps
RANDOM = 0.3  # turns drawn evenly in "data with random turns"
MEMORY = 20  # steps before a planner takes over that a model with a memory has seen
BUDGETS = (62_500, 125_000, 250_000, 500_000)
SEEDS = (1, 2, 3, 4)
ADDED = 250_000  # real steps after those of the policy


def kept(folder: Path, name: str, about: Any, measure: Callable[[], Any]) -> Any:
    """What `measure()` returned for `about` now or before."""
    key = hashlib.sha256(json.dumps([name, about], sort_keys=True).encode()).hexdigest()[:10]
    path = folder / f"{''.join(c if c.isalnum() else '-' for c in name)}-{key}.json"
    if not path.exists():
        print(f"▸ {name}", file=sys.stderr, flush=True)
        partial = path.with_suffix(".partial")
        partial.write_text(json.dumps(measure()))
        partial.replace(path)
    return json.loads(path.read_text())


# ---- What a planner brings ------------------------------------------------------------------------------------------------


class Scene:
    """Flocks that a policy has flown for a while. From there planners take over, all from the same state."""

    def __init__(self, policy: Learned | None, length: int = LENGTH) -> None:
        self.policy, self.length = policy, length
        self.act = rules_of(policy) if policy else random_turns(2)
        self.env = flocks(FLOCKS, EVALUATION_SEED)
        draws = np.random.default_rng(0)
        record(self.env, self.act, BEFORE - MEMORY, 0, draws)
        self.before = record(self.env, self.act, MEMORY, 0, draws)
        self.state = self.env.state()

    def fly(self, act: Act, took: Any = None) -> list[float]:
        """The mean reward of each flock in the last steps."""
        self.env.set_state(self.state)
        rewards = []
        for _ in range(self.length):
            act(self.env)
            before = self.env.observations.copy()
            self.env.step()
            if took:
                took(before, self.env.actions.astype(np.int64))
            rewards.append(self.env.rewards.reshape(FLOCKS, -1).mean(1))
        return [float(mean) for mean in np.mean(rewards[-LAST:], 0)]

    def remember(self, took: Any) -> None:
        for observations, actions in zip(self.before.observations[:-1], self.before.actions, strict=True):
            took(observations, actions)

    def measure(self, make: Callable[[], Any]) -> dict[str, Any]:
        """The correlation of a planner's advantages with the true ones along the policy's flight, and what it earns.

        Of a model of the world also how much of the variance of the next reward it explains, and how much of that of its
        change.
        """
        planner = make()
        took = getattr(planner, "took", None)
        truth, pairs, rewards = Simulator(self.policy, flights=16, seed=99), [], []
        self.env.set_state(self.state)
        if took:
            self.remember(took)
        for step in range(60):
            if step % 6 == 0:
                pairs.append((centred(planner.turns(self.env)), centred(truth.turns(self.env))))
            self.act(self.env)
            before, actions = self.env.observations.copy(), self.env.actions.astype(np.int64)
            self.env.step()
            if hasattr(planner, "reward"):
                rewards.append((planner.reward(before, actions), self.env.rewards.copy(), present(before)))
            if took:
                took(before, actions)
        predicted, true = (np.concatenate(part) for part in zip(*pairs, strict=True))
        explained = {}
        if rewards:
            guess, real, now = (np.concatenate(part) for part in zip(*rewards, strict=True))
            error = ((guess - real) ** 2).mean()
            explained = {"reward": float(1 - error / real.var()), "change": float(1 - error / ((real - now) ** 2).mean())}
        planner = make()
        if took := getattr(planner, "took", None):
            self.remember(took)

        def act(env: Any) -> None:
            env.actions[:] = planner.turns(env).argmax(1)

        return {"correlation": correlation(predicted, true), "explained": explained, "rewards": self.fly(act, took)}


def random_turns(seed: int) -> Act:
    policy = load_policy("random", seed=seed)
    return policy.act


class BestFuture:
    """The talk's rule in the true simulator: first turns drawn by the policy, each counts as its best future of 32."""

    def __init__(self, policy: Learned, futures: int = 32) -> None:
        self._policy, self._futures = policy, futures
        self._truth, self._draws = Simulator(policy, flights=1), np.random.default_rng(1)

    def turns(self, env: Any) -> Any:
        scores = logits_of(self._policy)(env.observations)
        best, worst = np.full((len(scores), 5), -np.inf, np.float32), np.full((len(scores), 1), np.inf, np.float32)
        rows = np.arange(len(scores))
        for _ in range(self._futures):
            first = (scores + self._draws.gumbel(size=scores.shape)).argmax(1)
            earned = self._truth.turns(env)[rows, first]
            best[rows, first] = np.maximum(best[rows, first], earned)
            worst[:, 0] = np.minimum(worst[:, 0], earned)
        return np.where(np.isinf(best), worst, best)  # a turn that was never drawn counts as the worst


class Through:
    """The true advantages, as far as what one boid observes can tell them: fitted to the simulator's own."""

    def __init__(self, scene: Scene, neighbours: bool) -> None:
        torch.manual_seed(1)
        self.model = Regression(neighbours, 1)
        env, truth, seen, true = flocks(FLOCKS, 7), Simulator(scene.policy, flights=4), [], []
        draws = np.random.default_rng(3)
        record(env, scene.act, 200, 0, draws)
        for _ in range(150):
            seen.append(env.observations.copy())
            true.append(centred(truth.turns(env)))
            record(env, scene.act, 2, RANDOM / 2, draws)
        o, mirrored = self.model.mirror(torch.from_numpy(np.concatenate(seen)))
        a = torch.from_numpy(np.concatenate(true))
        a = torch.where(mirrored, a.flip(-1), a)
        optimizer = torch.optim.Adam(self.model.parameters(), 2e-3)
        passes = 10
        for k in range(passes):
            optimizer.param_groups[0]["lr"] = 2e-3 * (1 - k / passes)
            for part in torch.randperm(len(o)).split(512):
                loss = ((self.model.seen(o[part])[:, 0] - a[part]) ** 2).mean()
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
        self.turns = Expected(self.model).turns


def logits_of(policy: Learned | None) -> Callable[[Any], Any]:
    """The scores of the policy, for observations that begin with `rules`."""
    if policy is None:
        return lambda observations: np.zeros((*observations.shape[:-1], 5), np.float32)
    return lambda observations: policy.scores(np.ascontiguousarray(observations[..., :RULES]))


# ---- The ladder -----------------------------------------------------------------------------------------------------------

# name: what is learned, the data, the rule, whether the value counts
LADDER: dict[str, tuple[str, str, str, bool]] = {
    "the talk's: LSTM": ("lstm", "policy", "best", True),
    "the talk's, without the value": ("lstm", "policy", "best", False),
    "the talk's, mean of futures": ("lstm", "policy", "mean", True),
    "the talk's, random turns": ("lstm", "random", "best", True),
    "random turns, mean": ("lstm", "random", "mean", True),
    "random turns, mean, no value": ("lstm", "random", "mean", False),
    "latent model": ("latent", "random", "mean", False),
    "latent model, policy's data": ("latent", "policy", "mean", False),
    "latent model, neighbours": ("latent, neighbours", "random", "mean", False),
    "five-step regression, policy's data": ("five", "policy", "", False),
    "five-step regression": ("five", "random", "", False),
    "five-step regression, neighbours": ("five, neighbours", "random", "", False),
    "fitted Q, five steps": ("fitted", "random", "", False),
    "fitted Q, five steps, neighbours": ("fitted, neighbours", "random", "", False),
    "fitted Q, own flights": ("fitted", "own", "", False),
    "fitted Q, own flights, neighbours": ("fitted, neighbours", "own", "", False),
}


class Laboratory:
    """Recordings under one policy, and models that are learned from them, each made once."""

    def __init__(self, policy: Learned | None, agent_steps: int = FLOCKS * 64 * DATA) -> None:
        self.policy, self.steps = policy, agent_steps // (FLOCKS * 64)
        self.flights: dict[str, Flight] = {}
        self.models: dict[Any, Any] = {}

    def flight(self, data: str) -> Flight:
        if data not in self.flights:
            act = rules_of(self.policy) if self.policy else random_turns(3)
            env = flocks(FLOCKS, 1)
            self.flights[data] = record(env, act, self.steps, RANDOM if data == "random" else 0, np.random.default_rng(1))
        return self.flights[data]

    def own_flights(self, model: Regression) -> list[Flight]:
        """Half of the recording; and as much of how the model flies that has learned from it."""
        turns, half, whole = Expected(model).turns, self.steps // 2, self.flight("random")
        flights = [Flight(whole.observations[: half + 1], whole.actions[:half], whole.rewards[:half])]
        fit_regression(model, flights, 6, greedy=True)

        def act(env: Any) -> None:
            env.actions[:] = turns(env).argmax(1)

        flights.append(record(flocks(FLOCKS, 2), act, self.steps - half, RANDOM, np.random.default_rng(2)))
        return flights

    def model(self, kind: str, data: str) -> Any:
        if (kind, data) not in self.models:
            torch.manual_seed(1)
            flight, neighbours = self.flight("random" if data == "own" else data), kind.endswith("neighbours")
            flights = [flight]
            if kind.startswith(("lstm", "latent")):
                model: Any = Recurrent() if kind == "lstm" else Latent(neighbours)
                logits = logits_of(self.policy)(flight.observations.reshape(-1, flight.observations.shape[2]))
                logits = logits.reshape(*flight.observations.shape[:2], 5)
                window, passes = (WINDOW, 40) if kind == "lstm" else (5, 16)
                fit_world(model, flight, logits, passes, window)
            else:
                model, greedy = Regression(neighbours, HORIZON), kind.startswith("fitted")
                if data == "own":
                    flights = self.own_flights(model)
                fit_regression(model, flights, 6, greedy=greedy)
            self.models[kind, data] = model
        return self.models[kind, data]

    def planner(self, kind: str, data: str, rule: str, value: bool) -> Any:
        model = self.model(kind, data)
        return Imagined(model, logits_of(self.policy), rule, value) if rule else Expected(model)


def ladder(folder: Path) -> dict[str, Any]:
    policy = load_policy("learned")
    assert isinstance(policy, Learned)
    lab = Laboratory(policy)
    about = [FLOCKS, LENGTH, LAST, DATA, RANDOM]

    @cache
    def scene() -> Scene:
        return Scene(policy)

    @cache
    def through(neighbours: bool) -> Through:
        return Through(scene(), neighbours)

    def usual() -> dict[str, Any]:
        return {"correlation": 0.0, "rewards": scene().fly(scene().act)}

    rows = {"the policy": kept(folder, "the policy", about, usual)}
    truth: dict[str, Callable[[], Any]] = {
        "the policy's best turn": lambda: SimpleNamespace(turns=lambda env: logits_of(policy)(env.observations)),
        "simulator": lambda: Simulator(policy, flights=6),
        "simulator, the talk's rule": lambda: BestFuture(policy),
        "true advantages through ten floats": lambda: through(False),
        "true advantages through neighbours": lambda: through(True),
    }
    for name, make in truth.items():
        rows[name] = kept(folder, name, about, lambda make=make: scene().measure(make))
    for name, case in LADDER.items():
        rows[name] = kept(folder, name, [*about, *case], lambda case=case: scene().measure(lambda: lab.planner(*case)))
    return rows


# ---- Equal real steps -----------------------------------------------------------------------------------------------------

PPO: dict[str, dict[str, Any]] = {
    "PPO": {},
    "PPO, minibatch 512": {"minibatch": 512},
    "PPO, minibatch 512, neighbours": {"minibatch": 512, "observation": "nearest"},
}
FROM_NOTHING: dict[str, tuple[bool, int]] = {  # neighbours, horizon
    "fitted Q, five steps, neighbours": (True, 5),
    "fitted Q, five steps": (False, 5),
    "one-step regression": (False, 1),
}


def score(act: Act, **parameters: Any) -> float:
    """As `boids score`: the last 200 of 800 steps, unseen seeds; two seeds of four flocks."""
    rewards = []
    for seed in range(2):
        with Flocks(4, seed=EVALUATION_SEED + seed, horizon=800, warmup=600, stagger=False, **parameters) as env:
            env.reset()
            for _ in range(800):
                act(env)
                env.step()
            rewards.append(env.log()["reward"])
    return float(np.mean(rewards))


def ppo(agent_steps: int, seed: int, changes: dict[str, Any]) -> Learner:
    """The learner of `boids train` after so many real steps, to which its learning rate falls to 0."""
    config = load()
    values = config["env"] | config["learn"] | changes
    parameters = {name: value for name, value in values.items() if name in VecEnv.parameters}
    env = Flocks(values["num_envs"], seed=seed, **parameters)
    env.reset()
    own = {name: values[name] for name in config["learn"]}
    learner = make_learner(env, own | {"seed": seed, "agent_steps": agent_steps, "anneal_steps": agent_steps})
    learner.learn(agent_steps)
    return learner


def policy_of(learner: Learner) -> Learned:
    arrays = {name: value for name, value in weights(learner).items() if not name.startswith(("critic.", "value."))}
    return Learned(arrays, {"parameters": {"observation": "rules"}})


def ppo_rewards(seed: int, changes: dict[str, Any]) -> dict[str, Any]:
    """Rewards after each of BUDGETS, with turns drawn, and with the best turn always."""
    own = {key: value for key, value in changes.items() if key == "observation"}
    learners, steps = [ppo(budget, seed, changes) for budget in BUDGETS], count()
    drawn = [score(lambda env, of=of: of.act(env.vec, next(steps), False), **own) for of in learners]
    best = [score(lambda env, of=of: of.act(env.vec, next(steps), True), **own) for of in learners]
    return {"rewards": drawn, "best turn": best}


def from_nothing(neighbours: bool, horizon: int, seed: int) -> dict[str, Any]:
    """Rewards after each of BUDGETS. It flies by its own best turns, RANDOM of them drawn. A fit uses all recordings."""
    torch.manual_seed(seed)
    draws, model, flights = np.random.default_rng(seed), Regression(neighbours, horizon), []
    turns = Expected(model).turns

    def act(env: Any) -> None:
        env.actions[:] = turns(env).argmax(1)

    rewards, flown, seconds = [], 0, 0.0
    with flocks(2, seed, **LARGE) as env:
        for budget in (BUDGETS[0] // 2, *BUDGETS):
            start, steps = process_time(), (budget - flown) // env.num_agents
            flights.append(record(env, act, steps, RANDOM if flown else 1, draws))
            flown += flights[-1].agent_steps
            fit_regression(model, flights, 8 if budget < 200_000 else 5 if budget < 400_000 else 3, greedy=horizon > 1)
            seconds += process_time() - start
            if budget in BUDGETS:
                rewards.append(score(act, **NEAREST))
    return {"rewards": rewards, "seconds": seconds}


def equal_steps(folder: Path) -> dict[str, Any]:
    """For each learner and each seed: rewards after each of BUDGETS."""
    found: dict[str, Any] = {}
    for name, changes in PPO.items():
        about = [BUDGETS, changes]
        found[name] = [
            kept(folder, f"{name}, seed {k}", about, lambda k=k, changes=changes: ppo_rewards(k, changes)) for k in SEEDS
        ]
    for name, case in FROM_NOTHING.items():
        about = [BUDGETS, RANDOM, *case]
        found[name] = [
            kept(folder, f"{name}, from nothing, seed {k}", about, lambda k=k, case=case: from_nothing(*case, k))
            for k in SEEDS
        ]
    return found


# ---- Which of them help a policy ------------------------------------------------------------------------------------------

POLICIES = (0, 250_000, 500_000, 1_000_000)  # real steps of PPO before
HELPERS = {
    "latent model": ("latent", "random", "mean", False),
    "five-step regression": ("five", "random", "", False),
    "fitted Q, five steps, neighbours": ("fitted, neighbours", "random", "", False),
    "fitted Q, own flights, neighbours": ("fitted, neighbours", "own", "", False),
}


def helped(folder: Path, agent_steps: int) -> dict[str, Any]:
    """Rewards of each flock: a policy, PPO that went on for ADDED more, planners with what was learned from ADDED more."""

    @cache
    def policy() -> Learned | None:
        return policy_of(ppo(agent_steps, 1, {})) if agent_steps else None

    @cache
    def scene() -> Scene:
        return Scene(policy(), 2 * LENGTH)

    @cache
    def lab() -> Laboratory:
        return Laboratory(policy(), ADDED)

    def further() -> dict[str, Any]:
        return {"rewards": scene().fly(rules_of(policy_of(ppo(agent_steps + ADDED, 1, {}))))}

    rows: dict[str, Callable[[], Any]] = {
        "the policy": lambda: {"rewards": scene().fly(scene().act)},
        "PPO with as many real steps": further,
        "simulator": lambda: scene().measure(lambda: Simulator(policy(), flights=6)),
    }
    for name, case in HELPERS.items():
        rows[name] = partial(lambda *case: scene().measure(lambda: lab().planner(*case)), *case)
    about = [agent_steps, FLOCKS, LENGTH, LAST, ADDED]
    return {name: kept(folder, f"{name}, policy of {agent_steps}", about, row) for name, row in rows.items()}


def main(kept_in: str = "") -> None:
    torch.set_num_threads(1)
    folder = Path(kept_in) if kept_in else ROOT / "build" / "worlds"
    folder.mkdir(parents=True, exist_ok=True)
    content = {
        "about": bench.about("python examples/world_model/run.py", ROOT),
        "ladder": ladder(folder),
        "equal steps": {
            "budgets": BUDGETS,
            "learners": equal_steps(folder),
            "shipped": kept(folder, "the policy that ships", [], lambda: score(load_policy("learned").act)),
        },
        "helped": {str(k): helped(folder, k) for k in POLICIES},
    }
    (ROOT / "docs" / "world-models.json").write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    show.tables(content, LADDER, ROOT / "docs" / "world-models.md")
    show.figure(content, ROOT / "docs" / "world-models.png")


if __name__ == "__main__":
    main()
