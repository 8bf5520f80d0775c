"""The networks in JAX, with flax.nnx. What a worker imports is `create`; this imports no framework."""
