"""Check whether an implementation's results are consistent: parts of them are computed again here.

All implementations could share a fault, and some faults are smaller than the rounding by which two may differ. All
errors here should be 0.
"""

import numpy as np

from compare.rpc.messages import Evaluation
from shared.choices import LossName
from shared.training import TrainSpec
from shared.weights import Weights


def metric_errors(
    evaluation: Evaluation, logits: np.ndarray, labels: np.ndarray, loss_name: LossName = "cross_entropy"
) -> dict[str, np.ndarray]:
    """Return the errors of an evaluation's metrics, against SciPy and scikit-learn on its own logits (N, classes)."""
    if loss_name != "cross_entropy":
        return _other_errors(evaluation, logits.astype(np.float64), labels.astype(np.float64), loss_name)
    from scipy.special import log_softmax
    from sklearn.metrics import accuracy_score, confusion_matrix

    exact = logits.astype(np.float64)
    classes = exact.argmax(axis=1)
    loss = -np.mean(log_softmax(exact, axis=1)[np.arange(len(labels)), labels])
    confusion = confusion_matrix(labels, classes, labels=np.arange(logits.shape[1]))
    return {
        "loss": np.array((evaluation.loss - loss) / loss),
        "accuracy": np.array(evaluation.accuracy - accuracy_score(labels, classes)),
        "confusion": np.array(evaluation.confusion) - confusion.astype(np.float64),
    }


def _other_errors(
    evaluation: Evaluation, outputs: np.ndarray, labels: np.ndarray, loss_name: LossName
) -> dict[str, np.ndarray]:
    """Return the errors for tasks other than classification: outputs and labels are (N, K)."""
    from scipy.special import expit
    from sklearn import metrics

    if loss_name == "binary_cross_entropy":
        predicted = outputs >= 0
        # The logarithm of 1 - p is computed from the other sign's p, because 1 - p itself would lose digits.
        loss = -np.mean(np.where(labels > 0.5, np.log(expit(outputs)), np.log(expit(-outputs))))
        expected = {
            "macro_f1": np.mean(
                [metrics.f1_score(*pair, zero_division=0) for pair in zip(labels.T, predicted.T, strict=True)]
            ),
            "subset_accuracy": metrics.accuracy_score(labels, predicted),
        }
    else:
        squared = metrics.mean_squared_error(labels, outputs)
        expected = {
            "rmse": np.sqrt(squared),
            "mae": metrics.mean_absolute_error(labels, outputs),
            "r2": metrics.r2_score(labels, outputs),
        }
        loss = squared if loss_name == "mse" else expected["mae"]
    errors = {name: np.array(evaluation.metrics[name] - value) for name, value in expected.items()}
    return {"loss": np.array((evaluation.loss - loss) / (loss or 1.0)), **errors}


def update_errors(
    train: TrainSpec, rate: float, start: Weights, weights: Weights, state: Weights
) -> dict[str, np.ndarray]:
    """Return the error of the first step against the optimizer's formula and its own moments, relative to the step.

    Only for parameters that were 0: elsewhere the step is lost in the parameter's rounding.
    """
    assert train.optimizer is not None, "a framework's own optimizer is not compared"
    errors = {}
    for name, value in weights.items():
        of_one = {key: v for key, v in state.items() if key.startswith(f"{name}/")}
        moments = {key.removeprefix(f"{name}/"): v.astype(np.float64) for key, v in of_one.items()}
        if not moments or name not in start or start[name].any():
            continue
        if (direction := train.optimizer.first_direction(moments)) is None:
            continue
        step = -rate * direction
        size = np.linalg.norm(step) or 1.0
        errors[name] = (value.astype(np.float64) - step) / size
    return errors
