"""Documentation, docstrings, messages and help texts keep the rules for plain English."""

from pathlib import Path

import prose
import pytest


@pytest.mark.long  # 10 s of processor time; .ci/run has a step that does the same
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
        ("a.py", "def shown() -> str:  # nobody\n    return f'{shown} anew, held against it'\n", 4),
        ("a.py", "x = 'nobody'\n", 0),  # a single word may be a name
        ("a.md", "It came to its end, also where it is held to a bound. Look at what came of it.\n", 5),
        ("a.md", "Where it ended, in parts of the page, a part of it is held together.\n", 0),
    ],
)
def test_each_place_is_found(name: str, text: str, n: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prose, "ROOT", tmp_path)
    path = tmp_path / name
    path.write_text(text)
    found = prose.broken([path])
    assert len(found) == n
    assert all(": write " in line for line in found)


def found_in(text: str, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    monkeypatch.setattr(prose, "ROOT", tmp_path)
    (tmp_path / name).write_text(text)
    return prose.broken([tmp_path / name])


def test_names_are_nouns_or_verbs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = "def set_apart() -> int:\n    untold = 1\n    return untold\n\n\nset_apart()\n"
    assert found_in(text, "a.py", tmp_path, monkeypatch) == ["a.py:1: the name set_apart: write a noun or a verb"]


def test_no_function_is_a_participle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = "class A:\n    def _shown(self) -> int:\n        shown = 1\n        return shown\n"
    assert found_in(text, "a.py", tmp_path, monkeypatch) == ["a.py:2: the name _shown: write a noun or a verb"]
    assert found_in("def show() -> int: ...\n", "a.py", tmp_path, monkeypatch) == []


@pytest.mark.parametrize(
    ("docstring", "n"),
    [
        ("word " * 30 + "end.", 1),
        ("word " * 20 + "end. " + "Word " * 20 + "end.", 0),
        ("word " * 20 + "\n\n    " + "word " * 20, 0),  # two paragraphs
        ("Attributes:\n" + "".join(f"        {name}: {'word ' * 20}\n" for name in "ab"), 0),
        ("word " * 20 + "\n\n    - " + "word " * 20 + "\n    - " + "word " * 20, 0),
        ("`" + "word " * 40 + "` is one.", 0),
    ],
)
def test_sentences_of_docstrings_are_short(
    docstring: str, n: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = f'def f() -> None:\n    """{docstring}\n    """\n'
    assert len(found_in(text, "a.py", tmp_path, monkeypatch)) == n


@pytest.mark.parametrize(
    ("text", "n"),
    [
        ("word " * 30 + "end.", 1),
        ("word " * 20 + "end. " + "Word " * 20 + "end.", 0),
        ("word " * 20 + "\n" + "word " * 20 + "\n", 1),  # lines of one paragraph
        ("- " + "word " * 20 + "\n- " + "word " * 20 + "\n", 0),  # two items
        ("| " + "word " * 40 + "|\n\n```\n" + "word " * 40 + "\n```\n", 0),
        ("[" + "word " * 20 + "](" + "x" * 40 + ") `" + "word " * 40 + "`\n", 0),
    ],
)
def test_sentences_are_short(text: str, n: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert len(found_in(text, "a.md", tmp_path, monkeypatch)) == n


def test_sentences_of_messages_are_short(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    words = "word " * 15
    long = f'raise E(f"{words}{{x}} {words}" "end. {words}end.")\n'
    assert len(found_in(long, "a.py", tmp_path, monkeypatch)) == 1
    for text in (
        f'raise E(f"{words}{{x + y + z}} {words[:-20]}" "end. Next {words}end.")\n',
        f'STOP = "{words * 3}"\n',  # no sentence
    ):
        assert found_in(text, "a.py", tmp_path, monkeypatch) == []


def test_sentences_of_templates_are_short(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    words = "word " * 15
    text = f"{{% if x %}}{words}{{{{ a + b + c }}}}{{% else %}} {words}end.{{% endif %}} Next.\n"
    assert len(found_in(text, "a.md.j2", tmp_path, monkeypatch)) == 1
    assert found_in(text.replace("{% else %}", ". Other"), "a.md.j2", tmp_path, monkeypatch) == []


def test_the_line_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prose, "ROOT", tmp_path)
    (tmp_path / "a.py").write_text('"""One.\n\nNobody knows.\n"""\n')
    assert prose.broken([tmp_path / "a.py"]) == ["a.py:3: 'Nobody': write name who: a user, a process, no one"]
