"""Settings for training the networks of the conformance tests."""

from compare.conformance.setup import (
    EPOCHS,
    N_IMAGES,
    OPTIMIZERS,
    SEED,
    batch_size_of,
    images_for,
    made_up,
    n_steps,
    training,
)

__all__ = [
    "EPOCHS",
    "N_IMAGES",
    "OPTIMIZERS",
    "SEED",
    "batch_size_of",
    "images_for",
    "made_up",
    "n_steps",
    "training",
]
