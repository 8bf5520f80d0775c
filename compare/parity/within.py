"""The parity check within a run: its network, its data, its first seed, and the first steps of its training."""

from pathlib import Path

from compare.parity.check import Checker
from compare.parity.report import Study
from compare.parity.result import ParityResult
from compare.parity.runs import Extent
from compare.processes.pool import THREADS, Workers
from compare.subject import Subject
from shared.data import Data
from shared.errors import InputError
from shared.models import ModelSpec
from shared.protocol import Device, Mode
from shared.training import TrainSpec

EXTENT = Extent(n_steps=20, n_draws=1)
STUDY = Study(steps=EXTENT.n_steps, draws=EXTENT.n_draws)


def check_possible(implementations: list[str], recipe: str, mixed_precision: str) -> None:
    """Raise InputError where there is nothing to compare, or it is meant to differ."""
    if recipe != "matched" or mixed_precision != "none":
        raise InputError(
            "--parity is of the matched recipe in float32: others are meant to differ. Leave one of them out."
        )
    if len(implementations) < 2:
        raise InputError("--parity compares implementations. Name two or more.")


def check_run(
    model: ModelSpec,
    train: TrainSpec,
    data: Data,
    implementations: list[str],
    device: Device,
    mode: Mode | None,
    logs: Path,
    timeout_s: float,
) -> ParityResult:
    """Compare the implementations over the first steps of a run, in workers of their own."""
    with Workers(logs, device, timeout_s) as workers:
        sessions = workers.start(implementations)
        return Checker(sessions, THREADS).check(Subject(model, train, data, device, mode), EXTENT)
