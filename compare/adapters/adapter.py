"""What every adapter can do: read a model, watch a call of it, give it weights, keep them."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

import numpy as np

from compare.graphs.node import Recording


class Unreadable(Exception):
    """The model cannot be read or called; the message says why and what to do."""


@contextmanager
def users_own() -> Iterator[None]:
    """What fails in here is the user's model, though a function of ours called it."""
    try:
        yield
    except (Exception, SystemExit) as error:
        error.of_the_model = not isinstance(error, Unreadable)  # type: ignore[union-attr]
        raise


class Adapter(Protocol):
    """One model in one framework.

    Everything it takes and gives is in canonical layout (compare/graphs/node.py). Arrays of inputs have the type that
    the model is to compute in ("float64" or "float32"), or a type of integers.
    """

    framework: str

    def stated_inputs(self) -> dict[str, tuple[int, ...]] | None:
        """The shape of one example of every input, in canonical layout and in order; None if the model states none."""
        ...

    def record(self, inputs: Mapping[str, np.ndarray], training: bool) -> Recording:
        """Call the model in evaluation or training mode, and watch. In training mode nothing is dropped, and the
        model's statistics are as before afterwards. Raises Unreadable if the model cannot be called so."""
        ...

    def set_weights(self, weights: Mapping[str, np.ndarray]) -> None:
        """Give the model weights by "NODE/ROLE", in canonical layout. Raises Unreadable if one does not fit."""
        ...

    def apply(self, node: str, inputs: list[np.ndarray], training: bool) -> np.ndarray:
        """The output of one node of the last recording for other inputs. Raises Unreadable if it cannot be called
        alone."""
        ...

    def save_weights(self, path: Path) -> None:
        """Write the weights in the framework's own format: `.safetensors` with the names of a state_dict, or
        `.weights.h5`. Raises Unreadable if the suffix is another."""
        ...
