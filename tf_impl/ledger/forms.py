"""The register of Keras's forms of the ledger's rows."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import keras
import numpy as np

from shared.ledger import Forms


@contextmanager
def _as_default(dtype: str) -> Iterator[None]:
    """Make a float type Keras's default: for layers the policy, for optimizers and losses `floatx`."""
    kept = keras.config.floatx(), keras.config.dtype_policy()
    keras.config.set_floatx(dtype)
    keras.config.set_dtype_policy(dtype)
    try:
        yield
    finally:
        keras.config.set_floatx(kept[0])
        keras.config.set_dtype_policy(kept[1])


def _to_numpy(value: Any) -> np.ndarray:
    return np.array(value)


# A script sets the same defaults with these lines. DTYPE stands for the float type.
DEFAULTS = ('keras.config.set_floatx("DTYPE")', 'keras.config.set_dtype_policy("DTYPE")')

FORMS = Forms(_as_default, _to_numpy)
own, aligned, both = FORMS.own, FORMS.aligned, FORMS.both
