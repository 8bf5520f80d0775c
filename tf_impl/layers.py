"""The layer for which Keras has other constants, and less precision than float64 allows."""

from typing import Any

from keras import layers, ops


class BatchNormalization(layers.BatchNormalization):
    """Keras's batch normalisation with the constants of shared/models.py and a more precise mean.

    The mean over all axes but the last is computed one axis at a time. Keras adds all values up one after another. Over
    the 65,536 values of a batch, that loses three digits of a variance. Short sums of short sums lose none and take no
    longer.
    """

    def __init__(self, name: str) -> None:
        super().__init__(momentum=0.9, epsilon=1e-3, name=name)

    def _moments(self, inputs: Any, mask: Any) -> tuple[Any, Any]:
        mean = _channel_mean(inputs)
        return mean, _channel_mean(ops.square(inputs - mean))


def _channel_mean(x: Any) -> Any:
    for axis in reversed(range(x.ndim - 1)):
        x = ops.mean(x, axis)
    return x


# The architectures with layers whose matched form differs from Keras's own.
OWN_LAYERS: dict[str, dict[str, Any]] = {
    "cnn_bn_cifar": {"norm": layers.BatchNormalization},
    "cnn_bn_valid": {"norm": layers.BatchNormalization},
}
