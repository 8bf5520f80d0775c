"""The changes from one comparison of two models to a later one, for example after a fix."""

import math
from dataclasses import dataclass
from typing import Literal

from compare.port.record import FoundCause, PortRecord
from compare.port.words import places, size
from shared.plurals import number_of

Moved = Literal["better", "worse", "changed"]
TIMES = 10  # factor by which a distance has to change: rounding changes it by less


@dataclass(frozen=True)
class PortChange:
    """One change, whether it is an improvement, and its text."""

    what: str
    moved: Moved
    said: str


def port_changes(a: PortRecord, b: PortRecord) -> list[PortChange]:
    """Return every change: of models, verdict, causes, unexplained pairs and unpaired layers. Also distances, if they
    changed by more than rounding does."""
    return [
        *_of_models(a, b),
        *_of_verdicts(a, b),
        *_of_causes(a, b),
        *_of_names("unexplained", _unexplained(a), _unexplained(b)),
        *_of_names("only in the left model", a.unmatched["left"], b.unmatched["left"]),
        *_of_names("only in the right model", a.unmatched["right"], b.unmatched["right"]),
        *_of_distances(a, b),
    ]


def _of_models(a: PortRecord, b: PortRecord) -> list[PortChange]:
    said = []
    for side, one, other in (("left", a.left, b.left), ("right", a.right, b.right)):
        for what in ("reference", "framework", "version"):
            before, after = getattr(one, what), getattr(other, what)
            if before != after:
                said.append(f"{side} model, {what}: {before} became {after}")
    if a.weights != b.weights:
        said.append(f"weights: {a.weights} became {b.weights}")
    return [PortChange("setting", "changed", text) for text in said]


def _of_verdicts(a: PortRecord, b: PortRecord) -> list[PortChange]:
    if a.verdict == b.verdict:
        return []
    moved: Moved = "better" if b.verdict == "same" else "worse"
    return [PortChange("verdict", moved, f"verdict: {a.verdict} became {b.verdict}")]


def _of_causes(a: PortRecord, b: PortRecord) -> list[PortChange]:
    before, after = _by_name(a), _by_name(b)
    found = []
    for name in dict.fromkeys((*before, *after)):
        one, other = before.get(name), after.get(name)
        if other is None and one is not None:
            found.append(PortChange(name, "better", f"cause gone: {name} at {places(one)} ({one.left} / {one.right})"))
        elif one is None and other is not None:
            said = f"cause new: {name} at {places(other)} ({other.left} / {other.right})"
            found.append(PortChange(name, "worse", said))
        elif one is not None and other is not None and len(one.pairs) != len(other.pairs):
            fewer: Moved = "better" if len(other.pairs) < len(one.pairs) else "worse"
            said = f"{name}: {number_of(len(one.pairs), 'pair')} became {len(other.pairs)}"
            found.append(PortChange(name, fewer, said))
        elif one is not None and other is not None and (one.left, one.right) != (other.left, other.right):
            said = f"{name}: {one.left} / {one.right} became {other.left} / {other.right}"
            found.append(PortChange(name, "changed", said))
    return found


def _by_name(record: PortRecord) -> dict[str, FoundCause]:
    """Return the causes by name; a cause in training mode is separate from the same one in evaluation."""
    return {f"{cause.cause}{' (training mode)' if cause.training else ''}": cause for cause in record.causes}


def _unexplained(record: PortRecord) -> tuple[str, ...]:
    return tuple(f"{one.left} / {one.right}" for one in record.unexplained)


def _of_names(what: str, before: tuple[str, ...], after: tuple[str, ...]) -> list[PortChange]:
    gone, new = [name for name in before if name not in after], [name for name in after if name not in before]
    found = [PortChange(what, "better", f"no longer {what}: {', '.join(gone)}")] if gone else []
    return [*found, *([PortChange(what, "worse", f"now {what}: {', '.join(new)}")] if new else [])]


def _of_distances(a: PortRecord, b: PortRecord) -> list[PortChange]:
    found = []
    for what, least, before, after in (
        ("output distance", a.bound, a.output_distance, b.output_distance),
        ("distance in training mode", a.bound, a.training_distance, b.training_distance),
        ("distance with all causes fixed", a.bound, a.left_over, b.left_over),
        ("distance in float32", a.float32_bound, a.float32_distance, b.float32_distance),
    ):
        one, other = (_least(value, least) for value in (before, after))
        if one == other or (one and other and abs(math.log(other / one)) < math.log(TIMES)):
            continue
        moved: Moved = "changed" if one is None or other is None else "better" if other < one else "worse"
        found.append(PortChange(what, moved, f"{what}: {size(before)} became {size(after)}"))
    return found


def _least(value: float | None, bound: float | None) -> float | None:
    """Return a distance, raised to the bound if it is within it."""
    return None if value is None else max(value, bound or 0.0)
