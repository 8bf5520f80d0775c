"""What was found out about two models' losses and gradients, in words."""

from compare.port.record import FoundCause, PortRecord, Unexplained


def size(value: float | None) -> str:
    """A distance as it is read: 3.1e-03."""
    return "not comparable" if value is None else "0" if value == 0 else f"{value:.1e}"


def agreement(record: PortRecord) -> str:
    """How far equal models' losses and gradients are from each other, behind the same of the outputs."""
    found = record.learning
    if found is None:
        return ""
    said = f", the losses to {size(found.loss_distance)}"
    return said if found.gradient_distance is None else f"{said}, the gradients to {size(found.gradient_distance)}"


def in_learning_alone(record: PortRecord) -> str:
    """The verdict if nothing but the loss and gradients differ; "" if anything else does."""
    others = [cause for cause in record.causes if cause.rung == "outputs"]
    n = len(record.causes)
    if others or not n or record.unexplained:
        return ""
    rungs = {cause.rung for cause in record.causes}
    where = "the loss" if rungs == {"loss"} else "the gradients" if rungs == {"gradients"} else "loss and gradients"
    return (
        f"different in {where} alone: {n} cause{'s' * (n != 1)}; the outputs agree to {size(record.output_distance)} "
        f"({record.precision})"
    )


def change(cause: FoundCause) -> str:
    """The error before and after a cause of the loss or of gradients is mended."""
    if cause.before is None:
        return ""
    what = "loss error" if cause.rung == "loss" else "gradient error"
    after = f" -> {size(cause.after)}" if cause.after is not None else ""
    return f"   {what} {size(cause.before)}{after}"


def puzzle(one: Unexplained) -> str:
    """A line on what nothing explains."""
    if one.rung == "loss":
        return f"unexplained: the losses differ by {size(one.distance)} for the same outputs and targets"
    return f"unexplained: the gradients of {one.left} / {one.right} differ by {size(one.distance)}"


def notes(record: PortRecord) -> list[str]:
    """How losses and gradients were compared."""
    found = record.learning
    if found is None:
        return []
    losses = [_value(found.losses["left"]), _value(found.losses["right"])]
    names = " / ".join(dict.fromkeys((found.names["left"], found.names["right"])))
    said = [f"The loss ({names}) is {' / '.join(losses)}, for the same targets."]
    if found.inherited:
        said.append(
            "The outputs differ in training mode, and so do the losses and gradients behind them: each loss was held "
            "to the other for the same outputs, and each gradient to its own model's forward pass."
        )
    elif found.n_gradients:
        said.append(f"{found.n_gradients} gradients of weights were compared, both models having the left one's loss.")
    return [*said, *found.asides]


def _value(loss: float | None) -> str:
    return "not finite" if loss is None else f"{loss:.9g}"
