"""Describe the results about two models' losses, gradients and training in sentences."""

from collections.abc import Sequence

from compare.port.learning_record import SIDES, FoundFit, TrainingStep
from compare.port.record import FoundCause, PortRecord, Unexplained
from shared.plurals import number_of

NAMES = {"loss": "the loss", "gradients": "the gradients", "steps": "the optimizers", "data": "the data"}


def size(value: float | None) -> str:
    """Return a distance as text: 3.1e-03."""
    return "not comparable" if value is None else "0" if value == 0 else f"{value:.1e}"


def agreement(record: PortRecord) -> str:
    """Return how closely equal models' losses and gradients agree; the text follows that on the outputs."""
    found = record.learning
    if found is None:
        return ""
    said = f", the losses to {size(found.loss_distance)}"
    if found.gradient_distance is not None:
        said += f", the gradients to {size(found.gradient_distance)}"
    if found.steps:
        n = len(found.steps)
        return f"{said}, the weights after {number_of(n, 'step')} to {size(found.steps[-1].distance)}"
    return said if found.update_distance is None else f"{said}, the optimizers' steps to {size(found.update_distance)}"


def in_learning_alone(record: PortRecord) -> str:
    """Return the verdict if only the loss and gradients differ; "" if anything else does."""
    others = [cause for cause in record.causes if cause.rung == "outputs"]
    n = len(record.causes)
    if others or not n or record.unexplained:
        return ""
    rungs = {cause.rung for cause in record.causes}
    where = " and ".join(name for rung, name in NAMES.items() if rung in rungs)
    return (
        f"different in {where} alone: {number_of(n, 'cause')}; the outputs agree to {size(record.output_distance)} "
        f"({record.precision})"
    )


def change(cause: FoundCause) -> str:
    """Return the error before and after fixing a cause in the loss or the gradients."""
    if cause.before is None:
        return ""
    what = {"loss": "loss error", "gradients": "gradient error", "steps": "error of the updates"}.get(cause.rung)
    if what is None or cause.cause == "optimizer.zero_grad":
        what = "difference of the losses"
    after = f" -> {size(cause.after)}" if cause.after is not None else ""
    return f"   {what} {size(cause.before)}{after}"


def puzzle(one: Unexplained) -> str:
    """Return a line on a difference without a known cause."""
    if one.rung == "loop" and one.left == "the loss":
        return f"unexplained: the training functions' first losses differ by {size(one.distance)}"
    if one.rung == "loop":
        return f"unexplained: {one.left} and its repetition have losses that differ by {size(one.distance)}"
    if one.rung == "loss":
        return f"unexplained: the losses differ by {size(one.distance)} for the same outputs and targets"
    if one.rung == "steps" and one.left == "the optimizer":
        return f"unexplained: the steps of the optimizers for the same gradients differ by {size(one.distance)}"
    if one.rung == "steps":
        return f"unexplained: from {one.left} on, the models differ by {size(one.distance)}"
    return f"unexplained: the gradients of {one.left} / {one.right} differ by {size(one.distance)}"


def notes(record: PortRecord) -> list[str]:
    """Return sentences on how losses and gradients were compared."""
    found = record.learning
    if found is None:
        return []
    losses = [_value(found.losses["left"]), _value(found.losses["right"])]
    names = " / ".join(dict.fromkeys((found.names["left"], found.names["right"])))
    said = [f"The loss ({names}) is {' / '.join(losses)}, for the same targets."]
    if found.inherited:
        said.append(
            "The outputs differ in training mode, and so do the losses and gradients behind them. Each loss was "
            "compared with the other for the same outputs, and each gradient with its own model's forward pass."
        )
    elif found.n_gradients:
        said.append(f"{found.n_gradients} gradients of weights were compared, with the left model's loss for both.")
    if found.optimizers is not None:
        both = " / ".join(dict.fromkeys((found.optimizers["left"], found.optimizers["right"])))
        said.append(f"The optimizers ({both}) were compared on the same gradients, those of the left model.")
    if found.steps:
        said.append(_trained(found.steps))
    if found.fit is not None:
        said.append(_fitted(found.fit))
    return [*said, *found.asides]


def _fitted(fit: FoundFit) -> str:
    """Return a sentence on how both trainings were repeated."""
    n = len(fit.stages[0].losses)
    far = [size(fit.closures[side]) for side in SIDES]
    return (
        f"Both trainings were repeated for {number_of(n, 'step')}, from the left's to the right's, with one more thing "
        f"exchanged each time. The first repeats the left's own losses to {far[0]}, the last the right's to {far[1]}."
    )


STAGE_HEADINGS = ("exchanged", "mean loss", "change", "accuracy", "from the right's")


def stage_cells(fit: FoundFit) -> list[list[str]]:
    """Return the table of the trainings in between, one list of cells per line."""
    cells = []
    for number, stage in enumerate(fit.stages):
        change = f"{stage.loss - fit.stages[number - 1].loss:+.4g}" if number else ""
        accuracy = "" if stage.accuracy is None else f"{100 * stage.accuracy:.1f} %"
        cells.append([stage.name, f"{stage.loss:.6g}", change, accuracy, size(stage.distance)])
    return cells


def _trained(steps: Sequence[TrainingStep]) -> str:
    """Return a text on the first and the last step."""
    losses = [f"{_short(one.left_loss)} / {_short(one.right_loss)}" for one in (steps[0], steps[-1])]
    n = len(steps)
    return (
        f"Trained for {number_of(n, 'step')}, each with its own optimizer and without dropout. The losses go from "
        f"{losses[0]} to {losses[1]}. After that the weights differ by {size(steps[-1].distance)}."
    )


def _short(loss: float | None) -> str:
    return "not finite" if loss is None else f"{loss:.6g}"


def _value(loss: float | None) -> str:
    return "not finite" if loss is None else f"{loss:.9g}"
