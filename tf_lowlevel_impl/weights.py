"""Convert between the canonical names and layouts and those of the `tf.Module`s.

The layouts are the same. `conv1/kernel` is `module.conv1.kernel`.
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
    """Return tensors or variables, given by canonical name, as arrays in the contract's order.

    A gradient of embeddings has a slice for each token, and becomes dense.
    """
    return {p.name: tf.convert_to_tensor(tensors[p.name]).numpy() for p in spec.parameters if p.name in tensors}


def by_name(module: tf.Module, spec: ModelSpec) -> dict[str, tf.Variable]:
    """Return the variables of `module` by canonical name, in the contract's order."""
    named = {}
    for p in spec.parameters:
        layer, attribute = p.name.split("/")
        named[p.name] = getattr(attrgetter(layer)(module), attribute)
    return named
