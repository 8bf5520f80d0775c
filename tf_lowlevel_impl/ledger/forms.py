"""The register of raw TensorFlow's forms of the ledger's rows."""

from contextlib import AbstractContextManager, nullcontext
from typing import Any

import numpy as np

from shared.ledger import Forms


def _as_default(dtype: str) -> AbstractContextManager[None]:
    """Change nothing: raw TensorFlow has no default float type, every tensor states its own."""
    return nullcontext()


def _to_numpy(value: Any) -> np.ndarray:
    return np.array(value)


FORMS = Forms(_as_default, _to_numpy)
own, aligned, both = FORMS.own, FORMS.aligned, FORMS.both
