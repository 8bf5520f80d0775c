"""Train in Keras as shared/protocol.py specifies."""

from collections.abc import Iterator
from contextlib import contextmanager

import keras
import numpy as np
import tensorflow as tf

from shared.protocol import Build
from shared.weights import Weights
from tf_impl import weights as layout
from tf_impl.losses import LOSSES
from tf_impl.on_tensorflow import matched
from tf_impl.optimizers import STATE_NAMES
from tf_impl.settings import settings
from tf_lowlevel_impl.on_device import TensorFlowDevice, compiled, count_flops, images_of, labels_of
from tf_lowlevel_impl.tuning import Tuning

Batch = tuple[tf.Tensor, tf.Tensor]


class KerasModel(TensorFlowDevice):
    """A `keras.Model` with its optimizer."""

    def __init__(self, model: keras.Model, build: Build) -> None:
        super().__init__(build.device)
        self.spec, train, mode = build.model, build.train, build.mode
        self.dtype = tf.as_dtype(train.dtype)
        self.model = model
        if build.weights is not None:
            self.load(build.weights)
        tuning = Tuning.model_validate(dict(build.tuning))
        self.optimizer = matched(train, self.model.trainable_variables, tuning)
        own = "loss" in train.own
        self.loss = _loss_of_probabilities if own else LOSSES[self.spec.loss]()
        self.images = images = images_of(self.spec, self.dtype)
        self.labels = labels = labels_of(self.spec, self.dtype)
        rate = tf.TensorSpec((), self.dtype)
        self.update = compiled(self._update, (images, labels, rate), mode, tuning)
        self.forward = compiled(self._forward, (images,), mode, tuning)

    def put(self, images: np.ndarray, labels: np.ndarray) -> Batch:
        return self._put_images(images), self._put(labels, self.labels.dtype)

    def fetch_batch(self, batch: Batch) -> tuple[np.ndarray, np.ndarray]:
        images, labels = batch
        return self.fetch(images), self.fetch(labels)

    def train_step(self, batch: Batch, learning_rate: float) -> tuple[tf.Tensor, tf.Tensor]:
        return self.update(*batch, tf.constant(learning_rate, self.dtype))

    def _update(self, images: tf.Tensor, labels: tf.Tensor, rate: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        assert self.optimizer is not None, "only the matched recipe trains step by step"
        variables = self.model.trainable_variables
        with tf.GradientTape() as tape:
            logits = self._logits(images, training=True)
            loss = self.loss(labels, logits)
        self.optimizer.learning_rate.assign(rate)
        self.optimizer.apply(tape.gradient(loss, variables), variables)
        return loss, logits

    def logits(self, images: np.ndarray) -> np.ndarray:
        return self.fetch(self.forward(self._put_images(images)))

    def _forward(self, images: tf.Tensor) -> tf.Tensor:
        return self._logits(images, training=False)

    def _logits(self, images: tf.Tensor, training: bool) -> tf.Tensor:
        return tf.cast(self.model(images, training=training), self.dtype)

    def loss_and_gradients(self, batch: Batch) -> tuple[float, Weights]:
        images, labels = batch
        variables = self.model.trainable_variables
        with self._statistics_kept(), tf.GradientTape() as tape:
            loss = self.loss(labels, self.model(images, training=True))
        gradients = tape.gradient(loss, variables)
        named = dict(zip(layout.by_name(variables), gradients, strict=True))
        return float(loss), layout.export(self.spec, named)

    def activations(self, images: np.ndarray, training: bool = False) -> dict[str, np.ndarray]:
        names = [layer.name for layer in self.spec.layers]
        outputs = [self.model.get_layer(name).output for name in names]
        inspected = keras.Model(self.model.inputs, outputs)
        with self._statistics_kept():
            tensors = inspected(self._put_images(images), training=training)
        return {name: self.fetch(t) for name, t in zip(names, tensors, strict=True)}

    def weights(self) -> Weights:
        return layout.export(self.spec, layout.by_name(self.model.variables))

    def load(self, weights: Weights) -> None:
        layout.load(self.model, self.spec, weights)

    def optimizer_state(self) -> Weights:
        names = layout.by_name(self.model.trainable_variables)
        state: Weights = {}
        for key in STATE_NAMES:
            moments = dict(zip(names, getattr(self.optimizer, key, ()), strict=False))
            exported = layout.export(self.spec, moments)
            state |= {f"{name}/{key}": value for name, value in exported.items()}
        return state

    def state(self) -> dict[str, np.ndarray]:
        return {name: np.array(variable) for name, variable in self._everything().items()}

    def restore(self, state: dict[str, np.ndarray]) -> None:
        for name, variable in self._everything().items():
            variable.assign(state[name])

    def _everything(self) -> dict[str, keras.Variable]:
        """Return everything that training changes: the network's variables, with the states of random numbers, and the
        optimizer's."""
        assert self.optimizer is not None, "only the matched recipe trains step by step"
        kinds = {"network": self.model.variables, "optimizer": self.optimizer.variables}
        return {f"{kind}/{number}": v for kind, of_one in kinds.items() for number, v in enumerate(of_one)}

    def settings(self) -> dict[str, str]:
        return settings(self.model, self.optimizer) | {"tensorflow": tf.__version__, "keras": keras.__version__}

    def count_parameters(self) -> tuple[int, int]:
        trainable = sum(int(np.prod(v.shape)) for v in self.model.trainable_variables)
        return self.model.count_params(), trainable

    def count_by_layer(self) -> dict[str, int]:
        return {layer.name: layer.count_params() for layer in self.model.layers if layer.count_params()}

    def count_flops(self) -> int:
        return count_flops(self._forward, tf.TensorSpec((1, *self.spec.input_shape), self.images.dtype))

    @contextmanager
    def _statistics_kept(self) -> Iterator[None]:
        """Restore the moving statistics afterwards, because a pass in training mode changes them."""
        named = layout.by_name(self.model.variables)  # excludes the states of random numbers
        statistics = [named[p.name] for p in self.spec.parameters if not p.trainable]
        kept = [(v, tf.identity(v.value)) for v in statistics]
        yield
        for variable, value in kept:
            variable.assign(value)

    def _put_images(self, images: np.ndarray) -> tf.Tensor:
        if self.spec.inputs == "tokens":
            return self._put(images, tf.int64)  # (N, T)
        return self._put(images, self.dtype)  # (N, H, W, C)

    def _put(self, array: np.ndarray, dtype: tf.DType) -> tf.Tensor:
        with tf.device(self.device):
            return tf.constant(array, dtype)


def _loss_of_probabilities(labels: tf.Tensor, logits: tf.Tensor) -> tf.Tensor:
    return keras.losses.SparseCategoricalCrossentropy()(labels, keras.ops.softmax(logits))
