"""Fixtures for tests of fetching."""

import gc
from collections.abc import Callable, Iterator

import pytest
from mirrors import Server

from shared.data import fetch


@pytest.fixture
def serve(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[dict[str, object]], Server]]:
    """Start a server of the given files; any number in a test, asked without a proxy and without long pauses."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr(fetch, "PAUSE_S", 0.01)
    servers: list[Server] = []

    def start(files: dict[str, object]) -> Server:
        servers.append(Server(files))
        return servers[-1]

    yield start
    for server in servers:
        server.close()
    # A connection left to the collector is a ResourceWarning, thus an error, here and not in some later test.
    gc.collect()
