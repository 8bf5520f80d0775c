"""The matched optimizers as Keras optimizers: Keras's own Adam and SGD follow other formulas (shared/training.py)."""

from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf
from keras import ops

from shared import training
from shared.training import TrainSpec
from tf_impl.weights import dense
from tf_lowlevel_impl.tuning import Tuning


class _Optimizer(keras.optimizers.Optimizer):
    """Keras hands every update to `tf.distribute`, even where nothing is distributed, and that keeps each graph in
    which it happens for good: 2 MB a network. Here an update is made directly, unless there is a strategy."""

    def _backend_update_step(self, grads: Any, trainable_variables: Any, learning_rate: Any) -> None:
        if tf.distribute.has_strategy():
            super()._backend_update_step(grads, trainable_variables, learning_rate)
            return
        for gradient, variable in zip(grads, trainable_variables, strict=True):
            self.update_step(dense(gradient), variable.value, learning_rate)


class PaperAdam(_Optimizer):
    """Adam with epsilon added to the root of the corrected second moment, with coupled or decoupled weight decay."""

    def __init__(self, spec: training.Adam | training.AdamW) -> None:
        super().__init__(learning_rate=spec.learning_rate, name="paper_adam")
        self.spec = spec

    def build(self, variables: Sequence[keras.Variable]) -> None:
        if self.built:
            return
        super().build(variables)
        self.m = [self.add_variable_from_reference(v, name="m") for v in variables]
        self.v = [self.add_variable_from_reference(v, name="v") for v in variables]

    def decayed(self, gradient: Any, variable: Any, learning_rate: Any) -> Any:
        """The gradient with the coupled weight decay; the decoupled one is applied to the variable."""
        if isinstance(self.spec, training.AdamW):
            self.assign_sub(variable, learning_rate * self.spec.weight_decay * variable)
            return gradient
        return gradient + self.spec.weight_decay * variable if self.spec.weight_decay else gradient

    def update_step(self, gradient: Any, variable: keras.Variable, learning_rate: Any) -> None:
        gradient = self.decayed(gradient, variable, learning_rate)
        index = self._get_variable_index(variable)
        m, v = self.m[index], self.v[index]
        beta1, beta2 = self.spec.beta1, self.spec.beta2
        # In float32, 1 - 0.999^t would carry an error of 1e-5 in the first steps.
        step = ops.cast(self.iterations + 1, "float64")
        correction1 = ops.cast(1 - beta1**step, variable.dtype)
        correction2 = ops.cast(1 - beta2**step, variable.dtype)
        self.assign(m, beta1 * m + (1 - beta1) * gradient)
        self.assign(v, beta2 * v + (1 - beta2) * gradient * gradient)
        denominator = ops.sqrt(v / correction2) + self.spec.epsilon
        self.assign_sub(variable, learning_rate * (m / correction1) / denominator)

    def get_config(self) -> dict[str, Any]:
        return {"spec": self.spec.model_dump()}


class FusedAdam(PaperAdam):
    """The same by TensorFlow's own kernel, one for each variable. It adds epsilon to the root of the uncorrected second
    moment; given epsilon times the root of the correction, its formula is the same."""

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


class ClassicMomentum(_Optimizer):
    """Gradient descent whose velocity does not absorb the learning rate."""

    def __init__(self, spec: training.SGD) -> None:
        super().__init__(learning_rate=spec.learning_rate, name="classic_momentum")
        self.spec = spec

    def build(self, variables: Sequence[keras.Variable]) -> None:
        if self.built:
            return
        super().build(variables)
        self.velocity = [self.add_variable_from_reference(v, name="velocity") for v in variables]

    def update_step(self, gradient: Any, variable: keras.Variable, learning_rate: Any) -> None:
        velocity = self.velocity[self._get_variable_index(variable)]
        if self.spec.weight_decay:
            gradient = gradient + self.spec.weight_decay * variable
        self.assign(velocity, self.spec.momentum * velocity + gradient)
        self.assign_sub(variable, learning_rate * velocity)

    def get_config(self) -> dict[str, Any]:
        return {"spec": self.spec.model_dump()}


def matched(train: TrainSpec, variables: list[keras.Variable], tuning: Tuning) -> keras.optimizers.Optimizer | None:
    """The matched optimizer; None in the idiomatic recipe, which has one of its own."""
    match train.optimizer:
        case None:
            return None
        case _ if "optimizer" in train.own:
            optimizer = keras.optimizers.Adam()
        case training.Adam() | training.AdamW() as adam:
            optimizer = (FusedAdam if tuning.optimizer == "fused" else PaperAdam)(adam)
        case training.SGD() as sgd:
            optimizer = ClassicMomentum(sgd)
    optimizer.build(variables)
    return optimizer
