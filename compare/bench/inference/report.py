"""Render the report of a bench of inference, with its picture and its tables as files, from the record alone."""

from compare.bench.inference import charts, tables, verdicts
from compare.bench.inference.plots import picture
from compare.bench.inference.record import InferenceResult
from compare.folders import tabular
from compare.folders.manifest import Manifest
from compare.reporting import plots, waiting
from compare.reporting.html_page import Rendered, with_page
from compare.reporting.markdown import markdown_environment


def render(result: InferenceResult, manifest: Manifest) -> Rendered:
    """Return the content of every file that is made from the record, by its path in the output folder."""
    figure = picture(result)
    environments = {(e.framework, e.framework_version): e for e in result.environments.values()}
    variables = result.served[0].variables
    text = (
        markdown_environment()
        .get_template("inference.md.j2")
        .render(
            result=result,
            headlines=verdicts.headlines(result),
            warnings=verdicts.warnings(result),
            ended=verdicts.why_ended(result),
            columns=list(tables.columns(result)),
            left_aligned=tables.LEFT_ALIGNED,
            cells=tables.cells(result),
            least_calls=verdicts.LEAST_CALLS,
            allocator=" ".join(f"{k}={v}" for k, v in variables.items() if k.startswith("MALLOC_")),
            waiting=waiting.sentence(one.waiting for one in result.served),
            threads=result.served[0].threads,
            environments=list(environments.values()),
            manifest=manifest,
        )
    )
    return with_page(
        {
            "report.md": text.encode(),
            **tabular.files("results", tables.COLUMNS, tables.rows(result)),
            "plots/serving.png": plots.to_png(figure),
            "plots/serving.svg": plots.to_svg(figure),
        },
        {"plots/serving.png": charts.serving(result).markup},
    )
