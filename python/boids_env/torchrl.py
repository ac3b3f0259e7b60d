"""Flocks, or the environments of any module, for TorchRL.

    from boids_env.torchrl import Env

    env = Env(num_envs=8, num_boids=64)    # batch_size [512]: a row for each agent
    rollout = env.rollout(100, policy, break_when_any_done=False)

It needs TorchRL: pip install 'boids-env[torchrl]'.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from boids_env.env.adapter import Agents, Remade, agents, needs
from boids_env.env.core import Array, Module

try:
    import torch
    from tensordict import TensorDict
    from torchrl.data import Binary, Bounded, Categorical, Composite, MultiCategorical, Unbounded
    from torchrl.envs import EnvBase
except ModuleNotFoundError as error:
    if error.name is None or error.name.partition(".")[0] not in ("torchrl", "tensordict", "torch"):
        raise
    raise ImportError(needs(__name__, "TorchRL")) from None

if TYPE_CHECKING:
    from boids_env._boids import Space

__all__ = ["Env"]


class Env(Remade, EnvBase):  # type: ignore[misc]  # its types need torch
    """`num_envs` flocks, or environments of another module. An element of the batch is an agent.

    Agent i of flock k is row `k * num_boids + i`. After a step, "next" holds the last observation of an agent whose episode
    has ended; `maybe_reset`, which rollouts and collectors call, goes on with its next episode, which has begun by then.

    Keys: "observation" (agents, observation size), "action" int64 (agents), or (agents, elements) where it is more than one
    choice, "reward" (agents, 1), "done", "terminated", "truncated" (agents, 1).

    Args:
        num_envs: flocks.
        module: an extension module that src/binding.c made; None for the flock's.
        num_threads: threads that step the flocks. The results do not depend on it.
        device: of the tensors. The flocks step on the CPU.
        **parameters: of every flock; `VecEnv.parameters` of the module lists them. The first episodes of a vector of flocks
            have different lengths, unless stagger=False.

    Raises:
        TypeError: a parameter of an unknown name or a wrong type; no such module.
        ValueError: a parameter out of its range.
    """

    batch_locked = True

    def __init__(
        self,
        num_envs: int = 1,
        module: Module | None = None,
        *,
        num_threads: int = 1,
        device: torch.device | str = "cpu",
        **parameters: Any,
    ) -> None:
        envs = agents(module)(num_envs, num_threads=num_threads, **parameters)
        super().__init__(device=device, batch_size=[envs.num_agents])
        self._arguments = module, {"num_envs": num_envs, "num_threads": num_threads, "device": device, **parameters}
        self.envs: Agents = envs
        self._seed: int | None = None
        n = (envs.num_agents,)
        self.observation_spec = Composite(observation=_spec(envs.layout["observation"], n, device), shape=n)
        self.action_spec = _spec(envs.layout["action"], n, device)
        self.reward_spec = Unbounded((*n, 1), device=device)
        done = {key: Binary(1, (*n, 1), device=device, dtype=torch.bool) for key in ("done", "terminated", "truncated")}
        self.done_spec = Composite(**done, shape=n)

    def _reset(self, tensordict: TensorDict | None = None, **_kwargs: Any) -> TensorDict:
        """Raises: ValueError, where "_reset" names a part of a flock whose episode goes on."""
        envs, mask = self.envs, None if tensordict is None else tensordict.get("_reset", None)
        if mask is None or not envs.started:
            envs.reset(self._seed)
            self._seed = None
        else:
            envs.reset(None, mask.reshape(envs.num_agents).cpu().numpy())
        return self._out(envs.seen())

    def _step(self, tensordict: TensorDict) -> TensorDict:
        """Raises: ValueError for an action outside its spec; RuntimeError before reset()."""
        envs = self.envs
        envs._take(tensordict["action"].cpu().numpy())
        envs.vec.step()
        envs.wait(envs.ended())
        out = self._out(envs.seen())
        out["reward"] = torch.as_tensor(envs.rewards.copy(), device=self.device).unsqueeze(-1)
        flags = {"terminated": envs.terminals, "truncated": envs.truncations, "done": envs.waiting}
        for key, flag in flags.items():
            out[key] = torch.as_tensor(flag.copy(), device=self.device).unsqueeze(-1)
        return out

    def _set_seed(self, seed: int | None) -> None:
        """For the next reset of all."""
        self._seed = seed

    def _out(self, observations: Array) -> TensorDict:
        seen = torch.as_tensor(observations, device=self.device)
        return TensorDict({"observation": seen}, self.batch_size, device=self.device)

    def close(self, **_kwargs: Any) -> None:
        """Frees the flocks. Closing twice is fine."""
        if not self.is_closed:
            super().close()
        self.envs.close()

    def log(self) -> dict[str, float]:
        """As `Flocks.log`: means over the episodes that have ended since the last call."""
        return self.envs.log()


def _spec(side: Space, n: tuple[int], device: Any) -> Any:
    """One side of an agent, as TorchRL describes it."""
    if side["choices"] is None:
        dtype = getattr(torch, side["dtype"])
        low, high = side["low"], side["high"]
        if np.dtype(side["dtype"]).kind in "iu":  # a float bound may round to one beyond the type
            limits = torch.iinfo(dtype)
            low, high = max(int(low), limits.min), min(int(high), limits.max)
        return Bounded(low, high, (*n, side["size"]), dtype=dtype, device=device)
    if side["size"] == 1:
        return Categorical(side["choices"][0], n, device=device, dtype=torch.int64)
    return MultiCategorical(side["choices"], (*n, side["size"]), device=device, dtype=torch.int64)
