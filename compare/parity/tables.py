"""The ladder as a table: a row for each rung, with the tensor that is nearest to its bound."""

from collections.abc import Sequence
from itertools import groupby

from rich.console import Console

from compare.parity.ladder import Reading
from compare.parity.result import ParityResult, PrecisionResult
from compare.reporting.screen import print_lines
from shared.plurals import number_of

COLUMNS = ("rung", "tensors", "worst tensor", "bound", "ulps", "verdict")

MOST_ULPS = 1_000_000_000  # larger distances only mean "far", for example of values on both sides of 0


def worst(readings: Sequence[Reading]) -> Reading:
    """Return the first reading beyond its bound, else the one nearest to it."""
    beyond = [reading for reading in readings if reading.beyond]
    return beyond[0] if beyond else max(readings, key=_closeness)


def _closeness(reading: Reading) -> float:
    farthest = max(distance.relative for distance in reading.distances.values())
    if not reading.bound.value:
        return farthest
    return farthest / reading.bound.value


def rungs(precision: PrecisionResult) -> list[tuple[str, list[Reading]]]:
    """Return the readings of each rung, in order."""
    return [(rung, list(readings)) for rung, readings in groupby(precision.ladder.readings, key=lambda r: r.rung)]


def cells(precision: PrecisionResult) -> list[list[str]]:
    """Return the rows: rung, number of tensors, the worst of them, each implementation's distance there, bound, the
    largest distance there in ulps, verdict."""
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
    """Return the headings of `cells`."""
    rung, tensors, tensor, bound, ulps, verdict = COLUMNS
    return [rung, tensors, tensor, *precision.implementations, bound, ulps, verdict]


def line(precision: PrecisionResult) -> str:
    """Return a precision in one line: how much was compared, the tensor nearest to its bound (or the first one beyond
    it), and its distance."""
    readings = precision.ladder.readings
    if not readings:
        return f"{precision.dtype}: nothing was compared"
    reading = worst(readings)
    far = max(distance.relative for distance in reading.distances.values())
    where = f"{reading.tensor} ({reading.rung})"
    counted = f"{number_of(len(readings), 'tensor')} on {number_of(len(rungs(precision)), 'rung')}"
    if reading.beyond:
        names = " and ".join(reading.beyond)
        return f"{precision.dtype}: {names} beyond the bound at {where}: {far:.1e}, bound {reading.bound.value:.0e}"
    return f"{precision.dtype}: {counted}; nearest to its bound is {where}: {far:.1e}, bound {reading.bound.value:.0e}"


def summary(result: ParityResult) -> list[str]:
    """Return the verdict, any obstacles to the comparison, and a line for each precision."""
    found = [f"{result.model}, seed {result.seed}: {result.verdict}"]
    found += [f"  {mismatch}" for mismatch in result.mismatches]
    return found + [f"  {line(precision)}" for precision in result.precisions]


def print_ladders(result: ParityResult, console: Console) -> None:
    """Print the ladder of each precision, with a line for each rung."""
    for precision in result.precisions:
        title = f"{result.model}, seed {result.seed}, {precision.dtype}: distance from the float64 consensus"
        print_lines(console, headings(precision), cells(precision), ("rung", "worst tensor", "verdict"), title)
