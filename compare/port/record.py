"""The record of a comparison of two models: what `--json` prints, and the source of the reports."""

from typing import Literal

from compare.graphs.node import Recording
from compare.port.explain import Cause
from compare.port.fixes import fixes
from compare.port.learned import LearnedCause
from compare.port.learning_record import Distance, FoundLearning, finite, learning_of
from compare.port.result import Pair, PortResult
from shared.ledger import CAUSES
from shared.record import Count, Record

RECORD = "port.json"
Two = tuple[str | None, str | None]
Rung = Literal["outputs", "loss", "gradients", "steps", "data", "loop"]


class Model(Record):
    """One model: its reference, and what it turned out to be."""

    reference: str
    framework: str
    version: str
    name: str


class Layer(Record):
    """One node, for the picture: its name, its kind, its class as its owner writes it, and what it takes."""

    name: str
    kind: str
    layer: str
    inputs: tuple[str, ...]


class FoundPair(Record):
    """Two aligned layers, how far their values are from each other in either mode, and how far they may be."""

    left: str
    right: str
    kind: str
    distance: Distance
    training_distance: Distance
    bound: Distance
    within: bool


class FoundCause(Record):
    """One cause: its pairs (None if one side has no such layer), both values, and the fix on either side. Also the rows
    of the ledger that explain it, and the distance of the outputs before and after."""

    cause: str
    pairs: tuple[Two, ...]
    left: str
    right: str
    fix: dict[Literal["left", "right"], str]
    rows: tuple[str, ...] = ()
    before: Distance
    after: Distance
    training: bool
    rung: Rung = "outputs"


class Harmless(Record):
    """A difference that changes nothing for these inputs."""

    cause: str
    pair: Two
    left: str
    right: str


class Unexplained(Record):
    """A pair that differs for the same input, and no known difference says why."""

    left: str
    right: str
    distance: Distance
    rung: Rung = "outputs"


class PortRecord(Record):
    """What was found out about two models."""

    left: Model
    right: Model
    verdict: Literal["same", "different", "not comparable"]
    precision: Literal["float64", "float32"]
    output_distance: Distance
    training_distance: Distance
    float32_distance: Distance
    float32_bound: Distance
    bound: Distance
    left_over: Distance
    first: FoundPair | None
    causes: tuple[FoundCause, ...]
    harmless: tuple[Harmless, ...]
    unexplained: tuple[Unexplained, ...]
    unmatched: dict[Literal["left", "right"], tuple[str, ...]]
    pairs: tuple[FoundPair, ...]
    layers: dict[Literal["left", "right"], tuple[Layer, ...]]
    weights: Literal["left", "right", "as-is"]
    n_pairs: Count
    n_weights: Count
    n_varied: Count
    rounded: dict[Literal["left", "right"], tuple[str, ...]]  # the framework computed these with float32 constants
    learning: FoundLearning | None = None  # if a loss was asked for
    untrained: str  # why there is nothing of training mode; "" if there is


def record_of(result: PortResult) -> PortRecord:
    """Return the record of a result."""
    training = {(pair.left, pair.right): pair.distance for pair in result.training_pairs}
    pairs = tuple(_pair(pair, training) for pair in result.pairs)
    first = result.first
    frameworks = (result.left.framework, result.right.framework)
    left, right = result.recordings
    learned = result.learned
    return PortRecord(
        left=_model(result.request.left, result, "left"),
        right=_model(result.request.right, result, "right"),
        verdict=result.verdict,
        precision="float64",
        output_distance=finite(result.output_distance),
        training_distance=finite(result.training_distance),
        float32_distance=finite(result.single.distance if result.single else None),
        float32_bound=finite(result.single.bound if result.single else None),
        bound=finite(result.bound),
        left_over=finite(result.left_over),
        first=None if first is None else _pair(first, training),
        causes=(
            *(_cause(cause, left, right, frameworks) for cause in result.causes),
            *(_learned_cause(cause) for cause in (learned.causes if learned else ())),
        ),
        harmless=tuple(
            Harmless(cause=d.cause, pair=(d.left, d.right), left=d.left_value, right=d.right_value)
            for d in result.harmless
        ),
        unexplained=(
            *(Unexplained(left=one.left, right=one.right, distance=finite(one.distance)) for one in result.unexplained),
            *(
                Unexplained(left=one.left, right=one.right, distance=finite(one.distance), rung=one.rung)
                for one in (learned.puzzles if learned else ())
            ),
        ),
        unmatched={"left": result.left_only, "right": result.right_only},
        pairs=pairs,
        layers={"left": _layers(left), "right": _layers(right)},
        weights=result.request.weights,
        n_pairs=len(pairs),
        n_weights=result.n_weights,
        n_varied=result.n_varied,
        rounded={
            "left": tuple(one.name for one in result.rounded[0]),
            "right": tuple(one.name for one in result.rounded[1]),
        },
        learning=None if learned is None else learning_of(learned),
        untrained=result.untrained.partition("\n")[0],
    )


def _learned_cause(cause: LearnedCause) -> FoundCause:
    return FoundCause(
        cause=cause.cause,
        pairs=cause.pairs,
        left=cause.left,
        right=cause.right,
        fix={"left": cause.fix[0], "right": cause.fix[1]},
        rows=CAUSES.get(cause.cause, ()),
        before=finite(cause.before),
        after=finite(cause.after),
        training=False,
        rung=cause.rung,
    )


def _model(reference: str, result: PortResult, side: Literal["left", "right"]) -> Model:
    loaded = getattr(result, side)
    return Model(reference=reference, framework=loaded.framework, version=loaded.version, name=loaded.model)


def _layers(recording: Recording) -> tuple[Layer, ...]:
    return tuple(Layer(name=n.name, kind=n.kind, layer=n.layer, inputs=n.inputs) for n in recording.graph.nodes)


def _pair(pair: Pair, training: dict[tuple[str, str], float]) -> FoundPair:
    return FoundPair(
        left=pair.left,
        right=pair.right,
        kind=pair.kind,
        distance=finite(pair.distance),
        training_distance=finite(training.get((pair.left, pair.right))),
        bound=finite(pair.bound),
        within=pair.distance <= pair.bound,
    )


def _cause(cause: Cause, left: Recording, right: Recording, frameworks: tuple[str, str]) -> FoundCause:
    if not cause.differences:  # the cause is rounding, which belongs to no layer
        return FoundCause(
            cause=cause.cause, pairs=(), left="", right="", fix={"left": "", "right": ""},
            before=finite(cause.before), after=None, training=False,
        )  # fmt: skip
    first = cause.differences[0]
    values = list(dict.fromkeys((d.left_value, d.right_value) for d in cause.differences))
    shown = [" or ".join(list(dict.fromkeys(v[side] for v in values))[:3]) for side in (0, 1)]
    known = (left, right) if _in(first.left, left) and _in(first.right, right) else None
    fix = fixes(first, left, right, frameworks) if known else {"left": "", "right": ""}
    return FoundCause(
        cause=cause.cause,
        pairs=tuple((d.left, d.right) for d in cause.differences),
        left=shown[0],
        right=shown[1],
        fix={"left": fix["left"], "right": fix["right"]},
        rows=CAUSES.get(cause.cause, ()),
        before=finite(cause.before),
        after=finite(cause.after),
        training=cause.training,
    )


def _in(name: str | None, recording: Recording) -> bool:
    return name is None or name in recording.graph.by_name
