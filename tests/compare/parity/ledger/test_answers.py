"""Sentences about the answers to a row."""

import numpy as np
import pytest

from compare.parity.ledger.answers import Line, how_far
from shared.ledger import ROWS

NAN = np.array([np.nan, 1.0])


@pytest.mark.parametrize(
    ("first", "second", "said"),
    [
        (np.zeros((1, 3)), np.zeros((1, 4)), "they differ in shape: (1, 3) and (1, 4)"),
        (np.array([0.0, 1.0]), NAN, "they give 0 and nan for the same input"),
        (np.empty(0), np.ones(2), "PyTorch raises an error"),
        (np.array([1.0, 0.0]), np.array([2.0, 0.0]), "they differ by 0.5 (1 and 2)"),
    ],
)
def test_how_far_the_own_forms_differ(first: np.ndarray, second: np.ndarray, said: str) -> None:
    line = Line(ROWS["batchnorm-epsilon"], {"own": (first, second), "aligned": (first, first)})
    assert how_far(line) == said
