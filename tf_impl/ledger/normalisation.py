"""Keras's forms of the rows about layers that normalise."""

from typing import Any

import numpy as np
from keras import layers

from tf_impl.ledger.forms import both


@both("batchnorm-epsilon")
def batchnorm(x: np.ndarray) -> Any:
    return layers.BatchNormalization()(x[0], training=True)
