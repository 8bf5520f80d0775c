"""Render the page of the ledger, in Markdown."""

from collections.abc import Sequence

from compare.parity.ledger.answers import Line, how_close, how_far
from compare.parity.ledger.code import code
from compare.reporting.markdown import markdown_environment
from shared.ledger import BITES, GROUPS, SYMPTOMS


def page(lines: Sequence[Line]) -> str:
    """Return the page for the answers to every row, in the order of GROUPS."""
    by_row = {line.row.name: line for line in lines}
    groups = {title: [by_row[row.name] for row in rows] for title, rows in GROUPS.items()}
    symptoms = {
        symptom.sentence: [line.row.name for line in lines if name in line.row.symptoms]
        for name, symptom in SYMPTOMS.items()
    }
    return (
        markdown_environment()
        .get_template("ledger.md.j2")
        .render(
            groups=groups,
            symptoms=symptoms,
            bites=BITES,
            n_rows=len(lines),
            n_alike=sum(not line.row.differs for line in lines),
            how_far=how_far,
            how_close=how_close,
            sentences={name: symptom.sentence for name, symptom in SYMPTOMS.items()},
            code=code,
        )
    )
