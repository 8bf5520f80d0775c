"""The matched optimizers as Keras optimizers. Keras's own Adam and SGD follow other formulas (shared/training.py)."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from shared import training
from shared.training import TrainSpec

STATE_NAMES = ("m", "v", "velocity")  # the optimizer's attributes with its tensors, one for each variable


class MatchedOptimizer(keras.optimizers.Optimizer):
    """An optimizer with the formula and the constants of `spec`."""

    def __init__(self, spec: training.Optimizer) -> None:
        super().__init__(learning_rate=spec.learning_rate, name=spec.name)
        self.spec = spec

    def get_config(self) -> dict[str, Any]:
        return {"spec": self.spec.model_dump()}


class PaperAdam(MatchedOptimizer):
    """Adam with coupled or decoupled weight decay. Epsilon is added to the root of the corrected second moment."""

    spec: training.Adam | training.AdamW

    def build(self, variables: Sequence[keras.Variable]) -> None:
        if self.built:
            return
        super().build(variables)
        self.m = [self.add_variable_from_reference(v, name="m") for v in variables]
        self.v = [self.add_variable_from_reference(v, name="v") for v in variables]

    def decayed(self, gradient: Any, variable: Any, learning_rate: Any) -> Any:
        """Return the gradient with coupled weight decay. Decoupled decay is applied to the variable instead."""
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


class ClassicMomentum(MatchedOptimizer):
    """Gradient descent whose velocity does not absorb the learning rate."""

    spec: training.SGD

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


def matched(
    train: TrainSpec,
    variables: list[keras.Variable],
    adam: type[PaperAdam] = PaperAdam,
    momentum: type[ClassicMomentum] = ClassicMomentum,
) -> keras.optimizers.Optimizer | None:
    """Return the matched optimizer in the given form, or None in the idiomatic recipe, which creates its own."""
    match train.optimizer:
        case None:
            return None
        case _ if "optimizer" in train.own:
            optimizer = keras.optimizers.Adam()
        case training.Adam() | training.AdamW() as by:
            optimizer = adam(by)
        case training.SGD() as by:
            optimizer = momentum(by)
    optimizer.build(variables)
    return optimizer
