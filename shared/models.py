"""The contracts of the architectures: the structure and the computation that every implementation must match.

A contract is checked, never interpreted: no implementation builds a network from it. It states the input, every
parameter with its shape and initial distribution, the output shape of every layer, and the counts, as literal numbers.
Shapes are channels-last without the batch axis. Convolution kernels are (height, width, in, out) and dense kernels (in,
out). The rows of the first dense kernel are in the order of a channels-last flatten.

One multiply-add counts as two FLOPs; only convolutions and dense layers are counted, for the forward pass of one image.

Batch normalisation means one thing, which is neither framework's default. Per channel, over the batch and all
positions, y = gamma (x - mean) / sqrt(variance + 0.001) + beta. The variance is divided by n (biased). In training,
mean and variance are the batch's, and moving <- 0.9 moving + 0.1 batch's; in evaluation they are the moving ones.

Dropout sets each value to 0 with probability `dropout` in training and divides the others by 1 - dropout; in evaluation
it does nothing. Each framework chooses the values at random by itself: only runs at rate 0 are comparable to the last
digit.
"""

import hashlib
import math
import operator
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

from shared.choices import Inputs, LossName, TaskName

if TYPE_CHECKING:
    from pydantic import GetCoreSchemaHandler

Init = Literal["glorot_uniform", "zeros", "ones"]
BATCH_NORM_EPSILON = 0.001
LEFT_OUT = {"task": "classification", "loss": "cross_entropy", "vocabulary": None}  # the usual values


Shape = tuple[int, int, int]  # (height, width, channels) of an image or a feature map


@dataclass(frozen=True)
class ParamSpec:
    """One parameter: canonical name, shape, and the distribution of its initial values. `flattened` is the shape of the
    feature map whose flatten its first axis runs along, None if there is none. A framework that flattens channels first
    has the rows in another order."""

    name: str
    shape: tuple[int, ...]
    init: Init
    trainable: bool = True
    flattened: Shape | None = None

    @property
    def is_kernel(self) -> bool:
        """Whether a layer multiplies its input by it; every other parameter has one value for each channel."""
        return self.init == "glorot_uniform"


@dataclass(frozen=True)
class LayerSpec:
    """One layer: its name, its output for one image (after the activation, if it has one), and its FLOPs.
    `flattened` is the shape of the feature map that its output is a flatten of, None if it is none."""

    name: str
    output_shape: tuple[int, ...]
    flops: int = 0
    flattened: Shape | None = None


@dataclass(frozen=True)
class Code:
    """The code of a network of the user's own: its folder, and the SHA-256 of each file there, by the file's name."""

    folder: str
    files: tuple[tuple[str, str], ...]

    @property
    def digest(self) -> str:
        """SHA-256 of the names and hashes of all files: the same code in another folder has the same digest."""
        return hashlib.sha256(repr(sorted(self.files)).encode()).hexdigest()


def _tuples(value: Any) -> Any:
    return tuple(map(_tuples, value)) if isinstance(value, list) else value


def _each_as_tuples(given: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _tuples(value) for name, value in given.items()}


