"""Flocks, or the environments of any module, for Gymnasium: 0.29, and 1.1 or newer.

    import boids_env.gymnasium

    envs = boids_env.gymnasium.VectorEnv(num_envs=8, num_boids=64)    # 512 agents, a sub-environment each
    env = gymnasium.make("boids_env/Boids-v0", num_boids=64)          # a flock as one agent, registered by the import

It needs Gymnasium: pip install 'boids-env[gymnasium]'.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, SupportsFloat

import numpy as np

from boids_env.env.adapter import Agents, Mask, Remade, agents, needs
from boids_env.env.core import Array, Module
from boids_env.errors import UserError

try:
    import gymnasium
    from gymnasium.error import ClosedEnvironmentError, DependencyNotInstalled, InvalidAction, ResetNeeded, UnsupportedMode
    from gymnasium.utils import seeding
    from gymnasium.vector.utils import batch_space
except ModuleNotFoundError as error:
    if error.name is None or error.name.partition(".")[0] != "gymnasium":
        raise
    raise ImportError(needs(__name__, "Gymnasium")) from None

from boids_env.env.spaces import space

__all__ = ["AutoresetMode", "Env", "VectorEnv"]

if TYPE_CHECKING or not hasattr(gymnasium.vector, "AutoresetMode"):  # Gymnasium 0.29 has none

    class AutoresetMode(enum.Enum):
        """When an environment whose episode has ended starts the next one; in the words of Gymnasium 1.1."""

        NEXT_STEP = "NextStep"
        SAME_STEP = "SameStep"
        DISABLED = "Disabled"

    FINAL = "final_observation"
else:
    from gymnasium.vector import AutoresetMode

    FINAL = "final_obs"

FPS = 30  # of a film: steps a second


class _Env(Remade):
    """What a VectorEnv and an Env have in common."""

    envs: Agents  # all that C steps
    metadata: dict[str, Any] = {"render_modes": ["rgb_array", "ansi", "human"], "render_fps": FPS}  # noqa: RUF012  as gymnasium

    def _open(self, module: Module | None, options: dict[str, Any], own: dict[str, Any]) -> None:
        """Makes `envs`. own: the further arguments of the constructor, for copies."""
        self._arguments = module, {**options, **own}
        kind = agents(module)
        if options["render_mode"] not in kind.render_modes:
            modes = ", ".join(map(repr, kind.render_modes))
            raise UnsupportedMode(f"render_mode: expected one of {modes}, got {options['render_mode']!r}")
        self.envs = kind(**options)
        self.render_mode = self.envs.render_mode
        self.metadata = {"render_modes": [mode for mode in kind.render_modes if mode], "render_fps": FPS}

    def _start(self, seed: Any, rows: Mask | None = None) -> None:
        """Resets. Raises: gymnasium.error.Error for a seed."""
        if self.envs.vec.closed:
            raise ClosedEnvironmentError(f"{type(self).__name__} is closed")
        if seed is not None:
            random = seeding.np_random(seed)  # it checks the seed
            if seed >= 2**63:
                raise gymnasium.error.Error(f"seed: expected an int in [0, {2**63 - 1}], got {seed}")
            self._np_random, self._np_random_seed = random
        self.envs.reset(seed, rows)
        self._show()

    def _step(self, actions: Any) -> None:
        """Steps. Raises: InvalidAction, ResetNeeded, ClosedEnvironmentError."""
        try:
            self.envs.step_others(actions)
        except (ValueError, TypeError) as error:
            raise InvalidAction(str(error)) from None
        except RuntimeError:
            if self.envs.vec.closed:
                raise ClosedEnvironmentError(f"{type(self).__name__} is closed") from None
            if not self.envs.started:
                raise ResetNeeded("call reset() before step()") from None
            raise
        if self.render_mode == "human":
            self._show()

    def _show(self) -> None:
        try:
            self.envs.show()
        except UserError as error:
            raise DependencyNotInstalled(str(error)) from None

    def _picture(self, env: int) -> Any:
        """Of environment `env`; None in the modes that return none."""
        if self.envs.vec.closed or not self.envs.started:
            raise ResetNeeded("call reset() before render()")
        return self.envs.render(env=env) if self.render_mode in ("rgb_array", "ansi") else None

    def log(self) -> dict[str, float]:
        """As `Flocks.log`: means over the episodes that have ended since the last call."""
        return self.envs.log()


class VectorEnv(_Env, gymnasium.vector.VectorEnv):  # type: ignore[misc]  # its types differ by version
    """`num_envs` flocks, or environments of another module. A sub-environment is an agent: `self.num_envs` counts agents.

    Agent i of flock k is sub-environment `k * num_boids + i`. `step` takes and returns arrays with a row for each.

    Args:
        num_envs: flocks.
        module: an extension module that src/binding.c made; None for the flock's.
        autoreset_mode: an `AutoresetMode` or its value: what happens when an episode ends.
            SAME_STEP, the default, as in C: the step returns the first observations of the next episode, and the last ones
            in `infos["final_obs"]`, in Gymnasium 0.29 `infos["final_observation"]`: an object array with None for agents
            whose episode goes on. NEXT_STEP: it returns the last observations; the next step ignores the actions of that
            flock and returns the first ones. DISABLED: it returns the last ones; `reset(options={"reset_mask": mask})`
            starts the next episode of whole flocks. The last two are for environments whose agents end at once.
        copy: whether `step` and `reset` return copies. False is faster: they return the arrays that C writes to.
        num_threads: threads that step the flocks. The results do not depend on it.
        render_mode: None, "rgb_array" or "ansi": render() returns a picture of its flock for each agent. "human": step()
            draws the first flock in a window.
        **parameters: of every flock; `VecEnv.parameters` of the module lists them. The first episodes of a vector of flocks
            have different lengths, unless stagger=False.

    Raises:
        TypeError: a parameter of an unknown name or a wrong type; no such module.
        ValueError: a parameter out of its range; another autoreset mode.
        gymnasium.error.UnsupportedMode: another render mode.
    """

    def __init__(
        self,
        num_envs: int = 1,
        module: Module | None = None,
        *,
        autoreset_mode: AutoresetMode | str = AutoresetMode.SAME_STEP,
        copy: bool = True,
        num_threads: int = 1,
        render_mode: str | None = None,
        **parameters: Any,
    ) -> None:
        self._mode = AutoresetMode(autoreset_mode)
        options = {"num_envs": num_envs, "num_threads": num_threads, "render_mode": render_mode, **parameters}
        self._open(module, options, {"autoreset_mode": self._mode, "copy": copy})
        self.copy = copy
        self.num_envs, self.closed, self.viewer, self.is_vector_env = self.envs.num_agents, False, None, True
        self.single_observation_space = space(self.envs.layout["observation"])
        self.single_action_space = space(self.envs.layout["action"])
        self.observation_space = batch_space(self.single_observation_space, self.num_envs)
        self.action_space = batch_space(self.single_action_space, self.num_envs)
        self.metadata["autoreset_mode"] = self._mode

    def reset(self, *, seed: int | None = None, options: Mapping[str, Any] | None = None) -> tuple[Array, dict[str, Any]]:
        """Starts every episode anew.

        Args:
            seed: one for all, from which every flock gets a random stream of its own; the same as in `Flocks.reset`.
            options: {"reset_mask": mask}, a bool array of the sub-environments to start; all those of a flock or none.

        Raises:
            gymnasium.error.Error: another seed.
            TypeError, ValueError: a mask that is none, or of parts of flocks.
            gymnasium.error.ResetNeeded: a mask before the first reset of all.
        """
        mask = (options or {}).get("reset_mask")
        self._start(seed, None if mask is None else self._mask(mask))
        return self._seen(), {}

    def step(self, actions: Any) -> tuple[Array, Array, Array, Array, dict[str, Any]]:
        """A step of every sub-environment.

        Args:
            actions: of the shape of `action_space`.

        Returns:
            observations, rewards (float32), terminations, truncations, infos.

        Raises:
            gymnasium.error.InvalidAction: actions of another shape or outside the space; nothing has been stepped.
            gymnasium.error.ResetNeeded: before reset(); in mode DISABLED also before that of agents whose episode has ended.
        """
        envs, mode, infos = self.envs, self._mode, {}
        if envs.any_waiting and mode is AutoresetMode.DISABLED:
            count = int(envs.waiting.sum())
            raise ResetNeeded(f"call reset(options={{'reset_mask': mask}}) for the {count} agents whose episode has ended")
        self._step(actions)
        ended = envs.ended()
        if mode is not AutoresetMode.SAME_STEP:
            self._wait(ended)
        elif ended.any():
            infos = self._final(ended)
        if self.copy:
            return self._seen(), envs.rewards.copy(), envs.terminals.copy(), envs.truncations.copy(), infos
        return self._seen(), envs.rewards, envs.terminals, envs.truncations, infos

    def render(self) -> tuple[Any, ...] | None:
        """For each sub-environment a picture of its flock, one object for all of a flock. None in mode "human" or None."""
        each = self.envs.layout["num_agents"]
        pictures = [self._picture(k) for k in range(self.envs.vec.num_envs)]
        return None if pictures[0] is None else tuple(picture for picture in pictures for _ in range(each))

    def close_extras(self, **_kwargs: Any) -> None:
        """Frees the flocks."""
        if hasattr(self, "envs"):  # Gymnasium also closes what its constructor has refused to make
            self.envs.close()

    def _seen(self) -> Array:
        envs = self.envs
        return envs.seen() if self.copy or envs.any_waiting else envs.observations

    def _final(self, ended: Mask) -> dict[str, Any]:
        """The last observations of these agents, as Gymnasium's own vectors give them."""
        final, rows = np.full(self.num_envs, None, object), np.flatnonzero(ended)
        assert self.envs.final_observations is not None
        for i, observation in zip(rows, self.envs.final_observations[rows], strict=True):
            final[i] = observation
        return {FINAL: final, f"_{FINAL}": ended}

    def _wait(self, ended: Mask) -> None:
        """These agents wait. Raises: NotImplementedError, where agents of an environment end on their own."""
        try:
            self.envs.whole(ended)
        except ValueError as error:
            name = self.envs.module.__name__
            raise NotImplementedError(
                f"autoreset_mode: expected SAME_STEP, as agents of {name} end on their own: {error}"
            ) from None
        self.envs.wait(ended)

    def _mask(self, mask: Any) -> Mask:
        """The mask, if it is one of whole environments. Raises: TypeError, ValueError, ResetNeeded."""
        if not isinstance(mask, np.ndarray) or mask.dtype != np.bool_:
            got = mask.dtype if isinstance(mask, np.ndarray) else type(mask).__name__
            raise TypeError(f"options['reset_mask']: expected a NumPy array of bool, got {got}")
        if mask.shape != (self.num_envs,):
            raise ValueError(f"options['reset_mask']: expected shape ({self.num_envs},), got {mask.shape}")
        if not self.envs.started:
            raise ResetNeeded("call reset() of all before reset() of some")
        try:
            if not self.envs.whole(mask).any():
                raise ValueError("expected at least one True, got none")
        except ValueError as error:
            raise ValueError(f"options['reset_mask']: {error}") from None
        return mask


