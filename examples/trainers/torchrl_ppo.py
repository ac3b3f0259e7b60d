"""PPO of TorchRL's parts on flocks: python examples/trainers/torchrl_ppo.py

It needs TorchRL: pip install 'boids-env[torchrl]'
"""

import argparse
import time

import torch
from tensordict.nn import TensorDictModule
from torch import nn
from torch.distributions import Categorical
from torchrl.collectors import Collector
from torchrl.modules import MLP, ProbabilisticActor, ValueOperator
from torchrl.objectives import ClipPPOLoss
from torchrl.objectives.value import GAE

from boids_env.torchrl import Env

STEPS, EPOCHS, MINIBATCH, RATE = 16, 2, 1024, 3e-3

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--agent-steps", type=int, default=500_000)
parser.add_argument("--seed", type=int, default=1)
options = parser.parse_args()

torch.set_num_threads(1)
torch.manual_seed(options.seed)
env = Env(num_envs=8, num_boids=64)
env.set_seed(options.seed)
size, agents = env.observation_spec["observation"].shape[-1], env.batch_size[0]
shape = {"in_features": size, "num_cells": [32, 32], "activation_class": nn.Tanh}
scores = TensorDictModule(MLP(out_features=env.action_spec.n, **shape), ["observation"], ["logits"])
actor = ProbabilisticActor(scores, in_keys=["logits"], distribution_class=Categorical, return_log_prob=True)
critic = ValueOperator(MLP(out_features=1, **shape), in_keys=["observation"])
advantages = GAE(gamma=0.95, lmbda=0.9, value_network=critic)
loss = ClipPPOLoss(actor, critic, entropy_coeff=0.02, critic_coeff=0.5, normalize_advantage=True)
optimizer = torch.optim.Adam(loss.parameters(), RATE, eps=1e-5)
updates = max(1, options.agent_steps // (STEPS * agents))
sizes = {"frames_per_batch": STEPS * agents, "total_frames": updates * STEPS * agents}
collector = Collector(env, actor, auto_register_policy_transforms=False, **sizes)

curve, began = [], time.process_time()
for update, data in enumerate(collector):
    optimizer.param_groups[0]["lr"] = RATE * (1 - update / updates)
    curve.append(data["next", "reward"].mean().item())
    for _ in range(EPOCHS):
        with torch.no_grad():
            advantages(data)
        batch = data.reshape(-1)
        for some in torch.randperm(len(batch)).split(MINIBATCH):
            parts = loss(batch[some])
            optimizer.zero_grad()
            (parts["loss_objective"] + parts["loss_critic"] + parts["loss_entropy"]).backward()
            nn.utils.clip_grad_norm_(loss.parameters(), 0.5)
            optimizer.step()
speed = updates * STEPS * agents / (time.process_time() - began)
collector.shutdown()
print(f"reward {curve[0]:.3f} to {curve[-1]:.3f}, {speed / 1e3:.0f} k agent-steps per CPU second")
