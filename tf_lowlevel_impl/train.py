"""Train on TensorFlow's own operations as shared/protocol.py specifies."""

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import tensorflow as tf

from shared.protocol import Build
from shared.weights import Weights
from tf_lowlevel_impl import idiomatic
from tf_lowlevel_impl import weights as layout
from tf_lowlevel_impl.losses import LOSSES
from tf_lowlevel_impl.on_device import TensorFlowDevice, compiled, count_flops, images_of, labels_of
from tf_lowlevel_impl.optimizers import STATE_NAMES, matched
from tf_lowlevel_impl.own import network_of
from tf_lowlevel_impl.settings import settings
from tf_lowlevel_impl.tuning import Tuning

Batch = tuple[tf.Tensor, tf.Tensor]


class LowLevelModel(TensorFlowDevice):
    """A `tf.Module` with its optimizer."""

    def __init__(self, build: Build) -> None:
        super().__init__(build.device)
        self.spec, train, mode = build.model, build.train, build.mode
        self.dtype = tf.as_dtype(train.dtype)
        self.compute_dtype = tf.bfloat16 if train.mixed_precision == "bfloat16" else self.dtype
        self.module = network_of(self.spec)(self.dtype, **train.network_arguments)
        self.variables = layout.by_name(self.module, self.spec)
        self.trainable = {p.name: self.variables[p.name] for p in self.spec.parameters if p.trainable}
        if build.weights is None:
            idiomatic.initialise(self.spec, self.variables)
        else:
            self.load(build.weights)
        tuning = Tuning.model_validate(dict(build.tuning))
        self.optimizer = matched(train, list(self.trainable.values()), tuning)
        self.loss = LOSSES[self.spec.loss]
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
        with tf.GradientTape() as tape:
            logits = self._logits(images, training=True)
            loss = self.loss(labels, logits)
        self.optimizer.apply(tape.gradient(loss, list(self.trainable.values())), rate)
        return loss, logits

    def logits(self, images: np.ndarray) -> np.ndarray:
        return self.fetch(self.forward(self._put_images(images)))

    def _forward(self, images: tf.Tensor) -> tf.Tensor:
        return self._logits(images, training=False)

    def _logits(self, images: tf.Tensor, training: bool) -> tf.Tensor:
        given = images if self.spec.inputs == "tokens" else tf.cast(images, self.compute_dtype)
        return tf.cast(self.module(given, training), self.dtype)

    def loss_and_gradients(self, batch: Batch) -> tuple[float, Weights]:
        images, labels = batch
        with self._statistics_kept(), tf.GradientTape() as tape:
            loss = self.loss(labels, self.module(images, training=True))
        gradients = tape.gradient(loss, self.trainable)
        return float(loss), layout.export(self.spec, gradients)

    def activations(self, images: np.ndarray, training: bool = False) -> dict[str, np.ndarray]:
        seen: dict[str, np.ndarray] = {}

        def tap(name: str, output: tf.Tensor) -> tf.Tensor:
            seen[name] = self.fetch(output)
            return output

        with self._statistics_kept():
            self.module(self._put_images(images), training, tap)
        return seen

    def weights(self) -> Weights:
        return layout.export(self.spec, self.variables)

    def load(self, weights: Weights) -> None:
        layout.load(self.module, self.spec, weights)

    def optimizer_state(self) -> Weights:
        state: Weights = {}
        for key in STATE_NAMES:
            moments = dict(zip(self.trainable, getattr(self.optimizer, key, ()), strict=False))
            exported = layout.export(self.spec, moments)
            state |= {f"{name}/{key}": value for name, value in exported.items()}
        return state

    def state(self) -> dict[str, np.ndarray]:
        return {name: variable.numpy() for name, variable in self._everything().items()}

    def restore(self, state: dict[str, np.ndarray]) -> None:
        for name, variable in self._everything().items():
            variable.assign(state[name])

    def _everything(self) -> dict[str, tf.Variable]:
        """Return everything that training changes: the network's variables, the optimizer's, and the random generator's
        state."""
        assert self.optimizer is not None, "only the matched recipe trains step by step"
        known = {v.ref() for v in self.variables.values()}
        moments = (v for v in self.optimizer.variables if v.ref() not in known)
        named = {f"optimizer/{number}": v for number, v in enumerate(moments)}
        return self.variables | named | {"random": tf.random.get_global_generator().state}

    def settings(self) -> dict[str, str]:
        return settings(self.module, self.optimizer) | {"tensorflow": tf.__version__}

    def count_parameters(self) -> tuple[int, int]:
        return (
            sum(v.shape.num_elements() for v in self.module.variables),
            sum(v.shape.num_elements() for v in self.module.trainable_variables),
        )

    def count_by_layer(self) -> dict[str, int]:
        layers = {name: getattr(self.module, name) for name in dict.fromkeys(n.split("/")[0] for n in self.variables)}
        return {name: sum(v.shape.num_elements() for v in layer.variables) for name, layer in layers.items()}

    def count_flops(self) -> int:
        return count_flops(self._forward, tf.TensorSpec((1, *self.spec.input_shape), self.images.dtype))

    @contextmanager
    def _statistics_kept(self) -> Iterator[None]:
        """Restore the moving statistics afterwards, because a pass in training mode changes them."""
        kept = [(v, tf.identity(v)) for v in self.variables.values() if not v.trainable]
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
