"""PufferLib's PuffeRL on flocks, by any of its backends: python examples/trainers/pufferlib_ppo.py --backend Multiprocessing

It needs PufferLib 3.0.0: see 'Installing PufferLib' in README.md. `boids train --trainer pufferl` does more.
"""

import argparse
import sys
import time
import warnings

import torch

from boids_env import Boids

# importing PufferLib changes warnings, Ctrl-C and the current folder: `unchanged` puts them back
from boids_env.env.pufferlib_import import unchanged

with unchanged():
    from pufferlib import pufferl, vector


class Policy(torch.nn.Module):
    def __init__(self, env):
        super().__init__()
        size, choices = env.single_observation_space.shape[0], env.single_action_space.n
        self.actor, self.critic = self.network(size, choices), self.network(size, 1)

    @staticmethod
    def network(inputs, outputs):
        tanh, linear = torch.nn.Tanh, torch.nn.Linear
        return torch.nn.Sequential(linear(inputs, 32), tanh(), linear(32, 32), tanh(), linear(32, outputs))

    def forward(self, observations, state=None):
        return self.actor(observations), self.critic(observations)

    forward_eval = forward


class Trainer(pufferl.PuffeRL):
    def print_dashboard(self, *args, **kwargs): ...

    def save_checkpoint(self): ...


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--agent-steps", type=int, default=500_000)
    parser.add_argument("--backend", choices=["Serial", "Multiprocessing", "Ray"], default="Serial")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(options.seed)
    if options.backend == "Ray":
        import ray

        # a cluster of its own: what PufferLib starts waits for one that Ray remembers
        ray.init(address="local", num_cpus=2, include_dashboard=False, log_to_driver=False)
    workers = {} if options.backend == "Serial" else {"num_workers": 2}
    vecenv = vector.make(
        Boids, env_kwargs={"num_envs": 4, "num_boids": 64}, backend=getattr(vector, options.backend), num_envs=2,
        seed=options.seed, **workers,
    )  # fmt: skip
    sys.argv = sys.argv[:1]  # load_config would read the rest
    config = pufferl.load_config("default")["train"] | {
        "env": "boids", "seed": options.seed, "device": "cpu", "use_rnn": False, "optimizer": "adam", "adam_beta1": 0.9,
        "adam_beta2": 0.999, "adam_eps": 1e-5, "learning_rate": 3e-3, "anneal_lr": True, "bptt_horizon": 16,
        "minibatch_size": 1024, "update_epochs": 2, "gamma": 0.95, "gae_lambda": 0.9, "ent_coef": 0.02, "vf_coef": 0.5,
        "max_grad_norm": 0.5, "prio_alpha": 0.0, "total_timesteps": options.agent_steps, "checkpoint_interval": 10**9,
    }  # fmt: skip
    with warnings.catch_warnings(action="ignore"):  # it warns that there is no GPU
        trainer = Trainer(config, vecenv, Policy(vecenv.driver_env))
    trainer.utilization.stop()  # its thread would keep the process alive
    curve, began = [], time.process_time()
    while trainer.global_step < options.agent_steps:
        trainer.evaluate()
        curve.append(trainer.rewards.mean().item())
        trainer.train()
    speed = trainer.global_step / (time.process_time() - began)
    vecenv.close()
    print(f"reward {curve[0]:.3f} to {curve[-1]:.3f}, {speed / 1e3:.0f} k agent-steps per CPU second")


if __name__ == "__main__":  # Multiprocessing's workers import this file
    main()
