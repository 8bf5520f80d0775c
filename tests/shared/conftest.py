"""Fixtures for tests of fetching."""

import gc
from collections.abc import Callable, Iterator

import pytest
from mirrors import Server

from shared.data import fetch


@pytest.fixture
def serve(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[dict[str, object]], Server]]:
    """Return a function that starts a server of the given files.

    A test may start several. Requests use no proxy and have only short pauses.
    """
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr(fetch, "PAUSE_S", 0.01)
    servers: list[Server] = []

    def start(files: dict[str, object]) -> Server:
        servers.append(Server(files))
        return servers[-1]

    yield start
    for server in servers:
        server.close()
    # A connection left to the collector raises a ResourceWarning. Raise it here, not in a later test.
    gc.collect()
