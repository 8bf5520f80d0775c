"""Read a network's settings from Keras and TensorFlow themselves, under the names shared by all implementations."""

import os

import keras
import tensorflow as tf
from keras import layers

from tf_impl.optimizers import MatchedOptimizer


def settings(model: keras.Model, optimizer: keras.optimizers.Optimizer | None) -> dict[str, str]:
    """Return the settings of `model`, of `optimizer` if there is one, and of the framework."""
    kinds = {tf.DeviceSpec.from_string(v.value.device).device_type for v in model.variables}
    said = {
        "dtype": " and ".join(sorted({v.dtype for v in model.weights})),  # without the states of random numbers
        "device": " and ".join(sorted({"GPU": "cuda"}.get(kind, kind.lower()) for kind in kinds)),
        # Unless the program sets it, TensorFlow's core reads it from the environment and does not report it.
        "threads": str(tf.config.threading.get_intra_op_parallelism_threads() or os.environ["TF_NUM_INTRAOP_THREADS"]),
        "TF32": "on" if tf.config.experimental.tensor_float_32_execution_enabled() else "off",
        "deterministic": "on" if os.environ.get("TF_CUDNN_DETERMINISTIC") == "1" else "off",
    }
    for layer in model.layers:
        if isinstance(layer, layers.BatchNormalization):
            said[f"{layer.name}: epsilon"] = f"{layer.epsilon:.12g}"
            said[f"{layer.name}: weight of the new statistics"] = f"{1 - layer.momentum:.12g}"
        elif isinstance(layer, layers.Dropout):
            said[f"{layer.name}: rate"] = f"{layer.rate:.12g}"
    if isinstance(optimizer, MatchedOptimizer):
        # Keras's own weight decay would be added to it.
        decay = optimizer.spec.weight_decay + (optimizer.weight_decay or 0)
        said |= optimizer.spec.settings | {"weight decay": f"{decay:.12g}"}
    return said
