"""The reference: the networks in NumPy, forwards and backwards by hand.

It shares no code with the other implementations or with shared/: the tests compare those with it. Everything is
computed in the type of the given parameters.
"""

from collections.abc import Callable

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

Arrays = dict[str, np.ndarray]
Backward = Callable[[np.ndarray], np.ndarray]


class Network:
    """A network as a chain of layers; `layers` lists (kind, name) in order, and the last one gives the logits."""

    def __init__(
        self,
        layers: list[tuple[str, str]],
        parameters: Arrays,
        epsilon: float = 1e-3,
        dropout: float = 0.0,
        seed: int = 0,
    ) -> None:
        self.layers = layers
        self.p = parameters
        self.epsilon, self.momentum = epsilon, 0.1  # of batch normalisation; the weight of the new statistics
        self.rate, self.random = dropout, np.random.default_rng(seed)
        self.n_products = 0  # the multiplications and additions of matrix products, in pairs
        self.training = False
        self.moved: Arrays = {}  # the moving statistics after the last pass in training mode

    def forward(self, x: np.ndarray) -> tuple[Arrays, list[Backward], Arrays]:
        """Return the output of every layer, its backward pass, and the arrays for the gradients."""
        outputs: Arrays = {}
        backward: list[Backward] = []
        gradients: Arrays = {}
        for kind, name in self.layers:
            x, back = getattr(self, kind)(x, name, gradients)
            outputs[name] = x
            backward.append(back)
        return outputs, backward, gradients

    def logits(self, x: np.ndarray) -> np.ndarray:
        return self.forward(x)[0][self.layers[-1][1]]

    def loss_and_gradients(self, x: np.ndarray, labels: np.ndarray) -> tuple[float, Arrays, np.ndarray]:
        """Compute in training mode; `moved` then has the moving statistics, and nothing is updated."""
        self.training = True
        outputs, backward, gradients = self.forward(x)
        self.training = False
        logits = outputs[self.layers[-1][1]]
        z = logits - logits.max(axis=1, keepdims=True)
        log_total = np.log(np.exp(z).sum(axis=1, keepdims=True))
        probabilities = np.exp(z - log_total)
        rows = np.arange(len(labels))
        loss = -(z - log_total)[rows, labels].mean()
        upstream = probabilities
        upstream[rows, labels] -= 1
        upstream /= len(labels)
        for back in reversed(backward):
            upstream = back(upstream)
        return float(loss), gradients, logits

    def conv3x3_same_relu(self, x: np.ndarray, name: str, gradients: Arrays) -> tuple[np.ndarray, Backward]:
        return self._conv_relu(x, name, gradients, pad=1)

    def conv5x5_same_relu(self, x: np.ndarray, name: str, gradients: Arrays) -> tuple[np.ndarray, Backward]:
        return self._conv_relu(x, name, gradients, pad=2)

    def conv3x3_valid_relu(self, x: np.ndarray, name: str, gradients: Arrays) -> tuple[np.ndarray, Backward]:
        return self._conv_relu(x, name, gradients, pad=0)

    def conv5x5_valid_relu(self, x: np.ndarray, name: str, gradients: Arrays) -> tuple[np.ndarray, Backward]:
        return self._conv_relu(x, name, gradients, pad=0)

    def _conv_relu(self, x: np.ndarray, name: str, gradients: Arrays, pad: int) -> tuple[np.ndarray, Backward]:
        kernel, bias = self.p[f"{name}/kernel"], self.p[f"{name}/bias"]
        size, _, c_in, _ = kernel.shape
        padded = np.pad(x, ((0, 0), (pad, pad), (pad, pad), (0, 0)))
        n, height, width = len(x), padded.shape[1] - size + 1, padded.shape[2] - size + 1
        windows = sliding_window_view(padded, (size, size), axis=(1, 2))  # (N, H, W, C, size, size)
        columns = windows.transpose(0, 1, 2, 4, 5, 3).reshape(n * height * width, size * size * c_in)
        flat_kernel = kernel.reshape(size * size * c_in, -1)
        self.n_products += columns.size * flat_kernel.shape[1]
        out = (columns @ flat_kernel + bias).reshape(n, height, width, -1)
        active = out > 0

        def back(upstream: np.ndarray) -> np.ndarray:
            up = (upstream * active).reshape(n * height * width, -1)
            gradients[f"{name}/kernel"] = (columns.T @ up).reshape(kernel.shape)
            gradients[f"{name}/bias"] = up.sum(axis=0)
            pieces = (up @ flat_kernel.T).reshape(n, height, width, size, size, c_in)
            down = np.zeros_like(padded)
            for i in range(size):
                for j in range(size):
                    down[:, i : i + height, j : j + width] += pieces[:, :, :, i, j]
            return down[:, pad : pad + x.shape[1], pad : pad + x.shape[2]]

        return out * active, back

    def batch_norm(self, x: np.ndarray, name: str, gradients: Arrays) -> tuple[np.ndarray, Backward]:
        """Normalise over all axes but the last, by the batch's biased variance in training; Ioffe and Szegedy 2015."""
        gamma, beta, epsilon = self.p[f"{name}/gamma"], self.p[f"{name}/beta"], self.epsilon
        if not self.training:
            scale = gamma / np.sqrt(self.p[f"{name}/moving_variance"] + epsilon)
            return (x - self.p[f"{name}/moving_mean"]) * scale + beta, lambda upstream: upstream * scale
        mean = _channel_mean(x)
        variance = _channel_mean((x - mean) ** 2)
        for statistic, value in (("moving_mean", mean), ("moving_variance", variance)):
            self.moved[f"{name}/{statistic}"] = (1 - self.momentum) * self.p[
                f"{name}/{statistic}"
            ] + self.momentum * value
        normal = (x - mean) / np.sqrt(variance + epsilon)

        def back(upstream: np.ndarray) -> np.ndarray:
            up, up_normal = _channel_mean(upstream), _channel_mean(upstream * normal)
            gradients[f"{name}/gamma"] = up_normal * (x.size / len(gamma))
            gradients[f"{name}/beta"] = up * (x.size / len(gamma))
            centred = upstream - up - normal * up_normal
            given: np.ndarray = centred * gamma / np.sqrt(variance + epsilon)
            return given

        return normal * gamma + beta, back

    def dropout(self, x: np.ndarray, name: str, gradients: Arrays) -> tuple[np.ndarray, Backward]:
        if not self.training or self.rate == 0:
            return x, lambda upstream: upstream
        kept = ((self.random.random(x.shape) >= self.rate) / (1 - self.rate)).astype(x.dtype)
        return x * kept, lambda upstream: upstream * kept

    def pool2(self, x: np.ndarray, name: str, gradients: Arrays) -> tuple[np.ndarray, Backward]:
        n, height, width, channels = x.shape
        h, w = height // 2, width // 2  # a remaining row or column is dropped
        blocks = x[:, : 2 * h, : 2 * w].reshape(n, h, 2, w, 2, channels).transpose(0, 1, 3, 5, 2, 4)
        blocks = blocks.reshape(n, h, w, channels, 4)
        winner = blocks.argmax(axis=-1)

        def back(upstream: np.ndarray) -> np.ndarray:
            won = np.zeros_like(blocks)
            np.put_along_axis(won, winner[..., None], upstream[..., None], axis=-1)
            won = won.reshape(n, h, w, channels, 2, 2).transpose(0, 1, 4, 2, 5, 3)
            down = np.zeros_like(x)
            down[:, : 2 * h, : 2 * w] = won.reshape(n, 2 * h, 2 * w, channels)
            return down

        return np.take_along_axis(blocks, winner[..., None], axis=-1)[..., 0], back

    def flatten(self, x: np.ndarray, name: str, gradients: Arrays) -> tuple[np.ndarray, Backward]:
        return x.reshape(len(x), -1), lambda upstream: upstream.reshape(x.shape)

    def dense(self, x: np.ndarray, name: str, gradients: Arrays) -> tuple[np.ndarray, Backward]:
        """Compute it at each position; a kernel (1, 1, in, out) is that of an equivalent convolution."""
        kernel = self.p[f"{name}/kernel"]
        flat: np.ndarray = kernel.reshape(kernel.shape[-2:])

        def back(upstream: np.ndarray) -> np.ndarray:
            rows, up = x.reshape(-1, flat.shape[0]), upstream.reshape(-1, flat.shape[1])
            gradients[f"{name}/kernel"] = (rows.T @ up).reshape(kernel.shape)
            gradients[f"{name}/bias"] = up.sum(axis=0)
            given: np.ndarray = upstream @ flat.T
            return given

        self.n_products += x.size * flat.shape[1]
        return x @ flat + self.p[f"{name}/bias"], back

    def global_mean(self, x: np.ndarray, name: str, gradients: Arrays) -> tuple[np.ndarray, Backward]:
        _, height, width, _ = x.shape

        def back(upstream: np.ndarray) -> np.ndarray:
            return np.broadcast_to(upstream[:, None, None] / (height * width), x.shape)

        return x.mean((1, 2)), back

    def dense_relu(self, x: np.ndarray, name: str, gradients: Arrays) -> tuple[np.ndarray, Backward]:
        out, dense_back = self.dense(x, name, gradients)
        active = out > 0
        return out * active, lambda upstream: dense_back(upstream * active)


