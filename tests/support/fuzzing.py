"""Generate bad input by the thousand, similar to good input, and check the limits that readers must keep."""

import copy
import json
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

MOST_BYTES = 1 << 30
MOST_S = 20.0

# Values that break readers: lengths that overflow, counts that are endless, ends that are early.
WORDS = [b"\0\0\0\0", b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", b"\xff\xff\xff\x7f", b"\x1f\x8b", b"PK\x05\x06"]
TEXTS = ["", "NaN", "torch", "../../etc/passwd", "|\n`<script>", "x" * 10_000]
NUMBERS = [-1, 0, 1, 2**31, 2**63, 2**64, 10**400, -0.0, 0.5, 1e-320, 1e308, -1e308, float("nan"), float("inf")]
VALUES = [None, True, *TEXTS, *NUMBERS, [], {}, [[]], {"a": {}}, [0] * 1_000]


def quick(n_examples: int) -> settings:
    """Return settings with a fixed set of examples."""
    return settings(_settings(n_examples), derandomize=True)


def thorough(n_examples: int) -> settings:
    """Return settings with other examples every time."""
    return _settings(n_examples)


def _settings(n_examples: int) -> settings:
    unhealthy = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.function_scoped_fixture]
    return settings(
        max_examples=n_examples, deadline=None, database=None, suppress_health_check=unhealthy, print_blob=False
    )


@st.composite
def changed(draw: st.DrawFn, good: bytes) -> bytes:
    """Draw `good` with some changes, or occasionally something unrelated.

    Most changes are near its ends, where headers and directories are.
    """
    if draw(st.integers(0, 19)) == 0:
        return draw(st.binary(max_size=300))
    content = bytearray(good)
    for _ in range(draw(st.integers(1, 4))):
        at = draw(_place(len(content)))
        match draw(st.sampled_from(["flip", "cut", "drop", "word", "insert", "repeat"])):
            case "flip" if at < len(content):
                content[at] ^= draw(st.integers(1, 255))
            case "cut":
                del content[at:]
            case "drop":
                del content[at : at + draw(st.integers(1, 64))]
            case "word":
                word = draw(st.sampled_from(WORDS))
                content[at : at + len(word)] = word
            case "insert":
                content[at:at] = draw(st.binary(max_size=32))
            case "repeat":
                content[at:at] = content[at : at + draw(st.integers(1, 256))]
    return bytes(content)


def _place(size: int) -> st.SearchStrategy[int]:
    near = min(size, 160)
    return st.one_of(
        st.integers(0, near), st.integers(0, near).map(lambda back: max(0, size - back)), st.integers(0, size)
    )


@st.composite
def changed_json(draw: st.DrawFn, good: bytes) -> bytes:
    """Draw a JSON text with some values replaced, removed, doubled or of another kind, and occasionally no JSON."""
    if draw(st.integers(0, 9)) == 0:
        return draw(changed(good))
    document = json.loads(good)
    for _ in range(draw(st.integers(1, 3))):
        document = _with_change(draw, document)
    return json.dumps(document).encode()


def _with_change(draw: st.DrawFn, document: Any) -> Any:
    """Return `document` with one value changed somewhere."""
    inner = list(document) if isinstance(document, dict) else range(len(document)) if isinstance(document, list) else ()
    if not inner or draw(st.integers(0, 5)) == 0:
        return copy.deepcopy(draw(st.sampled_from(VALUES)))
    where = draw(st.sampled_from(inner))
    match draw(st.sampled_from(["into", "into", "into", "into", "leave out", "double", "rename"])):
        case "leave out":
            del document[where]
        case "double" if isinstance(document, list):
            document.insert(where, copy.deepcopy(document[where]))
        case "rename" if isinstance(document, dict):
            document[f"{where}_"] = document.pop(where)
        case _:
            document[where] = _with_change(draw, document[where])
    return document


@contextmanager
def bounded() -> Iterator[None]:
    """Raise an error if the block takes too long, or too much memory at any moment."""
    Path("/proc/self/clear_refs").write_text("5")  # resets the peak of memory
    before = _kilobytes("VmRSS")
    signal.signal(signal.SIGALRM, _too_long)
    signal.setitimer(signal.ITIMER_REAL, MOST_S)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
    taken = (_kilobytes("VmHWM") - before) * 1024
    assert taken < MOST_BYTES, f"it took {taken:,} bytes"


class TooLong(BaseException):
    """Time is up. It is no Exception, because a reader must not handle it as its own error."""


def _too_long(*_: object) -> None:
    raise TooLong


def _kilobytes(of: str) -> int:
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith(of))
    return int(line.split()[1])
