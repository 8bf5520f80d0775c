"""A fixture for tests of your own; pytest finds it by itself once `compare` is installed."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from compare.parity.library import Parity


@pytest.fixture(scope="session")
def parity() -> "Iterator[Parity]":
    """Workers of all implementations, started when first asked for and shared by the whole session, for
    `assert_parity(..., parity=parity)`."""
    from compare.parity.library import Parity

    with Parity() as shared:
        yield shared
