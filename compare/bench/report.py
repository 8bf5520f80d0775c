"""Render the report of a bench: pure functions from records to the files of the output folder."""

from compare.bench import alone, charts, operations, sharing, tables
from compare.bench.plots import steps
from compare.bench.result import BenchResult, Ending, TimedWindow
from compare.bench.verdicts import break_evens, headlines, say, warnings
from compare.folders import tabular
from compare.folders.manifest import Manifest
from compare.reporting import plots, waiting
from compare.reporting.html_page import Rendered, with_page
from compare.reporting.markdown import markdown_environment
from compare.worker.windows import N_BATCHES

ENDINGS: dict[Ending, str] = {
    "precise": "It ended because every ratio was known to {precision:.1%}.",
    "budget": "It ended because most of another launch would exceed its budget of {budget:g} s. Not every "
    "ratio was known to {precision:.1%}.",
    "interrupted": "It was interrupted.",
    "failed": "It ended because every contestant failed.",
}


BEYOND = (
    "It ended with the launches that an interval needs. The last one began after the budget of {budget:g} s. Not every "
    "ratio was known to {precision:.1%}."
)


MIXED = ", except for factors of convolutions and matrix products, whose type the mode states"


def verdicts(result: BenchResult) -> list[str]:
    """Return the sentences on every contestant."""
    others = [contestant.name for contestant in result.contestants if contestant.name != result.baseline]
    return [*(say(result, name) for name in others), *remarks(result)]


def remarks(result: BenchResult) -> list[str]:
    """Return sentences on more than speed: when compiling pays off, what several processes gain, and what was not
    measured."""
    return [*break_evens(result), *sharing.verdicts(result), *result.lacking]


def why_ended(result: BenchResult) -> str:
    """Return why there were no more launches."""
    n = len(result.launches)
    beyond = result.ending == "budget" and result.launches[-1].started_s >= result.budget_s
    why = (BEYOND if beyond else ENDINGS[result.ending]).format(precision=result.precision, budget=result.budget_s)
    return f"{n} launch{'es' * (n != 1)}, {result.took_s:.0f} s. {why}"


def render(result: BenchResult, manifest: Manifest) -> Rendered:
    """Return the content of every file, by its path in the output folder."""
    figure = steps(result)
    environments = {e.model_dump_json(): e for e in result.environments.values()}
    text = (
        markdown_environment()
        .get_template("bench.md.j2")
        .render(
            result=result,
            headlines=headlines(result),
            remarks=remarks(result),
            warnings=warnings(result),
            mixed=MIXED if any(c.mixed_precision != "none" for c in result.contestants) else "",
            columns=list(tables.CELLS),
            left_aligned=tables.LEFT_ALIGNED,
            cells=tables.cells(result),
            ended=why_ended(result),
            batch_sizes=sorted({contestant.batch_size for contestant in result.contestants}),
            n_batches=N_BATCHES,
            allocator=" ".join(f"{k}={v}" for k, v in _shared_variables(result).items() if k.startswith("MALLOC_")),
            waiting=waiting.sentence(contestant.waiting for contestant in result.contestants),
            limits=tables.ceilings(result),
            operations=operations.operations(result),
            bounds=operations.bounds(result),
            alone=alone.sentences(result),
            alone_headings=alone.headings(result),
            alone_cells=alone.cells(result),
            sharing_headings=sharing.HEADINGS,
            sharing=sharing.cells(result),
            environments=list(environments.values()),
            manifest=manifest,
        )
    )
    return with_page(
        {
            "report.md": text.encode(),
            **tabular.files("windows", WINDOWS, windows(result)),
            "plots/steps.png": plots.to_png(figure),
            "plots/steps.svg": plots.to_svg(figure),
        },
        {"plots/steps.png": charts.steps(result).markup},
    )


WINDOWS = {"launch": int, "contestant": str, **tabular.columns_of(TimedWindow)}


def windows(result: BenchResult) -> list[dict[str, object]]:
    """Return every timed window; warm-up has round -1."""
    return [
        {"launch": launch.number, "contestant": name, **window.model_dump()}
        for launch in result.launches
        for name, measured in launch.measured.items()
        for window in measured.windows
    ]


def _shared_variables(result: BenchResult) -> dict[str, str]:
    first, *others = (contestant.variables for contestant in result.contestants)
    return {k: v for k, v in first.items() if all(other.get(k) == v for other in others)}
