"""The register of PyTorch's forms of the ledger's rows."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch

from shared.ledger import Forms


@contextmanager
def _as_default(dtype: str) -> Iterator[None]:
    kept = torch.get_default_dtype()
    torch.set_default_dtype(getattr(torch, dtype))
    try:
        yield
    finally:
        torch.set_default_dtype(kept)


def _to_numpy(value: Any) -> np.ndarray:
    return value.detach().numpy() if isinstance(value, torch.Tensor) else np.asarray(value)


# A script sets the same defaults with these lines. DTYPE stands for the float type.
DEFAULTS = ("torch.set_default_dtype(torch.DTYPE)",)

FORMS = Forms(_as_default, _to_numpy)
own, aligned, both = FORMS.own, FORMS.aligned, FORMS.both
