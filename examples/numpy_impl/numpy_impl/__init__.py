"""The networks in NumPy."""

from numpy_impl.limits import matrix_product, memory_copy
from numpy_impl.model import create, framework

__all__ = ["create", "framework", "matrix_product", "memory_copy"]
