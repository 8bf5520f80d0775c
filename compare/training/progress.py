"""The progress messages of a study while it trains."""

from collections.abc import Sequence
from typing import Protocol

from shared.result import Epoch, Run, RunResult


class Progress(Protocol):
    """A receiver of the progress of training."""

    def expect(self, seeds: Sequence[int]) -> None:
        """Note that the study will have runs of these seeds."""

    def begin(self, run: Run, n_batches: int, epochs_done: int, n_evaluated: int) -> None:
        """Note that `run` starts, or continues after `epochs_done` epochs. An epoch has `n_batches` steps, and is
        followed by an evaluation of `n_evaluated` images."""

    def advance(self, run: Run, n_steps: int, epoch: int, loss: float, images_per_s: float) -> None:
        """Note that `run` made `n_steps` more steps in `epoch`."""

    def epoch(self, run: Run, epoch: Epoch) -> None:
        """Note that `run` ended an epoch."""

    def end(self, result: RunResult, said: str) -> None:
        """Note that a run ended, completed or not; `said` is what its worker wrote to standard error."""
