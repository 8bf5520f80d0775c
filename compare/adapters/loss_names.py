"""The losses of both frameworks, under one name, and the conversion of canonical targets to each framework's."""

import numpy as np

from compare.adapters.adapter import Unreadable
from compare.graphs.losses import one_hot

NAMES = (
    *("cross_entropy", "cross_entropy_with_logits", "binary_cross_entropy", "binary_cross_entropy_with_logits"),
    *("mse", "mae", "huber", "kl_div", "poisson"),
)
COMPILED = "compiled"  # instead of a name: that of the compiled model
# The forms of targets: classes by number, the same as values (one at the class), or values.
INDICES, ONE_HOT, VALUES = "indices", "one_hot", "values"
SLOPE = "slope"  # no targets: only the gradient by the outputs that a loss should have
RECORD = "record"  # targets for a loss that NumPy computes, in any framework
SEEN = "seen"  # instead of a name: the loss or the optimizer recorded of a training function
UNKNOWN = (ONE_HOT, INDICES, VALUES)  # in the order of trial


def formed(targets: np.ndarray, form: str, outputs: tuple[int, ...], axis: int) -> np.ndarray:
    """Return targets in the form that a loss takes, in canonical layout. `outputs` is the shape of the outputs, `axis`
    that of the classes. Raises Unreadable if they do not fit."""
    by_number = targets.dtype.kind in "iu"
    if not by_number:
        return targets
    if targets.shape != (*outputs[:axis], *outputs[axis + 1 :]) and targets.shape != outputs:
        raise Unreadable(f"the targets have the shape {targets.shape}, and the outputs {outputs}.")
    if form == ONE_HOT and targets.ndim < len(outputs):
        return one_hot(targets, outputs[axis], axis)
    return targets.astype(np.int64)
