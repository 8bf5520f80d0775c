"""What a study says of its progress while it trains."""

from collections.abc import Sequence
from typing import Protocol

from shared.result import Epoch, Run, RunResult


class Progress(Protocol):
    """Receives the progress of training."""

    def expect(self, seeds: Sequence[int]) -> None:
        """The study has runs of these seeds to come."""

    def begin(self, run: Run, n_batches: int, epochs_done: int, n_evaluated: int) -> None:
        """`run` starts, or goes on after `epochs_done` epochs; an epoch has `n_batches` steps, and is followed by an
        evaluation of `n_evaluated` images."""

    def advance(self, run: Run, n_steps: int, epoch: int, loss: float, images_per_s: float) -> None:
        """`run` went on by `n_steps` steps in `epoch`."""

    def epoch(self, run: Run, epoch: Epoch) -> None:
        """`run` ended an epoch."""

    def end(self, result: RunResult, said: str) -> None:
        """A run ended, completed or not; `said` is what its worker wrote to standard error meanwhile."""
