"""The layers with variables, on `tf.Variable` and `tf.nn`. Networks call functions without variables from `tf.nn`.

The layers compute in the type of their input. Their variables keep their own type.

Variables start at zero, because the harness loads the canonical initial values before anything is computed.
"""

import tensorflow as tf


class Conv2D(tf.Module):
    """A convolution with stride 1 and a bias; kernel (size, size, channels_in, channels_out)."""

    def __init__(self, channels_in: int, channels_out: int, size: int, padding: str, dtype: tf.DType) -> None:
        super().__init__()
        self.padding = padding
        self.kernel = tf.Variable(tf.zeros((size, size, channels_in, channels_out), dtype))
        self.bias = tf.Variable(tf.zeros((channels_out,), dtype))

    def __call__(self, x: tf.Tensor) -> tf.Tensor:
        kernel, bias = tf.cast(self.kernel, x.dtype), tf.cast(self.bias, x.dtype)
        x = tf.nn.conv2d(x, kernel, strides=1, padding=self.padding)
        return tf.nn.bias_add(x, bias)


class Dense(tf.Module):
    """A dense layer with a bias; kernel (n_in, n_out)."""

    def __init__(self, n_in: int, n_out: int, dtype: tf.DType) -> None:
        super().__init__()
        self.kernel = tf.Variable(tf.zeros((n_in, n_out), dtype))
        self.bias = tf.Variable(tf.zeros((n_out,), dtype))

    def __call__(self, x: tf.Tensor) -> tf.Tensor:
        kernel, bias = tf.cast(self.kernel, x.dtype), tf.cast(self.bias, x.dtype)
        return tf.nn.bias_add(tf.matmul(x, kernel), bias)


class Embedding(tf.Module):
    """A vector for each of `n_tokens` integers; embeddings (n_tokens, size). It maps tokens (N, T) to (N, T, size)."""

    def __init__(self, n_tokens: int, size: int, dtype: tf.DType) -> None:
        super().__init__()
        self.embeddings = tf.Variable(tf.zeros((n_tokens, size), dtype))

    def __call__(self, x: tf.Tensor) -> tf.Tensor:
        return tf.gather(self.embeddings, x)


class LSTM(tf.Module):
    """One layer of an LSTM that starts from zero states. It maps sequences (N, T, n_in) to the state after each step,
    (N, T, size).

    Kernels are (n_in, 4 * size) and (size, 4 * size), the bias is (4 * size,). Gates are in Keras's order: input,
    forget, cell, output. T must be known.
    """

    def __init__(self, n_in: int, size: int, dtype: tf.DType) -> None:
        super().__init__()
        self.kernel = tf.Variable(tf.zeros((n_in, 4 * size), dtype))
        self.recurrent_kernel = tf.Variable(tf.zeros((size, 4 * size), dtype))
        self.bias = tf.Variable(tf.zeros((4 * size,), dtype))

    def __call__(self, x: tf.Tensor) -> tf.Tensor:
        of_input = tf.unstack(x @ self.kernel + self.bias, axis=1)
        state = cell = tf.zeros((tf.shape(x)[0], self.recurrent_kernel.shape[0]), x.dtype)
        states = []
        for step in of_input:
            i, f, c, o = tf.split(step + state @ self.recurrent_kernel, 4, axis=1)
            cell = tf.sigmoid(f) * cell + tf.sigmoid(i) * tf.tanh(c)
            state = tf.sigmoid(o) * tf.tanh(cell)
            states.append(state)
        return tf.stack(states, axis=1)


