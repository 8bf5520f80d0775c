"""PyTorch's losses: by name or by reference; and their records, read from the PyTorch function that is called."""

import inspect
from collections.abc import Callable
from typing import Any

from torch import nn
from torch.overrides import TorchFunctionMode

from compare.adapters.adapter import Unreadable
from compare.adapters.loss_names import INDICES, ONE_HOT, VALUES
from compare.adapters.torch_calls import name_of
from compare.graphs.losses import LossRecord

BY_NAME: dict[str, Callable[[], nn.Module]] = {
    "cross_entropy": nn.CrossEntropyLoss,
    "cross_entropy_with_logits": nn.CrossEntropyLoss,
    "binary_cross_entropy": nn.BCELoss,
    "binary_cross_entropy_with_logits": nn.BCEWithLogitsLoss,
    "mse": nn.MSELoss,
    "mae": nn.L1Loss,
    "huber": nn.HuberLoss,
    "kl_div": nn.KLDivLoss,
    "poisson": nn.PoissonNLLLoss,
}
OUTPUTS_FIRST = ("output", "outputs", "prediction", "predictions", "pred", "preds", "y_pred", "logits", "input", "x")
TARGETS_FIRST = ("y_true", "target", "targets", "label", "labels", "true", "y")
_OF_CLASSES = ("CrossEntropyLoss", "NLLLoss", "NLLLoss2d", "cross_entropy", "nll_loss")
_OF_VALUES = (
    *("MSELoss", "L1Loss", "HuberLoss", "SmoothL1Loss", "BCELoss", "BCEWithLogitsLoss", "KLDivLoss", "PoissonNLLLoss"),
    *("mse_loss", "l1_loss", "huber_loss", "smooth_l1_loss", "binary_cross_entropy", "kl_div", "poisson_nll_loss"),
    "binary_cross_entropy_with_logits",
)


def loss_of(found: Any, text: str) -> tuple[Callable[..., Any], tuple[str, ...], bool]:
    """Return the callable loss, the forms of targets that it may take, and whether targets come first. `found` is the
    object that a reference names. Raises Unreadable if it cannot be called."""
    for _ in range(2):
        if isinstance(found, type) and issubclass(found, nn.Module):
            found = found()
        if isinstance(found, nn.Module) or not callable(found) or _n_needed(found) != 0:
            break
        found = found()  # a function that returns the loss
    if not callable(found):
        raise Unreadable(
            f"{text} is not a loss but {type(found).__name__}: it must be called with the outputs and the targets."
        )
    if isinstance(found, nn.Module):
        found = found.double() if any(t.is_floating_point() for t in found.buffers()) else found
    name = type(found).__name__ if isinstance(found, nn.Module) else getattr(found, "__name__", "")
    of_torch = getattr(found, "__module__", "").startswith("torch.")
    forms: tuple[str, ...] = (INDICES, ONE_HOT, VALUES)  # for any other loss, in order of trial
    if of_torch:
        forms = (INDICES,) if name in _OF_CLASSES else (VALUES,) if name in _OF_VALUES else forms
    return found, forms, not isinstance(found, nn.Module) and targets_first(found, False)


def targets_first(function: Callable[..., Any], usual: bool) -> bool:
    """Whether a function takes the targets before the outputs, by their names; `usual` if the names do not show it."""
    try:
        first = next(iter(inspect.signature(function).parameters))
    except (TypeError, ValueError, StopIteration):
        return usual
    return True if first in TARGETS_FIRST else False if first in OUTPUTS_FIRST else usual


def _n_needed(function: Any) -> int:
    """Return how many arguments a function needs; 2 if that is unknown."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return 2
    positional = [p for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD, p.VAR_POSITIONAL)]
    return sum(p.default is p.empty for p in positional)


class LossWatch(TorchFunctionMode):
    """Records which loss of PyTorch's is called, and how."""

    def __init__(self) -> None:
        super().__init__()
        self.records: list[LossRecord] = []

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        name, _ = name_of(func)
        if name in _READ:
            bound = inspect.signature(func).bind(*args, **kwargs)
            bound.apply_defaults()
            self.records.append(_READ[name](bound.arguments))
        return func(*args, **kwargs)

    @property
    def record(self) -> LossRecord | None:
        """The loss, if only one was called."""
        return self.records[0] if len(self.records) == 1 else None


def _list(tensor: Any) -> tuple[float, ...]:
    return () if tensor is None else tuple(float(each) for each in tensor.detach().double().flatten())


def _reduction(arguments: dict[str, Any]) -> str:
    """Return PyTorch's reduction, including the deprecated arguments."""
    if arguments.get("size_average") is not None or arguments.get("reduce") is not None:
        return "mean" if arguments.get("size_average") is not False else "sum"
    return str(arguments["reduction"])


def _cross_entropy(a: dict[str, Any]) -> LossRecord:
    return LossRecord(
        "cross_entropy",
        "log_probabilities" if "label_smoothing" not in a else "logits",
        _reduction(a),
        smoothing=float(a.get("label_smoothing", 0.0)),
        weights=_list(a["weight"]),
        ignore=int(a["ignore_index"]),
    )


def _binary(a: dict[str, Any]) -> LossRecord:
    takes = "logits" if "pos_weight" in a else "probabilities"
    return LossRecord("binary_cross_entropy", takes, _reduction(a), positive=_list(a.get("pos_weight")))


def _smooth_l1(a: dict[str, Any]) -> LossRecord:
    beta = float(a["beta"])
    if beta == 0:
        return LossRecord("mae", reduction=_reduction(a))
    return LossRecord("huber", reduction=_reduction(a), delta=beta, factor=1 / beta)


def _divergence(a: dict[str, Any]) -> LossRecord:
    reduction = {"batchmean": "batch_mean"}.get(_reduction(a), _reduction(a))
    return LossRecord("kl_div", "log_probabilities", reduction)


def _poisson(a: dict[str, Any]) -> LossRecord:
    takes = "logits" if a["log_input"] else "values"
    return LossRecord("poisson", takes, _reduction(a), epsilon=0.0 if a["log_input"] else float(a["eps"]))


_READ: dict[str, Callable[[dict[str, Any]], LossRecord]] = {
    "cross_entropy": _cross_entropy,
    "nll_loss": _cross_entropy,
    "binary_cross_entropy": _binary,
    "binary_cross_entropy_with_logits": _binary,
    "mse_loss": lambda a: LossRecord("mse", reduction=_reduction(a)),
    "l1_loss": lambda a: LossRecord("mae", reduction=_reduction(a)),
    "huber_loss": lambda a: LossRecord("huber", reduction=_reduction(a), delta=float(a["delta"])),
    "smooth_l1_loss": _smooth_l1,
    "kl_div": _divergence,
    "poisson_nll_loss": _poisson,
}
