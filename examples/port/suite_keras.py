"""The suite's own recipe as a good Keras tutorial would write it, for `compare port --fit` (docs/port-a-model.md)."""

from pathlib import Path

import keras

from shared.data import Data, DataSpec, load
from shared.training import TrainSpec
from tf_impl.idiomatic import fit
from tf_impl.layers import OWN_LAYERS
from tf_impl.models import MODELS


def data() -> Data:
    """Return a few images of the digits that come with scikit-learn."""
    return load(DataSpec(dataset="digits", n_train=80, n_test=10), Path())


def dense() -> keras.Model:
    """Return the smallest network."""
    return MODELS["dense_baseline"]()


def normalised() -> keras.Model:
    """Return a network with Keras's own batch normalisation."""
    return MODELS["cnn_bn_valid"](**OWN_LAYERS["cnn_bn_valid"])


def train(model: keras.Model) -> None:
    """Train `model` as tf_impl/idiomatic.py does."""
    fit(model, TrainSpec(epochs=2, batch_size=16), data(), lambda _: None)
