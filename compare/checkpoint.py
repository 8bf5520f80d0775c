"""Runs in progress on disk: after every epoch, all that is needed to go on as if nothing had happened.

A checkpoint is one safetensors file: the state of the network, its optimizer and its random numbers, and in the header
what the run gave until then.
"""

import struct
from typing import Literal

import numpy as np
from pydantic import ValidationError
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from compare import messages
from compare.output import OutputFolder
from shared.result import SCHEMA_VERSION, Epoch, Record, Run

State = dict[str, np.ndarray]
FOLDER = "checkpoints"
HEADER = "checkpoint"


class Checkpoint(Record):
    """A run after some whole epochs: what it gave until then."""

    schema_version: Literal[1] = SCHEMA_VERSION
    run: Run
    data_digest: str
    epochs: tuple[Epoch, ...]
    slices: tuple[messages.Slice, ...]
    resumed_after: tuple[int, ...] = ()


class Checkpoints:
    """The checkpoints of a study, in its output folder: of each run the last one."""

    def __init__(self, folder: OutputFolder) -> None:
        self._folder = folder

    def save(self, checkpoint: Checkpoint, state: State) -> None:
        """Put it in the place of the one before. Raises WriteError."""
        header = {HEADER: checkpoint.model_dump_json()}
        self._folder.write(_name(checkpoint.run), save({k: np.asarray(v, order="C") for k, v in state.items()}, header))

    def load(self, run: Run, data_digest: str) -> tuple[Checkpoint, State] | None:
        """The last one of `run`; None where there is none, or it is not of this very run and its data."""
        path = self._folder.path / _name(run)
        if not path.is_file():
            return None
        try:
            with safe_open(path, "np") as file:
                checkpoint = Checkpoint.model_validate_json((file.metadata() or {}).get(HEADER, ""))
                state = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 it is no mapping
        except (OSError, SafetensorError, ValidationError, struct.error):
            return None  # the run is then trained from the beginning
        return (checkpoint, state) if (checkpoint.run, checkpoint.data_digest) == (run, data_digest) else None

    def drop(self, run: Run) -> None:
        """There is nothing left to go on with."""
        self._folder.remove(_name(run))

    @property
    def any(self) -> bool:
        """Whether there is one to go on from."""
        return any((self._folder.path / FOLDER).glob("*.safetensors"))


def _name(run: Run) -> str:
    return f"{FOLDER}/{run.name}.safetensors"
