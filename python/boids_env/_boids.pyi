"""The extension: src/binding.c compiled with src/boids.h. `help(boids_env.VecEnv)` explains the rest."""

from collections.abc import Mapping
from types import TracebackType
from typing import Any, ClassVar, Literal, Self, TypeAlias, TypedDict, Unpack

from numpy.typing import NDArray
from typing_extensions import Buffer

from boids_env.env.parameters import FlockParameters

Array: TypeAlias = NDArray[Any] | Buffer  # NumPy before 2 does not tell type checkers that its arrays are buffers

class Parameter(TypedDict):
    type: Literal["int", "float", "bool", "choice"]
    default: Any
    min: float | None  # None for bool and choice
    max: float | None
    unit: str
    doc: str
    choices: tuple[str, ...] | None  # of a choice
    changeable: bool  # by set_parameters()

class StateField(TypedDict):
    type: str  # of an element, NumPy's name: "uint32"
    doc: str

class Space(TypedDict):
    dtype: str  # of an element, NumPy's name
    size: int  # elements per agent
    low: float  # every element lies in [low, high]
    high: float
    choices: tuple[int, ...] | None  # None, or how many values each element has: 0 .. choices[k] - 1
    mirror: tuple[tuple[int, int], ...] | None  # (from, sign) of each element, or of each choice, as ENV_MIRROR says

class Layout(TypedDict):
    num_agents: int  # of one environment
    observation: Space
    action: Space

externals: tuple[str, ...]  # functions that window() needs the addresses of
MAX_ENVS: int  # environments in one VecEnv
CLOSED: int  # what window() returns in place of a number of steps
NO_WINDOW: int
WINDOW_TAKEN: int

def link(addresses: dict[str, int], /) -> None:
    """Gives window() the functions of `externals`. Raises: TypeError, ValueError."""

def layout(**parameters: Any) -> Layout:
    """The arrays that one environment with these parameters needs. Raises: TypeError, ValueError, MemoryError."""

class VecEnv:
    """`num_envs` environments over five arrays of the caller's. It holds them until `close()` and never replaces them."""

    parameters: ClassVar[Mapping[str, Parameter]]
    log_fields: ClassVar[Mapping[str, str]]  # name: doc
    observation_fields: ClassVar[Mapping[str, str]]  # name: doc, of an observation's first elements
    state_fields: ClassVar[Mapping[str, StateField]]
    @property
    def closed(self) -> bool: ...
    @property
    def num_agents(self) -> int: ...  # of all environments
    @property
    def num_envs(self) -> int: ...
    @property
    def num_threads(self) -> int: ...
    @property
    def seed(self) -> int: ...
    def __new__(
        cls,
        observations: Array,
        actions: Array,
        rewards: Array,
        terminals: Array,
        truncations: Array,
        *,
        final_observations: Array | None = None,
        num_envs: int = 1,
        seed: int = 0,
        num_threads: int = 1,
        **parameters: Unpack[FlockParameters],
    ) -> Self: ...
    def reset(self, seed: int | None = None) -> None: ...
    def step(self) -> None: ...
    def script(self) -> None: ...
    def log(self) -> dict[str, float]: ...
    def render(self, pixels: Array, env: int = 0, *, layer: Literal["picture", "film", "caption"] = "picture") -> None: ...
    def window(self, env: int = 0) -> int: ...
    def annotate(self, text: str, curve: bytes = b"") -> None: ...
    def get(self, name: str, env: int = 0) -> bytes: ...
    def set(self, name: str, data: Array, env: int = 0) -> None: ...
    def state(self) -> bytes: ...
    def set_state(self, data: bytes, /) -> None: ...
    def set_parameters(self, **changes: Any) -> None: ...
    def close(self) -> None: ...
    def __enter__(self) -> Self: ...
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> None: ...

class Learner:
    """A policy for all agents of a VecEnv that learns by proximal policy optimization. `help(Learner)` explains the rest."""

    settings: ClassVar[Mapping[str, Parameter]]
    log_fields: ClassVar[Mapping[str, str]]  # name: doc
    @property
    def vec(self) -> VecEnv: ...
    @property
    def agent_steps(self) -> int: ...  # learned from so far
    @property
    def updates(self) -> int: ...
    @property
    def num_threads(self) -> int: ...
    def __new__(cls, vec: VecEnv, /, *, seed: int = 0, num_threads: int = 1, **settings: Any) -> Self: ...
    def learn(self, agent_steps: int, /) -> None: ...
    def log(self) -> dict[str, float]: ...
    def policy(self) -> dict[str, tuple[tuple[int, ...], bytes]]: ...
    def act(self, vec: VecEnv, step: int = 0, best: bool = False) -> None: ...
    def imitate(self, planner: Planner, steps: int, student: bool = True, temperature: float = 0.003) -> None: ...
    def regress(self, epochs: int, /) -> float: ...
    def state(self) -> bytes: ...
    def set_state(self, data: bytes, /) -> None: ...

class Planner:
    """Looks ahead: every action of every agent is tried in imagined flights. `help(Planner)` explains the rest."""

    settings: ClassVar[Mapping[str, Parameter]]
    @property
    def num_threads(self) -> int: ...
    def __new__(
        cls, vec: VecEnv, /, *, policy: bytes | None = None, seed: int = 0, num_threads: int = 1, **settings: Any
    ) -> Self: ...
    def act(self, vec: VecEnv, step: int = 0) -> None: ...
    def show(self, vec: VecEnv, env: int = 0) -> None: ...
    def expected(self) -> bytes: ...
