"""Count the FLOPs of convolutions and matrix products in a function that JAX has traced."""

import math
from collections.abc import Callable, Iterator
from typing import Any

import jax


def count_flops(function: Callable[..., Any], *arguments: Any) -> int:
    """Return the FLOPs of the convolutions and matrix products in `function(*arguments)`.

    Each multiply-add counts as two, at every position of the output, padding included.
    """
    traced = jax.make_jaxpr(function)(*arguments)
    return sum(map(_flops_of, _equations(traced.jaxpr)))


def _equations(program: Any) -> Iterator[Any]:
    """Yield all equations, including those of the functions that are called."""
    for equation in program.eqns:
        yield equation
        for value in equation.params.values():
            for inner in value if isinstance(value, tuple | list) else (value,):
                if hasattr(inner, "eqns"):
                    yield from _equations(inner)
                elif hasattr(inner, "jaxpr"):
                    yield from _equations(inner.jaxpr)


def _flops_of(equation: Any) -> int:
    output = equation.outvars[0].aval.shape
    match equation.primitive.name:
        case "conv_general_dilated":
            kernel = equation.invars[1].aval.shape
            of_output = equation.params["dimension_numbers"].rhs_spec[0]  # the kernel's axis of output channels
            products = math.prod(kernel) // kernel[of_output]
        case "dot_general":
            (contracted, _), _ = equation.params["dimension_numbers"]
            products = math.prod(equation.invars[0].aval.shape[axis] for axis in contracted)
        case _:
            return 0
    return 2 * products * math.prod(output)
