"""Compare how two models learn: losses and gradients in training mode, optimizers, and some steps of training."""

from collections.abc import Callable, Container
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np

from compare.adapters.loss_names import SLOPE
from compare.graphs.node import Arrays
from compare.port.align import Alignment, align
from compare.port.both import Batch, Both
from compare.port.exchange import exchanged
from compare.port.fit import Fits
from compare.port.gradient_pairs import GradientPair, gradient_bounds, is_parameter, paired
from compare.port.gradients import explained
from compare.port.learned import Learned, LearnedCause, Puzzle
from compare.port.losses import compare_losses, output_name
from compare.port.measure import LEAST_BOUND, bounds, by_an_ulp, output_distance, outputs_of
from compare.port.optimizers import compare_optimizers
from compare.port.side import Differentiated, Side
from compare.port.targets import choices, fitting
from compare.port.trainable import frozen, padded, regularised
from compare.port.training import train_both
from compare.port.wanted import Wanted
from compare.port.workers import settled
from shared.errors import InputError

FLOAT32 = 1e-6  # how far float32 constants within a framework may change results


@dataclass
class Learning:
    """The steps that compare how two models learn. `targets` are from data, if there are any; `batches` returns the
    inputs of each training step, with targets if they are from data."""

    wanted: Wanted
    left: Side
    right: Side
    inputs: Arrays
    targets: np.ndarray | None
    batches: Callable[[int], tuple[Arrays, np.ndarray | None]]
    pool: ThreadPoolExecutor
    tell: Callable[[str], None]
    explained: bool = False  # whether both are known to differ, possibly in training mode only
    fits: Fits | None = None  # what was recorded of training functions
    model: bool = False  # whether causes of different outputs are known
    rounded: bool = False  # whether a framework computes a part with constants of float32

    def result(self, outputs: np.ndarray) -> Learned:
        """Return everything that was found; `outputs` are the left model's. Raises InputError if a model has no loss
        or cannot be differentiated."""
        self.tell("Comparing losses and gradients ...")
        sides = (self.left, self.right)
        if self.fits is not None and (unknown := self.fits.unknown()) is not None:
            return unknown
        records = (None, None) if self.fits is None else self.fits.losses
        asked = [
            self.pool.submit(side.worker.set_loss, *loss, record)
            for side, loss, record in zip(sides, self.wanted.losses, records, strict=True)
        ]
        labels, forms = zip(*((one.label, one.forms) for one in settled(asked)), strict=True)
        left, right, targets = self._differentiated((forms[0], forms[1]), outputs)
        alignment = align(left.recording, right.recording)
        frameworks = (self.left.loaded.framework, self.right.loaded.framework)
        forward = output_distance(outputs_of(right.recording), outputs_of(left.recording))
        least = LEAST_BOUND["float64"]
        if forward > least:
            fallback = self.left.fallback(True)
            ulp = bounds(left.recording, self.inputs, fallback)
            inherited = forward > max(ulp[name] for name in left.recording.graph.outputs)
        else:
            inherited = False
        loss = compare_losses(left, right, targets, frameworks, inherited)
        values = (left.loss, right.loss)
        causes = [*loss.causes, *regularised(left, right, alignment, frameworks)]
        causes += frozen(left, right, alignment, frameworks)
        if not inherited and (loss.causes or loss.puzzles):  # both with the left's loss
            slope = left.values.get(output_name(left))
            if slope is not None:
                right = self.right.differentiate(self.inputs, slope, SLOPE)
        more, rows = padded(left, right, alignment, frameworks)
        causes += more
        pairs = paired(left, right, alignment, {}, least, rows)
        allowed = least
        if not inherited and any(pair.differs for pair in pairs):
            far = self._bounds(left, targets)
            pairs = paired(left, right, alignment, far, least, rows)
            allowed = max((pair.bound for pair in pairs if is_parameter(pair)), default=least)
        found, puzzles = self._explained(left, right, alignment, pairs, inherited, rows)
        asides = list(loss.asides)
        if len(left.recording.graph.outputs) > 1:
            asides.append("The loss takes the first of several outputs.")
        learned = Learned(
            (labels[0], labels[1]),
            values,
            loss.distance,
            max((pair.distance for pair in pairs if is_parameter(pair)), default=None),
            allowed,
            inherited,
            (*causes, *found),
            (*loss.puzzles, *puzzles),
            n_gradients=sum(is_parameter(pair) for pair in pairs),
            asides=tuple(asides),
            targets=targets,
            forms=self._forms,
        )
        if not self.wanted.trains:
            return learned
        by, batch = self.pool, self._batch_like(targets, outputs)
        both = Both((self.left, self.right), by, self.tell, left, right, alignment, self._forms, batch, inherited)
        return self._trained(learned, both)

    def _batch_like(self, targets: np.ndarray, outputs: np.ndarray) -> Batch:
        """Return a function for the inputs and targets of every step; targets have the form of the first ones."""

        def batch(number: int) -> tuple[Arrays, np.ndarray]:
            inputs, own = self.batches(number)
            return inputs, targets if own is None else fitting(own, np.empty((len(own), *outputs.shape[1:])))

        return batch

    def _trained(self, learned: Learned, both: Both) -> Learned:
        """Return `learned` with the optimizers, after training both models."""
        if self.fits is not None and not all(fit.optimizer for fit in self.fits.both):
            return exchanged(self.fits, learned, both, None, self.model)
        found = compare_optimizers(both, self.wanted)
        learned = replace(
            learned,
            causes=(*learned.causes, *found.causes),
            puzzles=(*learned.puzzles, *found.puzzles),
            optimizers=found.labels,
            update_distance=found.distance,
            asides=(*learned.asides, *found.asides),
        )
        if self.fits is not None:
            return exchanged(self.fits, learned, both, found, self.model)
        if not self.wanted.steps:
            return learned
        explained = self.explained or both.inherited or not learned.same
        for each in (both.left, both.right):  # gigabytes that training does not need
            each.values.clear()
            each.recording.values.clear()
        rounding = max(found.rounding, FLOAT32 if self.rounded else 0.0)
        steps, puzzles = train_both(both, self.wanted, rounding, explained)
        return replace(learned, steps=steps, puzzles=(*learned.puzzles, *puzzles))

    def _differentiated(
        self, forms: tuple[tuple[str, ...], tuple[str, ...]], outputs: np.ndarray
    ) -> tuple[Differentiated, Differentiated, np.ndarray]:
        """Differentiate both, for the first targets that both losses accept."""
        refused: InputError | None = None
        for targets, *taken in choices(forms, self.targets, outputs):
            calls = [
                self.pool.submit(side.differentiate, self.inputs, targets, form)
                for side, form in zip((self.left, self.right), taken, strict=True)
            ]
            try:
                left, right = settled(calls)
            except InputError as error:
                refused = refused or error
                continue
            self._forms = (taken[0], taken[1])
            return left, right, targets
        assert refused is not None
        raise refused

    def _bounds(self, left: Differentiated, targets: np.ndarray) -> dict[str, float]:
        """Bound how far apart the gradients may be by the effect of rounding on the left model's."""
        known = {key: self.left.known[key] for key in left.parameters if key in self.left.known}
        self.left.give({key: by_an_ulp(array, key) for key, array in known.items()})
        try:
            moved = self.left.differentiate(self.inputs, targets, self._forms[0])
        finally:
            self.left.give(known)
        return gradient_bounds(left, moved)

    def _explained(
        self,
        left: Differentiated,
        right: Differentiated,
        alignment: Alignment,
        pairs: list[GradientPair],
        inherited: bool,
        known: Container[str],
    ) -> tuple[list[LearnedCause], list[Puzzle]]:
        if not inherited and not any(pair.differs for pair in pairs) and not self._one_alone(left, right, alignment):
            return [], []
        self.tell("Comparing each gradient with its own forward pass ...")
        fallbacks = (self.left.fallback(True), self.right.fallback(True))
        return explained(left, right, alignment, fallbacks, pairs, inherited, known)

    @staticmethod
    def _one_alone(left: Differentiated, right: Differentiated, alignment: Alignment) -> bool:
        """Whether only one side has a gradient for some weight that both train."""
        for name_l, name_r in alignment.pairs:
            for role in left.recording.graph[name_l].roles:
                keys = (f"{name_l}/{role}", f"{name_r}/{role}")
                trained = [
                    side.parameters.get(key, ("", False))[1] for side, key in zip((left, right), keys, strict=True)
                ]
                given = [side.weights.get(key) for side, key in zip((left, right), keys, strict=True)]
                if all(trained) and _silent(given[0]) != _silent(given[1]):
                    return True
        return False


def _silent(gradient: np.ndarray | None) -> bool:
    return gradient is None or not np.any(gradient)
