"""Render the report of a waterfall: pure functions from its record to the files of the output folder."""

from collections.abc import Sequence

from compare.analysis.headline import Headline, stated
from compare.folders.manifest import Manifest
from compare.parity import charts
from compare.parity.plots import waterfall
from compare.parity.waterfall import FACTORS, RecipeStage, RecipeWaterfall
from compare.reporting import plots
from compare.reporting.html_page import Rendered, with_page
from compare.reporting.markdown import markdown_environment

HALF = 0.5
HEADINGS = ("matched", "loss difference", "explained", "accuracy difference", "explained")


def render(done: RecipeWaterfall, manifest: Manifest) -> Rendered:
    """Return the content of every file that is made from the record."""
    figure = waterfall(done.stages, done.model)
    page = markdown_environment().get_template("waterfall.md.j2")
    text = page.render(
        done=done,
        headlines=headlines(done.stages),
        headings=HEADINGS,
        rows=cells(done.stages),
        factors=FACTORS,
        manifest=manifest,
    )
    return with_page(
        {
            "waterfall.png": plots.to_png(figure),
            "waterfall.svg": plots.to_svg(figure),
            "report.md": text.encode(),
        },
        {"waterfall.png": charts.waterfall(done.stages, done.model).markup},
    )


def headlines(done: Sequence[RecipeStage]) -> list[Headline]:
    """Return the verdict, a line for losses and one for accuracies: the difference with the frameworks' own recipes,
    and the factor that explains most of it. It is settled if one factor explains half of it."""
    found = []
    for what, unit, measure in (
        ("losses", "", RecipeStage.loss_gap),
        ("accuracies", " points", RecipeStage.accuracy_gap),
    ):
        gaps = [measure(stage).mean for stage in done]
        if len(done) < 2 or not gaps[0]:
            found.append(stated(what.capitalize(), "with their own recipes they do not differ", True))
            continue
        shares = {stage.matched: (gaps[n] - gaps[n + 1]) / gaps[0] for n, stage in enumerate(done[1:])}
        most = max(shares, key=lambda name: shares[name])
        said = (
            f"with their own recipes they differ by {gaps[0]:.4g}{unit} on average. Most of it is explained by {most} "
            f"({shares[most]:.0%})"
        )
        found.append(stated(what.capitalize(), said, shares[most] >= HALF))
    return found


def cells(done: Sequence[RecipeStage]) -> list[list[str]]:
    """Return the rows of the table. Each stage has the distances of losses and accuracies, with the standard error over
    seeds, and the share of the whole that its factor explains."""
    rows = []
    for number, stage in enumerate(done):
        row = ["nothing" if stage.matched is None else stage.matched]
        for measure in (RecipeStage.loss_gap, RecipeStage.accuracy_gap):
            now, whole = measure(stage), measure(done[0]).mean
            explained = (measure(done[number - 1]).mean - now.mean) / whole if number and whole else None
            row += [f"{now.mean:.4f} ± {now.error:.4f}", "" if explained is None else f"{explained:.0%}"]
        rows.append(row)
    return rows
