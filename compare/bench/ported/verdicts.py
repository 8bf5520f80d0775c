"""The results of a bench of two models: the time of each pass, their speed ratio, and the time of each layer."""

from collections.abc import Sequence
from dataclasses import dataclass

from compare.analysis.headline import Headline, stated
from compare.bench.ported.record import SIDES, WORDS, MeasuredModel, PortTimes, Side, TimedPair
from compare.bench.result import Ending
from compare.bench.statistics import Interval, median, ratio
from compare.bench.verdicts import in_words, is_settled
from compare.rpc.timing_messages import Pass
from compare.worker.machine import MUCH_LOAD

ENDINGS: dict[Ending, str] = {
    "precise": "It ended because every ratio is known to {precision:.1%}.",
    "budget": "It ended because most of another launch would exceed its budget of {budget:g} s. Not "
    "every ratio was known to {precision:.1%}.",
    "interrupted": "It was interrupted.",
    "failed": "It ended because a model failed.",
}
LEAST_S = 1e-9  # lower bound, because the time of the call itself is subtracted
LITTLE = 0.05  # share of the whole: layers with a smaller difference are not named


def pass_time(times: PortTimes, name: str, what: Pass, batch_size: int) -> Interval | None:
    """Return the time of a pass in seconds; None if it was not measured."""
    launches = [found for one in times.of(name) if (found := one.pass_s(what, batch_size))]
    return median(launches) if launches else None


def speed(times: PortTimes, name: str, other: str, what: Pass, batch_size: int) -> Interval | None:
    """Return how many times as fast as `other` a model is: the ratio of times within a round. None if the two were
    never measured together."""
    pairs = [
        (launch.measured[name].pass_s(what, batch_size), launch.measured[other].pass_s(what, batch_size))
        for launch in times.launches
        if {name, other} <= set(launch.measured)
    ]
    return _ratio(pairs)


def _ratio(pairs: Sequence[tuple[tuple[float, ...], tuple[float, ...]]]) -> Interval | None:
    cut = [tuple(one[: min(map(len, pair))] for one in pair) for pair in pairs]  # one may have failed half-way
    if not cut or not all(all(pair) and all(x > 0 for one in pair for x in one) for pair in cut):
        return None
    return ratio([own for own, _ in cut], [others for _, others in cut])


def precise(times: PortTimes) -> bool:
    """Return whether the ratio to the baseline is precise enough for every model, pass and batch size."""
    found = [
        speed(times, name, times.baseline, what, n)
        for name in times.names
        if name != times.baseline
        for what in times.whats
        for n in times.batch_sizes
    ]
    return bool(found) and all(one is not None and one.half_width <= times.precision for one in found)


@dataclass(frozen=True)
class Cost:
    """The seconds of one layer on each side; None if it was not timed there. `ratio` is the right's over the left's."""

    left: str
    right: str
    kind: str
    left_s: float | None
    right_s: float | None
    ratio: Interval | None

    @property
    def both_s(self) -> float:
        """The seconds of both together."""
        return (self.left_s or 0.0) + (self.right_s or 0.0)

    @property
    def more_s(self) -> float:
        """The seconds that the right one takes more; a layer that was not timed counts as 0."""
        return (self.right_s or 0.0) - (self.left_s or 0.0)


def costs(times: PortTimes) -> list[Cost]:
    """Return the cost of every pair of layers, the most expensive first, and then of every layer without a partner."""
    measured = {side: timed_alone(times, side) for side in SIDES}
    paired = {side: {getattr(pair, side) for pair in times.pairs} for side in SIDES}
    found = [_cost(pair, measured) for pair in times.pairs]
    for side in SIDES:
        names = dict.fromkeys(name for one in measured[side] for name in one.node_s if name not in paired[side])
        for name in names:
            pair = (
                TimedPair(left=name, right="", kind="") if side == "left" else TimedPair(left="", right=name, kind="")
            )
            found.append(_cost(pair, measured))
    known = [cost for cost in found if cost.left_s is not None or cost.right_s is not None]
    return sorted(known, key=lambda cost: -cost.both_s)


def timed_alone(times: PortTimes, side: Side) -> list[MeasuredModel]:
    """Return the measurements of one side's model whose layers were timed, launch by launch."""
    name = next((one.name for one in times.models if one.side == side), "")
    return [one for one in times.of(name) if one.node_s]


def _cost(pair: TimedPair, measured: dict[Side, list[MeasuredModel]]) -> Cost:
    known = [
        [one.node_s[getattr(pair, side)] for one in measured[side] if getattr(pair, side) in one.node_s]
        for side in SIDES
    ]
    left, right = (median([[max(x, LEAST_S) for x in some] for some in of]).value if of else None for of in known)
    together = left is not None and right is not None and len(known[0]) == len(known[1])
    found = _ratio(list(zip(*known, strict=True))) if together else None
    return Cost(pair.left, pair.right, pair.kind, left, right, found)


