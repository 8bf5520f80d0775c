"""Read a network's settings from its own parts and from TensorFlow, under the names shared by all implementations."""

import os

import tensorflow as tf

from tf_lowlevel_impl.layers import BatchNorm, Dropout
from tf_lowlevel_impl.optimizers import SGD, Adam


def settings(module: tf.Module, optimizer: Adam | SGD | None) -> dict[str, str]:
    """Return the settings of `module`, of `optimizer` if there is one, and of the framework."""
    kinds = {tf.DeviceSpec.from_string(v.device).device_type for v in module.variables}
    said = {
        "dtype": " and ".join(sorted({v.dtype.name for v in module.variables})),
        "device": " and ".join(sorted({"GPU": "cuda"}.get(kind, kind.lower()) for kind in kinds)),
        # Unless the program sets it, TensorFlow's core reads it from the environment and does not report it.
        "threads": str(tf.config.threading.get_intra_op_parallelism_threads() or os.environ["TF_NUM_INTRAOP_THREADS"]),
        "TF32": "on" if tf.config.experimental.tensor_float_32_execution_enabled() else "off",
        "deterministic": "on" if os.environ.get("TF_CUDNN_DETERMINISTIC") == "1" else "off",
    }
    for name, layer in sorted(vars(module).items()):
        if isinstance(layer, BatchNorm):
            said[f"{name}: epsilon"] = f"{layer.epsilon:.12g}"
            said[f"{name}: weight of the new statistics"] = f"{layer.momentum:.12g}"
        elif isinstance(layer, Dropout):
            said[f"{name}: rate"] = f"{layer.rate:.12g}"
    return said | (optimizer.spec.settings if optimizer else {})
