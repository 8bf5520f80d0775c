"""Run and watch the user's two training functions, unchanged, for a few steps: `--fit`."""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from compare.graphs.losses import LossRecord
from compare.graphs.node import Arrays
from compare.port.batches import Batch
from compare.port.inputs import MOST_EXAMPLES
from compare.port.learned import Learned, Puzzle
from compare.port.losses import recognised
from compare.port.result import Request
from compare.port.side import Side
from compare.port.targets import fitting
from compare.port.workers import settled
from shared.errors import InputError
from shared.plurals import number_of


@dataclass(frozen=True)
class Fit:
    """What was recorded of one training function. `losses` include what the model adds; `record` is the kind of the
    loss, if it is known. `optimizer` is its name ("" if it is not known), and `facts` say how the function makes its
    batches."""

    batches: tuple[Batch, ...]
    losses: tuple[float, ...]
    record: LossRecord | None
    optimizer: str
    facts: Mapping[str, str]
    notes: tuple[str, ...]
    names: tuple[str, ...]  # of the inputs, as the side calls them

    @property
    def words(self) -> str:
        """A short description: steps, loss and optimizer."""
        sizes = list(dict.fromkeys(len(batch) for batch in self.batches))
        of = " and ".join(map(str, sizes[:3]))
        loss = "an unknown loss" if self.record is None else self.record.kind
        return f"{len(self.batches)} batches of {of}, {loss}, {self.optimizer or 'no known optimizer'}"


@dataclass
class Fits:
    """Both fits, and the weights by NODE/ROLE that each model had before it received the other's."""

    left: Fit
    right: Fit
    own: tuple[Arrays, Arrays] = field(default=({}, {}))

    @property
    def both(self) -> tuple[Fit, Fit]:
        """The left and the right one."""
        return self.left, self.right

    @property
    def losses(self) -> tuple[dict[str, Any] | None, ...]:
        """The record of each side's loss, for its worker."""
        return tuple(None if fit.record is None else fit.record.body() for fit in self.both)

    def first(self) -> tuple[Arrays, np.ndarray]:
        """Return the inputs and targets of a few examples from the left one's first batch."""
        batch = self.left.batches[0]
        return {name: array[:MOST_EXAMPLES] for name, array in batch.inputs.items()}, batch.targets[:MOST_EXAMPLES]

    def notes(self) -> tuple[str, ...]:
        """Return sentences on what was recorded."""
        said = [
            f"The {where} training function: {fit.words}."
            for where, fit in zip(("left", "right"), self.both, strict=True)
        ]
        for where, fit in zip(("left", "right"), self.both, strict=True):
            said += [f"In the {where} training function, {note}." for note in fit.notes]
        return tuple(said)

    def unknown(self) -> Learned | None:
        """Return a result that reports the unknown losses; None if both losses are known."""
        missing = [where for where, fit in zip(("left", "right"), self.both, strict=True) if fit.record is None]
        if not missing:
            return None
        said = f"The loss of the {' and of the '.join(missing)} training function is unknown here, so losses, "
        said += "optimizers and data could not be exchanged. Compare only the losses: --left-loss, --right-loss."
        first = self.left.losses[0], self.right.losses[0]
        distance = abs(first[0] - first[1]) / max(abs(first[0]), 1e-300)
        puzzle = Puzzle("the loss", "the loss", distance, "loop")
        return Learned(("of its own", "of its own"), first, puzzles=(puzzle,), asides=(*self.notes(), said))


def run_fits(
    sides: tuple[Side, Side], request: Request, pool: ThreadPoolExecutor, tell: Callable[[str], None]
) -> Fits | None:
    """Run both training functions, if they are given. The models are unchanged afterwards. Raises InputError if a
    function fails, or trains nothing that can be watched."""
    wanted = request.wanted
    if not wanted.fits:
        return None
    if request.sizes or request.data is not None:
        raise InputError("Training functions bring their own data. Leave --input and --data out with --fit.")
    n = wanted.n_steps
    tell(f"Running both training functions for {number_of(n, 'step')} ...")
    references = wanted.left_fit, wanted.right_fit
    left, right = settled([pool.submit(_run, side, text, n) for side, text in zip(sides, references, strict=True)])
    right = replace(right, record=_loss(sides[1], *_first_step(right), left.record))
    fits = Fits(_plain(left), _plain(right))
    batch_l, batch_r = fits.left.batches[0], fits.right.batches[0]
    if len(batch_l.inputs) != len(batch_r.inputs):
        raise InputError("The training functions give their models different numbers of inputs.")
    names = list(batch_l.inputs)  # inputs go by place
    renamed = tuple(
        replace(batch, inputs=dict(zip(names, batch.inputs.values(), strict=True))) for batch in fits.right.batches
    )
    return Fits(fits.left, replace(fits.right, batches=renamed))


@dataclass(frozen=True)
class _Seen(Fit):
    """A fit, and the loss in the first step: the outputs, the gradient by them, and the record that was read."""

    first: tuple[np.ndarray, np.ndarray | None, float, LossRecord | None, int] = (np.empty(0), None, 0.0, None, 1)


def _plain(seen: _Seen) -> Fit:
    return Fit(seen.batches, seen.losses, seen.record, seen.optimizer, seen.facts, seen.notes, seen.names)


def _run(side: Side, reference: str, n: int) -> _Seen:
    answer, parts = side.worker.fit(reference, n)
    steps: list[Arrays] = [{} for _ in answer.losses]
    for key, array in parts["x"].items():
        number, _, name = key.partition("/")
        steps[int(number)][name] = array
    batches = tuple(Batch(inputs, parts["y"][str(number)]) for number, inputs in enumerate(steps))
    read = None if answer.record is None else LossRecord.of_body(answer.record)
    first = parts["output"]["0"], parts["slope"].get("0"), answer.losses[0], read, answer.axis
    losses = tuple(a + b for a, b in zip(answer.losses, answer.penalties, strict=True))
    seen = _Seen(batches, losses, None, answer.optimizer, answer.data, answer.notes, tuple(steps[0]), first)
    return replace(seen, record=_loss(side, *_first_step(seen), None))


def _first_step(seen: _Seen) -> tuple[np.ndarray, tuple[np.ndarray, np.ndarray | None, float, LossRecord | None, int]]:
    return seen.batches[0].targets, seen.first


def _loss(
    side: Side,
    targets: np.ndarray,
    first: tuple[np.ndarray, np.ndarray | None, float, LossRecord | None, int],
    like: LossRecord | None,
) -> LossRecord | None:
    """Identify a loss from its value and gradient for the first batch. Raises InputError if targets do not fit."""
    outputs, slope, value, read, axis = first
    try:
        shaped = fitting(targets, outputs)
    except InputError as error:
        raise InputError(f"The {side.worker.side} training function: {error}") from None
    return recognised(read, axis, outputs, shaped, value, slope, like)


def stated(fits: Sequence[Fit]) -> int:
    """Return the number of steps that were recorded of both."""
    return min(len(fit.batches) for fit in fits)
