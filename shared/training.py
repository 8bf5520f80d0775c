"""How a network is trained, with every constant stated: no framework's default is ever inherited."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Dtype = Literal["float32", "float64"]


class Adam(BaseModel):
    """Adam as in the paper (Kingma and Ba 2015, algorithm 1), with epsilon outside the root of the corrected second
    moment:

        m <- beta1 m + (1 - beta1) g            v <- beta2 v + (1 - beta2) g^2
        p <- p - learning_rate (m / (1 - beta1^t)) / (sqrt(v / (1 - beta2^t)) + epsilon)

    Under the linear schedule the default rate is 0.001 on average, which is both frameworks' own.
    Keras's own Adam has epsilon inside that correction ("epsilon hat"), so its values are not comparable.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    name: Literal["adam"] = "adam"
    learning_rate: float = Field(0.002, gt=0, allow_inf_nan=False)
    beta1: float = Field(0.9, ge=0, lt=1)
    beta2: float = Field(0.999, ge=0, lt=1)
    epsilon: float = Field(1e-7, gt=0, allow_inf_nan=False)


class SGD(BaseModel):
    """Gradient descent with momentum; the velocity does not absorb the learning rate:

    v <- momentum v + g            p <- p - learning_rate v
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    name: Literal["sgd"] = "sgd"
    learning_rate: float = Field(0.01, gt=0, allow_inf_nan=False)
    momentum: float = Field(0.9, ge=0, lt=1)


Optimizer = Annotated[Adam | SGD, Field(discriminator="name")]


Schedule = Literal["linear", "constant"]


class TrainSpec(BaseModel):
    """One way of training: how long, on what batches, with which optimizer and schedule, computed in which type.

    `seed` determines the initial weights and the order of the batches. The loss is always the mean over the batch of
    the cross-entropy of the logits.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    epochs: int = Field(ge=1)
    batch_size: int = Field(64, ge=1)
    seed: int = Field(0, ge=0)
    optimizer: Optimizer = Adam()
    schedule: Schedule = "linear"
    dtype: Dtype = "float32"

    def learning_rate(self, step: int, n_steps: int) -> float:
        """The learning rate of step `step` (from 0) of `n_steps`: the optimizer's, or falling from it in a line to 0.

        The last step has the rate / n_steps; that of the step after it would be 0.
        """
        rate = self.optimizer.learning_rate
        return rate if self.schedule == "constant" else rate * (1 - step / n_steps)
