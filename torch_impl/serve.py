"""Serve networks for inference as PyTorch's users do: without optimizer and gradients."""

import numpy as np
import torch

from shared.choices import Mode
from shared.protocol import Framework, Predict, Trained
from torch_impl.export import deployed


def framework() -> Framework:
    """Return PyTorch's version for a process that only infers. Such a process sees no CUDA device and sets nothing."""
    return Framework("torch", torch.__version__, 0, {})


def serve(trained: Trained, mode: Mode) -> Predict:
    """Return a function that maps images to logits. In the mode `graph`, `torch.compile` compiles it with its
    defaults."""
    network = deployed(trained)
    forward = torch.compile(network) if mode == "graph" else network

    @torch.inference_mode()
    def predict(images: np.ndarray) -> np.ndarray:
        # Channels-last in memory, as images arrive: nothing is copied, and PyTorch has kernels for it.
        logits: np.ndarray = forward(torch.from_numpy(images).permute(0, 3, 1, 2)).numpy()
        return logits

    return predict
