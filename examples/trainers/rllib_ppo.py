"""RLlib's PPO (new API stack) on flocks, over the Gymnasium API: python examples/trainers/rllib_ppo.py

It needs RLlib and Gymnasium 1.2.2: pip install 'boids-env[rllib]'
"""

import argparse
import logging
import time
from typing import ClassVar

import gymnasium
import ray
from ray.rllib.algorithms.ppo import PPOConfig
from ray.rllib.core.rl_module.default_model_config import DefaultModelConfig
from ray.tune.registry import register_env

from boids_env.gymnasium import AutoresetMode, VectorEnv

FLOCKS, BOIDS, STEPS = 8, 64, 16  # STEPS of a rollout


class Flocks(VectorEnv):
    """With the mean reward of each step. RLlib wants the last observation of an episode from the step that ends it."""

    curve: ClassVar[list[float]] = []

    def __init__(self) -> None:
        super().__init__(FLOCKS, num_boids=BOIDS, autoreset_mode=AutoresetMode.NEXT_STEP)

    def step(self, actions):
        result = super().step(actions)
        self.curve.append(float(result[1].mean()))
        return result


parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--agent-steps", type=int, default=200_000)
parser.add_argument("--seed", type=int, default=1)
options = parser.parse_args()

# a cluster of its own, whatever else runs on this machine
ray.init(address="local", num_cpus=1, include_dashboard=False, log_to_driver=False, logging_level=logging.ERROR)
register_env("flocks", lambda _: Flocks())
config = (
    PPOConfig()
    .environment("flocks")
    .env_runners(
        num_env_runners=0, num_envs_per_env_runner=FLOCKS * BOIDS,
        gym_env_vectorize_mode=gymnasium.VectorizeMode.VECTOR_ENTRY_POINT,
    )
    .training(
        train_batch_size_per_learner=FLOCKS * BOIDS * STEPS, minibatch_size=1024, num_epochs=2, lr=3e-3, gamma=0.95,
        lambda_=0.9, entropy_coeff=0.02, vf_loss_coeff=0.5, grad_clip=0.5,
    )
    .rl_module(model_config=DefaultModelConfig(fcnet_hiddens=[32, 32], fcnet_activation="tanh"))
    .debugging(seed=options.seed, log_level="ERROR")
)  # fmt: skip
trainer = config.build_algo()
curve, began = Flocks.curve, time.process_time()
while len(curve) * FLOCKS * BOIDS < options.agent_steps:
    trainer.train()
speed = len(curve) * FLOCKS * BOIDS / (time.process_time() - began)
trainer.stop()
ray.shutdown()
first, last = (sum(part) / STEPS for part in (curve[:STEPS], curve[-STEPS:]))
print(f"reward {first:.3f} to {last:.3f}, {speed / 1e3:.1f} k agent-steps per CPU second")
