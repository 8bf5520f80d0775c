"""Find what only one side trains, down to a row of an embedding, and what only one side adds to its loss."""

import numpy as np

from compare.port.align import Alignment
from compare.port.learned import LearnedCause, Two
from compare.port.measure import distance
from compare.port.side import Differentiated

BOUND = 1e-9  # how far gradients of two regularisers may be apart: Keras keeps their factors in float32


def frozen(
    left: Differentiated, right: Differentiated, alignment: Alignment, frameworks: tuple[str, str]
) -> list[LearnedCause]:
    """Return the causes for weights that only one side trains."""
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
    """Return the line that freezes or trains a layer, or its bias, as the other side does."""
    part = ".bias" if bias else ""
    if framework == "torch":
        return f'model.get_submodule("{name}"){part}.requires_grad_({not freeze})'
    if framework == "keras":
        return f'model.get_layer("{name}"){part}.trainable = {not freeze}'
    return f"tf.Variable(..., trainable={not freeze}) in {name}"


def padded(
    left: Differentiated, right: Differentiated, alignment: Alignment, frameworks: tuple[str, str]
) -> tuple[list[LearnedCause], set[str]]:
    """Return the causes for embeddings whose row of padding only one side trains. Without that row, the gradients of
    both sides agree. Return, too, the left's NODE/ROLE of each."""
    found, keys = [], set()
    for pair in alignment.pairs:
        nodes = [side.recording.graph[name] for side, name in zip((left, right), pair, strict=True)]
        rows = [node.attributes.get("padding_idx") if node.kind == "Gather" else None for node in nodes]
        gradients = [side.weights.get(f"{name}/W") for side, name in zip((left, right), pair, strict=True)]
        if rows[0] == rows[1] or None not in rows or any(each is None for each in gradients):
            continue
        which = 0 if rows[0] is not None else 1  # the side that does not train it
        row = int(rows[which])  # type: ignore[arg-type]
        a, b = (np.array(each) for each in gradients)
        before = distance(b, a)
        (b if which == 0 else a)[row] = 0.0
        after = distance(b, a)
        if not after < before:
            continue
        keys.add(f"{pair[0]}/W")
        values = [f"row {row} is {'not trained' if side == which else 'trained'}" for side in (0, 1)]
        fix = [_train_row(frameworks[side], row, side != which) for side in (0, 1)]
        two: Two = (pair[0], pair[1])
        found.append(
            LearnedCause(
                "embedding.padding", "gradients", (two,), values[0], values[1], (fix[0], fix[1]), before, after
            )
        )
    return found, keys


def _train_row(framework: str, row: int, leave: bool) -> str:
    """Return the line that leaves a row of an embedding unchanged, as the other side does, or trains it."""
    if framework == "torch":
        return f"nn.Embedding(..., padding_idx={row})" if leave else "nn.Embedding(...) without padding_idx"
    if leave:
        return f"no option: multiply the gradient of the embedding by 0 in row {row}, as padding_idx={row} does"
    return f"train row {row}, too"


def regularised(
    left: Differentiated, right: Differentiated, alignment: Alignment, frameworks: tuple[str, str]
) -> list[LearnedCause]:
    """Return the causes for penalties that differ between the sides, in the gradient of a weight or in the remaining
    value."""
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
    if not groups and before > BOUND:  # penalties of activities, or added by a layer's call
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
    """Return the fix that makes one side's penalty equal to the other's."""
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
