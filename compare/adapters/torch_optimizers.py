"""PyTorch's optimizers: by name, or by reference to a function of the parameters; and their records."""

import copy
import inspect
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn, optim

from compare.adapters.adapter import Unreadable
from compare.graphs.optimizers import OptimizerRecord

BY_NAME: dict[str, Any] = {
    "sgd": optim.SGD,
    "rmsprop": optim.RMSprop,
    "adam": optim.Adam,
    "adamw": optim.AdamW,
    "adagrad": optim.Adagrad,
    "adadelta": optim.Adadelta,
    "adamax": optim.Adamax,
    "nadam": optim.NAdam,
}

CLIP_EPSILON = 1e-6  # PyTorch adds it to a norm that it clips by


class Stepper:
    """An optimizer with its schedule."""

    def __init__(self, optimizer: Any, schedules: tuple[Any, ...]) -> None:
        self.optimizer, self.schedules = optimizer, schedules
        self.rates: list[float] = []
        self.clipped: tuple[str, float] = ("", 0.0)

    def step(self) -> None:
        """Take one step, as a user's loop does."""
        self.rates.append(float(self.optimizer.param_groups[0]["lr"]))
        tensors = [tensor for group in self.optimizer.param_groups for tensor in group["params"]]
        before = [None if t.grad is None else t.grad.clone() for t in tensors]
        with _clipping(self):
            self.optimizer.step()
        if not self.clipped[0]:
            pairs = [(a, t.grad) for a, t in zip(before, tensors, strict=True) if a is not None and t.grad is not None]
            self.clipped = seen_clipping(pairs) or self.clipped
        for each in self.schedules:
            each.step()

    @property
    def held(self) -> set[int]:
        """The identities of its parameters."""
        return {id(tensor) for group in self.optimizer.param_groups for tensor in group["params"]}


class Again(Stepper):
    """An optimizer that a loop used, reset, with the rates and the clipping that it had there."""

    def __init__(self, optimizer: Any, rates: Sequence[float], clipped: tuple[str, float]) -> None:
        made = copy.copy(optimizer)
        made.state = defaultdict(dict)
        first = optimizer.param_groups[0]["lr"] or 1.0
        made.param_groups = [dict(group) for group in optimizer.param_groups]
        super().__init__(made, ())
        self.clipped = clipped
        self._seen, self._shares = list(rates), [group["lr"] / first for group in made.param_groups]

    def step(self) -> None:
        """See Stepper.step."""
        rate = self._seen[min(len(self.rates), len(self._seen) - 1)]
        for group, share in zip(self.optimizer.param_groups, self._shares, strict=True):
            group["lr"] = rate * share
        if self.clipped[0]:
            tensors = [tensor for group in self.optimizer.param_groups for tensor in group["params"]]
            clip = nn.utils.clip_grad_value_ if self.clipped[0] == "value" else nn.utils.clip_grad_norm_
            clip(tensors, self.clipped[1])
        super().step()


def stepper_of(found: Any, model: nn.Module, text: str) -> Stepper:
    """Return the optimizer that a reference names, made for the model's parameters. It is a class, or a function of the
    parameters (or of the model, if its argument is named so). It may also return a schedule. Raises Unreadable if it is
    not an optimizer."""
    parameters = list(model.parameters())
    if not parameters:
        raise Unreadable("The model has no parameters to train.")
    if callable(found) and not isinstance(found, optim.Optimizer):
        found = found(model if _first_argument(found) in ("model", "net", "network", "module") else parameters)
    parts = list(found.values()) if isinstance(found, dict) else found
    parts = parts if isinstance(parts, tuple | list) else (parts,)
    parts = [part["scheduler"] if isinstance(part, dict) and "scheduler" in part else part for part in parts]
    if not parts or not isinstance(parts[0], optim.Optimizer):
        kind = type(parts[0]).__name__ if parts else "nothing"
        raise Unreadable(
            f"{text} is not an optimizer but {kind}: give a function of the parameters that returns one of torch.optim."
        )
    return Stepper(parts[0], tuple(part for part in parts[1:] if hasattr(part, "step")))


def _first_argument(function: Any) -> str:
    """Return the name of a function's first argument; "" if it is not known."""
    try:
        return next(iter(inspect.signature(getattr(function, "function", function)).parameters), "")
    except (TypeError, ValueError):
        return ""


def record_of(stepper: Stepper, names: Mapping[int, Sequence[str]]) -> OptimizerRecord | None:
    """Return an optimizer's record after its steps; None if it is unknown. `names` are NODE/ROLE by the identity of the
    parameters."""
    optimizer = stepper.optimizer
    read = next((_READ[each] for each in type(optimizer).__mro__ if each in _READ), None)
    groups = optimizer.param_groups
    if read is None or any(group.get("maximize") for group in groups):
        return None
    record = replace(read(groups[0]), rates=tuple(stepper.rates))
    own: dict[str, dict[str, float]] = {}
    for group in groups[1:]:
        if replace(read(group), rates=(), weight_decay=0.0) != replace(record, rates=(), weight_decay=0.0):
            return None
        different: dict[str, float] = {}
        if group["lr"] != groups[0]["lr"]:
            different["rate"] = group["lr"] / groups[0]["lr"]
        if group.get("weight_decay", 0.0) != record.weight_decay:
            different["weight_decay"] = float(group.get("weight_decay", 0.0))
        for tensor in group["params"]:
            if different:
                own |= dict.fromkeys(names.get(id(tensor), ()), different)
    return replace(record, own=own, clipping=stepper.clipped[0], clip=stepper.clipped[1], clip_epsilon=CLIP_EPSILON)


