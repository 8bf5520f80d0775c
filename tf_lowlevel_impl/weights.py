"""Canonical names and layouts <-> those of the `tf.Module`s.

The layouts are the same; `conv1/kernel` is `module.conv1.kernel`.
"""

from collections.abc import Mapping
from operator import attrgetter

import tensorflow as tf

from shared.models import ModelSpec
from shared.weights import Weights


def load(module: tf.Module, spec: ModelSpec, weights: Weights) -> None:
    """Set the variables of `module`."""
    named = by_name(module, spec)
    for p in spec.parameters:
        named[p.name].assign(tf.cast(weights[p.name], named[p.name].dtype))


def export(spec: ModelSpec, tensors: Mapping[str, tf.Tensor]) -> Weights:
    """Tensors or variables by canonical name as arrays, in the contract's order. A gradient by an embedding has a slice
    for each token."""
    return {p.name: tf.convert_to_tensor(tensors[p.name]).numpy() for p in spec.parameters if p.name in tensors}


def by_name(module: tf.Module, spec: ModelSpec) -> dict[str, tf.Variable]:
    """The variables of `module` under their canonical names, in the contract's order."""
    named = {}
    for p in spec.parameters:
        layer, attribute = p.name.split("/")
        named[p.name] = getattr(attrgetter(layer)(module), attribute)
    return named
