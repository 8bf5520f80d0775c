"""Canonical names and layouts <-> those of Keras.

The layouts are the same, and Keras calls its variables `layer/kernel` too.
"""

from collections.abc import Iterable, Mapping

import keras
import numpy as np
import tensorflow as tf

from shared.models import ModelSpec
from shared.weights import Weights


def load(model: keras.Model, spec: ModelSpec, weights: Weights) -> None:
    """Set the variables of `model`."""
    named = by_name(model.variables)
    for p in spec.parameters:
        named[p.name].assign(weights[p.name])


def export(spec: ModelSpec, tensors: Mapping[str, object]) -> Weights:
    """Tensors or variables by canonical name as arrays, in the contract's order."""
    return {p.name: np.array(dense(tensors[p.name])) for p in spec.parameters if p.name in tensors}


def dense(tensor: object) -> object:
    """A gradient by an embedding, which has a slice for each token, as a tensor; anything else as it is."""
    return tf.convert_to_tensor(tensor) if isinstance(tensor, tf.IndexedSlices) else tensor


def by_name(variables: Iterable[keras.Variable]) -> dict[str, keras.Variable]:
    """Variables under their canonical names: a functional or sequential model puts its own name in front."""
    return {"/".join(v.path.split("/")[-2:]): v for v in variables}
