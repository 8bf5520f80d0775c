"""The networks in JAX, with flax.nnx."""

import os

# How many threads XLA computes with: JAX reads it when it first computes.
os.environ["PJRT_NPROC"] = os.environ["COMPARE_THREADS"]

from jax_impl.create import create, framework  # noqa: E402
from jax_impl.limits import matrix_product, memory_copy  # noqa: E402

__all__ = ["create", "framework", "matrix_product", "memory_copy"]
