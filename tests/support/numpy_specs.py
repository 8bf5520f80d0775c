"""How the NumPy implementations of the tests are registered.

Their arithmetic has one thread whatever `--threads` says: with more, OpenBLAS's threads spin while they wait for one
another, and on busy cores a product of these small networks takes fifty times as long.
"""

from dataclasses import replace
from typing import Any

from compare.registry import ImplementationSpec

ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1"}


def numpy_spec(name: str, module: str | None = None, **facts: Any) -> ImplementationSpec:
    """The facts of a NumPy implementation whose worker imports `module`, which is `name` if it is not given."""
    spec = ImplementationSpec(
        name, "NumPy" if module else name, module or name, "eager", variables=ONE_THREAD, idiomatic_scale="unit"
    )
    return replace(spec, **facts)
