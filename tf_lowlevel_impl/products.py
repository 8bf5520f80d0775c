"""Compute single convolutions and matrix products of a training step in TensorFlow, to compare with the step's time."""

from collections.abc import Callable

import tensorflow as tf

from shared.choices import Device
from shared.products import Product
from tf_lowlevel_impl.limits import on_device, wait

STRIDES = [1, 1, 1, 1]


def product_alone(product: Product, batch_size: int, device: Device) -> tuple[Callable[[], None], ...]:
    """Return a function that computes `product` for a batch of random float32 numbers and waits for the result."""
    with on_device(device):
        x, kernel, upstream = (
            tf.random.uniform(shape)
            for shape in ((batch_size, *product.taken), product.kernel, (batch_size, *product.given))
        )
    compute = _of(product, x, kernel, upstream)

    def run() -> None:
        with on_device(device):
            compute()
        wait(device)

    return (run,)


def _of(product: Product, x: tf.Tensor, kernel: tf.Tensor, upstream: tf.Tensor) -> Callable[[], tf.Tensor]:
    padding = "SAME" if product.same else "VALID"
    match product.by, len(product.kernel):
        case "output", 2:
            return lambda: tf.linalg.matmul(x, kernel)
        case "weights", 2:
            return lambda: tf.linalg.matmul(x, upstream, transpose_a=True)
        case "inputs", 2:
            return lambda: tf.linalg.matmul(upstream, kernel, transpose_b=True)
        case "output", _:
            return lambda: tf.nn.conv2d(x, kernel, STRIDES, padding)
        case "weights", _:
            return lambda: tf.raw_ops.Conv2DBackpropFilter(
                input=x, filter_sizes=product.kernel, out_backprop=upstream, strides=STRIDES, padding=padding
            )
        case _:
            sizes = x.shape.as_list()
            return lambda: tf.raw_ops.Conv2DBackpropInput(
                input_sizes=sizes, filter=kernel, out_backprop=upstream, strides=STRIDES, padding=padding
            )
