"""Write trained networks to files that PyTorch and ONNX Runtime load without this suite.

Images are channels-first in both, (N, channels, height, width).
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from shared.choices import Format
from shared.protocol import Exporter, Predict, Trained
from torch_impl import weights as layout
from torch_impl.own import network_of, own_layers

EXAMPLES = 2  # with a batch of one, tracing would make its size a constant


def _any_batch() -> tuple[dict[int, Any]]:
    """Return the dimension whose size may vary. It is no constant, because `torch.export` is slow to import."""
    return ({0: torch.export.Dim("batch")},)


class Deployed(nn.Module):
    """A network preceded by the scaling of its images."""

    mean: Tensor
    deviation: Tensor

    def __init__(self, network: nn.Module, mean: np.ndarray, deviation: np.ndarray) -> None:
        super().__init__()
        self.network = network
        self.register_buffer("mean", torch.tensor(mean, dtype=torch.float32).view(1, -1, 1, 1))
        self.register_buffer("deviation", torch.tensor(deviation, dtype=torch.float32).view(1, -1, 1, 1))

    def forward(self, images: Tensor) -> Tensor:
        logits: Tensor = self.network((images - self.mean) / self.deviation)
        return logits


def to_torch(trained: Trained, path: Path) -> Predict:
    """Write a file for `torch.export.load`, and return the predictions of the loaded file."""
    with _cudnn_as_found():
        program = torch.export.export(deployed(trained), (_example(trained),), dynamic_shapes=_any_batch())
    torch.export.save(program, path)
    loaded = torch.export.load(path).module()

    def predict(images: np.ndarray) -> np.ndarray:
        with torch.no_grad():
            logits: np.ndarray = loaded(torch.from_numpy(_channels_first(images))).numpy()
        return logits

    return predict


def to_onnx(trained: Trained, path: Path) -> Predict:
    """Write a file for ONNX Runtime, from `images` to `logits`, and return its predictions."""
    import onnxruntime

    with _cudnn_as_found():
        torch.onnx.export(
            deployed(trained),
            (_example(trained),),
            path,
            input_names=["images"],
            output_names=["logits"],
            dynamic_shapes=_any_batch(),
            dynamo=True,
            external_data=False,
            verbose=False,
        )
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])

    def predict(images: np.ndarray) -> np.ndarray:
        (logits,) = session.run(["logits"], {"images": _channels_first(images)})
        return np.asarray(logits)

    return predict


EXPORTERS: dict[Format, Exporter] = {"torch": to_torch, "onnx": to_onnx}


@contextmanager
def _cudnn_as_found() -> Iterator[None]:
    """Restore PyTorch's default precision of convolutions on CUDA within the block.

    PyTorch exports nothing if the precision was set through its current interface. Nothing is computed within the
    block.
    """
    convolutions: Any = torch.backends.cudnn.conv  # type: ignore[attr-defined]  # it is missing from the stubs
    stated, convolutions.fp32_precision = convolutions.fp32_precision, "tf32"
    try:
        yield
    finally:
        convolutions.fp32_precision = stated


def deployed(trained: Trained) -> nn.Module:
    """Return the network in evaluation mode, in PyTorch's own layers only, preceded by its scaling if it has one."""
    own = own_layers(trained.model)
    network = network_of(trained.model)(**{name: partial(norm, eps=trained.epsilon) for name, norm in own.items()})
    layout.load(network, trained.model, trained.weights)
    return (network if trained.scaling is None else Deployed(network, *trained.scaling)).eval()


def _example(trained: Trained) -> Tensor:
    height, width, channels = trained.model.input_shape
    return torch.zeros(EXAMPLES, channels, height, width)


def _channels_first(images: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(images.transpose(0, 3, 1, 2))
