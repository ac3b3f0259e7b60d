"""skrl's PPO on flocks, over the Gymnasium API: python examples/trainers/skrl_ppo.py

It needs skrl, Gymnasium and torch: pip install 'boids-env[skrl]'
"""

import argparse
import time

import numpy as np
import torch
from skrl import logger
from skrl.agents.torch.ppo import PPO, PPO_CFG
from skrl.envs.wrappers.torch import wrap_env
from skrl.memories.torch import RandomMemory
from skrl.models.torch import CategoricalMixin, DeterministicMixin, Model
from skrl.trainers.torch import SequentialTrainer
from skrl.utils import set_seed
from torch import nn

from boids_env.gymnasium import AutoresetMode, VectorEnv

STEPS = 16  # of a rollout


class Flocks(VectorEnv):
    """With the mean reward of each step. NEXT_STEP lets skrl see the last observation of an episode."""

    def __init__(self) -> None:
        super().__init__(num_envs=8, num_boids=64, autoreset_mode=AutoresetMode.NEXT_STEP)
        self.curve: list[float] = []

    def step(self, actions):
        result = super().step(actions)
        self.curve.append(float(result[1].mean()))
        return result


def network(inputs: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(nn.Linear(inputs, 32), nn.Tanh(), nn.Linear(32, 32), nn.Tanh(), nn.Linear(32, outputs))


class Policy(CategoricalMixin, Model):
    def __init__(self, **spaces):
        Model.__init__(self, **spaces)
        CategoricalMixin.__init__(self)
        self.net = network(self.num_observations, self.num_actions)

    def compute(self, inputs, role):
        return self.net(inputs["observations"]), {}


class Value(DeterministicMixin, Model):
    def __init__(self, **spaces):
        Model.__init__(self, **spaces)
        DeterministicMixin.__init__(self)
        self.net = network(self.num_observations, 1)

    def compute(self, inputs, role):
        return self.net(inputs["observations"]), {}


parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--agent-steps", type=int, default=500_000)
parser.add_argument("--seed", type=int, default=1)
options = parser.parse_args()

torch.set_num_threads(1)
logger.setLevel("ERROR")
set_seed(options.seed)
flocks = Flocks()
env = wrap_env(flocks, wrapper="gymnasium")
spaces = {"observation_space": env.observation_space, "action_space": env.action_space, "device": "cpu"}
steps = max(1, options.agent_steps // (STEPS * env.num_envs)) * STEPS
config = PPO_CFG(
    rollouts=STEPS, learning_epochs=2, mini_batches=8, discount_factor=0.95, gae_lambda=0.9, learning_rate=3e-3,
    learning_rate_scheduler=torch.optim.lr_scheduler.LinearLR,
    learning_rate_scheduler_kwargs={"start_factor": 1.0, "end_factor": 0.01, "total_iters": steps // STEPS},
    entropy_loss_scale=0.02, value_loss_scale=0.25, grad_norm_clip=0.5, time_limit_bootstrap=True,
)  # fmt: skip
config.experiment.write_interval = config.experiment.checkpoint_interval = 0
agent = PPO(
    models={"policy": Policy(**spaces), "value": Value(**spaces)},
    memory=RandomMemory(memory_size=STEPS, num_envs=env.num_envs, device="cpu"),
    cfg=config, observation_space=env.observation_space, action_space=env.action_space, device="cpu",
)  # fmt: skip
trainer = SequentialTrainer(env=env, agents=agent, cfg={"timesteps": steps, "headless": True, "disable_progressbar": True})
began = time.process_time()
trainer.train()
speed, curve = steps * env.num_envs / (time.process_time() - began), flocks.curve
print(
    f"reward {np.mean(curve[:STEPS]):.3f} to {np.mean(curve[-STEPS:]):.3f}, {speed / 1e3:.0f} k agent-steps per CPU second"
)
