"""The load by others is the machine's total minus this process's use."""

import os
from pathlib import Path

import pytest

from compare.processes import usage as module
from compare.processes.usage import Usage, usage

TICKS = os.sysconf("SC_CLK_TCK")


@pytest.fixture
def stat(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "stat"
    monkeypatch.setattr(module, "_STAT", path)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 2})
    return path


def test_only_usable_processors_count_and_idling_does_not(stat: Path) -> None:
    """A line has the ticks of user, nice, system, idle, waiting, irq, softirq and stolen time."""
    stat.write_text(
        f"cpu 9 9 9 9 9 9 9 9 0 0\ncpu0 {TICKS} 0 0 777 888 0 0 0 0 0\ncpu1 {50 * TICKS} 0 0 0 0 0 0 0 0 0\n"
        f"cpu2 0 {TICKS} {TICKS} 777 888 {TICKS} {TICKS} {TICKS} 0 0\nintr 5\n"
    )
    assert usage().all_s == pytest.approx(6.0)


@pytest.mark.parametrize("content", ["cpu0 0 0 0 0 0 0 0 0 0 0\n", "nothing\n", ""])
def test_a_system_that_does_not_tell(stat: Path, content: str) -> None:
    stat.write_text(content)
    assert usage().all_s is None
    assert usage().foreign_s(Usage(0.0, 1.0, 0)) is None


def test_no_such_file(stat: Path) -> None:
    assert usage().all_s is None


def test_what_is_foreign() -> None:
    assert Usage(3.0, 10.0, 0).foreign_s(Usage(2.0, 5.0, 0)) == pytest.approx(4.0)
    assert Usage(3.0, 5.0, 0).foreign_s(Usage(2.0, 5.0, 0)) == pytest.approx(-1.0)


def test_own_time_goes_on_with_work() -> None:
    before = usage()
    while usage().own_s < before.own_s + 0.05:
        sum(range(10_000))
    assert usage().own_s > before.own_s
