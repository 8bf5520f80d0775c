"""Keras's losses: by name, by reference, or from a compiled model; and their records, read from the configuration."""

import inspect
from collections.abc import Callable
from typing import Any

import keras
from keras import ops

from compare.adapters.adapter import Unreadable
from compare.adapters.keras_backend import BACKEND
from compare.adapters.loss_names import INDICES, ONE_HOT, UNKNOWN, VALUES
from compare.adapters.shortest import shortest
from compare.graphs.losses import LossRecord

BY_NAME: dict[str, Callable[[], Any]] = {
    "cross_entropy": keras.losses.SparseCategoricalCrossentropy,
    "cross_entropy_with_logits": lambda: keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    "binary_cross_entropy": keras.losses.BinaryCrossentropy,
    "binary_cross_entropy_with_logits": lambda: keras.losses.BinaryCrossentropy(from_logits=True),
    "mse": keras.losses.MeanSquaredError,
    "mae": keras.losses.MeanAbsoluteError,
    "huber": keras.losses.Huber,
    "kl_div": keras.losses.KLDivergence,
    "poisson": keras.losses.Poisson,
}
OUTPUTS_FIRST = ("output", "outputs", "prediction", "predictions", "pred", "preds", "y_pred", "logits", "x")
_KINDS = {
    "SparseCategoricalCrossentropy": "cross_entropy",
    "CategoricalCrossentropy": "cross_entropy",
    "BinaryCrossentropy": "binary_cross_entropy",
    "MeanSquaredError": "mse",
    "MeanAbsoluteError": "mae",
    "Huber": "huber",
    "KLDivergence": "kl_div",
    "Poisson": "poisson",
    "LogCosh": "log_cosh",
    "Hinge": "hinge",
    "SquaredHinge": "squared_hinge",
}
_KEPT_FROM_0 = ("cross_entropy", "binary_cross_entropy", "kl_div", "poisson")


def loss_of(found: Any, text: str) -> tuple[Any, tuple[str, ...], bool]:
    """Return the callable loss, the forms of targets that it may take, and whether targets come first. `found` is the
    object named by a reference or a compiled model. Raises Unreadable if it cannot be called."""
    if isinstance(found, str):
        found = keras.losses.get(found)
    for _ in range(2):
        if isinstance(found, type) or (not isinstance(found, keras.losses.Loss) and _n_needed(found) == 0):
            found = found()
    if not callable(found):
        raise Unreadable(
            f"{text} is not a loss but {type(found).__name__}: it must be called with the targets and the outputs."
        )
    name = class_of(found)
    if name == "SparseCategoricalCrossentropy":
        return found, (INDICES,), True
    if name in _KINDS or isinstance(found, keras.losses.Loss):
        forms = (ONE_HOT,) if _KINDS.get(name) == "cross_entropy" else (VALUES,) if name in _KINDS else UNKNOWN
        return found, forms, True
    return found, UNKNOWN, _targets_first(found)


def computed(loss: Any, targets: Any, outputs: Any, first: bool) -> Any:
    """Return the loss as one number: a function's values are averaged, as in Keras."""
    value = loss(targets, outputs) if first else loss(outputs, targets)
    value = ops.convert_to_tensor(value)
    if len(value.shape) and not isinstance(loss, keras.losses.Loss):
        return ops.mean(value)
    return value


def record_of(loss: Any, axis: int, has_logits: bool) -> LossRecord | None:
    """Return the record of one of Keras's own losses; None for another. `axis` is that of the classes. Outputs that
    remember their logits (`has_logits`), as a softmax's do, are read as probabilities, whatever the loss states."""
    name = class_of(loss)
    if name not in _KINDS or (isinstance(loss, keras.losses.Loss) and not _is_own(loss)):
        return None
    config: dict[str, Any] = {}
    if isinstance(loss, keras.losses.Loss):  # Huber's configuration omits its delta
        config = {**loss.get_config(), **getattr(loss, "_fn_kwargs", {})}
    kind = _KINDS[name]
    logits = bool(config.get("from_logits", False)) and not (has_logits and "cross_entropy" in kind)
    exact = logits or (has_logits and "cross_entropy" in kind)
    takes = "values" if kind not in _KEPT_FROM_0 or kind == "poisson" else "logits" if logits else "probabilities"
    sparse = name.startswith("Sparse") and BACKEND == "tensorflow"  # other backends have one rule for both
    smoothing = float(config.get("label_smoothing", 0.0) or 0.0)
    return LossRecord(
        kind,
        takes,
        _reduction(kind, str(config.get("reduction", "sum_over_batch_size"))),
        smoothing=smoothing,
        ignore=config.get("ignore_class"),
        delta=shortest(config["delta"]) if "delta" in config else 1.0,
        epsilon=keras.config.epsilon() if kind in _KEPT_FROM_0 and not exact else 0.0,
        rule="" if kind != "cross_entropy" or exact else "sparse" if sparse else "categorical",
        axis=axis,
    )


def class_of(loss: Any) -> str:
    """Return the name of Keras's class that a loss belongs to, or whose function it is; "" for another."""
    if isinstance(loss, keras.losses.Loss):
        return type(loss).__name__
    if not getattr(loss, "__module__", "").startswith("keras."):
        return ""
    plain = getattr(loss, "__name__", "").replace("_", "")
    return next((name for name in _KINDS if name.lower() == plain), "")


def _is_own(loss: Any) -> bool:
    return type(loss).__module__.startswith("keras.") and type(loss).__call__ is keras.losses.Loss.__call__


def _reduction(kind: str, stated: str) -> str:
    """Return the canonical reduction for Keras's, whose loss functions have already averaged or summed the classes."""
    if stated == "sum":
        return "sum" if kind in ("cross_entropy", "kl_div") else "sum_of_means"
    return "example_mean" if kind == "kl_div" else "mean"


def _n_needed(function: Any) -> int:
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return 2
    return sum(p.default is p.empty and p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD) for p in parameters)


def _targets_first(function: Any) -> bool:
    try:
        first = next(iter(inspect.signature(function).parameters))
    except (TypeError, ValueError, StopIteration):
        return True
    return first not in OUTPUTS_FIRST
