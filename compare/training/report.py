"""Render the report of a study: pure functions from records to the files of the output folder."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from matplotlib.figure import Figure

from compare.analysis import condensed, seeds
from compare.analysis.equivalence import SIGNIFICANCE
from compare.analysis.figures import KeyFigure, figure_of
from compare.analysis.headline import headlines
from compare.analysis.machines import OnMachine, by_machine, kinds
from compare.analysis.rows import Row, columns, line, row
from compare.analysis.seeds import Judging
from compare.analysis.timing import WARMUP_STEPS, step_time
from compare.folders import tabular
from compare.folders.manifest import Manifest
from compare.reporting import pictures, plots, tables, task_pictures, waiting
from compare.reporting.classes import class_cells
from compare.reporting.event_files import event_files
from compare.reporting.html_page import Rendered, with_page
from compare.reporting.markdown import WITHIN, WithParity, markdown_environment, plain
from compare.training.drawings import drawings_of, names_of, of_first_seed
from compare.worker.machine import MUCH_LOAD
from shared.augmentation import BEND_GRID, MAX_ANGLE, MAX_BEND, MAX_SCALE, MAX_SHIFT
from shared.choices import Augmentation
from shared.plurals import number_of
from shared.result import RunResult
from shared.weights import Weights

MOST_LINES = 1_000  # of a table that people read; results.csv has all
MOST_FAILURES = 100
MOST_SEEDS_NAMED = 100
_AFFINE = (
    f"turned by up to {MAX_ANGLE:g} degrees, stretched by up to {MAX_SCALE:.0%} in each direction and shifted by up to "
    f"{MAX_SHIFT:g} pixels"
)
_BENT = f"bent by moving each of {BEND_GRID} x {BEND_GRID} points by up to {MAX_BEND:g} pixels in each direction"
_EACH_TIME = "newly drawn in each epoch and the same for every implementation"
AUGMENTATIONS: dict[Augmentation, str] = {
    "none": "",
    "affine": f"each training image {_AFFINE}, {_EACH_TIME}",
    "elastic": f"each training image {_AFFINE}, and {_BENT}, {_EACH_TIME}",
}


def render(
    results: Sequence[RunResult],
    weights: Mapping[str, Weights],
    manifest: Manifest,
    judging: Judging,
    parity: WithParity | None = None,
) -> Rendered:
    """Return the content of every file that is made from records, by its path in the output folder. `weights` are the
    trained ones, by the names of their results."""
    rows = [row(result) for result in results]
    files = tabular.files("results", columns(rows), [line(one) for one in rows])
    drawn = dict(_drawn(results, weights))
    drawings = drawings_of(results)
    for name, figure in drawn.items():
        files[f"plots/{name}.png"] = plots.to_png(figure)
        files[f"plots/{name}.svg"] = plots.to_svg(figure)
    if parity:
        files |= {f"{WITHIN}/{name}": content for name, content in parity.files.items() if name != "report.md"}
        drawings |= {f"{WITHIN}/{name}": drawing for name, drawing in parity.drawings.items()}
    if judging.tensorboard:
        files |= event_files(results, manifest)
    files["report.md"] = markdown(results, rows, manifest, judging, list(drawn), parity).encode()
    return with_page(files, drawings)


def _drawn(results: Sequence[RunResult], weights: Mapping[str, Weights]) -> Iterator[tuple[str, Figure]]:
    """Yield the pictures that the results allow; pictures of single networks are of the first seed's."""
    done = [result for result in results if result.outcome]
    if not done:
        return
    whole = condensed.whole(results)
    yield "learning_curves", plots.learning_curves(whole)
    if times := plots.step_times(whole):
        yield "step_times", times
    spec, first = done[0].run.spec, of_first_seed(done)
    data = done[0].run.data
    if spec.task == "classification":
        yield "confusion_matrices", pictures.confusion_matrices(first, names_of(first[0]))
    elif spec.task == "regression":
        yield "errors", task_pictures.errors(first, data.classes)
    else:
        yield "label_scores", task_pictures.label_scores(first, data.classes)
    if pictures.has_filters(spec) and (
        having := {r.run.implementation: weights[r.name] for r in first if r.name in weights}
    ):
        yield "filters", pictures.filters(having, spec, "gray")


