"""The fixtures of these tests, and a summary of them by tier."""

import pytest

from compare.conformance.fixtures import (  # noqa: F401
    altered,
    computing,
    has_the_tier,
    lacking,
    pytest_generate_tests,
    reference,
    session_for,
    trace,
)
from compare.worker.tiers import NEEDED_FOR

Stats = dict[str, list[pytest.TestReport]]
TIERS = ("train", *NEEDED_FOR)
UNTESTED = ("ledger",)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Note the tier of each test, for the summary."""
    for item in items:
        if marked := item.get_closest_marker("tier"):
            item.user_properties.append(("tier", marked.args[0]))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Report for each tier how many of its tests pass, or what it lacks."""
    terminalreporter.section("tiers of shared/protocol.py")
    for tier in TIERS:
        passed, failed, skipped = (
            [report for report in _reports(terminalreporter.stats, kinds) if _tests(report, tier)]
            for kinds in (("passed",), ("failed", "error"), ("skipped",))
        )
        why = dict.fromkeys(_reason(report) for report in skipped)
        if passed or failed:
            verdict = "not yet" if failed else "complete"
            why = {f"{verdict}; {len(passed)} of {len(passed) + len(failed)} tests pass": None} | why
        elif tier in UNTESTED:
            why = {"not tested here; `python -m compare parity --ledger` asks every row": None}
        for line in why or ("no test was chosen",):
            terminalreporter.write_line(f"{tier}: {line}")


def _tests(report: pytest.TestReport, tier: str) -> bool:
    """Whether a report is of a test of `tier`. A module that cannot be collected has a report, and no tier."""
    return ("tier", tier) in getattr(report, "user_properties", ())


def _reason(report: pytest.TestReport) -> str:
    return report.longrepr[2].removeprefix("Skipped: ") if isinstance(report.longrepr, tuple) else ""


def _reports(stats: Stats, kinds: tuple[str, ...]) -> list[pytest.TestReport]:
    return [report for kind in kinds for report in stats.get(kind, ()) if kind != "passed" or report.when == "call"]
