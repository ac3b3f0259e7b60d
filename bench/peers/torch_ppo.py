"""PPO in one file of torch, in the manner of CleanRL's ppo.py: one step is one update.

The observations are torch's without a copy, and nothing is logged.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from learning import Environments, Task, rate, save

NAME = "PPO in torch, as CleanRL's"
INSTALL = "pip install torch==2.13.0"
DIFFERS = """
Written for this comparison, after CleanRL's ppo.py, without its logs. A truncation counts as an end: no reward
follows it."""


class Learning:
    def __init__(self, task: Task) -> None:
        import torch
        from torch import nn

        torch.set_num_threads(1)
        torch.manual_seed(task["seed"])
        self.torch, self.settings, self.envs = torch, task["settings"], Environments(task)

        def layer(inputs: int, outputs: int, gain: float) -> Any:
            linear = nn.Linear(inputs, outputs)
            nn.init.orthogonal_(linear.weight, gain)
            nn.init.zeros_(linear.bias)
            return linear

        def network(layers: int, width: int, outputs: int, gain: float) -> Any:
            parts, inputs = [], self.envs.layout["observation"]["size"]
            for _ in range(layers):
                parts += [layer(inputs, width, 2**0.5), nn.Tanh()]
                inputs = width
            return nn.Sequential(*parts, layer(inputs, outputs, gain))

        s, choices = self.settings, self.envs.layout["action"]["choices"][0]
        self.actor = network(s["policy_layers"], s["policy_width"], choices, 0.01)
        self.critic = network(s["value_layers"], s["value_width"], 1, 1.0)
        self.parameters = [*self.actor.parameters(), *self.critic.parameters()]
        self.optimizer = torch.optim.Adam(self.parameters, lr=s["learning_rate"], eps=1e-5)
        self.agent_steps, self.ended = 0, torch.zeros(self.envs.num_agents)

    def __call__(self, updates: int) -> None:
        for _ in range(updates):
            self.update()

    def update(self) -> None:
        torch, s, envs = self.torch, self.settings, self.envs
        steps, agents = s["rollout"], envs.num_agents
        observations = torch.zeros(steps, agents, envs.observations.shape[1])
        actions = torch.zeros(steps, agents, dtype=torch.int64)
        log_p, rewards, ends, values = (torch.zeros(steps, agents) for _ in range(4))
        now = torch.from_numpy(envs.observations)
        with torch.no_grad():
            for t in range(steps):
                observations[t], ends[t] = now, self.ended
                values[t] = self.critic(now).flatten()
                choice = torch.distributions.Categorical(logits=self.actor(now))
                actions[t] = choice.sample()
                log_p[t] = choice.log_prob(actions[t])
                envs.actions[:] = actions[t].numpy()
                envs.vec.step()
                rewards[t] = torch.from_numpy(envs.rewards)
                self.ended = torch.from_numpy((envs.terminals | envs.truncations).astype(np.float32))
            # generalized advantage estimation
            advantages, last, value, end = torch.zeros_like(rewards), 0.0, self.critic(now).flatten(), self.ended
            for t in reversed(range(steps)):
                delta = rewards[t] + s["gamma"] * value * (1 - end) - values[t]
                last = advantages[t] = delta + s["gamma"] * s["gae_lambda"] * (1 - end) * last
                value, end = values[t], ends[t]
        batch = [x.flatten(0, 1) for x in (observations, actions, log_p, advantages, advantages + values)]
        self.optimizer.param_groups[0]["lr"] = rate(s, self.agent_steps)
        for _ in range(s["epochs"]):
            order = torch.randperm(steps * agents)
            for some in order.split(s["minibatch"]):
                self.descend(*(x[some] for x in batch))
        self.agent_steps += steps * agents

    def descend(self, observations: Any, actions: Any, old_log_p: Any, advantages: Any, returns: Any) -> None:
        torch, s = self.torch, self.settings
        choice = torch.distributions.Categorical(logits=self.actor(observations))
        ratio = (choice.log_prob(actions) - old_log_p).exp()
        advantages = (advantages - advantages.mean()) / (advantages.std() + 1e-8)
        policy_loss = -torch.min(advantages * ratio, advantages * ratio.clamp(0.8, 1.2)).mean()
        value_loss = 0.5 * (self.critic(observations).flatten() - returns).square().mean()
        loss = policy_loss + 0.5 * value_loss - s["entropy"] * choice.entropy().mean()
        self.optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.parameters, s["gradient_norm"])
        self.optimizer.step()

    def save(self, file: str) -> None:
        state = {name: tensor.numpy() for name, tensor in self.actor.state_dict().items()}
        last = 2 * self.settings["policy_layers"]  # of the actor's modules
        weights = {name.replace(f"{last}.", "decoder.") if name.startswith(f"{last}.") else f"encoder.{name}": array
                   for name, array in state.items()}  # fmt: skip
        save(file, self.agent_steps, np.nan, weights)


make = Learning
