"""Keras's forms of the rows about resizing and cropping images."""

from typing import Any

import numpy as np
import tensorflow as tf
from keras import layers

from tf_impl.ledger.forms import aligned, both, own


@own("resize-antialias")
def reduced(x: np.ndarray) -> Any:
    return layers.Resizing(3, 3)(x)


@aligned("resize-antialias")
def reduced_with_antialias(x: np.ndarray) -> Any:
    return layers.Resizing(3, 3, antialias=True)(x)


@both("resize-corners", "resize-bilinear")
def upsampled_bilinear(x: np.ndarray) -> Any:
    return layers.UpSampling2D(2, interpolation="bilinear")(x)


@own("resize-tf1")
def resized_by_tensorflow_1(x: np.ndarray) -> Any:
    return tf.compat.v1.image.resize(x, (14, 14))


@aligned("resize-tf1")
def resized_by_tensorflow_2(x: np.ndarray) -> Any:
    return tf.image.resize(x, (14, 14))


@both("resize-bicubic")
def doubled_bicubic(x: np.ndarray) -> Any:
    return layers.Resizing(14, 14, interpolation="bicubic")(x)


@both("resize-nearest")
def reduced_nearest(x: np.ndarray) -> Any:
    return layers.Resizing(3, 3, interpolation="nearest")(x)


@both("resize-mode")
def resized(x: np.ndarray) -> Any:
    return layers.Resizing(5, 5)(x)


@both("resize-scale-factor")
def enlarged(x: np.ndarray) -> Any:
    return layers.Resizing(7, 7)(x)


@own("resize-area")
def reduced_by_area(x: np.ndarray) -> Any:
    return tf.image.resize(x, (3, 3), method="area")


@aligned("resize-area")
def reduced_by_pooling(x: np.ndarray) -> Any:
    return layers.AdaptiveAveragePooling2D(3)(x)


@own("resize-bytes")
def doubled_bytes(x: np.ndarray) -> Any:
    return tf.image.resize(x.astype("uint8"), (6, 6))


@aligned("resize-bytes")
def doubled_and_rounded_bytes(x: np.ndarray) -> Any:
    return layers.Resizing(6, 6)(x.astype("uint8"))


@both("resize-aspect")
def both_sides_resized(x: np.ndarray) -> Any:
    return layers.Resizing(4, 4)(x)


@own("center-crop")
def centre(x: np.ndarray) -> Any:
    return layers.CenterCrop(4, 4)(x)


@aligned("center-crop")
def centre_with_rows_stated(x: np.ndarray) -> Any:
    return layers.Cropping2D(((2, 1), (2, 1)))(x)
