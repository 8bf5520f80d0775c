"""What was found out about two models, in sentences: for the terminal and for the reports."""

from compare.port.record import FoundCause, PortRecord

MOST_NAMED = 2


def size(value: float | None) -> str:
    """A distance as it is read: 3.1e-03."""
    return "not comparable" if value is None else "0" if value == 0 else f"{value:.1e}"


def verdict(record: PortRecord) -> str:
    """One sentence."""
    n = len(record.causes)
    counted = f"{n} cause{'s' * (n != 1)}"
    if record.verdict == "same":
        same = f"same: the outputs agree to {size(record.output_distance)} ({record.precision})"
        return (
            f"{same}, in training mode to {size(record.training_distance)}"
            if record.training_distance is not None
            else same
        )
    if record.unexplained:
        where = ", ".join(f"{one.left} / {one.right}" for one in record.unexplained[:MOST_NAMED])
        more = len(record.unexplained) - MOST_NAMED
        return f"different: {counted} found, and unexplained {where}{f' and {more} more' if more > 0 else ''}"
    shown = [cause for cause in record.causes if not cause.training]
    if not shown:
        return f"different in training mode alone: {counted}; in evaluation the outputs agree to {size(record.output_distance)}"
    explains = "explains" if n == 1 else "explain"
    mended = "with it" if n == 1 else f"with {'both' if n == 2 else 'all'}"
    if record.left_over is None:
        return f"different: {counted} found, which do not explain everything"
    return f"different: {counted} {explains} everything; {mended} mended the outputs agree to {size(record.left_over)} ({record.precision})"


def places(cause: FoundCause) -> str:
    """The first pair that a cause concerns, and how many more there are."""
    left, right = cause.pairs[0]
    more = len(cause.pairs) - 1
    return f"{left or '(nothing)'} / {right or '(nothing)'}{f' and {more} more' if more else ''}"


def lines(record: PortRecord) -> list[str]:
    """The verdict, the causes with what mends each, and what is unexplained."""
    found = [verdict(record)]
    side = "left" if record.weights == "right" else "right"
    for number, cause in enumerate(record.causes, 1):
        mode = "   (training mode)" if cause.training else ""
        found.append(f"{number}. {cause.cause:<22} {places(cause)}: {cause.left} / {cause.right}{mode}")
        change = ""
        if cause.before is not None or cause.after is not None:
            change = f"   {'output' if not cause.cause.startswith('batch_norm.m') else 'error'} error {size(cause.before)} -> {size(cause.after)}"
            change = change.replace("error error", "kept statistics, error")
        found.append(f"   fix ({side}): {cause.fix['right' if side == 'right' else 'left']}{change}")
    for one in record.unexplained:
        found.append(f"unexplained: {one.left} / {one.right} differ by {size(one.distance)} for the same input")
    for name, names in record.unmatched.items():
        if names:
            more = f" and {len(names) - 6} more" if len(names) > 6 else ""
            found.append(f"only in the {name} model: {', '.join(names[:6])}{more}")
    return found


def notes(record: PortRecord) -> list[str]:
    """How it was compared."""
    said = [f"{record.n_pairs} pairs of layers, {record.n_weights} weights given from one model to the other."]
    if record.weights == "as-is":
        said = [f"{record.n_pairs} pairs of layers; each model has its own weights."]
    if record.n_varied:
        said.append(
            f"{record.n_varied} weights were constant, as those of a new model are; they were given varied values, so "
            "that none hides a difference."
        )
    kinds: dict[str, int] = {}
    for one in record.harmless:
        kinds[one.cause] = kinds.get(one.cause, 0) + 1
    if kinds:
        counted = ", ".join(f"{name} ({n})" for name, n in kinds.items())
        said.append(f"Written differently, and the same here: {counted}.")
    return said
