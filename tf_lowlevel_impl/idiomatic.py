"""Train as a good tutorial on TensorFlow's own operations would today."""

import time
from collections.abc import Mapping

import tensorflow as tf

from shared.data import Data
from shared.models import ModelSpec
from shared.protocol import FittedEpoch, Idiom, OnEpoch
from shared.training import Adam, TrainSpec
from tf_lowlevel_impl.optimizers import Adam as AdamSteps

LEARNING_RATE = 0.001

IDIOM = Idiom(
    scale="unit",
    choices={
        "optimizer": "Adam written out: learning rate 0.001, epsilon 1e-7 outside the root",
        "initial weights": "kernels from N(0, 0.1), biases 0",
        "batches": "tf.data: shuffle over all images, batch, prefetch",
        "input": "pixels divided by 255",
        "loss": "sparse softmax cross-entropy on logits",
        "validation": "the last tenth of the training images",
    },
)


def initialise(spec: ModelSpec, variables: Mapping[str, tf.Variable]) -> None:
    """Set the variables' initial values: kernels from N(0, 0.1), scales and variances 1, all others 0."""
    random = tf.random.get_global_generator()
    for parameter in spec.parameters:
        variable = variables[parameter.name]
        if parameter.is_kernel:
            variable.assign(random.normal(variable.shape, stddev=0.1, dtype=variable.dtype))
        elif parameter.init == "ones":
            variable.assign(tf.ones_like(variable))
        else:
            variable.assign(tf.zeros_like(variable))


def fit(module: tf.Module, train: TrainSpec, data: Data, on_epoch: OnEpoch) -> None:
    """Train `module` as shared/protocol.py specifies."""
    n_train = len(data.x_train) - len(data.x_train) // 10
    everything = tf.data.Dataset.from_tensor_slices((data.x_train, data.y_train))
    training = everything.take(n_train).shuffle(n_train, seed=train.seed).batch(train.batch_size)
    training = training.prefetch(tf.data.AUTOTUNE)
    validation = everything.skip(n_train).batch(250)
    variables = list(module.trainable_variables)
    adam = AdamSteps(Adam(learning_rate=LEARNING_RATE), variables)

    @tf.function(reduce_retracing=True)
    def train_step(images: tf.Tensor, labels: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        with tf.GradientTape() as tape:
            logits = module(images, training=True)
            losses = tf.nn.sparse_softmax_cross_entropy_with_logits(labels, logits)
            loss = tf.reduce_mean(losses)
        adam.apply(tape.gradient(loss, variables), tf.constant(LEARNING_RATE))
        return tf.reduce_sum(losses), count_right(labels, logits)

    @tf.function(reduce_retracing=True)
    def evaluate_step(images: tf.Tensor, labels: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        logits = module(images)
        losses = tf.nn.sparse_softmax_cross_entropy_with_logits(labels, logits)
        return tf.reduce_sum(losses), count_right(labels, logits)

    for _ in range(train.epochs):
        start = time.perf_counter()
        steps = [train_step(images, labels) for images, labels in training]
        train_loss, train_accuracy = averages(steps, n_train)
        train_s = time.perf_counter() - start
        checks = [evaluate_step(images, labels) for images, labels in validation]
        validation_loss, validation_accuracy = averages(checks, len(data.x_train) - n_train)
        on_epoch(FittedEpoch(train_loss, train_accuracy, validation_loss, validation_accuracy, len(steps), train_s))
        if train.stop_at is not None and train_accuracy >= train.stop_at:
            break


def count_right(labels: tf.Tensor, logits: tf.Tensor) -> tf.Tensor:
    """Return how many images of a batch have their largest logit at their label."""
    return tf.math.count_nonzero(tf.argmax(logits, axis=1) == labels)


def averages(batches: list[tuple[tf.Tensor, tf.Tensor]], n_images: int) -> tuple[float, float]:
    """Return the mean loss and the accuracy of `n_images`, from their batches' sums."""
    total_loss = sum(float(loss) for loss, _ in batches)
    n_right = sum(int(right) for _, right in batches)
    return total_loss / n_images, n_right / n_images
