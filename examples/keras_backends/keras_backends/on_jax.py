"""The networks of tf_impl/models.py on JAX. A worker of `keras@jax` imports this module."""

import os
from typing import Any

# XLA's number of threads. JAX reads it when it first computes.
os.environ["PJRT_NPROC"] = os.environ["COMPARE_THREADS"]
# Later launches of a bench reuse what the first one compiled, even if it compiled in less than a second.
if kept := os.environ.get("COMPARE_COMPILED"):
    os.environ["JAX_COMPILATION_CACHE_DIR"] = kept
    os.environ["JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS"] = "0"

from shared.lean import lean_import

with lean_import():
    import keras
import jax
import jax.numpy as jnp
import numpy as np
from keras import ops

from keras_backends.network import KerasNetwork
from shared.data import Data
from shared.protocol import Build, Framework, OnEpoch
from shared.training import TrainSpec
from shared.weights import Weights
from tf_impl import idiomatic
from tf_impl.idiomatic import IDIOM as idiom

__all__ = ["create", "fit", "framework", "idiom"]

Batch = tuple[jax.Array, jax.Array]
Arrays = list[jax.Array]


def framework() -> Framework:
    """Return the versions of both, and Keras's backend."""
    backend = keras.backend.backend()
    return Framework("keras", f"{keras.__version__} (jax {jax.__version__})", 0, {"backend": backend})


def create(build: Build) -> "KerasOnJax":
    """Build the network as a KerasOnJax."""
    return KerasOnJax(build)


def fit(model: "KerasOnJax", train: TrainSpec, data: Data, on_epoch: OnEpoch) -> None:
    """Train `model` in the idiomatic recipe."""
    idiomatic.fit(model.model, train, data, on_epoch)


class KerasOnJax(KerasNetwork):
    """A `keras.Model` whose variables' values are arguments and results of functions, as JAX requires."""

    def __init__(self, build: Build) -> None:
        super().__init__(build)
        compiled: Any = jax.jit if build.mode == "graph" else lambda function: function
        self.update, self.forward = compiled(self._update), compiled(self._forward)
        self.last: Any = ()
        if self.optimizer is not None:
            rate = self.optimizer._learning_rate
            self.rate_at = next(n for n, v in enumerate(self.optimizer.variables) if v is rate)

    def put(self, images: np.ndarray, labels: np.ndarray) -> Batch:
        return self._put(images), jnp.array(labels)

    def _put(self, images: np.ndarray) -> jax.Array:
        return jnp.array(images, self.dtype)  # (N, H, W, C), copied

    def train_step(self, batch: Batch, learning_rate: float) -> tuple[jax.Array, jax.Array]:
        assert self.optimizer is not None, "only the matched recipe trains step by step"
        trainable, others = self.model.trainable_variables, self.model.non_trainable_variables
        states = [v.value for v in self.optimizer.variables]
        states[self.rate_at] = jnp.array(learning_rate, self.dtype)
        changed, (loss, logits) = self.update(_values(trainable), _values(others), states, *batch)
        for variables, values in zip((trainable, others, self.optimizer.variables), changed, strict=True):
            for variable, value in zip(variables, values, strict=True):
                variable.assign(value)
        self.last = changed
        return loss, logits

    def _update(
        self, trainable: Arrays, others: Arrays, states: Arrays, images: jax.Array, labels: jax.Array
    ) -> tuple[tuple[Arrays, Arrays, Arrays], tuple[jax.Array, jax.Array]]:
        (loss, (logits, others)), gradients = self._differentiated(trainable, others, images, labels)
        trainable, states = self.optimizer.stateless_apply(states, gradients, trainable)
        return (trainable, others, states), (loss, logits)

    def _differentiated(self, trainable: Arrays, others: Arrays, images: jax.Array, labels: jax.Array) -> Any:
        def loss_of(trainable: Arrays) -> tuple[jax.Array, tuple[jax.Array, Arrays]]:
            logits, moved = self.model.stateless_call(trainable, others, images, training=True)
            return self.loss(labels, logits), (logits, moved)

        return jax.value_and_grad(loss_of, has_aux=True)(trainable)

    def sync(self) -> None:
        jax.block_until_ready(self.last)

    def logits(self, images: np.ndarray) -> np.ndarray:
        trainable, others = self.model.trainable_variables, self.model.non_trainable_variables
        return self.fetch(self.forward(_values(trainable), _values(others), self._put(images)))

    def _forward(self, trainable: Arrays, others: Arrays, images: jax.Array) -> jax.Array:
        return self.model.stateless_call(trainable, others, images, training=False)[0]

    def loss_and_gradients(self, batch: Batch) -> tuple[float, Weights]:
        trainable, others = self.model.trainable_variables, self.model.non_trainable_variables
        (loss, _), gradients = jax.jit(self._differentiated)(_values(trainable), _values(others), *batch)
        return float(loss), self.named(gradients)

    def activations(self, images: np.ndarray, training: bool = False) -> Weights:
        inspected = self.inspected()
        trainable, others = inspected.trainable_variables, inspected.non_trainable_variables

        def outputs(*values: Any) -> Any:
            return inspected.stateless_call(*values, training=training)

        found, moved = jax.jit(outputs)(_values(trainable), _values(others), self._put(images))
        statistics = {id(variable) for variable in inspected.non_trainable_weights}  # changed by training only
        for variable, value in zip(others, moved, strict=True):
            if id(variable) not in statistics:  # these are the states of random numbers
                variable.assign(value)
        return {layer.name: self.fetch(t) for layer, t in zip(self.spec.layers, found, strict=True)}

    def settings(self) -> dict[str, str]:
        devices = {device.platform for v in self.model.variables for device in v.value.devices()}
        return self.constants() | {
            "device": " and ".join(sorted(devices)),
            "threads": os.environ["PJRT_NPROC"],
            "TF32": "off",  # a CPU has no TF32
            "deterministic": "on",
            "jax": jax.__version__,
        }


def _values(variables: list[keras.Variable]) -> Arrays:
    return [ops.convert_to_tensor(v.value) for v in variables]
