"""Stable-Baselines3's PPO on flocks: python examples/trainers/sb3_ppo.py

It needs Stable-Baselines3: pip install 'boids-env[sb3]'
"""

import argparse
import time

import torch
from stable_baselines3 import PPO
from stable_baselines3.common.callbacks import BaseCallback

from boids_env.sb3 import VecEnv


class Curve(BaseCallback):
    """The mean reward of each rollout."""

    def _init_callback(self) -> None:
        self.rewards: list[float] = []

    def _on_step(self) -> bool:
        return True

    def _on_rollout_end(self) -> None:
        self.rewards.append(self.locals["rollout_buffer"].rewards.mean())


parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--agent-steps", type=int, default=500_000)
parser.add_argument("--seed", type=int, default=1)
options = parser.parse_args()

torch.set_num_threads(1)
envs = VecEnv(num_envs=8, num_boids=64)
model = PPO(
    "MlpPolicy", envs, n_steps=16, batch_size=1024, n_epochs=2, learning_rate=lambda left: 3e-3 * left, gamma=0.95,
    gae_lambda=0.9, ent_coef=0.02, vf_coef=0.25, seed=options.seed, device="cpu", policy_kwargs={"net_arch": [32, 32]},
)  # fmt: skip
curve, began = Curve(), time.process_time()
model.learn(options.agent_steps, callback=curve)
speed = model.num_timesteps / (time.process_time() - began)
envs.close()
print(f"reward {curve.rewards[0]:.3f} to {curve.rewards[-1]:.3f}, {speed / 1e3:.0f} k agent-steps per CPU second")
