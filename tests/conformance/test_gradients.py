"""The shipped tests of the same name, over every implementation of this repository."""

from compare.conformance.test_gradients import (  # noqa: F401
    test_every_gradient_in_float64,
    test_loss_in_float64,
)
