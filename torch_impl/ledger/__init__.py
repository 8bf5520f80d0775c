"""PyTorch's forms of the ledger's rows (shared/ledger), group by group."""

from torch_impl.ledger import (  # noqa: F401  # importing a group registers its forms
    activations,
    attention,
    convolution,
    data,
    embedding,
    initialisation,
    layouts,
    losses,
    metrics,
    normalisation,
    numerics,
    optimizers,
    pooling,
    regularisation,
    resizing,
    schedules,
    sequences,
)
from torch_impl.ledger.forms import FORMS as LEDGER

__all__ = ["LEDGER"]