@dataclass(frozen=True)
class ModelSpec:
    """One architecture. `n_params`, `n_trainable` and `flops` are literals, checked against the parts by a test.

    `dropout` is the rate that it has unless a run asks for another; None if it has no dropout. `code` is set if it is
    the user's own; None for the networks of this repository. `task` is what it learns and `loss` what it is trained by
    (shared/task.py); `n_classes` is the number of its outputs, whatever the task. `input_shape` is that of an image; or
    (D,) of a vector, (T, D) of a sequence, (T,) of a sequence of tokens, which are whole numbers below `vocabulary`.
    """

    name: str
    input_shape: tuple[int, ...]
    n_classes: int
    parameters: tuple[ParamSpec, ...]
    layers: tuple[LayerSpec, ...]
    n_params: int
    n_trainable: int
    flops: int
    dropout: float | None = None
    code: Code | None = None
    task: TaskName = "classification"
    loss: LossName = "cross_entropy"
    vocabulary: int | None = None

    @classmethod
    def __get_pydantic_core_schema__(cls, source: type, handler: "GetCoreSchemaHandler") -> Any:
        """Leave LEFT_OUT out of records if they have the usual values, which keeps those of classification unchanged.
        pydantic is not imported for it: a process that only answers lacks it, and its start is measured."""
        schema: Any = handler(source)
        found = schema if schema["type"] == "dataclass" else handler.resolve_ref_schema(schema)
        for field in found["schema"]["fields"]:
            if field["name"] in LEFT_OUT:
                field["serialization_exclude_if"] = partial(operator.eq, LEFT_OUT[field["name"]])
        return schema

    @classmethod
    def of_json(cls, given: Mapping[str, Any]) -> "ModelSpec":
        """Return the contract in a record from this process's own parent, without checks; pydantic reads all others."""
        fields = _each_as_tuples(given)
        fields["parameters"] = tuple(ParamSpec(**_each_as_tuples(one)) for one in given["parameters"])
        fields["layers"] = tuple(LayerSpec(**_each_as_tuples(one)) for one in given["layers"])
        fields["code"] = given["code"] and Code(**_each_as_tuples(given["code"]))
        return cls(**fields)

    @property
    def inputs(self) -> Inputs:
        """The kind of its inputs: images (H, W, C), values (vectors or sequences), or tokens."""
        if self.vocabulary is not None:
            return "tokens"
        return "images" if len(self.input_shape) == 3 else "values"

    @property
    def normalises(self) -> bool:
        """Whether it has batch normalisation, which makes an image's output depend on the others of its batch."""
        return any(not parameter.trainable for parameter in self.parameters)

    @property
    def normalises_vectors(self) -> bool:
        """Whether any batch normalisation sees one value of each channel for an image, as after a dense layer. A batch
        of one image then has no variance."""
        normalised = {p.name.rpartition("/")[0] for p in self.parameters if not p.trainable}
        return any(math.prod(layer.output_shape[:-1]) == 1 for layer in self.layers if layer.name in normalised)

    @property
    def training_flops(self) -> int:
        """The FLOPs of one image in a training step: those of the forward pass, and as many for the gradients by the
        weights. The gradients by the inputs take as many, too, without the first layer's."""
        return 3 * self.flops - next(layer.flops for layer in self.layers if layer.flops)

    @property
    def training_bytes(self) -> tuple[int, int]:
        """The bytes in float32 that every training step must move to or from memory. For each image these are its
        pixels. For the step these are all trainable parameters with Adam's two moments, read and written. Everything
        else could stay in caches."""
        return 4 * math.prod(self.input_shape), 4 * 6 * self.n_trainable

    def n_params_of(self, layer: str) -> int:
        """Return the number of parameters of one layer."""
        return sum(math.prod(p.shape) for p in self.parameters if p.name.startswith(f"{layer}/"))


def weighted(layer: str, shape: tuple[int, ...], flattened: Shape | None = None) -> tuple[ParamSpec, ...]:
    """Return the parameters of a convolution or a dense layer, whose kernel has that shape."""
    kernel = ParamSpec(f"{layer}/kernel", shape, "glorot_uniform", flattened=flattened)
    return kernel, ParamSpec(f"{layer}/bias", shape[-1:], "zeros")


def normalised(layer: str, channels: int) -> tuple[ParamSpec, ...]:
    """Return the parameters of a batch normalisation."""
    shape = (channels,)
    return (
        ParamSpec(f"{layer}/gamma", shape, "ones"),
        ParamSpec(f"{layer}/beta", shape, "zeros"),
        ParamSpec(f"{layer}/moving_mean", shape, "zeros", trainable=False),
        ParamSpec(f"{layer}/moving_variance", shape, "ones", trainable=False),
    )


