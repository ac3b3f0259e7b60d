"""The network that is trained, in torch. `boids_env.learn.policies.Learned` computes the same with NumPy alone."""

from __future__ import annotations

import os
from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from boids_env.errors import UserError, positive
from boids_env.learn.policies import save_policy

Logits = Tensor | torch.distributions.Normal


class _FastTanh(torch.autograd.Function):
    """tanh(x) as 2 sigmoid(2x) - 1, which torch computes four times as fast on a CPU; they differ by 2e-7 at most."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        y = (x * 2).sigmoid_().mul_(2).sub_(1)
        ctx.save_for_backward(y)
        return y

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        (y,) = ctx.saved_tensors
        gradient: Tensor = torch.ops.aten.tanh_backward(gradients[0], y)
        return gradient


class Tanh(nn.Module):
    """nn.Tanh, faster on a CPU."""

    def forward(self, x: Tensor) -> Tensor:
        if x.device.type != "cpu":
            return torch.tanh(x)
        y: Tensor = _FastTanh.apply(x)  # type: ignore[no-untyped-call]  # torch's apply has no types
        return y


def _linear(inputs: int, outputs: int, gain: float) -> nn.Linear:
    layer = nn.Linear(inputs, outputs)
    nn.init.orthogonal_(layer.weight, gain)
    nn.init.zeros_(layer.bias)
    return layer


def _tower(inputs: int, width: int, layers: int) -> nn.Sequential:
    sizes = [inputs] + [width] * layers
    return nn.Sequential(*(part for a, b in pairwise(sizes) for part in (_linear(a, b, 2**0.5), Tanh())))


class Mirror(nn.Module):
    """`boids_env.learn.policies.Mirror` in torch. Its arrays are the buffers `mirror.observation` and `mirror.action`.

    Args:
        layout: of one environment, whose header has ENV_MIRROR.
    """

    observation: Tensor
    action: Tensor

    def __init__(self, layout: Mapping[str, Any]) -> None:
        super().__init__()
        for of in ("observation", "action"):
            self.register_buffer(of, torch.tensor(layout[of]["mirror"], dtype=torch.float32).T.contiguous())

    def canonical(self, observations: Tensor) -> tuple[Tensor, Tensor]:
        """The observations as the policy sees them, and (batch x 1) which of them are mirrored."""
        images = observations[:, self.observation[0].long()] * self.observation[1]
        first = (images != observations).int().argmax(1, keepdim=True)
        mirrored = images.gather(1, first) > observations.gather(1, first)
        return torch.where(mirrored, images, observations), mirrored

    def back(self, out: Tensor, mirrored: Tensor) -> Tensor:
        """The policy's answers for the observations as they were."""
        return torch.where(mirrored, out[:, self.action[0].long()] * self.action[1], out)


class Policy(nn.Module):
    """One network for every agent: tanh layers, then a score for each choice, or a mean and a spread; and the value.

    It has the methods of `pufferlib.models.Default`, which PuffeRL and its LSTM wrapper call.

    Args:
        env: anything with `single_observation_space` and `single_action_space`: `Boids`, or a vecenv of PufferLib.
        hidden_size: width of each layer.
        hidden_layers: number of layers.
        shared_value: the value is computed from the same layers; otherwise it has as many layers of its own.
        mirror: the policy treats left and right alike, where the header of the environment has ENV_MIRROR.
    """

    def __init__(
        self,
        env: Any,
        hidden_size: int = 32,
        hidden_layers: int = 2,
        shared_value: bool = False,
        mirror: bool = True,
    ) -> None:
        super().__init__()
        layout = getattr(getattr(env, "driver_env", env), "layout", None)  # of a vecenv, or of an environment
        has_mirror = mirror and layout is not None and layout["observation"]["mirror"] is not None
        self.mirror = Mirror(layout) if layout is not None and has_mirror else None
        hidden_size, hidden_layers = positive("hidden_size", hidden_size), positive("hidden_layers", hidden_layers)
        inputs = int(np.prod(env.single_observation_space.shape))
        self.is_continuous = not hasattr(env.single_action_space, "n")
        self.encoder = _tower(inputs, hidden_size, hidden_layers)
        self.critic = None if shared_value else _tower(inputs, hidden_size, hidden_layers)
        self.hidden_size = hidden_size if shared_value else 2 * hidden_size  # of encode_observations' result
        if self.is_continuous:
            outputs = int(np.prod(env.single_action_space.shape))
            self.decoder_mean = _linear(hidden_size, outputs, 0.01)
            self.decoder_logstd = nn.Parameter(torch.full((1, outputs), -0.5))
        else:
            self.decoder = _linear(hidden_size, int(env.single_action_space.n), 0.01)
        self.value = _linear(hidden_size, 1, 1.0)

    def forward(self, observations: Tensor, state: Any = None) -> tuple[Logits, Tensor]:
        """(batch x observation size) floats to the logits, or a normal distribution, and (batch x 1) values."""
        mirrored = None
        if self.mirror is not None:
            observations, mirrored = self.mirror.canonical(observations)
        actor = self.encoder(observations)
        return self._heads(actor, actor if self.critic is None else self.critic(observations), mirrored)

    def forward_eval(self, observations: Tensor, state: Any = None) -> tuple[Logits, Tensor]:
        return self.forward(observations, state)

    # forward in two parts, for PufferLib's LSTM wrapper, which comes between them; joining the two networks costs time

    def encode_observations(self, observations: Tensor, state: Any = None) -> Tensor:
        if self.mirror is not None:  # what the LSTM remembers would be of changing hands
            raise UserError("an LSTM remembers left and right: expected mirror=False")
        actor: Tensor = self.encoder(observations)
        return actor if self.critic is None else torch.cat([actor, self.critic(observations)], -1)

    def decode_actions(self, hidden: Tensor) -> tuple[Logits, Tensor]:
        actor, critic = (hidden, hidden) if self.critic is None else hidden.chunk(2, -1)
        return self._heads(actor, critic, None)

    def _heads(self, actor: Tensor, critic: Tensor, mirrored: Tensor | None) -> tuple[Logits, Tensor]:
        value: Tensor = self.value(critic)
        out: Tensor = self.decoder_mean(actor) if self.is_continuous else self.decoder(actor)
        if self.mirror is not None and mirrored is not None:
            out = self.mirror.back(out, mirrored)
        if not self.is_continuous:
            return out, value
        return torch.distributions.Normal(out, self.decoder_logstd.exp().expand_as(out), validate_args=False), value

    def export(self, path: str | os.PathLike[str], meta: Mapping[str, Any]) -> None:
        """Writes the weights of the actions, without those of the value, as a policy.npz for `boids_env.load_policy`."""
        state = {k: v for k, v in self.state_dict().items() if not k.startswith(("critic.", "value."))}
        save_policy(path, {name: tensor.cpu().numpy() for name, tensor in state.items()}, meta)
