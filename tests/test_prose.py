"""Documentation, docstrings, messages and help texts keep the rules for plain English."""

from pathlib import Path

import prose
import pytest


def test_no_rule_is_broken() -> None:
    paths = prose.files()
    assert len(paths) > 300
    assert prose.broken(paths) == []


@pytest.mark.parametrize(
    ("name", "text", "n"),
    [
        ("a.md", "Nobody is told.\n\nIt begins\nanew where there is none.\n", 4),
        ("a.md", "`nobody`, [x](anew.md)\n\n```\nnobody\n```\n", 0),
        ("a.py", '"""Raises InputError\n    where it fails."""\n', 1),
        ("a.py", "def told() -> str:  # nobody\n    return f'{told} anew, held against it'\n", 2),
        ("a.py", "x = 'nobody'\n", 0),  # a name, not prose
    ],
)
def test_each_place_is_found(name: str, text: str, n: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prose, "ROOT", tmp_path)
    path = tmp_path / name
    path.write_text(text)
    found = prose.broken([path])
    assert len(found) == n
    assert all(": write " in line for line in found)


def test_the_line_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prose, "ROOT", tmp_path)
    (tmp_path / "a.py").write_text('"""One.\n\nNobody knows.\n"""\n')
    assert prose.broken([tmp_path / "a.py"]) == ["a.py:3: 'Nobody': write name who: a user, a process, no one"]
