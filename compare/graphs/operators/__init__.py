"""Every kind of docs/port.md in NumPy: the computation of a node, by its kind."""

from compare.graphs.operators import (
    activations,
    arithmetic,
    attention,
    convolution,
    normalization,
    pooling,
    recurrent,
    resize,
    shapes,
)
from compare.graphs.operators.base import NoReference, Operator

OPERATORS: dict[str, Operator] = {
    **activations.OPERATORS,
    **arithmetic.OPERATORS,
    **attention.OPERATORS,
    **convolution.OPERATORS,
    **normalization.OPERATORS,
    **pooling.OPERATORS,
    **recurrent.OPERATORS,
    **resize.OPERATORS,
    **shapes.OPERATORS,
}

__all__ = ["OPERATORS", "NoReference", "Operator"]
