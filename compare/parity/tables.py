"""The ladder as a table: a row for each rung, with the tensor that is nearest to its bound."""

from collections.abc import Sequence
from itertools import groupby

from rich.console import Console

from compare.parity.ladder import Reading
from compare.parity.result import ParityResult, PrecisionResult
from compare.reporting.screen import print_lines

COLUMNS = ("rung", "tensors", "worst tensor", "bound", "ulps", "verdict")

MOST_ULPS = 1_000_000_000  # more says nothing but "far": of values on both sides of 0, say


def worst(readings: Sequence[Reading]) -> Reading:
    """The first reading that is beyond its bound, else the one that comes nearest to it."""
    beyond = [reading for reading in readings if reading.beyond]
    return beyond[0] if beyond else max(readings, key=_closeness)


def _closeness(reading: Reading) -> float:
    farthest = max(distance.relative for distance in reading.distances.values())
    if not reading.bound.value:
        return farthest
    return farthest / reading.bound.value


def rungs(precision: PrecisionResult) -> list[tuple[str, list[Reading]]]:
    """The readings of each rung, in order."""
    return [(rung, list(readings)) for rung, readings in groupby(precision.ladder.readings, key=lambda r: r.rung)]


def cells(precision: PrecisionResult) -> list[list[str]]:
    """The rows: rung, how many tensors, the worst of them, each implementation's distance there, bound, the largest
    distance there in ulps, verdict."""
    rows = []
    for rung, readings in rungs(precision):
        reading = worst(readings)
        distances = [f"{distance.relative:.1e}" for distance in reading.distances.values()]
        said = "ok" if not reading.beyond else f"{', '.join(reading.beyond)} beyond"
        ulps = [distance.ulps for distance in reading.distances.values() if distance.ulps is not None]
        shown = f"{max(ulps):,}" if ulps and max(ulps) < MOST_ULPS else ""
        rows.append([rung, str(len(readings)), reading.tensor, *distances, f"{reading.bound.value:.1e}", shown, said])
    return rows


def headings(precision: PrecisionResult) -> list[str]:
    """The headings of `cells`."""
    rung, tensors, tensor, bound, ulps, verdict = COLUMNS
    return [rung, tensors, tensor, *precision.implementations, bound, ulps, verdict]


def print_result(result: ParityResult, console: Console) -> None:
    """The ladder of each precision, and the verdict."""
    for mismatch in result.mismatches:
        console.print(f"{result.model}, seed {result.seed}: {mismatch}")
    for precision in result.precisions:
        title = f"{result.model}, seed {result.seed}, {precision.dtype}: distance from the float64 consensus"
        print_lines(console, headings(precision), cells(precision), ("rung", "worst tensor", "verdict"), title)
    console.print(f"{result.model}, seed {result.seed}: {result.verdict}")
