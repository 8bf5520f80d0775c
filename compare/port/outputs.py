"""Whether two models' outputs can be compared, and the outputs that one has alone."""

from compare.graphs.node import Recording
from compare.port.difference import Difference
from shared.errors import InputError


def check_outputs(left: Recording, right: Recording) -> None:
    """Raise InputError if the outputs cannot be those of one function: another number of them, or of features."""
    shapes = [[tuple(rec.values[name].shape) for name in rec.graph.outputs] for rec in (left, right)]
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
    """The outputs that only one side has, as auxiliary ones in training."""
    outputs = left.graph.outputs, right.graph.outputs
    counts = [f"{len(each)} output{'s' * (len(each) != 1)}" for each in outputs]
    shared = min(map(len, outputs))
    alone = [(name, None) for name in outputs[0][shared:]] + [(None, name) for name in outputs[1][shared:]]
    return tuple(Difference("outputs.number", a, b, counts[0], counts[1], "none") for a, b in alone)