def markdown(
    results: Sequence[RunResult],
    rows: Sequence[Row],
    manifest: Manifest,
    judging: Judging,
    drawn: Sequence[str],
    parity: WithParity | None,
) -> str:
    """Return the report in Markdown, with the pictures named in `drawn`."""
    first, shown = results[0], rows[:MOST_LINES]
    failed = [r for r in rows if r.error]
    machine_headings, on_machines = tables.machine_cells([_plain(one) for one in by_machine(results)])
    first_seed = min((r.run.train.seed for r in results if r.outcome), default=None)
    of_first = [r for r in results if r.run.train.seed == first_seed]
    figure = figure_of(results)
    class_table = class_cells if figure.task.classifies else task_pictures.label_cells
    class_headings, of_classes = class_table(of_first, first.run.data.classes)
    headings, summaries = tables.summary_cells(seeds.summaries(results, judging), judging.target, figure)
    return (
        markdown_environment()
        .get_template("report.md.j2")
        .render(
            model=first.run.model,
            dataset=first.run.data.dataset,
            manifest=manifest,
            headlines=headlines(results, judging, parity.headline if parity else None),
            verdicts=verdicts(results, judging, parity),
            parity=parity,
            over_seeds=shows_seeds(results, judging),
            machine_headings=machine_headings,
            on_machines=on_machines,
            in_turns=all(result.in_turns for result in results),
            summary_headings=headings,
            summaries=summaries,
            judging=judging,
            significance=SIGNIFICANCE,
            columns=list(tables.columns(rows)),
            figure=figure,
            loss=plots.loss_of(results),
            left_aligned=tables.LEFT_ALIGNED,
            cells=tables.cells(shown),
            n_more=len(rows) - len(shown),
            failed=failed[:MOST_FAILURES],
            n_more_failed=max(0, len(failed) - MOST_FAILURES),
            n_drawn=len(condensed.whole(results)) if len(condensed.whole(results)) < len(results) else None,
            drawn=drawn,
            first_seed=first_seed,
            class_headings=class_headings,
            of_classes=of_classes if first_seed is not None else [],
            seeds=_counted(sorted({result.run.train.seed for result in results})),
            train=first.run.train,
            recipe=first.run.recipe,
            choices=_choices(results),
            tunings=_tunings(results),
            optimizer=first.run.train.optimizer.in_words if first.run.train.optimizer else "",
            augmentation=AUGMENTATIONS[first.run.train.augmentation],
            rate_of_dropout=_dropout(first),
            n_validation=first.n_validation,
            n_train=first.n_train,
            n_test=first.n_test,
            warmup_steps=WARMUP_STEPS,
            digest=first.data_digest,
            allocator=_allocator(results),
            waiting=waiting.sentence(r.environment.waiting for r in results if r.environment),
            environments=_environments(results),
            device_names=sorted({r.outcome.device_name for r in results if r.outcome}) or [first.run.device],
        )
    )


def _counted(seeds: Sequence[int]) -> str:
    """Return the seeds, in words."""
    if len(seeds) <= MOST_SEEDS_NAMED:
        return ", ".join(map(str, seeds))
    return f"{len(seeds):,} of {seeds[0]:,} to {seeds[-1]:,}"


def verdicts(results: Sequence[RunResult], judging: Judging, parity: WithParity | None = None) -> list[str]:
    """Return the outcome in sentences: what was trained, and the verdict on every pair of implementations. Then
    whether they are the same function (if asked), and whether the step times are those of a busy machine."""
    said = [_trained(results), *seeds.say_all(seeds.pairs(results, judging), figure_of(results))]
    return [*said, *([parity.verdict] if parity else []), *_unlike(results), *_no_steps(results), *_busy(results)]


def _unlike(results: Sequence[RunResult]) -> list[str]:
    n_kinds = len(kinds(results))
    if n_kinds < 2:
        return []
    figures = "Accuracies" if figure_of(results).task.classifies else "Figures"
    return [
        f"The runs were made on {n_kinds} kinds of machines. {figures} cover all of them. Times are reported for "
        "each kind, and can only be compared within one kind."
    ]


def _plain(one: OnMachine) -> OnMachine:
    return replace(one, machine=plain(one.machine))


def _busy(results: Sequence[RunResult]) -> list[str]:
    loads = [r.outcome.foreign_load for r in results if r.outcome and r.outcome.foreign_load is not None]
    if not loads or max(loads) <= MUCH_LOAD:
        return []
    return [
        f"Foreign load: other processes took up to {max(loads):.0%} of a core while a network trained. Step times and "
        "training times here are those of a busy machine."
    ]


