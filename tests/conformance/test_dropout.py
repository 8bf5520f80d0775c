"""The shipped tests of the same name, over every implementation of this repository."""

from compare.conformance.test_dropout import (  # noqa: F401
    passes,
    test_every_value_has_a_chance_of_its_own,
    test_off_in_evaluation,
    test_share_and_scale,
)
