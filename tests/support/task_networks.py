"""A small network of the user's own in each framework, with data, for every task but classification."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from compare import networks
from shared import contract
from shared.data import Data
from shared.description import CONTRACT
from shared.models import LayerSpec, ModelSpec, weighted
from shared.task import TASKS

FORMS = {
    "torch.py": '''
import torch.nn.functional as F
from torch import nn

from torch_impl.models import untapped

class Network(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(1, 4, kernel_size=3)
        self.head = nn.Linear(4, 3)

    def forward(self, x, tap=untapped):
        x = tap("stem", F.relu(self.stem(x)))
        x = tap("mean", x.mean((2, 3)))
        return tap("head", self.head(x))
''',
    "keras.py": '''
import keras
from keras import layers

def network():
    return keras.Sequential([
        keras.Input((8, 6, 1)),
        layers.Conv2D(4, 3, activation="relu", name="stem"),
        layers.GlobalAveragePooling2D(name="mean"),
        layers.Dense(3, name="head"),
    ])
''',
    "tf_lowlevel.py": '''
import tensorflow as tf

from tf_lowlevel_impl.layers import Conv2D, Dense

class Network(tf.Module):
    def __init__(self, dtype):
        super().__init__()
        self.stem = Conv2D(1, 4, size=3, padding="VALID", dtype=dtype)
        self.head = Dense(4, 3, dtype=dtype)

    def __call__(self, x, training=False, tap=lambda name, output: output):
        x = tap("stem", tf.nn.relu(self.stem(x)))
        x = tap("mean", tf.reduce_mean(x, (1, 2)))
        return tap("head", self.head(x))
''',
}  # fmt: skip
SPEC = ModelSpec(
    name="mine",
    input_shape=(8, 6, 1),
    n_classes=3,
    parameters=(*weighted("stem", (3, 3, 1, 4)), *weighted("head", (4, 3))),
    layers=(LayerSpec("stem", (6, 4, 4), flops=1_728), LayerSpec("mean", (4,)), LayerSpec("head", (3,), flops=24)),
    n_params=55,
    n_trainable=55,
    flops=1_752,
)
OTHER_TASKS = [(name, loss) for name, task in TASKS.items() if not task.classifies for loss in task.losses]


def data_for(spec: ModelSpec) -> Data:
    rng = np.random.default_rng(0)
    x = rng.random((52, *spec.input_shape)).astype(np.float32)
    y = rng.normal(size=(52, 3)) if spec.task == "regression" else rng.random((52, 3)) < 0.4
    labels = y.astype(np.float32)
    return Data(x[:40], labels[:40], x[40:], labels[40:])


def own_network(folder: Path, task: str, loss: str) -> ModelSpec:
    """Write the network for `task` to the new folder `folder` as the user's own, and return its contract."""
    folder.mkdir()
    for name, text in FORMS.items():
        (folder / name).write_text(text)
    (folder / CONTRACT).write_bytes(contract.write(replace(SPEC, task=task, loss=loss)))  # type: ignore[arg-type]
    return networks.own(folder)
