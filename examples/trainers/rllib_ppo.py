"""RLlib's PPO (new API stack) on a flock, over the PettingZoo API: python examples/trainers/rllib_ppo.py

It needs RLlib, Gymnasium 1.2.2 and PettingZoo: pip install 'boids-env[rllib]'
"""

import argparse
import logging
import os
import time
import warnings

os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
warnings.filterwarnings("ignore", category=DeprecationWarning)

import ray  # noqa: E402
from ray.rllib.algorithms.ppo import PPOConfig  # noqa: E402
from ray.rllib.core.rl_module.default_model_config import DefaultModelConfig  # noqa: E402
from ray.rllib.env.wrappers.pettingzoo_env import ParallelPettingZooEnv  # noqa: E402
from ray.tune.registry import register_env  # noqa: E402

from boids_env.pettingzoo import parallel_env  # noqa: E402

BOIDS, HORIZON, BATCH = 64, 100, 6400  # BATCH agent-steps are one episode of the flock

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--agent-steps", type=int, default=200_000)
parser.add_argument("--seed", type=int, default=1)
options = parser.parse_args()

# a cluster of its own, whatever else runs on this machine
ray.init(address="local", num_cpus=1, include_dashboard=False, log_to_driver=False, logging_level=logging.ERROR)
register_env("flock", lambda _: ParallelPettingZooEnv(parallel_env(num_boids=BOIDS, horizon=HORIZON)))
config = (
    PPOConfig()
    .environment("flock")
    .env_runners(num_env_runners=0)
    .multi_agent(policies={"boid"}, policy_mapping_fn=lambda *_, **__: "boid", count_steps_by="agent_steps")
    .training(
        train_batch_size_per_learner=BATCH, minibatch_size=512, num_epochs=2, lr=3e-3, gamma=0.95, lambda_=0.9,
        entropy_coeff=0.02, vf_loss_coeff=0.5, grad_clip=0.5,
    )
    .rl_module(model_config=DefaultModelConfig(fcnet_hiddens=[32, 32], fcnet_activation="tanh"))
    .debugging(seed=options.seed, log_level="ERROR")
)  # fmt: skip
trainer = config.build_algo()
curve, began, done = [], time.perf_counter(), 0
while done < options.agent_steps:
    result = trainer.train()["env_runners"]
    done += BATCH
    curve.append(result["episode_return_mean"] / BOIDS / HORIZON)
speed = done / (time.perf_counter() - began)
trainer.stop()
ray.shutdown()
print(f"reward {curve[0]:.3f} to {curve[-1]:.3f}, {speed / 1e3:.1f} k agent-steps a second")
