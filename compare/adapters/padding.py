"""The explicit padding that TensorFlow's padding="SAME" amounts to, by the sizes of one call."""

from collections.abc import Sequence

Pads = tuple[int, ...]


def same(sizes: Sequence[int], kernel: Sequence[int], strides: Sequence[int], dilations: Sequence[int]) -> Pads:
    """Return all begins, then all ends. An odd pixel is at the end (TensorFlow: nn.convolution, "SAME")."""
    totals = [
        max((-(-size // stride) - 1) * stride + (width - 1) * dilation + 1 - size, 0)
        for size, width, stride, dilation in zip(sizes, kernel, strides, dilations, strict=True)
    ]
    return (*(total // 2 for total in totals), *(total - total // 2 for total in totals))


def pads(
    padding: str, sizes: Sequence[int], kernel: Sequence[int], strides: Sequence[int], dilations: Sequence[int]
) -> Pads:
    """Return the pads of "valid", "same" or "causal" padding, in any case."""
    if padding.lower() == "same":
        return same(sizes, kernel, strides, dilations)
    if padding.lower() == "causal":
        return (
            *((width - 1) * dilation for width, dilation in zip(kernel, dilations, strict=True)),
            *(0 for _ in kernel),
        )
    return (0,) * (2 * len(kernel))


def transposed(
    padding: str,
    before: Sequence[int],
    after: Sequence[int],
    kernel: Sequence[int],
    strides: Sequence[int],
    dilations: Sequence[int],
) -> tuple[Pads, Pads]:
    """Return the pads and the output padding of a transposed convolution from sizes `before` to `after`."""
    around = pads(padding, after, kernel, strides, dilations)
    half = len(kernel)
    extra = tuple(
        out - (stride * (size - 1) + (width - 1) * dilation + 1 - begin - end)
        for size, out, width, stride, dilation, begin, end in zip(
            before, after, kernel, strides, dilations, around[:half], around[half:], strict=True
        )
    )
    return around, extra
