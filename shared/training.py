"""How a network is trained, with every constant stated: no framework's default is ever inherited."""

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal

import numpy as np
from pydantic import Field

from shared.choices import Augmentation, Dtype, MixedPrecision, OptimizerName, Own, Schedule
from shared.record import Record


class _Constants(Record):
    """The common part of all optimizers."""

    # Variants that only some implementations support, all of them off.
    variants: ClassVar[dict[str, str]]

    @property
    def settings(self) -> dict[str, str]:
        """Return its name and its constants except the learning rate, as implementations report their settings."""
        values = self.model_dump(exclude={"learning_rate"})
        said = {"optimizer": values.pop("name"), "weight decay": f"{values.pop('weight_decay'):.12g}"}
        return said | self.variants | {name: f"{value:.12g}" for name, value in values.items()}

    def first_direction(self, state: Mapping[str, np.ndarray]) -> np.ndarray | None:
        """Return the factor of the learning rate in the first step, from the optimizer's tensors after it, in their
        type; None if they do not determine it."""
        return None


class _Adaptive(_Constants):
    """The constants of Adam and similar optimizers."""

    title: ClassVar[str] = "Adam in the paper's form"
    variants: ClassVar[dict[str, str]] = {"amsgrad": "off"}

    learning_rate: float = Field(0.002, gt=0, allow_inf_nan=False)
    beta1: float = Field(0.9, ge=0, lt=1)
    beta2: float = Field(0.999, ge=0, lt=1)
    epsilon: float = Field(1e-7, gt=0, allow_inf_nan=False)
    weight_decay: float = Field(0.0, ge=0, allow_inf_nan=False)

    @property
    def in_words(self) -> str:
        """The optimizer with every constant."""
        return (
            f"{self.title} (learning rate {self.learning_rate:g}, betas {self.beta1:g} and {self.beta2:g}, epsilon "
            f"{self.epsilon:g} outside the root{_decay_in_words(self.weight_decay)})"
        )

    def first_direction(self, state: Mapping[str, np.ndarray]) -> np.ndarray:
        direction: np.ndarray = state["m"] / (1 - self.beta1)
        return direction / (np.sqrt(state["v"] / (1 - self.beta2)) + self.epsilon)


class Adam(_Adaptive):
    """Adam as in the paper (Kingma and Ba 2015, algorithm 1), with epsilon outside the root of the corrected second
    moment:

        m <- beta1 m + (1 - beta1) g            v <- beta2 v + (1 - beta2) g^2
        p <- p - learning_rate (m / (1 - beta1^t)) / (sqrt(v / (1 - beta2^t)) + epsilon)

    Weight decay w is coupled (an L2 penalty): g <- g + w p comes first, of every trainable parameter. So it passes
    through the moments, which Keras's own weight decay does not.

    Under the linear schedule the default rate is 0.001 on average, which is both frameworks' own.
    Keras's own Adam has epsilon inside that correction ("epsilon hat"), so its values are not comparable.
    """

    name: Literal["adam"] = "adam"


class AdamW(_Adaptive):
    """Adam with decoupled weight decay w (Loshchilov and Hutter 2019, algorithm 2): of every trainable parameter

        p <- p - learning_rate w p

    comes first, by the rate of the step, and then Adam's update, whose moments know nothing of it.
    """

    name: Literal["adamw"] = "adamw"
    title: ClassVar = "AdamW, with decoupled weight decay"
    weight_decay: float = Field(0.01, ge=0, allow_inf_nan=False)


class SGD(_Constants):
    """Gradient descent with momentum; the velocity does not absorb the learning rate:

    v <- momentum v + g            p <- p - learning_rate v

    Weight decay w is coupled: g <- g + w p comes first, of every trainable parameter.
    """

    variants: ClassVar[dict[str, str]] = {"dampening": "0", "nesterov": "off"}

    name: Literal["sgd"] = "sgd"
    learning_rate: float = Field(0.01, gt=0, allow_inf_nan=False)
    momentum: float = Field(0.9, ge=0, lt=1)
    weight_decay: float = Field(0.0, ge=0, allow_inf_nan=False)

    @property
    def in_words(self) -> str:
        """The optimizer with every constant."""
        decay = _decay_in_words(self.weight_decay)
        return f"SGD (learning rate {self.learning_rate:g}, momentum {self.momentum:g}{decay})"

    def first_direction(self, state: Mapping[str, np.ndarray]) -> np.ndarray:
        return state["velocity"]


def _decay_in_words(weight_decay: float) -> str:
    return f", weight decay {weight_decay:g}" if weight_decay else ""


Optimizer = Annotated[Adam | AdamW | SGD, Field(discriminator="name")]
OPTIMIZERS: dict[OptimizerName, type[Adam] | type[AdamW] | type[SGD]] = {"adam": Adam, "adamw": AdamW, "sgd": SGD}


class TrainSpec(Record):
    """One way of training: how long, on what batches, with which optimizer and schedule, computed in which type.

    `seed` determines the initial weights, the order of the batches and the augmentation. `optimizer` is None if a
    framework's own default is used, in the idiomatic recipe. `augmentation` is what shared/augmentation.py does to the
    training images. `dropout` is the rate of dropout; None leaves it to the architecture. Training ends early after the
    first epoch whose training accuracy reaches `stop_at`. The loss is the mean over the batch of what the network's
    contract names (shared/task.py). `mixed_precision` is the rounding of the factors of convolutions and matrix
    products in float32: to bfloat16, in which activations are kept, too, or, on CUDA alone, to TF32. Parameters, loss
    and optimizer are in `dtype` whatever it is. `own` names what is left to the framework's default instead of being
    stated by this suite (for compare/parity/waterfall.py alone).
    """

    epochs: int = Field(ge=1, le=2**31)
    batch_size: int = Field(64, ge=1, le=2**31)
    seed: int = Field(0, ge=0, lt=2**32)
    optimizer: Optimizer | None = Adam()
    schedule: Schedule = "linear"
    augmentation: Augmentation = "none"
    stop_at: float | None = Field(None, gt=0, le=1)
    dropout: float | None = Field(None, ge=0, lt=1)
    dtype: Dtype = "float32"
    mixed_precision: MixedPrecision = "none"
    own: tuple[Own, ...] = ()

    @property
    def network_arguments(self) -> dict[str, float]:
        """Return the arguments of a network's constructor: the rate of dropout if it is not the architecture's own."""
        return {} if self.dropout is None else {"dropout": self.dropout}

    def is_last(self, epoch: int, train_accuracy: float | None) -> bool:
        """Return whether training ends with `epoch` (from 1), during which `train_accuracy` was reached."""
        reached = self.stop_at is not None and train_accuracy is not None and train_accuracy >= self.stop_at
        return epoch == self.epochs or reached

    def learning_rate(self, step: int, n_steps: int) -> float:
        """Return the learning rate of step `step` (from 0) of `n_steps`.

        `constant` is the optimizer's. `linear` rises to it in a line over the first tenth of the steps, and then falls
        in a line to 0, which a step after the last would have.
        """
        assert self.optimizer is not None, "a framework's own default has its own rate"
        rate = self.optimizer.learning_rate
        if self.schedule == "constant":
            return rate
        rising = n_steps // 10
        if step < rising:
            return rate * (step + 1) / (rising + 1)
        return rate * (n_steps - step) / (n_steps - rising)
