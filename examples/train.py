"""Trains squared or snake with PufferLib's own trainer, on one core, and compares it with random and with scripted play.

    pip install --no-build-isolation ./examples/squared ./examples/snake
    python examples/train.py squared
    python examples/train.py snake --gif snake.gif

It needs boids-env with its extra `train`. squared takes about ten seconds, snake about forty.
"""

import argparse
import collections
import importlib
import math
import sys
import warnings
from unittest import mock

try:
    import numpy as np
    import torch

    from boids_env import puffer_env
    from boids_env.env.pufferlib_import import (
        unchanged,  # PufferLib's import changes warnings, Ctrl-C and the current folder
    )

    with unchanged():
        import pufferlib.pytorch
        from pufferlib import pufferl, vector
except ModuleNotFoundError as error:
    sys.exit(f"examples/train.py needs {error.name}, which is not installed: see 'Installing PufferLib' in README.md")

SETTINGS = {  # what the two do not share; the rest is in COMMON and in PufferLib's defaults
    "squared": {"env": {"num_envs": 256}, "train": {"total_timesteps": 400_000, "ent_coef": 0.03, "gamma": 0.95}},
    "snake": {"env": {"num_envs": 16}, "train": {"total_timesteps": 1_000_000, "ent_coef": 0.01, "gamma": 0.98}},
}
COMMON = {
    "device": "cpu", "use_rnn": False, "optimizer": "adam", "adam_beta1": 0.9, "adam_eps": 1e-5, "learning_rate": 0.003,
    "bptt_horizon": 16, "minibatch_size": 1024, "update_epochs": 2, "vf_coef": 0.5, "vf_clip_coef": 10.0,
    "max_grad_norm": 0.5, "prio_alpha": 0.0, "prio_beta0": 1.0,
}  # fmt: skip


class Policy(torch.nn.Module):
    """A network that sees the kind of each cell, one-hot, and the mean place of the cells of each kind.

    With the mean places, what it learns about near cells also holds for far ones.
    """

    def __init__(self, env, hidden=64):
        super().__init__()
        cells, kinds = env.single_observation_space.shape[0], int(env.single_observation_space.high.max())
        line = torch.linspace(-1, 1, math.isqrt(cells))
        self.register_buffer("places", torch.cartesian_prod(line, line))  # (cells, 2)
        self.register_buffer("kinds", torch.arange(1, kinds + 1, dtype=torch.uint8).view(-1, 1))  # 0 is an empty cell
        self.body = torch.nn.Sequential(
            torch.nn.Linear(kinds * (cells + 2), hidden), torch.nn.ReLU(),
            torch.nn.Linear(hidden, hidden), torch.nn.ReLU(),
        )  # fmt: skip
        self.action = pufferlib.pytorch.layer_init(torch.nn.Linear(hidden, env.single_action_space.n), std=0.01)
        self.value = pufferlib.pytorch.layer_init(torch.nn.Linear(hidden, 1), std=1)

    def forward(self, observations, state=None):
        planes = (observations.unsqueeze(1) == self.kinds).float()  # (agents, kinds, cells)
        means = (
            4 * (planes @ self.places) / planes.sum(2, keepdim=True).clamp(min=1)
        )  # times 4: they are few inputs among many
        hidden = self.body(torch.cat([planes.flatten(1), means.flatten(1)], 1))
        return self.action(hidden), self.value(hidden)

    forward_eval = forward


class Trainer(pufferl.PuffeRL):
    def print_dashboard(self, *args, **kwargs):
        if "score" in self.stats:
            print(f"{self.uptime:6.1f} s {self.global_step / 1e6:6.2f}M steps  score {self.stats['score']:6.2f}", flush=True)

    def save_checkpoint(self):
        pass  # the policy is used at once


def train(name, make, seed=1, **changes):
    """Returns a policy and the seconds of training. Ctrl-C ends it early."""
    torch.set_num_threads(1)  # more are slower
    torch.manual_seed(seed)
    with mock.patch.object(sys, "argv", sys.argv[:1]):  # load_config would read the rest
        config = pufferl.load_config("default")["train"]
    config |= {**COMMON, **SETTINGS[name]["train"], "env": name, "seed": seed, **changes}
    vecenv = vector.make(make, env_kwargs=SETTINGS[name]["env"], backend=vector.Serial, num_envs=1, seed=seed)
    with warnings.catch_warnings(action="ignore"):  # it warns that there is no GPU
        trainer = Trainer(config, vecenv, Policy(vecenv))
    try:
        while trainer.global_step < config["total_timesteps"]:
            trainer.evaluate()
            trainer.train()
    except KeyboardInterrupt:
        print("stopped")
    finally:
        trainer.utilization.stop()  # its thread would keep the process alive
        vecenv.close()
    return trainer.policy, trainer.uptime


@torch.no_grad()
def play(env, player, steps, seed=0, frames=None):
    """The log of so many steps. player: a policy, "random" or "script"."""
    rng = np.random.default_rng(seed)
    torch.manual_seed(seed)
    observations, _ = env.reset(seed)
    env.log()  # empties it
    for _ in range(steps):
        if player == "script":
            actions = env.script()
        elif player == "random":
            actions = rng.integers(env.single_action_space.n, size=env.num_agents)
        else:
            actions = pufferlib.pytorch.sample_logits(player(torch.as_tensor(observations))[0])[0].numpy()
        observations = env.step(actions)[0]
        if frames is not None:
            frames.append(env.render(360, 360))
    return env.log()


def save_gif(path, frames):
    from PIL import Image

    every = np.concatenate(list(frames)[::10])
    palette = Image.fromarray(every).quantize(128, kmeans=1)  # one palette for all frames, against flicker
    first, *rest = [Image.fromarray(frame).quantize(palette=palette, dither=Image.Dither.NONE) for frame in frames]
    first.save(path, save_all=True, append_images=rest, duration=80, loop=0)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name", choices=SETTINGS)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--gif", help="file for a film of the trained policy")
    options = parser.parse_args()
    try:
        make = puffer_env(importlib.import_module(f"_{options.name}"))
        if options.gif:
            importlib.import_module("PIL")  # now, and not after the training
    except ModuleNotFoundError as error:
        package = "pillow" if error.name == "PIL" else f"--no-build-isolation ./examples/{options.name}"
        sys.exit(f"{error.name} is not installed: pip install {package}")
    policy, seconds = train(options.name, make, options.seed)
    print(f"trained in {seconds:.1f} s\n")
    env = make(**SETTINGS[options.name]["env"], seed=2**40, log_interval=2**30)  # a seed that training has not used
    print(f"{'':8}" + "".join(f"{name:>16}" for name in env.vec.log_fields))
    for title, player in {"trained": policy, "random": "random", "script": "script"}.items():
        print(f"{title:8}" + "".join(f"{value:16.3f}" for value in play(env, player, 1000).values()))
    if options.gif:
        frames = collections.deque(maxlen=90)
        play(env, policy, 250, frames=frames)
        save_gif(options.gif, frames)
    env.close()


if __name__ == "__main__":
    main()
