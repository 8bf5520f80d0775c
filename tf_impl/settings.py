"""What a network is set up with, asked of Keras and TensorFlow themselves, under the names that all implementations
share."""

import os

import keras
import tensorflow as tf
from keras import layers

from tf_impl.optimizers import MatchedOptimizer


def settings(model: keras.Model, optimizer: keras.optimizers.Optimizer | None) -> dict[str, str]:
    """The settings of `model`, of `optimizer` if there is one, and of the framework."""
    kinds = {tf.DeviceSpec.from_string(v.value.device).device_type for v in model.variables}
    said = {
        "dtype": " and ".join(sorted({v.dtype for v in model.weights})),  # not the state of random numbers
        "device": " and ".join(sorted({"GPU": "cuda"}.get(kind, kind.lower()) for kind in kinds)),
        # Unless the program states it, TensorFlow's core takes it from the environment and does not tell it again.
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
        # Keras's own weight decay would come on top.
        decay = optimizer.spec.weight_decay + (optimizer.weight_decay or 0)
        said |= optimizer.spec.settings | {"weight decay": f"{decay:.12g}"}
    return said
