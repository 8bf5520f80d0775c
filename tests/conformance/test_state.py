"""The shipped tests of the same name, over every implementation of this repository."""

from compare.conformance.test_state import (  # noqa: F401
    test_another_network_goes_on_to_the_same_bits,
)
