"""The shipped tests of the same name, over every implementation of this repository."""

from compare.conformance.test_forward import (  # noqa: F401
    test_every_layer_in_float64,
    test_every_layer_in_training_mode,
    test_layer_names_and_shapes,
    test_logits_in_float32,
    test_logits_in_float64,
    test_looking_changes_nothing,
)
