"""A network trained by several processes with DistributedDataParallel, over gloo on CPUs and NCCL on GPUs."""

import numpy as np
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from shared.protocol import Build
from shared.world import World
from torch_impl.train import TorchModel

Share = tuple[Tensor, Tensor, float]


class SharingTorchModel(TorchModel):
    """A `TorchModel` whose gradients are those of the whole batch. torchrun provides the addresses."""

    def __init__(self, module: nn.Module, build: Build, world: World) -> None:
        super().__init__(module, build)
        self.world = world
        if not dist.is_initialized():
            dist.init_process_group("nccl" if self.device.type == "cuda" else "gloo")
        self.parallel = DistributedDataParallel(self.module)
        self.forward = self.parallel

    def put_share(self, images: np.ndarray, labels: np.ndarray, n_whole: int) -> Share:
        return *self.put(images, labels), len(images) / n_whole

    def train_step(self, batch: Share, learning_rate: float) -> tuple[Tensor, Tensor]:  # type: ignore[override]
        assert self.optimizer is not None, "only the matched recipe trains step by step"
        images, labels, part = batch
        for group in self.optimizer.param_groups:
            group["lr"] = learning_rate
        self.module.train()
        self.optimizer.zero_grad()
        logits = self._logits(images)
        loss = self.loss(logits, labels) * part
        (loss * self.world.size).backward()  # gradients are averaged, but the weighted losses must be summed
        self.optimizer.step()
        return loss.detach(), logits.detach()
