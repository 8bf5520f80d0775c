"""Rows about embeddings."""

from shared.ledger.row import LedgerRow, stated, uniform

_TABLE = uniform(6, 3)

ROWS = (
    LedgerRow(
        name="embedding-layout",
        question="an embedding of 6 tokens with the same table",
        first="(tokens, features)",
        second="the same; unlike a dense kernel it needs no transposition",
        aligned="nothing to state",
        inputs={"tokens": stated([1, 2, 5], [4, 2, 0]), "table": _TABLE},
        differs=False,
        symptoms=("weights-do-not-fit",),
        causes=("weights.layout",),
    ),
    LedgerRow(
        name="embedding-initialiser",
        question="the standard deviation of the initial table of 1000 x 64",
        first="normal with a deviation of 1",
        second="uniform from -0.05 to 0.05, a deviation of 0.029",
        aligned="the same array in both",
        inputs={"table": uniform(1000, 64, low=-0.125, high=0.125)},
        symptoms=("early-epochs-differ", "learns-slower", "accuracy-lower"),
    ),
    LedgerRow(
        name="embedding-padding",
        question="the gradient of the table for sequences that token 0 pads",
        first="padding_idx=0: token 0 gets no gradient",
        second="mask_zero=True: it gets one (the mask is for later layers)",
        aligned="PyTorch: no padding_idx; or in Keras zeros in the row of the gradient",
        inputs={"tokens": stated([1, 2, 0], [4, 0, 0]), "table": _TABLE},
        symptoms=("gradients-differ", "sequence-ends-differ", "fine-tuning-fails"),
        causes=("embedding.padding",),
    ),
    LedgerRow(
        name="embedding-padding-row",
        question="the norm of the initial vector of the padding token 0",
        first="0: padding_idx=0 starts it from zeros",
        second="random like the others (mask_zero=True)",
        aligned="Keras: row 0 of the table set to zeros",
        aligned_to=0.0,
        symptoms=("sequence-ends-differ", "early-epochs-differ"),
        causes=("embedding.padding",),
    ),
    LedgerRow(
        name="embedding-mask-mean",
        question="the mean over the steps of embedded tokens, padded with 0",
        first="over all steps, padding included",
        second="over the steps that are not masked (mask_zero=True and GlobalAveragePooling1D)",
        aligned="PyTorch: the sum of what is not padding, divided by its number",
        inputs={"tokens": stated([1, 2, 5], [4, 0, 0]), "table": _TABLE},
        symptoms=("outputs-differ", "sequence-ends-differ", "accuracy-lower"),
        causes=("embedding.padding",),
    ),
    LedgerRow(
        name="embedding-max-norm",
        question="an embedding whose vectors are limited to a norm of 1, called with longer ones",
        first="max_norm=1: the looked-up rows are shortened, in the table too, at every call",
        second="embeddings_constraint=MaxNorm(1): nothing before the first optimizer step, then the columns (axis=0)",
        aligned="Keras: MaxNorm(1, axis=1), applied to the table before the call",
        inputs={"tokens": stated([1, 2, 5]), "table": uniform(6, 3, low=1.0, high=2.0)},
        bites="sometimes",
        symptoms=("outputs-differ", "overfits-more", "early-epochs-differ"),
    ),
)
