"""The options of the commands that say what is here: data, doctor, models."""

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from compare.options import common
from compare.options.base import Options
from compare.options.option import COMPARISON, argument, option
from shared.choices import Channels


@dataclass(frozen=True, kw_only=True)
class DataOptions(common.ReadsData, Options):
    """The options of `compare data`."""

    summary: ClassVar[str] = "Fetch a data set, or describe your own; without a name, say which are at hand and whole."

    name: str | None = argument(
        None, "Data set to fetch and check, as mnist; or your own: folder:DIR, FILE.npz, FILE.csv, idx:DIR."
    )
    data_dir: Path | None = common.data_dir()
    resize: str | None = common.resize()
    channels: Channels | None = common.channels()
    split: float | None = common.split()

    @property
    def opening(self) -> str:
        return f"looking at {self.name or 'all data sets'}"


@dataclass(frozen=True, kw_only=True)
class DoctorOptions(common.ReadsData, Options):
    """The options of `compare doctor`."""

    summary: ClassVar[str] = (
        "Say what is here: frameworks, devices, data sets, memory, disk; and what to do where something is not well."
    )

    data_dir: Path | None = common.data_dir()

    @property
    def opening(self) -> str:
        return "looking at what is here"


@dataclass(frozen=True, kw_only=True)
class ModelsOptions(Options):
    """The options of `compare models`."""

    summary: ClassVar[str] = "Show the architectures; with a name, its layers, parameters and FLOPs."

    name: str | None = argument(None, "Architecture whose layers are shown.")
    check: bool = option(False, COMPARISON, "Ask each framework too: its own count of parameters and FLOPs.")
