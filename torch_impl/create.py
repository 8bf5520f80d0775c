"""Build and train a PyTorch network, and describe PyTorch: what this package exports."""

from typing import Any

import torch

from shared.data import Data
from shared.protocol import Build, Framework, OnEpoch
from shared.training import TrainSpec
from shared.world import World
from torch_impl import idiomatic
from torch_impl.own import network_of, own_layers
from torch_impl.train import TorchModel


def framework() -> Framework:
    """Return PyTorch's version, devices and settings."""
    _state_settings()
    return Framework(
        name="torch",
        version=torch.__version__,
        n_cuda_devices=torch.cuda.device_count(),
        settings={
            "tf32": f"matmul {torch.backends.cuda.matmul.fp32_precision}, conv {_cudnn_conv().fp32_precision}",
            "cuda": str(torch.version.cuda),
        },
    )


def create(build: Build) -> TorchModel:
    """Build the network as a TorchModel."""
    train = build.train
    _state_settings(tf32=train.mixed_precision == "tf32")
    world = World.here()
    torch.manual_seed(train.seed + world.rank)  # each worker has its own dropout
    if build.device == "cuda":
        torch.cuda.reset_peak_memory_stats()
    arguments, network = train.network_arguments, network_of(build.model)
    if build.recipe == "idiomatic" or "normalisation" in train.own:
        arguments |= own_layers(build.model)
    module = network(**arguments)
    if world.size == 1:
        return TorchModel(module, build)
    from torch_impl.distributed import SharingTorchModel  # slow to import, and rarely needed

    return SharingTorchModel(module, build, world)


def fit(model: TorchModel, train: TrainSpec, data: Data, on_epoch: OnEpoch) -> None:
    """Train `model` in the idiomatic recipe."""
    idiomatic.fit(model.module, model.device, train, data, on_epoch)


def _state_settings(tf32: bool = False) -> None:
    torch.backends.cuda.matmul.fp32_precision = "tf32" if tf32 else "ieee"
    _cudnn_conv().fp32_precision = "tf32" if tf32 else "ieee"
    torch.backends.cudnn.deterministic = True
    torch.backends.cudnn.benchmark = False


def _cudnn_conv() -> Any:
    return torch.backends.cudnn.conv  # type: ignore[attr-defined]  # it is missing from the module's stubs
