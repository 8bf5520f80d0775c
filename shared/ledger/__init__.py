"""The ledger of differences: where the frameworks' own forms differ, row by row, and the form in which they agree.

A row is a small question with one input. Each implementation that it is about answers twice. The framework's `own` form
is the result for a user who states nothing more than the row does. The `aligned` form states everything necessary. An
implementation package answers in its `ledger` package, group by group like this one. The harness asks, compares and
writes the page.
"""

from shared.ledger import (
    activations,
    attention,
    convolution,
    data,
    embedding,
    initialisation,
    layouts,
    losses,
    metrics,
    normalisation,
    numerics,
    optimizers,
    pooling,
    regularisation,
    resizing,
    schedules,
    sequences,
)
from shared.ledger.forms import Forms
from shared.ledger.row import BITES, Answer, Answers, Arrays, Bites, Half, LedgerRow
from shared.ledger.symptoms import SYMPTOMS, Symptom

__all__ = [
    "BITES",
    "CAUSES",
    "GROUPS",
    "ROWS",
    "SYMPTOMS",
    "Answer",
    "Answers",
    "Arrays",
    "Bites",
    "Forms",
    "Half",
    "LedgerRow",
    "Symptom",
]

# By the title of each group, in the order of the page.
GROUPS: dict[str, tuple[LedgerRow, ...]] = {
    "Normalisation": normalisation.ROWS,
    "Convolution and padding": convolution.ROWS,
    "Pooling": pooling.ROWS,
    "Resizing and cropping": resizing.ROWS,
    "Activations": activations.ROWS,
    "Layouts and axes": layouts.ROWS,
    "Sequences": sequences.ROWS,
    "Attention": attention.ROWS,
    "Embedding": embedding.ROWS,
    "Losses": losses.ROWS,
    "Metrics": metrics.ROWS,
    "Optimizers": optimizers.ROWS,
    "Schedules and clipping": schedules.ROWS,
    "Initialisation": initialisation.ROWS,
    "Regularisation": regularisation.ROWS,
    "Data": data.ROWS,
    "Numerics": numerics.ROWS,
}
ROWS: dict[str, LedgerRow] = {row.name: row for rows in GROUPS.values() for row in rows}


def _by_cause() -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for row in ROWS.values():
        for cause in row.causes:
            found[cause] = (*found.get(cause, ()), row.name)
    return found


# The rows that explain each cause that `compare port` can find, the best first.
CAUSES: dict[str, tuple[str, ...]] = _by_cause()
