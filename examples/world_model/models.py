"""What is learned from recordings. Each model answers for one boid, from what that boid observes."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from flights import HORIZON, NEIGHBOURS, RULES, TURNS, Flight
from torch import Tensor, nn
from torch.nn import functional

from boids_env._boids import layout

GAMMA = 0.9  # as the policy that ships was trained
WIDTH = 32
WINDOW = 16  # steps that an LSTM is unrolled in training; in planning, so many less HORIZON are real ones


def one_hot(actions: Tensor) -> Tensor:
    return functional.one_hot(actions, TURNS).float()


class Encoder(nn.Module):
    """The ten floats; with neighbours, also a sum of features of each (Deep Sets: Zaheer et al., 2017)."""

    def __init__(self, neighbours: bool) -> None:
        super().__init__()
        self.features = nn.Linear(4, WIDTH) if neighbours else None
        self.size = RULES + (WIDTH if neighbours else 0)

    def forward(self, observations: Tensor) -> Tensor:
        rules = observations[..., :RULES]
        if self.features is None:
            return rules
        near = observations[..., RULES:].unflatten(-1, (NEIGHBOURS, 4))
        there = (near != 0).any(-1, keepdim=True)
        return torch.cat([rules, (functional.relu(self.features(near)) * there).sum(-2) / 4], -1)


class Mirror(nn.Module):
    """Left and right are one: a model sees an observation or its mirror image, whichever has the company to the left."""

    source: Tensor
    sign: Tensor

    def __init__(self) -> None:
        super().__init__()
        mirror = np.array(layout(observation="nearest", num_neighbors=NEIGHBOURS)["observation"]["mirror"])
        self.register_buffer("source", torch.tensor(mirror[:, 0]))
        self.register_buffer("sign", torch.tensor(mirror[:, 1], dtype=torch.float32))

    def forward(self, observations: Tensor) -> tuple[Tensor, Tensor]:
        """The observations as a model sees them, and (..., 1) which of them are mirrored."""
        mirrored = (observations[..., 3] + observations[..., 5] < 0)[..., None]
        return torch.where(mirrored, observations[..., self.source] * self.sign, observations), mirrored


# ---- No model of the world: what each turn earns in the next steps --------------------------------------------------------


class Regression(nn.Module):
    """What each turn earns in the next 1, 2, .. `horizon` steps beyond the present reward: (agents, horizon, 5)."""

    def __init__(self, neighbours: bool, horizon: int) -> None:
        super().__init__()
        self.encoder, self.mirror, self.horizon = Encoder(neighbours), Mirror(), horizon
        size, out = self.encoder.size, TURNS * horizon
        self.head = nn.Sequential(nn.Linear(size, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, out))

    def seen(self, observations: Tensor) -> Tensor:
        """For observations that the mirror has passed."""
        return self.head(self.encoder(observations)).unflatten(-1, (self.horizon, TURNS))

    def forward(self, observations: Tensor) -> Tensor:
        seen, mirrored = self.mirror(observations)
        turns = self.seen(seen)
        return torch.where(mirrored[..., None], turns.flip(-1), turns)


def present(observations: np.ndarray) -> np.ndarray:
    """The reward of being where one is, with the default weights: what a turn cannot change any more."""
    o = observations
    return np.clip(0.4 * o[..., 9] + 0.6 * o[..., 1] * o[..., 4] - 1.5 * o[..., 8], -1, 1)


def fit_regression(
    model: Regression, flights: Sequence[Flight], passes: int, *, greedy: bool, rate: float = 2e-3, batch: int = 1024
) -> None:
    """Fits by least squares.

    Args:
        greedy: the steps after the first take the best turn that the model knows, so that the turns of the recording do not
            matter (fitted Q-iteration: Ernst, Geurts, Wehenkel, 2005). Else they are as recorded.
    """
    h, steps = model.horizon, torch.arange(1, model.horizon + 1, dtype=torch.float32)
    befores, afters, actions, gains = [], [], [], []
    for flight in flights:
        last = len(flight.actions) - (0 if greedy else h - 1)  # with all of its rewards
        now = present(flight.observations[:-1])
        befores.append(flight.observations[:last].reshape(last * flight.actions.shape[1], -1))
        afters.append(flight.observations[1 : last + 1].reshape(last * flight.actions.shape[1], -1))
        actions.append(flight.actions[:last].ravel())
        ahead = range(1 if greedy else h)
        gains.append(np.stack([flight.rewards[k : last + k] - now[:last] for k in ahead], -1).reshape(len(actions[-1]), -1))
    before, mirrored = model.mirror(torch.from_numpy(np.concatenate(befores)))
    action = torch.from_numpy(np.concatenate(actions))
    action = torch.where(mirrored[:, 0], TURNS - 1 - action, action)
    gain = torch.from_numpy(np.concatenate(gains))
    target = gain * steps if greedy else gain.cumsum(1)
    after = model.mirror(torch.from_numpy(np.concatenate(afters)))[0] if greedy and h > 1 else None
    first, optimizer, done = target.clone(), torch.optim.Adam(model.parameters(), rate), 0
    batches = -(-len(before) // batch)
    for _ in range(passes):
        if after is not None:
            with torch.no_grad():
                best = torch.cat([model.seen(part).amax(2)[:, :-1] for part in after.split(8192)])
            target[:, 1:] = first[:, 1:] + best
        for part in torch.randperm(len(before)).split(batch):
            for group in optimizer.param_groups:
                group["lr"] = rate * (1 - done / (passes * batches))
            turns = model.seen(before[part]).gather(2, action[part, None, None].expand(-1, h, 1))[..., 0]
            loss = (((turns - target[part]) / steps) ** 2).mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            done += 1


# ---- Models of the world: from a state and a turn to the next -------------------------------------------------------------


class Recurrent(nn.Module):
    """The talk's: an LSTM that predicts the next observation, reward, value and logits of the policy."""

    SPLIT = (RULES, TURNS, 1, 1)

    def __init__(self) -> None:
        super().__init__()
        self.cell = nn.LSTM(RULES + TURNS, WIDTH)
        self.head = nn.Sequential(nn.Linear(WIDTH, 64), nn.ReLU(), nn.Linear(64, sum(self.SPLIT)))

    def begin(self, observations: Tensor, past: Sequence[tuple[Tensor, Tensor]]) -> Any:
        """past: observations and actions of the last steps, the oldest first."""
        memory = (torch.zeros(1, len(observations), WIDTH), torch.zeros(1, len(observations), WIDTH))
        if past:
            memory = self.cell(torch.stack([torch.cat([o[:, :RULES], one_hot(a)], 1) for o, a in past]))[1]
        return observations[:, :RULES], *memory

    def step(self, state: Any, actions: Tensor) -> tuple[Any, Tensor, Tensor, Tensor]:
        """The next state; the reward, the logits of the policy and the value there."""
        observations, h, c = state
        out, (h, c) = self.cell(torch.cat([observations, one_hot(actions)], 1)[None], (h, c))
        change, logits, reward, value = self.head(out[0]).split(self.SPLIT, 1)
        return (observations + change, h, c), reward[:, 0], logits, value[:, 0]

    def losses(self, o: Tensor, a: Tensor, reward: Tensor, logits: Tensor, value: Tensor) -> Tensor:
        """Of windows: o (steps + 1, windows, floats), the others (steps, windows, ...) after each action."""
        out, _ = self.cell(torch.cat([o[:-1, :, :RULES], one_hot(a)], 2))
        change, scores, earned, worth = self.head(out).split(self.SPLIT, 2)
        ahead = functional.mse_loss(change, (o[1:] - o[:-1])[..., :RULES])
        return ahead + _losses(earned[..., 0], scores, worth[..., 0], reward, logits, value)


