"""Evaluate every row of the ledger once for all tests of this folder."""

from collections.abc import Callable

import pytest

from compare.parity.ledger.answers import Line, ask
from compare.processes.session import Session
from shared.ledger import ROWS


@pytest.fixture(scope="session")
def lines(session_for: Callable[[str, str], Session]) -> dict[str, Line]:
    sessions = {name: session_for(name, "dense_baseline") for name in ("torch", "keras", "tf_lowlevel")}
    return {name: ask(row, sessions) for name, row in ROWS.items()}
