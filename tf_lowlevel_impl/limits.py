"""What the machine's limits are measured with, in TensorFlow."""

from collections.abc import Callable

import tensorflow as tf

from shared.choices import Device


def matrix_product(device: Device, size: int) -> Callable[[], None]:
    """A product of two matrices (size, size), waited for."""
    with _on(device):
        a, b = (tf.random.uniform((size, size)) for _ in range(2))

    def multiply() -> None:
        with _on(device):
            tf.linalg.matmul(a, b)
        _wait(device)

    return multiply


def memory_copy(device: Device, n_values: int) -> Callable[[], None]:
    """A copy of `n_values` float32 numbers, waited for."""
    with _on(device):
        source = tf.zeros(n_values)
        target = tf.Variable(source)

    def copy() -> None:
        with _on(device):
            # Assigned as it is, it would share the source's memory.
            target.assign(tf.raw_ops.DeepCopy(x=source))
        _wait(device)

    return copy


def _on(device: Device) -> "tf.device":
    return tf.device("/GPU:0" if device == "cuda" else "/CPU:0")


def _wait(device: Device) -> None:
    if device == "cuda":
        tf.test.experimental.sync_devices()
