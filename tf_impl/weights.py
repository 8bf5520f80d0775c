"""Convert between the canonical names and layouts and those of Keras.

The layouts are the same, and Keras also calls its variables `layer/kernel`.
"""

from collections.abc import Iterable, Mapping

import keras
import numpy as np

from shared.models import ModelSpec
from shared.weights import Weights

CELLS = ("lstm_cell", "gru_cell")  # Keras's names of the cells in recurrent layers


def load(model: keras.Model, spec: ModelSpec, weights: Weights) -> None:
    """Set the variables of `model`."""
    named = by_name(model.variables)
    for p in spec.parameters:
        named[p.name].assign(weights[p.name])


def export(spec: ModelSpec, tensors: Mapping[str, object]) -> Weights:
    """Return tensors or variables, given by canonical name, as arrays in the contract's order."""
    return {p.name: np.array(keras.ops.convert_to_numpy(tensors[p.name])) for p in spec.parameters if p.name in tensors}


def by_name(variables: Iterable[keras.Variable]) -> dict[str, keras.Variable]:
    """Return variables by canonical name.

    A functional or sequential model prefixes its own name, and a recurrent layer inserts its cell's name.
    """
    return {"/".join(_without_cell(v.path.split("/"))[-2:]): v for v in variables}


def _without_cell(path: list[str]) -> list[str]:
    """Remove the cell's name: lstm1/lstm_cell/kernel -> lstm1/kernel."""
    return [*path[:-2], path[-1]] if len(path) > 2 and path[-2] in CELLS else path
