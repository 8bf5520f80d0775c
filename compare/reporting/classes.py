"""A table of how well each class is predicted, for data with named classes."""

from collections.abc import Sequence

from compare.reporting.markdown import plain
from shared.result import RunResult

MOST_LINES = 1_000


def class_cells(results: Sequence[RunResult], names: Sequence[str]) -> tuple[list[str], list[list[str]]]:
    """Return the headings, and a line for each named class: its test images, and the share of them that each of
    `results` predicts correctly. The cells are Markdown."""
    done = [result for result in results if result.outcome]
    headings = ["class", "test images", *(result.run.implementation for result in done)]
    lines = []
    for label, name in enumerate(names[:MOST_LINES]):
        if not done:
            break
        rows = [result.outcome.confusion[label] for result in done if result.outcome]
        n = sum(rows[0])
        lines.append([plain(name), f"{n:,}", *(f"{row[label] / n:.2%}" if n else "" for row in rows)])
    return headings, lines
