"""The shipped tests of the same name, over every implementation of this repository."""

from compare.conformance.test_parameters import (  # noqa: F401
    test_counts,
    test_initial_weights_come_back_bit_for_bit,
    test_layers_as_the_framework_counts_them,
    test_names_shapes_and_order,
)
