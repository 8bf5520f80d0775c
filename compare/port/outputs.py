"""Check whether two models' outputs can be those of one function, and find the order in which they match."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import permutations

from compare.graphs.node import Recording
from compare.port.align import Alignment, align
from compare.port.difference import Difference
from shared.errors import InputError
from shared.plurals import number_of

MOST_OUTPUTS = 4  # with more, only the given order is tried
PLACES = ("first", "second", "third", "fourth")


def check_outputs(left: Recording, right: Recording) -> None:
    """Raise InputError if the outputs cannot be those of one function: another number of them, or of features."""
    shapes = _shapes(left), _shapes(right)
    counts = [len(some) for some in shapes]
    if counts[0] != counts[1]:
        raise InputError(
            f"The left model has {counts[0]} outputs and the right one {counts[1]}. Give two models of the same "
            "outputs."
        )
    for a, b in zip(*shapes, strict=True):
        if len(a) == len(b) == 2 and a[1] != b[1]:
            raise InputError(
                f"The left model gives {a[1]} values for an example and the right one {b[1]}. Give two models of the "
                "same outputs."
            )


def more_outputs(left: Recording, right: Recording) -> tuple[Difference, ...]:
    """Return a difference for each output that only one side has, such as an auxiliary one in training."""
    outputs = left.graph.outputs, right.graph.outputs
    counts = [number_of(len(each), "output") for each in outputs]
    shared = min(map(len, outputs))
    alone = [(name, None) for name in outputs[0][shared:]] + [(None, name) for name in outputs[1][shared:]]
    return tuple(Difference("outputs.number", a, b, counts[0], counts[1], "none") for a, b in alone)


def order_of(left: Recording, right: Recording, alignment: Alignment) -> tuple[int, ...]:
    """Return the place of each of the left model's outputs among the right one's. The given order is kept unless
    another one suits the layers in front of the outputs better."""
    n = len(left.graph.outputs)
    stated = tuple(range(n))
    if n != len(right.graph.outputs) or not 1 < n <= MOST_OUTPUTS or len(set(right.graph.outputs)) < n:
        return stated
    best, most = stated, _suits(left, right, alignment)
    if not most[1]:
        return stated
    for order in list(permutations(stated))[1:]:
        other = reordered(right, order)
        if (suits := _suits(left, other, align(left, other))) > most:
            best, most = order, suits
    return best


def reordered(recording: Recording, order: tuple[int, ...]) -> Recording:
    """Return the recording with its outputs in another order."""
    if len(order) != len(recording.graph.outputs):
        return recording
    outputs = tuple(recording.graph.outputs[place] for place in order)
    return replace(recording, graph=replace(recording.graph, outputs=outputs))


def order_differences(left: Recording, right: Recording, order: tuple[int, ...]) -> tuple[Difference, ...]:
    """Return a difference for each output in another place; `right` has its outputs in the left one's order."""
    rows = zip(left.graph.outputs, right.graph.outputs, order, strict=True)
    return tuple(
        Difference("outputs.order", a, b, PLACES[mine], PLACES[place], "none")
        for mine, (a, b, place) in enumerate(rows)
        if mine != place
    )


def _shapes(recording: Recording) -> list[tuple[int, ...]]:
    return [tuple(recording.graph[name].shape) for name in recording.graph.outputs]


def _suits(left: Recording, right: Recording, alignment: Alignment) -> tuple[int, int]:
    """Return a score of two recordings' match, larger for a better one. It is the number of outputs of equal shape,
    then the negative number of layers that do not suit their partners or have none."""
    alike = sum(
        [n for n in a if n > 1] == [n for n in b if n > 1] for a, b in zip(_shapes(left), _shapes(right), strict=True)
    )
    unlike = sum(left.graph[a].kind != right.graph[b].kind for a, b in alignment.pairs)
    partners = alignment.to_right
    crossed = sum(partners.get(a, b) != b for a, b in zip(left.graph.outputs, right.graph.outputs, strict=True))
    return alike, -(2 * unlike + len(alignment.left_only) + len(alignment.right_only) + crossed)


def unpaired(recording: Recording, names: Sequence[str]) -> tuple[str, ...]:
    """Return the names of the nodes that are neither constants nor inputs."""
    return tuple(name for name in names if recording.graph[name].kind not in ("Constant", "Input"))
