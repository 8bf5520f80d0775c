"""Train as a good Keras tutorial would today, with Keras's own layers and defaults."""

import time

import keras
from keras import layers

from shared.data import Data
from shared.protocol import FittedEpoch, Idiom, OnEpoch
from shared.training import TrainSpec

IDIOM = Idiom(
    scale="unit",
    choices={
        "optimizer": "keras Adam with its defaults: learning rate 0.001, epsilon 1e-7 inside the bias correction",
        "initial weights": "Keras's own: glorot uniform kernels, biases 0",
        "batches": "compile and fit, shuffled again each epoch",
        "input": "pixels divided by 255",
        "loss": "categorical cross-entropy of one-hot labels and softmax outputs",
        "validation": "the last tenth of the training images, by validation_split",
    },
)


class StopAt(keras.callbacks.Callback):
    """Stops training once the training accuracy reaches `threshold`."""

    def __init__(self, threshold: float) -> None:
        super().__init__()
        self.threshold = threshold

    def on_epoch_end(self, epoch: int, logs: dict[str, float]) -> None:
        if logs["accuracy"] >= self.threshold:
            self.model.stop_training = True


class Report(keras.callbacks.Callback):
    """Passes each epoch to `on_epoch`, with its training time up to the start of validation."""

    def __init__(self, on_epoch: OnEpoch) -> None:
        super().__init__()
        self.on_epoch = on_epoch
        self.start = self.train_s = 0.0

    def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        self.start = time.perf_counter()

    def on_test_begin(self, logs: dict[str, float] | None = None) -> None:
        self.train_s = time.perf_counter() - self.start

    def on_epoch_end(self, epoch: int, logs: dict[str, float]) -> None:
        self.on_epoch(
            FittedEpoch(
                logs["loss"],
                logs["accuracy"],
                logs["val_loss"],
                logs["val_accuracy"],
                self.params["steps"],
                self.train_s,
            )
        )


def fit(network: keras.Model, train: TrainSpec, data: Data, on_epoch: OnEpoch) -> None:
    """Train `network` as shared/protocol.py specifies."""
    model = keras.Sequential([network, layers.Softmax()])
    model.compile(optimizer="adam", loss="categorical_crossentropy", metrics=["accuracy"])
    stop = [] if train.stop_at is None else [StopAt(train.stop_at)]
    model.fit(
        data.x_train,
        keras.utils.to_categorical(data.y_train, num_classes=network.output_shape[-1]),
        batch_size=train.batch_size,
        epochs=train.epochs,
        validation_split=0.1,
        callbacks=[*stop, Report(on_epoch)],
        verbose=0,
    )
