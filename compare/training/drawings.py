"""The drawings that replace a study's pictures on its page."""

from collections.abc import Sequence

from compare.analysis import condensed
from compare.reporting import run_charts
from compare.reporting.html_page import Drawing
from shared.data.catalog import class_names
from shared.result import RunResult


def drawings_of(results: Sequence[RunResult]) -> dict[str, Drawing]:
    """Return the drawings that replace pictures on the page: the same figures, with their values."""
    whole = condensed.whole(results)
    done = [result for result in whole if result.outcome]
    if not done:
        return {}
    found: dict[str, Drawing] = {"plots/learning_curves.png": run_charts.learning_curves(whole).markup}
    if times := run_charts.step_times(whole):
        found["plots/step_times.png"] = times.markup
    first = of_first_seed(done)
    if first[0].run.spec.task != "classification":  # for other tasks the page shows the pictures themselves
        return found
    matrices = run_charts.confusion_matrices(first, names_of(first[0]))
    return found | {"plots/confusion_matrices.png": lambda _: matrices}


def of_first_seed(done: Sequence[RunResult]) -> list[RunResult]:
    """Return the results of the first seed that any of them has."""
    seed = min(result.run.train.seed for result in done)
    return [result for result in done if result.run.train.seed == seed]


def names_of(result: RunResult) -> list[str]:
    """Return the names of the classes."""
    data = result.run.data
    return list(class_names(data.dataset, result.run.spec.n_classes, data.classes))