class Latent(nn.Module):
    """A state of its own, unrolled as far as it will be imagined (as MuZero: Schrittwieser et al., 2020)."""

    def __init__(self, neighbours: bool) -> None:
        super().__init__()
        self.encoder = Encoder(neighbours)
        self.encode = nn.Sequential(nn.Linear(self.encoder.size, 64), nn.ReLU(), nn.Linear(64, WIDTH))
        self.change = nn.Sequential(nn.Linear(WIDTH + TURNS, 64), nn.ReLU(), nn.Linear(64, WIDTH))
        self.head = nn.Linear(WIDTH, TURNS + 2)

    def begin(self, observations: Tensor, past: Sequence[tuple[Tensor, Tensor]] = ()) -> Any:
        return self.encode(self.encoder(observations))

    def step(self, state: Any, actions: Tensor) -> tuple[Any, Tensor, Tensor, Tensor]:
        state = state + self.change(torch.cat([state, one_hot(actions)], -1))
        logits, reward, value = self.head(functional.relu(state)).split((TURNS, 1, 1), -1)
        return state, reward[..., 0], logits, value[..., 0]

    def losses(self, o: Tensor, a: Tensor, reward: Tensor, logits: Tensor, value: Tensor) -> Tensor:
        state, loss = self.begin(o[0]), torch.zeros(())
        for t in range(len(a)):
            state, earned, scores, worth = self.step(state, a[t])
            loss = loss + _losses(earned, scores, worth, reward[t], logits[t], value[t])
        return loss / len(a)


def _losses(earned: Tensor, scores: Tensor, worth: Tensor, reward: Tensor, logits: Tensor, value: Tensor) -> Tensor:
    policy = -(functional.softmax(logits, -1) * functional.log_softmax(scores, -1)).sum(-1).mean()
    return 10 * functional.mse_loss(earned, reward) + 0.1 * policy + functional.mse_loss(worth, value)


