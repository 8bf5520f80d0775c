"""One report on several folders: a table of all, their verdicts, joint learning curves, then each as a section."""

from collections.abc import Mapping, Sequence
from functools import partial

from compare.analysis.headline import MARKS
from compare.commands import trends
from compare.commands.entries import LEFT, Entry, cells, headings
from compare.reporting import plots
from compare.reporting.html_page import LATE, Drawing, Rendered, with_page
from compare.reporting.markdown import as_section, plain


def combined(parts: Mapping[str, Rendered], entries: Sequence[Entry]) -> Rendered:
    """Return one report from `parts`, the rendered files of each folder by its name; `entries` are theirs, in order."""
    sections: list[str] = []
    files: dict[str, bytes] = {}
    drawings: dict[str, Drawing] = {}
    for number, part in enumerate(parts.values(), 1):
        text = part["report.md"].decode()
        sections.append(as_section(text, partial(_numbered, number=number)))
        drawn = {path: content for path, content in part.items() if path.endswith((".png", ".svg"))}
        files |= {_numbered(path, number): content for path, content in drawn.items()}
        drawings |= {_numbered(path, number): each for path, each in part.drawings.items() if path != LATE}
    found = [
        f"- {MARKS[line.state]} **{plain(name)}, {plain(line.question)}**: {plain(line.answer)}"
        for name, entry in zip(parts, entries, strict=True)
        for line in entry.headline
    ]
    names = {id(entry): name for entry, name in zip(entries, parts, strict=True)}
    curves: list[str] = []
    for number, (about, chart) in enumerate(trends.joint_curves(entries, names).items(), 1):
        path = f"plots/joint-curves-{number}.png"
        figure = plots.of_chart(chart)
        files |= {path: plots.to_png(figure), path.replace(".png", ".svg"): plots.to_svg(figure)}
        drawings[path] = chart.markup
        curves += [f"![Learning curves of {plain(about)}, all folders together]({path})", ""]
    lines = [f"# {len(parts)} reports", "", *found, "", *_table(entries, names), "", *curves, *sections]
    files["report.md"] = "\n".join(lines).encode(errors="backslashreplace")
    return with_page(files, drawings)


def _table(entries: Sequence[Entry], names: Mapping[int, str]) -> list[str]:
    columns = headings(entries)
    rules = " | ".join("---" if heading in LEFT else "---:" for heading in columns)
    rows = [line for entry in entries for line in cells(entry, names[id(entry)])]
    return [
        f"| {' | '.join(columns)} |",
        f"| {rules} |",
        *(f"| {' | '.join(plain(cell) for cell in row)} |" for row in rows),
    ]


def _numbered(path: str, number: int) -> str:
    """Number a path: plots/curves.png -> plots/2-curves.png, parity/plots/drift.png -> parity/plots/2-drift.png."""
    folder, _, name = path.rpartition("/")
    return f"{folder}/{number}-{name}"
