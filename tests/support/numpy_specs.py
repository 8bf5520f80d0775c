"""Register the NumPy implementations of the tests.

Their arithmetic has one thread regardless of `--threads`. With more, OpenBLAS's threads spin while they wait for each
other. On busy cores, a product of these small networks then takes fifty times as long.
"""

from dataclasses import replace
from typing import Any

from compare.registry import ImplementationSpec

ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1"}


def numpy_spec(name: str, module: str | None = None, **facts: Any) -> ImplementationSpec:
    """Return the facts of a NumPy implementation whose worker imports `module`, by default `name`."""
    spec = ImplementationSpec(
        name, "NumPy" if module else name, module or name, "eager", variables=ONE_THREAD, idiomatic_scale="unit"
    )
    return replace(spec, **facts)
