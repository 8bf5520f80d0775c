"""Build and describe the user's own networks, from `torch.py` in their folder."""

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor, nn

from shared import own_code
from shared.description import Description, Layer, Parameter
from shared.models import Code, ModelSpec
from shared.own_code import CodeError
from torch_impl import weights as layout
from torch_impl.layers import OWN_LAYERS
from torch_impl.models import MODELS

FILE = "torch.py"
NORMS: dict[str, Any] = {"norm2d": nn.BatchNorm2d, "norm1d": nn.BatchNorm1d}
IMAGE = 3  # axes: height, width, channels
N_IMAGES = 2  # with one image, some normalisations have no variance


def network_of(spec: ModelSpec) -> Callable[..., nn.Module]:
    """Return a function that builds the network specified by `spec`."""
    return own_code.chosen(spec, FILE, MODELS)


def own_layers(spec: ModelSpec) -> dict[str, Any]:
    """Return the arguments that give the network PyTorch's own layers, if the matched form uses others."""
    if spec.code is None:
        return dict(OWN_LAYERS.get(spec.name, {}))
    return own_code.accepted(network_of(spec), NORMS)


def describe(
    code: Code, input_shape: tuple[int, ...] | None, counted: bool = True, tokens: bool = False
) -> Description:
    """Build the network, call it and describe it. Raise CodeError.

    Its input is images of `input_shape` (height, width, channels), vectors, sequences or `tokens`. FLOPs are counted if
    `counted`.
    """
    if input_shape is None:
        raise CodeError(
            f"{FILE} does not state the sizes of its input. Give them (height, width, channels): python -m compare "
            "contract DIR --input 40x40x3"
        )
    build = own_code.builder(code, FILE)
    module = build()
    if not isinstance(module, nn.Module):
        raise CodeError(f"{FILE} gives no torch.nn.Module but {type(module).__name__}.")
    own_code.needs_argument(module.forward, "tap")
    dropping = [part for part in module.modules() if isinstance(part, nn.modules.dropout._DropoutNd)]
    images = torch.zeros(N_IMAGES, *input_shape, dtype=torch.int64 if tokens else torch.float32)
    if len(input_shape) == IMAGE:
        images = images.permute(0, 3, 1, 2).contiguous()
    module.train()
    module(images)
    layers: list[Layer] = []

    def tap(name: str, output: Tensor) -> Tensor:
        layers.append(Layer(name, _channels_last(output)))
        return output

    module.eval()
    with torch.no_grad():
        logits = module(images, tap)
    if not layers or layers[-1].output_shape != tuple(logits.shape[1:]):
        raise CodeError("the last layer that `tap` gets has to be what `forward` returns, the logits.")
    return Description(
        input_shape=input_shape,
        layers=tuple(layers),
        parameters=tuple(_parameters(module)),
        dropout=own_code.dropout_of(build, len(dropping)),
        flops=count_flops(module, images[:1]) if counted else None,
        tokens=tokens,
    )


@torch.no_grad()
def count_flops(module: nn.Module, image: Tensor) -> int:
    """Return the FLOPs that PyTorch's own counter reports for one image (1, C, H, W), in evaluation mode."""
    from torch.utils.flop_counter import FlopCounterMode  # slow to import

    module.eval()
    with FlopCounterMode(display=False) as counter:
        module(image)
    return int(counter.get_total_flops())


def _parameters(module: nn.Module) -> Iterable[Parameter]:
    """Yield the parameters and moving statistics by their canonical names.

    A `weight` is a kernel if it has several axes. Otherwise it is a gamma, and `bias` is a beta.
    """
    named = layout.named_tensors(module)
    embedding = {name for name, part in module.named_modules() if isinstance(part, nn.Embedding)}
    for name, tensor in named.items():
        layer, _, part = name.rpartition(".")
        weight = named.get(f"{layer}.weight")
        if layer in embedding:
            yield Parameter(f"{layer}/embeddings", tuple(tensor.shape), tensor.requires_grad)
            continue
        scales = weight is not None and weight.ndim == 1
        canonical = {
            "weight": "gamma" if scales else "kernel",
            "bias": "beta" if scales else "bias",
            "running_mean": "moving_mean",
            "running_var": "moving_variance",
        }.get(part, part)
        shape = tuple(tensor.shape)
        shape = (*shape[2:], shape[1], shape[0]) if tensor.ndim > 1 else shape
        yield Parameter(f"{layer}/{canonical}", shape, tensor.requires_grad)


def _channels_last(output: Tensor) -> tuple[int, ...]:
    if output.ndim != IMAGE + 1:  # the channels of sequences are last already
        return tuple(output.shape[1:])
    channels, *positions = output.shape[1:]
    return (*positions, channels)
