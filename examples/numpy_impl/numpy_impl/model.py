"""A network with its optimizer, as shared/protocol.py specifies."""

import json
import os

import numpy as np

from numpy_impl.networks import LAYERS, AdamSteps, MomentumSteps, Network, trainable
from shared.protocol import Build, Framework
from shared.training import SGD, Adam, AdamW
from shared.weights import Weights, initial_weights

Batch = tuple[np.ndarray, np.ndarray]  # images (N, H, W, C), labels (N,)


def framework() -> Framework:
    """Return NumPy's version. It has no devices."""
    return Framework("numpy", np.__version__, 0, {})


def create(build: Build) -> "NumpyModel":
    """Build the network as a NumpyModel."""
    return NumpyModel(build)


class NumpyModel:
    """A network of `networks.py` with its optimizer."""

    def __init__(self, build: Build) -> None:
        self.dtype = np.dtype(build.train.dtype)
        weights = build.weights or initial_weights(build.model, build.train.seed)
        self.parameters = {name: value.astype(self.dtype) for name, value in weights.items()}
        rate = build.model.dropout if build.train.dropout is None else build.train.dropout
        self.network = Network(LAYERS[build.model.name], self.parameters, dropout=rate or 0.0, seed=build.train.seed)
        self.train = build.train
        self.image_shape = build.model.input_shape
        self.optimizer = _optimizer(build, self.parameters)

    def put(self, images: np.ndarray, labels: np.ndarray) -> Batch:
        return images.astype(self.dtype), labels

    def fetch_batch(self, batch: Batch) -> Batch:
        return batch

    def train_step(self, batch: Batch, learning_rate: float) -> tuple[np.ndarray, np.ndarray]:
        self.optimizer.lr = learning_rate
        loss, gradients, logits = self.network.loss_and_gradients(*batch)
        self.optimizer.step(gradients)
        self.parameters.update(self.network.moved)
        return np.asarray(loss), logits

    def sync(self) -> None:
        """Do nothing: NumPy returns only when it has finished."""

    def fetch(self, tensor: np.ndarray) -> np.ndarray:
        return tensor

    def logits(self, images: np.ndarray) -> np.ndarray:
        return self.network.logits(images.astype(self.dtype))

    def loss_and_gradients(self, batch: Batch) -> tuple[float, Weights]:
        loss, gradients, _ = self.network.loss_and_gradients(*batch)
        return loss, gradients

    def activations(self, images: np.ndarray, training: bool = False) -> Weights:
        self.network.training = training
        try:
            return self.network.forward(images.astype(self.dtype))[0]
        finally:
            self.network.training = False

    def weights(self) -> Weights:
        return dict(self.parameters)

    def load(self, weights: Weights) -> None:
        self.parameters.update({name: value.astype(self.dtype) for name, value in weights.items()})

    def optimizer_state(self) -> Weights:
        return dict(self.optimizer.state)

    def state(self) -> Weights:
        chance = json.dumps(self.network.random.bit_generator.state).encode()
        return {
            **{f"parameter/{name}": value for name, value in self.parameters.items()},
            **{f"optimizer/{name}": value for name, value in self.optimizer.state.items()},
            "steps": np.array(self.optimizer.t),
            "random": np.frombuffer(chance, np.uint8),
        }

    def restore(self, state: Weights) -> None:
        self.parameters.update({name: state[f"parameter/{name}"] for name in self.parameters})
        self.optimizer.state.update({name: state[f"optimizer/{name}"] for name in self.optimizer.state})
        self.optimizer.t = int(state["steps"])
        self.network.random.bit_generator.state = json.loads(state["random"].tobytes())

    def settings(self) -> dict[str, str]:
        said = {
            "dtype": self.dtype.name,
            "device": "cpu",
            "threads": os.environ["OMP_NUM_THREADS"],
            "TF32": "off",
            "deterministic": "on",
        }
        for kind, name in self.network.layers:
            if kind == "batch_norm":
                said |= {f"{name}: epsilon": f"{self.network.epsilon:.12g}"}
                said |= {f"{name}: weight of the new statistics": f"{self.network.momentum:.12g}"}
            elif kind == "dropout":
                said |= {f"{name}: rate": f"{self.network.rate:.12g}"}
        return said | (self.train.optimizer.settings if self.train.optimizer else {})

    def count_parameters(self) -> tuple[int, int]:
        learned = trainable(self.parameters)
        return sum(p.size for p in self.parameters.values()), sum(self.parameters[name].size for name in learned)

    def count_by_layer(self) -> dict[str, int]:
        counts: dict[str, int] = {}
        for name, value in self.parameters.items():
            layer = name.partition("/")[0]
            counts[layer] = counts.get(layer, 0) + value.size
        return counts

    def count_flops(self) -> int:
        self.network.n_products = 0
        self.network.logits(np.zeros((1, *self.image_shape), self.dtype))
        return 2 * self.network.n_products


def _optimizer(build: Build, parameters: Weights) -> AdamSteps | MomentumSteps:
    match build.train.optimizer:
        case Adam() | AdamW() as adam:
            constants = adam.learning_rate, adam.beta1, adam.beta2, adam.epsilon, adam.weight_decay
            return AdamSteps(parameters, *constants, decoupled=isinstance(adam, AdamW))
        case SGD() as sgd:
            return MomentumSteps(parameters, sgd.learning_rate, sgd.momentum, sgd.weight_decay)
        case None:
            raise ValueError("NumPy has no optimizer of its own")
