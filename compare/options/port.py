"""The options of `compare port`."""

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Literal

from compare.options import common
from compare.options.base import Options
from compare.options.option import COMPARISON, DATA, OUTPUT, REQUIRED, Need, argument, option
from shared.storage import mounts


@dataclass(frozen=True, kw_only=True)
class PortOptions(Options):
    """Find where two models of your own differ, why, and the line that fixes it."""

    summary: ClassVar[str] = "Find where two models of your own differ, why, and the line that fixes it."

    # fmt: off
    left: str = argument(
        REQUIRED, "FILE.py:NAME, package.module:NAME, a call of one, or a .keras, .onnx, .pt2 file or SavedModel.",
        metavar="LEFT"
    )
    right: str = argument(REQUIRED, "The other model.", metavar="RIGHT")
    input: tuple[str, ...] | None = option(
        None, DATA, "Sizes of one example, such as 3x224x224; NAME=SIZES of several; SIZES:LOW..HIGH of integers.",
        left_out="as a model states", metavar="SIZES",
    )
    data: Path | None = option(
        None, DATA, "Real inputs: an .npz with an array (examples, ...) for each input.", parse=mounts.here,
        metavar="FILE.npz", left_out="made-up numbers",
    )
    weights: Literal["left", "right", "as-is"] = option(
        "left", COMPARISON, "Whose weights both models get; as-is: each keeps its own.",
    )
    precision: Literal["float64", "both"] = option(
        "float64", COMPARISON, "float64; or both: also float32, if the models are the same in float64.",
    )
    loss: str | None = option(
        None, COMPARISON, "Also compare losses and gradients: a name, such as mse; or compiled, each Keras model's.",
        metavar="NAME", left_out="none",
    )
    left_loss: str | None = option(
        None, COMPARISON, "The left model's loss: FILE.py:NAME or package.module:NAME.", metavar="REFERENCE",
        left_out="that of --loss, or of the compiled model",
    )
    right_loss: str | None = option(
        None, COMPARISON, "The right model's loss, in the same form.", metavar="REFERENCE",
        left_out="that of --loss, or of the compiled model",
    )
    optimizer: str | None = option(
        None, COMPARISON, "Also compare optimizers: a name, such as adam, with each framework's own defaults.",
        metavar="NAME", left_out="none; with --steps that of the compiled model",
    )
    left_optimizer: str | None = option(
        None, COMPARISON, "The left model's optimizer: FILE.py:NAME of one or of a function that makes it.",
        metavar="REFERENCE", left_out="that of --optimizer, or of the compiled model",
    )
    right_optimizer: str | None = option(
        None, COMPARISON, "The right model's optimizer, in the same form.", metavar="REFERENCE",
        left_out="that of --optimizer, or of the compiled model",
    )
    steps: int | None = option(
        None, COMPARISON, "Train both for this many steps, each with its own optimizer.", metavar="N", ge=1, le=1000,
        left_out="none",
    )
    fit: tuple[str, ...] | None = option(
        None, COMPARISON, "Run both training functions for --steps steps (10), and compare them and their data.",
        metavar="LEFT RIGHT", values=2, left_out="none",
    )
    bench: bool = option(
        False, COMPARISON, "Also time both models, in turns: passes, and layer by layer.",
        note="[docs/port-a-model.md](docs/port-a-model.md#which-one-is-slower-and-where).",
    )
    batch_sizes: tuple[int, ...] = option(
        (1, 16), COMPARISON, "Examples in a batch, for --bench; several by commas.", quantity="whole numbers", ge=1,
        le=1_000_000, needs=Need("bench", True, "for the times of --bench"),
    )
    modes: tuple[Literal["default", "eager", "graph", "xla"], ...] = option(
        ("default",), COMPARISON,
        "default (PyTorch eager, Keras as fit compiles it, TensorFlow in a graph), eager, graph, xla; by commas.",
        what="mode", needs=Need("bench", True, "for the times of --bench"),
    )
    interval: float = option(
        0.03, COMPARISON, "Launch until half the confidence interval of every ratio is below this.", ge=0.001, le=1,
        needs=Need("bench", True, "for the times of --bench"),
    )
    budget: float = option(
        120.0, COMPARISON, "Start no launch of --bench after this many seconds.", ge=1, le=1_000_000,
        needs=Need("bench", True, "for the times of --bench"),
    )
    left_python: Path | None = option(
        None, COMPARISON, "The Python that runs the left model: its framework in another version.",
        parse=mounts.here, metavar="PATH", left_out="this one",
    )
    right_python: Path | None = option(
        None, COMPARISON, "The Python that runs the right model.", parse=mounts.here, metavar="PATH",
        left_out="this one",
    )
    left_backend: Literal["tensorflow", "torch", "jax"] | None = option(
        None, COMPARISON, "Keras's backend for the left model.", left_out="KERAS_BACKEND, else tensorflow",
    )
    right_backend: Literal["tensorflow", "torch", "jax"] | None = option(
        None, COMPARISON, "Keras's backend for the right model.", left_out="KERAS_BACKEND, else tensorflow",
    )
    save_weights: Path | None = option(
        None, OUTPUT, "Write the weights of the model that got the other's: .safetensors or .weights.h5.",
        parse=mounts.here, metavar="FILE",
    )
    verbose: bool = option(False, OUTPUT, "Show every pair of layers.")
    timeout: float = common.timeout()
    out: Path | None = common.out("runs/<UTC time>-port")
    # fmt: on

    @property
    def opening(self) -> str:
        return f"comparing {self.left} with {self.right}"
