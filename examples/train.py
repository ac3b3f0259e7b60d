"""Trains squared, snake or cartpole on one core, and compares what was learned with random and with scripted play.

    pip install --no-build-isolation ./examples/squared ./examples/snake ./examples/cartpole
    python examples/train.py squared
    python examples/train.py snake --gif snake.gif
    python examples/train.py snake --trainer pufferl    # PufferLib's trainer; needs the extra `train` of boids-env

The module's own learner needs NumPy alone. cartpole takes a second, squared five, snake fifteen. Ctrl-C ends it early.
"""

import argparse
import collections
import contextlib
import importlib
import itertools
import math
import sys
import time
import warnings

import numpy as np

from boids_env import load_policy, numpy_env

RECIPES = {  # environments, agent-steps, and what differs from the learner's defaults
    "squared": (
        {"num_envs": 256, "size": 5}, 300_000,
        {"rollout": 64, "epochs": 6, "gamma": 0.9, "entropy": 0.05, "policy_width": 64, "value_width": 64},
    ),
    "snake": ({"num_envs": 16}, 2_000_000, {"gamma": 0.98, "entropy": 0.01, "policy_width": 64, "value_width": 64}),
    "cartpole": ({"num_envs": 64}, 200_000, {"rollout": 32, "minibatch": 256, "epochs": 4, "gamma": 0.98, "entropy": 0.0}),
}  # fmt: skip


def report(agent_steps, score, began):
    print(f"{time.perf_counter() - began:6.1f} s {agent_steps / 1e6:6.2f}M steps  {score:8.2f}", flush=True)