CNN_SAME = ModelSpec(
    name="cnn_same",
    input_shape=(28, 28, 1),
    n_classes=10,
    parameters=(
        *weighted("conv1", (3, 3, 1, 32)),
        *weighted("conv2", (3, 3, 32, 64)),
        *weighted("dense1", (3136, 128), flattened=(7, 7, 64)),
        *weighted("dense2", (128, 10)),
    ),
    layers=(
        LayerSpec("conv1", (28, 28, 32), flops=451_584),
        LayerSpec("pool1", (14, 14, 32)),
        LayerSpec("conv2", (14, 14, 64), flops=7_225_344),
        LayerSpec("pool2", (7, 7, 64)),
        LayerSpec("flatten", (3136,), flattened=(7, 7, 64)),
        LayerSpec("dense1", (128,), flops=802_816),
        LayerSpec("dense2", (10,), flops=2_560),
    ),
    n_params=421_642,
    n_trainable=421_642,
    flops=8_482_304,
)

CNN_WIDE_VALID = ModelSpec(
    name="cnn_wide_valid",
    input_shape=(28, 28, 1),
    n_classes=10,
    parameters=(
        *weighted("conv1", (3, 3, 1, 64)),
        *weighted("conv2", (3, 3, 64, 64)),
        *weighted("dense1", (1600, 128), flattened=(5, 5, 64)),
        *weighted("dense2", (128, 10)),
    ),
    layers=(
        LayerSpec("conv1", (26, 26, 64), flops=778_752),
        LayerSpec("pool1", (13, 13, 64)),
        LayerSpec("conv2", (11, 11, 64), flops=8_921_088),
        LayerSpec("pool2", (5, 5, 64)),
        LayerSpec("flatten", (1600,), flattened=(5, 5, 64)),
        LayerSpec("dense1", (128,), flops=409_600),
        LayerSpec("dense2", (10,), flops=2_560),
    ),
    n_params=243_786,
    n_trainable=243_786,
    flops=10_112_000,
)

CNN_HEADLESS_VALID = ModelSpec(
    name="cnn_headless_valid",
    input_shape=(28, 28, 1),
    n_classes=10,
    parameters=(
        *weighted("conv1", (3, 3, 1, 32)),
        *weighted("conv2", (3, 3, 32, 64)),
        *weighted("dense1", (1600, 10), flattened=(5, 5, 64)),
    ),
    layers=(
        LayerSpec("conv1", (26, 26, 32), flops=389_376),
        LayerSpec("pool1", (13, 13, 32)),
        LayerSpec("conv2", (11, 11, 64), flops=4_460_544),
        LayerSpec("pool2", (5, 5, 64)),
        LayerSpec("flatten", (1600,), flattened=(5, 5, 64)),
        LayerSpec("dense1", (10,), flops=32_000),
    ),
    n_params=34_826,
    n_trainable=34_826,
    flops=4_881_920,
)

CNN_BN_CIFAR = ModelSpec(
    name="cnn_bn_cifar",
    input_shape=(32, 32, 3),
    n_classes=10,
    parameters=(
        *weighted("conv1", (3, 3, 3, 32)),
        *normalised("bn1", 32),
        *weighted("conv2", (3, 3, 32, 32)),
        *normalised("bn2", 32),
        *weighted("conv3", (3, 3, 32, 64)),
        *normalised("bn3", 64),
        *weighted("conv4", (3, 3, 64, 64)),
        *normalised("bn4", 64),
        *weighted("dense1", (4096, 512), flattened=(8, 8, 64)),
        *normalised("bn5", 512),
        *weighted("dense2", (512, 10)),
    ),
    layers=(
        LayerSpec("conv1", (32, 32, 32), flops=1_769_472),
        LayerSpec("bn1", (32, 32, 32)),
        LayerSpec("conv2", (32, 32, 32), flops=18_874_368),
        LayerSpec("bn2", (32, 32, 32)),
        LayerSpec("pool1", (16, 16, 32)),
        LayerSpec("conv3", (16, 16, 64), flops=9_437_184),
        LayerSpec("bn3", (16, 16, 64)),
        LayerSpec("conv4", (16, 16, 64), flops=18_874_368),
        LayerSpec("bn4", (16, 16, 64)),
        LayerSpec("pool2", (8, 8, 64)),
        LayerSpec("flatten", (4096,), flattened=(8, 8, 64)),
        LayerSpec("dense1", (512,), flops=4_194_304),
        LayerSpec("bn5", (512,)),
        LayerSpec("dense2", (10,), flops=10_240),
    ),
    n_params=2_171_178,
    n_trainable=2_169_770,
    flops=53_159_936,
)