def seen_clipping(pairs: list[tuple[Tensor, Tensor]]) -> tuple[str, float] | None:
    """Return how gradients were clipped in a step, from their values: clipping functions can be imported by name."""
    if all(torch.equal(a, b) for a, b in pairs):
        return None
    norms = [torch.linalg.vector_norm(torch.stack([torch.linalg.vector_norm(each) for each in some])).item()
             for some in zip(*pairs, strict=True)]  # fmt: skip
    share = norms[1] / max(norms[0], 1e-300)
    if share < 1 and all(torch.allclose(b, a * share, rtol=1e-9, atol=0) for a, b in pairs):
        return "global_norm", float(f"{share * (norms[0] + CLIP_EPSILON):.9g}")
    most = [torch.linalg.vector_norm(b).item() + CLIP_EPSILON for a, b in pairs if not torch.equal(a, b)]
    each = [torch.linalg.vector_norm(a).item() for a, b in pairs if torch.equal(a, b)]
    if len(most) > 1 and max(most) - min(most) <= 1e-6 * max(most) and max(each, default=0.0) <= max(most):
        return "norm", float(f"{max(most):.9g}")
    limit = max(float(b.abs().max()) for _, b in pairs)
    if all(torch.equal(b, a.clamp(-limit, limit)) for a, b in pairs):
        return "value", limit
    return None


@contextmanager
def _clipping(stepper: Stepper) -> Iterator[None]:
    """Note which of PyTorch's functions that clip gradients is called within a step."""
    kept = {name: getattr(nn.utils, name) for name in ("clip_grad_norm_", "clip_grad_value_")}

    def noted(name: str, kind: str) -> Callable[..., Any]:
        def call(parameters: Any, limit: float, *args: Any, **kwargs: Any) -> Any:
            parameters = parameters if isinstance(parameters, Tensor) else list(parameters)
            alone = isinstance(parameters, Tensor) or len(parameters) == 1 < len(stepper.held)
            stepper.clipped = "norm" if alone and kind == "global_norm" else kind, float(limit)
            return kept[name](parameters, limit, *args, **kwargs)

        return call

    try:
        nn.utils.clip_grad_norm_ = noted("clip_grad_norm_", "global_norm")
        nn.utils.clip_grad_value_ = noted("clip_grad_value_", "value")
        yield
    finally:
        for name, function in kept.items():
            setattr(nn.utils, name, function)


def _number(value: Any) -> float:
    return float(value)


def _adam(g: Mapping[str, Any], decoupled: bool = False) -> OptimizerRecord:
    return OptimizerRecord(
        "adam",
        (),
        beta1=_number(g["betas"][0]),
        beta2=_number(g["betas"][1]),
        epsilon=_number(g["eps"]),
        amsgrad=bool(g.get("amsgrad")),
        weight_decay=_number(g["weight_decay"]),
        decay_form="decoupled" if decoupled or g.get("decoupled_weight_decay") else "coupled",
    )


def _nadam(g: Mapping[str, Any]) -> OptimizerRecord:
    return replace(_adam(g), kind="nadam", momentum_decay=_number(g["momentum_decay"]))


def _sgd(g: Mapping[str, Any]) -> OptimizerRecord:
    return OptimizerRecord(
        "sgd",
        (),
        _number(g["momentum"]),
        bool(g["nesterov"]),
        _number(g["dampening"]),
        weight_decay=_number(g["weight_decay"]),
    )


def _rmsprop(g: Mapping[str, Any]) -> OptimizerRecord:
    return OptimizerRecord(
        "rmsprop",
        (),
        _number(g["momentum"]),
        beta2=_number(g["alpha"]),
        epsilon=_number(g["eps"]),
        centered=bool(g["centered"]),
        weight_decay=_number(g["weight_decay"]),
    )


def _adagrad(g: Mapping[str, Any]) -> OptimizerRecord:
    return OptimizerRecord(
        "adagrad",
        (),
        epsilon=_number(g["eps"]),
        weight_decay=_number(g["weight_decay"]),
        accumulator=_number(g["initial_accumulator_value"]),
    )


def _adadelta(g: Mapping[str, Any]) -> OptimizerRecord:
    return OptimizerRecord(
        "adadelta",
        (),
        beta2=_number(g["rho"]),
        epsilon=_number(g["eps"]),
        epsilon_place="inside",
        weight_decay=_number(g["weight_decay"]),
    )


_READ: dict[type, Callable[[Mapping[str, Any]], OptimizerRecord]] = {
    optim.SGD: _sgd,
    optim.AdamW: lambda g: _adam(g, decoupled=True),
    optim.Adam: _adam,
    optim.NAdam: _nadam,
    optim.Adamax: lambda g: replace(_adam(g), kind="adamax", epsilon_place="maximum"),
    optim.RMSprop: _rmsprop,
    optim.Adagrad: _adagrad,
    optim.Adadelta: _adadelta,
}
