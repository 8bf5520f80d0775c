"""Measure the machine's limits with JAX."""

from collections.abc import Callable

import jax
import jax.numpy as jnp

from shared.choices import Device


def matrix_product(device: Device, size: int) -> Callable[[], None]:
    """Return a function that multiplies two float32 matrices (size, size) and waits for the result."""
    a, b = (jax.random.uniform(jax.random.key(number), (size, size), jnp.float32) for number in range(2))
    product = jax.jit(jnp.matmul)
    return lambda: product(a, b).block_until_ready()


def memory_copy(device: Device, n_values: int) -> Callable[[], None]:
    """Return a function that copies `n_values` float32 numbers and waits for the result."""
    source = jnp.ones(n_values, jnp.float32)
    # Each copy is written to the memory of the last one.
    copy = jax.jit(lambda source, target: source.copy(), donate_argnums=1, keep_unused=True)
    held = [jnp.zeros(n_values, jnp.float32)]

    def run() -> None:
        held[0] = copy(source, held[0])
        held[0].block_until_ready()

    return run
