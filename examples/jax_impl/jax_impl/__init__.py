"""The networks in JAX, with flax.nnx. This module imports no framework; a worker imports `create`."""
