"""Code shared by both TensorFlow implementations, none of which is compared.

It selects the device, compiles functions into graphs, and reads TensorFlow's own counts.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from shared.choices import Device, Mode
from shared.models import ModelSpec
from tf_lowlevel_impl.profile import by_operation
from tf_lowlevel_impl.tuning import Tuning

CPU, GPU = "/CPU:0", "/GPU:0"


def see(device: Device) -> str:
    """Hide all other devices, and return the device's name in TensorFlow."""
    gpus = tf.config.list_physical_devices("GPU")[:1] if device == "cuda" else []
    tf.config.set_visible_devices(gpus, "GPU")
    if gpus:
        tf.config.experimental.reset_memory_stats("GPU:0")
    return GPU if device == "cuda" else CPU


class TensorFlowDevice:
    """A network on a device: waits for it and describes it."""

    def __init__(self, device: Device) -> None:
        self.device = GPU if device == "cuda" else CPU

    def sync(self) -> None:
        if self.device != CPU:  # on the CPU every call returns only when it has finished
            tf.test.experimental.sync_devices()

    def fetch(self, tensor: tf.Tensor) -> np.ndarray:
        return tensor.numpy()

    def profile(self, work: Callable[[], None]) -> dict[str, float]:
        return by_operation(work, "cpu" if self.device == CPU else "cuda")

    def device_name(self) -> str:
        if self.device == CPU:
            return "cpu"
        (gpu,) = tf.config.get_visible_devices("GPU")
        return str(tf.config.experimental.get_device_details(gpu).get("device_name", gpu.name))

    def peak_device_bytes(self) -> int | None:
        if self.device == CPU:
            return None
        return int(tf.config.experimental.get_memory_info("GPU:0")["peak"])


def images_of(spec: ModelSpec, dtype: tf.DType) -> tf.TensorSpec:
    """Return the spec of a network's input: images (N, H, W, C), vectors or sequences in its type, or tokens (N, T)."""
    return tf.TensorSpec((None, *spec.input_shape), tf.int64 if spec.inputs == "tokens" else dtype)


def labels_of(spec: ModelSpec, dtype: tf.DType) -> tf.TensorSpec:
    """Return the spec of labels: class numbers (N,), or for other tasks (N, K) in the network's type."""
    if spec.task == "classification":
        return tf.TensorSpec((None,), tf.int64)
    return tf.TensorSpec((None, spec.n_classes), dtype)


def count_flops(function: Callable[..., Any], images: tf.TensorSpec) -> int:
    """Return the FLOPs that TensorFlow's profiler counts in the convolutions and matrix products of `function`."""
    graph = tf.function(function).get_concrete_function(images).graph
    profiler = tf.compat.v1.profiler
    builder = profiler.ProfileOptionBuilder(profiler.ProfileOptionBuilder.float_operation())
    options = builder.with_accounted_types([".*Conv2D", ".*MatMul"]).with_empty_output().build()
    return int(profiler.profile(graph, options=options, cmd="op").total_float_ops)


def compiled(
    function: Callable[..., Any], signature: tuple[tf.TensorSpec, ...], mode: Mode, tuning: Tuning
) -> Callable[..., Any]:
    """Return `function` as a graph, or unchanged in the mode `eager`.

    The graph is traced once for every batch size, or once for each if shapes are static.
    """
    if mode == "eager":
        return function
    any_size = signature if tuning.shapes == "any" else None
    return tf.function(function, input_signature=any_size, jit_compile=mode == "xla")
