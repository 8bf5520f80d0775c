"""Build a JAX network, and describe JAX: what this package exports."""

import os

# XLA's number of threads. JAX reads it when it first computes.
os.environ["PJRT_NPROC"] = os.environ["COMPARE_THREADS"]
# Later launches of a bench reuse what the first one compiled, even if it compiled in less than a second.
if kept := os.environ.get("COMPARE_COMPILED"):
    os.environ["JAX_COMPILATION_CACHE_DIR"] = kept
    os.environ["JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS"] = "0"

import flax
import jax

from jax_impl.limits import matrix_product, memory_copy
from jax_impl.train import JaxModel
from shared.protocol import Build, Framework

__all__ = ["create", "framework", "matrix_product", "memory_copy"]


def framework() -> Framework:
    """Return the versions of JAX and flax, and whether JAX has 64 bits."""
    x64 = str(jax.config.read("jax_enable_x64"))
    return Framework("jax", f"{jax.__version__} (flax {flax.__version__})", 0, {"x64": x64})


def create(build: Build) -> JaxModel:
    """Build the network as a JaxModel. Raise ValueError for options that only other implementations support."""
    if build.recipe != "matched" or build.train.mixed_precision != "none" or build.train.own or build.tuning:
        raise ValueError("this implementation has the matched recipe alone, without mixed precision and tuning")
    return JaxModel(build)
