"""Runs in progress on disk: after whole epochs, everything needed to continue as if uninterrupted.

A checkpoint is one safetensors file: the state of the network, its optimizer and its random numbers. The header has the
run's results until then.
"""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import numpy as np
from pydantic import ValidationError
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from compare.folders.output import OutputFolder
from compare.folders.run_folder import MAX_RECORD_BYTES, unreadable
from compare.rpc import messages
from shared.errors import InputError
from shared.record import Counts, Record
from shared.result import SCHEMA_VERSION, Epochs, Run
from shared.storage import files

State = dict[str, np.ndarray]
FOLDER = "checkpoints"
HEADER, DIGEST = "checkpoint", "sha256"
MAX_BYTES_A_PARAMETER = 64  # itself and an optimizer's own, in float64, with a reserve


class Checkpoint(Record):
    """A run after some whole epochs, with its results until then."""

    schema_version: Literal[1] = SCHEMA_VERSION
    run: Run
    data_digest: str
    epochs: Epochs
    slices: tuple[messages.Slice, ...]
    resumed_after: Counts = ()


class Checkpoints:
    """The last checkpoint of each run of a study, in its output folder. `tell` is called if one cannot be used."""

    def __init__(self, folder: OutputFolder, tell: Callable[[str], None] = lambda _: None) -> None:
        self._folder = folder
        self._tell = tell

    def save(self, checkpoint: Checkpoint, state: State) -> None:
        """Replace the previous checkpoint. Raises WriteError."""
        arrays = {name: np.asarray(value, order="C") for name, value in state.items()}
        header = {HEADER: checkpoint.model_dump_json(), DIGEST: _digest(arrays)}
        self._folder.write(_name(checkpoint.run), save(arrays, header))

    def load(self, run: Run, data_digest: str) -> tuple[Checkpoint, State] | None:
        """Return the last checkpoint of `run`. Return None if there is none, if it is incomplete, or if it is from
        another run or other data: then the run has to restart from scratch."""
        path = self._folder.path / _name(run)
        if not path.exists():
            return None
        try:
            checkpoint, state = _read(path, run)
            if (checkpoint.run, checkpoint.data_digest) != (run, data_digest):
                raise ValueError("it belongs to another run, or to other data")
        except (InputError, ValueError) as error:
            self._tell(f"{run.name} restarts from scratch: its checkpoint cannot be used ({error}).")
            return None
        return checkpoint, state

    def drop(self, run: Run) -> None:
        """Remove the run's checkpoint."""
        self._folder.remove(_name(run))

    @property
    def any(self) -> bool:
        """Whether there is a checkpoint to continue from."""
        return any((self._folder.path / FOLDER).glob("*.safetensors"))


def _read(path: Path, run: Run) -> tuple[Checkpoint, State]:
    """Read the checkpoint at `path`. Raises InputError or a ValueError if there is no complete one."""
    files.check(path, run.spec.n_params * MAX_BYTES_A_PARAMETER + MAX_RECORD_BYTES, "")
    try:
        with safe_open(path, "np") as file:
            header = file.metadata() or {}
            checkpoint = Checkpoint.model_validate_json(header.get(HEADER, ""))
            state = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 it is not a mapping
    except ValidationError as error:
        raise unreadable(path, error) from None
    except (OSError, SafetensorError, TypeError, KeyError) as error:
        raise ValueError(str(error)) from None
    if header.get(DIGEST) != _digest(state):
        raise ValueError("what it holds was altered")
    return checkpoint, state


def _digest(state: State) -> str:
    """Return SHA-256 over names, types, shapes and values: training from a flipped bit would look normal."""
    digest = hashlib.sha256()
    for name in sorted(state):
        digest.update(f"{name} {state[name].dtype.str} {state[name].shape}\n".encode())
        digest.update(np.asarray(state[name], order="C").tobytes())
    return digest.hexdigest()


def _name(run: Run) -> str:
    return f"{FOLDER}/{run.name}.safetensors"
