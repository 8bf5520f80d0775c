"""The networks once more, in NumPy, forwards and backwards by hand, with both optimizers from their formulas.

An independent reference: it shares no code with the implementations or with shared/. Everything is computed in the
type of the parameters that it is given.
"""

from collections.abc import Callable

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

Arrays = dict[str, np.ndarray]
Backward = Callable[[np.ndarray], np.ndarray]


class Network:
    """A network as a chain of layers; `layers` lists (kind, name) in order, the last one gives the logits."""

    def __init__(self, layers: list[tuple[str, str]], parameters: Arrays) -> None:
        self.layers = layers
        self.p = parameters

    def forward(self, x: np.ndarray) -> tuple[Arrays, list[Backward], Arrays]:
        """The output of every layer, the way back through every layer, and where the gradients will be."""
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
        outputs, backward, gradients = self.forward(x)
        logits = outputs[self.layers[-1][1]]
        z = logits - logits.max(axis=1, keepdims=True)
        probabilities = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
        rows = np.arange(len(labels))
        loss = -np.log(probabilities[rows, labels]).mean()
        upstream = probabilities
        upstream[rows, labels] -= 1
        upstream /= len(labels)
        for back in reversed(backward):
            upstream = back(upstream)
        return float(loss), gradients, logits

    def conv3x3_same_relu(self, x: np.ndarray, name: str, gradients: Arrays) -> tuple[np.ndarray, Backward]:
        kernel, bias = self.p[f"{name}/kernel"], self.p[f"{name}/bias"]
        n, height, width, c_in = x.shape
        padded = np.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)))
        windows = sliding_window_view(padded, (3, 3), axis=(1, 2))  # (N, H, W, C, 3, 3)
        columns = windows.transpose(0, 1, 2, 4, 5, 3).reshape(n * height * width, 9 * c_in)
        flat_kernel = kernel.reshape(9 * c_in, -1)
        out = (columns @ flat_kernel + bias).reshape(n, height, width, -1)
        active = out > 0

        def back(upstream: np.ndarray) -> np.ndarray:
            up = (upstream * active).reshape(n * height * width, -1)
            gradients[f"{name}/kernel"] = (columns.T @ up).reshape(kernel.shape)
            gradients[f"{name}/bias"] = up.sum(axis=0)
            pieces = (up @ flat_kernel.T).reshape(n, height, width, 3, 3, c_in)
            down = np.zeros_like(padded)
            for i in range(3):
                for j in range(3):
                    down[:, i : i + height, j : j + width] += pieces[:, :, :, i, j]
            return down[:, 1:-1, 1:-1]

        return out * active, back

    def pool2(self, x: np.ndarray, name: str, gradients: Arrays) -> tuple[np.ndarray, Backward]:
        n, height, width, channels = x.shape
        blocks = x.reshape(n, height // 2, 2, width // 2, 2, channels).transpose(0, 1, 3, 5, 2, 4)
        blocks = blocks.reshape(*blocks.shape[:4], 4)
        winner = blocks.argmax(axis=-1)

        def back(upstream: np.ndarray) -> np.ndarray:
            down = np.zeros_like(blocks)
            np.put_along_axis(down, winner[..., None], upstream[..., None], axis=-1)
            down = down.reshape(n, height // 2, width // 2, channels, 2, 2)
            return down.transpose(0, 1, 4, 2, 5, 3).reshape(x.shape)

        return blocks.max(axis=-1), back

    def flatten(self, x: np.ndarray, name: str, gradients: Arrays) -> tuple[np.ndarray, Backward]:
        return x.reshape(len(x), -1), lambda upstream: upstream.reshape(x.shape)

    def dense(self, x: np.ndarray, name: str, gradients: Arrays) -> tuple[np.ndarray, Backward]:
        kernel = self.p[f"{name}/kernel"]

        def back(upstream: np.ndarray) -> np.ndarray:
            gradients[f"{name}/kernel"] = x.T @ upstream
            gradients[f"{name}/bias"] = upstream.sum(axis=0)
            return upstream @ kernel.T

        return x @ kernel + self.p[f"{name}/bias"], back

    def dense_relu(self, x: np.ndarray, name: str, gradients: Arrays) -> tuple[np.ndarray, Backward]:
        out, dense_back = self.dense(x, name, gradients)
        active = out > 0
        return out * active, lambda upstream: dense_back(upstream * active)


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
    "dense_baseline": [("flatten", "flatten"), ("dense_relu", "dense1"), ("dense", "dense2")],
}


class AdamSteps:
    """Kingma and Ba 2015, algorithm 1."""

    def __init__(self, parameters: Arrays, lr: float, beta1: float, beta2: float, epsilon: float) -> None:
        self.p, self.t = parameters, 0
        self.lr, self.beta1, self.beta2, self.epsilon = lr, beta1, beta2, epsilon
        self.state = {f"{k}/{s}": np.zeros_like(v) for k, v in parameters.items() for s in "mv"}

    def step(self, gradients: Arrays) -> None:
        self.t += 1
        for name, g in gradients.items():
            m = self.beta1 * self.state[f"{name}/m"] + (1 - self.beta1) * g
            v = self.beta2 * self.state[f"{name}/v"] + (1 - self.beta2) * g**2
            self.state[f"{name}/m"], self.state[f"{name}/v"] = m, v
            m_hat, v_hat = m / (1 - self.beta1**self.t), v / (1 - self.beta2**self.t)
            self.p[name] = self.p[name] - self.lr * m_hat / (np.sqrt(v_hat) + self.epsilon)


class MomentumSteps:
    """v <- momentum v + g; p <- p - lr v."""

    def __init__(self, parameters: Arrays, lr: float, momentum: float) -> None:
        self.p, self.lr, self.momentum = parameters, lr, momentum
        self.state = {f"{k}/velocity": np.zeros_like(v) for k, v in parameters.items()}

    def step(self, gradients: Arrays) -> None:
        for name, g in gradients.items():
            velocity = self.momentum * self.state[f"{name}/velocity"] + g
            self.state[f"{name}/velocity"] = velocity
            self.p[name] = self.p[name] - self.lr * velocity
