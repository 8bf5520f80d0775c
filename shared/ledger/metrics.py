"""Rows about metrics, and about the losses that are reported."""

from shared.ledger.row import Input, LedgerRow, Spaced, stated, uniform

_MODEL: dict[str, Input] = {"x": uniform(6, 4), "kernel": uniform(4, 3), "labels": stated(0, 1, 2, 2, 1, 0)}

ROWS = (
    LedgerRow(
        name="epoch-loss",
        question="the training loss reported for an epoch: batches of 4 and 2, gradient descent at a rate of 0.5",
        first="a loop that prints its loss prints that of the last step",
        second="fit: the average over the epoch's images, each before the step that it was in",
        aligned="PyTorch: sum the losses times the batch sizes, divide by the number of images",
        inputs=_MODEL,
        symptoms=("reported-loss-differs",),
        causes=("loss.reduction",),
    ),
    LedgerRow(
        name="validation-average",
        question="the validation loss of 6 images in batches of 4 and 2",
        first="a loop's average of the batches' losses: the smaller batch counts as much",
        second="evaluate: the average over the images",
        aligned="PyTorch: sum the losses times the batch sizes, divide by the number of images",
        inputs=_MODEL,
        bites="sometimes",
        symptoms=("reported-loss-differs",),
        causes=("loss.reduction",),
    ),
    LedgerRow(
        name="rmse-average",
        question="the root mean squared error of 6 values in batches of 4 and 2",
        first="a loop's average of the batches' roots",
        second="RootMeanSquaredError: the root of the average over all values",
        aligned="PyTorch: sum the squares over the batches, take the root once",
        inputs={"predictions": uniform(6), "targets": uniform(6)},
        symptoms=("reported-loss-differs",),
    ),
    LedgerRow(
        name="metric-accumulates",
        question="the accuracy of three batches, one call each",
        first="of each batch",
        second="a metric object returns the average of all batches since its last reset",
        aligned="Keras: reset_state() before each batch",
        inputs={
            "labels": stated([1, 2], [0, 1], [2, 2]),
            "predictions": stated([1, 2], [1, 0], [2, 0]),
        },
        aligned_to=0.0,
        symptoms=("reported-loss-differs",),
    ),
    LedgerRow(
        name="accuracy-of-logits",
        question="the accuracy of a binary classifier that ends in logits",
        first="logits > 0",
        second='logits > 0.5: "accuracy" and BinaryAccuracy expect probabilities, whatever the loss has',
        aligned="Keras: BinaryAccuracy(threshold=0.0)",
        inputs={
            "logits": stated(0.25, -1.0, 2.0, 0.125, -0.5, 0.375, 1.5, -2.0),
            "labels": stated(1, 0, 1, 1, 0, 1, 1, 0),
        },
        aligned_to=0.0,
        symptoms=("reported-loss-differs", "accuracy-lower"),
        causes=("loss.from_logits",),
    ),
    LedgerRow(
        name="accuracy-broadcast",
        question="the accuracy of 6 images whose labels have the shape 6 x 1, as in keras.datasets.cifar10",
        first="predictions of 6 and labels of 6 x 1 are compared as 6 x 6",
        second="SparseCategoricalAccuracy squeezes the axis of size 1",
        aligned="PyTorch: labels.squeeze(1)",
        inputs={
            "logits": uniform(6, 3),
            "labels": stated([0], [2], [0], [0], [0], [0]),
        },
        bites="sometimes",
        symptoms=("reported-loss-differs", "accuracy-lower"),
    ),
    LedgerRow(
        name="top-k-ties",
        question="the top-2 accuracy of 5 images of different classes whose scores are all equal (a dead model)",
        first="topk chooses 2 classes for each: 0.4",
        second="a class that ties with the k-th counts as right: 1 (SparseTopKCategoricalAccuracy)",
        aligned="PyTorch: right if fewer than k scores are higher than the true one's",
        inputs={
            "logits": stated([0.0] * 5, [0.0] * 5, [0.0] * 5, [0.0] * 5, [0.0] * 5),
            "labels": stated(0, 1, 2, 3, 4),
        },
        dtype="float32",
        aligned_to=0.0,
        bites="rarely",
        symptoms=("reported-loss-differs",),
    ),
    LedgerRow(
        name="auc",
        question="the area under the ROC curve of 40 probabilities below 0.02",
        first="scikit-learn, since PyTorch has none: exact",
        second="AUC: by 200 thresholds from 0 to 1, of which 4 lie below 0.02",
        aligned="Keras: thresholds= between all pairs of neighbouring scores",
        inputs={
            "scores": Spaced(0.0, 0.02, 40),
            "labels": stated(*([0, 0, 0, 1, 0] * 3 + [0, 1, 0, 1, 1] * 3 + [1, 1, 0, 1, 1] * 2)),
        },
        bites="sometimes",
        symptoms=("reported-loss-differs",),
    ),
)
