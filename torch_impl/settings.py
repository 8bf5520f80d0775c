"""Read a network's settings from PyTorch itself, under the names shared by all implementations."""

import torch
from torch import nn

from torch_impl import optimizers
from torch_impl.layers import BatchNorm
from torch_impl.weights import named_tensors


def settings(module: nn.Module, optimizer: torch.optim.Optimizer | None) -> dict[str, str]:
    """Return the settings of `module`, of `optimizer` if there is one, and of the framework."""
    tensors = named_tensors(module).values()
    cuda = torch.backends.cuda.matmul.fp32_precision, torch.backends.cudnn.conv.fp32_precision  # type: ignore[attr-defined]
    said = {
        "dtype": " and ".join(sorted({str(tensor.dtype).removeprefix("torch.") for tensor in tensors})),
        "device": " and ".join(sorted({tensor.device.type for tensor in tensors})),
        "threads": str(torch.get_num_threads()),
        "TF32": "off" if set(cuda) == {"ieee"} else "on",
        "deterministic": "on" if torch.backends.cudnn.deterministic and not torch.backends.cudnn.benchmark else "off",
    }
    for name, layer in module.named_children():
        if isinstance(layer, BatchNorm):
            said[f"{name}: epsilon"] = f"{layer.eps:.12g}"
            said[f"{name}: weight of the new statistics"] = f"{layer.momentum:.12g}"
        elif isinstance(layer, nn.Dropout):
            said[f"{name}: rate"] = f"{layer.p:.12g}"
    return said | optimizers.settings(optimizer)
