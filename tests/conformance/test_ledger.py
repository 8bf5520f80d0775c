"""The ledger: every row parts in the frameworks' own form, agrees in the aligned one, and docs/ledger.md says so."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from compare.commands import parity_ledger as ledger
from compare.options.parity import ParityOptions
from compare.parity.ledger import Line, ask, cells, page
from compare.processes.pool import Workers
from compare.processes.session import Session
from compare.reporting.screen import PLAIN
from shared.ledger import ROWS

PAGE = Path(__file__).parents[2] / "docs" / "ledger.md"


@pytest.fixture(scope="module")
def lines(session_for: Callable[[str, str], Session]) -> dict[str, Line]:
    sessions = {name: session_for(name, "dense_baseline") for name in ("torch", "keras", "tf_lowlevel")}
    return {name: ask(row, sessions) for name, row in ROWS.items()}


def test_there_are_enough_rows() -> None:
    assert len(ROWS) >= 15


@pytest.mark.slow
@pytest.mark.parametrize("name", ROWS)
def test_a_row_parts_and_then_agrees(name: str, lines: dict[str, Line]) -> None:
    assert lines[name].parts
    assert lines[name].agrees


# What the frameworks' own formulas give, worked out by hand.
@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "example"),
    [
        ("loss-of-probabilities", ("20", "16.12")),
        ("gradient-of-probabilities", ("-1", "0")),
        ("parameter-count", ("8", "16")),
        ("init-bias", None),
        ("batchnorm-momentum", None),
        ("pool-odd", ("shape (1, 3, 3, 1)", "shape (1, 4, 4, 1)")),
    ],
)
def test_known_values(name: str, example: tuple[str, str] | None, lines: dict[str, Line]) -> None:
    line = lines[name]
    if example is not None:
        assert line.example == example
    elif name == "init-bias":
        assert line.example[1] == "0"
        assert line.own == 1
    else:  # 1 - 0.9^5 of the mean against 1 - 0.99^5, for means that are alike
        assert line.own == pytest.approx(1 - (1 - 0.99**5) / (1 - 0.9**5), abs=0.03)


@pytest.mark.slow
def test_the_page_is_what_the_rows_say(lines: dict[str, Line]) -> None:
    assert PAGE.read_text() == page(list(lines.values()))


def test_the_command(
    lines: dict[str, Line], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """From lines that are there already: what it prints, what it writes, and its exit code."""
    monkeypatch.setattr(ledger, "ask", lambda row, sessions: lines[row.name])
    monkeypatch.setattr(Workers, "start", lambda self, names: {})
    out = tmp_path / "ledger.md"
    assert ledger.command(ParityOptions(row=("batchnorm-fused", "tf32")), PLAIN) == 0
    said = capsys.readouterr().out
    assert "2 of 2 rows part, 2 agree once aligned." in said
    for whole in (
        "batchnorm-fused",
        "tf32",
        *ledger.HEADINGS,
        *(cells(lines[name])[4] for name in ("batchnorm-fused", "tf32")),
    ):
        assert whole in said
    assert "…" not in said
    assert ledger.command(ParityOptions(ledger=True, out=out), PLAIN) == 0
    assert out.read_text() == PAGE.read_text()
    apart = replace(lines["tf32"], aligned=1.0)
    monkeypatch.setattr(ledger, "ask", lambda row, sessions: apart)
    assert ledger.command(ParityOptions(row=("tf32",)), PLAIN) == 1
    assert "tf32: the aligned forms do not agree (1.0e+00)." in capsys.readouterr().out
