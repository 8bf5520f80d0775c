"""List the differences between two optimizers' records, and change a record to match another in some of them."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import groupby

import numpy as np

from compare.graphs.optimizers import OptimizerRecord
from compare.port.difference import shown

CAUSES = {
    "kind": "optimizer.kind",
    "learning_rate": "optimizer.learning_rate",
    "schedule": "optimizer.schedule",
    "momentum": "optimizer.momentum",
    "nesterov": "optimizer.nesterov",
    "dampening": "optimizer.dampening",
    "momentum_form": "optimizer.momentum_form",
    "betas": "optimizer.betas",
    "momentum_decay": "optimizer.momentum_decay",
    "epsilon": "optimizer.epsilon",
    "epsilon_place": "optimizer.epsilon_place",
    "amsgrad": "optimizer.amsgrad",
    "centered": "optimizer.centered",
    "accumulator": "optimizer.accumulator",
    "weight_decay": "optimizer.weight_decay",
    "decay_form": "optimizer.decay_form",
    "own": "optimizer.groups",
    "clipping": "optimizer.clipping",
    "wholes": "optimizer.clipping_parts",
}
# Settings that have a meaning for these kinds only.
ONLY = {
    "nesterov": ("sgd",),
    "dampening": ("sgd",),
    "momentum": ("sgd", "rmsprop"),
    "momentum_form": ("sgd", "rmsprop"),
    "betas": ("adam", "nadam", "adamax", "rmsprop", "adadelta"),
    "momentum_decay": ("nadam",),
    "amsgrad": ("adam",),
    "centered": ("rmsprop",),
    "accumulator": ("adagrad",),
    "epsilon": ("adam", "nadam", "adamax", "rmsprop", "adadelta", "adagrad"),
    "epsilon_place": ("adam", "nadam", "adamax", "rmsprop", "adadelta", "adagrad"),
}
ROUNDED = 1e-6  # relative tolerance of a rate
OF_KIND = (
    *("kind", "momentum", "nesterov", "dampening", "momentum_form", "beta1", "beta2", "epsilon", "epsilon_place"),
    *("amsgrad", "centered", "momentum_decay", "accumulator"),
)


def rates_alike(left: OptimizerRecord, right: OptimizerRecord) -> bool:
    """Whether no parameter has a separate learning rate on one side only."""
    names = {*left.own, *right.own}
    return all(left.own.get(n, {}).get("rate", 1.0) == right.own.get(n, {}).get("rate", 1.0) for n in names)


def _peak(record: OptimizerRecord) -> float:
    """Return the learning rate that a schedule scales: the largest."""
    return max(record.rates, default=0.0)


def _value(record: OptimizerRecord, name: str) -> object:
    if name == "learning_rate":
        return _peak(record)
    if name == "schedule":
        most = _peak(record)
        same = all(abs(rate - most) <= 1e-9 * abs(most) for rate in record.rates)
        return None if same else tuple(round(rate / most, 7) if most else rate for rate in record.rates)
    if name == "betas":
        return (record.beta1, record.beta2)
    if name == "clipping":
        return (record.clipping, record.clip) if record.clipping else None
    if name == "wholes":
        return tuple(sorted(record.wholes.items()))
    if name == "decay_form":
        return record.decay_form if record.weight_decay else None
    return getattr(record, name)


def in_runs(rates: Sequence[float], most: int = 4) -> str:
    """Return learning rates as text, with equal ones grouped: 0.1 (5 steps), 0.05 (5 steps), ..."""
    runs = [(rate, len(list(equal))) for rate, equal in groupby(f"{rate:.4g}" for rate in rates)]
    shown = [f"{rate} ({n} steps)" if n > 1 else rate for rate, n in runs[:most]]
    return ", ".join([*shown, "..."] if len(runs) > most else shown)


def said(record: OptimizerRecord, name: str) -> str:
    """Return a record's value for one of CAUSES, as text."""
    value = _value(record, name)
    if name == "schedule" and isinstance(value, tuple):
        return f"the rate times {in_runs(value)}"
    if name == "clipping" and isinstance(value, tuple):
        return f"{value[0]} {value[1]:.6g}"
    if name == "wholes":
        return f"{parts(record)} by one norm" if record.wholes else "each weight by its own norm"
    if name == "own":
        return "the same for all" if not record.own else f"other settings for {', '.join(list(record.own)[:3])}"
    if name == "weight_decay" and record.weight_decay:
        return f"{record.weight_decay:.6g}, {record.decay_form}"
    return shown(value)


