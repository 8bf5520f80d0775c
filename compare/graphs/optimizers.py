"""Optimizers as records, and their steps in NumPy.

A record has everything that affects an optimizer, in the same terms for both frameworks, which allows changing one
thing while the rest stays. Parameters are by "NODE/ROLE", in canonical layout.
"""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

import numpy as np

from compare.graphs.node import Arrays

# The optimizers of both frameworks, under one name.
OptimizerName = Literal["sgd", "rmsprop", "adam", "adamw", "adagrad", "adadelta", "adamax", "nadam"]


@dataclass(frozen=True)
class OptimizerRecord:
    """One optimizer.

    `rates` are the learning rates of the steps, in order. `momentum_form`: "velocity" (the rate times the kept value)
    or "step" (the kept value includes the rate). `beta2` is also rho of RMSprop and Adadelta. `epsilon_place`:
    "outside" (added to the root), "inside" (under it), "uncorrected" (added to the root before its bias is corrected)
    or "maximum" (within Adamax's maximum). `decay_form`: "coupled" (a part of the gradient) or "decoupled" (a part of
    the parameter times the rate is subtracted). `clipping`: "", "value", "norm" (of each) or "global_norm", at `clip`;
    `clip_epsilon` is added to a norm. `accumulator` is Adagrad's initial value. `own` has the settings of single
    parameters, by name: "weight_decay", or a "rate" that multiplies the learning rate. `wholes` names the whole that a
    parameter is a part of, if a framework keeps several as one: its norm is then that of all parts.
    """

    kind: str
    rates: tuple[float, ...]
    momentum: float = 0.0
    nesterov: bool = False
    dampening: float = 0.0
    momentum_form: str = "velocity"
    beta1: float = 0.0
    beta2: float = 0.0
    epsilon: float = 0.0
    epsilon_place: str = "outside"
    amsgrad: bool = False
    centered: bool = False
    momentum_decay: float = 0.004
    weight_decay: float = 0.0
    decay_form: str = "coupled"
    clipping: str = ""
    clip: float = 0.0
    clip_epsilon: float = 0.0
    accumulator: float = 0.0
    own: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    wholes: Mapping[str, str] = field(default_factory=dict)

    def body(self) -> dict[str, Any]:
        """Return the record in JSON's types."""
        return asdict(self)

    @classmethod
    def of_body(cls, body: Mapping[str, Any]) -> "OptimizerRecord":
        """Return the record of `body`."""
        return cls(**{**body, "rates": tuple(body["rates"])})


def gradient_at(gradient: np.ndarray, step: int, scale: float = 1.0) -> np.ndarray:
    """Derive the gradient of one step from the first one. Every element changes in size and sign in its own way, which
    reveals what an optimizer remembers. The change depends on the element's value: a part of a weight gets the same
    change as in the whole."""
    places = np.floor(np.frexp(gradient)[0] * 2.0**20) % 7
    made: np.ndarray = scale * gradient * (0.3 + np.cos(1.7 * step + places))
    return made


def after_steps(
    record: OptimizerRecord,
    parameters: Arrays,
    gradients: Iterable[Arrays],
    copies: Mapping[str, np.ndarray] | None = None,
) -> Arrays:
    """Return the parameters after a step for each of `gradients`. `copies` says of how many equal, trained parts a
    parameter is the sum, such as the bias of PyTorch's LSTM; the default is 1. Raises KeyError for an unknown kind."""
    steps = Steps(record, parameters, copies)
    for given in gradients:
        steps.step(given)
    return steps.values


class Steps:
    """An optimizer's steps, one after the other; `values` are the current parameters."""

    def __init__(
        self, record: OptimizerRecord, parameters: Arrays, copies: Mapping[str, np.ndarray] | None = None
    ) -> None:
        """See after_steps."""
        self.record, self.copies, self.number = record, copies or {}, 0
        self.values = {name: np.array(array, np.float64) for name, array in parameters.items()}
        self._state: dict[str, Arrays] = {name: {} for name in self.values}

    def step(self, gradients: Arrays) -> None:
        """Take one step. Raises KeyError for an unknown kind."""
        record = self.record
        for name, gradient in _clipped(record, gradients, self.copies).items():
            own = record.own.get(name, {})
            rate = record.rates[self.number] * own.get("rate", 1.0)
            decay = own.get("weight_decay", record.weight_decay)
            n = self.copies.get(name, np.ones(1))
            value, slope = self.values[name], gradient
            if decay and record.decay_form == "decoupled":
                value = value * (1 - rate * decay)
            elif decay:
                slope = gradient + decay * value / n
            with np.errstate(all="ignore"):
                moved = _STEPS[record.kind](record, slope, rate, self.number + 1, self._state[name])
            self.values[name] = value - n * moved
        self.number += 1


def _clipped(record: OptimizerRecord, gradients: Arrays, copies: Mapping[str, np.ndarray]) -> Arrays:
    if record.clipping == "value":
        return {name: np.clip(g, -record.clip, record.clip) for name, g in gradients.items()}
    if not record.clipping:
        return gradients
    if record.clipping == "norm":
        parts: dict[str, float] = {}
        for name, g in gradients.items():
            whole = record.wholes.get(name, name)
            parts[whole] = parts.get(whole, 0.0) + float((g * g).sum())
        norms = {name: float(np.sqrt(parts[record.wholes.get(name, name)])) for name in gradients}
        return {name: g * _share(record, norms[name]) for name, g in gradients.items()}
    squares = (float((copies.get(name, np.ones(1)) * g * g).sum()) for name, g in gradients.items())
    norm = float(np.sqrt(sum(squares)))
    return {name: g * _share(record, norm) for name, g in gradients.items()}


