"""When a contestant is warm: found from its own step times, not set beforehand."""

from collections.abc import Sequence

import numpy as np

WINDOWS = 4
FASTER = 0.98


def is_warm(step_s: Sequence[float]) -> bool:
    """Whether steps got no faster lately: the median of the last windows is not below 98 % of that of the windows
    before."""
    if len(step_s) < 2 * WINDOWS:
        return False
    before, last = np.median(step_s[-2 * WINDOWS : -WINDOWS]), np.median(step_s[-WINDOWS:])
    return bool(last >= FASTER * before)
