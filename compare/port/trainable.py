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
        pairs: list[Two] = []
        biases = []
        for name_l, name_r in alignment.pairs:
            trains = [_trained(side, name) for side, name in ((left, name_l), (right, name_r))]
            shared = trains[0].keys() & trains[1].keys()
            some = [role for role in own.recording.graph[(name_l, name_r)[which]].roles if role in shared]
            still = [role for role in some if trains[1 - which][role] and not trains[which][role]]
            if still:
                pairs.append((name_l, name_r))
                biases.append(still == ["B"] and any(trains[which].values()))
        if pairs:
            part = "the bias is " if all(biases) else ""
            values = [f"{part}{'frozen' if side == which else 'trained'}" for side in (0, 1)]
            fix = [_freeze(frameworks[side], str(pairs[0][side]), side != which, all(biases)) for side in (0, 1)]
            found.append(
                LearnedCause(
                    "layer.frozen", "gradients", tuple(pairs), values[0], values[1], (fix[0], fix[1]), None, None
                )
            )
    return found


def _trained(side: Differentiated, name: str) -> dict[str, bool]:
    keys = {role: f"{name}/{role}" for role in side.recording.graph[name].roles}
    return {role: side.parameters[key][1] for role, key in keys.items() if key in side.parameters}


def _freeze(framework: str, name: str, freeze: bool, bias: bool) -> str:
    """The line that freezes a layer, or its bias, as the other side does, or that trains it."""
    part = ".bias" if bias else ""
    if framework == "torch":
        return f'model.get_submodule("{name}"){part}.requires_grad_({not freeze})'
    if framework == "keras":
        return f'model.get_layer("{name}"){part}.trainable = {not freeze}'
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
    text = side.regularisers.get(key)
    return (
        f"{text} of {'the bias' if role == 'B' else 'the weights'}" if text else f"{side.penalty:.6g} added to the loss"
    )


def _mend(framework: str, own: str, other: str) -> str:
    """What makes a side's penalty as the other's."""
    if other == "nothing":
        return "leave the regularizer out" if own != "nothing" else ""
    if other.endswith("the loss"):
        return "add the same to the loss"
    what = other.partition(" of ")[0]
    if framework == "torch":
        inside = {"L2": "p.pow(2).sum()", "L1": "p.abs().sum()"}.get(what.partition("(")[0])
        factor = what.rpartition("=")[2].rstrip(")")
        return f"loss = loss + {factor} * {inside} for every such weight p" if inside else f"add {other} to the loss"
    role = "bias" if other.endswith("bias") else "kernel"
    return f"{role}_regularizer=keras.regularizers.{what}" if "(" in what else f"add {other} to the loss"
