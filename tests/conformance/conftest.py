"""The fixtures of the shipped conformance tests, for every implementation. Workers have more networks here."""

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
# SGD is tested on two networks, one of them with moving statistics. An optimizer only sees parameters and gradients, so
# the network hardly matters. The other networks would double the time, so their tests with SGD are long ones.
WITH_SGD = ("dense_baseline", "cnn_bn_valid")


@pytest.hookimpl(tryfirst=True)  # before marks select tests
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests of SGD as long, except those of WITH_SGD."""
    for item in items:
        values = item.callspec.params if isinstance(item, pytest.Function) and hasattr(item, "callspec") else {}
        if values.get("optimizer") == "sgd" and values.get("model") not in WITH_SGD:
            item.add_marker(pytest.mark.long)


@pytest.fixture(scope="session")
def altered() -> Callable[[], AbstractContextManager[object]]:
    """Give the workers of the three implementations more_networks."""

    @contextmanager
    def with_more_networks() -> Iterator[None]:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("PYTHONPATH", str(SUPPORT), prepend=os.pathsep)
            for name in ("torch", "keras", "tf_lowlevel"):
                patch.setitem(IMPLEMENTATIONS, name, replace(IMPLEMENTATIONS[name], module=f"more_networks.in_{name}"))
            yield

    return with_more_networks
