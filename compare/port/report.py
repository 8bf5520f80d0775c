"""The report of two models: pure functions from the record to the files of the output folder."""

from compare.folders.manifest import Manifest
from compare.port import words
from compare.port.picture import drawing
from compare.port.record import RECORD, PortRecord
from compare.reporting.html_page import LATE, Rendered, with_page
from compare.reporting.markdown import markdown_environment

PAIR_HEADINGS = ("left", "right", "kind", "difference", "may be", "in training")


def render(record: PortRecord, manifest: Manifest, times: str = "") -> Rendered:
    """The content of every file, by its path in the output folder. `times`: a section of both models' times."""
    template = markdown_environment().get_template("port.md.j2")
    text = template.render(
        record=record,
        verdict=words.verdict(record),
        notes=words.notes(record),
        size=words.size,
        places=words.places,
        why=words.why,
        number=lambda loss: "not finite" if loss is None else f"{loss:.9g}",
        headings=PAIR_HEADINGS,
        times=times,
        command=manifest.command,
        version=manifest.version,
        commit=manifest.commit,
    )
    files = {"report.md": text.encode(), RECORD: record.model_dump_json(indent=1).encode()}
    return with_page(files, {LATE: lambda _: drawing(record)})


def pair_cells(record: PortRecord) -> list[list[str]]:
    """The table of pairs, a line each."""
    return [
        [p.left, p.right, p.kind, words.size(p.distance), words.size(p.bound), words.size(p.training_distance)]
        for p in record.pairs
    ]
