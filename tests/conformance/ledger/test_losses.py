"""Losses and metrics in the ledger's rows, compared with NumPy's arithmetic."""

import itertools

import numpy as np
import pytest

from compare.parity.ledger.answers import Line
from shared.ledger import ROWS, Arrays

pytestmark = pytest.mark.slow

Lines = dict[str, Line]


def _inputs(row: str) -> Arrays:
    return ROWS[row].arrays()


def _hold(lines: Lines, row: str, torch: np.ndarray, keras: np.ndarray, rel: float = 1e-12) -> None:
    """Compare the own forms of both frameworks with the values computed by hand."""
    for got, expected in zip(lines[row].answers["own"], (torch, keras), strict=True):
        assert got.shape == np.shape(expected)
        assert got == pytest.approx(expected, rel=rel, abs=1e-14)


def _softmax(x: np.ndarray) -> np.ndarray:
    e = np.exp(x - x.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def _cross_entropies(logits: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Return one loss for each label."""
    true = np.take_along_axis(logits, labels[..., None], -1)[..., 0]
    return np.log(np.exp(logits).sum(-1)) - true


def _binary_cross_entropies(p: np.ndarray, targets: np.ndarray) -> np.ndarray:
    return -np.log(np.where(targets == 1, p, 1 - p))


def test_probabilities_are_clipped(lines: Lines) -> None:
    p = np.exp(-20) / (1 + np.exp(-20))
    assert p < 1e-7
    _hold(lines, "loss-of-probabilities", np.array(-np.log(p)), np.array(-np.log(1e-7)))
    _hold(lines, "gradient-of-probabilities", np.array([[p - 1, 1 - p]]), np.zeros((1, 2)))
    _hold(lines, "loss-of-softmax-layer", np.array(-np.log(p)), np.array(-np.log(p)))


def test_a_second_softmax_is_applied(lines: Lines) -> None:
    logits, labels = _inputs("softmax-twice").values()
    losses = (_cross_entropies(outputs, labels).mean() for outputs in (_softmax(logits), logits))
    _hold(lines, "softmax-twice", *losses)


def test_logits_are_clipped_as_probabilities(lines: Lines) -> None:
    logits, labels = _inputs("logits-as-probabilities").values()
    p = logits.clip(1e-7, 1 - 1e-7)
    p /= p.sum(1, keepdims=True)
    _hold(
        lines, "logits-as-probabilities", _cross_entropies(logits, labels).mean(), -np.log(p[range(6), labels]).mean()
    )


def test_nll_takes_no_logarithm(lines: Lines) -> None:
    logits, labels = _inputs("nll-of-probabilities").values()
    p = _softmax(logits)[range(6), labels]
    _hold(lines, "nll-of-probabilities", -p.mean(), -np.log(p).mean())


def test_the_classes_are_another_axis(lines: Lines) -> None:
    logits, labels = _inputs("cross-entropy-axis").values()
    first, last = (_cross_entropies(x, labels).mean() for x in (logits.transpose(0, 2, 3, 1), logits))
    _hold(lines, "cross-entropy-axis", first, last)


def test_a_tape_sums_the_losses_of_images(lines: Lines) -> None:
    logits, labels = _inputs("loss-per-image").values()
    gradients = _softmax(logits) - np.eye(3)[labels]
    _hold(lines, "loss-per-image", gradients / 6, gradients)


def test_labels_are_smoothed_alike(lines: Lines) -> None:
    logits, labels = _inputs("label-smoothing").values()
    smooth = 0.875 * np.eye(3)[labels] + 0.125 / 3
    expected = -(smooth * np.log(_softmax(logits))).sum(1).mean()
    _hold(lines, "label-smoothing", expected, expected)


def test_weights_are_normalised_by_their_sum_or_by_the_batch(lines: Lines) -> None:
    logits, labels, weights = _inputs("class-weights").values()
    weighted = _cross_entropies(logits, labels) * weights[labels]
    _hold(lines, "class-weights", weighted.sum() / weights[labels].sum(), weighted.sum() / 6)


def test_weights_of_binary_cross_entropy_are_normalised_alike(lines: Lines) -> None:
    logits, targets, weights = _inputs("bce-weights").values()
    expected = (_binary_cross_entropies(1 / (1 + np.exp(-logits)), targets) * weights).sum() / 6
    _hold(lines, "bce-weights", expected, expected)


def test_ignored_labels_do_not_count(lines: Lines) -> None:
    logits, labels = _inputs("ignore-index").values()
    expected = _cross_entropies(logits[labels >= 0], labels[labels >= 0]).mean()
    _hold(lines, "ignore-index", expected, expected)


def test_masked_steps_leave_the_loss_of_keras(lines: Lines) -> None:
    tokens, table, labels = _inputs("loss-mask").values()
    losses = _cross_entropies(table[tokens], labels)
    _hold(lines, "loss-mask", losses.mean(), losses[tokens != 0].mean())


def test_binary_cross_entropy_is_cut_off_elsewhere(lines: Lines) -> None:
    # 1 - (1 - 1e-7) is not exactly 1e-7.
    _hold(lines, "bce-clip", np.array([100, 100]), -np.log([1e-7, 1 - (1 - 1e-7)]))


def test_binary_cross_entropy_reads_logits_as_probabilities(lines: Lines) -> None:
    logits, targets = _inputs("bce-logits").values()
    ps = (1 / (1 + np.exp(-logits)), logits.clip(1e-7, 1 - 1e-7))
    _hold(lines, "bce-logits", *(_binary_cross_entropies(p, targets).mean() for p in ps))


def test_the_divergence_has_other_arguments_and_another_mean(lines: Lines) -> None:
    p, q = _inputs("kl-arguments").values()
    divergence = (p * np.log(p / q)).sum()
    _hold(lines, "kl-arguments", (p * (np.log(p) - q)).sum() / 2, divergence / 2)
    _hold(lines, "kl-reduction", divergence / 6, divergence / 2)


@pytest.mark.parametrize(("row", "delta", "factor"), [("huber", 1.0, 1.0), ("smooth-l1", 0.25, 4.0)])
def test_smooth_losses_of_distances(lines: Lines, row: str, delta: float, factor: float) -> None:
    predictions, targets = _inputs(row).values()
    d = abs(predictions - targets)
    assert 0 < (d < delta).sum() < d.size  # both forms of the loss are used
    huber = np.where(d <= delta, d**2 / 2, delta * (d - delta / 2)).mean()
    _hold(lines, row, factor * huber, huber)


def test_one_more_than_the_cosine(lines: Lines) -> None:
    a, b = (x / np.linalg.norm(x, axis=1, keepdims=True) for x in _inputs("cosine-loss").values())
    cosine = (a * b).sum(1).mean()
    _hold(lines, "cosine-loss", 1 - cosine, -cosine)


def test_squared_errors_are_averaged_over_other_axes(lines: Lines) -> None:
    squares = np.subtract(*_inputs("mse-function").values()) ** 2
    _hold(lines, "mse-function", squares.mean(), squares.mean(-1))


def test_an_axis_of_one_is_broadcast(lines: Lines) -> None:
    predictions, targets = _inputs("loss-broadcast").values()
    squares = (predictions - targets) ** 2
    assert squares.shape == (6, 6)
    _hold(lines, "loss-broadcast", squares.mean(), squares.diagonal().mean())


def test_ctc_is_divided_by_the_length_of_the_labels(lines: Lines) -> None:
    """Every path of 6 steps that spells the labels is enumerated."""
    logits, labels = _inputs("ctc").values()
    losses = []
    for p, label in zip(_softmax(logits.astype(np.float64)), labels, strict=True):
        wanted = [int(one) for one in label if one]
        paths = itertools.product(range(4), repeat=6)
        right = (path for path in paths if [k for k, _ in itertools.groupby(path) if k] == wanted)
        losses.append(-np.log(sum(np.prod(p[range(6), path]) for path in right)))
    _hold(lines, "ctc", (losses[0] / 3 + losses[1] / 2) / 2, np.mean(losses), rel=1e-6)


def test_poisson_predictions_are_logarithms_in_pytorch(lines: Lines) -> None:
    rates, counts = _inputs("poisson").values()
    torch, keras = np.exp(rates) - counts * rates, rates - counts * np.log(rates + 1e-7)
    _hold(lines, "poisson", torch.mean(), keras.mean())


def test_hinges(lines: Lines) -> None:
    x, y = _inputs("hinge").values()
    _hold(lines, "hinge", np.where(y == 1, x, np.maximum(0, 1 - x)).mean(), np.maximum(0, 1 - y * x).mean())
    logits, labels = _inputs("multiclass-hinge").values()
    true, wrong = logits[range(6), labels][:, None], np.eye(3)[labels] == 0
    every = np.maximum(0, 1 - true + logits) * wrong
    highest = np.maximum(0, 1 - true[:, 0] + (logits * wrong).max(1))
    _hold(lines, "multiclass-hinge", every.sum(1).mean() / 3, highest.mean())


def test_only_torchvision_balances_the_focal_loss(lines: Lines) -> None:
    logits, targets = _inputs("focal").values()
    p = 1 / (1 + np.exp(-logits))
    losses = (1 - np.where(targets == 1, p, 1 - p)) ** 2 * _binary_cross_entropies(p, targets)
    _hold(lines, "focal", np.where(targets == 1, 0.25, 0.75) * losses, losses.mean())


def test_the_loss_of_an_epoch_is_the_last_or_the_average(lines: Lines) -> None:
    x, kernel, labels = _inputs("epoch-loss").values()
    first = _cross_entropies(x[:4] @ kernel, labels[:4])
    gradient = x[:4].T @ (_softmax(x[:4] @ kernel) - np.eye(3)[labels[:4]]) / 4
    last = _cross_entropies(x[4:] @ (kernel - 0.5 * gradient), labels[4:])
    _hold(lines, "epoch-loss", last.mean(), (first.sum() + last.sum()) / 6)


def test_batches_of_other_sizes_count_alike_in_a_loop(lines: Lines) -> None:
    x, kernel, labels = _inputs("validation-average").values()
    losses = _cross_entropies(x @ kernel, labels)
    _hold(lines, "validation-average", (losses[:4].mean() + losses[4:].mean()) / 2, losses.mean())
    squares = np.subtract(*_inputs("rmse-average").values()) ** 2
    roots = (np.sqrt(squares[:4].mean()) + np.sqrt(squares[4:].mean())) / 2
    _hold(lines, "rmse-average", roots, np.sqrt(squares.mean()))


def test_accuracies(lines: Lines) -> None:
    _hold(lines, "metric-accumulates", np.array([1, 0, 1 / 2]), np.array([1, 1 / 2, 1 / 2]))
    logits, labels = _inputs("accuracy-of-logits").values()
    _hold(lines, "accuracy-of-logits", *(((logits > threshold) == labels).mean() for threshold in (0, 0.5)))
    logits, labels = _inputs("accuracy-broadcast").values()
    right = labels == logits.argmax(1)
    _hold(lines, "accuracy-broadcast", right.mean(), right.diagonal().mean())
    _hold(lines, "top-k-ties", np.array(2 / 5), np.array(1.0), rel=1e-7)


def test_the_area_under_the_curve_is_coarse_in_keras(lines: Lines) -> None:
    scores, labels = _inputs("auc").values()
    positive, negative = scores[labels == 1], scores[labels == 0]
    exact = (positive[:, None] > negative).mean()  # no two scores are equal
    thresholds = np.array([2, 3 / 199, 2 / 199, 1 / 199, -1])  # those from 4 / 199 on are above all scores
    hits, alarms = ((group > thresholds[:, None]).mean(1) for group in (positive, negative))
    _hold(lines, "auc", exact, np.trapezoid(hits, alarms))
