"""One row of the ledger: a small question with one input, asked of two implementations in two forms."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

import numpy as np

Arrays = dict[str, np.ndarray]
Half = Literal["own", "aligned"]
Answer = Callable[[Mapping[str, np.ndarray]], np.ndarray]
Bites = Literal["always", "sometimes", "rarely"]

BITES: dict[Bites, str] = {
    "always": "in every port that uses this with both frameworks' defaults",
    "sometimes": "for certain sizes, options or data",
    "rarely": "in the last digits, or in a corner case",
}


class Input(Protocol):
    """A named array that a row gives to its forms, and the line of Python that creates it."""

    def array(self, seed: int) -> np.ndarray:
        """Return the array; `seed` is the position of the input in its row."""

    def code(self, seed: int) -> str:
        """Return an expression that creates the same array, with NumPy as `np`."""


@dataclass(frozen=True)
class Uniform:
    """Random numbers of a shape, uniform from `low` to `high`."""

    shape: tuple[int, ...]
    low: float = -1.0
    high: float = 1.0

    def array(self, seed: int) -> np.ndarray:
        return np.random.default_rng(seed).uniform(self.low, self.high, self.shape)

    def code(self, seed: int) -> str:
        return f"np.random.default_rng({seed}).uniform({self.low:g}, {self.high:g}, {self.shape})"


@dataclass(frozen=True)
class Spaced:
    """`n` numbers from `start` to `stop`, both included, at equal distances."""

    start: float
    stop: float
    n: int

    def array(self, seed: int) -> np.ndarray:
        return np.linspace(self.start, self.stop, self.n)

    def code(self, seed: int) -> str:
        return f"np.linspace({self.start:g}, {self.stop:g}, {self.n})"


@dataclass(frozen=True)
class Stated:
    """An array with explicit values, as nested lists."""

    values: Any

    def array(self, seed: int) -> np.ndarray:
        return np.array(self.values)

    def code(self, seed: int) -> str:
        return f"np.array({self.values})"


def uniform(*shape: int, low: float = -1.0, high: float = 1.0) -> Uniform:
    """Return random numbers of a shape."""
    return Uniform(shape, low, high)


def stated(*values: Any) -> Stated:
    """Return an array with explicit values, by its first axis: stated([1, 2], [3, 4]) has two rows."""
    return Stated(list(values))


@dataclass(frozen=True)
class Answers:
    """One implementation's two forms of a row: functions of the row's arrays."""

    own: Answer
    aligned: Answer


@dataclass(frozen=True, kw_only=True)
class LedgerRow:
    """One question.

    Attributes:
        name: the row's permanent name; also its anchor in docs/ledger.md.
        question: what is computed, in a phrase.
        first, second: what the own forms of the implementations `between` do.
        aligned: the form in which they agree.
        inputs: the arrays that every form receives, as arguments with these names.
        aligned_to: how far the aligned forms may be apart, by the relative norm of the difference; 0: bit-identical.
        dtype: the float type of the inputs and the frameworks' default float type while they answer.
        differs: whether the own forms differ. False: a suspected difference that does not exist.
        stable: False if the last digits depend on the processor.
        bites: how often it matters, a key of BITES.
        symptoms: what a user observes, keys of SYMPTOMS.
        causes: the names that `compare port` uses for it.
    """

    name: str
    question: str
    first: str
    second: str
    aligned: str
    inputs: Mapping[str, Input] = field(default_factory=dict)
    between: tuple[str, str] = ("torch", "keras")
    aligned_to: float = 1e-12
    dtype: Literal["float64", "float32"] = "float64"
    differs: bool = True
    stable: bool = True
    bites: Bites = "always"
    symptoms: tuple[str, ...] = ()
    causes: tuple[str, ...] = ()

    def arrays(self) -> Arrays:
        """Return the inputs by name; floats have the row's type, integers are int64."""
        return {name: self._typed(one.array(seed)) for seed, (name, one) in enumerate(self.inputs.items())}

    def input_code(self) -> dict[str, str]:
        """Return an expression for every input."""
        code = {}
        for seed, (name, one) in enumerate(self.inputs.items()):
            shortened = self.dtype == "float32" and one.array(seed).dtype.kind == "f"
            code[name] = one.code(seed) + ('.astype("float32")' if shortened else "")
        return code

    def _typed(self, array: np.ndarray) -> np.ndarray:
        return array.astype(self.dtype) if array.dtype.kind == "f" else array