def fit_world(
    model: Recurrent | Latent, flight: Flight, logits: np.ndarray, passes: int, window: int, rate: float = 4e-3
) -> None:
    """Fits to windows of a recording. logits: (steps + 1, agents, 5) of the policy that flew."""
    value = np.zeros_like(flight.rewards)  # of where a step leads: the rewards after it
    for t in range(len(value) - 2, -1, -1):
        value[t] = flight.rewards[t + 1] + GAMMA * value[t + 1]
    steps = len(value) - 40  # the value lacks the rewards after the end
    o, a, r, p, v = map(torch.from_numpy, (flight.observations, flight.actions, flight.rewards, logits, value))
    starts, agents = steps // window, a.shape[1]
    total, batch, done = passes * starts, 512, 0
    optimizer = torch.optim.Adam(model.parameters(), rate)
    for _ in range(passes):
        shift = int(torch.randint(0, window, ()))
        for start in torch.randperm(starts).tolist():
            at = min(start * window + shift, steps - window)
            who = torch.randint(0, agents, (batch,)) if agents > batch else torch.arange(agents)
            for group in optimizer.param_groups:
                group["lr"] = rate * (1 - done / total)
            now, after = slice(at, at + window), slice(at + 1, at + window + 1)
            seen = o[at : at + window + 1][:, who]
            loss = model.losses(seen, a[now][:, who], r[now][:, who], p[after][:, who], v[now][:, who])
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            done += 1


# ---- Planning with them ---------------------------------------------------------------------------------------------------


class Imagined:
    """What each turn earns in futures that a model of the world imagines.

    Args:
        rule: `best`: first turns are drawn by the policy, and each counts as its best future. `mean`: each turn has as many
            futures, with equal random numbers, and counts as their mean.
        value: a future also earns the value of its last state.
        logits: of the policy, for observations.
    """

    def __init__(
        self, model: Recurrent | Latent, logits: Any, rule: str, value: bool, futures: int = 32, seed: int = 0
    ) -> None:
        self.model, self.logits, self.rule, self.value = model, logits, rule, value
        self.each = futures // TURNS if rule == "mean" else futures
        self._random = torch.Generator().manual_seed(seed)
        self._past: deque[tuple[Tensor, Tensor]] = deque(maxlen=WINDOW - HORIZON)

    def _noise(self, agents: int, copies: int) -> Tensor:
        """Gumbel noise, the same for `copies` futures: the largest logit with it is a draw from their softmax."""
        drawn = torch.rand(self.each, agents, 1, TURNS, generator=self._random).clamp_min(1e-9)
        return -torch.log(-torch.log(drawn)).expand(-1, -1, copies, -1).reshape(-1, TURNS)

    @torch.no_grad()
    def turns(self, env: Any) -> np.ndarray:
        """(agents, 5) what each turn earns."""
        observations = torch.from_numpy(env.observations.copy())
        logits = torch.from_numpy(self.logits(env.observations))
        state = self.model.begin(observations, self._past)
        parts = torch.arange(len(logits)).split(64)
        return torch.cat([self._futures(state, logits, part) for part in parts]).numpy()

    def _futures(self, state: Any, logits: Tensor, part: Tensor) -> Tensor:
        """The same for a part of the agents, so that the cache holds it."""
        agents, copies = len(part), TURNS if self.rule == "mean" else 1
        rows = torch.arange(agents).repeat_interleave(copies).repeat(self.each)  # future x agent x copy
        who = part[rows]
        if isinstance(self.model, Recurrent):
            o, h, c = state
            state = o[who], h[:, who], c[:, who]
        else:
            state = state[who]
        if self.rule == "mean":
            action = torch.arange(TURNS).repeat(self.each * agents)
        else:
            action = (logits[who] + self._noise(agents, 1)).argmax(1)
        first, returns = action, torch.zeros(len(rows))
        for t in range(HORIZON):
            state, reward, scores, worth = self.model.step(state, action)
            returns += GAMMA**t * reward
            action = (scores + self._noise(agents, copies)).argmax(1)
        if self.value:
            returns += GAMMA**HORIZON * worth
        if self.rule == "mean":
            return returns.reshape(self.each, agents, TURNS).mean(0)
        best = torch.full((agents, TURNS), -torch.inf)
        best.view(-1).scatter_reduce_(0, rows * TURNS + first, returns, "amax")
        worst = returns.reshape(self.each, agents).amin(0)[:, None]  # of a turn that was never drawn
        return torch.where(best.isinf(), worst, best)

    @torch.no_grad()
    def reward(self, observations: np.ndarray, actions: np.ndarray) -> np.ndarray:
        """What it predicts for the next step."""
        state = self.model.begin(torch.from_numpy(observations), self._past)
        return self.model.step(state, torch.from_numpy(actions))[1].numpy()

    def took(self, observations: np.ndarray, actions: np.ndarray) -> None:
        """A real step: a model with a memory keeps it."""
        if isinstance(self.model, Recurrent):
            self._past.append((torch.from_numpy(observations), torch.from_numpy(actions)))


class Expected:
    """What a regression says that each turn earns."""

    def __init__(self, model: Regression) -> None:
        self.model = model

    @torch.no_grad()
    def turns(self, env: Any) -> np.ndarray:
        return self.model(torch.from_numpy(env.observations))[:, -1].numpy()