def native(module, envs, steps, settings, seed=1):
    """What the module's own learner learns, as a function that writes actions."""
    env, began, field = numpy_env(module)(**envs, seed=seed), time.perf_counter(), next(iter(module.VecEnv.log_fields))
    env.reset()
    learner = module.Learner(env.vec, seed=seed, anneal_steps=steps, **settings)
    with contextlib.suppress(KeyboardInterrupt):  # Ctrl-C: what it has learned so far is played
        while learner.agent_steps < steps:
            learner.learn(steps // 10)
            report(learner.agent_steps, learner.log().get(f"env/{field}", math.nan), began)
    steps_played = itertools.count()  # each step draws anew
    return lambda env: learner.act(env.vec, next(steps_played))


def pufferl(module, envs, steps, settings, seed=1):
    """By PufferLib's trainer. Its network sees the kind of each cell, one-hot, and the mean place of each kind."""
    import torch

    from boids_env import puffer_env

    # importing PufferLib changes warnings, Ctrl-C and the current folder: `unchanged` puts them back
    from boids_env.env.pufferlib_import import unchanged

    with unchanged():
        from pufferlib import models, pufferl, pytorch, vector

    class Cells(torch.nn.Module):
        """With the mean places, what it learns about near cells also holds for far ones."""

        def __init__(self, env, hidden):
            super().__init__()
            cells, kinds = env.single_observation_space.shape[0], int(env.single_observation_space.high.max())
            line = torch.linspace(-1, 1, math.isqrt(cells))
            self.register_buffer("places", 4 * torch.cartesian_prod(line, line))  # times 4: they are few among many inputs
            self.register_buffer("kinds", torch.arange(1, kinds + 1, dtype=torch.uint8).view(-1, 1))  # 0 is an empty cell
            self.body = torch.nn.Sequential(torch.nn.Linear(kinds * (cells + 2), hidden), torch.nn.ReLU())
            self.action = pytorch.layer_init(torch.nn.Linear(hidden, env.single_action_space.n), std=0.01)
            self.value = pytorch.layer_init(torch.nn.Linear(hidden, 1), std=1)

        def forward(self, observations, state=None):
            planes = (observations.unsqueeze(1) == self.kinds).float()  # (agents, kinds, cells)
            means = planes @ self.places / planes.sum(2, keepdim=True).clamp(min=1)
            hidden = self.body(torch.cat([planes.flatten(1), means.flatten(1)], 1))
            return self.action(hidden), self.value(hidden)

        forward_eval = forward

    class Trainer(pufferl.PuffeRL):
        def print_dashboard(self, *args, **kwargs):
            if field in self.stats:
                report(self.global_step, self.stats[field], self.start)

        def save_checkpoint(self): ...  # the policy is used at once

    torch.set_num_threads(1)  # more are slower
    torch.manual_seed(seed)
    Trainer.start, field = time.perf_counter(), next(iter(module.VecEnv.log_fields))
    default = {name: what["default"] for name, what in module.Learner.settings.items()} | settings
    sys.argv = sys.argv[:1]  # load_config would read the rest
    config = pufferl.load_config("default")["train"] | {
        "env": module.__name__, "seed": seed, "device": "cpu", "use_rnn": False, "optimizer": "adam", "adam_beta1": 0.9,
        "adam_eps": 1e-5, "total_timesteps": steps, "learning_rate": default["learning_rate"], "gamma": default["gamma"],
        "bptt_horizon": default["rollout"], "minibatch_size": default["minibatch"], "update_epochs": default["epochs"],
        "ent_coef": default["entropy"], "vf_coef": 0.5, "vf_clip_coef": 10.0, "max_grad_norm": 0.5, "prio_alpha": 0.0,
        "prio_beta0": 1.0,
    }  # fmt: skip
    vecenv = vector.make(puffer_env(module), env_kwargs=envs, backend=vector.Serial, num_envs=1, seed=seed)
    network = Cells if vecenv.single_observation_space.dtype == np.uint8 else models.Default
    with warnings.catch_warnings(action="ignore"):  # it warns that there is no GPU
        trainer = Trainer(config, vecenv, network(vecenv, 64))
    trainer.utilization.stop()  # its thread would keep the process alive
    with contextlib.suppress(KeyboardInterrupt):  # Ctrl-C: what it has learned so far is played
        while trainer.global_step < steps:
            trainer.evaluate()
            trainer.train()
    vecenv.close()

    @torch.no_grad()
    def act(env):
        env.actions[:] = pytorch.sample_logits(trainer.policy(torch.as_tensor(env.observations))[0])[0].numpy()

    return act


def play(env, act, steps, frames=None):
    """The log of so many steps. act(env) writes the actions."""
    env.reset(0)
    env.log()  # empties it
    for _ in range(steps):
        act(env)
        env.step()
        if frames is not None:
            frames.append(env.render(360, 360))
    return env.log()


def show(title, log):
    print(f"{title:8}" + "".join(f"{value:16.3f}" for value in log.values()))


def save_gif(path, frames):
    from PIL import Image

    every = np.concatenate(list(frames)[::10])
    palette = Image.fromarray(every).quantize(128, kmeans=1)  # one palette for all frames, against flicker
    first, *rest = [Image.fromarray(frame).quantize(palette=palette, dither=Image.Dither.NONE) for frame in frames]
    first.save(path, save_all=True, append_images=rest, duration=80, loop=0)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name", choices=RECIPES)
    parser.add_argument("--trainer", choices=["native", "pufferl"], default="native")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--gif", help="file for a film of the trained policy")
    options = parser.parse_args()
    try:
        module = importlib.import_module(f"_{options.name}")
        env = numpy_env(module)(**RECIPES[options.name][0], seed=2**40)  # a seed that training has not used
        if options.gif:  # now, and not after the training
            importlib.import_module("PIL")
            try:
                env.render(36, 36)
            except NotImplementedError as error:
                sys.exit(f"--gif: {error}")
        learned = {"native": native, "pufferl": pufferl}[options.trainer](module, *RECIPES[options.name], options.seed)
    except ModuleNotFoundError as error:
        packages = {"PIL": "pillow", f"_{options.name}": f"--no-build-isolation ./examples/{options.name}"}
        how = f"pip install {packages[error.name]}" if error.name in packages else "see 'Installing PufferLib' in README.md"
        sys.exit(f"{error.name} is not installed: {how}")
    print(f"\n{'':8}" + "".join(f"{name:>16}" for name in env.vec.log_fields))
    show("trained", play(env, learned, 1000))
    show("random", play(env, load_policy("random").act, 1000))
    with contextlib.suppress(NotImplementedError):  # not every header has a script
        show("script", play(env, load_policy("reynolds").act, 1000))
    if options.gif:
        frames = collections.deque(maxlen=90)
        play(env, learned, 250, frames=frames)
        save_gif(options.gif, frames)
    env.close()


if __name__ == "__main__":
    main()
