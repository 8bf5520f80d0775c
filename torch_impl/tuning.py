"""Options that make the same computation faster, as shared/protocol.py specifies. None changes what is computed."""

from typing import Literal

from pydantic import BaseModel, ConfigDict


class Tuning(BaseModel):
    """PyTorch's performance options. The defaults are those of a user who sets nothing.

    - `layout`: memory layout of images. They arrive channels-last, so `channels_last` copies nothing.
    - `optimizer`: PyTorch's default, or its single kernel for all of Adam (`fused`).
    - `compiled`: what `torch.compile` compiles in the mode `graph`. `network` is the network, for any batch size.
      `loss` is the network with its loss, for one batch size. `autotuned` also picks the fastest kernels, and uses CUDA
      graphs on CUDA.
    - `transfer`: how a batch reaches a CUDA device. `waited` waits for it. `pinned` copies from page-locked memory
      while the device works.
    - `relu`: `as_written`, or `after_pooling`, after the max-pooling that follows: fewer values, same result.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    layout: Literal["channels_first", "channels_last"] = "channels_first"
    optimizer: Literal["default", "fused"] = "default"
    compiled: Literal["network", "loss", "autotuned"] = "network"
    transfer: Literal["waited", "pinned"] = "waited"
    relu: Literal["as_written", "after_pooling"] = "as_written"
