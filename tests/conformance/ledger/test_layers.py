"""What layers give in the ledger's rows, against NumPy's own arithmetic."""

import numpy as np
import pytest

from compare.parity.ledger.answers import Line
from shared.ledger import ROWS

pytestmark = pytest.mark.slow


def test_batch_normalisation_has_another_epsilon(lines: dict[str, Line]) -> None:
    x = ROWS["batchnorm-epsilon"].arrays()["x"][0]
    for got, epsilon in zip(lines["batchnorm-epsilon"].answers["own"], (1e-5, 1e-3), strict=True):
        assert got == pytest.approx((x - x.mean(0)) / np.sqrt(x.var(0) + epsilon), rel=1e-12)
