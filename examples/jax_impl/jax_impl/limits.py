"""What the machine's limits are measured with, in JAX."""

from collections.abc import Callable

import jax
import jax.numpy as jnp

from shared.choices import Device


def matrix_product(device: Device, size: int) -> Callable[[], None]:
    """A product of two float32 matrices (size, size), waited for."""
    a, b = (jax.random.uniform(jax.random.key(number), (size, size), jnp.float32) for number in range(2))
    product = jax.jit(jnp.matmul)
    return lambda: product(a, b).block_until_ready()


def memory_copy(device: Device, n_values: int) -> Callable[[], None]:
    """A copy of `n_values` float32 numbers, waited for."""
    source = jnp.ones(n_values, jnp.float32)
    # The memory of the last copy is what the next one is written to.
    copy = jax.jit(lambda source, target: source.copy(), donate_argnums=1, keep_unused=True)
    held = [jnp.zeros(n_values, jnp.float32)]

    def run() -> None:
        held[0] = copy(source, held[0])
        held[0].block_until_ready()

    return run
