"""Canonical names and layouts <-> those of Keras.

The layouts are the same, and Keras calls its variables `layer/kernel` too.
"""

from collections.abc import Iterable, Mapping

import keras
import numpy as np

from shared.models import ModelSpec
from shared.weights import Weights

CELLS = ("lstm_cell", "gru_cell")  # Keras's own names of what a recurrent layer holds


def load(model: keras.Model, spec: ModelSpec, weights: Weights) -> None:
    """Set the variables of `model`."""
    named = by_name(model.variables)
    for p in spec.parameters:
        named[p.name].assign(weights[p.name])


def export(spec: ModelSpec, tensors: Mapping[str, object]) -> Weights:
    """Tensors or variables by canonical name as arrays, in the contract's order."""
    return {p.name: np.array(keras.ops.convert_to_numpy(tensors[p.name])) for p in spec.parameters if p.name in tensors}


def by_name(variables: Iterable[keras.Variable]) -> dict[str, keras.Variable]:
    """Variables under their canonical names: a functional or sequential model puts its own name in front, and a
    recurrent layer that of its cell behind."""
    return {"/".join(_without_cell(v.path.split("/"))[-2:]): v for v in variables}


def _without_cell(path: list[str]) -> list[str]:
    """lstm1/lstm_cell/kernel -> lstm1/kernel"""
    return [*path[:-2], path[-1]] if len(path) > 2 and path[-2] in CELLS else path
