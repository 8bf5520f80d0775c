"""Fixtures for your own tests; pytest finds them by itself once `compare` is installed."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from compare.parity.library import Parity
    from compare.port.library import Port


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add `--implementation NAME,...` for the conformance tests: `pytest --pyargs compare.conformance`."""
    parser.getgroup("compare").addoption(
        "--implementation",
        action="append",
        default=[],
        metavar="NAME,...",
        help="the implementations that compare.conformance tests; all if it is not given",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Register the mark with which a conformance test states its tier."""
    config.addinivalue_line("markers", "tier(name): a conformance test of that tier of shared/protocol.py")


@pytest.fixture(scope="session")
def parity() -> "Iterator[Parity]":
    """Yield workers of all implementations, started at the first request and shared by the whole session, for
    `assert_parity(..., parity=parity)`."""
    from compare.parity.library import Parity

    with Parity() as shared:
        yield shared


@pytest.fixture(scope="session")
def port() -> "Iterator[Port]":
    """Yield workers of two models, kept for the whole session, for `compare.port.assert_same(..., port=port)`."""
    from compare.port.library import Port

    with Port() as shared:
        yield shared
