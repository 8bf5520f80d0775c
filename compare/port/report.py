"""Render the report on two models: pure functions from the record to the files of the output folder."""

from collections.abc import Sequence

from compare.analysis.headline import Headline
from compare.folders.manifest import Manifest
from compare.port import fit_pictures, learning_words, words
from compare.port.picture import drawing
from compare.port.record import RECORD, PortRecord
from compare.reporting.html_page import LATE, Drawing, Rendered, with_page
from compare.reporting.markdown import markdown_environment

PAIR_HEADINGS = ("left", "right", "kind", "difference", "bound", "in training")


def render(record: PortRecord, manifest: Manifest, times: str = "", speed: Sequence[Headline] = ()) -> Rendered:
    """Return the content of every file, by its path in the output folder. `times` is a section on both models' times;
    `speed` are its results, as further lines of the verdict."""
    template = markdown_environment().get_template("port.md.j2")
    text = template.render(
        record=record,
        headlines=[words.headline(record), *speed],
        notes=words.notes(record),
        size=words.size,
        places=words.places,
        why=words.why,
        number=lambda loss: "not finite" if loss is None else f"{loss:.9g}",
        headings=PAIR_HEADINGS,
        stage_headings=learning_words.STAGE_HEADINGS,
        stage_cells=learning_words.stage_cells,
        times=times,
        command=manifest.command,
        version=manifest.version,
        commit=manifest.commit,
    )
    files = {"report.md": text.encode(), RECORD: record.model_dump_json(indent=1).encode()}
    drawings: dict[str, Drawing] = {LATE: lambda _: drawing(record)}
    fit = record.learning.fit if record.learning is not None else None
    if fit is not None:
        from compare.reporting import plots  # Matplotlib, which is needed here only

        figures = {"waterfall": fit_pictures.waterfall(fit), "losses": fit_pictures.losses(fit)}
        files |= {f"{name}.png": plots.to_png(figure) for name, figure in figures.items()}
        files |= {f"{name}.svg": plots.to_svg(figure) for name, figure in figures.items()}
        drawings["waterfall.png"] = fit_pictures.bar_chart(fit).markup
        drawings["losses.png"] = fit_pictures.chart(fit).markup
    return with_page(files, drawings)


def pair_cells(record: PortRecord) -> list[list[str]]:
    """Return the table of pairs, one list of cells per line."""
    return [
        [p.left, p.right, p.kind, words.size(p.distance), words.size(p.bound), words.size(p.training_distance)]
        for p in record.pairs
    ]
