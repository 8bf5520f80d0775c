"""Detect any execution of code, by the audit events that Python raises."""

import codecs
import sys
from collections.abc import Iterator
from contextlib import contextmanager

WATCHED = (
    "compile", "ctypes.", "exec", "import", "marshal.", "os.", "pickle.find_class", "shutil.", "socket.", "subprocess.",
)  # fmt: skip
# Python imports these when a pickle first contains text written in them, which is harmless.
ENCODINGS = ("ascii", "latin-1", "raw-unicode-escape", "unicode-escape", "utf-8")

_heard: list[list[str]] = []
_installed: list[bool] = []


@contextmanager
def alarm() -> Iterator[list[str]]:
    """Yield the watched events that happen in the block: an import, a command, a look-up by an ordinary unpickler,
    ..."""
    if not _installed:
        sys.addaudithook(_hook)  # cannot be removed, so it is added only once
        _installed.append(True)
    for encoding in ENCODINGS:
        codecs.lookup(encoding)
    _heard.append([])
    try:
        yield _heard[-1]
    finally:
        _heard.pop()


def _hook(event: str, _: tuple[object, ...]) -> None:
    if _heard and event.startswith(WATCHED):
        _heard[-1].append(event)
