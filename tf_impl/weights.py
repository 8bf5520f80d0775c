"""Canonical names and layouts <-> those of Keras.

The layouts are the same, and Keras calls its variables `layer/kernel` too.
"""

from collections.abc import Iterable, Mapping

import keras
import numpy as np

from shared.models import ModelSpec
from shared.weights import Weights


def load(model: keras.Model, spec: ModelSpec, weights: Weights) -> None:
    """Set the variables of `model`."""
    named = by_name(model.variables)
    for p in spec.parameters:
        named[p.name].assign(weights[p.name])


def export(spec: ModelSpec, tensors: Mapping[str, object]) -> Weights:
    """Tensors or variables by canonical name as arrays, in the contract's order."""
    return {p.name: np.array(keras.ops.convert_to_numpy(tensors[p.name])) for p in spec.parameters if p.name in tensors}


def by_name(variables: Iterable[keras.Variable]) -> dict[str, keras.Variable]:
    """Variables under their canonical names: a functional or sequential model puts its own name in front."""
    return {"/".join(v.path.split("/")[-2:]): v for v in variables}
