"""The NumPy implementation of examples/numpy_impl, with the misbehaviour named by the variable NUMPY_IMPL_FAULT.

It is one of `import`, `create`, `exit`, `kill`, `hang`, `nan`, `print`, `child`, `hungry`, `miscount`.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy_impl import framework, matrix_product, memory_copy
from numpy_impl.model import Batch, NumpyModel
from numpy_impl.networks import LAYERS, Network

from shared.protocol import Build, Trained

__all__ = ["create", "exporters", "framework", "matrix_product", "memory_copy"]
FAULT = os.environ.get("NUMPY_IMPL_FAULT", "")
FAULTY_STEP = 3

if FAULT == "import":
    raise ImportError("numpy_misbehaving was asked to fail")


def create(build: Build) -> "Misbehaving":
    if FAULT == "create":
        raise RuntimeError("asked to fail\nin create")
    if build.tuning:
        print(f"tuning {dict(build.tuning)}", file=sys.stderr)
    return Misbehaving(build)


class Misbehaving(NumpyModel):
    def train_step(self, batch: Batch, learning_rate: float) -> tuple[np.ndarray, np.ndarray]:
        is_faulty = self.optimizer.t + 1 == FAULTY_STEP
        if is_faulty:
            self._misbehave()
        loss, logits = super().train_step(batch, learning_rate)
        return np.array(np.nan if FAULT == "nan" and is_faulty else loss), logits

    def put_share(self, images: np.ndarray, labels: np.ndarray, n_all: int) -> Batch:
        """Train each process on its own share only, which is enough to test how processes start and end."""
        return self.put(images, labels)

    def count_parameters(self) -> tuple[int, int]:
        n, n_trainable = super().count_parameters()
        return (n + 1, n_trainable) if FAULT == "miscount" else (n, n_trainable)

    def _misbehave(self) -> None:
        if FAULT == "exit":
            print("about to go", file=sys.stderr, flush=True)
            os._exit(7)
        if FAULT == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        if FAULT == "hang":
            time.sleep(3600)
        if FAULT == "hungry" and self.train.seed == 0:
            np.ones(300_000_000, np.uint8)
        if FAULT == "child":
            subprocess.Popen(["sleep", "600"])
        if FAULT == "print":
            print("a line on standard output", flush=True)
            os.system("echo a line from below")  # a library's own writes bypass Python
            print("a warning on standard error", file=sys.stderr, flush=True)


def _export(trained: Trained, path: Path) -> Callable[[np.ndarray], np.ndarray]:
    """Write some file, and return a function that gives other logits than the network."""
    path.write_bytes(b"a file")
    exact = {name: 2 * value for name, value in trained.weights.items()}
    return lambda images: Network(LAYERS[trained.model.name], exact).logits(images)


exporters = {"torch": _export}
