"""The matched optimizers in the form that is fastest on TensorFlow. Their formulas are in optimizers.py."""

from typing import Any

import keras
import tensorflow as tf

from shared.training import TrainSpec
from tf_impl import optimizers
from tf_impl.optimizers import ClassicMomentum, MatchedOptimizer, PaperAdam
from tf_lowlevel_impl.tuning import Tuning


class _Direct(MatchedOptimizer):
    """An optimizer that updates variables directly, unless there is a strategy.

    Keras passes every update to `tf.distribute`, even if nothing is distributed. That keeps each graph with an update
    in memory for good: 2 MB per network.
    """

    def _backend_update_step(self, grads: Any, trainable_variables: Any, learning_rate: Any) -> None:
        if tf.distribute.has_strategy():
            super()._backend_update_step(grads, trainable_variables, learning_rate)
            return
        for gradient, variable in zip(grads, trainable_variables, strict=True):
            self.update_step(_dense(gradient), variable.value, learning_rate)


class DirectAdam(_Direct, PaperAdam):
    """`PaperAdam` with direct updates."""


class DirectMomentum(_Direct, ClassicMomentum):
    """`ClassicMomentum` with direct updates."""


class FusedAdam(DirectAdam):
    """The same Adam by TensorFlow's own kernel, called once for each variable.

    The kernel adds epsilon to the root of the uncorrected second moment. Given epsilon times the root of the
    correction, its formula is the same.
    """

    def update_step(self, gradient: Any, variable: tf.Variable, learning_rate: Any) -> None:
        gradient = self.decayed(gradient, variable, learning_rate)
        index = self._get_variable_index(variable)
        beta1, beta2, epsilon = self.spec.beta1, self.spec.beta2, self.spec.epsilon
        step = tf.cast(self.iterations.value + 1, tf.float64)
        scaled = tf.sqrt(1 - beta2**step)
        dtype = variable.dtype
        tf.raw_ops.ResourceApplyAdam(
            var=variable.handle,
            m=self.m[index].value.handle,
            v=self.v[index].value.handle,
            beta1_power=tf.zeros((), dtype),
            beta2_power=tf.zeros((), dtype),
            lr=tf.cast(tf.cast(learning_rate, tf.float64) * scaled / (1 - beta1**step), dtype),
            beta1=tf.constant(beta1, dtype),
            beta2=tf.constant(beta2, dtype),
            epsilon=tf.cast(epsilon * scaled, dtype),
            grad=gradient,
        )


def _dense(gradient: Any) -> Any:
    """Return an embedding's gradient, which has a slice for each token, as a tensor. Return any other unchanged."""
    return tf.convert_to_tensor(gradient) if isinstance(gradient, tf.IndexedSlices) else gradient


def matched(train: TrainSpec, variables: list[keras.Variable], tuning: Tuning) -> keras.optimizers.Optimizer | None:
    """Return the matched optimizer, or None in the idiomatic recipe, which creates its own."""
    return optimizers.matched(
        train, variables, FusedAdam if tuning.optimizer == "fused" else DirectAdam, DirectMomentum
    )
