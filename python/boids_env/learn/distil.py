"""`boids train --distil`: a planner teaches a policy, which then needs no imagined flights any more."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from time import monotonic
from typing import Any

from boids_env._boids import Learner, VecEnv
from boids_env.env.flocks import Flocks
from boids_env.errors import UserError
from boids_env.learn.config import Config, option
from boids_env.learn.learner import weights
from boids_env.learn.lock import locked
from boids_env.learn.planner import Planner
from boids_env.learn.policies import load_policy, save_policy
from boids_env.learn.run import Curve, Interrupts, clear_run, refuse_a_run

FLOCKS: dict[str, Any] = {"num_envs": 8, "num_boids": 64, "width": 1080, "height": 720, "horizon": 400}  # to learn in
AGENT_STEPS = 200_000
ROUNDS, EPOCHS, TEMPERATURE = 8, 6, 0.003  # temperature: of labels, in the unit of rewards
LEARNING_RATE, GRADIENT_NORM = 0.01, 1.0
OWN = ("seed", "num_threads", "agent_steps", "policy_layers", "policy_width", "mirror")  # settings of [learn] that count
HELD_OUT = (
    2**61
)  # the first seed of flights that choose the round; training seeds are below it, those of `boids score` above
STEPS, LAST = 400, 200  # of such a flight; the last ones count
COLUMNS = ("agent_steps", "seconds", "reward", "error")  # of the learning curve; reward: of the held-out flights


def distil(planner: str, config: Config, out: Path, *, overwrite: bool = False) -> bool:
    """Teaches a policy what a planner would do, in rounds: the planner flies first, then the student; the planner labels.

    Args:
        planner: as `load_policy` takes it: `planner`, `planner:horizon=1,prior=none`.
        config: as `boids_env.learn.config.load` gives it. Of [learn] those in OWN count.
        out: the folder to write: policy.npz, of the round that was best in held-out flights, and log.csv, a row for each.
        overwrite: replaces the run in `out`.

    Returns:
        Whether it ran to its end; False after Ctrl-C, which keeps the best round so far.

    Raises:
        UserError: no such planner; `out` holds a run; values that do not fit together.
        OSError: a file cannot be written.
    """
    teacher = load_policy(planner, seed=config["learn"]["seed"])
    if not isinstance(teacher, Planner):
        raise UserError(f"--distil: expected planner or planner:SETTINGS, got {planner}")
    env, learn = config["env"], config["learn"]
    parameters = {name: value for name, value in env.items() if name in VecEnv.parameters}
    with Interrupts() as interrupts, locked(out):
        if not overwrite:
            refuse_a_run(out)
        with Flocks(env["num_envs"], seed=learn["seed"], num_threads=env["num_threads"], **parameters) as flocks:
            flocks.reset()
            steps = max(ROUNDS, learn["agent_steps"] // flocks.vec.num_agents)
            learner = _student(flocks, learn, steps)
            planning = teacher.planner(flocks)
            curve = Curve(out / "log.csv", COLUMNS, None)
            clear_run(out)
            curve.start()
            start, best = monotonic(), -2.0
            with interrupts.noted():
                for number in range(ROUNDS):
                    if interrupts.caught:
                        break
                    done, more = steps * number // ROUNDS, steps * (number + 1) // ROUNDS
                    learner.imitate(planning, more - done, student=number > 0, temperature=TEMPERATURE)
                    error = learner.regress(EPOCHS)
                    seconds, reward = monotonic() - start, _held_out(learner, parameters, learn["seed"])
                    curve.add(more * flocks.vec.num_agents, seconds, (reward, error))
                    if reward > best:
                        best = reward
                        about = {"parameters": dict(flocks.parameters), "seed": learn["seed"], "planner": planner}
                        save_policy(out / "policy.npz", _policy(learner), {**about, "agent_steps": learner.agent_steps})
                    kept = "  the best so far" if reward == best else ""
                    so_far = f"{learner.agent_steps / 1e6:.2f} M agent-steps  {seconds:.1f} s"
                    print(f"round {number + 1}  {so_far}  reward {reward:.3f}{kept}")
        return not interrupts.caught


def _student(flocks: Flocks, settings: Mapping[str, Any], steps: int) -> Learner:
    """A policy that has learned nothing, with room for so many steps. Raises: UserError."""
    own = {name: value for name, value in settings.items() if name in OWN and name != "agent_steps"}
    fixed = {"rollout": steps, "minibatch": flocks.vec.num_agents, "value_layers": 0}
    try:
        return Learner(flocks.vec, **own, **fixed, learning_rate=LEARNING_RATE, gradient_norm=GRADIENT_NORM)
    except (TypeError, ValueError) as error:
        name, colon, rest = str(error).partition(": ")
        raise UserError(f"{option('learn.agent_steps' if name == 'rollout' else f'learn.{name}')}{colon}{rest}") from None


def _policy(learner: Learner) -> dict[str, Any]:
    return {name: array for name, array in weights(learner).items() if not name.startswith(("critic.", "value."))}


def _held_out(learner: Learner, parameters: Mapping[str, Any], seed: int) -> float:
    """The mean reward in flocks that the student does not learn in."""
    flight = {**parameters, "horizon": STEPS, "warmup": STEPS - LAST, "stagger": False}
    with Flocks(8, seed=HELD_OUT + seed % HELD_OUT, **flight) as flocks:
        flocks.reset()
        for step in range(STEPS):
            learner.act(flocks.vec, step)
            flocks.step()
        return flocks.log()["reward"]
