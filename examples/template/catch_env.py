"""Catch as PufferLib wants it."""

import _catch
import gymnasium
import numpy as np
import pufferlib


class Catch(pufferlib.PufferEnv):
    """`num_envs` boards, stepped in one call. `parameters` are those of catch.h: rows, columns."""

    def __init__(self, num_envs=128, seed=0, buf=None, log_interval=32, **parameters):
        layout = _catch.layout(**parameters)
        seen = layout["observation"]
        self.single_observation_space = gymnasium.spaces.Box(seen["low"], seen["high"], (seen["size"],), seen["dtype"])
        self.single_action_space = gymnasium.spaces.Discrete(layout["action"]["choices"][0])
        self.num_agents = num_envs * layout["num_agents"]
        super().__init__(buf)  # makes the arrays, or takes PufferLib's
        arrays = self.observations, self.actions, self.rewards, self.terminals, self.truncations
        self.vec = _catch.VecEnv(*arrays, num_envs=num_envs, seed=seed, **parameters)
        self.log_interval, self.tick = log_interval, 0

    def reset(self, seed=None):
        self.vec.reset(seed)
        return self.observations, []

    def step(self, actions):
        self.actions[:] = actions  # into the array that C reads; never `self.actions = actions`
        self.vec.step()
        self.tick += 1
        log = self.vec.log() if self.tick % self.log_interval == 0 else {}
        return self.observations, self.rewards, self.terminals, self.truncations, [log] if log else []

    def render(self):
        pixels = np.zeros((320, 160, 3), np.uint8)
        self.vec.render(pixels)
        return pixels

    def close(self):
        self.vec.close()