class Env(_Env, gymnasium.Env):  # type: ignore[misc]  # the same
    """One flock, or environment of another module, as one agent; registered as `boids_env/Boids-v0`.

    Where the environment has several agents, an observation is (agents, observation size), an action has a row for each, and
    the reward is their mean: one policy flies the whole flock. Where it has one agent, there is no such dimension.
    The episode ends when those of all agents end in the same step.

    Args:
        module: an extension module that src/binding.c made; None for the flock's.
        render_mode: None, "rgb_array" or "ansi": what render() returns. "human": step() draws in a window.
        num_threads: threads that step a large flock.
        **parameters: of the flock; `VecEnv.parameters` of the module lists them.

    Raises:
        TypeError, ValueError, gymnasium.error.UnsupportedMode: as `VectorEnv`.
    """

    def __init__(
        self, module: Module | None = None, *, render_mode: str | None = None, num_threads: int = 1, **parameters: Any
    ) -> None:
        options = {"num_envs": 1, "num_threads": num_threads, "render_mode": render_mode, **parameters}
        self._open(module, options, {})
        del self._arguments[1]["num_envs"]
        self._alone = self.envs.num_agents == 1
        of, to = space(self.envs.layout["observation"]), space(self.envs.layout["action"])
        self.observation_space = of if self._alone else batch_space(of, self.envs.num_agents)
        self.action_space = to if self._alone else batch_space(to, self.envs.num_agents)

    def reset(self, *, seed: int | None = None, options: Mapping[str, Any] | None = None) -> tuple[Array, dict[str, Any]]:
        """Starts an episode. seed: as `Flocks.reset` takes it; None goes on with the random stream. options: not used."""
        self._start(seed)
        return self._seen(), {}

    def step(self, action: Any) -> tuple[Array, SupportsFloat, bool, bool, dict[str, Any]]:
        """A step.

        Raises:
            gymnasium.error.InvalidAction: an action of another shape or outside the space; nothing has been stepped.
            gymnasium.error.ResetNeeded: before reset(), or after the end of the episode.
        """
        envs = self.envs
        if envs.any_waiting:
            raise ResetNeeded("call reset(): the episode has ended")
        if np.shape(action) != self.action_space.shape:
            raise InvalidAction(f"action: expected shape {self.action_space.shape}, got {np.shape(action)}")
        self._step(np.reshape(action, envs.actions.shape))
        ended = envs.ended()
        all_ended = bool(ended.all())
        if all_ended:
            envs.wait(ended)
        terminated = all_ended and bool(envs.terminals.all())
        return self._seen(), float(envs.rewards.mean()), terminated, all_ended and not terminated, {}

    def render(self) -> Any:
        """(height, width, 3) uint8 pixels, or text; None in mode "human" or None."""
        return self._picture(0)

    def close(self) -> None:
        """Frees the flock. Closing twice is fine."""
        self.envs.close()

    def _seen(self) -> Array:
        seen = self.envs.seen()
        return np.asarray(seen[0]) if self._alone else seen


if "boids_env/Boids-v0" not in gymnasium.registry:
    gymnasium.register("boids_env/Boids-v0", f"{__name__}:Env", vector_entry_point=f"{__name__}:VectorEnv")
