"""The ledger: every row parts in the frameworks' own form, agrees in the aligned one, and docs/ledger.md says so."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from compare.__main__ import main
from compare.parity.ledger import Line, ask, page
from compare.parity.workers import Workers
from shared.ledger import ROWS

PAGE = Path(__file__).parents[3] / "docs" / "ledger.md"


@pytest.fixture(scope="module")
def lines(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Line]]:
    with Workers(tmp_path_factory.mktemp("logs"), "cpu", 120.0) as workers:
        sessions = workers.start(["torch", "keras", "tf_lowlevel"])
        yield {name: ask(row, sessions) for name, row in ROWS.items()}


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


@pytest.mark.slow
def test_the_command_prints_the_rows_asked_for(monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    monkeypatch.setattr(sys, "argv", ["compare", "parity", "--row", "batchnorm-fused"])
    with pytest.raises(SystemExit) as caught:
        main()
    assert caught.value.code == 0
    assert "1 of 1 rows part, 1 agree once aligned." in capsys.readouterr().out
