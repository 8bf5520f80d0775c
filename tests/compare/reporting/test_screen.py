"""What commands print for people, for machines, or not at all."""

import json
import sys
from pathlib import Path

import pytest

from compare.__main__ import main
from compare.reporting.screen import Screen, print_lines, table, wrapped

QUICK = ["--dataset", "digits", "--model", "dense_baseline", "--implementations", "numpy", "--epochs", "1"]


def command(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> int:
    monkeypatch.setattr(sys, "argv", ["compare", *map(str, arguments)])
    with pytest.raises(SystemExit) as caught:
        main()
    return int(caught.value.code or 0)


def test_json_alone_is_on_standard_output(capsys: pytest.CaptureFixture[str]) -> None:
    screen = Screen(as_json=True)
    screen.console().print(table(["a"], [["1"]], ()))
    screen.say("a sentence")
    screen.note("under way")
    screen.answer(folder=Path("x"), n=1, nothing=None)
    out, err = capsys.readouterr()
    assert json.loads(out) == {"folder": "x", "n": 1, "nothing": None}
    assert err == "under way\n"


def test_no_number_for_machines_is_nan() -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        Screen(as_json=True).answer(accuracy=float("nan"))


def test_quiet_says_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    screen = Screen(quiet=True)
    screen.console().print("a table")
    screen.say("a sentence")
    screen.note("under way")
    screen.answer(n=1)
    assert capsys.readouterr() == ("", "")


def test_text_that_looks_like_markup_stays_text(capsys: pytest.CaptureFixture[str]) -> None:
    Screen().say("[bold]x[/bold] :smile:")
    Screen().console().print(table(["[red]a"], [["[b]1"]], (), title="[i]t"))
    out = capsys.readouterr().out
    assert "[bold]x[/bold] :smile:" in out
    for text in ("[red]a", "[b]1", "[i]t"):
        assert text in out


@pytest.mark.parametrize("console_width", [40, 80, 120, 250, 1000])
@pytest.mark.parametrize("folded", [(), ("what", "how")])
def test_no_table_loses_anything(
    console_width: int, folded: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    """Tables are whole, folded or in blocks, within the console's width."""
    headings = ["row", "what", "how", "distance"]
    sentence = "a sentence of a good many words that goes on and on until it is wider than a window of eighty"
    lines = [["convolution-same", sentence, sentence.upper(), "1.5"], ["epoch-loss", "short", "SHORT", "< 1e-12"]]
    print_lines(Screen().console(console_width), headings, lines, ("row", "what", "how"), "Title", folded)
    shown = capsys.readouterr().out
    assert "…" not in shown
    assert all(len(line) <= console_width for line in shown.splitlines())
    for whole in ("Title", "convolution-same", "epoch-loss", "1.5", "< 1e-12", *headings):
        assert whole in shown
    for word in sentence.split():
        assert word in shown
        assert word.upper() in shown


@pytest.mark.parametrize("width", [60, 80, 100, 200])
def test_prose_ends_its_lines_between_words(width: int) -> None:
    path = "runs/" + "x" * 90
    text = (
        f"   fix (right): a sentence of a good many words that goes on until it is wider than a window; see {path} now"
    )
    lines = wrapped(text, width)
    assert " ".join(" ".join(lines).split()) == " ".join(text.split())
    assert all(len(line) <= width for line in lines if path not in line)
    assert len([line for line in lines if line.endswith(path) or f"{path} " in line]) == 1
    assert lines[0].startswith("   fix")
    assert all(line.startswith("     ") for line in lines[1:])


def test_what_fits_stays_as_it_is() -> None:
    for text in ("", "1. padding.side          conv2 / conv2d_1: (1,1) / (0,1)"):
        assert wrapped(text, 80) == [text]


def test_a_terminal_gets_lines_and_a_pipe_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    text = "the outputs agree " * 10
    Screen().say(text)
    assert capsys.readouterr().out.splitlines() == [text]
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", "60")
    Screen().say(text)
    Screen().note(text)
    for said in capsys.readouterr():
        lines = said.splitlines()
        assert len(lines) == 4
        assert all(len(line) <= 60 for line in lines)


def test_text_in_blocks_is_not_markup(capsys: pytest.CaptureFixture[str]) -> None:
    print_lines(Screen().console(20), ["a", "b"], [["[red]x", "[b]" + "y" * 30]], ())
    shown = capsys.readouterr().out
    assert "a: [red]x" in shown
    assert "[b]" in shown


def test_nothing_is_coloured_where_no_color_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("FORCE_COLOR", "1")  # as on a terminal
    console = Screen().console()
    with console.capture() as caught:
        console.print(table(["a"], [["1"]], (), title="bold"))
        console.print("green", style="green")
    assert "\x1b[32m" not in caught.get()


@pytest.mark.slow
def test_a_run_for_machines(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], numpy_implementation: str
) -> None:
    out = tmp_path / "out"
    assert command(monkeypatch, *QUICK, "--out", out, "--json", "--quiet") == 0
    said, err = capsys.readouterr()
    found = json.loads(said)
    assert err == ""
    assert found["folder"] == str(out)
    assert found["runs"][0]["test_accuracy"] > 0.5
    assert found["runs"][0]["peak_device_bytes"] is None
    assert found["verdicts"]
    assert (found["pairs"], found["over_seeds"][0]["n"]) == ([], 1)

    assert command(monkeypatch, "verify", out, "--json") == 0
    assert json.loads(capsys.readouterr().out) == {"folder": str(out), "problems": [], "not_compared": None}
    assert command(monkeypatch, "report", out, "--json") == 0
    assert json.loads(capsys.readouterr().out) == {"folder": str(out), "changed": []}
    assert command(monkeypatch, "diff", out, out, "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["settings"], found["worse"]) == ([], [])
    # A run of one epoch has too few turns for an interval of its step time.
    assert {change["what"]: change["moved"] for change in found["changes"]} == {
        "accuracy": "within noise",
        "step time": "not known",
    }


@pytest.mark.slow
def test_a_quiet_run_says_why_it_failed_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], numpy_implementation: str
) -> None:
    monkeypatch.setenv("NUMPY_IMPL_FAULT", "nan")
    assert command(monkeypatch, *QUICK, "--out", tmp_path / "out", "--quiet") == 1
    said, err = capsys.readouterr()
    assert said == ""
    assert "numpy-seed0 diverged: the loss of epoch 1, step 3 is nan" in err
