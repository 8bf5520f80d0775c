"""Losses as records, and their values and gradients in NumPy.

A record has everything that affects a loss, in the same terms for both frameworks, which allows changing one thing
while the rest stays. Outputs are in canonical layout; targets are classes by number (N, ...), or values of the outputs'
shape.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

KINDS = (
    *("cross_entropy", "binary_cross_entropy", "mse", "mae", "huber", "kl_div", "poisson", "log_cosh"),
    *("hinge", "squared_hinge"),
)
LEAST_LOG = -100.0  # the logarithm of 0 in torch.nn.BCELoss


@dataclass(frozen=True)
class LossRecord:
    """One loss.

    `takes` is the form of the outputs: logits, probabilities, log_probabilities or values. `weights` are those of the
    classes, `positive` those of positive targets, `ignore` a class that is not counted. `delta` is Huber's. `epsilon`
    and `rule` keep probabilities from 0; `axis` is that of the classes. `reduction` is one of

    - mean: of every element; for a cross entropy, of every example by the weight of its class
    - element_mean: of every element
    - example_mean: of every example, with the classes summed
    - batch_mean: over the batch, with everything else summed
    - sum
    - sum_of_means: the sum of the classes' means
    """

    kind: str
    takes: str = "values"
    reduction: str = "mean"
    smoothing: float = 0.0
    weights: tuple[float, ...] = ()
    positive: tuple[float, ...] = ()
    ignore: int | None = None
    delta: float = 1.0
    factor: float = 1.0
    epsilon: float = 0.0
    rule: str = ""
    axis: int = 1

    def body(self) -> dict[str, Any]:
        """Return the record in JSON's types."""
        return asdict(self)

    @classmethod
    def of_body(cls, body: Mapping[str, Any]) -> "LossRecord":
        """Return the record of `body`."""
        lists = {name: tuple(body[name]) for name in ("weights", "positive")}
        return cls(**{**body, **lists})


def value_and_gradient(record: LossRecord, outputs: np.ndarray, targets: np.ndarray) -> tuple[float, np.ndarray]:
    """Return the loss of `outputs` for `targets`, and its gradient by the outputs, in their shape. Raises ValueError if
    shapes do not fit or the kind is unknown."""
    with np.errstate(all="ignore"):
        z = np.moveaxis(np.asarray(outputs, np.float64), record.axis, -1)
        if record.kind == "cross_entropy":
            each, slope, divisor = _cross_entropy(record, z, _distribution(record, z, targets), targets)
        else:
            each, slope = _elementwise(record, z, _values(record, outputs, targets))
            divisor = _divisor(record, z)
        gradient = np.moveaxis(record.factor * slope / divisor, -1, record.axis)
        return float(record.factor * each.sum() / divisor), gradient


def one_hot(targets: np.ndarray, n: int, axis: int) -> np.ndarray:
    """Return class numbers as values of the outputs' shape; a number that is not a class gives zeros."""
    made: np.ndarray = (np.asarray(targets)[..., None] == np.arange(n)).astype(np.float64)
    return np.moveaxis(made, -1, axis)


def _values(record: LossRecord, outputs: np.ndarray, targets: np.ndarray) -> np.ndarray:
    if targets.dtype.kind in "iu" and targets.ndim < outputs.ndim:
        targets = one_hot(targets, outputs.shape[record.axis], record.axis)
    if targets.shape != outputs.shape:
        raise ValueError(f"targets of shape {targets.shape} for outputs of shape {outputs.shape}")
    return np.moveaxis(np.asarray(targets, np.float64), record.axis, -1)


