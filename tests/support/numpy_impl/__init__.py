"""A fourth implementation, in NumPy, for tests of the harness: it imports in no time, and misbehaves when told to.

The variable NUMPY_IMPL_FAULT names one fault: `import`, `create`, `exit`, `kill`, `hang`, `nan`, `print`,
`child`, `hungry`, `miscount`.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from reference import LAYERS, AdamSteps, MomentumSteps, Network

from shared.models import ModelSpec
from shared.protocol import Build, Framework, Trained
from shared.training import Adam, TrainSpec
from shared.weights import Weights, initial_weights

FAULT = os.environ.get("NUMPY_IMPL_FAULT", "")
FAULTY_STEP = 3

if FAULT == "import":
    raise ImportError("numpy_impl was told to fail")


def framework() -> Framework:
    return Framework("numpy", np.__version__, 0, {})


def create(build: Build) -> "NumpyModel":
    if FAULT == "create":
        raise RuntimeError("told to fail\nin create")
    if build.tuning:
        print(f"tuning {dict(build.tuning)}", file=sys.stderr)
    return NumpyModel(build.model, build.train, build.weights or initial_weights(build.model, build.train.seed))


class NumpyModel:
    def __init__(self, spec: ModelSpec, train: TrainSpec, weights: Weights) -> None:
        self.dtype = np.dtype(train.dtype)
        self.parameters = {name: value.astype(self.dtype) for name, value in weights.items()}
        self.network = Network(LAYERS[spec.name], self.parameters)
        o = train.optimizer
        self.optimizer: Any = (
            AdamSteps(self.parameters, o.learning_rate, o.beta1, o.beta2, o.epsilon)
            if isinstance(o, Adam)
            else MomentumSteps(self.parameters, o.learning_rate, o.momentum)
        )
        stated = {"optimizer": o.name, "amsgrad": "off"} if isinstance(o, Adam) else {"optimizer": o.name}
        stated |= {} if isinstance(o, Adam) else {"dampening": "0", "nesterov": "off"}
        self.constants = stated | {k: f"{v:.12g}" for k, v in o.model_dump(exclude={"name", "learning_rate"}).items()}
        self.steps = 0
        self.seed = train.seed

    def put(self, images: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return images.astype(self.dtype), labels

    def put_share(self, images: np.ndarray, labels: np.ndarray, n_all: int) -> tuple[np.ndarray, np.ndarray]:
        """Each of several processes trains on its share alone: enough to see how they begin and end."""
        return self.put(images, labels)

    def fetch_batch(self, batch: tuple[np.ndarray, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
        return batch

    def settings(self) -> dict[str, str]:
        return {
            "dtype": self.dtype.name,
            "device": "cpu",
            "threads": os.environ["OMP_NUM_THREADS"],
            "TF32": "off",
            "deterministic": "on",
            "weight decay": "0",
            **self.constants,
        }

    def train_step(self, batch: tuple[np.ndarray, np.ndarray], learning_rate: float) -> tuple[Any, Any]:
        self.optimizer.lr = learning_rate
        self.steps += 1
        if self.steps == FAULTY_STEP:
            self._misbehave()
        loss, gradients, logits = self.network.loss_and_gradients(*batch)
        self.optimizer.step(gradients)
        self.parameters.update(self.network.moved)
        return np.array(np.nan if FAULT == "nan" and self.steps == FAULTY_STEP else loss), logits

    def _misbehave(self) -> None:
        if FAULT == "exit":
            print("about to go", file=sys.stderr, flush=True)
            os._exit(7)
        if FAULT == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        if FAULT == "hang":
            time.sleep(3600)
        if FAULT == "hungry" and self.seed == 0:
            np.ones(300_000_000, np.uint8)
        if FAULT == "child":
            subprocess.Popen(["sleep", "600"])
        if FAULT == "print":
            print("a line on standard output", flush=True)
            os.system("echo a line from below")  # a library's own writes go past Python
            print("a warning on standard error", file=sys.stderr, flush=True)

    def sync(self) -> None: ...

    def fetch(self, tensor: np.ndarray) -> np.ndarray:
        return tensor

    def logits(self, images: np.ndarray) -> np.ndarray:
        return self.network.logits(images.astype(self.dtype))

    def loss_and_gradients(self, batch: tuple[np.ndarray, np.ndarray]) -> tuple[float, Weights]:
        loss, gradients, _ = self.network.loss_and_gradients(*batch)
        return loss, gradients

    def activations(self, images: np.ndarray, training: bool = False) -> Weights:
        return self.network.forward(images.astype(self.dtype))[0]

    def weights(self) -> Weights:
        return self.parameters

    def load(self, weights: Weights) -> None:
        self.parameters.update(weights)

    def optimizer_state(self) -> Weights:
        return self.optimizer.state

    def state(self) -> Weights:
        counts = {"steps": np.array(self.steps), "optimizer/t": np.array(getattr(self.optimizer, "t", 0))}
        return {f"p/{k}": v for k, v in self.parameters.items()} | self.optimizer.state | counts

    def restore(self, state: Weights) -> None:
        self.parameters.update({k[2:]: v for k, v in state.items() if k.startswith("p/")})
        self.optimizer.state.update({k: state[k] for k in self.optimizer.state})
        self.optimizer.t, self.steps = int(state["optimizer/t"]), int(state["steps"])

    def count_parameters(self) -> tuple[int, int]:
        n = sum(p.size for p in self.parameters.values())
        return (n + 1, n) if FAULT == "miscount" else (n, n)

    def count_by_layer(self) -> dict[str, int]:
        counts: dict[str, int] = {}
        for name, value in self.parameters.items():
            counts[name.split("/")[0]] = counts.get(name.split("/")[0], 0) + value.size
        return counts

    def count_flops(self) -> int:
        raise NotImplementedError("NumPy has no profiler that counts FLOPs")

    def device_name(self) -> str:
        return "cpu"

    def peak_device_bytes(self) -> int | None:
        return None


def _export(trained: Trained, path: Path) -> Callable[[np.ndarray], np.ndarray]:
    """Write some file, and return what reads the logits of images from it: not those of the network."""
    path.write_bytes(b"a file")
    exact = {name: 2 * value for name, value in trained.weights.items()}
    return lambda images: Network(LAYERS[trained.model.name], exact).logits(images)


exporters = {"torch": _export}


def matrix_product(device: str, size: int) -> Any:
    a = np.ones((size, size), np.float32)
    return lambda: a @ a


def memory_copy(device: str, n_values: int) -> Any:
    source, target = np.zeros(n_values, np.float32), np.zeros(n_values, np.float32)
    return lambda: np.copyto(target, source)
