"""The fixtures of the shipped conformance tests, for every implementation; the workers have more networks here."""

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from compare.registry import IMPLEMENTATIONS

pytest.register_assert_rewrite("compare.conformance")
from compare.conformance.fixtures import (  # noqa: E402, F401
    computing,
    has_the_tier,
    lacking,
    pytest_generate_tests,
    reference,
    session_for,
    trace,
)

SUPPORT = Path(__file__).parents[1] / "support"
# An optimizer sees parameters and gradients, whatever network they are of; one of these has moving statistics beside
# them. Every other network takes as long again with SGD, and is a long test.
WITH_SGD = ("dense_baseline", "cnn_bn_valid")


@pytest.hookimpl(tryfirst=True)  # before marks select what is run
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests of SGD as long, but for WITH_SGD."""
    for item in items:
        values = item.callspec.params if isinstance(item, pytest.Function) and hasattr(item, "callspec") else {}
        if values.get("optimizer") == "sgd" and values.get("model") not in WITH_SGD:
            item.add_marker(pytest.mark.long)


@pytest.fixture(scope="session")
def altered() -> Callable[[], AbstractContextManager[object]]:
    """Workers of the three implementations have more_networks, too."""

    @contextmanager
    def with_more_networks() -> Iterator[None]:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("PYTHONPATH", str(SUPPORT), prepend=os.pathsep)
            for name in ("torch", "keras", "tf_lowlevel"):
                patch.setitem(IMPLEMENTATIONS, name, replace(IMPLEMENTATIONS[name], module=f"more_networks.in_{name}"))
            yield

    return with_more_networks
