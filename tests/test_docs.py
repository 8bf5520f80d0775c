"""Every file that the documentation names is there."""

import re
from pathlib import Path

import pytest

from shared.ledger import ROWS

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
OURS = "compare|shared|tests|torch_impl|tf_impl|tf_lowlevel_impl|examples|docs"
NAMED = re.compile(rf"\b((?:{OURS})/[\w./-]*\.(?:py|md\.j2|md|toml|json))\b")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_named_files_are_there(page: Path) -> None:
    assert [name for name in NAMED.findall(page.read_text()) if not (ROOT / name).exists()] == []


def test_pages_that_the_code_names_are_there() -> None:
    code = [path for room in OURS.split("|") for path in (ROOT / room).rglob("*.py")]
    named = {name for path in code for name in re.findall(r"\bdocs/[\w-]+\.md\b", path.read_text())}
    assert {name for name in named if not (ROOT / name).is_file()} == set()
    assert "docs/port.md" in named


def test_a_file_that_is_not_there_is_found() -> None:
    assert NAMED.findall("see `compare/training/options.py` and [x](../shared/names.py)") == [
        "compare/training/options.py",
        "shared/names.py",
    ]


def test_links_lead_somewhere() -> None:
    for page in PAGES:
        for target in re.findall(r"\]\((?!https?:|#)([^)#\s]+)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_the_readme_is_short_and_counts_the_ledger() -> None:
    text = (ROOT / "README.md").read_text()
    assert len(text.splitlines()) <= 120
    assert f"Five of the {len(ROWS)} rows of [the ledger]" in text
