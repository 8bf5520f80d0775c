"""Fixtures for all tests, and the rule that the test process never imports a framework."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from compare.implementations import IMPLEMENTATIONS, ImplementationSpec
from shared.data import Data, DataSpec, load

SUPPORT = Path(__file__).parent / "support"


@pytest.fixture(scope="session", autouse=True)
def no_framework_is_imported() -> Iterator[None]:
    """At the end of the session, neither framework is in this process."""
    yield
    assert not {"torch", "tensorflow", "keras"} & sys.modules.keys()


@pytest.fixture(scope="session")
def digits() -> Data:
    """The embedded digits."""
    return load(DataSpec(dataset="digits"), Path())


@pytest.fixture
def numpy_implementation(monkeypatch: pytest.MonkeyPatch) -> str:
    """Add the NumPy implementation of tests/support to those that can be compared; return its name."""
    spec = ImplementationSpec("numpy", "NumPy", "numpy_impl", "eager")
    monkeypatch.setitem(IMPLEMENTATIONS, "numpy", spec)
    monkeypatch.setenv("PYTHONPATH", str(SUPPORT))
    return "numpy"


@pytest.fixture
def numpy_implementations(numpy_implementation: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """Add three NumPy implementations, the last of which has the fault that NUMPY_FAULTY names; return their names as
    for --implementations."""
    for name in ("numpy_again", "numpy_faulty"):
        monkeypatch.setitem(IMPLEMENTATIONS, name, ImplementationSpec(name, name, name, "eager"))
    return f"{numpy_implementation},numpy_again,numpy_faulty"
