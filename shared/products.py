"""The convolutions and matrix products of a training step, one by one, from a network's contract. They do all counted
arithmetic."""

import math
from dataclasses import dataclass
from typing import Literal

from shared.models import ModelSpec, Shape

By = Literal["output", "weights", "inputs"]


@dataclass(frozen=True)
class Product:
    """One convolution, or one product of a dense layer: in the forward pass (`by` "output"), in the gradient by the
    weights, or in that by the inputs.

    `kernel` is (height, width, in, out) or (in, out). `taken` is the layer's input for one image, (height, width, in)
    or (in,), and `given` its output. A convolution's stride is one, and its border is filled with zeros or not
    (`same`).
    """

    layer: str
    by: By
    kernel: tuple[int, ...]
    taken: tuple[int, ...]
    given: tuple[int, ...]
    same: bool = False

    @property
    def flops(self) -> int:
        """The FLOPs for one image."""
        places = math.prod(self.given[:-1]) if len(self.kernel) == 4 else 1
        return 2 * places * math.prod(self.kernel)

    def __str__(self) -> str:
        return self.layer if self.by == "output" else f"{self.layer}, gradient by its {self.by}"


def products(spec: ModelSpec) -> tuple[Product, ...]:
    """Return all products of a training step, in the order of the forward pass. Return none if a contract lacks the
    details: strides, branches, and layers that are neither convolutions nor dense."""
    found: list[Product] = []
    taken = spec.input_shape
    for layer in spec.layers:
        if layer.flops:
            kernels = [p for p in spec.parameters if p.name.rpartition("/")[0] == layer.name and p.is_kernel]
            known = _of_layer(layer.name, kernels[0].shape, taken, layer.output_shape) if len(kernels) == 1 else None
            if known is None or known.flops != layer.flops:
                return ()
            kinds: tuple[By, ...] = ("output", "weights", "inputs") if found else ("output", "weights")
            found += [Product(known.layer, by, known.kernel, known.taken, known.given, known.same) for by in kinds]
        taken = layer.output_shape
    return tuple(found)


def _of_layer(name: str, kernel: tuple[int, ...], taken: tuple[int, ...], given: tuple[int, ...]) -> Product | None:
    """Return the layer's product in the forward pass; None if its kind is unknown."""
    if len(kernel) == 2 and math.prod(taken) == kernel[0] and given == kernel[1:]:
        return Product(name, "output", kernel, kernel[:1], given)
    if len(kernel) != 4 or len(taken) != 3 or len(given) != 3 or (taken[2], given[2]) != kernel[2:]:
        return None
    if taken[:2] == given[:2]:
        return Product(name, "output", kernel, taken, given, same=True)
    shrunk: Shape = (taken[0] - kernel[0] + 1, taken[1] - kernel[1] + 1, kernel[3])
    return Product(name, "output", kernel, taken, given) if given == shrunk else None
