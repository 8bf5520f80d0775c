"""A run with a parity check reports the result in its own report."""

import json
import sys
from pathlib import Path

import pytest

from compare.__main__ import main
from compare.commands.verify import problems

QUICK = "--dataset digits --model dense_baseline --epochs 1 --parity --json --quiet"


def run(monkeypatch: pytest.MonkeyPatch, out: Path, implementations: str, *more: str) -> int:
    options = [*QUICK.split(), "--implementations", implementations, "--out", str(out), *more]
    monkeypatch.setattr(sys, "argv", ["compare", *options])
    with pytest.raises(SystemExit) as caught:
        main()
    return int(caught.value.code or 0)


@pytest.mark.slow
def test_the_report_holds_the_ladder_and_the_verdict(
    numpy_implementations: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """One of three updates its weights with a wrong rate. The exit code reports it too."""
    monkeypatch.setenv("NUMPY_FAULTY", "rate")
    assert run(monkeypatch, tmp_path / "out", numpy_implementations) == 1
    (said,) = [text for text in json.loads(capsys.readouterr().out)["verdicts"] if text.startswith("Parity")]
    assert "numpy_faulty" in said

    out = tmp_path / "out"
    text, page = (out / "report.md").read_text(), (out / "report.html").read_text()
    before, _, sections = text.partition("\n## ")
    assert f"- {said}" in before
    assert "### dense_baseline, seed 0" in sections
    assert text.count("The command") == 1
    for path in (line.split("](")[1].rstrip(")") for line in text.splitlines() if line.startswith("![")):
        assert (out / path).is_file(), path
    charts = page.count('<figure class="chart"')  # charts replace pictures
    assert charts > 0
    assert page.count('src="data:image') + charts == text.count("![")
    assert "`parity/ladder.csv` has every tensor" in text
    assert (out / "parity" / "ladder.csv").stat().st_size > 1000
    assert problems(out) == []


@pytest.mark.parametrize(
    ("implementations", "more", "said"),
    [
        ("numpy", (), "Name two or more"),
        ("numpy,numpy_again", ("--recipe", "idiomatic"), "matched recipe"),
        ("numpy,numpy_again", ("--mixed-precision", "bfloat16"), "matched recipe in float32"),
    ],
)
def test_what_there_is_nothing_to_compare_of(
    implementations: str,
    more: tuple[str, ...],
    said: str,
    numpy_implementations: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run(monkeypatch, tmp_path / "out", implementations, *more) == 2
    assert said in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
