"""docs/decisions.md has numbered records with a date and a status, and an index of them."""

import re

import pytest
from decisions import FIRST, PAGE, decisions, written

RECORDS = decisions(PAGE.read_text())


def test_the_index_is_that_of_the_records() -> None:
    assert PAGE.read_text() == written(PAGE.read_text()), "run python tests/support/decisions.py"


def test_numbers_follow_each_other() -> None:
    assert [record.number for record in RECORDS] == list(range(1, len(RECORDS) + 1))


def test_a_changed_record_names_a_later_one() -> None:
    changed = [record for record in RECORDS if record.status != "accepted"]
    assert changed
    for record in changed:
        by = int(record.status.split()[-1])
        assert (record.number or 0) < by <= len(RECORDS), f"{record.title} is changed by {by}"


def test_anchors_differ_and_hold_in_any_renderer() -> None:
    """No title has characters that leave two hyphens, of which MkDocs makes one and GitHub does not."""
    anchors = [record.anchor for record in RECORDS]
    assert len(set(anchors)) == len(anchors)
    assert [anchor for anchor in anchors if "--" in anchor] == []


def test_a_record_without_a_number_gets_the_next_one() -> None:
    page = PAGE.read_text() + "\n## Two rows are one\n\n*2027-01-02 · accepted · Parity*\n\nThey were equal.\n"
    added = decisions(written(page))[-1]
    assert (added.number, added.title, added.text) == (len(RECORDS) + 1, "Two rows are one", "They were equal.")
    assert f"[Two rows are one](#{len(RECORDS) + 1}-two-rows-are-one)" in written(page)


@pytest.mark.parametrize("line", ["", "*2027-01-02 · Parity*\n\n", "*2027-01-02 · rejected · Parity*\n\n"])
def test_a_record_without_its_line_is_refused(line: str) -> None:
    with pytest.raises(ValueError, match="Two rows"):
        decisions(PAGE.read_text() + f"\n## Two rows are one\n\n{line}They were equal.\n")


def test_lines_are_at_most_120_wide() -> None:
    records = PAGE.read_text().split(FIRST)[1]
    wide = [line for line in records.splitlines() if len(line) > 120 and not line.startswith(("|", "## "))]
    assert [line for line in wide if not re.fullmatch(r"\S+", line)] == []
