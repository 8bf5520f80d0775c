"""Measure the machine's limits with TensorFlow."""

from collections.abc import Callable

import numpy as np
import tensorflow as tf

from shared.choices import Device

PARTS, ROWS = 16, 8  # each part is copied by one thread, row by row


def matrix_product(device: Device, size: int) -> Callable[[], None]:
    """Return a function that multiplies two matrices (size, size) and waits for the result."""
    with on_device(device):
        a, b = (tf.random.uniform((size, size)) for _ in range(2))

    def multiply() -> None:
        with on_device(device):
            tf.linalg.matmul(a, b)
        wait(device)

    return multiply


def memory_copy(device: Device, n_values: int) -> Callable[[], None]:
    """Return a function that copies `n_values` float32 numbers and waits for the result."""
    return _copy_on_host(n_values) if device == "cpu" else _copy_on_card(n_values)


def _copy_on_host(n_values: int) -> Callable[[], None]:
    """Return a function that copies into existing memory.

    `assign` would take over new memory that DeepCopy allocates each time. Of its 65,536 pages, 7,000 to 13,500 were
    faulted in at every copy, most of the time on some machines.
    """
    if n_values % ROWS:
        raise ValueError(f"{n_values} numbers cannot be copied as {ROWS} rows")
    with on_device("cpu"):
        widths = [len(part) for part in np.array_split(np.arange(n_values // ROWS), PARTS)]
        sources = [tf.ones((ROWS, width)) for width in widths if width]
        targets = [tf.Variable(tf.zeros_like(source)) for source in sources]
        rows = tf.range(ROWS)

        @tf.function
        def copy() -> None:
            for target, source in zip(targets, sources, strict=True):
                tf.raw_ops.ResourceScatterUpdate(resource=target.handle, indices=rows, updates=source)

    return copy


def _copy_on_card(n_values: int) -> Callable[[], None]:
    with on_device("cuda"):
        source = tf.ones(n_values)
        target = tf.Variable(source)

    def copy() -> None:
        with on_device("cuda"):
            # Assigned unchanged, it would share the source's memory.
            target.assign(tf.raw_ops.DeepCopy(x=source))
        wait("cuda")

    return copy


def on_device(device: Device) -> "tf.device":
    """Return a context in which operations are computed on `device`."""
    return tf.device("/GPU:0" if device == "cuda" else "/CPU:0")


def wait(device: Device) -> None:
    """Wait until the device has finished all its work."""
    if device == "cuda":
        tf.test.experimental.sync_devices()