class GRU(tf.Module):
    """One layer of a GRU that starts from a zero state. It maps sequences (N, T, n_in) to the state after each step,
    (N, T, size).

    Kernels are (n_in, 3 * size) and (size, 3 * size). The bias (2, 3 * size) has a part for the input and one for the
    state. Gates are in Keras's order: update, reset, new. The reset is applied after the product. T must be known.
    """

    def __init__(self, n_in: int, size: int, dtype: tf.DType) -> None:
        super().__init__()
        self.kernel = tf.Variable(tf.zeros((n_in, 3 * size), dtype))
        self.recurrent_kernel = tf.Variable(tf.zeros((size, 3 * size), dtype))
        self.bias = tf.Variable(tf.zeros((2, 3 * size), dtype))

    def __call__(self, x: tf.Tensor) -> tf.Tensor:
        of_input = tf.unstack(x @ self.kernel + self.bias[0], axis=1)
        state = tf.zeros((tf.shape(x)[0], self.recurrent_kernel.shape[0]), x.dtype)
        states = []
        for step in of_input:
            update, reset, new = tf.split(step, 3, axis=1)
            state_update, state_reset, state_new = tf.split(state @ self.recurrent_kernel + self.bias[1], 3, axis=1)
            kept = tf.sigmoid(update + state_update)
            new = tf.tanh(new + tf.sigmoid(reset + state_reset) * state_new)
            state = kept * state + (1 - kept) * new
            states.append(state)
        return tf.stack(states, axis=1)


class BatchNorm(tf.Module):
    """Batch normalisation over all axes but the last; gamma, beta and the moving statistics (channels,)."""

    def __init__(self, channels: int, dtype: tf.DType) -> None:
        super().__init__()
        self.epsilon = 1e-3
        self.momentum = 0.1  # the weight of the new value
        self.gamma = tf.Variable(tf.zeros((channels,), dtype))
        self.beta = tf.Variable(tf.zeros((channels,), dtype))
        self.moving_mean = tf.Variable(tf.zeros((channels,), dtype), trainable=False)
        self.moving_variance = tf.Variable(tf.zeros((channels,), dtype), trainable=False)

    def __call__(self, x: tf.Tensor, training: bool) -> tf.Tensor:
        given = x.dtype
        x = tf.cast(x, self.gamma.dtype)  # in bfloat16 the statistics would keep only two digits
        if training:
            mean = channel_mean(x)
            variance = channel_mean(tf.math.squared_difference(x, mean))
            self._move(self.moving_mean, mean)
            self._move(self.moving_variance, variance)
        else:
            mean, variance = self.moving_mean, self.moving_variance
        x = tf.nn.batch_normalization(x, mean, variance, self.beta, self.gamma, variance_epsilon=self.epsilon)
        return tf.cast(x, given)

    def _move(self, statistic: tf.Variable, value: tf.Tensor) -> None:
        statistic.assign((1 - self.momentum) * statistic + self.momentum * value)


def channel_mean(x: tf.Tensor) -> tf.Tensor:
    """Return the mean over all axes but the last, one axis at a time.

    `tf.nn.moments` adds all values up one after another. Over the 65,536 values of a batch, that loses three digits of
    a variance. Short sums of short sums lose none and take no longer.
    """
    for axis in reversed(range(x.shape.rank - 1)):
        x = tf.reduce_mean(x, axis)
    return x


class Dropout(tf.Module):
    """Dropout at `rate`. The values kept are divided by 1 - rate."""

    def __init__(self, rate: float) -> None:
        super().__init__()
        self.rate = rate

    def __call__(self, x: tf.Tensor, training: bool) -> tf.Tensor:
        if not training:
            return x
        # Uses the generator that `create` seeds. Its state is a variable, which can be saved and restored.
        chance = tf.random.get_global_generator().uniform(tf.shape(x), dtype=x.dtype)
        return tf.where(chance >= self.rate, x / (1 - self.rate), tf.zeros_like(x))


def max_pool(x: tf.Tensor) -> tf.Tensor:
    """Return the largest value of every 2 x 2 block. An odd row or column is dropped."""
    return tf.nn.max_pool2d(x, ksize=2, strides=2, padding="VALID")


def flatten(x: tf.Tensor) -> tf.Tensor:
    """Reshape (N, ...) to (N, product of the rest). Channels vary fastest."""
    return tf.reshape(x, (-1, x.shape[1:].num_elements()))