def _distribution(record: LossRecord, z: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """Return the share of every class in the target of every example, with the classes last."""
    n = z.shape[-1]
    made: np.ndarray
    if targets.dtype.kind in "iu" and targets.ndim < z.ndim:
        made = one_hot(targets, n, -1)
    else:
        made = np.moveaxis(np.asarray(targets, np.float64), record.axis, -1)
    if made.shape != z.shape:
        raise ValueError(f"targets of shape {targets.shape} for outputs with {n} classes")
    shares: np.ndarray = made * (1 - record.smoothing) + record.smoothing / n
    return shares


def _cross_entropy(
    record: LossRecord, z: np.ndarray, shares: np.ndarray, targets: np.ndarray
) -> tuple[np.ndarray, np.ndarray, float]:
    by_number = targets.dtype.kind in "iu" and targets.ndim < z.ndim
    kept = np.ones(z.shape[:-1])
    if record.ignore is not None and by_number:
        kept = (targets != record.ignore).astype(np.float64)
    weights = np.asarray(record.weights or np.ones(z.shape[-1]))
    wanted = shares * weights * kept[..., None]
    if record.takes == "logits":
        shifted = z - z.max(-1, keepdims=True)
        logs = shifted - np.log(np.exp(shifted).sum(-1, keepdims=True))
        slope = np.exp(logs) * wanted.sum(-1, keepdims=True) - wanted
    elif record.takes == "log_probabilities":
        logs, slope = z, -wanted
    else:
        logs, slope = _of_probabilities(record, z, wanted)
    each = -np.where(wanted == 0, 0.0, wanted * logs).sum(-1)
    if record.reduction == "mean":
        own = weights[np.clip(targets, 0, z.shape[-1] - 1)] if by_number else np.ones(z.shape[:-1])
        divisor = float((own * kept).sum())
    elif record.reduction == "element_mean":
        divisor = float(z.size)
    else:
        divisor = _divisor(record, z)
    return each, slope, max(divisor, 1e-300)


def _of_probabilities(record: LossRecord, p: np.ndarray, wanted: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return logarithms of probabilities and the gradient. Keras divides by their sum before or after clipping them."""
    low, high = record.epsilon, 1 - record.epsilon
    whole = p.sum(-1, keepdims=True)
    if record.rule == "sparse":
        kept = np.clip(p, low, high) if low else p
        total = kept.sum(-1, keepdims=True)
        slope = np.where((p >= low) & (p <= high), wanted.sum(-1, keepdims=True) / total - wanted / kept, 0.0)
        return np.log(kept) - np.log(total), slope
    share = p / whole if record.rule == "categorical" else p
    kept = np.clip(share, low, high) if low else share
    inner = np.where((share >= low) & (share <= high), -wanted / kept, 0.0)
    if record.rule != "categorical":
        return np.log(kept), inner
    return np.log(kept), (inner - (inner * share).sum(-1, keepdims=True)) / whole


def _divisor(record: LossRecord, z: np.ndarray) -> float:
    n = z.shape[-1]
    sizes = {
        "mean": z.size,
        "element_mean": z.size,
        "example_mean": z.size / n,
        "batch_mean": len(z),
        "sum": 1,
        "sum_of_means": n,
    }
    if record.reduction not in sizes:
        raise ValueError(f"there is no reduction {record.reduction}")
    return float(max(sizes[record.reduction], 1))


def _elementwise(record: LossRecord, x: np.ndarray, t: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the loss of every element and its derivative."""
    d = x - t
    match record.kind:
        case "mse":
            return d * d, 2 * d
        case "mae":
            return np.abs(d), np.sign(d)
        case "huber":
            far, near = record.delta * (np.abs(d) - record.delta / 2), d * d / 2
            inside = np.abs(d) <= record.delta
            return np.where(inside, near, far), np.where(inside, d, record.delta * np.sign(d))
        case "log_cosh":
            return np.logaddexp(0.0, -2 * d) + d - np.log(2.0), np.tanh(d)
        case "binary_cross_entropy":
            return _binary(record, x, t)
        case "kl_div":
            return _divergence(record, x, t)
        case "poisson":
            if record.takes == "logits":
                return np.exp(x) - t * x, np.exp(x) - t
            return x - t * np.log(x + record.epsilon), 1 - t / (x + record.epsilon)
        case "hinge" | "squared_hinge":
            t = 2 * t - 1 if set(np.unique(t)) <= {0.0, 1.0} else t
            m = np.maximum(1 - t * x, 0)
            return (m, np.where(m > 0, -t, 0.0)) if record.kind == "hinge" else (m * m, -2 * m * t)
    raise ValueError(f"there is no loss {record.kind}")


def _binary(record: LossRecord, x: np.ndarray, t: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    t = t * (1 - record.smoothing) + record.smoothing / 2
    more = np.asarray(record.positive) if record.positive else np.ones(1)
    factor = 1 + (more - 1) * t
    if record.takes == "logits":
        soft = np.logaddexp(0.0, -x)
        return (1 - t) * x + factor * soft, (1 - t) - factor / (1 + np.exp(x))
    if not record.epsilon:
        each = -(t * np.maximum(np.log(x), LEAST_LOG) + (1 - t) * np.maximum(np.log1p(-x), LEAST_LOG))
        return each, (x - t) / np.maximum((1 - x) * x, 1e-12)
    kept = np.clip(x, record.epsilon, 1 - record.epsilon)
    slope = np.where((x >= record.epsilon) & (x <= 1 - record.epsilon), (1 - t) / (1 - kept) - t / kept, 0.0)
    return -(t * np.log(kept) + (1 - t) * np.log(1 - kept)), slope


def _divergence(record: LossRecord, x: np.ndarray, t: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    if record.takes == "log_probabilities":
        return np.where(t > 0, t * np.log(np.where(t > 0, t, 1.0)), 0.0) - t * x, -t
    low = record.epsilon
    t, kept = (np.clip(t, low, 1), np.clip(x, low, 1)) if low else (t, x)
    inside = (x >= low) & (x <= 1) if low else np.ones(x.shape, bool)
    return t * np.log(t / kept), np.where(inside, -t / kept, 0.0)


def as_kind(record: LossRecord, other: LossRecord) -> LossRecord:
    """Return `record` with the kind of another, and the settings that belong to a kind."""
    same = {name: getattr(other, name) for name in ("kind", "takes", "delta", "epsilon", "rule", "axis")}
    return replace(record, **same)
