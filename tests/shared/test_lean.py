"""Libraries are imported at less cost."""

import subprocess
import sys

import pytest

from shared import lean
from shared.lean import without


@pytest.mark.parametrize("collecting", [True, False])
def test_what_is_made_for_good_is_not_searched(collecting: bool) -> None:
    """They are searched neither during the block nor later. Garbage collection is restored, even after a failure. The
    test has its own process, because nothing else must be frozen."""
    code = f"""
import gc
from shared.lean import for_good
{"" if collecting else "gc.disable()"}
before = gc.get_freeze_count()
try:
    with for_good():
        assert not gc.isenabled()
        made = [[] for _ in range(1000)]
        raise KeyError
except KeyError:
    pass
assert gc.isenabled() is {collecting}
assert gc.get_freeze_count() >= before + 1000
assert not any(each is made for each in gc.get_objects())
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_modules_are_hidden_for_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "this", raising=False)
    with without("this"), pytest.raises(ImportError):
        import this  # noqa: F401
    assert "this" not in sys.modules


@pytest.mark.parametrize("plainly", [False, True])
def test_a_process_that_is_measured_imports_what_a_users_would(monkeypatch: pytest.MonkeyPatch, plainly: bool) -> None:
    """Nothing is hidden from a framework imported there. Elsewhere its optional libraries are."""
    monkeypatch.setattr(lean, "_plain", False)
    for name in (*lean.OPTIONAL, "this"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    if plainly:
        lean.import_plainly()
    with lean.lean_import("this"):
        hidden = [name for name in (*lean.OPTIONAL, "this") if name in sys.modules]
    assert hidden == ([] if plainly else [*lean.OPTIONAL, "this"])
    assert "this" not in sys.modules