def _channel_mean(x: np.ndarray) -> np.ndarray:
    """Return the mean over all axes but the last; NumPy only sums pairwise, and thus exactly, along the last axis."""
    mean: np.ndarray = np.ascontiguousarray(x.reshape(-1, x.shape[-1]).T).mean(axis=1)
    return mean


LAYERS: dict[str, list[tuple[str, str]]] = {
    "cnn_same": [
        ("conv3x3_same_relu", "conv1"),
        ("pool2", "pool1"),
        ("conv3x3_same_relu", "conv2"),
        ("pool2", "pool2"),
        ("flatten", "flatten"),
        ("dense_relu", "dense1"),
        ("dense", "dense2"),
    ],
    "cnn_wide_valid": [
        ("conv3x3_valid_relu", "conv1"),
        ("pool2", "pool1"),
        ("conv3x3_valid_relu", "conv2"),
        ("pool2", "pool2"),
        ("flatten", "flatten"),
        ("dense_relu", "dense1"),
        ("dense", "dense2"),
    ],
    "cnn_headless_valid": [
        ("conv3x3_valid_relu", "conv1"),
        ("pool2", "pool1"),
        ("conv3x3_valid_relu", "conv2"),
        ("pool2", "pool2"),
        ("flatten", "flatten"),
        ("dense", "dense1"),
    ],
    "cnn_bn_cifar": [
        ("conv3x3_same_relu", "conv1"),
        ("batch_norm", "bn1"),
        ("conv3x3_same_relu", "conv2"),
        ("batch_norm", "bn2"),
        ("pool2", "pool1"),
        ("conv3x3_same_relu", "conv3"),
        ("batch_norm", "bn3"),
        ("conv3x3_same_relu", "conv4"),
        ("batch_norm", "bn4"),
        ("pool2", "pool2"),
        ("flatten", "flatten"),
        ("dense_relu", "dense1"),
        ("batch_norm", "bn5"),
        ("dense", "dense2"),
    ],
    "cnn_bn_valid": [
        ("conv5x5_valid_relu", "conv1"),
        ("conv5x5_valid_relu", "conv2"),
        ("batch_norm", "bn1"),
        ("pool2", "pool1"),
        ("conv3x3_valid_relu", "conv3"),
        ("conv3x3_valid_relu", "conv4"),
        ("batch_norm", "bn2"),
        ("pool2", "pool2"),
        ("flatten", "flatten"),
        ("dense", "dense1"),
    ],
    "cnn_deep_dropout": [
        ("conv5x5_same_relu", "conv1"),
        ("pool2", "pool1"),
        ("conv5x5_same_relu", "conv2"),
        ("pool2", "pool2"),
        ("conv5x5_same_relu", "conv3"),
        ("pool2", "pool3"),
        ("flatten", "flatten"),
        ("dense_relu", "dense1"),
        ("dropout", "dropout1"),
        ("dense", "dense2"),
    ],
    "dense_baseline": [("flatten", "flatten"), ("dense_relu", "dense1"), ("dense", "dense2")],
}
