"""A pair of small models with one slip or none, and its right answer."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

TORCH = """import torch
import torch.nn.functional as F
from torch import nn


class Apply(nn.Module):
    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, x):
        return self.function(x)


def build():
    return nn.Sequential({layers})
"""
KERAS = """import keras
from keras import layers as L
from keras import ops


def build():
    return keras.Sequential([keras.Input({shape}), {layers}])
"""


@dataclass(frozen=True)
class Slip:
    """One pair of models, as their layers in order or as whole files.

    `input` has the sizes of the input, channels first. `causes` are the right ones, none for two equal models. `also`
    are causes that may be named too, because they follow from these.
    """

    name: str
    input: str
    torch: str
    keras: str
    causes: tuple[str, ...] = ()
    also: tuple[str, ...] = ()
    weights: Literal["left", "right", "as-is"] = "left"
    loss: str = ""  # a name for both models
    losses: tuple[str, str] = ("", "")  # or an expression for each
    optimizers: tuple[str, str] = ("", "")  # an expression for each; PyTorch's uses `params`
    optimizer: str = ""  # or a name for both
    steps: int = 0
    own: tuple[str, str] = ("", "")  # lines for the top of each file
    fits: tuple[str, str] = ("", "")  # a training function `train` for the end of each file

    def files(self) -> tuple[str, str]:
        """Return the text of both files."""
        stated = "0" if "=" in self.input else self.input  # whole files state several inputs themselves
        sizes = [int(n) for n in stated.partition(":")[0].split("x")]
        shape = tuple([*sizes[1:], sizes[0]] if len(sizes) > 1 else sizes)
        integers = ":" in self.input
        left = self.torch if "def build" in self.torch else TORCH.format(layers=self.torch)
        shown = f"{shape}, dtype='int32'" if integers else f"{shape}"
        right = self.keras if "def build" in self.keras else KERAS.format(layers=self.keras, shape=shown)
        made = [f"\n\nloss = {loss}\n" if loss else "" for loss in self.losses]
        for side, (argument, optimizer) in enumerate(zip(("params", ""), self.optimizers, strict=True)):
            if optimizer:
                made[side] += f"\n\ndef optimizer({argument}):\n    return {optimizer}\n"
        made = [text + train for text, train in zip(made, self.fits, strict=True)]
        top = [f"{lines}\n\n" if lines else "" for lines in self.own]
        return top[0] + left + made[0], top[1] + right + made[1]

    def options(self, folder: Path) -> dict[str, Any]:
        """Return the arguments of `Port.check` besides the models. Their files are in `folder`."""
        left, right = f"{folder}/left.py", f"{folder}/right.py"
        return {
            "input": None if any(self.fits) else self.input,
            "weights": self.weights,
            "loss": self.loss,
            "left_loss": f"{left}:loss" if self.losses[0] else "",
            "right_loss": f"{right}:loss" if self.losses[1] else "",
            "optimizer": self.optimizer,
            "left_optimizer": f"{left}:optimizer" if self.optimizers[0] else "",
            "right_optimizer": f"{right}:optimizer" if self.optimizers[1] else "",
            "steps": self.steps,
            "fit": (f"{left}:train", f"{right}:train") if any(self.fits) else ("", ""),
        }
