"""The layers: flax's own if they compute what the contract states. Batch normalisation does not, so it is here."""

import jax
import jax.numpy as jnp
from flax import nnx

NO_CHANCE = nnx.Rngs(0)  # for flax's initial values, which the harness replaces before anything is computed


def conv(n_in: int, n_out: int, size: int, padding: str, dtype: jnp.dtype) -> nnx.Conv:
    """Return a convolution with stride 1 and a bias; kernel (size, size, n_in, n_out)."""
    return nnx.Conv(n_in, n_out, (size, size), padding=padding, dtype=dtype, param_dtype=dtype, rngs=NO_CHANCE)


def dense(n_in: int, n_out: int, dtype: jnp.dtype) -> nnx.Linear:
    """Return a dense layer with a bias; kernel (n_in, n_out)."""
    return nnx.Linear(n_in, n_out, dtype=dtype, param_dtype=dtype, rngs=NO_CHANCE)


class BatchNorm(nnx.Module):
    """Batch normalisation over all axes but the last; gamma, beta and the moving statistics (channels,).

    flax's own computes the variance as the mean of squares minus the square of the mean. It also adds up all values of
    a mean one after another. Several digits of a variance are lost.
    """

    epsilon, momentum = 1e-3, 0.1  # momentum is the weight of the new statistics

    def __init__(self, channels: int, dtype: jnp.dtype) -> None:
        self.gamma = nnx.Param(jnp.ones(channels, dtype))
        self.beta = nnx.Param(jnp.zeros(channels, dtype))
        self.moving_mean = nnx.BatchStat(jnp.zeros(channels, dtype))
        self.moving_variance = nnx.BatchStat(jnp.ones(channels, dtype))

    def __call__(self, x: jax.Array, training: bool) -> jax.Array:
        if training:
            mean = channel_mean(x)
            variance = channel_mean(jnp.square(x - mean))
            for statistic, value in ((self.moving_mean, mean), (self.moving_variance, variance)):
                statistic[...] = (1 - self.momentum) * statistic[...] + self.momentum * value
        else:
            mean, variance = self.moving_mean[...], self.moving_variance[...]
        return (x - mean) / jnp.sqrt(variance + self.epsilon) * self.gamma[...] + self.beta[...]


def channel_mean(x: jax.Array) -> jax.Array:
    """Return the mean over all axes but the last, one axis at a time. Short sums of short sums lose no digits."""
    for axis in reversed(range(x.ndim - 1)):
        x = jnp.mean(x, axis)
    return x


def max_pool(x: jax.Array) -> jax.Array:
    """Return the largest value of every 2 x 2 block. An odd row or column is dropped."""
    return nnx.max_pool(x, (2, 2), strides=(2, 2))


def flatten(x: jax.Array) -> jax.Array:
    """Reshape (N, ...) to (N, product of the rest). Channels vary fastest."""
    return x.reshape(len(x), -1)
