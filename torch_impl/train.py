"""Train in PyTorch as shared/protocol.py specifies."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from shared.models import LayerSpec
from shared.protocol import Build
from shared.weights import Weights
from torch_impl import weights as layout
from torch_impl.losses import LOSSES
from torch_impl.optimizers import STATE_NAMES, matched
from torch_impl.own import count_flops
from torch_impl.pooling import pooled_first
from torch_impl.profile import by_operation
from torch_impl.settings import settings
from torch_impl.tuning import Tuning

Batch = tuple[Tensor, Tensor]


class TorchModel:
    """An `nn.Module` with its optimizer."""

    def __init__(self, module: nn.Module, build: Build) -> None:
        self.spec, train = build.model, build.train
        self.device = torch.device(build.device)
        self.dtype = getattr(torch, train.dtype)
        tuning = Tuning.model_validate(dict(build.tuning))
        self.tuning = tuning
        self.loss = LOSSES[self.spec.loss]
        self.in_bfloat16 = train.mixed_precision == "bfloat16"
        self.module = module.to(self.device, self.dtype)
        if build.weights is not None:
            self.load(build.weights)
        if tuning.layout == "channels_last":
            self.module.to(memory_format=torch.channels_last)
        self.optimizer = matched(self.module, train, tuning)
        network = pooled_first(self.module) if tuning.relu == "after_pooling" else self.module
        self.forward = self._compiled(network) if build.mode == "graph" else network
        whole = build.mode == "graph" and tuning.compiled != "network"
        self.forward_with_loss = self._compiled(self._forward_with_loss) if whole else self._forward_with_loss

    def put(self, images: np.ndarray, labels: np.ndarray) -> Batch:
        return self._put_images(images), self._put_labels(labels)

    def fetch_batch(self, batch: Batch) -> tuple[np.ndarray, np.ndarray]:
        images, labels = batch
        fetched = self.fetch(images)
        return fetched.transpose(0, 2, 3, 1) if self.spec.inputs == "images" else fetched, self.fetch(labels)

    def train_step(self, batch: Batch, learning_rate: float) -> tuple[Tensor, Tensor]:
        assert self.optimizer is not None, "only the matched recipe trains step by step"
        images, labels = batch
        for group in self.optimizer.param_groups:
            group["lr"] = learning_rate
        self.module.train()
        self.optimizer.zero_grad()
        loss, logits = self.forward_with_loss(images, labels)
        loss.backward()
        self.optimizer.step()
        return loss.detach(), logits.detach()

    def _forward_with_loss(self, images: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        logits = self._logits(images)
        return self.loss(logits, labels), logits

    def _logits(self, images: Tensor) -> Tensor:
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.in_bfloat16):
            logits: Tensor = self.forward(images)
        return logits.to(self.dtype)

    def sync(self) -> None:
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)

    def fetch(self, tensor: Tensor) -> np.ndarray:
        return tensor.cpu().numpy()

    @torch.no_grad()
    def logits(self, images: np.ndarray) -> np.ndarray:
        self.module.eval()
        return self.fetch(self._logits(self._put_as_they_come(images)))

    def loss_and_gradients(self, batch: Batch) -> tuple[float, Weights]:
        images, labels = batch
        self.module.train()
        with self._statistics_kept():
            loss = self.loss(self.module(images), labels)
        named = dict(self.module.named_parameters())
        gradients = torch.autograd.grad(loss, list(named.values()))
        return loss.item(), layout.export(self.spec, dict(zip(named, gradients, strict=True)))

    @torch.no_grad()
    def activations(self, images: np.ndarray, training: bool = False) -> dict[str, np.ndarray]:
        seen: dict[str, np.ndarray] = {}
        layers = {layer.name: layer for layer in self.spec.layers}

        def tap(name: str, output: Tensor) -> Tensor:
            seen[name] = self._channels_last(layers[name], self.fetch(output))
            return output

        self.module.train(training)
        with self._statistics_kept():
            self.module(self._put_images(images), tap)
        return seen

    def weights(self) -> Weights:
        return layout.export(self.spec, layout.named_tensors(self.module))

    def load(self, weights: Weights) -> None:
        layout.load(self.module, self.spec, weights)

    def optimizer_state(self) -> Weights:
        assert self.optimizer is not None, "only the matched recipe has an optimizer here"
        named = dict(self.module.named_parameters())
        state: Weights = {}
        for torch_key, key in STATE_NAMES.items():
            tensors = {
                name: self.optimizer.state[p][torch_key]
                for name, p in named.items()
                if torch_key in self.optimizer.state[p]
            }
            exported = layout.export(self.spec, tensors)
            state |= {f"{name}/{key}": value for name, value in exported.items()}
        return state

    def state(self) -> dict[str, np.ndarray]:
        assert self.optimizer is not None, "only the matched recipe trains step by step"
        tensors = {f"module/{name}": tensor for name, tensor in self.module.state_dict().items()}
        for number, of_one in self.optimizer.state_dict()["state"].items():
            tensors |= {f"optimizer/{number}/{key}": value for key, value in of_one.items() if value is not None}
        tensors["random/cpu"] = torch.get_rng_state()
        if self.device.type == "cuda":
            tensors["random/cuda"] = torch.cuda.get_rng_state(self.device)
        return {name: self.fetch(tensor.detach()) for name, tensor in tensors.items()}

    def restore(self, state: dict[str, np.ndarray]) -> None:
        assert self.optimizer is not None, "only the matched recipe trains step by step"
        tensors = {name: torch.from_numpy(value) for name, value in state.items()}
        named = self.module.state_dict()
        with torch.no_grad():
            for name in named:
                named[name].copy_(tensors[f"module/{name}"])
        of_optimizer: dict[int, dict[str, Tensor]] = {}
        for name, tensor in tensors.items():
            kind, _, rest = name.partition("/")
            if kind == "optimizer":
                number, _, key = rest.partition("/")
                of_optimizer.setdefault(int(number), {})[key] = tensor
        groups = self.optimizer.state_dict()["param_groups"]
        self.optimizer.load_state_dict({"state": of_optimizer, "param_groups": groups})
        torch.set_rng_state(tensors["random/cpu"])
        if self.device.type == "cuda":
            torch.cuda.set_rng_state(tensors["random/cuda"], self.device)

    def settings(self) -> dict[str, str]:
        return settings(self.module, self.optimizer) | {"torch": torch.__version__}

    def count_parameters(self) -> tuple[int, int]:
        counted = layout.named_tensors(self.module).values()
        return sum(t.numel() for t in counted), sum(t.numel() for t in counted if t.requires_grad)

    def count_by_layer(self) -> dict[str, int]:
        counts: dict[str, int] = {}
        for name, tensor in layout.named_tensors(self.module).items():
            layer = name.rpartition(".")[0]
            counts[layer] = counts.get(layer, 0) + tensor.numel()
        return counts

    def count_flops(self) -> int:
        return count_flops(
            self.module,
            self._put_images(
                np.zeros((1, *self.spec.input_shape), np.int64 if self.spec.inputs == "tokens" else np.float32)
            ),
        )

    def profile(self, work: Callable[[], None]) -> dict[str, float]:
        return by_operation(work, "cuda" if self.device.type == "cuda" else "cpu")

    def device_name(self) -> str:
        return torch.cuda.get_device_name(self.device) if self.device.type == "cuda" else "cpu"

    def peak_device_bytes(self) -> int | None:
        return torch.cuda.max_memory_allocated(self.device) if self.device.type == "cuda" else None

    @contextmanager
    def _statistics_kept(self) -> Iterator[None]:
        """Restore the moving statistics afterwards, because a pass in training mode changes them."""
        kept = [(buffer, buffer.clone()) for buffer in self.module.buffers()]
        yield
        with torch.no_grad():
            for buffer, value in kept:
                buffer.copy_(value)

    def _put_images(self, images: np.ndarray) -> Tensor:
        x = self._to_device(torch.from_numpy(images))
        if self.spec.inputs == "tokens":
            return x  # (N, T)
        x = x.to(self.dtype)  # (N, H, W, C)
        if self.spec.inputs == "values":
            return x  # (N, D) or (N, T, D)
        if self.tuning.layout == "channels_last":
            return x.permute(0, 3, 1, 2)  # (N, C, H, W) in the same memory
        # Channels-first in memory, as is usual in PyTorch. `contiguous()` would not do. With one channel the permuted
        # tensor counts as contiguous already, yet its strides make every convolution choose channels-last kernels.
        return x.permute(0, 3, 1, 2).clone(memory_format=torch.contiguous_format)  # (N, C, H, W)

    def _put_labels(self, labels: np.ndarray) -> Tensor:
        put = self._to_device(torch.from_numpy(labels))
        return put.to(self.dtype) if put.is_floating_point() else put  # class numbers stay integers

    def _put_as_they_come(self, images: np.ndarray) -> Tensor:
        """Return the images for an untimed inspection, in the memory layout in which they arrive: channels-last.

        This takes half the time. A compiled network gets the layout it was compiled for.
        """
        if self.forward is self.module and self.spec.inputs == "images":
            return self._to_device(torch.from_numpy(images)).to(self.dtype).permute(0, 3, 1, 2)
        return self._put_images(images)

    def _to_device(self, tensor: Tensor) -> Tensor:
        if self.tuning.transfer == "pinned" and self.device.type == "cuda":
            return tensor.pin_memory().to(self.device, non_blocking=True)
        return tensor.to(self.device)

    def _compiled(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Compile `function`, even if this process compiled such a network before.

        By default one graph serves every batch size.
        """
        torch.compiler.reset()
        if self.tuning.compiled == "network":
            return torch.compile(function, dynamic=True)
        mode = "max-autotune" if self.tuning.compiled == "autotuned" else "default"
        return torch.compile(function, dynamic=False, mode=mode)

    def _channels_last(self, layer: LayerSpec, output: np.ndarray) -> np.ndarray:
        if layer.flattened:
            return layout.channels_last_rows(output.T, layer.flattened).T
        return output.transpose(0, 2, 3, 1) if output.ndim == 4 else output