def shows_seeds(results: Sequence[RunResult], judging: Judging) -> bool:
    """Whether there is anything to show over seeds: more than one of them, or a target."""
    return len({result.run.train.seed for result in results}) > 1 or judging.target is not None


def _trained(results: Sequence[RunResult]) -> str:
    figure = figure_of(results)
    values = [figure.of(r.outcome) for r in results if r.outcome]
    parts = []
    if values:
        lowest, highest = figure.text_of(min(values)), figure.text_of(max(values))
        parts.append(
            f"{len(values)} of {len(results)} runs were trained; test {figure.metric.title} from {lowest} to {highest}"
            f"{_spread(results, figure)}."
        )
    for status in ("diverged", "failed"):
        if names := [r.name for r in results if r.status == status]:
            more = f" and {len(names) - MOST_FAILURES:,} more" if len(names) > MOST_FAILURES else ""
            parts.append(f"{status.capitalize()}: {', '.join(names[:MOST_FAILURES])}{more}.")
    return " ".join(parts)


def _spread(results: Sequence[RunResult], figure: KeyFigure) -> str:
    """Return how far accuracies are apart, for implementations within a seed and for seeds within an implementation.
    Differences between seeds are not differences between implementations."""
    accuracy = {(r.run.train.seed, r.run.implementation): figure.of(r.outcome) for r in results if r.outcome}
    within_seeds, within_implementations = (_widest(accuracy, axis, figure) for axis in (0, 1))
    if within_implementations is None:
        return "" if within_seeds is None else f", {within_seeds * 100:.2f} {figure.unit} apart"
    of_seeds = f"seeds differ by up to {within_implementations * 100:.2f} {figure.unit} within an implementation"
    if within_seeds is None:
        return f"; {of_seeds}"
    return f"; implementations differ by up to {within_seeds * 100:.2f} {figure.unit} within a seed, and {of_seeds}"


def _widest(accuracy: Mapping[tuple[int, str], float], axis: int, figure: KeyFigure) -> float | None:
    """Return the largest range of accuracies whose keys are equal on one axis; None if no two share it."""
    groups: dict[object, list[float]] = {}
    for key, value in accuracy.items():
        groups.setdefault(key[axis], []).append(value)
    return max((figure.difference(min(group), max(group)) for group in groups.values() if len(group) > 1), default=None)


def _no_steps(results: Sequence[RunResult]) -> list[str]:
    """Return why there is no step time, if a framework's own loop only has the epoch in which it compiles."""
    names = [r.run.implementation for r in results if r.outcome and r.run.recipe == "idiomatic" and not step_time(r)]
    if not names:
        return []
    return [
        f"No step time of {', '.join(dict.fromkeys(names))}: the first epoch of a framework's own loop includes "
        "tracing and compiling, and there is no other. Give --epochs 2 or more."
    ]


def _choices(results: Sequence[RunResult]) -> dict[str, dict[str, str]]:
    """Return each implementation's choices in the idiomatic recipe, in words."""
    return {r.run.implementation: r.outcome.own_choices for r in results if r.outcome and r.outcome.own_choices}


def _tunings(results: Sequence[RunResult]) -> dict[str, str]:
    """Return how each implementation was tuned, in words."""
    found = {}
    for result in results:
        if tuned := result.run.tuned:
            how = ", ".join([result.run.mode, *(f"{what} {value}" for what, value in tuned.tuning.items())])
            variables = " ".join(f"{k}={v}" for k, v in tuned.variables.items() if not k.startswith("MALLOC_"))
            found[result.run.implementation] = (
                f"{tuned.factor} ({how}, {number_of(tuned.threads, 'thread')}{f', {variables}' if variables else ''})"
            )
    return found


def _dropout(result: RunResult) -> float | None:
    own = result.run.spec.dropout
    return own if result.run.train.dropout is None else result.run.train.dropout


def _environments(results: Sequence[RunResult]) -> list[object]:
    unique = {r.environment.model_dump_json(exclude={"node"}): r.environment for r in results if r.environment}
    return list(unique.values())


def _allocator(results: Sequence[RunResult]) -> str:
    """Return the variables of glibc's allocator that were set, as text."""
    known = [r.environment.variables for r in results if r.environment]
    return " ".join(f"{k}={v}" for k, v in known[0].items() if k.startswith("MALLOC_")) if known else ""
