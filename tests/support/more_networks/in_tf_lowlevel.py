"""tf_lowlevel_impl with three more networks."""

from tf_lowlevel_impl import create, describe, exporters, fit, framework, idiom, ledger, matrix_product, memory_copy  # isort: skip

import tensorflow as tf

from more_networks import FLATTEN_BEHIND_DENSE, NO_DENSE, POOLED
from tf_lowlevel_impl.layers import Conv2D, Dense, flatten, max_pool
from tf_lowlevel_impl.models import MODELS, Tap, untapped

__all__ = ["create", "describe", "exporters", "fit", "framework", "idiom", "ledger", "matrix_product", "memory_copy"]


class Pooled(tf.Module):
    def __init__(self, dtype: tf.DType) -> None:
        super().__init__()
        self.stem = Conv2D(1, 8, size=3, padding="SAME", dtype=dtype)
        self.head = Dense(8, 10, dtype=dtype)

    def __call__(self, x: tf.Tensor, training: bool = False, tap: Tap = untapped) -> tf.Tensor:
        x = tap("stem", tf.nn.relu(self.stem(x)))
        x = tap("mean", tf.reduce_mean(x, (1, 2)))
        return tap("head", self.head(x))


class FlattenBehindDense(tf.Module):
    def __init__(self, dtype: tf.DType) -> None:
        super().__init__()
        self.mix = Dense(1, 3, dtype=dtype)
        self.head = Dense(588, 10, dtype=dtype)

    def __call__(self, x: tf.Tensor, training: bool = False, tap: Tap = untapped) -> tf.Tensor:
        x = tap("mix", tf.nn.relu(self.mix(x)))
        x = tap("half", max_pool(x))
        x = tap("row", flatten(x))
        return tap("head", self.head(x))


class NoDense(tf.Module):
    def __init__(self, dtype: tf.DType) -> None:
        super().__init__()
        self.stem = Conv2D(1, 6, size=3, padding="VALID", dtype=dtype)
        self.votes = Conv2D(6, 10, size=1, padding="VALID", dtype=dtype)

    def __call__(self, x: tf.Tensor, training: bool = False, tap: Tap = untapped) -> tf.Tensor:
        x = tap("stem", tf.nn.relu(self.stem(x)))
        x = tap("votes", self.votes(x))
        return tap("mean", tf.reduce_mean(x, (1, 2)))


MODELS |= {POOLED.name: Pooled, FLATTEN_BEHIND_DENSE.name: FlattenBehindDense, NO_DENSE.name: NoDense}
