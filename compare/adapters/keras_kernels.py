"""Compute on a CPU what TensorFlow cannot compute there: channels-first convolutions, and 3D pooling in float64."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import product
from typing import Any

import keras
import tensorflow as tf

from compare.adapters import padding

_CONVOLUTIONS = (
    keras.layers.Conv1D,
    keras.layers.Conv2D,
    keras.layers.Conv3D,
    keras.layers.Conv1DTranspose,
    keras.layers.Conv2DTranspose,
    keras.layers.Conv3DTranspose,
)


def computable(layer: Any, original: Callable[..., Any]) -> Callable[..., Any]:
    """Return `original`, Keras's call of a layer, or an equivalent that this machine can compute."""
    if tf.config.list_physical_devices("GPU"):
        return original
    if isinstance(layer, _CONVOLUTIONS) and layer.data_format == "channels_first":
        return _by_channels_last(original)
    if type(layer).__name__.endswith("Pooling3D") and hasattr(layer, "pool_size"):
        return _in_double(original, _pool)
    if type(layer).__name__.endswith("Pooling3D") and hasattr(layer, "output_size"):
        return _in_double(original, _adaptive)
    return original


def _by_channels_last(original: Callable[..., Any]) -> Callable[..., Any]:
    def call(layer: Any, x: Any, *args: Any, **kwargs: Any) -> Any:
        with _channels_last(layer):
            return _first(original(layer, _last(x), *args, **kwargs))

    return call


@contextmanager
def _channels_last(layer: Any) -> Iterator[None]:
    kept = {name: getattr(layer, name) for name in ("data_format", "input_spec")}
    object.__setattr__(layer, "data_format", "channels_last")
    layer.input_spec = None
    try:
        yield
    finally:
        object.__setattr__(layer, "data_format", kept["data_format"])
        layer.input_spec = kept["input_spec"]


def _last(x: Any) -> Any:
    rank = len(x.shape)
    return tf.transpose(x, (0, *range(2, rank), 1))


def _first(x: Any) -> Any:
    rank = len(x.shape)
    return tf.transpose(x, (0, rank - 1, *range(1, rank - 1)))


def _in_double(original: Callable[..., Any], pool: Callable[[Any, Any], Any]) -> Callable[..., Any]:
    def call(layer: Any, x: Any, *args: Any, **kwargs: Any) -> Any:
        if x.dtype != tf.float64:
            return original(layer, x, *args, **kwargs)
        if layer.data_format == "channels_first":
            return _first(pool(layer, _last(x)))
        return pool(layer, x)

    return call


def _pool(layer: Any, x: Any) -> Any:
    """Compute pooling as the maximum or the mean of shifted slices."""
    size, strides, greatest = tuple(layer.pool_size), tuple(layer.strides), layer.pool_mode == "max"
    sizes = tuple(x.shape[1:-1])
    pads = padding.pads(layer.padding, sizes, size, strides, (1, 1, 1))
    around = ((0, 0), *zip(pads[:3], pads[3:], strict=True), (0, 0))
    lowest = x.dtype.min if greatest else 0.0
    inside = tf.pad(tf.ones_like(x), around)
    x = tf.pad(x, around, constant_values=tf.constant(lowest, x.dtype))
    steps = [(full - width) // stride + 1 for full, width, stride in zip(x.shape[1:-1], size, strides, strict=True)]
    made: Any = None
    n: Any = None
    for place in product(*map(range, size)):
        at = tuple(
            slice(start, start + (step - 1) * stride + 1, stride)
            for start, step, stride in zip(place, steps, strides, strict=True)
        )
        part = x[(slice(None), *at)]
        count = inside[(slice(None), *at)]
        made = part if made is None else tf.maximum(made, part) if greatest else made + part
        n = count if n is None else n + count
    return made if greatest or made is None else made / n


def _adaptive(layer: Any, x: Any) -> Any:
    """Compute adaptive pooling: cell i of n covers floor(i * size / n) to ceil((i + 1) * size / n)."""
    reduce = tf.reduce_max if "Max" in type(layer).__name__ else tf.reduce_mean
    for axis, cells in enumerate(layer.output_size, 1):
        size = x.shape[axis]
        parts = [
            reduce(tf.gather(x, range(i * size // cells, -(-(i + 1) * size // cells)), axis=axis), axis)
            for i in range(cells)
        ]
        x = tf.stack(parts, axis)
    return x
