"""How the same computation can be carried out faster, as shared/protocol.py has it: nothing here changes what it is."""

from typing import Literal

from pydantic import BaseModel, ConfigDict


class Tuning(BaseModel):
    """What a user of PyTorch gets who sets nothing, unless given otherwise.

    `layout` is that of images in memory: channels last is how batches arrive, so nothing is copied. `optimizer` is
    PyTorch's single kernel for all of Adam (fused) or its default. `compiled` is what `torch.compile` gets in the mode
    `graph`. It is the network, for any batch size (`network`), or the network with its loss, for one batch size
    (`loss`). It can also be the latter with the fastest of several kernels, and on CUDA as a CUDA graph (`autotuned`).
    `transfer` is how a batch gets to a CUDA device: waited for, or from page-locked memory while the device works
    (pinned). `relu` is in its written place, or after the max-pooling that follows it: fewer values, and the same
    result.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    layout: Literal["channels_first", "channels_last"] = "channels_first"
    optimizer: Literal["default", "fused"] = "default"
    compiled: Literal["network", "loss", "autotuned"] = "network"
    transfer: Literal["waited", "pinned"] = "waited"
    relu: Literal["as_written", "after_pooling"] = "as_written"
