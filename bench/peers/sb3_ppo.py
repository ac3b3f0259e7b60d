"""Stable-Baselines3's PPO over a VecEnv whose environments are the agents: one step is one update."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
from learning import Environments, Task, rate, save

NAME = "Stable-Baselines3 2.9.2, PPO"
INSTALL = "pip install stable-baselines3==2.9.2 torch==2.13.0"
DIFFERS = """
Each agent is an environment of its VecEnv. There are no monitors, callbacks or logs. It bootstraps from the final
observations, one agent at a time."""


class Learning:
    def __init__(self, task: Task) -> None:
        import gymnasium
        import torch
        from stable_baselines3 import PPO
        from stable_baselines3.common.logger import configure
        from stable_baselines3.common.vec_env import VecEnv

        class Agents(VecEnv):
            """Every agent as an environment of its own, which starts anew by itself."""

            def __init__(self, envs: Environments) -> None:
                observation, action = envs.layout["observation"], envs.layout["action"]
                box = gymnasium.spaces.Box(observation["low"], observation["high"], (observation["size"],), np.float32)
                super().__init__(envs.num_agents, box, gymnasium.spaces.Discrete(action["choices"][0]))
                self.envs, self.render_mode = envs, None
                self.quiet: list[dict[str, Any]] = [{} for _ in range(envs.num_agents)]

            def reset(self):
                self.envs.vec.reset()
                return self.envs.observations.copy()

            def step_async(self, actions):
                self.envs.actions[:] = actions

            def step_wait(self):
                envs = self.envs
                envs.vec.step()
                ends = envs.terminals | envs.truncations
                infos = self.quiet
                if ends.any():
                    infos = [{} for _ in ends]
                    for i in np.flatnonzero(ends):
                        cut = bool(envs.truncations[i])
                        final = envs.final_observations[i].copy()
                        infos[i] = {"terminal_observation": final, "TimeLimit.truncated": cut}
                return envs.observations.copy(), envs.rewards.copy(), ends, infos

            def close(self):
                self.envs.vec.close()

            # the agents are of one object: its attributes and methods are those of each of them

            def get_attr(self, name, indices=None):
                return [getattr(self, name)] * self.num_envs

            def set_attr(self, name, value, indices=None):
                setattr(self, name, value)

            def env_method(self, name, *args, indices=None, **kwargs):
                return [getattr(self, name)(*args, **kwargs)] * self.num_envs

            def env_is_wrapped(self, wrapper, indices=None):
                return [False] * self.num_envs

        torch.set_num_threads(1)
        settings = task["settings"]
        agents = Agents(Environments(task))
        self.agent_steps = 0
        self.batch = agents.num_envs * settings["rollout"]
        widths = {
            "pi": [settings["policy_width"]] * settings["policy_layers"],
            "vf": [settings["value_width"]] * settings["value_layers"],
        }
        self.model = PPO(
            "MlpPolicy", agents, n_steps=settings["rollout"], batch_size=settings["minibatch"], n_epochs=settings["epochs"],
            learning_rate=lambda _: rate(settings, self.agent_steps),
            gamma=settings["gamma"], gae_lambda=settings["gae_lambda"], ent_coef=settings["entropy"],
            vf_coef=0.25,  # of the whole square error, where the others halve it
            max_grad_norm=settings["gradient_norm"], seed=task["seed"], device="cpu",
            policy_kwargs={"net_arch": widths, "activation_fn": torch.nn.Tanh},
        )  # fmt: skip
        self.model.set_logger(configure(None, []))

    def __call__(self, updates: int) -> None:
        for _ in range(updates):  # learn() does not start the environments anew
            self.model.learn(self.batch, reset_num_timesteps=False, log_interval=None)
            self.agent_steps += self.batch

    def save(self, file: str) -> None:
        weights = {}
        for name, tensor in self.model.policy.state_dict().items():
            name = re.sub(r"^mlp_extractor\.policy_net\.", "encoder.", name)
            name = re.sub(r"^action_net\.", "decoder.", name)
            if name.startswith(("encoder.", "decoder.")):
                weights[name] = tensor.numpy()
        save(file, self.agent_steps, np.nan, weights)


make = Learning