def totals(times: PortTimes) -> dict[Side, tuple[float, float]]:
    """Return, for each side, the sum of its layers, each timed alone, and the whole forward pass, in seconds."""
    found: dict[Side, tuple[float, float]] = {}
    for side in SIDES:
        name = next((one.name for one in times.models if one.side == side), "")
        whole = pass_time(times, name, "forward", times.node_batch_size)
        alone = [getattr(cost, f"{side}_s") or 0.0 for cost in costs(times)]
        if whole is not None and any(alone):
            found[side] = sum(alone), whole.value
    return found


def headlines(times: PortTimes) -> list[Headline]:
    """Return the verdict: how many times as fast the models are in every pass."""
    lines = []
    for name in [one for one in times.names if one != times.baseline]:
        for what in times.whats:
            for n in times.batch_sizes:
                both = sum({name, times.baseline} <= set(launch.measured) for launch in times.launches)
                where = f" in a {WORDS[what]}, batches of {n}"
                found = speed(times, name, times.baseline, what, n)
                lines.append(stated("Speed", in_words(found, name, times.baseline, both, where), is_settled(found)))
    return lines


def verdicts(times: PortTimes) -> list[str]:
    """Return the verdict in sentences, and the layers that make the difference."""
    return [*(f"{line.answer}." for line in headlines(times)), *remarks(times)]


def remarks(times: PortTimes) -> list[str]:
    """Return how the models were run, what was not timed, and which layers make the difference."""
    said = []
    how = {name: one.in_words for name in times.names for one in times.of(name)[:1]}
    if how:
        said.append(f"Run as {', '.join(f'{words} ({name})' for name, words in how.items())}.")
    said += times.lacking
    if times.untrained:
        said.append(times.untrained)
    return [*said, *_of_layers(times)]


def _of_layers(times: PortTimes) -> list[str]:
    """Return which layers make the difference."""
    found = totals(times)
    if len(found) < len(SIDES):
        return []
    (left, left_whole), (right, right_whole) = found["left"], found["right"]
    said = [
        f"In a forward pass, batches of {times.node_batch_size}, layers take {_ms(left)} of {_ms(left_whole)} (left) "
        f"and {_ms(right)} of {_ms(right_whole)} (right), each computed alone."
    ]
    slower = right_whole >= left_whole
    most = sorted(costs(times), key=lambda cost: -cost.more_s if slower else cost.more_s)[:3]
    named = [cost for cost in most if abs(cost.more_s) > LITTLE * max(left_whole, right_whole)]
    named = [cost for cost in named if (cost.more_s > 0) == slower]
    if named:
        side = "right" if slower else "left"
        shown = ", ".join(f"{cost.left or '-'} / {cost.right or '-'} (+{_ms(abs(cost.more_s))})" for cost in named)
        said.append(f"The {side} model takes longer mainly at {shown}.")
    return said


def _ms(seconds: float) -> str:
    return f"{seconds * 1e3:.3g} ms"


def why_ended(times: PortTimes) -> str:
    """Return why there were no more launches."""
    n = len(times.launches)
    return f"{n} launch{'es' * (n != 1)}, {times.took_s:.0f} s. " + ENDINGS[times.ending].format(
        precision=times.precision, budget=times.budget_s
    )


def warnings(times: PortTimes) -> list[str]:
    """Return what a reader must know before believing the figures."""
    said = []
    loaded = {name: share for name in times.names if (share := foreign_load(times, name)) > MUCH_LOAD}
    if loaded:
        said.append(
            f"Foreign load: while {', '.join(loaded)} worked, other processes took up to {max(loaded.values()):.0%} of "
            "a core. These figures are of a busy machine."
        )
    for name in times.names:
        if not all(one.warm for one in times.of(name)):
            said.append(f"{name} was still getting faster at the end of its warm-up in at least one launch.")
        if not all(window.finite for one in times.of(name) for window in one.windows):
            said.append(f"{name} gave numbers that are not finite: its times can differ from those of usual work.")
    for launch in times.launches:
        said += [f"{name} failed in launch {launch.number + 1}: {error}" for name, error in launch.failed.items()]
    return said


def foreign_load(times: PortTimes, name: str) -> float:
    """Return the share of a core that other processes took in the windows of one model; 0 if it is not reported."""
    windows = [w for one in times.of(name) for w in one.windows if w.foreign_s is not None]
    elapsed_s = sum(w.elapsed_s for w in windows)
    return max(0.0, sum(w.foreign_s for w in windows if w.foreign_s is not None) / elapsed_s) if windows else 0.0