CNN_DEEP_DROPOUT = ModelSpec(
    name="cnn_deep_dropout",
    input_shape=(28, 28, 1),
    n_classes=10,
    parameters=(
        *weighted("conv1", (5, 5, 1, 32)),
        *weighted("conv2", (5, 5, 32, 64)),
        *weighted("conv3", (5, 5, 64, 128)),
        *weighted("dense1", (1152, 128), flattened=(3, 3, 128)),
        *weighted("dense2", (128, 10)),
    ),
    layers=(
        LayerSpec("conv1", (28, 28, 32), flops=1_254_400),
        LayerSpec("pool1", (14, 14, 32)),
        LayerSpec("conv2", (14, 14, 64), flops=20_070_400),
        LayerSpec("pool2", (7, 7, 64)),
        LayerSpec("conv3", (7, 7, 128), flops=20_070_400),
        LayerSpec("pool3", (3, 3, 128)),
        LayerSpec("flatten", (1152,), flattened=(3, 3, 128)),
        LayerSpec("dense1", (128,), flops=294_912),
        LayerSpec("dropout1", (128,)),
        LayerSpec("dense2", (10,), flops=2_560),
    ),
    n_params=405_898,
    n_trainable=405_898,
    flops=41_692_672,
    dropout=0.5,
)

CNN_BN_VALID = ModelSpec(
    name="cnn_bn_valid",
    input_shape=(28, 28, 1),
    n_classes=10,
    parameters=(
        *weighted("conv1", (5, 5, 1, 32)),
        *weighted("conv2", (5, 5, 32, 32)),
        *normalised("bn1", 32),
        *weighted("conv3", (3, 3, 32, 64)),
        *weighted("conv4", (3, 3, 64, 64)),
        *normalised("bn2", 64),
        *weighted("dense1", (576, 10), flattened=(3, 3, 64)),
    ),
    layers=(
        LayerSpec("conv1", (24, 24, 32), flops=921_600),
        LayerSpec("conv2", (20, 20, 32), flops=20_480_000),
        LayerSpec("bn1", (20, 20, 32)),
        LayerSpec("pool1", (10, 10, 32)),
        LayerSpec("conv3", (8, 8, 64), flops=2_359_296),
        LayerSpec("conv4", (6, 6, 64), flops=2_654_208),
        LayerSpec("bn2", (6, 6, 64)),
        LayerSpec("pool2", (3, 3, 64)),
        LayerSpec("flatten", (576,), flattened=(3, 3, 64)),
        LayerSpec("dense1", (10,), flops=11_520),
    ),
    n_params=88_042,
    n_trainable=87_850,
    flops=26_426_624,
)

DENSE_BASELINE = ModelSpec(
    name="dense_baseline",
    input_shape=(28, 28, 1),
    n_classes=10,
    parameters=(
        *weighted("dense1", (784, 128), flattened=(28, 28, 1)),
        *weighted("dense2", (128, 10)),
    ),
    layers=(
        LayerSpec("flatten", (784,), flattened=(28, 28, 1)),
        LayerSpec("dense1", (128,), flops=200_704),
        LayerSpec("dense2", (10,), flops=2_560),
    ),
    n_params=101_770,
    n_trainable=101_770,
    flops=203_264,
)

ALL = (CNN_SAME, CNN_WIDE_VALID, CNN_HEADLESS_VALID, CNN_BN_CIFAR, CNN_BN_VALID, CNN_DEEP_DROPOUT, DENSE_BASELINE)
MODELS: dict[str, ModelSpec] = {spec.name: spec for spec in ALL}
