"""Train both models for some steps as their owners would, and compare losses and parameters step by step."""

from collections.abc import Sequence

import numpy as np

from compare.graphs.node import Arrays
from compare.port.both import Both
from compare.port.learned import Puzzle, Step
from compare.port.measure import LEAST_BOUND, MARGIN, by_an_ulp, distance
from compare.port.wanted import Wanted
from compare.port.workers import settled
from shared.plurals import number_of

MOST_BYTES = 256 << 20  # of the parameters of all steps; beyond it, only the first and last step are compared


def train_both(
    both: Both, wanted: Wanted, rounding: float, explained: bool
) -> tuple[tuple[Step, ...], tuple[Puzzle, ...]]:
    """Train both, and return the steps and the first unexplained difference beyond its bound. `explained`: a known
    cause makes them differ. `rounding` is the relative effect of a framework's own rounding on one step. Both models
    are restored. Raises InputError if one cannot be trained."""
    n = wanted.n_steps
    both.tell(f"Training both for {number_of(n, 'step')} ...")
    pairs = both.parameters()
    n_bytes = sum(both.left.recording.weights[key].nbytes for key, _ in pairs)
    compared = set(range(n)) if n * n_bytes <= MOST_BYTES else {0, n - 1}
    steps: list[Step] = []
    trail: dict[int, Arrays] = {}
    for number in range(n):
        inputs, targets = both.batch(number)
        ends = number == 0, number == n - 1
        names = pairs if number in compared else []
        calls = [
            both.pool.submit(side.train, by, ends, inputs, targets, form, [keys[place] for keys in names])
            for place, (side, by, form) in enumerate(zip(both.sides, wanted.optimizers, both.forms, strict=True))
        ]
        (loss_l, left), (loss_r, right) = settled(calls)
        known = [(a, b) for a, b in names if a in left and b in right]
        gap = max((distance(right[b], left[a]) for a, b in known), default=0.0) if names else None
        steps.append(Step(loss_l, loss_r, gap))
        if names and not explained:
            trail[number] = {a: left[a] for a, _ in known}
    if explained:
        return tuple(steps), ()
    least = MARGIN * max(LEAST_BOUND["float64"], n * rounding)
    bounds = [least] * n
    if any(_worst(step) > least for step in steps):
        bounds = _bounds(both, wanted, steps, trail, least)
    made = tuple(Step(s.left, s.right, s.distance, bound) for s, bound in zip(steps, bounds, strict=True))
    beyond = next((k for k, step in enumerate(made) if _worst(step) > bounds[k]), None)
    if beyond is None:
        return made, ()
    where = f"step {beyond + 1} of training"
    return made, (Puzzle(where, where, _worst(made[beyond]), "steps"),)


def _worst(step: Step) -> float:
    return max(step.distance or 0.0, _relative(step.left, step.right))


def _relative(left: float, right: float) -> float:
    """Return the relative distance of two losses."""
    if not np.isfinite(left) or not np.isfinite(right):
        return 0.0 if np.isfinite(left) == np.isfinite(right) else float("inf")
    return abs(left - right) / max(abs(left), 1e-300)


def _bounds(both: Both, wanted: Wanted, steps: Sequence[Step], trail: dict[int, Arrays], least: float) -> list[float]:
    """Bound how far losses and parameters may be apart after each step. The bound is the effect of a change of 1 ulp in
    every weight of the left model at the start."""
    side, record = both.sides[0], both.left.recording
    before = {key: record.weights[key] for key in both.left.parameters if key in record.weights}
    side.give({key: by_an_ulp(array, key) for key, array in before.items()})
    bounds, most = [], least
    try:
        for number, step in enumerate(steps):
            inputs, targets = both.batch(number)
            ends = number == 0, number == len(steps) - 1
            names = list(trail.get(number, ()))
            loss, after = side.train(wanted.optimizers[0], ends, inputs, targets, both.forms[0], names)
            gap = [distance(after[key], trail[number][key]) for key in names]
            most = max(most, MARGIN * max([_relative(step.left, loss), *gap]))  # bounds never decrease
            bounds.append(most)
    finally:
        side.give(before)
    return bounds
