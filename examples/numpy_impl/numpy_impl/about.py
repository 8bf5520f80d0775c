"""Describe this implementation to the harness, before a worker imports it."""

from compare.registry import ImplementationSpec, Style

NUMPY = ImplementationSpec(
    name="numpy",
    title="NumPy",
    module="numpy_impl",
    default_mode="eager",
    modes=("eager",),
    dtypes={"cpu": ("float32", "float64"), "cuda": ()},
    versions=("numpy",),
    style=Style("#CC79A7", "-."),
)
