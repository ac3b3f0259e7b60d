"""PufferLib's trainer, PuffeRL: one step is one update."""

from __future__ import annotations

import importlib
import sys
from unittest import mock

import numpy as np
from learning import Task, save

NAME = "PufferLib 3.0.0, PuffeRL"
INSTALL = "python tools/install_pufferlib.py"
DIFFERS = """
Advantages are V-trace's, computed anew for each minibatch. What follows a truncation is the value of the next
episode's first observation. Rewards are clipped to [-1, 1]. A minibatch is whole segments of rollouts, drawn anew
each time."""


class Learning:
    def __init__(self, task: Task) -> None:
        import torch

        from boids_env import puffer_env
        from boids_env.env.pufferlib_import import unchanged
        from boids_env.learn.network import Policy

        with unchanged():
            from pufferlib import pufferl, vector

        class Scaled(Policy):
            """Integers are divided by the largest of their space, as our learner does."""

            def __init__(self, env, **sizes):
                super().__init__(env, **sizes)
                space = env.single_observation_space
                self.scale = 1 / float(space.high.max()) if space.dtype.kind in "iu" else 1.0

            def forward(self, observations, state=None):
                return super().forward(observations.float() * self.scale)

        class Trainer(pufferl.PuffeRL):
            def print_dashboard(self, *args, **kwargs):
                pass

        settings = task["settings"]
        torch.set_num_threads(1)
        torch.manual_seed(task["seed"])
        with mock.patch.object(sys, "argv", sys.argv[:1]):  # load_config would read the rest
            config = pufferl.load_config("default")["train"]
        config |= {
            "env": task["module"], "seed": task["seed"], "device": "cpu", "use_rnn": False, "optimizer": "adam",
            "adam_beta1": 0.9, "adam_beta2": 0.999, "adam_eps": 1e-5, "learning_rate": settings["learning_rate"],
            "anneal_lr": True, "total_timesteps": settings["anneal_steps"], "bptt_horizon": settings["rollout"],
            "minibatch_size": settings["minibatch"], "update_epochs": settings["epochs"], "gamma": settings["gamma"],
            "gae_lambda": settings["gae_lambda"], "ent_coef": settings["entropy"], "clip_coef": 0.2, "vf_coef": 0.5,
            "vf_clip_coef": 1e9, "max_grad_norm": settings["gradient_norm"], "prio_alpha": 0.0, "prio_beta0": 1.0,
            "checkpoint_interval": 10**9,
        }  # fmt: skip
        options = {"num_envs": task["num_envs"], "log_interval": settings["rollout"], **task["parameters"]}
        make = puffer_env(importlib.import_module(task["module"]))
        vecenv = vector.make(make, env_kwargs=options, backend=vector.Serial, num_envs=1, seed=task["seed"])
        sizes = {"hidden_size": settings["policy_width"], "hidden_layers": settings["policy_layers"]}
        self.policy = Scaled(vecenv, mirror=settings["mirror"], **sizes)
        self.trainer, self.field = Trainer(config, vecenv, self.policy), task["score"]
        self.trainer.utilization.stop()  # it only measures
        self.scores: list[float] = []  # since they were saved

    def __call__(self, updates: int) -> None:
        for _ in range(updates):
            self.trainer.stats.clear()
            self.trainer.evaluate()
            self.scores += self.trainer.stats.get(self.field, [])
            self.trainer.train()

    def save(self, file: str) -> None:
        score = np.mean(self.scores) if self.scores else np.nan
        if self.field == "reward":  # of an agent-step, and not of the log
            score = self.trainer.rewards.mean().item()
        self.scores = []
        weights = {name: tensor.numpy() for name, tensor in self.policy.state_dict().items()}
        save(file, self.trainer.global_step, score, weights)


make = Learning
