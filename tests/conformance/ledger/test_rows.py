"""Every row of the ledger matches its text in the frameworks' own form and agrees in the aligned one. The page shows
it."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from compare.commands import parity_ledger
from compare.options.parity import ParityOptions
from compare.parity.ledger.answers import Line
from compare.parity.ledger.page import page
from compare.reporting.screen import PLAIN
from shared.ledger import GROUPS, ROWS, SYMPTOMS

PAGE = Path(__file__).parents[3] / "docs" / "ledger.md"
FEWEST_ROWS = 90


def test_there_are_enough_rows_that_differ() -> None:
    assert sum(row.differs for row in ROWS.values()) >= FEWEST_ROWS


def test_no_name_stands_twice() -> None:
    assert len(ROWS) == sum(map(len, GROUPS.values()))


@pytest.mark.parametrize("name", ROWS)
def test_a_row_says_what_it_leads_from(name: str) -> None:
    row = ROWS[name]
    assert set(row.symptoms) <= set(SYMPTOMS)
    assert row.symptoms or not row.differs
    sentences = (row.question, row.first, row.second, row.aligned)
    assert all(text and not text.endswith(".") and "\n" not in text for text in sentences)


def test_every_symptom_leads_to_a_row() -> None:
    assert set(SYMPTOMS) == {symptom for row in ROWS.values() for symptom in row.symptoms}


@pytest.mark.slow
@pytest.mark.parametrize("name", ROWS)
def test_a_row_is_as_stated_and_agrees_once_aligned(name: str, lines: dict[str, Line]) -> None:
    line = lines[name]
    assert line.as_stated, f"own forms: {line.own:.2e}, {line.example}"
    assert line.agrees, f"aligned forms: {line.aligned:.2e}"
    assert not any(np.isnan(answer.astype(float)).any() for answer in line.answers["aligned"])


@pytest.mark.slow
def test_the_page_is_what_the_rows_say(lines: dict[str, Line]) -> None:
    assert PAGE.read_text(encoding="utf-8") == page(list(lines.values()))


@pytest.fixture
def answered(lines: dict[str, Line], monkeypatch: pytest.MonkeyPatch) -> dict[str, Line]:
    """Give the command these lines without starting a worker.

    What a test changes here changes what the command gets.
    """
    changed = dict(lines)
    monkeypatch.setattr(parity_ledger, "_ask", lambda rows, timeout, screen: [changed[row.name] for row in rows])
    return changed


@pytest.mark.slow
@pytest.mark.usefixtures("answered")
def test_the_command_writes_the_page(tmp_path: Path) -> None:
    out = tmp_path / "ledger.md"
    assert parity_ledger.command(ParityOptions(ledger=True, out=out), PLAIN) == 0
    assert out.read_text(encoding="utf-8") == PAGE.read_text(encoding="utf-8")


@pytest.mark.slow
@pytest.mark.parametrize("width", [60, 80, 200])
def test_no_word_of_a_row_is_cut(
    width: int, answered: dict[str, Line], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    console = PLAIN.console(width)
    monkeypatch.setattr(type(PLAIN), "console", lambda self: console)
    assert parity_ledger.command(ParityOptions(ledger=True), PLAIN) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "…" not in said
    for line in answered.values():
        row = line.row
        for text in (row.name, row.question, row.first, row.second, *([row.aligned] if row.differs else [])):
            assert " ".join(text.split()) in said


@pytest.mark.slow
def test_the_command_shows_a_row_with_its_code(answered: dict[str, Line], capsys: pytest.CaptureFixture[str]) -> None:
    assert parity_ledger.command(ParityOptions(row=("batchnorm-epsilon",)), PLAIN) == 0
    said = capsys.readouterr().out
    for part in (
        "nn.BatchNorm1d(4, eps=1e-3)",
        "layers.BatchNormalization()",
        "batch_norm.epsilon",
        "1 row: 1 differs",
    ):
        assert part in said


@pytest.mark.slow
def test_a_row_that_does_not_agree_fails(answered: dict[str, Line], capsys: pytest.CaptureFixture[str]) -> None:
    line = answered["batchnorm-epsilon"]
    first, second = line.answers["aligned"]
    answered["batchnorm-epsilon"] = replace(line, answers={**line.answers, "aligned": (first, 2 * second)})
    assert parity_ledger.command(ParityOptions(row=("batchnorm-epsilon",)), PLAIN) == 1
    assert "batchnorm-epsilon: the aligned forms do not agree (5.0e-01)." in capsys.readouterr().out


@pytest.mark.slow
def test_a_row_that_no_longer_differs_fails(answered: dict[str, Line], capsys: pytest.CaptureFixture[str]) -> None:
    line = answered["batchnorm-epsilon"]
    first, _ = line.answers["own"]
    answered["batchnorm-epsilon"] = replace(line, answers={**line.answers, "own": (first, first)})
    assert parity_ledger.command(ParityOptions(row=("batchnorm-epsilon",)), PLAIN) == 1
    assert "batchnorm-epsilon: the frameworks' own forms do not differ (0.0e+00)." in capsys.readouterr().out
