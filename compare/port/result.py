"""The request for a comparison of two models, and its result."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from compare.graphs.node import Arrays, Recording
from compare.port.difference import Difference
from compare.port.explain import Case, Cause, Unexplained
from compare.port.inputs import InputSize
from compare.port.learned import Learned
from compare.port.measure import MARGIN, distance
from compare.port.rounding import Rounded
from compare.port.single import Single
from compare.port.wanted import NOTHING, Wanted
from compare.rpc.port_messages import ModelLoaded

Weights = Literal["left", "right", "as-is"]
Verdict = Literal["same", "different", "not comparable"]


@dataclass(frozen=True)
class Request:
    """What to compare: two references, the inputs of both, and whose weights both have."""

    left: str
    right: str
    sizes: tuple[InputSize, ...] = ()
    data: Path | None = None
    weights: Weights = "left"
    save_weights: Path | None = None
    float32: bool = False  # whether to compare in float32 as well
    wanted: Wanted = NOTHING  # in addition to the outputs
    pythons: tuple[Path | None, Path | None] = (None, None)  # other interpreters for the left and the right one
    backends: tuple[str, str] = ("", "")  # the backends of Keras for the left and the right one, if stated


@dataclass(frozen=True)
class Pair:
    """Two aligned nodes, and the distance of the second's values from the first's when each network runs whole."""

    left: str
    right: str
    kind: str
    distance: float
    bound: float


@dataclass(frozen=True)
class PortResult:
    """The result of comparing two models."""

    request: Request
    left: ModelLoaded
    right: ModelLoaded
    verdict: Verdict
    output_distance: float
    bound: float
    left_over: float
    pairs: tuple[Pair, ...]
    training_pairs: tuple[Pair, ...]
    causes: tuple[Cause, ...]
    harmless: tuple[Difference, ...]
    unexplained: tuple[Unexplained, ...]
    left_only: tuple[str, ...]
    right_only: tuple[str, ...]
    n_weights: int
    n_varied: int
    training_distance: float | None
    untrained: str
    single: Single | None
    rounded: tuple[tuple[Rounded, ...], tuple[Rounded, ...]]
    recordings: tuple[Recording, Recording]
    learned: Learned | None = None
    inputs: Arrays = field(default_factory=dict)  # the inputs of both

    @property
    def first(self) -> Pair | None:
        """The first pair beyond its bound, in the order of the left model."""
        return next((pair for pair in self.pairs if pair.distance > pair.bound), None)


def pairs_of(case: Case) -> tuple[Pair, ...]:
    """Return every pair, with the distance of its values when each network runs whole."""
    left, right = case.left, case.right
    return tuple(
        Pair(
            name_l,
            name_r,
            left.graph[name_l].kind,
            distance(right.values[name_r], left.values[name_l]),
            case.bounds.get(name_l, MARGIN * 1e-12),
        )
        for name_l, name_r in case.alignment.pairs
    )
