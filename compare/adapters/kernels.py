"""TensorFlow's kernels in ONNX's layouts."""

from compare.adapters.changes import Permuted, Reshaped
from compare.adapters.steps import Weight


def kernel_order(rank: int) -> Permuted:
    """Return the change of a kernel (spatial ..., I, O) to (O, I, spatial ...); if transposed, to (I, O, ...)."""
    return Permuted((rank + 1, rank, *range(rank)))


def depthwise(kernel: Weight, shape: tuple[int, ...]) -> Weight:
    """Return a depthwise kernel (spatial ..., C, m) as one of a grouped convolution, (C * m, 1, spatial ...)."""
    rank = len(shape) - 2
    spread = (shape[rank], shape[rank + 1], *shape[:rank])
    joined = (shape[rank] * shape[rank + 1], 1, *shape[:rank])
    return kernel.then(Permuted((rank, rank + 1, *range(rank))), Reshaped(spread, joined))
