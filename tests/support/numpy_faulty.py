"""The NumPy implementation with the fault named by the variable NUMPY_FAULTY, or without a fault if it is not set."""

import os
import time
from typing import Any

import numpy as np
from numpy_impl import framework, matrix_product, memory_copy
from numpy_impl.model import NumpyModel

from shared.protocol import Build
from shared.weights import Weights, initial_weights

__all__ = ["create", "framework", "matrix_product", "memory_copy"]
FAULT = os.environ.get("NUMPY_FAULTY", "")


def create(build: Build) -> "Faulty":
    if FAULT == "create":
        raise RuntimeError("asked to fail in create")
    return Faulty(build)


class Faulty(NumpyModel):
    n_steps = 0

    def __init__(self, build: Build) -> None:
        super().__init__(build)
        initial = initial_weights(build.model, build.train.seed)["dense1/kernel"]
        self.was_moved = build.weights is not None and not np.array_equal(build.weights["dense1/kernel"], initial)

    def settings(self) -> dict[str, str]:
        return super().settings() | ({"dtype": "float16"} if FAULT == "setting" else {})

    def weights(self) -> Weights:
        kernel = self.parameters["dense1/kernel"]
        return super().weights() | ({"dense1/kernel": kernel.T} if FAULT == "transposed" and self.n_steps else {})

    def activations(self, images: np.ndarray, training: bool = False) -> Weights:
        seen = super().activations(images, training)
        return seen | ({"dense1": seen["dense1"] * (1 + 1e-9)} if FAULT == "activation" else {})

    def loss_and_gradients(self, batch: Any) -> tuple[float, Weights]:
        loss, gradients = super().loss_and_gradients(batch)
        if FAULT == "gradient":
            gradients["dense2/bias"] = gradients["dense2/bias"][::-1]
        return loss, gradients

    def train_step(self, batch: Any, learning_rate: float) -> tuple[Any, Any]:
        self.n_steps += 1
        if FAULT == "error" and self.n_steps == 2:
            raise RuntimeError("asked to fail in the second step")
        if FAULT == "draw" and self.n_steps == 2 and self.was_moved:
            raise RuntimeError("asked to fail from moved weights")
        if FAULT == "exit" and self.n_steps == 2:
            os._exit(3)
        if FAULT == "hang" and self.n_steps == 2:
            time.sleep(3600)
        return super().train_step(batch, learning_rate * (2 if FAULT == "rate" else 1))

    def logits(self, images: np.ndarray) -> np.ndarray:
        logits = super().logits(images)
        return logits * np.nan if FAULT == "nan" and self.n_steps else logits
