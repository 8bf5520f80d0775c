"""The interface of every adapter: read a model, record a call of it, give it weights, save them."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

import numpy as np

from compare.graphs.node import Recording


class Unreadable(Exception):
    """The model cannot be read or called; the message says why and how to fix it."""


@contextmanager
def users_own() -> Iterator[None]:
    """Attribute errors in this context to the user's model, even if one of our functions called it."""
    try:
        yield
    except (Exception, SystemExit) as error:
        error.of_the_model = not isinstance(error, Unreadable)  # type: ignore[union-attr]
        raise


class Adapter(Protocol):
    """One model in one framework.

    All arguments and results are in canonical layout (compare/graphs/node.py). Arrays of inputs have the type in which
    the model should compute ("float64" or "float32"), or a type of integers.
    """

    framework: str

    def stated_inputs(self) -> dict[str, tuple[int, ...]] | None:
        """Return the shape of one example of every input, in canonical layout and in order; None if none is stated."""
        ...

    def record(self, inputs: Mapping[str, np.ndarray], training: bool) -> Recording:
        """Call the model in evaluation or training mode, and record the call. In training mode nothing is dropped, and
        the model's statistics are restored. Raises Unreadable if the model cannot be called."""
        ...

    def set_weights(self, weights: Mapping[str, np.ndarray]) -> None:
        """Give the model weights by "NODE/ROLE", in canonical layout. Raises Unreadable if one does not fit."""
        ...

    def apply(self, node: str, inputs: list[np.ndarray], training: bool) -> np.ndarray:
        """Return the output of one node of the last recording for other inputs. Raises Unreadable if it cannot be
        called alone."""
        ...

    def save_weights(self, path: Path) -> None:
        """Write the weights in the framework's own format: `.safetensors` with the names of a state_dict, or
        `.weights.h5`. Raises Unreadable for another suffix."""
        ...
