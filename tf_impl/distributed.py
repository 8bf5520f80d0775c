"""A network trained by several processes: Keras with `tf.distribute`'s MultiWorkerMirroredStrategy.

The strategy mirrors the variables, and the optimizers add up the gradients.
"""

from functools import cache, partial

import keras
import numpy as np
import tensorflow as tf
from tensorflow.python.eager import context

from shared.protocol import Build
from shared.world import World
from tf_impl.losses import of_each_image
from tf_impl.train import KerasModel

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


class SharingKerasModel(KerasModel):
    """A `KerasModel` whose gradients are those of the whole batch. Create it in the strategy's scope."""

    def __init__(self, model: keras.Model, build: Build) -> None:
        super().__init__(model, build)
        self._drop_otherwise(World.here().rank)
        number = tf.TensorSpec((), self.dtype)
        self.update_shared = tf.function(
            self._update_shared, input_signature=(self.images, self.labels, number, number)
        )

    def _drop_otherwise(self, rank: int) -> None:
        """Give this worker its own dropout.

        The strategy gives every process the first one's initial values, including the states of random numbers.
        """
        for layer in self.model.layers:
            if getattr(layer, "seed_generator", None) is not None:
                state = layer.seed_generator.state
                state.assign(np.asarray(state) + np.array([rank, 0], "uint32"))

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
        variables = self.model.trainable_variables
        with tf.GradientTape() as tape:
            logits = self._logits(images, training=True)
            # Within a strategy Keras would divide by the number of replicas. This is the mean over the share.
            loss = tf.reduce_mean(of_each_image(self.spec.loss, labels, logits)) * part
        self.optimizer.learning_rate.assign(rate)
        self.optimizer.apply(tape.gradient(loss, variables), variables)
        return loss, logits
