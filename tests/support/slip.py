"""A pair of small models with one slip or none, and its right answer."""

from dataclasses import dataclass
from typing import Literal

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
    """One pair: layers of both models in order, or whole files; the sizes of the input, channels first; and the causes
    that are right, none for two equal models. `also` are causes that may be named as well, since they follow."""

    name: str
    input: str
    torch: str
    keras: str
    causes: tuple[str, ...] = ()
    also: tuple[str, ...] = ()
    weights: Literal["left", "right", "as-is"] = "left"
    loss: str = ""  # a name for both models
    losses: tuple[str, str] = ("", "")  # or an expression for each

    def files(self) -> tuple[str, str]:
        """The text of both files."""
        stated = "0" if "=" in self.input else self.input  # several inputs are those of whole files
        sizes = [int(n) for n in stated.partition(":")[0].split("x")]
        shape = tuple([*sizes[1:], sizes[0]] if len(sizes) > 1 else sizes)
        integers = ":" in self.input
        left = self.torch if "def build" in self.torch else TORCH.format(layers=self.torch)
        shown = f"{shape}, dtype='int32'" if integers else f"{shape}"
        right = self.keras if "def build" in self.keras else KERAS.format(layers=self.keras, shape=shown)
        made = [f"\n\nloss = {loss}\n" if loss else "" for loss in self.losses]
        return left + made[0], right + made[1]
