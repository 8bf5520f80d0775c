"""The NumPy implementation with networks of the user's own.

The function `network` in `numpy.py` of a folder returns the layers as (kind, name). It also returns the shapes of the
layers and of the parameters by their names.
"""

import numpy_impl.model
from numpy_impl import framework, matrix_product, memory_copy
from numpy_impl.networks import LAYERS

from shared import own_code
from shared.description import Description, Layer, Parameter
from shared.models import Code, Shape
from shared.protocol import Build

__all__ = ["create", "describe", "framework", "matrix_product", "memory_copy"]

FILE = "numpy.py"
NETWORK = '''"""For tests."""


def network():
    """The mean of a picture, and one dense layer."""
    layers = [("global_mean", "mean"), ("dense", "head")]
    return layers, {"mean": (3,), "head": (7,)}, {"head/kernel": (3, 7), "head/bias": (7,)}, (6, 5, 3), 42
'''


def describe(code: Code, input_shape: Shape | None, counted: bool = True) -> Description:
    """Describe the network."""
    layers, outputs, parameters, shape, flops = own_code.builder(code, FILE)()
    return Description(
        input_shape=shape,
        layers=tuple(Layer(name, outputs[name]) for _, name in layers),
        parameters=tuple(Parameter(name, size) for name, size in parameters.items()),
        dropout=None,
        flops=flops,
    )


def create(build: Build) -> numpy_impl.model.NumpyModel:
    """Build the network."""
    if build.model.code is not None:
        LAYERS[build.model.name] = own_code.builder(build.model.code, FILE)()[0]
    return numpy_impl.model.create(build)
