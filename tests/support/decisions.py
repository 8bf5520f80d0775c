"""Write the index of docs/decisions.md and number new records: `python tests/support/decisions.py`."""

import re
from dataclasses import dataclass, replace
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "decisions.md"
HEAD = """# Decisions

What was decided, why, and what was measured. A record keeps its number and its text. If a later record changes it, its
status says which one.

To add a record, append it to this page under a heading without a number, then run `python tests/support/decisions.py`:

```
## What was decided, in one sentence

*2026-11-28 · accepted · Parity*

Why, and what was measured.
```

The line below the heading has the date, the status (`accepted`, `amended by N` or `replaced by N`) and the subject.
"""
FIRST = "\n## 1. "
HEADING = re.compile(r"^## (?:(\d+)\. )?(.+)\n", re.MULTILINE)
LINE = re.compile(r"\n\*(\d{4}-\d\d-\d\d) · (accepted|(?:amended|replaced) by \d+) · ([^*\n]+)\*\n\n")


@dataclass(frozen=True)
class Decision:
    """A record."""

    number: int | None
    title: str
    date: str
    status: str
    subject: str
    text: str

    @property
    def anchor(self) -> str:
        """Return the link to the record's heading, as GitHub makes it."""
        return re.sub(r"[^\w\- ]", "", f"{self.number}. {self.title}".lower()).replace(" ", "-")


def decisions(page: str) -> list[Decision]:
    """Return all records of the page in order. Raise ValueError if a heading lacks its line of date, status and
    subject."""
    page = page[page.index(FIRST) + 1 :]
    headings = list(HEADING.finditer(page))
    ends = [heading.start() for heading in headings[1:]] + [len(page)]
    records = []
    for heading, end in zip(headings, ends, strict=True):
        if not (line := LINE.match(page, heading.end())):
            raise ValueError(f"{PAGE.name}: below {heading[0]!r} there is no line of date, status and subject")
        number = int(heading[1]) if heading[1] else None
        records.append(Decision(number, heading[2], line[1], line[2], line[3], page[line.end() : end].strip()))
    return records


def written(page: str) -> str:
    """Return the page with its head, its index by subject, and a number for every record."""
    records = decisions(page)
    last = max(record.number or 0 for record in records)
    for place, record in enumerate(records):
        if record.number is None:
            last += 1
            records[place] = replace(record, number=last)
    parts = [HEAD]
    for subject in dict.fromkeys(record.subject for record in records):
        entries = [_entry(record) for record in records if record.subject == subject]
        parts.append(f"**{subject}**\n\n" + "\n".join(entries) + "\n")
    for record in records:
        line = f"*{record.date} · {record.status} · {record.subject}*"
        parts.append(f"## {record.number}. {record.title}\n\n{line}\n\n{record.text}\n")
    return "\n".join(parts)


def _entry(record: Decision) -> str:
    changed = "" if record.status == "accepted" else f" ({record.status})"
    return f"- {record.number} · [{record.title}](#{record.anchor}){changed}"


if __name__ == "__main__":
    PAGE.write_text(written(PAGE.read_text()))
