"""The matched optimizers on `tf.Variable`. Their formulas are in shared/training.py."""

from collections.abc import Sequence

import tensorflow as tf

from shared import training
from shared.training import TrainSpec
from tf_lowlevel_impl.tuning import Tuning

STATE_NAMES = ("m", "v", "velocity")  # the optimizer's attributes with its tensors, one for each variable


class Adam(tf.Module):
    """Adam with coupled or decoupled weight decay. Epsilon is added to the root of the corrected second moment."""

    def __init__(self, spec: training.Adam | training.AdamW, variables: Sequence[tf.Variable]) -> None:
        super().__init__()
        self.spec = spec
        self.variables_ = tuple(variables)
        self.step = tf.Variable(0, dtype=tf.int64)
        self.m = [tf.Variable(tf.zeros_like(p)) for p in variables]
        self.v = [tf.Variable(tf.zeros_like(p)) for p in variables]

    def decayed(self, p: tf.Variable, g: tf.Tensor, learning_rate: tf.Tensor) -> tf.Tensor:
        """Return the gradient with coupled weight decay. Decoupled decay is applied to the variable instead."""
        if isinstance(self.spec, training.AdamW):
            p.assign_sub(learning_rate * self.spec.weight_decay * p)
            return g
        return g + self.spec.weight_decay * p if self.spec.weight_decay else g

    def apply(self, gradients: Sequence[tf.Tensor], learning_rate: tf.Tensor) -> None:
        """Update every variable by its gradient. Gradients are in the order of the variables passed to the
        constructor."""
        beta1, beta2 = self.spec.beta1, self.spec.beta2
        # In float32, 1 - 0.999^t would carry an error of 1e-5 in the first steps.
        step = tf.cast(self.step.assign_add(1), tf.float64)
        correction1, correction2 = 1 - beta1**step, 1 - beta2**step
        for p, gradient, m, v in zip(self.variables_, gradients, self.m, self.v, strict=True):
            g = self.decayed(p, tf.convert_to_tensor(gradient), learning_rate)
            m.assign(beta1 * m + (1 - beta1) * g)
            v.assign(beta2 * v + (1 - beta2) * g * g)
            m_hat = m / tf.cast(correction1, p.dtype)
            v_hat = v / tf.cast(correction2, p.dtype)
            p.assign_sub(learning_rate * m_hat / (tf.sqrt(v_hat) + self.spec.epsilon))


class FusedAdam(Adam):
    """The same Adam by TensorFlow's own kernel, called once for each variable.

    The kernel adds epsilon to the root of the uncorrected second moment. Given epsilon times the root of the
    correction, its formula is the same.
    """

    def apply(self, gradients: Sequence[tf.Tensor], learning_rate: tf.Tensor) -> None:
        beta1, beta2, epsilon = self.spec.beta1, self.spec.beta2, self.spec.epsilon
        step = tf.cast(self.step.assign_add(1), tf.float64)
        power1, power2 = beta1**step, beta2**step
        # The kernel would compute the correction in the variable's own type. So it is computed here in float64, and the
        # powers passed are 0.
        scaled = tf.sqrt(1 - power2)
        for p, gradient, m, v in zip(self.variables_, gradients, self.m, self.v, strict=True):
            g = self.decayed(p, tf.convert_to_tensor(gradient), learning_rate)
            corrected = tf.cast(tf.cast(learning_rate, tf.float64) * scaled / (1 - power1), p.dtype)
            tf.raw_ops.ResourceApplyAdam(
                var=p.handle,
                m=m.handle,
                v=v.handle,
                beta1_power=tf.zeros((), p.dtype),
                beta2_power=tf.zeros((), p.dtype),
                lr=corrected,
                beta1=beta1,
                beta2=beta2,
                epsilon=tf.cast(epsilon * scaled, p.dtype),
                grad=g,
            )


class SGD(tf.Module):
    """Gradient descent whose velocity does not absorb the learning rate."""

    def __init__(self, spec: training.SGD, variables: Sequence[tf.Variable]) -> None:
        super().__init__()
        self.spec = spec
        self.variables_ = tuple(variables)
        self.velocity = [tf.Variable(tf.zeros_like(p)) for p in variables]

    def apply(self, gradients: Sequence[tf.Tensor], learning_rate: tf.Tensor) -> None:
        """Update every variable by its gradient. Gradients are in the order of the variables passed to the
        constructor."""
        for p, gradient, velocity in zip(self.variables_, gradients, self.velocity, strict=True):
            g = tf.convert_to_tensor(gradient)
            g = g + self.spec.weight_decay * p if self.spec.weight_decay else g
            velocity.assign(self.spec.momentum * velocity + g)
            p.assign_sub(learning_rate * velocity)


def matched(train: TrainSpec, variables: Sequence[tf.Variable], tuning: Tuning) -> Adam | SGD | None:
    """Return the matched optimizer, or None in the idiomatic recipe, which creates its own."""
    match train.optimizer:
        case None:
            return None
        case training.Adam() | training.AdamW() as adam:
            return (FusedAdam if tuning.optimizer == "fused" else Adam)(adam, variables)
        case training.SGD() as sgd:
            return SGD(sgd, variables)
