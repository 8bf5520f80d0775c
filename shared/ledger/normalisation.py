"""Rows about layers that normalise."""

from shared.ledger.row import LedgerRow, uniform

_BATCHES = {"x": uniform(5, 8, 4, low=0.2, high=0.4)}

ROWS = (
    LedgerRow(
        name="batchnorm-epsilon",
        question="batch normalisation in training: the output of a batch of 8",
        first="epsilon 1e-5",
        second="epsilon 1e-3",
        aligned="epsilon 1e-3 in both",
        inputs=_BATCHES,
        symptoms=("outputs-differ", "outputs-nearly-agree", "validation-much-worse"),
        causes=("batch_norm.epsilon",),
    ),
)
