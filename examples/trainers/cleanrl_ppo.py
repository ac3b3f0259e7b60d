"""PPO on flocks in one file, in the manner of CleanRL, over the Gymnasium API: python examples/trainers/cleanrl_ppo.py

It needs Gymnasium and torch: pip install 'boids-env[gymnasium]' torch
"""

import argparse
import time

import numpy as np
import torch
from torch import nn
from torch.distributions import Categorical

from boids_env.gymnasium import FINAL, VectorEnv

STEPS, EPOCHS, MINIBATCH = 16, 2, 1024  # of a rollout, over each rollout, agent-steps
GAMMA, LAMBDA, CLIP, ENTROPY, RATE = 0.95, 0.9, 0.2, 0.02, 3e-3


def network(inputs: int, outputs: int, gain: float) -> nn.Sequential:
    layers = [nn.Linear(inputs, 32), nn.Tanh(), nn.Linear(32, 32), nn.Tanh(), nn.Linear(32, outputs)]
    for layer, of in zip(layers[::2], (2**0.5, 2**0.5, gain), strict=True):
        nn.init.orthogonal_(layer.weight, of)
        nn.init.zeros_(layer.bias)
    return nn.Sequential(*layers)


parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--agent-steps", type=int, default=500_000)
parser.add_argument("--seed", type=int, default=1)
options = parser.parse_args()

torch.set_num_threads(1)
torch.manual_seed(options.seed)
envs = VectorEnv(num_envs=8, num_boids=64)
size, agents = envs.single_observation_space.shape[0], envs.num_envs
actor, critic = network(size, envs.single_action_space.n, 0.01), network(size, 1, 1.0)
parameters = [*actor.parameters(), *critic.parameters()]
optimizer = torch.optim.Adam(parameters, RATE, eps=1e-5)
updates = max(1, options.agent_steps // (STEPS * agents))

observations = torch.zeros(STEPS, agents, size)
actions = torch.zeros(STEPS, agents, dtype=torch.int64)
log_p, rewards, values, ends = (torch.zeros(STEPS, agents) for _ in range(4))
now = torch.from_numpy(envs.reset(seed=options.seed)[0])
curve, began = [], time.process_time()
for update in range(updates):
    optimizer.param_groups[0]["lr"] = RATE * (1 - update / updates)
    with torch.no_grad():
        for t in range(STEPS):
            choice = Categorical(logits=actor(now))
            observations[t], values[t], actions[t] = now, critic(now).flatten(), choice.sample()
            log_p[t] = choice.log_prob(actions[t])
            after, reward, terminated, truncated, infos = envs.step(actions[t].numpy().astype(np.int32))
            now, rewards[t] = torch.from_numpy(after), torch.from_numpy(reward)
            ends[t] = torch.from_numpy(terminated | truncated)
            if truncated.any():  # an episode was cut off: what would have followed is the value of its last observation
                last = torch.from_numpy(np.stack(infos[FINAL][truncated]))
                rewards[t, torch.from_numpy(truncated)] += GAMMA * critic(last).flatten()
            curve.append(float(reward.mean()))
        advantages, advantage, value = torch.zeros_like(rewards), torch.zeros(agents), critic(now).flatten()
        for t in reversed(range(STEPS)):
            going_on = 1 - ends[t]
            delta = rewards[t] + GAMMA * going_on * value - values[t]
            advantage = advantages[t] = delta + GAMMA * LAMBDA * going_on * advantage
            value = values[t]
    batch = [part.flatten(0, 1) for part in (observations, actions, log_p, advantages, advantages + values)]
    for _ in range(EPOCHS):
        for some in torch.randperm(STEPS * agents).split(MINIBATCH):
            seen, taken, old, advantage, target = (part[some] for part in batch)
            choice = Categorical(logits=actor(seen))
            ratio = (choice.log_prob(taken) - old).exp()
            advantage = (advantage - advantage.mean()) / (advantage.std() + 1e-8)
            gain = torch.min(ratio * advantage, ratio.clamp(1 - CLIP, 1 + CLIP) * advantage).mean()
            error = (critic(seen).flatten() - target).square().mean()
            loss = -gain + 0.25 * error - ENTROPY * choice.entropy().mean()
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(parameters, 0.5)
            optimizer.step()
envs.close()
speed = updates * STEPS * agents / (time.process_time() - began)
print(
    f"reward {np.mean(curve[:STEPS]):.3f} to {np.mean(curve[-STEPS:]):.3f}, {speed / 1e3:.0f} k agent-steps per CPU second"
)
