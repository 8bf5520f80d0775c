"""What only one side trains, and what only one side adds to its loss."""

import numpy as np

from compare.port.align import Alignment
from compare.port.learned import LearnedCause, Two
from compare.port.measure import distance
from compare.port.side import Differentiated

BOUND = 1e-9  # how far the gradients of two regularisers may be: Keras keeps their factors in float32


def frozen(
    left: Differentiated, right: Differentiated, alignment: Alignment, frameworks: tuple[str, str]
) -> list[LearnedCause]:
    """The causes of weights that are trained on one side alone."""
    found = []
    for which in (0, 1):  # the side that does not train
        own = (left, right)[which]
        pairs, names = [], []
        for name_l, name_r in alignment.pairs:
            trains = [_trained(side, name) for side, name in ((left, name_l), (right, name_r))]
            shared = trains[0].keys() & trains[1].keys()
            some = [role for role in own.recording.graph[(name_l, name_r)[which]].roles if role in shared]
            if any(trains[1 - which][role] and not trains[which][role] for role in some):
                pairs.append((name_l, name_r))
                names.append((name_l, name_r)[which])
        if pairs:
            values = ("frozen", "trained") if which == 0 else ("trained", "frozen")
            fix = [_freeze(frameworks[side], pairs[0][side], side != which) for side in (0, 1)]
            found.append(LearnedCause("layer.frozen", "gradients", tuple(pairs), *values, (fix[0], fix[1]), None, None))
    return found


def _trained(side: Differentiated, name: str) -> dict[str, bool]:
    keys = {role: f"{name}/{role}" for role in side.recording.graph[name].roles}
    return {role: side.parameters[key][1] for role, key in keys.items() if key in side.parameters}


def _freeze(framework: str, name: str, freeze: bool) -> str:
    """The line that freezes a layer as the other side does, or that trains it."""
    if framework == "torch":
        return f"model.{name}.requires_grad_({not freeze})"
    if framework == "keras":
        return f'model.get_layer("{name}").trainable = {not freeze}'
    return f"tf.Variable(..., trainable={not freeze}) in {name}"


def regularised(
    left: Differentiated, right: Differentiated, alignment: Alignment, frameworks: tuple[str, str]
) -> list[LearnedCause]:
    """The causes of what one side adds to its loss and the other does not: penalties that differ, in the gradient of a
    weight or in the value that is left."""
    groups: dict[tuple[str, str], list[Two]] = {}
    for name_l, name_r in alignment.pairs:
        for role in left.recording.graph[name_l].roles:
            keys = (f"{name_l}/{role}", f"{name_r}/{role}")
            gradients = [side.penalties.get(key) for side, key in ((left, keys[0]), (right, keys[1]))]
            if _alike(*gradients):
                continue
            said = [_said(side, key, role) for side, key in ((left, keys[0]), (right, keys[1]))]
            groups.setdefault((said[0], said[1]), []).append((name_l, name_r))
    total = abs(left.loss + left.penalty)
    before = abs(right.penalty - left.penalty) / max(total, 1e-300)
    if not groups and before > BOUND:  # of activities, or added by a layer's call
        said = [f"{side.penalty:.6g} added to the loss" if side.penalty else "nothing" for side in (left, right)]
        groups[said[0], said[1]] = []
    return [
        LearnedCause(
            "loss.regulariser", "loss", tuple(dict.fromkeys(pairs)), *said,
            (_mend(frameworks[0], said[0], said[1]), _mend(frameworks[1], said[1], said[0])), before, 0.0,
        )
        for said, pairs in groups.items()
    ]  # fmt: skip


def _alike(a: np.ndarray | None, b: np.ndarray | None) -> bool:
    if a is None or b is None:
        return not any(each is not None and np.any(each) for each in (a, b))
    return distance(b, a) <= BOUND


def _said(side: Differentiated, key: str, role: str) -> str:
    if key not in side.penalties or not np.any(side.penalties[key]):
        return "nothing"
    return f"{side.regularisers.get(key) or 'a penalty'} of {'the bias' if role == 'B' else 'the weights'}"


def _mend(framework: str, own: str, other: str) -> str:
    """What makes a side's penalty as the other's."""
    if other == "nothing":
        return "leave the regularizer out" if own != "nothing" else ""
    what = other.partition(" of ")[0]
    if framework == "torch":
        inside = {"L2": "p.pow(2).sum()", "L1": "p.abs().sum()"}.get(what.partition("(")[0])
        factor = what.rpartition("=")[2].rstrip(")")
        return f"loss = loss + {factor} * {inside} for every such weight p" if inside else f"add {other} to the loss"
    role = "bias" if other.endswith("bias") else "kernel"
    return f"{role}_regularizer=keras.regularizers.{what}" if "(" in what else f"add {other} to the loss"
