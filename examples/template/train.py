"""Trains Catch with PufferLib's PuffeRL on one core of the CPU: `python train.py [seed]`. Writes catch.pt."""

import sys
import warnings

import _catch
import torch
from pufferlib import models, pufferl, vector

from boids_env import puffer_env

STEPS = 300_000
BOARDS = 128
Catch = puffer_env(_catch)


class Trainer(pufferl.PuffeRL):
    """PuffeRL without its dashboard and its checkpoints."""

    def print_dashboard(self, clear=False):
        pass

    def save_checkpoint(self):
        pass


def evaluate(choose, seed):
    """The share of balls caught in 1,000 steps, on boards that training has not used."""
    env = Catch(BOARDS, seed=1_000_000 + seed, log_interval=1000)
    observations, infos = env.reset()
    while not infos:
        observations, _, _, _, infos = env.step(choose(observations))
    env.close()
    return infos[0]["caught"]


seed = int(sys.argv[1]) if sys.argv[1:] else 1
sys.argv = sys.argv[:1]  # load_config would read the rest
warnings.filterwarnings("ignore", message=".*CUDA is not available")
torch.set_num_threads(1)  # more are slower with so small a network
torch.manual_seed(seed)
options = {"num_envs": BOARDS, "log_interval": 32}
vecenv = vector.make(Catch, env_kwargs=options, backend=vector.Serial, num_envs=1, seed=seed)
policy = models.Default(vecenv.driver_env, hidden_size=64)
config = pufferl.load_config("default")["train"]  # and what differs from it:
config |= {"env": "catch", "seed": seed, "device": "cpu", "optimizer": "adam", "learning_rate": 0.01}
config |= {"total_timesteps": STEPS, "bptt_horizon": 32, "minibatch_size": 2048, "update_epochs": 2}
trainer = Trainer(config, vecenv, policy)
try:
    while trainer.global_step < STEPS:
        stats = trainer.evaluate()
        if trainer.epoch % 8 == 7:
            print(f"{trainer.uptime:5.1f} s  {trainer.global_step:6} steps  caught {stats['caught'][-1]:.3f}", flush=True)
        trainer.train()
finally:
    trainer.utilization.stop()  # its thread would keep the process alive
vecenv.close()
torch.save(policy.state_dict(), "catch.pt")
with torch.no_grad():
    learned = evaluate(lambda boards: policy(torch.as_tensor(boards))[0].argmax(1).numpy(), seed)
by_chance = evaluate(lambda boards: torch.randint(3, (BOARDS,)).numpy(), seed)
print(f"caught: learned {learned:.3f}, random {by_chance:.3f}")
