"""The options of the commands that list what is available: data, doctor, models, contract."""

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from compare.options import common
from compare.options.base import Options
from compare.options.option import COMPARISON, DATA, OUTPUT, REQUIRED, TRAINING, Conflict, argument, option
from shared.choices import Channels, LossName, TaskName
from shared.storage import mounts


@dataclass(frozen=True, kw_only=True)
class DataOptions(common.ReadsData, Options):
    """The options of `compare data`."""

    summary: ClassVar[str] = "Fetch a data set, or describe your own; without a name, list which are here and complete."

    name: str | None = argument(
        None, "Data set to fetch and check, such as mnist; or your own: folder:DIR, FILE.npz, FILE.csv, idx:DIR."
    )
    data_dir: Path | None = common.data_dir()
    resize: str | None = common.resize()
    channels: Channels | None = common.channels()
    split: float | None = common.split()

    @property
    def opening(self) -> str:
        return f"checking {self.name or 'all data sets'}"


@dataclass(frozen=True, kw_only=True)
class DoctorOptions(common.ReadsData, Options):
    """The options of `compare doctor`."""

    summary: ClassVar[str] = (
        "Check this installation: frameworks, devices, data sets, memory, disk; and what to do about a problem."
    )

    data_dir: Path | None = common.data_dir()

    @property
    def opening(self) -> str:
        return "checking this installation"


@dataclass(frozen=True, kw_only=True)
class ModelsOptions(Options):
    """The options of `compare models`."""

    summary: ClassVar[str] = "Show the architectures; with a name, its layers, parameters and FLOPs."

    name: str | None = argument(None, "Architecture whose layers are shown, or the folder of a network of your own.")
    check: bool = option(False, COMPARISON, "Also compare each framework's own count of parameters and FLOPs.")
    source: bool = option(
        False, OUTPUT, "Show its code in each framework, side by side if the terminal has 120 columns."
    )
    scaffold: Path | None = option(
        None,
        OUTPUT,
        "New folder to copy it to, as a start for your own network.",
        parse=mounts.here,
        metavar="DIR",
        conflicts=(Conflict("check", "which asks about a network that is there"),),
        note="[docs/your-own-network.md](docs/your-own-network.md).",
    )


@dataclass(frozen=True, kw_only=True)
class ContractOptions(Options):
    """The options of `compare contract`."""

    summary: ClassVar[str] = (
        "Write the contract of a network of your own from its code, and compare it with each framework's code there."
    )

    folder: Path = argument(
        REQUIRED, "Folder with torch.py, keras.py or tf_lowlevel.py.", metavar="DIR", parse=mounts.here
    )
    source: str | None = option(
        None,
        COMPARISON,
        "Implementation whose code the contract is written from.",
        flag="--from",
        left_out="the first that has a file there",
    )
    input: str | None = option(
        None,
        DATA,
        "Sizes of an input: 40x40x3 of an image (height, width, channels), 20x8 of a sequence, 16 of a vector.",
        left_out="as keras.py states, or the contract that is there",
        metavar="SIZES",
    )
    tokens: bool = option(
        False, DATA, "The inputs are whole numbers, for an embedding.", note="keras.py says so itself, by its dtype."
    )
    task: TaskName | None = option(
        None,
        TRAINING,
        "What the network learns: classification, regression or multilabel.",
        note="[docs/tasks.md](docs/tasks.md).",
        left_out="as the contract that is there says, or classification",
    )
    loss: LossName | None = option(
        None,
        TRAINING,
        "Training loss: cross_entropy, mse or mae (regression), binary_cross_entropy (multilabel).",
        left_out="as the contract that is there says, or the task's first",
    )

    @property
    def opening(self) -> str:
        return f"checking {self.folder}"
