"""The first line of a command appears soon, once, and only if there is something to wait for."""

import threading

import pytest

from compare.reporting import opening as module
from compare.reporting.opening import Opening
from compare.reporting.screen import Screen


@pytest.fixture
def opening(monkeypatch: pytest.MonkeyPatch) -> Opening:
    """Return a command's opening that waits for an hour before it appears by itself."""
    own = Opening()
    monkeypatch.setattr(module, "SILENCE_S", 3600.0)
    monkeypatch.setattr("compare.reporting.screen.opening", own)
    return own


def test_it_is_said_before_whatever_else_is(opening: Opening, capsys: pytest.CaptureFixture[str]) -> None:
    Screen().open("a study")
    assert capsys.readouterr().err == ""
    Screen().note("one thing")
    Screen().note("another")
    opening.say()
    assert capsys.readouterr().err == "compare: a study ...\none thing\nanother\n"
    opening.cancel()


def test_it_is_said_in_silence(opening: Opening, monkeypatch: pytest.MonkeyPatch) -> None:
    said = threading.Event()
    monkeypatch.setattr(module, "SILENCE_S", 0.01)
    monkeypatch.setattr("builtins.print", lambda *_, **__: said.set())
    Screen().open("a study")
    assert said.wait(600)


def test_a_command_that_has_ended_says_it_no_more(opening: Opening, capsys: pytest.CaptureFixture[str]) -> None:
    Screen().open("a study")
    opening.cancel()
    opening.say()
    Screen().open("a study")
    Screen().say("It is done.")  # the result is already there
    opening.say()
    assert capsys.readouterr().err == ""


def test_quiet_says_nothing(opening: Opening, capsys: pytest.CaptureFixture[str]) -> None:
    Screen(quiet=True).open("a study")
    opening.say()
    assert capsys.readouterr().err == ""
