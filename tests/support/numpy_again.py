"""The NumPy implementation once more, as a package of its own: it has a vote of its own in a comparison."""

from numpy_impl import create, framework, matrix_product, memory_copy

__all__ = ["create", "framework", "matrix_product", "memory_copy"]
