"""Code shared by both backends: everything that Keras offers for any backend."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import keras
import numpy as np
from keras import layers, ops
from keras.src.backend.common import dtypes  # Keras has no public name for this table

from shared.lean import without
from shared.protocol import Build
from shared.weights import Weights
from tf_impl import weights as layout
from tf_impl.layers import OWN_LAYERS
from tf_impl.models import MODELS
from tf_impl.optimizers import STATE_NAMES, MatchedOptimizer, matched

# On every backend but TensorFlow, Keras turns float64 results of many operations into float32. Examples are products of
# matrices on PyTorch and means on both. This makes them float64, as in the other implementations.
dtypes.BIT64_TO_BIT32_DTYPE["float64"] = "float64"


def built(build: Build) -> keras.Model:
    """Return the network of tf_impl/models.py that `build` describes.

    Raise ValueError for options that only other implementations support.
    """
    train = build.train
    if train.mixed_precision != "none" or build.tuning:
        raise ValueError("this implementation has neither mixed precision nor tuning")
    with without("tensorflow"):  # Keras also seeds TensorFlow if it can import it
        keras.utils.set_random_seed(train.seed)
    # These override ~/.keras/keras.json.
    keras.config.set_image_data_format("channels_last")
    keras.config.set_floatx(train.dtype)
    keras.config.set_dtype_policy(train.dtype)
    arguments = train.network_arguments
    if build.recipe == "idiomatic" or "normalisation" in train.own:
        arguments |= OWN_LAYERS.get(build.model.name, {})
    return MODELS[build.model.name](**arguments)


class KerasNetwork:
    """A `keras.Model` with its optimizer: those methods of shared/protocol.py that do not depend on the backend."""

    def __init__(self, build: Build) -> None:
        self.spec, self.dtype = build.model, build.train.dtype
        self.model = built(build)
        if build.weights is not None:
            self.load(build.weights)
        self.optimizer = matched(build.train, self.model.trainable_variables)
        self.own_loss = "loss" in build.train.own

    def loss(self, labels: Any, logits: Any) -> Any:
        """Return the mean loss of a batch: labels (N,), logits (N, classes)."""
        if self.own_loss:
            return keras.losses.SparseCategoricalCrossentropy()(labels, ops.softmax(logits))
        return keras.losses.SparseCategoricalCrossentropy(from_logits=True)(labels, logits)

    def fetch(self, tensor: Any) -> np.ndarray:
        return np.array(ops.convert_to_numpy(tensor))  # a copy, because the backend may overwrite its array

    def fetch_batch(self, batch: tuple[Any, Any]) -> tuple[np.ndarray, np.ndarray]:
        images, labels = batch
        return self.fetch(images), self.fetch(labels)

    def weights(self) -> Weights:
        return layout.export(self.spec, layout.by_name(self.model.variables))

    def load(self, weights: Weights) -> None:
        layout.load(self.model, self.spec, weights)

    def inspected(self) -> keras.Model:
        """Return the network with the outputs of all layers of the contract, in its order."""
        outputs = [self.model.get_layer(layer.name).output for layer in self.spec.layers]
        return keras.Model(self.model.inputs, outputs)

    def named(self, gradients: list[Any]) -> Weights:
        """Return gradients by canonical name. They are given in the order of the trainable variables."""
        names = layout.by_name(self.model.trainable_variables)
        return layout.export(self.spec, dict(zip(names, gradients, strict=True)))

    def optimizer_state(self) -> Weights:
        names = layout.by_name(self.model.trainable_variables)
        state: Weights = {}
        for key in STATE_NAMES:
            moments = dict(zip(names, getattr(self.optimizer, key, ()), strict=False))
            state |= {f"{name}/{key}": value for name, value in layout.export(self.spec, moments).items()}
        return state

    def state(self) -> dict[str, np.ndarray]:
        return {name: self.fetch(variable) for name, variable in self._everything().items()}

    def restore(self, state: Mapping[str, np.ndarray]) -> None:
        for name, variable in self._everything().items():
            variable.assign(state[name])

    def _everything(self) -> dict[str, keras.Variable]:
        """Return everything that training changes: the network's variables, with the states of random numbers, and the
        optimizer's."""
        assert self.optimizer is not None, "only the matched recipe trains step by step"
        kinds = {"network": self.model.variables, "optimizer": self.optimizer.variables}
        return {f"{kind}/{number}": v for kind, of_one in kinds.items() for number, v in enumerate(of_one)}

    @contextmanager
    def statistics_kept(self) -> Iterator[None]:
        """Restore the moving statistics afterwards, because a pass in training mode changes them.

        Random numbers continue: the next pass drops other values.
        """
        kept = [(variable, self.fetch(variable)) for variable in self.model.non_trainable_weights]
        yield
        for variable, value in kept:
            variable.assign(value)

    def count_parameters(self) -> tuple[int, int]:
        trainable = sum(int(np.prod(v.shape)) for v in self.model.trainable_variables)
        return self.model.count_params(), trainable

    def count_by_layer(self) -> dict[str, int]:
        return {layer.name: layer.count_params() for layer in self.model.layers if layer.count_params()}

    def constants(self) -> dict[str, str]:
        """Return the settings of the layers and the optimizer as Keras reports them."""
        found = {"dtype": " and ".join(sorted({v.dtype for v in self.model.weights})), "keras": keras.__version__}
        for layer in self.model.layers:
            if isinstance(layer, layers.BatchNormalization):
                found[f"{layer.name}: epsilon"] = f"{layer.epsilon:.12g}"
                found[f"{layer.name}: weight of the new statistics"] = f"{1 - layer.momentum:.12g}"
            elif isinstance(layer, layers.Dropout):
                found[f"{layer.name}: rate"] = f"{layer.rate:.12g}"
        if isinstance(self.optimizer, MatchedOptimizer):
            # Keras's own weight decay would be added to it.
            decay = self.optimizer.spec.weight_decay + (self.optimizer.weight_decay or 0)
            found |= self.optimizer.spec.settings | {"weight decay": f"{decay:.12g}"}
        return found