def _share(record: OptimizerRecord, norm: float) -> float:
    """Return the share of a gradient of this norm that clipping leaves."""
    return min(1.0, record.clip / max(norm + record.clip_epsilon, 1e-300))


def _sgd(r: OptimizerRecord, g: np.ndarray, rate: float, t: int, s: Arrays) -> np.ndarray:
    if not r.momentum:
        return np.asarray(rate * g)
    if r.momentum_form == "step":
        s["m"] = r.momentum * s.get("m", 0.0) + rate * g
        return r.momentum * s["m"] + rate * g if r.nesterov else s["m"]
    s["m"] = r.momentum * s["m"] + (1 - r.dampening) * g if t > 1 else g
    return np.asarray(rate * (g + r.momentum * s["m"]) if r.nesterov else rate * s["m"])


def _moments(r: OptimizerRecord, g: np.ndarray, s: Arrays) -> None:
    s["m"] = r.beta1 * s.get("m", 0.0) + (1 - r.beta1) * g
    s["v"] = r.beta2 * s.get("v", 0.0) + (1 - r.beta2) * g * g


def _adam(r: OptimizerRecord, g: np.ndarray, rate: float, t: int, s: Arrays) -> np.ndarray:
    _moments(r, g, s)
    v = s["v"]
    if r.amsgrad:
        v = s["most"] = np.maximum(s.get("most", np.zeros_like(v)), v)
    first, second = 1 - r.beta1**t, 1 - r.beta2**t
    if r.epsilon_place == "uncorrected":
        return np.asarray(rate * np.sqrt(second) / first * s["m"] / (np.sqrt(v) + r.epsilon))
    if r.epsilon_place == "inside":
        return np.asarray(rate / first * s["m"] / np.sqrt(v / second + r.epsilon))
    return np.asarray(rate / first * s["m"] / (np.sqrt(v / second) + r.epsilon))


def _nadam(r: OptimizerRecord, g: np.ndarray, rate: float, t: int, s: Arrays) -> np.ndarray:
    _moments(r, g, s)
    now, then = (r.beta1 * (1 - 0.5 * 0.96 ** (k * r.momentum_decay)) for k in (t, t + 1))
    s["product"] = np.asarray(s.get("product", 1.0) * now)
    root = np.sqrt(s["v"] / (1 - r.beta2**t)) + r.epsilon
    mean = (1 - now) * g / (1 - s["product"]) + then * s["m"] / (1 - s["product"] * then)
    return np.asarray(rate * mean / root)


def _adamax(r: OptimizerRecord, g: np.ndarray, rate: float, t: int, s: Arrays) -> np.ndarray:
    s["m"] = r.beta1 * s.get("m", 0.0) + (1 - r.beta1) * g
    inside = r.epsilon if r.epsilon_place == "maximum" else 0.0
    s["u"] = np.maximum(r.beta2 * s.get("u", np.zeros_like(g)), np.abs(g) + inside)
    return np.asarray(rate * s["m"] / ((1 - r.beta1**t) * (s["u"] + r.epsilon - inside)))


def _rmsprop(r: OptimizerRecord, g: np.ndarray, rate: float, t: int, s: Arrays) -> np.ndarray:
    s["v"] = v = r.beta2 * s.get("v", 0.0) + (1 - r.beta2) * g * g
    if r.centered:
        s["mean"] = r.beta2 * s.get("mean", 0.0) + (1 - r.beta2) * g
        v = v - s["mean"] ** 2
    root = np.sqrt(v + r.epsilon) if r.epsilon_place == "inside" else np.sqrt(v) + r.epsilon
    if not r.momentum:
        return np.asarray(rate * g / root)
    if r.momentum_form == "step":
        s["m"] = r.momentum * s.get("m", 0.0) + rate * g / root
        return np.asarray(s["m"])
    s["m"] = r.momentum * s.get("m", 0.0) + g / root
    return np.asarray(rate * s["m"])


def _adagrad(r: OptimizerRecord, g: np.ndarray, rate: float, t: int, s: Arrays) -> np.ndarray:
    s["sum"] = s.get("sum", r.accumulator) + g * g
    if r.epsilon_place == "inside":
        return np.asarray(rate * g / np.sqrt(s["sum"] + r.epsilon))
    return np.asarray(rate * g / (np.sqrt(s["sum"]) + r.epsilon))


def _adadelta(r: OptimizerRecord, g: np.ndarray, rate: float, t: int, s: Arrays) -> np.ndarray:
    s["v"] = r.beta2 * s.get("v", 0.0) + (1 - r.beta2) * g * g
    before = s.get("moved", np.zeros_like(g))
    step = np.sqrt(before + r.epsilon) / np.sqrt(s["v"] + r.epsilon) * g
    s["moved"] = r.beta2 * before + (1 - r.beta2) * step * step
    return np.asarray(rate * step)


_STEPS = {
    "sgd": _sgd,
    "adam": _adam,
    "nadam": _nadam,
    "adamax": _adamax,
    "rmsprop": _rmsprop,
    "adagrad": _adagrad,
    "adadelta": _adadelta,
}
