"""The NumPy implementation again, as a separate package with its own vote in a comparison."""

from numpy_impl import create, framework, matrix_product, memory_copy

__all__ = ["create", "framework", "matrix_product", "memory_copy"]
