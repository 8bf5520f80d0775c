"""The contracts of the architectures: what every implementation of a network must have and do.

A contract is checked, never interpreted: no implementation builds a network from it. It states the input, every
parameter with its shape and initial distribution, the output shape of every layer, and the counts, written out as
literal numbers. Shapes are channels-last without the batch axis; convolution kernels are (height, width, in, out) and
dense kernels (in, out), with the rows of the first dense kernel in the order of a channels-last flatten.

One multiply-add counts as two FLOPs; only convolutions and dense layers are counted, for the forward pass of one image.
"""

from dataclasses import dataclass
from typing import Literal

Init = Literal["glorot_uniform", "zeros"]


@dataclass(frozen=True)
class ParamSpec:
    """One parameter: canonical name, shape, and the distribution of its initial values."""

    name: str
    shape: tuple[int, ...]
    init: Init
    trainable: bool = True


@dataclass(frozen=True)
class LayerSpec:
    """One layer: its name, its output for one image (after the activation, where it has one), and its FLOPs."""

    name: str
    output_shape: tuple[int, ...]
    flops: int = 0


@dataclass(frozen=True)
class ModelSpec:
    """One architecture. `n_params`, `n_trainable` and `flops` are literals, checked against the parts by a test."""

    name: str
    input_shape: tuple[int, int, int]
    n_classes: int
    parameters: tuple[ParamSpec, ...]
    layers: tuple[LayerSpec, ...]
    n_params: int
    n_trainable: int
    flops: int

    @property
    def flatten_shape(self) -> tuple[int, int, int]:
        """(height, width, channels) of what enters the flatten in front of the first dense layer."""
        names = [layer.name for layer in self.layers]
        before = names.index("flatten") - 1
        height, width, channels = self.layers[before].output_shape if before >= 0 else self.input_shape
        return height, width, channels


CNN_SAME = ModelSpec(
    name="cnn_same",
    input_shape=(28, 28, 1),
    n_classes=10,
    parameters=(
        ParamSpec("conv1/kernel", (3, 3, 1, 32), "glorot_uniform"),
        ParamSpec("conv1/bias", (32,), "zeros"),
        ParamSpec("conv2/kernel", (3, 3, 32, 64), "glorot_uniform"),
        ParamSpec("conv2/bias", (64,), "zeros"),
        ParamSpec("dense1/kernel", (3136, 128), "glorot_uniform"),
        ParamSpec("dense1/bias", (128,), "zeros"),
        ParamSpec("dense2/kernel", (128, 10), "glorot_uniform"),
        ParamSpec("dense2/bias", (10,), "zeros"),
    ),
    layers=(
        LayerSpec("conv1", (28, 28, 32), flops=451_584),
        LayerSpec("pool1", (14, 14, 32)),
        LayerSpec("conv2", (14, 14, 64), flops=7_225_344),
        LayerSpec("pool2", (7, 7, 64)),
        LayerSpec("flatten", (3136,)),
        LayerSpec("dense1", (128,), flops=802_816),
        LayerSpec("dense2", (10,), flops=2_560),
    ),
    n_params=421_642,
    n_trainable=421_642,
    flops=8_482_304,
)

DENSE_BASELINE = ModelSpec(
    name="dense_baseline",
    input_shape=(28, 28, 1),
    n_classes=10,
    parameters=(
        ParamSpec("dense1/kernel", (784, 128), "glorot_uniform"),
        ParamSpec("dense1/bias", (128,), "zeros"),
        ParamSpec("dense2/kernel", (128, 10), "glorot_uniform"),
        ParamSpec("dense2/bias", (10,), "zeros"),
    ),
    layers=(
        LayerSpec("flatten", (784,)),
        LayerSpec("dense1", (128,), flops=200_704),
        LayerSpec("dense2", (10,), flops=2_560),
    ),
    n_params=101_770,
    n_trainable=101_770,
    flops=203_264,
)

MODELS: dict[str, ModelSpec] = {spec.name: spec for spec in (CNN_SAME, DENSE_BASELINE)}
