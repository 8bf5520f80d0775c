"""Explain why two losses differ: a cause is a change in the right one's record that gives the left one's value."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from compare.graphs.losses import LossRecord, as_kind, value_and_gradient
from compare.port.difference import shown
from compare.port.learned import LearnedCause, Puzzle
from compare.port.loss_lines import line
from compare.port.measure import distance
from compare.port.side import Differentiated
from compare.port.targets import probes

FITS = 1e-8  # tolerance between a record's own loss and its value: Keras keeps some constants in float32
BOUND = 1e-12
WITHIN = "The softmax or sigmoid that one model ends in is part of the other's loss."
OF_CLASSES = {"smoothing", "weights", "positive", "ignore"}
LARGER = 64.0  # factor for the outputs, to reach values at which only the far ends differ
CAUSES = {
    "kind": "loss.kind",
    "takes": "loss.from_logits",
    "reduction": "loss.reduction",
    "smoothing": "loss.smoothing",
    "weights": "loss.class_weights",
    "positive": "loss.positive_weight",
    "ignore": "loss.ignore_index",
    "delta": "loss.delta",
    "factor": "loss.factor",
}
_SMOOTHINGS = (0.0, 0.01, 0.02, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3)
_REDUCTIONS = ("mean", "sum", "batch_mean", "example_mean", "sum_of_means", "element_mean")


@dataclass(frozen=True)
class Given:
    """The outputs that a loss takes, in canonical layout, and its record."""

    record: LossRecord
    outputs: np.ndarray


@dataclass(frozen=True)
class LossFound:
    """The causes of different losses, the unexplained part, the distance of the losses, and remarks."""

    causes: tuple[LearnedCause, ...]
    puzzles: tuple[Puzzle, ...]
    distance: float
    asides: tuple[str, ...] = ()


def compare_losses(
    left: Differentiated, right: Differentiated, targets: np.ndarray, frameworks: tuple[str, str], forward_differs: bool
) -> LossFound:
    """Return the causes for which two losses of the same outputs differ."""
    gap = _relative(right.loss, left.loss)
    likes = (right.record, left.record)
    known = [understood(side, targets, like) for side, like in zip((left, right), likes, strict=True)]
    if None in known:
        if gap <= BOUND * 16 or forward_differs:
            said = f"The {'left' if known[0] is None else 'right'} loss is unknown here"
            return LossFound((), (), gap, (f"{said}; only its value was compared.",))
        return LossFound((), (Puzzle("the loss", "the loss", gap, "loss"),), gap)
    a, b = known
    assert a is not None
    assert b is not None
    inner = _alike(a, b, left, right)
    asides = () if inner == (a, b) else (WITHIN,)
    a, b = inner
    causes = _causes(a, b, targets, frameworks)
    if not causes and loss_differences(a.record, b.record):  # this batch may not show it
        wider = Given(a.record, a.outputs * LARGER)
        causes = _causes(wider, b, targets, frameworks) or _of_probes(a, b, targets, frameworks)
    left_over = gap if not causes else 0.0
    if not causes and not forward_differs and left_over > BOUND * 16:
        return LossFound((), (Puzzle("the loss", "the loss", gap, "loss"),), gap)
    return LossFound(causes, (), gap, asides)


def _of_probes(a: Given, b: Given, targets: np.ndarray, frameworks: tuple[str, str]) -> tuple[LearnedCause, ...]:
    """Return the causes that only show for classes missing from the batch, but not those that depend on its size."""
    if a.outputs.ndim < 2 or not {*loss_differences(a.record, b.record)} <= OF_CLASSES:
        return ()
    by_number = targets.dtype.kind in "iu" and targets.ndim < a.outputs.ndim
    n = a.outputs.shape[a.record.axis]
    ignored = [given.record.ignore for given in (a, b)]
    outputs, probed = probes(n, [one for one in ignored if one is not None and 0 <= one < n], by_number)
    if a.record.takes in ("probabilities", "log_probabilities"):
        shares = np.exp(outputs) / np.exp(outputs).sum(1, keepdims=True)
        outputs = shares if a.record.takes == "probabilities" else np.log(shares)
    plain = [replace(given.record, axis=1) for given in (a, b)]
    return _causes(Given(plain[0], outputs), Given(plain[1], outputs), probed, frameworks)


def output_name(side: Differentiated) -> str:
    """Return the name of the node whose value the loss takes."""
    return side.recording.graph.outputs[0]


def understood(side: Differentiated, targets: np.ndarray, like: LossRecord | None = None) -> Given | None:
    """Identify a loss and its outputs. The record that was read is used if it gives the value and gradient; else one
    that is recognised, of the kind of `like` (the other side's) if several fit."""
    name = output_name(side)
    record = recognised(
        side.record, side.axis, side.recording.values[name], targets, side.loss, side.values.get(name), like
    )
    return None if record is None else Given(record, side.recording.values[name])


def recognised(
    read: LossRecord | None,
    axis: int,
    outputs: np.ndarray,
    targets: np.ndarray,
    loss: float,
    gradient: np.ndarray | None,
    like: LossRecord | None = None,
) -> LossRecord | None:
    """Return the record of a loss with this value and gradient by the outputs. It is the one that was read, if it fits;
    else one that fits, of the kind of `like` if possible; None if none does."""
    if read is not None and _gives(read, outputs, targets, loss, gradient):
        return read
    fitting = []
    for record in _candidates(read, axis, outputs.shape):
        factor = _factor(record, outputs, targets, loss, gradient)
        if factor is not None:
            fitting.append(replace(record, factor=factor))
    return min(fitting, key=lambda one: (like is not None and one.kind != like.kind, one.factor != 1), default=None)


def _gives(
    record: LossRecord, outputs: np.ndarray, targets: np.ndarray, loss: float, gradient: np.ndarray | None
) -> bool:
    try:
        value, slope = value_and_gradient(record, outputs, targets)
    except ValueError:
        return False
    same = _relative(value, loss) <= FITS
    return same and (gradient is None or distance(slope, gradient) <= FITS)


def _factor(
    record: LossRecord, outputs: np.ndarray, targets: np.ndarray, loss: float, gradient: np.ndarray | None
) -> float | None:
    """Return the factor that turns a record's loss into the given one; None if there is none."""
    try:
        value, slope = value_and_gradient(record, outputs, targets)
    except (ValueError, IndexError):
        return None
    if not np.isfinite(value) or abs(value) < 1e-12:
        return None
    factor = float(np.format_float_positional(loss / value, precision=9, fractional=False))
    same = _relative(factor * value, loss) <= FITS
    return factor if same and gradient is not None and distance(factor * slope, gradient) <= FITS else None


def _candidates(read: LossRecord | None, axis: int, shape: tuple[int, ...]) -> Iterator[LossRecord]:
    """Yield possible records of a loss, beginning with the one that was read."""
    if read is not None:
        yield read
        for reduction in _REDUCTIONS:  # a sum divided in the user's code is a mean
            yield replace(read, reduction=reduction, factor=1.0)
        for takes in ("logits", "probabilities", "log_probabilities"):
            yield replace(read, takes=takes)
    kinds = [
        *(("cross_entropy", takes, "") for takes in ("logits", "log_probabilities")),
        *(("cross_entropy", "probabilities", rule) for rule in ("sparse", "categorical", "")),
        *(("binary_cross_entropy", takes, "") for takes in ("logits", "probabilities")),
        *((kind, "values", "") for kind in ("mse", "mae", "huber", "log_cosh", "hinge", "squared_hinge")),
        *(("kl_div", takes, "") for takes in ("log_probabilities", "probabilities")),
        *(("poisson", takes, "") for takes in ("logits", "values")),
    ]
    axes = dict.fromkeys((axis, len(shape) - 1))
    for kind, takes, rule in kinds:
        for reduction in _REDUCTIONS:
            for smoothing in _SMOOTHINGS if "cross_entropy" in kind else (0.0,):
                for each in axes:
                    epsilon = 1e-7 if takes == "probabilities" and rule else 0.0
                    yield LossRecord(kind, takes, reduction, smoothing, epsilon=epsilon, rule=rule, axis=each)


def _alike(a: Given, b: Given, left: Differentiated, right: Differentiated) -> tuple[Given, Given]:
    """Return both losses. If one includes the softmax and the other follows it, both then include it."""
    if loss_differences(a.record, b.record) == []:
        return a, b
    inner = [_with_activation(given, side) for given, side in ((a, left), (b, right))]
    within = inner[0] or a, inner[1] or b
    if all(inner):
        return within
    # If only one includes it, the other may take logits, unless both models end in a softmax.
    nearer = distance(within[1].outputs, within[0].outputs) < distance(b.outputs, a.outputs)
    return within if nearer and not loss_differences(within[0].record, within[1].record) else (a, b)


def _with_activation(given: Given, side: Differentiated) -> Given | None:
    """Turn a loss of probabilities into one of the logits in front of the softmax or sigmoid; None if impossible."""
    node = side.recording.graph[output_name(side)]
    fits = {
        ("cross_entropy", "probabilities"): "Softmax",
        ("cross_entropy", "log_probabilities"): "LogSoftmax",
        ("binary_cross_entropy", "probabilities"): "Sigmoid",
    }
    if fits.get((given.record.kind, given.record.takes)) != node.kind:
        return None
    record = replace(given.record, takes="logits", epsilon=0.0, rule="")
    return Given(record, side.recording.values[node.inputs[0]])


def loss_differences(left: LossRecord, right: LossRecord) -> list[str]:
    """Return the fields that differ, except those that no example shows."""
    if left.kind != right.kind:
        same = as_kind(right, left)
        return ["kind", *loss_differences(left, same)]
    found = []
    for name in CAUSES:
        a, b = getattr(left, name), getattr(right, name)
        if name == "delta" and left.kind != "huber":
            continue
        if name == "ignore":  # numbers that are not classes are ignored in any case
            a, b = (one if one is not None and one >= 0 else None for one in (a, b))
        if name == "factor":
            if abs(a - b) > 1e-9 * abs(a):
                found.append(name)
        elif name in ("weights", "positive"):
            if (len(a) != len(b)) or not np.allclose(a, b, rtol=1e-7):
                found.append(name)
        elif isinstance(a, float) and isinstance(b, float):
            if abs(a - b) > 1e-7 * max(abs(a), abs(b)):
                found.append(name)
        elif a != b:
            found.append(name)
    return found


def changed_loss(record: LossRecord, wanted: LossRecord, names: list[str]) -> LossRecord:
    """Return the record with some fields replaced by another's."""
    if "kind" in names:
        record = as_kind(record, wanted)
    more = {name: getattr(wanted, name) for name in names if name != "kind"}
    if "takes" in names:
        more |= {"epsilon": wanted.epsilon, "rule": wanted.rule}
    return replace(record, **more)


def _causes(a: Given, b: Given, targets: np.ndarray, frameworks: tuple[str, str]) -> tuple[LearnedCause, ...]:
    """Return the smallest changes of the right record that give the left's loss of the left's outputs."""
    wanted = value_and_gradient(a.record, a.outputs, targets)

    def error(names: list[str]) -> float:
        try:
            value, slope = value_and_gradient(changed_loss(b.record, a.record, names), a.outputs, targets)
        except ValueError:
            return float("inf")
        return max(_relative(value, wanted[0]), distance(slope, wanted[1]))

    names = loss_differences(a.record, b.record)
    if not names or error([]) <= BOUND * 16:
        return ()
    least = max(BOUND * 16, 2 * error(names))
    for name in list(names):
        rest = [other for other in names if other != name]
        if rest and error(rest) <= least:
            names = rest
    found, gone = [], []
    before = error([])
    for name in names:
        gone.append(name)
        after = error(gone)
        values = [_shown(given.record, name) for given in (a, b)]
        fix = (
            line(changed_loss(a.record, b.record, [name]), frameworks[0]),
            line(changed_loss(b.record, a.record, [name]), frameworks[1]),
        )
        found.append(LearnedCause(CAUSES[name], "loss", (), values[0], values[1], fix, before, after))
        before = after
    return tuple(found)


def _shown(record: LossRecord, name: str) -> str:
    value = getattr(record, name)
    if name in ("weights", "positive") and len(value) > 4:
        return f"{len(value)} weights"
    return "none" if value == () else shown(value)


def _relative(actual: float, expected: float) -> float:
    if not (np.isfinite(actual) and np.isfinite(expected)):
        return 0.0 if actual == expected or (np.isnan(actual) and np.isnan(expected)) else float("inf")
    return abs(actual - expected) / max(abs(expected), 1e-300) if actual != expected else 0.0
