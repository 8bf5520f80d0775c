"""Describe the comparison of two models in sentences, for the terminal and for the reports."""

from typing import Literal

from compare.analysis.headline import Headline, State
from compare.port import learning_words
from compare.port.record import FoundCause, PortRecord
from shared.plurals import number_of

size = learning_words.size  # other modules import it from here
STATES: dict[str, State] = {"same": "yes", "different": "no"}  # every other verdict is open
MOST_NAMED = 2
MOST_ROWS = 3


def headline(record: PortRecord) -> Headline:
    """Return the verdict as the first line of the command and of its report."""
    kind, _, said = verdict(record).partition(": ")
    return Headline(kind, said, STATES.get(record.verdict, "open"))


def verdict(record: PortRecord) -> str:
    """Return the verdict in one sentence: its kind, a colon, and the distance of the models."""
    agree = f"the outputs agree to {size(record.output_distance)}"
    if record.verdict == "same":
        trained = record.training_distance
        said = f"same: {agree} ({record.precision})" + ("" if trained is None else f", in training to {size(trained)}")
        said += learning_words.agreement(record)
        return said + ("" if record.float32_distance is None else f", in float32 to {size(record.float32_distance)}")
    if record.float32_distance is not None:
        far = f"{size(record.float32_distance)}, and rounding explains at most {size(record.float32_bound)}"
        return f"different in float32 alone: the outputs differ by {far}; in float64 {agree}"
    if alone := learning_words.in_learning_alone(record):
        return alone
    n = len(record.causes)
    counted = number_of(n, "cause")
    if record.unexplained:
        where = ", ".join(f"{one.left} / {one.right}" for one in record.unexplained[:MOST_NAMED])
        more = len(record.unexplained) - MOST_NAMED
        rest = f"{where}{f' and {more} more' if more > 0 else ''}"
        return f"different: {f'{counted} found, and ' if n else ''}nothing explains {rest}"
    if all(cause.training or cause.rung != "outputs" for cause in record.causes) and n:
        return f"different in training mode alone: {counted}; in evaluation {agree}"
    if not n or record.left_over is None or record.bound is None or record.left_over > record.bound:
        if not n:
            return f"different: the outputs differ by {size_of_difference(record)}, and no known cause explains it"
        short, fixed = ("it does", "it") if n == 1 else ("they do", "them")
        rest = f"with {fixed} fixed the outputs differ by {size(record.left_over)}"
        return f"different: {counted} found, but {short} not explain everything: {rest}"
    explain = "explains" if n == 1 else "explain"
    fixed = "with it" if n == 1 else "with both" if n == 2 else "with all"
    rest = f"the outputs agree to {size(record.left_over)} ({record.precision})"
    return f"different: {counted} {explain} everything; {fixed} fixed {rest}"


def size_of_difference(record: PortRecord) -> str:
    """Return the distance of the outputs, in both modes if training mode was compared."""
    trained = record.training_distance
    return size(record.output_distance) + ("" if trained is None else f", in training mode by {size(trained)}")


def places(cause: FoundCause) -> str:
    """Return the first pair of a cause, and the number of further ones."""
    if not cause.pairs:
        return {"loss": "the loss", "steps": "the optimizer", "data": "the data"}.get(cause.rung, "the whole model")
    left, right = cause.pairs[0]
    more = len(cause.pairs) - 1
    return f"{left or '(nothing)'} / {right or '(nothing)'}{f' and {more} more' if more else ''}"


def lines(record: PortRecord) -> list[str]:
    """Return the verdict, the causes with their fixes, and the unexplained differences."""
    found = [verdict(record)]
    side: Literal["left", "right"] = "left" if record.weights == "right" else "right"
    for number, cause in enumerate(record.causes, 1):
        mode = "   (training mode)" if cause.training else ""
        if not cause.pairs and cause.rung == "outputs":  # the verdict includes it
            continue
        found.append(f"{number}. {cause.cause:<22} {places(cause)}: {cause.left} / {cause.right}{mode}")
        found.append(f"   fix ({side}): {cause.fix[side]}{_change(cause)}")
        if cause.rows:
            found.append(f"   why: {why(cause)}")
    found += [learning_words.puzzle(one) for one in record.unexplained if one.rung != "outputs"]
    for number, one in enumerate((one for one in record.unexplained if one.rung == "outputs"), 1):
        kept = f"(unexplained/{number}.npz)"
        differ = "cannot be compared" if one.distance is None else f"differ by {size(one.distance)}"
        found.append(f"unexplained: {one.left} / {one.right} {differ} for the same input {kept}")
    for name, names in record.unmatched.items():
        if names:
            more = f" and {len(names) - 6} more" if len(names) > 6 else ""
            found.append(f"only in the {name} model: {', '.join(names[:6])}{more}")
    return found


def why(cause: FoundCause) -> str:
    """Return the command that shows the ledger's rows about a cause."""
    return f"python -m compare parity --row {','.join(cause.rows[:MOST_ROWS])}"


def _change(cause: FoundCause) -> str:
    if cause.rung != "outputs":
        return learning_words.change(cause)
    if cause.before is None and cause.after is None:
        return ""
    what = "kept statistics" if cause.cause == "batch_norm.momentum" else "output error"
    return f"   {what} {size(cause.before)} -> {size(cause.after)}"


def notes(record: PortRecord) -> list[str]:
    """Return how the models were compared."""
    layers = f"{number_of(record.n_pairs, 'pair')} of layers"
    said = [f"{layers}, {number_of(record.n_weights, 'weight')} copied from one model to the other."]
    if record.weights == "as-is":
        said = [f"{layers}; each model has its own weights."]
    if record.n_varied:
        said.append(
            f"Constant weights, as in a new model: {record.n_varied}. They were given varied values, because a "
            "constant can hide a difference."
        )
    for side, names in record.rounded.items():
        if names:
            more = f" and {len(names) - 1} more" if len(names) > 1 else ""
            said.append(f"The {side} framework computes {names[0]}{more} with float32 constants; this is ignored.")
    if record.untrained:
        said.append(f"Compared in evaluation alone: {record.untrained}")
    said += learning_words.notes(record)
    kinds: dict[str, int] = {}
    for one in record.harmless:
        kinds[one.cause] = kinds.get(one.cause, 0) + 1
    if kinds:
        counted = ", ".join(f"{name} ({n})" for name, n in kinds.items())
        said.append(f"Different in the code, without an effect here: {counted}.")
    return said
