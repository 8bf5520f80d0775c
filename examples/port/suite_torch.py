"""The suite's own recipe as a good PyTorch tutorial would write it, for `compare port --fit` (docs/port-a-model.md)."""

from pathlib import Path

import torch
from torch import nn

from shared.data import Data, DataSpec, load
from shared.training import TrainSpec
from torch_impl.idiomatic import fit
from torch_impl.layers import OWN_LAYERS
from torch_impl.models import MODELS


def data() -> Data:
    """Return a few images of the digits that come with scikit-learn."""
    return load(DataSpec(dataset="digits", n_train=80, n_test=10), Path())


def dense() -> nn.Module:
    """Return the smallest network."""
    return MODELS["dense_baseline"]()


def normalised() -> nn.Module:
    """Return a network with PyTorch's own batch normalisation."""
    return MODELS["cnn_bn_valid"](**OWN_LAYERS["cnn_bn_valid"])


def train(model: nn.Module) -> None:
    """Train `model` as torch_impl/idiomatic.py does."""
    fit(model, torch.device("cpu"), TrainSpec(epochs=2, batch_size=16), data(), lambda _: None)