def differences(left: OptimizerRecord, right: OptimizerRecord) -> list[str]:
    """Return the names of CAUSES that differ."""
    found = []
    if left.kind != right.kind:
        found.append("kind")
        right = changed(right, left, ["kind"])
    for name in CAUSES:
        a, b = _value(left, name), _value(right, name)
        if left.kind not in ONLY.get(name, (left.kind,)):
            continue
        if name == "wholes" and "norm" not in (left.clipping, right.clipping):
            continue
        if name == "kind" or (name == "decay_form" and (a is None or b is None)):
            continue
        if isinstance(a, float) and isinstance(b, float):
            if abs(a - b) > 1e-7 * max(abs(a), abs(b)):
                found.append(name)
        elif name == "betas" and isinstance(a, tuple) and isinstance(b, tuple):
            if not np.allclose(a, b, rtol=1e-6):
                found.append(name)
        elif name == "schedule" and isinstance(a, tuple) and isinstance(b, tuple):
            if not _rates_close(a, b):
                found.append(name)
        elif a != b:
            found.append(name)
    return found


def _rates_close(a: Sequence[float], b: Sequence[float]) -> bool:
    """Whether rates are equal apart from rounding to float32, relative to the largest rate."""
    most = max(map(abs, (*a, *b)), default=0.0)
    return len(a) == len(b) and np.allclose(a, b, rtol=ROUNDED, atol=ROUNDED * most)


def changed(record: OptimizerRecord, wanted: OptimizerRecord, names: Sequence[str]) -> OptimizerRecord:
    """Return the record with the settings `names` as in another."""
    more: dict[str, object] = {}
    rates = record.rates
    for name in names:
        if name == "kind":
            more |= {each: getattr(wanted, each) for each in OF_KIND}
        elif name == "betas":
            more |= {"beta1": wanted.beta1, "beta2": wanted.beta2}
        elif name == "clipping":
            more |= {"clipping": wanted.clipping, "clip": wanted.clip}
        elif name == "weight_decay":
            more["weight_decay"] = wanted.weight_decay
            if not record.weight_decay or not wanted.weight_decay:
                more["decay_form"] = wanted.decay_form
        elif name == "learning_rate":
            share = _peak(wanted) / _peak(record) if _peak(record) else 0.0
            rates = tuple(rate * share for rate in rates) if share else wanted.rates
        elif name == "dampening":  # Keras's form has no dampening
            more |= {"dampening": wanted.dampening, "momentum_form": wanted.momentum_form}
        elif name == "schedule":
            rates = tuple(max(rates) * rate / (_peak(wanted) or 1.0) for rate in wanted.rates)
        elif name in CAUSES:
            more[name] = getattr(wanted, name)
    return replace(record, rates=rates, **more)  # type: ignore[arg-type]


def rebased(record: OptimizerRecord, other: OptimizerRecord, names: Sequence[str]) -> OptimizerRecord:
    """Return the same optimizer with another group as its default: the one whose rate and decay are nearest to the
    other's. `names` are all the weights that it trains."""
    groups = [{}, *({**own} for own in record.own.values())]

    def settings(own: Mapping[str, float]) -> tuple[float, float]:
        return own.get("rate", 1.0), own.get("weight_decay", record.weight_decay)

    def alike(own: Mapping[str, float]) -> int:
        rate, decay = settings(own)
        given = ((_peak(record) * rate, _peak(other)), (decay, other.weight_decay))
        return sum(abs(a - b) <= 1e-7 * max(abs(a), abs(b)) for a, b in given)

    base_rate, base_decay = settings(max(groups, key=alike))  # of several groups that match equally well, the first
    if not base_rate:
        return record
    own: dict[str, dict[str, float]] = {}
    for name in names:
        rate, decay = settings(record.own.get(name, {}))
        different = {"rate": rate / base_rate} if rate != base_rate else {}
        if decay != base_decay:
            different["weight_decay"] = decay
        if different:
            own[name] = different
    rates = tuple(rate * base_rate for rate in record.rates)
    return replace(record, rates=rates, weight_decay=base_decay, own=own)


def together(record: OptimizerRecord, names: Sequence[str]) -> OptimizerRecord:
    """Return the record with each whole named after the first of its parts among `names`, which makes two records
    comparable. A part without others is not a whole."""
    groups: dict[str, list[str]] = {}
    for name in names:
        if name in record.wholes:
            groups.setdefault(record.wholes[name], []).append(name)
    return replace(record, wholes={name: group[0] for group in groups.values() if len(group) > 1 for name in group})


def parts(record: OptimizerRecord) -> str:
    """Return the first whole's parts, as text."""
    first = next(iter(record.wholes.values()))
    return ", ".join(name for name, whole in record.wholes.items() if whole == first)


def set_aside(left: OptimizerRecord, right: OptimizerRecord) -> tuple[OptimizerRecord, tuple[str, ...]]:
    """Return the right record without differences that no option changes, and a sentence on each of them. These are
    the float32 rates of a schedule, and what PyTorch adds to a norm that it clips by."""
    said = []
    rates = right.rates
    if rates != left.rates and _rates_close(rates, left.rates):
        rates = left.rates
        said.append("A schedule computes its rates in float32; this is ignored.")
    both = left.clipping == right.clipping and "norm" in left.clipping and left.clip == right.clip
    if both and left.clip_epsilon != right.clip_epsilon:
        said.append("PyTorch adds 0.000001 to the norm that it clips by; this is ignored.")
    return replace(right, rates=rates, clip_epsilon=left.clip_epsilon), tuple(said)
