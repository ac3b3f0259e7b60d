"""snake.h as a `pufferlib.PufferEnv`: every snake of every board an agent."""

import _snake
import gymnasium
import numpy as np
import pufferlib


class Snake(pufferlib.PufferEnv):
    """`num_envs` boards of `num_snakes`; `_snake.VecEnv.parameters` lists what else there is to choose."""

    def __init__(self, num_envs=1, seed=0, buf=None, render_mode=None, log_interval=128, **parameters):
        layout = _snake.layout(**parameters)
        cells, high = layout["observation"]["size"], layout["observation"]["high"]
        self.single_observation_space = gymnasium.spaces.Box(0, high, (cells,), np.uint8)
        self.single_action_space = gymnasium.spaces.Discrete(*layout["action"]["choices"])
        self.num_agents = num_envs * layout["num_agents"]
        self.render_mode, self.log_interval = render_mode, log_interval
        super().__init__(buf)  # the arrays: its own, or slices of what PufferLib's workers share
        arrays = self.observations, self.actions, self.rewards, self.terminals, self.truncations
        self.vec = _snake.VecEnv(*arrays, num_envs=num_envs, seed=seed, **parameters)

    def reset(self, seed=None):
        self.tick = 0
        self.vec.reset(seed)
        return self.observations, []

    def step(self, actions):
        self.actions[:] = actions
        self.vec.step()
        self.tick += 1
        log = self.vec.log() if self.tick % self.log_interval == 0 else {}
        return self.observations, self.rewards, self.terminals, self.truncations, [log] if log else []

    def render(self):
        pixels = np.zeros((360, 360, 3), np.uint8)
        self.vec.render(pixels)
        return pixels

    def close(self):
        self.vec.close()
