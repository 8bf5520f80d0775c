"""A network trained by several processes, in the custom loop of `tf.distribute`'s MultiWorkerMirroredStrategy.

Every process has its own variables, which start equal and are updated equally. The strategy only adds up the gradients.
"""

from functools import cache, partial

import numpy as np
import tensorflow as tf
from tensorflow.python.eager import context

from shared.protocol import Build
from tf_lowlevel_impl.train import LowLevelModel

Share = tuple[tf.Tensor, tf.Tensor, tf.Tensor]

# A process that is silent for this long counts as dead. TensorFlow's default is 10 s, too short on a busy machine. The
# suite itself notices at once when a process ends.
PATIENCE_MS = 300_000


@cache
def strategy() -> tf.distribute.Strategy:
    """Return this process's strategy, one of those listed in TF_CONFIG.

    Call it before anything is computed. It waits until all other processes have made theirs.
    """
    here = context.context()
    here.configure_coordination_service = partial(  # the strategy calls it without a timeout
        here.configure_coordination_service, heartbeat_timeout_in_ms=PATIENCE_MS
    )
    return tf.distribute.MultiWorkerMirroredStrategy()


class SharingLowLevelModel(LowLevelModel):
    """A `LowLevelModel` whose gradients are those of the whole batch."""

    def __init__(self, build: Build) -> None:
        super().__init__(build)
        number = tf.TensorSpec((), self.dtype)
        self.update_shared = tf.function(
            self._update_shared, input_signature=(self.images, self.labels, number, number)
        )

    def put_share(self, images: np.ndarray, labels: np.ndarray, n_whole: int) -> Share:
        return *self.put(images, labels), tf.constant(len(images) / n_whole, self.dtype)

    def train_step(self, batch: Share, learning_rate: float) -> tuple[tf.Tensor, tf.Tensor]:  # type: ignore[override]
        return self.update_shared(*batch, tf.constant(learning_rate, self.dtype))

    def _update_shared(
        self, images: tf.Tensor, labels: tf.Tensor, part: tf.Tensor, rate: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor]:
        return strategy().run(self._update_replica, (images, labels, part, rate))

    def _update_replica(
        self, images: tf.Tensor, labels: tf.Tensor, part: tf.Tensor, rate: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor]:
        assert self.optimizer is not None, "only the matched recipe trains step by step"
        with tf.GradientTape() as tape:
            logits = self._logits(images, training=True)
            loss = self.loss(labels, logits) * part
        gradients = tape.gradient(loss, list(self.trainable.values()))
        summed = tf.distribute.get_replica_context().all_reduce(tf.distribute.ReduceOp.SUM, gradients)
        self.optimizer.apply(summed, rate)
        return loss, logits
