"""Loss and accuracy from logits."""

import numpy as np
import pytest
from scipy.special import log_softmax

from shared import metrics

RNG = np.random.default_rng(0)
LOGITS = RNG.normal(size=(500, 10)).astype(np.float32) * 20
LABELS = RNG.integers(0, 10, 500)


def test_cross_entropy_against_scipy() -> None:
    expected = -log_softmax(LOGITS.astype(np.float64), axis=1)[np.arange(500), LABELS].mean()
    assert metrics.cross_entropy(LOGITS, LABELS) == pytest.approx(expected, rel=1e-14)


def test_cross_entropy_does_not_overflow() -> None:
    assert metrics.cross_entropy(np.array([[1e4, -1e4]]), np.array([1])) == pytest.approx(2e4)


def test_accuracy_and_confusion_agree() -> None:
    confusion = metrics.confusion(LOGITS, LABELS)
    assert confusion.sum() == 500
    np.testing.assert_array_equal(confusion.sum(axis=1), np.bincount(LABELS, minlength=10))
    assert metrics.accuracy(LOGITS, LABELS) == np.trace(confusion) / 500


def test_accuracy_by_hand() -> None:
    assert metrics.accuracy(np.array([[1, 2], [3, 0], [0, 1]]), np.array([1, 0, 0])) == pytest.approx(2 / 3)
