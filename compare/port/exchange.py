"""Lead the left training to the right one, exchanging one thing at a time: the waterfall of `--fit`."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from compare.adapters.fitting import KEEPS
from compare.graphs.losses import LossRecord
from compare.graphs.node import Arrays
from compare.port.batches import DataStage, compare_data
from compare.port.both import Both
from compare.port.fit import Fits
from compare.port.learned import FitFound, FitStage, Learned, LearnedCause, Puzzle
from compare.port.losses import CAUSES as LOSSES
from compare.port.losses import changed_loss
from compare.port.optimizer_records import CAUSES as OPTIMIZERS
from compare.port.optimizer_records import changed
from compare.port.optimizers import OptimizersFound
from compare.port.replay import Replay, Setting, replay
from compare.port.weights import transfer
from shared.plurals import number_of

SOFT = ("Softmax", "LogSoftmax", "Sigmoid")
FITS = 1e-6  # how far the losses of a replay may be from those of the loop itself
NO_ZERO_GRAD = "optimizer.zero_grad"


@dataclass(frozen=True)
class Planned:
    """One exchange, by its name and cause ("" if it has none), and the training after it."""

    name: str
    cause: str
    setting: Setting
    right: bool  # whether it trains the right model


def exchanged(fits: Fits, learned: Learned, both: Both, found: OptimizersFound | None, model: bool) -> Learned:
    """Return `learned` with the differences of the data, and the losses after each exchange. `model`: causes of
    different outputs are known; `found`: the optimizers, if they are known. Changes the weights of both models."""
    facts = fits.left.facts, fits.right.facts
    data = compare_data(fits.left.batches, fits.right.batches, facts)
    asides = (*learned.asides, *fits.notes(), *data.asides)
    causes = [_of_data(stage) for stage in data.stages]
    if found is None or found.records is None:
        said = "An optimizer is unknown, so nothing could be exchanged."
        return replace(learned, causes=(*causes, *learned.causes), asides=(*asides, said))
    plan = list(_plan(fits, learned, both, found, data.stages, model))
    n = min(len(one.setting.batches) for one in plan)
    both.tell(f"Training {len(plan)} times for {number_of(n, 'step')}, each with one more thing exchanged ...")
    names = [tuple(side.loaded.inputs or fit.names) for side, fit in zip(both.sides, fits.both, strict=True)]
    done = [replay(one.setting, n, names[one.right]) for one in plan]
    stages = _stages(plan, done)
    closures = tuple(_far(done[place].losses, fit.losses[:n]) for place, fit in zip((0, -1), fits.both, strict=True))
    drops = any(node.kind == "Dropout" for d in (both.left, both.right) for node in d.recording.graph.nodes)
    puzzles = [] if drops else list(_loops(closures))
    if drops:
        asides = (
            *asides,
            "A repeated training drops nothing, so its losses differ from those of the loop.",
        )
    proved = _proved([*causes, *learned.causes, *_zero_grad(fits)], stages)
    fit = FitFound(stages, (fits.left.losses[:n], fits.right.losses[:n]), (closures[0], closures[1]))
    return replace(learned, causes=tuple(proved), puzzles=(*learned.puzzles, *puzzles), asides=asides, fit=fit)


def _plan(
    fits: Fits,
    learned: Learned,
    both: Both,
    found: OptimizersFound,
    data: Sequence[DataStage],
    model: bool,
) -> Iterator[Planned]:
    """Yield every training, from the left's to the right's."""
    assert found.records is not None
    left, right = fits.left.record, fits.right.record
    assert left is not None
    assert right is not None
    names = dict.fromkeys(both.right.parameters, "") | {b: a for a, b in both.parameters()}
    names = {key: name or f"right {key}" for key, name in names.items()}
    alone = frozenset(name for name in names.values() if name.startswith("right "))
    known = {name for name, _ in both.parameters()}
    only = frozenset(key for key in both.left.parameters if key not in known)
    keeps = tuple(KEEPS in fit.notes for fit in fits.both)
    now = Setting(
        both.sides[0], fits.own[0], fits.left.batches, left, found.records[0], {},
        found.held[0] | only, found.copies[0], keeps[0],
    )  # fmt: skip
    yield Planned("left", "", now, False)
    for stage in data:
        now = replace(now, batches=stage.batches)
        yield Planned(stage.cause, stage.cause, now, False)
    now = replace(now, batches=fits.right.batches)
    moved = _moved(fits, both)
    kinds = [d.recording.graph[d.recording.graph.outputs[0]].kind for d in (both.left, both.right)]
    now = replace(
        now, side=both.sides[1], start=fits.own[1] | moved, loss=on_model(left, kinds[0], kinds[1]), names=names,
        held=found.held[0] | alone,
    )  # fmt: skip
    if model or both.inherited:
        yield Planned("model", "model", now, True)
    if any(not np.array_equal(fits.own[1][key], array) for key, array in moved.items() if key in fits.own[1]):
        now = replace(now, start=fits.own[1])
        yield Planned("initial weights", "", now, True)
    fields = {cause: name for name, cause in LOSSES.items()}
    for cause in (one.cause for one in learned.causes if one.cause in fields):
        now = replace(now, loss=changed_loss(now.loss, right, [fields[cause]]))
        yield Planned(cause, cause, now, True)
    now = replace(now, loss=right)
    kept = {cause: name for name, cause in OPTIMIZERS.items()}
    for cause in (one.cause for one in found.causes if one.cause in kept):
        now = replace(now, optimizer=changed(now.optimizer, found.records[1], [kept[cause]]))
        yield Planned(cause, cause, now, True)
    if keeps[0] != keeps[1]:
        now = replace(now, keeps=keeps[1])
        yield Planned(NO_ZERO_GRAD, NO_ZERO_GRAD, now, True)
    last = replace(now, optimizer=found.records[1], held=found.held[1] | alone, copies=found.copies[1], keeps=keeps[1])
    yield Planned("right", "", last, True)


def _moved(fits: Fits, both: Both) -> Arrays:
    """Return the left model's own weights in the form that the right one takes."""
    left, right = both.left.recording, both.right.recording
    own = {name: fits.own[0].get(name, array) for name, array in left.weights.items()}
    return transfer(replace(left, weights=own), right, both.alignment).given


