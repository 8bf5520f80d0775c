"""The layer for which Keras's own has other constants, and is less exact than its float64 could be."""

from typing import Any

from keras import layers, ops


class BatchNormalization(layers.BatchNormalization):
    """Keras's batch normalisation with the constants that shared/models.py states, and with the mean over all axes but
    the last taken one axis at a time.

    Keras's own adds all values up one after another: over the 65,536 of a batch, three digits of a variance are lost.
    Short sums of short sums lose none, and take no longer.
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


# Where an architecture has layers whose matched form differs from Keras's own.
OWN_LAYERS: dict[str, dict[str, Any]] = {
    "cnn_bn_cifar": {"norm": layers.BatchNormalization},
    "cnn_bn_valid": {"norm": layers.BatchNormalization},
}
