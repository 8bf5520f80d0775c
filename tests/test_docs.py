"""Every file that the documentation links to exists."""

import importlib.util
import re
from pathlib import Path
from types import SimpleNamespace

import pytest

from shared.ledger import ROWS

ROOT = Path(__file__).parents[1]
_hooks = importlib.util.spec_from_file_location("site_hooks", ROOT / "docs" / "site_hooks.py")
assert _hooks is not None
assert _hooks.loader is not None
site_hooks = importlib.util.module_from_spec(_hooks)
_hooks.loader.exec_module(site_hooks)
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
    for page in [*PAGES, *(ROOT / "docs" / "reference").glob("**/*.md")]:
        for target in re.findall(r"\]\((?!https?:|#)([^)#\s]+)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.name}: {target}"


def slug(heading: str) -> str:
    """Return the anchor that GitHub and the site give a heading."""
    text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).strip().lower()
    return re.sub(r"[^\w\- ]", "", text).replace(" ", "-")


def headings(page: Path) -> list[str]:
    """Return the anchors of a page, ignoring code blocks."""
    text = re.sub(r"^```.*?^```", "", page.read_text(), flags=re.M | re.S)
    return [slug(heading) for heading in re.findall(r"^#+ (.+)$", text, flags=re.M)]


def dead_anchors(page: Path) -> list[str]:
    """Return links to headings that do not exist."""
    text = re.sub(r"^```.*?^```|`[^`\n]*`", "", page.read_text(), flags=re.M | re.S)
    found = []
    for target, anchor in set(re.findall(r"\]\((?!https?:)([^)#\s]*)#([^)\s]+)\)", text)):
        aim = page.parent / target if target else page
        if aim.suffix == ".md" and aim.exists() and anchor not in headings(aim):
            found.append(f"{target}#{anchor}")
    return found


def test_links_to_headings_lead_somewhere() -> None:
    pages = [page for page in PAGES if page.name != "ledger.md"]  # a test of the ledger has its rows
    assert {page.name: dead for page in pages if (dead := dead_anchors(page))} == {}


def test_a_dead_anchor_is_found(tmp_path: Path) -> None:
    page = tmp_path / "a.md"
    page.write_text("# One `two`: three\n\n[x](#one-two-three) [y](#nowhere) [z](a.md#no)\n\n```\n# no\n```\n")
    assert sorted(dead_anchors(page)) == ["#nowhere", "a.md#no"]


def test_every_page_is_in_the_navigation_of_the_site() -> None:
    nav = (ROOT / "mkdocs.yml").read_text().partition("\nnav:\n")[2]
    named = re.findall(r": ([\w/.-]+\.md)$", nav, flags=re.M)
    assert len(named) == len(set(named))
    assert [name for name in named if not (ROOT / "docs" / name).is_file()] == []
    assert {path.name for path in (ROOT / "docs").glob("*.md")} - set(named) == set()


def test_the_site_has_no_links_out_of_it() -> None:
    page = SimpleNamespace(file=SimpleNamespace(src_uri="architecture.md"))
    text = "[shared/models.py](../shared/models.py), [that](../compare/x.py), [options](options.md), [a](https://b.c)"
    assert site_hooks.on_page_markdown(text, page) == (
        "shared/models.py, that (`compare/x.py`), [options](options.md), [a](https://b.c)"
    )
    nested = SimpleNamespace(file=SimpleNamespace(src_uri="reference/README.md"))
    assert site_hooks.on_page_markdown("[bench](../bench.md)", nested) == "[bench](../bench.md)"


def test_the_readme_is_short_and_counts_the_ledger() -> None:
    text = (ROOT / "README.md").read_text()
    assert len(text.splitlines()) <= 120
    assert f"Five of the {len(ROWS)} rows of [the ledger]" in text