def on_model(record: LossRecord, of: str, on: str) -> LossRecord:
    """Return a loss adapted from a model that ends in a node of kind `of` to one that ends in kind `on`. A softmax or
    sigmoid at the end of one model becomes part of the other's loss."""
    if record.takes == "logits" and of not in SOFT and on in SOFT:
        takes = "log_probabilities" if on == "LogSoftmax" else "probabilities"
        return replace(record, takes=takes, epsilon=0.0, rule="")
    if record.takes in ("probabilities", "log_probabilities") and of in SOFT and on not in SOFT:
        return replace(record, takes="logits", epsilon=0.0, rule="")
    return record


def _stages(plan: Sequence[Planned], done: Sequence[Replay]) -> tuple[FitStage, ...]:
    """Return every stage, with the mean distance of its losses from those of the last stage."""
    goal = np.array(done[-1].losses)
    stages = [
        FitStage(one.name, one.cause, each.losses, each.accuracy, float(np.abs(np.array(each.losses) - goal).mean()))
        for one, each in zip(plan, done, strict=True)
    ]
    return tuple(stages)


def _far(actual: Sequence[float], expected: Sequence[float]) -> float:
    """Return the largest difference over the largest loss."""
    a, b = np.array(actual), np.array(expected)
    return float(np.abs(a - b).max() / max(float(np.abs(b).max()), 1e-300))


def _loops(closures: Sequence[float]) -> Iterator[Puzzle]:
    """Yield a puzzle for each training function whose losses its replay does not reproduce."""
    for where, far in zip(("left", "right"), closures, strict=True):
        if not far <= FITS:
            yield Puzzle(f"the {where} training function", f"the {where} training function", far, "loop")


def _of_data(stage: DataStage) -> LearnedCause:
    return LearnedCause(stage.cause, "data", (), stage.left, stage.right, stage.fix, None, None)


def _zero_grad(fits: Fits) -> list[LearnedCause]:
    """Return the cause if only one loop sets its gradients to 0."""
    keeps = [KEEPS in fit.notes for fit in fits.both]
    if keeps[0] == keeps[1]:
        return []
    fix = "optimizer.zero_grad() before each backward()"
    never = "no optimizer.zero_grad(): gradients of all steps add up"
    values = ["added up" if each else "set to 0" for each in keeps]
    fixes = (fix, never) if keeps[0] else (never, fix)
    return [LearnedCause(NO_ZERO_GRAD, "steps", (), values[0], values[1], fixes, None, None)]


def _proved(causes: Sequence[LearnedCause], stages: Sequence[FitStage]) -> Iterator[LearnedCause]:
    """Yield the causes of the data and the loop, with the distances before and after their exchange."""
    aparts: Mapping[str, tuple[float, float]] = {
        after.cause: (before.distance, after.distance) for before, after in pairwise(stages)
    }
    for cause in causes:
        if cause.before is None and cause.cause in aparts:
            yield replace(cause, before=aparts[cause.cause][0], after=aparts[cause.cause][1])
        else:
            yield cause
